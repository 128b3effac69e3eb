//! Ports. With `awsvpc` the containers of a task share one network interface.

use std::collections::HashSet;
use std::ops::RangeInclusive;

use super::finding::Report;
use super::rules;
use crate::model::{PortMapping, Protocol, TaskDefinition};

pub(super) fn check(task: &TaskDefinition, report: &mut Report) {
    let mut taken: Vec<(RangeInclusive<i64>, Protocol)> = Vec::new();
    let mut names = HashSet::new();
    for (index, container) in task.container_definitions.iter().enumerate() {
        for (position, port) in container.port_mappings().iter().enumerate() {
            let at = format!("/containerDefinitions/{index}/portMappings/{position}");
            let protocol = port.protocol.clone().unwrap_or(Protocol::Tcp);
            if !protocol.is_known() {
                report.add(&rules::PORT_PROTOCOL, format!("{at}/protocol"), "the protocol is neither tcp nor udp");
            }
            if let Some(name) = &port.name
                && !names.insert(name)
            {
                report.add(&rules::PORT_NAME, format!("{at}/name"), "another port has this name");
            }
            let Some(range) = numbers(port, &at, report) else { continue };
            let overlap = |(other, theirs): &(RangeInclusive<i64>, Protocol)| {
                *theirs == protocol && other.start() <= range.end() && range.start() <= other.end()
            };
            if taken.iter().any(overlap) {
                report.add(&rules::PORT_TWICE, at, "another mapping of the task has this port");
            }
            taken.push((range, protocol));
        }
    }
}

fn numbers(port: &PortMapping, at: &str, report: &mut Report) -> Option<RangeInclusive<i64>> {
    let legal = |number: i64| (1..=65535).contains(&number);
    match (port.container_port, &port.container_port_range) {
        (Some(_), Some(_)) => {
            report.add(&rules::PORT_RANGE, at, "both a port and a range are given");
            None
        }
        (None, None) => {
            report.add(&rules::PORT_NUMBER, at, "neither a port nor a range is given");
            None
        }
        (None, Some(range)) => {
            if port.host_port.is_some() {
                report.add(&rules::PORT_RANGE, format!("{at}/hostPort"), "a range has no single outer port");
            }
            let ends = range.split_once('-').and_then(|(a, b)| Some((a.parse::<i64>().ok()?, b.parse::<i64>().ok()?)));
            match ends.filter(|(first, last)| legal(*first) && legal(*last) && first <= last) {
                Some((first, last)) => Some(first..=last),
                None => {
                    let message = "the range is not FIRST-LAST with ports from 1 to 65535";
                    report.add(&rules::PORT_RANGE, format!("{at}/containerPortRange"), message);
                    None
                }
            }
        }
        (Some(number), None) => {
            if port.host_port.is_some_and(|outer| outer != number) {
                let message = format!("the outer port is not {number}");
                report.add(&rules::HOST_PORT, format!("{at}/hostPort"), message);
            }
            if !legal(number) {
                report.add(&rules::PORT_NUMBER, format!("{at}/containerPort"), "the port is not from 1 to 65535");
                return None;
            }
            Some(number..=number)
        }
    }
}
