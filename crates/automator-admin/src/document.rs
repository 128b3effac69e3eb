//! JSON that holds secrets.

use std::fmt;

use serde_json::{Map, Value};
use zeroize::Zeroize;

/// A JSON object whose texts are wiped when it goes. Never shown.
#[derive(Clone, Default)]
pub(crate) struct Document(pub(crate) Map<String, Value>);

impl Document {
    /// Reads an object; what stands around it does not count, because Keeper pads with spaces.
    pub(crate) fn read(json: &[u8]) -> Option<Self> {
        serde_json::from_slice(json).ok().map(Self)
    }

    /// A text member; empty where it is missing or something else.
    pub(crate) fn text(&self, name: &str) -> &str {
        self.0.get(name).and_then(Value::as_str).unwrap_or_default()
    }
}

impl Drop for Document {
    fn drop(&mut self) {
        fn wipe(value: &mut Value) {
            match value {
                Value::String(text) => text.zeroize(),
                Value::Array(several) => several.iter_mut().for_each(wipe),
                Value::Object(members) => members.values_mut().for_each(wipe),
                _ => {}
            }
        }
        self.0.values_mut().for_each(wipe);
    }
}

impl fmt::Debug for Document {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Document(…)")
    }
}
