//! Containers, one at a time.

use std::collections::HashSet;

use serde_json::Value;

use super::finding::Report;
use super::rules;
use super::task::is_name;
use crate::model::{Container, HealthCheck, TaskDefinition};

/// Containers of a task; the quota cannot be raised.
const MOST: usize = 10;
/// MiB; Docker starts nothing below.
const LEAST_MEMORY: i64 = 6;

pub(super) fn check(task: &TaskDefinition, report: &mut Report) {
    let containers = &task.container_definitions;
    if containers.is_empty() {
        report.add(&rules::NO_CONTAINERS, "/containerDefinitions", "the task has no container");
        return;
    }
    if containers.len() > MOST {
        let message = format!("the task has {} containers", containers.len());
        report.add(&rules::TOO_MANY_CONTAINERS, "/containerDefinitions", message);
    }
    if !containers.iter().any(Container::is_essential) {
        report.add(&rules::NO_ESSENTIAL, "/containerDefinitions", "every container has essential false");
    }
    let mut names = HashSet::new();
    for (index, container) in containers.iter().enumerate() {
        let at = format!("/containerDefinitions/{index}");
        if !is_name(&container.name) {
            report.add(
                &rules::CONTAINER_NAME,
                format!("{at}/name"),
                "the name is missing, too long, or has other characters",
            );
        } else if !names.insert(&container.name) {
            report.add(&rules::CONTAINER_TWICE, format!("{at}/name"), format!("`{}` is taken", container.name));
        }
        image(&container.image, &at, report);
        resources(container, &at, report);
        instance_only(container, &at, report);
        timeouts(container, &at, report);
        if let Some(check) = &container.health_check {
            health(check, &format!("{at}/healthCheck"), report);
        }
    }
}

fn image(image: &str, at: &str, report: &mut Report) {
    let at = format!("{at}/image");
    let (name, digest) = image.split_once('@').map_or((image, None), |(name, digest)| (name, Some(digest)));
    // A colon before the last slash belongs to the registry's port.
    let start = name.rfind('/').map_or(0, |slash| slash + 1);
    let (repository, tag) = match name[start..].split_once(':') {
        Some((_, tag)) => (&name[..name.len() - tag.len() - 1], Some(tag)),
        None => (name, None),
    };
    let legal = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'.' | b'-' | b'_' | b'/' | b':');
    let host = repository.find('/').unwrap_or(0);
    if repository.is_empty()
        || !repository[host..].bytes().all(legal)
        || repository[..host].contains(char::is_whitespace)
    {
        report.add(&rules::IMAGE, at, "the image is missing or is no reference to one");
        return;
    }
    if let Some(digest) = digest {
        let hex = digest.strip_prefix("sha256:").unwrap_or_default();
        if hex.len() != 64 || !hex.bytes().all(|b| b.is_ascii_hexdigit()) {
            report.add(&rules::IMAGE, at, "the digest is not sha256 with 64 hexadecimal digits");
        }
        return;
    }
    let word = |tag: &str| tag.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_'));
    match tag {
        None => report.add(&rules::IMAGE_UNPINNED, at, "the image has no tag, which means latest"),
        Some("latest") => report.add(&rules::IMAGE_UNPINNED, at, "latest is another image tomorrow"),
        Some(tag) if tag.is_empty() || tag.len() > 128 || !word(tag) => {
            report.add(&rules::IMAGE, at, "the tag is empty, too long, or has other characters");
        }
        Some(_) => {}
    }
}

fn resources(container: &Container, at: &str, report: &mut Report) {
    if container.cpu.is_some_and(|cpu| cpu < 0) {
        report.add(&rules::CONTAINER_CPU, format!("{at}/cpu"), "the number is negative");
    }
    for (name, memory) in [("memory", container.memory), ("memoryReservation", container.memory_reservation)] {
        if memory.is_some_and(|memory| memory < LEAST_MEMORY) {
            report.add(&rules::CONTAINER_MEMORY, format!("{at}/{name}"), format!("{name} is below {LEAST_MEMORY} MiB"));
        }
    }
    if let (Some(hard), Some(soft)) = (container.memory, container.memory_reservation)
        && soft >= hard
    {
        report.add(
            &rules::CONTAINER_MEMORY,
            format!("{at}/memoryReservation"),
            "the soft limit is not below the hard one",
        );
    }
    const LIMITS: &[&str] = &[
        "core",
        "cpu",
        "data",
        "fsize",
        "locks",
        "memlock",
        "msgqueue",
        "nice",
        "nofile",
        "nproc",
        "rss",
        "rtprio",
        "rttime",
        "sigpending",
        "stack",
    ];
    for (index, limit) in container.ulimits().iter().enumerate() {
        let at = format!("{at}/ulimits/{index}");
        if !LIMITS.contains(&limit.name.as_str()) {
            report.add(&rules::ULIMIT, at, "the kernel has no limit of this name");
        } else if limit.soft_limit.is_none() || limit.hard_limit.is_none() || limit.soft_limit > limit.hard_limit {
            report.add(&rules::ULIMIT, at, "the soft limit is above the hard one, or one of them is missing");
        }
    }
}

fn says_something(value: &Value) -> bool {
    match value {
        Value::Array(items) => !items.is_empty(),
        Value::Bool(on) => *on,
        Value::String(text) => !text.is_empty(),
        Value::Null => false,
        _ => true,
    }
}

fn instance_only(container: &Container, at: &str, report: &mut Report) {
    let mut refuse = |name: &str| {
        report.add(&rules::FARGATE_CONTAINER, format!("{at}/{name}"), format!("Fargate does not know {name}"));
    };
    if container.privileged == Some(true) {
        refuse("privileged");
    }
    const MEMBERS: &[&str] = &[
        "links",
        "hostname",
        "dnsServers",
        "dnsSearchDomains",
        "extraHosts",
        "dockerSecurityOptions",
        "disableNetworking",
        "resourceRequirements",
    ];
    for name in MEMBERS.iter().filter(|name| container.extra.get(name).is_some_and(says_something)) {
        refuse(name);
    }
    let Some(linux) = container.extra.get("linuxParameters") else { return };
    for name in ["devices", "sharedMemorySize", "maxSwap", "swappiness"] {
        if linux.get(name).is_some_and(says_something) {
            refuse(&format!("linuxParameters/{name}"));
        }
    }
    let added = linux.pointer("/capabilities/add").and_then(Value::as_array);
    for (index, capability) in added.into_iter().flatten().enumerate() {
        if capability != "SYS_PTRACE" {
            let at = format!("{at}/linuxParameters/capabilities/add/{index}");
            report.add(&rules::CAPABILITY, at, "Fargate does not add this capability");
        }
    }
}

fn timeouts(container: &Container, at: &str, report: &mut Report) {
    for (name, seconds) in [("startTimeout", container.start_timeout), ("stopTimeout", container.stop_timeout)] {
        if seconds.is_some_and(|seconds| !(2..=120).contains(&seconds)) {
            report.add(&rules::STOP_TIMEOUT, format!("{at}/{name}"), format!("{name} is not from 2 to 120 seconds"));
        }
    }
}

fn health(check: &HealthCheck, at: &str, report: &mut Report) {
    match check.command.as_deref() {
        // Docker's way of saying that the image's own check is off.
        Some([none]) if none == "NONE" => {}
        Some([first, rest @ ..]) if (first == "CMD" || first == "CMD-SHELL") && !rest.is_empty() => {
            if first == "CMD-SHELL" && rest.len() > 1 {
                report.add(
                    &rules::HEALTH_COMMAND,
                    format!("{at}/command"),
                    "CMD-SHELL takes one line, the rest would be lost",
                );
            }
        }
        _ => report.add(
            &rules::HEALTH_COMMAND,
            format!("{at}/command"),
            "the command does not start with CMD or CMD-SHELL, or runs nothing",
        ),
    }
    for (name, value, range) in [
        ("interval", check.interval, 5..=300),
        ("timeout", check.timeout, 2..=60),
        ("retries", check.retries, 1..=10),
        ("startPeriod", check.start_period, 0..=300),
    ] {
        if value.is_some_and(|value| !range.contains(&value)) {
            let message = format!("{name} is not from {} to {}", range.start(), range.end());
            report.add(&rules::HEALTH_RANGE, format!("{at}/{name}"), message);
        }
    }
}
