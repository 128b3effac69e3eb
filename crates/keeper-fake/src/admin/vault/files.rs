//! Files: where they may be posted, and where they may be fetched.

use super::{Cx, WRAPPED_KEY, room, taken, uid};
use crate::admin::reply::{Refusal, Reply, read};
use crate::vault::{Record, StoredFile};
use keeper_wire::messages::files as m;
use keeper_wire::messages::files::{FileAddResult, FileGetResult};
use keeper_wire::messages::records::RecordKeyType;

/// Files in one request.
const MOST: usize = 500;

pub(super) fn add(cx: &mut Cx<'_>, payload: &[u8]) -> Result<Reply, Refusal> {
    let request: m::FilesAddRequest = read(payload)?;
    if request.files.len() > MOST {
        return Err(Refusal::malformed("more than 500 files"));
    }
    let mut answer = m::FilesAddResponse::default();
    for wanted in &request.files {
        let name = uid(&wanted.record_uid, "record_uid")?;
        let mut status = m::FileAddStatus { record_uid: wanted.record_uid.clone(), ..Default::default() };
        let sound = wanted.record_key.len() == WRAPPED_KEY && !wanted.data.is_empty() && wanted.file_size >= 0;
        if taken(cx.vault, name) || !sound || !room(cx.vault, 1) {
            status.status = FileAddResult::Error.into();
            answer.files.push(status);
            continue;
        }
        let revision = cx.vault.change();
        let file = StoredFile::announced(wanted.file_size);
        status.url = file.post_url(cx.base, name);
        status.parameters = file.form(name).to_string();
        status.success_status_code = i32::from(StoredFile::POSTED);
        cx.vault.records.insert(
            name,
            Record {
                version: 4,
                revision,
                modified: cx.now,
                data: wanted.data.clone(),
                key: wanted.record_key.clone(),
                key_type: RecordKeyType::ByDataKeyGcm,
                file: Some(file),
            },
        );
        answer.files.push(status);
    }
    answer.revision = cx.vault.revision;
    Ok(Reply::message(&answer))
}

/// An unknown file is an error, and one whose form was never posted too (a guess).
pub(super) fn download(cx: &Cx<'_>, payload: &[u8]) -> Result<Reply, Refusal> {
    let request: m::FilesGetRequest = read(payload)?;
    let mut answer = m::FilesGetResponse::default();
    for bytes in request.record_uids.iter().take(MOST) {
        let name = uid(bytes, "record_uids")?;
        let record = cx.vault.records.get(&name).filter(|record| record.version == 4);
        let status = record.map_or(FileGetResult::AccessDenied, |record| match &record.file {
            Some(file) if file.content.is_some() => FileGetResult::Success,
            _ => FileGetResult::Error,
        });
        let file = record.and_then(|record| record.file.as_ref()).filter(|_| status == FileGetResult::Success);
        answer.files.push(m::FileGetStatus {
            record_uid: bytes.clone(),
            status: status.into(),
            url: file.map_or_else(String::new, |file| file.get_url(cx.base, name)),
            success_status_code: i32::from(StoredFile::FETCHED),
            file_key_type: RecordKeyType::ByDataKeyGcm.into(),
        });
    }
    Ok(Reply::message(&answer))
}
