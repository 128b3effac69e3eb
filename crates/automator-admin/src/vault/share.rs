//! Shared folders that an application may read (spec 5.1 step 7 and 7.2).

use keeper_wire::Uid;
use keeper_wire::messages::applications as m;
use keeper_wire::messages::applications::ApplicationShareType;
use serde::Serialize;

use crate::vault::application::Application;
use crate::vault::folder::{Folder, look, not_done};
use crate::vault::info;
use crate::{Error, Session};

const KIND: &str = "share";

/// A shared folder that an application may read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Share {
    /// The folder's UID. It need not be in the vault: removing a folder leaves its share behind.
    pub folder: Uid,
    /// Whether devices may write.
    pub editable: bool,
    /// When it was made, milliseconds since 1970.
    pub created: i64,
}

/// All shares of folders of an application.
///
/// # Errors
/// As any call.
pub async fn list(session: &Session, application: &Application) -> Result<Vec<Share>, Error> {
    Ok(info::shares(&info::of(session, application.uid).await?))
}

/// The share of a folder, if there is one.
///
/// # Errors
/// As any call.
pub async fn find(session: &Session, application: &Application, folder: Uid) -> Result<Option<Share>, Error> {
    Ok(list(session, application).await?.into_iter().find(|share| share.folder == folder))
}

/// Shares a folder with an application, or finds that it is shared so. One that is shared with another `editable` is removed
/// and added, as Keeper has no call that changes it; devices cannot read in between.
///
/// # Errors
/// As any change.
pub async fn create(
    session: &Session,
    application: &Application,
    folder: &Folder,
    editable: bool,
) -> Result<Share, Error> {
    match find(session, application, folder.uid).await? {
        Some(share) if share.editable == editable => return Ok(share),
        Some(_) => remove(session, application, folder.uid).await?,
        None => {}
    }
    // One at a time: a single duplicate is taken to fail a whole request.
    let request = m::AddAppSharesRequest {
        app_record_uid: application.uid.as_bytes().to_vec(),
        shares: vec![m::AppShareAdd {
            secret_uid: folder.uid.as_bytes().to_vec(),
            share_type: ApplicationShareType::Folder.into(),
            encrypted_secret_key: application.key.seal(folder.key.expose()),
            editable,
        }],
    };
    let told = session.tell("vault/app_share_add", &request).await;
    let lost = look(session, "app_share_add", told)?;
    match find(session, application, folder.uid).await? {
        Some(share) if share.editable == editable => Ok(share),
        _ => Err(not_done(lost, "create", KIND, of(application, folder.uid))),
    }
}

/// Changes whether devices may write; see [`create`].
///
/// # Errors
/// As any change.
pub async fn change(
    session: &Session,
    application: &Application,
    folder: &Folder,
    editable: bool,
) -> Result<Share, Error> {
    create(session, application, folder, editable).await
}

/// Removes the share of a folder. That there is none is success.
///
/// # Errors
/// As any change.
pub async fn remove(session: &Session, application: &Application, folder: Uid) -> Result<(), Error> {
    if find(session, application, folder).await?.is_none() {
        return Ok(());
    }
    let request = m::RemoveAppSharesRequest {
        app_record_uid: application.uid.as_bytes().to_vec(),
        shares: vec![folder.as_bytes().to_vec()],
    };
    let told = session.tell("vault/app_share_remove", &request).await;
    let lost = look(session, "app_share_remove", told)?;
    match find(session, application, folder).await? {
        None => Ok(()),
        Some(_) => Err(not_done(lost, "remove", KIND, of(application, folder))),
    }
}

fn of(application: &Application, folder: Uid) -> String {
    format!("of {folder} with {}", application.uid)
}
