//! The task as a whole.

use std::collections::HashSet;

use super::finding::Report;
use super::rules;
use crate::model::{CpuArchitecture, NetworkMode, TaskDefinition};
use crate::size;

pub(super) fn check(task: &TaskDefinition, report: &mut Report) {
    if !is_name(&task.family) {
        report.add(&rules::FAMILY, "/family", "the family is missing, too long, or has other characters");
    }
    if !task.is_fargate() {
        report.add(&rules::NOT_FARGATE, "/requiresCompatibilities", "FARGATE is not among the compatibilities");
    }
    match &task.network_mode {
        Some(NetworkMode::Awsvpc) => {}
        Some(mode) => report.add(&rules::NETWORK_MODE, "/networkMode", format!("Fargate does not know `{mode}`")),
        None => report.add(&rules::NETWORK_MODE, "", "networkMode is missing, which means bridge"),
    }
    sizes(task, report);
    modes(task, report);
    platform(task, report);
    tags(task, report);
}

/// Whether text is a name as ECS takes it.
pub(super) fn is_name(text: &str) -> bool {
    (1..=255).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
}

fn sizes(task: &TaskDefinition, report: &mut Report) {
    let mut read = |name: &str, text: &Option<String>, parse: fn(&str) -> Option<u32>| {
        let Some(text) = text else {
            report.add(&rules::TASK_SIZE_MISSING, "", format!("{name} of the task is missing"));
            return None;
        };
        let units = parse(text);
        if units.is_none() {
            report.add(&rules::TASK_SIZE_FORMAT, format!("/{name}"), format!("{name} of the task is not a size"));
        }
        units
    };
    let (cpu, memory) = (read("cpu", &task.cpu, size::cpu), read("memory", &task.memory, size::memory));
    if let (Some(cpu), Some(memory)) = (cpu, memory)
        && !size::is_offered(cpu, memory)
    {
        match size::FARGATE.iter().find(|(units, ..)| *units == cpu) {
            None => {
                let known: Vec<String> = size::FARGATE.iter().map(|(units, ..)| units.to_string()).collect();
                let known = known.join(", ");
                report.add(&rules::TASK_SIZE, "/cpu", format!("Fargate has no task of {cpu} CPU units, only {known}"));
            }
            Some((_, least, most, step)) => {
                let step = if *step == 0 {
                    "512, 1024 or 2048".to_owned()
                } else {
                    format!("{least} to {most} in steps of {step}")
                };
                report.add(
                    &rules::TASK_SIZE,
                    "/memory",
                    format!("{cpu} CPU units go with {step} MiB, not with {memory}"),
                );
            }
        }
    }
    let containers = &task.container_definitions;
    let sum: i64 = containers.iter().filter_map(|c| c.cpu).filter(|cpu| *cpu > 0).fold(0, i64::saturating_add);
    if let Some(cpu) = cpu.filter(|cpu| sum > i64::from(*cpu)) {
        report.add(&rules::CPU_SUM, "/cpu", format!("the containers ask for {sum} units of {cpu}"));
    }
    // A reservation counts instead of the limit, which then only has to fit by itself.
    let asked = containers.iter().filter_map(|c| c.memory_reservation.or(c.memory));
    let sum = asked.filter(|memory| *memory > 0).fold(0, i64::saturating_add);
    if let Some(memory) = memory.filter(|memory| sum > i64::from(*memory)) {
        report.add(&rules::MEMORY_SUM, "/memory", format!("the containers ask for {sum} MiB of {memory}"));
    } else if let Some(memory) = memory {
        for (index, limit) in containers.iter().enumerate().filter_map(|(index, c)| Some((index, c.memory?))) {
            if limit > i64::from(memory) {
                let at = format!("/containerDefinitions/{index}/memory");
                report.add(&rules::MEMORY_SUM, at, format!("the container alone may use {limit} MiB of {memory}"));
            }
        }
    }
}

fn modes(task: &TaskDefinition, report: &mut Report) {
    if task.extra.get("pidMode").is_some_and(|mode| mode != "task") {
        report.add(&rules::PID_MODE, "/pidMode", "there is no host to share processes with");
    }
    for name in ["ipcMode", "placementConstraints", "inferenceAccelerators"] {
        let empty = |value: &serde_json::Value| value.as_array().is_some_and(Vec::is_empty);
        if task.extra.get(name).is_some_and(|value| !empty(value)) {
            report.add(&rules::FARGATE_TASK, format!("/{name}"), format!("Fargate does not know {name}"));
        }
    }
    if let Some(storage) = &task.ephemeral_storage
        && !storage.size_in_gib.is_some_and(|size| (21..=200).contains(&size))
    {
        report.add(&rules::STORAGE, "/ephemeralStorage", "scratch space is not from 21 to 200 GiB");
    }
}

fn platform(task: &TaskDefinition, report: &mut Report) {
    let Some(platform) = &task.runtime_platform else { return };
    if let Some(architecture) = platform.cpu_architecture.as_ref().filter(|architecture| !architecture.is_known()) {
        let message = format!("Fargate has no processor `{architecture}`");
        report.add(&rules::PLATFORM, "/runtimePlatform/cpuArchitecture", message);
    }
    let Some(system) = &platform.operating_system_family else { return };
    const WINDOWS: &[&str] = &[
        "WINDOWS_SERVER_2019_FULL",
        "WINDOWS_SERVER_2019_CORE",
        "WINDOWS_SERVER_2022_FULL",
        "WINDOWS_SERVER_2022_CORE",
        "WINDOWS_SERVER_2025_FULL",
        "WINDOWS_SERVER_2025_CORE",
    ];
    let windows = WINDOWS.contains(&system.as_str());
    if !windows && system != "LINUX" {
        let message = "Fargate does not run this operating system";
        report.add(&rules::PLATFORM, "/runtimePlatform/operatingSystemFamily", message);
    }
    if windows && platform.cpu_architecture == Some(CpuArchitecture::Arm64) {
        report.add(&rules::PLATFORM, "/runtimePlatform/cpuArchitecture", "Windows does not run on ARM64 here");
    }
    if !windows {
        return;
    }
    if task.cpu.as_deref().and_then(size::cpu).is_some_and(|cpu| !(1024..=4096).contains(&cpu)) {
        report.add(&rules::PLATFORM, "/cpu", "Windows needs 1024 to 4096 CPU units");
    }
    for (index, _) in task.volumes().iter().enumerate().filter(|(_, volume)| volume.efs.is_some()) {
        let at = format!("/volumes/{index}/efsVolumeConfiguration");
        report.add(&rules::PLATFORM, at, "Windows mounts no EFS file system");
    }
}

fn tags(task: &TaskDefinition, report: &mut Report) {
    if task.tags().len() > 50 {
        report.add(&rules::TAGS, "/tags", "there are more than 50 tags");
    }
    let mut seen = HashSet::new();
    for (index, tag) in task.tags().iter().enumerate() {
        let wrong = if tag.key.is_empty() || tag.key.chars().count() > 128 {
            "the key has to be 1 to 128 characters long"
        } else if tag.key.to_ascii_lowercase().starts_with("aws:") {
            "keys that start with aws: belong to AWS"
        } else if tag.value.as_ref().is_some_and(|value| value.chars().count() > 256) {
            "the value is longer than 256 characters"
        } else if !seen.insert(&tag.key) {
            "the key is used twice"
        } else {
            continue;
        };
        report.add(&rules::TAGS, format!("/tags/{index}"), wrong);
    }
}
