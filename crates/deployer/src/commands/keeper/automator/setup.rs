//! `setup`: the enterprise's keys are handed over, to a key that was looked at.

use automator_admin::automator::{self, KeyOffer};
use clap::Args;

use super::failed;
use super::show::done;
use crate::catalogue::Lang;
use crate::commands::keeper::print::printable;
use crate::exit_codes::ExitCode;
use crate::host::Host;
use crate::refusal::Refusal;

#[derive(Args)]
pub(crate) struct Options {
    #[command(flatten)]
    pub(super) target: super::Options,
    /// Do not ask; the fingerprint is shown nevertheless.
    #[arg(long)]
    yes: bool,
}

pub(super) async fn run(host: &Host, lang: Lang, options: &Options) -> Result<ExitCode, Refusal> {
    let (session, found) = options.target.find(host, lang).await?;
    let tell = options.target.place().tell(host);
    let confirm = |offer: &KeyOffer| {
        let (name, url) = (printable(&offer.name), printable(&offer.url));
        tell(&format!("{name} ({}) at {url} has the key\n  SHA-256 {}", offer.id, offer.fingerprint));
        options.yes
            || host.confirm(
                "Is this the key in the log of the Automator service, of which exactly one task runs? It gets the enterprise's keys.",
            )
    };
    let now = automator::setup(&session, &found, &confirm).await.map_err(failed)?;
    Ok(done(host, options.target.place(), &now, &["setup"]))
}
