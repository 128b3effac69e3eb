//! One container of a task.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::extra::Extra;
use super::options::Options;
use super::words::{Condition, LogDriver, Protocol};

/// One container of a task. Lists are optional rather than empty, because a document that says `[]` is to
/// be written back saying `[]`; the methods of the same names hide the difference.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Container {
    /// The name other containers and the service refer to.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// Registry, repository and tag or digest.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub image: String,
    /// CPU units set aside, 1024 to a vCPU.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cpu: Option<i64>,
    /// Hard limit in MiB.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory: Option<i64>,
    /// Soft limit in MiB.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory_reservation: Option<i64>,
    /// Ports that are reachable.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub port_mappings: Option<Vec<PortMapping>>,
    /// Whether the task ends when this container does; true when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub essential: Option<bool>,
    /// Replaces the image's entry point.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub entry_point: Option<Vec<String>>,
    /// Replaces the image's command.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub command: Option<Vec<String>>,
    /// Plain environment variables.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub environment: Option<Vec<EnvVar>>,
    /// Environment variables whose values ECS fetches.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secrets: Option<Vec<SecretRef>>,
    /// Where the task's volumes appear.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mount_points: Option<Vec<MountPoint>>,
    /// Containers whose mounts are taken over.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub volumes_from: Option<Vec<VolumeFrom>>,
    /// What must be true of other containers before this one starts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub depends_on: Option<Vec<Dependency>>,
    /// Where output goes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub log_configuration: Option<LogConfiguration>,
    /// How ECS asks whether the container is well.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub health_check: Option<HealthCheck>,
    /// The user the process runs as.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// Where the process starts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub working_directory: Option<String>,
    /// Whether only mounts can be written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub readonly_root_filesystem: Option<bool>,
    /// Root on the host; not on Fargate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub privileged: Option<bool>,
    /// Limits of the operating system.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ulimits: Option<Vec<Ulimit>>,
    /// Seconds to wait for a dependency.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start_timeout: Option<i64>,
    /// Seconds between the signal and the kill.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stop_timeout: Option<i64>,
    /// Whatever else the document says.
    #[serde(flatten)]
    pub extra: Extra,
}

macro_rules! list {
    ($(#[$doc:meta])* $name:ident: $item:ty) => {
        $(#[$doc])*
        pub fn $name(&self) -> &[$item] {
            self.$name.as_deref().unwrap_or_default()
        }
    };
}

impl Container {
    list!(
        /// Ports, none when absent.
        port_mappings: PortMapping
    );
    list!(
        /// Plain variables, none when absent.
        environment: EnvVar
    );
    list!(
        /// Fetched variables, none when absent.
        secrets: SecretRef
    );
    list!(
        /// Mounts, none when absent.
        mount_points: MountPoint
    );
    list!(
        /// Taken-over mounts, none when absent.
        volumes_from: VolumeFrom
    );
    list!(
        /// Dependencies, none when absent.
        depends_on: Dependency
    );
    list!(
        /// Limits, none when absent.
        ulimits: Ulimit
    );

    /// Whether the task ends when this container does.
    pub fn is_essential(&self) -> bool {
        self.essential.unwrap_or(true)
    }

    /// The value of a plain environment variable.
    pub fn environment_value(&self, name: &str) -> Option<&str> {
        let variable = self.environment().iter().find(|variable| variable.name == name)?;
        variable.value.as_deref()
    }
}

/// A port of a container.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct PortMapping {
    /// The port the process listens on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub container_port: Option<i64>,
    /// The port outside; in `awsvpc` the same.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub host_port: Option<i64>,
    /// TCP when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub protocol: Option<Protocol>,
    /// A name for Service Connect.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// `FIRST-LAST` instead of one port.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub container_port_range: Option<String>,
    /// Whatever else the document says.
    #[serde(flatten)]
    pub extra: Extra,
}

/// A plain environment variable. `Debug` shows the name only.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct EnvVar {
    /// Its name.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// Its value, which may be a secret somebody put in the wrong place.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// Whatever else the document says.
    #[serde(flatten)]
    pub extra: Extra,
}

impl EnvVar {
    /// A variable of this name and value.
    pub fn new(name: impl Into<String>, value: impl Into<String>) -> Self {
        Self { name: name.into(), value: Some(value.into()), extra: Extra::default() }
    }
}

impl fmt::Debug for EnvVar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EnvVar").field("name", &self.name).finish_non_exhaustive()
    }
}

/// An environment variable, or a log option, whose value ECS fetches when the task starts.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct SecretRef {
    /// Its name.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// ARN of a secret or a parameter, or the name of a parameter in the same region.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub value_from: String,
    /// Whatever else the document says.
    #[serde(flatten)]
    pub extra: Extra,
}

/// Where a volume appears in a container.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct MountPoint {
    /// The volume's name.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub source_volume: String,
    /// The directory.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub container_path: String,
    /// Writable when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub read_only: Option<bool>,
    /// Whatever else the document says.
    #[serde(flatten)]
    pub extra: Extra,
}

/// A container whose mounts are taken over.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct VolumeFrom {
    /// That container's name.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub source_container: String,
    /// Writable when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub read_only: Option<bool>,
    /// Whatever else the document says.
    #[serde(flatten)]
    pub extra: Extra,
}

/// Something that must be true of another container first.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Dependency {
    /// The other container's name.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub container_name: String,
    /// What must be true of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub condition: Option<Condition>,
    /// Whatever else the document says.
    #[serde(flatten)]
    pub extra: Extra,
}

/// Where a container's output goes.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct LogConfiguration {
    /// The driver.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub log_driver: Option<LogDriver>,
    /// The driver's options.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub options: Option<Options>,
    /// Options whose values ECS fetches.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret_options: Option<Vec<SecretRef>>,
    /// Whatever else the document says.
    #[serde(flatten)]
    pub extra: Extra,
}

impl LogConfiguration {
    /// The value of an option.
    pub fn option(&self, name: &str) -> Option<&str> {
        self.options.as_ref()?.get(name)
    }

    /// Fetched options, none when absent.
    pub fn secret_options(&self) -> &[SecretRef] {
        self.secret_options.as_deref().unwrap_or_default()
    }
}

/// How ECS asks whether a container is well.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct HealthCheck {
    /// `CMD` and arguments, or `CMD-SHELL` and a line.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub command: Option<Vec<String>>,
    /// Seconds between checks; 30 when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub interval: Option<i64>,
    /// Seconds until a check has failed; 5 when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeout: Option<i64>,
    /// Failures in a row until unhealthy; 3 when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retries: Option<i64>,
    /// Seconds after the start in which failures do not count.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start_period: Option<i64>,
    /// Whatever else the document says.
    #[serde(flatten)]
    pub extra: Extra,
}

/// A limit of the operating system.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Ulimit {
    /// Which limit.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// The value at the start.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub soft_limit: Option<i64>,
    /// The value a process may raise it to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hard_limit: Option<i64>,
    /// Whatever else the document says.
    #[serde(flatten)]
    pub extra: Extra,
}
