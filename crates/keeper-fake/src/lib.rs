//! A pretend Keeper cloud.

pub mod admin;
mod contact;
mod device;
pub mod facts;
pub mod faults;
mod machine;
mod responder;
mod saved;
mod saved_world;
pub mod seed;
mod shell;
mod store;
mod tls;
pub mod vault;
pub mod wiremock;
mod world;

pub use contact::Contacts;
pub use device::Devices;
pub use machine::{Outcome, Pending, Reply, Request};
pub use responder::Responder;
pub use saved_world::SCHEMA;
pub use shell::{Fake, Options, Scheme};
pub use world::{Entry, World};
