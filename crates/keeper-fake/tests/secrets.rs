//! No `Debug`, error, journal or log line shows a secret, those of the HTTP libraries included, at trace level.
//!
//! The fake's users do see secrets where they ask for them: in the facts file, in the state file, and in what `seed` gives.
//!
//! One test in a process of its own, because loggers are global.

mod common;

use common::{ask, call, files};
use keeper_fake::facts::Kept;
use keeper_fake::seed::{Terms, attach};
use keeper_fake::wiremock::Mounted;
use keeper_fake::{Contacts, Fake, Options, Reply, Request, Responder, Scheme, World, facts};
use keeper_wire::{Uid, text};
use serde_json::{Value, json};
use std::fmt::Debug;
use std::io::Write;
use std::sync::{Arc, Mutex};
use wiremock::MockServer;

const MARKER: &str = "marker-of-a-secret";

#[derive(Clone, Default)]
struct Heard(Arc<Mutex<Vec<u8>>>);

impl Write for Heard {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Libraries below speak to `log`.
impl log::Log for Heard {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }
    fn log(&self, record: &log::Record<'_>) {
        let _ = writeln!(self.clone(), "{} {}", record.target(), record.args());
    }
    fn flush(&self) {}
}

/// Texts that must be nowhere.
#[derive(Default)]
struct Forbidden(Vec<String>);

impl Forbidden {
    fn bytes(&mut self, secret: &[u8]) {
        let list = format!("{secret:?}");
        self.0.extend([text::url(secret), text::standard(secret), list[1..list.len() - 1].to_owned()]);
    }

    fn check(&self, what: &str, text: &str) {
        for secret in &self.0 {
            assert!(!text.contains(secret.as_str()), "{what} shows {secret}: {text}");
        }
    }

    fn debug(&self, value: &dyn Debug) {
        self.check("Debug", &format!("{value:?}"));
        // Without the line breaks that the other form has.
        self.check("Debug", &format!("{value:#?}").split_whitespace().collect::<Vec<_>>().join(" "));
    }
}

/// Everything in a state file that is a secret or sealed: each text of some length, but for what names things.
fn texts(value: &Value, known: &dyn Fn(&str) -> bool, found: &mut Vec<String>) {
    match value {
        Value::String(text) if text.len() >= 40 && !known(text) => found.push(text.clone()),
        Value::Array(all) => all.iter().for_each(|value| texts(value, known, found)),
        Value::Object(all) => all.values().for_each(|value| texts(value, known, found)),
        _ => {}
    }
}

async fn traffic(address: std::net::SocketAddr, config: &Value, keys: &keeper_wire::ServerKeys, record: Uid) {
    let who = (config, keys, 10);
    let answer = call(address, who, "get_secret", &json!({})).await.unwrap();
    for file in files(&answer) {
        let path = file["url"].as_str().unwrap().split_once(&address.to_string()).unwrap().1;
        assert_eq!(ask(address, &format!("GET {path}"), "", &[]).await.unwrap().0, 200);
        assert_eq!(ask(address, &format!("GET {path}{MARKER}"), "", &[]).await.unwrap().0, 403);
    }
    let wrong = json!({ "recordUid": record, "data": text::url(MARKER.repeat(2).as_bytes()), "revision": 0 });
    assert_eq!(call(address, who, "update_secret", &wrong).await, Err(Some(403)));
    assert_eq!(call(address, who, "update_secret", &json!({ "recordUid": MARKER })).await, Err(Some(400)));
    let secret = format!("X-Secret: {MARKER}\r\nAuthorization: {MARKER}\r\nPublicKeyId: {MARKER}\r\n");
    for path in ["api/rest/sm/v1/get_secret", "api/rest/login", "store/AAECAwQFBgcICQoLDA0ODw", "keeper-fake/faults"] {
        let (status, body) = ask(address, &format!("POST /{path}"), &secret, MARKER.as_bytes()).await.unwrap();
        assert!((400..500).contains(&status), "{path}: {status}");
        assert!(!String::from_utf8_lossy(&body).contains(MARKER), "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_shows_a_secret() {
    let heard = Heard::default();
    let writer = heard.clone();
    let subscriber =
        tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_writer(move || writer.clone()).finish();
    tracing::subscriber::set_global_default(subscriber).unwrap();
    log::set_boxed_logger(Box::new(heard.clone())).unwrap();
    log::set_max_level(log::LevelFilter::Trace);

    let (mut world, guide) = World::guide();
    attach(&mut world, guide.record, &guide.record_key, "marked.txt", MARKER.as_bytes());
    let late = guide.app.token(&mut world, "late", &Terms::default());
    let mut forbidden = Forbidden(vec![MARKER.to_owned(), world.admin.account.expose_password().to_owned()]);
    for key in [&guide.app.key, &guide.app.folder_key, &guide.record_key, world.admin.account.data_key()] {
        forbidden.bytes(key.expose());
    }
    let resumable = &guide.resumable;
    for secret in [&resumable.device_token, &resumable.clone_code] {
        forbidden.bytes(secret);
    }
    for token in guide.tokens.iter().chain([&late]) {
        forbidden.bytes(token.expose());
    }
    guide.files.iter().for_each(|file| forbidden.bytes(&file.content));
    let config = guide.device.config("");
    for device in guide.refused.iter().map(|refused| &refused.device).chain([&guide.device]) {
        for name in ["privateKey", "appKey"] {
            forbidden.bytes(&text::decode(device.config("")[name].as_str().unwrap()).unwrap());
        }
    }
    let devices = world.vault.applications.values().flat_map(|application| &application.devices);
    let names: Vec<_> = devices.map(|device| device.client_id.to_string()).collect();
    let state = serde_json::to_value(&world).unwrap();
    let before = forbidden.0.len();
    texts(&state, &|text| names.iter().any(|name| name == text), &mut forbidden.0);
    assert!(forbidden.0.len() > before + 40, "sealed bytes, tickets, keys");

    world.facts = Some(Kept(facts::facts(&world, &guide, "127.0.0.1:1")));

    // What is printed.
    let public: [&dyn Debug; 9] = [
        &world,
        &guide,
        &guide.device.clone(),
        &guide.resumable,
        &world.contacts.clone(),
        &Options::loopback(Scheme::Http),
        &world.faults,
        &guide.tokens,
        &guide.nodes,
    ];
    public.iter().for_each(|value| forbidden.debug(value));
    forbidden.debug(&world.vault);
    forbidden.debug(&world.admin);
    let request = Request {
        method: "POST".to_owned(),
        path: "/api/rest/sm/v1/get_secret".to_owned(),
        query: format!("ticket={MARKER}"),
        headers: vec![("authorization".to_owned(), MARKER.to_owned())],
        body: MARKER.as_bytes().into(),
        peer: [127, 0, 0, 1].into(),
        base: String::new(),
    };
    forbidden.debug(&request);
    forbidden.debug(&world.handle(0, &request));
    let reply = Reply { status: 200, content_type: "text/plain", body: MARKER.as_bytes().into() };
    forbidden.debug(&reply);

    // What goes over the wire is told nowhere, by neither server.
    let (record, keys) = (guide.record, world.server_keys());
    let copy: World = serde_json::from_value(state).unwrap();
    let fake = Fake::start(world, Scheme::Http).await.unwrap();
    let server = MockServer::start().await;
    let mounted = Mounted::on(&server, copy).await;
    traffic(fake.address(), &config, &keys, record).await;
    traffic(*server.address(), &config, &keys, record).await;
    forbidden.debug(&fake);
    forbidden.debug(&mounted);
    forbidden.debug(&fake.world().journal);
    let mut contacts = Contacts::default();
    let responder = Responder::at("automator.example.com", &mut contacts).await.unwrap();
    forbidden.debug(&responder);

    // What is said about files that are damaged.
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.json");
    for text in [
        MARKER.to_owned(),
        json!({ "schema": 1, "world": { "admin": MARKER } }).to_string(),
        json!({ "schema": MARKER }).to_string(),
    ] {
        std::fs::write(&path, text).unwrap();
        let error = World::load(&path).unwrap_err();
        forbidden.check("an error", &format!("{error} {error:?}"));
    }
    for damaged in [json!({ "schema": MARKER }), json!({ "schema": 1, "server_keys": MARKER })] {
        let error = facts::renewed(damaged, &mut fake.world()).unwrap_err();
        forbidden.check("an error", &format!("{error} {error:?}"));
    }

    let text = String::from_utf8_lossy(&heard.0.lock().unwrap()).into_owned();
    assert!(!text.is_empty(), "wiremock logs");
    forbidden.check("a log line", &text);
}
