//! Files with secrets in them: for their owner only, and whole or not at all.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use crate::exit_codes::ExitCode;
use crate::refusal::Refusal;

/// A file that is written, but not yet under its name.
pub(super) struct Pending {
    path: PathBuf,
    file: NamedTempFile,
}

impl Pending {
    /// Writes beside the place where the file is to be, so that it only needs to be renamed; mode 0600 on Unix, whatever was
    /// there before.
    pub(super) fn write(path: &Path, content: &[u8]) -> Result<Self, Refusal> {
        let write = || -> io::Result<Self> {
            // A link stays, and what it leads to is replaced.
            let target = if path.exists() { fs::canonicalize(path)? } else { path.to_owned() };
            if fs::metadata(&target).is_ok_and(|found| !found.is_file()) {
                return Err(io::Error::other("something else than a file is there"));
            }
            let folder = target.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
            let mut file = NamedTempFile::new_in(folder)?;
            file.write_all(content)?;
            file.as_file().sync_all()?;
            Ok(Self { path: target, file })
        };
        write().map_err(|error| failed(path, &error))
    }

    /// Gives the file its name.
    pub(super) fn keep(self) -> Result<(), Refusal> {
        self.file.persist(&self.path).map_err(|error| failed(&self.path, &error.error))?;
        Ok(())
    }
}

fn failed(path: &Path, error: &io::Error) -> Refusal {
    let refusal = Refusal::new("file-not-written", "", format!("write `{}`", path.display()));
    refusal.because(error.to_string()).hint("check the folder, its permissions and the space on its disk")
}

/// Refuses a path where nothing can be written, before there is anything to write.
pub(super) fn writable(path: &Path) -> Result<(), Refusal> {
    Pending::write(path, b"").map(drop)
}

/// Refuses to write over what is read, and two things into one file.
pub(super) fn distinct(inputs: &[&Path], outputs: &[&Path]) -> Result<(), Refusal> {
    let mut taken: Vec<PathBuf> = inputs.iter().map(|path| real(path)).collect();
    for output in outputs {
        let path = real(output);
        if taken.contains(&path) {
            let refusal = Refusal::new("file-named-twice", "", format!("write `{}`", output.display()));
            let refusal = refusal.because("the command line names this file more than once");
            return Err(refusal.exit(ExitCode::Usage).hint("give every output a path of its own"));
        }
        taken.push(path);
    }
    Ok(())
}

/// The same path for every spelling, also of a file that is not there yet.
fn real(path: &Path) -> PathBuf {
    fs::canonicalize(path).unwrap_or_else(|_| {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        match (fs::canonicalize(folder), path.file_name()) {
            (Ok(folder), Some(name)) => folder.join(name),
            _ => path.to_owned(),
        }
    })
}
