//! Package `Records`: writing records, files and applications, and reading single ones.

numbers! {
    /// What the key of a record or folder is wrapped with.
    RecordKeyType {
        NoKey = 0, "NO_KEY";
        ByDataKey = 1, "ENCRYPTED_BY_DATA_KEY";
        ByPublicKey = 2, "ENCRYPTED_BY_PUBLIC_KEY";
        ByDataKeyGcm = 3, "ENCRYPTED_BY_DATA_KEY_GCM";
        ByPublicKeyEcc = 4, "ENCRYPTED_BY_PUBLIC_KEY_ECC";
        ByRootKeyCbc = 5, "ENCRYPTED_BY_ROOT_KEY_CBC";
        ByRootKeyGcm = 6, "ENCRYPTED_BY_ROOT_KEY_GCM";
    }
}

numbers! {
    /// What kind of folder a record is put into.
    RecordFolderType {
        UserFolder = 0, "user_folder";
        SharedFolder = 1, "shared_folder";
        SharedFolderFolder = 2, "shared_folder_folder";
    }
}

numbers! {
    /// What became of a record that was to be written.
    RecordModifyResult {
        Success = 0, "RS_SUCCESS";
        OutOfSync = 1, "RS_OUT_OF_SYNC";
        AccessDenied = 2, "RS_ACCESS_DENIED";
        ShareDenied = 3, "RS_SHARE_DENIED";
        RecordExists = 4, "RS_RECORD_EXISTS";
        OldRecordVersionType = 5, "RS_OLD_RECORD_VERSION_TYPE";
        NewRecordVersionType = 6, "RS_NEW_RECORD_VERSION_TYPE";
        FilesNotMatch = 7, "RS_FILES_NOT_MATCH";
        RecordNotShareable = 8, "RS_RECORD_NOT_SHAREABLE";
        AttachmentNotShareable = 9, "RS_ATTACHMENT_NOT_SHAREABLE";
        FileLimitReached = 10, "RS_FILE_LIMIT_REACHED";
        SizeExceededLimit = 11, "RS_SIZE_EXCEEDED_LIMIT";
        OnlyOwnerCanModifyScripts = 12, "RS_ONLY_OWNER_CAN_MODIFY_SCRIPTS";
    }
}

numbers! {
    /// How much `get_records_details` tells.
    RecordDetailsInclude {
        DataPlusShare = 0, "DATA_PLUS_SHARE";
        DataOnly = 1, "DATA_ONLY";
        ShareOnly = 2, "SHARE_ONLY";
    }
}

numbers! {
    /// Who made a record type.
    RecordTypeScope {
        Standard = 0, "RT_STANDARD";
        User = 1, "RT_USER";
        Enterprise = 2, "RT_ENTERPRISE";
        Pam = 3, "RT_PAM";
        PamConfiguration = 4, "RT_PAM_CONFIGURATION";
    }
}

numbers! {
    /// What `am_i_share_admin` asks about.
    CheckShareAdminObjectType {
        InvalidType = 0, "CHECK_SA_INVALID_TYPE";
        OnSf = 1, "CHECK_SA_ON_SF";
        OnRecord = 2, "CHECK_SA_ON_RECORD";
    }
}

/// `vault/get_record_types`.
#[derive(Clone, PartialEq, prost::Message)]
pub struct RecordTypesRequest {
    /// The vendor's.
    #[prost(bool, tag = "1")]
    pub standard: bool,
    /// The user's.
    #[prost(bool, tag = "2")]
    pub user: bool,
    /// The enterprise's.
    #[prost(bool, tag = "3")]
    pub enterprise: bool,
    /// For privileged access.
    #[prost(bool, tag = "4")]
    pub pam: bool,
}

/// Answer of `vault/get_record_types`.
#[derive(Clone, PartialEq, prost::Message)]
pub struct RecordTypesResponse {
    /// The types.
    #[prost(message, repeated, tag = "1")]
    pub record_types: Vec<RecordType>,
    /// Their number.
    #[prost(int32, tag = "2")]
    pub standard_counter: i32,
    /// Their number.
    #[prost(int32, tag = "3")]
    pub user_counter: i32,
    /// Their number.
    #[prost(int32, tag = "4")]
    pub enterprise_counter: i32,
    /// Their number.
    #[prost(int32, tag = "5")]
    pub pam_counter: i32,
}

/// A record type.
#[derive(Clone, PartialEq, prost::Message)]
pub struct RecordType {
    /// Its id.
    #[prost(int32, tag = "1")]
    pub record_type_id: i32,
    /// JSON: `{"$id":"login","fields":[{"$ref":"login"},…]}`.
    #[prost(string, tag = "2")]
    pub content: String,
    /// Who made it.
    #[prost(enumeration = "RecordTypeScope", tag = "3")]
    pub scope: i32,
}

/// A file to be attached to a record.
#[derive(Clone, PartialEq, prost::Message)]
#[prost(skip_debug)]
pub struct RecordLink {
    /// The file.
    #[prost(bytes = "vec", tag = "1")]
    pub record_uid: Vec<u8>,
    /// Its key under the record's key, AES-GCM, 60 bytes.
    #[prost(bytes = "vec", tag = "2")]
    pub record_key: Vec<u8>,
}

/// What the enterprise's reports may show of a record.
#[derive(Clone, PartialEq, prost::Message)]
#[prost(skip_debug)]
pub struct RecordAudit {
    /// 0.
    #[prost(int32, tag = "1")]
    pub version: i32,
    /// JSON with title and type, sealed to the enterprise's point.
    #[prost(bytes = "vec", tag = "2")]
    pub data: Vec<u8>,
}

/// A password's score; none for a record without password.
#[derive(Clone, PartialEq, prost::Message)]
#[prost(skip_debug)]
pub struct SecurityData {
    /// Sealed to the enterprise's key.
    #[prost(bytes = "vec", tag = "1")]
    pub data: Vec<u8>,
}

/// A password's score for the owner.
#[derive(Clone, PartialEq, prost::Message)]
#[prost(skip_debug)]
pub struct SecurityScoreData {
    /// Under the record's key.
    #[prost(bytes = "vec", tag = "1")]
    pub data: Vec<u8>,
}

/// A record to be made.
#[derive(Clone, PartialEq, prost::Message)]
#[prost(skip_debug)]
pub struct RecordAdd {
    /// 16 new random bytes.
    #[prost(bytes = "vec", tag = "1")]
    pub record_uid: Vec<u8>,
    /// Its key under the data key, AES-GCM, 60 bytes.
    #[prost(bytes = "vec", tag = "2")]
    pub record_key: Vec<u8>,
    /// Milliseconds.
    #[prost(int64, tag = "3")]
    pub client_modified_time: i64,
    /// JSON under the record's key, AES-GCM, padded with spaces.
    #[prost(bytes = "vec", tag = "4")]
    pub data: Vec<u8>,
    /// Private part.
    #[prost(bytes = "vec", tag = "5")]
    pub non_shared_data: Vec<u8>,
    /// Kind of folder.
    #[prost(enumeration = "RecordFolderType", tag = "6")]
    pub folder_type: i32,
    /// Empty for the root.
    #[prost(bytes = "vec", tag = "7")]
    pub folder_uid: Vec<u8>,
    /// The record's key under the folder's key, AES-GCM.
    #[prost(bytes = "vec", tag = "8")]
    pub folder_key: Vec<u8>,
    /// Files to be attached.
    #[prost(message, repeated, tag = "9")]
    pub record_links: Vec<RecordLink>,
    /// For reports.
    #[prost(message, optional, tag = "10")]
    pub audit: Option<RecordAudit>,
    /// Not for a record without password.
    #[prost(message, optional, tag = "11")]
    pub security_data: Option<SecurityData>,
    /// Not for a record without password.
    #[prost(message, optional, tag = "12")]
    pub security_score_data: Option<SecurityScoreData>,
}

/// `vault/records_add`, answered by [`RecordsModifyResponse`].
#[derive(Clone, PartialEq, prost::Message)]
#[prost(skip_debug)]
pub struct RecordsAddRequest {
    /// At most 1000 (a guess).
    #[prost(message, repeated, tag = "1")]
    pub records: Vec<RecordAdd>,
    /// Milliseconds.
    #[prost(int64, tag = "2")]
    pub client_time: i64,
    /// What `security_data` is sealed with.
    #[prost(enumeration = "RecordKeyType", tag = "3")]
    pub security_data_key_type: i32,
}

/// A record to be changed.
#[derive(Clone, PartialEq, prost::Message)]
#[prost(skip_debug)]
pub struct RecordUpdate {
    /// Which one.
    #[prost(bytes = "vec", tag = "1")]
    pub record_uid: Vec<u8>,
    /// Milliseconds.
    #[prost(int64, tag = "2")]
    pub client_modified_time: i64,
    /// The one that was read; another one is refused as out of sync.
    #[prost(int64, tag = "3")]
    pub revision: i64,
    /// JSON under the record's key; empty leaves it.
    #[prost(bytes = "vec", tag = "4")]
    pub data: Vec<u8>,
    /// Private part; empty leaves it.
    #[prost(bytes = "vec", tag = "5")]
    pub non_shared_data: Vec<u8>,
    /// Files to be attached.
    #[prost(message, repeated, tag = "6")]
    pub record_links_add: Vec<RecordLink>,
    /// UIDs of files to be unlinked.
    #[prost(bytes = "vec", repeated, tag = "7")]
    pub record_links_remove: Vec<Vec<u8>>,
    /// For reports.
    #[prost(message, optional, tag = "8")]
    pub audit: Option<RecordAudit>,
    /// Not for a record without password.
    #[prost(message, optional, tag = "9")]
    pub security_data: Option<SecurityData>,
    /// Not for a record without password.
    #[prost(message, optional, tag = "10")]
    pub security_score_data: Option<SecurityScoreData>,
}

/// `vault/records_update`, answered by [`RecordsModifyResponse`].
#[derive(Clone, PartialEq, prost::Message)]
#[prost(skip_debug)]
pub struct RecordsUpdateRequest {
    /// The changes.
    #[prost(message, repeated, tag = "1")]
    pub records: Vec<RecordUpdate>,
    /// Milliseconds.
    #[prost(int64, tag = "2")]
    pub client_time: i64,
    /// What `security_data` is sealed with.
    #[prost(enumeration = "RecordKeyType", tag = "3")]
    pub security_data_key_type: i32,
}

/// Answer of `records_add` and `records_update`.
#[derive(Clone, PartialEq, prost::Message)]
pub struct RecordsModifyResponse {
    /// One for each.
    #[prost(message, repeated, tag = "1")]
    pub records: Vec<RecordModifyStatus>,
    /// The new revision.
    #[prost(int64, tag = "2")]
    pub revision: i64,
}

/// What became of one record.
#[derive(Clone, PartialEq, prost::Message)]
pub struct RecordModifyStatus {
    /// Which one.
    #[prost(bytes = "vec", tag = "1")]
    pub record_uid: Vec<u8>,
    /// Anything but success is a failure, although the status of HTTP is 200.
    #[prost(enumeration = "RecordModifyResult", tag = "2")]
    pub status: i32,
    /// Text for a person.
    #[prost(string, tag = "3")]
    pub message: String,
    /// Not empty is a failure, although no client of the vendor looks.
    #[prost(message, repeated, tag = "4")]
    pub link_errors: Vec<RecordLinkError>,
}

/// What became of a file that was to be attached or unlinked.
#[derive(Clone, PartialEq, prost::Message)]
pub struct RecordLinkError {
    /// The file.
    #[prost(bytes = "vec", tag = "1")]
    pub record_uid: Vec<u8>,
    /// What became of it.
    #[prost(enumeration = "RecordModifyResult", tag = "2")]
    pub status: i32,
    /// Text for a person.
    #[prost(string, tag = "3")]
    pub message: String,
}

/// `vault/application_add`; void.
#[derive(Clone, PartialEq, prost::Message)]
#[prost(skip_debug)]
pub struct ApplicationAddRequest {
    /// 16 new random bytes.
    #[prost(bytes = "vec", tag = "1")]
    pub app_uid: Vec<u8>,
    /// Its key under the data key, AES-GCM, 60 bytes.
    #[prost(bytes = "vec", tag = "2")]
    pub record_key: Vec<u8>,
    /// Milliseconds.
    #[prost(int64, tag = "3")]
    pub client_modified_time: i64,
    /// JSON with title and type `app` under its own key, AES-GCM.
    #[prost(bytes = "vec", tag = "4")]
    pub data: Vec<u8>,
    /// For reports.
    #[prost(message, optional, tag = "5")]
    pub audit: Option<RecordAudit>,
}

/// `vault/get_records_details`.
#[derive(Clone, PartialEq, prost::Message)]
pub struct GetRecordDataWithAccessInfoRequest {
    /// Milliseconds.
    #[prost(int64, tag = "1")]
    pub client_time: i64,
    /// At most 999.
    #[prost(bytes = "vec", repeated, tag = "2")]
    pub record_uid: Vec<Vec<u8>>,
    /// How much is wanted.
    #[prost(enumeration = "RecordDetailsInclude", tag = "3")]
    pub record_details_include: i32,
}

/// Answer of `vault/get_records_details`.
#[derive(Clone, PartialEq, prost::Message)]
pub struct GetRecordDataWithAccessInfoResponse {
    /// What may be seen.
    #[prost(message, repeated, tag = "1")]
    pub record_data_with_access_info: Vec<RecordDataWithAccessInfo>,
    /// The others.
    #[prost(bytes = "vec", repeated, tag = "2")]
    pub no_permission_record_uid: Vec<Vec<u8>>,
}

/// One record and who may see it.
#[derive(Clone, PartialEq, prost::Message)]
pub struct RecordDataWithAccessInfo {
    /// Which one.
    #[prost(bytes = "vec", tag = "1")]
    pub record_uid: Vec<u8>,
    /// Its data, when wanted.
    #[prost(message, optional, tag = "2")]
    pub record_data: Option<RecordData>,
    /// Accounts.
    #[prost(message, repeated, tag = "3")]
    pub user_permission: Vec<UserPermission>,
    /// Shared folders.
    #[prost(message, repeated, tag = "4")]
    pub shared_folder_permission: Vec<SharedFolderPermission>,
}

/// A record's data.
#[derive(Clone, PartialEq, prost::Message)]
#[prost(skip_debug)]
pub struct RecordData {
    /// Revision.
    #[prost(int64, tag = "1")]
    pub revision: i64,
    /// As in [`Record`](super::vault::Record).
    #[prost(int32, tag = "2")]
    pub version: i32,
    /// Whether others see it.
    #[prost(bool, tag = "3")]
    pub shared: bool,
    /// URL-safe base64.
    #[prost(string, tag = "4")]
    pub encrypted_record_data: String,
    /// URL-safe base64.
    #[prost(string, tag = "5")]
    pub encrypted_extra_data: String,
    /// Milliseconds.
    #[prost(int64, tag = "6")]
    pub client_modified_time: i64,
    /// URL-safe base64.
    #[prost(string, tag = "7")]
    pub non_shared_data: String,
    /// Attached files.
    #[prost(message, repeated, tag = "8")]
    pub linked_record_data: Vec<Self>,
    /// UIDs of attached files.
    #[prost(bytes = "vec", repeated, tag = "9")]
    pub file_id: Vec<Vec<u8>>,
    /// As in [`Record`](super::vault::Record).
    #[prost(int64, tag = "10")]
    pub file_size: i64,
    /// As in [`Record`](super::vault::Record).
    #[prost(int64, tag = "11")]
    pub thumbnail_size: i64,
    /// How the key is wrapped.
    #[prost(enumeration = "RecordKeyType", tag = "12")]
    pub record_key_type: i32,
    /// Wrapped as `record_key_type` says.
    #[prost(bytes = "vec", tag = "13")]
    pub record_key: Vec<u8>,
    /// Which one.
    #[prost(bytes = "vec", tag = "14")]
    pub record_uid: Vec<u8>,
}

/// What an account may do with a record.
#[derive(Clone, PartialEq, prost::Message)]
pub struct UserPermission {
    /// E-mail address.
    #[prost(string, tag = "1")]
    pub username: String,
    /// Whether it owns it.
    #[prost(bool, tag = "2")]
    pub owner: bool,
    /// Whether it sees it as a share administrator.
    #[prost(bool, tag = "3")]
    pub share_admin: bool,
    /// Whether it may share it.
    #[prost(bool, tag = "4")]
    pub sharable: bool,
    /// Whether it may change it.
    #[prost(bool, tag = "5")]
    pub editable: bool,
    /// Whether the share was not accepted yet.
    #[prost(bool, tag = "6")]
    pub awaiting_approval: bool,
    /// Milliseconds; 0 is never.
    #[prost(int64, tag = "7")]
    pub expiration: i64,
    /// 16 bytes.
    #[prost(bytes = "vec", tag = "8")]
    pub account_uid: Vec<u8>,
}

/// What members of a shared folder may do with a record.
#[derive(Clone, PartialEq, prost::Message)]
pub struct SharedFolderPermission {
    /// The shared folder.
    #[prost(bytes = "vec", tag = "1")]
    pub shared_folder_uid: Vec<u8>,
    /// Whether they may share it.
    #[prost(bool, tag = "2")]
    pub resharable: bool,
    /// Whether they may change it.
    #[prost(bool, tag = "3")]
    pub editable: bool,
    /// Revision.
    #[prost(int64, tag = "4")]
    pub revision: i64,
    /// Milliseconds; 0 is never.
    #[prost(int64, tag = "5")]
    pub expiration: i64,
}

/// `vault/am_i_share_admin`, request and answer.
#[derive(Clone, PartialEq, prost::Message)]
pub struct AmIShareAdmin {
    /// One for each object.
    #[prost(message, repeated, tag = "1")]
    pub is_object_share_admin: Vec<IsObjectShareAdmin>,
}

/// Whether the user is share administrator of an object.
#[derive(Clone, PartialEq, prost::Message)]
pub struct IsObjectShareAdmin {
    /// The object.
    #[prost(bytes = "vec", tag = "1")]
    pub uid: Vec<u8>,
    /// The answer.
    #[prost(bool, tag = "2")]
    pub is_admin: bool,
    /// What the object is.
    #[prost(enumeration = "CheckShareAdminObjectType", tag = "3")]
    pub object_type: i32,
}

hidden! {
    RecordLink, RecordAudit, SecurityData, SecurityScoreData, RecordAdd, RecordsAddRequest, RecordUpdate, RecordsUpdateRequest,
    ApplicationAddRequest, RecordData,
}
