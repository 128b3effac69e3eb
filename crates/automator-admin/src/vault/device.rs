//! Devices of an application (spec 5.1 step 8 and 7.1).
//!
//! A device is known by its client id, which follows from its one-time token. The caller makes the token and writes it down
//! *before* [`create`], so that no crash leaves a device that nobody can find. Names of devices are not unique.

use keeper_wire::messages::applications as m;
use keeper_wire::messages::applications::AppClientType;
use keeper_wire::messages::authentication::Device as DeviceToken;
use keeper_wire::{ClientId, OneTimeToken};
use serde::{Serialize, Serializer};

use crate::vault::application::Application;
use crate::vault::folder::{look, not_done};
use crate::vault::info;
use crate::{Error, Session, wait};

const KIND: &str = "device";
/// How long a new token may wait to be used: a day, so that a run that was interrupted can be resumed.
pub const TOKEN_LIFE_MS: i64 = 24 * 60 * 60 * 1000;

/// A device of an application. Times are milliseconds since 1970, 0 is never.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Device {
    /// Its name.
    pub name: String,
    /// What names it: 64 bytes that its configuration has too.
    #[serde(serialize_with = "as_text")]
    pub client_id: ClientId,
    /// When it was made.
    pub created: i64,
    /// When it was first used: 0 until it is bound.
    pub first_access: i64,
    /// When it was last used.
    pub last_access: i64,
    /// Whether it is bound to the address of its first call. Ours never are.
    pub ip_lock: bool,
    /// Until when its one-time token is good.
    pub token_until: i64,
    /// Until when it may read; 0 is without end.
    pub access_until: i64,
}

/// Standard base64, as in a device configuration.
fn as_text<S: Serializer>(id: &ClientId, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(id)
}

impl Device {
    /// Whether its token was used.
    #[must_use]
    pub fn is_bound(&self) -> bool {
        self.first_access != 0
    }

    /// Whether its token was never used and no longer can be. Make another device with another token then.
    #[must_use]
    pub fn is_dead(&self) -> bool {
        !self.is_bound() && self.token_until != 0 && self.token_until <= wait::now()
    }
}

/// All devices of an application, those of other products left out.
///
/// # Errors
/// As any call.
pub async fn list(session: &Session, application: &Application) -> Result<Vec<Device>, Error> {
    Ok(info::devices(&info::of(session, application.uid).await?))
}

/// The device of a client id, if it is there.
///
/// # Errors
/// As any call.
pub async fn find(session: &Session, application: &Application, id: &ClientId) -> Result<Option<Device>, Error> {
    Ok(list(session, application).await?.into_iter().find(|device| device.client_id == *id))
}

/// Adds the device of this token, without a lock to an address and without an end, or finds it.
///
/// # Errors
/// As any change.
pub async fn create(
    session: &Session,
    application: &Application,
    name: &str,
    token: &OneTimeToken,
) -> Result<Device, Error> {
    let id = token.client_id();
    if let Some(device) = find(session, application, &id).await? {
        return Ok(device);
    }
    let token = keeper_wire::crypto::Key::from_slice(token.expose()).map_err(|_| Error::Reply {
        call: "app_client_add",
        what: "a token has 32 bytes",
        write: false,
    })?;
    let request = m::AddAppClientRequest {
        app_record_uid: application.uid.as_bytes().to_vec(),
        encrypted_app_key: token.seal(application.key.expose()),
        client_id: id.as_bytes().to_vec(),
        lock_ip: false,
        first_access_expire_on: wait::now() + TOKEN_LIFE_MS,
        access_expire_on: 0,
        id: name.to_owned(),
        app_client_type: AppClientType::General.into(),
    };
    let told = session.change::<DeviceToken>("vault/app_client_add", &request).await;
    let lost = look(session, "app_client_add", told.map(|_| ()))?;
    let made = find(session, application, &id).await?;
    made.ok_or_else(|| not_done(lost, "create", KIND, format!("{name} ({id})")))
}

/// Removes a device. That it is not there is success.
///
/// # Errors
/// As any change.
pub async fn remove(session: &Session, application: &Application, id: &ClientId) -> Result<(), Error> {
    if find(session, application, id).await?.is_none() {
        return Ok(());
    }
    let request = m::RemoveAppClientsRequest {
        app_record_uid: application.uid.as_bytes().to_vec(),
        clients: vec![id.as_bytes().to_vec()],
    };
    let told = session.tell("vault/app_client_remove", &request).await;
    let lost = look(session, "app_client_remove", told)?;
    match find(session, application, id).await? {
        None => Ok(()),
        Some(_) => Err(not_done(lost, "remove", KIND, id.to_string())),
    }
}
