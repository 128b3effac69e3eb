//! The scene of a flow: an emulator, the witness before it, a desk, and a look into the account.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use aws_infra::Aws;

use super::account::Account;
use super::containers::Containers;
use super::desk::Desk;
use super::emulator::{Emulator, Running};
use super::normal;
use super::vault::Administrator;
use crate::proxy::{Call, RecordingProxy};

/// What an undisturbed run makes, and how long it takes.
#[derive(Debug)]
pub struct Undisturbed {
    /// How many of each kind in AWS.
    pub account: BTreeMap<&'static str, usize>,
    /// How many of each kind in Keeper.
    pub vault: Vec<(&'static str, usize)>,
    /// How often each create is called.
    pub creates: BTreeMap<String, usize>,
    /// How long a deploy takes.
    pub deployed_in: Duration,
    /// How long a destroy takes.
    pub destroyed_in: Duration,
}

/// Where a flow plays.
pub struct Scene {
    /// The emulator.
    pub running: Running,
    /// The witness.
    pub proxy: RecordingProxy,
    /// The person.
    pub desk: Desk,
    /// The account, past the proxy.
    pub aws: Arc<Aws>,
    /// The vault that `keeper.toml` signs in to, past the product.
    pub administrator: Administrator,
    /// What was seen of undisturbed runs, by the line that destroys what they made.
    pub undisturbed: BTreeMap<&'static str, Arc<Undisturbed>>,
    /// What an empty account has in it.
    before: BTreeSet<String>,
    /// The way past the witness into a real account.
    _aside: Option<RecordingProxy>,
}

impl Scene {
    /// Sets the scene.
    ///
    /// # Errors
    ///
    /// When the emulator does not answer.
    pub async fn set(running: Running, binary: PathBuf, containers: &mut Containers) -> Result<Self> {
        let proxy = match &running.account {
            Some(account) => RecordingProxy::before_account(account.clone())?,
            None => RecordingProxy::start(&running.endpoint)?,
        };
        let aside = running.account.clone().map(RecordingProxy::before_account).transpose()?;
        proxy.set_rewrites(normal::rewrites(running.emulator));
        proxy.set_stand_ins(normal::stand_ins(&running));
        let mut services = BTreeMap::new();
        for (name, url) in &running.services {
            services.insert(name.clone(), proxy.also(url)?);
        }
        let deadline = if running.account.is_some() { Desk::PATIENT } else { Desk::DEADLINE };
        let mut desk = Desk::new(&binary, proxy.endpoint(), &services, deadline)?;
        let direct = aside.as_ref().map_or(running.endpoint.as_str(), RecordingProxy::endpoint);
        let aws = Account::door(direct, &running.services).await?;
        if running.account.is_some() {
            // Every flow destroys the deployment before it begins.
            let here = Account::read(&aws, &BTreeSet::new(), true).await.context("look into the account")?;
            let ours: Vec<_> = here.deployed().collect();
            ensure!(
                ours.is_empty(),
                "nothing was touched: keeper-automator has a deployment in this account, {ours:?}"
            );
        }
        let administrator = super::keeper::open(containers, &mut desk, &aws, &proxy).await?;
        let (undisturbed, before) = (BTreeMap::new(), BTreeSet::new());
        let mut scene = Self { running, proxy, desk, aws, administrator, undisturbed, before, _aside: aside };
        scene.empty().await?;
        Ok(scene)
    }

    /// Empties the emulator, and makes what exists before a deployment: the zone of the host.
    ///
    /// # Errors
    ///
    /// When it is not empty afterwards.
    pub async fn empty(&mut self) -> Result<()> {
        self.proxy.end_script();
        if self.running.resets.is_empty() {
            self.zone().await?;
            self.desk.expect("destroy --yes").await?;
        } else {
            self.running.reset().await?;
            self.zone().await?;
        }
        self.before = Account::read(&self.aws, &BTreeSet::new(), self.running.has_all_services()).await?.ids();
        self.proxy.clear();
        Ok(())
    }

    /// Leaves nothing where nobody resets, as in a real account, where it goes on to cost money.
    ///
    /// # Errors
    ///
    /// When something is left.
    pub async fn leave(&mut self) -> Result<()> {
        if self.running.resets.is_empty() && self.running.emulator == Emulator::Endpoint {
            self.empty().await?;
            let here = Account::read(&self.aws, &BTreeSet::new(), self.running.has_all_services()).await?;
            let left: Vec<_> = here.deployed().collect();
            ensure!(left.is_empty(), "something is left: {left:?}");
        }
        Ok(())
    }

    async fn zone(&self) -> Result<()> {
        if self.running.account.is_some() {
            // Nobody may have this zone there, and no step that is played needs it.
            return Ok(());
        }
        let zones = self.aws.route53.list_hosted_zones_by_name().dns_name(Desk::ZONE).send().await?;
        if !zones.hosted_zones().iter().any(|zone| zone.name().trim_end_matches('.') == Desk::ZONE) {
            let make = self.aws.route53.create_hosted_zone().name(Desk::ZONE);
            let reference = format!("{:?}", std::time::SystemTime::now());
            make.caller_reference(reference).send().await.context("make the hosted zone")?;
        }
        Ok(())
    }

    /// What is in the account.
    ///
    /// # Errors
    ///
    /// What a service says.
    pub async fn account(&self) -> Result<Account> {
        Account::read(&self.aws, &self.before, self.running.has_all_services()).await
    }

    /// Expects that nothing is left.
    ///
    /// # Errors
    ///
    /// When something is.
    pub async fn nothing_left(&self) -> Result<()> {
        let left = self.account().await?;
        ensure!(left.0.is_empty(), "something is left: {:?}", left.0.keys().collect::<Vec<_>>());
        Ok(())
    }

    /// The calls so far that may have changed something.
    pub fn changes(&self) -> Vec<Call> {
        self.proxy.calls().into_iter().filter(|call| call.mutating).collect()
    }

    /// The product's `--only`, where the emulator does not carry the whole guide.
    pub fn only(&self) -> String {
        self.running.only.map(|steps| format!("--only {steps}")).unwrap_or_default()
    }
}
