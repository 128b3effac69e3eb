//! Package `Authentication`, second part: applications of Keeper Secrets Manager, their shares and devices.

numbers! {
    /// What an application's share is.
    ApplicationShareType {
        Record = 0, "SHARE_TYPE_RECORD";
        Folder = 1, "SHARE_TYPE_FOLDER";
    }
}

numbers! {
    /// What a device is.
    AppClientType {
        NotUsed = 0, "NOT_USED";
        General = 1, "GENERAL";
        DiscoveryAndRotationController = 2, "DISCOVERY_AND_ROTATION_CONTROLLER";
        KcmController = 3, "KCM_CONTROLLER";
        SelfDestruct = 4, "SELF_DESTRUCT";
    }
}

/// `vault/get_app_info`.
#[derive(Clone, PartialEq, prost::Message)]
pub struct GetAppInfoRequest {
    /// UIDs of applications, or of records for their one-time shares.
    #[prost(bytes = "vec", repeated, tag = "1")]
    pub app_record_uid: Vec<Vec<u8>>,
}

/// Answer of `vault/get_app_info`.
#[derive(Clone, PartialEq, prost::Message)]
pub struct GetAppInfoResponse {
    /// One for each application that is ours.
    #[prost(message, repeated, tag = "1")]
    pub app_info: Vec<AppInfo>,
}

/// An application: what it may read, and who reads.
#[derive(Clone, PartialEq, prost::Message)]
pub struct AppInfo {
    /// 16 bytes.
    #[prost(bytes = "vec", tag = "1")]
    pub app_record_uid: Vec<u8>,
    /// What it may read.
    #[prost(message, repeated, tag = "2")]
    pub shares: Vec<AppShare>,
    /// Its devices.
    #[prost(message, repeated, tag = "3")]
    pub clients: Vec<AppClient>,
    /// Whether it is a record's one-time shares instead of an application.
    #[prost(bool, tag = "4")]
    pub is_external_share: bool,
}

/// A folder or record that an application may read.
#[derive(Clone, PartialEq, prost::Message)]
#[prost(skip_debug)]
pub struct AppShare {
    /// UID of the folder or record; it may exist no more.
    #[prost(bytes = "vec", tag = "1")]
    pub secret_uid: Vec<u8>,
    /// Which of both.
    #[prost(enumeration = "ApplicationShareType", tag = "2")]
    pub share_type: i32,
    /// Whether devices may write.
    #[prost(bool, tag = "3")]
    pub editable: bool,
    /// Milliseconds.
    #[prost(int64, tag = "4")]
    pub created_on: i64,
    /// No client reads it.
    #[prost(bytes = "vec", tag = "5")]
    pub data: Vec<u8>,
}

/// A device of an application.
#[derive(Clone, PartialEq, prost::Message)]
#[prost(skip_debug)]
pub struct AppClient {
    /// Its name; not unique.
    #[prost(string, tag = "1")]
    pub id: String,
    /// 64 bytes, see [`crate::ClientId`].
    #[prost(bytes = "vec", tag = "2")]
    pub client_id: Vec<u8>,
    /// Milliseconds.
    #[prost(int64, tag = "3")]
    pub created_on: i64,
    /// Milliseconds; 0 before it was bound.
    #[prost(int64, tag = "4")]
    pub first_access: i64,
    /// Milliseconds; 0 is never.
    #[prost(int64, tag = "5")]
    pub last_access: i64,
    /// Of the device, presumably once it is bound (a guess).
    #[prost(bytes = "vec", tag = "6")]
    pub public_key: Vec<u8>,
    /// Whether it is bound to the address of its first call.
    #[prost(bool, tag = "7")]
    pub lock_ip: bool,
    /// That address.
    #[prost(string, tag = "8")]
    pub ip_address: String,
    /// Milliseconds: until then the one-time token is good.
    #[prost(int64, tag = "9")]
    pub first_access_expire_on: i64,
    /// Milliseconds; 0 is never.
    #[prost(int64, tag = "10")]
    pub access_expire_on: i64,
    /// Only general ones are ours to touch.
    #[prost(enumeration = "AppClientType", tag = "11")]
    pub app_client_type: i32,
    /// No client reads it.
    #[prost(bool, tag = "12")]
    pub can_edit: bool,
}

/// `vault/app_share_add`; void. One duplicate fails the whole request (a guess).
#[derive(Clone, PartialEq, prost::Message)]
#[prost(skip_debug)]
pub struct AddAppSharesRequest {
    /// The application.
    #[prost(bytes = "vec", tag = "1")]
    pub app_record_uid: Vec<u8>,
    /// What to share.
    #[prost(message, repeated, tag = "2")]
    pub shares: Vec<AppShareAdd>,
}

/// One share to be added.
#[derive(Clone, PartialEq, prost::Message)]
#[prost(skip_debug)]
pub struct AppShareAdd {
    /// UID of the folder or record.
    #[prost(bytes = "vec", tag = "2")]
    pub secret_uid: Vec<u8>,
    /// Which of both.
    #[prost(enumeration = "ApplicationShareType", tag = "3")]
    pub share_type: i32,
    /// The folder's or record's key under the application's key, AES-GCM, 60 bytes.
    #[prost(bytes = "vec", tag = "4")]
    pub encrypted_secret_key: Vec<u8>,
    /// Whether devices may write.
    #[prost(bool, tag = "5")]
    pub editable: bool,
}

/// `vault/app_share_remove`; void, whether or not the shares exist.
#[derive(Clone, PartialEq, prost::Message)]
pub struct RemoveAppSharesRequest {
    /// The application.
    #[prost(bytes = "vec", tag = "1")]
    pub app_record_uid: Vec<u8>,
    /// UIDs of folders and records.
    #[prost(bytes = "vec", repeated, tag = "2")]
    pub shares: Vec<Vec<u8>>,
}

/// `vault/app_client_add`, answered by [`Device`](super::authentication::Device).
#[derive(Clone, PartialEq, prost::Message)]
#[prost(skip_debug)]
pub struct AddAppClientRequest {
    /// The application.
    #[prost(bytes = "vec", tag = "1")]
    pub app_record_uid: Vec<u8>,
    /// The application's key under the one-time token, AES-GCM, 60 bytes.
    #[prost(bytes = "vec", tag = "2")]
    pub encrypted_app_key: Vec<u8>,
    /// 64 bytes, see [`crate::ClientId`].
    #[prost(bytes = "vec", tag = "3")]
    pub client_id: Vec<u8>,
    /// Binds the device to the address of its first call.
    #[prost(bool, tag = "4")]
    pub lock_ip: bool,
    /// Milliseconds: until then the one-time token is good.
    #[prost(int64, tag = "5")]
    pub first_access_expire_on: i64,
    /// Milliseconds; 0 is never.
    #[prost(int64, tag = "6")]
    pub access_expire_on: i64,
    /// The device's name.
    #[prost(string, tag = "7")]
    pub id: String,
    /// General.
    #[prost(enumeration = "AppClientType", tag = "8")]
    pub app_client_type: i32,
}

/// `vault/app_client_remove`, and `vault/external_share_remove`; void, no status for each.
#[derive(Clone, PartialEq, prost::Message)]
pub struct RemoveAppClientsRequest {
    /// The application, or the record with one-time shares.
    #[prost(bytes = "vec", tag = "1")]
    pub app_record_uid: Vec<u8>,
    /// Client ids, 64 bytes each.
    #[prost(bytes = "vec", repeated, tag = "2")]
    pub clients: Vec<Vec<u8>>,
}

/// Answer of `vault/get_applications_summary`, which has no request.
#[derive(Clone, PartialEq, prost::Message)]
pub struct GetApplicationsSummaryResponse {
    /// One for each application.
    #[prost(message, repeated, tag = "1")]
    pub application_summary: Vec<ApplicationSummary>,
}

/// What a list of applications shows.
#[derive(Clone, PartialEq, prost::Message)]
#[prost(skip_debug)]
pub struct ApplicationSummary {
    /// 16 bytes.
    #[prost(bytes = "vec", tag = "1")]
    pub app_record_uid: Vec<u8>,
    /// Milliseconds; 0 is never.
    #[prost(int64, tag = "2")]
    pub last_access: i64,
    /// Number of shared records.
    #[prost(int32, tag = "3")]
    pub record_shares: i32,
    /// Number of shared folders.
    #[prost(int32, tag = "4")]
    pub folder_shares: i32,
    /// Number of records in them.
    #[prost(int32, tag = "5")]
    pub folder_records: i32,
    /// Number of devices.
    #[prost(int32, tag = "6")]
    pub client_count: i32,
    /// How many of them have expired.
    #[prost(int32, tag = "7")]
    pub expired_client_count: i32,
    /// Of the owner.
    #[prost(string, tag = "8")]
    pub username: String,
    /// The application's data as in the vault.
    #[prost(bytes = "vec", tag = "9")]
    pub app_data: Vec<u8>,
}

hidden! {
    AppShare, AppClient, AddAppSharesRequest, AppShareAdd, AddAppClientRequest, ApplicationSummary,
}
