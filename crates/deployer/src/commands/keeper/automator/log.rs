//! `log` and `log-clear`.

use automator_admin::automator;

use super::show::named;
use super::{Target, failed};
use crate::catalogue::Lang;
use crate::commands::keeper::documents::{self, KeeperDocument, SCHEMA};
use crate::commands::keeper::print::table;
use crate::exit_codes::ExitCode;
use crate::host::Host;
use crate::refusal::Refusal;

pub(super) async fn show(host: &Host, lang: Lang, options: &Target) -> Result<ExitCode, Refusal> {
    let (session, found) = options.find(host, lang).await?;
    let lines = automator::log(&session, found.id).await.map_err(failed)?;
    let row = |line: &automator::LogLine| {
        [&line.time, &line.level, &line.component, &line.message].map(Clone::clone).to_vec()
    };
    let text = table(&lines.iter().map(row).collect::<Vec<_>>());
    let log = lines.into_iter().map(|line| documents::LogLine {
        time: line.time,
        level: line.level,
        component: line.component,
        message: line.message,
    });
    let document = KeeperDocument::AutomatorLog { schema: SCHEMA, automator: named(&found), log: log.collect() };
    Ok(options.place().print(host, &text, &document))
}

pub(super) async fn clear(host: &Host, lang: Lang, options: &Target) -> Result<ExitCode, Refusal> {
    let (session, found) = options.find(host, lang).await?;
    automator::clear_log(&session, found.id).await.map_err(failed)?;
    let text = format!("emptied the log of {}\n", found.told());
    let did = vec!["log-clear".to_owned()];
    let document = KeeperDocument::AutomatorLogCleared { schema: SCHEMA, did, automator: named(&found) };
    Ok(options.place().print(host, &text, &document))
}
