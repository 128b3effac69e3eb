//! Attachments of our record (spec 5.1 steps 4 and 5, and 7.4).
//!
//! New content is uploaded first; then one `RecordUpdate` links it and unlinks the old. Until that call nothing readable has
//! changed. Keeper keeps no hash of content anywhere, so [`digest`] downloads.
//!
//! A file that is attached to nothing stays in its owner's vault. Ours carry a marker with the record they are meant for, so that
//! [`sweep`] finds those an interrupted run left, and those that were unlinked.

use std::fmt;

use keeper_wire::Uid;
use keeper_wire::crypto::{GCM_OVERHEAD, Key, sha256};
use keeper_wire::messages::files as m;
use keeper_wire::messages::files::{FileAddResult, FileGetResult};
use keeper_wire::messages::records::{RecordKeyType, RecordLink};
use serde::Serialize;
use serde_json::{Map, Value, json};
use zeroize::Zeroizing;

use crate::document::Document;
use crate::vault::record::{Links, references, set_references, update};
use crate::vault::{Marker, Vault, VaultError};
use crate::{Error, Event, Session, wait};

/// Announced beside the size, as the vendor's administrator client does.
const SIZE_EXTRA: usize = 100;
/// Files in one call.
const MOST_FILES: usize = 100;

/// A file that is attached to a record.
#[derive(Clone, Serialize)]
pub struct Attachment {
    /// Its UID.
    pub uid: Uid,
    /// The record it is attached to.
    pub record: Uid,
    /// Its name; empty where the file cannot be read.
    pub name: String,
    /// Bytes of its content, as its uploader said.
    pub size: u64,
    #[serde(skip)]
    key: Option<Key>,
}

impl fmt::Debug for Attachment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Attachment").field("uid", &self.uid).field("name", &self.name).finish_non_exhaustive()
    }
}

/// A file that is to be attached.
#[derive(Clone)]
pub struct NewFile {
    /// Its name.
    pub name: String,
    /// Its content.
    pub bytes: Zeroizing<Vec<u8>>,
}

impl fmt::Debug for NewFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewFile").field("name", &self.name).finish_non_exhaustive()
    }
}

/// A record of version 4.
pub(crate) struct StoredFile {
    uid: Uid,
    name: String,
    size: u64,
    key: Key,
    marker: Option<Marker>,
    record: Option<Uid>,
}

impl StoredFile {
    pub(crate) fn new(uid: Uid, key: Key, document: &Document) -> Self {
        let name = if document.text("name").is_empty() { "title" } else { "name" };
        Self {
            uid,
            name: document.text(name).to_owned(),
            size: document.0.get("size").and_then(Value::as_u64).unwrap_or_default(),
            key,
            marker: Marker::read(document),
            record: Marker::read_record(document),
        }
    }
}

/// The attachments of a record, in its order.
#[must_use]
pub fn list(vault: &Vault, record: Uid) -> Vec<Attachment> {
    let files = vault.records.get(&record).map(|record| record.files.as_slice()).unwrap_or_default();
    let one = |uid: &Uid| {
        let file = vault.files.get(uid);
        Attachment {
            uid: *uid,
            record,
            name: file.map_or_else(String::new, |file| file.name.clone()),
            size: file.map_or(0, |file| file.size),
            key: file.map(|file| file.key.clone()),
        }
    };
    files.iter().map(one).collect()
}

/// Downloads an attachment.
///
/// # Errors
/// [`VaultError::File`], [`VaultError::Content`], and as any call.
pub async fn download(session: &Session, attachment: &Attachment) -> Result<Zeroizing<Vec<u8>>, Error> {
    let uid = attachment.uid;
    let content = |why| Error::from(VaultError::Content { uid, why });
    let key = attachment.key.as_ref().ok_or_else(|| content("its key does not open"))?;
    let request = m::FilesGetRequest { record_uids: vec![uid.as_bytes().to_vec()], ..Default::default() };
    let answer: m::FilesGetResponse = session.ask("vault/files_download", &request).await?;
    let found = answer.files.into_iter().find(|file| file.record_uid == uid.as_bytes());
    let found = found.ok_or_else(|| VaultError::Gone { kind: "attachment", id: uid.to_string() })?;
    if found.status() != FileGetResult::Success {
        let status = FileGetResult::told(found.status);
        return Err(VaultError::File { verb: "download", uid, status }.into());
    }
    let expected = u16::try_from(found.success_status_code).ok().filter(|code| *code != 0).unwrap_or(200);
    let sealed = session.transport().download(&found.url, expected).await?;
    let opened = match RecordKeyType::try_from(found.file_key_type) {
        Ok(RecordKeyType::ByDataKey) => key.open_cbc(&sealed),
        _ => key.open(&sealed),
    };
    let plain = opened.map_err(|_| content("its content does not open with its key"))?;
    if u64::try_from(plain.len()) != Ok(attachment.size) {
        return Err(content("its content does not have the size it was announced with"));
    }
    Ok(plain)
}

/// SHA-256 of an attachment's content, by downloading it.
///
/// # Errors
/// As [`download`].
pub async fn digest(session: &Session, attachment: &Attachment) -> Result<[u8; 32], Error> {
    Ok(sha256(&download(session, attachment).await?))
}

/// Uploads files, and then in one write attaches them to our record and unlinks others. Gives the new ones in the order of
/// `files`. Files that are attached to nothing afterwards are deleted, where Keeper lets us.
///
/// # Errors
/// [`VaultError::NotOurs`], [`VaultError::File`], [`VaultError::Refused`], [`VaultError::Contended`], and as any change.
pub async fn put(session: &Session, record: Uid, files: &[NewFile], unlink: &[Uid]) -> Result<Vec<Attachment>, Error> {
    let vault = session.vault().await?;
    let here = vault.records.get(&record);
    let here = here.ok_or_else(|| VaultError::Gone { kind: "record", id: record.to_string() })?;
    let marker = here.marker.clone().ok_or(VaultError::NotOurs { kind: "record", uid: record })?;
    let too_large = |what, limit, unit| Err(Error::TooLarge { what, limit, unit, write: false });
    if files.len() > MOST_FILES {
        return too_large("what is to be attached at once", MOST_FILES as u64, "files");
    }
    let limit = session.transport().options().max_file;
    if files.iter().any(|file| u64::try_from(file.bytes.len()).map_or(true, |size| size > limit)) {
        return too_large("a file to attach", limit, "bytes");
    }
    let uploaded = upload(session, record, &marker, files).await?;
    relink(session, record, &marker, &uploaded, unlink).await?;
    sweep_of(session, record, &marker, unlink).await?;
    let all = list(&*session.vault().await?, record);
    let one = |(uid, _): &(Uid, Key)| {
        let found = all.iter().find(|attachment| attachment.uid == *uid).cloned();
        found.ok_or_else(|| VaultError::NotDone { verb: "create", kind: "attachment", id: uid.to_string() }.into())
    };
    uploaded.iter().map(one).collect()
}

/// Unlinks attachments from our record, and deletes them where Keeper lets us. That one is not linked is success.
///
/// # Errors
/// [`VaultError::NotOurs`], [`VaultError::Refused`], [`VaultError::Contended`], and as any change.
pub async fn unlink(session: &Session, record: Uid, files: &[Uid]) -> Result<(), Error> {
    put(session, record, &[], files).await.map(|_| ())
}

async fn upload(session: &Session, record: Uid, marker: &Marker, files: &[NewFile]) -> Result<Vec<(Uid, Key)>, Error> {
    if files.is_empty() {
        return Ok(Vec::new());
    }
    let keys: Vec<(Uid, Key)> = files.iter().map(|_| (Uid::random(), Key::random())).collect();
    let announce = |(file, (uid, key)): (&NewFile, &(Uid, Key))| {
        let mut data = Map::from_iter([
            ("title".to_owned(), json!(file.name)),
            ("name".to_owned(), json!(file.name)),
            ("type".to_owned(), json!("application/octet-stream")),
            ("size".to_owned(), json!(file.bytes.len())),
        ]);
        marker.write_file(record, &mut data);
        let data = Zeroizing::new(serde_json::to_vec(&data).expect("a JSON object has a text"));
        m::File {
            record_uid: uid.as_bytes().to_vec(),
            record_key: session.data_key().seal(key.expose()),
            data: key.seal(&data),
            file_size: i64::try_from(file.bytes.len() + SIZE_EXTRA).unwrap_or(i64::MAX),
            ..Default::default()
        }
    };
    let request =
        m::FilesAddRequest { files: files.iter().zip(&keys).map(announce).collect(), client_time: wait::now() };
    let answer: m::FilesAddResponse = session.change("vault/files_add", &request).await?;
    for (file, (uid, key)) in files.iter().zip(&keys) {
        let told = answer.files.iter().find(|told| told.record_uid == uid.as_bytes());
        let Some(told) = told.filter(|told| told.status() == FileAddResult::Success) else {
            let status = told.map_or_else(|| "no status".to_owned(), |told| FileAddResult::told(told.status));
            return Err(VaultError::File { verb: "upload", uid: *uid, status }.into());
        };
        let form = match told.parameters.as_str() {
            "" => Map::new(),
            text => serde_json::from_str(text).map_err(|_| Error::Reply {
                call: "files_add",
                what: "the form's parameters are a JSON object",
                // What is announced and has no content is attached to nothing.
                write: false,
            })?,
        };
        let sealed = key.seal(&file.bytes);
        debug_assert_eq!(sealed.len(), file.bytes.len() + GCM_OVERHEAD);
        let expected = u16::try_from(told.success_status_code).ok().filter(|code| *code != 0).unwrap_or(201);
        session.transport().upload(&told.url, &form, &uid.to_string(), &sealed, expected).await?;
    }
    Ok(keys)
}

/// One `RecordUpdate`: the field `fileRef`, links added, links removed.
async fn relink(
    session: &Session,
    record: Uid,
    marker: &Marker,
    add: &[(Uid, Key)],
    unlink: &[Uid],
) -> Result<(), Error> {
    update(session, record, marker, |record, document| {
        let before = references(document);
        // Links without a reference are damage; they come back into the field here.
        let mut wanted: Vec<Uid> = record.files.iter().filter(|file| !unlink.contains(file)).copied().collect();
        wanted.extend(add.iter().map(|(uid, _)| *uid).filter(|uid| !record.files.contains(uid)));
        let missing = add.iter().filter(|(uid, _)| !record.linked.contains(uid));
        let links = Links {
            add: missing
                .map(|(uid, key)| RecordLink {
                    record_uid: uid.as_bytes().to_vec(),
                    record_key: record.key.seal(key.expose()),
                })
                .collect(),
            remove: unlink.iter().filter(|file| record.linked.contains(file)).copied().collect(),
        };
        if before == wanted && links.add.is_empty() && links.remove.is_empty() {
            return None;
        }
        set_references(document, &wanted);
        Some(links)
    })
    .await
}

/// Files of ours that were meant for a record and are attached to nothing: what an interrupted run left.
#[must_use]
pub fn orphans(vault: &Vault, record: Uid) -> Vec<Uid> {
    let marker = vault.records.get(&record).and_then(|record| record.marker.as_ref());
    marker.map_or_else(Vec::new, |marker| orphans_of(vault, record, marker, &[]))
}

fn orphans_of(vault: &Vault, record: Uid, marker: &Marker, unlinked: &[Uid]) -> Vec<Uid> {
    let attached = |file: &Uid| vault.records.values().any(|record| record.files.contains(file));
    // What somebody else uploaded is unlinked at most, never deleted.
    let ours = |file: &&StoredFile| {
        file.marker.as_ref() == Some(marker) && (file.record == Some(record) || unlinked.contains(&file.uid))
    };
    vault.files.values().filter(ours).map(|file| file.uid).filter(|file| !attached(file)).collect()
}

/// Deletes what [`orphans`] finds. What Keeper does not let us delete is told as an event, and is harmless.
///
/// # Errors
/// [`VaultError::NotOurs`], and as any call; never because a file could not be deleted.
pub async fn sweep(session: &Session, record: Uid) -> Result<(), Error> {
    let vault = session.vault().await?;
    let marker = vault.records.get(&record).and_then(|record| record.marker.clone());
    let marker = marker.ok_or(VaultError::NotOurs { kind: "record", uid: record })?;
    sweep_of(session, record, &marker, &[]).await
}

/// The same, with files that were linked to our record before and are not now.
pub(crate) async fn sweep_of(session: &Session, record: Uid, marker: &Marker, unlinked: &[Uid]) -> Result<(), Error> {
    let orphans = orphans_of(&*session.vault().await?, record, marker, unlinked);
    if orphans.is_empty() {
        return Ok(());
    }
    // Files are in no folder, so they cannot go to the trash; whether Keeper purges them is a guess (spec 7.4).
    let members = Map::from_iter([("delete_records".to_owned(), json!(orphans))]);
    let told = session.command("record_update", true, members).await;
    if let Err(error) = &told {
        tracing::debug!(%error, "deleting files that are attached to nothing");
    }
    let vault = session.vault().await?;
    for file in orphans.into_iter().filter(|file| vault.files.contains_key(file)) {
        session.transport().options().tell(&Event::OrphanKept { file });
    }
    Ok(())
}
