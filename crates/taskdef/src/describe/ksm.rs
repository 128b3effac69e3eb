//! The guide's shape: an init container that fetches three files from the vault, two file systems, and the
//! service.

use super::{
    Attachments, CONFIG_PATH, CONFIG_VOLUME, Description, INIT_CONTAINER, MAIN_CONTAINER, PORT, SETTINGS_PATH,
    SETTINGS_VOLUME, container,
};
use crate::model::{
    Condition, Container, Dependency, EfsAuthorization, EfsVolume, EnvVar, Extra, MountPoint, PortMapping, Protocol,
    SecretRef, Switch,
};
use crate::record_uid::RecordUid;
use crate::secrets::{Entry, Secrets};

/// What the guide's shape needs beyond what every shape needs.
#[derive(Clone, Debug, PartialEq)]
pub struct Ksm {
    /// The two images, pinned (C14).
    pub images: Images,
    /// The record with the three files.
    pub record_uid: RecordUid,
    /// Their names.
    pub attachments: Attachments,
    /// How the init container signs in to the vault.
    pub ksm_config: KsmConfig,
    /// The two file systems.
    pub volumes: Volumes,
}

/// The two images.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Images {
    /// Of the container that fetches the files.
    pub init: String,
    /// Of the service.
    pub main: String,
}

/// How the init container signs in to the vault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KsmConfig {
    /// ARN of the secret that holds the device configuration (C05).
    Secret(String),
    /// The configuration itself, in the open, as the guide prints it.
    Plain(PlainConfig),
}

/// A device configuration, or what stands in its place. `Debug` does not show it.
#[derive(Clone, PartialEq, Eq)]
pub struct PlainConfig(pub String);

impl std::fmt::Debug for PlainConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PlainConfig")
    }
}

/// The two file systems.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Volumes {
    /// For the certificate, its password and the service's state.
    pub config: Volume,
    /// For `keeper.properties`.
    pub settings: Volume,
}

/// One file system, mounted with TLS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Volume {
    /// The file system.
    pub file_system_id: String,
    /// Its access point; with one, IAM decides who may mount (C07).
    pub access_point_id: Option<String>,
}

impl Ksm {
    pub(super) fn containers(&self, task: &Description) -> Vec<Container> {
        let (cpu, memory) = (share(task.cpu, 2), share(task.memory, 5));
        vec![
            Container { cpu: Some(i64::from(cpu)), memory: Some(i64::from(memory)), ..self.init(task) },
            Container {
                cpu: Some(i64::from(task.cpu - cpu)),
                memory: Some(i64::from(task.memory - memory)),
                ..self.main(task)
            },
        ]
    }

    fn init(&self, task: &Description) -> Container {
        let secrets = EnvVar::new("SECRETS", secrets(&self.record_uid, &self.attachments).to_string());
        let (environment, fetched) = match &self.ksm_config {
            KsmConfig::Plain(PlainConfig(text)) => (vec![EnvVar::new("KSM_CONFIG", text), secrets], None),
            KsmConfig::Secret(arn) => (vec![secrets], Some(vec![fetch("KSM_CONFIG", arn)])),
        };
        Container {
            port_mappings: Some(Vec::new()),
            essential: Some(false),
            environment: Some(environment),
            secrets: fetched,
            mount_points: Some(mounts()),
            volumes_from: Some(Vec::new()),
            ..container(INIT_CONTAINER, &self.images.init, task.logs("container-1"))
        }
    }

    fn main(&self, task: &Description) -> Container {
        Container {
            port_mappings: Some(vec![port(PORT)]),
            essential: Some(true),
            environment: Some(Vec::new()),
            mount_points: Some(mounts()),
            volumes_from: Some(Vec::new()),
            depends_on: Some(vec![Dependency {
                container_name: INIT_CONTAINER.to_owned(),
                condition: Some(Condition::Success),
                extra: Extra::default(),
            }]),
            ..container(MAIN_CONTAINER, &self.images.main, task.logs("container-2"))
        }
    }

    pub(super) fn volumes(&self) -> Vec<crate::model::Volume> {
        vec![efs(CONFIG_VOLUME, &self.volumes.config), efs(SETTINGS_VOLUME, &self.volumes.settings)]
    }
}

/// The init container's part of the task: what the guide gives it of the guide's task, and in proportion
/// of a smaller one.
fn share(whole: u32, of: u32) -> u32 {
    (whole / of).min(1024)
}

pub(super) fn port(number: u16) -> PortMapping {
    PortMapping {
        container_port: Some(number.into()),
        host_port: Some(number.into()),
        protocol: Some(Protocol::Tcp),
        ..PortMapping::default()
    }
}

pub(super) fn fetch(name: &str, arn: &str) -> SecretRef {
    SecretRef { name: name.to_owned(), value_from: arn.to_owned(), extra: Extra::default() }
}

fn mounts() -> Vec<MountPoint> {
    [(CONFIG_VOLUME, CONFIG_PATH), (SETTINGS_VOLUME, SETTINGS_PATH)]
        .map(|(volume, path)| MountPoint {
            source_volume: volume.to_owned(),
            container_path: path.to_owned(),
            ..MountPoint::default()
        })
        .into()
}

fn efs(name: &str, volume: &Volume) -> crate::model::Volume {
    let authorization_config = volume.access_point_id.as_ref().map(|id| EfsAuthorization {
        access_point_id: Some(id.clone()),
        iam: Some(Switch::Enabled),
        extra: Extra::default(),
    });
    crate::model::Volume {
        name: name.to_owned(),
        efs: Some(EfsVolume {
            file_system_id: volume.file_system_id.clone(),
            root_directory: Some("/".to_owned()),
            transit_encryption: Some(Switch::Enabled),
            authorization_config,
            ..EfsVolume::default()
        }),
        ..crate::model::Volume::default()
    }
}

/// The three lines: whatever the attachments are called, the files have the names the service looks for.
fn secrets(record: &RecordUid, names: &Attachments) -> Secrets {
    Secrets(vec![
        Entry::file(record, names.pfx.as_str(), format!("{CONFIG_PATH}/ssl-certificate.pfx")),
        Entry::file(record, names.password.as_str(), format!("{CONFIG_PATH}/ssl-certificate-password.txt")),
        Entry::file(record, names.properties.as_str(), format!("{SETTINGS_PATH}/keeper.properties")),
    ])
}
