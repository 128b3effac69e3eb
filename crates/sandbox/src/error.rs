//! What can go wrong, and what a person can do about it.

use std::io;
use std::path::PathBuf;

use crate::container::IMAGE;
use crate::endpoint::NotOurs;
use crate::settings::ENDPOINT_VARIABLE;

/// Why there is no emulator. The text reads on after "failed to"; causes are in the chain.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The endpoint that the environment names is not one of this machine.
    #[error("accept `{value}` from {ENDPOINT_VARIABLE}")]
    Endpoint {
        /// What the variable holds.
        value: String,
        /// What is wrong with it.
        #[source]
        why: NotOurs,
    },
    /// Nothing answers at the endpoint that the environment names.
    #[error("reach the emulator at {endpoint}, which {ENDPOINT_VARIABLE} names")]
    Unreachable {
        /// The endpoint in use.
        endpoint: String,
        /// What connecting ended with.
        source: io::Error,
    },
    /// The kept emulator is gone, for example since the machine was started anew.
    #[error("find the kept emulator: its process {pid} no longer runs")]
    Stale {
        /// The process that was written down.
        pid: u32,
    },
    /// The state file holds something that we did not write.
    #[error("read the kept emulator's state in `{}`", path.display())]
    BadState {
        /// The state file.
        path: PathBuf,
        /// What is wrong with it.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// There is no Python that Moto could run on.
    #[error("find Python 3.10 or later, tried {}", tried.join(", "))]
    NoPython {
        /// The commands that were tried, with what came of it.
        tried: Vec<String>,
    },
    /// Python is there, but not the part of it that makes virtual environments.
    #[error("make a virtual environment: `{python}` lacks venv or ensurepip")]
    NoVenv {
        /// The command of that Python, for example `python3.11`.
        python: String,
    },
    /// A step of the installation ended badly.
    #[error("{step}; the last it said was:\n{tail}")]
    Install {
        /// What was being done.
        step: &'static str,
        /// The end of its output.
        tail: String,
    },
    /// Moto can neither be installed nor run as a container.
    #[error("get an emulator: Moto cannot be installed, and the image `{IMAGE}` is not on this machine")]
    NoEmulator {
        /// Why it cannot be installed.
        source: Box<Self>,
    },
    /// The emulator was started and ended, or did not answer in time.
    #[error("start the emulator: it {what}; the end of `{}`:\n{tail}", log.display())]
    NotReady {
        /// What it did instead of answering.
        what: String,
        /// Its log.
        log: PathBuf,
        /// The end of the log.
        tail: String,
    },
    /// The emulator does not take back what is in it.
    #[error("empty the emulator at {endpoint}: it answered with status {status}")]
    Reset {
        /// The emulator.
        endpoint: String,
        /// The HTTP status.
        status: u16,
    },
    /// A process does not end, not even when it is killed.
    #[error("end process {pid}, which runs the emulator")]
    StillRunning {
        /// The process.
        pid: u32,
    },
    /// Something between us and the machine.
    #[error("{action}")]
    Io {
        /// What was being done.
        action: String,
        /// What it ended with.
        source: io::Error,
    },
}

impl Error {
    /// For `map_err`: an I/O error while doing something.
    pub(crate) fn io(action: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let action = action.into();
        move |source| Self::Io { action, source }
    }

    /// What to do about it: where a command helps, exactly one.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Endpoint { .. } => {
                Some(format!("unset {ENDPOINT_VARIABLE} to let the sandbox start its own emulator"))
            }
            Self::Unreachable { .. } => {
                Some(format!("start it, or unset {ENDPOINT_VARIABLE} to let the sandbox start its own"))
            }
            Self::BadState { path, .. } => Some(format!("remove `{}`", path.display())),
            Self::NoPython { .. } if cfg!(target_os = "macos") => Some("run: brew install python@3.13".into()),
            Self::NoPython { .. } => Some("as root, run: apt-get install -y python3 python3-venv".into()),
            Self::NoVenv { python } => Some(format!("as root, run: apt-get install -y {python}-venv")),
            Self::Install { .. } => Some(format!("without a package index, run: docker pull {IMAGE}")),
            Self::NoEmulator { source } => source.hint(),
            Self::NotReady { log, .. } => Some(format!("run it again; the whole log is in `{}`", log.display())),
            Self::StillRunning { pid } => Some(format!("run: kill -9 {pid}")),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_to_have_no_emulator_comes_with_one_command() {
        for error in [
            Error::NoPython { tried: vec!["python3 (not found)".into()] },
            Error::NoVenv { python: "python3.11".into() },
            Error::Install { step: "install Moto", tail: String::new() },
        ] {
            let error = Error::NoEmulator { source: Box::new(error) };
            let hint = error.hint().unwrap();
            assert_eq!(hint.matches("run: ").count(), 1, "{hint}");
        }
    }
}
