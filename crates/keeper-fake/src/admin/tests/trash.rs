//! Deleting, and what comes back.

use super::vaults::Made;
use super::{Client, uid_bytes};
use keeper_wire::messages::folder as d;
use keeper_wire::messages::records as m;
use keeper_wire::text;
use prost::Message;
use serde_json::{Value, json};

fn announce(client: &mut Client, object: Value) -> Value {
    client.command(json!({ "command": "pre_delete", "objects": [object] }))
}

fn delete(client: &mut Client, object: Value) {
    let answer = announce(client, object);
    let token = answer["pre_delete_response"]["pre_delete_token"].as_str().unwrap().to_owned();
    assert!(answer["pre_delete_response"]["would_delete"]["deletion_summary"].as_array().unwrap().len() > 1);
    let delete = json!({ "command": "delete", "pre_delete_token": token });
    assert_eq!(client.command(delete.clone())["result"], "success");
    assert_eq!(client.command(delete)["result_code"], "invalid_token");
}

fn record(made: &Made) -> Value {
    json!({
        "delete_resolution": "unlink", "object_uid": made.record, "object_type": "record",
        "from_type": "shared_folder_folder", "from_uid": made.folder,
    })
}

fn folder(made: &Made) -> Value {
    json!({ "delete_resolution": "unlink", "object_uid": made.folder, "object_type": "shared_folder", "from_type": "user_folder" })
}

#[test]
fn a_deleted_record_is_listed_and_comes_back_with_its_file() {
    let (mut client, made) = Client::made();
    let (file, key) = client.add_file(b"hello");
    let link = m::RecordLink { record_uid: uid_bytes(file), record_key: made.record_key.seal(key.expose()) };
    let update = m::RecordUpdate {
        record_uid: uid_bytes(made.record),
        revision: client.vault.records[&made.record].revision,
        record_links_add: vec![link],
        ..Default::default()
    };
    let request = m::RecordsUpdateRequest { records: vec![update], ..Default::default() };
    client.call::<m::RecordsModifyResponse>("vault/records_update", &request).unwrap();

    delete(&mut client, record(&made));
    assert!(client.vault.records.is_empty() && client.vault.links.is_empty() && client.vault.folder_keys.is_empty());
    let listed = client.command(json!({ "command": "get_deleted_records" }));
    let [one] = &listed["records"].as_array().unwrap()[..] else { panic!("one record, and no file") };
    let key = client.data_key().open(&text::decode(one["record_key"].as_str().unwrap()).unwrap()).unwrap();
    assert_eq!(key[..], made.record_key.expose()[..]);

    let back = json!({ "command": "undelete_record", "record_uid": made.record, "revision": one["revision"] });
    let answer = client.command(json!({ "command": "execute", "requests": [back, { "command": "undelete_record", "record_uid": made.record }] }));
    let results: Vec<_> =
        answer["results"].as_array().unwrap().iter().map(|one| one["result"].as_str().unwrap()).collect();
    assert_eq!(results, ["success", "fail"]);
    assert_eq!((client.vault.records.len(), client.vault.links.len(), client.vault.folder_keys.len()), (2, 1, 1));
    assert!(client.vault.places.contains_key(&(Some(made.folder), made.record)));
}

#[test]
fn what_is_not_there_is_not_announced() {
    let (mut client, made) = Client::made();
    let mut elsewhere = record(&made);
    elsewhere["from_uid"] = json!("");
    assert_eq!(announce(&mut client, elsewhere)["result_code"], "access_denied");
    let mut odd = record(&made);
    odd["delete_resolution"] = json!("shred");
    assert_eq!(announce(&mut client, odd)["result_code"], "bad_inputs_data");
}

#[test]
fn a_deleted_folder_takes_its_content_along_and_leaves_the_share() {
    let (mut client, made) = Client::made();
    let (application, key) = client.add_application();
    client.share(application, made.folder, key.seal(made.folder_key.expose())).unwrap();
    delete(&mut client, folder(&made));
    assert!(client.vault.folders.is_empty());
    assert_eq!(client.vault.records.keys().collect::<Vec<_>>(), [&application]);
    assert!(client.vault.applications[&application].shares.contains_key(&made.folder), "the share dangles");

    let body = client.bytes("vault/get_deleted_shared_folders_and_records", Vec::new(), 0).unwrap();
    let listed = d::GetDeletedSharedFoldersAndRecordsResponse::decode(body.as_slice()).unwrap();
    assert_eq!(
        (listed.shared_folders.len(), listed.shared_folder_records.len(), listed.deleted_record_data.len()),
        (1, 1, 1)
    );
    let key = made.folder_key.open(&listed.shared_folder_records[0].shared_record_key).unwrap();
    assert_eq!(key[..], made.record_key.expose()[..]);
    assert!(client.command(json!({ "command": "get_deleted_records" }))["records"].as_array().unwrap().is_empty());

    let wanted = d::RestoreSharedObject { folder_uid: uid_bytes(made.folder), record_uids: Vec::new() };
    let request = d::RestoreDeletedSharedFoldersAndRecordsRequest { folders: vec![wanted], records: Vec::new() };
    client.void("vault/restore_deleted_shared_folders_and_records", &request).unwrap();
    assert_eq!((client.vault.folders.len(), client.vault.records.len(), client.vault.folder_keys.len()), (1, 2, 1));
    let refused = client.void("vault/restore_deleted_shared_folders_and_records", &request).unwrap_err();
    assert_eq!(refused.error, "access_denied");
}

#[test]
fn a_record_in_two_folders_survives_one_deletion() {
    let (mut client, made) = Client::made();
    let (other, other_key) = client.add_folder();
    let item = json!({ "uid": made.record, "type": "record", "from_type": "shared_folder", "from_uid": made.folder });
    let keys = json!([{ "uid": made.record, "key": text::url(&other_key.seal(made.record_key.expose())) }]);
    let answer = client.command(json!({
        "command": "move", "to_type": "shared_folder", "to_uid": other, "link": true, "move": [item], "transition_keys": keys,
    }));
    assert_eq!(answer["result"], "success");
    delete(&mut client, folder(&made));
    assert!(client.vault.records.contains_key(&made.record));
    assert_eq!(client.vault.folder_keys.keys().collect::<Vec<_>>(), [&(other, made.record)]);
}

#[test]
fn an_application_does_not_come_back() {
    let mut client = Client::logged_in();
    let (application, _) = client.add_application();
    let object = json!({ "delete_resolution": "unlink", "object_uid": application, "object_type": "record", "from_type": "user_folder" });
    delete(&mut client, object);
    assert!(client.vault.records.is_empty() && client.vault.applications.is_empty() && client.vault.trash.is_empty());
}

#[test]
fn a_purge_leaves_nothing() {
    let (mut client, made) = Client::made();
    let answer = client.command(json!({ "command": "record_update", "delete_records": [made.record, made.folder] }));
    let statuses: Vec<_> =
        answer["delete_records"].as_array().unwrap().iter().map(|one| one["status"].as_str().unwrap()).collect();
    assert_eq!(statuses, ["success", "access_denied"]);
    assert!(client.vault.records.is_empty() && client.vault.places.is_empty() && client.vault.trash.is_empty());

    let (mut client, made) = Client::made();
    delete(&mut client, record(&made));
    client.command(json!({ "command": "purge_deleted_records" }));
    assert!(client.vault.trash.is_empty());
}
