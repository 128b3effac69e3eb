//! CloudWatch Logs: where the tasks write, and the deployment's lock.

mod lock;
mod log_group;

pub use lock::{DeploymentLock, Held, Holder, unlock};
pub use log_group::{LogGroup, LogGroups};

const EXISTS: [&str; 1] = ["ResourceAlreadyExistsException"];
const MISSING: [&str; 1] = ["ResourceNotFoundException"];
/// CloudWatch says so when two calls for one group meet.
const BUSY: [&str; 1] = ["OperationAbortedException"];
