//! What an administrator does in the vault: find, create, change and remove (spec 5 and 7).
//!
//! [`Session::vault`](crate::Session::vault) gives a snapshot; finding is pure and looks into it. What creates, changes or
//! removes looks first, does what is missing, and judges by a second look, never by the answer alone: a lost answer is no
//! failure, and nothing is made twice.
//!
//! **Ours** is what carries our [`Marker`]. Things are found by the marker alone, whatever they are called by now; of several the
//! title decides, and of several records first the shared folder. Where there is none of ours, something of the wanted title is a
//! stranger, which is an error; nothing without the marker is ever changed or removed.
//!
//! Removing goes backwards: device, share, application, attachments, record, folder.

pub mod application;
pub mod attachment;
pub mod device;
mod error;
pub mod folder;
mod info;
mod marker;
mod open;
pub mod record;
mod remove;
mod rows;
pub mod share;
#[cfg(test)]
mod vectors;

pub use error::VaultError;
pub use marker::Marker;
pub use open::Vault;
pub(crate) use rows::Snapshots;
