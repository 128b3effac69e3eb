//! Deleting: announced and then done, or purged at once; and the trash of records.
//!
//! Guesses: that a deletion token is good once, that attached files go with their record, and that an application cannot be
//! restored.

use super::Cx;
use super::commands::{Fault, text_of, uid_of};
use crate::admin::account::opaque;
use crate::vault::{Deleted, Vault};
use keeper_wire::{Uid, text};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// One thing to be deleted, as it was announced.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) enum Object {
    /// A record in a folder, or at the root.
    Record(Uid, Option<Uid>),
    /// A folder with everything in it.
    Folder(Uid),
}

const MOST: usize = 999;
/// Announcements that nobody came back for.
const MOST_PENDING: usize = 1000;

pub(super) fn pre_delete(cx: &mut Cx<'_>, request: &Map<String, Value>) -> Result<Value, Fault> {
    let objects = request.get("objects").and_then(Value::as_array).ok_or_else(|| Fault::bad("objects"))?;
    if objects.is_empty() || objects.len() > MOST {
        return Err(Fault::bad("objects"));
    }
    let objects: Vec<Object> = objects.iter().map(|object| announced(cx.vault, object)).collect::<Result<_, _>>()?;
    let folders = objects.iter().filter(|object| matches!(object, Object::Folder(_))).count();
    let summary = [format!("{} record(s)", objects.len() - folders), format!("{folders} folder(s)")];
    let token = text::url(&opaque(32));
    if cx.pending.0.len() >= MOST_PENDING {
        cx.pending.0.clear();
    }
    cx.pending.0.insert(token.clone(), objects);
    Ok(json!({ "pre_delete_response": { "pre_delete_token": token, "would_delete": { "deletion_summary": summary } } }))
}

fn announced(vault: &Vault, object: &Value) -> Result<Object, Fault> {
    let object = object.as_object().ok_or_else(|| Fault::bad("objects"))?;
    if text_of(object, "delete_resolution") != Some("unlink") {
        return Err(Fault::bad("delete_resolution"));
    }
    let uid = uid_of(object, "object_uid")?.ok_or_else(|| Fault::bad("object_uid"))?;
    let from = uid_of(object, "from_uid")?;
    match text_of(object, "object_type") {
        Some("record") if vault.places.contains_key(&(from, uid)) => Ok(Object::Record(uid, from)),
        Some("user_folder" | "shared_folder" | "shared_folder_folder") if vault.folders.contains_key(&uid) => {
            Ok(Object::Folder(uid))
        }
        Some("record" | "user_folder" | "shared_folder" | "shared_folder_folder") => {
            Err(Fault::new("access_denied", "There is no such object there"))
        }
        _ => Err(Fault::bad("object_type")),
    }
}

pub(super) fn delete(cx: &mut Cx<'_>, request: &Map<String, Value>) -> Result<Value, Fault> {
    let objects = text_of(request, "pre_delete_token").and_then(|token| cx.pending.0.remove(token));
    let objects = objects.ok_or_else(|| Fault::new("invalid_token", "The deletion token is not known or was used"))?;
    for object in objects {
        match object {
            Object::Record(record, from) => unlink(cx.vault, record, from, cx.now),
            Object::Folder(folder) => take_folder(cx.vault, folder, cx.now),
        }
    }
    Ok(json!({ "revision": cx.vault.change() }))
}

/// Takes a record out of one folder; out of the last one means into the trash.
fn unlink(vault: &mut Vault, record: Uid, from: Option<Uid>, now: i64) {
    let mut gone = nothing(record, now);
    let Some(revision) = vault.places.remove(&(from, record)) else { return };
    gone.places.insert((from, record), revision);
    if let Some(root) = from.and_then(|folder| vault.shared_root(folder)) {
        let elsewhere = vault.places.keys().any(|(place, known)| {
            *known == record && place.is_some_and(|place| vault.shared_root(place) == Some(root))
        });
        if !elsewhere && let Some(key) = vault.folder_keys.remove(&(root, record)) {
            gone.folder_keys.insert((root, record), key);
        }
    }
    if vault.places.keys().any(|(_, known)| *known == record) {
        return;
    }
    take_record(vault, record, &mut gone);
    // Nobody can list or restore an application: it is gone, and so are its devices.
    if vault.applications.remove(&record).is_none() {
        vault.trash.push(gone);
    }
}

fn nothing(uid: Uid, at: i64) -> Deleted {
    Deleted {
        at,
        uid,
        folders: BTreeMap::new(),
        records: BTreeMap::new(),
        places: BTreeMap::new(),
        folder_keys: BTreeMap::new(),
        links: BTreeMap::new(),
    }
}

/// A record and the files that only it has.
fn take_record(vault: &mut Vault, record: Uid, gone: &mut Deleted) {
    let links: Vec<_> = vault.links.keys().filter(|(parent, _)| *parent == record).copied().collect();
    for key in links {
        gone.links.extend(vault.links.remove_entry(&key));
        let other = vault.links.keys().any(|(_, file)| *file == key.1);
        if !other {
            gone.records.extend(vault.records.remove_entry(&key.1));
        }
    }
    gone.records.extend(vault.records.remove_entry(&record));
}

pub(crate) fn take_folder(vault: &mut Vault, folder: Uid, now: i64) {
    let mut gone = nothing(folder, now);
    let mut below = BTreeSet::from([folder]);
    loop {
        let more: Vec<_> = vault
            .folders
            .iter()
            .filter(|(uid, folder)| !below.contains(uid) && folder.parent.is_some_and(|parent| below.contains(&parent)))
            .map(|(uid, _)| *uid)
            .collect();
        if more.is_empty() {
            break;
        }
        below.extend(more);
    }
    let places: Vec<_> =
        vault.places.keys().filter(|(place, _)| place.is_some_and(|place| below.contains(&place))).copied().collect();
    for key in &places {
        gone.places.extend(vault.places.remove_entry(key));
    }
    for (folder, record) in places {
        let root = folder.and_then(|folder| vault.shared_root(folder));
        let still = |vault: &Vault, root: Uid| {
            vault.places.keys().any(|(place, known)| {
                *known == record && place.is_some_and(|place| vault.shared_root(place) == Some(root))
            })
        };
        if let Some(root) = root.filter(|root| !still(vault, *root)) {
            gone.folder_keys.extend(vault.folder_keys.remove_entry(&(root, record)));
        }
        if !vault.places.keys().any(|(_, known)| *known == record) {
            take_record(vault, record, &mut gone);
        }
    }
    for uid in below {
        gone.folders.extend(vault.folders.remove_entry(&uid));
    }
    vault.trash.push(gone);
}

/// Takes a record out of every folder and into the trash.
pub(crate) fn take_everywhere(vault: &mut Vault, record: Uid, now: i64) {
    let places: Vec<_> = vault.places.keys().filter(|(_, known)| *known == record).map(|(place, _)| *place).collect();
    for place in places {
        unlink(vault, record, place, now);
    }
}

/// `record_update` with `delete_records`: for ever, and without the trash.
pub(super) fn purge(cx: &mut Cx<'_>, request: &Map<String, Value>) -> Result<Value, Fault> {
    let wanted = request.get("delete_records").and_then(Value::as_array).ok_or_else(|| Fault::bad("delete_records"))?;
    let mut results = Vec::new();
    for uid in wanted.iter().take(MOST) {
        let text = uid.as_str().ok_or_else(|| Fault::bad("delete_records"))?;
        let uid: Uid = text.parse().map_err(|_| Fault::bad("delete_records"))?;
        let known = cx.vault.records.contains_key(&uid);
        if known {
            let mut gone = nothing(uid, cx.now);
            take_record(cx.vault, uid, &mut gone);
            cx.vault.places.retain(|(_, record), _| *record != uid);
            cx.vault.folder_keys.retain(|(_, record), _| *record != uid);
            cx.vault.links.retain(|(_, file), _| *file != uid);
            cx.vault.applications.remove(&uid);
        }
        let status = if known { "success" } else { "access_denied" };
        results.push(json!({ "uid": text, "record_uid": text, "status": status }));
    }
    Ok(json!({ "delete_records": results, "revision": cx.vault.change() }))
}

/// Records of version 3 that were deleted by themselves; the rest is never listed.
pub(super) fn deleted_records(cx: &Cx<'_>) -> Value {
    let listed = cx.vault.trash.iter().filter(|gone| gone.folders.is_empty());
    let records: Vec<_> = listed
        .filter_map(|gone| gone.records.get(&gone.uid).filter(|record| record.version < 4).map(|record| (gone, record)))
        .map(|(gone, record)| {
            json!({
                "record_uid": gone.uid, "revision": record.revision, "version": record.version,
                "record_key": text::url(&record.key), "record_key_type": i32::from(record.key_type),
                "data": text::url(&record.data), "date_deleted": gone.at, "client_modified_time": record.modified,
            })
        })
        .collect();
    json!({ "records": records, "non_access_records": [] })
}

pub(super) fn undelete(cx: &mut Cx<'_>, request: &Map<String, Value>) -> Result<Value, Fault> {
    let uid = uid_of(request, "record_uid")?.ok_or_else(|| Fault::bad("record_uid"))?;
    let at = cx.vault.trash.iter().position(|gone| gone.folders.is_empty() && gone.uid == uid);
    let at = at.ok_or_else(|| Fault::new("access_denied", "There is no such record in the trash"))?;
    let gone = cx.vault.trash.remove(at);
    cx.vault.bring_back(gone);
    Ok(json!({ "revision": cx.vault.revision }))
}
