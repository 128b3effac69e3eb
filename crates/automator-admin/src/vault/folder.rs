//! Shared folders: where our record lives (spec 5.1 step 2 and 7.3).

use std::fmt;

use keeper_wire::crypto::Key;
use keeper_wire::{Uid, text};
use serde::Serialize;
use serde_json::{Map, Value, json};
use zeroize::Zeroizing;

use crate::vault::marker::{Marked, find as find_marked, ours};
use crate::vault::remove::{Target, remove as remove_target};
use crate::vault::{Marker, Vault, VaultError};
use crate::{Error, Event, Session};

const KIND: &str = "shared folder";

/// A shared folder.
#[derive(Clone, Serialize)]
pub struct Folder {
    /// Its UID.
    pub uid: Uid,
    /// Its name.
    pub title: String,
    /// Its revision.
    pub revision: i64,
    /// The user folder it is in; `None` is the root of the vault.
    pub parent: Option<Uid>,
    /// Members other than ourselves, teams included. Applications are in no list of members.
    pub others: usize,
    /// Whose it is, where it carries a marker.
    pub marker: Option<Marker>,
    #[serde(skip)]
    pub(crate) key: Key,
}

impl fmt::Debug for Folder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Folder").field("uid", &self.uid).field("title", &self.title).finish_non_exhaustive()
    }
}

impl Marked for Folder {
    const KIND: &'static str = KIND;
    fn uid(&self) -> Uid {
        self.uid
    }
    fn title(&self) -> &str {
        &self.title
    }
    fn marker(&self) -> Option<&Marker> {
        self.marker.as_ref()
    }
}

/// Finds our shared folder by its marker, whatever it is called by now; the title decides between several.
///
/// # Errors
/// [`VaultError::Stranger`], [`VaultError::Ambiguous`].
pub fn find(vault: &Vault, title: &str, marker: &Marker) -> Result<Option<Folder>, VaultError> {
    find_marked(vault.folders.values(), title, marker).map(|found| found.cloned())
}

/// The title of a shared folder, whoever made it.
#[must_use]
pub fn title(vault: &Vault, uid: Uid) -> Option<&str> {
    vault.folders.get(&uid).map(|folder| folder.title.as_str())
}

/// All shared folders that carry this marker.
#[must_use]
pub fn owned(vault: &Vault, marker: &Marker) -> Vec<Folder> {
    vault.folders.values().filter(|folder| folder.marker.as_ref() == Some(marker)).cloned().collect()
}

/// Finds our shared folder, or makes it at the root of the vault, shared with nobody.
///
/// # Errors
/// [`VaultError::Stranger`], [`VaultError::Ambiguous`], and as any change.
pub async fn create(session: &Session, title: &str, marker: &Marker) -> Result<Folder, Error> {
    session.look_again();
    if let Some(folder) = find(&*session.vault().await?, title, marker)? {
        return Ok(folder);
    }
    let (uid, key) = (Uid::random(), Key::random());
    let mut data = Map::from_iter([("name".to_owned(), json!(title))]);
    marker.write(&mut data);
    let data = Zeroizing::new(serde_json::to_vec(&data).expect("a JSON object has a text"));
    // Folders still use CBC. Without flags members would get no right by default; there are none anyway.
    let text = |value: String| Value::String(value);
    let members = [
        ("folder_uid", text(uid.to_string())),
        ("folder_type", text("shared_folder".to_owned())),
        ("key", text(text::url(&session.data_key().seal_cbc(key.expose())))),
        ("name", text(text::url(&key.seal_cbc(title.as_bytes())))),
        ("data", text(text::url(&key.seal_cbc(&data)))),
    ];
    let members = members.map(|(name, value)| (name.to_owned(), value)).into_iter().collect();
    let told = session.command("folder_add", true, members).await;
    let lost = look(session, "folder_add", told.map(|_| ()))?;
    let made = session.vault().await?.folders.get(&uid).cloned();
    made.ok_or_else(|| not_done(lost, "create", KIND, uid.to_string()))
}

/// Removes our shared folder, which must be empty. That it is gone already is success.
///
/// # Errors
/// [`VaultError::NotOurs`], [`VaultError::NotEmpty`], and as any change.
pub async fn remove(session: &Session, folder: &Folder) -> Result<(), Error> {
    session.look_again();
    let vault = session.vault().await?;
    let Some(now) = vault.folders.get(&folder.uid) else { return Ok(()) };
    let marker = folder.marker.as_ref().ok_or(VaultError::NotOurs { kind: KIND, uid: folder.uid })?;
    ours(now, marker)?;
    let inside = vault.inside.iter().chain(&vault.subfolders);
    let content: Vec<Uid> = inside.filter(|(root, _)| *root == folder.uid).map(|(_, inside)| *inside).collect();
    if !content.is_empty() {
        return Err(VaultError::NotEmpty { folder: folder.uid, content }.into());
    }
    let target =
        Target { uid: folder.uid, kind: "shared_folder", from: now.parent.map(|parent| ("user_folder", parent)) };
    let gone = |vault: &Vault| !vault.folders.contains_key(&folder.uid);
    remove_target(session, KIND, folder.uid, &[target], gone).await
}

/// After a change: passes a refusal on, and gives back an error that leaves open whether it was done, for the caller to look.
pub(crate) fn look(session: &Session, call: &'static str, told: Result<(), Error>) -> Result<Option<Error>, Error> {
    match told {
        Err(error) if error.maybe_done() => {
            session.transport().options().tell(&Event::LookingAgain { call });
            session.look_again();
            Ok(Some(error))
        }
        other => other.map(|()| None),
    }
}

/// What is told when the second look does not show what was to be done.
pub(crate) fn not_done(lost: Option<Error>, verb: &'static str, kind: &'static str, id: String) -> Error {
    lost.unwrap_or_else(|| VaultError::NotDone { verb, kind, id }.into())
}
