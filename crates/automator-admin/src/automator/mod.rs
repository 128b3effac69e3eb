//! Automators: what Commander's `automator` verbs do, and one idempotent `apply` on top (spec 4).
//!
//! Every change is followed by a second look, and what that shows counts. A refusal of the back end comes with status 200,
//! `success` false and a text: it is an [`AutomatorError`] that keeps the text.
//!
//! [`setup`] hands the enterprise's private keys and tree key to whoever holds the other half of the public key that comes back.
//! So it takes an automator that was named, and shows the key's fingerprint before the second step.

mod apply;
mod error;
mod model;
mod plan;
mod setup;
mod verbs;

pub use apply::{apply, remove};
pub use error::AutomatorError;
pub use model::{AutomatorId, AutomatorState, Info, LogLine, Setting, Skill};
pub use plan::{Step, Wanted, plan};
pub use setup::{KeyOffer, setup};
pub use verbs::{clear_log, create, delete, disable, edit, enable, find, init, list, log, reset, skills_offered, view};
