//! Whatever comes, the machine answers.

use super::*;
use proptest::prelude::*;

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        "[A-Za-z0-9_=+/-]{0,24}".prop_map(Value::from),
        Just(json!(random(60))),
        Just(json!(random(125))),
        Just(json!(random(64))),
        Just(json!(Uid::random())),
    ];
    leaf.prop_recursive(2, 12, 4, |inner| prop::collection::vec(inner, 0..4).prop_map(Value::from))
}

const OPERATIONS: [&str; 12] = [
    "get_secret",
    "get_folders",
    "create_secret",
    "update_secret",
    "delete_secret",
    "add_file",
    "create_folder",
    "update_folder",
    "delete_folder",
    "finalize_secret_update",
    "rollback_secret_update",
    "nothing",
];
const MEMBERS: [&str; 24] = [
    "requestedRecords",
    "requestedFolders",
    "publicKey",
    "recordUid",
    "recordKey",
    "folderUid",
    "folderKey",
    "data",
    "subFolderUid",
    "revision",
    "links2Remove",
    "transactionType",
    "recordUids",
    "fileRecordUid",
    "fileRecordKey",
    "fileRecordData",
    "ownerRecordUid",
    "ownerRecordData",
    "ownerRecordRevision",
    "linkKey",
    "fileSize",
    "folderUids",
    "sharedFolderUid",
    "sharedFolderKey",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, ..ProptestConfig::default() })]

    #[test]
    fn no_payload_makes_it_panic(
        calls in prop::collection::vec((prop::sample::select(&OPERATIONS), prop::collection::btree_map(prop::sample::select(&MEMBERS), value(), 0..10)), 1..6),
        known in any::<bool>(),
    ) {
        let (mut world, guide, client) = start();
        for (operation, members) in calls {
            let mut payload: Map<String, Value> = members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
            payload.remove("publicKey");
            if known {
                payload.insert("recordUid".to_owned(), json!(guide.record));
                payload.insert("ownerRecordUid".to_owned(), json!(guide.record));
                payload.insert("folderUid".to_owned(), json!(guide.app.folder));
                payload.insert("sharedFolderUid".to_owned(), json!(guide.app.folder));
            }
            let _ = client.call(&mut world, operation, &Value::Object(payload));
        }
        let state = serde_json::to_vec(&world).unwrap();
        let again: World = serde_json::from_slice(&state).unwrap();
        prop_assert_eq!(serde_json::to_vec(&again).unwrap(), state);
    }

    #[test]
    fn no_request_makes_it_panic(
        method in "GET|POST|PUT|.{0,8}",
        path in "/api/rest/sm/v1/(get_secret|.{0,9})|/api/rest/.{0,20}|/store/.{0,30}|/keeper-fake/.{0,9}|.{0,30}",
        query in ".{0,40}",
        headers in prop::collection::vec(("publickeyid|transmissionkey|authorization|content-type|host", "10|Signature [A-Za-z0-9+/=]{0,20}|multipart/form-data; boundary=.{0,4}|.{0,40}"), 0..5),
        body in prop::collection::vec(any::<u8>(), 0..300),
    ) {
        let mut world = World::new();
        let request = Request { method, path, query, headers, body: body.into(), peer: HERE.into(), base: BASE.to_owned() };
        let before = world.journal.len();
        let _ = world.handle(NOW, &request);
        prop_assert!(world.journal.len() <= before + 1);
    }
}
