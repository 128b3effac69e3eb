//! The document as a whole.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::container::Container;
use super::document::ReadError;
use super::extra::Extra;
use super::volume::Volume;
use super::words::{Compatibility, CpuArchitecture, NetworkMode};

/// A task definition, as `RegisterTaskDefinition` takes it. What the model does not name is in `extra`, so
/// that reading and writing a valid document give the same JSON value. Two things no valid document has are
/// written as absent: `null` for a member the model names, and the empty string for a name or reference.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct TaskDefinition {
    /// The name that revisions share.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub family: String,
    /// The containers.
    pub container_definitions: Vec<Container>,
    /// What ECS itself may do for the task: write logs, fetch secrets and images.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub execution_role_arn: Option<String>,
    /// What the processes in the task may do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub task_role_arn: Option<String>,
    /// How the task reaches the network.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub network_mode: Option<NetworkMode>,
    /// What the containers can mount.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub volumes: Option<Vec<Volume>>,
    /// Where the definition is to run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub requires_compatibilities: Option<Vec<Compatibility>>,
    /// CPU units of the task, as text, 1024 to a vCPU.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cpu: Option<String>,
    /// MiB of the task, as text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory: Option<String>,
    /// Processor and operating system.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub runtime_platform: Option<RuntimePlatform>,
    /// Scratch space beyond the 20 GiB every task has.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ephemeral_storage: Option<EphemeralStorage>,
    /// Labels of the revision.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tags: Option<Vec<Tag>>,
    /// Whatever else the document says, the read-only members of a described revision among it.
    #[serde(flatten)]
    pub extra: Extra,
}

impl TaskDefinition {
    /// Reads a definition from a JSON value.
    pub fn from_value(value: Value) -> Result<Self, ReadError> {
        serde_path_to_error::deserialize(value).map_err(ReadError::from_path)
    }

    /// Writes the definition as a JSON value.
    pub fn to_value(&self) -> Value {
        serde_json::to_value(self).expect("the model has string keys only")
    }

    /// Writes the definition as indented JSON with a line feed at the end.
    pub fn to_json(&self) -> String {
        format!("{:#}\n", self.to_value())
    }

    /// Volumes, none when absent.
    pub fn volumes(&self) -> &[Volume] {
        self.volumes.as_deref().unwrap_or_default()
    }

    /// Where it is to run, nowhere in particular when absent.
    pub fn requires_compatibilities(&self) -> &[Compatibility] {
        self.requires_compatibilities.as_deref().unwrap_or_default()
    }

    /// Tags, none when absent.
    pub fn tags(&self) -> &[Tag] {
        self.tags.as_deref().unwrap_or_default()
    }

    /// The container of this name.
    pub fn container(&self, name: &str) -> Option<&Container> {
        self.container_definitions.iter().find(|container| container.name == name)
    }

    /// Whether the definition says that it is to run on Fargate.
    pub fn is_fargate(&self) -> bool {
        self.requires_compatibilities().contains(&Compatibility::Fargate)
    }
}

/// Processor and operating system.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct RuntimePlatform {
    /// The processor; Intel when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cpu_architecture: Option<CpuArchitecture>,
    /// The operating system; Linux when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub operating_system_family: Option<String>,
    /// Whatever else the document says.
    #[serde(flatten)]
    pub extra: Extra,
}

/// Scratch space.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct EphemeralStorage {
    /// Its size.
    #[serde(rename = "sizeInGiB", skip_serializing_if = "Option::is_none")]
    pub size_in_gib: Option<i64>,
    /// Whatever else the document says.
    #[serde(flatten)]
    pub extra: Extra,
}

/// A label of the revision.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Tag {
    /// Its key.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub key: String,
    /// Its value.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// Whatever else the document says.
    #[serde(flatten)]
    pub extra: Extra,
}
