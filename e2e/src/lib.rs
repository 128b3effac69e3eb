//! The whole guide against emulators.
//!
//! [`harness`] and [`flows`] are `cargo xtask e2e`: emulators in containers, the built binary before them, a witness on the
//! wire between. The tests in `tests/` are smaller; each has a Moto of its own, started by the sandbox's own code and installed once for all of them. The product is run
//! either as its built binary, as a user would, or in this process, where faults can be put in front of its HTTP client.

pub mod flows;
pub mod harness;
pub mod matrix;
pub mod proxy;
mod run;
mod stage;

pub use run::{Ran, binary};
pub use stage::Stage;

/// How the config of a deployment begins: its certificate and password lie beside it.
pub const CONFIG_HEAD: &str = r#"name = "automator"
region = "eu-west-1"
host = "automator.example.com"

[certificate]
source = "file"
pfx = "ssl-certificate.pfx"
password = { file = "password.txt" }
"#;
