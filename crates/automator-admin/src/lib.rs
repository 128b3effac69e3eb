//! Under construction by two helpers: READ ../WHO.txt (B: src/vault and lib.rs; A: src/automator).

pub mod account;
pub mod automator;
pub mod config;
mod document;
pub mod enterprise;
mod envelope;
mod error;
mod judge;
pub mod login;
mod options;
mod session;
mod transport;
pub mod vault;
mod wait;

pub use error::{Break, Error, Refusal, RotationStop};
pub use login::Login;
pub use options::{CLIENT_VERSION, Event, MAX_ROTATIONS, Options};
pub use session::Session;

/// Reads a message of Keeper.
pub(crate) fn decode<A: prost::Message + Default>(call: &'static str, bytes: &[u8]) -> Result<A, Error> {
    A::decode(bytes).map_err(|_| Error::Reply { call, what: "it is not the message that was expected" })
}
