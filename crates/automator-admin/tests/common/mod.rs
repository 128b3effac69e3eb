//! A pretend Keeper, somebody who may resume there, and the whole Keeper side of a deployment.

#![allow(dead_code, unreachable_pub, reason = "each test file uses its part")]

use std::time::Duration;

use automator_admin::automator::{self, Wanted};
use automator_admin::config::{Config, ConfigMemory};
use automator_admin::vault::{Marker, application, attachment, device, folder, record, share};
use automator_admin::{Error, Login, Options, Session};
use keeper_fake::admin::Nodes;
use keeper_fake::{Fake, Responder, Scheme, World};
use keeper_wire::OneTimeToken;
use keeper_wire::crypto::sha256;
use zeroize::Zeroizing;

pub const HOST: &str = "automator.example.com";
pub const TITLE: &str = "Keeper Automator";

/// Calls that change nothing. A login changes the clone code only.
const READS: [&str; 8] = [
    "authentication/start_login",
    "login/account_summary",
    "vault/sync_down",
    "vault/get_app_info",
    "vault/files_download",
    "enterprise/get_enterprise_data_keys",
    "enterprise/get_enterprise_data_for_user",
    "automator/automator_get_all_for_enterprise",
];

/// The fake with one configuration.
pub struct Stage {
    pub fake: Fake,
    pub config: ConfigMemory,
    pub nodes: Nodes,
    pub marker: Marker,
    /// What a deployment would have written down before it makes a device.
    pub token: OneTimeToken,
    responder: Option<Responder>,
}

impl Stage {
    /// A fake over TLS, an empty vault, and a device that may resume.
    pub async fn new() -> Self {
        let mut world = World::new();
        let nodes = world.admin.add_nodes();
        let fake = Fake::start(world, Scheme::Https).await.unwrap();
        let config = resumable(&fake);
        let (marker, token) = (Marker::new("blue"), OneTimeToken::random());
        Self { fake, config, nodes, marker, token, responder: None }
    }

    /// The same, and an Automator service answers at [`HOST`].
    pub async fn with_service() -> Self {
        let mut stage = Self::new().await;
        let mut contacts = stage.fake.world().contacts.clone();
        stage.responder = Some(Responder::at(HOST, &mut contacts).await.unwrap());
        stage.fake.world().contacts = contacts;
        stage
    }

    pub fn options(&self) -> Options {
        options(&self.fake)
    }

    pub fn login(&self) -> Login {
        Login::new(self.config.clone()).options(self.options())
    }

    pub async fn sign_in(&self) -> Session {
        self.login().sign_in().await.unwrap()
    }

    /// Names of the calls since the journal had `from` entries.
    pub fn calls(&self, from: usize) -> Vec<String> {
        self.fake.world().journal[from..].iter().map(|entry| entry.call.clone()).collect()
    }

    /// The same without what changes nothing. Downloads are `GET`.
    pub fn writes(&self, from: usize) -> Vec<String> {
        let world = self.fake.world();
        let posts = world.journal[from..].iter().filter(|entry| entry.method == "POST");
        posts.map(|entry| entry.call.clone()).filter(|call| !READS.contains(&&**call)).collect()
    }

    pub fn requests(&self) -> usize {
        self.fake.world().journal.len()
    }
}

/// Another device of the account that may resume.
pub fn resumable(fake: &Fake) -> ConfigMemory {
    let origin = fake.origin().to_owned();
    let mut world = fake.world();
    let device = world.admin.add_resumable();
    let json = world.admin.commander_config(&origin, &device).to_string();
    ConfigMemory::new(Config::parse(json.as_bytes()).unwrap())
}

/// Impatient, because nothing here gets better by waiting.
pub fn options(fake: &Fake) -> Options {
    Options::new()
        .server_keys(fake.world().server_keys())
        .authority(fake.ca_pem().unwrap())
        .retry_pause(Duration::from_millis(1))
        .throttle_pause(Duration::from_millis(2))
        .deadline(Duration::from_secs(60))
}

/// Content of the three files of the guide.
pub fn files(generation: &str) -> Vec<attachment::NewFile> {
    let file = |name: &str| attachment::NewFile {
        name: name.to_owned(),
        bytes: Zeroizing::new(format!("{generation} {name}").into_bytes()),
    };
    ["ssl-certificate.pfx", "ssl-certificate-password.txt", "keeper.properties"].map(file).into()
}

/// The Keeper side of a deployment, as the graph would do it: each step looks first.
pub async fn apply(session: &Session, marker: &Marker, token: &OneTimeToken, node: i64) -> Result<(), Error> {
    let folder = folder::create(session, TITLE, marker).await?;
    let record = record::create(session, &folder, TITLE, marker).await?;
    let mut kept = Vec::new();
    let mut missing = files("one");
    for found in attachment::list(&*session.vault().await?, record.uid) {
        let digest = attachment::digest(session, &found).await?;
        let wanted = missing.iter().position(|file| file.name == found.name && sha256(&file.bytes) == digest);
        match wanted {
            Some(index) => drop(missing.remove(index)),
            None => kept.push(found.uid),
        }
    }
    if missing.is_empty() && kept.is_empty() {
        attachment::sweep(session, record.uid).await?;
    } else {
        attachment::put(session, record.uid, &missing, &kept).await?;
    }
    let application = application::create(session, TITLE, marker).await?;
    share::create(session, &application, &folder, true).await?;
    device::create(session, &application, "ecs", token).await?;
    automator::apply(session, &Wanted::new(node, "automator", HOST), &|_| true).await?;
    Ok(())
}

/// The way back.
pub async fn undo(session: &Session, marker: &Marker, node: i64) -> Result<(), Error> {
    if let Some(automator) = automator::find(session, node, "automator").await? {
        automator::remove(session, &automator).await?;
    }
    let vault = session.vault().await?;
    for application in application::owned(&vault, marker) {
        application::remove(session, &application).await?;
    }
    for record in record::owned(&vault, marker) {
        record::remove(session, &record).await?;
    }
    for folder in folder::owned(&vault, marker) {
        folder::remove(session, &folder).await?;
    }
    Ok(())
}

/// What there is, by counting and by content: folders, records of versions 3, 4 and 5, links, shares, devices, Automators.
pub fn state(fake: &Fake) -> String {
    let world = fake.world();
    let version = |version| world.vault.records.values().filter(|record| record.version == version).count();
    let applications = world.vault.applications.values();
    let shares: Vec<_> = applications.clone().flat_map(|app| app.shares.values().map(|share| share.editable)).collect();
    let devices: Vec<_> =
        applications.flat_map(|app| app.devices.iter().map(|d| (d.name.clone(), d.lock_ip))).collect();
    let automators: Vec<_> =
        world.admin.automators().map(|a| (a.name.clone(), a.url.clone(), a.enabled, a.state, a.keys)).collect();
    format!(
        "folders {} records {} files {} applications {} links {} shares {shares:?} devices {devices:?} automators {automators:?}",
        world.vault.folders.len(),
        version(3),
        version(4),
        version(5),
        world.vault.links.len(),
    )
}
