//! One error type: what happened, what was expected, what to do next, and whether it may have happened all the same.

use std::error::Error as StdError;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::event::Subject;
use crate::{NodeId, Outcome};

/// Whether a call that failed may be made again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Certainty {
    /// It was refused; saying it again will not help.
    Refused,
    /// It was not done, because the other side is busy or not ready: say it again later.
    NotDone,
    /// The answer was lost: it may have been done. Look again before deciding.
    MaybeDone,
}

/// Why a resource could not be looked at, applied or destroyed.
///
/// The message is a lowercase fragment that reads on after "failed to"; the cause is in `source` and not repeated in it.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct Error {
    code: &'static str,
    message: String,
    certainty: Certainty,
    /// In seconds, so that an error stays small.
    patience: Option<u16>,
    expected: Option<String>,
    hint: Option<String>,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

impl Error {
    /// An error that ends the node.
    pub fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            certainty: Certainty::Refused,
            patience: None,
            expected: None,
            hint: None,
            source: None,
        }
    }

    /// Says whether it may have been done.
    #[must_use]
    pub fn certainty(mut self, certainty: Certainty) -> Self {
        self.certainty = certainty;
        self
    }

    /// Says that it was not done yet and may be said again for so long, however many attempts that takes: what is still in use
    /// is let go within minutes, and nobody can say within how many.
    #[must_use]
    pub fn for_up_to(mut self, patience: Duration) -> Self {
        self.certainty = Certainty::NotDone;
        self.patience = Some(u16::try_from(patience.as_secs()).unwrap_or(u16::MAX));
        self
    }

    /// Says what would have been right.
    #[must_use]
    pub fn expected(mut self, expected: impl Into<String>) -> Self {
        self.expected = Some(expected.into());
        self
    }

    /// Says what to do next.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Adds the cause.
    #[must_use]
    pub fn because(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// The catalogue code.
    pub fn code(&self) -> &'static str {
        self.code
    }

    /// Whether it may have been done.
    pub fn is(&self, certainty: Certainty) -> bool {
        self.certainty == certainty
    }

    /// For how long it may be said again, where that is not counted in attempts.
    pub(crate) fn patience(&self) -> Option<Duration> {
        self.patience.map(|seconds| Duration::from_secs(u64::from(seconds)))
    }

    /// The end of a node that this error brings.
    pub(crate) fn ends(&self, subject: &Subject) -> Outcome {
        Outcome::Failed { failure: self.failure(&subject.node, &subject.step) }
    }

    /// What reaches a person.
    pub fn failure(&self, node: &NodeId, step: &str) -> Failure {
        let mut causes = Vec::new();
        let mut cause = self.source.as_deref().map(|source| source as &dyn StdError);
        while let Some(error) = cause {
            let text = error.to_string();
            if causes.last() != Some(&text) {
                causes.push(text);
            }
            cause = error.source();
        }
        Failure {
            code: self.code.to_owned(),
            step: step.to_owned(),
            node: node.clone(),
            message: self.message.clone(),
            expected: self.expected.clone(),
            hint: self.hint.clone(),
            causes,
        }
    }
}

/// A failure as a person or a program reads it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Failure {
    /// The catalogue code, under which a hint in the reader's language is found.
    pub code: String,
    /// The step it happened in.
    pub step: String,
    /// The node it happened to.
    pub node: NodeId,
    /// What happened, reading on after "failed to".
    pub message: String,
    /// What would have been right.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected: Option<String>,
    /// What to do next.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// The chain of causes, nearest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub causes: Vec<String>,
}
