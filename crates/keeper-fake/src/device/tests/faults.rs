//! Mishaps, and that what they promise about the effect is true.

use super::*;
use crate::faults::{Fault, On};
use std::time::Duration;

/// Other data for the record, at its newest revision. The service cannot know that nobody can read it.
fn change(world: &World, record: Uid) -> Value {
    json!({ "recordUid": record, "revision": world.vault.records[&record].revision, "data": random(40) })
}

#[test]
fn a_cut_is_before_or_after_the_effect() {
    let (mut world, guide, client) = start();
    for (name, done) in [("cut_before", false), ("cut_after", true), ("http500", false), ("html502", false)] {
        let payload = change(&world, guide.record);
        let before = world.vault.records[&guide.record].data.clone();
        assert!(world.fault(name));
        assert!(client.call(&mut world, "update_secret", &payload).is_err(), "{name}");
        assert_eq!(world.vault.records[&guide.record].data != before, done, "{name}");
        client.call(&mut world, "get_secret", &json!({})).unwrap();
    }
}

#[test]
fn each_named_fault_meets_one_request() {
    let (mut world, guide, client) = start();
    let read = |world: &mut World| client.call(world, "get_secret", &json!({}));
    assert!(world.fault("throttle"));
    let Err(Failed::Refused { status: 403, error, body, .. }) = read(&mut world) else { panic!() };
    assert_eq!((error.as_str(), &body["retry_after"]), ("throttled", &json!(1)));

    assert!(world.fault("html502"));
    assert_eq!(read(&mut world), Err(Failed::Page { status: 502 }));

    assert!(world.fault("missing_url"));
    let (_, key, envelope) = client.only_record(&mut world);
    assert!(files(&key, &envelope).values().all(Value::is_null));
    let (_, key, envelope) = client.only_record(&mut world);
    assert!(files(&key, &envelope).values().all(Value::is_string));

    assert!(world.fault("stale_revision"));
    let payload = change(&world, guide.record);
    assert!(client.call(&mut world, "update_secret", &payload).unwrap_err().says("out of sync"));
    client.call(&mut world, "update_secret", &payload).unwrap();

    assert!(world.fault("rotate"));
    assert_eq!(read(&mut world).unwrap_err().code(), (401, "key"));
    assert!(!world.fault("no such fault"));
    assert_eq!(world.faults.waiting(), 0);
}

#[test]
fn a_cut_upload_leaves_the_file_without_content() {
    let (mut world, guide, client) = start();
    let (_, key, envelope) = client.only_record(&mut world);
    let file_key = Key::random();
    let payload = json!({
        "fileRecordUid": Uid::random(), "fileRecordKey": text::url(&client.owner.unwrap().seal(file_key.expose())),
        "fileRecordData": text::url(&file_key.seal(b"{\"name\":\"cut\"}")), "ownerRecordUid": guide.record,
        "ownerRecordData": text::url(&key.seal(b"{}")), "ownerRecordRevision": envelope["revision"],
        "linkKey": text::url(&key.seal(file_key.expose())), "fileSize": 29,
    });
    let answer = client.call(&mut world, "add_file", &payload).unwrap();
    assert!(world.fault("cut_upload"));
    let content = file_key.seal(b"x");
    assert!(matches!(posted(&mut world, &answer, &content), Outcome::Cut));
    let (_, _, envelope) = client.only_record(&mut world);
    assert_eq!(files(&key, &envelope)["cut"], Value::Null);
    assert!(matches!(posted(&mut world, &answer, &content), Outcome::Send(reply) if reply.status == 201));
}

#[test]
fn the_nth_request_is_met_whatever_it_is() {
    let (mut world, _, client) = start();
    world.faults.nth(2, On::Any, Fault::CutAfter);
    world.faults.nth(3, On::Any, Fault::Slow(Duration::from_secs(7)));
    client.call(&mut world, "get_secret", &json!({})).unwrap();
    client.call(&mut world, "get_folders", &json!({})).unwrap();
    assert_eq!(client.call(&mut world, "get_folders", &json!({})), Err(Failed::Cut));
    let (_, request) = client.request(&world, "get_secret", &json!({}));
    assert!(
        matches!(world.handle(NOW, &request), Outcome::Delay(delay, reply) if delay.as_secs() == 7 && reply.status == 200)
    );
    client.call(&mut world, "get_secret", &json!({})).unwrap();
}

#[test]
fn a_fault_is_switched_on_over_http() {
    let (mut world, _, client) = start();
    let mut ask = |body: &str| {
        let request = Request {
            method: "POST".to_owned(),
            path: "/keeper-fake/faults".to_owned(),
            query: String::new(),
            headers: Vec::new(),
            body: body.as_bytes().to_vec().into(),
            peer: HERE.into(),
            base: BASE.to_owned(),
        };
        match world.handle(NOW, &request) {
            Outcome::Send(reply) => reply.status,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!((ask("{\"name\":\"http500\"}"), ask("{\"name\":\"x\"}"), ask("")), (200, 400, 400));
    assert_eq!(client.call(&mut world, "get_secret", &json!({})).unwrap_err().code(), (500, "generic"));
    let calls: Vec<_> = world.journal.iter().map(|entry| (entry.at, entry.call.as_str(), entry.status)).collect();
    assert_eq!(calls, [(NOW, "sm/v1/get_secret", 500)]);
}
