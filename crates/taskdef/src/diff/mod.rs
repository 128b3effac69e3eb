//! Two definitions compared: what a new revision would change.

mod compare;
mod normal;

pub(crate) use compare::masked;
pub use compare::{Diff, Difference, HIDDEN, Shown, diff};
pub(crate) use normal::READ_ONLY;
pub use normal::normalise;
