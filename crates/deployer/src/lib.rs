//! The product: config, the guide as a graph, the commands and what a person sees of them.
//!
//! The binary `keeper-automator` is a thin shell around [`run`]. This crate alone reads config files, prints and decides exit
//! codes; [`guide`] reads like the guide's table of contents.
//!
//! ```
//! use deployer::config;
//!
//! let text = r#"
//! name = "automator"
//! region = "eu-west-1"
//! host = "automator.example.com"
//!
//! [certificate]
//! source = "file"
//! pfx = "ssl-certificate.pfx"
//! password = { env = "PFX_PASSWORD" }
//!
//! [keeper]
//! region = "EU"
//! record_uid = "AAAAAAAAAAAAAAAAAAAAAA"
//! ksm_config = { file = "ksm-config.txt" }
//! "#;
//! let config = config::parse(text, "automator.toml", ".".as_ref()).unwrap();
//! assert_eq!(config.logs.retention_days, 90);
//!
//! // A key that nobody knows is refused, and the nearest one is named.
//! let wrong = text.replace("region = \"eu-west-1\"", "regoin = \"eu-west-1\"");
//! assert_eq!(config::parse(&wrong, "automator.toml", ".".as_ref()).unwrap_err().code(), "config-unknown-key");
//! ```

pub mod catalogue;
mod cli;
mod commands;
pub mod config;
pub mod exit_codes;
pub mod guide;
mod host;
mod keeper;
mod refusal;
mod show;
#[cfg(feature = "sandbox")]
mod world;

pub use cli::run;
pub use host::Host;
pub use refusal::Refusal;
