//! What a caller can choose, and the only view of the process's environment.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

/// Names an emulator that runs already. Only one on this machine is accepted.
pub const ENDPOINT_VARIABLE: &str = "KEEPER_AUTOMATOR_SANDBOX_ENDPOINT";

/// How to find or start the emulator.
#[derive(Clone)]
pub struct Settings {
    /// The `target` directory. Everything that is installed or written lies below it.
    pub root: PathBuf,
    /// Where Moto is installed: `sandbox` in the root, unless several roots are to share one installation.
    pub tools: PathBuf,
    /// Whether an emulator that has to be started stays when the program ends.
    pub keep: bool,
    /// The environment to look things up in. Children get only what each of them needs of it.
    pub environment: BTreeMap<OsString, OsString>,
}

impl Settings {
    /// Settings for a `target` directory, with the environment of this process.
    pub fn from_env(root: impl Into<PathBuf>) -> Self {
        let root = root.into();
        Self { tools: root.join("sandbox"), root, keep: false, environment: std::env::vars_os().collect() }
    }

    /// A variable of the environment, unless it is empty.
    pub(crate) fn variable(&self, name: &str) -> Option<&OsStr> {
        self.environment.get(OsStr::new(name)).map(OsString::as_os_str).filter(|value| !value.is_empty())
    }

    /// The variables a child may have: those named, as far as they are set.
    pub(crate) fn only<'a>(&'a self, names: &'a [&str]) -> impl Iterator<Item = (&'a OsStr, &'a OsStr)> {
        names.iter().filter_map(|name| Some((OsStr::new(*name), self.variable(name)?)))
    }

    /// A program on the `PATH` of these settings.
    pub(crate) fn program(&self, name: &str) -> Option<PathBuf> {
        std::env::split_paths(self.variable("PATH")?).map(|directory| directory.join(name)).find(|path| path.is_file())
    }

    /// Where an emulator's log lies, and what guards its state file.
    pub(crate) fn directory(&self) -> PathBuf {
        self.root.join("sandbox")
    }
}
