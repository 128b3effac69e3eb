//! What can go wrong with a call.

use std::time::Duration;

use super::message::Message;
use super::name::KEEPER;

/// What shall go wrong with one attempt of one call.
#[derive(Debug, Clone)]
pub enum Fault {
    /// The service answers this and does nothing.
    Answer {
        /// The status.
        status: u16,
        /// The code of the refusal.
        code: String,
    },
    /// The call comes late to the service.
    Delay(Duration),
    /// The connection is cut before the service has the call.
    CutBefore,
    /// The call takes effect and its answer is lost.
    CutAfter,
    /// The call takes effect and its answer reads differently.
    Reword(Rewrite),
}

impl Fault {
    /// In a word, for the record.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Answer { .. } => "refused",
            Self::Delay(_) => "late",
            Self::CutBefore => "cut before",
            Self::CutAfter => "cut after",
            Self::Reword(_) => "reworded",
        }
    }
}

/// Other words in the answers to an operation.
#[derive(Debug, Clone)]
pub struct Rewrite {
    /// The operation.
    pub operation: &'static str,
    /// What becomes of an answer that is text.
    pub reword: fn(&str) -> String,
}

impl Rewrite {
    pub(super) fn apply(&self, body: &mut Vec<u8>) {
        if let Ok(text) = std::str::from_utf8(body) {
            *body = (self.reword)(text).into_bytes();
        }
    }
}

/// An answer in place of the emulator's.
#[derive(Debug, Clone, Copy)]
pub struct StandIn {
    /// The service, as the signature names it.
    pub service: &'static str,
    /// The operation.
    pub operation: &'static str,
    /// The answer: JSON, or XML where it begins so.
    pub body: &'static str,
}

impl StandIn {
    pub(super) fn answer(&self) -> Message {
        let kind = if self.body.starts_with('<') { "text/xml" } else { "application/x-amz-json-1.1" };
        Message {
            start: "HTTP/1.1 200 OK".to_owned(),
            headers: vec![("Content-Type".to_owned(), kind.to_owned())],
            body: self.body.into(),
        }
    }
}

/// How a service refuses: Keeper and whom is asked in JSON or by paths of EFS in JSON, else XML in one of its two shapes.
pub(super) fn refusal(request: &Message, status: u16, code: &str) -> Message {
    const SAYS: &str = "a fault of the harness";
    let json = request.header("x-amz-target").is_some() || request.start.contains(" /2015-02-01/");
    let keeper = request.start.contains(KEEPER);
    let ec2 = request.header("authorization").is_some_and(|value| value.contains("/ec2/"));
    let (kind, body) = match (json, ec2) {
        _ if keeper => ("application/json", format!(r#"{{"error":"{code}","message":"{SAYS}"}}"#)),
        (true, _) => ("application/x-amz-json-1.1", format!(r#"{{"__type":"{code}","message":"{SAYS}"}}"#)),
        (_, true) => (
            "text/xml",
            format!(
                "<Response><Errors><Error><Code>{code}</Code><Message>{SAYS}</Message></Error></Errors>\
                 <RequestID>0</RequestID></Response>"
            ),
        ),
        _ => (
            "text/xml",
            format!(
                "<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>{SAYS}</Message></Error>\
                 <RequestId>0</RequestId></ErrorResponse>"
            ),
        ),
    };
    Message {
        start: format!("HTTP/1.1 {status} Fault"),
        headers: vec![("Content-Type".to_owned(), kind.to_owned()), ("x-amzn-ErrorType".to_owned(), code.to_owned())],
        body: body.into_bytes(),
    }
}
