//! A stage: an emulator of its own, a directory of its own, and the means to look at what is left.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aws_infra::{Aws, Connection, Home, SharedHttpClient};
use deployer::Host;
use deployer::config::Config;
use deployer::guide::{self, Keeper, Material, Words};
use keeper_fake::World;
use keeper_fake::vault::Application;
use resource_graph::{Cx, SystemClock};
use sandbox::{ENDPOINT_VARIABLE, Emulator, Settings};

use crate::run::{Ran, bare};

/// An emulator and a directory.
pub struct Stage {
    emulator: Option<Emulator>,
    directory: tempfile::TempDir,
    tools: PathBuf,
}

impl Stage {
    /// Starts an emulator that nobody else uses.
    pub async fn open() -> Self {
        let directory = tempfile::tempdir().expect("a directory for the test");
        let target = crate::binary().ancestors().nth(2).expect("target/PROFILE/keeper-automator").to_owned();
        let tools = target.join("sandbox");
        let mut settings = Settings::from_env(directory.path().to_owned());
        settings.tools.clone_from(&tools);
        settings.environment.retain(|name, _| name != ENDPOINT_VARIABLE);
        let emulator = sandbox::find_or_start(&settings, &|_| ()).await.expect("Moto starts");
        Self { emulator: Some(emulator), directory, tools }
    }

    /// The emulator's URL.
    pub fn endpoint(&self) -> &str {
        &self.emulator.as_ref().expect("it ends with the stage").endpoint
    }

    /// The stage's own directory.
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// Empties the emulator and the vault.
    pub async fn reset(&self) {
        self.emulator.as_ref().expect("it ends with the stage").reset().await.expect("Moto empties itself");
        // Another one is made when there is none.
        let _ = std::fs::remove_file(self.keeper_state());
    }

    fn keeper_state(&self) -> PathBuf {
        self.directory().join("sandbox/world/keeper-state.json")
    }

    /// The pretend Keeper as the last run left it.
    pub fn keeper(&self) -> World {
        World::load(&self.keeper_state()).expect("a run has left the state of its Keeper")
    }

    /// How many things of each kind are in the pretend Keeper.
    pub fn vault_census(&self) -> BTreeMap<&'static str, usize> {
        let world = self.keeper();
        let records = |version: i32| world.vault.records.values().filter(|record| record.version == version).count();
        let of_applications = |count: fn(&Application) -> usize| world.vault.applications.values().map(count).sum();
        let rows = [
            ("folder", world.vault.folders.len()),
            ("record", records(3)),
            ("file", records(4)),
            ("application", records(5)),
            ("link", world.vault.links.len()),
            ("share", of_applications(|application| application.shares.len())),
            ("device", of_applications(|application| application.devices.len())),
            ("automator", world.admin.automators().count()),
        ];
        rows.into_iter().filter(|(_, count)| *count > 0).collect()
    }

    /// The environment that leads the sandbox here; `endpoint` may be a proxy in front of the emulator.
    fn environment(&self, endpoint: &str) -> BTreeMap<String, String> {
        let mut environment = BTreeMap::new();
        environment.insert(ENDPOINT_VARIABLE.to_owned(), endpoint.to_owned());
        environment.insert("KEEPER_AUTOMATOR_SANDBOX_TOOLS".to_owned(), self.tools.display().to_string());
        environment.insert("LANG".to_owned(), "C".to_owned());
        environment
    }

    /// The binary, ready to be run in this stage's sandbox.
    pub fn command(&self, endpoint: &str, line: &str) -> Command {
        let mut command = bare(self.directory.path());
        command.envs(self.environment(endpoint)).args(line.split_whitespace()).current_dir(self.directory.path());
        command.env("KEEPER_AUTOMATOR_SANDBOX_ROOT", self.directory.path());
        command
    }

    /// Runs the binary in this stage's sandbox.
    pub fn run(&self, endpoint: &str, line: &str) -> Ran {
        self.command(endpoint, line).output().expect("the product starts").into()
    }

    /// Runs the product in this process, with an HTTP client in front of AWS.
    pub async fn run_with(&self, http: SharedHttpClient, line: &str) -> Ran {
        let (stdout, stderr) = (Text::default(), Text::default());
        let host = Host {
            env: self.environment(self.endpoint()),
            stdout: stdout.writer(),
            stderr: stderr.writer(),
            interactive: false,
            terminal: false,
            clock: Arc::new(SystemClock),
            http: Some(http),
            cancelled: tokio_util::sync::CancellationToken::new(),
            sandbox_root: self.directory.path().to_owned(),
        };
        let args = ["keeper-automator"].into_iter().chain(line.split_whitespace());
        let code = deployer::run(args.map(Into::into), host).await;
        Ran { code: Some(i32::from(code.code())), stdout: stdout.take(), stderr: stderr.take() }
    }

    /// How many things of each kind carry the sandbox deployment's mark.
    pub async fn census(&self) -> BTreeMap<&'static str, usize> {
        let connection = Connection::to_emulator("eu-west-1", self.endpoint());
        let aws = Aws::connect(&connection).await.expect("the emulator answers");
        let config = Config::sandbox("unread.pfx".into(), "unread.txt".into());
        let home = Home::new(Arc::new(aws), config.name.as_str(), config.tags.clone());
        let graph = guide::graph(&config, &Material::unknown(), &home, &Keeper::by_hand(), &Words::default());
        let cx = Cx::new("census", Duration::from_secs(120), Arc::new(|_| ()), Arc::new(SystemClock));
        let mut census = BTreeMap::new();
        for marked in graph.list(&cx).await.expect("the emulator lists") {
            *census.entry(marked.kind).or_default() += 1;
        }
        census
    }
}

#[derive(Clone, Default)]
struct Text(Arc<Mutex<Vec<u8>>>);

impl Text {
    fn writer(&self) -> Arc<Mutex<Box<dyn std::io::Write + Send>>> {
        Arc::new(Mutex::new(Box::new(self.clone())))
    }

    fn take(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap_or_else(PoisonError::into_inner)).into_owned()
    }
}

impl std::io::Write for Text {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
