//! Messages as Commander's own classes serialize them.

use super::applications::{
    AppClient, AppClientType, AppInfo, AppShare, ApplicationShareType, GetAppInfoRequest, GetAppInfoResponse,
    RemoveAppClientsRequest, RemoveAppSharesRequest,
};
use super::authentication::{ApiRequestPayload, LoginState, ValidateAuthHashRequest};
use super::automator::{
    AdminDeleteAutomatorRequest, AdminEditAutomatorRequest, AdminEnableAutomatorRequest, AdminSetupAutomatorRequest,
    AutomatorState, SkillType,
};
use super::enterprise::Node;
use super::files::{FileGetResult, FileGetStatus, FilesGetRequest, FilesGetResponse};
use super::folder::{
    RestoreDeletedSharedFoldersAndRecordsRequest, RestoreSharedObject, SetBooleanValue, SharedFolderUpdateV3Request,
    SharedFolderUpdateV3RequestV2,
};
use super::records::{
    GetRecordDataWithAccessInfoRequest, RecordDetailsInclude, RecordKeyType, RecordLink, RecordUpdate,
    RecordsUpdateRequest,
};
use super::vault::{CacheStatus, SyncDownResponse};
use crate::ClientId;
use crate::vectors::{counting, hex, key};
use prost::Message;

const AUTOMATOR: i64 = 36_764_920_053_860;
const TIME: i64 = 1_767_225_600_000;

/// 16 bytes that count up from `first`.
fn uid(first: u8) -> Vec<u8> {
    (first..first + 16).collect()
}

/// The vendor's bytes are what we write, and reading them gives the message back.
#[track_caller]
fn same<M: Message + Default + PartialEq + std::fmt::Debug>(message: &M, expected: &str) {
    assert_eq!(message.encode_to_vec(), hex(expected));
    assert_eq!(M::decode(hex(expected).as_slice()).as_ref(), Ok(message));
}

#[test]
fn envelope() {
    let payload = ApiRequestPayload {
        payload: hex("08f042"),
        encrypted_session_token: b"tok".to_vec(),
        api_version: 2,
        ..Default::default()
    };
    same(&payload, "0a0308f0421203746f6b2002");
}

#[test]
fn automator_requests() {
    let skills = [SkillType::TeamApproval, SkillType::TeamForUserApproval, SkillType::DeviceApproval];
    let edit = AdminEditAutomatorRequest {
        automator_id: AUTOMATOR,
        name: "A".to_owned(),
        url: "https://a.example.com".to_owned(),
        skill_types: skills.map(i32::from).to_vec(),
        ..Default::default()
    };
    same(&edit, "08e480808080ae08120141221568747470733a2f2f612e6578616d706c652e636f6d2a03020301");
    let setup = AdminSetupAutomatorRequest {
        automator_id: AUTOMATOR,
        automator_state: AutomatorState::NeedsCryptoStep1.into(),
        ..Default::default()
    };
    same(&setup, "08e480808080ae081004");
    same(&AdminEnableAutomatorRequest { automator_id: AUTOMATOR, enabled: true }, "08e480808080ae081001");
    same(&AdminEnableAutomatorRequest { automator_id: AUTOMATOR, enabled: false }, "08e480808080ae08");
    same(&AdminDeleteAutomatorRequest { automator_id: AUTOMATOR }, "08e480808080ae08");
}

#[test]
fn node() {
    let node = Node {
        node_id: (8560 << 32) | 7,
        parent_id: (8560 << 32) | 2,
        encrypted_data: "x".to_owned(),
        ..Default::default()
    };
    same(&node, "088780808080ae08108280808080ae08320178");
}

#[test]
fn applications() {
    let client_id = ClientId::of_token(key().expose()).as_bytes().to_vec();
    same(&GetAppInfoRequest { app_record_uid: vec![uid(0)] }, "0a10000102030405060708090a0b0c0d0e0f");
    let info = AppInfo {
        app_record_uid: uid(0),
        shares: vec![AppShare {
            secret_uid: uid(0x10),
            share_type: ApplicationShareType::Folder.into(),
            editable: true,
            created_on: TIME,
            data: Vec::new(),
        }],
        clients: vec![AppClient {
            id: "ecs".to_owned(),
            client_id: client_id.clone(),
            created_on: TIME,
            first_access: TIME + 60_000,
            last_access: TIME + 120_000,
            ip_address: "192.0.2.7".to_owned(),
            first_access_expire_on: TIME + 3_600_000,
            app_client_type: AppClientType::General.into(),
            ..Default::default()
        }],
        is_external_share: false,
    };
    same(
        &GetAppInfoResponse { app_info: vec![info] },
        "0aa3010a10000102030405060708090a0b0c0d0e0f121d0a10101112131415161718191a1b1c1d1e1f100118012080d0eab6b7331a700a0365637312\
         401c35ad63bfbf716a49f3a0b528187a0e0598e28bc3241ae396251e63b7efcce1152126131cd964aa4a32cf420742ba8ed062c5bc13e715be89bcf3\
         b37a6b19121880d0eab6b73320e0a4eeb6b73328c0f9f1b6b73342093139322e302e322e374880adc6b8b7335801",
    );
    same(
        &RemoveAppClientsRequest { app_record_uid: uid(0), clients: vec![client_id] },
        "0a10000102030405060708090a0b0c0d0e0f12401c35ad63bfbf716a49f3a0b528187a0e0598e28bc3241ae396251e63b7efcce1152126131cd964aa\
         4a32cf420742ba8ed062c5bc13e715be89bcf3b37a6b1912",
    );
    same(
        &RemoveAppSharesRequest { app_record_uid: uid(0), shares: vec![uid(0x10)] },
        "0a10000102030405060708090a0b0c0d0e0f1210101112131415161718191a1b1c1d1e1f",
    );
}

#[test]
fn files() {
    let get = FilesGetRequest { record_uids: vec![uid(0x30), uid(0x40)], ..Default::default() };
    same(&get, "0a10303132333435363738393a3b3c3d3e3f0a10404142434445464748494a4b4c4d4e4f");
    let found = FileGetStatus {
        record_uid: uid(0x30),
        status: FileGetResult::Success.into(),
        url: "https://s.example/f".to_owned(),
        success_status_code: 200,
        file_key_type: RecordKeyType::ByDataKeyGcm.into(),
    };
    let denied =
        FileGetStatus { record_uid: uid(0x40), status: FileGetResult::AccessDenied.into(), ..Default::default() };
    same(
        &FilesGetResponse { files: vec![found, denied] },
        "0a2c0a10303132333435363738393a3b3c3d3e3f1a1368747470733a2f2f732e6578616d706c652f6620c80128030a140a1040414243444546474849\
         4a4b4c4d4e4f1002",
    );
}

#[test]
fn records_update() {
    let link = hex(
        "6465666768696a6b6c6d6e6f911f640731f7a0d5a50bf9eb3595f3893c2ffeb9e5f9cbb164f8b5973e3cc24587515f3a53d020247d3de9e5bacde96e",
    );
    let update = RecordUpdate {
        record_uid: uid(0x20),
        client_modified_time: TIME,
        revision: 106,
        data: b"xyz".to_vec(),
        record_links_add: vec![RecordLink { record_uid: uid(0x40), record_key: link }],
        record_links_remove: vec![uid(0x30)],
        ..Default::default()
    };
    same(
        &RecordsUpdateRequest {
            records: vec![update],
            client_time: TIME,
            security_data_key_type: RecordKeyType::ByPublicKey.into(),
        },
        "0a84010a10202122232425262728292a2b2c2d2e2f1080d0eab6b733186a220378797a32500a10404142434445464748494a4b4c4d4e4f123c646566\
         6768696a6b6c6d6e6f911f640731f7a0d5a50bf9eb3595f3893c2ffeb9e5f9cbb164f8b5973e3cc24587515f3a53d020247d3de9e5bacde96e3a1030\
         3132333435363738393a3b3c3d3e3f1080d0eab6b7331802",
    );
    let details = GetRecordDataWithAccessInfoRequest {
        client_time: TIME,
        record_uid: vec![uid(0x20)],
        record_details_include: RecordDetailsInclude::DataPlusShare.into(),
    };
    same(&details, "0880d0eab6b7331210202122232425262728292a2b2c2d2e2f");
}

#[test]
fn folders() {
    let no = i32::from(SetBooleanValue::False);
    let update = SharedFolderUpdateV3Request {
        shared_folder_uid: uid(0x10),
        revision: 101,
        default_manage_users: no,
        default_manage_records: no,
        default_can_edit: no,
        default_can_share: no,
        ..Default::default()
    };
    same(
        &SharedFolderUpdateV3RequestV2 { shared_folders_update_v3: vec![update] },
        "0a1c1210101112131415161718191a1b1c1d1e1f20653802400248025002",
    );
    let folder = RestoreSharedObject { folder_uid: uid(0x10), record_uids: Vec::new() };
    same(
        &RestoreDeletedSharedFoldersAndRecordsRequest { folders: vec![folder], records: Vec::new() },
        "0a120a10101112131415161718191a1b1c1d1e1f",
    );
    let records = RestoreSharedObject { folder_uid: uid(0x10), record_uids: vec![uid(0x20)] };
    same(
        &RestoreDeletedSharedFoldersAndRecordsRequest { folders: Vec::new(), records: vec![records] },
        "12240a10101112131415161718191a1b1c1d1e1f1210202122232425262728292a2b2c2d2e2f",
    );
}

const SYNC: &str = "0a03746f6b18012aac010a10101112131415161718191a1b1c1d1e1f10651a40000102030405060708090a0b0c0d0e0f72d75c294159fac28a43f67c\
    6e07ee4b6a31d07604edd0e1b41599e307bde8bca2c7e8abab3764a8a75e7fead502ff0b20012a30000102030405060708090a0b0c0d0e0f7ed45f1e\
    8885e74cd0316b71fd301d0c595c1a84b014e1c28713073550392f706a20000102030405060708090a0b0c0d0e0fe28ccc1378606ee60977124f2522\
    d28432141210101112131415161718191a1b1c1d1e1f186542ba010a10202122232425262728292a2b2c2d2e2f106a18032001329f01646566676869\
    6a6b6c6d6e6f8a5c721d25f7e488ef0efce73096bfca6e2ae5befde99ffc3ec0ba982d2cdd4e255f158d2a995614f875cbe75a8c55b2e7895ce760c7\
    673d88e92c38991f76c65223c39e4e27f1eb7f9b62ad4b6f0fb563df8be5444bd0e4872b3c12307cddda00eb4976be4c414612ebfa8fec803ee61424\
    5427f5e25c11105c6a59e82f7a1e876d59c7f580594d230bd243508afae97d9ee4427a0a10303132333435363738393a3b3c3d3e3f10691804326064\
    65666768696a6b6c6d6e6fa905956e6918e62a89f3500e0c4eb5d9c28b37f8a035727f157ca97443dce14519c6ab9d59318eff20d7c53db360afdfe9\
    6fb2cc2cc3bbb7e626af490978641c4610ecfddb1861b22ee70b5fa48efa02c5e11dca486942560a10000102030405060708090a0b0c0d0e0f106b18\
    05323e6465666768696a6b6c6d6e6fb1a3d8bc627ae113340dc156e35e1925813a0e193f2cfd0c7e9cc3524127a03d67c2f661f32d0b1c5cae54dbce\
    cdda78f8164a580a10000102030405060708090a0b0c0d0e0f10011a3c6465666768696a6b6c6d6e6fc89a5ce5fd6cd019b6ebd56356e8e472d25394\
    991ff965e53f4836d3673e3bd7979c1566d4e574587b3c623703c5a7172003280130015a640a10202122232425262728292a2b2c2d2e2f1210303132\
    333435363738393a3b3c3d3e3f1a3c6465666768696a6b6c6d6e6f911f640731f7a0d5a50bf9eb3595f3893c2ffeb9e5f9cbb164f8b5973e3cc24587\
    515f3a53d020247d3de9e5bacde96e206a6a680a10101112131415161718191a1b1c1d1e1f1210202122232425262728292a2b2c2d2e2f1a3c646566\
    6768696a6b6c6d6e6ff52ccc909bf4b28a941d9593c65ad02299d3b72d6a9f381a9b1934242b14797cf41050a0c0485717bc830a7d7fffef84200128\
    01400172260a10101112131415161718191a1b1c1d1e1f1a10202122232425262728292a2b2c2d2e2f206a";

/// Keys of the vector: data 00..1f, folder 20..3f, record 40..5f, file 60..7f, application 80..9f.
#[test]
fn a_whole_page_of_a_vault() {
    let bytes = hex(SYNC);
    assert_eq!(bytes.len(), 943);
    let page = SyncDownResponse::decode(bytes.as_slice()).unwrap();
    assert_eq!(page.encode_to_vec(), bytes, "nothing in it is unknown to us");
    assert_eq!(
        (page.cache_status(), page.has_more, page.continuation_token.as_slice()),
        (CacheStatus::Clear, false, b"tok".as_slice())
    );

    let [folder] = &page.shared_folders[..] else { panic!("one shared folder") };
    assert_eq!((folder.revision, folder.key_type()), (101, RecordKeyType::ByDataKey));
    assert_eq!(key().open_cbc(&folder.shared_folder_key).unwrap()[..], counting(0x20).expose()[..]);
    assert_eq!(counting(0x20).open_cbc(&folder.name).unwrap()[..], b"Automator"[..]);

    let kept: Vec<_> = page.records.iter().map(|record| (record.record_uid.clone(), record.version)).collect();
    assert_eq!(kept, [(uid(0x20), 3), (uid(0x30), 4), (uid(0), 5)]);
    let json = counting(0x40).open(&page.records[0].data).unwrap();
    assert!(std::str::from_utf8(&json).unwrap().contains("managed"));

    let [meta] = &page.record_meta_data[..] else { panic!("one key") };
    assert_eq!((meta.record_uid.as_slice(), meta.record_key_type()), (uid(0).as_slice(), RecordKeyType::ByDataKeyGcm));
    assert_eq!(key().open(&meta.record_key).unwrap()[..], counting(0x80).expose()[..]);
    let [link] = &page.record_links[..] else { panic!("one link") };
    assert_eq!(counting(0x40).open(&link.record_key).unwrap()[..], counting(0x60).expose()[..]);
    let [member] = &page.shared_folder_records[..] else { panic!("one key in the folder") };
    assert_eq!(counting(0x20).open(&member.record_key).unwrap()[..], counting(0x40).expose()[..]);
    assert_eq!(page.shared_folder_folder_records.len(), 1);
}

#[test]
fn numbers_are_told_by_name_and_unknown_ones_as_they_are() {
    assert_eq!(LoginState::told(12), "REQUIRES_2FA");
    assert_eq!(LoginState::told(77), "LoginState 77");
    assert_eq!(LoginState::default().name(), "INVALID_LOGINSTATE");
}

#[test]
fn debug_shows_no_secret() {
    let request = ValidateAuthHashRequest { auth_response: b"marker".to_vec(), ..Default::default() };
    assert_eq!(format!("{request:?}"), "ValidateAuthHashRequest { .. }");
    let page = SyncDownResponse::decode(hex(SYNC).as_slice()).unwrap();
    assert_eq!(format!("{page:?}"), "SyncDownResponse { .. }");
}

proptest::proptest! {
    /// Whatever a server sends, decoding ends in a message or an error.
    #[test]
    fn no_bytes_make_a_decoder_panic(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..600)) {
        let _ = SyncDownResponse::decode(bytes.as_slice());
        let _ = super::enterprise::EnterpriseDataResponse::decode(bytes.as_slice());
        let _ = super::authentication::LoginResponse::decode(bytes.as_slice());
        let _ = super::automator::AdminResponse::decode(bytes.as_slice());
    }
}
