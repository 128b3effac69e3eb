//! A pretend Keeper cloud, for tests and for the sandbox: both protocols, that of devices (Keeper Secrets Manager) and that of
//! administrators, on one vault.
//!
//! ```
//! use keeper_fake::faults::{Fault, On};
//! use keeper_fake::{Fake, Scheme, World};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! // A vault with the Automator guide's record, and what a client of it has to know.
//! let (world, guide) = World::guide();
//! let fake = Fake::start(world, Scheme::Https).await?;
//! let config = guide.device.config(&fake.address().to_string());
//! assert_eq!(config["serverPublicKeyId"], "10");
//! let authority = fake.ca_pem().expect("it speaks TLS");
//! assert!(authority.starts_with("-----BEGIN CERTIFICATE"));
//!
//! // The second write of a device will be done, and its answer lost.
//! fake.world().faults.nth(1, On::DeviceWrite, Fault::CutAfter);
//!
//! // Here the client under test does its work. Then: what was asked, and what is stored.
//! let world = fake.world();
//! assert_eq!(world.journal.len(), 0);
//! assert_eq!(world.vault.files_of(guide.record).count(), 3);
//! # Ok(())
//! # }
//! ```
//!
//! Below the server is a machine without input, output or clock. A test may have it alone:
//!
//! ```
//! use keeper_fake::{Outcome, Request, World};
//!
//! let (mut world, guide) = World::guide();
//! let file = &guide.files[0];
//! let request = Request {
//!     method: "GET".into(),
//!     path: format!("/store/{}", file.uid),
//!     query: "ticket=stolen".into(),
//!     headers: Vec::new(),
//!     body: Vec::new().into(),
//!     peer: [127, 0, 0, 1].into(),
//!     base: "https://127.0.0.1:8443".into(),
//! };
//! let Outcome::Send(reply) = world.handle(1_767_225_600_000, &request) else { panic!("nothing to wait for") };
//! assert_eq!(reply.status, 403);
//! ```
//!
//! | here | is |
//! | --- | --- |
//! | [`World`] | everything the cloud knows; serialisable, which is the state file |
//! | [`World::handle`] | request in, [`Outcome`] out: a reply, a reply later, a cut, or an Automator to be called first |
//! | [`vault`] | what a cloud without knowledge of keys stores: sealed bytes, wrapped keys, revisions |
//! | [`admin`] | login, enterprise, Automators, the calls of the web vault |
//! | [`seed`] | what people did with their clients before the test begins, and the keys they have |
//! | [`faults`] | mishaps, by kind of request and number |
//! | [`Fake`], [`wiremock`] | the two servers: TLS and plain HTTP of our own, or a server that a test has already |
//! | [`Responder`] | a stand-in for the Automator service, which the cloud really calls |
//! | [`facts`] | what a fake as a program (`keeper-fake --help`) tells its users |
//!
//! # How much it is like Keeper
//!
//! The vendor's own clients run against it unchanged: the Python SDK and the CLI of Secrets Manager (`tests/witness_ksm.rs`)
//! and Commander (`tests/witness_commander.rs`). So what they send is understood and what they read is right. What the real
//! service *refuses*, and in which words, nobody here could see. These are believed, from the vendor's sources, its recorded
//! exchanges and its users' reports:
//!
//! - a server key that is not the active one is answered with 401, `key` and the active id; a wrong signature, an unknown or
//!   revoked device, an expired one, one at another address, a read-only share and a stale revision with 403 and `access_denied`,
//!   told apart by the text alone, which is ours but for the signature's;
//! - `links2Remove` is ignored together with the transaction type `general`;
//! - a one-time token is good for one device. The same device may ask again until it has come back without `publicKey`:
//!   what the service does when the answer to a binding is lost is not known;
//! - a file is listed from its announcement on, without `url` until its bytes have come.
//!
//! The modules name the guesses of the administrator side.

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
