//! What lint has to say.

use std::fmt;

use serde::Serialize;

/// How much a finding matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// A habit worth having.
    Hint,
    /// A security review or the next incident will ask about it.
    Warning,
    /// AWS refuses the definition, or the task cannot start or work.
    Error,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Hint => "hint",
            Self::Warning => "warning",
            Self::Error => "error",
        })
    }
}

/// A rule: what it looks for, what to do about it, and who says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Rule {
    /// A name that stays.
    pub id: &'static str,
    /// How much it matters.
    pub severity: Severity,
    /// What is expected, in one sentence.
    pub title: &'static str,
    /// What to do.
    pub fix: &'static str,
    /// Where the rule comes from, in our words.
    pub source: &'static str,
}

/// A place in a document that breaks a rule. The message never quotes a value that may be secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The rule's name.
    pub id: &'static str,
    /// How much it matters.
    pub severity: Severity,
    /// Where, as a JSON pointer into the definition.
    pub pointer: String,
    /// What is wrong there.
    pub message: String,
    /// What to do.
    pub fix: &'static str,
    /// Where the rule comes from, in our words.
    pub source: &'static str,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { id, severity, pointer, message, fix, .. } = self;
        write!(f, "{severity}[{id}] {pointer}: {message} ({fix})")
    }
}

/// Findings as they come.
#[derive(Default)]
pub(crate) struct Report(pub(super) Vec<Finding>);

impl Report {
    pub(crate) fn add(&mut self, rule: &Rule, pointer: impl Into<String>, message: impl Into<String>) {
        self.0.push(Finding {
            id: rule.id,
            severity: rule.severity,
            pointer: pointer.into(),
            message: message.into(),
            fix: rule.fix,
            source: rule.source,
        });
    }
}
