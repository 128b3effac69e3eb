//! The whole guide against emulators.

pub mod proxy;
