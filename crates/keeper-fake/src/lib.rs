//! A pretend Keeper cloud.

pub mod admin;
pub mod vault;

mod contact;
mod responder;

pub use contact::Contacts;
pub use responder::Responder;
