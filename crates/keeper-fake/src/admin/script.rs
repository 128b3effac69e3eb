//! Refusals that a test asks for.

use super::reply::{Refusal, Reply};
use super::{automator, vault};
use serde::{Deserialize, Serialize};

/// What the next matching call is answered with. The call has no effect.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Scripted {
    /// An error in clear text.
    Error {
        /// 400 or above.
        status: u16,
        /// Machine code, for instance `throttled`.
        error: String,
        /// Text for people.
        message: String,
    },
    /// What an endpoint answers with status 200: `success` false for an Automator, `result` `fail` for a command.
    Failed {
        /// Text for people.
        message: String,
    },
    /// The same with a machine code of one's own, for commands: `throttled`, for instance.
    Code {
        /// `result_code` of the answer.
        code: String,
        /// Text for people.
        message: String,
    },
}

/// Which calls a script is for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Calls {
    /// One endpoint below `/api/rest/`, or one command of `vault/execute_v2_command` by its name.
    Named(String),
    /// Whatever changes an Automator.
    AutomatorWrites,
    /// Everything.
    Any,
}

impl Calls {
    fn matches(&self, call: &str) -> bool {
        match self {
            Self::Named(name) => name == call,
            Self::AutomatorWrites => call.strip_prefix("automator/").is_some_and(writes),
            Self::Any => true,
        }
    }
}

fn writes(verb: &str) -> bool {
    let reads = [
        "automator_get",
        "automator_get_all_for_enterprise",
        "automator_get_on_node",
        "automator_log_get",
        "automator_skills_get",
    ];
    !reads.contains(&verb)
}

#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Scripts(Vec<(Calls, u32, Scripted)>);

impl Scripts {
    pub(super) fn add(&mut self, calls: Calls, times: u32, answer: Scripted) {
        self.0.push((calls, times, answer));
    }

    /// The first script for a call; it is used up once more.
    pub(super) fn take(&mut self, call: &str) -> Option<Result<Reply, Refusal>> {
        let at = self.0.iter().position(|(calls, times, _)| *times > 0 && calls.matches(call))?;
        let (_, times, answer) = self.0.get_mut(at)?;
        *times -= 1;
        let answer = answer.clone();
        self.0.retain(|(_, times, _)| *times > 0);
        Some(match answer {
            Scripted::Error { status, error, message } => Err(Refusal::new(status, &error, &message)),
            Scripted::Code { code, message } => Ok(vault::command_refused(&code, &message)),
            Scripted::Failed { message } => match call.strip_prefix("automator/") {
                Some(verb) => Ok(automator::refused(verb, &message)),
                None => Ok(vault::command_refused("scripted", &message)),
            },
        })
    }
}
