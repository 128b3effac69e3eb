//! The vendor's own clients of Keeper Secrets Manager, unchanged, against a running fake, over TLS with its private authority.
//!
//! A witness that is not there is skipped and says so; with `REQUIRE_WITNESSES=all` it fails instead.

use keeper_fake::{Fake, Scheme, World, facts};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;
use std::{env, fs};
use tempfile::TempDir;
use tokio::process::Command;

const SCRIPTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/witness/ksm");
const CORE: &str = "keeper-secrets-manager-core 17.3.0";
const CLI: &str = "keeper-secrets-manager-cli 1.5.0";
const VERSIONS: &str = "from importlib.metadata import version; \
    print(version('keeper-secrets-manager-core'), version('keeper-secrets-manager-cli'))";

/// The interpreter that has the vendor's packages, in the right versions.
#[expect(clippy::print_stderr, reason = "a test that skipped says so")]
fn python() -> Option<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let named = env::var_os("WITNESS_KEEPER_PYTHON").map(PathBuf::from);
    let right = |python: &PathBuf| {
        let asked = std::process::Command::new(python).args(["-c", VERSIONS]).stderr(Stdio::null()).output();
        asked.is_ok_and(|output| String::from_utf8_lossy(&output.stdout).trim() == "17.3.0 1.5.0")
    };
    let found = named.into_iter().chain([root.join("target/witness-keeper/bin/python")]).find(right);
    if found.is_none() {
        let reason = format!(
            "skipped, because {CORE} and {CLI} are not here: install .ci/witness-keeper.txt into a virtual environment and \
             name its bin/python in WITNESS_KEEPER_PYTHON"
        );
        assert!(env::var("REQUIRE_WITNESSES").as_deref() != Ok("all"), "{reason}");
        eprintln!("{reason}");
    }
    found
}

/// A fake, a directory with its facts, and the vendor's programs.
struct Bench {
    fake: Fake,
    home: TempDir,
    python: PathBuf,
}

impl Bench {
    async fn start() -> Option<Self> {
        let python = python()?;
        let (world, guide) = World::guide();
        let fake = Fake::start(world, Scheme::Https).await.unwrap();
        let home = tempfile::tempdir().unwrap();
        let told = facts::facts(&fake.world(), &guide, &fake.address().to_string());
        facts::write(&told, &home.path().join("facts.json")).unwrap();
        fs::write(home.path().join("ca.pem"), fake.ca_pem().unwrap()).unwrap();
        Some(Self { fake, home, python })
    }

    /// Runs one of our scripts around the vendor's code, and gives the number of its checks.
    async fn run(&self, script: &str, arguments: &[&str]) -> u32 {
        let facts: Value = serde_json::from_slice(&fs::read(self.home.path().join("facts.json")).unwrap()).unwrap();
        let mut program = Command::new(&self.python);
        program
            .arg(Path::new(SCRIPTS).join(script))
            .args(arguments)
            .current_dir(self.home.path())
            .env_clear()
            .env("PATH", env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.home.path())
            .env("PYTHONPATH", SCRIPTS)
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .env("LANG", "C.UTF-8")
            .env("REQUESTS_CA_BUNDLE", self.home.path().join("ca.pem"))
            .env("KEEPER_FAKE_SERVER_KEYS", facts["server_keys"].to_string())
            .stdin(Stdio::null())
            .kill_on_drop(true);
        let output = tokio::time::timeout(Duration::from_secs(300), program.output()).await.expect("it ends").unwrap();
        let (out, told) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success(), "{script} {arguments:?}:\n{told}\n{out}");
        let count = out.lines().last().and_then(|line| line.strip_prefix("checks "));
        count.and_then(|count| count.parse().ok()).unwrap_or_else(|| panic!("no count:\n{out}"))
    }

    #[expect(clippy::print_stderr, reason = "counts are shown")]
    async fn scenario(&self, name: &str) {
        let count = self.run("sdk.py", &[name]).await;
        assert!(count > 0);
        eprintln!("witness {CORE}: {name}: {count} checks");
    }

    /// How often an operation was answered with this status.
    fn calls(&self, operation: &str, status: u16) -> usize {
        let world = self.fake.world();
        world.journal.iter().filter(|entry| entry.call == operation && entry.status == status).count()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn witness_sdk_reads_downloads_and_resolves_notation() {
    let Some(bench) = Bench::start().await else { return };
    bench.scenario("read").await;
    assert!(bench.calls("store", 200) >= 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn witness_sdk_uploads_removes_creates_rotates_and_deletes() {
    let Some(bench) = Bench::start().await else { return };
    bench.scenario("write").await;
    assert_eq!(bench.calls("store", 201), 2);
    let world = bench.fake.world();
    assert_eq!((world.vault.links.len(), world.vault.trash.len()), (3, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn witness_sdk_makes_names_and_deletes_folders() {
    let Some(bench) = Bench::start().await else { return };
    bench.scenario("folders").await;
    assert_eq!(bench.calls("sm/v1/create_folder", 200), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn witness_sdk_binds_with_a_token_once() {
    let Some(bench) = Bench::start().await else { return };
    bench.scenario("bind").await;
    let world = bench.fake.world();
    let devices = world.vault.applications.values().flat_map(|application| &application.devices);
    assert_eq!(devices.filter(|device| device.name.starts_with("token") && device.bound).count(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn witness_sdk_is_refused_where_the_service_would_refuse() {
    let Some(bench) = Bench::start().await else { return };
    bench.scenario("refused").await;
    assert!(bench.calls("sm/v1/get_secret", 403) >= 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn witness_sdk_meets_throttling_rotation_and_cuts() {
    let Some(bench) = Bench::start().await else { return };
    bench.scenario("mishaps").await;
    assert_eq!(bench.calls("sm/v1/get_secret", 401), 1);
    assert_eq!(bench.fake.world().faults.waiting(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn witness_cli_does_what_its_words_say() {
    let Some(bench) = Bench::start().await else { return };
    let ksm = bench.python.with_file_name("ksm");
    let count = bench.run("cli.py", &[ksm.to_str().unwrap()]).await;
    eprintln!("witness {CLI}: {count} checks");
    assert!(count > 0 && bench.calls("store", 201) == 1);
}
