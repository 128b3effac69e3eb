//! From sealed rows to things with titles: the key ladder of spec 7.5. Pure.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use keeper_wire::Uid;
use keeper_wire::crypto::Key;
use keeper_wire::ec::PrivateKey;
use keeper_wire::messages::vault as m;
use zeroize::Zeroizing;

use crate::account::UserKeys;
use crate::document::Document;
use crate::vault::application::Application;
use crate::vault::attachment::StoredFile;
use crate::vault::folder::Folder;
use crate::vault::marker::Marker;
use crate::vault::record::{Place, Record};
use crate::vault::rows::Rows;

/// A vault at one moment, opened. What does not open with the account's keys is counted and left out.
#[derive(Default)]
pub struct Vault {
    pub(crate) folders: BTreeMap<Uid, Folder>,
    pub(crate) records: BTreeMap<Uid, Record>,
    pub(crate) applications: BTreeMap<Uid, Application>,
    pub(crate) files: BTreeMap<Uid, StoredFile>,
    /// Folders inside shared folders: (shared folder, folder).
    pub(crate) subfolders: BTreeSet<(Uid, Uid)>,
    /// Records that are in a shared folder, opened or not: (shared folder, record).
    pub(crate) inside: BTreeSet<(Uid, Uid)>,
    unreadable: usize,
}

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Vault")
            .field("folders", &self.folders.len())
            .field("records", &self.records.len())
            .field("applications", &self.applications.len())
            .field("files", &self.files.len())
            .field("unreadable", &self.unreadable)
            .finish_non_exhaustive()
    }
}

impl Vault {
    /// Shared folders, records, files and applications that do not open with the account's keys. They are left out.
    #[must_use]
    pub fn unreadable(&self) -> usize {
        self.unreadable
    }

    pub(crate) fn open(rows: &Rows, keys: &UserKeys, account: &[u8]) -> Self {
        let mut vault = Self::default();
        let teams: Vec<(UserKeys, &m::Team)> =
            rows.teams.values().filter_map(|team| Some((team_keys(team, keys)?, team))).collect();
        for (uid, row) in &rows.shared_folders {
            match uid_of(uid).and_then(|uid| folder(uid, row, rows, keys, &teams, account)) {
                Some(folder) => drop(vault.folders.insert(folder.uid, folder)),
                None => vault.unreadable += 1,
            }
        }
        vault.subfolders =
            rows.subfolders.iter().filter_map(|(folder, root)| Some((uid_of(root)?, uid_of(folder)?))).collect();
        vault.inside =
            rows.shared_places.iter().filter_map(|(root, _, record)| Some((uid_of(root)?, uid_of(record)?))).collect();
        vault.records(rows, &record_keys(rows, keys, &vault.folders));
        vault
    }

    fn records(&mut self, rows: &Rows, keys: &BTreeMap<&[u8], Key>) {
        let mut places = places(rows);
        for (bytes, row) in &rows.records {
            if !matches!(row.version, 3..=5) {
                continue;
            }
            let opened = uid_of(bytes).zip(keys.get(bytes.as_slice())).and_then(|(uid, key)| {
                let plain = key.open(&row.data).ok()?;
                Some((uid, key.clone(), Document::read(&plain)?))
            });
            let Some((uid, key, document)) = opened else {
                // A file whose record has left the vault stays as a row that nothing opens any more.
                self.unreadable += usize::from(rows.may_open(bytes));
                continue;
            };
            match row.version {
                3 => {
                    let places = places.remove(bytes.as_slice()).unwrap_or_default();
                    let linked = linked(bytes, rows);
                    self.records.insert(uid, Record::new(uid, row.revision, key, document, places, linked));
                }
                4 => drop(self.files.insert(uid, StoredFile::new(uid, key, &document))),
                _ => drop(self.applications.insert(uid, Application::new(uid, key, row.revision, &document))),
            }
        }
    }
}

pub(crate) fn uid_of(bytes: &[u8]) -> Option<Uid> {
    Uid::from_slice(bytes).ok()
}

fn team_keys(team: &m::Team, user: &UserKeys) -> Option<UserKeys> {
    let data = user.open(team.team_key_type, &team.team_key)?;
    let rsa = data.open_cbc(&team.team_private_key).ok();
    let ec = data.open(&team.team_ecc_private_key).ok().and_then(|scalar| PrivateKey::from_scalar(&scalar).ok());
    Some(UserKeys { data, rsa, ec })
}

fn folder(
    uid: Uid,
    row: &m::SharedFolder,
    rows: &Rows,
    keys: &UserKeys,
    teams: &[(UserKeys, &m::Team)],
    account: &[u8],
) -> Option<Folder> {
    let by_team = || {
        let wrapped = teams.iter().flat_map(|(keys, team)| team.shared_folder_keys.iter().map(move |row| (keys, row)));
        let mut mine = wrapped.filter(|(_, key)| key.shared_folder_uid == row.shared_folder_uid);
        mine.find_map(|(keys, row)| keys.open(row.key_type, &row.shared_folder_key))
    };
    let key = keys.open(row.key_type, &row.shared_folder_key).or_else(by_team)?;
    let data = key.open_cbc(&row.data).ok().and_then(|plain| Document::read(&plain));
    let name = key.open_cbc(&row.name).ok().and_then(|plain| String::from_utf8(plain.to_vec()).ok());
    let title = name.or_else(|| data.as_ref().map(|data| data.text("name").to_owned()))?;
    let of_ours = |who: &[u8]| who.is_empty() || who == account;
    let others = rows.members.iter().filter(|(root, who)| *root == row.shared_folder_uid && !of_ours(who)).count();
    let teams = rows.member_teams.iter().filter(|(root, _)| *root == row.shared_folder_uid).count();
    Some(Folder {
        uid,
        title,
        revision: row.revision,
        parent: rows.parents.get(&row.shared_folder_uid).and_then(|parent| user_folder(parent)),
        others: others + teams,
        marker: data.as_ref().and_then(Marker::read),
        key,
    })
}

/// An empty UID is the root, and the vendor's client also ignores one whose first or last ten bytes are zero.
fn user_folder(bytes: &[u8]) -> Option<Uid> {
    let uid = uid_of(bytes)?;
    let zero = |part: &[u8]| part.iter().all(|byte| *byte == 0);
    (!zero(&uid.as_bytes()[..10]) && !zero(&uid.as_bytes()[6..])).then_some(uid)
}

/// First by the user's keys, then by a shared folder, then by the record a file is linked to.
fn record_keys<'a>(rows: &'a Rows, keys: &UserKeys, folders: &BTreeMap<Uid, Folder>) -> BTreeMap<&'a [u8], Key> {
    let mut known: BTreeMap<&[u8], Key> = BTreeMap::new();
    for (record, meta) in &rows.meta {
        if let Some(key) = keys.open(meta.record_key_type, &meta.record_key) {
            known.insert(record, key);
        }
    }
    for ((folder, record), sealed) in &rows.folder_keys {
        if known.contains_key(record.as_slice()) {
            continue;
        }
        let folder = uid_of(folder).and_then(|folder| folders.get(&folder));
        if let Some(key) = folder.and_then(|folder| unwrapped(&folder.key, sealed)) {
            known.insert(record, key);
        }
    }
    let by_link: Vec<(&[u8], Key)> = rows
        .links
        .iter()
        .filter(|((_, file), _)| !known.contains_key(file.as_slice()))
        .filter_map(|((parent, file), sealed)| {
            let plain = known.get(parent.as_slice())?.open(sealed).ok()?;
            Some((file.as_slice(), Key::from_slice(&plain).ok()?))
        })
        .collect();
    known.extend(by_link);
    known
}

/// 60 bytes are GCM, 64 are CBC.
fn unwrapped(folder: &Key, sealed: &[u8]) -> Option<Key> {
    let plain: Zeroizing<Vec<u8>> = match sealed.len() {
        60 => folder.open(sealed).ok()?,
        _ => folder.open_cbc(sealed).ok()?,
    };
    Key::from_slice(&plain).ok()
}

fn places(rows: &Rows) -> BTreeMap<&[u8], Vec<Place>> {
    let mut all: BTreeMap<&[u8], Vec<Place>> = BTreeMap::new();
    for (root, folder, record) in &rows.shared_places {
        let Some(root) = uid_of(root) else { continue };
        let folder = if folder.is_empty() { Some(root) } else { uid_of(folder) };
        if let Some(folder) = folder {
            all.entry(record).or_default().push(Place::Shared { root, folder });
        }
    }
    for (folder, record) in &rows.places {
        all.entry(record).or_default().push(Place::Own(user_folder(folder)));
    }
    all
}

fn linked(record: &[u8], rows: &Rows) -> Vec<Uid> {
    let from = (record.to_vec(), Vec::new());
    let here = rows.links.range(from..).take_while(|((parent, _), _)| parent == record);
    here.filter_map(|((_, file), _)| uid_of(file)).collect()
}
