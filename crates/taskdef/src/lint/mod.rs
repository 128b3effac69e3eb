//! What AWS would refuse at registration or at the start of a task, and what a security review would flag.
//! Emulators accept nearly all of it, so nothing but this module and its table of bad documents stands
//! between a mistake and an account.

mod arns;
mod containers;
mod depends;
mod finding;
mod hints;
mod logs;
mod ports;
mod rules;
mod settings;
mod task;
mod variables;
mod volumes;
mod writer;

use crate::model::TaskDefinition;
use finding::Report;

pub use finding::{Finding, Rule, Severity};
pub use hints::hints;
pub use rules::RULES;
pub use settings::{TargetProtocol, check_settings};

/// Everything wrong with a definition that is to run on Fargate: what AWS refuses as errors, what a
/// security review would flag as warnings. [`hints`] has what is left.
///
/// ```
/// use taskdef::{Document, Severity, lint};
/// let document = Document::read(r#"{
///     "family": "web", "requiresCompatibilities": ["FARGATE"], "networkMode": "awsvpc", "cpu": "2048", "memory": "3000",
///     "containerDefinitions": [{"name": "web", "image": "example/web:1"}]
/// }"#)?;
/// let findings = lint(&document.definition);
/// assert_eq!((findings[0].id, findings[0].pointer.as_str()), ("task-size", "/memory"));
/// assert_eq!(findings[1].severity, Severity::Warning);
/// # Ok::<(), taskdef::ReadError>(())
/// ```
pub fn lint(definition: &TaskDefinition) -> Vec<Finding> {
    let mut report = Report::default();
    task::check(definition, &mut report);
    containers::check(definition, &mut report);
    ports::check(definition, &mut report);
    depends::check(definition, &mut report);
    volumes::check(definition, &mut report);
    logs::check(definition, &mut report);
    variables::check(definition, &mut report);
    arns::check(definition, &mut report);
    writer::check(definition, &mut report);
    report.0
}
