//! What a session may ask about its own account, and the two settings of a device that resumes by itself.

use super::account::Account;
use super::enterprise::Enterprise;
use super::reply::{Refusal, Reply, read};
use keeper_wire::messages::account_summary as m;
use keeper_wire::messages::authentication::{RegisterDeviceDataKeyRequest, UserSettingRequest};

/// Answers of endpoints of several names. `None` is for another topic.
pub(super) fn answer(
    account: &mut Account,
    enterprise: &Enterprise,
    endpoint: &str,
    payload: &[u8],
) -> Option<Result<Reply, Refusal>> {
    Some(match endpoint {
        "login/account_summary" => read::<m::AccountSummaryRequest>(payload).map(|_| summary(account, enterprise)),
        "authentication/register_encrypted_data_key_for_device" => data_key(account, payload),
        "setting/set_user_setting" => setting(account, payload),
        "keep_alive" => Ok(Reply::Void),
        _ => return None,
    })
}

fn summary(account: &Account, enterprise: &Enterprise) -> Reply {
    let rules = &account.rules;
    let switch = |key: &str, value: bool| m::KeyValueBoolean { key: key.to_owned(), value };
    let mut booleans = vec![switch("allow_secrets_manager", rules.secrets_manager)];
    if rules.restrict_persistent_login {
        booleans.push(switch("restrict_persistent_login", true));
    }
    let rsa = if rules.forbid_rsa { Vec::new() } else { account.data_key.seal_cbc(&account.rsa.private) };
    let devices = account.devices.iter().map(|(token, device)| m::DeviceInfo {
        encrypted_device_token: token.clone(),
        device_name: device.name.clone(),
        device_status: i32::from(device.approved),
        device_public_key: device.public_key.as_bytes().to_vec(),
        encrypted_data_key_present: device.data_key.is_some(),
        ..Default::default()
    });
    Reply::message(&m::AccountSummaryElements {
        settings: Some(m::Settings {
            email_verified: true,
            sso_user: rules.sso,
            persistent_login: account.setting("persistent_login") == "1",
            two_factor_required: !account.totp.is_empty(),
            ..Default::default()
        }),
        keys_info: Some(m::KeysInfo {
            encryption_params: account.encryption_params(),
            encrypted_private_key: rsa,
            encrypted_ecc_private_key: account.data_key.seal(account.ec.expose_scalar()),
            ecc_public_key: account.ec.public().as_bytes().to_vec(),
            ..Default::default()
        }),
        is_enterprise_admin: rules.administrator,
        license: Some(m::License {
            product_type_name: "Enterprise".to_owned(),
            account_type: 2,
            enterprise_id: enterprise.id,
            account_uid: account.uid.as_bytes().to_vec(),
            email: account.username.clone(),
            is_ksm_enabled: rules.secrets_manager,
            ..Default::default()
        }),
        enforcements: Some(m::Enforcements { booleans, ..Default::default() }),
        usernames: vec![account.username.clone()],
        devices: devices.collect(),
        forbid_key_type2: rules.forbid_rsa,
        ..Default::default()
    })
}

/// Refused when it was done before, as in production.
fn data_key(account: &mut Account, payload: &[u8]) -> Result<Reply, Refusal> {
    let request: RegisterDeviceDataKeyRequest = read(payload)?;
    let device = account.devices.get_mut(&request.encrypted_device_token);
    let device = device.ok_or_else(|| Refusal::new(401, "device_not_registered", "the device is not registered"))?;
    if device.data_key.is_some() {
        return Err(Refusal::new(400, "device_data_key_exists", "The data key of this device is registered already"));
    }
    // A point of 65 bytes, nonce, 32 bytes, tag.
    if request.encrypted_device_data_key.len() != 125 {
        return Err(Refusal::malformed("encryptedDeviceDataKey"));
    }
    device.data_key = Some(request.encrypted_device_data_key);
    Ok(Reply::Void)
}

const KNOWN: [&str; 4] = ["persistent_login", "logout_timer", "ip_disable_auto_approve", "theme"];

fn setting(account: &mut Account, payload: &[u8]) -> Result<Reply, Refusal> {
    let request: UserSettingRequest = read(payload)?;
    if !KNOWN.contains(&request.setting.as_str()) {
        return Err(Refusal::malformed("the name of the setting"));
    }
    if request.setting == "persistent_login" && account.rules.restrict_persistent_login {
        return Err(Refusal::denied("Persistent login is restricted by a role policy"));
    }
    account.settings.insert(request.setting, request.value);
    Ok(Reply::Void)
}
