//! A device, and what it sees, rendered as the service would.

use keeper_wire::crypto::Key;
use keeper_wire::ec::PrivateKey;
use keeper_wire::{Uid, text};
use serde_json::{Value, json};

pub(crate) struct Device {
    pub(crate) server: PrivateKey,
    key: PrivateKey,
    app_key: Key,
}

impl Device {
    pub(crate) fn new() -> Self {
        Self { server: PrivateKey::generate(), key: PrivateKey::generate(), app_key: Key::random() }
    }

    pub(crate) fn config(&self, port: u16) -> String {
        json!({
            "hostname": format!("127.0.0.1:{port}"),
            "clientId": text::standard(&[1; 64]),
            "privateKey": text::standard(&self.key.to_pkcs8()),
            "serverPublicKeyId": "10",
            "serverPublicKey": text::url(self.server.public().as_bytes()),
            "appKey": text::standard(self.app_key.expose()),
            "appOwnerPublicKey": text::standard(self.key.public().as_bytes()),
        })
        .to_string()
    }

    /// The answer to `get_secret`, in the clear: one shared folder with records of an ordinary size.
    pub(crate) fn reply(&self, records: usize, files: &[Value]) -> Vec<u8> {
        let folder_key = Key::random();
        let records: Vec<Value> = (0..records).map(|index| record(&folder_key, index, files)).collect();
        let folder = json!({
            "folderUid": Uid::random(), "folderKey": text::standard(&self.app_key.seal(folder_key.expose())), "records": records,
        });
        let app = self.app_key.seal(br#"{"title":"app","type":"app"}"#);
        json!({ "appData": text::url(&app), "folders": [folder], "records": [], "expiresOn": 0, "warnings": null })
            .to_string()
            .into_bytes()
    }
}

/// The key of every record here; files hang on it.
pub(crate) fn record_key() -> Key {
    Key::from_slice(&[3; 32]).expect("32 bytes")
}

fn record(folder_key: &Key, index: usize, files: &[Value]) -> Value {
    let key = record_key();
    let content = json!({
        "type": "login", "title": format!("Record number {index}"), "notes": "Some lines of notes that somebody wrote. ".repeat(5),
        "fields": [
            { "type": "login", "value": [format!("user{index}@example.com")] },
            { "type": "password", "value": ["correct horse battery staple"], "required": true, "privacyScreen": true },
            { "type": "url", "value": ["https://example.com/a/long/path"] },
            { "type": "fileRef", "value": [] },
        ],
        "custom": [{ "type": "text", "label": "Environment", "value": ["production"] }],
    });
    json!({
        "recordUid": Uid::random(),
        "recordKey": text::standard(&folder_key.seal(key.expose())),
        "data": text::standard(&key.seal(content.to_string().as_bytes())),
        "revision": 7, "isEditable": true, "files": files,
    })
}

/// One attachment: how a record lists it, and its sealed bytes.
pub(crate) fn file(name: &str, size: usize, url: String) -> (Value, Vec<u8>) {
    let key = Key::random();
    let data =
        json!({ "name": name, "title": name, "size": size, "type": "application/octet-stream", "lastModified": 1 });
    let listed = json!({
        "fileUid": Uid::random(), "fileKey": text::standard(&record_key().seal(key.expose())),
        "data": text::standard(&key.seal(data.to_string().as_bytes())), "url": url, "thumbnailUrl": null,
    });
    (listed, key.seal(&vec![b'x'; size]))
}
