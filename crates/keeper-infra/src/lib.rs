//! The Keeper half of the guide as resources: one file per thing that is made.
//!
//! Each can be looked up, compared, applied and undone (see [`resource_graph`]). What is ours carries the deployment's mark and is
//! found again by it. This crate knows nothing of AWS: where it needs a place for a credential or a service that scales, it
//! asks for somebody who has one ([`CredentialStore`], [`OneTask`]).

mod administrator;
mod application;
mod attachments;
mod automator;
mod checked;
mod device;
mod fail;
mod folder;
mod home;
mod record;
mod share;

pub use administrator::Administrator;
pub use application::{Application, Applications};
pub use attachments::{Attachments, WantedAttachment};
pub use automator::{Automator, OneTask};
pub use checked::{CheckedRecord, WantedFile};
pub use device::{CredentialStore, Device};
pub use fail::failed;
pub use folder::{SharedFolder, SharedFolders};
pub use futures_util::future::BoxFuture;
pub use home::Home;
pub use record::{Record, RecordUid, Records};
pub use share::FolderShare;
