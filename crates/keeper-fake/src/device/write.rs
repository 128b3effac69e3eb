//! Writing records and files. The service sees no plaintext: it looks at lengths, revisions and shares.

use super::envelope::Payload;
use super::{Answer, Cx, Refusal, may_write};
use crate::admin::{discard_record, taken};
use crate::vault::{FolderKey, Link, Record, StoredFile, Vault};
use keeper_wire::Uid;
use keeper_wire::crypto::GCM_OVERHEAD;
use keeper_wire::ec::ECIES_OVERHEAD;
use keeper_wire::messages::records::RecordKeyType;
use serde_json::{Map, Value, json};

/// A key of 32 bytes under another.
const WRAPPED: usize = 32 + GCM_OVERHEAD;
/// The same for the application's owner.
const FOR_OWNER: usize = 32 + ECIES_OVERHEAD;
/// Records and files, as the administrator side has it.
const MOST_RECORDS: usize = 20_000;

type Payloads = Map<String, Value>;

fn editable(cx: &Cx<'_>, application: Uid, record: Uid) -> Result<(), Refusal> {
    let application = cx.vault.applications.get(&application).ok_or_else(Refusal::unknown)?;
    may_write(application.record(cx.vault, record))
}

/// `create_secret`.
pub(super) fn create(cx: &mut Cx<'_>, application: Uid, payload: &Payloads) -> Answer {
    let (record, root) = (payload.uid("recordUid")?, payload.uid("folderUid")?);
    let place = payload.optional_uid("subFolderUid")?.unwrap_or(root);
    let key = payload.exactly("recordKey", FOR_OWNER)?;
    let folder_key = payload.exactly("folderKey", WRAPPED)?;
    let data = payload.bytes("data", GCM_OVERHEAD)?;
    let known = cx.vault.applications.get(&application).ok_or_else(Refusal::unknown)?;
    may_write(known.folder(root))?;
    if cx.vault.shared_root(place) != Some(root) {
        return Err(Refusal::denied("The folder is inaccessible"));
    }
    if taken(cx.vault, record) || cx.vault.records.len() >= MOST_RECORDS {
        return Err(Refusal::bad("a record of this UID exists"));
    }
    let revision = cx.vault.change();
    let [_, _, can_edit, can_share] = cx.vault.folders.get(&root).map_or([false; 4], |folder| folder.defaults);
    let made = Record {
        version: 3,
        revision,
        modified: cx.now,
        data,
        key,
        key_type: RecordKeyType::ByPublicKeyEcc,
        file: None,
    };
    cx.vault.records.insert(record, made);
    cx.vault.places.insert((Some(place), record), revision);
    cx.vault.folder_keys.insert((root, record), FolderKey { key: folder_key, can_edit, can_share });
    Ok(None)
}

/// The record at the revision that the client read; a missing revision is as wrong as a stale one (spec 5.2).
fn at_revision(vault: &mut Vault, record: Uid, revision: Option<i64>) -> Result<&mut Record, Refusal> {
    let found = vault.records.get_mut(&record).filter(|record| record.version == 3);
    let found = found.ok_or_else(|| Refusal::denied("The record or folder is inaccessible"))?;
    if revision == Some(found.revision) { Ok(found) } else { Err(Refusal::out_of_sync()) }
}

/// `update_secret`.
pub(super) fn update(cx: &mut Cx<'_>, application: Uid, payload: &Payloads) -> Answer {
    let uid = payload.uid("recordUid")?;
    let data = payload.bytes("data", GCM_OVERHEAD)?;
    let gone = payload.uids("links2Remove")?.unwrap_or_default();
    let transaction = match payload.get("transactionType") {
        None | Some(Value::Null) => None,
        Some(Value::String(kind)) if matches!(kind.as_str(), "general" | "rotation") => Some(kind.as_str()),
        Some(_) => return Err(Refusal::field("transactionType")),
    };
    editable(cx, application, uid)?;
    let record = at_revision(cx.vault, uid, payload.number("revision"))?;
    let before = std::mem::replace(&mut record.data, data);
    record.modified = cx.now;
    let revision = cx.vault.change();
    if let Some(record) = cx.vault.records.get_mut(&uid) {
        record.revision = revision;
    }
    if transaction == Some("rotation") {
        cx.devices.rotations.entry(uid).or_insert(before);
    }
    // The service ignores the links together with `general`, says a comment in the vendor's Rust client.
    if transaction != Some("general") {
        for file in gone {
            cx.vault.links.remove(&(uid, file));
        }
    }
    Ok(None)
}

/// `finalize_secret_update` keeps what a rotation wrote, `rollback_secret_update` puts back what was there before.
pub(super) fn end_rotation(cx: &mut Cx<'_>, application: Uid, payload: &Payloads, keep: bool) -> Answer {
    let uid = payload.uid("recordUid")?;
    editable(cx, application, uid)?;
    let before = cx.devices.rotations.remove(&uid).ok_or_else(|| Refusal::bad("no rotation of this record is open"))?;
    if !keep {
        let revision = cx.vault.change();
        if let Some(record) = cx.vault.records.get_mut(&uid) {
            (record.data, record.revision) = (before, revision);
        }
    }
    Ok(None)
}

/// `delete_secret`: into the owner's trash.
pub(super) fn delete(cx: &mut Cx<'_>, application: Uid, payload: &Payloads) -> Answer {
    let records = payload.uids("recordUids")?.ok_or_else(|| Refusal::field("recordUids"))?;
    let mut told = Vec::new();
    for uid in records {
        let (code, message) = match editable(cx, application, uid) {
            Err(_) => ("access_denied", "The record is inaccessible or its share read-only"),
            Ok(()) => {
                discard_record(cx.vault, uid, cx.now);
                cx.vault.change();
                ("ok", "")
            }
        };
        told.push(json!({ "recordUid": uid, "responseCode": code, "errorMessage": message }));
    }
    Ok(Some(json!({ "records": told })))
}

/// `add_file`: the file is attached at once, its content comes by a form afterwards.
pub(super) fn add_file(cx: &mut Cx<'_>, application: Uid, payload: &Payloads) -> Answer {
    let (file, owner) = (payload.uid("fileRecordUid")?, payload.uid("ownerRecordUid")?);
    let key = payload.exactly("fileRecordKey", FOR_OWNER)?;
    let data = payload.bytes("fileRecordData", GCM_OVERHEAD)?;
    let owner_data = payload.bytes("ownerRecordData", GCM_OVERHEAD)?;
    let link = payload.exactly("linkKey", WRAPPED)?;
    let size = payload.number("fileSize").filter(|size| *size >= GCM_OVERHEAD as i64);
    let size = size.ok_or_else(|| Refusal::field("fileSize"))?;
    editable(cx, application, owner)?;
    if taken(cx.vault, file) || cx.vault.records.len() >= MOST_RECORDS {
        return Err(Refusal::bad("a record of this UID exists"));
    }
    at_revision(cx.vault, owner, payload.number("ownerRecordRevision"))?.data = owner_data;
    let revision = cx.vault.change();
    if let Some(record) = cx.vault.records.get_mut(&owner) {
        (record.revision, record.modified) = (revision, cx.now);
    }
    let stored = StoredFile::announced(size);
    let answer = json!({
        "url": stored.post_url(cx.base, file), "parameters": stored.form(file).to_string(),
        "successStatusCode": StoredFile::POSTED,
    });
    let made = Record {
        version: 4,
        revision,
        modified: cx.now,
        data,
        key,
        key_type: RecordKeyType::ByPublicKeyEcc,
        file: Some(stored),
    };
    cx.vault.records.insert(file, made);
    cx.vault.links.insert((owner, file), Link { key: link, revision });
    Ok(Some(answer))
}
