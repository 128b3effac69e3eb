//! The program: its facts, its state, and what it says when something is wrong.

use serde_json::{Value, json};
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};

const PROGRAM: &str = env!("CARGO_BIN_EXE_keeper-fake");

/// A program that ends with the test.
struct Running {
    child: Child,
    ready: String,
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn run(folder: &Path, arguments: &[&str]) -> Running {
    let mut child = Command::new(PROGRAM)
        .args(["--tls-listen", "127.0.0.1:0", "--facts", "facts.json"])
        .args(arguments)
        .current_dir(folder)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut ready = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut ready).unwrap();
    Running { child, ready }
}

fn fails(folder: &Path, arguments: &[&str]) -> (Option<i32>, String) {
    let output = Command::new(PROGRAM).args(arguments).current_dir(folder).stdin(Stdio::null()).output().unwrap();
    (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
}

fn facts(folder: &Path) -> Value {
    let path = folder.join("facts.json");
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

#[test]
fn the_facts_have_what_their_readers_need() {
    let folder = tempfile::tempdir().unwrap();
    let running = run(folder.path(), &["--listen", "127.0.0.1:0", "--ca", "ca.pem", "--public-host", "keeper.test"]);
    assert!(running.ready.starts_with("ready http://127.0.0.1:") && running.ready.contains(" https://127.0.0.1:"));
    assert!(fs::read_to_string(folder.path().join("ca.pem")).unwrap().starts_with("-----BEGIN CERTIFICATE"));
    let facts = facts(folder.path());
    assert_eq!(facts["schema"], 1);
    for id in ["7", "9", "10"] {
        assert!(facts["server_keys"][id].is_string(), "{id}");
    }
    assert_eq!(facts["ca"], fs::read_to_string(folder.path().join("ca.pem")).unwrap());
    let port = running.ready.trim().rsplit(':').next().unwrap();
    assert_eq!(facts["device"]["hostname"], format!("keeper.test:{port}"));
    assert!(facts["tokens"].as_array().unwrap().len() >= 3);
    assert_eq!(facts["record"]["files"].as_object().unwrap().len(), 3);
    assert!(facts["notations"].as_array().unwrap().len() >= 5);
    let why: Vec<_> =
        facts["refused_devices"].as_array().unwrap().iter().map(|one| one["why"].as_str().unwrap()).collect();
    assert_eq!(why, ["read_only", "expired", "ip_locked", "revoked"]);
    for name in ["server", "user", "device_token", "private_key", "clone_code", "config_storage"] {
        assert!(facts["commander"]["config"][name].is_string(), "{name}");
    }
    assert!(facts["commander"]["password"].is_string());
    assert!(facts["nodes"]["sso"]["id"].is_i64() && facts["nodes"]["ambiguous"].is_string());
    let faults = facts["faults"].as_object().unwrap();
    for name in
        ["throttle", "rotate", "http500", "html502", "cut_before", "cut_after", "cut_upload", "automator_refused"]
    {
        assert_eq!(faults[name]["body"]["name"], name);
    }
}

#[test]
fn an_empty_account_has_nodes_and_no_device() {
    let folder = tempfile::tempdir().unwrap();
    let _running = run(folder.path(), &["--empty"]);
    let facts = facts(folder.path());
    assert!(facts["commander"]["config"]["clone_code"].is_string() && facts["nodes"]["plain"]["id"].is_i64());
    assert!(["device", "tokens", "record", "refused_devices"].iter().all(|name| facts.get(*name).is_none()));
}

#[test]
fn a_state_is_continued_and_its_facts_made_true_again() {
    let folder = tempfile::tempdir().unwrap();
    let state = ["--state", "state.json"];
    let first = run(folder.path(), &state);
    let before = facts(folder.path());
    drop(first);
    let _second = run(folder.path(), &state);
    let after = facts(folder.path());
    for name in ["server_keys", "tokens", "record", "notations", "nodes"] {
        assert_eq!(after[name], before[name], "{name}");
    }
    assert_eq!(after["device"]["clientId"], before["device"]["clientId"]);
    assert_ne!(after["device"]["hostname"], before["device"]["hostname"], "the port is another one");
    assert_ne!(after["commander"]["config"]["clone_code"], before["commander"]["config"]["clone_code"]);
    for config in [&after["device"], &after["refused_devices"][3]["config"]] {
        assert_eq!(config["hostname"], after["host"]);
    }
    assert_eq!(after["commander"]["config"]["server"], after["host"]);

    // A copy of the state is enough.
    let elsewhere = tempfile::tempdir().unwrap();
    fs::copy(folder.path().join("state.json"), elsewhere.path().join("state.json")).unwrap();
    let _third = run(elsewhere.path(), &state);
    let copied = facts(elsewhere.path());
    assert_eq!((&copied["record"], &copied["tokens"]), (&before["record"], &before["tokens"]));
}

#[test]
fn what_is_wrong_is_said_with_the_way_out() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let (status, told) = fails(here, &["--facts", "facts.json"]);
    assert!(status == Some(2) && told.contains("--listen"), "{told}");
    let listen = ["--listen", "127.0.0.1:0", "--facts", "facts.json", "--state", "state.json"];
    fs::write(here.join("state.json"), "{\"schema\":99}").unwrap();
    let (status, told) = fails(here, &listen);
    assert!(status == Some(1) && told.contains("schema 99") && told.contains("remove it"), "{told}");

    // A state that somebody else made, without facts.
    let made = json!({ "schema": keeper_fake::SCHEMA, "world": keeper_fake::World::new() });
    fs::write(here.join("state.json"), made.to_string()).unwrap();
    let (status, told) = fails(here, &listen);
    assert!(status == Some(1) && told.contains("remove the state"), "{told}");
    for facts in ["[]", "{\"schema\":1}", "{\"schema\":1,\"server_keys\":{}}"] {
        fs::write(here.join("facts.json"), facts).unwrap();
        let (status, told) = fails(here, &listen);
        assert!(status == Some(1) && told.contains("remove both"), "{facts}: {told}");
    }

    let (status, told) = fails(here, &["--listen", "127.0.0.1:0", "--facts", "none/facts.json"]);
    assert!(status == Some(1) && told.contains("none/facts.json"), "{told}");
    let (status, told) = fails(here, &["--listen", "127.0.0.1:0", "--facts", "f", "--automator", "x"]);
    assert!(status == Some(2) && told.contains("HOST=ADDR"), "{told}");
}

#[test]
fn the_responder_answers_for_an_automator() {
    let folder = tempfile::tempdir().unwrap();
    let key = rcgen::KeyPair::generate().unwrap();
    let own = rcgen::CertificateParams::new(["127.0.0.1".to_owned()]).unwrap().self_signed(&key).unwrap();
    fs::write(folder.path().join("own.pem"), own.pem() + &key.serialize_pem()).unwrap();
    let start = |file: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_automator-responder"));
        command.args(["--listen", "127.0.0.1:0", "--certificate", file]).current_dir(folder.path());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    };
    let mut child = start("own.pem");
    let mut ready = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut ready).unwrap();
    let running = Running { child, ready };
    let url = running.ready.trim().strip_prefix("ready ").unwrap().to_owned();
    assert_eq!(get(&url, own.der()), "HTTP/1.1 200 OK|OK");

    fs::write(folder.path().join("half.pem"), own.pem()).unwrap();
    for (file, said) in [("half.pem", "the key of half.pem"), ("none.pem", "read none.pem")] {
        let output = start(file).wait_with_output().unwrap();
        let told = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.code() == Some(1) && told.contains(said), "{told}");
    }
}

/// `GET /health` at a URL whose certificate is known: the first line of the answer, and its body.
fn get(url: &str, trusted: &rustls::pki_types::CertificateDer<'static>) -> String {
    let mut roots = rustls::RootCertStore::empty();
    roots.add(trusted.clone()).unwrap();
    let provider = std::sync::Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let config = config.with_root_certificates(roots).with_no_client_auth();
    let tls = rustls::ClientConnection::new(config.into(), "127.0.0.1".try_into().unwrap()).unwrap();
    let stream = std::net::TcpStream::connect(url.strip_prefix("https://").unwrap()).unwrap();
    let mut stream = rustls::StreamOwned::new(tls, stream);
    stream.write_all(b"GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = Vec::new();
    // It may close without saying good-bye.
    let _ = stream.read_to_end(&mut answer);
    let answer = String::from_utf8(answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    format!("{}|{body}", head.lines().next().unwrap())
}
