//! From a typed description to a task definition: what the person decided on one side, ECS's document on
//! the other. Nothing here looks anything up.

mod attachments;
mod guide;
mod ksm;
mod simple;

use crate::model::{
    Compatibility, Container, CpuArchitecture, Extra, LogConfiguration, LogDriver, NetworkMode, Options,
    RuntimePlatform, TaskDefinition,
};

pub use attachments::{AttachmentName, AttachmentNameError, Attachments};
pub use guide::GuideValues;
pub use ksm::{Images, Ksm, KsmConfig, PlainConfig, Volume, Volumes};
pub use simple::Simple;

/// The container that fetches the files, and ends.
pub const INIT_CONTAINER: &str = "init";
/// The container that is the service.
pub const MAIN_CONTAINER: &str = "main";
/// The port the service listens on.
pub const PORT: u16 = 443;
/// Where the certificate and its password are mounted.
pub const CONFIG_PATH: &str = "/usr/mybin/config";
/// Where `keeper.properties` is mounted.
pub const SETTINGS_PATH: &str = "/usr/mybin/settings";
/// The volume at [`CONFIG_PATH`].
pub const CONFIG_VOLUME: &str = "automatorconfig";
/// The volume at [`SETTINGS_PATH`].
pub const SETTINGS_VOLUME: &str = "automatorsettings";

/// What the Automator's task definition is made from.
#[derive(Clone, Debug, PartialEq)]
pub struct Description {
    /// The name that revisions share.
    pub family: String,
    /// The region of everything, the log group included (C15).
    pub region: String,
    /// The log group.
    pub log_group: String,
    /// CPU units of the task, 1024 to a vCPU.
    pub cpu: u32,
    /// MiB of the task.
    pub memory: u32,
    /// The processor; the images' default, Intel, when absent.
    pub architecture: Option<CpuArchitecture>,
    /// What ECS itself may do for the task.
    pub execution_role_arn: String,
    /// What the processes may do; needed as soon as EFS asks IAM (C07).
    pub task_role_arn: Option<String>,
    /// How the service gets its settings and secrets.
    pub shape: Shape,
}

/// How the service gets its settings and secrets.
#[derive(Clone, Debug, PartialEq)]
#[expect(clippy::large_enum_variant, reason = "a deployment has one, and a box would be in everybody's way")]
pub enum Shape {
    /// From a vault record, through an init container and two EFS file systems: this guide.
    Ksm(Ksm),
    /// From one secret in Secrets Manager; TLS ends at the balancer: the vendor's newer guide.
    Simple(Simple),
}

impl Description {
    /// Builds the task definition. The same description always gives the same document.
    pub fn render(&self) -> TaskDefinition {
        let (container_definitions, volumes) = match &self.shape {
            Shape::Ksm(shape) => (shape.containers(self), Some(shape.volumes())),
            Shape::Simple(shape) => (vec![shape.container(self)], None),
        };
        TaskDefinition {
            family: self.family.clone(),
            container_definitions,
            execution_role_arn: Some(self.execution_role_arn.clone()),
            task_role_arn: self.task_role_arn.clone(),
            network_mode: Some(NetworkMode::Awsvpc),
            volumes,
            requires_compatibilities: Some(vec![Compatibility::Fargate]),
            cpu: Some(self.cpu.to_string()),
            memory: Some(self.memory.to_string()),
            runtime_platform: self.architecture.clone().map(|architecture| RuntimePlatform {
                cpu_architecture: Some(architecture),
                operating_system_family: Some("LINUX".to_owned()),
                extra: Extra::default(),
            }),
            ..TaskDefinition::default()
        }
    }

    /// What the guide's own document says once its placeholders are filled in, the plain KSM configuration
    /// included: for `--guide-exact`, and as the left side of [`corrections`](crate::corrections).
    pub fn guide_exact(values: &GuideValues) -> TaskDefinition {
        guide::render(values)
    }

    /// Output of a container into the log group.
    fn logs(&self, prefix: &str) -> LogConfiguration {
        log_configuration(&self.log_group, &self.region, prefix)
    }
}

fn log_configuration(group: &str, region: &str, prefix: &str) -> LogConfiguration {
    LogConfiguration {
        log_driver: Some(LogDriver::Awslogs),
        options: Some(Options::from_iter([
            ("awslogs-group", group),
            ("awslogs-region", region),
            ("awslogs-stream-prefix", prefix),
        ])),
        ..LogConfiguration::default()
    }
}

fn container(name: &str, image: &str, logs: LogConfiguration) -> Container {
    Container { name: name.to_owned(), image: image.to_owned(), log_configuration: Some(logs), ..Container::default() }
}
