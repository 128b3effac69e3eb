//! What an administrator makes in the vault is there, in the store and in the next synchronisation.

use super::{BASE, Client, random, uid_bytes};
use crate::vault::StoredFile;
use keeper_wire::messages::applications as a;
use keeper_wire::messages::authentication::Device;
use keeper_wire::messages::files::{self as f, FileAddResult, FileGetResult};
use keeper_wire::messages::folder as d;
use keeper_wire::messages::records as m;
use keeper_wire::messages::records::{RecordKeyType, RecordModifyResult};
use keeper_wire::messages::vault::{CacheStatus, SyncDownRequest, SyncDownResponse};
use keeper_wire::{ClientId, OneTimeToken, Uid, crypto::Key, text};
use prost::Message;
use serde_json::json;

/// Keys of what a test made.
pub(super) struct Made {
    pub(super) folder: Uid,
    pub(super) folder_key: Key,
    pub(super) record: Uid,
    pub(super) record_key: Key,
}

impl Client {
    pub(super) fn add_folder(&mut self) -> (Uid, Key) {
        let (uid, key, data) = (Uid::random(), Key::random(), self.data_key());
        let answer = self.command(json!({
            "command": "folder_add", "folder_type": "shared_folder", "folder_uid": uid,
            "key": text::url(&data.seal_cbc(key.expose())), "name": text::url(&key.seal_cbc(b"Automator")),
            "data": text::url(&key.seal_cbc(br#"{"name":"Automator"}"#)),
        }));
        assert_eq!(answer["result"], "success");
        (uid, key)
    }

    pub(super) fn add_record(&mut self, folder: Uid, folder_key: &Key) -> (Uid, Key) {
        let (record, key) = (Uid::random(), Key::random());
        let wanted = m::RecordAdd {
            record_uid: uid_bytes(record),
            record_key: self.data_key().seal(key.expose()),
            data: key.seal(br#"{"type":"login","title":"Automator","fields":[]}"#),
            folder_type: m::RecordFolderType::SharedFolder.into(),
            folder_uid: uid_bytes(folder),
            folder_key: folder_key.seal(key.expose()),
            ..Default::default()
        };
        assert_eq!(self.add_status(wanted), RecordModifyResult::Success);
        (record, key)
    }

    fn add_status(&mut self, wanted: m::RecordAdd) -> RecordModifyResult {
        let request = m::RecordsAddRequest { records: vec![wanted], ..Default::default() };
        let answer: m::RecordsModifyResponse = self.call("vault/records_add", &request).unwrap();
        answer.records[0].status()
    }

    pub(super) fn made() -> (Self, Made) {
        let mut client = Self::logged_in();
        let (folder, folder_key) = client.add_folder();
        let (record, record_key) = client.add_record(folder, &folder_key);
        (client, Made { folder, folder_key, record, record_key })
    }

    /// All pages of a vault, put together.
    pub(super) fn sync(&mut self) -> SyncDownResponse {
        let mut whole = SyncDownResponse::default();
        let mut token = Vec::new();
        loop {
            let page: SyncDownResponse =
                self.call("vault/sync_down", &SyncDownRequest { continuation_token: token }).unwrap();
            let (more, bytes) = (page.has_more, page.encode_to_vec());
            token = page.continuation_token;
            whole.merge(bytes.as_slice()).unwrap();
            if !more {
                return whole;
            }
        }
    }

    pub(super) fn add_file(&mut self, content: &[u8]) -> (Uid, Key) {
        let (file, key) = (Uid::random(), Key::random());
        let wanted = f::File {
            record_uid: uid_bytes(file),
            record_key: self.data_key().seal(key.expose()),
            data: key.seal(br#"{"name":"a.txt","title":"a.txt","size":5}"#),
            file_size: 105,
            ..Default::default()
        };
        let answer: f::FilesAddResponse =
            self.call("vault/files_add", &f::FilesAddRequest { files: vec![wanted], client_time: 0 }).unwrap();
        let [status] = &answer.files[..] else { panic!("one file") };
        assert_eq!((status.status(), status.success_status_code), (FileAddResult::Success, 201));
        assert!(status.url.starts_with(BASE));
        let form: serde_json::Value = serde_json::from_str(&status.parameters).unwrap();
        assert!(form["ticket"].as_str().unwrap().len() > 40);
        let stored = self.vault.records.get_mut(&file).unwrap().file.as_mut().unwrap();
        stored.content = Some(key.seal(content).into());
        (file, key)
    }

    fn update(&mut self, change: impl FnOnce(&mut m::RecordUpdate), record: Uid) -> m::RecordModifyStatus {
        let mut update = m::RecordUpdate {
            record_uid: uid_bytes(record),
            revision: self.vault.records[&record].revision,
            ..Default::default()
        };
        change(&mut update);
        let request = m::RecordsUpdateRequest { records: vec![update], ..Default::default() };
        let answer: m::RecordsModifyResponse = self.call("vault/records_update", &request).unwrap();
        answer.records[0].clone()
    }
}

#[test]
fn a_folder_and_its_record_are_in_the_next_synchronisation() {
    let (mut client, made) = Client::made();
    client.admin.page = 2;
    let whole = client.sync();
    let [folder] = &whole.shared_folders[..] else { panic!("one folder") };
    let key = client.data_key().open_cbc(&folder.shared_folder_key).unwrap();
    assert_eq!((folder.key_type(), key.as_slice()), (RecordKeyType::ByDataKey, made.folder_key.expose().as_slice()));
    assert_eq!(made.folder_key.open_cbc(&folder.name).unwrap()[..], b"Automator"[..]);
    let [kept] = &whole.shared_folder_records[..] else { panic!("one record in it") };
    assert_eq!(made.folder_key.open(&kept.record_key).unwrap()[..], made.record_key.expose()[..]);
    assert_eq!(whole.shared_folder_folder_records[0].record_uid, uid_bytes(made.record));
    assert_eq!((whole.record_meta_data.len(), whole.users.len(), whole.shared_folder_users.len()), (1, 1, 1));
}

#[test]
fn a_token_that_is_up_to_date_gets_nothing_and_an_old_one_everything() {
    let (mut client, made) = Client::made();
    let get = |client: &mut Client, token: Vec<u8>| -> SyncDownResponse {
        client.call("vault/sync_down", &SyncDownRequest { continuation_token: token }).unwrap()
    };
    let first = get(&mut client, Vec::new());
    assert_eq!((first.cache_status(), first.has_more), (CacheStatus::Clear, false));
    let second = get(&mut client, first.continuation_token.clone());
    assert_eq!((second.cache_status(), second.records.len()), (CacheStatus::Keep, 0));
    client.add_record(made.folder, &made.folder_key);
    let third = get(&mut client, first.continuation_token);
    assert_eq!((third.cache_status(), third.records.len()), (CacheStatus::Clear, 2));
    assert_eq!(
        client
            .bytes("vault/sync_down", SyncDownRequest { continuation_token: vec![1] }.encode_to_vec(), 0)
            .unwrap_err()
            .status,
        400
    );
}

#[test]
fn a_record_is_refused_where_it_cannot_be() {
    let (mut client, made) = Client::made();
    let good = m::RecordAdd {
        record_uid: uid_bytes(Uid::random()),
        record_key: random(60),
        data: random(40),
        folder_type: m::RecordFolderType::SharedFolder.into(),
        folder_uid: uid_bytes(made.folder),
        folder_key: random(60),
        ..Default::default()
    };
    let denied = RecordModifyResult::AccessDenied;
    assert_eq!(
        client.add_status(m::RecordAdd { record_uid: uid_bytes(made.record), ..good.clone() }),
        RecordModifyResult::RecordExists
    );
    assert_eq!(client.add_status(m::RecordAdd { folder_uid: random(16), ..good.clone() }), denied);
    assert_eq!(client.add_status(m::RecordAdd { folder_key: Vec::new(), ..good.clone() }), denied);
    assert_eq!(client.add_status(m::RecordAdd { folder_type: 0, ..good.clone() }), denied);
    assert_eq!(client.add_status(m::RecordAdd { record_key: random(59), ..good.clone() }), denied);
    let link = m::RecordLink { record_uid: uid_bytes(made.record), record_key: random(60) };
    assert_eq!(
        client.add_status(m::RecordAdd { record_links: vec![link], ..good.clone() }),
        RecordModifyResult::FilesNotMatch
    );
    assert_eq!(client.vault.records.len(), 1);
    assert_eq!(client.add_status(good), RecordModifyResult::Success);
}

#[test]
fn a_file_is_swapped_in_one_update_or_not_at_all() {
    let (mut client, made) = Client::made();
    let (old, old_key) = client.add_file(b"old");
    let (new, new_key) = client.add_file(b"new");
    let link = |file: Uid, key: &Key| m::RecordLink {
        record_uid: uid_bytes(file),
        record_key: made.record_key.seal(key.expose()),
    };
    let status = client.update(|update| update.record_links_add = vec![link(old, &old_key)], made.record);
    assert_eq!(status.status(), RecordModifyResult::Success);

    let before = client.vault.revision;
    let status = client.update(
        |update| {
            update.record_links_add = vec![link(new, &new_key), link(Uid::random(), &new_key)];
            update.record_links_remove = vec![uid_bytes(old)];
        },
        made.record,
    );
    assert_eq!((status.status(), status.link_errors.len()), (RecordModifyResult::FilesNotMatch, 1));
    assert_eq!(client.vault.revision, before);
    assert!(client.vault.links.contains_key(&(made.record, old)));

    let status = client.update(
        |update| {
            update.data = made.record_key.seal(b"{}");
            update.record_links_add = vec![link(new, &new_key)];
            update.record_links_remove = vec![uid_bytes(old)];
        },
        made.record,
    );
    assert_eq!(status.status(), RecordModifyResult::Success);
    let whole = client.sync();
    let [row] = &whole.record_links[..] else { panic!("one link") };
    assert_eq!(row.child_record_uid, uid_bytes(new));
    assert!(client.vault.records.contains_key(&old), "unlinking deletes no file");
}

#[test]
fn a_stale_revision_is_out_of_sync() {
    let (mut client, made) = Client::made();
    let status = client.update(|update| update.revision -= 1, made.record);
    assert_eq!(status.status(), RecordModifyResult::OutOfSync);
    let status = client.update(|_| {}, made.record);
    assert_eq!(status.status(), RecordModifyResult::Success);
    let request = m::RecordsUpdateRequest {
        records: vec![m::RecordUpdate { record_uid: random(16), ..Default::default() }],
        ..Default::default()
    };
    let answer: m::RecordsModifyResponse = client.call("vault/records_update", &request).unwrap();
    assert_eq!(answer.records[0].status(), RecordModifyResult::AccessDenied);
}

#[test]
fn a_download_needs_a_file_that_was_posted() {
    let (mut client, made) = Client::made();
    let (file, _) = client.add_file(b"hello");
    let (empty, _) = client.add_file(b"");
    client.vault.records.get_mut(&empty).unwrap().file = Some(StoredFile::announced(1));
    let request = f::FilesGetRequest {
        record_uids: vec![uid_bytes(file), uid_bytes(empty), uid_bytes(made.record)],
        ..Default::default()
    };
    let answer: f::FilesGetResponse = client.call("vault/files_download", &request).unwrap();
    let found: Vec<_> = answer.files.iter().map(f::FileGetStatus::status).collect();
    assert_eq!(found, [FileGetResult::Success, FileGetResult::Error, FileGetResult::AccessDenied]);
    assert!(answer.files[0].url.starts_with(BASE) && answer.files[1].url.is_empty());
    assert!(!format!("{:?}", answer.files[0]).contains("http"), "the URL is a credential");
}

impl Client {
    pub(super) fn add_application(&mut self) -> (Uid, Key) {
        let (uid, key) = (Uid::random(), Key::random());
        let request = m::ApplicationAddRequest {
            app_uid: uid_bytes(uid),
            record_key: self.data_key().seal(key.expose()),
            data: key.seal(br#"{"title":"Automator","type":"app"}"#),
            ..Default::default()
        };
        self.void("vault/application_add", &request).unwrap();
        (uid, key)
    }

    pub(super) fn share(&mut self, application: Uid, folder: Uid, key: Vec<u8>) -> Result<(), super::Refused> {
        let share = a::AppShareAdd {
            secret_uid: uid_bytes(folder),
            share_type: a::ApplicationShareType::Folder.into(),
            encrypted_secret_key: key,
            editable: true,
        };
        let request = a::AddAppSharesRequest { app_record_uid: uid_bytes(application), shares: vec![share] };
        self.void("vault/app_share_add", &request)
    }

    fn info(&mut self, application: Uid) -> Option<a::AppInfo> {
        let request = a::GetAppInfoRequest { app_record_uid: vec![uid_bytes(application)] };
        let answer: a::GetAppInfoResponse = self.call("vault/get_app_info", &request).unwrap();
        answer.app_info.into_iter().next()
    }
}

#[test]
fn an_application_with_a_share_and_a_device() {
    let (mut client, made) = Client::made();
    let (application, key) = client.add_application();
    let sealed = key.seal(made.folder_key.expose());
    client.share(application, made.folder, sealed.clone()).unwrap();
    let refused = client.share(application, made.folder, sealed).unwrap_err();
    assert_eq!(refused.body["message"], "Duplicate share, already added");
    assert_eq!(client.share(application, Uid::random(), random(60)).unwrap_err().error, "access_denied");
    assert_eq!(client.share(made.record, made.folder, random(60)).unwrap_err().error, "access_denied");

    let token = OneTimeToken::random();
    let request = a::AddAppClientRequest {
        app_record_uid: uid_bytes(application),
        encrypted_app_key: Key::from_slice(token.expose()).unwrap().seal(key.expose()),
        client_id: token.client_id().as_bytes().to_vec(),
        id: "ecs".to_owned(),
        app_client_type: a::AppClientType::General.into(),
        ..Default::default()
    };
    let device: Device = client.call("vault/app_client_add", &request).unwrap();
    assert!(!device.encrypted_device_token.is_empty());
    assert_eq!(client.call::<Device>("vault/app_client_add", &request).unwrap_err().error, "duplicate");

    let info = client.info(application).unwrap();
    assert_eq!((info.shares.len(), info.clients.len(), info.shares[0].editable), (1, 1, true));
    assert_eq!(ClientId::from_slice(&info.clients[0].client_id), Ok(token.client_id()));
    let summary: a::GetApplicationsSummaryResponse = a::GetApplicationsSummaryResponse::decode(
        client.bytes("vault/get_applications_summary", Vec::new(), 0).unwrap().as_slice(),
    )
    .unwrap();
    assert_eq!((summary.application_summary[0].client_count, summary.application_summary[0].folder_records), (1, 1));

    let gone = a::RemoveAppClientsRequest {
        app_record_uid: uid_bytes(application),
        clients: vec![request.client_id, random(64)],
    };
    client.void("vault/app_client_remove", &gone).unwrap();
    let gone =
        a::RemoveAppSharesRequest { app_record_uid: uid_bytes(application), shares: vec![uid_bytes(made.folder)] };
    client.void("vault/app_share_remove", &gone).unwrap();
    client.void("vault/app_share_remove", &gone).unwrap();
    let info = client.info(application).unwrap();
    assert!(info.shares.is_empty() && info.clients.is_empty());
    assert!(client.info(made.record).is_none());
}

#[test]
fn applications_may_be_forbidden() {
    let mut client = Client::logged_in();
    client.admin.account.rules.secrets_manager = false;
    let request = m::ApplicationAddRequest {
        app_uid: random(16),
        record_key: random(60),
        data: random(40),
        ..Default::default()
    };
    assert_eq!(client.void("vault/application_add", &request).unwrap_err().error, "access_denied");
}

#[test]
fn a_move_into_a_folder_needs_the_key_for_it() {
    let (mut client, made) = Client::made();
    let (other, other_key) = client.add_folder();
    let item = json!({ "uid": made.record, "type": "record", "from_type": "shared_folder", "from_uid": made.folder, "cascade": false });
    let mut request = json!({ "command": "move", "to_type": "shared_folder", "to_uid": other, "link": true, "move": [item], "transition_keys": [] });
    assert_eq!(client.command(request.clone())["result_code"], "missing_transition_key");
    request["transition_keys"] =
        json!([{ "uid": made.record, "key": text::url(&other_key.seal(made.record_key.expose())) }]);
    assert_eq!(client.command(request.clone())["result"], "success");
    assert_eq!(client.vault.places.len(), 2);
    request["link"] = json!(false);
    assert_eq!(client.command(request)["result"], "success");
    assert_eq!(client.vault.places.keys().collect::<Vec<_>>(), [&(Some(other), made.record)]);
    assert_eq!(client.vault.folder_keys.keys().collect::<Vec<_>>(), [&(other, made.record)]);
}

#[test]
fn defaults_and_flags_of_a_shared_folder() {
    let (mut client, made) = Client::made();
    let yes = i32::from(d::SetBooleanValue::True);
    let update = d::SharedFolderUpdateV3Request {
        shared_folder_uid: uid_bytes(made.folder),
        revision: client.vault.folders[&made.folder].revision,
        default_can_edit: yes,
        shared_folder_update_record: vec![d::SharedFolderUpdateRecord {
            record_uid: uid_bytes(made.record),
            can_edit: yes,
            ..Default::default()
        }],
        ..Default::default()
    };
    let request = d::SharedFolderUpdateV3RequestV2 { shared_folders_update_v3: vec![update] };
    let mut send = |version| client.bytes("vault/shared_folder_update_v3", request.encode_to_vec(), version);
    assert_eq!(send(0).unwrap_err().error, "bad_request");
    let answer = d::SharedFolderUpdateV3ResponseV2::decode(send(1).unwrap().as_slice()).unwrap();
    let [one] = &answer.shared_folders_update_v3_response[..] else { panic!("one folder") };
    assert_eq!(
        (one.status.as_str(), one.shared_folder_update_record_status[0].status.as_str()),
        ("success", "success")
    );
    let again = d::SharedFolderUpdateV3ResponseV2::decode(send(1).unwrap().as_slice()).unwrap();
    assert_eq!(again.shared_folders_update_v3_response[0].status, "out_of_sync");
    let whole = client.sync();
    assert!(whole.shared_folders[0].default_can_edit && !whole.shared_folders[0].default_can_reshare);
    assert!(whole.shared_folder_records[0].can_edit);
}

#[test]
fn details_say_who_may_see_a_record() {
    let (mut client, made) = Client::made();
    let mut request = m::GetRecordDataWithAccessInfoRequest {
        record_uid: vec![uid_bytes(made.record), random(16)],
        ..Default::default()
    };
    let answer: m::GetRecordDataWithAccessInfoResponse = client.call("vault/get_records_details", &request).unwrap();
    assert_eq!((answer.record_data_with_access_info.len(), answer.no_permission_record_uid.len()), (1, 1));
    let one = &answer.record_data_with_access_info[0];
    let data = one.record_data.as_ref().unwrap();
    let json = made.record_key.open(&text::decode(&data.encrypted_record_data).unwrap()).unwrap();
    assert!(json.starts_with(b"{"));
    assert_eq!((one.user_permission.len(), one.user_permission[0].owner), (1, true));
    assert_eq!(one.shared_folder_permission[0].shared_folder_uid, uid_bytes(made.folder));
    request.record_details_include = m::RecordDetailsInclude::ShareOnly.into();
    let answer: m::GetRecordDataWithAccessInfoResponse = client.call("vault/get_records_details", &request).unwrap();
    assert!(answer.record_data_with_access_info[0].record_data.is_none());
}

#[test]
fn folders_are_found_by_uid_and_subfolders_are_inside() {
    let (mut client, made) = Client::made();
    let (inner, key) = (Uid::random(), Key::random());
    let add = json!({
        "command": "folder_add", "folder_type": "shared_folder_folder", "folder_uid": inner, "shared_folder_uid": made.folder,
        "key": text::url(&made.folder_key.seal_cbc(key.expose())), "data": text::url(&key.seal_cbc(br#"{"name":"inner"}"#)),
    });
    assert_eq!(client.command(add.clone())["result"], "success");
    assert_eq!(client.command(add)["result_code"], "exists");
    assert_eq!(client.vault.shared_root(inner), Some(made.folder));
    assert_eq!(client.sync().shared_folder_folders.len(), 1);
    let answer = client.command(json!({
        "command": "get_shared_folders", "shared_folders": [{ "shared_folder_uid": made.folder }], "include": ["sfheaders"],
    }));
    assert_eq!(answer["shared_folders"][0]["records"][0]["record_uid"], json!(made.record));
}

#[test]
fn record_types_have_the_ones_that_are_used() {
    let mut client = Client::logged_in();
    let request = m::RecordTypesRequest { standard: true, ..Default::default() };
    let answer: m::RecordTypesResponse = client.call("vault/get_record_types", &request).unwrap();
    assert!(answer.record_types.iter().any(|kind| kind.content.contains(r#""$id":"login""#)));
}
