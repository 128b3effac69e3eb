//! A pretend world to deploy into: an AWS on loopback that needs no account, no Docker and no configuration.
//!
//! [`find_or_start`] takes the first emulator it can get: the one the environment names, the one an earlier run
//! kept, Moto in a private virtual environment below `target/`, or Moto's container image if it is already here.
//! Everything that is installed or written lies below [`Settings::root`], and nothing ever asks for more rights.
//!
//! ```no_run
//! # async fn example() -> Result<(), sandbox::Error> {
//! let settings = sandbox::Settings::from_env("target");
//! let emulator = sandbox::find_or_start(&settings, &|what| eprintln!("{what}")).await?;
//! println!("AWS answers at {}", emulator.endpoint);
//! emulator.stop().await?;
//! # Ok(()) }
//! ```
//!
//! With [`Settings::keep`] the emulator outlives the program; [`read_state`] tells where it is and
//! [`stop_kept`] ends it. Without it the emulator ends with the [`Emulator`], and with our process however that ends.
//!
//! What this crate leaves to others: certificates, configuration, and all of AWS. It speaks to the emulator only to
//! ask whether it is there, and to [empty](Emulator::reset) it.

mod container;
mod emulator;
mod endpoint;
mod error;
mod http;
mod lock;
mod process;
mod python;
mod settings;
mod state;
mod wait;

pub use emulator::{Emulator, Origin, Stopped, find_or_start, stop_kept};
pub use endpoint::{NotOurs, loopback};
pub use error::Error;
pub use settings::{ENDPOINT_VARIABLE, Settings};
pub use state::{State, read_state};
