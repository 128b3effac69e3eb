//! The whole guide against emulators: what the tests in `tests/` share.
//!
//! Each test has a Moto of its own, started by the sandbox's own code and installed once for all of them. The product is run
//! either as its built binary, as a user would, or in this process, where faults can be put in front of its HTTP client.

pub mod proxy;
mod run;
mod stage;

pub use run::{Ran, binary};
pub use stage::Stage;
