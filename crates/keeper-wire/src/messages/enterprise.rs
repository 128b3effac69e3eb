//! Package `Enterprise`: keys, nodes, users, roles and licences. Nothing here can be read by a user who is no administrator.

numbers! {
    /// What the tree key is wrapped with.
    BackupKeyType {
        NoKey = 0, "NO_KEY";
        ByDataKey = 1, "ENCRYPTED_BY_DATA_KEY";
        ByPublicKey = 2, "ENCRYPTED_BY_PUBLIC_KEY";
        ByDataKeyGcm = 3, "ENCRYPTED_BY_DATA_KEY_GCM";
        ByPublicKeyEcc = 4, "ENCRYPTED_BY_PUBLIC_KEY_ECC";
    }
}

numbers! {
    /// Whether a page goes on or begins anew.
    CacheStatus {
        Keep = 0, "KEEP";
        Clear = 1, "CLEAR";
    }
}

numbers! {
    /// What the rows of an [`EnterpriseData`] are.
    EnterpriseDataEntity {
        Unknown = 0, "UNKNOWN";
        Nodes = 1, "NODES";
        Roles = 2, "ROLES";
        Users = 3, "USERS";
        Teams = 4, "TEAMS";
        TeamUsers = 5, "TEAM_USERS";
        RoleUsers = 6, "ROLE_USERS";
        RolePrivileges = 7, "ROLE_PRIVILEGES";
        RoleEnforcements = 8, "ROLE_ENFORCEMENTS";
        RoleTeams = 9, "ROLE_TEAMS";
        Licenses = 10, "LICENSES";
        ManagedNodes = 11, "MANAGED_NODES";
        ManagedCompanies = 12, "MANAGED_COMPANIES";
        Bridges = 13, "BRIDGES";
        Scims = 14, "SCIMS";
        EmailProvision = 15, "EMAIL_PROVISION";
        QueuedTeams = 16, "QUEUED_TEAMS";
        QueuedTeamUsers = 17, "QUEUED_TEAM_USERS";
        SsoServices = 18, "SSO_SERVICES";
        ReportFilterUsers = 19, "REPORT_FILTER_USERS";
        DevicesRequestForAdminApproval = 20, "DEVICES_REQUEST_FOR_ADMIN_APPROVAL";
        UserAliases = 21, "USER_ALIASES";
        ComplianceReportCriteriaAndFilter = 22, "COMPLIANCE_REPORT_CRITERIA_AND_FILTER";
        ComplianceReports = 23, "COMPLIANCE_REPORTS";
    }
}

/// `enterprise/get_enterprise_data_keys`.
#[derive(Clone, PartialEq, prost::Message)]
pub struct GetEnterpriseDataKeysRequest {
    /// Empty for us.
    #[prost(int64, repeated, tag = "1")]
    pub role_id: Vec<i64>,
}

/// Answer of `enterprise/get_enterprise_data_keys`; keys of roles and managed companies are left out.
#[derive(Clone, PartialEq, prost::Message)]
#[prost(skip_debug)]
pub struct GetEnterpriseDataKeysResponse {
    /// The enterprise's key pairs.
    #[prost(message, optional, tag = "4")]
    pub enterprise_keys: Option<EnterpriseKeys>,
    /// The key of everything in the enterprise's tree.
    #[prost(message, optional, tag = "5")]
    pub tree_key: Option<TreeKey>,
}

/// The tree key, 32 bytes, wrapped.
#[derive(Clone, PartialEq, prost::Message)]
#[prost(skip_debug)]
pub struct TreeKey {
    /// URL-safe base64.
    #[prost(string, tag = "1")]
    pub tree_key: String,
    /// What it is wrapped with.
    #[prost(enumeration = "BackupKeyType", tag = "2")]
    pub key_type_id: i32,
}

/// The enterprise's key pairs; a missing one is empty.
#[derive(Clone, PartialEq, prost::Message)]
#[prost(skip_debug)]
pub struct EnterpriseKeys {
    /// PKCS#1 DER.
    #[prost(bytes = "vec", tag = "1")]
    pub rsa_public_key: Vec<u8>,
    /// PKCS#1 DER under the tree key, AES-GCM.
    #[prost(bytes = "vec", tag = "2")]
    pub rsa_encrypted_private_key: Vec<u8>,
    /// The point, 65 bytes.
    #[prost(bytes = "vec", tag = "3")]
    pub ecc_public_key: Vec<u8>,
    /// The scalar under the tree key, AES-GCM, 60 bytes.
    #[prost(bytes = "vec", tag = "4")]
    pub ecc_encrypted_private_key: Vec<u8>,
}

/// `enterprise/get_enterprise_data_for_user`, with API version 2.
#[derive(Clone, PartialEq, prost::Message)]
#[prost(skip_debug)]
pub struct EnterpriseDataRequest {
    /// Empty at first, then of the last page.
    #[prost(bytes = "vec", tag = "1")]
    pub continuation_token: Vec<u8>,
}

/// One page of the enterprise.
#[derive(Clone, PartialEq, prost::Message)]
#[prost(skip_debug)]
pub struct EnterpriseDataResponse {
    /// For the next page.
    #[prost(bytes = "vec", tag = "1")]
    pub continuation_token: Vec<u8>,
    /// Whether there is one.
    #[prost(bool, tag = "2")]
    pub has_more: bool,
    /// Whether to forget what came before.
    #[prost(enumeration = "CacheStatus", tag = "3")]
    pub cache_status: i32,
    /// Rows by kind.
    #[prost(message, repeated, tag = "4")]
    pub data: Vec<EnterpriseData>,
    /// Name of the enterprise, and what the user may do.
    #[prost(message, optional, tag = "5")]
    pub general_data: Option<GeneralDataEntity>,
}

/// Rows of one kind.
#[derive(Clone, PartialEq, prost::Message)]
pub struct EnterpriseData {
    /// Which kind.
    #[prost(enumeration = "EnterpriseDataEntity", tag = "1")]
    pub entity: i32,
    /// Whether they are gone.
    #[prost(bool, tag = "2")]
    pub delete: bool,
    /// Each a message of its own: [`Node`], [`User`], [`SsoService`] and so on.
    #[prost(bytes = "vec", repeated, tag = "3")]
    pub data: Vec<Vec<u8>>,
}

/// About the enterprise as a whole.
#[derive(Clone, PartialEq, prost::Message)]
pub struct GeneralDataEntity {
    /// Also the name of the root node.
    #[prost(string, tag = "1")]
    pub enterprise_name: String,
    /// Of the root node.
    #[prost(bool, tag = "2")]
    pub restrict_visibility: bool,
    /// What the user may do (in the descriptor only; no client of the vendor reads it).
    #[prost(message, optional, tag = "7")]
    pub user_privilege: Option<UserPrivilege>,
    /// Whether it is a distributor.
    #[prost(bool, tag = "8")]
    pub distributor: bool,
}

/// What the user may do.
#[derive(Clone, PartialEq, prost::Message)]
pub struct UserPrivilege {
    /// By node.
    #[prost(message, repeated, tag = "1")]
    pub user_managed_nodes: Vec<UserManagedNode>,
    /// The user.
    #[prost(int64, tag = "2")]
    pub enterprise_user_id: i64,
}

/// Privileges on one node.
#[derive(Clone, PartialEq, prost::Message)]
pub struct UserManagedNode {
    /// The node.
    #[prost(int64, tag = "1")]
    pub node_id: i64,
    /// Whether they hold below it too.
    #[prost(bool, tag = "2")]
    pub cascade_node_management: bool,
    /// Names as in [`RolePrivilege`].
    #[prost(string, repeated, tag = "3")]
    pub privileges: Vec<String>,
}

/// A node of the enterprise's tree.
#[derive(Clone, PartialEq, prost::Message)]
pub struct Node {
    /// Its upper half is the enterprise, its lower half is 2 for the root.
    #[prost(int64, tag = "1")]
    pub node_id: i64,
    /// 0 for the root.
    #[prost(int64, tag = "2")]
    pub parent_id: i64,
    /// URL-safe base64 of JSON `{"displayname": …}` under the tree key, AES-CBC; empty for the root.
    #[prost(string, tag = "6")]
    pub encrypted_data: String,
    /// Deprecated.
    #[prost(int64, tag = "9")]
    pub sso_service_provider_id: i64,
    /// Whether the node sees only itself.
    #[prost(bool, tag = "10")]
    pub restrict_visibility: bool,
    /// Its SSO services.
    #[prost(int64, repeated, tag = "11")]
    pub sso_service_provider_ids: Vec<i64>,
}

/// An SSO service.
#[derive(Clone, PartialEq, prost::Message)]
pub struct SsoService {
    /// Its id.
    #[prost(int64, tag = "1")]
    pub sso_service_provider_id: i64,
    /// The node it is for.
    #[prost(int64, tag = "2")]
    pub node_id: i64,
    /// Its name.
    #[prost(string, tag = "3")]
    pub name: String,
    /// Where its metadata are.
    #[prost(string, tag = "4")]
    pub sp_url: String,
    /// Whether unknown users are invited.
    #[prost(bool, tag = "5")]
    pub invite_new_users: bool,
    /// Whether it is in use.
    #[prost(bool, tag = "6")]
    pub active: bool,
    /// Whether it is SSO Connect Cloud, which alone an Automator can serve.
    #[prost(bool, tag = "7")]
    pub is_cloud: bool,
}

/// A user of the enterprise.
#[derive(Clone, PartialEq, prost::Message)]
pub struct User {
    /// Its id.
    #[prost(int64, tag = "1")]
    pub enterprise_user_id: i64,
    /// The node it is on.
    #[prost(int64, tag = "2")]
    pub node_id: i64,
    /// As in [`Node`].
    #[prost(string, tag = "3")]
    pub encrypted_data: String,
    /// How `encrypted_data` is wrapped.
    #[prost(string, tag = "4")]
    pub key_type: String,
    /// E-mail address.
    #[prost(string, tag = "5")]
    pub username: String,
    /// `active` or `invited`.
    #[prost(string, tag = "6")]
    pub status: String,
    /// 0 when it is not locked.
    #[prost(int32, tag = "7")]
    pub lock: i32,
    /// Name in clear text, where there is one.
    #[prost(string, tag = "10")]
    pub full_name: String,
    /// Whether it has a second factor.
    #[prost(bool, tag = "12")]
    pub tfa_enabled: bool,
}

/// A role.
#[derive(Clone, PartialEq, prost::Message)]
pub struct Role {
    /// Its id.
    #[prost(int64, tag = "1")]
    pub role_id: i64,
    /// The node it is on.
    #[prost(int64, tag = "2")]
    pub node_id: i64,
    /// As in [`Node`].
    #[prost(string, tag = "3")]
    pub encrypted_data: String,
    /// How `encrypted_data` is wrapped.
    #[prost(string, tag = "4")]
    pub key_type: String,
    /// Whether it holds below its node.
    #[prost(bool, tag = "5")]
    pub visible_below: bool,
    /// Whether new users get it.
    #[prost(bool, tag = "6")]
    pub new_user_inherit: bool,
    /// Text.
    #[prost(string, tag = "7")]
    pub role_type: String,
}

/// A user has a role.
#[derive(Clone, PartialEq, prost::Message)]
pub struct RoleUser {
    /// The role.
    #[prost(int64, tag = "1")]
    pub role_id: i64,
    /// The user.
    #[prost(int64, tag = "2")]
    pub enterprise_user_id: i64,
}

/// A role manages a node.
#[derive(Clone, PartialEq, prost::Message)]
pub struct ManagedNode {
    /// The role.
    #[prost(int64, tag = "1")]
    pub role_id: i64,
    /// The node.
    #[prost(int64, tag = "2")]
    pub managed_node_id: i64,
    /// Whether what is below it too.
    #[prost(bool, tag = "3")]
    pub cascade_node_management: bool,
}

/// What a role may do on a node it manages.
#[derive(Clone, PartialEq, prost::Message)]
pub struct RolePrivilege {
    /// The node.
    #[prost(int64, tag = "1")]
    pub managed_node_id: i64,
    /// The role.
    #[prost(int64, tag = "2")]
    pub role_id: i64,
    /// For instance `manage_nodes`, `manage_bridge`, `approve_device`.
    #[prost(string, tag = "3")]
    pub privilege_type: String,
}

/// The enterprise's licence; only what matters here.
#[derive(Clone, PartialEq, prost::Message)]
pub struct License {
    /// Whether it is.
    #[prost(bool, tag = "1")]
    pub paid: bool,
    /// Seats.
    #[prost(int32, tag = "2")]
    pub number_of_seats: i32,
    /// Milliseconds.
    #[prost(int64, tag = "3")]
    pub expiration: i64,
    /// For people.
    #[prost(string, tag = "6")]
    pub name: String,
    /// Seats in use.
    #[prost(int32, tag = "8")]
    pub seats_allocated: i32,
    /// For instance `business_trial`.
    #[prost(string, tag = "14")]
    pub license_status: String,
    /// What was bought besides.
    #[prost(message, repeated, tag = "17")]
    pub add_ons: Vec<LicenseAddOn>,
}

/// Something bought besides the licence.
#[derive(Clone, PartialEq, prost::Message)]
pub struct LicenseAddOn {
    /// For instance `secrets_manager`.
    #[prost(string, tag = "1")]
    pub name: String,
    /// Whether it is on.
    #[prost(bool, tag = "2")]
    pub enabled: bool,
    /// Whether it is a trial.
    #[prost(bool, tag = "3")]
    pub is_trial: bool,
    /// Milliseconds.
    #[prost(int64, tag = "4")]
    pub expiration: i64,
    /// Milliseconds.
    #[prost(int64, tag = "5")]
    pub created: i64,
    /// Seats.
    #[prost(int32, tag = "6")]
    pub seats: i32,
    /// Milliseconds.
    #[prost(int64, tag = "7")]
    pub activation_time: i64,
    /// Whether it needs not be bought.
    #[prost(bool, tag = "8")]
    pub included_in_product: bool,
    /// Calls that are paid for.
    #[prost(int32, tag = "9")]
    pub api_call_count: i32,
}

/// Answer of `enterprise/get_enterprise_public_key`, which has no request (the vendor keeps it in the package `BreachWatch`).
#[derive(Clone, PartialEq, prost::Message)]
pub struct EnterprisePublicKeyResponse {
    /// RSA, PKCS#1 DER; empty when there is none.
    #[prost(bytes = "vec", tag = "1")]
    pub enterprise_public_key: Vec<u8>,
    /// The point, 65 bytes; audit data of new records are sealed to it.
    #[prost(bytes = "vec", tag = "2")]
    pub enterprise_ecc_public_key: Vec<u8>,
}

hidden! {
    GetEnterpriseDataKeysResponse, TreeKey, EnterpriseKeys, EnterpriseDataRequest, EnterpriseDataResponse,
}
