//! CloudWatch Logs: where the tasks write, and the deployment's lock.

mod log_group;

pub use log_group::{LogGroup, LogGroups};
