//! The model: what a task definition says, and nothing about whether it makes sense.

mod container;
mod document;
mod extra;
mod options;
mod task;
mod volume;
mod words;

pub use container::{
    Container, Dependency, EnvVar, HealthCheck, LogConfiguration, MountPoint, PortMapping, SecretRef, Ulimit,
    VolumeFrom,
};
pub use document::{Document, ReadError};
pub use extra::Extra;
pub use options::Options;
pub use task::{EphemeralStorage, RuntimePlatform, Tag, TaskDefinition};
pub use volume::{EfsAuthorization, EfsVolume, HostVolume, Volume};
pub use words::{Compatibility, Condition, CpuArchitecture, LogDriver, NetworkMode, Protocol, Switch};
