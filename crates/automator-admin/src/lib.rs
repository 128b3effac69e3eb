//! What an administrator does in Keeper, as a library: sign in, find or make the folder, record, attachments, application, share
//! and device of a deployment, and set an Automator up.
//!
//! ```
//! use automator_admin::vault::{Marker, application, attachment, device, folder, record, share};
//! use automator_admin::{Login, Options, config};
//! use zeroize::Zeroizing;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # tokio::runtime::Runtime::new()?.block_on(example())
//! # }
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! // A pretend Keeper stands in for the real one. In earnest this is `ConfigFile::at("config.json")` and no options.
//! let mut world = keeper_fake::World::new();
//! let resumable = world.admin.add_resumable();
//! let fake = keeper_fake::Fake::start(world, keeper_fake::Scheme::Https).await?;
//! let json = fake.world().admin.commander_config(fake.origin(), &resumable).to_string();
//! let config = config::ConfigMemory::new(config::Config::parse(json.as_bytes())?);
//! let options = Options::new().server_keys(fake.world().server_keys()).authority(fake.ca_pem().unwrap());
//!
//! let session = Login::new(config).options(options).sign_in().await?;
//! let marker = Marker::new("production");
//!
//! // Each of these finds what is there, or makes it.
//! let folder = folder::create(&session, "Keeper Automator", &marker).await?;
//! let record = record::create(&session, &folder, "Keeper Automator", &marker).await?;
//! let file = attachment::NewFile { name: "keeper.properties".into(), bytes: Zeroizing::new(b"ssl_mode=certificate".to_vec()) };
//! attachment::put(&session, record.uid, &[file], &[]).await?;
//! let application = application::create(&session, "Keeper Automator", &marker).await?;
//! share::create(&session, &application, &folder, true).await?;
//!
//! // Write the token down before the device is made: it is how the device is found again.
//! let token = keeper_wire::OneTimeToken::random();
//! let device = device::create(&session, &application, "ecs", &token).await?;
//! assert!(!device.ip_lock && device.client_id == token.client_id());
//!
//! // The second time nothing is made.
//! assert_eq!(folder::create(&session, "Keeper Automator", &marker).await?.uid, folder.uid);
//! # Ok(())
//! # }
//! ```
//!
//! # Chapters
//!
//! - **Sign in**: [`Login`] with a [`config`] of Commander's form; [`LoginError`](login::LoginError) names each state that needs a
//!   person and the one thing to do. [`Session`] is cheap to clone; it signs in again by itself when its token has expired.
//! - **Who and where**: [`account`] (what the user may do, a preflight), [`enterprise`] (nodes by name or id, keys).
//! - **Vault**: [`vault`], one module for each kind of thing, each with find, create, change and remove.
//! - **Automators**: [`automator`], Commander's verbs, and `apply`: what is wanted, the fewest calls, and nothing the second time.
//!
//! # What holds everywhere
//!
//! - Read, act, read back, and judge by the second reading. After a lost answer it is looked, not repeated: [`Error::maybe_done`].
//! - A refusal is an error with Keeper's own text ([`Error::server_text`]), a stable [`Error::code`] and, where there is one, the
//!   thing to do ([`Error::hint`]).
//! - Every wait has a deadline and is told ([`Options::on_event`], `tracing`). Every size has a limit.
//! - No key, token, password, file address or content in `Debug`, errors, events or logs.
//! - One configuration belongs to one run: it is locked, and the next clone code is written back before anything else happens.
//!
//! # What was never verified against production
//!
//! Nobody here can reach Keeper's servers. What is sent and understood follows the vendor's own clients; what the servers do with
//! it is known from `keeper-fake`, whose answers are ours. Known only to production are:
//!
//! - the answers to unknown ids in `app_client_remove`, `app_share_remove`, `automator_delete` and `files_download`: so we list
//!   first and look afterwards, and absence is success;
//! - whether one `RecordUpdate` that adds and removes links is atomic, and when `RS_FILES_NOT_MATCH` is raised;
//! - whether a file that is attached to nothing may be deleted ([`vault::attachment::sweep`] tells when not), and what becomes of
//!   the files of a deleted record, the devices of a deleted application, and an application's share when its folder is restored;
//! - whether other clients keep our member `keeper_automator` in a folder's and an application's JSON ([`vault::Marker`]);
//! - how long the token of `pre_delete` is good, the size of pages of `sync_down`, and its order: any order is taken;
//! - which privilege the Automator calls demand, what `reset` clears, and whether the policies of re-entry bind a program;
//! - whether the second factor and the approval of a device take exactly the calls that the vendor's clients make;
//! - the codes of refusals at the login other than `auth_failed`, `device_not_registered` and `restricted_client_type`;
//! - the hybrid envelope against a server other than `keeper-fake` (its derivation is checked by the vendor's vector).

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

/// Reads a message of Keeper; `write` says whether it is the answer to a change.
pub(crate) fn decode<A: prost::Message + Default>(call: &'static str, write: bool, bytes: &[u8]) -> Result<A, Error> {
    A::decode(bytes).map_err(|_| Error::Reply { call, what: "it is not the message that was expected", write })
}
