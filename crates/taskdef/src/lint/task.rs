//! The task as a whole.

use super::finding::Report;
use super::rules;
use crate::model::{NetworkMode, TaskDefinition};
use crate::size;

pub(super) fn check(task: &TaskDefinition, report: &mut Report) {
    if task.network_mode != Some(NetworkMode::Awsvpc) {
        report.add(&rules::NETWORK_MODE, "/networkMode", "Fargate knows only awsvpc");
    }
    if let (Some(cpu), Some(memory)) =
        (task.cpu.as_deref().and_then(size::cpu), task.memory.as_deref().and_then(size::memory))
        && !size::is_offered(cpu, memory)
    {
        report.add(&rules::TASK_SIZE, "/memory", format!("Fargate has no task of {cpu} CPU units and {memory} MiB"));
    }
}
