//! Sequences of operations that are each well formed: what must hold holds after every one of them.

use super::*;
use crate::vault::{FolderKind, Vault};
use proptest::prelude::*;

/// What a device, or the owner with the trash, does next. Numbers choose among what is there.
#[derive(Clone, Debug)]
enum Step {
    Create { folder: u8 },
    Update { record: u8, stale: bool, rotation: bool },
    EndRotation { record: u8, keep: bool },
    Delete { record: u8 },
    Attach { record: u8, post: bool },
    Unlink { record: u8, file: u8 },
    Folder { parent: u8 },
    Rename { folder: u8 },
    DeleteFolder { folder: u8, force: bool },
    BringBack { gone: u8 },
    Bind { token: u8 },
    Fault { name: usize },
}

fn step() -> impl Strategy<Value = Step> {
    let (n, b) = (any::<u8>, any::<bool>);
    prop_oneof![
        n().prop_map(|folder| Step::Create { folder }),
        (n(), b(), b()).prop_map(|(record, stale, rotation)| Step::Update { record, stale, rotation }),
        (n(), b()).prop_map(|(record, keep)| Step::EndRotation { record, keep }),
        n().prop_map(|record| Step::Delete { record }),
        (n(), b()).prop_map(|(record, post)| Step::Attach { record, post }),
        (n(), n()).prop_map(|(record, file)| Step::Unlink { record, file }),
        n().prop_map(|parent| Step::Folder { parent }),
        n().prop_map(|folder| Step::Rename { folder }),
        (n(), b()).prop_map(|(folder, force)| Step::DeleteFolder { folder, force }),
        n().prop_map(|gone| Step::BringBack { gone }),
        n().prop_map(|token| Step::Bind { token }),
        (0..crate::faults::NAMES.len()).prop_map(|name| Step::Fault { name }),
    ]
}

/// One of them, when there are any.
fn choose<T>(all: &[T], number: u8) -> Option<&T> {
    all.get(usize::from(number) % all.len().max(1))
}

/// A client that follows the server's key and asks again where a fault is in the way, as the real ones do.
fn ask(world: &mut World, client: &mut Client, operation: &str, payload: &Value) -> Result<Value, Failed> {
    let mut answer = client.call(world, operation, payload);
    for _ in 0..20 {
        match &answer {
            Err(Failed::Refused { status: 401, body, .. }) => {
                client.key_id = i32::try_from(body["key_id"].as_i64().unwrap()).unwrap();
            }
            Err(Failed::Refused { status: 403, error, .. }) if error == "throttled" => {}
            Err(Failed::Page { .. } | Failed::Cut | Failed::Refused { status: 500.., .. }) if reads(operation) => {}
            _ => break,
        }
        answer = client.call(world, operation, payload);
    }
    answer
}

fn reads(operation: &str) -> bool {
    crate::device::reads(operation)
}

/// Records with key and envelope, and the folders in the shared one.
fn view(world: &mut World, client: &mut Client) -> (Vec<(Uid, Key, Value)>, Vec<Uid>) {
    let folders = ask(world, client, "get_folders", &json!({})).unwrap();
    let folders = folders["folders"].as_array().unwrap().iter().map(|folder| uid(&folder["folderUid"])).collect();
    ask(world, client, "get_secret", &json!({})).unwrap();
    while world.faults.waiting() > 0 && client.call(world, "get_secret", &json!({})).is_err() {}
    (client.records(world, &json!({})), folders)
}

fn perform(world: &mut World, guide: &Guide, client: &mut Client, step: &Step) -> Option<Result<Value, Failed>> {
    let (records, folders) = view(world, client);
    let below: Vec<_> = folders.iter().copied().filter(|folder| *folder != guide.app.folder).collect();
    let (operation, payload) = match step {
        Step::Create { folder } => {
            let key = Key::random();
            let payload = json!({
                "recordUid": Uid::random(), "recordKey": text::url(&client.owner.as_ref()?.seal(key.expose())),
                "folderUid": guide.app.folder, "subFolderUid": choose(&folders, *folder)?,
                "folderKey": text::url(&guide.app.folder_key.seal(key.expose())),
                "data": text::url(&key.seal(b"{\"title\":\"made\"}")),
            });
            ("create_secret", payload)
        }
        Step::Update { record, stale, rotation } => {
            let (record, key, envelope) = choose(&records, *record)?;
            let revision = envelope["revision"].as_i64()? - i64::from(*stale);
            let mut payload = json!({
                "recordUid": record, "revision": revision, "data": text::url(&key.seal(random(20).as_bytes())),
            });
            if *rotation {
                payload["transactionType"] = json!("rotation");
            }
            ("update_secret", payload)
        }
        Step::EndRotation { record, keep } => {
            let operation = if *keep { "finalize_secret_update" } else { "rollback_secret_update" };
            (operation, json!({ "recordUid": choose(&records, *record)?.0 }))
        }
        Step::Delete { record } => ("delete_secret", json!({ "recordUids": [choose(&records, *record)?.0] })),
        Step::Attach { record, post } => {
            let (owner, key, envelope) = choose(&records, *record)?;
            let file_key = Key::random();
            let payload = json!({
                "fileRecordUid": Uid::random(), "ownerRecordUid": owner, "ownerRecordRevision": envelope["revision"],
                "fileRecordKey": text::url(&client.owner.as_ref()?.seal(file_key.expose())),
                "fileRecordData": text::url(&file_key.seal(b"{\"name\":\"new\"}")),
                "ownerRecordData": text::url(&key.seal(b"{\"title\":\"more\"}")),
                "linkKey": text::url(&key.seal(file_key.expose())), "fileSize": 31,
            });
            let answer = ask(world, client, "add_file", &payload);
            if let (Ok(answer), true) = (&answer, post) {
                let _ = posted(world, answer, &file_key.seal(b"new"));
            }
            return Some(answer);
        }
        Step::Unlink { record, file } => {
            let (record, key, envelope) = choose(&records, *record)?;
            let file = uid(&choose(envelope["files"].as_array()?, *file)?["fileUid"]);
            let payload = json!({
                "recordUid": record, "revision": envelope["revision"], "data": text::url(&key.seal(b"{}")),
                "links2Remove": [file],
            });
            ("update_secret", payload)
        }
        Step::Folder { parent } => {
            let key = Key::random();
            let payload = json!({
                "folderUid": Uid::random(), "sharedFolderUid": guide.app.folder, "parentUid": choose(&folders, *parent)?,
                "sharedFolderKey": text::url(&guide.app.folder_key.seal_cbc(key.expose())),
                "data": text::url(&key.seal_cbc(b"{\"name\":\"one\"}")),
            });
            ("create_folder", payload)
        }
        Step::Rename { folder } => {
            let data = text::url(&Key::random().seal_cbc(b"{\"name\":\"two\"}"));
            ("update_folder", json!({ "folderUid": choose(&below, *folder)?, "data": data }))
        }
        Step::DeleteFolder { folder, force } => {
            ("delete_folder", json!({ "folderUids": [choose(&below, *folder)?], "forceDeletion": force }))
        }
        Step::BringBack { gone } => {
            let at = usize::from(*gone) % world.vault.trash.len().max(1);
            if at < world.vault.trash.len() {
                let gone = world.vault.trash.remove(at);
                world.vault.bring_back(gone);
            }
            return None;
        }
        Step::Bind { token } => {
            let token = choose(&guide.tokens, *token)?;
            let mut new = Client::unbound(token);
            let offer = json!({ "publicKey": text::url(new.private_key.public().as_bytes()) });
            let _ = ask(world, &mut new, "get_secret", &offer);
            return None;
        }
        Step::Fault { name } => {
            assert!(world.fault(crate::faults::NAMES[*name]));
            return None;
        }
    };
    Some(ask(world, client, operation, &payload))
}

/// Everything that is stored, without what a look alone changes: a device's last visit.
fn stored(vault: &Vault) -> Value {
    let mut all = serde_json::to_value(vault).unwrap();
    all["applications"] = Value::Null;
    all
}

/// Nothing refers to what is not there, and nothing is newer than the newest revision.
fn whole(vault: &Vault) {
    let version = |uid: &Uid| vault.records.get(uid).map(|record| record.version);
    for (record, file) in vault.links.keys() {
        assert_eq!((version(record), version(file)), (Some(3), Some(4)), "a link joins a record and a file");
    }
    for (folder, record) in vault.places.keys() {
        assert!(matches!(version(record), Some(3 | 5)), "a place is one of a record or an application");
        assert!(folder.is_none_or(|folder| vault.folders.contains_key(&folder)), "a place is in a folder");
    }
    for (root, record) in vault.folder_keys.keys() {
        let here = vault.places.keys().any(|(place, known)| {
            known == record && place.is_some_and(|place| vault.shared_root(place) == Some(*root))
        });
        assert!(here, "a key in a shared folder is one of a record that is there");
    }
    for folder in vault.folders.values() {
        if let FolderKind::Inside(root) = folder.kind {
            assert_eq!(vault.folders.get(&root).map(|root| root.kind), Some(FolderKind::Shared));
            assert_eq!(folder.parent.and_then(|parent| vault.shared_root(parent)), Some(root), "a parent is there");
        }
    }
    for uid in vault.records.keys() {
        let homeless = version(uid) == Some(3) && !vault.places.keys().any(|(_, record)| record == uid);
        assert!(!homeless, "a record is in a folder or at the root");
        assert!(vault.trash.iter().all(|gone| !gone.records.contains_key(uid)), "what is here is not in the trash");
    }
    assert!(vault.applications.keys().all(|application| version(application) == Some(5)));
    let newest = vault.records.values().map(|record| record.revision).chain(vault.places.values().copied()).max();
    assert!(newest <= Some(vault.revision), "{newest:?} of {}", vault.revision);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn whatever_devices_do_the_vault_is_whole(steps in prop::collection::vec(step(), 1..24)) {
        let (mut world, guide, mut client) = start();
        for step in &steps {
            let (before, revisions) = (stored(&world.vault), revisions(&world.vault));
            let newest = world.vault.revision;
            let answer = perform(&mut world, &guide, &mut client, step);
            whole(&world.vault);
            prop_assert!(world.vault.revision >= newest);
            for (uid, revision) in revisions {
                let now = world.vault.records.get(&uid).map(|record| record.revision);
                prop_assert!(now.is_none_or(|now| now >= revision), "{step:?}: a revision fell");
            }
            if matches!(answer, Some(Err(Failed::Refused { .. } | Failed::Page { .. }))) {
                prop_assert_eq!(&stored(&world.vault), &before, "{:?}: refused, and done", step);
            }
            let changed = |name: &str| stored(&world.vault)[name] != before[name];
            if changed("records") {
                prop_assert!(world.vault.revision > newest, "{step:?}: changed without a new revision");
            }
        }
        let (records, _) = view(&mut world, &mut client);
        let mut uids: Vec<_> = records.iter().map(|(uid, ..)| *uid).collect();
        uids.dedup();
        prop_assert_eq!(uids.len(), records.len());
        let state = serde_json::to_vec(&world).unwrap();
        let again: World = serde_json::from_slice(&state).unwrap();
        prop_assert_eq!(serde_json::to_vec(&again).unwrap(), state);
    }
}

#[test]
fn what_comes_back_after_its_folder_finds_a_place() {
    let (mut world, guide, mut client) = start();
    let outer = guide.app.subfolder(&mut world, None, "outer");
    let inner = guide.app.subfolder(&mut world, Some(outer), "inner");
    world.vault.places.clear();
    world.vault.places.insert((Some(inner), guide.record), 1);
    world.vault.places.extend(world.vault.applications.keys().map(|application| ((None, *application), 1)));
    client.call(&mut world, "delete_secret", &json!({ "recordUids": [guide.record] })).unwrap();
    for folder in [inner, outer] {
        client.call(&mut world, "delete_folder", &json!({ "folderUids": [folder], "forceDeletion": true })).unwrap();
    }
    for _ in 0..3 {
        let gone = world.vault.trash.remove(0);
        world.vault.bring_back(gone);
        whole(&world.vault);
    }
    assert_eq!(world.vault.folders[&inner].parent, Some(guide.app.folder));
    assert!(world.vault.places.contains_key(&(None, guide.record)));
    let (records, folders) = view(&mut world, &mut client);
    assert_eq!((records.len(), folders.len()), (0, 3));

    let foreign = crate::seed::App::new(&mut world, "foreign");
    let below = foreign.subfolder(&mut world, None, "below");
    for folder in [below, foreign.folder] {
        crate::admin::discard_folder(&mut world.vault, folder, NOW);
    }
    let gone = world.vault.trash.remove(0);
    world.vault.bring_back(gone);
    whole(&world.vault);
    assert!(!world.vault.folders.contains_key(&below), "nobody has its key");
}

fn revisions(vault: &Vault) -> Vec<(Uid, i64)> {
    vault.records.iter().map(|(uid, record)| (*uid, record.revision)).collect()
}
