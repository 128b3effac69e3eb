//! Package `AccountSummary`: who is logged in, and what this account may do.

/// `login/account_summary`.
#[derive(Clone, PartialEq, prost::Message)]
pub struct AccountSummaryRequest {
    /// 3.
    #[prost(int32, tag = "1")]
    pub summary_version: i32,
    /// False.
    #[prost(bool, tag = "2")]
    pub include_recent_activity: bool,
}

/// Answer of `login/account_summary`. Images, groups and logs are left out.
#[derive(Clone, PartialEq, prost::Message)]
#[prost(skip_debug)]
pub struct AccountSummaryElements {
    /// Wrapped; of no use to us.
    #[prost(bytes = "vec", tag = "1")]
    pub client_key: Vec<u8>,
    /// Must be there, even empty.
    #[prost(message, optional, tag = "2")]
    pub settings: Option<Settings>,
    /// The account's own key pairs.
    #[prost(message, optional, tag = "3")]
    pub keys_info: Option<KeysInfo>,
    /// Whether enterprise calls are allowed at all.
    #[prost(bool, tag = "5")]
    pub is_enterprise_admin: bool,
    /// Must be there, even empty.
    #[prost(message, optional, tag = "6")]
    pub license: Option<License>,
    /// What roles allow and forbid.
    #[prost(message, optional, tag = "8")]
    pub enforcements: Option<Enforcements>,
    /// E-mail addresses.
    #[prost(string, repeated, tag = "12")]
    pub usernames: Vec<String>,
    /// The account's devices.
    #[prost(message, repeated, tag = "13")]
    pub devices: Vec<DeviceInfo>,
    /// Whether the user is a share administrator.
    #[prost(bool, tag = "14")]
    pub is_share_admin: bool,
    /// Whether recovery is set up.
    #[prost(bool, tag = "15")]
    pub account_recovery: bool,
    /// Whether the enterprise forbids RSA.
    #[prost(bool, tag = "18")]
    pub forbid_key_type2: bool,
    /// Whether it forbids CBC.
    #[prost(bool, tag = "19")]
    pub forbid_key_type1: bool,
    /// Names of features that are off, for instance `keeper_drive`.
    #[prost(string, repeated, tag = "20")]
    pub disallowed_features: Vec<String>,
}

/// The account's keys.
#[derive(Clone, PartialEq, prost::Message)]
#[prost(skip_debug)]
pub struct KeysInfo {
    /// 100 bytes, see [`crate::password::open_encryption_params`].
    #[prost(bytes = "vec", tag = "1")]
    pub encryption_params: Vec<u8>,
    /// Another wrapping of the data key.
    #[prost(bytes = "vec", tag = "2")]
    pub encrypted_data_key: Vec<u8>,
    /// Milliseconds.
    #[prost(double, tag = "3")]
    pub data_key_backup_date: f64,
    /// 16 bytes.
    #[prost(bytes = "vec", tag = "4")]
    pub user_auth_uid: Vec<u8>,
    /// The RSA private key, PKCS#1 DER under the data key, AES-CBC.
    #[prost(bytes = "vec", tag = "5")]
    pub encrypted_private_key: Vec<u8>,
    /// The P-256 scalar under the data key, AES-GCM, 60 bytes.
    #[prost(bytes = "vec", tag = "6")]
    pub encrypted_ecc_private_key: Vec<u8>,
    /// The point, 65 bytes.
    #[prost(bytes = "vec", tag = "7")]
    pub ecc_public_key: Vec<u8>,
}

/// Settings of the account; only those that matter here.
#[derive(Clone, PartialEq, prost::Message)]
pub struct Settings {
    /// Whether the address is confirmed.
    #[prost(bool, tag = "11")]
    pub email_verified: bool,
    /// Whether the user signs in through SSO.
    #[prost(bool, tag = "16")]
    pub sso_user: bool,
    /// Whether a second factor is demanded.
    #[prost(bool, tag = "19")]
    pub two_factor_required: bool,
    /// Whether files are forbidden.
    #[prost(bool, tag = "21")]
    pub restrict_files: bool,
    /// Whether all sharing is forbidden.
    #[prost(bool, tag = "22")]
    pub restrict_all_sharing: bool,
    /// Whether sharing outside the enterprise is forbidden.
    #[prost(bool, tag = "23")]
    pub restrict_sharing: bool,
    /// Milliseconds of inactivity.
    #[prost(int64, tag = "26")]
    pub logout_timer: i64,
    /// Whether a clone code resumes a session.
    #[prost(bool, tag = "27")]
    pub persistent_login: bool,
    /// Whether a new address has to be approved.
    #[prost(bool, tag = "28")]
    pub ip_disable_auto_approve: bool,
    /// Whether administrators' approval is on.
    #[prost(bool, tag = "29")]
    pub share_data_key_with_ecc_public_key: bool,
    /// The same as `logout_timer` in minutes.
    #[prost(int32, tag = "36")]
    pub logout_timer_minutes: i32,
}

/// The account's licence; only what matters here.
#[derive(Clone, PartialEq, prost::Message)]
pub struct License {
    /// For people.
    #[prost(string, tag = "3")]
    pub product_type_name: String,
    /// For people.
    #[prost(string, tag = "4")]
    pub expiration_date: String,
    /// Storage in use.
    #[prost(int64, tag = "8")]
    pub bytes_used: i64,
    /// Storage that is paid for.
    #[prost(int64, tag = "9")]
    pub bytes_total: i64,
    /// 2 is an enterprise.
    #[prost(int32, tag = "13")]
    pub account_type: i32,
    /// The upper half of every node id.
    #[prost(int32, tag = "15")]
    pub enterprise_id: i32,
    /// 16 bytes.
    #[prost(bytes = "vec", tag = "19")]
    pub account_uid: Vec<u8>,
    /// E-mail address.
    #[prost(string, tag = "22")]
    pub email: String,
    /// Whether BreachWatch is on.
    #[prost(bool, tag = "23")]
    pub breach_watch_enabled: bool,
    /// Whether Keeper Secrets Manager is on (in the descriptor only; no client of the vendor reads it).
    #[prost(bool, tag = "35")]
    pub is_ksm_enabled: bool,
}

/// Role policies by type of value. Keys are lower case; absent is not set.
#[derive(Clone, PartialEq, prost::Message)]
pub struct Enforcements {
    /// Texts.
    #[prost(message, repeated, tag = "1")]
    pub strings: Vec<KeyValue>,
    /// Switches.
    #[prost(message, repeated, tag = "2")]
    pub booleans: Vec<KeyValueBoolean>,
    /// Numbers.
    #[prost(message, repeated, tag = "3")]
    pub longs: Vec<KeyValueLong>,
    /// JSON texts.
    #[prost(message, repeated, tag = "4")]
    pub jsons: Vec<KeyValue>,
}

/// A text by its key.
#[derive(Clone, PartialEq, prost::Message)]
pub struct KeyValue {
    /// Lower case.
    #[prost(string, tag = "1")]
    pub key: String,
    /// Text.
    #[prost(string, tag = "2")]
    pub value: String,
}

/// A switch by its key.
#[derive(Clone, PartialEq, prost::Message)]
pub struct KeyValueBoolean {
    /// Lower case.
    #[prost(string, tag = "1")]
    pub key: String,
    /// On or off.
    #[prost(bool, tag = "2")]
    pub value: bool,
}

/// A number by its key.
#[derive(Clone, PartialEq, prost::Message)]
pub struct KeyValueLong {
    /// Lower case.
    #[prost(string, tag = "1")]
    pub key: String,
    /// Number.
    #[prost(int64, tag = "2")]
    pub value: i64,
}

/// One device of the account.
#[derive(Clone, PartialEq, prost::Message)]
#[prost(skip_debug)]
pub struct DeviceInfo {
    /// Its token.
    #[prost(bytes = "vec", tag = "1")]
    pub encrypted_device_token: Vec<u8>,
    /// Its name.
    #[prost(string, tag = "2")]
    pub device_name: String,
    /// Whether it may be used.
    #[prost(enumeration = "super::authentication::DeviceStatus", tag = "3")]
    pub device_status: i32,
    /// Its point, 65 bytes.
    #[prost(bytes = "vec", tag = "4")]
    pub device_public_key: Vec<u8>,
    /// Of its last login.
    #[prost(string, tag = "6")]
    pub client_version: String,
    /// E-mail address.
    #[prost(string, tag = "7")]
    pub username: String,
    /// Of its last login.
    #[prost(string, tag = "8")]
    pub ip_address: String,
    /// Milliseconds.
    #[prost(int64, tag = "9")]
    pub approve_request_time: i64,
    /// Whether the data key is registered for it.
    #[prost(bool, tag = "10")]
    pub encrypted_data_key_present: bool,
    /// Free text.
    #[prost(string, tag = "12")]
    pub device_platform: String,
    /// Size.
    #[prost(enumeration = "super::authentication::ClientFormFactor", tag = "13")]
    pub client_form_factor: i32,
}

hidden! {
    AccountSummaryElements, KeysInfo, DeviceInfo,
}
