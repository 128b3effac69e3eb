//! Habits worth having, apart from the rest because nobody knows what the vendor's images bear.

use super::finding::{Finding, Report};
use super::rules;
use crate::model::TaskDefinition;

/// What could be tightened if the images bear it: hints only, never part of [`lint`](super::lint).
pub fn hints(definition: &TaskDefinition) -> Vec<Finding> {
    let mut report = Report::default();
    for (index, container) in definition.container_definitions.iter().enumerate() {
        let at = format!("/containerDefinitions/{index}");
        if container.readonly_root_filesystem != Some(true) {
            report.add(&rules::READONLY_ROOT, &at, format!("`{}` may write anywhere", container.name));
        }
        if matches!(
            container.user.as_deref().map(|user| user.split(':').next().unwrap_or_default()),
            None | Some("" | "0" | "root")
        ) {
            report.add(&rules::RUN_AS_USER, &at, format!("`{}` may run as root", container.name));
        }
        if !container.ulimits().iter().any(|limit| limit.name == "nofile") {
            report.add(&rules::NOFILE, &at, format!("`{}` takes the platform's limit of open files", container.name));
        }
    }
    report.0
}
