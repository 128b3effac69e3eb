//! The exit codes of `keeper-automator`, all of them (design point 10).

use std::process;

/// How a run ended, as a shell sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum ExitCode {
    /// The listed steps are done; never more than those.
    Done = 0,
    /// A step failed. What was done before stays, and the next run goes on from there.
    StepFailed = 1,
    /// The command line or the config file is wrong. Nothing was looked at or changed.
    Usage = 2,
    /// The plan is blocked, for example by a thing of the same name that is not ours. Nothing was changed.
    Blocked = 3,
    /// A check before the first change refused: certificate, credentials, endpoint. Nothing was changed.
    Refused = 4,
    /// Another run holds the lock of this deployment. Nothing was changed.
    Locked = 5,
    /// The run was cancelled. Calls in flight were finished; the next run goes on from there.
    Cancelled = 6,
    /// The emulator or another part of the sandbox could not be started.
    SandboxFailed = 7,
    /// `plan --exit-code` found changes.
    PlanHasChanges = 10,
}

impl ExitCode {
    /// Every code, in order.
    pub const ALL: [Self; 9] = [
        Self::Done,
        Self::StepFailed,
        Self::Usage,
        Self::Blocked,
        Self::Refused,
        Self::Locked,
        Self::Cancelled,
        Self::SandboxFailed,
        Self::PlanHasChanges,
    ];

    /// The number.
    pub fn code(self) -> u8 {
        self as u8
    }

    /// What it means, for `--help` and the README.
    pub fn meaning(self) -> &'static str {
        match self {
            Self::Done => "the listed steps are done",
            Self::StepFailed => "a step failed",
            Self::Usage => "the command line or the config file is wrong",
            Self::Blocked => "the plan is blocked",
            Self::Refused => "refused before any change: certificate, credentials or endpoint",
            Self::Locked => "another run holds the lock of this deployment",
            Self::Cancelled => "cancelled",
            Self::SandboxFailed => "the sandbox could not be started",
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
            "0 Done, 1 StepFailed, 2 Usage, 3 Blocked, 4 Refused, 5 Locked, 6 Cancelled, 7 SandboxFailed, \
             10 PlanHasChanges"
        );
    }
}
