//! What can go wrong between an administrator and Keeper.
//!
//! Messages are fragments that read on after "failed to". Keeper's own text is kept and shown; keys, tokens, passwords and
//! addresses of files never are. The next step stands apart, in [`Error::hint`].

use std::fmt;
use std::time::Duration;

use crate::automator::AutomatorError;
use crate::config::ConfigError;
use crate::enterprise::EnterpriseError;
use crate::login::LoginError;
use crate::vault::VaultError;

/// Why a call gave no result.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The configuration cannot be used.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// There is no session, and why.
    #[error(transparent)]
    Login(#[from] LoginError),
    /// The enterprise, its keys or its nodes.
    #[error(transparent)]
    Enterprise(#[from] EnterpriseError),
    /// An Automator.
    #[error(transparent)]
    Automator(#[from] AutomatorError),
    /// An object of the vault.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// Keeper understood the request and said no.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The rate limit was met more often than we were ready to wait for, or longer.
    #[error(
        "call {call}, because Keeper limits the rate (status {status}); it was tried {attempts} times; Keeper said: {message}"
    )]
    Throttled {
        /// The endpoint's or command's name.
        call: &'static str,
        /// 403 or 429.
        status: u16,
        /// How long the next wait would have been.
        wait: Duration,
        /// Attempts made.
        attempts: u32,
        /// Keeper's text.
        message: String,
    },
    /// The server wants another public key, and we cannot follow.
    #[error("call {call}, because the server asked for its key {asked}, and {why}")]
    KeyRotation {
        /// The endpoint's or command's name.
        call: &'static str,
        /// The id it asked for, as it was sent.
        asked: String,
        /// Why we stopped.
        why: RotationStop,
    },
    /// No answer arrived, or only a part.
    #[error("call {call}: {what}")]
    Lost {
        /// The endpoint's or command's name, `upload` or `download`.
        call: &'static str,
        /// At which point it broke.
        what: Break,
        /// Whether it was to change something, so that it may have been done nevertheless.
        write: bool,
        /// What the transport says, without any address.
        #[source]
        source: Option<Box<dyn std::error::Error + Send + Sync>>,
    },
    /// The time for the whole call is used up.
    #[error("call {call} within {} s", .limit.as_secs_f32())]
    Deadline {
        /// The endpoint's or command's name, `upload` or `download`.
        call: &'static str,
        /// The limit of [`Options`](crate::Options).
        limit: Duration,
        /// Whether a change was under way, so that it may have been done.
        write: bool,
    },
    /// Something else than Keeper answered: a proxy, a load balancer, the file store.
    #[error("call {call}, because the answer has status {status} and is {what}")]
    Http {
        /// The endpoint's or command's name, `upload` or `download`.
        call: &'static str,
        /// Its status.
        status: u16,
        /// What it was instead of an answer.
        what: &'static str,
        /// Whether it was to change something.
        write: bool,
    },
    /// An answer that is not what the protocol says.
    #[error("read the answer to {call}: {what}")]
    Reply {
        /// The endpoint's or command's name.
        call: &'static str,
        /// What was expected.
        what: &'static str,
        /// Whether it was to change something, so that it may have been done nevertheless.
        write: bool,
    },
    /// Something is larger than this client takes.
    #[error("take {what}, because it has more than {limit} {unit}")]
    TooLarge {
        /// Which thing.
        what: &'static str,
        /// The limit.
        limit: u64,
        /// What is counted: `bytes`, `rows`, `pages` or `files`.
        unit: &'static str,
        /// Whether it was the answer to a change, so that it may have been done nevertheless.
        write: bool,
    },
    /// The options cannot be used.
    #[error("set up the connection to Keeper: {what}")]
    Setup {
        /// What is wrong with which option.
        what: &'static str,
        /// The cause, where it quotes no secret.
        #[source]
        source: Option<Box<dyn std::error::Error + Send + Sync>>,
    },
}

/// Keeper's own words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The endpoint's or command's name.
    pub call: &'static str,
    /// Status of the answer; 200 for a command that failed.
    pub status: u16,
    /// The machine code, such as `access_denied`; may be empty.
    pub code: String,
    /// Keeper's text; may be empty.
    pub message: String,
    /// Where the server wants the client to go, or what else is known of the refusal.
    pub(crate) detail: Box<Detail>,
}

/// What of a refusal is not told: members that only the login reads, and what was refused.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Detail {
    /// Whether it was to change something.
    pub(crate) write: bool,
    pub(crate) additional_info: String,
    pub(crate) region_host: String,
}

impl std::error::Error for Refusal {}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "call {}, because Keeper refused it (status {}): ", self.call, self.status)?;
        match (self.code.as_str(), self.message.as_str()) {
            ("", "") => f.write_str("it gave no reason"),
            (code, "") => f.write_str(code),
            ("", message) => f.write_str(message),
            (code, message) => write!(f, "{code}: {message}"),
        }
    }
}

/// The point at which a request broke.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Break {
    /// No connection was made: nothing was sent.
    Connect,
    /// The connection ended before the whole answer was there.
    Cut,
    /// The answer took too long.
    Slow,
}

impl fmt::Display for Break {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Connect => "no connection could be made",
            Self::Cut => "the connection ended before the answer was there",
            Self::Slow => "the answer took too long",
        })
    }
}

/// Why another server key was not taken into use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RotationStop {
    /// The table has no such key.
    Unknown,
    /// It was used already.
    Same,
    /// It asked too often in one call.
    TooMany,
}

impl fmt::Display for RotationStop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unknown => "this version does not know that key",
            Self::Same => "that key was used",
            Self::TooMany => "it has asked for others before",
        })
    }
}

impl Error {
    /// A stable name for programs, in kebab-case.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Config(error) => error.code(),
            Self::Login(error) => error.code(),
            Self::Enterprise(error) => error.code(),
            Self::Automator(error) => error.code(),
            Self::Vault(error) => error.code(),
            Self::Refused(refusal) => refusal.stable_code(),
            Self::Throttled { .. } => "keeper-throttled",
            Self::KeyRotation { .. } => "keeper-server-key",
            Self::Lost { what: Break::Connect, .. } => "keeper-unreachable",
            Self::Lost { .. } => "keeper-answer-lost",
            Self::Deadline { .. } => "keeper-deadline",
            Self::Http { .. } => "keeper-not-an-answer",
            Self::Reply { .. } => "keeper-answer-malformed",
            Self::TooLarge { .. } => "keeper-too-large",
            Self::Setup { .. } => "keeper-setup",
        }
    }

    /// The one thing to do about it, where there is one.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Config(error) => error.hint(),
            Self::Login(error) => error.hint(),
            Self::Enterprise(error) => error.hint(),
            Self::Automator(error) => error.hint(),
            Self::Vault(error) => error.hint(),
            Self::Refused(refusal) => refusal.hint(),
            Self::Throttled { wait, .. } => Some(format!(
                "wait {} minutes or longer before the next run; Keeper counts attempts for the whole account",
                wait.as_secs().div_ceil(60).max(1)
            )),
            Self::KeyRotation { .. } => Some("a newer version of this program may know the key".to_owned()),
            Self::Lost { what: Break::Connect, .. } => Some(
                "check the server in the Keeper configuration, the proxy, whether this machine reaches it on port 443, and who \
                 issued the certificate that it shows"
                    .to_owned(),
            ),
            Self::Lost { write: true, .. }
            | Self::Deadline { write: true, .. }
            | Self::Reply { write: true, .. }
            | Self::TooLarge { write: true, .. } => {
                Some("it may have been done: run again, which looks first and completes what is missing".to_owned())
            }
            Self::Lost { .. } | Self::Deadline { .. } => Some("run again".to_owned()),
            Self::Http { .. } => Some("something between here and Keeper answered: look at proxy and firewall".to_owned()),
            Self::TooLarge { .. } | Self::Reply { .. } | Self::Setup { .. } => None,
        }
    }

    /// Keeper's own text, where it said something.
    #[must_use]
    pub fn server_text(&self) -> Option<&str> {
        let text = match self {
            Self::Refused(refusal) => &refusal.message,
            Self::Throttled { message, .. } => message,
            Self::Login(error) => error.server_text()?,
            Self::Automator(error) => error.server_text()?,
            Self::Vault(error) => error.server_text()?,
            _ => return None,
        };
        (!text.is_empty()).then_some(text)
    }

    /// Whether a change was under way whose end is not known. Then look before doing it again.
    #[must_use]
    pub fn maybe_done(&self) -> bool {
        match self {
            Self::Lost { write, what, .. } => *write && *what != Break::Connect,
            Self::Deadline { write, .. } => *write,
            Self::Http { write, status, .. } => *write && *status >= 500,
            Self::Reply { write, .. } | Self::TooLarge { write, .. } => *write,
            Self::Refused(refusal) => refusal.detail.write && refusal.status >= 500,
            _ => false,
        }
    }

    /// Whether nothing was done and the same may go well later: nobody answered, Keeper limits the rate, or others were at the
    /// same record. Then say it again after a while.
    #[must_use]
    pub fn is_passing(&self) -> bool {
        match self {
            Self::Throttled { .. } | Self::Lost { what: Break::Connect, .. } => true,
            Self::Lost { write, .. } | Self::Deadline { write, .. } => !write,
            Self::Http { write, status, .. } => *status == 429 || (!write && *status >= 500),
            Self::Refused(refusal) => !refusal.detail.write && refusal.status >= 500,
            Self::Vault(error) => matches!(error, VaultError::Contended { .. }),
            _ => false,
        }
    }
}

impl Refusal {
    fn stable_code(&self) -> &'static str {
        match self.code.as_str() {
            "access_denied" => "keeper-access-denied",
            "restricted_client_type" => "keeper-restricted-client",
            "session_token_expired" => "keeper-session-expired",
            _ => "keeper-refused",
        }
    }

    fn hint(&self) -> Option<String> {
        Some(match self.code.as_str() {
            "restricted_client_type" => crate::login::RESTRICTED_CLIENT.to_owned(),
            "access_denied" if self.call.starts_with("app_") || self.call.starts_with("application_") => {
                "Keeper's troubleshooting page names two causes: Secrets Manager is not part of the licence, or the role policy \
                 \"allow secrets manager\" is off (Admin Console, Roles, Enforcement Policies)"
                    .to_owned()
            }
            "access_denied" => "sign in as a Keeper Administrator of the root node, who owns the object".to_owned(),
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(status: u16, write: bool) -> Error {
        let detail = Box::new(Detail { write, ..Detail::default() });
        Refusal { call: "x", status, code: "code".to_owned(), message: String::new(), detail }.into()
    }

    /// Whether it may have been done, and whether it may be said again because it was not.
    #[track_caller]
    fn check(error: impl Into<Error>, maybe_done: bool, passing: bool) {
        let error = error.into();
        assert_eq!((error.maybe_done(), error.is_passing()), (maybe_done, passing), "{error:?}");
        let says_again = error.hint().is_some_and(|hint| hint.starts_with("it may have been done: run again"));
        let silent = matches!(error, Error::Http { .. } | Error::Refused(_));
        assert!(says_again == maybe_done || silent, "{error:?}: {:?}", error.hint());
    }

    #[test]
    fn what_may_have_been_done_is_told_from_what_was_not_and_from_what_never_will_be() {
        let lost = |what, write| Error::Lost { call: "x", what, write, source: None };
        let throttled =
            Error::Throttled { call: "x", status: 403, wait: Duration::ZERO, attempts: 4, message: String::new() };
        let http = |status, write| Error::Http { call: "x", status, what: "a web page", write };
        let reply = |write| Error::Reply { call: "x", what: "it is not the message that was expected", write };
        let large = |write| Error::TooLarge { what: "the answer", limit: 7, unit: "bytes", write };
        let late = |write| Error::Deadline { call: "x", limit: Duration::ZERO, write };
        for write in [false, true] {
            check(lost(Break::Connect, write), false, true);
            check(lost(Break::Cut, write), write, !write);
            check(lost(Break::Slow, write), write, !write);
            check(late(write), write, !write);
            check(http(502, write), write, !write);
            check(http(429, write), false, true);
            check(http(404, write), false, false);
            check(refused(500, write), write, !write);
            check(refused(403, write), false, false);
            check(reply(write), write, false);
            check(large(write), write, false);
        }
        check(throttled, false, true);
        let uid = keeper_wire::Uid::random();
        check(VaultError::Contended { uid, attempts: 5 }, false, true);
        check(VaultError::NotOurs { kind: "record", uid }, false, false);
        check(LoginError::NoDevice, false, false);
    }

    #[test]
    fn what_is_too_much_is_counted_in_its_own_unit() {
        let text = |what, limit, unit| Error::TooLarge { what, limit, unit, write: false }.to_string();
        assert_eq!(text("the answer", 700, "bytes"), "take the answer, because it has more than 700 bytes");
        assert_eq!(text("the vault", 9, "pages"), "take the vault, because it has more than 9 pages");
    }
}
