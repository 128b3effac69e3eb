//! Where a kept emulator is written down: `sandbox.json` in the `target` directory.

use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::endpoint::loopback;
use crate::error::Error;
use crate::process;

/// A kept emulator.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct State {
    /// Where it answers.
    pub endpoint: String,
    /// The process that runs it, and that takes it along when it ends.
    pub pid: u32,
    /// The port of the endpoint.
    pub port: u16,
    /// What tells that process from a later one with the same pid.
    pub started: String,
}

fn file(root: &Path) -> PathBuf {
    root.join("sandbox.json")
}

/// The emulator that an earlier run kept below this `target` directory, if any.
///
/// # Errors
/// [`Error::Stale`] if it was written down but its process is gone, even when another process has its pid by now.
pub fn read_state(root: &Path) -> Result<Option<State>, Error> {
    let path = file(root);
    let text = match std::fs::read(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(Error::BadState { path, source: error.into() }),
    };
    let state: State =
        serde_json::from_slice(&text).map_err(|error| Error::BadState { path: path.clone(), source: error.into() })?;
    loopback(&state.endpoint).map_err(|why| Error::BadState { path, source: why.into() })?;
    if process::started(state.pid).as_deref() != Some(state.started.as_str()) {
        return Err(Error::Stale { pid: state.pid });
    }
    Ok(Some(state))
}

/// Writes a kept emulator down: all of it or nothing, for nobody else to read.
pub(crate) fn write_state(root: &Path, state: &State) -> Result<(), Error> {
    let write = || {
        let mut beside = tempfile::NamedTempFile::new_in(root)?;
        serde_json::to_writer_pretty(&mut beside, state)?;
        beside.write_all(b"\n")?;
        beside.persist(file(root)).map_err(|error| error.error)?;
        Ok(())
    };
    write().map_err(Error::io(format!("write `{}`", file(root).display())))
}

/// Removes what is written down.
pub(crate) fn forget(root: &Path) -> Result<(), Error> {
    match std::fs::remove_file(file(root)) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(Error::io(format!("remove `{}`", file(root).display()))(error))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn here(started: &str) -> State {
        let endpoint = "http://127.0.0.1:5000".to_owned();
        State { endpoint, pid: std::process::id(), port: 5000, started: started.to_owned() }
    }

    #[test]
    fn what_is_written_down_is_found_again() {
        let root = tempfile::tempdir().unwrap();
        assert_eq!(read_state(root.path()).unwrap(), None);
        let state = here(&process::started(std::process::id()).unwrap());
        write_state(root.path(), &state).unwrap();
        assert_eq!(read_state(root.path()).unwrap(), Some(state));
        forget(root.path()).unwrap();
        forget(root.path()).unwrap();
        assert_eq!(read_state(root.path()).unwrap(), None);
    }

    #[cfg(unix)]
    #[test]
    fn nobody_else_reads_the_state() {
        use std::os::unix::fs::PermissionsExt;

        let root = tempfile::tempdir().unwrap();
        write_state(root.path(), &here("now")).unwrap();
        assert_eq!(std::fs::metadata(file(root.path())).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(std::fs::read_dir(root.path()).unwrap().count(), 1, "nothing is left beside it");
    }

    #[test]
    fn a_dead_pid_is_said() {
        let root = tempfile::tempdir().unwrap();
        let mut child = std::process::Command::new("true").spawn().unwrap();
        child.wait().unwrap();
        let state = State { pid: child.id(), ..here("1") };
        write_state(root.path(), &state).unwrap();
        let error = read_state(root.path()).unwrap_err();
        assert!(matches!(error, Error::Stale { pid } if pid == child.id()), "{error:?}");
        assert!(error.to_string().contains("no longer runs"));
    }

    #[test]
    fn a_recycled_pid_is_as_good_as_dead() {
        let root = tempfile::tempdir().unwrap();
        write_state(root.path(), &here("another boot+1")).unwrap();
        assert!(matches!(read_state(root.path()), Err(Error::Stale { .. })));
    }

    #[test]
    fn a_state_that_leads_to_another_machine_is_refused() {
        let root = tempfile::tempdir().unwrap();
        write_state(root.path(), &State { endpoint: "http://10.0.0.1:5000".into(), ..here("1") }).unwrap();
        assert!(matches!(read_state(root.path()), Err(Error::BadState { .. })));
        std::fs::write(file(root.path()), "{").unwrap();
        assert!(matches!(read_state(root.path()), Err(Error::BadState { .. })));
    }
}
