//! `destroy`: undo everything that is ours, users before what they use, and prove that nothing is left.

use resource_graph::{Limits, Report};

use crate::catalogue::Lang;
use crate::cli::DestroyOptions;
use crate::commands::deploy::under_lock;
use crate::commands::{Needed, Session};
use crate::exit_codes::ExitCode;
use crate::host::Host;
use crate::refusal::Refusal;

pub(crate) async fn run(host: &Host, lang: Lang, options: DestroyOptions) -> ExitCode {
    // The sandbox ends with what was in it.
    let needed = if options.keeper { Needed::Keeper } else { Needed::Nothing };
    let session = match Session::open(host, lang, &options.place, needed, "destroy", false).await {
        Ok(session) => session,
        Err((show, refusal)) => return show.refuse(&refusal),
    };
    let code = if !options.yes && !options.place.sandbox && !host.confirm(session.show.question_destroy()) {
        session.show.refuse(&Refusal::new("not-confirmed", "", "get a yes: nothing was changed").exit(ExitCode::Usage))
    } else {
        match destroy(&session).await {
            Err(refusal) => session.show.refuse(&refusal),
            Ok(report) => session.show.end(&session.cx, &report),
        }
    };
    #[cfg(feature = "sandbox")]
    if options.place.sandbox && code == ExitCode::Done {
        session.show.say(session.show.sandbox_ends());
        if let Some(world) = &session.world {
            world.end().await;
        }
    }
    session.close().await;
    code
}

async fn destroy(session: &Session) -> Result<Report, Refusal> {
    let everything = session.graph.everything();
    under_lock(session, async {
        let (discovery, _) = session.look(&everything).await?;
        let report = session.graph.destroy(&session.cx, Limits { attempts: 10, ..Limits::default() }, &discovery).await;
        if report.is_done() {
            prove_empty(session).await?;
        }
        Ok(report)
    })
    .await
}

/// Asks every service for what carries our mark.
async fn prove_empty(session: &Session) -> Result<(), Refusal> {
    let left = session.graph.list(&session.cx).await;
    let left = left.map_err(|error| Refusal::of(ExitCode::StepFailed, vec![error.failure(&"inventory".into(), "")]))?;
    if left.is_empty() {
        return Ok(());
    }
    let names: Vec<String> = left.iter().map(|marked| format!("{marked:?}")).collect();
    Err(Refusal::new("leftovers", "", "destroy everything").because(names.join(", ")).exit(ExitCode::StepFailed))
}

/// After a sandbox run that is not kept: everything is torn down again, whatever came of the run.
#[cfg(feature = "sandbox")]
pub(crate) async fn tidy_up(session: &Session, code: ExitCode) -> ExitCode {
    session.show.say(session.show.sandbox_tidies());
    match destroy(session).await {
        Ok(report) if report.is_done() => {
            session.show.say(session.show.sandbox_is_empty());
            code
        }
        Ok(report) => {
            let failed = session.show.end(&session.cx, &report);
            if code == ExitCode::Done { failed } else { code }
        }
        Err(refusal) => {
            let failed = session.show.refuse(&refusal);
            if code == ExitCode::Done { failed } else { code }
        }
    }
}
