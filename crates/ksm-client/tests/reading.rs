//! The ladder of keys, and what is done about rungs that break.

mod common;

use common::scripted::{Do, Scripted};
use keeper_wire::crypto::Key;
use keeper_wire::{Uid, text};
use ksm_client::error::OpenError;
use ksm_client::{Cause, Client, DecryptError, Error, Filter, Notation, Rung};
use serde_json::{Value, json};

fn uid(byte: u8) -> Uid {
    Uid::from_slice(&[byte; 16]).unwrap()
}

fn sealed(key: &Key, value: &Value) -> String {
    text::standard(&key.seal(value.to_string().as_bytes()))
}

fn wrapped(outer: &Key, inner: &Key) -> String {
    text::url(&outer.seal(inner.expose()))
}

/// A record under `outer`; its title is a letter.
fn record(byte: u8, outer: &Key, title: &str) -> Value {
    let key = Key::random();
    json!({ "recordUid": uid(byte), "recordKey": wrapped(outer, &key), "data": sealed(&key, &json!({ "type": "login", "title": title })), "revision": 3 })
}

/// A service that answers every `get_secret` with what `answer` makes of the application key.
async fn answering(answer: impl Fn(&Key) -> Value) -> (Scripted, Client) {
    let slot = std::sync::Arc::new(std::sync::Mutex::new(Value::Null));
    let told = slot.clone();
    let service = Scripted::start(move |_, _| Do::Seal(told.lock().unwrap().clone())).await;
    *slot.lock().unwrap() = answer(&service.app_key);
    let client = Client::new(service.config(), service.options()).unwrap();
    (service, client)
}

#[tokio::test]
async fn every_way_a_record_can_be_sealed() {
    let (_service, client) = answering(|app| {
        let folder = Key::random();
        let mut inner = record(3, &folder, "inner");
        inner["innerFolderUid"] = json!(uid(100));
        let mut elsewhere = record(4, app, "elsewhere");
        elsewhere["innerFolderUid"] = json!(uid(101));
        json!({
            "appData": sealed(app, &json!({ "title": "my app", "type": "app" })),
            "expiresOn": 1_900_000_000_000_i64, "warnings": ["soon over"],
            "folders": [{ "folderUid": uid(100), "folderKey": wrapped(app, &folder), "records": [record(1, &folder, "in a folder")] }],
            "records": [
                record(2, app, "flat"), inner, elsewhere,
                // Shared by itself: the application key is its key.
                { "recordUid": uid(5), "recordKey": null, "data": sealed(app, &json!({ "title": "single" })), "isEditable": false },
                // The same once more.
                record(2, app, "flat"),
            ],
        })
    })
    .await;
    let secrets = client.secrets(&Filter::all()).await.unwrap();
    let titles: Vec<&str> = secrets.records.iter().map(|record| record.content.title()).collect();
    assert_eq!(titles, ["in a folder", "flat", "inner", "elsewhere", "single"]);
    assert!(secrets.failed.is_empty());
    assert_eq!(secrets.app.as_ref().unwrap().title, "my app");
    assert_eq!((secrets.expires_on, &*secrets.warnings), (Some(1_900_000_000_000), &["soon over".to_owned()][..]));
    assert_eq!((secrets.records[0].folder, secrets.records[2].folder), (Some(uid(100)), Some(uid(100))));
    assert!(!secrets.record(uid(5)).unwrap().editable);
    assert_eq!(secrets.titled("flat").unwrap().uid, uid(2));
    assert!(matches!(secrets.record(uid(9)), Err(Error::NotFound { .. })));
}

#[tokio::test]
async fn what_does_not_open_is_named_by_uid_and_rung_and_the_rest_is_there() {
    let (_service, client) = answering(|app| {
        let (folder, other) = (Key::random(), Key::random());
        let mut no_data = record(3, app, "x");
        no_data["data"] = Value::Null;
        let mut no_json = record(4, app, "x");
        let key = Key::random();
        no_json["recordKey"] = wrapped(app, &key).into();
        no_json["data"] = text::standard(&key.seal(b"[]")).into();
        let mut file = record(5, app, "with a file");
        file["files"] = json!([{ "fileUid": uid(50), "fileKey": "AAAA", "data": "AAAA" }, { "fileUid": 7 }]);
        json!({
            "folders": [
                { "folderUid": uid(100), "folderKey": wrapped(&other, &folder), "records": [record(1, &folder, "x")] },
                { "folderUid": "no uid", "folderKey": wrapped(app, &folder), "records": [] },
            ],
            "records": [record(2, &other, "x"), no_data, no_json, file, record(6, app, "fine"), { "recordUid": "short" }, {}],
        })
    })
    .await;
    let secrets = client.secrets(&Filter::all()).await.unwrap();
    let titles: Vec<&str> = secrets.records.iter().map(|record| record.content.title()).collect();
    assert_eq!(titles, ["with a file", "fine"]);
    let failed: Vec<(String, Rung)> =
        secrets.failed.iter().map(|failed| (failed.uid.clone(), failed.error.rung)).collect();
    let named = |byte: u8, rung| (uid(byte).to_string(), rung);
    assert_eq!(
        failed,
        [
            named(100, Rung::FolderKey),
            named(1, Rung::FolderKey),
            named(2, Rung::RecordKey),
            named(3, Rung::RecordData),
            named(4, Rung::RecordData),
            ("short".to_owned(), Rung::RecordKey),
            (String::new(), Rung::RecordKey),
        ]
    );
    // Asking for one of them is an error, not "not found".
    let error = client.record(uid(4)).await.unwrap_err();
    assert!(
        matches!(&error, Error::Decrypt(DecryptError { rung: Rung::RecordData, source: OpenError::NotJson, .. })),
        "{error}"
    );
    // A title that nobody has may be that of one that did not open.
    assert!(matches!(secrets.titled("x"), Err(Error::Decrypt(_))));
    let record = secrets.record(uid(5)).unwrap();
    assert_eq!(
        record.failed_files.iter().map(|failed| failed.uid.clone()).collect::<Vec<_>>(),
        [uid(50).to_string(), "7".to_owned()]
    );
    assert!(matches!(record.file("a.pfx"), Err(Error::Decrypt(DecryptError { rung: Rung::FileKey, .. }))));
}

#[tokio::test]
async fn folders_have_names_and_keys_of_the_topmost() {
    let (_service, client) = answering(|app| {
        let (top, middle, deep) = (Key::random(), Key::random(), Key::random());
        let name = |key: &Key, name: &str| text::url(&key.seal_cbc(json!({ "name": name }).to_string().as_bytes()));
        let below = |key: &Key| text::url(&top.seal_cbc(key.expose()));
        json!({ "folders": [
            { "folderUid": uid(3), "parent": uid(2), "folderKey": below(&deep), "data": name(&deep, "deep") },
            { "folderUid": uid(1), "folderKey": wrapped(app, &top), "data": name(&top, "top") },
            { "folderUid": uid(2), "parent": uid(1), "folderKey": below(&middle), "data": name(&middle, "middle") },
            // Its parent is not shared with us: it is a top of its own.
            { "folderUid": uid(4), "parent": uid(99), "folderKey": wrapped(app, &deep), "data": name(&deep, "alone") },
            // A circle, and a name under another key.
            { "folderUid": uid(5), "parent": uid(6), "folderKey": below(&deep), "data": name(&deep, "x") },
            { "folderUid": uid(6), "parent": uid(5), "folderKey": below(&deep), "data": name(&deep, "x") },
            { "folderUid": uid(7), "parent": uid(1), "folderKey": below(&middle), "data": "AAAA" },
        ] })
    })
    .await;
    let folders = client.folders().await.unwrap();
    let found: Vec<(&str, Uid)> = folders.folders.iter().map(|folder| (folder.name.as_str(), folder.shared)).collect();
    assert_eq!(found, [("deep", uid(1)), ("top", uid(1)), ("middle", uid(1)), ("alone", uid(4))]);
    let failed: Vec<&str> = folders.failed.iter().map(|failed| failed.uid.as_str()).collect();
    assert_eq!(
        failed,
        [uid(5), uid(6), uid(7)].map(|uid| uid.to_string()).iter().map(String::as_str).collect::<Vec<_>>()
    );
    assert!(matches!(folders.folder(uid(7)), Err(Error::Decrypt(_))));
}

#[tokio::test]
async fn filters_say_what_is_wanted() {
    let (service, client) = answering(|_| json!({})).await;
    client.secrets(&Filter { records: vec![uid(1), uid(2)], folders: vec![uid(3)] }).await.unwrap();
    let seen = service.seen();
    assert_eq!(seen[0].payload["requestedRecords"], json!([uid(1), uid(2)]));
    assert_eq!(seen[0].payload["requestedFolders"], json!([uid(3)]));
    assert!(matches!(client.record(uid(1)).await, Err(Error::NotFound { .. })));
}

#[tokio::test]
async fn a_name_that_looks_like_a_uid_is_looked_for_as_a_title_too() {
    let title = "AAAAAAAAAAAAAAAAAAAAAA";
    let (service, client) = answering(move |app| json!({ "records": [record(9, app, title)] })).await;
    let notation: Notation = format!("{title}/title").parse().unwrap();
    assert_eq!(client.value(&notation).await.unwrap().as_slice(), title.as_bytes());
    assert_eq!(service.seen().len(), 2);
    assert_eq!(*client.values(&format!("{}/type", uid(9)).parse().unwrap()).await.unwrap()[0], "login");
    let error = client.value(&"nobody/title".parse().unwrap()).await.unwrap_err();
    assert!(matches!(error, Error::NotFound { .. }), "{error}");
}

#[tokio::test]
async fn without_an_owner_key_nothing_is_sent() {
    let (service, _) = answering(|app| json!({ "records": [record(1, app, "x")] })).await;
    let mut document = service.document();
    document["appOwnerPublicKey"] = Value::Null;
    let client = Client::new(ksm_client::Config::parse(&document.to_string()).unwrap(), service.options()).unwrap();
    let error = client.upload(uid(1), &ksm_client::NewFile::new("a", b"b".as_slice())).await.unwrap_err();
    assert!(matches!(error, Error::NoOwnerKey { operation: "add_file" }), "{error}");
    let error = client.create_record(uid(1), &ksm_client::Content::new("login", "x")).await.unwrap_err();
    assert!(matches!(error, Error::NoOwnerKey { .. }), "{error}");
    assert!(service.seen().is_empty());
}

#[tokio::test]
async fn deletions_tell_each_refused_item() {
    let service = Scripted::start(|_, seen| match seen.path.rsplit('/').next() {
        Some("delete_secret") => Do::Seal(json!({ "records": [
            { "recordUid": uid(1), "responseCode": "ok" },
            { "recordUid": uid(2), "responseCode": "access_denied", "errorMessage": "read only" },
        ] })),
        _ => Do::Seal(json!({ "folders": [{ "folderUid": uid(3), "responseCode": "not_empty" }] })),
    })
    .await;
    let client = Client::new(service.config(), service.options()).unwrap();
    let error = client.delete_records(&[uid(1), uid(2)]).await.unwrap_err();
    assert_eq!(error.to_string(), format!("delete 1 of 2: {} (access_denied: read only)", uid(2)));
    let Error::Items { failed, .. } = client.delete_folders(&[uid(3)], false).await.unwrap_err() else { panic!() };
    assert_eq!((failed[0].uid.clone(), &*failed[0].code), (uid(3).to_string(), "not_empty"));
    assert_eq!(service.seen()[1].payload["forceDeletion"], false);
    // What the answer does not mention is not called deleted.
    let error = client.delete_records(&[uid(1), uid(4)]).await.unwrap_err();
    assert!(
        matches!(&error, Error::Items { failed, asked: 2 } if failed.iter().any(|item| item.uid == uid(4).to_string())),
        "{error}"
    );
}

#[tokio::test]
async fn a_cached_answer_is_used_only_when_asked_for_young_enough_and_of_the_same_question() {
    use std::sync::atomic::{AtomicU8, Ordering};
    use std::time::Duration;

    let mode = std::sync::Arc::new(AtomicU8::new(0));
    let (now, slot) = (mode.clone(), std::sync::Arc::new(std::sync::Mutex::new(Value::Null)));
    let told = slot.clone();
    let service = Scripted::start(move |_, _| match now.load(Ordering::SeqCst) {
        0 => Do::Seal(told.lock().unwrap().clone()),
        1 => Do::Cut,
        _ => Do::Plain(403, r#"{"error":"access_denied","message":"Device was revoked"}"#, vec![]),
    })
    .await;
    *slot.lock().unwrap() = json!({ "records": [record(1, &service.app_key, "x")] });
    let client = Client::new(service.config(), service.options()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let cache = ksm_client::Cache::new(folder.path().join("cache"));
    let hour = Duration::from_secs(3600);
    let all = Filter::all();

    // Nothing there yet.
    mode.store(1, Ordering::SeqCst);
    assert!(client.secrets_or_cached(&all, &cache, hour).await.unwrap_err().is_unavailable());
    mode.store(0, Ordering::SeqCst);
    assert_eq!(client.secrets_or_cached(&all, &cache, hour).await.unwrap().age, None);
    assert_eq!(
        std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(cache.path()).unwrap().permissions()) & 0o777,
        0o600
    );

    mode.store(1, Ordering::SeqCst);
    let cached = client.secrets_or_cached(&all, &cache, hour).await.unwrap();
    assert!(cached.age.is_some() && cached.because.is_some());
    assert_eq!(cached.secrets.records[0].content.title(), "x");
    // The plain call never looks at it.
    assert!(client.secrets(&all).await.is_err());
    let error = client.secrets_or_cached(&Filter::records([uid(1)]), &cache, hour).await.unwrap_err();
    assert_eq!(error.to_string(), "use the cached answer, because it answers another question");
    assert!(client.secrets_or_cached(&all, &cache, Duration::ZERO).await.unwrap_err().is_unavailable());
    // A refusal is a refusal.
    mode.store(2, Ordering::SeqCst);
    assert_eq!(client.secrets_or_cached(&all, &cache, hour).await.unwrap_err().cause(), Some(Cause::Revoked));
    // Another device's cache, and a broken one.
    mode.store(1, Ordering::SeqCst);
    std::fs::write(cache.path(), b"ksmcach1 and then something").unwrap();
    let error = client.secrets_or_cached(&all, &cache, hour).await.unwrap_err();
    assert!(matches!(error, Error::Cache(_)), "{error}");
    cache.clear().unwrap();
    cache.clear().unwrap();
    assert!(!cache.path().exists());
}
