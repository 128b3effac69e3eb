//! `vault/sync_down`: everything, page by page.
//!
//! A token says up to which revision and row its holder has read. When the vault has changed since, the next answer begins
//! anew with cache status CLEAR, which every client must be ready for; a token that is up to date gets an empty page. The
//! real service sends only changes and what was removed.

use super::Cx;
use crate::admin::reply::{Refusal, Reply, read};
use crate::vault::{FolderKind, Vault};
use keeper_wire::Uid;
use keeper_wire::messages::records::RecordKeyType;
use keeper_wire::messages::vault as m;
use keeper_wire::messages::vault::{CacheStatus, SyncDownResponse};

type Row = Box<dyn FnOnce(&mut SyncDownResponse)>;

pub(super) fn sync_down(cx: &Cx<'_>, payload: &[u8]) -> Result<Reply, Refusal> {
    let request: m::SyncDownRequest = read(payload)?;
    let token = match request.continuation_token.as_slice() {
        [] => None,
        bytes => Some(Token::read(bytes).ok_or_else(|| Refusal::malformed("the continuation token"))?),
    };
    let rows = rows(cx);
    let known = token.filter(|token| token.revision == cx.vault.revision);
    let from = known.map_or(0, |token| token.row).min(rows.len());
    let to = from.saturating_add(cx.page.max(1)).min(rows.len());
    let total = rows.len();
    let mut page = SyncDownResponse {
        continuation_token: Token { revision: cx.vault.revision, row: to }.written(),
        has_more: to < total,
        cache_status: if known.is_none() { CacheStatus::Clear } else { CacheStatus::Keep }.into(),
        ..Default::default()
    };
    rows.into_iter().skip(from).take(to - from).for_each(|row| row(&mut page));
    Ok(Reply::message(&page))
}

#[derive(Clone, Copy)]
struct Token {
    revision: i64,
    row: usize,
}

impl Token {
    fn read(bytes: &[u8]) -> Option<Self> {
        let (revision, row) = std::str::from_utf8(bytes).ok()?.split_once('-')?;
        Some(Self { revision: revision.parse().ok()?, row: row.parse().ok()? })
    }

    fn written(self) -> Vec<u8> {
        format!("{}-{}", self.revision, self.row).into_bytes()
    }
}

fn bytes(uid: Uid) -> Vec<u8> {
    uid.as_bytes().to_vec()
}

fn place(folder: Option<Uid>) -> Vec<u8> {
    folder.map(bytes).unwrap_or_default()
}

/// Folders first, then what is in them; a client that is strict about the order is served, one that is not does not care.
fn rows(cx: &Cx<'_>) -> Vec<Row> {
    let vault = &*cx.vault;
    let mut rows: Vec<Row> = Vec::new();
    let me = m::User { account_uid: bytes(cx.account.uid), username: cx.account.username.clone() };
    rows.push(Box::new(|page| page.users.push(me)));
    folders(vault, &mut rows);
    records(vault, &mut rows);
    places(vault, &mut rows);
    rows
}

fn folders(vault: &Vault, rows: &mut Vec<Row>) {
    for (uid, folder) in &vault.folders {
        let (uid, folder) = (*uid, folder.clone());
        match folder.kind {
            FolderKind::User => rows.push(Box::new(move |page| {
                page.user_folders.push(m::UserFolder {
                    folder_uid: bytes(uid),
                    parent_uid: place(folder.parent),
                    user_folder_key: folder.key,
                    key_type: RecordKeyType::ByDataKey.into(),
                    revision: folder.revision,
                    data: folder.data,
                });
            })),
            FolderKind::Shared => rows.push(Box::new(move |page| {
                let [manage_users, manage_records, can_edit, can_share] = folder.defaults;
                page.shared_folders.push(m::SharedFolder {
                    shared_folder_uid: bytes(uid),
                    revision: folder.revision,
                    shared_folder_key: folder.key,
                    key_type: RecordKeyType::ByDataKey.into(),
                    data: folder.data,
                    default_manage_records: manage_records,
                    default_manage_users: manage_users,
                    default_can_edit: can_edit,
                    default_can_reshare: can_share,
                    cache_status: CacheStatus::Clear.into(),
                    name: folder.name,
                    ..Default::default()
                });
                page.user_folder_shared_folders.push(m::UserFolderSharedFolder {
                    folder_uid: place(folder.parent),
                    shared_folder_uid: bytes(uid),
                    revision: folder.revision,
                });
                page.shared_folder_users.push(m::SharedFolderUser {
                    shared_folder_uid: bytes(uid),
                    manage_records: true,
                    manage_users: true,
                    ..Default::default()
                });
            })),
            FolderKind::Inside(root) => rows.push(Box::new(move |page| {
                page.shared_folder_folders.push(m::SharedFolderFolder {
                    shared_folder_uid: bytes(root),
                    folder_uid: bytes(uid),
                    parent_uid: folder.parent.filter(|parent| *parent != root).map(bytes).unwrap_or_default(),
                    shared_folder_folder_key: folder.key,
                    key_type: RecordKeyType::ByRootKeyCbc.into(),
                    revision: folder.revision,
                    data: folder.data,
                });
            })),
        }
    }
}

fn records(vault: &Vault, rows: &mut Vec<Row>) {
    for (uid, record) in &vault.records {
        let shared = vault.folder_keys.keys().any(|(_, record)| record == uid);
        let (uid, record) = (*uid, record.clone());
        let row = m::Record {
            record_uid: bytes(uid),
            revision: record.revision,
            version: record.version,
            shared,
            client_modified_time: record.modified,
            data: record.data,
            file_size: record.file.map_or(0, |file| file.announced),
            ..Default::default()
        };
        let meta = m::RecordMetaData {
            record_uid: bytes(uid),
            owner: true,
            record_key_type: record.key_type.into(),
            record_key: record.key,
            can_share: true,
            can_edit: true,
            ..Default::default()
        };
        rows.push(Box::new(move |page| {
            page.records.push(row);
            if !meta.record_key.is_empty() {
                page.record_meta_data.push(meta);
            }
        }));
    }
    for ((parent, child), link) in &vault.links {
        let row = m::RecordLink {
            parent_record_uid: bytes(*parent),
            child_record_uid: bytes(*child),
            record_key: link.key.clone(),
            revision: link.revision,
        };
        rows.push(Box::new(|page| page.record_links.push(row)));
    }
}

fn places(vault: &Vault, rows: &mut Vec<Row>) {
    for ((root, record), key) in &vault.folder_keys {
        let row = m::SharedFolderRecord {
            shared_folder_uid: bytes(*root),
            record_uid: bytes(*record),
            record_key: key.key.clone(),
            can_share: key.can_share,
            can_edit: key.can_edit,
            owner: true,
            ..Default::default()
        };
        rows.push(Box::new(|page| page.shared_folder_records.push(row)));
    }
    for ((folder, record), revision) in &vault.places {
        let (record_uid, revision) = (bytes(*record), *revision);
        match folder.and_then(|folder| vault.shared_root(folder).map(|root| (folder, root))) {
            None => {
                let row = m::UserFolderRecord { folder_uid: place(*folder), record_uid, revision };
                rows.push(Box::new(|page| page.user_folder_records.push(row)));
            }
            Some((folder, root)) => {
                let inside = if folder == root { Vec::new() } else { bytes(folder) };
                let row = m::SharedFolderFolderRecord {
                    shared_folder_uid: bytes(root),
                    folder_uid: inside,
                    record_uid,
                    revision,
                };
                rows.push(Box::new(|page| page.shared_folder_folder_records.push(row)));
            }
        }
    }
}
