//! Folders inside shared folders. A device cannot make or delete the shared folder itself.

use super::envelope::Payload;
use super::{Answer, Cx, Refusal, may_write};
use crate::admin::{discard_folder, taken};
use crate::vault::{Folder, FolderKind};
use keeper_wire::Uid;
use serde_json::{Map, Value, json};

/// A key of 32 bytes under AES-CBC: initialisation vector, two blocks, and one of padding.
const WRAPPED_CBC: usize = 64;
/// The shortest text under AES-CBC.
const SHORTEST_CBC: usize = 32;
const MOST_FOLDERS: usize = 5_000;

type Payloads = Map<String, Value>;

/// The shared folder that a folder inside one is in, when the device may write there.
fn root_of(cx: &Cx<'_>, application: Uid, folder: Uid) -> Result<Uid, Refusal> {
    let root = cx.vault.shared_root(folder).ok_or_else(|| Refusal::denied("The folder is inaccessible"))?;
    let application = cx.vault.applications.get(&application).ok_or_else(Refusal::unknown)?;
    may_write(application.folder(root))?;
    Ok(root)
}

/// `create_folder`.
pub(super) fn create(cx: &mut Cx<'_>, application: Uid, payload: &Payloads) -> Answer {
    let (uid, root) = (payload.uid("folderUid")?, payload.uid("sharedFolderUid")?);
    let parent = payload.optional_uid("parentUid")?.unwrap_or(root);
    let key = payload.exactly("sharedFolderKey", WRAPPED_CBC)?;
    let data = payload.bytes("data", SHORTEST_CBC)?;
    if root_of(cx, application, root)? != root || cx.vault.shared_root(parent) != Some(root) {
        return Err(Refusal::denied("The folder is inaccessible"));
    }
    if taken(cx.vault, uid) || cx.vault.folders.len() >= MOST_FOLDERS {
        return Err(Refusal::bad("a folder of this UID exists"));
    }
    let revision = cx.vault.change();
    let made = Folder {
        kind: FolderKind::Inside(root),
        parent: Some(parent),
        revision,
        key,
        name: Vec::new(),
        data,
        defaults: [false; 4],
    };
    cx.vault.folders.insert(uid, made);
    Ok(None)
}

/// `update_folder`: another name.
pub(super) fn update(cx: &mut Cx<'_>, application: Uid, payload: &Payloads) -> Answer {
    let (uid, data) = (payload.uid("folderUid")?, payload.bytes("data", SHORTEST_CBC)?);
    root_of(cx, application, uid)?;
    let revision = cx.vault.change();
    if let Some(folder) = cx.vault.folders.get_mut(&uid) {
        (folder.data, folder.revision) = (data, revision);
    }
    Ok(None)
}

/// `delete_folder`: one by one, and what is not there is no error (a note in the vendor's client).
pub(super) fn delete(cx: &mut Cx<'_>, application: Uid, payload: &Payloads) -> Answer {
    let folders = payload.uids("folderUids")?.ok_or_else(|| Refusal::field("folderUids"))?;
    let force = payload.get("forceDeletion").and_then(Value::as_bool).unwrap_or(false);
    let mut told = Vec::new();
    for uid in folders {
        if !cx.vault.folders.contains_key(&uid) {
            continue;
        }
        let full = cx.vault.records_in(Some(uid)).next().is_some()
            || cx.vault.folders.values().any(|folder| folder.parent == Some(uid));
        let (code, message) = match root_of(cx, application, uid) {
            Ok(root) if root != uid && (force || !full) => {
                discard_folder(cx.vault, uid, cx.now);
                cx.vault.change();
                ("ok", "")
            }
            Ok(root) if root != uid => ("not_empty", "The folder is not empty"),
            _ => ("access_denied", "The folder is inaccessible or cannot be deleted by a device"),
        };
        told.push(json!({ "folderUid": uid, "responseCode": code, "errorMessage": message }));
    }
    Ok(Some(json!({ "folders": told })))
}
