//! Shared folders: their defaults, what is in them, and the trash of folders.

use super::{Cx, WRAPPED_KEY, uid};
use crate::admin::reply::{Refusal, Reply, read};
use crate::vault::{Deleted, FolderKey, FolderKind, Vault};
use keeper_wire::Uid;
use keeper_wire::messages::folder as m;
use keeper_wire::messages::folder::SetBooleanValue;
use keeper_wire::messages::records::RecordKeyType;

/// `vault/shared_folder_update_v3`. Members and teams cannot be added: a fake has one account.
pub(super) fn update(cx: &mut Cx<'_>, payload: &[u8]) -> Result<Reply, Refusal> {
    let request: m::SharedFolderUpdateV3RequestV2 = read(payload)?;
    let mut answer = m::SharedFolderUpdateV3ResponseV2::default();
    for wanted in &request.shared_folders_update_v3 {
        answer.shared_folders_update_v3_response.push(update_one(cx.vault, wanted)?);
    }
    Ok(Reply::message(&answer))
}

fn update_one(
    vault: &mut Vault,
    wanted: &m::SharedFolderUpdateV3Request,
) -> Result<m::SharedFolderUpdateV3Response, Refusal> {
    let name = uid(&wanted.shared_folder_uid, "sharedFolderUid")?;
    let mut answer =
        m::SharedFolderUpdateV3Response { shared_folder_uid: wanted.shared_folder_uid.clone(), ..Default::default() };
    let folder = vault.folders.get(&name).filter(|folder| folder.kind == FolderKind::Shared);
    let (code, defaults) = match folder {
        None => ("access_denied", [false; 4]),
        Some(folder) if !wanted.force_update && folder.revision != wanted.revision => ("out_of_sync", folder.defaults),
        Some(folder) => ("success", folder.defaults),
    };
    answer.status = code.to_owned();
    if code != "success" {
        return Ok(answer);
    }
    let revision = vault.change();
    answer.revision = revision;
    let switches = [
        wanted.default_manage_users(),
        wanted.default_manage_records(),
        wanted.default_can_edit(),
        wanted.default_can_share(),
    ];
    if let Some(folder) = vault.folders.get_mut(&name) {
        folder.revision = revision;
        folder.defaults = std::array::from_fn(|index| switched(defaults[index], switches[index]));
        if !wanted.encrypted_shared_folder_name.is_empty() {
            folder.name = wanted.encrypted_shared_folder_name.clone();
        }
    }
    let told = |record_uid: &[u8], done: bool| m::SharedFolderUpdateRecordStatus {
        record_uid: record_uid.to_vec(),
        status: if done { "success" } else { "access_denied" }.to_owned(),
    };
    for add in &wanted.shared_folder_add_record {
        let record = uid(&add.record_uid, "recordUid")?;
        let done = vault.records.get(&record).is_some_and(|record| record.version == 3)
            && add.encrypted_record_key.len() == WRAPPED_KEY;
        if done {
            vault.places.insert((Some(name), record), revision);
            let key = FolderKey {
                key: add.encrypted_record_key.clone(),
                can_edit: switched(defaults[2], add.can_edit()),
                can_share: switched(defaults[3], add.can_share()),
            };
            vault.folder_keys.insert((name, record), key);
        }
        answer.shared_folder_add_record_status.push(told(&add.record_uid, done));
    }
    for change in &wanted.shared_folder_update_record {
        let key = vault.folder_keys.get_mut(&(name, uid(&change.record_uid, "recordUid")?));
        answer.shared_folder_update_record_status.push(told(&change.record_uid, key.is_some()));
        if let Some(key) = key {
            key.can_edit = switched(key.can_edit, change.can_edit());
            key.can_share = switched(key.can_share, change.can_share());
        }
    }
    for gone in &wanted.shared_folder_remove_record {
        let record = uid(gone, "sharedFolderRemoveRecord")?;
        let done = vault.folder_keys.remove(&(name, record)).is_some();
        vault.places.remove(&(Some(name), record));
        if done && !vault.places.keys().any(|(_, known)| *known == record) {
            vault.places.insert((None, record), revision);
        }
        answer.shared_folder_remove_record_status.push(told(gone, done));
    }
    answer.shared_folder_add_user_status.extend(wanted.shared_folder_add_user.iter().map(|user| {
        m::SharedFolderUpdateUserStatus { username: user.username.clone(), status: "user_does_not_exist".to_owned() }
    }));
    Ok(answer)
}

fn switched(now: bool, switch: SetBooleanValue) -> bool {
    match switch {
        SetBooleanValue::NoChange => now,
        SetBooleanValue::True => true,
        SetBooleanValue::False => false,
    }
}

/// The trash of folders. A subfolder's key is sealed by the shared folder that still exists, or went with it.
pub(super) fn deleted(cx: &Cx<'_>) -> Reply {
    let mut answer = m::GetDeletedSharedFoldersAndRecordsResponse::default();
    for gone in cx.vault.trash.iter().filter(|gone| !gone.folders.is_empty()) {
        list(cx.vault, gone, cx.account.uid, &mut answer);
    }
    if !answer.shared_folders.is_empty() {
        let me = m::Username { account_uid: cx.account.uid.as_bytes().to_vec(), username: cx.account.username.clone() };
        answer.usernames.push(me);
    }
    Reply::message(&answer)
}

fn list(vault: &Vault, gone: &Deleted, owner: Uid, answer: &mut m::GetDeletedSharedFoldersAndRecordsResponse) {
    for (uid, folder) in &gone.folders {
        let root = match folder.kind {
            FolderKind::User => continue,
            FolderKind::Shared => *uid,
            FolderKind::Inside(root) => root,
        };
        let key_type = if root == *uid { RecordKeyType::ByDataKey } else { RecordKeyType::ByRootKeyCbc };
        answer.shared_folders.push(m::DeletedSharedFolder {
            shared_folder_uid: root.as_bytes().to_vec(),
            folder_uid: uid.as_bytes().to_vec(),
            parent_uid: folder.parent.map_or_else(Vec::new, |parent| parent.as_bytes().to_vec()),
            shared_folder_key: folder.key.clone(),
            folder_key_type: key_type.into(),
            data: folder.data.clone(),
            date_deleted: gone.at,
            revision: folder.revision,
        });
    }
    for ((folder, record), revision) in &gone.places {
        let Some(folder) = folder.filter(|folder| gone.folders.contains_key(folder)) else { continue };
        let key = gone.folder_keys.iter().find(|((_, known), _)| known == record).map(|(_, key)| key.key.clone());
        let Some(key) = key else { continue };
        answer.shared_folder_records.push(m::DeletedSharedFolderRecord {
            folder_uid: folder.as_bytes().to_vec(),
            record_uid: record.as_bytes().to_vec(),
            shared_record_key: key,
            date_deleted: gone.at,
            revision: *revision,
        });
        let kept = gone.records.get(record).or_else(|| vault.records.get(record));
        if let Some(kept) = kept {
            answer.deleted_record_data.push(m::DeletedRecordData {
                record_uid: record.as_bytes().to_vec(),
                owner_uid: owner.as_bytes().to_vec(),
                revision: kept.revision,
                client_modified_time: kept.modified,
                data: kept.data.clone(),
                version: kept.version,
            });
        }
    }
}

/// Restores folders with all that went with them. Single records come back with their folder only.
pub(super) fn restore(cx: &mut Cx<'_>, payload: &[u8]) -> Result<Reply, Refusal> {
    let request: m::RestoreDeletedSharedFoldersAndRecordsRequest = read(payload)?;
    for wanted in request.folders.iter().chain(&request.records) {
        let folder = uid(&wanted.folder_uid, "folderUid")?;
        let at = cx.vault.trash.iter().position(|gone| gone.folders.contains_key(&folder));
        let at = at.ok_or_else(|| Refusal::denied("There is no such folder in the trash"))?;
        let gone = cx.vault.trash.remove(at);
        cx.vault.bring_back(gone);
    }
    Ok(Reply::Void)
}
