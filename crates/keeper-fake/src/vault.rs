//! What the account's vault holds, as the back end sees it: sealed bytes, and who may have them.
//!
//! One store for both protocols: what an administrator writes here, a device reads. The back end has no key of the vault, so
//! every key stands here wrapped, beside what it is wrapped with.

use crate::saved;
use keeper_wire::crypto::Key;
use keeper_wire::messages::records::RecordKeyType;
use keeper_wire::{ClientId, Uid, text};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The vault of the one account.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Vault {
    /// Grows with each change; each change stamps what it touched.
    pub revision: i64,
    /// Records (version 3), files (4) and applications (5).
    pub records: BTreeMap<Uid, Record>,
    /// Folders, shared folders, and folders in shared folders.
    pub folders: BTreeMap<Uid, Folder>,
    /// Which records are in which folder (`None` is the root of the vault), and since which revision. Files are in none.
    #[serde(with = "saved::pairs")]
    pub places: BTreeMap<(Option<Uid>, Uid), i64>,
    /// Keys of records under the keys of the *topmost* shared folders they are in: (shared folder, record).
    #[serde(with = "saved::pairs")]
    pub folder_keys: BTreeMap<(Uid, Uid), FolderKey>,
    /// Attached files: (record, file).
    #[serde(with = "saved::pairs")]
    pub links: BTreeMap<(Uid, Uid), Link>,
    /// What applications may read and who reads, by the UID of the version-5 record.
    pub applications: BTreeMap<Uid, Application>,
    /// What was deleted and may be restored.
    pub trash: Vec<Deleted>,
}

/// A record, file or application.
#[derive(Clone, Serialize, Deserialize)]
pub struct Record {
    /// 3 is a record, 4 a file, 5 an application.
    pub version: i32,
    /// Of its last change.
    pub revision: i64,
    /// Milliseconds, as the client said.
    pub modified: i64,
    /// JSON under the record's key, AES-GCM.
    #[serde(with = "saved::as_text")]
    pub data: Vec<u8>,
    /// The record's key for its owner; empty for a file that a device uploaded and only a link opens.
    #[serde(with = "saved::as_text")]
    pub key: Vec<u8>,
    /// What `key` is wrapped with: the data key (GCM), or the owner's public key when a device made it.
    #[serde(with = "saved::number")]
    pub key_type: RecordKeyType,
    /// The stored bytes of a file.
    pub file: Option<StoredFile>,
}

/// A file in the store: content under the file's key, AES-GCM.
#[derive(Clone, Default, Serialize, Deserialize)]
pub struct StoredFile {
    /// Announced size.
    pub announced: i64,
    /// `None` until the form was posted.
    #[serde(with = "saved::optional_text")]
    pub content: Option<bytes::Bytes>,
    /// Whoever has it may post or fetch the bytes, as with a signed URL.
    pub ticket: String,
}

impl std::fmt::Debug for StoredFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let stored = self.content.as_ref().map(bytes::Bytes::len);
        f.debug_struct("StoredFile")
            .field("announced", &self.announced)
            .field("stored", &stored)
            .finish_non_exhaustive()
    }
}

impl StoredFile {
    /// Status of the store's answer to a form.
    pub const POSTED: u16 = 201;
    /// Status of the store's answer to a download.
    pub const FETCHED: u16 = 200;

    /// A file that is yet to be posted.
    #[must_use]
    pub fn announced(size: i64) -> Self {
        let ticket = text::url(Key::random().expose());
        Self { announced: size, content: None, ticket }
    }

    /// Where the form is posted to.
    #[must_use]
    pub fn post_url(&self, base: &str, uid: Uid) -> String {
        format!("{base}/store/{uid}")
    }

    /// The parts of the form before the part `file`.
    #[must_use]
    pub fn form(&self, uid: Uid) -> serde_json::Value {
        serde_json::json!({ "key": uid, "ticket": self.ticket })
    }

    /// Where the bytes are fetched from.
    #[must_use]
    pub fn get_url(&self, base: &str, uid: Uid) -> String {
        format!("{base}/store/{uid}?ticket={}", self.ticket)
    }
}

/// What kind of folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum FolderKind {
    /// Only its owner sees it.
    User,
    /// The top of a shared tree; the folder itself is the root.
    Shared,
    /// In a shared folder: UID of the topmost shared folder.
    Inside(Uid),
}

/// A folder of any kind.
#[derive(Clone, Serialize, Deserialize)]
pub struct Folder {
    /// What kind.
    pub kind: FolderKind,
    /// Where it is; `None` is the root of the vault.
    pub parent: Option<Uid>,
    /// Of its last change.
    pub revision: i64,
    /// Its key: under the data key for the first two kinds, under the topmost shared folder's key for the third. AES-CBC.
    #[serde(with = "saved::as_text")]
    pub key: Vec<u8>,
    /// Its name under its key, AES-CBC; empty unless shared.
    #[serde(with = "saved::as_text")]
    pub name: Vec<u8>,
    /// JSON with its name under its key, AES-CBC.
    #[serde(with = "saved::as_text")]
    pub data: Vec<u8>,
    /// The four defaults: manage users, manage records, can edit, can share.
    pub defaults: [bool; 4],
}

/// The key of a record in a shared folder.
#[derive(Clone, Serialize, Deserialize)]
pub struct FolderKey {
    /// Under the shared folder's key, AES-GCM.
    #[serde(with = "saved::as_text")]
    pub key: Vec<u8>,
    /// For members other than the owner.
    pub can_edit: bool,
    /// For members other than the owner.
    pub can_share: bool,
}

/// A file is attached to a record.
#[derive(Clone, Serialize, Deserialize)]
pub struct Link {
    /// The file's key under the record's key, AES-GCM.
    #[serde(with = "saved::as_text")]
    pub key: Vec<u8>,
    /// When it was linked.
    pub revision: i64,
}

/// Shares and devices of an application.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Application {
    /// By UID of the shared folder or record.
    pub shares: BTreeMap<Uid, Share>,
    /// In the order in which they were added.
    pub devices: Vec<Device>,
}

/// A folder or record that an application may read.
#[derive(Clone, Serialize, Deserialize)]
pub struct Share {
    /// A shared folder, otherwise a record.
    pub folder: bool,
    /// Its key under the application's key, AES-GCM.
    #[serde(with = "saved::as_text")]
    pub key: Vec<u8>,
    /// Whether devices may write.
    pub editable: bool,
    /// Milliseconds.
    pub created: i64,
}

/// A device of an application.
#[derive(Clone, Serialize, Deserialize)]
pub struct Device {
    /// Its name; not unique.
    pub name: String,
    /// Computed from its one-time token.
    #[serde(with = "saved::as_text")]
    pub client_id: ClientId,
    /// The application's key under the one-time token; handed out once.
    #[serde(with = "saved::as_text")]
    pub app_key: Vec<u8>,
    /// Set when the device is bound.
    #[serde(with = "saved::optional_text")]
    pub public_key: Option<keeper_wire::ec::PublicKey>,
    /// Whether `app_key` was handed out and the device came back.
    pub bound: bool,
    /// Whether it is bound to the address of its first call.
    pub lock_ip: bool,
    /// The address of its first call.
    pub address: String,
    /// Milliseconds.
    pub created: i64,
    /// Milliseconds; 0 is never.
    pub first_access: i64,
    /// Milliseconds; 0 is never.
    pub last_access: i64,
    /// Milliseconds: until then the token is good.
    pub first_access_until: i64,
    /// Milliseconds; 0 is without end.
    pub access_until: i64,
    /// 1 is general.
    pub kind: i32,
}

/// Something in the trash, with all that is needed to put it back.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Deleted {
    /// Milliseconds.
    pub at: i64,
    /// The record or folder that was deleted.
    pub uid: Uid,
    /// The folder and those below it; empty for a record.
    pub folders: BTreeMap<Uid, Folder>,
    /// Records that were in no other place, and the files attached to them.
    pub records: BTreeMap<Uid, Record>,
    /// Where they were.
    #[serde(with = "saved::pairs")]
    pub places: BTreeMap<(Option<Uid>, Uid), i64>,
    /// Their keys under the shared folder's key.
    #[serde(with = "saved::pairs")]
    pub folder_keys: BTreeMap<(Uid, Uid), FolderKey>,
    /// Their attached files.
    #[serde(with = "saved::pairs")]
    pub links: BTreeMap<(Uid, Uid), Link>,
}

/// A `Debug` without the sealed bytes.
macro_rules! shown {
    ($($name:ident { $($field:ident),* })*) => {
        $(impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.debug_struct(stringify!($name))$(.field(stringify!($field), &self.$field))*.finish_non_exhaustive()
            }
        })*
    };
}

shown! {
    Record { version, revision, modified, key_type, file }
    Folder { kind, parent, revision, defaults }
    FolderKey { can_edit, can_share }
    Link { revision }
    Share { folder, editable, created }
    Device { name, client_id, bound, lock_ip, created, first_access, last_access, access_until }
}

/// Less than or equal to every UID.
fn first() -> Uid {
    Uid::from_slice(&[0; 16]).expect("a UID has 16 bytes")
}

impl Vault {
    /// A new revision, for a change about to be made.
    pub fn change(&mut self) -> i64 {
        self.revision += 1;
        self.revision
    }

    /// Puts back what was in the trash. What was in a folder that is gone comes to the root, a folder that was in one to its
    /// shared folder; without that it stays away.
    pub fn bring_back(&mut self, gone: Deleted) {
        let revision = self.change();
        let back: Vec<Uid> = gone.folders.keys().copied().collect();
        self.folders.extend(gone.folders);
        for uid in back {
            let Some((kind, parent)) = self.folders.get(&uid).map(|folder| (folder.kind, folder.parent)) else {
                continue;
            };
            let there = |uid: Uid| self.folders.contains_key(&uid);
            let parent = match kind {
                FolderKind::Inside(root) if !there(root) => {
                    self.folders.remove(&uid);
                    continue;
                }
                FolderKind::Inside(root) => Some(parent.filter(|parent| there(*parent)).unwrap_or(root)),
                FolderKind::User | FolderKind::Shared => parent.filter(|parent| there(*parent)),
            };
            if let Some(folder) = self.folders.get_mut(&uid) {
                folder.parent = parent;
            }
        }
        self.records.extend(gone.records);
        self.links.extend(gone.links);
        for (folder, record) in gone.places.into_keys() {
            let folder = folder.filter(|folder| self.folders.contains_key(folder));
            self.places.insert((folder, record), revision);
        }
        for ((root, record), key) in gone.folder_keys {
            let mut places = self.places.keys().filter(|(_, known)| *known == record);
            if places.any(|(place, _)| place.is_some_and(|place| self.shared_root(place) == Some(root))) {
                self.folder_keys.insert((root, record), key);
            }
        }
    }

    /// The topmost shared folder that a folder is or is in.
    #[must_use]
    pub fn shared_root(&self, folder: Uid) -> Option<Uid> {
        match self.folders.get(&folder)?.kind {
            FolderKind::User => None,
            FolderKind::Shared => Some(folder),
            FolderKind::Inside(root) => Some(root),
        }
    }

    /// Records directly in a folder.
    pub fn records_in(&self, folder: Option<Uid>) -> impl Iterator<Item = Uid> + '_ {
        let from = self.places.range((folder, first())..).map(|((place, record), _)| (*place, *record));
        from.take_while(move |(place, _)| *place == folder).map(|(_, record)| record)
    }

    /// Files attached to a record, with their links.
    pub fn files_of(&self, record: Uid) -> impl Iterator<Item = (Uid, &Link)> + '_ {
        let from = self.links.range((record, first())..);
        from.take_while(move |((parent, _), _)| *parent == record).map(|((_, file), link)| (*file, link))
    }
}
