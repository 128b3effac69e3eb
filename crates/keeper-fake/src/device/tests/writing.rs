//! Changing records, files and folders.

use super::*;

/// `add_file` of one file, with everything a client sends.
fn announcement(client: &Client, owner: (Uid, &Key, &Value), content: &[u8]) -> (Uid, Key, Value) {
    let (file, file_key) = (Uid::random(), Key::random());
    let (record, key, envelope) = owner;
    let sealed_to_owner = client.owner.as_ref().unwrap().seal(file_key.expose());
    let about = json!({ "name": "new.txt", "title": "new.txt", "size": content.len() });
    let payload = json!({
        "fileRecordUid": file, "fileRecordKey": text::standard(&sealed_to_owner),
        "fileRecordData": text::url(&file_key.seal(about.to_string().as_bytes())),
        "ownerRecordUid": record, "ownerRecordData": text::url(&key.seal(b"{\"title\":\"with file\"}")),
        "ownerRecordRevision": envelope["revision"], "linkKey": text::standard(&key.seal(file_key.expose())),
        "fileSize": content.len() + 28,
    });
    (file, file_key, payload)
}

#[test]
fn a_file_is_announced_posted_fetched_and_unlinked() {
    let (mut world, _, client) = start();
    let (record, key, envelope) = client.only_record(&mut world);
    let (file, file_key, payload) = announcement(&client, (record, &key, &envelope), b"new bytes");
    let answer = client.call(&mut world, "add_file", &payload).unwrap();
    assert_eq!(answer["successStatusCode"], json!(201));

    let (_, _, between) = client.only_record(&mut world);
    assert_eq!(files(&key, &between)["new.txt"], Value::Null, "announced, and without content");
    assert_eq!(content(&key, &between)["title"], json!("with file"));

    let sealed = file_key.seal(b"new bytes");
    assert!(matches!(posted(&mut world, &answer, &sealed), Outcome::Send(reply) if reply.status == 201));
    let (_, _, after) = client.only_record(&mut world);
    let url = files(&key, &after)["new.txt"].as_str().unwrap().to_owned();
    assert_eq!(file_key.open(&fetched(&mut world, &url).body).unwrap().as_slice(), b"new bytes");

    let change = json!({
        "recordUid": record, "revision": after["revision"], "data": text::url(&key.seal(b"{}")), "links2Remove": [file],
        "transactionType": "general",
    });
    client.call(&mut world, "update_secret", &change).unwrap();
    let (_, _, still) = client.only_record(&mut world);
    assert_eq!(files(&key, &still).len(), 4, "together with `general` the links are ignored");
    let change = json!({
        "recordUid": record, "revision": still["revision"], "data": text::url(&key.seal(b"{}")), "links2Remove": [file],
    });
    client.call(&mut world, "update_secret", &change).unwrap();
    let (_, _, gone) = client.only_record(&mut world);
    assert!(!files(&key, &gone).contains_key("new.txt"));
}

#[test]
fn a_stale_or_missing_revision_is_out_of_sync() {
    let (mut world, _, client) = start();
    let (record, key, envelope) = client.only_record(&mut world);
    let change = |revision: Value| json!({ "recordUid": record, "revision": revision, "data": text::url(&key.seal(b"{\"title\":\"changed\"}")) });
    client.call(&mut world, "update_secret", &change(envelope["revision"].clone())).unwrap();
    for stale in [envelope["revision"].clone(), json!(0), Value::Null, json!("x")] {
        let failed = client.call(&mut world, "update_secret", &change(stale)).unwrap_err();
        assert_eq!(failed.code(), (403, "access_denied"));
        assert!(failed.says("out of sync"));
    }
    let (_, _, mut payload) = announcement(&client, (record, &key, &envelope), b"x");
    assert!(client.call(&mut world, "add_file", &payload).unwrap_err().says("out of sync"));
    payload["ownerRecordRevision"] = Value::Null;
    assert!(client.call(&mut world, "add_file", &payload).unwrap_err().says("out of sync"));
    assert_eq!(client.only_record(&mut world).2["files"].as_array().unwrap().len(), 3);
}

fn creation(client: &Client, folder: Uid, folder_key: &Key) -> (Uid, Key, Value) {
    let (record, key) = (Uid::random(), Key::random());
    let payload = json!({
        "recordUid": record, "recordKey": text::url(&client.owner.as_ref().unwrap().seal(key.expose())),
        "folderUid": folder, "folderKey": text::url(&folder_key.seal(key.expose())),
        "data": text::url(&key.seal(b"{\"title\":\"made\"}")), "subFolderUid": null,
    });
    (record, key, payload)
}

#[test]
fn a_record_is_made_and_deleted_into_the_trash() {
    let (mut world, guide, client) = start();
    let (record, key, payload) = creation(&client, guide.app.folder, &guide.app.folder_key);
    client.call(&mut world, "create_secret", &payload).unwrap();
    assert_eq!(client.call(&mut world, "create_secret", &payload).unwrap_err().code().0, 400);
    let all = client.records(&mut world, &json!({}));
    let made = all.iter().find(|(uid, ..)| *uid == record).unwrap();
    assert_eq!((&made.1, content(&made.1, &made.2)["title"].as_str()), (&key, Some("made")));

    let stranger = Uid::random();
    let answer = client.call(&mut world, "delete_secret", &json!({ "recordUids": [record, stranger] })).unwrap();
    let codes: Vec<_> = answer["records"].as_array().unwrap().iter().map(|told| told["responseCode"].clone()).collect();
    assert_eq!(codes, [json!("ok"), json!("access_denied")]);
    assert_eq!(client.only_record(&mut world).0, guide.record);
    assert_eq!(world.vault.trash.len(), 1);
}

#[test]
fn a_rotation_is_kept_or_taken_back() {
    let (mut world, _, client) = start();
    let (record, key, envelope) = client.only_record(&mut world);
    let before = content(&key, &envelope);
    let rotate = |envelope: &Value| {
        json!({
            "recordUid": record, "revision": envelope["revision"], "transactionType": "rotation",
            "data": text::url(&key.seal(b"{\"title\":\"rotated\"}")),
        })
    };
    client.call(&mut world, "update_secret", &rotate(&envelope)).unwrap();
    client.call(&mut world, "rollback_secret_update", &json!({ "recordUid": record })).unwrap();
    let (_, _, back) = client.only_record(&mut world);
    assert_eq!(content(&key, &back), before);
    assert_eq!(
        client.call(&mut world, "rollback_secret_update", &json!({ "recordUid": record })).unwrap_err().code().0,
        400
    );

    client.call(&mut world, "update_secret", &rotate(&back)).unwrap();
    client.call(&mut world, "finalize_secret_update", &json!({ "recordUid": record })).unwrap();
    assert_eq!(content(&key, &client.only_record(&mut world).2)["title"], json!("rotated"));
}

#[test]
fn folders_are_made_named_and_deleted() {
    let (mut world, guide, client) = start();
    let (folder, key) = (Uid::random(), Key::random());
    let payload = json!({
        "folderUid": folder, "sharedFolderUid": guide.app.folder,
        "sharedFolderKey": text::url(&guide.app.folder_key.seal_cbc(key.expose())),
        "data": text::url(&key.seal_cbc(b"{\"name\":\"one\"}")), "parentUid": "",
    });
    client.call(&mut world, "create_folder", &payload).unwrap();
    let rename = json!({ "folderUid": folder, "data": text::url(&key.seal_cbc(b"{\"name\":\"two\"}")) });
    client.call(&mut world, "update_folder", &rename).unwrap();
    assert_eq!(key.open_cbc(&world.vault.folders[&folder].data).unwrap().as_slice(), b"{\"name\":\"two\"}");

    let (_, _, mut inside) = creation(&client, guide.app.folder, &guide.app.folder_key);
    inside["subFolderUid"] = json!(folder);
    client.call(&mut world, "create_secret", &inside).unwrap();
    let code = |world: &mut World, force: bool, folder: Uid| {
        let payload = json!({ "folderUids": [folder], "forceDeletion": force });
        let answer = client.call(world, "delete_folder", &payload).unwrap();
        answer["folders"][0]["responseCode"].as_str().unwrap_or("nothing said").to_owned()
    };
    assert_eq!(code(&mut world, false, folder), "not_empty");
    assert_eq!(code(&mut world, true, guide.app.folder), "access_denied", "a device has no shared folder deleted");
    assert_eq!(code(&mut world, true, folder), "ok");
    assert_eq!(code(&mut world, true, folder), "nothing said", "what is not there is no error");
    assert_eq!(client.only_record(&mut world).0, guide.record);
}

#[test]
fn nothing_is_written_outside_of_the_share() {
    let (mut world, guide, client) = start();
    let foreign = crate::seed::App::new(&mut world, "foreign");
    let (record, key) = foreign.record(&mut world, &json!({ "title": "foreign" }));
    let (_, _, payload) = creation(&client, foreign.folder, &foreign.folder_key);
    assert!(client.call(&mut world, "create_secret", &payload).unwrap_err().says("inaccessible"));
    let change = json!({ "recordUid": record, "revision": 1, "data": text::url(&key.seal(b"{}")) });
    assert!(client.call(&mut world, "update_secret", &change).unwrap_err().says("inaccessible"));
    assert!(
        client
            .call(&mut world, "finalize_secret_update", &json!({ "recordUid": record }))
            .unwrap_err()
            .says("inaccessible")
    );
    let (_, _, mut payload) = creation(&client, guide.app.folder, &guide.app.folder_key);
    payload["subFolderUid"] = json!(foreign.folder);
    assert!(client.call(&mut world, "create_secret", &payload).unwrap_err().says("inaccessible"));
}
