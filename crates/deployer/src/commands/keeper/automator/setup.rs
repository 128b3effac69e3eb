//! `setup`: the enterprise's keys are handed over, to a key that was looked at.

use std::sync::OnceLock;

use automator_admin::automator::{self, KeyOffer};
use clap::Args;

use super::failed;
use super::show::document;
use crate::catalogue::Lang;
use crate::cli::Format;
use crate::exit_codes::ExitCode;
use crate::host::Host;
use crate::refusal::Refusal;
use crate::show::printable;

const QUESTION: &str = "Is this the key in the log of the Automator service, of which exactly one task runs? It gets the \
                        enterprise's keys.";

#[derive(Args)]
pub(crate) struct Options {
    #[command(flatten)]
    pub(super) target: super::Target,
    /// Do not ask; the fingerprint is shown nevertheless.
    #[arg(long)]
    yes: bool,
}

pub(super) async fn run(host: &Host, lang: Lang, options: &Options) -> Result<ExitCode, Refusal> {
    let (session, found) = options.target.find(host, lang).await?;
    let place = options.target.place();
    let seen = OnceLock::new();
    let confirm = |offer: &KeyOffer| {
        let (name, url) = (printable(&offer.name), printable(&offer.url));
        let told = format!("{name} ({}) at {url} has the key\n  SHA-256 {}\n", offer.id, offer.fingerprint);
        // Whoever is asked must see it; a program finds it in its document.
        if place.format == Format::Text || !options.yes {
            host.talk(&told);
        }
        let _ = seen.set(offer.fingerprint.clone());
        options.yes || host.confirm(QUESTION)
    };
    let now = automator::setup(&session, &found, &confirm).await.map_err(failed)?;
    let (text, document) = document(&now, &["setup"], seen.into_inner());
    Ok(place.print(host, &text, &document))
}
