//! JSON that may hold secrets: shown by name only, wiped when dropped.

use std::fmt;

use serde_json::{Map, Value};
use zeroize::{Zeroize, Zeroizing};

/// A JSON value that may be a password. Its `Debug` shows nothing of it; every text in it is wiped on drop.
#[derive(Clone, PartialEq)]
pub struct Secret(Value);

impl Secret {
    /// Takes a value over.
    #[must_use]
    pub fn new(value: Value) -> Self {
        Self(value)
    }

    /// The value itself.
    #[must_use]
    pub fn expose(&self) -> &Value {
        &self.0
    }

    /// As text: a JSON text without its quotes, anything else in compact JSON.
    #[must_use]
    pub fn expose_text(&self) -> Zeroizing<String> {
        text_of(&self.0)
    }

    pub(crate) fn expose_mut(&mut self) -> &mut Value {
        &mut self.0
    }
}

impl From<Value> for Secret {
    fn from(value: Value) -> Self {
        Self(value)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

impl Drop for Secret {
    fn drop(&mut self) {
        wipe(&mut self.0);
    }
}

pub(crate) fn text_of(value: &Value) -> Zeroizing<String> {
    Zeroizing::new(match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    })
}

/// Parsed JSON is at most 128 levels deep, so recursion is bounded.
fn wipe(value: &mut Value) {
    match value {
        Value::String(text) => text.zeroize(),
        Value::Array(items) => items.iter_mut().for_each(wipe),
        Value::Object(members) => members.values_mut().for_each(wipe),
        Value::Number(_) | Value::Bool(_) | Value::Null => {}
    }
}

/// Compact JSON in memory that is wiped.
pub(crate) fn bytes_of(value: &Map<String, Value>) -> Zeroizing<Vec<u8>> {
    let mut out = Zeroizing::new(Vec::with_capacity(512));
    serde_json::to_writer(&mut *out, value).expect("a map of JSON values is JSON");
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn texts_lose_their_quotes_only() {
        for (value, text) in [(json!("a\"b"), "a\"b"), (json!(7), "7"), (json!({"a": [1]}), r#"{"a":[1]}"#)] {
            assert_eq!(*Secret::new(value).expose_text(), text);
        }
    }

    #[test]
    fn every_text_is_wiped() {
        let mut value = json!({"a": ["x", {"b": "y"}], "c": "z", "n": 1});
        wipe(&mut value);
        assert_eq!(value, json!({"a": ["", {"b": ""}], "c": "", "n": 1}));
    }
}
