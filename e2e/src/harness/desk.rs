//! A person's desk: a directory with config, certificate and password, and the product's binary run in it.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use certs::make::{Authority, KeyType};
use jiff::{Timestamp, ToSpan};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use tokio::process::{Child, Command};

use crate::CONFIG_HEAD;
use crate::run::Ran;

const PASSWORD: &str = "the-password-of-the-pfx";

/// The file on the desk with the authority of all certificates, in PEM.
pub(super) const AUTHORITY: &str = "authority.pem";

/// Certificate, chain and key, in PEM.
pub(super) fn pem(bundle: &certs::Bundle) -> Result<String> {
    let acm = bundle.acm().map_err(|error| anyhow::anyhow!("{error}"))?;
    Ok(format!("{}\n{}\n{}", acm.body, acm.chain.unwrap_or_default(), acm.private_key.expose_secret()))
}

/// Config, certificate, password, keys.
pub struct Desk {
    directory: tempfile::TempDir,
    binary: PathBuf,
    deadline: Duration,
    /// The device configuration that a person has.
    pub(super) device: String,
    /// The certificate of the deployment.
    pub own: certs::Bundle,
    /// Another certificate of the same host, for who changes it by hand.
    pub other: certs::Bundle,
    /// The authority of both.
    authority: Authority,
}

impl Desk {
    /// The host of the deployment.
    pub const HOST: &str = "automator.example.com";
    /// The zone that owns it.
    pub const ZONE: &str = "example.com";
    /// The region.
    pub const REGION: &str = "eu-west-1";
    /// How long one run of the product may take before something is wrong.
    pub const DEADLINE: Duration = Duration::from_secs(240);
    /// The same before a real account, where a load balancer alone takes minutes.
    pub const PATIENT: Duration = Duration::from_secs(1800);

    /// A desk whose config names these endpoints.
    ///
    /// # Errors
    ///
    /// When a file cannot be written.
    pub fn new(binary: &Path, endpoint: &str, services: &BTreeMap<String, String>, deadline: Duration) -> Result<Self> {
        let directory = tempfile::tempdir()?;
        let mut config = format!(
            r#"{CONFIG_HEAD}
[keeper]
region = "EU"
record_uid = "AAAAAAAAAAAAAAAAAAAAAA"
ksm_config = {{ env = "KSM_CONFIG_VALUE" }}

[endpoint]
url = "{endpoint}"
"#
        );
        if !services.is_empty() {
            config.push_str("\n[endpoint.services]\n");
        }
        for (service, url) in services {
            let _ = writeln!(config, "{service} = \"{url}\"");
        }
        std::fs::write(directory.path().join("automator.toml"), config)?;
        std::fs::write(directory.path().join("password.txt"), PASSWORD)?;
        let now = Timestamp::now();
        let authority = Authority::throw_away("e2e", now)?;
        let issue = || authority.issue(&[Self::HOST], KeyType::P256, now - 1.hour(), now + (24 * 90).hours());
        let (own, other) = (issue()?, issue()?);
        std::fs::write(directory.path().join("ssl-certificate.pfx"), own.to_pfx(&SecretString::from(PASSWORD))?)?;
        std::fs::write(directory.path().join(AUTHORITY), authority.root().pem())?;
        // Of its own, so that nobody who builds meanwhile takes it away.
        let own_binary = directory.path().join("keeper-automator");
        std::fs::copy(binary, &own_binary).with_context(|| format!("copy {}", binary.display()))?;
        Ok(Self { directory, binary: own_binary, deadline, device: String::new(), own, other, authority })
    }

    /// A certificate for another host, by the same authority, with its key and in PEM.
    ///
    /// # Errors
    ///
    /// When the host can be in no certificate.
    pub(super) fn certificate_of(&self, host: &str) -> Result<String> {
        let now = Timestamp::now();
        pem(&self.authority.issue(&[host], KeyType::P256, now - 1.hour(), now + 24.hours())?)
    }

    /// Where all of it lies.
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// The binary with nothing of this process's environment but the path, and with no key that opens an account.
    fn command(&self, line: &str) -> Command {
        let mut command = Command::new(&self.binary);
        command.env_clear().stdin(Stdio::null()).args(line.split_whitespace()).current_dir(self.directory.path());
        if let Some(path) = std::env::var_os("PATH") {
            command.env("PATH", path);
        }
        command.env("AWS_ACCESS_KEY_ID", "testing").env("AWS_SECRET_ACCESS_KEY", "testing");
        command.env("HOME", self.directory.path()).env("AWS_EC2_METADATA_DISABLED", "true");
        command.env("LANG", "C").env("KSM_CONFIG_VALUE", &self.device).kill_on_drop(true);
        command
    }

    /// Starts a run, for who wants to end it or to start another beside it.
    ///
    /// # Errors
    ///
    /// When the binary cannot be started.
    pub fn spawn(&self, line: &str) -> Result<Child> {
        let mut command = self.command(line);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command.spawn().with_context(|| format!("start {}", self.binary.display()))
    }

    /// Waits for a run.
    ///
    /// # Errors
    ///
    /// When it does not end in time.
    pub async fn finish(&self, child: Child) -> Result<Ran> {
        let output = tokio::time::timeout(self.deadline, child.wait_with_output()).await;
        Ok(output.with_context(|| format!("a run has not ended after {} s", self.deadline.as_secs()))??.into())
    }

    /// Runs the product.
    ///
    /// # Errors
    ///
    /// When it cannot be started or does not end in time.
    pub async fn run(&self, line: &str) -> Result<Ran> {
        self.finish(self.spawn(line)?).await
    }

    /// Deploys, with a person's word for what a person does, and expects success.
    ///
    /// # Errors
    ///
    /// When it ends with another code than 0.
    pub async fn deploy(&self, more: &str) -> Result<Ran> {
        self.expect(&format!("{DEPLOY} {more}")).await
    }

    /// Runs the product and expects success.
    ///
    /// # Errors
    ///
    /// When it ends with another code than 0.
    pub async fn expect(&self, line: &str) -> Result<Ran> {
        let ran = self.run(line).await?;
        if ran.code != Some(0) {
            bail!("`{line}` ended with {:?}:\n{}\n{}", ran.code, tail(&ran.stdout, 12), tail(&ran.stderr, 12));
        }
        Ok(ran)
    }

    /// What a plan says of each node; `more` is what the command line has besides.
    ///
    /// # Errors
    ///
    /// When it says nothing that can be read.
    pub async fn plan(&self, more: &str) -> Result<Planned> {
        let ran = self.run(&format!("plan --format json {more}")).await?;
        let code = ran.code;
        let plan: Value = serde_json::from_str(&ran.stdout)
            .with_context(|| format!("the plan ended with {code:?} and reads:\n{}", tail(&ran.said(), 12)))?;
        let lines = plan["changes"].as_array().context("a plan has changes")?;
        let word = |line: &Value, name: &str| line[name].as_str().unwrap_or_default().to_owned();
        Ok(Planned(lines.iter().map(|line| (word(line, "node"), word(line, "action"))).collect()))
    }

    /// Plans, and expects that every node is as it should be.
    ///
    /// # Errors
    ///
    /// When one is not.
    pub async fn all_keep(&self, more: &str) -> Result<usize> {
        let plan = self.plan(more).await?;
        let changes = plan.changes();
        ensure!(changes.is_empty(), "the plan should keep everything, and says {changes:?}");
        Ok(plan.0.len())
    }
}

/// A deploy with a person's word for the steps that a person does.
pub(crate) const DEPLOY: &str = "deploy --yes --confirm A15 --acknowledge-a16";

/// A plan: what is to happen to each node.
#[derive(Debug)]
pub struct Planned(pub BTreeMap<String, String>);

impl Planned {
    /// What does not stay, as `node action`, sorted.
    pub fn changes(&self) -> Vec<String> {
        let changes = self.0.iter().filter(|(_, action)| *action != "keep");
        changes.map(|(node, action)| format!("{node} {action}")).collect()
    }
}

/// The last lines of a text.
pub(crate) fn tail(text: &str, lines: usize) -> String {
    let all: Vec<&str> = text.lines().collect();
    all[all.len().saturating_sub(lines)..].join("\n")
}
