//! What an application may read and who reads: `get_app_info` (spec 7.1).

use keeper_wire::messages::applications as m;
use keeper_wire::messages::applications::{AppClientType, ApplicationShareType};
use keeper_wire::{ClientId, Uid};

use crate::vault::VaultError;
use crate::vault::device::Device;
use crate::vault::open::uid_of;
use crate::vault::share::Share;
use crate::{Error, Session};

/// The one application's answer.
pub(crate) async fn of(session: &Session, application: Uid) -> Result<m::AppInfo, Error> {
    let request = m::GetAppInfoRequest { app_record_uid: vec![application.as_bytes().to_vec()] };
    let answer: m::GetAppInfoResponse = session.ask("vault/get_app_info", &request).await?;
    let mut infos = answer.app_info.into_iter();
    let ours = infos.find(|info| info.app_record_uid == application.as_bytes());
    ours.ok_or_else(|| VaultError::Gone { kind: "application", id: application.to_string() }.into())
}

/// Only general ones: the others belong to other products and are never touched.
pub(crate) fn devices(info: &m::AppInfo) -> Vec<Device> {
    let general = info.clients.iter().filter(|client| client.app_client_type() == AppClientType::General);
    general
        .filter_map(|client| {
            Some(Device {
                name: client.id.clone(),
                client_id: ClientId::from_slice(&client.client_id).ok()?,
                created: client.created_on,
                first_access: client.first_access,
                last_access: client.last_access,
                ip_lock: client.lock_ip,
                token_until: client.first_access_expire_on,
                access_until: client.access_expire_on,
            })
        })
        .collect()
}

/// Shares of folders. A folder that was removed leaves its share behind (spec 7.2), so it need not be in the vault.
pub(crate) fn shares(info: &m::AppInfo) -> Vec<Share> {
    let folders = info.shares.iter().filter(|share| share.share_type() == ApplicationShareType::Folder);
    folders
        .filter_map(|share| {
            Some(Share { folder: uid_of(&share.secret_uid)?, editable: share.editable, created: share.created_on })
        })
        .collect()
}
