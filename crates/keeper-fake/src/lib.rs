//! A pretend Keeper cloud.

pub mod admin;
pub mod vault;
