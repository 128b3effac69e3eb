//! A fake, a home directory and the vendor's program.

use keeper_fake::admin::Nodes;
use keeper_fake::{Fake, Scheme, World};
use keeper_wire::{OneTimeToken, text};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::fmt::Debug;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;
use std::{env, fs};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::process::Command;

const VERSION: &str = "18.1.8";
const SITE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/witness/commander");

/// Everything that one test needs.
pub(crate) struct Bench {
    pub(crate) fake: Fake,
    pub(crate) home: TempDir,
    pub(crate) nodes: Nodes,
    /// Given to the program by its environment.
    pub(crate) password: Option<String>,
    /// Whether the program is told of the ML-KEM key.
    pub(crate) hybrid: bool,
    program: PathBuf,
}

/// What the program printed, command by command.
pub(crate) struct Printed {
    answers: Vec<String>,
    /// What it told people.
    pub(crate) told: String,
}

/// The program, when it is here in the right version.
fn program() -> Option<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let named = env::var_os("WITNESS_COMMANDER").map(PathBuf::from);
    let right = |program: &PathBuf| {
        let version = says(program, "import keepercommander; print(keepercommander.__version__)");
        program.is_file() && version.as_deref() == Some(VERSION)
    };
    let found = named.into_iter().chain([root.join("target/witness-commander/bin/keeper")]).find(right);
    if found.is_none() {
        skipped(&format!(
            "Keeper Commander {VERSION} is not here: install .ci/witness-commander.txt into a virtual environment and name \
             its bin/keeper in WITNESS_COMMANDER"
        ));
    }
    found
}

/// What the Python beside a program prints.
fn says(program: &Path, script: &str) -> Option<String> {
    let asked = std::process::Command::new(program.with_file_name("python"))
        .args(["-c", script])
        .stderr(Stdio::null())
        .output();
    asked.ok().map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

#[expect(clippy::print_stderr, reason = "a test that skipped says so")]
fn skipped(why: &str) {
    assert!(env::var("REQUIRE_WITNESSES").as_deref() != Ok("all"), "skipped, because {why}");
    eprintln!("skipped, because {why}");
}

impl Bench {
    pub(crate) async fn start(scheme: Scheme) -> Option<Self> {
        let program = program()?;
        let mut world = World::new();
        let nodes = world.admin.add_nodes();
        let device = world.admin.add_resumable();
        let fake = Fake::start(world, scheme).await.unwrap();
        let home = tempfile::tempdir().unwrap();
        let config = fake.world().admin.commander_config(fake.origin(), &device);
        if let Some(ca) = fake.ca_pem() {
            fs::write(home.path().join("ca.pem"), ca).unwrap();
        }
        let bench = Self { fake, home, nodes, password: None, hybrid: false, program };
        bench.write_config(&config);
        Some(bench)
    }

    fn config(&self) -> PathBuf {
        self.home.path().join("config.json")
    }

    fn write_config(&self, config: &Value) {
        fs::write(self.config(), config.to_string()).unwrap();
        #[cfg(unix)]
        fs::set_permissions(self.config(), std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    }

    pub(crate) fn change_config(&self, change: impl FnOnce(&mut Map<String, Value>)) {
        let mut config: Value = serde_json::from_slice(&fs::read(self.config()).unwrap()).unwrap();
        change(config.as_object_mut().unwrap());
        self.write_config(&config);
    }

    /// As the program left it in its file.
    pub(crate) fn clone_code(&self) -> String {
        let config: Value = serde_json::from_slice(&fs::read(self.config()).unwrap()).unwrap();
        config["clone_code"].as_str().unwrap_or_default().to_owned()
    }

    /// Statuses of all calls of an endpoint.
    pub(crate) fn calls(&self, endpoint: &str) -> Vec<u16> {
        self.fake.world().journal.iter().filter(|entry| entry.call == endpoint).map(|entry| entry.status).collect()
    }

    /// Every call of the program has an answer of its own.
    pub(crate) fn nothing_unknown(&self, checks: &mut Checks) {
        let unknown: Vec<_> =
            self.fake.world().journal.iter().filter(|entry| !entry.known).map(|entry| entry.call.clone()).collect();
        checks.same("every endpoint is known", &unknown, &Vec::new());
    }

    fn program(&self, what: &Path) -> Command {
        let keys: BTreeMap<String, String> =
            self.fake.world().server_keys().texts().map(|(id, point)| (id.to_string(), point)).collect();
        let mut program = Command::new(what);
        program
            .current_dir(self.home.path())
            .env_clear()
            .env("PATH", env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.home.path())
            .env("PYTHONPATH", SITE)
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .env("KEEPER_FAKE_SERVER_KEYS", serde_json::to_string(&keys).unwrap())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        if self.fake.ca_pem().is_some() {
            let ca = self.home.path().join("ca.pem");
            program.env("KEEPER_SSL_CERT_FILE", &ca).env("REQUESTS_CA_BUNDLE", &ca);
        }
        if let Some(password) = &self.password {
            program.env("KEEPER_PASSWORD", password);
        }
        if self.hybrid {
            program.env("KEEPER_FAKE_ML_KEM", text::url(&self.fake.world().admin.ml_kem_public_key()));
        }
        program
    }

    /// Whether the program has its ML-KEM library, of which there are wheels for x86-64 only.
    pub(crate) fn knows_ml_kem(&self) -> bool {
        let knows = says(&self.program, "import mlkem; print('yes')").as_deref() == Some("yes");
        if !knows {
            skipped("keeper-mlkem is not here: .ci/witness-commander.txt has it for x86-64");
        }
        knows
    }

    /// What the vendor's SDK reads with a device configuration.
    pub(crate) async fn device_reads(&self, config: &str) -> Value {
        let mut program = self.program(&self.program.with_file_name("python"));
        program.arg(Path::new(SITE).join("device_reads.py")).arg(config).stdin(Stdio::null());
        let asked = tokio::time::timeout(Duration::from_secs(300), program.output());
        let output = asked.await.expect("the program ends").unwrap();
        serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)))
    }

    /// Runs `first_login.py` and answers its questions.
    pub(crate) async fn first_login(&self, mut answer: impl FnMut(&str) -> String) -> Value {
        let mut program = self.program(&self.program.with_file_name("python"));
        program.arg(Path::new(SITE).join("first_login.py")).arg("config.json");
        let mut child = program.spawn().unwrap();
        let mut input = child.stdin.take().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let talk = async {
            let mut last = String::new();
            while let Some(line) = lines.next_line().await.unwrap() {
                if let Some(question) = line.strip_prefix("? ") {
                    input.write_all(format!("{}\n", answer(question)).as_bytes()).await.unwrap();
                }
                last = line;
            }
            drop(input);
            (last, child.wait_with_output().await.unwrap())
        };
        let (last, output) = tokio::time::timeout(Duration::from_secs(300), talk).await.expect("the program ends");
        serde_json::from_str(&last).unwrap_or_else(|_| panic!("{last}\n{}", String::from_utf8_lossy(&output.stderr)))
    }

    /// Logs in and runs commands in the program's own shell.
    pub(crate) async fn run(&self, commands: &[&str]) -> Printed {
        let mut program = self.program(&self.program);
        program.args(["--config", "config.json", "shell"]);
        let mut child = program.spawn().unwrap();
        let mut input = child.stdin.take().unwrap();
        let lines = commands.iter().chain(&["q"]).map(|command| format!("{command}\n")).collect::<String>();
        let talk = async {
            // A program that ends early stops listening; what it said tells why.
            let _ = input.write_all(lines.as_bytes()).await;
            drop(input);
            child.wait_with_output().await.unwrap()
        };
        let output = tokio::time::timeout(Duration::from_secs(300), talk).await.expect("the program ends");
        let out = String::from_utf8_lossy(&output.stdout).into_owned();
        let answers = out.split(PROMPT).skip(1).map(|answer| answer.trim().to_owned()).collect();
        let told = format!("{}\n{out}", String::from_utf8_lossy(&output.stderr));
        Printed { answers, told }
    }
}

const PROMPT: &str = "My Vault> ";

impl Printed {
    /// The JSON that a command printed.
    pub(crate) fn json(&self, command: usize) -> Value {
        let answer =
            self.answers.get(command).unwrap_or_else(|| panic!("no answer to command {command}:\n{}", self.told));
        serde_json::from_str(answer).unwrap_or_else(|_| panic!("no JSON: {answer}\n{}", self.told))
    }

    /// The device configuration in what a command printed: the last line that is not empty.
    pub(crate) fn device_config(&self, command: usize) -> &str {
        let answer = self.answers.get(command).unwrap_or_else(|| panic!("no answer:\n{}", self.told));
        answer.lines().map(str::trim).rfind(|line| !line.is_empty()).unwrap_or_default()
    }

    /// The one-time token in what was printed.
    pub(crate) fn one_time_token(&self) -> Option<OneTimeToken> {
        let words = self.answers.iter().flat_map(|answer| answer.split(|c: char| c.is_whitespace() || c == '\u{1b}'));
        let key = |word: &str| word.rsplit(':').next().and_then(|key| key.get(..43)?.parse::<OneTimeToken>().ok());
        words.filter(|word| word.contains(':')).find_map(key)
    }
}

/// Counts what was compared.
pub(crate) struct Checks {
    name: &'static str,
    count: u32,
}

impl Checks {
    pub(crate) fn new(name: &'static str) -> Self {
        Self { name, count: 0 }
    }

    #[track_caller]
    pub(crate) fn that(&mut self, what: &str, holds: bool) {
        assert!(holds, "{}: {what}", self.name);
        self.count += 1;
    }

    #[track_caller]
    pub(crate) fn same<T: PartialEq + Debug + ?Sized>(&mut self, what: &str, found: &T, expected: &T) {
        assert_eq!(found, expected, "{}: {what}", self.name);
        self.count += 1;
    }

    #[expect(clippy::print_stderr, reason = "counts are shown")]
    pub(crate) fn done(self) {
        eprintln!("witness Commander {VERSION}: {}: {} checks", self.name, self.count);
    }
}
