//! The Keeper half of a deployment, broken at each of its requests: cut before the effect, cut after it, and the process killed
//! while it waits for the answer. One more run leads to what an undisturbed run leaves, without twins on either side.
//!
//! Each run is the built binary, which signs in to a pretend Keeper in this process: that one lives on when the product dies. K2
//! to K7 are begun with nothing on either side; A15 is begun beside a finished AWS half, of which only the Automator is missing.

use std::collections::BTreeMap;
use std::fmt;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use aws_infra::{Aws, Connection, Home};
use certs::make::{Authority, KeyType};
use deployer::exit_codes::ExitCode;
use e2e::{CONFIG_HEAD, Ran, Stage};
use jiff::{Timestamp, ToSpan};
use keeper_fake::faults::{Fault, On};
use keeper_fake::{Fake, Responder, Scheme, World};
use secrecy::SecretString;
use tokio::process::Command;

const HOST: &str = "automator.example.com";
const SECRET: &str = "automator/ksm-config";
/// Longer than any test waits.
const FOR_EVER: Duration = Duration::from_secs(3600);

/// How a run is broken.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Break {
    CutBefore,
    CutAfter,
    Killed,
}

impl Break {
    /// What the request meets. A killed run waits for the answer to something that was done.
    fn fault(self) -> Fault {
        match self {
            Self::CutBefore => Fault::CutBefore,
            Self::CutAfter => Fault::CutAfter,
            Self::Killed => Fault::Slow(FOR_EVER),
        }
    }
}

/// A config, an emulated AWS and a pretend Keeper.
struct Desk {
    stage: Stage,
    aws: Arc<Aws>,
    fake: Fake,
    _responder: Responder,
    /// What the deployment is run with.
    deploy: &'static str,
}

/// What there is on both sides, by counting and by what can be told apart.
#[derive(PartialEq, Eq)]
struct State {
    keeper: String,
    secrets: Vec<String>,
    /// How many services there are with how many tasks each.
    tasks: Vec<i32>,
}

impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\n  Keeper: {}\n  AWS: secrets {:?}, tasks {:?}\n", self.keeper, self.secrets, self.tasks)
    }
}

/// A pretend Keeper and a configuration that signs in to it, as they were.
struct Snapshot {
    world: Vec<u8>,
    login: String,
}

impl Desk {
    async fn open(deploy: &'static str) -> Self {
        let stage = Stage::open().await;
        let mut world = World::new();
        world.admin.add_nodes();
        let responder = Responder::at(HOST, &mut world.contacts).await.unwrap();
        let fake = Fake::start(world, Scheme::Https).await.unwrap();
        let connection = Connection::to_emulator("eu-west-1", stage.endpoint());
        let aws = Arc::new(Aws::connect(&connection).await.unwrap());
        let desk = Self { stage, aws, fake, _responder: responder, deploy };

        let now = Timestamp::now();
        let authority = Authority::throw_away("Test", now).unwrap();
        let bundle = authority.issue(&[HOST], KeyType::P256, now - 1.hour(), now + (24 * 90).hours()).unwrap();
        desk.file("ssl-certificate.pfx", &bundle.to_pfx(&SecretString::from("the-password")).unwrap());
        desk.file("password.txt", b"the-password");
        desk.file("ca.pem", desk.fake.ca_pem().unwrap().as_bytes());
        let keys = desk.fake.world().server_keys();
        let keys: Vec<String> = keys.texts().map(|(id, key)| format!("{id} = {key:?}")).collect();
        let config = format!(
            r#"{CONFIG_HEAD}
[keeper]
region = "EU"

[keeper.login]
config = "login.json"

[keeper.endpoint]
host = "{}"
ca_file = "ca.pem"

[keeper.endpoint.server_keys]
{}

[automator]
node = "Azure Cloud"

[endpoint]
url = "{}"
"#,
            desk.fake.address(),
            keys.join("\n"),
            desk.stage.endpoint(),
        );
        desk.file("automator.toml", config.as_bytes());
        desk.sign_in();
        desk
    }

    fn file(&self, name: &str, bytes: &[u8]) {
        std::fs::write(self.stage.directory().join(name), bytes).unwrap();
    }

    /// Signs in afresh, as a person does: a device whose clone code is good.
    fn sign_in(&self) {
        let mut world = self.fake.world();
        let device = world.admin.add_resumable();
        let login = world.admin.commander_config(self.fake.origin(), &device);
        self.file("login.json", login.to_string().as_bytes());
    }

    fn snapshot(&self) -> Snapshot {
        let world = serde_json::to_vec(&*self.fake.world()).unwrap();
        let login = std::fs::read_to_string(self.stage.directory().join("login.json")).unwrap();
        Snapshot { world, login }
    }

    fn restore(&self, snapshot: &Snapshot) {
        let mut world: World = serde_json::from_slice(&snapshot.world).unwrap();
        let mut here = self.fake.world();
        world.contacts = here.contacts.clone();
        world.journal.clear();
        *here = world;
        self.file("login.json", snapshot.login.as_bytes());
    }

    fn command(&self) -> Command {
        let mut command = Command::from(self.stage.command(self.stage.endpoint(), self.deploy));
        command.env("AWS_ACCESS_KEY_ID", "testing").env("AWS_SECRET_ACCESS_KEY", "testing");
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        command
    }

    async fn run(&self) -> Ran {
        self.command().output().await.unwrap().into()
    }

    fn requests(&self) -> usize {
        self.fake.world().journal.len()
    }

    /// Breaks a run at a request. Gives the name of the call; none when the run was over before.
    async fn broken(&self, index: usize, how: Break) -> Option<String> {
        self.fake.world().faults.nth(index as u64, On::Any, how.fault());
        let mut child = self.command().spawn().unwrap();
        let met = || self.fake.world().faults.waiting() == 0;
        // Written down when it is done: for a setup that is after the Automator was called.
        let done = || met() && self.fake.world().journal.len() > index;
        let ended = loop {
            match tokio::time::timeout(Duration::from_millis(5), child.wait()).await {
                Ok(status) => break Some(status.unwrap()),
                Err(_) if how == Break::Killed && done() => break None,
                Err(_) => {}
            }
        };
        if ended.is_none() {
            child.kill().await.unwrap();
        }
        let met = met();
        self.fake.world().faults.clear();
        if !met {
            assert!(ended.is_some_and(|status| status.success()), "an undisturbed run ended with {ended:?}");
            return None;
        }
        Some(self.fake.world().journal[index].call.clone())
    }

    async fn state(&self) -> State {
        let secrets = self.aws.secrets.list_secrets().send().await.unwrap();
        let secrets = secrets.secret_list().iter().map(|secret| secret.name().unwrap().to_owned()).collect();
        let mut tasks = Vec::new();
        let clusters = self.aws.ecs.list_clusters().send().await.unwrap();
        for cluster in clusters.cluster_arns() {
            let services = self.aws.ecs.describe_services().cluster(cluster).services("automator-service");
            let services = services.send().await.unwrap();
            tasks.extend(services.services().iter().map(aws_sdk_ecs::types::Service::desired_count));
        }
        let world = self.fake.world();
        let version = |version| world.vault.records.values().filter(|record| record.version == version).count();
        let applications = || world.vault.applications.values();
        let shares: Vec<bool> =
            applications().flat_map(|app| app.shares.values().map(|share| share.editable)).collect();
        let devices: Vec<_> =
            applications().flat_map(|app| app.devices.iter().map(|d| (d.name.clone(), d.lock_ip))).collect();
        let automators: Vec<_> =
            world.admin.automators().map(|a| (a.name.clone(), a.url.clone(), a.enabled, a.state, a.keys)).collect();
        let keeper = format!(
            "folders {} records {} files {} links {} applications {} shares {shares:?} devices {devices:?} \
             automators {automators:?}",
            world.vault.folders.len(),
            version(3),
            version(4),
            world.vault.links.len(),
            version(5),
        );
        State { keeper, secrets, tasks }
    }

    /// What K7 has in AWS; emptying the whole emulator takes longer.
    async fn forget_secret(&self) {
        let gone = self.aws.secrets.delete_secret().secret_id(SECRET).force_delete_without_recovery(true);
        gone.send().await.unwrap();
    }

    /// The device whose configuration the secret holds may read, and there is one of it.
    async fn secret_fits(&self) {
        let secret = self.aws.secrets.get_secret_value().secret_id(SECRET).send().await;
        let config = ksm_client::Config::parse(secret.unwrap().secret_string().unwrap()).unwrap();
        assert!(config.is_bound());
        let id = *config.client_id();
        let world = self.fake.world();
        let mut devices = world.vault.applications.values().flat_map(|app| &app.devices);
        assert!(devices.any(|device| device.client_id == id), "the secret is of no device");
    }

    /// Runs it again once, after a fresh login if the clone code is spent: that nobody but a person can mend.
    async fn completed(&self, index: usize, call: &str, how: Break, expected: &State) {
        if index == 0 && how != Break::CutBefore {
            assert_eq!(call, "authentication/start_login");
            let before = self.state().await;
            let ran = self.run().await.ended(ExitCode::Refused);
            for words in [
                "keeper-login-not-resumed",
                "an earlier run sent this code, which is good once, and never got the answer",
                "run keeper-automator keeper login once, in a terminal, or give the master password",
            ] {
                assert!(ran.said().contains(words), "`{words}` is missing in:\n{}", ran.said());
            }
            assert_eq!(self.state().await, before, "nothing else is harmed");
            self.sign_in();
        }
        let ran = self.run().await;
        assert_eq!(ran.code, Some(0), "after {call} (request {index}):\n{}", ran.said());
        assert_eq!(self.state().await, *expected, "after {call} (request {index})");
        self.secret_fits().await;
    }
}

/// K2 to K7 with nothing on either side.
async fn vault(how: Break) {
    let desk = Desk::open("deploy --yes --until K7").await;
    let empty = desk.snapshot();
    desk.run().await.ended(ExitCode::Done);
    let expected = desk.state().await;
    let least = desk.requests();
    assert!(least > 20 && expected.secrets == [SECRET], "{least} {expected:?}");
    let mut index = 0;
    loop {
        desk.forget_secret().await;
        desk.restore(&empty);
        // Two branches of the graph go on at once, so that a run has now more and now fewer requests.
        let Some(call) = desk.broken(index, how).await else { break };
        desk.completed(index, &call, how, &expected).await;
        index += 1;
    }
    assert!(index + 5 >= least, "{index} of {least} requests were met");
}

/// A15 beside a finished AWS half. A run is killed at each request. Cuts begin where the first change is near: what is read
/// before it is read from the vault, too, and changes nothing.
async fn automator(how: Break) {
    let desk = Desk::open("deploy --yes --acknowledge-a16").await;
    let home = Home::new(desk.aws.clone(), "automator", BTreeMap::new());
    aws_infra::route53::ensure_zone(&home, "example.com").await.unwrap();
    desk.run().await.ended(ExitCode::Done);
    let expected = desk.state().await;
    assert_eq!(expected.tasks, [2], "{expected:?}");
    desk.delete_automator().await;
    let without = desk.snapshot();
    desk.restore(&without);
    desk.run().await.ended(ExitCode::Done);
    assert_eq!(desk.state().await, expected);
    let calls: Vec<String> = desk.fake.world().journal.iter().map(|entry| entry.call.clone()).collect();
    let create = calls.iter().position(|call| call == "automator/automator_create").unwrap();
    let mut index = if how == Break::Killed { 0 } else { create - 2 };
    loop {
        desk.restore(&without);
        let Some(call) = desk.broken(index, how).await else { break };
        desk.completed(index, &call, how, &expected).await;
        index += 1;
    }
    assert!(index > create + 8, "{calls:?}");
}

impl Desk {
    /// As an administrator would by hand.
    async fn delete_automator(&self) {
        use automator_admin::config::ConfigFile;
        let options = automator_admin::Options::new()
            .server_keys(self.fake.world().server_keys())
            .authority(self.fake.ca_pem().unwrap());
        let login = ConfigFile::at(self.stage.directory().join("login.json"));
        let session = automator_admin::Login::new(login).options(options).sign_in().await.unwrap();
        let all = automator_admin::automator::list(&session).await.unwrap();
        assert_eq!(all.len(), 1);
        automator_admin::automator::remove(&session, &all[0]).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_vault_cut_before_any_request_is_completed_by_the_next_run() {
    vault(Break::CutBefore).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_vault_cut_after_any_request_is_completed_by_the_next_run() {
    vault(Break::CutAfter).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_vault_killed_at_any_request_is_completed_by_the_next_run() {
    vault(Break::Killed).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_automator_cut_before_any_request_is_completed_by_the_next_run() {
    automator(Break::CutBefore).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_automator_cut_after_any_request_is_completed_by_the_next_run() {
    automator(Break::CutAfter).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_automator_killed_at_any_request_is_completed_by_the_next_run() {
    automator(Break::Killed).await;
}
