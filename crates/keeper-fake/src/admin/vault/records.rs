//! Adding, changing and reading single records.
//!
//! One `RecordUpdate` is done whole or not at all, and a link that cannot be added or removed is RS_FILES_NOT_MATCH; both are
//! guesses.

use super::{Cx, WRAPPED_KEY, optional_uid, room, status, taken, uid};
use crate::admin::reply::{Refusal, Reply, read};
use crate::vault::{FolderKey, Link, Record, Vault};
use keeper_wire::messages::records as m;
use keeper_wire::messages::records::{RecordDetailsInclude, RecordFolderType, RecordKeyType, RecordModifyResult};
use keeper_wire::{Uid, text};
use serde_json::json;

/// Records in one request.
const MOST: usize = 1000;

pub(super) fn add(cx: &mut Cx<'_>, payload: &[u8]) -> Result<Reply, Refusal> {
    let request: m::RecordsAddRequest = read(payload)?;
    if request.records.len() > MOST {
        return Err(Refusal::malformed("more than 1000 records"));
    }
    let mut answer = m::RecordsModifyResponse::default();
    for wanted in &request.records {
        answer.records.push(match add_one(cx.vault, wanted)? {
            Ok(()) => status(&wanted.record_uid, RecordModifyResult::Success, ""),
            Err((code, why)) => status(&wanted.record_uid, code, why),
        });
    }
    answer.revision = cx.vault.revision;
    Ok(Reply::message(&answer))
}

type Outcome = Result<(), (RecordModifyResult, &'static str)>;

fn add_one(vault: &mut Vault, wanted: &m::RecordAdd) -> Result<Outcome, Refusal> {
    let (record, folder) = (uid(&wanted.record_uid, "record_uid")?, optional_uid(&wanted.folder_uid, "folder_uid")?);
    let denied = |why| Ok(Err((RecordModifyResult::AccessDenied, why)));
    if taken(vault, record) {
        return Ok(Err((RecordModifyResult::RecordExists, "a record of this UID exists")));
    }
    if wanted.record_key.len() != WRAPPED_KEY || wanted.data.is_empty() || !room(vault, 1) {
        return denied("a record needs a key of 60 bytes and data");
    }
    let root = match folder {
        None => None,
        Some(folder) if !vault.folders.contains_key(&folder) => return denied("the folder does not exist"),
        Some(folder) => vault.shared_root(folder),
    };
    let fits = match wanted.folder_type() {
        RecordFolderType::UserFolder => root.is_none(),
        RecordFolderType::SharedFolder => root.is_some() && root == folder,
        RecordFolderType::SharedFolderFolder => root.is_some(),
    };
    if !fits || (root.is_some() && wanted.folder_key.len() != WRAPPED_KEY) {
        return denied("the folder is of another type, or the key for it is missing");
    }
    let mut links = Vec::new();
    for link in &wanted.record_links {
        let file = uid(&link.record_uid, "record_links")?;
        if !is_file(vault, file) || link.record_key.is_empty() {
            return Ok(Err((RecordModifyResult::FilesNotMatch, "an attached file does not exist")));
        }
        links.push((file, link.record_key.clone()));
    }
    let revision = vault.change();
    vault.records.insert(
        record,
        Record {
            version: 3,
            revision,
            modified: wanted.client_modified_time,
            data: wanted.data.clone(),
            key: wanted.record_key.clone(),
            key_type: RecordKeyType::ByDataKeyGcm,
            file: None,
        },
    );
    vault.places.insert((folder, record), revision);
    if let Some(root) = root {
        let [_, _, can_edit, can_share] = vault.folders.get(&root).map_or([false; 4], |folder| folder.defaults);
        vault.folder_keys.insert((root, record), FolderKey { key: wanted.folder_key.clone(), can_edit, can_share });
    }
    vault.links.extend(links.into_iter().map(|(file, key)| ((record, file), Link { key, revision })));
    Ok(Ok(()))
}

fn is_file(vault: &Vault, uid: Uid) -> bool {
    vault.records.get(&uid).is_some_and(|record| record.version == 4)
}

pub(super) fn update(cx: &mut Cx<'_>, payload: &[u8]) -> Result<Reply, Refusal> {
    let request: m::RecordsUpdateRequest = read(payload)?;
    if request.records.len() > MOST {
        return Err(Refusal::malformed("more than 1000 records"));
    }
    let mut answer = m::RecordsModifyResponse::default();
    for wanted in &request.records {
        answer.records.push(update_one(cx.vault, wanted)?);
    }
    answer.revision = cx.vault.revision;
    Ok(Reply::message(&answer))
}

fn update_one(vault: &mut Vault, wanted: &m::RecordUpdate) -> Result<m::RecordModifyStatus, Refusal> {
    let name = uid(&wanted.record_uid, "record_uid")?;
    let told = |code, why| status(&wanted.record_uid, code, why);
    let Some(record) = vault.records.get(&name) else {
        return Ok(told(RecordModifyResult::AccessDenied, "there is no such record"));
    };
    if record.revision != wanted.revision {
        return Ok(told(RecordModifyResult::OutOfSync, "the record was changed since"));
    }
    if record.version == 4 {
        return Ok(told(RecordModifyResult::AccessDenied, "a file has no content of its own to change"));
    }
    let mut errors = Vec::new();
    let mut wrong = |uid: &[u8], why: &str| {
        errors.push(m::RecordLinkError {
            record_uid: uid.to_vec(),
            status: RecordModifyResult::FilesNotMatch.into(),
            message: why.to_owned(),
        });
    };
    for link in &wanted.record_links_add {
        let file = uid(&link.record_uid, "record_links_add")?;
        if !is_file(vault, file) || link.record_key.is_empty() {
            wrong(&link.record_uid, "there is no such file");
        }
    }
    for file in &wanted.record_links_remove {
        if !vault.links.contains_key(&(name, uid(file, "record_links_remove")?)) {
            wrong(file, "it is not attached");
        }
    }
    if !errors.is_empty() {
        let told = told(RecordModifyResult::FilesNotMatch, "an attached file does not match");
        return Ok(m::RecordModifyStatus { link_errors: errors, ..told });
    }
    let revision = vault.change();
    for file in &wanted.record_links_remove {
        vault.links.remove(&(name, uid(file, "record_links_remove")?));
    }
    for link in &wanted.record_links_add {
        let key = (name, uid(&link.record_uid, "record_links_add")?);
        vault.links.insert(key, Link { key: link.record_key.clone(), revision });
    }
    if let Some(record) = vault.records.get_mut(&name) {
        record.revision = revision;
        record.modified = wanted.client_modified_time;
        if !wanted.data.is_empty() {
            record.data = wanted.data.clone();
        }
    }
    Ok(told(RecordModifyResult::Success, ""))
}

pub(super) fn details(cx: &Cx<'_>, payload: &[u8]) -> Result<Reply, Refusal> {
    let request: m::GetRecordDataWithAccessInfoRequest = read(payload)?;
    if request.record_uid.len() > 999 {
        return Err(Refusal::malformed("more than 999 records"));
    }
    let include = request.record_details_include();
    let mut answer = m::GetRecordDataWithAccessInfoResponse::default();
    for bytes in &request.record_uid {
        let name = uid(bytes, "recordUid")?;
        let Some(record) = cx.vault.records.get(&name) else {
            answer.no_permission_record_uid.push(bytes.clone());
            continue;
        };
        let mut one = m::RecordDataWithAccessInfo { record_uid: bytes.clone(), ..Default::default() };
        if include != RecordDetailsInclude::ShareOnly {
            one.record_data = Some(data(cx.vault, name, record));
        }
        if include != RecordDetailsInclude::DataOnly {
            one.user_permission.push(m::UserPermission {
                username: cx.account.username.clone(),
                owner: true,
                sharable: true,
                editable: true,
                account_uid: cx.account.uid.as_bytes().to_vec(),
                ..Default::default()
            });
            let here = cx.vault.folder_keys.iter().filter(|((_, record), _)| *record == name);
            one.shared_folder_permission.extend(here.map(|((root, _), key)| m::SharedFolderPermission {
                shared_folder_uid: root.as_bytes().to_vec(),
                resharable: key.can_share,
                editable: key.can_edit,
                revision: record.revision,
                ..Default::default()
            }));
        }
        answer.record_data_with_access_info.push(one);
    }
    Ok(Reply::message(&answer))
}

fn data(vault: &Vault, name: Uid, record: &Record) -> m::RecordData {
    m::RecordData {
        revision: record.revision,
        version: record.version,
        shared: vault.folder_keys.keys().any(|(_, record)| *record == name),
        encrypted_record_data: text::url(&record.data),
        client_modified_time: record.modified,
        file_id: vault.files_of(name).map(|(file, _)| file.as_bytes().to_vec()).collect(),
        file_size: record.file.as_ref().map_or(0, |file| file.announced),
        record_key_type: record.key_type.into(),
        record_key: record.key.clone(),
        record_uid: name.as_bytes().to_vec(),
        ..Default::default()
    }
}

/// The types that Commander asks about before it makes a record.
pub(super) fn types(payload: &[u8]) -> Result<Reply, Refusal> {
    let request: m::RecordTypesRequest = read(payload)?;
    let standard = [
        (1, "login", vec!["login", "password", "url", "fileRef", "oneTimeCode"]),
        (7, "encryptedNotes", vec!["note", "date", "fileRef"]),
        (15, "file", vec!["fileRef"]),
    ];
    let type_of = |(id, name, fields): (i32, &str, Vec<&str>)| {
        let fields: Vec<_> = fields.into_iter().map(|field| json!({ "$ref": field })).collect();
        m::RecordType { record_type_id: id, content: json!({ "$id": name, "fields": fields }).to_string(), scope: 0 }
    };
    let record_types: Vec<_> = standard.into_iter().filter(|_| request.standard).map(type_of).collect();
    let standard_counter = i32::try_from(record_types.len()).unwrap_or_default();
    Ok(Reply::message(&m::RecordTypesResponse { record_types, standard_counter, ..Default::default() }))
}

/// Nobody is: the account owns what it sees.
pub(super) fn am_i_share_admin(payload: &[u8]) -> Result<Reply, Refusal> {
    let mut asked: m::AmIShareAdmin = read(payload)?;
    asked.is_object_share_admin.iter_mut().for_each(|object| object.is_admin = false);
    Ok(Reply::message(&asked))
}
