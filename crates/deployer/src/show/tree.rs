//! The final tree: every step of the guide, and below it what became of its nodes.

use std::fmt::Write as _;

use resource_graph::{Ended, Outcome, Report};

use super::words;
use crate::catalogue::{Lang, Status, StepId};
use crate::guide::BY_HAND;

/// How one step ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct StepEnd {
    pub(super) step: StepId,
    pub(super) state: String,
    pub(super) millis: u64,
}

/// How every step ended, in the order of the work.
pub(super) fn steps(report: &Report, lang: Lang, destroying: bool) -> Vec<StepEnd> {
    let mut steps: Vec<StepId> = StepId::ALL.to_vec();
    steps.sort();
    let end = |step: StepId| {
        let nodes: Vec<&Ended> = of(report, step).collect();
        let millis = nodes.iter().map(|ended| ended.millis).max().unwrap_or(0);
        let state = if let Some(open) = open(&nodes, lang) {
            open
        } else if step.status() != Status::Built {
            if destroying { return None } else { step.status().text(lang).to_owned() }
        } else if nodes.is_empty() {
            // The lock has no node: it is held around the whole run.
            if step == StepId::X4 { words::done(lang).to_owned() } else { words::left_out(lang).to_owned() }
        } else if nodes.iter().all(|ended| ended.kind == BY_HAND) {
            words::not_checked(lang).to_owned()
        } else {
            words::done(lang).to_owned()
        };
        Some(StepEnd { step, state, millis })
    };
    steps.into_iter().filter_map(end).collect()
}

/// Why a step is not done, whatever kind of step it is.
fn open(nodes: &[&Ended], lang: Lang) -> Option<String> {
    let any = |is: fn(&Outcome) -> bool| nodes.iter().any(|ended| is(&ended.outcome));
    let because = nodes.iter().find_map(|ended| match &ended.outcome {
        Outcome::Skipped { because } => Some(because),
        _ => None,
    });
    if any(|outcome| matches!(outcome, Outcome::Failed { .. })) {
        Some(words::failed(lang).to_owned())
    } else if let Some(because) = because {
        Some(format!("{} {because}", words::skipped_because(lang)))
    } else if any(|outcome| *outcome == Outcome::NotStarted) {
        Some(words::not_started(lang).to_owned())
    } else if any(|outcome| matches!(outcome, Outcome::Waiting { .. })) {
        Some(words::waits(lang).to_owned())
    } else {
        None
    }
}

fn of(report: &Report, step: StepId) -> impl Iterator<Item = &Ended> {
    report.nodes.iter().filter(move |ended| ended.step == step.as_str())
}

/// The tree as text.
pub(super) fn text(report: &Report, lang: Lang, destroying: bool) -> String {
    let mut text = String::new();
    for StepEnd { step, state, millis } in steps(report, lang, destroying) {
        let time = if of(report, step).next().is_some() { format!("  {}", seconds(millis)) } else { String::new() };
        let _ = writeln!(text, "{:<4} {}: {state}{time}", step.as_str(), step.title(lang));
        for ended in of(report, step) {
            let _ =
                writeln!(text, "       {}  {}  {}", ended.node, outcome(&ended.outcome, lang), seconds(ended.millis));
        }
    }
    for ended in report.nodes.iter().filter(|ended| ended.step.is_empty()) {
        let _ = writeln!(text, "     {} {}  {}", ended.kind, ended.node, outcome(&ended.outcome, lang));
    }
    text
}

fn outcome(outcome: &Outcome, lang: Lang) -> String {
    match outcome {
        Outcome::Kept => words::kept(lang).to_owned(),
        Outcome::Created => words::created(lang).to_owned(),
        Outcome::Updated => words::updated(lang).to_owned(),
        Outcome::Replaced => words::replaced(lang).to_owned(),
        Outcome::Destroyed => words::destroyed(lang).to_owned(),
        Outcome::WasAbsent => words::was_absent(lang).to_owned(),
        Outcome::Spared => words::spared(lang).to_owned(),
        Outcome::Failed { failure } => format!("{}: {} [{}]", words::failed(lang), failure.message, failure.code),
        Outcome::Skipped { because } => format!("{} {because}", words::skipped_because(lang)),
        Outcome::NotStarted => words::not_started(lang).to_owned(),
        Outcome::Waiting { why } => format!("{} {why}", words::waits_for_you(lang)),
    }
}

fn seconds(millis: u64) -> String {
    format!("{}.{:01} s", millis / 1000, millis % 1000 / 100)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_is_done_when_all_its_nodes_are_and_says_because_of_what_it_is_not() {
        let ended = |step: &str, node: &str, outcome| Ended {
            node: node.into(),
            kind: "kind".to_owned(),
            step: step.to_owned(),
            outcome,
            millis: 1234,
        };
        let report = Report {
            nodes: vec![
                ended("A2", "log-group", Outcome::Created),
                ended("A12", "ecs-service", Outcome::Skipped { because: "listener".into() }),
            ],
            millis: 0,
        };
        let steps = steps(&report, Lang::En, false);
        let state = |step: StepId| steps.iter().find(|end| end.step == step).unwrap().state.clone();
        assert_eq!(state(StepId::A2), "done");
        assert_eq!(state(StepId::A12), "skipped because of listener");
        assert_eq!(state(StepId::A14), "not needed");
        assert_eq!(state(StepId::X5), "not in this version");
        assert_eq!(state(StepId::A1), "not asked for");
        assert!(text(&report, Lang::En, false).contains("log-group  created  1.2 s"));

        // A step that nobody has to do may still have failed: its sign-in was refused.
        let because = Outcome::Skipped { because: "vault-folder".into() };
        let report = Report { nodes: vec![ended("A14", "administrator", because)], millis: 0 };
        let steps = super::steps(&report, Lang::En, false);
        let a14 = steps.iter().find(|end| end.step == StepId::A14).unwrap();
        assert_eq!(a14.state, "skipped because of vault-folder");
    }
}
