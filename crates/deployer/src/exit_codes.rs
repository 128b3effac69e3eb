//! The exit codes of `keeper-automator`, all of them (design point 10).

use std::process;

/// How a run ended, as a shell sees it.
///
/// A number means one thing within a command. Commands that only look at files answer as `diff` and `grep` do: 1 for
/// "found some", more for "could not look".
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ExitCode {
    /// The listed steps are done; never more than those.
    Done,
    /// A step failed, or an answer could not be written. What was done before stays, and the next run goes on from there.
    StepFailed,
    /// `cert check` or `taskdef lint` found errors.
    Findings,
    /// `taskdef diff` found differences.
    Differs,
    /// The command line, the config file or a document is wrong. Nothing was looked at or changed.
    Usage,
    /// The plan is blocked, for example by a thing of the same name that is not ours. Nothing was changed.
    Blocked,
    /// A check before the first change refused: certificate, credentials, endpoint. Nothing was changed.
    Refused,
    /// Another run holds the lock of this deployment. Nothing was changed.
    Locked,
    /// The run was cancelled. Calls in flight were finished; the next run goes on from there.
    Cancelled,
    /// The emulator or another part of the sandbox could not be started.
    SandboxFailed,
    /// All is done that needs nobody; the rest waits for a person, who is told what to do.
    WaitsForYou,
    /// `cert issue --renew` found a certificate that is not to be renewed yet. Nothing was changed.
    NotDue,
    /// `plan --exit-code` found changes.
    PlanHasChanges,
}

impl ExitCode {
    /// Every code, in order.
    pub const ALL: [Self; 13] = [
        Self::Done,
        Self::StepFailed,
        Self::Findings,
        Self::Differs,
        Self::Usage,
        Self::Blocked,
        Self::Refused,
        Self::Locked,
        Self::Cancelled,
        Self::SandboxFailed,
        Self::WaitsForYou,
        Self::NotDue,
        Self::PlanHasChanges,
    ];

    /// The number.
    pub fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::StepFailed | Self::Findings | Self::Differs => 1,
            Self::Usage => 2,
            Self::Blocked => 3,
            Self::Refused => 4,
            Self::Locked => 5,
            Self::Cancelled => 6,
            Self::SandboxFailed => 7,
            Self::WaitsForYou => 8,
            Self::NotDue => 9,
            Self::PlanHasChanges => 10,
        }
    }

    /// Whether the command did what it was asked for and has an answer, be it "found some".
    pub(crate) fn is_answer(self) -> bool {
        matches!(
            self,
            Self::Done | Self::Findings | Self::Differs | Self::WaitsForYou | Self::NotDue | Self::PlanHasChanges
        )
    }

    /// What it means, for `--help` and the README.
    pub fn meaning(self) -> &'static str {
        match self {
            Self::Done => "the listed steps are done",
            Self::StepFailed => "a step failed, or an answer could not be written",
            Self::Findings => "cert check, taskdef lint: there are errors",
            Self::Differs => "taskdef diff: there are differences",
            Self::Usage => "the command line, the config file or a document is wrong",
            Self::Blocked => "the plan is blocked",
            Self::Refused => "refused before any change: certificate, credentials or endpoint",
            Self::Locked => "another run holds the lock of this deployment",
            Self::Cancelled => "cancelled",
            Self::SandboxFailed => "the sandbox could not be started",
            Self::WaitsForYou => "done as far as it goes: a step waits for you",
            Self::NotDue => "cert issue --renew: not due yet, nothing was done",
            Self::PlanHasChanges => "plan --exit-code: there are changes",
        }
    }
}

impl From<ExitCode> for process::ExitCode {
    fn from(code: ExitCode) -> Self {
        Self::from(code.code())
    }
}

#[cfg(test)]
mod tests {
    use super::ExitCode;

    #[test]
    fn the_numbers_are_a_promise() {
        let table: Vec<_> = ExitCode::ALL.iter().map(|code| format!("{} {code:?}", code.code())).collect();
        assert_eq!(
            table.join(", "),
            "0 Done, 1 StepFailed, 1 Findings, 1 Differs, 2 Usage, 3 Blocked, 4 Refused, 5 Locked, 6 Cancelled, \
             7 SandboxFailed, 8 WaitsForYou, 9 NotDue, 10 PlanHasChanges"
        );
    }
}
