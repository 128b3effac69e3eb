//! Who may come in.

use super::*;
use crate::seed::Terms;

#[test]
fn a_token_binds_one_device_once() {
    let (mut world, guide, _) = start();
    let token = &guide.tokens[0];
    let mut client = Client::unbound(token);
    assert!(client.call(&mut world, "get_secret", &json!({})).unwrap_err().says("never bound"));

    let offer = json!({ "publicKey": text::standard(client.private_key.public().as_bytes()) });
    let answer = client.call(&mut world, "get_secret", &offer).unwrap();
    let app_key = opened(&Key::from_slice(token.expose()).unwrap(), &answer["encryptedAppKey"]);
    assert_eq!(app_key, guide.app.key);
    assert_eq!(decoded(&answer["appOwnerPublicKey"]), world.admin.account.public_key().as_bytes());
    // The answer was lost: the same device asks again.
    assert!(client.call(&mut world, "get_secret", &offer).unwrap()["encryptedAppKey"].is_string());

    // Another device with the same token.
    let other = Client::unbound(token);
    let offer_of_other = json!({ "publicKey": text::standard(other.private_key.public().as_bytes()) });
    assert!(other.call(&mut world, "get_secret", &offer_of_other).unwrap_err().says("used already"));

    client.app_key = Some(app_key);
    assert_eq!(client.only_record(&mut world).0, guide.record);
    assert!(client.call(&mut world, "get_secret", &offer).unwrap_err().says("used already"));
}

#[test]
fn a_late_token_is_refused() {
    let (mut world, guide, _) = start();
    let terms = Terms { first_access_until: NOW, ..Terms::default() };
    let token = guide.app.token(&mut world, "late", &terms);
    let mut client = Client::unbound(&token);
    let offer = json!({ "publicKey": text::standard(client.private_key.public().as_bytes()) });
    assert!(client.call(&mut world, "get_secret", &offer).unwrap_err().says("token has expired"));
    client.now = NOW - 1;
    client.call(&mut world, "get_secret", &offer).unwrap();
}

#[test]
fn a_locked_device_stays_at_its_first_address() {
    let (mut world, guide, _) = start();
    let terms = Terms { locked_to: Some(String::new()), ..Terms::default() };
    let mut client = Client::of(&guide.app.device(&mut world, "locked", &terms));
    client.call(&mut world, "get_secret", &json!({})).unwrap();
    client.peer = [127, 0, 0, 2].into();
    assert!(client.call(&mut world, "get_secret", &json!({})).unwrap_err().says("another IP address"));
    client.peer = HERE.into();
    client.call(&mut world, "get_secret", &json!({})).unwrap();
}

#[test]
fn each_refused_device_is_refused_for_its_reason() {
    let (mut world, guide, _) = start();
    let said =
        [("expired", "has expired"), ("ip_locked", "another IP address"), ("revoked", "validate application access")];
    for refused in &guide.refused {
        let client = Client::of(&refused.device);
        if refused.why == "read_only" {
            let (record, key, envelope) = client.only_record(&mut world);
            assert_eq!(envelope["isEditable"], json!(false));
            let change = json!({
                "recordUid": record, "revision": envelope["revision"], "data": text::url(&key.seal(b"{}")),
            });
            assert!(client.call(&mut world, "update_secret", &change).unwrap_err().says("read-only"));
            continue;
        }
        let words = said.iter().find(|(why, _)| *why == refused.why).unwrap().1;
        let failed = client.call(&mut world, "get_secret", &json!({})).unwrap_err();
        assert_eq!(failed.code(), (403, "access_denied"));
        assert!(failed.says(words), "{}: {failed:?}", refused.why);
    }
}

#[test]
fn signature_version_and_server_key_are_looked_at() {
    let (mut world, _, mut client) = start();
    let good = client.private_key.clone();
    client.private_key = PrivateKey::generate();
    assert!(client.call(&mut world, "get_secret", &json!({})).unwrap_err().says("Signature is invalid"));
    client.private_key = good;

    client.version = "xx1.0";
    assert_eq!(client.call(&mut world, "get_secret", &json!({})).unwrap_err().code(), (400, "invalid_client_version"));
    client.version = "mp17.3.0";

    world.devices.active_key = 9;
    let failed = client.call(&mut world, "get_secret", &json!({})).unwrap_err();
    assert_eq!(failed.code(), (401, "key"));
    let Failed::Refused { body, .. } = failed else { panic!() };
    assert_eq!(body["key_id"], json!(9));
    client.key_id = 9;
    client.call(&mut world, "get_secret", &json!({})).unwrap();
}

#[test]
fn a_changed_request_is_refused() {
    let (mut world, _, client) = start();
    let (_, request) = client.request(&world, "get_secret", &json!({}));
    let (_, other) = client.request(&world, "get_secret", &json!({ "requestedRecords": [] }));
    let mixed = Request { body: other.body, ..request.clone() };
    let Outcome::Send(reply) = world.handle(NOW, &mixed) else { panic!() };
    assert_eq!(reply.status, 400);
    let without = Request { headers: request.headers[..2].to_vec(), ..request };
    let Outcome::Send(reply) = world.handle(NOW, &without) else { panic!() };
    assert_eq!(reply.status, 400);
}

#[test]
fn what_is_not_known_is_refused() {
    let (mut world, _, client) = start();
    assert_eq!(client.call(&mut world, "get_everything", &json!({})).unwrap_err().code(), (400, "bad_request"));
    assert_eq!(world.journal.last().unwrap().call, "sm/v1/get_everything");
}
