//! `unlock`: remove the lock of a run that is no more.

use aws_infra::logs::unlock;

use crate::catalogue::Lang;
use crate::cli::Where;
use crate::commands::{Needed, Session};
use crate::exit_codes::ExitCode;
use crate::host::Host;
use crate::refusal::Refusal;

pub(crate) async fn run(host: &Host, lang: Lang, place: Where) -> ExitCode {
    let session = match Session::open(host, lang, &place, Needed::Nothing, "unlock", false).await {
        Ok(session) => session,
        Err((show, refusal)) => return show.refuse(&refusal),
    };
    let code = match unlock(&session.home).await {
        Ok(None) => {
            session.show.say("there is no lock");
            ExitCode::Done
        }
        Ok(Some(held)) => {
            session.show.say(&format!("removed the lock of {held}"));
            ExitCode::Done
        }
        Err(error) => {
            session.show.refuse(&Refusal::of(ExitCode::StepFailed, vec![error.failure(&"lock".into(), "X4")]))
        }
    };
    session.close().await;
    code
}
