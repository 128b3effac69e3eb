//! What can go wrong between a device and the service.
//!
//! Messages are fragments that read on after "failed to". None holds a key, a token, a content, or the address of a file,
//! which is a credential by itself. The next step stands apart, in [`Error::hint`].

use std::fmt;
use std::time::Duration;

use keeper_wire::Uid;

use crate::config::ConfigError;
use crate::notation::NotationError;

mod refusal;

pub use refusal::{Cause, Refusal};

/// Why a call of a [`Client`](crate::Client) gave no answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The device configuration cannot be used.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The service understood and said no.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The rate limit was met more often than we were ready to wait for, or longer.
    #[error("{operation}, because the service limits the rate (status {status}); it was tried {attempts} times")]
    Throttled {
        /// The operation's name in the protocol.
        operation: &'static str,
        /// 403 from the service itself, 429 from what stands before it.
        status: u16,
        /// How long the next wait would have been.
        wait: Duration,
        /// Attempts made.
        attempts: u32,
    },
    /// The server wants another public key, and we cannot or need not follow.
    #[error("{operation}, because the server asked for its key {asked}, and {why}")]
    KeyRotation {
        /// The operation's name in the protocol.
        operation: &'static str,
        /// The id it asked for, as it was sent.
        asked: String,
        /// Why we stopped.
        why: RotationStop,
    },
    /// No answer arrived, or only a part. The operation may have been done nevertheless.
    #[error("{operation}: {what}")]
    Lost {
        /// The operation's name in the protocol, `download` or `upload`.
        operation: &'static str,
        /// At which point it broke.
        what: Break,
        /// What the transport says, without any address.
        #[source]
        source: Option<Box<dyn std::error::Error + Send + Sync>>,
    },
    /// The time for the whole call is used up.
    #[error("{operation} within {} s", .limit.as_secs_f32())]
    Deadline {
        /// The operation's name in the protocol, `download` or `upload`.
        operation: &'static str,
        /// The limit of [`Options`](crate::Options).
        limit: Duration,
        /// Whether a request was under way, so that it may have been done.
        maybe_done: bool,
    },
    /// Something else than the service answered: a proxy, a load balancer, the file store.
    #[error("{operation}, because the answer has status {status} and is {what}")]
    Http {
        /// The operation's name in the protocol, `download` or `upload`.
        operation: &'static str,
        /// Its status.
        status: u16,
        /// What it was instead of an answer.
        what: &'static str,
    },
    /// An answer of the service that is not what the protocol says.
    #[error("read the answer to {operation}, because {place}: {what}")]
    Reply {
        /// The operation's name in the protocol.
        operation: &'static str,
        /// Where in the answer, such as `records[2].files`.
        place: String,
        /// What was expected there.
        what: &'static str,
    },
    /// Something is larger than this client takes.
    #[error("take {what}, because it is larger than {limit} bytes")]
    TooLarge {
        /// Which thing.
        what: &'static str,
        /// The limit.
        limit: u64,
    },
    /// Something cannot be opened with the key that should open it.
    #[error(transparent)]
    Decrypt(#[from] DecryptError),
    /// There is no such record, file, field or folder in what the device sees.
    #[error("find {what}")]
    NotFound {
        /// What was looked for: kind, then name or UID.
        what: String,
    },
    /// There are several, and nothing says which.
    #[error("choose {what}, because there are {count}")]
    Ambiguous {
        /// What was looked for: kind, then name or UID.
        what: String,
        /// How many there are.
        count: usize,
    },
    /// The configuration lacks the owner's public key, without which nothing can be created or uploaded.
    #[error("{operation}, because the device configuration has no `appOwnerPublicKey`")]
    NoOwnerKey {
        /// The operation's name in the protocol.
        operation: &'static str,
    },
    /// The device was never bound: its configuration has no application key.
    #[error("use the device, because it is not bound: its configuration has no `appKey`")]
    NotBound,
    /// A binding was begun and its end is not known.
    #[error("finish the binding of device {device}")]
    HalfBound {
        /// The client id, shortened.
        device: String,
        /// What stopped it.
        #[source]
        source: Box<Self>,
    },
    /// The stored bytes are not those that were sent.
    #[error("verify the upload of file {uid}, because what is stored differs from what was sent")]
    Verify {
        /// The new file.
        uid: Uid,
    },
    /// A file was announced and its content could not be stored; the record may still list it.
    #[error("store the content of file {uid}")]
    Upload {
        /// The new file.
        uid: Uid,
        /// Whether the announcement was taken back.
        taken_back: bool,
        /// What stopped it.
        #[source]
        source: Box<Self>,
    },
    /// Some items of a delete call were refused.
    #[error("delete {} of {asked}: {}", .failed.len(), Items(.failed))]
    Items {
        /// Those that were not deleted.
        failed: Vec<ItemError>,
        /// How many were asked for.
        asked: usize,
    },
    /// A change met another one, again and again.
    #[error("update record {uid}, because it was changed by others {attempts} times meanwhile")]
    Contended {
        /// The record.
        uid: Uid,
        /// Attempts made.
        attempts: u32,
    },
    /// Text that is no notation.
    #[error("read the notation, because {0}")]
    Notation(#[from] NotationError),
    /// An argument that the protocol cannot take.
    #[error("{0}")]
    Argument(&'static str),
    /// A cached answer cannot be used.
    #[error("use the cached answer, because {0}")]
    Cache(&'static str),
    /// A local file.
    #[error("{action} {}", .path.display())]
    File {
        /// What was tried.
        action: &'static str,
        /// With which file.
        path: std::path::PathBuf,
        /// Why it did not work.
        #[source]
        source: std::io::Error,
    },
    /// The HTTP client cannot be set up.
    #[error("set up the connection, because {what}")]
    Setup {
        /// Which option is unusable.
        what: &'static str,
        /// What the library says.
        #[source]
        source: Option<Box<dyn std::error::Error + Send + Sync>>,
    },
}

/// At which point a request broke.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Break {
    /// No connection: nothing was done.
    Connect,
    /// The request or its answer was cut: it may have been done.
    Cut,
    /// The time for one attempt passed: it may have been done.
    Slow,
}

impl fmt::Display for Break {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Connect => "no connection could be made",
            Self::Cut => "the connection broke before the answer was complete",
            Self::Slow => "no answer came in time",
        })
    }
}

/// Why a key rotation was not followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RotationStop {
    /// More than [`MAX_ROTATIONS`](crate::MAX_ROTATIONS) in one call.
    TooMany,
    /// The id is in no table we have, or is no id.
    Unknown,
    /// The configuration brings its own server key, so there is no other.
    Custom,
}

impl fmt::Display for RotationStop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TooMany => "it has asked for another one too many times",
            Self::Unknown => "that is no key of the table built into this version",
            Self::Custom => "the configuration names a key of its own, so there is no other",
        })
    }
}

/// Something sealed did not open.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("open {rung}{}", Of(.uid))]
pub struct DecryptError {
    /// Whose it is: a record, folder or file.
    pub uid: Option<Uid>,
    /// Which rung of the ladder of keys.
    pub rung: Rung,
    /// Why it does not open.
    #[source]
    pub source: OpenError,
}

/// Why something sealed did not open.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// Bytes or key are wrong.
    #[error(transparent)]
    Wire(#[from] keeper_wire::Error),
    /// The answer has nothing in this place.
    #[error("it is missing")]
    Missing,
    /// It opened, and is not the JSON it should be.
    #[error("it is not a JSON object")]
    NotJson,
}

struct Of<'a>(&'a Option<Uid>);

impl fmt::Display for Of<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.as_ref().map_or(Ok(()), |uid| write!(f, " of {uid}"))
    }
}

/// The rungs of the ladder of keys, from the outside in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Rung {
    /// A whole answer, under the key of its request.
    Answer,
    /// The application key, under the one-time token.
    AppKey,
    /// The application's title, under its key.
    AppData,
    /// A folder's key.
    FolderKey,
    /// A folder's name.
    FolderData,
    /// A record's key.
    RecordKey,
    /// A record's content.
    RecordData,
    /// A file's key.
    FileKey,
    /// A file's name, size and type.
    FileData,
    /// A file's content.
    FileContent,
}

impl fmt::Display for Rung {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Answer => "the answer",
            Self::AppKey => "the application key",
            Self::AppData => "the application's data",
            Self::FolderKey => "the folder key",
            Self::FolderData => "the folder's data",
            Self::RecordKey => "the record key",
            Self::RecordData => "the content",
            Self::FileKey => "the file key",
            Self::FileData => "the description of the file",
            Self::FileContent => "the content of the file",
        })
    }
}

/// One item of a delete call that was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ItemError {
    /// The item, as the service names it.
    pub uid: String,
    /// The service's code, anything but `ok`.
    pub code: String,
    /// Its text; may be empty.
    pub message: String,
}

struct Items<'a>(&'a [ItemError]);

impl fmt::Display for Items<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, item) in self.0.iter().take(5).enumerate() {
            let comma = if index > 0 { ", " } else { "" };
            write!(
                f,
                "{comma}{} ({}{}{})",
                item.uid,
                item.code,
                if item.message.is_empty() { "" } else { ": " },
                item.message
            )?;
        }
        if self.0.len() > 5 { write!(f, ", …") } else { Ok(()) }
    }
}

/// The operations that make something under a new UID each time.
const MAKES: [&str; 2] = ["create_secret", "create_folder"];

impl Error {
    /// What a person can do about it; empty where the text says all there is.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Config(error) => error.hint(),
            Self::Refused(refusal) => refusal.hint(),
            Self::Throttled { .. } => {
                "wait a minute without any call of this device; other users of the same device count too"
            }
            Self::KeyRotation { why: RotationStop::Custom, .. } => {
                "take the server key of this deployment anew, or remove `serverPublicKey` from the configuration"
            }
            Self::KeyRotation { .. } => "a newer version of this program may know the key",
            Self::Lost { what: Break::Connect, .. } => {
                "check the host, DNS, the proxy and, for a private authority, its certificate"
            }
            Self::Lost { operation, .. } | Self::Deadline { operation, .. } if MAKES.contains(operation) => {
                "look first whether it is there by now: made again it would be there twice"
            }
            Self::Lost { .. } | Self::Deadline { .. } => "run it again: what was done is found and not done twice",
            Self::Http { status: 404 | 403, operation: "download", .. } => {
                "the content is not there yet or the address has expired; run it again"
            }
            Self::Http { .. } => "look at what stands between here and the service: proxy, firewall, load balancer",
            Self::Reply { .. } | Self::TooLarge { .. } => {
                "check that the host is Keeper's; if it is, this version is too old for its answers"
            }
            Self::Decrypt(DecryptError { rung: Rung::Answer, .. }) => {
                "something between here and the service changes answers"
            }
            Self::Decrypt(_) => "other records are not concerned; save this one again in the vault",
            Self::NotFound { .. } => {
                "check the UID or the exact name, and that the record is shared with the application"
            }
            Self::Ambiguous { .. } => "name it by its UID",
            Self::NoOwnerKey { .. } => "make a new device for the application with a current client",
            Self::NotBound => "bind it with its one-time token first",
            Self::HalfBound { .. } => {
                "run the binding again with the same file; if it is refused again, the token is used up: remove the device in the vault, make a new one, and begin with a new file"
            }
            Self::Upload { taken_back: false, .. } => {
                "an attachment without content may be left: `replace` removes it, and so does taking it away by its UID"
            }
            Self::Verify { .. } | Self::Upload { .. } | Self::Contended { .. } => {
                "run it again: leftovers are found and removed"
            }
            Self::Items { .. } => "look at each item's reason",
            Self::Cache(_) => "connect to the service once, so that the cache is written anew",
            Self::Notation(_) => {
                "a notation is RECORD/file/NAME, RECORD/field/LABEL[0][property], RECORD/notes and their kin"
            }
            Self::Setup { .. } => {
                "give the private authority in PEM; in an image without certificates, a bundle of them in SSL_CERT_FILE"
            }
            Self::Argument(_) | Self::File { .. } => "",
        }
    }

    /// Whether the call may have had its effect although it failed. Reading again tells.
    #[must_use]
    pub fn maybe_done(&self) -> bool {
        match self {
            Self::Lost { what, .. } => *what != Break::Connect,
            Self::Deadline { maybe_done, .. } => *maybe_done,
            Self::Http { status, .. } => *status >= 500,
            Self::Reply { .. } | Self::Decrypt(DecryptError { rung: Rung::Answer, .. }) => true,
            Self::Refused(refusal) => refusal.status >= 500,
            Self::Upload { taken_back, source, .. } => !taken_back || source.maybe_done(),
            Self::HalfBound { source, .. } => source.maybe_done(),
            Self::Verify { .. } => true,
            _ => false,
        }
    }

    /// Whether the service could not be reached or could not answer, as opposed to having refused.
    #[must_use]
    pub fn is_unavailable(&self) -> bool {
        match self {
            Self::Lost { .. } | Self::Deadline { .. } | Self::Throttled { .. } => true,
            Self::Http { status, .. } => *status >= 500 || *status == 429,
            Self::Refused(refusal) => refusal.status >= 500,
            _ => false,
        }
    }

    /// The cause of a refusal.
    #[must_use]
    pub fn cause(&self) -> Option<Cause> {
        match self {
            Self::Refused(refusal) => Some(refusal.cause),
            Self::HalfBound { source, .. } | Self::Upload { source, .. } => source.cause(),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_read_on_after_failed_to() {
        let refusal = Refusal {
            operation: "get_secret",
            status: 403,
            code: "access_denied".into(),
            message: "Signature is invalid".into(),
            cause: Cause::Signature,
        };
        assert_eq!(
            Error::from(refusal).to_string(),
            "get_secret, because the service refused: the signature is not that of the device (status 403, access_denied: Signature is invalid)"
        );
        let failed =
            (0..7).map(|n| ItemError { uid: format!("u{n}"), code: "x".into(), message: String::new() }).collect();
        assert_eq!(
            Error::Items { failed, asked: 9 }.to_string(),
            "delete 7 of 9: u0 (x), u1 (x), u2 (x), u3 (x), u4 (x), …"
        );
        let error = DecryptError {
            uid: Some(Uid::from_slice(&[0; 16]).unwrap()),
            rung: Rung::FileKey,
            source: keeper_wire::Error::Sealed.into(),
        };
        assert_eq!(error.to_string(), "open the file key of AAAAAAAAAAAAAAAAAAAAAA");
    }
}
