//! The harness of `cargo xtask e2e`: emulators in containers, a person's desk, what is in the account, what a hand does to it.

mod account;
mod containers;
pub(crate) mod desk;
mod emulator;
mod hand;
mod keeper;
mod normal;
mod stage;
mod vault;
pub(crate) mod wait;

pub use account::{Account, Thing};
pub use containers::{Containers, docker_missing, sweep};
pub use desk::{Desk, Planned};
pub use emulator::{Emulator, Endpoint, Running, Start};
pub use hand::{change, delete};
pub use stage::{Scene, Undisturbed};
pub use vault::Administrator;
