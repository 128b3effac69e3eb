//! `destroy`: undo everything that is ours, users before what they use, and prove that nothing is left.

use std::time::Duration;

use resource_graph::{Ended, Error, Failure, Limits, NodeId, Outcome, Pace, Progress, Report};

use crate::catalogue::Lang;
use crate::cli::DestroyOptions;
use crate::commands::deploy::under_lock;
use crate::commands::{Needed, Session};
use crate::exit_codes::ExitCode;
use crate::host::Host;
use crate::refusal::Refusal;

/// How long a listing may lag behind.
const UNTIL_UNLISTED: Pace = Pace::new(Duration::from_secs(5), Duration::from_secs(120));

pub(crate) async fn run(host: &Host, lang: Lang, options: DestroyOptions) -> ExitCode {
    // The sandbox ends with what was in it.
    let needed = if options.keeper { Needed::Keeper } else { Needed::Nothing };
    let session = match Session::open(host, lang, &options.place, needed, "destroy", false).await {
        Ok(session) => session,
        Err((show, refusal)) => return show.refuse(&refusal),
    };
    let code = if !options.yes && !options.place.sandbox && !session.show.ask(session.show.question_destroy()) {
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
        let mut report = session.graph.destroy(&session.cx, Limits::default(), &discovery).await;
        if report.is_done()
            && let Err(failure) = prove_empty(session).await
        {
            report.nodes.push(Ended {
                node: failure.node.clone(),
                kind: "inventory".to_owned(),
                step: String::new(),
                outcome: Outcome::Failed { failure },
                millis: 0,
            });
        }
        Ok(report)
    })
    .await
}

/// Asks every service for what carries our mark, until nothing does: some list what has gone for a while.
async fn prove_empty(session: &Session) -> Result<(), Failure> {
    let proved = session.cx.wait_until("the services to list nothing of ours", UNTIL_UNLISTED, || async {
        let left = session.graph.list(&session.cx).await?;
        let names: Vec<String> = left.iter().map(|marked| format!("{marked:?}")).collect();
        Ok(if names.is_empty() { Progress::Ready(()) } else { Progress::Pending(names.join(", ")) })
    });
    proved.await.map_err(|error| {
        let error = match error.code() {
            "wait-timeout" => Error::new("leftovers", "destroy everything").because(error.to_string()),
            _ => error,
        };
        error.failure(&NodeId::from("inventory"), "")
    })
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
