//! A refusal before anything was changed: what was tried, in which step, and what to do.

use resource_graph::Failure;

use crate::exit_codes::ExitCode;

/// Why a command ended before it changed anything.
#[derive(Debug, Clone)]
pub struct Refusal {
    /// The exit code it ends with.
    pub exit: ExitCode,
    /// The failures, at least one.
    pub failures: Vec<Failure>,
}

impl Refusal {
    /// A refusal with one failure. `message` reads on after "failed to".
    pub fn new(code: &str, step: &str, message: impl Into<String>) -> Self {
        let failure = Failure {
            code: code.to_owned(),
            step: step.to_owned(),
            node: "preflight".into(),
            message: message.into(),
            expected: None,
            hint: None,
            causes: Vec::new(),
        };
        Self { exit: ExitCode::Refused, failures: vec![failure] }
    }

    /// Several failures at once.
    pub fn of(exit: ExitCode, failures: Vec<Failure>) -> Self {
        Self { exit, failures }
    }

    /// Another exit code.
    #[must_use]
    pub fn exit(mut self, exit: ExitCode) -> Self {
        self.exit = exit;
        self
    }

    /// The cause.
    #[must_use]
    pub fn because(mut self, cause: impl Into<String>) -> Self {
        self.failures[0].causes.push(cause.into());
        self
    }

    /// An error's causes, the nearest first, without those that a message before says itself.
    #[must_use]
    pub fn caused_as(mut self, error: &(dyn std::error::Error + 'static)) -> Self {
        let mut said = error.to_string();
        let mut source = error.source();
        while let Some(cause) = source {
            let text = cause.to_string();
            if !said.contains(&text) {
                said.clone_from(&text);
                self = self.because(text);
            }
            source = cause.source();
        }
        self
    }

    /// What would have been right.
    #[must_use]
    pub fn expected(mut self, expected: impl Into<String>) -> Self {
        self.failures[0].expected = Some(expected.into());
        self
    }

    /// What to do next, where the catalogue has no better words.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.failures[0].hint = Some(hint.into());
        self
    }
}
