//! Writing records and folders (spec 5).
//!
//! No write is repeated blindly. When its answer is lost, or the record was changed by others, the record is read again: what is
//! as it should be was done, anything else is done anew on what is there now.

use keeper_wire::crypto::Key;
use keeper_wire::{Uid, text};
use serde_json::{Map, Value, json};

use crate::error::ItemError;
use crate::files::WRITE_ATTEMPTS;
use crate::record::{Content, Record};
use crate::transport::Operation;
use crate::wait::Until;
use crate::{Cause, Client, Error, Event, Folders, reply};

impl Client {
    /// Changes a record. `change` gets the content as it is, and may be called again when others change the record meanwhile
    /// or an answer is lost; so it says what is wanted, not what to add to it. Without a difference nothing is sent.
    ///
    /// Gives the record as it was read back or last written.
    ///
    /// # Errors
    /// [`Error`]; [`Error::Contended`] when others were faster five times.
    pub async fn update_record(&self, uid: Uid, change: impl Fn(&mut Content)) -> Result<Record, Error> {
        let change = |now: &Record| {
            let mut content = now.content.clone();
            change(&mut content);
            Ok((content, Vec::new()))
        };
        self.write_until(uid, change, self.until()).await
    }

    /// Brings a record to what `change` says, content and removed links. An error of `change` ends it.
    pub(crate) async fn write_until(
        &self,
        uid: Uid,
        change: impl Fn(&Record) -> Result<(Content, Vec<Uid>), Error>,
        until: Until,
    ) -> Result<Record, Error> {
        // A write of which the end is not known, as long as nobody could look.
        let mut open = None;
        for attempt in 1..=WRITE_ATTEMPTS {
            let now = match self.record_until(uid, until).await {
                Ok(now) => now,
                Err(error) => return Err(open.unwrap_or(error)),
            };
            let (content, unlink) = change(&now)?;
            if content == now.content && unlink.is_empty() {
                return Ok(now);
            }
            let mut payload = Map::new();
            payload.insert("recordUid".to_owned(), json!(uid));
            payload.insert("data".to_owned(), text::standard(&now.key.seal(&content.bytes())).into());
            payload.insert("revision".to_owned(), now.revision.into());
            // Without a transaction type: with `general` the service ignores the links (spec 5.1).
            if !unlink.is_empty() {
                payload.insert("links2Remove".to_owned(), json!(unlink));
            }
            match self.call(Operation::UpdateSecret, payload, until).await {
                Ok(_) => {
                    let mut now = now;
                    now.content = content;
                    now.files.retain(|file| !unlink.contains(&file.uid));
                    return Ok(now);
                }
                Err(error)
                    if attempt < WRITE_ATTEMPTS && (error.cause() == Some(Cause::OutOfSync) || error.maybe_done()) =>
                {
                    tracing::debug!("update_secret: {error}");
                    self.options().tell(&Event::Contended { attempt });
                    open = Some(error).filter(Error::maybe_done);
                }
                Err(error) if error.cause() == Some(Cause::OutOfSync) => break,
                Err(error) => return Err(error),
            }
        }
        Err(Error::Contended { uid, attempts: WRITE_ATTEMPTS })
    }

    /// Makes a record in a folder, a shared one or one below it. When the answer is lost, the folder is read: what is there is
    /// not made twice.
    ///
    /// # Errors
    /// [`Error`]; [`Error::NotFound`] for a folder the device cannot see.
    pub async fn create_record(&self, folder: Uid, content: &Content) -> Result<Uid, Error> {
        let until = self.until();
        let owner = self.owner_key("create_secret")?;
        let folders = self.folders_until(until).await?;
        let target = folders.folder(folder)?;
        let shared = folders.folder(target.shared)?;
        let (uid, key) = (Uid::random(), Key::random());
        let mut payload = Map::new();
        let mut put = |name: &str, value: Value| payload.insert(name.to_owned(), value);
        put("recordUid", json!(uid));
        put("recordKey", text::standard(&owner.seal(key.expose())).into());
        put("folderUid", json!(shared.uid));
        put("folderKey", text::standard(&shared.key.seal(key.expose())).into());
        put("data", text::standard(&key.seal(&content.bytes())).into());
        if target.uid != shared.uid {
            put("subFolderUid", json!(target.uid));
        }
        self.create(Operation::CreateSecret, payload, until, async || match self.record_until(uid, until).await {
            Ok(_) => Ok(true),
            Err(Error::NotFound { .. }) => Ok(false),
            Err(error) => Err(error),
        })
        .await?;
        Ok(uid)
    }

    /// Deletes records.
    ///
    /// # Errors
    /// [`Error::Items`] names those that were refused; the others are gone.
    pub async fn delete_records(&self, uids: &[Uid]) -> Result<(), Error> {
        if uids.is_empty() {
            return Ok(());
        }
        let payload = Map::from_iter([("recordUids".to_owned(), json!(uids))]);
        let body = self.call(Operation::DeleteSecret, payload, self.until()).await?;
        let answer: reply::Deleted<'_> = reply::read("delete_secret", &body)?;
        all_deleted(&answer.records.0, |item| item.record_uid.get(), uids)
    }

    /// Makes a folder below another one. A device cannot make a shared folder at the top.
    ///
    /// # Errors
    /// [`Error`]; [`Error::NotFound`] for a parent the device cannot see.
    pub async fn create_folder(&self, parent: Uid, name: &str) -> Result<Uid, Error> {
        let until = self.until();
        let folders = self.folders_until(until).await?;
        let above = folders.folder(parent)?;
        let shared = folders.folder(above.shared)?;
        let (uid, key) = (Uid::random(), Key::random());
        let mut payload = Map::new();
        let mut put = |name: &str, value: Value| payload.insert(name.to_owned(), value);
        put("folderUid", json!(uid));
        put("sharedFolderUid", json!(shared.uid));
        put("sharedFolderKey", text::standard(&shared.key.seal_cbc(key.expose())).into());
        put("data", text::standard(&key.seal_cbc(&folder_data(name))).into());
        if above.uid != shared.uid {
            put("parentUid", json!(above.uid));
        }
        let there = |folders: Folders| folders.folders.iter().any(|folder| folder.uid == uid);
        self.create(Operation::CreateFolder, payload, until, async || self.folders_until(until).await.map(there))
            .await?;
        Ok(uid)
    }

    /// Renames a folder.
    ///
    /// # Errors
    /// [`Error`]; [`Error::NotFound`] for a folder the device cannot see.
    pub async fn rename_folder(&self, uid: Uid, name: &str) -> Result<(), Error> {
        let until = self.until();
        let folders = self.folders_until(until).await?;
        let folder = folders.folder(uid)?;
        if folder.name == name {
            return Ok(());
        }
        let data = text::standard(&folder.key.seal_cbc(&folder_data(name)));
        let payload = Map::from_iter([("folderUid".to_owned(), json!(uid)), ("data".to_owned(), data.into())]);
        self.create(Operation::UpdateFolder, payload, until, async || {
            let folders = self.folders_until(until).await?;
            Ok(folders.folder(uid)?.name == name)
        })
        .await
    }

    /// Deletes folders; with `force` also those that are not empty.
    ///
    /// # Errors
    /// [`Error::Items`] names those that were refused; the others are gone.
    pub async fn delete_folders(&self, uids: &[Uid], force: bool) -> Result<(), Error> {
        if uids.is_empty() {
            return Ok(());
        }
        let payload =
            Map::from_iter([("folderUids".to_owned(), json!(uids)), ("forceDeletion".to_owned(), force.into())]);
        let body = self.call(Operation::DeleteFolder, payload, self.until()).await?;
        let answer: reply::Deleted<'_> = reply::read("delete_folder", &body)?;
        all_deleted(&answer.folders.0, |item| item.folder_uid.get(), uids)
    }

    /// Sends what makes one thing with a UID of our choice; after a lost answer looks whether it is there, and if not, once more.
    async fn create(
        &self,
        operation: Operation,
        payload: Map<String, Value>,
        until: Until,
        is_there: impl AsyncFn() -> Result<bool, Error>,
    ) -> Result<(), Error> {
        let Err(lost) = self.call(operation, payload.clone(), until).await else { return Ok(()) };
        if !lost.maybe_done() {
            return Err(lost);
        }
        match is_there().await {
            Ok(true) => return Ok(()),
            Ok(false) => {}
            // Nobody could look: it may be there.
            Err(_) => return Err(lost),
        }
        let Err(error) = self.call(operation, payload, until).await else { return Ok(()) };
        // The first one may have landed late, and be the reason why this one was refused.
        match is_there().await {
            Ok(true) => Ok(()),
            Ok(false) => Err(error),
            Err(_) => Err(lost),
        }
    }
}

fn folder_data(name: &str) -> Vec<u8> {
    json!({ "name": name }).to_string().into_bytes()
}

fn all_deleted<'a>(
    items: &'a [reply::DeletedItem<'a>],
    uid: impl Fn(&'a reply::DeletedItem<'a>) -> Option<&'a str>,
    asked: &[Uid],
) -> Result<(), Error> {
    let mut failed: Vec<ItemError> = items
        .iter()
        .filter(|item| !item.response_code.get().is_some_and(|code| code.eq_ignore_ascii_case("ok")))
        .map(|item| ItemError {
            uid: uid(item).unwrap_or_default().to_owned(),
            code: item.response_code.get().unwrap_or_default().to_owned(),
            message: item.error_message.get().unwrap_or_default().chars().take(500).collect(),
        })
        .collect();
    // What the answer does not mention, nobody has deleted.
    for asked in asked.iter().map(Uid::to_string) {
        if !items.iter().any(|item| uid(item) == Some(asked.as_str())) {
            let message = "the answer does not mention it".to_owned();
            failed.push(ItemError { uid: asked, code: String::new(), message });
        }
    }
    if failed.is_empty() { Ok(()) } else { Err(Error::Items { failed, asked: asked.len() }) }
}
