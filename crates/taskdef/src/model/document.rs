//! Text in, definition out: the two envelopes a task definition travels in.

use std::fmt;

use serde_json::{Map, Value};

use super::task::TaskDefinition;
use crate::diff::READ_ONLY;

/// What `DescribeTaskDefinition` calls the member that holds the definition.
const ENVELOPE: &str = "taskDefinition";

/// A definition as it stood in a file: bare, as `RegisterTaskDefinition` and the console's JSON view have
/// it, or inside the answer of `DescribeTaskDefinition`.
#[derive(Clone, Debug, PartialEq)]
pub struct Document {
    /// The definition itself.
    pub definition: TaskDefinition,
    envelope: Option<super::Extra>,
}

impl Document {
    /// Reads JSON text.
    pub fn read(text: &str) -> Result<Self, ReadError> {
        let value: Value = serde_json::from_str(text.trim_start_matches('\u{feff}')).map_err(|error| ReadError {
            pointer: String::new(),
            position: Some((error.line(), error.column())),
            message: error.to_string(),
        })?;
        Self::from_value(value)
    }

    /// Reads a JSON value.
    pub fn from_value(value: Value) -> Result<Self, ReadError> {
        let Value::Object(mut members) = value else {
            return Err(ReadError::new("", "a task definition is a JSON object"));
        };
        if !members.get(ENVELOPE).is_some_and(Value::is_object) {
            return Ok(Self { definition: TaskDefinition::from_value(Value::Object(members))?, envelope: None });
        }
        let inner = members.insert(ENVELOPE.to_owned(), Value::Null).unwrap_or_default();
        let definition = TaskDefinition::from_value(inner).map_err(|error| error.below(&format!("/{ENVELOPE}")))?;
        Ok(Self { definition, envelope: Some(super::Extra(members)) })
    }

    /// Writes the document in the envelope it came in.
    pub fn to_value(&self) -> Value {
        let Some(envelope) = &self.envelope else { return self.definition.to_value() };
        let mut members: Map<String, Value> = envelope.0.clone();
        members.insert(ENVELOPE.to_owned(), self.definition.to_value());
        Value::Object(members)
    }

    /// The definition as `RegisterTaskDefinition` takes it: without what AWS added, and with the tags that
    /// `DescribeTaskDefinition` puts beside it.
    pub fn for_registration(&self) -> Result<TaskDefinition, ReadError> {
        let mut definition = self.definition.clone();
        definition.extra.0.retain(|name, _| !READ_ONLY.contains(&name.as_str()));
        if let Some(tags) = self.envelope.as_ref().and_then(|envelope| envelope.get("tags")) {
            let tags =
                serde_path_to_error::deserialize(tags).map_err(|error| ReadError::from_path(error).below("/tags"))?;
            definition.tags.get_or_insert(tags);
        }
        Ok(definition)
    }

    /// What stands before every pointer into the definition to make it a pointer into the document.
    pub fn pointer_prefix(&self) -> &'static str {
        if self.envelope.is_some() { "/taskDefinition" } else { "" }
    }
}

/// Why text is not a task definition. The message never quotes the document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadError {
    /// Where, as a JSON pointer; empty for the whole document.
    pub pointer: String,
    /// Line and column, both from one, when the text is not JSON at all.
    pub position: Option<(usize, usize)>,
    /// What is wrong there.
    pub message: String,
}

impl ReadError {
    pub(crate) fn new(pointer: impl Into<String>, message: impl Into<String>) -> Self {
        Self { pointer: pointer.into(), position: None, message: message.into() }
    }

    fn below(mut self, prefix: &str) -> Self {
        self.pointer.insert_str(0, prefix);
        self
    }

    pub(crate) fn from_path(error: serde_path_to_error::Error<serde_json::Error>) -> Self {
        use serde_path_to_error::Segment;
        let mut pointer = String::new();
        for segment in error.path() {
            pointer.push('/');
            match segment {
                Segment::Seq { index } => pointer.push_str(&index.to_string()),
                Segment::Map { key } => pointer.push_str(&crate::pointer::escape(key)),
                Segment::Enum { variant } => pointer.push_str(variant),
                Segment::Unknown => pointer.push('?'),
            }
        }
        Self::new(pointer, without_quotes(&error.inner().to_string()))
    }
}

/// serde says `invalid type: string "hunter2", expected i64`; the value in it may be a secret.
fn without_quotes(message: &str) -> String {
    match (message.strip_prefix("invalid "), message.rfind(", expected ")) {
        (Some(rest), Some(at)) => {
            let kind = rest.split([':', ' ']).next().unwrap_or("value");
            let found = rest.split_once(": ").map_or("", |(_, found)| found);
            let found = found.split([' ', ',', '`', '"']).next().unwrap_or_default();
            format!("invalid {kind}: {found}{}", &message[at..])
        }
        _ => message.to_owned(),
    }
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("read task definition")?;
        if !self.pointer.is_empty() {
            write!(f, " at `{}`", self.pointer)?;
        }
        write!(f, ": {}", self.message)
    }
}

impl std::error::Error for ReadError {}
