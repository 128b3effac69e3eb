//! Package `Authentication`, first part: the envelope and everything up to a session.

numbers! {
    /// What kind of login is wanted.
    LoginType {
        Normal = 0, "NORMAL";
        Sso = 1, "SSO";
        Bio = 2, "BIO";
        Alternate = 3, "ALTERNATE";
        Offline = 4, "OFFLINE";
        ForgotPassword = 5, "FORGOT_PASSWORD";
        PasskeyBio = 6, "PASSKEY_BIO";
    }
}

numbers! {
    /// How the client came to `start_login`.
    LoginMethod {
        Invalid = 0, "INVALID_LOGINMETHOD";
        ExistingAccount = 1, "EXISTING_ACCOUNT";
        SsoDomain = 2, "SSO_DOMAIN";
        AfterSso = 3, "AFTER_SSO";
        NewAccount = 4, "NEW_ACCOUNT";
    }
}

numbers! {
    /// Where a login stands.
    LoginState {
        Invalid = 0, "INVALID_LOGINSTATE";
        LoggedOut = 1, "LOGGED_OUT";
        DeviceApprovalRequired = 2, "DEVICE_APPROVAL_REQUIRED";
        DeviceLocked = 3, "DEVICE_LOCKED";
        AccountLocked = 4, "ACCOUNT_LOCKED";
        DeviceAccountLocked = 5, "DEVICE_ACCOUNT_LOCKED";
        Upgrade = 6, "UPGRADE";
        LicenseExpired = 7, "LICENSE_EXPIRED";
        RegionRedirect = 8, "REGION_REDIRECT";
        RedirectCloudSso = 9, "REDIRECT_CLOUD_SSO";
        RedirectOnsiteSso = 10, "REDIRECT_ONSITE_SSO";
        Requires2fa = 12, "REQUIRES_2FA";
        RequiresAuthHash = 13, "REQUIRES_AUTH_HASH";
        RequiresUsername = 14, "REQUIRES_USERNAME";
        AfterCloudSsoLogin = 15, "AFTER_CLOUD_SSO_LOGIN";
        RequiresAccountCreation = 16, "REQUIRES_ACCOUNT_CREATION";
        RequiresDeviceEncryptedDataKey = 17, "REQUIRES_DEVICE_ENCRYPTED_DATA_KEY";
        LoginTokenExpired = 18, "LOGIN_TOKEN_EXPIRED";
        PasskeyInitiateChallenge = 19, "PASSKEY_INITIATE_CHALLENGE";
        PasskeyAuthRequired = 20, "PASSKEY_AUTH_REQUIRED";
        PasskeyVerifyAuthentication = 21, "PASSKEY_VERIFY_AUTHENTICATION";
        AfterPasskeyLogin = 22, "AFTER_PASSKEY_LOGIN";
        LoggedIn = 99, "LOGGED_IN";
    }
}

numbers! {
    /// What the data key in a [`LoginResponse`] is wrapped with.
    EncryptedDataKeyType {
        NoKey = 0, "NO_KEY";
        ByDevicePublicKey = 1, "BY_DEVICE_PUBLIC_KEY";
        ByPassword = 2, "BY_PASSWORD";
        ByAlternate = 3, "BY_ALTERNATE";
        ByBio = 4, "BY_BIO";
    }
}

numbers! {
    /// What a session may do.
    SessionTokenType {
        NoRestriction = 0, "NO_RESTRICTION";
        AccountRecovery = 1, "ACCOUNT_RECOVERY";
        ShareAccount = 2, "SHARE_ACCOUNT";
        Purchase = 3, "PURCHASE";
        Restrict = 4, "RESTRICT";
        AcceptInvite = 5, "ACCEPT_INVITE";
        SupportServer = 6, "SUPPORT_SERVER";
        EnterpriseCreation = 7, "ENTERPRISE_CREATION";
        ExpiredButAllowedToSync = 8, "EXPIRED_BUT_ALLOWED_TO_SYNC";
        AcceptFamilyInvite = 9, "ACCEPT_FAMILY_INVITE";
        EnterpriseCreationPurchased = 10, "ENTERPRISE_CREATION_PURCHASED";
        EmergencyAccess = 11, "EMERGENCY_ACCESS";
    }
}

numbers! {
    /// Where a password came from.
    PasswordMethod {
        Entered = 0, "ENTERED";
        Biometrics = 1, "BIOMETRICS";
    }
}

numbers! {
    /// A way of giving the second factor.
    TwoFactorChannelType {
        None = 0, "TWO_FA_CT_NONE";
        Totp = 1, "TWO_FA_CT_TOTP";
        Sms = 2, "TWO_FA_CT_SMS";
        Duo = 3, "TWO_FA_CT_DUO";
        Rsa = 4, "TWO_FA_CT_RSA";
        Backup = 5, "TWO_FA_CT_BACKUP";
        U2f = 6, "TWO_FA_CT_U2F";
        Webauthn = 7, "TWO_FA_CT_WEBAUTHN";
        Keeper = 8, "TWO_FA_CT_KEEPER";
        Dna = 9, "TWO_FA_CT_DNA";
    }
}

numbers! {
    /// What a second factor's value is.
    TwoFactorValueType {
        CodeNone = 0, "TWO_FA_CODE_NONE";
        CodeTotp = 1, "TWO_FA_CODE_TOTP";
        CodeSms = 2, "TWO_FA_CODE_SMS";
        CodeDuo = 3, "TWO_FA_CODE_DUO";
        CodeRsa = 4, "TWO_FA_CODE_RSA";
        RespU2f = 5, "TWO_FA_RESP_U2F";
        RespWebauthn = 6, "TWO_FA_RESP_WEBAUTHN";
        CodeDna = 7, "TWO_FA_CODE_DNA";
    }
}

numbers! {
    /// For how long a second factor is remembered.
    TwoFactorExpiration {
        Immediately = 0, "TWO_FA_EXP_IMMEDIATELY";
        In5Minutes = 1, "TWO_FA_EXP_5_MINUTES";
        In12Hours = 2, "TWO_FA_EXP_12_HOURS";
        In24Hours = 3, "TWO_FA_EXP_24_HOURS";
        In30Days = 4, "TWO_FA_EXP_30_DAYS";
        Never = 5, "TWO_FA_EXP_NEVER";
    }
}

numbers! {
    /// Which push is wanted.
    TwoFactorPushType {
        None = 0, "TWO_FA_PUSH_NONE";
        Sms = 1, "TWO_FA_PUSH_SMS";
        Keeper = 2, "TWO_FA_PUSH_KEEPER";
        DuoPush = 3, "TWO_FA_PUSH_DUO_PUSH";
        DuoText = 4, "TWO_FA_PUSH_DUO_TEXT";
        DuoCall = 5, "TWO_FA_PUSH_DUO_CALL";
        Dna = 6, "TWO_FA_PUSH_DNA";
    }
}

numbers! {
    /// Whether a device may be used.
    DeviceStatus {
        DeviceNeedsApproval = 0, "DEVICE_NEEDS_APPROVAL";
        DeviceOk = 1, "DEVICE_OK";
        DeviceDisabledByUser = 2, "DEVICE_DISABLED_BY_USER";
        DeviceLockedByAdmin = 3, "DEVICE_LOCKED_BY_ADMIN";
    }
}

numbers! {
    /// Size of a device.
    ClientFormFactor {
        Empty = 0, "FF_EMPTY";
        Phone = 1, "FF_PHONE";
        Tablet = 2, "FF_TABLET";
        Watch = 3, "FF_WATCH";
    }
}

/// The body of every request: `POST /api/rest/<endpoint>`.
#[derive(Clone, PartialEq, prost::Message)]
#[prost(skip_debug)]
pub struct ApiRequest {
    /// The transmission key for the server's eyes: 125 bytes of ECIES, or 256 of RSA; empty when `qrc_message_key` is used.
    #[prost(bytes = "vec", tag = "1")]
    pub encrypted_transmission_key: Vec<u8>,
    /// Id of the server key in use; that of the ML-KEM key when `qrc_message_key` is used.
    #[prost(int32, tag = "2")]
    pub public_key_id: i32,
    /// `en_US`.
    #[prost(string, tag = "3")]
    pub locale: String,
    /// [`ApiRequestPayload`] under the transmission key, AES-GCM.
    #[prost(bytes = "vec", tag = "4")]
    pub encrypted_payload: Vec<u8>,
    /// Unused by the vendor's client.
    #[prost(int32, tag = "5")]
    pub encryption_type: i32,
    /// Unused by the vendor's client.
    #[prost(string, tag = "6")]
    pub recaptcha: String,
    /// Unused by the vendor's client.
    #[prost(string, tag = "7")]
    pub sub_environment: String,
    /// The hybrid envelope, see [`crate::hybrid`].
    #[prost(message, optional, tag = "8")]
    pub qrc_message_key: Option<QrcMessageKey>,
}

/// What is inside an [`ApiRequest`].
#[derive(Clone, PartialEq, prost::Message)]
#[prost(skip_debug)]
pub struct ApiRequestPayload {
    /// The request message, serialized; empty for an endpoint without one.
    #[prost(bytes = "vec", tag = "1")]
    pub payload: Vec<u8>,
    /// The session token as the login gave it; empty before a login and for JSON commands, which have it inside.
    #[prost(bytes = "vec", tag = "2")]
    pub encrypted_session_token: Vec<u8>,
    /// Unused by the vendor's client.
    #[prost(bytes = "vec", tag = "3")]
    pub time_token: Vec<u8>,
    /// 0 for most endpoints; 2 for the enterprise data, 1 for `shared_folder_update_v3`.
    #[prost(int32, tag = "4")]
    pub api_version: i32,
}

/// A transmission key in the hybrid envelope.
#[derive(Clone, PartialEq, prost::Message)]
#[prost(skip_debug)]
pub struct QrcMessageKey {
    /// The client's point, 65 bytes.
    #[prost(bytes = "vec", tag = "1")]
    pub client_ec_public_key: Vec<u8>,
    /// What ML-KEM-1024 encapsulated, 1568 bytes.
    #[prost(bytes = "vec", tag = "2")]
    pub ml_kem_encapsulated_key: Vec<u8>,
    /// The transmission key under the derived key: 60 bytes of AES-GCM.
    #[prost(bytes = "vec", tag = "3")]
    pub data: Vec<u8>,
    /// 1.
    #[prost(int32, tag = "4")]
    pub msg_version: i32,
    /// Id of the server's P-256 key.
    #[prost(int32, tag = "5")]
    pub ec_key_id: i32,
}

/// `authentication/register_device`, without a session; answered by [`Device`].
#[derive(Clone, PartialEq, prost::Message)]
#[prost(skip_debug)]
pub struct DeviceRegistrationRequest {
    /// A letter and a version: `c18.1.0`.
    #[prost(string, tag = "1")]
    pub client_version: String,
    /// What the administrator sees in the list of devices.
    #[prost(string, tag = "2")]
    pub device_name: String,
    /// The device's point, 65 bytes.
    #[prost(bytes = "vec", tag = "3")]
    pub device_public_key: Vec<u8>,
    /// Free text.
    #[prost(string, tag = "4")]
    pub device_platform: String,
    /// Empty for a program.
    #[prost(enumeration = "ClientFormFactor", tag = "5")]
    pub client_form_factor: i32,
    /// E-mail address; may be empty.
    #[prost(string, tag = "6")]
    pub username: String,
}

/// `authentication/register_device_in_region`, after a change of region; void.
#[derive(Clone, PartialEq, prost::Message)]
#[prost(skip_debug)]
pub struct RegisterDeviceInRegionRequest {
    /// The token of the other region.
    #[prost(bytes = "vec", tag = "1")]
    pub encrypted_device_token: Vec<u8>,
    /// As in [`DeviceRegistrationRequest`].
    #[prost(string, tag = "2")]
    pub client_version: String,
    /// As in [`DeviceRegistrationRequest`].
    #[prost(string, tag = "3")]
    pub device_name: String,
    /// The device's point, 65 bytes.
    #[prost(bytes = "vec", tag = "4")]
    pub device_public_key: Vec<u8>,
    /// Free text.
    #[prost(string, tag = "5")]
    pub device_platform: String,
    /// Empty for a program.
    #[prost(enumeration = "ClientFormFactor", tag = "6")]
    pub client_form_factor: i32,
}

/// Answer of `register_device`, and of `app_client_add`.
#[derive(Clone, PartialEq, prost::Message)]
#[prost(skip_debug)]
pub struct Device {
    /// An opaque token.
    #[prost(bytes = "vec", tag = "1")]
    pub encrypted_device_token: Vec<u8>,
}

/// `authentication/start_login`, without a session: the first call and each continuation.
#[derive(Clone, PartialEq, prost::Message)]
#[prost(skip_debug)]
pub struct StartLoginRequest {
    /// The token of `register_device`.
    #[prost(bytes = "vec", tag = "1")]
    pub encrypted_device_token: Vec<u8>,
    /// E-mail address in lower case; empty with a clone code.
    #[prost(string, tag = "2")]
    pub username: String,
    /// As in [`DeviceRegistrationRequest`].
    #[prost(string, tag = "3")]
    pub client_version: String,
    /// 16 random bytes that name this client's push channel; may be empty.
    #[prost(bytes = "vec", tag = "4")]
    pub message_session_uid: Vec<u8>,
    /// From the answer that this call continues.
    #[prost(bytes = "vec", tag = "5")]
    pub encrypted_login_token: Vec<u8>,
    /// Normal, or alternate for an SSO user with a master password.
    #[prost(enumeration = "LoginType", tag = "6")]
    pub login_type: i32,
    /// A managed company.
    #[prost(int32, tag = "7")]
    pub mc_enterprise_id: i32,
    /// Existing account.
    #[prost(enumeration = "LoginMethod", tag = "8")]
    pub login_method: i32,
    /// Unused by the vendor's client for a resume.
    #[prost(bool, tag = "9")]
    pub force_new_login: bool,
    /// The one-time code of the last login, which resumes without questions.
    #[prost(bytes = "vec", tag = "10")]
    pub clone_code: Vec<u8>,
    /// Unused.
    #[prost(string, tag = "11")]
    pub v2_two_factor_token: String,
    /// Unused by the vendor's client.
    #[prost(bytes = "vec", tag = "12")]
    pub account_uid: Vec<u8>,
    /// Unused.
    #[prost(bytes = "vec", tag = "13")]
    pub from_session_token: Vec<u8>,
}

/// Answer of `start_login` and `validate_auth_hash`.
#[derive(Clone, PartialEq, prost::Message)]
#[prost(skip_debug)]
pub struct LoginResponse {
    /// What to do now.
    #[prost(enumeration = "LoginState", tag = "1")]
    pub login_state: i32,
    /// 16 bytes.
    #[prost(bytes = "vec", tag = "2")]
    pub account_uid: Vec<u8>,
    /// E-mail address.
    #[prost(string, tag = "3")]
    pub primary_username: String,
    /// The account's data key, wrapped as `encrypted_data_key_type` says.
    #[prost(bytes = "vec", tag = "4")]
    pub encrypted_data_key: Vec<u8>,
    /// How to unwrap the data key.
    #[prost(enumeration = "EncryptedDataKeyType", tag = "5")]
    pub encrypted_data_key_type: i32,
    /// To be sent with the next call of this login.
    #[prost(bytes = "vec", tag = "6")]
    pub encrypted_login_token: Vec<u8>,
    /// The session, once logged in.
    #[prost(bytes = "vec", tag = "7")]
    pub encrypted_session_token: Vec<u8>,
    /// Anything but no restriction is a session that cannot do our work.
    #[prost(enumeration = "SessionTokenType", tag = "8")]
    pub session_token_type: i32,
    /// Text for a person.
    #[prost(string, tag = "9")]
    pub message: String,
    /// Where a browser has to go for single sign-on.
    #[prost(string, tag = "10")]
    pub url: String,
    /// Ways of giving the second factor.
    #[prost(message, repeated, tag = "11")]
    pub channels: Vec<TwoFactorChannelInfo>,
    /// Salts of the account's passwords.
    #[prost(message, repeated, tag = "12")]
    pub salt: Vec<Salt>,
    /// For the next resume. It replaces the one that was used.
    #[prost(bytes = "vec", tag = "13")]
    pub clone_code: Vec<u8>,
    /// The host, when the state is a region redirect.
    #[prost(string, tag = "14")]
    pub state_specific_value: String,
    /// Of the SSO service.
    #[prost(string, tag = "15")]
    pub sso_client_version: String,
    /// Detail of a restricted session.
    #[prost(string, tag = "16")]
    pub session_token_type_modifier: String,
    /// Wrapped; of no use to us.
    #[prost(bytes = "vec", tag = "18")]
    pub client_key: Vec<u8>,
}

/// One way of giving the second factor.
#[derive(Clone, PartialEq, prost::Message)]
#[prost(skip_debug)]
pub struct TwoFactorChannelInfo {
    /// Which way.
    #[prost(enumeration = "TwoFactorChannelType", tag = "1")]
    pub channel_type: i32,
    /// Names the way in the answer.
    #[prost(bytes = "vec", tag = "2")]
    pub channel_uid: Vec<u8>,
    /// What its owner calls it.
    #[prost(string, tag = "3")]
    pub channel_name: String,
    /// For security keys: JSON.
    #[prost(string, tag = "4")]
    pub challenge: String,
    /// Kinds of push: `push`, `sms`, `voice`.
    #[prost(string, repeated, tag = "5")]
    pub capabilities: Vec<String>,
    /// Masked.
    #[prost(string, tag = "6")]
    pub phone_number: String,
    /// The longest time that may be asked for.
    #[prost(enumeration = "TwoFactorExpiration", tag = "7")]
    pub max_expiration: i32,
    /// Milliseconds.
    #[prost(int64, tag = "8")]
    pub created_on: i64,
    /// What was asked for the last time.
    #[prost(enumeration = "TwoFactorExpiration", tag = "9")]
    pub last_frequency: i32,
    /// Goes back with the answer.
    #[prost(bytes = "vec", tag = "10")]
    pub challenge_token: Vec<u8>,
}

/// Salt and rounds of one password.
#[derive(Clone, PartialEq, prost::Message)]
pub struct Salt {
    /// Rounds of PBKDF2.
    #[prost(int32, tag = "1")]
    pub iterations: i32,
    /// 16 bytes.
    #[prost(bytes = "vec", tag = "2")]
    pub salt: Vec<u8>,
    /// 2 wherever it was seen.
    #[prost(int32, tag = "3")]
    pub algorithm: i32,
    /// 16 bytes.
    #[prost(bytes = "vec", tag = "4")]
    pub uid: Vec<u8>,
    /// `Master` or `Alternate`, in any letter case.
    #[prost(string, tag = "5")]
    pub name: String,
}

/// `authentication/validate_auth_hash`: the password step, answered by [`LoginResponse`].
#[derive(Clone, PartialEq, prost::Message)]
#[prost(skip_debug)]
pub struct ValidateAuthHashRequest {
    /// Entered.
    #[prost(enumeration = "PasswordMethod", tag = "1")]
    pub password_method: i32,
    /// See [`crate::password::Salt::auth_hash`]: 32 secret bytes.
    #[prost(bytes = "vec", tag = "2")]
    pub auth_response: Vec<u8>,
    /// From the answer that asked.
    #[prost(bytes = "vec", tag = "3")]
    pub encrypted_login_token: Vec<u8>,
}

/// `authentication/2fa_validate`.
#[derive(Clone, PartialEq, prost::Message)]
#[prost(skip_debug)]
pub struct TwoFactorValidateRequest {
    /// From the answer that asked.
    #[prost(bytes = "vec", tag = "1")]
    pub encrypted_login_token: Vec<u8>,
    /// What `value` is.
    #[prost(enumeration = "TwoFactorValueType", tag = "2")]
    pub value_type: i32,
    /// The code, or the answer of a security key.
    #[prost(string, tag = "3")]
    pub value: String,
    /// Of the channel that is answered.
    #[prost(bytes = "vec", tag = "4")]
    pub channel_uid: Vec<u8>,
    /// For how long to remember it.
    #[prost(enumeration = "TwoFactorExpiration", tag = "5")]
    pub expire_in: i32,
    /// From the channel.
    #[prost(bytes = "vec", tag = "6")]
    pub challenge_token: Vec<u8>,
}

/// Answer of `2fa_validate`.
#[derive(Clone, PartialEq, prost::Message)]
#[prost(skip_debug)]
pub struct TwoFactorValidateResponse {
    /// To continue `start_login` with.
    #[prost(bytes = "vec", tag = "1")]
    pub encrypted_login_token: Vec<u8>,
}

/// `authentication/2fa_send_push`; void.
#[derive(Clone, PartialEq, prost::Message)]
#[prost(skip_debug)]
pub struct TwoFactorSendPushRequest {
    /// From the answer that asked.
    #[prost(bytes = "vec", tag = "1")]
    pub encrypted_login_token: Vec<u8>,
    /// Which push.
    #[prost(enumeration = "TwoFactorPushType", tag = "2")]
    pub push_type: i32,
    /// Of the channel.
    #[prost(bytes = "vec", tag = "3")]
    pub channel_uid: Vec<u8>,
    /// For how long to remember it.
    #[prost(enumeration = "TwoFactorExpiration", tag = "4")]
    pub expire_in: i32,
}

/// `authentication/request_device_verification`: asks for an e-mail with a code; void.
#[derive(Clone, PartialEq, prost::Message)]
#[prost(skip_debug)]
pub struct DeviceVerificationRequest {
    /// The device to be approved.
    #[prost(bytes = "vec", tag = "1")]
    pub encrypted_device_token: Vec<u8>,
    /// E-mail address.
    #[prost(string, tag = "2")]
    pub username: String,
    /// `email`.
    #[prost(string, tag = "3")]
    pub verification_channel: String,
    /// As in [`StartLoginRequest`].
    #[prost(bytes = "vec", tag = "4")]
    pub message_session_uid: Vec<u8>,
    /// As in [`DeviceRegistrationRequest`].
    #[prost(string, tag = "5")]
    pub client_version: String,
}

/// `authentication/validate_device_verification_code`: hands the code in; void.
#[derive(Clone, PartialEq, prost::Message)]
#[prost(skip_debug)]
pub struct ValidateDeviceVerificationCodeRequest {
    /// E-mail address.
    #[prost(string, tag = "1")]
    pub username: String,
    /// As in [`DeviceRegistrationRequest`].
    #[prost(string, tag = "2")]
    pub client_version: String,
    /// The code of the e-mail.
    #[prost(string, tag = "3")]
    pub verification_code: String,
    /// As in [`StartLoginRequest`].
    #[prost(bytes = "vec", tag = "4")]
    pub message_session_uid: Vec<u8>,
    /// The device to be approved.
    #[prost(bytes = "vec", tag = "5")]
    pub encrypted_device_token: Vec<u8>,
}

/// `authentication/register_encrypted_data_key_for_device`; void. Error `device_data_key_exists` means that it was done before.
#[derive(Clone, PartialEq, prost::Message)]
#[prost(skip_debug)]
pub struct RegisterDeviceDataKeyRequest {
    /// The device.
    #[prost(bytes = "vec", tag = "1")]
    pub encrypted_device_token: Vec<u8>,
    /// The data key sealed to the device's public key, 125 bytes.
    #[prost(bytes = "vec", tag = "2")]
    pub encrypted_device_data_key: Vec<u8>,
}

/// `setting/set_user_setting`; void.
#[derive(Clone, PartialEq, prost::Message)]
pub struct UserSettingRequest {
    /// `persistent_login`, `logout_timer`, `ip_disable_auto_approve` and others.
    #[prost(string, tag = "1")]
    pub setting: String,
    /// `1`, `0`, or a number of minutes.
    #[prost(string, tag = "2")]
    pub value: String,
}

hidden! {
    ApiRequest, ApiRequestPayload, QrcMessageKey, DeviceRegistrationRequest, RegisterDeviceInRegionRequest, Device,
    StartLoginRequest, LoginResponse, TwoFactorChannelInfo, ValidateAuthHashRequest, TwoFactorValidateRequest,
    TwoFactorValidateResponse, TwoFactorSendPushRequest, DeviceVerificationRequest, ValidateDeviceVerificationCodeRequest,
    RegisterDeviceDataKeyRequest,
}
