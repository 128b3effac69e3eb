//! `deploy`: plan, confirm, apply.

use std::time::Duration;

use aws_infra::logs::{DeploymentLock, Holder};
use resource_graph::{Ended, Error, Limits, NodeId, Outcome, Plan, Report, with_lease};

use crate::catalogue::{Lang, StepId};
use crate::cli::{DeployOptions, Format};
use crate::commands::{Needed, Session};
use crate::exit_codes::ExitCode;
use crate::host::Host;
use crate::refusal::Refusal;
use crate::show;

/// How long a lock is believed without a sign of life of its holder.
pub(crate) const LOCK_TTL: Duration = Duration::from_secs(120);

pub(crate) async fn run(host: &Host, lang: Lang, options: DeployOptions) -> ExitCode {
    let session = match Session::open(host, lang, &options.place, Needed::Material, "deploy", options.keep).await {
        Ok(session) => session,
        Err((show, refusal)) => return show.refuse(&refusal),
    };
    let said = |step| options.confirm.contains(&step) || (step == StepId::A16 && options.acknowledge_a16);
    for step in [StepId::A15, StepId::A16] {
        // Nobody tests a sandbox, and it says so.
        if options.place.sandbox {
            session.say_so(step, "the sandbox");
        } else if said(step) {
            session.say_so(step, &who(host));
        }
    }
    for step in options.confirm.iter().filter(|step| !session.waits_for_word(**step)) {
        session.show.warn("--confirm", None, &format!("nobody's word is needed for {step}: this run does it itself"));
    }
    let code = loop {
        match deploy(lang, &session, &options).await {
            Err(refusal) => break session.show.refuse(&refusal),
            Ok(report) => {
                let code = session.show.end(&session.cx, &report);
                if code != ExitCode::WaitsForYou || !ask_for_word(host, &session, &options, &report) {
                    break code;
                }
                session.show.begin();
            }
        }
    };
    #[cfg(feature = "sandbox")]
    let code =
        if options.place.sandbox && !options.keep { super::destroy::tidy_up(&session, code).await } else { code };
    session.close().await;
    code
}

async fn deploy(lang: Lang, session: &Session, options: &DeployOptions) -> Result<Report, Refusal> {
    let selection = session.selection(&options.part)?;
    let (discovery, plan) = session.look(&selection).await?;
    session.graph.tell(&session.cx, &plan);
    if options.place.format == Format::Text {
        session.show.document(&show::plan_text(&plan, lang));
    }
    refuse_blocked(&plan)?;
    if plan.is_quiet() {
        return Ok(session.graph.apply(&session.cx, Limits::default(), &discovery, &plan).await);
    }
    if !options.yes && !options.place.sandbox && !session.show.ask(session.show.question()) {
        return Err(Refusal::new("not-confirmed", "", "get a yes: nothing was changed").exit(ExitCode::Usage));
    }
    under_lock(session, async {
        // Between the look and the lock somebody else may have been at work.
        let (discovery, now) = session.look(&selection).await?;
        refuse_blocked(&now)?;
        if let Some(worse) = now.worse_than(&plan).next() {
            let message = format!("deploy as confirmed: {} would now be {}", worse.node, worse.action.word());
            return Err(Refusal::new("plan-got-worse", &worse.step, message).exit(ExitCode::Blocked));
        }
        Ok(session.graph.apply(&session.cx, Limits::default(), &discovery, &now).await)
    })
    .await
}

/// Asks whether the first step that waits for a person is done by now; `false` when it is not, when a word is not enough for it,
/// or nobody is there.
fn ask_for_word(host: &Host, session: &Session, options: &DeployOptions, report: &Report) -> bool {
    let Some(step) = askable(report, options.yes) else { return false };
    let said = session.show.ask(&session.show.question_step(step));
    if said {
        session.say_so(step, &who(host));
    }
    said
}

/// The first step that waits, if a person's word is all it waits for; for the others the config says what came of them. None
/// where nothing is asked.
fn askable(report: &Report, yes: bool) -> Option<StepId> {
    if yes {
        return None;
    }
    let (first, _) = report.waiting().next()?;
    let step = first.step.parse().ok()?;
    matches!(step, StepId::A15 | StepId::A16).then_some(step)
}

/// Who says so, fit for the value of a tag.
fn who(host: &Host) -> String {
    let user = ["USER", "LOGNAME", "USERNAME"].iter().find_map(|name| host.env.get(*name));
    let fit = |c: &char| c.is_alphanumeric() || "+-=._:/@ ".contains(*c);
    let user: String = user.map_or("a person", String::as_str).chars().filter(fit).take(100).collect();
    format!("{user} {}", host.clock.now().strftime("%Y-%m-%dT%H:%M:%SZ"))
}

/// Does `work` while holding the deployment's lock. A lock that was lost, or that could not be given back, is one more failure
/// in the report: what was done until then is told all the same.
pub(crate) async fn under_lock(
    session: &Session,
    work: impl Future<Output = Result<Report, Refusal>>,
) -> Result<Report, Refusal> {
    let holder = Holder::this_process(session.cx.run());
    let lock = DeploymentLock { home: session.home.clone(), holder, ttl: LOCK_TTL };
    let failure = |error: &Error| error.failure(&NodeId::from("lock"), StepId::X4.as_str());
    let (done, held) = with_lease(&lock, &session.cx, LOCK_TTL / 4, work).await.map_err(|error| {
        let exit = match error.code() {
            "locked" => ExitCode::Locked,
            "cancelled" => ExitCode::Cancelled,
            _ => ExitCode::StepFailed,
        };
        Refusal::of(exit, vec![failure(&error)])
    })?;
    let Err(error) = held else { return done };
    match done {
        Ok(mut report) => {
            report.nodes.push(Ended {
                node: NodeId::from("lock"),
                kind: "deployment-lock".to_owned(),
                step: StepId::X4.as_str().to_owned(),
                outcome: Outcome::Failed { failure: failure(&error) },
                millis: report.millis,
            });
            Ok(report)
        }
        Err(mut refusal) => {
            refusal.failures.push(failure(&error));
            Err(refusal)
        }
    }
}

fn refuse_blocked(plan: &Plan) -> Result<(), Refusal> {
    let failures: Vec<_> = plan
        .blocked()
        .map(|change| {
            let resource_graph::Planned::Blocked { code, why } = &change.action else {
                unreachable!("blocked() gives these")
            };
            let mut failure =
                Refusal::new(code, &change.step, format!("plan {}", change.node)).because(why.clone()).failures;
            failure[0].node = change.node.clone();
            failure.remove(0)
        })
        .collect();
    if failures.is_empty() { Ok(()) } else { Err(Refusal::of(ExitCode::Blocked, failures)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn waiting(steps: &[&str]) -> Report {
        let ended = |step: &&str| Ended {
            node: NodeId::new(format!("node/{step}")),
            kind: "kind".to_owned(),
            step: (*step).to_owned(),
            outcome: Outcome::Waiting { why: "somebody does it".to_owned() },
            millis: 0,
        };
        Report { nodes: steps.iter().map(ended).collect(), millis: 0 }
    }

    #[test]
    fn a_word_is_asked_for_only_where_it_is_what_the_first_waiting_step_waits_for() {
        assert_eq!(askable(&waiting(&["A15", "A16"]), false), Some(StepId::A15));
        assert_eq!(askable(&waiting(&["A16"]), false), Some(StepId::A16));
        // A yes to K2 has no effect, and A15 can wait until the vault is there.
        assert_eq!(askable(&waiting(&["K2", "K3", "A15"]), false), None);
        assert_eq!(askable(&waiting(&[]), false), None);
        assert_eq!(askable(&waiting(&["A15"]), true), None, "--yes asks nothing");
    }
}
