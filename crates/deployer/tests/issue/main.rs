//! `cert issue` end to end: the built program, Pebble as the authority, Moto's Route 53 as the zone, and a name server that
//! tells Pebble what stands in that zone. Needs Pebble: a witness.
#![cfg(unix)]

mod pebble;
mod relay;

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

use aws_infra::{Aws, Connection, Home};
use certs::Bundle;
use jiff::Timestamp;
use secrecy::SecretString;
use serde_json::Value;

use pebble::{Pebble, txt_values};
use relay::Killer;

const FILES: [&str; 6] = ["account.pem", "ssl.pfx", "password.txt", "body.pem", "key.pem", "chain.pem"];
const OUT: &str = "--account account.pem --out ssl.pfx --password-out password.txt --body body.pem --key key.pem \
    --chain chain.pem";

/// A zone that nobody else uses, Pebble, and a folder to write to.
struct World {
    folder: tempfile::TempDir,
    aws: Aws,
    zone: String,
    moto: u16,
    pebble: Pebble,
    _emulator: sandbox::Emulator,
}

/// How a run ended.
struct Ran {
    code: Option<i32>,
    stdout: String,
    stderr: String,
}

impl World {
    async fn open(customers: Value) -> Option<Self> {
        let target = Path::new(env!("CARGO_BIN_EXE_keeper-automator")).ancestors().nth(2).unwrap();
        let settings = sandbox::Settings::from_env(target);
        let emulator = sandbox::find_or_start(&settings, &|_| ()).await.expect("find or start an emulator");
        let aws = Aws::connect(&Connection::to_emulator("us-east-1", &emulator.endpoint)).await.expect("connect");
        let zone = format!("i{}.example.com", Timestamp::now().as_nanosecond());
        let home = Home::new(Arc::new(aws.clone()), "issue", BTreeMap::new());
        aws_infra::route53::ensure_zone(&home, &zone).await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        let pebble = Pebble::start(folder.path(), aws.clone(), customers).await?;
        let moto = emulator.endpoint.rsplit(':').next().unwrap().trim_end_matches('/').parse().unwrap();
        Some(Self { folder, aws, zone, moto, pebble, _emulator: emulator })
    }

    fn host(&self) -> String {
        format!("automator.{}", self.zone)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The program in the folder, with dummy keys and nothing else of this process's environment.
    fn command(&self, [pebble, moto]: [u16; 2], line: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_keeper-automator"));
        command.env_clear().current_dir(self.folder.path()).stdin(Stdio::null());
        command.env("AWS_ACCESS_KEY_ID", "testing").env("AWS_SECRET_ACCESS_KEY", "testing");
        command.env("AWS_EC2_METADATA_DISABLED", "true").env("AWS_ENDPOINT_URL", format!("http://127.0.0.1:{moto}"));
        command
            .env("HOME", self.folder.path())
            .env("LANG", "C")
            .env("EAB", "AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA");
        command.args(["cert", "issue", "--ca-file"]).arg(&self.pebble.root);
        command.arg("--directory").arg(format!("https://localhost:{pebble}/dir"));
        command.args(line.split_whitespace());
        command
    }

    /// Runs it to its end, without standing in the way of the name server.
    async fn run(&self, line: &str) -> Ran {
        let mut command = tokio::process::Command::from(self.command([self.pebble.port, self.moto], line));
        let output = command.output().await.unwrap();
        Ran {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    fn bundle(&self) -> Bundle {
        let password = fs::read_to_string(self.path("password.txt")).unwrap();
        Bundle::from_pfx(&fs::read(self.path("ssl.pfx")).unwrap(), &SecretString::from(password)).unwrap()
    }

    /// What stands under the host's challenge name.
    async fn zone_holds(&self) -> Vec<String> {
        txt_values(&self.aws, &format!("_acme-challenge.{}", self.host())).await
    }
}

impl Ran {
    fn ended(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "\n{}\n{}", self.stdout, self.stderr);
        self
    }

    fn json(&self) -> Value {
        let json: Value = serde_json::from_str(&self.stdout).unwrap();
        let schema = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../schemas/issued.json");
        let schema: Value = serde_json::from_str(&fs::read_to_string(schema).unwrap()).unwrap();
        jsonschema::validator_for(&schema).unwrap().validate(&json).unwrap();
        json
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn witness_pebble_issues_and_renews_what_stands_in_the_zone() {
    let Some(world) = World::open(Value::Null).await else { return };
    let host = world.host();
    let line = format!("--host {host} --host *.{host} --email ops@example.com {OUT}");

    // Nobody agrees by accident.
    let ran = world.run(&line).await.ended(2);
    assert!(ran.stderr.contains("error[acme-terms]") && ran.stderr.contains("they are at "), "{}", ran.stderr);
    assert!(FILES.iter().all(|name| !world.path(name).exists()));

    // With --renew, too, a first certificate is simply issued, and an empty file for the password is as good as none.
    fs::write(world.path("password.txt"), "").unwrap();
    let line = format!("{line} --agree-to-terms");
    let ran = world.run(&format!("{line} --renew --format json")).await.ended(0);
    let json = ran.json();
    assert_eq!((json["outcome"].as_str(), json["renewal"].is_null()), (Some("issued"), true));
    let bundle = world.bundle();
    assert!(bundle.judge(&host, Timestamp::now()).is_usable());
    let mut names = bundle.leaf().dns_names().to_vec();
    names.sort();
    assert_eq!(names, [format!("*.{host}"), host.clone()]);
    for name in FILES {
        let mode = fs::metadata(world.path(name)).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "{name}");
    }
    let read = |name: &str| fs::read_to_string(world.path(name)).unwrap();
    assert_eq!(read("password.txt").trim_end(), read("password.txt"));
    assert_eq!(read("password.txt").len(), 32);
    let pem = [read("body.pem"), read("key.pem"), read("chain.pem")].concat();
    assert_eq!(Bundle::from_pem(pem.as_bytes(), None).unwrap().leaf(), bundle.leaf());

    // Pebble believed what stood in the zone, and nothing of it stands there now.
    let marks = world.pebble.saw().iter().filter(|value| value.starts_with("keeper-automator ")).count();
    assert!(marks >= 2, "{:?}", world.pebble.saw());
    assert_eq!(world.zone_holds().await, Vec::<String>::new());
    let said = format!("{}{}", ran.stdout, ran.stderr);
    assert!(!said.contains(&read("password.txt")) && !said.contains("PRIVATE KEY"), "a secret was printed");

    // It is not time, and nothing is touched; other names make it time.
    let before = FILES.map(|name| fs::read(world.path(name)).unwrap());
    let ran = world.run(&format!("{line} --renew --format json")).await.ended(9);
    assert_eq!(ran.json()["outcome"], "not-due");
    assert!(world.run(&format!("{line} --renew")).await.ended(9).stderr.starts_with("`ssl.pfx` is not due before "));
    assert_eq!(FILES.map(|name| fs::read(world.path(name)).unwrap()), before);
    let line = line.replace(&format!("--host *.{host} "), "");
    let json = world.run(&format!("{line} --renew --format json")).await.ended(0).json();
    assert_eq!((json["outcome"].as_str(), json["renewal"]["because"].as_str()), (Some("renewed"), Some("hosts")));
    assert_ne!(world.bundle().leaf(), bundle.leaf());
    assert_eq!(world.bundle().leaf().dns_names(), [host]);
    // Account and password stay.
    for (at, name) in [(0, "account.pem"), (2, "password.txt")] {
        assert_eq!(fs::read(world.path(name)).unwrap(), before[at], "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn witness_pebble_is_served_again_after_a_kill_at_any_moment() {
    let Some(world) = World::open(Value::Null).await else { return };
    let killer = Killer::default();
    let ports = [killer.relay(world.pebble.port).await, killer.relay(world.moto).await];
    let line = format!("--host {} --agree-to-terms {OUT}", world.host());
    let clear = || FILES.iter().for_each(|name| drop(fs::remove_file(world.path(name))));

    let quiet = || {
        let mut command = world.command(ports, &line);
        command.stdout(Stdio::null()).stderr(Stdio::null());
        command
    };

    // How often it sends in a run that nobody disturbs.
    assert_eq!(killer.run(quiet(), None).await, Some(0));
    let whole = killer.sent();
    assert!(whole > 20, "{whole}");

    let (mut left, mut accounts) = (0, 0);
    for at in (1..whole).step_by((whole / 24).max(1)) {
        clear();
        let killed = killer.run(quiet(), Some(at)).await.is_none();
        let account = fs::read(world.path("account.pem")).ok();
        let standing = world.zone_holds().await;
        assert!(killed || world.path("ssl.pfx").exists(), "neither killed nor done at {at}");

        let ran = world.run(&line).await.ended(0);
        assert!(world.bundle().judge(&world.host(), Timestamp::now()).is_usable());
        assert_eq!(world.zone_holds().await, Vec::<String>::new(), "after a kill at {at}\n{}", ran.stderr);
        if let Some(account) = account {
            accounts += 1;
            assert_eq!(fs::read(world.path("account.pem")).unwrap(), account, "the account was lost at {at}");
        }
        left += usize::from(!standing.is_empty());
    }
    // Otherwise this would have shown nothing.
    assert!(left > 0 && accounts > left, "{left} kills left records, {accounts} left an account");
    println!(
        "killed at every {}th of {whole} moments: {left} left records, {accounts} an account",
        (whole / 24).max(1)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn witness_pebble_takes_customers_only_and_a_zone_must_be_there() {
    let key = "AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA";
    let Some(world) = World::open(serde_json::json!({ "customer-1": key })).await else { return };
    let line = format!("--host {} --agree-to-terms {OUT}", world.host());
    let ran = world.run(&line).await.ended(1);
    assert!(ran.stderr.contains("error[acme-not-a-customer]"), "{}", ran.stderr);
    let ran = world.run(&format!("{line} --eab-key-id customer-1")).await.ended(2);
    assert!(ran.stderr.contains("error[acme-customer-key]"), "{}", ran.stderr);
    let account = fs::read(world.path("account.pem")).unwrap();
    let ran = world.run(&format!("{line} --eab-key-id customer-1 --eab-hmac-env EAB")).await.ended(0);
    assert!(!format!("{}{}", ran.stdout, ran.stderr).contains(key));
    assert_eq!(fs::read(world.path("account.pem")).unwrap(), account);
    // The account is bound; the next run needs no key.
    world.run(&line).await.ended(0);

    let before = fs::read(world.path("ssl.pfx")).unwrap();
    let ran = world.run(&line.replace(&world.zone, "example.invalid")).await.ended(1);
    assert!(ran.stderr.contains("error[acme-zone]") && ran.stderr.contains("hint: "), "{}", ran.stderr);
    assert_eq!(fs::read(world.path("ssl.pfx")).unwrap(), before);
}
