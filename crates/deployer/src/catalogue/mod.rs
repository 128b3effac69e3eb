//! What a person reads, as data: the guide's steps, the corrections to it, and hints, in English and Japanese.
//!
//! Libraries speak English and carry codes; whatever shows a step, a correction or a hint looks its words up here.

mod corrections;
mod lang;
mod messages;
mod steps;

pub use corrections::{Correction, UnknownCorrection};
pub use lang::{Lang, UnknownLang};
pub use messages::{codes, hint};
pub use steps::{Part, Status, StepId, UnknownStep};
