//! What AWS would refuse at registration or at the start of a task, and what a security review would flag.

mod finding;
mod rules;
mod task;

use crate::model::TaskDefinition;
use finding::Report;

pub use finding::{Finding, Rule, Severity};
pub use rules::RULES;

/// Everything wrong with a definition that is to run on Fargate, in the document's order.
pub fn lint(definition: &TaskDefinition) -> Vec<Finding> {
    let mut report = Report::default();
    task::check(definition, &mut report);
    report.0
}
