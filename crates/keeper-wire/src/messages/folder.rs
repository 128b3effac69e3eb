//! Package `Folder`: changing shared folders, and the trash.

numbers! {
    /// A switch that may be left alone.
    SetBooleanValue {
        NoChange = 0, "BOOLEAN_NO_CHANGE";
        True = 1, "BOOLEAN_TRUE";
        False = 2, "BOOLEAN_FALSE";
    }
}

/// `vault/shared_folder_update_v3`, with API version 1.
#[derive(Clone, PartialEq, prost::Message)]
#[prost(skip_debug)]
pub struct SharedFolderUpdateV3RequestV2 {
    /// One for each folder.
    #[prost(message, repeated, tag = "1")]
    pub shared_folders_update_v3: Vec<SharedFolderUpdateV3Request>,
}

/// What to change of a shared folder.
#[derive(Clone, PartialEq, prost::Message)]
#[prost(skip_debug)]
pub struct SharedFolderUpdateV3Request {
    /// Which one.
    #[prost(bytes = "vec", tag = "2")]
    pub shared_folder_uid: Vec<u8>,
    /// Its name under its key, AES-CBC; empty leaves it.
    #[prost(bytes = "vec", tag = "3")]
    pub encrypted_shared_folder_name: Vec<u8>,
    /// The folder's, as it was read.
    #[prost(int64, tag = "4")]
    pub revision: i64,
    /// Do not look at `revision`.
    #[prost(bool, tag = "5")]
    pub force_update: bool,
    /// When the user has the folder through a team.
    #[prost(bytes = "vec", tag = "6")]
    pub from_team_uid: Vec<u8>,
    /// For members added later.
    #[prost(enumeration = "SetBooleanValue", tag = "7")]
    pub default_manage_users: i32,
    /// For members added later.
    #[prost(enumeration = "SetBooleanValue", tag = "8")]
    pub default_manage_records: i32,
    /// For records added later.
    #[prost(enumeration = "SetBooleanValue", tag = "9")]
    pub default_can_edit: i32,
    /// For records added later.
    #[prost(enumeration = "SetBooleanValue", tag = "10")]
    pub default_can_share: i32,
    /// Records to be added.
    #[prost(message, repeated, tag = "11")]
    pub shared_folder_add_record: Vec<SharedFolderUpdateRecord>,
    /// Members to be added.
    #[prost(message, repeated, tag = "12")]
    pub shared_folder_add_user: Vec<SharedFolderUpdateUser>,
    /// Teams to be added.
    #[prost(message, repeated, tag = "13")]
    pub shared_folder_add_team: Vec<SharedFolderUpdateTeam>,
    /// Records to be changed.
    #[prost(message, repeated, tag = "14")]
    pub shared_folder_update_record: Vec<SharedFolderUpdateRecord>,
    /// Members to be changed.
    #[prost(message, repeated, tag = "15")]
    pub shared_folder_update_user: Vec<SharedFolderUpdateUser>,
    /// Teams to be changed.
    #[prost(message, repeated, tag = "16")]
    pub shared_folder_update_team: Vec<SharedFolderUpdateTeam>,
    /// UIDs.
    #[prost(bytes = "vec", repeated, tag = "17")]
    pub shared_folder_remove_record: Vec<Vec<u8>>,
    /// E-mail addresses.
    #[prost(string, repeated, tag = "18")]
    pub shared_folder_remove_user: Vec<String>,
    /// UIDs.
    #[prost(bytes = "vec", repeated, tag = "19")]
    pub shared_folder_remove_team: Vec<Vec<u8>>,
    /// E-mail address of a new owner.
    #[prost(string, tag = "20")]
    pub shared_folder_owner: String,
}

/// A record in a shared folder.
#[derive(Clone, PartialEq, prost::Message)]
#[prost(skip_debug)]
pub struct SharedFolderUpdateRecord {
    /// Which one.
    #[prost(bytes = "vec", tag = "1")]
    pub record_uid: Vec<u8>,
    /// The shared folder.
    #[prost(bytes = "vec", tag = "2")]
    pub shared_folder_uid: Vec<u8>,
    /// When the user has the record through a team.
    #[prost(bytes = "vec", tag = "3")]
    pub team_uid: Vec<u8>,
    /// For other members.
    #[prost(enumeration = "SetBooleanValue", tag = "4")]
    pub can_edit: i32,
    /// For other members.
    #[prost(enumeration = "SetBooleanValue", tag = "5")]
    pub can_share: i32,
    /// Its key under the folder's key, AES-GCM.
    #[prost(bytes = "vec", tag = "6")]
    pub encrypted_record_key: Vec<u8>,
    /// Of the record.
    #[prost(int32, tag = "7")]
    pub revision: i32,
    /// Milliseconds; -1 is never.
    #[prost(sint64, tag = "8")]
    pub expiration: i64,
}

/// A member of a shared folder.
#[derive(Clone, PartialEq, prost::Message)]
#[prost(skip_debug)]
pub struct SharedFolderUpdateUser {
    /// E-mail address.
    #[prost(string, tag = "1")]
    pub username: String,
    /// Whether the member may add and remove members.
    #[prost(enumeration = "SetBooleanValue", tag = "2")]
    pub manage_users: i32,
    /// Whether the member may add and remove records.
    #[prost(enumeration = "SetBooleanValue", tag = "3")]
    pub manage_records: i32,
    /// The folder's key sealed to the member's key.
    #[prost(bytes = "vec", tag = "4")]
    pub shared_folder_key: Vec<u8>,
    /// Milliseconds; -1 is never.
    #[prost(sint64, tag = "5")]
    pub expiration: i64,
}

/// A team of a shared folder.
#[derive(Clone, PartialEq, prost::Message)]
#[prost(skip_debug)]
pub struct SharedFolderUpdateTeam {
    /// Which one.
    #[prost(bytes = "vec", tag = "1")]
    pub team_uid: Vec<u8>,
    /// Whether it may add and remove members.
    #[prost(bool, tag = "2")]
    pub manage_users: bool,
    /// Whether it may add and remove records.
    #[prost(bool, tag = "3")]
    pub manage_records: bool,
    /// The folder's key sealed to the team's key.
    #[prost(bytes = "vec", tag = "4")]
    pub shared_folder_key: Vec<u8>,
    /// Milliseconds; -1 is never.
    #[prost(sint64, tag = "5")]
    pub expiration: i64,
}

/// Answer of `vault/shared_folder_update_v3`.
#[derive(Clone, PartialEq, prost::Message)]
pub struct SharedFolderUpdateV3ResponseV2 {
    /// One for each folder.
    #[prost(message, repeated, tag = "1")]
    pub shared_folders_update_v3_response: Vec<SharedFolderUpdateV3Response>,
}

/// What became of one folder. Each status is `success` or a code.
#[derive(Clone, PartialEq, prost::Message)]
pub struct SharedFolderUpdateV3Response {
    /// The new revision.
    #[prost(int64, tag = "1")]
    pub revision: i64,
    /// Of each record.
    #[prost(message, repeated, tag = "2")]
    pub shared_folder_add_record_status: Vec<SharedFolderUpdateRecordStatus>,
    /// Of each member.
    #[prost(message, repeated, tag = "3")]
    pub shared_folder_add_user_status: Vec<SharedFolderUpdateUserStatus>,
    /// Of each team.
    #[prost(message, repeated, tag = "4")]
    pub shared_folder_add_team_status: Vec<SharedFolderUpdateTeamStatus>,
    /// Of each record.
    #[prost(message, repeated, tag = "5")]
    pub shared_folder_update_record_status: Vec<SharedFolderUpdateRecordStatus>,
    /// Of each member.
    #[prost(message, repeated, tag = "6")]
    pub shared_folder_update_user_status: Vec<SharedFolderUpdateUserStatus>,
    /// Of each team.
    #[prost(message, repeated, tag = "7")]
    pub shared_folder_update_team_status: Vec<SharedFolderUpdateTeamStatus>,
    /// Of each record.
    #[prost(message, repeated, tag = "8")]
    pub shared_folder_remove_record_status: Vec<SharedFolderUpdateRecordStatus>,
    /// Of each member.
    #[prost(message, repeated, tag = "9")]
    pub shared_folder_remove_user_status: Vec<SharedFolderUpdateUserStatus>,
    /// Of each team.
    #[prost(message, repeated, tag = "10")]
    pub shared_folder_remove_team_status: Vec<SharedFolderUpdateTeamStatus>,
    /// Which one.
    #[prost(bytes = "vec", tag = "12")]
    pub shared_folder_uid: Vec<u8>,
    /// Of the folder itself.
    #[prost(string, tag = "13")]
    pub status: String,
}

/// What became of a record.
#[derive(Clone, PartialEq, prost::Message)]
pub struct SharedFolderUpdateRecordStatus {
    /// Which one.
    #[prost(bytes = "vec", tag = "1")]
    pub record_uid: Vec<u8>,
    /// `success` or a code.
    #[prost(string, tag = "2")]
    pub status: String,
}

/// What became of a member.
#[derive(Clone, PartialEq, prost::Message)]
pub struct SharedFolderUpdateUserStatus {
    /// Which one.
    #[prost(string, tag = "1")]
    pub username: String,
    /// `success` or a code.
    #[prost(string, tag = "2")]
    pub status: String,
}

/// What became of a team.
#[derive(Clone, PartialEq, prost::Message)]
pub struct SharedFolderUpdateTeamStatus {
    /// Which one.
    #[prost(bytes = "vec", tag = "1")]
    pub team_uid: Vec<u8>,
    /// `success` or a code.
    #[prost(string, tag = "2")]
    pub status: String,
}

/// Answer of `vault/get_deleted_shared_folders_and_records`, which has no request.
#[derive(Clone, PartialEq, prost::Message)]
pub struct GetDeletedSharedFoldersAndRecordsResponse {
    /// Deleted folders, also those below a shared folder.
    #[prost(message, repeated, tag = "1")]
    pub shared_folders: Vec<DeletedSharedFolder>,
    /// Records that went with them.
    #[prost(message, repeated, tag = "2")]
    pub shared_folder_records: Vec<DeletedSharedFolderRecord>,
    /// Data of those records.
    #[prost(message, repeated, tag = "3")]
    pub deleted_record_data: Vec<DeletedRecordData>,
    /// Names of their owners.
    #[prost(message, repeated, tag = "4")]
    pub usernames: Vec<Username>,
}

/// A folder in the trash.
#[derive(Clone, PartialEq, prost::Message)]
#[prost(skip_debug)]
pub struct DeletedSharedFolder {
    /// The shared folder.
    #[prost(bytes = "vec", tag = "1")]
    pub shared_folder_uid: Vec<u8>,
    /// The folder; the same for the shared folder itself.
    #[prost(bytes = "vec", tag = "2")]
    pub folder_uid: Vec<u8>,
    /// Where it was.
    #[prost(bytes = "vec", tag = "3")]
    pub parent_uid: Vec<u8>,
    /// Wrapped as `folder_key_type` says.
    #[prost(bytes = "vec", tag = "4")]
    pub shared_folder_key: Vec<u8>,
    /// 5 and 6 are by the key of the shared folder that still exists.
    #[prost(enumeration = "super::records::RecordKeyType", tag = "5")]
    pub folder_key_type: i32,
    /// JSON with the name under the folder's key, AES-CBC.
    #[prost(bytes = "vec", tag = "6")]
    pub data: Vec<u8>,
    /// Milliseconds.
    #[prost(int64, tag = "7")]
    pub date_deleted: i64,
    /// Revision.
    #[prost(int64, tag = "8")]
    pub revision: i64,
}

/// A record that went with a folder.
#[derive(Clone, PartialEq, prost::Message)]
#[prost(skip_debug)]
pub struct DeletedSharedFolderRecord {
    /// The folder.
    #[prost(bytes = "vec", tag = "1")]
    pub folder_uid: Vec<u8>,
    /// The record.
    #[prost(bytes = "vec", tag = "2")]
    pub record_uid: Vec<u8>,
    /// Under the shared folder's key: 60 bytes are AES-GCM, 64 AES-CBC.
    #[prost(bytes = "vec", tag = "3")]
    pub shared_record_key: Vec<u8>,
    /// Milliseconds.
    #[prost(int64, tag = "4")]
    pub date_deleted: i64,
    /// Revision.
    #[prost(int64, tag = "5")]
    pub revision: i64,
}

/// Data of a record that went with a folder.
#[derive(Clone, PartialEq, prost::Message)]
#[prost(skip_debug)]
pub struct DeletedRecordData {
    /// The record.
    #[prost(bytes = "vec", tag = "1")]
    pub record_uid: Vec<u8>,
    /// Account UID of the owner.
    #[prost(bytes = "vec", tag = "2")]
    pub owner_uid: Vec<u8>,
    /// Revision.
    #[prost(int64, tag = "3")]
    pub revision: i64,
    /// Milliseconds.
    #[prost(int64, tag = "4")]
    pub client_modified_time: i64,
    /// JSON under the record's key.
    #[prost(bytes = "vec", tag = "5")]
    pub data: Vec<u8>,
    /// As in [`Record`](super::vault::Record).
    #[prost(int32, tag = "6")]
    pub version: i32,
}

/// An account's name.
#[derive(Clone, PartialEq, prost::Message)]
pub struct Username {
    /// 16 bytes.
    #[prost(bytes = "vec", tag = "1")]
    pub account_uid: Vec<u8>,
    /// E-mail address.
    #[prost(string, tag = "2")]
    pub username: String,
}

/// `vault/restore_deleted_shared_folders_and_records`; void.
#[derive(Clone, PartialEq, prost::Message)]
pub struct RestoreDeletedSharedFoldersAndRecordsRequest {
    /// Folders to restore with all that went with them.
    #[prost(message, repeated, tag = "1")]
    pub folders: Vec<RestoreSharedObject>,
    /// Single records to restore.
    #[prost(message, repeated, tag = "2")]
    pub records: Vec<RestoreSharedObject>,
}

/// What to restore.
#[derive(Clone, PartialEq, prost::Message)]
pub struct RestoreSharedObject {
    /// The folder.
    #[prost(bytes = "vec", tag = "1")]
    pub folder_uid: Vec<u8>,
    /// Records in it; empty for the folder itself.
    #[prost(bytes = "vec", repeated, tag = "2")]
    pub record_uids: Vec<Vec<u8>>,
}

hidden! {
    SharedFolderUpdateV3RequestV2, SharedFolderUpdateV3Request, SharedFolderUpdateRecord, SharedFolderUpdateUser,
    SharedFolderUpdateTeam, DeletedSharedFolder, DeletedSharedFolderRecord, DeletedRecordData,
}
