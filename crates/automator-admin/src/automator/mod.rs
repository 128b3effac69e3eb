//! Automators: what Commander's `automator` verbs do, and one idempotent `apply` on top (spec 4).
//!
//! Every change is followed by a second look, and what that shows counts. A refusal of the back end comes with status 200,
//! `success` false and a text: it is an [`AutomatorError`] that keeps the text.
//!
//! [`setup`] hands the enterprise's private keys and tree key to whoever holds the other half of the public key that comes back.
//! So it takes an automator that was named, and shows the key's fingerprint before the second step.
//!
//! ```
//! use automator_admin::automator::{self, Step, Wanted};
//! use automator_admin::{Login, Options, config};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # tokio::runtime::Runtime::new()?.block_on(example())
//! # }
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! // A pretend Keeper, and a pretend Automator service that it calls at its host name.
//! let mut world = keeper_fake::World::new();
//! let _service = keeper_fake::Responder::at("automator.example.com", &mut world.contacts).await?;
//! let (nodes, device) = (world.admin.add_nodes(), world.admin.add_resumable());
//! let fake = keeper_fake::Fake::start(world, keeper_fake::Scheme::Https).await?;
//! let json = fake.world().admin.commander_config(fake.origin(), &device).to_string();
//! let config = config::ConfigMemory::new(config::Config::parse(json.as_bytes())?);
//! let options = Options::new().server_keys(fake.world().server_keys()).authority(fake.ca_pem().unwrap());
//! let session = Login::new(config).options(options).sign_in().await?;
//!
//! let node = session.enterprise().await?.node(&nodes.sso.1)?.id;
//! let wanted = Wanted::new(node, "automator", "https://automator.example.com");
//! let confirm = |offer: &automator::KeyOffer| offer.url == "https://automator.example.com";
//! let (made, steps) = automator::apply(&session, &wanted, &confirm).await?;
//! assert!(made.is_ready() && made.enabled);
//! assert_eq!(steps.iter().map(Step::verb).collect::<Vec<_>>(), ["create", "edit", "setup", "init", "enable"]);
//!
//! let (_, steps) = automator::apply(&session, &wanted, &confirm).await?;
//! assert!(steps.is_empty(), "nothing the second time");
//! # Ok(())
//! # }
//! ```

mod apply;
mod error;
mod model;
mod plan;
mod setup;
mod verbs;

pub use apply::{apply, remove};
pub use error::AutomatorError;
pub use model::{AutomatorId, AutomatorState, Info, LogLine, Setting, Skill, skill_name, skill_named};
pub use plan::{Step, Wanted, plan};
pub use setup::{KeyOffer, setup};
pub use verbs::{clear_log, create, delete, disable, edit, enable, find, init, list, log, reset, skills_offered, view};
