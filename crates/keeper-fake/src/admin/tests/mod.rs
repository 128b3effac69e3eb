//! Tests through the whole envelope, as a client sees it.

mod automators;
mod logins;
mod panics;
mod transport;
mod trash;
mod vaults;

use super::account::opaque;
use super::{Admin, Answer, Moment, Response, Resumable};
use crate::vault::Vault;
use keeper_wire::ec::PrivateKey;
use keeper_wire::messages::authentication as m;
use keeper_wire::messages::authentication::{LoginResponse, LoginState};
use keeper_wire::{ServerKeys, Transmission, Uid, crypto::Key, text};
use prost::Message;
use serde_json::{Value, json};
use std::collections::BTreeMap;

const BASE: &str = "https://127.0.0.1:8443";
const START: i64 = 1_767_225_600_000;

/// A client and the fake in one process.
struct Client {
    admin: Admin,
    vault: Vault,
    table: ServerKeys,
    key_id: i32,
    session: Vec<u8>,
    device: Resumable,
    now: i64,
    /// How the Automator answers when it is called.
    automator: Result<(), String>,
}

/// A refusal in clear text.
#[derive(Debug, PartialEq)]
struct Refused {
    status: u16,
    error: String,
    body: Value,
}

impl Client {
    /// With a device that may resume, not logged in yet.
    fn new() -> Self {
        let keys: BTreeMap<i32, PrivateKey> = [7, 9, 10].map(|id| (id, PrivateKey::generate())).into();
        let table = ServerKeys::of(keys.iter().map(|(id, key)| (*id, key.public())));
        let mut admin = Admin::new(&keys);
        let device = admin.add_resumable();
        let (key_id, session) = (7, Vec::new());
        Self { admin, vault: Vault::default(), table, key_id, session, device, now: START, automator: Ok(()) }
    }

    fn logged_in() -> Self {
        let mut client = Self::new();
        client.resume();
        client
    }

    fn raw(&mut self, endpoint: &str, body: &[u8]) -> Response {
        let at = Moment { now: self.now, base: BASE };
        match self.admin.answer(&mut self.vault, at, endpoint, body) {
            Answer::Now(response) => response,
            Answer::Contact(pending) => self.admin.contacted(self.now, &pending, self.automator.clone()),
        }
    }

    fn bytes(&mut self, endpoint: &str, payload: Vec<u8>, api_version: i32) -> Result<Vec<u8>, Refused> {
        let key = Transmission::new();
        let inside = m::ApiRequestPayload {
            payload,
            encrypted_session_token: self.session.clone(),
            api_version,
            ..Default::default()
        };
        let request = m::ApiRequest {
            encrypted_transmission_key: key.wrap(&self.table.get(self.key_id).unwrap()),
            public_key_id: self.key_id,
            locale: "en_US".to_owned(),
            encrypted_payload: key.seal(&inside.encode_to_vec()),
            ..Default::default()
        };
        let response = self.raw(endpoint, &request.encode_to_vec());
        if response.status == 200 {
            let body = if response.body.is_empty() { Vec::new() } else { key.open(&response.body).unwrap().to_vec() };
            return Ok(body);
        }
        assert_eq!(response.content_type, "application/json");
        let body: Value = serde_json::from_slice(&response.body).unwrap();
        Err(Refused { status: response.status, error: body["error"].as_str().unwrap().to_owned(), body })
    }

    fn call<A: Message + Default>(&mut self, endpoint: &str, request: &impl Message) -> Result<A, Refused> {
        self.bytes(endpoint, request.encode_to_vec(), 0).map(|body| A::decode(body.as_slice()).unwrap())
    }

    fn void(&mut self, endpoint: &str, request: &impl Message) -> Result<(), Refused> {
        self.bytes(endpoint, request.encode_to_vec(), 0).map(|body| assert!(body.is_empty()))
    }

    fn command(&mut self, mut request: Value) -> Value {
        request["session_token"] = json!(text::url(&self.session));
        let session = std::mem::take(&mut self.session);
        let body = self.bytes("vault/execute_v2_command", request.to_string().into_bytes(), 0).unwrap();
        self.session = session;
        serde_json::from_slice(&body).unwrap()
    }

    fn start(&mut self, change: impl FnOnce(&mut m::StartLoginRequest)) -> Result<LoginResponse, Refused> {
        let mut request = m::StartLoginRequest {
            encrypted_device_token: self.device.device_token.clone(),
            client_version: "c18.1.0".to_owned(),
            ..Default::default()
        };
        change(&mut request);
        self.call("authentication/start_login", &request)
    }

    /// By clone code, which must succeed.
    fn resume(&mut self) -> LoginResponse {
        let code = self.device.clone_code.clone();
        let answer = self.start(|request| request.clone_code = code).unwrap();
        assert_eq!(answer.login_state(), LoginState::LoggedIn);
        self.session.clone_from(&answer.encrypted_session_token);
        self.device.clone_code.clone_from(&answer.clone_code);
        answer
    }

    fn user(&self) -> String {
        self.admin.account.username.clone()
    }

    fn data_key(&self) -> Key {
        self.admin.account.data_key().clone()
    }
}

fn uid_bytes(uid: Uid) -> Vec<u8> {
    uid.as_bytes().to_vec()
}

fn random(len: usize) -> Vec<u8> {
    opaque(len)
}
