//! Secrets Manager: the vault credential, which the task definition only names (C05).

mod secret;

pub use secret::{Secret, Secrets};
