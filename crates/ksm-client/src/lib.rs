//! Under construction.

mod bind;
mod cache;
mod client;
pub mod config;
pub mod error;
pub mod files;
mod json;
mod ladder;
pub mod notation;
mod options;
mod record;
mod reply;
mod secrets;
mod transport;
mod wait;
mod write;
pub mod writer;

pub use cache::{Cache, Cached};
pub use client::Client;
pub use config::{Config, ConfigError, ConfigFile};
pub use error::{Cause, DecryptError, Error, Rung};
pub use files::{NewFile, Replaced};
pub use json::Secret;
pub use notation::Notation;
pub use options::{CLIENT_VERSION, Event, MAX_ROTATIONS, MAX_WAIT, Options};
pub use record::{Content, Failed, Field, File, Place, Record};
pub use secrets::{App, Filter, Folder, Folders, Secrets};
#[doc(hidden)]
pub use transport::read_anything;
