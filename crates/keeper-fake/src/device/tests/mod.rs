//! Tests through the whole envelope, as a device sees it, without a network.

mod access;
mod faults;
mod panics;
mod reading;
mod sequences;
mod writing;

use crate::machine::{Outcome, Reply, Request};
use crate::seed::{Device, Guide};
use crate::world::World;
use keeper_wire::crypto::{Key, fill_random};
use keeper_wire::ec::{PrivateKey, PublicKey};
use keeper_wire::envelope::signed_text;
use keeper_wire::{OneTimeToken, Transmission, Uid, text};
use serde_json::{Map, Value, json};
use std::net::IpAddr;

const NOW: i64 = 1_767_225_600_000;
const HERE: [u8; 4] = [127, 0, 0, 1];
const BASE: &str = "https://127.0.0.1:8443";

/// A device and the fake in one process.
struct Client {
    client_id: String,
    private_key: PrivateKey,
    app_key: Option<Key>,
    owner: Option<PublicKey>,
    key_id: i32,
    peer: IpAddr,
    now: i64,
    version: &'static str,
}

/// What came back instead of an answer.
#[derive(Debug, PartialEq)]
enum Failed {
    Refused { status: u16, error: String, message: String, body: Value },
    Page { status: u16 },
    Cut,
}

impl Failed {
    fn code(&self) -> (u16, &str) {
        match self {
            Self::Refused { status, error, .. } => (*status, error),
            Self::Page { status } => (*status, ""),
            Self::Cut => (0, ""),
        }
    }

    fn says(&self, words: &str) -> bool {
        matches!(self, Self::Refused { message, .. } if message.contains(words))
    }
}

fn start() -> (World, Guide, Client) {
    let (world, guide) = World::guide();
    let client = Client::of(&guide.device);
    (world, guide, client)
}

impl Client {
    fn of(device: &Device) -> Self {
        let config = device.config("");
        let bytes = |name: &str| text::decode(config[name].as_str().unwrap()).unwrap();
        Self {
            client_id: config["clientId"].as_str().unwrap().to_owned(),
            private_key: PrivateKey::from_pkcs8(&bytes("privateKey")).unwrap(),
            app_key: Some(Key::from_slice(&bytes("appKey")).unwrap()),
            owner: Some(PublicKey::from_slice(&bytes("appOwnerPublicKey")).unwrap()),
            key_id: 10,
            peer: HERE.into(),
            now: NOW,
            version: "mr17.3.0",
        }
    }

    fn unbound(token: &OneTimeToken) -> Self {
        Self {
            client_id: token.client_id().to_string(),
            private_key: PrivateKey::generate(),
            app_key: None,
            owner: None,
            key_id: 10,
            peer: HERE.into(),
            now: NOW,
            version: "mr17.3.0",
        }
    }

    fn request(&self, world: &World, operation: &str, payload: &Value) -> (Transmission, Request) {
        let mut whole = json!({ "clientVersion": self.version, "clientId": self.client_id });
        whole.as_object_mut().unwrap().extend(payload.as_object().cloned().unwrap_or_default());
        let key = Transmission::new();
        let known = if world.keys.contains_key(&self.key_id) { self.key_id } else { 10 };
        let wrapped = key.wrap(&world.server_keys().get(known).unwrap());
        let body = key.seal(whole.to_string().as_bytes());
        let signature = self.private_key.sign(&signed_text(&wrapped, &body));
        let headers = [
            ("publickeyid", self.key_id.to_string()),
            ("transmissionkey", text::standard(&wrapped)),
            ("authorization", format!("Signature {}", text::standard(&signature))),
        ];
        let request = Request {
            method: "POST".to_owned(),
            path: format!("/api/rest/sm/v1/{operation}"),
            query: String::new(),
            headers: headers.map(|(name, value)| (name.to_owned(), value)).into(),
            body: body.into(),
            peer: self.peer,
            base: BASE.to_owned(),
        };
        (key, request)
    }

    fn call(&self, world: &mut World, operation: &str, payload: &Value) -> Result<Value, Failed> {
        let (key, request) = self.request(world, operation, payload);
        let reply = match world.handle(self.now, &request) {
            Outcome::Send(reply) | Outcome::Delay(_, reply) => reply,
            Outcome::Cut => return Err(Failed::Cut),
            Outcome::Contact(_) => panic!("a device has no Automator called"),
        };
        match reply.status {
            200 if reply.body.is_empty() => Ok(Value::Null),
            200 => Ok(serde_json::from_slice(&key.open(&reply.body).unwrap()).unwrap()),
            status => Err(refused(status, &reply)),
        }
    }

    fn app_key(&self) -> &Key {
        self.app_key.as_ref().unwrap()
    }

    /// Records of `get_secret` with their folder keys undone: UID -> record key, envelope.
    fn records(&self, world: &mut World, payload: &Value) -> Vec<(Uid, Key, Value)> {
        let answer = self.call(world, "get_secret", payload).unwrap();
        let mut found = Vec::new();
        for folder in answer["folders"].as_array().unwrap() {
            let key = opened(self.app_key(), &folder["folderKey"]);
            for record in folder["records"].as_array().unwrap() {
                found.push((uid(&record["recordUid"]), opened(&key, &record["recordKey"]), record.clone()));
            }
        }
        for record in answer["records"].as_array().unwrap() {
            let folder =
                answer["folders"].as_array().unwrap().iter().find(|f| f["folderUid"] == record["innerFolderUid"]);
            let key =
                folder.map_or_else(|| self.app_key().clone(), |folder| opened(self.app_key(), &folder["folderKey"]));
            found.push((uid(&record["recordUid"]), opened(&key, &record["recordKey"]), record.clone()));
        }
        found
    }

    fn only_record(&self, world: &mut World) -> (Uid, Key, Value) {
        let mut all = self.records(world, &json!({}));
        assert_eq!(all.len(), 1);
        all.remove(0)
    }
}

fn refused(status: u16, reply: &Reply) -> Failed {
    match serde_json::from_slice::<Value>(&reply.body) {
        Ok(body) => Failed::Refused {
            status,
            error: body["error"].as_str().unwrap().to_owned(),
            message: body["message"].as_str().unwrap_or_default().to_owned(),
            body,
        },
        Err(_) => Failed::Page { status },
    }
}

fn decoded(value: &Value) -> Vec<u8> {
    text::decode(value.as_str().unwrap()).unwrap().to_vec()
}

fn opened(key: &Key, value: &Value) -> Key {
    Key::from_slice(&key.open(&decoded(value)).unwrap()).unwrap()
}

fn uid(value: &Value) -> Uid {
    value.as_str().unwrap().parse().unwrap()
}

fn content(key: &Key, record: &Value) -> Value {
    serde_json::from_slice(&key.open(&decoded(&record["data"])).unwrap()).unwrap()
}

/// Names of the files, sorted, with what `url` says.
fn files(key: &Key, record: &Value) -> Map<String, Value> {
    let one = |file: &Value| {
        let file_key = opened(key, &file["fileKey"]);
        (content(&file_key, file)["name"].as_str().unwrap().to_owned(), file["url"].clone())
    };
    record["files"].as_array().unwrap().iter().map(one).collect()
}

fn random(len: usize) -> String {
    let mut bytes = vec![0; len];
    fill_random(&mut bytes);
    text::url(&bytes)
}

/// A download, by the address that a device was told.
fn fetched(world: &mut World, url: &str) -> Reply {
    let (path, query) = url.strip_prefix(BASE).unwrap().split_once('?').unwrap();
    let request = Request {
        method: "GET".to_owned(),
        path: path.to_owned(),
        query: query.to_owned(),
        headers: Vec::new(),
        body: Vec::new().into(),
        peer: HERE.into(),
        base: BASE.to_owned(),
    };
    match world.handle(NOW, &request) {
        Outcome::Send(reply) => reply,
        other => panic!("{other:?}"),
    }
}

/// The form post of an announced file.
fn posted(world: &mut World, answer: &Value, content: &[u8]) -> Outcome {
    let mut form = Vec::new();
    let parameters: Map<String, Value> = serde_json::from_str(answer["parameters"].as_str().unwrap()).unwrap();
    for (name, value) in &parameters {
        let value = value.as_str().unwrap();
        form.extend(format!("--B\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n").into_bytes());
    }
    form.extend(b"--B\r\nContent-Disposition: form-data; name=\"file\"; filename=\"f\"\r\n\r\n");
    form.extend(content);
    form.extend(b"\r\n--B--\r\n");
    let request = Request {
        method: "POST".to_owned(),
        path: answer["url"].as_str().unwrap().strip_prefix(BASE).unwrap().to_owned(),
        query: String::new(),
        headers: vec![("content-type".to_owned(), "multipart/form-data; boundary=B".to_owned())],
        body: form.into(),
        peer: HERE.into(),
        base: BASE.to_owned(),
    };
    world.handle(NOW, &request)
}
