//! What people do with their vault, as their clients would have done it: applications, records, attachments, devices.
//!
//! The fake itself sees only sealed bytes. Whoever seeds a world keeps the keys in these types.

pub(crate) mod guide;

pub use guide::{Guide, LABEL, RecordFile, Refused};

use crate::vault::{
    Application, Device as Known, Folder, FolderKey, FolderKind, Link, Record, Share, StoredFile, Vault,
};
use crate::world::World;
use bytes::Bytes;
use keeper_wire::crypto::Key;
use keeper_wire::ec::{PrivateKey, PublicKey};
use keeper_wire::messages::records::RecordKeyType;
use keeper_wire::{ClientId, OneTimeToken, Uid, server_keys, text};
use serde_json::{Value, json};
use std::fmt;

/// An application with one shared folder, and their keys.
#[derive(Clone, Debug)]
pub struct App {
    /// The application's record.
    pub uid: Uid,
    /// The key of everything that its devices see.
    pub key: Key,
    /// Its shared folder.
    pub folder: Uid,
    /// The shared folder's key.
    pub folder_key: Key,
}

/// What a device is bound to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Terms {
    /// Locked to this address, or to that of its first call when the text is empty.
    pub locked_to: Option<String>,
    /// Milliseconds until which a token must be used; 0 is without end.
    pub first_access_until: i64,
    /// Milliseconds until which the device may come; 0 is without end.
    pub access_until: i64,
}

/// A bound device, as its own configuration has it.
#[derive(Clone)]
pub struct Device {
    /// Its name in the protocol.
    pub client_id: ClientId,
    private_key: PrivateKey,
    app_key: Key,
    owner: PublicKey,
    server: PublicKey,
}

impl fmt::Debug for Device {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Device").field("client_id", &self.client_id).finish_non_exhaustive()
    }
}

impl Device {
    /// The configuration as the vendor's tools write it; with the address at which a client reaches the fake.
    #[must_use]
    pub fn config(&self, hostname: &str) -> Value {
        json!({
            "hostname": hostname,
            "clientId": self.client_id.to_string(),
            "privateKey": text::standard(&self.private_key.to_pkcs8()),
            "appKey": text::standard(self.app_key.expose()),
            "appOwnerPublicKey": text::standard(self.owner.as_bytes()),
            "serverPublicKeyId": server_keys::DEVICE_DEFAULT.to_string(),
            "serverPublicKey": text::url(self.server.as_bytes()),
        })
    }
}

impl App {
    /// A new application over a new shared folder, which its devices may change.
    pub fn new(world: &mut World, title: &str) -> Self {
        let (folder, folder_key) = (Uid::random(), Key::random());
        let data_key = world.admin.account.data_key().clone();
        let revision = world.vault.change();
        let made = Folder {
            kind: FolderKind::Shared,
            parent: None,
            revision,
            key: data_key.seal_cbc(folder_key.expose()),
            name: folder_key.seal_cbc(title.as_bytes()),
            data: folder_key.seal_cbc(json!({ "name": title }).to_string().as_bytes()),
            defaults: [false; 4],
        };
        world.vault.folders.insert(folder, made);
        Self::sharing(world, title, folder, folder_key, true)
    }

    /// Another application over the same shared folder.
    #[must_use]
    pub fn another(&self, world: &mut World, title: &str, editable: bool) -> Self {
        Self::sharing(world, title, self.folder, self.folder_key.clone(), editable)
    }

    fn sharing(world: &mut World, title: &str, folder: Uid, folder_key: Key, editable: bool) -> Self {
        let (uid, key) = (Uid::random(), Key::random());
        let data = key.seal(json!({ "title": title, "type": "app" }).to_string().as_bytes());
        let record = owned(world, 5, data, &key, None);
        let revision = world.vault.revision;
        world.vault.records.insert(uid, record);
        world.vault.places.insert((None, uid), revision);
        let share = Share { folder: true, key: key.seal(folder_key.expose()), editable, created: 0 };
        let application = Application { shares: [(folder, share)].into(), devices: Vec::new() };
        world.vault.applications.insert(uid, application);
        Self { uid, key, folder, folder_key }
    }

    /// A one-time token for a new device.
    pub fn token(&self, world: &mut World, name: &str, terms: &Terms) -> OneTimeToken {
        // `ksm profile init -t` of the vendor's CLI 1.5.0 lower-cases a token that begins with `-`, one of 64.
        let token = loop {
            let token = OneTimeToken::random();
            if !token.expose_text().starts_with('-') {
                break token;
            }
        };
        let sealing = Key::from_slice(token.expose()).expect("a token has the length of a key");
        let mut known = known(name, token.client_id(), terms);
        known.app_key = sealing.seal(self.key.expose());
        self.add(&mut world.vault, known);
        token
    }

    /// A device that is bound already.
    pub fn device(&self, world: &mut World, name: &str, terms: &Terms) -> Device {
        let private_key = PrivateKey::generate();
        let client_id = OneTimeToken::random().client_id();
        let mut known = known(name, client_id, terms);
        (known.public_key, known.bound) = (Some(private_key.public()), true);
        known.address = terms.locked_to.clone().unwrap_or_default();
        self.add(&mut world.vault, known);
        let server = world.keys.get(&server_keys::DEVICE_DEFAULT).expect("a world has all ids").public();
        let owner = world.admin.account.public_key();
        Device { client_id, private_key, app_key: self.key.clone(), owner, server }
    }

    /// Takes a device away.
    pub fn revoke(&self, world: &mut World, device: &Device) {
        if let Some(application) = world.vault.applications.get_mut(&self.uid) {
            application.devices.retain(|known| known.client_id != device.client_id);
        }
    }

    fn add(&self, vault: &mut Vault, device: Known) {
        if let Some(application) = vault.applications.get_mut(&self.uid) {
            application.devices.push(device);
        }
    }

    /// A record in the shared folder, with content such as `{"title": …, "type": "login", "fields": […], "custom": […]}`.
    pub fn record(&self, world: &mut World, content: &Value) -> (Uid, Key) {
        let (uid, key) = (Uid::random(), Key::random());
        let record = owned(world, 3, key.seal(content.to_string().as_bytes()), &key, None);
        let revision = record.revision;
        world.vault.records.insert(uid, record);
        world.vault.places.insert((Some(self.folder), uid), revision);
        let folder_key = FolderKey { key: self.folder_key.seal(key.expose()), can_edit: false, can_share: false };
        world.vault.folder_keys.insert((self.folder, uid), folder_key);
        (uid, key)
    }

    /// A folder in the shared folder, or in a folder of it.
    pub fn subfolder(&self, world: &mut World, parent: Option<Uid>, name: &str) -> Uid {
        let (uid, key, revision) = (Uid::random(), Key::random(), world.vault.change());
        let made = Folder {
            kind: FolderKind::Inside(self.folder),
            parent: Some(parent.unwrap_or(self.folder)),
            revision,
            key: self.folder_key.seal_cbc(key.expose()),
            name: Vec::new(),
            data: key.seal_cbc(json!({ "name": name }).to_string().as_bytes()),
            defaults: [false; 4],
        };
        world.vault.folders.insert(uid, made);
        uid
    }
}

/// Attaches a stored file to a record. Its UID has to stand in the record's `fileRef` as well, which is the record's content:
/// the caller writes that, with [`rewrite`].
pub fn attach(world: &mut World, record: Uid, key: &Key, name: &str, content: &[u8]) -> Uid {
    let (uid, file_key) = (Uid::random(), Key::random());
    let about = json!({
        "name": name, "title": name, "size": content.len(), "type": "application/octet-stream",
        "lastModified": 1_767_225_600_000_i64,
    });
    let sealed = file_key.seal(content);
    let mut stored = StoredFile::announced(i64::try_from(sealed.len()).unwrap_or(i64::MAX));
    stored.content = Some(Bytes::from(sealed));
    let file = owned(world, 4, file_key.seal(about.to_string().as_bytes()), &file_key, Some(stored));
    let revision = file.revision;
    world.vault.records.insert(uid, file);
    world.vault.links.insert((record, uid), Link { key: key.seal(file_key.expose()), revision });
    uid
}

/// Gives a record other content, as another client would: its revision grows.
pub fn rewrite(world: &mut World, record: Uid, key: &Key, content: &Value) {
    let revision = world.vault.change();
    if let Some(record) = world.vault.records.get_mut(&record) {
        (record.data, record.revision) = (key.seal(content.to_string().as_bytes()), revision);
    }
}

fn owned(world: &mut World, version: i32, data: Vec<u8>, key: &Key, file: Option<StoredFile>) -> Record {
    let revision = world.vault.change();
    let key = world.admin.account.data_key().seal(key.expose());
    Record { version, revision, modified: 0, data, key, key_type: RecordKeyType::ByDataKeyGcm, file }
}

fn known(name: &str, client_id: ClientId, terms: &Terms) -> Known {
    Known {
        name: name.to_owned(),
        client_id,
        app_key: Vec::new(),
        public_key: None,
        bound: false,
        lock_ip: terms.locked_to.is_some(),
        address: String::new(),
        created: 0,
        first_access: 0,
        last_access: 0,
        first_access_until: terms.first_access_until,
        access_until: terms.access_until,
        kind: 1,
    }
}
