//! The vendor's Python SDK 17.3.0, unchanged, and this crate on one service: each reads what the other wrote.
//!
//! A witness that is not there is skipped and says so; with `REQUIRE_WITNESSES=all` it fails instead.

#![expect(clippy::print_stderr, reason = "a missing witness is said, not passed over")]

mod common;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use keeper_fake::seed::Guide;
use keeper_fake::{Fake, Scheme, World};
use keeper_wire::{Uid, crypto, server_keys, text};
use ksm_client::{Client, Config, Content, NewFile, Notation, Place};
use serde_json::{Value, json};

struct Bench {
    python: PathBuf,
    folder: tempfile::TempDir,
    fake: Fake,
    guide: Guide,
}

impl Bench {
    async fn start() -> Option<Self> {
        let python = python()?;
        let (world, guide) = World::guide();
        let fake = Fake::start(world, Scheme::Https).await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("ca.pem"), fake.ca_pem().unwrap()).unwrap();
        Some(Self { python, folder, fake, guide })
    }

    fn host(&self) -> String {
        self.fake.address().to_string()
    }

    fn options(&self) -> ksm_client::Options {
        let keys = self.fake.world().server_keys();
        common::quick().authority(self.fake.ca_pem().unwrap()).only_private_authorities().server_keys(keys)
    }

    fn document(&self) -> Value {
        self.guide.device.config(&self.host())
    }

    fn client(&self) -> Client {
        Client::new(Config::parse(&self.document().to_string()).unwrap(), self.options()).unwrap()
    }

    /// The SDK with the guide's device.
    fn sdk(&self, command: Value) -> Value {
        let mut command = command;
        command["config"] = text::standard(self.document().to_string().as_bytes()).into();
        command["record"] = json!(self.guide.record);
        self.run(&command)
    }

    fn run(&self, command: &Value) -> Value {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/witness/sdk.py");
        let mut child = Command::new(&self.python)
            .arg(script)
            .current_dir(self.folder.path())
            .env_clear()
            .env("REQUESTS_CA_BUNDLE", self.folder.path().join("ca.pem"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(command.to_string().as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).unwrap()
    }
}

fn python() -> Option<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let named = std::env::var_os("WITNESS_KEEPER_PYTHON").map(PathBuf::from);
    let found = named
        .into_iter()
        .chain([root.join("target/witness-keeper/bin/python"), PathBuf::from("python3")])
        .find(|python| {
            let probe = Command::new(python).args(["-c", "import keeper_secrets_manager_core"]).output();
            probe.is_ok_and(|output| output.status.success())
        });
    if found.is_none() {
        let reason =
            "skipped, because no Python here has keeper_secrets_manager_core; name one in WITNESS_KEEPER_PYTHON";
        assert!(std::env::var("REQUIRE_WITNESSES").as_deref() != Ok("all"), "{reason}");
        eprintln!("{reason}");
    }
    found
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn sum(bytes: &[u8]) -> String {
    hex(&crypto::sha256(bytes))
}

fn random(length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    crypto::fill_random(&mut bytes);
    bytes
}

#[tokio::test(flavor = "multi_thread")]
async fn witness_sdk_reads_what_we_upload_and_replace() {
    let Some(bench) = Bench::start().await else { return };
    let client = bench.client();
    for (number, length) in [0, 1, 5_000, 300_000].into_iter().enumerate() {
        let (name, bytes) = (format!("file {number} ü.bin"), random(length));
        let uid = client.upload(bench.guide.record, &NewFile::new(name.clone(), bytes.clone())).await.unwrap();
        let listed = bench.sdk(json!({ "do": "files" }));
        let found = listed.as_array().unwrap().iter().find(|file| file["uid"] == json!(uid)).unwrap();
        assert_eq!(
            (&found["name"], &found["sha256"], &found["size"]),
            (&json!(name), &json!(sum(&bytes)), &json!(length))
        );
    }
    let bytes = random(4_321);
    let done =
        client.replace_file(bench.guide.record, &NewFile::new("ssl-certificate.pfx", bytes.clone())).await.unwrap();
    let listed = bench.sdk(json!({ "do": "files" }));
    let named: Vec<&Value> =
        listed.as_array().unwrap().iter().filter(|file| file["name"] == "ssl-certificate.pfx").collect();
    assert_eq!(named.len(), 1);
    assert_eq!((&named[0]["uid"], &named[0]["sha256"]), (&json!(done.uid), &json!(sum(&bytes))));
    let left = done.removed.iter().any(|uid| listed.to_string().contains(&uid.to_string()));
    assert!(!left && done.removed.len() == 1);
    println!("5 files compared");
}

#[tokio::test(flavor = "multi_thread")]
async fn witness_we_read_and_replace_what_the_sdk_uploads() {
    let Some(bench) = Bench::start().await else { return };
    let client = bench.client();
    for (number, length) in [1, 5_000, 300_000].into_iter().enumerate() {
        let (name, bytes) = (format!("theirs {number}"), random(length));
        let uid: Uid =
            serde_json::from_value(bench.sdk(json!({ "do": "upload", "name": name, "hex": hex(&bytes) }))).unwrap();
        let record = client.record(bench.guide.record).await.unwrap();
        let file = record.file(&name).unwrap();
        assert_eq!((file.uid, file.media_type.as_deref()), (uid, Some("text/plain")));
        assert_eq!(client.download(&record, file).await.unwrap().as_slice(), bytes);
    }
    // Two of one name, as the SDK leaves them behind, and then one.
    bench.sdk(json!({ "do": "upload", "name": "keeper.properties", "hex": "00" }));
    let record = client.record(bench.guide.record).await.unwrap();
    assert!(matches!(record.file("keeper.properties"), Err(ksm_client::Error::Ambiguous { count: 2, .. })));
    let done = client
        .replace_file(bench.guide.record, &NewFile::new("keeper.properties", b"enabled=true\n".as_slice()))
        .await
        .unwrap();
    assert_eq!(done.removed.len(), 2);
    println!("4 uploads compared");
}

#[tokio::test(flavor = "multi_thread")]
async fn witness_sdk_works_with_the_configurations_we_write() {
    let Some(bench) = Bench::start().await else { return };
    // Bound by us; kept as JSON; used by the SDK as it lies there.
    let path = bench.folder.path().join("client-config.json");
    let token = &bench.guide.tokens[0];
    let client = Client::bind(token, Some(bench.host().parse().unwrap()), &path, bench.options()).await.unwrap();
    let point = bench.fake.world().server_keys().get(server_keys::DEVICE_DEFAULT).unwrap();
    let mut document: Value = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
    // The SDK has only the production keys in its table.
    document["serverPublicKey"] = text::url(point.as_bytes()).into();
    let config = Config::parse(&document.to_string()).unwrap();
    std::fs::write(&path, config.expose_json().as_bytes()).unwrap();
    let titles = json!([bench.guide.title]);
    assert_eq!(bench.run(&json!({ "do": "titles", "path": path })), titles);
    // And as base64 text.
    assert_eq!(bench.run(&json!({ "do": "titles", "config": config.expose_base64().as_str() })), titles);
    assert!(client.config().is_bound());

    // The other way: bound by the SDK, used by us.
    let theirs = bench.folder.path().join("theirs.json");
    let command = json!({
        "do": "titles", "path": theirs, "token": bench.guide.tokens[1].expose_text().as_str(), "hostname": bench.host(),
        "server_public_key": text::url(point.as_bytes()), "server_public_key_id": "10",
    });
    assert_eq!(bench.run(&command), titles);
    let ours = Client::open(&theirs, bench.options()).unwrap();
    assert_eq!(ours.record(bench.guide.record).await.unwrap().content.title(), bench.guide.title);
    println!("3 configurations compared");
}

#[tokio::test(flavor = "multi_thread")]
async fn witness_sdk_agrees_on_notation() {
    let Some(bench) = Bench::start().await else { return };
    let client = bench.client();
    client
        .update_record(bench.guide.record, |content| {
            content.set_field(
                Place::Custom,
                "name",
                Some("who"),
                vec![json!({ "first": "A", "last": "B" }), json!({ "first": "C" })],
            );
            content.set_field(Place::Custom, "text", Some("two"), vec![json!("x"), json!("y")]);
        })
        .await
        .unwrap();
    let uid = bench.guide.record;
    let mut notations: Vec<String> =
        bench.guide.notations().iter().map(|row| row["notation"].as_str().unwrap().to_owned()).collect();
    for tail in [
        "type",
        "TITLE",
        "notes",
        "field/login",
        "field/login[0]",
        "field/login[1]",
        "field/absent",
        "custom_field/two",
        "custom_field/two[]",
        "custom_field/two[1]",
        "custom_field/who[0][last]",
        "custom_field/who[][first]",
        "custom_field/who[1][last]",
        "custom_field/text",
        "file/absent",
        "file/",
        "field",
        "nothing/x",
        "title/x",
        "file/a[0]",
        r"field/a\b",
        "field/login[0][0][0]",
        "file/keeper.properties ",
    ] {
        notations.push(format!("{uid}/{tail}"));
    }
    // In base64; the SDK takes it padded only.
    notations.push(text::standard(format!("{uid}/title").as_bytes()).replace('+', "-").replace('/', "_"));
    notations.push("Nobody/title".to_owned());
    let theirs = bench.sdk(json!({ "do": "notations", "notations": notations }));
    let mut differ = Vec::new();
    for (notation, theirs) in notations.iter().zip(theirs.as_array().unwrap()) {
        let ours = match notation.parse::<Notation>() {
            Err(_) => Value::Null,
            Ok(parsed) => match client.values(&parsed).await {
                Ok(values) => values.iter().map(|value| json!(value.as_str())).collect(),
                Err(_) => Value::Null,
            },
        };
        // A member that is not there is an error here and nothing at all there: the one known difference.
        if notation.ends_with("who[1][last]") {
            assert_eq!((&ours, theirs), (&Value::Null, &json!([])));
            continue;
        }
        // Theirs are padded or not, and hold JSON with other blanks.
        let plain = |value: &Value| value.to_string().replace(['=', ' '], "");
        if plain(&ours) != plain(theirs) {
            differ.push(format!("{notation}: {ours} and {theirs}"));
        }
    }
    assert!(differ.is_empty(), "{differ:#?}");
    println!("{} notations compared", notations.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn witness_sdk_reads_records_and_folders_that_we_make() {
    let Some(bench) = Bench::start().await else { return };
    let client = bench.client();
    let mut content = Content::new("login", "Ours");
    content.set_field(Place::Standard, "login", None, vec![json!("somebody")]);
    let uid = client.create_record(bench.guide.app.folder, &content).await.unwrap();
    client.create_folder(bench.guide.app.folder, "Unterlagen ü").await.unwrap();
    client.update_record(uid, |content| content.set_notes("two\nlines")).await.unwrap();
    let titles = bench.sdk(json!({ "do": "titles" }));
    assert_eq!(titles, json!([bench.guide.title, "Ours"]));
    let mut command = json!({ "do": "content", "record": uid });
    command["config"] = text::standard(bench.document().to_string().as_bytes()).into();
    let read = bench.run(&command);
    assert_eq!((&read["notes"], &read["fields"][0]["value"]), (&json!("two\nlines"), &json!(["somebody"])));
    assert_eq!(bench.sdk(json!({ "do": "folders" })), json!(["Automator", "Unterlagen ü"]));
    println!("1 record and 2 folders compared");
}
