//! Who waits for whom.

use std::collections::HashMap;

use super::finding::Report;
use super::rules;
use crate::model::{Condition, Container, TaskDefinition};

pub(super) fn check(task: &TaskDefinition, report: &mut Report) {
    let containers = &task.container_definitions;
    let index: HashMap<&str, usize> = containers.iter().enumerate().map(|(i, c)| (c.name.as_str(), i)).collect();
    let mut edges: Vec<Vec<usize>> = vec![Vec::new(); containers.len()];
    for (waiter, container) in containers.iter().enumerate() {
        for (position, dependency) in container.depends_on().iter().enumerate() {
            let at = format!("/containerDefinitions/{waiter}/dependsOn/{position}");
            if !dependency.condition.as_ref().is_some_and(Condition::is_known) {
                report.add(&rules::DEPENDS_CONDITION, format!("{at}/condition"), "the condition is missing or unknown");
            }
            let Some(&other) = index.get(dependency.container_name.as_str()) else {
                report.add(&rules::DEPENDS_UNKNOWN, format!("{at}/containerName"), "the task has no such container");
                continue;
            };
            edges[waiter].push(other);
            let awaited = &containers[other];
            match &dependency.condition {
                Some(condition @ (Condition::Success | Condition::Complete)) if awaited.is_essential() => {
                    let message = format!("`{}` is essential, so {condition} ends the task", awaited.name);
                    report.add(&rules::DEPENDS_ESSENTIAL, at, message);
                }
                Some(Condition::Healthy) if !has_check(awaited) => {
                    report.add(&rules::DEPENDS_HEALTH, at, format!("`{}` has no health check", awaited.name));
                }
                _ => {}
            }
        }
    }
    for (waiter, container) in containers.iter().enumerate() {
        if reaches_itself(waiter, &edges) {
            let message = format!("`{}` waits for itself, directly or through others", container.name);
            report.add(&rules::DEPENDS_CYCLE, format!("/containerDefinitions/{waiter}/dependsOn"), message);
        }
    }
}

/// Whether a container is ever found healthy. NONE is Docker's way of saying that there is no check.
fn has_check(container: &Container) -> bool {
    let command = |check: &crate::model::HealthCheck| check.command.as_ref().is_none_or(|words| *words != ["NONE"]);
    container.health_check.as_ref().is_some_and(command)
}

fn reaches_itself(start: usize, edges: &[Vec<usize>]) -> bool {
    if edges[start].is_empty() {
        return false;
    }
    let mut seen = vec![false; edges.len()];
    let mut open = edges[start].clone();
    while let Some(next) = open.pop() {
        if next == start {
            return true;
        }
        if !std::mem::replace(&mut seen[next], true) {
            open.extend(&edges[next]);
        }
    }
    false
}
