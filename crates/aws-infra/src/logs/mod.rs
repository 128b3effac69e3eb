//! CloudWatch Logs: where the tasks write, and the deployment's lock.

mod lock;
mod log_group;

pub use lock::{DeploymentLock, Held, Holder, unlock};
pub use log_group::{LogGroup, LogGroups};
