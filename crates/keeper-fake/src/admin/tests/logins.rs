//! Every way in, and every way that ends before it.

use super::super::Home;
use super::{Client, START, random};
use keeper_wire::ec::PrivateKey;
use keeper_wire::messages::authentication as m;
use keeper_wire::messages::authentication::{EncryptedDataKeyType, LoginResponse, LoginState, LoginType};
use keeper_wire::password::{Salt, open_encryption_params};
use secrecy::SecretString;

#[test]
fn a_clone_code_is_good_once_and_replaced() {
    let mut client = Client::new();
    let first = client.device.clone_code.clone();
    let answer = client.resume();
    assert_eq!(answer.encrypted_data_key_type(), EncryptedDataKeyType::ByDevicePublicKey);
    let key = client.device.private_key.open(&answer.encrypted_data_key).unwrap();
    assert_eq!(key[..], client.data_key().expose()[..]);
    let stale = client.start(|request| request.clone_code = first).unwrap();
    assert_eq!(stale.login_state(), LoginState::RequiresUsername);
    client.resume();
}

#[test]
fn a_resume_needs_the_setting_the_policy_and_no_long_pause() {
    let refused = |client: &mut Client| {
        let code = client.device.clone_code.clone();
        client.start(|request| request.clone_code = code).unwrap().login_state()
    };
    let mut client = Client::new();
    client.admin.account.rules.restrict_persistent_login = true;
    assert_eq!(refused(&mut client), LoginState::RequiresUsername);

    let mut client = Client::logged_in();
    let setting =
        |setting: &str, value: &str| m::UserSettingRequest { setting: setting.to_owned(), value: value.to_owned() };
    client.void("setting/set_user_setting", &setting("logout_timer", "30")).unwrap();
    client.now = START + 29 * 60_000;
    client.resume();
    client.now += 31 * 60_000;
    assert_eq!(refused(&mut client), LoginState::RequiresUsername);

    let mut client = Client::logged_in();
    client.void("setting/set_user_setting", &setting("persistent_login", "0")).unwrap();
    assert_eq!(refused(&mut client), LoginState::RequiresUsername);
}

fn password(client: &mut Client, reached: &LoginResponse, password: &str) -> Result<LoginResponse, super::Refused> {
    let [salt] = &reached.salt[..] else { panic!("one salt") };
    let salt = Salt { salt: salt.salt.clone(), iterations: u32::try_from(salt.iterations).unwrap() };
    let hash = salt.auth_hash(&SecretString::from(password)).unwrap();
    let request = m::ValidateAuthHashRequest {
        auth_response: hash.to_vec(),
        encrypted_login_token: reached.encrypted_login_token.clone(),
        ..Default::default()
    };
    client.call("authentication/validate_auth_hash", &request)
}

fn named(client: &mut Client) -> LoginResponse {
    let user = client.user();
    client.start(|request| request.username = user).unwrap()
}

#[test]
fn a_stale_code_leads_to_the_password() {
    let mut client = Client::new();
    let stale = client.start(|request| request.clone_code = random(32)).unwrap();
    let user = client.user();
    let reached = client
        .start(|request| {
            request.username = user;
            request.encrypted_login_token = stale.encrypted_login_token;
        })
        .unwrap();
    assert_eq!(reached.login_state(), LoginState::RequiresAuthHash);

    let wrong = password(&mut client, &reached, "wrong").unwrap_err();
    assert_eq!((wrong.status, wrong.error.as_str()), (401, "auth_failed"));
    let right = client.admin.account.expose_password().to_owned();
    let answer = password(&mut client, &reached, &right).unwrap();
    assert_eq!(answer.login_state(), LoginState::LoggedIn);
    assert_eq!(answer.encrypted_data_key_type(), EncryptedDataKeyType::ByPassword);
    let key = open_encryption_params(&answer.encrypted_data_key, &SecretString::from(right)).unwrap();
    assert_eq!(key, client.data_key());
    client.device.clone_code = answer.clone_code;
    client.resume();
}

#[test]
fn five_wrong_passwords_throttle() {
    let mut client = Client::new();
    let reached = named(&mut client);
    let errors: Vec<_> = (0..5).map(|_| password(&mut client, &reached, "wrong").unwrap_err().error).collect();
    assert_eq!(errors.last().unwrap(), "throttled");
    assert!(errors[..4].iter().all(|error| error == "auth_failed"));
}

#[test]
fn a_second_factor_stands_before_the_password() {
    let mut client = Client::new();
    client.admin.account.totp = zeroize::Zeroizing::new(b"12345678901234567890".to_vec());
    let device = client.admin.account.devices.get_mut(&client.device.device_token).unwrap();
    device.second_factor = false;
    // RFC 6238, appendix B: at 59 s the code is 94287082, of which the last six digits count.
    client.now = 59_000;
    let reached = named(&mut client);
    assert_eq!(reached.login_state(), LoginState::Requires2fa);
    let mut request = m::TwoFactorValidateRequest {
        encrypted_login_token: reached.encrypted_login_token.clone(),
        value_type: m::TwoFactorValueType::CodeTotp.into(),
        value: "000000".to_owned(),
        channel_uid: reached.channels[0].channel_uid.clone(),
        ..Default::default()
    };
    let refused = client.call::<m::TwoFactorValidateResponse>("authentication/2fa_validate", &request).unwrap_err();
    assert_eq!(refused.error, "auth_failed");
    request.value = "287082".to_owned();
    let answer: m::TwoFactorValidateResponse = client.call("authentication/2fa_validate", &request).unwrap();
    let user = client.user();
    let reached = client
        .start(|request| {
            request.username = user;
            request.encrypted_login_token = answer.encrypted_login_token;
        })
        .unwrap();
    assert_eq!(reached.login_state(), LoginState::RequiresAuthHash);
    let right = client.admin.account.expose_password().to_owned();
    assert_eq!(password(&mut client, &reached, &right).unwrap().login_state(), LoginState::LoggedIn);
    assert_eq!(named(&mut client).login_state(), LoginState::Requires2fa, "it was not to be remembered");
}

#[test]
fn the_password_alone_does_not_pass_by_the_second_factor() {
    let mut client = Client::new();
    let reached = named(&mut client);
    client.admin.account.totp = zeroize::Zeroizing::new(vec![7; 20]);
    client.admin.account.devices.get_mut(&client.device.device_token).unwrap().second_factor = false;
    let right = client.admin.account.expose_password().to_owned();
    assert_eq!(password(&mut client, &reached, &right).unwrap_err().error, "auth_failed");
}

#[test]
fn a_new_device_is_approved_by_the_code_of_an_e_mail() {
    let mut client = Client::new();
    let key = PrivateKey::generate();
    let request = m::DeviceRegistrationRequest {
        device_name: "test".to_owned(),
        device_public_key: key.public().as_bytes().to_vec(),
        ..Default::default()
    };
    let device: m::Device = client.call("authentication/register_device", &request).unwrap();
    client.device.device_token = device.encrypted_device_token.clone();
    client.device.private_key = key;
    assert_eq!(named(&mut client).login_state(), LoginState::DeviceApprovalRequired);

    let ask = m::DeviceVerificationRequest {
        encrypted_device_token: device.encrypted_device_token,
        username: client.user(),
        verification_channel: "email".to_owned(),
        ..Default::default()
    };
    client.void("authentication/request_device_verification", &ask).unwrap();
    let mut code = m::ValidateDeviceVerificationCodeRequest {
        username: client.user(),
        verification_code: "no code".to_owned(),
        ..Default::default()
    };
    let refused = client.void("authentication/validate_device_verification_code", &code).unwrap_err();
    assert_eq!(refused.error, "invalid_device_verification_code");
    code.verification_code = client.admin.account.mail.last().unwrap().clone();
    client.void("authentication/validate_device_verification_code", &code).unwrap();

    let reached = named(&mut client);
    let right = client.admin.account.expose_password().to_owned();
    let answer = password(&mut client, &reached, &right).unwrap();
    client.session = answer.encrypted_session_token;
    let sealed = client.device.private_key.public().seal(client.data_key().expose());
    let register = m::RegisterDeviceDataKeyRequest {
        encrypted_device_token: client.device.device_token.clone(),
        encrypted_device_data_key: sealed,
    };
    let endpoint = "authentication/register_encrypted_data_key_for_device";
    client.void(endpoint, &register).unwrap();
    assert_eq!(client.void(endpoint, &register).unwrap_err().error, "device_data_key_exists");
    client.device.clone_code = answer.clone_code;
    client.resume();
}

#[test]
fn unknown_devices_and_users_are_refused() {
    let mut client = Client::new();
    let refused = client.start(|request| request.encrypted_device_token = vec![1]).unwrap_err();
    assert_eq!(refused.error, "device_not_registered");
    assert!(refused.body["additional_info"].as_str().unwrap().contains("not registered in this region"));
    let refused = client.start(|request| request.username = "somebody@example.com".to_owned()).unwrap_err();
    assert_eq!(refused.error, "user_does_not_exist");
}

#[test]
fn an_account_of_another_region_says_where_it_is() {
    let mut client = Client::new();
    client.admin.account.rules.home = Some(Home { host: "keepersecurity.eu".to_owned(), by_state: true });
    let answer = client.start(|_| {}).unwrap();
    assert_eq!(
        (answer.login_state(), answer.state_specific_value.as_str()),
        (LoginState::RegionRedirect, "keepersecurity.eu")
    );
    client.admin.account.rules.home = Some(Home { host: "keepersecurity.eu".to_owned(), by_state: false });
    let refused = client.start(|_| {}).unwrap_err();
    assert_eq!(
        (refused.error.as_str(), refused.body["region_host"].as_str()),
        ("region_redirect", Some("keepersecurity.eu"))
    );
}

#[test]
fn a_device_of_another_region_becomes_known_by_registering_it() {
    let mut client = Client::new();
    let (token, key) = (random(64), PrivateKey::generate());
    client.device.device_token.clone_from(&token);
    let request = m::RegisterDeviceInRegionRequest {
        encrypted_device_token: token,
        device_public_key: key.public().as_bytes().to_vec(),
        ..Default::default()
    };
    client.void("authentication/register_device_in_region", &request).unwrap();
    assert_eq!(named(&mut client).login_state(), LoginState::DeviceApprovalRequired);
}

#[test]
fn a_restricted_client_is_told_so() {
    let mut client = Client::new();
    client.admin.account.rules.restrict_clients = true;
    let refused = client.start(|_| {}).unwrap_err();
    assert_eq!((refused.status, refused.error.as_str()), (403, "restricted_client_type"));
}

#[test]
fn single_sign_on_and_its_way_around() {
    let mut client = Client::new();
    client.admin.account.rules.sso = true;
    let answer = named(&mut client);
    assert_eq!(answer.login_state(), LoginState::RedirectCloudSso);
    assert!(answer.url.starts_with("https://"));
    let user = client.user();
    let reached = client
        .start(|request| {
            request.username = user;
            request.login_type = LoginType::Alternate.into();
        })
        .unwrap();
    assert_eq!(reached.salt[0].name, "Alternate");
    let right = client.admin.account.expose_password().to_owned();
    let answer = password(&mut client, &reached, &right).unwrap();
    assert_eq!(answer.encrypted_data_key_type(), EncryptedDataKeyType::ByAlternate);
    let salt = Salt { salt: reached.salt[0].salt.clone(), iterations: 1000 };
    let key = salt.domain_key("data_key", &SecretString::from(right)).unwrap();
    assert_eq!(key.open(&answer.encrypted_data_key).unwrap()[..], client.data_key().expose()[..]);
}

#[test]
fn every_state_can_be_asked_for() {
    let states = [
        LoginState::DeviceLocked,
        LoginState::AccountLocked,
        LoginState::Upgrade,
        LoginState::LicenseExpired,
        LoginState::RedirectOnsiteSso,
        LoginState::RequiresDeviceEncryptedDataKey,
        LoginState::PasskeyInitiateChallenge,
    ];
    for state in states {
        let mut client = Client::new();
        client.admin.account.rules.state = Some(state);
        assert_eq!(named(&mut client).login_state(), state);
    }
}

#[test]
fn a_login_token_is_good_for_one_call() {
    let mut client = Client::new();
    let reached = client.start(|_| {}).unwrap();
    let user = client.user();
    let mut again = || {
        client.start(|request| {
            request.username.clone_from(&user);
            request.encrypted_login_token.clone_from(&reached.encrypted_login_token);
        })
    };
    assert_eq!(again().unwrap().login_state(), LoginState::RequiresAuthHash);
    assert_eq!(again().unwrap().login_state(), LoginState::LoginTokenExpired);
}

#[test]
fn a_restricted_session_says_its_type() {
    let mut client = Client::new();
    client.admin.account.rules.session = m::SessionTokenType::AccountRecovery;
    assert_eq!(client.resume().session_token_type(), m::SessionTokenType::AccountRecovery);
}
