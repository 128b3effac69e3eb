//! `move`: records from folder to folder, or into a second one.

use super::Cx;
use super::commands::{Fault, bytes_of, flag, text_of, uid_of};
use crate::vault::FolderKey;
use keeper_wire::Uid;
use keeper_wire::messages::records::RecordKeyType;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// Folders cannot be moved here; this product does not.
pub(super) fn move_records(cx: &mut Cx<'_>, request: &Map<String, Value>) -> Result<Value, Fault> {
    let to = uid_of(request, "to_uid")?;
    let root = match (text_of(request, "to_type"), to) {
        (Some("user_folder"), None) => None,
        (Some("user_folder" | "shared_folder" | "shared_folder_folder"), Some(folder))
            if cx.vault.folders.contains_key(&folder) =>
        {
            cx.vault.shared_root(folder)
        }
        _ => return Err(Fault::new("access_denied", "The destination does not exist")),
    };
    let keys = transition_keys(request)?;
    let items = request.get("move").and_then(Value::as_array).ok_or_else(|| Fault::bad("move"))?;
    let mut moves = Vec::new();
    for item in items.iter().take(1000) {
        let item = item.as_object().ok_or_else(|| Fault::bad("move"))?;
        let uid = uid_of(item, "uid")?.ok_or_else(|| Fault::bad("uid"))?;
        let from = uid_of(item, "from_uid")?;
        if text_of(item, "type") != Some("record") || !cx.vault.places.contains_key(&(from, uid)) {
            return Err(Fault::new("access_denied", "There is no such record there"));
        }
        let key = keys.get(&uid);
        let had = from.and_then(|folder| cx.vault.shared_root(folder));
        let needed = root.is_some_and(|root| !cx.vault.folder_keys.contains_key(&(root, uid)))
            || (root.is_none() && had.is_some());
        if needed && key.is_none() {
            return Err(Fault::new("missing_transition_key", "A record changes hands without its key"));
        }
        moves.push((uid, from, had, key.cloned(), flag(item, "can_edit"), flag(item, "can_reshare")));
    }
    let stays = flag(request, "link").unwrap_or(false);
    let revision = cx.vault.change();
    for (uid, from, had, key, can_edit, can_share) in moves {
        if !stays {
            cx.vault.places.remove(&(from, uid));
        }
        cx.vault.places.insert((to, uid), revision);
        match (root, key) {
            (Some(root), Some(key)) => {
                let [_, _, edit, share] = cx.vault.folders.get(&root).map_or([false; 4], |folder| folder.defaults);
                let key = FolderKey { key, can_edit: can_edit.unwrap_or(edit), can_share: can_share.unwrap_or(share) };
                cx.vault.folder_keys.insert((root, uid), key);
            }
            (None, Some(key)) => {
                if let Some(record) = cx.vault.records.get_mut(&uid).filter(|record| record.key.is_empty()) {
                    (record.key, record.key_type) = (key, RecordKeyType::ByDataKeyGcm);
                }
            }
            _ => {}
        }
        let left = |root: Uid| {
            !cx.vault.places.keys().any(|(place, known)| {
                *known == uid && place.is_some_and(|place| cx.vault.shared_root(place) == Some(root))
            })
        };
        if let Some(had) = had.filter(|had| left(*had)) {
            cx.vault.folder_keys.remove(&(had, uid));
        }
    }
    Ok(json!({ "revision": revision, "move_info": [] }))
}

fn transition_keys(request: &Map<String, Value>) -> Result<BTreeMap<Uid, Vec<u8>>, Fault> {
    let Some(keys) = request.get("transition_keys").and_then(Value::as_array) else { return Ok(BTreeMap::new()) };
    let one = |key: &Value| {
        let key = key.as_object().ok_or_else(|| Fault::bad("transition_keys"))?;
        let uid = uid_of(key, "uid")?.ok_or_else(|| Fault::bad("transition_keys"))?;
        Ok((uid, bytes_of(key, "key")?.unwrap_or_default()))
    };
    keys.iter().take(1000).map(one).collect()
}
