//! What a device can see: everything, or some of it.

use std::fmt;

use keeper_wire::Uid;
use keeper_wire::crypto::Key;
use serde_json::{Map, Value, json};

use crate::record::{Failed, Record};
use crate::transport::Operation;
use crate::wait::Until;
use crate::{Client, Error, ladder, reply};

/// An answer to `get_secret`.
#[derive(Clone, Debug, Default)]
pub struct Secrets {
    /// The application; none when its description does not open.
    pub app: Option<App>,
    /// The shared folders in which the records are.
    pub folders: Vec<Uid>,
    /// The records, each once.
    pub records: Vec<Record>,
    /// Records and folders that did not open, by UID. They are never left out silently.
    pub failed: Vec<Failed>,
    /// When the device's access ends, milliseconds since 1970; none means never.
    pub expires_on: Option<i64>,
    /// What the service wants people to know.
    pub warnings: Vec<String>,
}

impl Secrets {
    /// The record of a UID.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Decrypt`] when it is there and did not open.
    pub fn record(&self, uid: Uid) -> Result<&Record, Error> {
        if let Some(record) = self.records.iter().find(|record| record.uid == uid) {
            return Ok(record);
        }
        match self.failed.iter().find(|failed| failed.uid.parse() == Ok(uid)) {
            Some(failed) => Err(failed.error.clone().into()),
            None => Err(Error::NotFound { what: format!("record {uid}") }),
        }
    }

    /// The one record with this exact title.
    ///
    /// # Errors
    /// [`Error::NotFound`], or the error of the first record that did not open, because that may be the one;
    /// [`Error::Ambiguous`].
    pub fn titled(&self, title: &str) -> Result<&Record, Error> {
        let found: Vec<&Record> = self.records.iter().filter(|record| record.content.title() == title).collect();
        match (&found[..], self.failed.first()) {
            ([one], _) => Ok(one),
            ([], Some(failed)) => Err(failed.error.clone().into()),
            ([], None) => Err(Error::NotFound { what: format!("record {title:?}") }),
            (several, _) => Err(Error::Ambiguous { what: format!("record {title:?}"), count: several.len() }),
        }
    }
}

/// The application a device belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct App {
    /// Its title.
    pub title: String,
    /// Its type, `app`.
    pub kind: String,
}

/// A folder the device can see.
#[derive(Clone)]
pub struct Folder {
    /// Its UID.
    pub uid: Uid,
    /// The folder above it.
    pub parent: Option<Uid>,
    /// Its name.
    pub name: String,
    /// Whether the application may change what is in it, as far as the service says.
    pub editable: bool,
    /// The topmost shared folder above it, itself when there is none.
    pub shared: Uid,
    pub(crate) key: Key,
}

impl fmt::Debug for Folder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Folder")
            .field("uid", &self.uid)
            .field("parent", &self.parent)
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

/// All folders the device can see, those without records too.
#[derive(Clone, Debug, Default)]
pub struct Folders {
    /// Those that opened.
    pub folders: Vec<Folder>,
    /// Those that did not.
    pub failed: Vec<Failed>,
}

impl Folders {
    /// The folder of a UID.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Decrypt`] when it is there and did not open.
    pub fn folder(&self, uid: Uid) -> Result<&Folder, Error> {
        if let Some(folder) = self.folders.iter().find(|folder| folder.uid == uid) {
            return Ok(folder);
        }
        match self.failed.iter().find(|failed| failed.uid.parse() == Ok(uid)) {
            Some(failed) => Err(failed.error.clone().into()),
            None => Err(Error::NotFound { what: format!("folder {uid}") }),
        }
    }
}

/// Which records to ask for. Without any UID, all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Records, by UID.
    pub records: Vec<Uid>,
    /// Shared folders, by UID.
    pub folders: Vec<Uid>,
}

impl Filter {
    /// Everything.
    #[must_use]
    pub fn all() -> Self {
        Self::default()
    }

    /// These records only.
    #[must_use]
    pub fn records(uids: impl IntoIterator<Item = Uid>) -> Self {
        Self { records: uids.into_iter().collect(), folders: Vec::new() }
    }

    pub(crate) fn payload(&self) -> Map<String, Value> {
        let mut payload = Map::new();
        for (name, uids) in [("requestedRecords", &self.records), ("requestedFolders", &self.folders)] {
            if !uids.is_empty() {
                payload.insert(name.to_owned(), json!(uids));
            }
        }
        payload
    }
}

impl Client {
    /// Everything the device can see, or what `filter` names. A UID that is not there is no error here.
    ///
    /// # Errors
    /// [`Error`]; records that do not open are no error but in [`Secrets::failed`].
    pub async fn secrets(&self, filter: &Filter) -> Result<Secrets, Error> {
        self.secrets_until(filter, self.until()).await
    }

    /// One record.
    ///
    /// # Errors
    /// As [`Client::secrets`] and [`Secrets::record`].
    pub async fn record(&self, uid: Uid) -> Result<Record, Error> {
        self.record_until(uid, self.until()).await
    }

    /// All folders, with names.
    ///
    /// # Errors
    /// [`Error`]; folders that do not open are no error but in [`Folders::failed`].
    pub async fn folders(&self) -> Result<Folders, Error> {
        self.folders_until(self.until()).await
    }

    pub(crate) async fn secrets_until(&self, filter: &Filter, until: Until) -> Result<Secrets, Error> {
        let app_key = self.app_key()?;
        let body = self.call(Operation::GetSecret, filter.payload(), until).await?;
        Ok(ladder::secrets(&reply::read("get_secret", &body)?, &app_key))
    }

    pub(crate) async fn record_until(&self, uid: Uid, until: Until) -> Result<Record, Error> {
        let mut secrets = self.secrets_until(&Filter::records([uid]), until).await?;
        secrets.record(uid)?;
        secrets.records.retain(|record| record.uid == uid);
        secrets.records.pop().ok_or_else(|| Error::NotFound { what: format!("record {uid}") })
    }

    pub(crate) async fn folders_until(&self, until: Until) -> Result<Folders, Error> {
        let app_key = self.app_key()?;
        let body = self.call(Operation::GetFolders, Map::new(), until).await?;
        let (folders, failed) = ladder::folders(&reply::read("get_folders", &body)?, &app_key);
        Ok(Folders { folders, failed })
    }
}
