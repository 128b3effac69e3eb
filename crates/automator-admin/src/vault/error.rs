//! What can go wrong with an object of the vault.

use keeper_wire::Uid;
use keeper_wire::messages::records::RecordModifyResult;

/// What can go wrong with an object of the vault. Kinds are `shared folder`, `record`, `attachment`, `application`, `share` and
/// `device`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum VaultError {
    /// Something of that title is there, and it is not ours.
    #[error("use the {kind} {title:?}, because one of that title is there that this deployment did not make: {}", list(.uids))]
    Stranger {
        /// What kind of thing.
        kind: &'static str,
        /// Its title.
        title: String,
        /// Those that have it.
        uids: Vec<Uid>,
    },
    /// Several are ours, and the wanted title does not tell which one is meant.
    #[error("choose the {kind} {title:?}, because several carry this deployment's marker: {}", titles(.found))]
    Ambiguous {
        /// What kind of thing.
        kind: &'static str,
        /// The title that was looked for.
        title: String,
        /// Those that carry the marker, with their titles.
        found: Vec<(String, Uid)>,
    },
    /// It does not carry our marker, so it is left alone.
    #[error("touch the {kind} {uid}, because it does not carry this deployment's marker")]
    NotOurs {
        /// What kind of thing.
        kind: &'static str,
        /// Which one.
        uid: Uid,
    },
    /// A shared folder would go with what is in it.
    #[error("remove the shared folder {folder}, because it is not empty: {}", list(.content))]
    NotEmpty {
        /// The folder.
        folder: Uid,
        /// Records and folders in it.
        content: Vec<Uid>,
    },
    /// It was there and is no more.
    #[error("find the {kind} {id}, because it is no longer there")]
    Gone {
        /// What kind of thing.
        kind: &'static str,
        /// Which one.
        id: String,
    },
    /// Keeper said that it was done, and the second look says otherwise.
    #[error("{verb} the {kind} {id}: Keeper reported success, but a second look does not show it")]
    NotDone {
        /// `create`, `change` or `remove`.
        verb: &'static str,
        /// What kind of thing.
        kind: &'static str,
        /// Which one.
        id: String,
    },
    /// A record or file was refused with a status of its own.
    #[error("{verb} the {kind} {uid}, because Keeper refused it: {}{}", RecordModifyResult::told(*.status), said(.message))]
    Refused {
        /// `create` or `change`.
        verb: &'static str,
        /// What kind of thing.
        kind: &'static str,
        /// Which one.
        uid: Uid,
        /// Keeper's status.
        status: i32,
        /// Keeper's text.
        message: String,
    },
    /// A file was refused.
    #[error("{verb} the attachment {uid}, because Keeper refused it ({status})")]
    File {
        /// `upload` or `download`.
        verb: &'static str,
        /// Which one.
        uid: Uid,
        /// Keeper's status.
        status: String,
    },
    /// What was downloaded is not what was uploaded.
    #[error("read the attachment {uid}: {why}")]
    Content {
        /// Which one.
        uid: Uid,
        /// What is wrong with it.
        why: &'static str,
    },
    /// Others changed a record again and again while we were about to.
    #[error("change the record {uid}, because it was changed by others {attempts} times in a row")]
    Contended {
        /// Which one.
        uid: Uid,
        /// Attempts made.
        attempts: u32,
    },
}

fn list(uids: &[Uid]) -> String {
    uids.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

fn titles(found: &[(String, Uid)]) -> String {
    found.iter().map(|(title, uid)| format!("{title:?} ({uid})")).collect::<Vec<_>>().join(", ")
}

fn said(message: &str) -> String {
    if message.is_empty() { String::new() } else { format!("; Keeper said: {message}") }
}

impl VaultError {
    /// A stable name for programs, in kebab-case.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Stranger { .. } => "keeper-stranger",
            Self::Ambiguous { .. } => "keeper-ambiguous",
            Self::NotOurs { .. } => "keeper-not-ours",
            Self::NotEmpty { .. } => "keeper-folder-not-empty",
            Self::Gone { .. } => "keeper-gone",
            Self::NotDone { .. } => "keeper-not-done",
            Self::Refused { .. } => "keeper-record-refused",
            Self::File { .. } => "keeper-file-refused",
            Self::Content { .. } => "keeper-file-content",
            Self::Contended { .. } => "keeper-record-contended",
        }
    }

    /// Keeper's own text, where it said something.
    #[must_use]
    pub fn server_text(&self) -> Option<&str> {
        match self {
            Self::Refused { message, .. } => Some(message),
            _ => None,
        }
    }

    /// The one thing to do about it, where there is one.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Stranger { kind, .. } => {
                format!("rename or remove that {kind} in the web vault, or choose another title in the configuration")
            }
            Self::Ambiguous { kind, .. } => format!("remove in the web vault the {kind} that is not in use"),
            Self::NotOurs { .. } => "remove it in the web vault if it is not needed".to_owned(),
            Self::NotEmpty { .. } => {
                "move what is in it elsewhere in the web vault: a shared folder always goes with its content".to_owned()
            }
            Self::Gone { .. } => "run again, which looks first and makes what is missing".to_owned(),
            Self::NotDone { .. } => "run again; if it stays so, look at the object in the web vault".to_owned(),
            Self::Refused { status, .. } => refused(RecordModifyResult::try_from(*status).ok()?)?.to_owned(),
            Self::File { .. } => "look at the storage of the account and at the policy restrict_file_upload".to_owned(),
            Self::Content { .. } => {
                "remove the attachment in the web vault and run again, which uploads it anew".to_owned()
            }
            Self::Contended { .. } => "see who else changes this record, and run again".to_owned(),
        })
    }
}

fn refused(status: RecordModifyResult) -> Option<&'static str> {
    Some(match status {
        RecordModifyResult::AccessDenied | RecordModifyResult::ShareDenied => {
            "sign in as the owner of the record, who may edit it; role policies may restrict it too"
        }
        RecordModifyResult::FileLimitReached | RecordModifyResult::SizeExceededLimit => {
            "free storage of the account in the web vault, or order more"
        }
        RecordModifyResult::FilesNotMatch => "run again, which looks at the attachments first",
        _ => return None,
    })
}
