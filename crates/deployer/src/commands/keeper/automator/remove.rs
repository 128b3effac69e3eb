//! `reset` and `delete`: what cannot be taken back is asked for.

use automator_admin::automator;
use clap::Args;

use super::failed;
use super::show::{done, named};
use crate::catalogue::Lang;
use crate::commands::keeper::documents::{KeeperDocument, SCHEMA};
use crate::commands::keeper::fail::not_confirmed;
use crate::exit_codes::ExitCode;
use crate::host::Host;
use crate::refusal::Refusal;
use crate::show::printable;

#[derive(Args)]
pub(crate) struct Options {
    #[command(flatten)]
    pub(super) target: super::Target,
    /// Do not ask.
    #[arg(long)]
    yes: bool,
}

impl Options {
    fn confirmed(&self, host: &Host, question: &str) -> Result<(), Refusal> {
        if self.yes || host.confirm(&printable(question)) { Ok(()) } else { Err(not_confirmed("A15")) }
    }
}

pub(super) async fn reset(host: &Host, lang: Lang, options: &Options) -> Result<ExitCode, Refusal> {
    let (session, found) = options.target.find(host, lang).await?;
    options.confirmed(host, &format!("Take {} back to its defaults?", found.told()))?;
    let now = automator::reset(&session, found.id).await.map_err(failed)?;
    Ok(done(host, options.target.place(), &now, &["reset"]))
}

pub(super) async fn delete(host: &Host, lang: Lang, options: &Options) -> Result<ExitCode, Refusal> {
    let (session, found) = options.target.find(host, lang).await?;
    options.confirmed(host, &format!("Delete {}?", found.told()))?;
    automator::remove(&session, &found).await.map_err(failed)?;
    let text = format!("deleted {}\nthe service still has the enterprise's keys: destroy it too\n", found.told());
    let did = vec!["delete".to_owned()];
    let document = KeeperDocument::AutomatorDeleted { schema: SCHEMA, did, deleted: named(&found) };
    Ok(options.target.place().print(host, &text, &document))
}
