//! What a person or a program sees: readers of plans, events and reports.

mod live;
mod plan;
mod printable;
mod tree;
mod words;

pub(crate) use live::Show;
pub(crate) use plan::{PlanDocument, plan_text};
pub(crate) use printable::printable;
