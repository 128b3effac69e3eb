//! The Python of an image: Debian's own, or one of this machine, taken along whole.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Result;

use crate::run;

/// The Python of the Debian release that images are made of.
const DEBIAN: &str = "3.11";

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Python {
    /// `3.13`
    pub(super) version: String,
    /// Where it is installed, for itself alone; none for Debian's own.
    pub(super) prefix: Option<PathBuf>,
}

impl Python {
    /// A Python of this version: Debian's, one that the path leads to, or one that pyenv or uv installed.
    pub(super) fn find(version: &str) -> Result<Option<Self>> {
        let of = |prefix| Some(Self { version: version.to_owned(), prefix });
        if version == DEBIAN {
            return Ok(of(None));
        }
        let name = format!("python{version}");
        let mut places = vec![PathBuf::from(&name)];
        let home = std::env::var_os("HOME").map(PathBuf::from).unwrap_or_default();
        let pyenv = std::env::var_os("PYENV_ROOT").map_or_else(|| home.join(".pyenv"), PathBuf::from);
        for (parent, begins) in [
            (pyenv.join("versions"), format!("{version}.")),
            (home.join(".local/share/uv/python"), format!("cpython-{version}.")),
        ] {
            let entries = std::fs::read_dir(parent).into_iter().flatten().flatten();
            let fits = entries.filter(|entry| entry.file_name().to_string_lossy().starts_with(&begins));
            let mut fits: Vec<PathBuf> = fits.map(|entry| entry.path().join("bin").join(&name)).collect();
            fits.sort();
            places.extend(fits);
        }
        // A shim of pyenv is on the path even where the version it stands for is not selected.
        Ok(places.iter().find_map(|place| prefix(place)).and_then(|prefix| of(Some(prefix))))
    }

    /// To be run on this machine.
    pub(super) fn program(&self) -> PathBuf {
        self.prefix.as_ref().map_or_else(|| "python3".into(), |prefix| self.program_in(prefix))
    }

    /// To be run in the image, where it has the same place.
    pub(super) fn program_inside(&self) -> PathBuf {
        self.prefix.as_ref().map_or_else(|| "/usr/bin/python3".into(), |prefix| self.program_in(prefix))
    }

    fn program_in(&self, prefix: &Path) -> PathBuf {
        prefix.join("bin").join(format!("python{}", self.version))
    }
}

/// Where a Python is installed, if it runs and has the place to itself.
fn prefix(python: &Path) -> Option<PathBuf> {
    let output = run::quietly(Command::new(python).args(["-c", "import sys; print(sys.base_prefix)"])).ok()?;
    let prefix = PathBuf::from(String::from_utf8(output.stdout).ok()?.trim());
    let shared = ["", "/", "/usr", "/usr/local"].iter().any(|place| prefix == Path::new(place));
    (output.status.success() && !shared && prefix.is_dir()).then_some(prefix)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debians_own_is_always_there_and_one_that_nobody_has_is_not() {
        let own = Python::find(DEBIAN).unwrap().unwrap();
        assert_eq!(own.program_inside(), Path::new("/usr/bin/python3"));
        assert_eq!(Python::find("3.99").unwrap(), None);
        assert_eq!(prefix(Path::new("/nonexistent/python3")), None);
        assert_eq!(prefix(Path::new("/bin/false")), None);
        assert_eq!(prefix(Path::new("/bin/true")), None, "it says nothing");
    }
}
