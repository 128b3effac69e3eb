//! The vendor's own client, Keeper Commander 18.1.8, unchanged, beside ours on one fake: each sees what the other made.
//!
//! A witness that is not there is skipped and says so; with `REQUIRE_WITNESSES=all` it fails instead.

mod common;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;
use std::{env, fs};

use automator_admin::automator::{self, Skill, Wanted};
use automator_admin::vault::{application, attachment, folder, record};
use common::{HOST, Stage, TITLE};
use keeper_wire::crypto::sha256;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::AsyncWriteExt;

const VERSION: &str = "18.1.8";
/// Replaces the vendor's table of server keys by that of the fake.
const SITE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../keeper-fake/tests/witness/commander");
const PROMPT: &str = "My Vault> ";

/// The vendor's program with a home and a device of its own.
struct Commander {
    program: PathBuf,
    home: TempDir,
}

impl Commander {
    #[expect(clippy::print_stderr, reason = "a test that skipped says so")]
    fn beside(stage: &Stage) -> Option<Self> {
        let named = env::var_os("WITNESS_COMMANDER").map(PathBuf::from);
        let usual = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/witness-commander/bin/keeper");
        let right = |program: &PathBuf| {
            let version = "import keepercommander; print(keepercommander.__version__)";
            let python = program.with_file_name("python");
            let asked = std::process::Command::new(python).args(["-c", version]).stderr(Stdio::null()).output();
            program.is_file() && asked.is_ok_and(|output| String::from_utf8_lossy(&output.stdout).trim() == VERSION)
        };
        let Some(program) = named.into_iter().chain([usual]).find(right) else {
            let reason = format!(
                "skipped, because Keeper Commander {VERSION} is not here: install .ci/witness-commander.txt into a virtual \
                 environment and name its bin/keeper in WITNESS_COMMANDER"
            );
            assert!(env::var("REQUIRE_WITNESSES").as_deref() != Ok("all"), "{reason}");
            eprintln!("{reason}");
            return None;
        };
        let home = tempfile::tempdir().unwrap();
        fs::write(home.path().join("ca.pem"), stage.fake.ca_pem().unwrap()).unwrap();
        let config = common::resumable(&stage.fake).config().to_json();
        let file = home.path().join("config.json");
        fs::write(&file, &*config).unwrap();
        #[cfg(unix)]
        fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
        Some(Self { program, home })
    }

    /// Runs commands in the program's shell, and gives what each printed.
    async fn run(&self, stage: &Stage, commands: &[&str]) -> Vec<String> {
        let keys: BTreeMap<String, String> =
            stage.fake.world().server_keys().texts().map(|(id, point)| (id.to_string(), point)).collect();
        let ca = self.home.path().join("ca.pem");
        let mut child = tokio::process::Command::new(&self.program)
            .args(["--config", "config.json", "shell"])
            .current_dir(self.home.path())
            .env_clear()
            .env("PATH", env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.home.path())
            .env("PYTHONPATH", SITE)
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .env("KEEPER_FAKE_SERVER_KEYS", serde_json::to_string(&keys).unwrap())
            .env("KEEPER_SSL_CERT_FILE", &ca)
            .env("REQUESTS_CA_BUNDLE", &ca)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut input = child.stdin.take().unwrap();
        let lines: String = commands.iter().chain(&["q"]).map(|command| format!("{command}\n")).collect();
        let talk = async {
            // A program that ends early stops listening; what it said tells why.
            let _ = input.write_all(lines.as_bytes()).await;
            drop(input);
            child.wait_with_output().await.unwrap()
        };
        let output = tokio::time::timeout(Duration::from_secs(120), talk).await.expect("the program ends");
        let out = String::from_utf8_lossy(&output.stdout).into_owned();
        let answers: Vec<String> = out.split(PROMPT).skip(1).map(|answer| answer.trim().to_owned()).collect();
        assert!(answers.len() >= commands.len(), "{out}\n{}", String::from_utf8_lossy(&output.stderr));
        answers
    }
}

fn read(answer: &str) -> Value {
    serde_json::from_str(answer).unwrap_or_else(|_| panic!("no JSON: {answer}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn witness_commander_lists_and_opens_what_we_made() {
    let stage = Stage::with_service().await;
    let Some(commander) = Commander::beside(&stage) else { return };
    let session = stage.sign_in().await;
    common::apply(&session, &stage.marker, &stage.token, stage.nodes.sso.0).await.unwrap();
    let before = common::state(&stage.fake);
    let vault = session.vault().await.unwrap();
    let ours = folder::find(&vault, TITLE, &stage.marker).unwrap().unwrap();
    let found = record::find(&vault, &ours, TITLE, &stage.marker).unwrap().unwrap();

    let printed = commander
        .run(
            &stage,
            &[
                "ls --format=json",
                &format!("get --format=json -- {}", found.uid),
                &format!("download-attachment --out-dir=back -- {}", found.uid),
                &format!("secrets-manager app get \"{TITLE}\" --format=json"),
                "automator list --format=json",
            ],
        )
        .await;
    let listed = read(&printed[0]);
    let named = |kind: &str| listed.as_array().unwrap().iter().any(|one| one["type"] == kind && one["name"] == TITLE);
    assert!(named("folder"), "{listed}");
    let got = read(&printed[1]);
    assert_eq!((&got["title"], &got["type"]), (&json!(TITLE), &json!("login")), "{got}");
    assert!(got["custom"].to_string().contains(stage.marker.deployment()), "the mark survives: {got}");
    for file in common::files("one") {
        let back = fs::read(commander.home.path().join("back").join(&file.name)).unwrap();
        assert_eq!(back[..], file.bytes[..], "{}", file.name);
    }
    let app = read(&printed[3]);
    let device = &app["client_devices"][0];
    assert_eq!((&device["device_name"], &device["ip_lock_enabled"]), (&json!("ecs"), &json!(false)), "{app}");
    let shares = (&app["shares"][0]["uid"], &app["shares"][0]["editable"]);
    assert_eq!(shares, (&json!(ours.uid), &json!(true)), "{app}");
    let automators = read(&printed[4]);
    assert_eq!(
        (&automators[0]["name"], &automators[0]["enabled"]),
        (&json!("automator"), &json!(true)),
        "{automators}"
    );
    assert_eq!(automators[0]["url"], json!(format!("https://{HOST}")));
    assert_eq!(common::state(&stage.fake), before, "reading changed nothing");

    // And what Commander then adds to our record, we see and leave alone.
    fs::write(commander.home.path().join("more.txt"), "more").unwrap();
    commander.run(&stage, &[&format!("upload-attachment --file=more.txt -- {}", found.uid)]).await;
    session.look_again();
    let names: Vec<String> =
        attachment::list(&session.vault().await.unwrap(), found.uid).into_iter().map(|file| file.name).collect();
    assert!(names.contains(&"more.txt".to_owned()) && names.len() == 4, "{names:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn witness_what_commander_made_is_found_and_left_alone() {
    let stage = Stage::with_service().await;
    let Some(commander) = Commander::beside(&stage) else { return };
    let content = b"\x30\x82\x01not a real one";
    fs::write(commander.home.path().join("ssl-certificate.pfx"), content).unwrap();
    let printed = commander
        .run(
            &stage,
            &[
                &format!("mkdir -sf \"{TITLE}\""),
                &format!("record-add -t \"{TITLE}\" -rt login --folder=\"{TITLE}\" --format json"),
                &format!("upload-attachment --file=ssl-certificate.pfx \"{TITLE}/{TITLE}\""),
                &format!("secrets-manager app create \"{TITLE}\" --format json"),
                &format!("secrets-manager share add --app=\"{TITLE}\" --secret=\"{TITLE}\" --editable"),
                &format!("automator create --name=automator --node=\"{}\"", stage.nodes.sso.1),
                &format!("automator edit --url={HOST} --skill=team --skill=device automator"),
                "automator setup automator",
                "automator init automator",
                "automator enable automator",
            ],
        )
        .await;
    let made = read(&printed[1])["record_uid"].as_str().unwrap().parse().unwrap();
    assert!(read(&printed[3])["app_uid"].is_string(), "{}", printed[3]);
    let before = common::state(&stage.fake);

    let session = stage.sign_in().await;
    let skills = Some([Skill::DeviceApproval, Skill::TeamApproval].into());
    let wanted = Wanted { skills, ..Wanted::new(stage.nodes.sso.0, "automator", HOST) };
    let (info, steps) = automator::apply(&session, &wanted, &|_| false).await.unwrap();
    assert!(steps.is_empty() && info.is_ready() && info.enabled, "{steps:?}");

    // The vault's objects have no mark of ours: strangers of that title, which we read and do not touch.
    let vault = session.vault().await.unwrap();
    let stranger = folder::find(&vault, TITLE, &stage.marker).unwrap_err();
    assert_eq!(stranger.code(), "keeper-stranger");
    assert_eq!(application::find(&vault, TITLE, &stage.marker).unwrap_err().code(), "keeper-stranger");
    let failed = folder::create(&session, TITLE, &stage.marker).await.unwrap_err();
    assert_eq!(failed.code(), "keeper-stranger");
    let files = attachment::list(&vault, made);
    assert_eq!(files.len(), 1);
    assert_eq!(attachment::digest(&session, &files[0]).await.unwrap(), sha256(content));
    assert_eq!(common::state(&stage.fake), before, "nothing was changed");
}
