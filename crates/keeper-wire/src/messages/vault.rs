//! Package `Vault`: everything a user can see, page by page.

numbers! {
    /// Whether a page goes on or begins anew.
    CacheStatus {
        Keep = 0, "KEEP";
        Clear = 1, "CLEAR";
    }
}

/// `vault/sync_down`.
#[derive(Clone, PartialEq, prost::Message)]
#[prost(skip_debug)]
pub struct SyncDownRequest {
    /// Empty for everything; a token of before for what has changed since.
    #[prost(bytes = "vec", tag = "1")]
    pub continuation_token: Vec<u8>,
}

/// One page. Collect all pages first and resolve keys afterwards: rows come in any order, may repeat, and the last one wins. Rotation, BreachWatch, profiles, invitations and the nested folders ("Keeper Drive") are left out.
#[derive(Clone, PartialEq, prost::Message)]
#[prost(skip_debug)]
pub struct SyncDownResponse {
    /// For the next page, or for the changes of next time.
    #[prost(bytes = "vec", tag = "1")]
    pub continuation_token: Vec<u8>,
    /// Whether there is a next page.
    #[prost(bool, tag = "2")]
    pub has_more: bool,
    /// Whether to forget what came before.
    #[prost(enumeration = "CacheStatus", tag = "3")]
    pub cache_status: i32,
    /// Folders.
    #[prost(message, repeated, tag = "4")]
    pub user_folders: Vec<UserFolder>,
    /// Shared folders.
    #[prost(message, repeated, tag = "5")]
    pub shared_folders: Vec<SharedFolder>,
    /// Where shared folders are.
    #[prost(message, repeated, tag = "6")]
    pub user_folder_shared_folders: Vec<UserFolderSharedFolder>,
    /// Folders in shared folders.
    #[prost(message, repeated, tag = "7")]
    pub shared_folder_folders: Vec<SharedFolderFolder>,
    /// Records, files and applications.
    #[prost(message, repeated, tag = "8")]
    pub records: Vec<Record>,
    /// Their keys.
    #[prost(message, repeated, tag = "9")]
    pub record_meta_data: Vec<RecordMetaData>,
    /// Private parts of records.
    #[prost(message, repeated, tag = "10")]
    pub non_shared_data: Vec<NonSharedData>,
    /// Attached files.
    #[prost(message, repeated, tag = "11")]
    pub record_links: Vec<RecordLink>,
    /// Which records are in which folders.
    #[prost(message, repeated, tag = "12")]
    pub user_folder_records: Vec<UserFolderRecord>,
    /// Keys of records in shared folders.
    #[prost(message, repeated, tag = "13")]
    pub shared_folder_records: Vec<SharedFolderRecord>,
    /// Which records are where in a shared folder.
    #[prost(message, repeated, tag = "14")]
    pub shared_folder_folder_records: Vec<SharedFolderFolderRecord>,
    /// Members of shared folders.
    #[prost(message, repeated, tag = "15")]
    pub shared_folder_users: Vec<SharedFolderUser>,
    /// Teams of shared folders.
    #[prost(message, repeated, tag = "16")]
    pub shared_folder_teams: Vec<SharedFolderTeam>,
    /// Teams of the user.
    #[prost(message, repeated, tag = "18")]
    pub teams: Vec<Team>,
    /// UIDs.
    #[prost(bytes = "vec", repeated, tag = "27")]
    pub removed_user_folders: Vec<Vec<u8>>,
    /// UIDs.
    #[prost(bytes = "vec", repeated, tag = "28")]
    pub removed_shared_folders: Vec<Vec<u8>>,
    /// Places.
    #[prost(message, repeated, tag = "29")]
    pub removed_user_folder_shared_folders: Vec<UserFolderSharedFolder>,
    /// UIDs.
    #[prost(message, repeated, tag = "30")]
    pub removed_shared_folder_folders: Vec<SharedFolderFolder>,
    /// UIDs.
    #[prost(bytes = "vec", repeated, tag = "31")]
    pub removed_records: Vec<Vec<u8>>,
    /// Links.
    #[prost(message, repeated, tag = "32")]
    pub removed_record_links: Vec<RecordLink>,
    /// Places.
    #[prost(message, repeated, tag = "33")]
    pub removed_user_folder_records: Vec<UserFolderRecord>,
    /// Rows.
    #[prost(message, repeated, tag = "34")]
    pub removed_shared_folder_records: Vec<SharedFolderRecord>,
    /// Places.
    #[prost(message, repeated, tag = "35")]
    pub removed_shared_folder_folder_records: Vec<SharedFolderFolderRecord>,
    /// Rows.
    #[prost(message, repeated, tag = "36")]
    pub removed_shared_folder_users: Vec<SharedFolderUser>,
    /// Rows.
    #[prost(message, repeated, tag = "37")]
    pub removed_shared_folder_teams: Vec<SharedFolderTeam>,
    /// UIDs.
    #[prost(bytes = "vec", repeated, tag = "38")]
    pub removed_teams: Vec<Vec<u8>>,
    /// Applications whose shares have changed.
    #[prost(message, repeated, tag = "39")]
    pub ksm_app_shares: Vec<KsmChange>,
    /// Applications whose devices have changed.
    #[prost(message, repeated, tag = "40")]
    pub ksm_app_clients: Vec<KsmChange>,
    /// Names of accounts.
    #[prost(message, repeated, tag = "44")]
    pub users: Vec<User>,
    /// Account UIDs.
    #[prost(bytes = "vec", repeated, tag = "45")]
    pub removed_users: Vec<Vec<u8>>,
}

/// A folder.
#[derive(Clone, PartialEq, prost::Message)]
#[prost(skip_debug)]
pub struct UserFolder {
    /// 16 bytes.
    #[prost(bytes = "vec", tag = "1")]
    pub folder_uid: Vec<u8>,
    /// Empty for one at the root.
    #[prost(bytes = "vec", tag = "2")]
    pub parent_uid: Vec<u8>,
    /// Wrapped as `key_type` says.
    #[prost(bytes = "vec", tag = "3")]
    pub user_folder_key: Vec<u8>,
    /// How the key is wrapped.
    #[prost(enumeration = "super::records::RecordKeyType", tag = "4")]
    pub key_type: i32,
    /// Revision.
    #[prost(int64, tag = "5")]
    pub revision: i64,
    /// JSON with the name under the folder's key, AES-CBC.
    #[prost(bytes = "vec", tag = "6")]
    pub data: Vec<u8>,
}

/// A shared folder.
#[derive(Clone, PartialEq, prost::Message)]
#[prost(skip_debug)]
pub struct SharedFolder {
    /// 16 bytes.
    #[prost(bytes = "vec", tag = "1")]
    pub shared_folder_uid: Vec<u8>,
    /// Revision.
    #[prost(int64, tag = "2")]
    pub revision: i64,
    /// Wrapped as `key_type` says; may be empty when a team has it.
    #[prost(bytes = "vec", tag = "3")]
    pub shared_folder_key: Vec<u8>,
    /// How the key is wrapped.
    #[prost(enumeration = "super::records::RecordKeyType", tag = "4")]
    pub key_type: i32,
    /// JSON with the name under the folder's key, AES-CBC.
    #[prost(bytes = "vec", tag = "5")]
    pub data: Vec<u8>,
    /// For members added later.
    #[prost(bool, tag = "6")]
    pub default_manage_records: bool,
    /// For members added later.
    #[prost(bool, tag = "7")]
    pub default_manage_users: bool,
    /// For records added later.
    #[prost(bool, tag = "8")]
    pub default_can_edit: bool,
    /// For records added later.
    #[prost(bool, tag = "9")]
    pub default_can_reshare: bool,
    /// Whether to forget what came before of this folder.
    #[prost(enumeration = "CacheStatus", tag = "10")]
    pub cache_status: i32,
    /// E-mail address; often empty.
    #[prost(string, tag = "11")]
    pub owner: String,
    /// Empty means ourselves.
    #[prost(bytes = "vec", tag = "12")]
    pub owner_account_uid: Vec<u8>,
    /// The name under the folder's key, AES-CBC.
    #[prost(bytes = "vec", tag = "13")]
    pub name: Vec<u8>,
}

/// A shared folder's place.
#[derive(Clone, PartialEq, prost::Message)]
pub struct UserFolderSharedFolder {
    /// Empty for the root.
    #[prost(bytes = "vec", tag = "1")]
    pub folder_uid: Vec<u8>,
    /// The shared folder.
    #[prost(bytes = "vec", tag = "2")]
    pub shared_folder_uid: Vec<u8>,
    /// Revision.
    #[prost(int64, tag = "3")]
    pub revision: i64,
}

/// A folder in a shared folder.
#[derive(Clone, PartialEq, prost::Message)]
#[prost(skip_debug)]
pub struct SharedFolderFolder {
    /// The shared folder.
    #[prost(bytes = "vec", tag = "1")]
    pub shared_folder_uid: Vec<u8>,
    /// 16 bytes.
    #[prost(bytes = "vec", tag = "2")]
    pub folder_uid: Vec<u8>,
    /// Empty, or the shared folder, for one directly in it.
    #[prost(bytes = "vec", tag = "3")]
    pub parent_uid: Vec<u8>,
    /// Under the shared folder's key.
    #[prost(bytes = "vec", tag = "4")]
    pub shared_folder_folder_key: Vec<u8>,
    /// How the key is wrapped.
    #[prost(enumeration = "super::records::RecordKeyType", tag = "5")]
    pub key_type: i32,
    /// Revision.
    #[prost(int64, tag = "6")]
    pub revision: i64,
    /// JSON with the name under the folder's key, AES-CBC.
    #[prost(bytes = "vec", tag = "7")]
    pub data: Vec<u8>,
}

/// A shared folder's key that a team has.
#[derive(Clone, PartialEq, prost::Message)]
#[prost(skip_debug)]
pub struct SharedFolderKey {
    /// The shared folder.
    #[prost(bytes = "vec", tag = "1")]
    pub shared_folder_uid: Vec<u8>,
    /// Wrapped as `key_type` says, by the team's keys.
    #[prost(bytes = "vec", tag = "2")]
    pub shared_folder_key: Vec<u8>,
    /// How the key is wrapped.
    #[prost(enumeration = "super::records::RecordKeyType", tag = "3")]
    pub key_type: i32,
}

/// A team of the user.
#[derive(Clone, PartialEq, prost::Message)]
#[prost(skip_debug)]
pub struct Team {
    /// 16 bytes.
    #[prost(bytes = "vec", tag = "1")]
    pub team_uid: Vec<u8>,
    /// Name.
    #[prost(string, tag = "2")]
    pub name: String,
    /// Wrapped as `team_key_type` says.
    #[prost(bytes = "vec", tag = "3")]
    pub team_key: Vec<u8>,
    /// How the key is wrapped.
    #[prost(enumeration = "super::records::RecordKeyType", tag = "4")]
    pub team_key_type: i32,
    /// RSA, PKCS#1 DER under the team's key, AES-CBC.
    #[prost(bytes = "vec", tag = "5")]
    pub team_private_key: Vec<u8>,
    /// Whether members may not edit.
    #[prost(bool, tag = "6")]
    pub restrict_edit: bool,
    /// Whether members may not share.
    #[prost(bool, tag = "7")]
    pub restrict_share: bool,
    /// Whether members may not view.
    #[prost(bool, tag = "8")]
    pub restrict_view: bool,
    /// UIDs.
    #[prost(bytes = "vec", repeated, tag = "9")]
    pub removed_shared_folders: Vec<Vec<u8>>,
    /// Shared folders the team has.
    #[prost(message, repeated, tag = "10")]
    pub shared_folder_keys: Vec<SharedFolderKey>,
    /// Scalar under the team's key, AES-GCM.
    #[prost(bytes = "vec", tag = "11")]
    pub team_ecc_private_key: Vec<u8>,
    /// Point, 65 bytes.
    #[prost(bytes = "vec", tag = "12")]
    pub team_ecc_public_key: Vec<u8>,
}

/// A record (version 3), file (4) or application (5).
#[derive(Clone, PartialEq, prost::Message)]
#[prost(skip_debug)]
pub struct Record {
    /// 16 bytes.
    #[prost(bytes = "vec", tag = "1")]
    pub record_uid: Vec<u8>,
    /// Revision.
    #[prost(int64, tag = "2")]
    pub revision: i64,
    /// 2 old, 3 typed, 4 file, 5 application, 6 PAM.
    #[prost(int32, tag = "3")]
    pub version: i32,
    /// Whether others see it.
    #[prost(bool, tag = "4")]
    pub shared: bool,
    /// Milliseconds.
    #[prost(int64, tag = "5")]
    pub client_modified_time: i64,
    /// JSON under the record's key: AES-GCM from version 3, AES-CBC below.
    #[prost(bytes = "vec", tag = "6")]
    pub data: Vec<u8>,
    /// Of version 2.
    #[prost(bytes = "vec", tag = "7")]
    pub extra: Vec<u8>,
    /// JSON, of version 2.
    #[prost(string, tag = "8")]
    pub udata: String,
    /// Announced size of the stored file; not that of its content.
    #[prost(int64, tag = "9")]
    pub file_size: i64,
    /// The same of a picture.
    #[prost(int64, tag = "10")]
    pub thumbnail_size: i64,
}

/// A file is attached to a record.
#[derive(Clone, PartialEq, prost::Message)]
#[prost(skip_debug)]
pub struct RecordLink {
    /// The record.
    #[prost(bytes = "vec", tag = "1")]
    pub parent_record_uid: Vec<u8>,
    /// The file.
    #[prost(bytes = "vec", tag = "2")]
    pub child_record_uid: Vec<u8>,
    /// The file's key under the record's key, AES-GCM, 60 bytes.
    #[prost(bytes = "vec", tag = "3")]
    pub record_key: Vec<u8>,
    /// Revision.
    #[prost(int64, tag = "4")]
    pub revision: i64,
}

/// A record's place in the user's folders.
#[derive(Clone, PartialEq, prost::Message)]
pub struct UserFolderRecord {
    /// Empty for the root.
    #[prost(bytes = "vec", tag = "1")]
    pub folder_uid: Vec<u8>,
    /// The record.
    #[prost(bytes = "vec", tag = "2")]
    pub record_uid: Vec<u8>,
    /// Revision.
    #[prost(int64, tag = "3")]
    pub revision: i64,
}

/// A record's place in a shared folder.
#[derive(Clone, PartialEq, prost::Message)]
pub struct SharedFolderFolderRecord {
    /// The shared folder.
    #[prost(bytes = "vec", tag = "1")]
    pub shared_folder_uid: Vec<u8>,
    /// Empty: directly in it.
    #[prost(bytes = "vec", tag = "2")]
    pub folder_uid: Vec<u8>,
    /// The record.
    #[prost(bytes = "vec", tag = "3")]
    pub record_uid: Vec<u8>,
    /// Revision.
    #[prost(int64, tag = "4")]
    pub revision: i64,
}

/// The private part of a record.
#[derive(Clone, PartialEq, prost::Message)]
#[prost(skip_debug)]
pub struct NonSharedData {
    /// The record.
    #[prost(bytes = "vec", tag = "1")]
    pub record_uid: Vec<u8>,
    /// JSON under the data key.
    #[prost(bytes = "vec", tag = "2")]
    pub data: Vec<u8>,
}

/// A record's key and what the user may do with it.
#[derive(Clone, PartialEq, prost::Message)]
#[prost(skip_debug)]
pub struct RecordMetaData {
    /// The record.
    #[prost(bytes = "vec", tag = "1")]
    pub record_uid: Vec<u8>,
    /// Whether it is the user's.
    #[prost(bool, tag = "2")]
    pub owner: bool,
    /// Wrapped as `record_key_type` says.
    #[prost(bytes = "vec", tag = "3")]
    pub record_key: Vec<u8>,
    /// How the key is wrapped.
    #[prost(enumeration = "super::records::RecordKeyType", tag = "4")]
    pub record_key_type: i32,
    /// Whether the user may share it.
    #[prost(bool, tag = "5")]
    pub can_share: bool,
    /// Whether the user may change it.
    #[prost(bool, tag = "6")]
    pub can_edit: bool,
    /// Empty means ourselves.
    #[prost(bytes = "vec", tag = "7")]
    pub owner_account_uid: Vec<u8>,
    /// Milliseconds; 0 is never.
    #[prost(int64, tag = "8")]
    pub expiration: i64,
    /// E-mail address; often empty.
    #[prost(string, tag = "10")]
    pub owner_username: String,
}

/// A record's key in a shared folder.
#[derive(Clone, PartialEq, prost::Message)]
#[prost(skip_debug)]
pub struct SharedFolderRecord {
    /// The shared folder.
    #[prost(bytes = "vec", tag = "1")]
    pub shared_folder_uid: Vec<u8>,
    /// The record.
    #[prost(bytes = "vec", tag = "2")]
    pub record_uid: Vec<u8>,
    /// Under the shared folder's key: 60 bytes are AES-GCM, 64 AES-CBC.
    #[prost(bytes = "vec", tag = "3")]
    pub record_key: Vec<u8>,
    /// For other members.
    #[prost(bool, tag = "4")]
    pub can_share: bool,
    /// For other members.
    #[prost(bool, tag = "5")]
    pub can_edit: bool,
    /// Empty means ourselves.
    #[prost(bytes = "vec", tag = "6")]
    pub owner_account_uid: Vec<u8>,
    /// Milliseconds; 0 is never.
    #[prost(int64, tag = "7")]
    pub expiration: i64,
    /// Whether the record is the user's.
    #[prost(bool, tag = "8")]
    pub owner: bool,
    /// E-mail address; often empty.
    #[prost(string, tag = "10")]
    pub owner_username: String,
}

/// A member of a shared folder.
#[derive(Clone, PartialEq, prost::Message)]
pub struct SharedFolderUser {
    /// The shared folder.
    #[prost(bytes = "vec", tag = "1")]
    pub shared_folder_uid: Vec<u8>,
    /// E-mail address; often empty.
    #[prost(string, tag = "2")]
    pub username: String,
    /// Whether the member may add and remove records.
    #[prost(bool, tag = "3")]
    pub manage_records: bool,
    /// Whether the member may add and remove members.
    #[prost(bool, tag = "4")]
    pub manage_users: bool,
    /// Empty means ourselves.
    #[prost(bytes = "vec", tag = "5")]
    pub account_uid: Vec<u8>,
    /// Milliseconds; 0 is never.
    #[prost(int64, tag = "6")]
    pub expiration: i64,
}

/// A team of a shared folder.
#[derive(Clone, PartialEq, prost::Message)]
pub struct SharedFolderTeam {
    /// The shared folder.
    #[prost(bytes = "vec", tag = "1")]
    pub shared_folder_uid: Vec<u8>,
    /// The team.
    #[prost(bytes = "vec", tag = "2")]
    pub team_uid: Vec<u8>,
    /// Name.
    #[prost(string, tag = "3")]
    pub name: String,
    /// Whether it may add and remove records.
    #[prost(bool, tag = "4")]
    pub manage_records: bool,
    /// Whether it may add and remove members.
    #[prost(bool, tag = "5")]
    pub manage_users: bool,
    /// Milliseconds; 0 is never.
    #[prost(int64, tag = "6")]
    pub expiration: i64,
}

/// An application has changed.
#[derive(Clone, PartialEq, prost::Message)]
pub struct KsmChange {
    /// The application.
    #[prost(bytes = "vec", tag = "1")]
    pub app_record_uid: Vec<u8>,
    /// The share or device.
    #[prost(bytes = "vec", tag = "2")]
    pub detail_id: Vec<u8>,
    /// Whether it is gone.
    #[prost(bool, tag = "3")]
    pub removed: bool,
    /// Kind of device.
    #[prost(enumeration = "super::applications::AppClientType", tag = "4")]
    pub app_client_type: i32,
    /// Milliseconds; 0 is never.
    #[prost(int64, tag = "5")]
    pub expiration: i64,
}

/// An account's name.
#[derive(Clone, PartialEq, prost::Message)]
pub struct User {
    /// 16 bytes.
    #[prost(bytes = "vec", tag = "1")]
    pub account_uid: Vec<u8>,
    /// E-mail address.
    #[prost(string, tag = "2")]
    pub username: String,
}

hidden! {
    SyncDownRequest, SyncDownResponse, UserFolder, SharedFolder, SharedFolderFolder, SharedFolderKey, Team, Record, RecordLink,
    NonSharedData, RecordMetaData, SharedFolderRecord,
}
