//! The commands. Each opens a [`Session`], does its part and decides the exit code.

pub(crate) mod deploy;
pub(crate) mod destroy;
pub(crate) mod plan;
pub(crate) mod schema;
mod session;
pub(crate) mod taskdef;
pub(crate) mod unlock;

pub(crate) use session::{Needed, Session};
