//! A plan as text and as a document.

use std::fmt::Write as _;

use resource_graph::{Change, Difference, Plan, Planned};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::words;
use crate::catalogue::{Lang, StepId};

/// The output of `plan --format json`.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub(crate) struct PlanDocument {
    /// The version of this document's shape.
    schema: u32,
    /// What will be done, node by node, in the order of the graph.
    changes: Vec<Change>,
    /// Steps of the guide that this version does not do.
    not_in_this_version: Vec<String>,
}

impl PlanDocument {
    pub(crate) fn of(plan: &Plan) -> Self {
        Self {
            schema: 1,
            changes: plan.changes.clone(),
            not_in_this_version: StepId::not_in_this_version().map(|step| step.to_string()).collect(),
        }
    }

    pub(crate) fn to_json(&self) -> String {
        let text = serde_json::to_string_pretty(self).expect("a plan has only text, numbers and lists");
        text + "\n"
    }
}

/// A plan as a person reads it: a line a node, reasons below a line that changes something.
pub(crate) fn plan_text(plan: &Plan, lang: Lang) -> String {
    let width = |column: fn(&Change) -> &str| plan.changes.iter().map(|change| column(change).chars().count()).max();
    let nodes = width(|change| change.node.as_str()).unwrap_or(0);
    let mut text = String::new();
    for change in &plan.changes {
        let word = match &change.action {
            // What may hurt is in capitals, for those who see no colours.
            Planned::Replace { .. } | Planned::Remove | Planned::Blocked { .. } => change.action.word().to_uppercase(),
            _ => change.action.word().to_owned(),
        };
        let line = format!("  {:<4} {:<nodes$}  {word:<7}  {}", change.step, change.node, change.summary);
        text.push_str(line.trim_end());
        if !change.corrections.is_empty() && change.action != Planned::Keep {
            let _ = write!(text, "  ({})", change.corrections.join(" "));
        }
        text.push('\n');
        let reasons: Vec<String> = match &change.action {
            Planned::Update { changes } | Planned::Replace { why: changes } => {
                changes.iter().map(|difference| reason(difference, lang)).collect()
            }
            Planned::Blocked { why, .. } | Planned::Wait { why } => vec![why.clone()],
            Planned::Keep | Planned::Create | Planned::Remove => Vec::new(),
        };
        for reason in reasons {
            let _ = writeln!(text, "         {:nodes$}  {reason}", "");
        }
        if change.stale > 0 {
            let _ = writeln!(text, "         {:nodes$}  retire {} replaced", "", change.stale);
        }
    }
    let counts = ["create", "update", "replace", "remove", "blocked", "wait", "keep"];
    let counts = counts.map(|word| (plan.count(word), word));
    let counts: Vec<String> =
        counts.iter().filter(|(count, _)| *count > 0).map(|(count, word)| format!("{count} {word}")).collect();
    let _ = writeln!(text, "  {}", counts.join(" · "));
    text
}

fn reason(difference: &Difference, lang: Lang) -> String {
    let to = difference.to.as_deref().unwrap_or(words::after_apply(lang));
    let from = difference.from.as_deref().map(|from| format!("{from} -> ")).unwrap_or_default();
    let code = difference.code.as_deref().map(|code| format!(" ({code})")).unwrap_or_default();
    format!("{}: {from}{to}{code}", difference.field)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(step: &str, node: &str, summary: &str, action: Planned) -> Change {
        Change {
            node: node.into(),
            kind: "kind".to_owned(),
            step: step.to_owned(),
            corrections: vec!["C01".to_owned()],
            summary: summary.to_owned(),
            ownership: resource_graph::Ownership::Managed,
            stale: 0,
            action,
        }
    }

    #[test]
    fn a_plan_reads_as_in_the_design() {
        let why = |from: &str, to: Option<&str>| Difference {
            field: "protocol".to_owned(),
            from: Some(from.to_owned()),
            to: to.map(str::to_owned),
            code: Some("C01".to_owned()),
        };
        let plan = Plan {
            changes: vec![
                change("A2", "log-group", "automator-logs", Planned::Create),
                change(
                    "A10",
                    "target-group",
                    "automator-tg",
                    Planned::Replace { why: vec![why("HTTP", Some("HTTPS"))] },
                ),
                change("A12", "ecs-service", "automator", Planned::Update { changes: vec![why("d:1", None)] }),
                change("A7", "ecs-cluster", "automator", Planned::Keep),
            ],
        };
        insta::assert_snapshot!(plan_text(&plan, Lang::En), @r"
          A2   log-group     create   automator-logs  (C01)
          A10  target-group  REPLACE  automator-tg  (C01)
                               protocol: HTTP -> HTTPS (C01)
          A12  ecs-service   update   automator  (C01)
                               protocol: d:1 -> (after apply) (C01)
          A7   ecs-cluster   keep     automator
          1 create · 1 update · 1 replace · 1 keep
        ");
    }
}
