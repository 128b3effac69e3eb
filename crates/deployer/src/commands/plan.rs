//! `plan`: look, decide, show; nothing is changed.

use crate::catalogue::Lang;
use crate::cli::{Format, PlanOptions};
use crate::commands::{Needed, Session};
use crate::exit_codes::ExitCode;
use crate::host::Host;
use crate::show;

pub(crate) async fn run(host: &Host, lang: Lang, options: PlanOptions) -> ExitCode {
    let session = match Session::open(host, lang, &options.place, Needed::Material, "plan", false).await {
        Ok(session) => session,
        Err((show, refusal)) => return show.refuse(&refusal),
    };
    let looked = async { session.look(&session.selection(&options.part)?).await };
    let code = match looked.await {
        Err(refusal) => session.show.refuse(&refusal),
        Ok((_, plan)) => {
            match options.place.format {
                Format::Text => session.show.document(&show::plan_text(&plan, lang)),
                Format::Json => session.show.document(&show::PlanDocument::of(&plan).to_json()),
            }
            if plan.blocked().next().is_some() {
                ExitCode::Blocked
            } else if options.exit_code && !plan.is_quiet() {
                ExitCode::PlanHasChanges
            } else {
                ExitCode::Done
            }
        }
    };
    session.close().await;
    code
}
