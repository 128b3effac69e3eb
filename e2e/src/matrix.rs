//! What came of a run: emulator × step and emulator × flow, as text, JSON and Markdown.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde::Serialize;

/// How one flow ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Played {
    /// The flow.
    pub flow: String,
    /// What was done, or what went wrong.
    pub said: String,
    /// Whether all was as it should be.
    pub passed: bool,
    /// How long it took, in seconds.
    pub seconds: u64,
}

/// One emulator.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Row {
    /// Its name.
    pub emulator: String,
    /// Why it did not run, or what it does not carry.
    pub note: Option<String>,
    /// How each step of the guide ended; a step that is not named did not run.
    pub steps: BTreeMap<String, String>,
    /// The flows, in order.
    pub flows: Vec<Played>,
}

/// All of a run.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Matrix {
    /// Its emulators.
    pub rows: Vec<Row>,
}

impl Row {
    /// Adds how the steps ended in one more flow. What was done once is done: another flow may leave it to a person.
    pub fn add_steps(&mut self, steps: BTreeMap<String, String>) {
        for (step, state) in steps {
            let known = self.steps.entry(step).or_insert_with(|| state.clone());
            if state == "done" {
                *known = state;
            }
        }
    }

    fn failed(&self) -> bool {
        self.flows.iter().any(|played| !played.passed)
    }

    /// `whole`, `partial: A1, A2`, `played: flows` where none of them looks at steps, `not run: why`, `FAILED: flows`.
    fn result(&self) -> String {
        let names = |passed: bool| {
            let flows = self.flows.iter().filter(move |played| played.passed == passed);
            flows.map(|played| played.flow.as_str()).collect::<Vec<_>>()
        };
        let failed = names(false);
        if !failed.is_empty() {
            return format!("FAILED: {}", failed.join(", "));
        }
        match &self.note {
            Some(why) if self.flows.is_empty() => format!("not run: {why}"),
            _ if self.done().is_empty() => format!("played: {}", names(true).join(", ")),
            Some(_) => format!("partial: {}", self.done().join(", ")),
            None => "whole".to_owned(),
        }
    }

    /// The steps that were done, in the guide's order.
    fn done(&self) -> Vec<&str> {
        let mut done: Vec<&str> =
            self.steps.iter().filter(|(_, state)| *state == "done").map(|(step, _)| step.as_str()).collect();
        done.sort_by_key(|step| order(step));
        done
    }

    /// Its line in the Markdown.
    fn line(&self) -> String {
        format!("| {} | {} | {} |", self.emulator, self.result(), self.done().join(" "))
    }

    /// Its lines about flows.
    fn flow_lines(&self) -> impl Iterator<Item = String> {
        let passed = |played: &Played| if played.passed { played.said.clone() } else { "FAILED".to_owned() };
        self.flows.iter().map(move |played| format!("| {} | {} | {} |", self.emulator, played.flow, passed(played)))
    }
}

/// `K2` before `A1` before `X1`, and `A9` before `A10`.
fn order(step: &str) -> (usize, u32) {
    let half = "KAX".find(&step[..1]).unwrap_or(3);
    (half, step[1..].parse().unwrap_or(0))
}

impl Matrix {
    /// Whether anything was not as it should be.
    pub fn failed(&self) -> bool {
        self.rows.iter().any(Row::failed)
    }

    /// For people.
    pub fn text(&self) -> String {
        let mut text = String::new();
        for row in &self.rows {
            let _ = writeln!(text, "{:<20} {}", row.emulator, row.result());
            for played in &row.flows {
                let word = if played.passed { "passed" } else { "FAILED" };
                let _ = writeln!(text, "  {:<8} {word} {:>4} s  {}", played.flow, played.seconds, played.said);
            }
        }
        text
    }

    /// For programs.
    pub fn json(&self) -> String {
        serde_json::to_string_pretty(self).unwrap_or_default()
    }

    /// For the docs; without times, so that it only changes when something did.
    pub fn markdown(&self) -> String {
        let mut text = HEAD.to_owned();
        for row in &self.rows {
            let _ = writeln!(text, "{}", row.line());
        }
        text.push_str(FLOWS);
        for line in self.rows.iter().flat_map(Row::flow_lines) {
            let _ = writeln!(text, "{line}");
        }
        text
    }

    /// The lines of this run that a committed document does not have. What could not be run here says nothing about it.
    pub fn missing_in(&self, document: &str) -> Vec<String> {
        let ran = self.rows.iter().filter(|row| !row.flows.is_empty());
        let lines = ran.flat_map(|row| std::iter::once(row.line()).chain(row.flow_lines()));
        let known: Vec<&str> = document.lines().collect();
        lines.filter(|line| !known.contains(&line.as_str())).collect()
    }
}

const HEAD: &str = "\
# What runs against which emulator

Written by `cargo xtask e2e --write`; CI runs Moto and MiniStack, and compares. A step counts only where it ran.

| emulator | result | steps done |
| --- | --- | --- |
";

const FLOWS: &str = "
| emulator | flow | what was done |
| --- | --- | --- |
";

#[cfg(test)]
mod tests {
    use super::*;

    fn played(flow: &str, passed: bool) -> Played {
        Played { flow: flow.to_owned(), said: "36 deleted by hand".to_owned(), passed, seconds: 7 }
    }

    fn row(note: Option<&str>, flows: Vec<Played>) -> Row {
        let steps = [("A10", "done"), ("A9", "done"), ("K2", "done"), ("X5", "not in this version")];
        let steps = steps.map(|(step, state)| (step.to_owned(), state.to_owned())).into();
        Row { emulator: "moto".to_owned(), note: note.map(str::to_owned), steps, flows }
    }

    #[test]
    fn what_did_not_run_never_counts() {
        assert_eq!(row(None, vec![played("guide", true)]).result(), "whole");
        assert_eq!(row(Some("no ECS"), vec![played("guide", true)]).result(), "partial: K2, A9, A10");
        assert_eq!(row(Some("no image"), vec![]).result(), "not run: no image");
        let without_steps = Row { steps: BTreeMap::new(), ..row(None, vec![played("drift", true)]) };
        assert_eq!(without_steps.result(), "played: drift");
        assert_eq!(row(None, vec![played("guide", true), played("drift", false)]).result(), "FAILED: drift");
        let failed = Matrix { rows: vec![row(None, vec![played("guide", false)])] };
        assert!(failed.failed());
        assert!(failed.text().contains("guide    FAILED    7 s"), "{}", failed.text());
    }

    #[test]
    fn a_step_that_was_done_in_one_flow_is_done() {
        let one = |state: &str| BTreeMap::from([("K2".to_owned(), state.to_owned())]);
        let mut row = Row::default();
        for state in ["confirmed", "done", "confirmed"] {
            row.add_steps(one(state));
        }
        assert_eq!(row.done(), ["K2"]);
    }

    #[test]
    fn a_document_is_stale_when_a_line_of_this_run_is_not_in_it() {
        let run = Matrix { rows: vec![row(None, vec![played("drift", true)])] };
        let document = run.markdown();
        assert_eq!(run.missing_in(&document), Vec::<String>::new());
        let mut more = run;
        more.rows.push(row(Some("no image"), vec![]));
        more.rows[0].flows[0].said = "37 deleted by hand".to_owned();
        assert_eq!(more.missing_in(&document), ["| moto | drift | 37 deleted by hand |"]);
    }
}
