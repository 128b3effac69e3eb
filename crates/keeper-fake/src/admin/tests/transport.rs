//! Envelope, server keys, sessions, scripted refusals.

use super::super::{Calls, ML_KEM_ID, Scripted};
use super::Client;
use keeper_wire::hybrid::HybridPublicKey;
use keeper_wire::messages::account_summary::{AccountSummaryElements, AccountSummaryRequest};
use keeper_wire::messages::authentication as m;
use keeper_wire::{Transmission, text};
use prost::Message;

const SUMMARY: &str = "login/account_summary";

#[test]
fn another_server_key_is_asked_for_by_its_id() {
    let mut client = Client::logged_in();
    client.admin.rotate(9);
    let refused = client.call::<AccountSummaryElements>(SUMMARY, &AccountSummaryRequest::default()).unwrap_err();
    assert_eq!((refused.status, refused.error.as_str(), refused.body["key_id"].as_i64()), (401, "key", Some(9)));
    client.key_id = 9;
    client.call::<AccountSummaryElements>(SUMMARY, &AccountSummaryRequest::default()).unwrap();
}

fn hybrid(client: &mut Client, ec_id: i32) -> (Transmission, super::Response) {
    let server = HybridPublicKey { ec: client.table.get(ec_id).unwrap(), ml_kem: client.admin.ml_kem_public_key() };
    let key = Transmission::new();
    let wrapped = server.wrap(&key).unwrap();
    let inside = m::ApiRequestPayload { encrypted_session_token: client.session.clone(), ..Default::default() };
    let request = m::ApiRequest {
        public_key_id: ML_KEM_ID,
        encrypted_payload: key.seal(&inside.encode_to_vec()),
        qrc_message_key: Some(m::QrcMessageKey {
            client_ec_public_key: wrapped.client_ec_public_key.as_bytes().to_vec(),
            ml_kem_encapsulated_key: wrapped.encapsulated,
            data: wrapped.data,
            msg_version: 1,
            ec_key_id: ec_id,
        }),
        ..Default::default()
    };
    (key, client.raw(SUMMARY, &request.encode_to_vec()))
}

#[test]
fn the_hybrid_envelope_is_opened_and_its_p256_half_rotates() {
    let mut client = Client::logged_in();
    let (key, response) = hybrid(&mut client, 7);
    assert_eq!(response.status, 200);
    let summary = AccountSummaryElements::decode(key.open(&response.body).unwrap().as_slice()).unwrap();
    assert!(summary.is_enterprise_admin);

    client.admin.rotate(9);
    let (_, response) = hybrid(&mut client, 7);
    let body: serde_json::Value = serde_json::from_slice(&response.body).unwrap();
    assert_eq!((response.status, body["qrc_ec_key_id"].as_i64()), (401, Some(9)));
    assert_eq!(hybrid(&mut client, 9).1.status, 200);
}

/// A fake that is stopped and started again knows everything, the session included.
#[test]
fn it_comes_back_from_a_state_file() {
    let mut client = Client::logged_in();
    client.admin.add_nodes();
    client.start(|_| {}).unwrap();
    client.admin.account.rules.state = Some(m::LoginState::Upgrade);
    let before = serde_json::to_value(&client.admin).unwrap();
    client.admin = serde_json::from_value(before.clone()).unwrap();
    assert_eq!(serde_json::to_value(&client.admin).unwrap(), before);
    client.call::<AccountSummaryElements>(SUMMARY, &AccountSummaryRequest::default()).unwrap();
    assert_eq!(hybrid(&mut client, 7).1.status, 200);
}

#[test]
fn a_session_is_needed_and_ends() {
    let mut client = Client::new();
    let refused = client.call::<AccountSummaryElements>(SUMMARY, &AccountSummaryRequest::default()).unwrap_err();
    assert_eq!((refused.status, refused.error.as_str()), (401, "session_token_expired"));
    client.resume();
    client.call::<AccountSummaryElements>(SUMMARY, &AccountSummaryRequest::default()).unwrap();
    client.bytes("vault/logout_v3", Vec::new(), 0).unwrap();
    let refused = client.call::<AccountSummaryElements>(SUMMARY, &AccountSummaryRequest::default()).unwrap_err();
    assert_eq!(refused.error, "session_token_expired");
    client.resume();
    client.admin.account.end_sessions();
    let refused = client.bytes("vault/sync_down", Vec::new(), 0).unwrap_err();
    assert_eq!(refused.error, "session_token_expired");
}

#[test]
fn the_session_of_a_command_is_in_its_json() {
    let mut client = Client::logged_in();
    assert_eq!(client.command(serde_json::json!({ "command": "get_deleted_records" }))["result"], "success");
    let body = serde_json::json!({ "command": "get_deleted_records", "session_token": text::url(b"other") });
    let refused = client.bytes("vault/execute_v2_command", body.to_string().into_bytes(), 0).unwrap_err();
    assert_eq!(refused.error, "session_token_expired");
}

#[test]
fn throttled_as_often_as_a_script_says() {
    let mut client = Client::logged_in();
    let throttled = Scripted::Error {
        status: 403,
        error: "throttled".to_owned(),
        message: "Too many requests, try again in 1 second".to_owned(),
    };
    client.admin.script(Calls::Any, 2, throttled);
    for _ in 0..2 {
        let refused = client.call::<AccountSummaryElements>(SUMMARY, &AccountSummaryRequest::default()).unwrap_err();
        assert_eq!((refused.status, refused.error.as_str()), (403, "throttled"));
    }
    client.call::<AccountSummaryElements>(SUMMARY, &AccountSummaryRequest::default()).unwrap();
}

#[test]
fn a_command_is_refused_in_its_own_shape() {
    let mut client = Client::logged_in();
    client.admin.script(Calls::Named("move".to_owned()), 1, Scripted::Failed { message: "no".to_owned() });
    let answer = client.command(serde_json::json!({ "command": "move" }));
    assert_eq!((answer["result"].as_str(), answer["message"].as_str()), (Some("fail"), Some("no")));
    let throttled = Scripted::Code { code: "throttled".to_owned(), message: "later".to_owned() };
    client.admin.script(Calls::Named("move".to_owned()), 1, throttled);
    assert_eq!(client.command(serde_json::json!({ "command": "move" }))["result_code"], "throttled");
}

#[test]
fn what_nobody_knows_gets_an_empty_success_and_is_told_apart() {
    let mut client = Client::logged_in();
    assert!(client.bytes("vault/no_such_endpoint", Vec::new(), 0).unwrap().is_empty());
    let key = Transmission::new();
    let inside = m::ApiRequestPayload { encrypted_session_token: client.session.clone(), ..Default::default() };
    let request = m::ApiRequest {
        encrypted_transmission_key: key.wrap(&client.table.get(7).unwrap()),
        public_key_id: 7,
        encrypted_payload: key.seal(&inside.encode_to_vec()),
        ..Default::default()
    };
    let response = client.raw("vault/no_such_endpoint", &request.encode_to_vec());
    assert_eq!((response.known, response.call.as_str()), (false, "vault/no_such_endpoint"));
    assert!(client.raw(SUMMARY, &request.encode_to_vec()).known);
}
