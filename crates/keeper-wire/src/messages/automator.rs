//! Package `Automator`: the administrator's side of it.

numbers! {
    /// What an Automator decides.
    SkillType {
        Unknown = 0, "UNKNOWN_SKILL_TYPE";
        DeviceApproval = 1, "DEVICE_APPROVAL";
        TeamApproval = 2, "TEAM_APPROVAL";
        TeamForUserApproval = 3, "TEAM_FOR_USER_APPROVAL";
        Reporting = 4, "REPORTING";
    }
}

numbers! {
    /// What an Automator waits for. It says nothing of `enabled`.
    AutomatorState {
        Unknown = 0, "UNKNOWN_STATE";
        Running = 1, "RUNNING";
        Error = 2, "ERROR";
        NeedsInitialization = 3, "NEEDS_INITIALIZATION";
        NeedsCryptoStep1 = 4, "NEEDS_CRYPTO_STEP_1";
        NeedsCryptoStep2 = 5, "NEEDS_CRYPTO_STEP_2";
    }
}

numbers! {
    /// Type of a setting's value (package `SsoCloud`).
    DataType {
        Any = 0, "ANY";
        Boolean = 1, "BOOLEAN";
        Integer = 2, "INTEGER";
        String = 3, "STRING";
        Bytes = 4, "BYTES";
        Url = 5, "URL";
        DataType = 6, "com_keepersecurity_proto_SsoCloud_DataType";
        AuthProtocolType = 7, "com_keepersecurity_proto_SsoCloud_AuthProtocolType";
        SsoIdpType = 8, "com_keepersecurity_proto_SsoCloud_SsoIdpType";
        Long = 9, "LONG";
        Timestamp = 10, "TIMESTAMP";
    }
}

/// `automator/automator_get_all_for_enterprise`.
#[derive(Clone, PartialEq, prost::Message)]
pub struct AdminGetAutomatorsForEnterpriseRequest {
    /// The upper half of any node id.
    #[prost(int32, tag = "1")]
    pub enterprise_id: i32,
}

/// `automator/automator_get_on_node`.
#[derive(Clone, PartialEq, prost::Message)]
pub struct AdminGetAutomatorsOnNodeRequest {
    /// The node.
    #[prost(int64, tag = "1")]
    pub node_id: i64,
}

/// `automator/automator_get`.
#[derive(Clone, PartialEq, prost::Message)]
pub struct AdminGetAutomatorRequest {
    /// Which one.
    #[prost(int64, tag = "1")]
    pub automator_id: i64,
}

/// `automator/automator_create`.
#[derive(Clone, PartialEq, prost::Message)]
pub struct AdminCreateAutomatorRequest {
    /// The node, which needs an SSO Connect Cloud service.
    #[prost(int64, tag = "1")]
    pub node_id: i64,
    /// The back end may change it when it is taken.
    #[prost(string, tag = "2")]
    pub name: String,
    /// Unused by the vendor's client.
    #[prost(message, optional, tag = "3")]
    pub skill: Option<AutomatorSkill>,
}

/// `automator/automator_edit`.
#[derive(Clone, PartialEq, prost::Message)]
pub struct AdminEditAutomatorRequest {
    /// Which one.
    #[prost(int64, tag = "1")]
    pub automator_id: i64,
    /// Empty leaves it.
    #[prost(string, tag = "2")]
    pub name: String,
    /// Always sent: leaving it out disables.
    #[prost(bool, tag = "3")]
    pub enabled: bool,
    /// Empty leaves it.
    #[prost(string, tag = "4")]
    pub url: String,
    /// Unless empty they replace the whole set.
    #[prost(enumeration = "SkillType", repeated, tag = "5")]
    pub skill_types: Vec<i32>,
    /// Id (or tag) and value only.
    #[prost(message, repeated, tag = "6")]
    pub automator_setting_values: Vec<AutomatorSettingValue>,
}

/// `automator/automator_setup`, called twice.
#[derive(Clone, PartialEq, prost::Message)]
#[prost(skip_debug)]
pub struct AdminSetupAutomatorRequest {
    /// Which one.
    #[prost(int64, tag = "1")]
    pub automator_id: i64,
    /// Crypto step 1, then 2.
    #[prost(enumeration = "AutomatorState", tag = "2")]
    pub automator_state: i32,
    /// Step 2: the enterprise's scalar sealed to the Automator's key, 125 bytes.
    #[prost(bytes = "vec", tag = "3")]
    pub encrypted_ecc_enterprise_private_key: Vec<u8>,
    /// Step 2: PKCS#1 DER sealed the same way; empty where RSA is forbidden.
    #[prost(bytes = "vec", tag = "4")]
    pub encrypted_rsa_enterprise_private_key: Vec<u8>,
    /// Not sent by the vendor's client.
    #[prost(enumeration = "SkillType", repeated, tag = "5")]
    pub skill_types: Vec<i32>,
    /// Step 2: the tree key sealed the same way, 125 bytes.
    #[prost(bytes = "vec", tag = "6")]
    pub encrypted_tree_key: Vec<u8>,
    /// New, and unused by the vendor's client.
    #[prost(string, tag = "9")]
    pub enrollment_secret: String,
}

/// Answer of `automator/automator_setup`.
#[derive(Clone, PartialEq, prost::Message)]
pub struct AdminSetupAutomatorResponse {
    /// False is a failure, although the status is 200.
    #[prost(bool, tag = "1")]
    pub success: bool,
    /// Why it failed.
    #[prost(string, tag = "2")]
    pub message: String,
    /// Which one.
    #[prost(int64, tag = "3")]
    pub automator_id: i64,
    /// What it waits for now.
    #[prost(enumeration = "AutomatorState", tag = "4")]
    pub automator_state: i32,
    /// The Automator's point, 65 bytes.
    #[prost(bytes = "vec", tag = "5")]
    pub automator_ecc_public_key: Vec<u8>,
}

/// `automator/automator_initialize`.
#[derive(Clone, PartialEq, prost::Message)]
pub struct AdminInitializeAutomatorRequest {
    /// Which one.
    #[prost(int64, tag = "1")]
    pub automator_id: i64,
}

/// `automator/automator_enable`.
#[derive(Clone, PartialEq, prost::Message)]
pub struct AdminEnableAutomatorRequest {
    /// Which one.
    #[prost(int64, tag = "1")]
    pub automator_id: i64,
    /// False leaves no byte, so that leaving it out disables.
    #[prost(bool, tag = "2")]
    pub enabled: bool,
}

/// `automator/automator_full_reset`.
#[derive(Clone, PartialEq, prost::Message)]
pub struct AdminResetAutomatorRequest {
    /// Which one.
    #[prost(int64, tag = "1")]
    pub automator_id: i64,
}

/// `automator/automator_delete`.
#[derive(Clone, PartialEq, prost::Message)]
pub struct AdminDeleteAutomatorRequest {
    /// Which one.
    #[prost(int64, tag = "1")]
    pub automator_id: i64,
}

/// `automator/automator_log_get`.
#[derive(Clone, PartialEq, prost::Message)]
pub struct AdminAutomatorLogRequest {
    /// Which one.
    #[prost(int64, tag = "1")]
    pub automator_id: i64,
}

/// `automator/automator_log_clear`.
#[derive(Clone, PartialEq, prost::Message)]
pub struct AdminAutomatorLogClearRequest {
    /// Which one.
    #[prost(int64, tag = "1")]
    pub automator_id: i64,
}

/// `automator/automator_skills_get`.
#[derive(Clone, PartialEq, prost::Message)]
pub struct AdminAutomatorSkillsRequest {
    /// Which one.
    #[prost(int64, tag = "1")]
    pub automator_id: i64,
}

/// Answer of `automator/automator_skills_get`.
#[derive(Clone, PartialEq, prost::Message)]
pub struct AdminAutomatorSkillsResponse {
    /// False is a failure, although the status is 200.
    #[prost(bool, tag = "1")]
    pub success: bool,
    /// Why it failed.
    #[prost(string, tag = "2")]
    pub message: String,
    /// What may be switched on.
    #[prost(message, repeated, tag = "3")]
    pub automator_skills: Vec<AutomatorSkill>,
}

/// Answer of all other Automator endpoints.
#[derive(Clone, PartialEq, prost::Message)]
pub struct AdminResponse {
    /// False is a failure, although the status is 200.
    #[prost(bool, tag = "1")]
    pub success: bool,
    /// Why it failed.
    #[prost(string, tag = "2")]
    pub message: String,
    /// What there is now.
    #[prost(message, repeated, tag = "3")]
    pub automator_info: Vec<AutomatorInfo>,
}

/// An Automator as the back end knows it.
#[derive(Clone, PartialEq, prost::Message)]
pub struct AutomatorInfo {
    /// Its id.
    #[prost(int64, tag = "1")]
    pub automator_id: i64,
    /// The node it is on.
    #[prost(int64, tag = "2")]
    pub node_id: i64,
    /// Its name; not unique.
    #[prost(string, tag = "3")]
    pub name: String,
    /// Whether it is asked.
    #[prost(bool, tag = "4")]
    pub enabled: bool,
    /// Where it is.
    #[prost(string, tag = "5")]
    pub url: String,
    /// What it decides.
    #[prost(message, repeated, tag = "6")]
    pub automator_skills: Vec<AutomatorSkill>,
    /// Its settings.
    #[prost(message, repeated, tag = "7")]
    pub automator_setting_values: Vec<AutomatorSettingValue>,
    /// What it counted.
    #[prost(message, optional, tag = "8")]
    pub status: Option<StatusResponse>,
    /// Only from `automator_log_get`.
    #[prost(message, repeated, tag = "9")]
    pub log_entries: Vec<LogEntry>,
    /// What it waits for.
    #[prost(enumeration = "AutomatorState", tag = "10")]
    pub automator_state: i32,
    /// Of the service.
    #[prost(string, tag = "11")]
    pub version: String,
    /// For people.
    #[prost(string, tag = "12")]
    pub ssl_certificate_expiration_date: String,
}

/// Something an Automator decides.
#[derive(Clone, PartialEq, prost::Message)]
pub struct AutomatorSkill {
    /// What.
    #[prost(enumeration = "SkillType", tag = "1")]
    pub skill_type: i32,
    /// In English.
    #[prost(string, tag = "2")]
    pub name: String,
    /// In the language of the request.
    #[prost(string, tag = "3")]
    pub translated_name: String,
}

/// A setting. Some values are secret.
#[derive(Clone, PartialEq, prost::Message)]
#[prost(skip_debug)]
pub struct AutomatorSettingValue {
    /// Its id.
    #[prost(int64, tag = "1")]
    pub setting_id: i64,
    /// Id of its type.
    #[prost(int32, tag = "2")]
    pub setting_type_id: i32,
    /// Its short name.
    #[prost(string, tag = "3")]
    pub setting_tag: String,
    /// Its name.
    #[prost(string, tag = "4")]
    pub setting_name: String,
    /// Its value as text.
    #[prost(string, tag = "5")]
    pub setting_value: String,
    /// Type of the value.
    #[prost(enumeration = "DataType", tag = "6")]
    pub data_type: i32,
    /// When it was changed.
    #[prost(string, tag = "7")]
    pub last_modified: String,
    /// Whether a file is expected.
    #[prost(bool, tag = "8")]
    pub from_file: bool,
    /// Whether it is stored encrypted.
    #[prost(bool, tag = "9")]
    pub encrypted: bool,
    /// Whether it is base64.
    #[prost(bool, tag = "10")]
    pub encoded: bool,
    /// Whether it may be changed.
    #[prost(bool, tag = "11")]
    pub editable: bool,
    /// Whether the name is translated.
    #[prost(bool, tag = "12")]
    pub translated: bool,
    /// Whether it is shown.
    #[prost(bool, tag = "13")]
    pub user_visible: bool,
    /// Whether it must be set.
    #[prost(bool, tag = "14")]
    pub required: bool,
}

/// What an Automator tells of itself.
#[derive(Clone, PartialEq, prost::Message)]
#[prost(skip_debug)]
pub struct StatusResponse {
    /// Whether it was.
    #[prost(bool, tag = "1")]
    pub initialized: bool,
    /// Milliseconds.
    #[prost(int64, tag = "2")]
    pub enabled_timestamp: i64,
    /// Milliseconds.
    #[prost(int64, tag = "3")]
    pub initialized_timestamp: i64,
    /// Milliseconds.
    #[prost(int64, tag = "4")]
    pub updated_timestamp: i64,
    /// Count.
    #[prost(int64, tag = "5")]
    pub number_of_devices_approved: i64,
    /// Count.
    #[prost(int64, tag = "6")]
    pub number_of_devices_denied: i64,
    /// Count.
    #[prost(int64, tag = "7")]
    pub number_of_errors: i64,
    /// Milliseconds; 0 when it is not known.
    #[prost(int64, tag = "8")]
    pub ssl_certificate_expiration: i64,
    /// Opaque.
    #[prost(bytes = "vec", tag = "10")]
    pub config: Vec<u8>,
    /// Count.
    #[prost(int64, tag = "11")]
    pub number_of_team_memberships_approved: i64,
    /// Count.
    #[prost(int64, tag = "12")]
    pub number_of_team_memberships_denied: i64,
    /// Count.
    #[prost(int64, tag = "13")]
    pub number_of_teams_approved: i64,
    /// Count.
    #[prost(int64, tag = "14")]
    pub number_of_teams_denied: i64,
    /// The certificates it serves.
    #[prost(message, repeated, tag = "15")]
    pub ssl_certificate_info: Vec<SSLCertificateInfo>,
}

/// A certificate that an Automator serves.
#[derive(Clone, PartialEq, prost::Message)]
pub struct SSLCertificateInfo {
    /// Which one.
    #[prost(uint64, tag = "1")]
    pub automator_id: u64,
    /// Where it was seen.
    #[prost(string, tag = "2")]
    pub host_url: String,
    /// Distinguished name.
    #[prost(string, tag = "3")]
    pub subject: String,
    /// Distinguished name.
    #[prost(string, tag = "4")]
    pub issuer: String,
    /// Milliseconds.
    #[prost(uint64, tag = "5")]
    pub issued_on: u64,
    /// Milliseconds.
    #[prost(uint64, tag = "6")]
    pub expires_on: u64,
    /// Milliseconds.
    #[prost(uint64, tag = "7")]
    pub checked_on: u64,
}

/// A line of an Automator's log.
#[derive(Clone, PartialEq, prost::Message)]
pub struct LogEntry {
    /// Text.
    #[prost(string, tag = "1")]
    pub server_time: String,
    /// Text.
    #[prost(string, tag = "2")]
    pub message_level: String,
    /// Text.
    #[prost(string, tag = "3")]
    pub component: String,
    /// Text.
    #[prost(string, tag = "4")]
    pub message: String,
}

hidden! {
    AdminSetupAutomatorRequest, AutomatorSettingValue, StatusResponse,
}
