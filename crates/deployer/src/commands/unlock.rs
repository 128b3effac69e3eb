//! `unlock`: remove the lock of a run that is no more.
//!
//! With `--format json` the answer is one object: `{"schema": 1, "removed": null}` where there was no lock, else with who held it
//! in `removed`: `run`, `host` and `process` as the holder wrote them, `since` and `until` as RFC 3339; what nobody can tell is
//! `null`.

use aws_infra::logs::{Held, Holder, unlock};
use serde::Serialize;

use crate::catalogue::Lang;
use crate::cli::{Format, Where};
use crate::commands::{Needed, Session};
use crate::exit_codes::ExitCode;
use crate::host::Host;
use crate::refusal::Refusal;

/// The output of `unlock --format json`.
#[derive(Serialize)]
struct Unlocked {
    schema: u32,
    removed: Option<Removed>,
}

/// A lock that was there.
#[derive(Serialize)]
struct Removed {
    run: Option<String>,
    host: Option<String>,
    process: Option<u32>,
    since: Option<String>,
    until: Option<String>,
}

impl Unlocked {
    fn of(held: Option<Held>) -> Self {
        let removed = held.map(|Held { holder, since, until }| {
            let (since, until) = (since.map(|time| time.to_string()), until.map(|time| time.to_string()));
            match holder {
                Some(Holder { run, host, pid, .. }) => {
                    Removed { run: Some(run), host: Some(host), process: Some(pid), since, until }
                }
                None => Removed { run: None, host: None, process: None, since, until },
            }
        });
        Self { schema: 1, removed }
    }
}

pub(crate) async fn run(host: &Host, lang: Lang, place: Where) -> ExitCode {
    let session = match Session::open(host, lang, &place, Needed::Nothing, "unlock", false).await {
        Ok(session) => session,
        Err((show, refusal)) => return show.refuse(&refusal),
    };
    let code = match (unlock(&session.home).await, place.format) {
        (Ok(held), Format::Json) => {
            let json = serde_json::to_string_pretty(&Unlocked::of(held)).expect("text and numbers are JSON");
            session.show.document(&(json + "\n"));
            ExitCode::Done
        }
        (Ok(None), Format::Text) => {
            session.show.say("there is no lock");
            ExitCode::Done
        }
        (Ok(Some(held)), Format::Text) => {
            session.show.say(&format!("removed the lock of {held}"));
            ExitCode::Done
        }
        (Err(error), _) => {
            session.show.refuse(&Refusal::of(ExitCode::StepFailed, vec![error.failure(&"lock".into(), "X4")]))
        }
    };
    session.close().await;
    code
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn printed(held: Option<Held>) -> Value {
        serde_json::to_value(Unlocked::of(held)).unwrap()
    }

    #[test]
    fn a_program_reads_whose_lock_it_was() {
        assert_eq!(printed(None), json!({ "schema": 1, "removed": null }));
        let holder =
            Holder { host: "here".to_owned(), pid: 4711, process: Some("boot".to_owned()), run: "r1".to_owned() };
        let since = "2026-01-01T00:00:00Z".parse().unwrap();
        let removed = json!({
            "run": "r1", "host": "here", "process": 4711, "since": "2026-01-01T00:00:00Z", "until": null
        });
        let held = Held { holder: Some(holder), since: Some(since), until: None };
        assert_eq!(printed(Some(held)), json!({ "schema": 1, "removed": removed }));
        let nobody = printed(Some(Held { holder: None, since: None, until: None }));
        assert!(nobody["removed"].is_object() && nobody["removed"]["run"].is_null(), "{nobody}");
    }
}
