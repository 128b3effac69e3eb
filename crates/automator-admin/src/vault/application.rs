//! Secrets Manager applications (spec 5.1 step 6 and 7.2).

use std::fmt;

use keeper_wire::Uid;
use keeper_wire::crypto::Key;
use keeper_wire::messages::records::ApplicationAddRequest;
use serde::Serialize;
use serde_json::{Map, json};

use crate::document::Document;
use crate::vault::folder::{look, not_done};
use crate::vault::marker::{Marked, find as find_marked, ours};
use crate::vault::record::padded;
use crate::vault::remove::{Target, remove as remove_target};
use crate::vault::{Marker, Vault, VaultError, info};
use crate::{Error, Session, wait};

const KIND: &str = "application";

/// A Secrets Manager application.
#[derive(Clone, Serialize)]
pub struct Application {
    /// Its UID.
    pub uid: Uid,
    /// Its title.
    pub title: String,
    /// Its revision.
    pub revision: i64,
    /// Whose it is, where it carries a marker.
    pub marker: Option<Marker>,
    #[serde(skip)]
    pub(crate) key: Key,
}

impl fmt::Debug for Application {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Application").field("uid", &self.uid).field("title", &self.title).finish_non_exhaustive()
    }
}

impl Application {
    pub(crate) fn new(uid: Uid, key: Key, revision: i64, document: &Document) -> Self {
        Self { uid, title: document.text("title").to_owned(), revision, marker: Marker::read(document), key }
    }
}

impl Marked for Application {
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

/// Finds our application by its marker, whatever it is called by now; the title decides between several.
///
/// # Errors
/// [`VaultError::Stranger`], [`VaultError::Ambiguous`].
pub fn find(vault: &Vault, title: &str, marker: &Marker) -> Result<Option<Application>, VaultError> {
    find_marked(vault.applications.values(), title, marker).map(|found| found.cloned())
}

/// All applications that carry this marker.
#[must_use]
pub fn owned(vault: &Vault, marker: &Marker) -> Vec<Application> {
    vault.applications.values().filter(|application| application.marker.as_ref() == Some(marker)).cloned().collect()
}

/// Finds our application, or makes it, without shares and devices.
///
/// # Errors
/// [`VaultError::Stranger`], [`VaultError::Ambiguous`]; a refusal `access_denied` where Secrets Manager is not allowed.
pub async fn create(session: &Session, title: &str, marker: &Marker) -> Result<Application, Error> {
    session.look_again();
    if let Some(application) = find(&*session.vault().await?, title, marker)? {
        return Ok(application);
    }
    let (uid, key) = (Uid::random(), Key::random());
    let mut data = Map::from_iter([("title".to_owned(), json!(title)), ("type".to_owned(), json!("app"))]);
    marker.write(&mut data);
    let request = ApplicationAddRequest {
        app_uid: uid.as_bytes().to_vec(),
        record_key: session.data_key().seal(key.expose()),
        client_modified_time: wait::now(),
        data: key.seal(&padded(&data)),
        audit: None,
    };
    let told = session.tell("vault/application_add", &request).await;
    let lost = look(session, "application_add", told)?;
    let made = session.vault().await?.applications.get(&uid).cloned();
    made.ok_or_else(|| not_done(lost, "create", KIND, uid.to_string()))
}

/// Removes our application, which no client can list or restore afterwards. Its devices and shares are removed first, so that
/// it does not matter what becomes of them. That it is gone already is success.
///
/// # Errors
/// [`VaultError::NotOurs`], and as any change.
pub async fn remove(session: &Session, application: &Application) -> Result<(), Error> {
    session.look_again();
    let vault = session.vault().await?;
    let Some(now) = vault.applications.get(&application.uid) else { return Ok(()) };
    let marker = application.marker.as_ref().ok_or(VaultError::NotOurs { kind: KIND, uid: application.uid })?;
    ours(now, marker)?;
    let known = info::of(session, application.uid).await?;
    for device in info::devices(&known) {
        super::device::remove(session, application, &device.client_id).await?;
    }
    for share in info::shares(&known) {
        super::share::remove(session, application, share.folder).await?;
    }
    let target = Target { uid: application.uid, kind: "record", from: None };
    let gone = |vault: &Vault| !vault.applications.contains_key(&application.uid);
    remove_target(session, KIND, application.uid, &[target], gone).await
}
