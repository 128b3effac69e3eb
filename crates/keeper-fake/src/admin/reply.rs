//! What the administrator side answers with.

use prost::Message;
use serde_json::{Map, Value, json};

/// An answer that is a success as far as HTTP is concerned.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Reply {
    /// Status 200 and an empty body, as the vendor's void endpoints answer.
    Void,
    /// A serialized message, or the JSON of a command; sealed with the transmission key before it leaves.
    Sealed(Vec<u8>),
    /// The Automator has to be called first; the answer comes from [`super::Admin::contacted`].
    Contact(Contact),
}

/// Which Automator is to be called, and what for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Contact {
    /// The address as the administrator wrote it.
    pub(crate) url: String,
    /// Which Automator.
    pub(crate) automator: i64,
    /// Which call has to be answered afterwards.
    pub(crate) verb: Verb,
}

/// The two calls that reach the Automator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verb {
    /// First step of the key exchange.
    Setup,
    /// Initialisation.
    Initialize,
}

impl Reply {
    pub(super) fn message(message: &impl Message) -> Self {
        Self::Sealed(message.encode_to_vec())
    }

    pub(super) fn json(value: &Value) -> Self {
        Self::Sealed(value.to_string().into_bytes())
    }
}

/// An answer in clear text with status 400 or above.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) status: u16,
    pub(crate) body: Map<String, Value>,
}

impl Refusal {
    /// `error` is the machine code, `message` the text for people.
    pub(super) fn new(status: u16, error: &str, message: &str) -> Self {
        let body = [("error", error), ("message", message)];
        Self { status, body: body.into_iter().map(|(key, value)| (key.to_owned(), json!(value))).collect() }
    }

    pub(super) fn with(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.body.insert(key.to_owned(), value.into());
        self
    }

    /// A request that no client of the vendor would send.
    pub(super) fn malformed(what: &str) -> Self {
        Self::new(400, "bad_request", &format!("{what} cannot be read"))
    }

    pub(super) fn denied(message: &str) -> Self {
        Self::new(403, "access_denied", message)
    }
}

/// Reads a request message.
pub(super) fn read<M: Message + Default>(payload: &[u8]) -> Result<M, Refusal> {
    M::decode(payload)
        .map_err(|_| Refusal::malformed(std::any::type_name::<M>().rsplit(':').next().unwrap_or("the message")))
}
