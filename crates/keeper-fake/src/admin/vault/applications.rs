//! Applications, their shares and their devices.
//!
//! Guesses: that an application has to be ours, that one duplicate share fails the whole request, that a client id is refused
//! when it was used before, and that removing what is not there is no error.

use super::{Cx, WRAPPED_KEY, room, taken, uid};
use crate::admin::account::opaque;
use crate::admin::reply::{Refusal, Reply, read};
use crate::vault::{Application, Device, Record, Share, Vault};
use keeper_wire::messages::applications as m;
use keeper_wire::messages::applications::{AppClientType, ApplicationShareType};
use keeper_wire::messages::authentication::Device as DeviceToken;
use keeper_wire::messages::records::{ApplicationAddRequest, RecordKeyType};
use keeper_wire::{ClientId, Uid};

pub(super) fn add(cx: &mut Cx<'_>, payload: &[u8]) -> Result<Reply, Refusal> {
    let request: ApplicationAddRequest = read(payload)?;
    if !cx.account.rules.secrets_manager {
        return Err(Refusal::denied("Keeper Secrets Manager is not enabled for this account"));
    }
    let name = uid(&request.app_uid, "app_uid")?;
    if taken(cx.vault, name) {
        return Err(Refusal::new(400, "record_exists", "An application of this UID exists"));
    }
    if request.record_key.len() != WRAPPED_KEY || request.data.is_empty() || !room(cx.vault, 1) {
        return Err(Refusal::malformed("record_key or data"));
    }
    let revision = cx.vault.change();
    cx.vault.records.insert(
        name,
        Record {
            version: 5,
            revision,
            modified: request.client_modified_time,
            data: request.data,
            key: request.record_key,
            key_type: RecordKeyType::ByDataKeyGcm,
            file: None,
        },
    );
    cx.vault.places.insert((None, name), revision);
    cx.vault.applications.insert(name, Application::default());
    Ok(Reply::Void)
}

fn application<'a>(vault: &'a mut Vault, bytes: &[u8]) -> Result<&'a mut Application, Refusal> {
    let name = uid(bytes, "appRecordUid")?;
    vault.applications.get_mut(&name).ok_or_else(|| Refusal::denied("There is no such application"))
}

pub(super) fn share_add(cx: &mut Cx<'_>, payload: &[u8]) -> Result<Reply, Refusal> {
    let request: m::AddAppSharesRequest = read(payload)?;
    let mut shares = Vec::new();
    for wanted in &request.shares {
        let secret = uid(&wanted.secret_uid, "secretUid")?;
        let folder = wanted.share_type() == ApplicationShareType::Folder;
        let exists = match folder {
            true => cx.vault.folders.contains_key(&secret) && cx.vault.shared_root(secret) == Some(secret),
            false => cx.vault.records.contains_key(&secret),
        };
        if !exists {
            return Err(Refusal::denied("There is no such shared folder or record"));
        }
        if wanted.encrypted_secret_key.len() != WRAPPED_KEY {
            return Err(Refusal::malformed("encryptedSecretKey"));
        }
        let share =
            Share { folder, key: wanted.encrypted_secret_key.clone(), editable: wanted.editable, created: cx.now };
        shares.push((secret, share));
    }
    let here = application(cx.vault, &request.app_record_uid)?;
    if shares.iter().any(|(secret, _)| here.shares.contains_key(secret)) {
        return Err(Refusal::new(400, "duplicate", "Duplicate share, already added"));
    }
    here.shares.extend(shares);
    cx.vault.change();
    Ok(Reply::Void)
}

pub(super) fn share_remove(cx: &mut Cx<'_>, payload: &[u8]) -> Result<Reply, Refusal> {
    let request: m::RemoveAppSharesRequest = read(payload)?;
    let here = application(cx.vault, &request.app_record_uid)?;
    here.shares.retain(|secret, _| !request.shares.iter().any(|gone| gone.as_slice() == secret.as_bytes()));
    cx.vault.change();
    Ok(Reply::Void)
}

/// Devices of one application.
const MOST_DEVICES: usize = 500;

pub(super) fn client_add(cx: &mut Cx<'_>, payload: &[u8]) -> Result<Reply, Refusal> {
    let request: m::AddAppClientRequest = read(payload)?;
    let client_id = ClientId::from_slice(&request.client_id).map_err(|_| Refusal::malformed("clientId"))?;
    if request.encrypted_app_key.len() != WRAPPED_KEY {
        return Err(Refusal::malformed("encryptedAppKey"));
    }
    let used = |application: &Application| application.devices.iter().any(|device| device.client_id == client_id);
    if cx.vault.applications.values().any(used) {
        return Err(Refusal::new(400, "duplicate", "A client of this id exists"));
    }
    let here = application(cx.vault, &request.app_record_uid)?;
    if here.devices.len() >= MOST_DEVICES {
        return Err(Refusal::new(400, "limit", "Too many devices"));
    }
    here.devices.push(Device {
        name: request.id,
        client_id,
        app_key: request.encrypted_app_key,
        public_key: None,
        bound: false,
        lock_ip: request.lock_ip,
        address: String::new(),
        created: cx.now,
        first_access: 0,
        last_access: 0,
        first_access_until: request.first_access_expire_on,
        access_until: request.access_expire_on,
        kind: request.app_client_type,
    });
    cx.vault.change();
    Ok(Reply::message(&DeviceToken { encrypted_device_token: opaque(64) }))
}

pub(super) fn client_remove(cx: &mut Cx<'_>, payload: &[u8]) -> Result<Reply, Refusal> {
    let request: m::RemoveAppClientsRequest = read(payload)?;
    let here = application(cx.vault, &request.app_record_uid)?;
    here.devices.retain(|device| !request.clients.iter().any(|gone| gone.as_slice() == device.client_id.as_bytes()));
    cx.vault.change();
    Ok(Reply::Void)
}

pub(super) fn info(cx: &Cx<'_>, payload: &[u8]) -> Result<Reply, Refusal> {
    let request: m::GetAppInfoRequest = read(payload)?;
    let mut answer = m::GetAppInfoResponse::default();
    for bytes in &request.app_record_uid {
        let name = uid(bytes, "appRecordUid")?;
        if let Some(application) = cx.vault.applications.get(&name) {
            answer.app_info.push(one(name, application));
        }
    }
    Ok(Reply::message(&answer))
}

fn one(name: Uid, application: &Application) -> m::AppInfo {
    let share = |(secret, share): (&Uid, &Share)| m::AppShare {
        secret_uid: secret.as_bytes().to_vec(),
        share_type: if share.folder { ApplicationShareType::Folder } else { ApplicationShareType::Record }.into(),
        editable: share.editable,
        created_on: share.created,
        data: Vec::new(),
    };
    let client = |device: &Device| m::AppClient {
        id: device.name.clone(),
        client_id: device.client_id.as_bytes().to_vec(),
        created_on: device.created,
        first_access: device.first_access,
        last_access: device.last_access,
        public_key: device.public_key.map_or_else(Vec::new, |key| key.as_bytes().to_vec()),
        lock_ip: device.lock_ip,
        ip_address: device.address.clone(),
        first_access_expire_on: device.first_access_until,
        access_expire_on: device.access_until,
        app_client_type: device.kind,
        can_edit: false,
    };
    m::AppInfo {
        app_record_uid: name.as_bytes().to_vec(),
        shares: application.shares.iter().map(share).collect(),
        clients: application.devices.iter().map(client).collect(),
        is_external_share: false,
    }
}

pub(super) fn summary(cx: &Cx<'_>) -> Reply {
    let count = |number: usize| i32::try_from(number).unwrap_or(i32::MAX);
    let one = |(name, application): (&Uid, &Application)| {
        let general = application.devices.iter().filter(|device| device.kind == i32::from(AppClientType::General));
        let expired =
            application.devices.iter().filter(|device| device.access_until != 0 && device.access_until < cx.now);
        let folders = application.shares.iter().filter(|(_, share)| share.folder);
        m::ApplicationSummary {
            app_record_uid: name.as_bytes().to_vec(),
            last_access: general.clone().map(|device| device.last_access).max().unwrap_or_default(),
            record_shares: count(application.shares.values().filter(|share| !share.folder).count()),
            folder_shares: count(folders.clone().count()),
            folder_records: count(folders.map(|(folder, _)| cx.vault.records_in(Some(*folder)).count()).sum()),
            client_count: count(general.count()),
            expired_client_count: count(expired.count()),
            username: cx.account.username.clone(),
            app_data: cx.vault.records.get(name).map_or_else(Vec::new, |record| record.data.clone()),
        }
    };
    let application_summary = cx.vault.applications.iter().map(one).collect();
    Reply::message(&m::GetApplicationsSummaryResponse { application_summary })
}
