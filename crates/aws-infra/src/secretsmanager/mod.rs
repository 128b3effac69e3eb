//! Secrets Manager: the vault credential, which the task definition only names (C05).

mod secret;
mod versions;

pub use secret::{Secret, Secrets, Value};
pub use versions::Versions;
