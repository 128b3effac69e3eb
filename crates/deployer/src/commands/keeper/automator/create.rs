//! `create`.

use automator_admin::automator;
use clap::Args;

use super::show::done;
use super::{failed, node_id};
use crate::catalogue::Lang;
use crate::commands::keeper::place::Place;
use crate::commands::keeper::sign_in::Account;
use crate::exit_codes::ExitCode;
use crate::host::Host;
use crate::refusal::Refusal;

#[derive(Args)]
pub(crate) struct Options {
    #[command(flatten)]
    account: Account,
    /// The Automator's name.
    name: String,
    /// The node it serves, by name, path or id; it needs an active SSO service.
    #[arg(long)]
    node: String,
}

impl Options {
    pub(super) fn place(&self) -> &Place {
        &self.account.place
    }
}

pub(super) async fn run(host: &Host, lang: Lang, options: &Options) -> Result<ExitCode, Refusal> {
    let name = options.name.trim();
    if name.is_empty() || name.parse::<i64>().is_ok() {
        let refusal = Refusal::new("keeper-automator-name", "A15", "create an Automator: its name could be an id");
        return Err(refusal.exit(ExitCode::Usage).hint("give it a name that is no number"));
    }
    let session = options.account.sign_in(host, lang).await?;
    let node = node_id(&session, &options.node).await?;
    let there = automator::find(&session, node, name).await.map_err(failed)?;
    if let Some(there) = there {
        return Ok(done(host, options.place(), &there, &[]));
    }
    let made = automator::create(&session, node, name).await.map_err(failed)?;
    Ok(done(host, options.place(), &made, &["create"]))
}
