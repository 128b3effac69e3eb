//! What can go wrong between a device and the service.
//!
//! Messages are fragments that read on after "failed to". None holds a key, a token, a content, or the address of a file,
//! which is a credential by itself. The next step stands apart, in [`Error::hint`].

use std::fmt;
use std::time::Duration;

use keeper_wire::Uid;

use crate::config::ConfigError;
use crate::notation::NotationError;

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

/// A refusal in the service's own words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The operation's name in the protocol, such as `get_secret`.
    pub operation: &'static str,
    /// The HTTP status.
    pub status: u16,
    /// The code, from `result_code` or `error`; may be empty.
    pub code: String,
    /// The text for people, from `message` or `additional_info`; may be empty. At most 500 characters.
    pub message: String,
    /// What it means.
    pub cause: Cause,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}, because the service refused: {} (status {}, {}",
            self.operation, self.cause, self.status, self.code
        )?;
        if self.message.is_empty() { f.write_str(")") } else { write!(f, ": {})", self.message) }
    }
}

impl std::error::Error for Refusal {}

/// What a refusal means.
///
/// The service gives most of them one code, `access_denied`, and only its English text tells them apart; that text was
/// never seen for all of them (spec mark I). What is not recognised is [`Cause::Other`], with the text kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Cause {
    /// The device is locked to another address than ours.
    IpLocked,
    /// The application may read this share but not change it.
    ReadOnly,
    /// The device's access has an end, and it has passed.
    Expired,
    /// The device or application was taken away.
    Revoked,
    /// The account lives in another data centre.
    WrongRegion,
    /// The revision that was sent is not the newest.
    OutOfSync,
    /// The signature does not belong to this device.
    Signature,
    /// The one-time token was used, has expired, or never was one.
    Token,
    /// The announced client version is not, or no longer, known.
    ClientVersion,
    /// Anything else.
    Other,
}

impl Cause {
    /// Reads code and text, the latter in any letter case.
    pub(crate) fn of(code: &str, text: &str) -> Self {
        let text = text.to_ascii_lowercase();
        let says = |words: &[&str]| words.iter().any(|word| text.contains(word));
        match code {
            "invalid_client_version" => return Self::ClientVersion,
            "region_redirect" | "wrong_region" => return Self::WrongRegion,
            "out_of_sync" => return Self::OutOfSync,
            "read_only" => return Self::ReadOnly,
            _ => {}
        }
        if says(&["out of sync", "out-of-sync"]) {
            Self::OutOfSync
        } else if says(&["signature"]) {
            Self::Signature
        } else if says(&["ip address", "ip lock", "locked to", "ip-lock", "ip is locked", "address lock"]) {
            Self::IpLocked
        } else if says(&["token"]) {
            Self::Token
        } else if says(&["expire"]) {
            Self::Expired
        } else if says(&[
            "read only",
            "read-only",
            "readonly",
            "not editable",
            "edit permission",
            "is not allowed to edit",
        ]) {
            Self::ReadOnly
        } else if says(&["region", "data center", "data centre"]) {
            Self::WrongRegion
        } else if says(&["revoked", "removed", "was deleted", "unknown device", "unknown client", "application access"])
        {
            Self::Revoked
        } else if says(&["client version"]) {
            Self::ClientVersion
        } else {
            Self::Other
        }
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::IpLocked => "the device is locked to another address",
            Self::ReadOnly => "the share is read-only",
            Self::Expired => "the device has expired",
            Self::Revoked => "the device or its application was revoked",
            Self::WrongRegion => "the account is in another region",
            Self::OutOfSync => "the record was changed meanwhile",
            Self::Signature => "the signature is not that of the device",
            Self::Token => "the one-time token is used up or has expired",
            Self::ClientVersion => "the announced client version is not accepted",
            Self::Other => "no known reason",
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
            Self::Upload { source, .. } | Self::HalfBound { source, .. } => source.maybe_done(),
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

impl Refusal {
    fn hint(&self) -> &'static str {
        match self.cause {
            Cause::IpLocked => "make a device that is not locked to an address; tasks on Fargate change theirs",
            Cause::ReadOnly => "share the folder with the application as editable",
            Cause::Expired => "make a new device without an end of access",
            Cause::Revoked => "check that device and application are still there; if not, make a new device",
            Cause::WrongRegion => "use the host of the region in which the account lives",
            Cause::OutOfSync => "run it again: the record is read anew",
            Cause::Signature => "the private key is not that of the client id: take the configuration anew",
            Cause::Token => {
                "make a new one-time token; each is good for one device, and for an hour unless said otherwise"
            }
            Cause::ClientVersion => "set another registered version, see `CLIENT_VERSION`",
            Cause::Other => "",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn causes_are_told_apart_by_the_text() {
        for (code, text, cause) in [
            ("access_denied", "Record is out of sync", Cause::OutOfSync),
            ("access_denied", "Signature is invalid", Cause::Signature),
            ("access_denied", "Device is locked to another IP address", Cause::IpLocked),
            ("access_denied", "Access has expired", Cause::Expired),
            ("access_denied", "One time token expired", Cause::Token),
            ("access_denied", "Application has read-only access", Cause::ReadOnly),
            ("access_denied", "Client has been revoked", Cause::Revoked),
            ("access_denied", "Unable to validate Keeper application access", Cause::Revoked),
            ("region_redirect", "", Cause::WrongRegion),
            ("invalid_client_version", "", Cause::ClientVersion),
            ("access_denied", "Folder is inaccessible", Cause::Other),
            ("bad_request", "", Cause::Other),
        ] {
            assert_eq!(Cause::of(code, text), cause, "{code} {text}");
        }
    }

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
