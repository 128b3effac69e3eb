//! From a device token to a session.
//!
//! The order of the steps is what the vendor's client is ready for: approval of the device, single sign-on, second factor,
//! password. That a stale clone code leads to the question for a user name, that a login token is good for one call, and the
//! codes and statuses of refusals other than `auth_failed` and `device_not_registered` are guesses.

use super::account::{Account, Device, Progress, opaque};
use super::reply::{Refusal, Reply, read};
use keeper_wire::crypto;
use keeper_wire::ec::PublicKey;
use keeper_wire::messages::authentication as m;
use keeper_wire::messages::authentication::{EncryptedDataKeyType, LoginState, LoginType, TwoFactorExpiration};

/// Answers below `authentication/` that need no session. `None` is for another topic.
pub(super) fn answer(
    account: &mut Account,
    now: i64,
    endpoint: &str,
    payload: &[u8],
) -> Option<Result<Reply, Refusal>> {
    Some(match endpoint {
        "register_device" => register_device(account, payload),
        "register_device_in_region" => register_device_in_region(account, payload),
        "start_login" => start_login(account, now, payload),
        "validate_auth_hash" => validate_auth_hash(account, now, payload),
        "2fa_validate" => second_factor(account, now, payload),
        "2fa_send_push" => read::<m::TwoFactorSendPushRequest>(payload)
            .and_then(|request| progress(account, &request.encrypted_login_token).map(|_| Reply::Void)),
        "request_device_verification" => request_verification(account, payload),
        "validate_device_verification_code" => validate_code(account, payload),
        _ => return None,
    })
}

const NOT_REGISTERED: &str = "device_not_registered";

fn register_device(account: &mut Account, payload: &[u8]) -> Result<Reply, Refusal> {
    let request: m::DeviceRegistrationRequest = read(payload)?;
    let token = opaque(64);
    add_device(account, token.clone(), &request.device_name, &request.device_public_key)?;
    Ok(Reply::message(&m::Device { encrypted_device_token: token }))
}

/// A token of another region becomes known here.
fn register_device_in_region(account: &mut Account, payload: &[u8]) -> Result<Reply, Refusal> {
    let request: m::RegisterDeviceInRegionRequest = read(payload)?;
    if !account.devices.contains_key(&request.encrypted_device_token) {
        add_device(account, request.encrypted_device_token, &request.device_name, &request.device_public_key)?;
    }
    Ok(Reply::Void)
}

/// More devices than this are never asked for in a test.
const MOST_DEVICES: usize = 1000;

fn add_device(account: &mut Account, token: Vec<u8>, name: &str, public_key: &[u8]) -> Result<(), Refusal> {
    let public_key = PublicKey::from_slice(public_key).map_err(|_| Refusal::malformed("devicePublicKey"))?;
    if token.is_empty() || account.devices.len() >= MOST_DEVICES {
        return Err(Refusal::malformed("encryptedDeviceToken"));
    }
    account.devices.insert(token, Device::new(name, public_key));
    Ok(())
}

impl Device {
    pub(super) fn new(name: &str, public_key: PublicKey) -> Self {
        Self {
            name: name.to_owned(),
            public_key,
            approved: false,
            code: None,
            data_key: None,
            clone_code: None,
            used: 0,
            second_factor: false,
        }
    }
}

fn start_login(account: &mut Account, now: i64, payload: &[u8]) -> Result<Reply, Refusal> {
    let request: m::StartLoginRequest = read(payload)?;
    if account.rules.restrict_clients {
        return Err(Refusal::new(403, "restricted_client_type", "Restricted client type: Commander SDK"));
    }
    if let Some(home) = account.rules.home.clone() {
        return match home.by_state {
            true => Ok(Reply::message(&m::LoginResponse {
                state_specific_value: home.host,
                ..state(LoginState::RegionRedirect)
            })),
            false => {
                Err(Refusal::new(403, "region_redirect", "the account is in another region")
                    .with("region_host", home.host))
            }
        };
    }
    let Some(device) = account.devices.get(&request.encrypted_device_token) else {
        let why = "invalid device token, not registered in this region";
        return Err(Refusal::new(401, NOT_REGISTERED, "the device is not registered").with("additional_info", why));
    };
    if let Some(forced) = account.rules.state {
        let url = if account.rules.sso { SSO_URL.to_owned() } else { String::new() };
        return Ok(Reply::message(&m::LoginResponse { url, encrypted_login_token: opaque(32), ..state(forced) }));
    }
    let named = !request.username.is_empty() || !account.rules.name_beside_clone_code;
    if named && !request.clone_code.is_empty() && resumes(account, device, &request.clone_code, now) {
        return Ok(Reply::message(&logged_in(account, now, &request.encrypted_device_token, DataKey::ForDevice)));
    }

    let mut reached = match request.encrypted_login_token.is_empty() {
        true => Progress {
            device: request.encrypted_device_token.clone(),
            alternate: false,
            second_factor: false,
            wrong: 0,
        },
        false => match account.logins.remove(&request.encrypted_login_token) {
            Some(progress) if progress.device == request.encrypted_device_token => progress,
            _ => return Ok(Reply::message(&state(LoginState::LoginTokenExpired))),
        },
    };
    reached.alternate |= request.login_type() == LoginType::Alternate;
    if request.username.is_empty() {
        return Ok(Reply::message(&with_token(account, reached, LoginState::RequiresUsername)));
    }
    if !request.username.eq_ignore_ascii_case(&account.username) {
        return Err(Refusal::new(401, "user_does_not_exist", "There is no account of this name"));
    }
    Ok(Reply::message(&next_step(account, reached)))
}

const SSO_URL: &str = "https://sso.example.com/api/rest/sso/saml/login";

/// Whether a clone code is good: the newest one of a device with a data key, while nothing forbids it.
fn resumes(account: &Account, device: &Device, code: &[u8], now: i64) -> bool {
    let idle = account.setting("logout_timer").parse::<i64>().ok().map(|minutes| minutes.saturating_mul(60_000));
    let fresh = idle.is_none_or(|idle| now.saturating_sub(device.used) <= idle);
    let allowed = account.setting("persistent_login") == "1" && !account.rules.restrict_persistent_login;
    let known = device.clone_code.as_deref().is_some_and(|known| crypto::same(known, code));
    known && fresh && allowed && device.approved && device.data_key.is_some()
}

fn next_step(account: &mut Account, reached: Progress) -> m::LoginResponse {
    let device = account.devices.get(&reached.device);
    if !device.is_some_and(|device| device.approved) {
        return with_token(account, reached, LoginState::DeviceApprovalRequired);
    }
    let remembered = device.is_some_and(|device| device.second_factor);
    if account.rules.sso && !reached.alternate {
        return m::LoginResponse {
            url: SSO_URL.to_owned(),
            ..with_token(account, reached, LoginState::RedirectCloudSso)
        };
    }
    if !account.totp.is_empty() && !reached.second_factor && !remembered {
        let channel = m::TwoFactorChannelInfo {
            channel_type: m::TwoFactorChannelType::Totp.into(),
            channel_uid: CHANNEL.to_vec(),
            channel_name: "Authenticator".to_owned(),
            max_expiration: TwoFactorExpiration::Never.into(),
            ..Default::default()
        };
        return m::LoginResponse { channels: vec![channel], ..with_token(account, reached, LoginState::Requires2fa) };
    }
    let name = if reached.alternate { "Alternate" } else { "Master" };
    let salt = m::Salt {
        iterations: i32::try_from(account.salt().iterations).unwrap_or(i32::MAX),
        salt: account.salt().salt,
        algorithm: 2,
        uid: account.uid.as_bytes().to_vec(),
        name: name.to_owned(),
    };
    m::LoginResponse { salt: vec![salt], ..with_token(account, reached, LoginState::RequiresAuthHash) }
}

const CHANNEL: &[u8] = b"totp-channel-uid";

fn state(state: LoginState) -> m::LoginResponse {
    m::LoginResponse { login_state: state.into(), ..Default::default() }
}

/// Logins that were begun and never finished, and sessions that were never ended.
const MOST_LOGINS: usize = 1000;

fn with_token(account: &mut Account, reached: Progress, to: LoginState) -> m::LoginResponse {
    let token = opaque(32);
    if account.logins.len() >= MOST_LOGINS {
        account.logins.clear();
    }
    account.logins.insert(token.clone(), reached);
    m::LoginResponse { encrypted_login_token: token, primary_username: account.username.clone(), ..state(to) }
}

fn progress<'a>(account: &'a mut Account, token: &[u8]) -> Result<&'a mut Progress, Refusal> {
    account
        .logins
        .get_mut(token)
        .ok_or_else(|| Refusal::new(401, "login_token_expired", "The login token is not known"))
}

/// Wrong passwords or codes before the account is throttled.
const MOST_WRONG: u32 = 5;

fn wrong(reached: &mut Progress, message: &str) -> Refusal {
    reached.wrong += 1;
    if reached.wrong >= MOST_WRONG {
        return Refusal::new(403, "throttled", "Too many attempts, try again in 1 minute");
    }
    Refusal::new(401, "auth_failed", message)
}

fn validate_auth_hash(account: &mut Account, now: i64, payload: &[u8]) -> Result<Reply, Refusal> {
    let request: m::ValidateAuthHashRequest = read(payload)?;
    let expected = account.salt().auth_hash(&account.password).map_err(|_| Refusal::malformed("the salt"))?;
    let reached = progress(account, &request.encrypted_login_token)?;
    if !crypto::same(&expected, &request.auth_response) {
        return Err(wrong(reached, "Invalid email or password combination, please re-enter."));
    }
    let reached = reached.clone();
    account.logins.remove(&request.encrypted_login_token);
    // The hash may be offered only after the second factor was given.
    let remembered = account.devices.get(&reached.device).is_some_and(|device| device.second_factor);
    if !account.totp.is_empty() && !reached.second_factor && !remembered {
        return Err(Refusal::new(401, "auth_failed", "The second factor is missing"));
    }
    let kind = if reached.alternate { DataKey::Alternate } else { DataKey::ForPassword };
    Ok(Reply::message(&logged_in(account, now, &reached.device, kind)))
}

fn second_factor(account: &mut Account, now: i64, payload: &[u8]) -> Result<Reply, Refusal> {
    let request: m::TwoFactorValidateRequest = read(payload)?;
    let right = totp_is(&account.totp, now, &request.value);
    let reached = progress(account, &request.encrypted_login_token)?;
    if !right {
        return Err(wrong(reached, "Invalid two factor code"));
    }
    let mut reached = reached.clone();
    reached.second_factor = true;
    account.logins.remove(&request.encrypted_login_token);
    if let Some(device) = account.devices.get_mut(&reached.device) {
        device.second_factor |= request.expire_in() != TwoFactorExpiration::Immediately;
    }
    let token = with_token(account, reached, LoginState::RequiresAuthHash).encrypted_login_token;
    Ok(Reply::message(&m::TwoFactorValidateResponse { encrypted_login_token: token }))
}

/// RFC 6238 with six digits, 30 seconds, SHA-1; one step early or late is accepted.
fn totp_is(secret: &[u8], now: i64, code: &str) -> bool {
    let Ok(totp) = totp_rs::Builder::new().with_secret(secret.to_vec()).build() else { return false };
    !secret.is_empty() && u64::try_from(now / 1000).is_ok_and(|seconds| totp.check(code, seconds).is_some())
}

fn request_verification(account: &mut Account, payload: &[u8]) -> Result<Reply, Refusal> {
    let request: m::DeviceVerificationRequest = read(payload)?;
    let device = account.devices.get_mut(&request.encrypted_device_token);
    let device = device.ok_or_else(|| Refusal::new(401, NOT_REGISTERED, "the device is not registered"))?;
    let code: String = opaque(6).iter().map(|byte| char::from(b'0' + byte % 10)).collect();
    device.code = Some(code.clone());
    account.mail.truncate(MOST_LOGINS);
    account.mail.push(code);
    Ok(Reply::Void)
}

/// Commander leaves the device token out, so that the code alone says which device is meant.
fn validate_code(account: &mut Account, payload: &[u8]) -> Result<Reply, Refusal> {
    let request: m::ValidateDeviceVerificationCodeRequest = read(payload)?;
    let meant = |token: &Vec<u8>| request.encrypted_device_token.is_empty() || *token == request.encrypted_device_token;
    let code = Some(request.verification_code.trim());
    let device = account.devices.iter_mut().find(|(token, device)| meant(token) && device.code.as_deref() == code);
    let (_, device) = device
        .ok_or_else(|| Refusal::new(401, "invalid_device_verification_code", "The verification code is wrong"))?;
    device.approved = true;
    device.code = None;
    Ok(Reply::Void)
}

enum DataKey {
    ForDevice,
    ForPassword,
    Alternate,
}

fn logged_in(account: &mut Account, now: i64, device: &[u8], kind: DataKey) -> m::LoginResponse {
    let session = opaque(64);
    let code = if account.rules.keeps_clone_code { Vec::new() } else { opaque(32) };
    if account.sessions.len() >= MOST_LOGINS {
        account.sessions.clear();
    }
    account.sessions.insert(session.clone());
    let device = account.devices.get_mut(device);
    let for_device = device.as_ref().and_then(|device| device.data_key.clone()).unwrap_or_default();
    if let Some(device) = device {
        device.clone_code = if code.is_empty() { device.clone_code.take() } else { Some(code.clone()) };
        device.used = now;
    }
    let (encrypted_data_key, data_key_type) = match kind {
        DataKey::ForDevice => (for_device, EncryptedDataKeyType::ByDevicePublicKey),
        DataKey::ForPassword => (account.encryption_params(), EncryptedDataKeyType::ByPassword),
        DataKey::Alternate => {
            let key = account.salt().domain_key("data_key", &account.password).expect("few rounds");
            (key.seal(account.data_key.expose()), EncryptedDataKeyType::ByAlternate)
        }
    };
    m::LoginResponse {
        account_uid: account.uid.as_bytes().to_vec(),
        primary_username: account.username.clone(),
        encrypted_data_key,
        encrypted_data_key_type: data_key_type.into(),
        encrypted_session_token: session,
        session_token_type: account.rules.session.into(),
        clone_code: code,
        ..state(LoginState::LoggedIn)
    }
}
