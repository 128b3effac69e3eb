//! A client of Keeper Secrets Manager: what a *device* (a program with a device configuration, and no user) reads and writes of
//! the records that an application shares with it.
//!
//! ```
//! use keeper_fake::{Fake, Scheme, World};
//! use ksm_client::{Client, Config, NewFile, Options};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! // A pretend service stands in for Keeper's; with the real one, the configuration is all that is needed.
//! let (world, guide) = World::guide();
//! let fake = Fake::start(world, Scheme::Https).await?;
//! let text = guide.device.config(&fake.address().to_string()).to_string();
//! let options = Options::new().authority(fake.ca_pem().unwrap_or_default());
//!
//! let client = Client::new(Config::parse(&text)?, options)?;
//!
//! // A record, its title, an attachment.
//! let record = client.record(guide.record).await?;
//! assert_eq!(record.content.title(), "Keeper Automator");
//! let pfx = client.download(&record, record.file("ssl-certificate.pfx")?).await?;
//! assert_eq!(pfx.len(), 4200);
//!
//! // One piece by its notation.
//! let notation = format!("keeper://{}/field/login", guide.record).parse()?;
//! assert_eq!(client.value(&notation).await?.as_slice(), b"automator");
//!
//! // Another attachment in place of the old one; and again, which changes nothing.
//! let renewed = NewFile::new("ssl-certificate.pfx", b"renewed".as_slice());
//! assert!(client.replace_file(guide.record, &renewed).await?.uploaded);
//! assert!(!client.replace_file(guide.record, &renewed).await?.uploaded);
//! # Ok(())
//! # }
//! ```
//!
//! A device begins as a one-time token:
//!
//! ```
//! # use keeper_fake::{Fake, Scheme, World};
//! # use ksm_client::{Client, Filter, Options};
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let (world, guide) = World::guide();
//! # let keys = world.server_keys();
//! # let fake = Fake::start(world, Scheme::Https).await?;
//! # let options = Options::new().authority(fake.ca_pem().unwrap_or_default()).server_keys(keys);
//! # let folder = tempfile::tempdir()?;
//! # let (token, host) = (&guide.tokens[0], Some(fake.address().to_string().parse()?));
//! let path = folder.path().join("client-config.json");
//! let client = Client::bind(token, host, &path, options).await?;
//! assert_eq!(client.secrets(&Filter::all()).await?.records.len(), 1);
//! # Ok(())
//! # }
//! ```
//!
//! # Chapters
//!
//! - **Configuration**: [`Config`] in every form there is, [`ConfigFile`] on disk, [`Client::bind`] from a one-time token.
//! - **Read**: [`Client::secrets`], [`Client::record`], [`Client::folders`]; what does not open is in [`Failed`], by UID.
//! - **Files**: [`Client::download`], [`Client::upload`], [`Client::replace_file`]; the window with two of one name is described
//!   in [`files`].
//! - **Write**: [`Client::update_record`], [`Client::create_record`], [`Client::delete_records`], folders.
//! - **Notation**: [`Notation`], [`Client::value`], [`Client::values`].
//! - **Cache**: [`Client::secrets_or_cached`], only for those who ask, with an age.
//! - **Writer**: [`writer`], and the program `ksm-writer`.
//! - **Errors**: [`Error`] keeps status, code and message; [`Cause`] says what a refusal means, [`Error::hint`] what to do,
//!   [`Error::maybe_done`] whether to look again.
//!
//! # What is announced
//!
//! Every request carries [`CLIENT_VERSION`], the registered version of the vendor's own Rust SDK, which this is not: the service
//! refuses versions it does not know, and there is none for clients of others. [`Options::client_version`] sets another.
//!
//! # What was never seen
//!
//! Nobody here can reach Keeper's servers. What is assumed about them was read in the vendor's SDKs and issue threads. The texts
//! by which refusals are told apart ([`Cause`]) and the answer to a repeated binding are the least certain of it.
//!
//! # Secrets
//!
//! Keys, tokens and contents live in memory that is wiped, and no `Debug`, error, event or log line shows one. A file's address
//! is a credential and treated as such. TLS is always verified.

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
