//! Package `Records`, second part: files are posted to a store and fetched from it.

numbers! {
    /// Whether a file may be uploaded.
    FileAddResult {
        Success = 0, "FA_SUCCESS";
        Error = 1, "FA_ERROR";
    }
}

numbers! {
    /// Whether a file may be downloaded.
    FileGetResult {
        Success = 0, "FG_SUCCESS";
        Error = 1, "FG_ERROR";
        AccessDenied = 2, "FG_ACCESS_DENIED";
    }
}

/// `vault/files_add`.
#[derive(Clone, PartialEq, prost::Message)]
#[prost(skip_debug)]
pub struct FilesAddRequest {
    /// New files.
    #[prost(message, repeated, tag = "1")]
    pub files: Vec<File>,
    /// Milliseconds.
    #[prost(int64, tag = "2")]
    pub client_time: i64,
}

/// A file to be uploaded.
#[derive(Clone, PartialEq, prost::Message)]
#[prost(skip_debug)]
pub struct File {
    /// 16 new random bytes.
    #[prost(bytes = "vec", tag = "1")]
    pub record_uid: Vec<u8>,
    /// Its key under the data key, AES-GCM, 60 bytes.
    #[prost(bytes = "vec", tag = "2")]
    pub record_key: Vec<u8>,
    /// JSON with title, name, type and size under its own key, AES-GCM.
    #[prost(bytes = "vec", tag = "3")]
    pub data: Vec<u8>,
    /// Bytes that will be stored, at least.
    #[prost(int64, tag = "4")]
    pub file_size: i64,
    /// The same of a picture.
    #[prost(int32, tag = "5")]
    pub thumb_size: i32,
    /// Whether it is a rotation script.
    #[prost(bool, tag = "6")]
    pub is_script: bool,
}

/// Answer of `vault/files_add`.
#[derive(Clone, PartialEq, prost::Message)]
pub struct FilesAddResponse {
    /// One for each.
    #[prost(message, repeated, tag = "1")]
    pub files: Vec<FileAddStatus>,
    /// The new revision.
    #[prost(int64, tag = "2")]
    pub revision: i64,
}

/// Where a file is to be posted. The parameters are the right to do so.
#[derive(Clone, PartialEq, prost::Message)]
#[prost(skip_debug)]
pub struct FileAddStatus {
    /// The file.
    #[prost(bytes = "vec", tag = "1")]
    pub record_uid: Vec<u8>,
    /// Whether it may be uploaded.
    #[prost(enumeration = "FileAddResult", tag = "2")]
    pub status: i32,
    /// Where to `POST` the form.
    #[prost(string, tag = "3")]
    pub url: String,
    /// JSON object: parts of the form before the part `file`.
    #[prost(string, tag = "4")]
    pub parameters: String,
    /// The same for a picture.
    #[prost(string, tag = "5")]
    pub thumbnail_parameters: String,
    /// What the store answers, usually 201.
    #[prost(int32, tag = "6")]
    pub success_status_code: i32,
}

/// `vault/files_download`.
#[derive(Clone, PartialEq, prost::Message)]
pub struct FilesGetRequest {
    /// UIDs of files.
    #[prost(bytes = "vec", repeated, tag = "1")]
    pub record_uids: Vec<Vec<u8>>,
    /// Pictures instead.
    #[prost(bool, tag = "2")]
    pub for_thumbnails: bool,
    /// Empty.
    #[prost(string, tag = "3")]
    pub emergency_access_account_owner: String,
}

/// Answer of `vault/files_download`.
#[derive(Clone, PartialEq, prost::Message)]
pub struct FilesGetResponse {
    /// One for each, in any order.
    #[prost(message, repeated, tag = "1")]
    pub files: Vec<FileGetStatus>,
}

/// Where a file can be fetched. The URL is the right to do so.
#[derive(Clone, PartialEq, prost::Message)]
#[prost(skip_debug)]
pub struct FileGetStatus {
    /// The file.
    #[prost(bytes = "vec", tag = "1")]
    pub record_uid: Vec<u8>,
    /// Whether it may be downloaded.
    #[prost(enumeration = "FileGetResult", tag = "2")]
    pub status: i32,
    /// Where to `GET` it, without any header of Keeper.
    #[prost(string, tag = "3")]
    pub url: String,
    /// What the store answers, usually 200.
    #[prost(int32, tag = "4")]
    pub success_status_code: i32,
    /// 3 and 0 are AES-GCM, 1 AES-CBC.
    #[prost(enumeration = "super::records::RecordKeyType", tag = "5")]
    pub file_key_type: i32,
}

hidden! {
    FilesAddRequest, File, FileAddStatus, FileGetStatus,
}
