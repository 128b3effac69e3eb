//! The vendor's newer shape: no init container, no file system, TLS ends at the balancer.

use super::ksm::{fetch, port};
use super::{Description, MAIN_CONTAINER, container};
use crate::model::{Container, EnvVar};

/// What the simple shape needs beyond what every shape needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Simple {
    /// The image of the service, pinned (C14).
    pub image: String,
    /// ARN of the secret that holds the 256-bit key with which instances read their configuration from the
    /// Keeper cloud.
    pub config_key: String,
    /// The port the service listens on, in plain HTTP.
    pub port: u16,
}

impl Simple {
    /// The port the vendor's service listens on when nothing is said.
    pub const DEFAULT_PORT: u16 = 8089;

    pub(super) fn container(&self, task: &Description) -> Container {
        Container {
            cpu: Some(task.cpu.into()),
            memory: Some(task.memory.into()),
            port_mappings: Some(vec![port(self.port)]),
            essential: Some(true),
            environment: Some(vec![
                EnvVar::new("AUTOMATOR_PORT", self.port.to_string()),
                EnvVar::new("DISABLE_SNI_CHECK", "true"),
                EnvVar::new("SSL_MODE", "none"),
            ]),
            secrets: Some(vec![fetch("AUTOMATOR_CONFIG_KEY", &self.config_key)]),
            ..container(MAIN_CONTAINER, &self.image, task.logs("automator"))
        }
    }
}
