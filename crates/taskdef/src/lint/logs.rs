//! Where output goes.

use serde_json::Value;

use super::finding::Report;
use super::rules;
use crate::model::{LogConfiguration, LogDriver, TaskDefinition};
use crate::pointer;

/// What the driver reads, the options of every driver included.
const AWSLOGS: &[&str] = &[
    "awslogs-group",
    "awslogs-region",
    "awslogs-stream-prefix",
    "awslogs-stream",
    "awslogs-create-group",
    "awslogs-endpoint",
    "awslogs-credentials-endpoint",
    "awslogs-datetime-format",
    "awslogs-multiline-pattern",
    "awslogs-force-flush-interval-seconds",
    "awslogs-max-buffered-events",
    "awslogs-format",
    "mode",
    "max-buffer-size",
    "tag",
];

pub(super) fn check(task: &TaskDefinition, report: &mut Report) {
    let routers = task.container_definitions.iter().filter(|c| c.extra.get("firelensConfiguration").is_some()).count();
    let mut routed = None;
    for (index, container) in task.container_definitions.iter().enumerate() {
        let at = format!("/containerDefinitions/{index}");
        let Some(logs) = &container.log_configuration else {
            report.add(&rules::LOG_NONE, at, format!("nobody reads the output of `{}`", container.name));
            continue;
        };
        let at = format!("{at}/logConfiguration");
        match &logs.log_driver {
            Some(LogDriver::Awslogs) => awslogs(logs, &at, report),
            Some(LogDriver::Awsfirelens) => {
                routed.get_or_insert_with(|| at.clone());
            }
            Some(LogDriver::Splunk) => {}
            _ => report.add(&rules::LOG_DRIVER, format!("{at}/logDriver"), "Fargate does not know this driver"),
        }
        delivery(logs, &at, report);
    }
    match routed {
        Some(at) if routers == 0 => report.add(&rules::FIRELENS, at, "no container of the task is a log router"),
        _ if routers > 1 => {
            report.add(&rules::FIRELENS, "/containerDefinitions", "more than one container is a log router");
        }
        _ => {}
    }
}

fn awslogs(logs: &LogConfiguration, at: &str, report: &mut Report) {
    let missing = ["awslogs-group", "awslogs-region", "awslogs-stream-prefix"];
    for name in missing.into_iter().filter(|name| logs.option(name).is_none_or(str::is_empty)) {
        report.add(&rules::LOG_OPTION_MISSING, format!("{at}/options"), format!("{name} is missing"));
    }
    let options = logs.options.iter().flat_map(|options| &options.0);
    for (name, value) in options {
        if !AWSLOGS.contains(&name.as_str()) || !matches!(value, Value::String(_)) {
            let pointer = format!("{at}/options/{}", pointer::escape(name));
            report.add(&rules::LOG_OPTION_UNKNOWN, pointer, "the driver has no such option, or its value is not text");
        }
    }
    let legal = |group: &str| {
        (1..=512).contains(&group.len())
            && group.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'/' | b'.' | b'#'))
    };
    if logs.option("awslogs-group").is_some_and(|group| !group.is_empty() && !legal(group)) {
        report.add(
            &rules::LOG_GROUP,
            format!("{at}/options/awslogs-group"),
            "the group's name is too long or has other characters",
        );
    }
    match logs.option("awslogs-create-group") {
        Some("true") => {
            let message = "the managed policy of the execution role does not allow this";
            report.add(&rules::LOG_CREATES_GROUP, format!("{at}/options/awslogs-create-group"), message);
        }
        Some("false") | None => {}
        Some(_) => {
            report.add(
                &rules::LOG_OPTION_VALUE,
                format!("{at}/options/awslogs-create-group"),
                "neither true nor false",
            );
        }
    }
    if logs.option("awslogs-datetime-format").is_some() && logs.option("awslogs-multiline-pattern").is_some() {
        report.add(
            &rules::LOG_OPTION_VALUE,
            format!("{at}/options"),
            "a date format and a multiline pattern exclude each other",
        );
    }
}

fn delivery(logs: &LogConfiguration, at: &str, report: &mut Report) {
    let mode = logs.option("mode");
    if mode.is_some_and(|mode| !matches!(mode, "blocking" | "non-blocking")) {
        report.add(&rules::LOG_OPTION_VALUE, format!("{at}/options/mode"), "neither blocking nor non-blocking");
    }
    let Some(size) = logs.option("max-buffer-size") else { return };
    let digits = size.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = size[digits.len()..].to_ascii_lowercase();
    let sound = digits.parse::<u32>().is_ok_and(|n| n > 0)
        && matches!(unit.as_str(), "" | "b" | "k" | "kb" | "m" | "mb" | "g" | "gb");
    if !sound || mode == Some("blocking") {
        report.add(
            &rules::LOG_OPTION_VALUE,
            format!("{at}/options/max-buffer-size"),
            "not a size, or there is no buffer when blocking",
        );
    }
}
