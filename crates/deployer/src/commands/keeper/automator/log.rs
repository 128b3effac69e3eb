//! `log` and `log-clear`.

use automator_admin::automator;
use serde_json::json;

use super::{Target, failed};
use crate::catalogue::Lang;
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
    let json = json!({ "schema": 1, "automator": { "id": found.id, "name": found.name }, "log": lines });
    Ok(options.place().print(host, &text, &json))
}

pub(super) async fn clear(host: &Host, lang: Lang, options: &Target) -> Result<ExitCode, Refusal> {
    let (session, found) = options.find(host, lang).await?;
    automator::clear_log(&session, found.id).await.map_err(failed)?;
    let text = format!("emptied the log of {}\n", found.told());
    let json = json!({ "schema": 1, "did": ["log-clear"], "automator": { "id": found.id, "name": found.name } });
    Ok(options.place().print(host, &text, &json))
}
