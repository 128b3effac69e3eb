//! The one config file: TOML text to a checked [`Config`], with errors that point at the line.
//!
//! Three passes over one text: `shape` compares the parsed tree with the JSON schema (unknown keys, wrong types,
//! missing keys), `check` judges the values, and `model` is what the rest of the product reads. The schema comes
//! from the serde types in `raw`, so the committed schema, the parser and this documentation cannot disagree.
//! Whatever is wrong in a file is reported together. What needs AWS, a PFX or the graph to judge is left to others,
//! who can still point into this file with [`Config::problem`].

mod check;
mod error;
pub mod keeper_cloud;
mod model;
mod raw;
mod secret;
mod shape;
mod values;

#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};

pub use error::{ConfigError, Problem};
pub use keeper_cloud::KeeperRegion;
pub use model::{
    Access, AllowedCidr, Automator, Balancer, Certificate, Config, Dns, DnsMode, Endpoint, Keeper, KeeperEndpoint,
    KeeperHalf, Logs, Network, NetworkSource, Properties, Service, Task, Warning,
};
pub use raw::{AssignPublicIp, Ownership, Scheme, Skill, SslMode};
pub use secret::{SecretError, SecretRef, SecretSource};
pub use values::{
    AwsRegion, Cidr, DEPLOYMENT_NAME_MAX, DeploymentName, HostName, RETENTION_DAYS, RecordUid, SubnetId, VpcId, ZoneId,
};

/// Reads and checks the config file at `path`; relative paths inside it start at its directory.
pub fn load(path: &Path) -> Result<Config, ConfigError> {
    let name = path.display().to_string();
    let text = std::fs::read_to_string(path).map_err(|error| ConfigError::unreadable(&name, &error))?;
    parse(&text, &name, path.parent().unwrap_or(Path::new("")))
}

/// Checks config text; `origin_name` is what errors call the file, relative paths inside it start at `base_dir`.
pub fn parse(text: &str, origin_name: &str, base_dir: &Path) -> Result<Config, ConfigError> {
    let (origin, shaped) = shape::read(text, origin_name, &schema())?;
    let mut problems = shaped.problems;
    let raw = match serde_json::from_value::<raw::RawConfig>(shaped.value) {
        Ok(raw) => raw,
        Err(_) if !problems.is_empty() => return Err(ConfigError::new(origin, problems)),
        Err(error) => return Err(ConfigError::new(origin, vec![Problem::bad_value("", error.to_string())])),
    };
    let checked = check::check(raw, base_dir);
    // What a table lacks may be what could not be read in it: two keys that need each other are judged only in a table
    // that was understood.
    let broken: Vec<String> = problems.iter().map(Problem::table).collect();
    let follows = |problem: &Problem| problem.is_about_absence() && broken.contains(&problem.table());
    problems.extend(checked.problems.into_iter().filter(|problem| !follows(problem)));
    match checked.config {
        Some(config) if problems.is_empty() => Ok(Config { origin, ..config }),
        _ => Err(ConfigError::new(origin, problems)),
    }
}

/// The JSON schema of the config file.
pub fn schema() -> serde_json::Value {
    raw::schema()
}

impl Config {
    /// The host name of the sandbox.
    pub const SANDBOX_HOST: &str = "automator.example.com";

    /// The config of a sandbox: the defaults, and names under `example.com`.
    ///
    /// Endpoints and the sign-in to Keeper are not set: the sandbox knows its own.
    pub fn sandbox(pfx: PathBuf, password: PathBuf) -> Self {
        let checked = check::check(raw::RawConfig::sandbox(pfx, password), Path::new(""));
        debug_assert!(checked.problems.is_empty(), "{:?}", checked.problems);
        checked.config.expect("the sandbox config is made of constants that pass the checks")
    }
}
