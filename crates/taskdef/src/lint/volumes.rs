//! Volumes, EFS and mounts.

use std::collections::HashSet;

use super::finding::Report;
use super::rules;
use super::task::is_name;
use crate::model::{EfsVolume, Switch, TaskDefinition, Volume};

pub(super) fn check(task: &TaskDefinition, report: &mut Report) {
    let mut names = HashSet::new();
    let mounted: HashSet<&str> = task
        .container_definitions
        .iter()
        .flat_map(|container| container.mount_points())
        .map(|mount| mount.source_volume.as_str())
        .collect();
    for (index, volume) in task.volumes().iter().enumerate() {
        let at = format!("/volumes/{index}");
        if !is_name(&volume.name) {
            report.add(
                &rules::VOLUME_NAME,
                format!("{at}/name"),
                "the name is missing, too long, or has other characters",
            );
        } else if !names.insert(volume.name.as_str()) {
            report.add(&rules::VOLUME_TWICE, format!("{at}/name"), format!("`{}` is taken", volume.name));
        } else if !mounted.contains(volume.name.as_str()) {
            report.add(&rules::VOLUME_UNUSED, &at, format!("no container mounts `{}`", volume.name));
        }
        kind(volume, &at, report);
        if let Some(efs) = &volume.efs {
            file_system(efs, task, &format!("{at}/efsVolumeConfiguration"), report);
        }
    }
    for (index, container) in task.container_definitions.iter().enumerate() {
        let at = format!("/containerDefinitions/{index}");
        let mut paths = HashSet::new();
        for (position, mount) in container.mount_points().iter().enumerate() {
            let at = format!("{at}/mountPoints/{position}");
            if !names.contains(mount.source_volume.as_str()) {
                let message = format!("the task has no volume `{}`", mount.source_volume);
                report.add(&rules::MOUNT_UNKNOWN, format!("{at}/sourceVolume"), message);
            }
            let windows = mount.container_path.as_bytes().get(1) == Some(&b':');
            if !mount.container_path.starts_with('/') && !windows {
                report.add(&rules::MOUNT_PATH, format!("{at}/containerPath"), "the path is missing or not absolute");
            } else if !paths.insert(mount.container_path.trim_end_matches('/')) {
                report.add(
                    &rules::MOUNT_TWICE,
                    format!("{at}/containerPath"),
                    "another mount of the container is here",
                );
            }
        }
        for (position, from) in container.volumes_from().iter().enumerate() {
            let other = task.container_definitions.iter().any(|other| other.name == from.source_container);
            if !other || from.source_container == container.name {
                let pointer = format!("{at}/volumesFrom/{position}/sourceContainer");
                report.add(&rules::VOLUMES_FROM, pointer, "the task has no other container of this name");
            }
        }
    }
}

fn kind(volume: &Volume, at: &str, report: &mut Report) {
    if volume.host.as_ref().is_some_and(|host| host.source_path.is_some()) {
        report.add(&rules::FARGATE_VOLUME, format!("{at}/host/sourcePath"), "Fargate has no host directory");
    }
    const INSTANCE_ONLY: [&str; 2] = ["dockerVolumeConfiguration", "fsxWindowsFileServerVolumeConfiguration"];
    for name in INSTANCE_ONLY.into_iter().filter(|name| volume.extra.get(name).is_some()) {
        report.add(&rules::FARGATE_VOLUME, format!("{at}/{name}"), format!("Fargate does not know {name}"));
    }
    let others = INSTANCE_ONLY.iter().chain(&["s3filesVolumeConfiguration"]);
    let kinds = others.filter(|name| volume.extra.get(name).is_some()).count()
        + usize::from(volume.efs.is_some())
        + usize::from(volume.host.as_ref().is_some_and(|host| host.source_path.is_some()))
        + usize::from(volume.configured_at_launch == Some(true));
    if kinds > 1 {
        report.add(&rules::VOLUME_KIND, at, "the volume is of several kinds at once");
    }
}

fn file_system(efs: &EfsVolume, task: &TaskDefinition, at: &str, report: &mut Report) {
    let id = |text: &str, prefix: &str| {
        text.strip_prefix(prefix)
            .is_some_and(|rest| (8..=40).contains(&rest.len()) && rest.bytes().all(|b| b.is_ascii_hexdigit()))
    };
    // A file system of another account is named by its ARN.
    let bare = efs.file_system_id.rsplit('/').next().unwrap_or_default();
    if !id(bare, "fs-") {
        report.add(&rules::EFS_ID, format!("{at}/fileSystemId"), "this is not the id of a file system");
    }
    let words = [
        ("transitEncryption", efs.transit_encryption.as_ref()),
        ("authorizationConfig/iam", efs.authorization_config.as_ref().and_then(|config| config.iam.as_ref())),
    ];
    for (name, _) in words.into_iter().filter(|(_, word)| word.is_some_and(|word| !word.is_known())) {
        report.add(&rules::SWITCH_WORD, format!("{at}/{name}"), "the word is neither ENABLED nor DISABLED");
    }
    let encrypted = efs.is_encrypted_in_transit();
    let root = efs.root_directory.as_deref().unwrap_or("/");
    if let Some(point) = efs.access_point() {
        if !id(point, "fsap-") {
            report.add(
                &rules::EFS_ID,
                format!("{at}/authorizationConfig/accessPointId"),
                "this is not the id of an access point",
            );
        }
        if root != "/" {
            report.add(&rules::EFS_ROOT, format!("{at}/rootDirectory"), "the access point decides the directory");
        }
    } else if !root.starts_with('/') {
        report.add(&rules::EFS_ROOT_PATH, format!("{at}/rootDirectory"), "the path is not absolute");
    }
    let needs_tls = efs.uses_iam() || efs.access_point().is_some();
    if needs_tls && !encrypted {
        report.add(&rules::EFS_TRANSIT, at, "IAM or an access point is used over a plain connection");
    } else if !encrypted && efs.transit_encryption.as_ref().is_none_or(Switch::is_known) {
        report.add(&rules::EFS_PLAIN, at, "files travel in the open");
    }
    if let Some(port) = efs.transit_encryption_port
        && (!encrypted || !(1..=65535).contains(&port))
    {
        report.add(&rules::EFS_PORT, format!("{at}/transitEncryptionPort"), "the port is out of range or has no TLS");
    }
    if efs.uses_iam() && task.task_role_arn.is_none() {
        report.add(
            &rules::EFS_TASK_ROLE,
            format!("{at}/authorizationConfig/iam"),
            "the task has no role to be asked about",
        );
    } else if !efs.uses_iam() {
        report.add(&rules::EFS_OPEN, at, "whoever reaches the file system may mount it");
    }
}
