//! The container that fetches files from the vault.

use std::collections::HashSet;

use super::finding::Report;
use super::rules;
use crate::model::{Condition, Container, MountPoint, TaskDefinition};
use crate::record_uid::RecordUid;
use crate::secrets::{Destination, Secrets};

/// What a repository of the writer image is called, mirrors included.
const IMAGE: &str = "secrets-manager-writer";
const CONFIG: &str = "KSM_CONFIG";
const SECRETS: &str = "SECRETS";

pub(super) fn check(task: &TaskDefinition, report: &mut Report) {
    for (index, writer) in task.container_definitions.iter().enumerate().filter(|(_, container)| is_writer(container)) {
        let at = format!("/containerDefinitions/{index}");
        if writer.is_essential() && task.container_definitions.len() > 1 {
            report.add(
                &rules::WRITER_ESSENTIAL,
                format!("{at}/essential"),
                format!("the task ends when `{}` does", writer.name),
            );
        }
        let unready = unready(writer, task);
        if !unready.is_empty() {
            let message = format!("{} not wait for the success of `{}`", unready, writer.name);
            report.add(&rules::WRITER_UNAWAITED, &at, message);
        }
        config(writer, &at, report);
        lines(writer, task, &at, report);
    }
}

/// Who may start before the writer's files are there: essential containers that share a volume with it. Somebody has to wait.
fn unready(writer: &Container, task: &TaskDefinition) -> String {
    let others = || task.container_definitions.iter().filter(|other| other.name != writer.name);
    let mut early = others().filter(|other| {
        other.is_essential() && !is_writer(other) && has_volume_of(other, writer) && !waits(other, writer, task)
    });
    if let Some(early) = early.next() {
        return format!("`{}` does", early.name);
    }
    let nobody = others().next().is_some() && !others().any(|other| waits(other, writer, task));
    if nobody { "the other containers do".to_owned() } else { String::new() }
}

fn has_volume_of(other: &Container, writer: &Container) -> bool {
    let from =
        |one: &Container, two: &Container| one.volumes_from().iter().any(|from| from.source_container == two.name);
    let mounts = |mount: &MountPoint| writer.mount_points().iter().any(|own| own.source_volume == mount.source_volume);
    other.mount_points().iter().any(mounts) || from(other, writer) || from(writer, other)
}

/// Whether a container starts only after the writer's success, because it or one that it waits for asks for that.
fn waits(container: &Container, writer: &Container, task: &TaskDefinition) -> bool {
    let (mut open, mut seen) = (vec![container], HashSet::from([container.name.as_str()]));
    while let Some(next) = open.pop() {
        for dependency in next.depends_on() {
            if dependency.container_name != writer.name {
                let mut named = task.container_definitions.iter().filter(|c| c.name == dependency.container_name);
                open.extend(named.next().filter(|awaited| seen.insert(awaited.name.as_str())));
            } else if dependency.condition == Some(Condition::Success) {
                return true;
            }
        }
    }
    false
}

/// Whether a container runs the writer image.
pub(super) fn is_writer(container: &Container) -> bool {
    let has = |name: &str| is_set(container, name);
    container.image.contains(IMAGE) || (has(SECRETS) && has(CONFIG))
}

fn is_set(container: &Container, name: &str) -> bool {
    container.environment().iter().any(|variable| variable.name == name)
        || container.secrets().iter().any(|secret| secret.name == name)
}

fn config(writer: &Container, at: &str, report: &mut Report) {
    if !is_set(writer, CONFIG) {
        let misspelt = is_set(writer, "KSM_CONIFG");
        let message = if misspelt { "KSM_CONIFG is a misspelling of KSM_CONFIG" } else { "KSM_CONFIG is missing" };
        report.add(&rules::WRITER_CONFIG, at, message);
    }
    if !is_set(writer, SECRETS) {
        report.add(&rules::WRITER_CONFIG, at, "SECRETS is missing");
    }
}

fn lines(writer: &Container, task: &TaskDefinition, at: &str, report: &mut Report) {
    let Some(index) = writer.environment().iter().position(|variable| variable.name == SECRETS) else { return };
    let at = format!("{at}/environment/{index}/value");
    let text = writer.environment()[index].value.as_deref().unwrap_or_default();
    let entries = match text.parse::<Secrets>() {
        Ok(Secrets(entries)) => entries,
        Err(error) => return report.add(&rules::SECRETS_SYNTAX, at, error.to_string()),
    };
    if entries.is_empty() {
        return report.add(&rules::SECRETS_SYNTAX, at, "nothing is fetched");
    }
    let mut destinations = HashSet::new();
    for (number, entry) in entries.iter().enumerate() {
        let line = number + 1;
        if entry.notation.record.parse::<RecordUid>().is_err() {
            report.add(&rules::SECRETS_RECORD, &at, format!("line {line}: the record is not named by a UID"));
        }
        if !destinations.insert(entry.destination.to_string()) {
            report.add(&rules::SECRETS_TWICE, &at, format!("line {line}: the destination is taken"));
        }
        match &entry.destination {
            Destination::Variable(_) if !is_set(writer, "SECRETS_FILE") => {
                report.add(
                    &rules::WRITER_CONFIG,
                    &at,
                    format!("line {line}: without SECRETS_FILE a value has nowhere to go"),
                );
            }
            Destination::Variable(_) => {}
            Destination::File(path) if !entry.destination.is_absolute_file() => {
                report.add(&rules::SECRETS_PATH, &at, format!("line {line}: `{path}` is not a plain absolute path"));
            }
            Destination::File(path) => match mount_of(writer, path) {
                None => report.add(&rules::SECRETS_PATH, &at, format!("line {line}: `{path}` is outside every mount")),
                Some(mount) if mount.read_only == Some(true) => {
                    report.add(&rules::SECRETS_PATH, &at, format!("line {line}: `{path}` is on a read-only mount"));
                }
                Some(mount) if task.container_definitions.len() > 1 && !is_shared(mount, writer, task) => {
                    let message = format!("line {line}: no other container mounts `{}`", mount.source_volume);
                    report.add(&rules::SECRETS_UNSHARED, &at, message);
                }
                Some(_) => {}
            },
        }
    }
}

/// The innermost mount a path lies in.
pub(super) fn mount_of<'a>(container: &'a Container, path: &str) -> Option<&'a MountPoint> {
    let inside = |mount: &&MountPoint| {
        let rest = path.strip_prefix(mount.container_path.trim_end_matches('/'));
        rest.is_some_and(|rest| rest.starts_with('/') && rest.len() > 1)
    };
    container.mount_points().iter().filter(inside).max_by_key(|mount| mount.container_path.len())
}

fn is_shared(mount: &MountPoint, writer: &Container, task: &TaskDefinition) -> bool {
    let others = task.container_definitions.iter().filter(|other| other.name != writer.name);
    others.into_iter().any(|other| {
        other.mount_points().iter().any(|theirs| theirs.source_volume == mount.source_volume)
            || other.volumes_from().iter().any(|from| from.source_container == writer.name)
    })
}
