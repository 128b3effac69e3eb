//! The ladder of keys, filters and files.

use super::*;

#[test]
fn every_rung_has_a_key_of_its_own() {
    let (mut world, guide, client) = start();
    let (record, key, envelope) = client.only_record(&mut world);
    assert_eq!((record, &key), (guide.record, &guide.record_key));
    let found = content(&key, &envelope);
    assert_eq!(found["title"], json!(guide.title));
    let mut keys = vec![guide.app.key.clone(), guide.app.folder_key.clone(), key.clone()];
    for file in envelope["files"].as_array().unwrap() {
        let file_key = opened(&key, &file["fileKey"]);
        let known = guide.files.iter().find(|known| known.uid == uid(&file["fileUid"])).unwrap();
        let reply = fetched(&mut world, file["url"].as_str().unwrap());
        assert_eq!(file_key.open(&reply.body).unwrap().as_slice(), known.content);
        assert_eq!(content(&file_key, file)["size"], json!(known.content.len()));
        keys.push(file_key);
    }
    assert_eq!(keys.len(), 6);
    assert!((0..6).all(|one| (0..one).all(|other| keys[one] != keys[other])));
    let uids: Vec<_> = guide.files.iter().map(|file| json!(file.uid)).collect();
    assert_eq!(found["fields"][3]["value"], json!(uids));
}

#[test]
fn filters_leave_the_rest_out() {
    let (mut world, guide, client) = start();
    let (other, _) = guide.app.record(&mut world, &json!({ "title": "other", "type": "login", "fields": [] }));
    let uids = |records: Vec<(Uid, Key, Value)>| records.into_iter().map(|(uid, ..)| uid).collect::<Vec<_>>();
    assert_eq!(client.records(&mut world, &json!({})).len(), 2);
    assert_eq!(uids(client.records(&mut world, &json!({ "requestedRecords": [other] }))), [other]);
    assert_eq!(client.records(&mut world, &json!({ "requestedFolders": [guide.app.folder] })).len(), 2);
    assert_eq!(client.records(&mut world, &json!({ "requestedFolders": [other] })).len(), 0);
    assert_eq!(client.records(&mut world, &json!({ "requestedRecords": [Uid::random()] })).len(), 0);
    assert_eq!(client.records(&mut world, &json!({ "requestedRecords": null })).len(), 2);
}

#[test]
fn links_come_when_they_are_asked_for() {
    let (mut world, _, client) = start();
    let links = |payload: Value, world: &mut World| client.records(world, &payload)[0].2.get("links").cloned();
    assert_eq!(links(json!({ "requestLinks": true }), &mut world), Some(json!([])));
    assert_eq!(links(json!({ "requestLinks": null }), &mut world), None);
}

#[test]
fn a_record_may_come_in_the_flat_list() {
    let (mut world, guide, client) = start();
    world.devices.flat = true;
    let answer = client.call(&mut world, "get_secret", &json!({})).unwrap();
    assert_eq!(answer["folders"][0]["records"], json!([]));
    assert_eq!(client.only_record(&mut world).1, guide.record_key);
}

#[test]
fn a_record_may_be_shared_alone() {
    let (mut world, guide, client) = start();
    let application = world.vault.applications.get_mut(&guide.app.uid).unwrap();
    application.shares.clear();
    assert!(client.records(&mut world, &json!({})).is_empty());
    let share = crate::vault::Share {
        folder: false,
        key: guide.app.key.seal(guide.record_key.expose()),
        editable: true,
        created: 0,
    };
    world.vault.applications.get_mut(&guide.app.uid).unwrap().shares.insert(guide.record, share);
    let (record, key, envelope) = client.only_record(&mut world);
    assert_eq!((record, key), (guide.record, guide.record_key));
    assert_eq!(envelope["folderUid"], json!(""));
}

#[test]
fn folders_have_names_and_the_topmost_key() {
    let (mut world, guide, client) = start();
    let below = guide.app.subfolder(&mut world, None, "below");
    let deeper = guide.app.subfolder(&mut world, Some(below), "deeper");
    let answer = client.call(&mut world, "get_folders", &json!({})).unwrap();
    let all = answer["folders"].as_array().unwrap();
    assert_eq!(all.len(), 3);
    let top = opened(client.app_key(), &all[0]["folderKey"]);
    for (folder, name) in [(below, "below"), (deeper, "deeper")] {
        let found = all.iter().find(|found| found["folderUid"] == json!(folder)).unwrap();
        let key = Key::from_slice(&top.open_cbc(&decoded(&found["folderKey"])).unwrap()).unwrap();
        let data: Value = serde_json::from_slice(&key.open_cbc(&decoded(&found["data"])).unwrap()).unwrap();
        assert_eq!(data["name"], json!(name));
    }
}

#[test]
fn the_application_has_a_name_and_the_device_an_end() {
    let (mut world, guide, client) = start();
    let answer = client.call(&mut world, "get_secret", &json!({})).unwrap();
    let data: Value = serde_json::from_slice(&guide.app.key.open(&decoded(&answer["appData"])).unwrap()).unwrap();
    assert_eq!(data, json!({ "title": "Automator", "type": "app" }));
    assert_eq!(answer["expiresOn"], json!(0));
    assert!(answer.get("encryptedAppKey").is_none());
}
