//! Reading: what an application was given, with a key for each thing under the key above it.

use super::envelope::Payload;
use super::{Caller, Cx, Refusal};
use crate::faults::Fault;
use crate::vault::{Application, FolderKind, Record, Vault};
use keeper_wire::{Uid, text};
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

/// What a filter names; `None` is everything. A text that is no UID matches nothing and is no error: Commander asks for a
/// record of such a name when it binds a device.
fn wanted(payload: &Map<String, Value>, name: &'static str) -> Result<Option<Vec<Uid>>, Refusal> {
    match payload.get(name) {
        Some(Value::Array(all))
            if all.iter().any(|text| text.as_str().is_some_and(|text| text.parse::<Uid>().is_err())) =>
        {
            Ok(Some(all.iter().filter_map(|text| text.as_str()?.parse().ok()).collect()))
        }
        _ => Ok(payload.uids(name)?.filter(|wanted| !wanted.is_empty())),
    }
}

/// `get_secret`.
pub(super) fn secrets(cx: &Cx<'_>, caller: Caller, payload: &Map<String, Value>) -> Result<Value, Refusal> {
    let view = View {
        cx,
        records: wanted(payload, "requestedRecords")?,
        folders: wanted(payload, "requestedFolders")?,
        links: payload.get("requestLinks").and_then(Value::as_bool).unwrap_or(false),
    };
    let application = cx.vault.applications.get(&caller.application).ok_or_else(Refusal::unknown)?;
    let device = application.devices.get(caller.device).ok_or_else(Refusal::unknown)?;
    let (mut flat, mut shared) = (Vec::new(), Vec::new());
    for (uid, share) in &application.shares {
        match share.folder {
            false => flat.extend(view.alone(*uid, &share.key, share.editable)),
            true => {
                let found = view.inside(*uid, share.editable);
                if found.is_empty() {
                    continue;
                }
                let (out, inside) = if cx.devices.flat { (found, Vec::new()) } else { (Vec::new(), found) };
                flat.extend(out);
                shared.push(json!({
                    "folderUid": uid, "folderKey": text::standard(&share.key), "parent": null,
                    "isEditable": share.editable, "records": inside,
                }));
            }
        }
    }
    let mut answer = json!({
        "folders": shared, "records": flat, "expiresOn": device.access_until, "warnings": [],
    });
    if let Some(record) = cx.vault.records.get(&caller.application) {
        answer["appData"] = json!(text::url(&record.data));
    }
    if caller.binding {
        answer["encryptedAppKey"] = json!(text::url(&device.app_key));
        if !cx.devices.without_owner_key {
            answer["appOwnerPublicKey"] = json!(text::url(cx.owner.as_bytes()));
        }
    }
    Ok(answer)
}

struct View<'a, 'b> {
    cx: &'a Cx<'b>,
    records: Option<Vec<Uid>>,
    folders: Option<Vec<Uid>>,
    /// Links between records are asked for. This vault has none.
    links: bool,
}

impl View<'_, '_> {
    /// A record that was shared by itself.
    fn alone(&self, uid: Uid, key: &[u8], editable: bool) -> Option<Value> {
        if self.folders.is_some() && self.records.is_none() {
            return None;
        }
        let mut found = self.record(uid, key, editable)?;
        found["folderUid"] = json!("");
        Some(found)
    }

    /// The records of a shared folder and of all folders in it, each once.
    fn inside(&self, root: Uid, editable: bool) -> Vec<Value> {
        let vault = &*self.cx.vault;
        let mut seen = BTreeSet::new();
        let places = vault.places.keys().filter_map(|(place, record)| place.map(|place| (place, *record)));
        let here = places.filter(|(place, _)| {
            vault.shared_root(*place) == Some(root)
                && self.folders.as_ref().is_none_or(|wanted| wanted.contains(&root) || wanted.contains(place))
        });
        let mut found = Vec::new();
        for (place, uid) in here {
            let Some(key) = vault.folder_keys.get(&(root, uid)).filter(|_| seen.insert(uid)) else { continue };
            let Some(mut record) = self.record(uid, &key.key, editable) else { continue };
            record["folderUid"] = json!(root);
            let inner = if self.cx.devices.flat { Some(root) } else { Some(place).filter(|place| *place != root) };
            record["innerFolderUid"] = json!(inner);
            found.push(record);
        }
        found
    }

    fn record(&self, uid: Uid, key: &[u8], editable: bool) -> Option<Value> {
        if self.records.as_ref().is_some_and(|wanted| !wanted.contains(&uid)) {
            return None;
        }
        let vault = &*self.cx.vault;
        let record = vault.records.get(&uid).filter(|record| record.version == 3)?;
        let files =
            vault.files_of(uid).filter_map(|(file, link)| Some(self.file(file, &link.key, vault.records.get(&file)?)));
        let mut envelope = json!({
            "recordUid": uid, "recordKey": text::standard(key), "data": text::standard(&record.data),
            "revision": record.revision, "isEditable": editable, "files": files.collect::<Vec<_>>(),
        });
        if self.links {
            envelope["links"] = json!([]);
        }
        Some(envelope)
    }

    fn file(&self, uid: Uid, key: &[u8], record: &Record) -> Value {
        let shown =
            record.file.as_ref().filter(|file| file.content.is_some() && self.cx.fault != Some(Fault::MissingUrl));
        json!({
            "fileUid": uid, "fileKey": text::standard(key), "data": text::standard(&record.data),
            "url": shown.map(|file| file.get_url(self.cx.base, uid)), "thumbnailUrl": null,
        })
    }
}

/// `get_folders`.
pub(super) fn folders(cx: &Cx<'_>, application: Uid) -> Value {
    let vault = &*cx.vault;
    let all = vault.applications.get(&application).map(|application| tree(vault, application)).unwrap_or_default();
    json!({ "folders": all })
}

fn tree(vault: &Vault, application: &Application) -> Vec<Value> {
    let roots = application.shares.iter().filter(|(_, share)| share.folder);
    let mut all = Vec::new();
    for (root, share) in roots {
        let Some(top) = vault.folders.get(root) else { continue };
        all.push(json!({
            "folderUid": root, "folderKey": text::standard(&share.key), "data": text::standard(&top.data), "parent": null,
        }));
        let below = vault.folders.iter().filter(|(_, folder)| folder.kind == FolderKind::Inside(*root));
        all.extend(below.map(|(uid, folder)| {
            json!({
                "folderUid": uid, "folderKey": text::standard(&folder.key), "data": text::standard(&folder.data),
                "parent": folder.parent,
            })
        }));
    }
    all
}
