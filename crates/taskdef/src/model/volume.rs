//! What a task can mount.

use serde::{Deserialize, Serialize};

use super::extra::Extra;
use super::words::Switch;

/// Something a task can mount.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Volume {
    /// The name mounts refer to.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// A directory of the host; on Fargate only as an empty object, which is scratch space.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub host: Option<HostVolume>,
    /// An EFS file system.
    #[serde(rename = "efsVolumeConfiguration", skip_serializing_if = "Option::is_none")]
    pub efs: Option<EfsVolume>,
    /// Whether service or task say what the volume is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub configured_at_launch: Option<bool>,
    /// Whatever else the document says.
    #[serde(flatten)]
    pub extra: Extra,
}

/// A directory of the host.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct HostVolume {
    /// Which one; not on Fargate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source_path: Option<String>,
    /// Whatever else the document says.
    #[serde(flatten)]
    pub extra: Extra,
}

/// An EFS file system.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct EfsVolume {
    /// The file system, `fs-…`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub file_system_id: String,
    /// The directory of the file system that becomes the root of the mount.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub root_directory: Option<String>,
    /// TLS between task and file system; off when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub transit_encryption: Option<Switch>,
    /// The local port of that TLS connection.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub transit_encryption_port: Option<i64>,
    /// Who may mount.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub authorization_config: Option<EfsAuthorization>,
    /// Whatever else the document says.
    #[serde(flatten)]
    pub extra: Extra,
}

impl EfsVolume {
    /// The access point, if one is used.
    pub fn access_point(&self) -> Option<&str> {
        self.authorization_config.as_ref()?.access_point_id.as_deref()
    }

    /// Whether EFS asks IAM about the task role.
    pub fn uses_iam(&self) -> bool {
        self.authorization_config.as_ref().and_then(|config| config.iam.as_ref()) == Some(&Switch::Enabled)
    }

    /// Whether the connection is encrypted.
    pub fn is_encrypted_in_transit(&self) -> bool {
        self.transit_encryption == Some(Switch::Enabled)
    }
}

/// Who may mount an EFS file system.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct EfsAuthorization {
    /// The access point, `fsap-…`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub access_point_id: Option<String>,
    /// Whether the task role must be allowed; off when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub iam: Option<Switch>,
    /// Whatever else the document says.
    #[serde(flatten)]
    pub extra: Extra,
}
