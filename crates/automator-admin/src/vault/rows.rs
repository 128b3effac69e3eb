//! The rows of `sync_down`, page by page and from one look to the next (spec 7.5).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use keeper_wire::messages::vault as m;
use keeper_wire::messages::vault::{CacheStatus, SyncDownRequest, SyncDownResponse};

use crate::vault::Vault;
use crate::{Error, Session};

/// Pages of one look. A vault of a million records has fewer.
const MOST_PAGES: usize = 20_000;
/// Rows that are kept.
const MOST_ROWS: usize = 4_000_000;

type Bytes = Vec<u8>;

/// What is known of the vault, sealed. The last row of a key wins; keys are looked for when all pages are here.
#[derive(Default)]
pub(crate) struct Rows {
    token: Bytes,
    pub(crate) shared_folders: BTreeMap<Bytes, m::SharedFolder>,
    /// Shared folder to the user folder it is in; empty is the root.
    pub(crate) parents: BTreeMap<Bytes, Bytes>,
    /// Folders in shared folders, to the shared folder.
    pub(crate) subfolders: BTreeMap<Bytes, Bytes>,
    pub(crate) records: BTreeMap<Bytes, m::Record>,
    pub(crate) meta: BTreeMap<Bytes, m::RecordMetaData>,
    /// (parent, child) to the child's key under the parent's.
    pub(crate) links: BTreeMap<(Bytes, Bytes), Bytes>,
    /// (shared folder, record) to the record's key under the folder's.
    pub(crate) folder_keys: BTreeMap<(Bytes, Bytes), Bytes>,
    /// (shared folder, subfolder or empty, record).
    pub(crate) shared_places: BTreeSet<(Bytes, Bytes, Bytes)>,
    /// (user folder or empty, record).
    pub(crate) places: BTreeSet<(Bytes, Bytes)>,
    /// (shared folder, account uid or name). An empty account is ourselves.
    pub(crate) members: BTreeSet<(Bytes, Bytes)>,
    pub(crate) member_teams: BTreeSet<(Bytes, Bytes)>,
    pub(crate) teams: BTreeMap<Bytes, m::Team>,
}

impl Rows {
    /// Takes one page, in the order in which the vendor's client does: most of what went, what came, and then members and
    /// records that left a shared folder.
    pub(crate) fn add(&mut self, page: SyncDownResponse) {
        if page.cache_status() == CacheStatus::Clear {
            *self = Self::default();
        }
        self.token = page.continuation_token;
        // No longer the user's own; a shared folder may have it still.
        for uid in &page.removed_records {
            self.meta.remove(uid);
            self.places.retain(|(_, record)| record != uid);
            self.forget_without_key(uid);
        }
        page.removed_teams.iter().for_each(|uid| drop(self.teams.remove(uid)));
        for uid in page.removed_shared_folders {
            self.shared_folders.remove(&uid);
            self.parents.remove(&uid);
            self.subfolders.retain(|_, root| *root != uid);
            self.shared_places.retain(|(root, _, _)| *root != uid);
            self.members.retain(|(root, _)| *root != uid);
            self.member_teams.retain(|(root, _)| *root != uid);
            let gone: Vec<_> = self.folder_keys.keys().filter(|(root, _)| *root == uid).cloned().collect();
            for (root, record) in gone {
                self.folder_keys.remove(&(root, record.clone()));
                self.forget_without_key(&record);
            }
        }
        for row in page.removed_record_links {
            self.links.remove(&(row.parent_record_uid, row.child_record_uid));
        }
        for row in page.removed_shared_folder_folders {
            self.subfolders.remove(&row.folder_uid);
        }
        for row in page.removed_user_folder_shared_folders {
            self.parents.remove(&row.shared_folder_uid);
        }
        for row in page.removed_user_folder_records {
            self.places.remove(&(row.folder_uid, row.record_uid));
        }
        let shared = |row: m::SharedFolderFolderRecord| (row.shared_folder_uid, row.folder_uid, row.record_uid);
        for row in page.removed_shared_folder_folder_records {
            self.shared_places.remove(&shared(row));
        }

        self.links.extend(
            page.record_links.into_iter().map(|row| ((row.parent_record_uid, row.child_record_uid), row.record_key)),
        );
        self.meta.extend(page.record_meta_data.into_iter().map(|row| (row.record_uid.clone(), row)));
        self.records.extend(page.records.into_iter().map(|row| (row.record_uid.clone(), row)));
        self.teams.extend(page.teams.into_iter().map(|row| (row.team_uid.clone(), row)));
        self.shared_folders.extend(page.shared_folders.into_iter().map(|row| (row.shared_folder_uid.clone(), row)));
        self.members.extend(page.shared_folder_users.into_iter().map(member));
        self.member_teams.extend(page.shared_folder_teams.into_iter().map(|row| (row.shared_folder_uid, row.team_uid)));
        self.folder_keys.extend(
            page.shared_folder_records.into_iter().map(|row| ((row.shared_folder_uid, row.record_uid), row.record_key)),
        );
        for row in page.removed_shared_folder_records {
            self.folder_keys.remove(&(row.shared_folder_uid, row.record_uid.clone()));
            self.forget_without_key(&row.record_uid);
        }
        for row in page.removed_shared_folder_users {
            self.members.remove(&member(row));
        }
        for row in page.removed_shared_folder_teams {
            self.member_teams.remove(&(row.shared_folder_uid, row.team_uid));
        }

        self.places.extend(page.user_folder_records.into_iter().map(|row| (row.folder_uid, row.record_uid)));
        self.parents
            .extend(page.user_folder_shared_folders.into_iter().map(|row| (row.shared_folder_uid, row.folder_uid)));
        self.subfolders
            .extend(page.shared_folder_folders.into_iter().map(|row| (row.folder_uid, row.shared_folder_uid)));
        self.shared_places.extend(page.shared_folder_folder_records.into_iter().map(shared));
    }

    /// Whether any row could hold a key for a record.
    pub(crate) fn may_open(&self, record: &[u8]) -> bool {
        self.meta.contains_key(record)
            || self.folder_keys.keys().any(|(_, held)| held == record)
            || self.links.keys().any(|(_, held)| held == record)
    }

    /// A record has left the vault when the last row with a key for it went.
    fn forget_without_key(&mut self, record: &[u8]) {
        let held = self.meta.contains_key(record) || self.folder_keys.keys().any(|(_, held)| held == record);
        if !held {
            self.records.remove(record);
            self.links.retain(|(parent, child), _| parent != record && child != record);
            self.shared_places.retain(|(_, _, placed)| placed != record);
        }
    }

    fn len(&self) -> usize {
        let one = self.shared_folders.len() + self.parents.len() + self.subfolders.len() + self.records.len();
        let two = self.meta.len() + self.links.len() + self.folder_keys.len() + self.shared_places.len();
        let three = self.places.len() + self.members.len() + self.member_teams.len() + self.teams.len();
        one + two + three
    }
}

fn member(row: m::SharedFolderUser) -> (Bytes, Bytes) {
    let who = if row.account_uid.is_empty() { row.username.into_bytes() } else { row.account_uid };
    (row.shared_folder_uid, who)
}

/// The last look, and what it rests on.
#[derive(Default)]
pub(crate) struct Snapshots {
    rows: Rows,
    last: Option<(u64, Arc<Vault>)>,
}

impl Snapshots {
    /// The vault as it was when there had been `changes` changes, or later. Only what is new is asked for.
    pub(crate) async fn current(&mut self, session: &Session, changes: u64) -> Result<Arc<Vault>, Error> {
        if let Some((known, vault)) = &self.last
            && *known == changes
        {
            return Ok(vault.clone());
        }
        let keys = session.account().await?.keys.clone();
        for _ in 0..MOST_PAGES {
            let request = SyncDownRequest { continuation_token: self.rows.token.clone() };
            let page: SyncDownResponse = session.ask("vault/sync_down", &request).await?;
            let more = page.has_more;
            if more && page.continuation_token == self.rows.token {
                let what = "the next page was expected, not the same again";
                return Err(Error::Reply { call: "sync_down", what, write: false });
            }
            self.rows.add(page);
            if self.rows.len() > MOST_ROWS {
                *self = Self::default();
                return Err(too_large(MOST_ROWS, "rows"));
            }
            if !more {
                let vault = Arc::new(Vault::open(&self.rows, &keys, session.account_uid()));
                self.last = Some((changes, vault.clone()));
                return Ok(vault);
            }
        }
        *self = Self::default();
        Err(too_large(MOST_PAGES, "pages"))
    }
}

fn too_large(limit: usize, unit: &'static str) -> Error {
    Error::TooLarge { what: "the vault", limit: limit as u64, unit, write: false }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_that_is_kept_counts() {
        let mut rows = Rows::default();
        rows.add(SyncDownResponse {
            shared_folders: vec![m::SharedFolder::default()],
            user_folder_shared_folders: vec![m::UserFolderSharedFolder::default()],
            shared_folder_folders: vec![m::SharedFolderFolder::default()],
            records: vec![m::Record::default()],
            record_meta_data: vec![m::RecordMetaData::default()],
            record_links: vec![m::RecordLink::default()],
            shared_folder_records: vec![m::SharedFolderRecord::default()],
            shared_folder_folder_records: vec![m::SharedFolderFolderRecord::default()],
            user_folder_records: vec![m::UserFolderRecord::default()],
            shared_folder_users: vec![m::SharedFolderUser::default()],
            shared_folder_teams: vec![m::SharedFolderTeam::default()],
            teams: vec![m::Team::default()],
            ..Default::default()
        });
        assert_eq!(rows.len(), 12);
    }
}
