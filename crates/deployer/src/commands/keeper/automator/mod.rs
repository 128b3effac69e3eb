//! `keeper automator`: Commander's verbs, each with the second look it lacks there (A15).

mod change;
mod create;
mod log;
mod remove;
mod setup;
mod show;

use automator_admin::Session;
use automator_admin::automator::{self, AutomatorError, AutomatorId, Info};
use clap::{Args, ValueEnum};

use super::fail;
use super::place::Place;
use super::sign_in::Account;
use crate::catalogue::Lang;
use crate::exit_codes::ExitCode;
use crate::host::Host;
use crate::refusal::Refusal;

#[derive(clap::Subcommand)]
pub(crate) enum Command {
    /// List the Automators of the enterprise
    List(show::ListOptions),
    /// Show one Automator
    View(Target),
    /// Make an Automator on a node; it is disabled and has no URL yet
    ///
    /// One of that name that is on the node already is shown instead.
    Create(create::Options),
    /// Change URL, skills or settings; whether it is enabled stays as it is
    Edit(change::EditOptions),
    /// Hand over the enterprise's keys, after the fingerprint of the service's key was shown and confirmed
    ///
    /// Whoever holds the other half of that key can read what the enterprise's keys protect: compare the fingerprint with the log
    /// of the service. Exactly one task must run meanwhile, because both steps have to reach the same one (C30).
    Setup(setup::Options),
    /// Make Keeper give the service what it needs from the identity provider's data
    Init(Target),
    /// Ask it for approvals from now on
    Enable(Target),
    /// Ask it no longer; users then wait for a push or an administrator
    Disable(Target),
    /// Take its settings back to their defaults; it has to be set up again after that
    Reset(remove::Options),
    /// Disable and delete it. The service runs on and keeps the enterprise's keys: destroy that too
    Delete(remove::Options),
    /// Show its log
    Log(Target),
    /// Empty its log
    LogClear(Target),
}

impl Command {
    pub(super) fn place(&self) -> &Place {
        match self {
            Self::List(options) => options.place(),
            Self::Create(options) => options.place(),
            Self::Edit(options) => options.target.place(),
            Self::Setup(options) => options.target.place(),
            Self::Reset(options) | Self::Delete(options) => options.target.place(),
            Self::View(options)
            | Self::Init(options)
            | Self::Enable(options)
            | Self::Disable(options)
            | Self::Log(options)
            | Self::LogClear(options) => options.place(),
        }
    }
}

/// Which Automator.
#[derive(Args)]
pub(crate) struct Target {
    #[command(flatten)]
    account: Account,
    /// The Automator's name or id.
    #[arg(value_name = "NAME|ID")]
    automator: String,
    /// Only look on this node, by name, path or id.
    #[arg(long)]
    node: Option<String>,
}

impl Target {
    fn place(&self) -> &Place {
        &self.account.place
    }

    /// Signs in and finds it.
    async fn find(&self, host: &Host, lang: Lang) -> Result<(Session, Info), Refusal> {
        let session = self.account.sign_in(host, lang).await?;
        let all = automator::list(&session).await.map_err(failed)?;
        let node = match &self.node {
            None => None,
            Some(node) => Some(node_id(&session, node).await?),
        };
        let wanted = self.automator.trim();
        let id = wanted.parse::<i64>().ok().map(AutomatorId);
        let here = all.into_iter().filter(|one| node.is_none_or(|node| one.node == node));
        let mut found: Vec<Info> = here.filter(|one| Some(one.id) == id || one.name == wanted).collect();
        // An id is the one name that is unique.
        if let Some(index) = found.iter().position(|one| Some(one.id) == id) {
            return Ok((session, found.swap_remove(index)));
        }
        match (found.pop(), found.is_empty()) {
            (Some(one), true) => Ok((session, one)),
            (None, _) => Err(failed(AutomatorError::NotFound { wanted: format!("{wanted:?}") }.into())),
            (Some(last), false) => {
                found.push(last);
                let ids: Vec<String> = found.iter().map(|one| format!("{} on node {}", one.id, one.node)).collect();
                let message = format!("choose the Automator {wanted:?}, because several have this name");
                let refusal = Refusal::new("keeper-automator-ambiguous", "A15", message).because(ids.join(", "));
                Err(refusal.hint("name it by its id, or give --node"))
            }
        }
    }
}

async fn node_id(session: &Session, wanted: &str) -> Result<i64, Refusal> {
    let enterprise = session.enterprise().await.map_err(failed)?;
    enterprise.node(wanted).map(|node| node.id).map_err(|error| failed(error.into()))
}

fn failed(error: automator_admin::Error) -> Refusal {
    fail::administrator(error, "A15")
}

/// What an Automator decides, named as in Keeper Commander.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "snake_case")]
enum Skill {
    /// Devices of users.
    Device,
    /// Teams.
    Team,
    /// Memberships in teams.
    TeamForUser,
}

impl From<Skill> for automator::Skill {
    fn from(skill: Skill) -> Self {
        match skill {
            Skill::Device => Self::DeviceApproval,
            Skill::Team => Self::TeamApproval,
            Skill::TeamForUser => Self::TeamForUserApproval,
        }
    }
}

pub(super) async fn run(host: &Host, lang: Lang, command: &Command) -> Result<ExitCode, Refusal> {
    match command {
        Command::List(options) => show::list(host, lang, options).await,
        Command::View(options) => show::view(host, lang, options).await,
        Command::Create(options) => create::run(host, lang, options).await,
        Command::Edit(options) => change::edit(host, lang, options).await,
        Command::Setup(options) => setup::run(host, lang, options).await,
        Command::Init(options) => change::init(host, lang, options).await,
        Command::Enable(options) => change::enable(host, lang, options, true).await,
        Command::Disable(options) => change::enable(host, lang, options, false).await,
        Command::Reset(options) => remove::reset(host, lang, options).await,
        Command::Delete(options) => remove::delete(host, lang, options).await,
        Command::Log(options) => log::show(host, lang, options).await,
        Command::LogClear(options) => log::clear(host, lang, options).await,
    }
}
