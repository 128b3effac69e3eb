//! A pretend Keeper cloud.

pub mod admin;
mod contact;
mod machine;
mod responder;
mod saved;
mod shell;
mod store;
pub mod vault;
mod world;

pub use contact::Contacts;
pub use responder::Responder;
pub use shell::{Fake, Scheme};
pub use world::{Entry, World};
