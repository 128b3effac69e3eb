//! Files with secrets in them: for their owner only, and whole or not at all.

use std::fs;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use secrecy::zeroize::Zeroizing;
use tempfile::NamedTempFile;

use crate::exit_codes::ExitCode;
use crate::refusal::Refusal;

/// The whole file, unless it has more than `limit` bytes.
pub(super) fn read(path: &Path, limit: u64) -> io::Result<Zeroizing<Vec<u8>>> {
    let file = fs::File::open(path)?;
    // As large as the file, so that no copy of a key stays behind when the vector grows.
    let size = file.metadata()?.len().min(limit) + 1;
    let mut bytes = Zeroizing::new(Vec::with_capacity(usize::try_from(size).unwrap_or_default()));
    file.take(limit + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limit {
        return Err(io::Error::other(format!("it has more than {limit} bytes")));
    }
    Ok(bytes)
}

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

/// Gives all files their names, in this order, once all of them are written; then these names, and what is in them.
pub(super) fn keep_all(files: Vec<(&PathBuf, &'static str, Pending)>) -> Result<Vec<(String, &'static str)>, Refusal> {
    let mut kept: Vec<(String, &'static str)> = Vec::new();
    for (path, what, file) in files {
        if let Err(refusal) = file.keep() {
            let names: Vec<&str> = kept.iter().map(|(path, _)| path.as_str()).collect();
            return Err(match names.as_slice() {
                [] => refusal,
                names => refusal
                    .exit(ExitCode::StepFailed)
                    .because(format!("new content is already in `{}`", names.join("`, `"))),
            });
        }
        kept.push((path.display().to_string(), what));
    }
    Ok(kept)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_finds_no_place_tells_of_those_before_it() {
        let folder = tempfile::tempdir().unwrap();
        let [first, second] = ["a", "b"].map(|name| folder.path().join(name));
        let pending = || [(&first, "one", Pending::write(&first, b"1").unwrap())];
        assert_eq!(keep_all(pending().into()).unwrap(), [(first.display().to_string(), "one")]);

        // Once it is written, a folder comes in its way.
        let lost = Pending::write(&second, b"2").unwrap();
        fs::create_dir(&second).unwrap();
        let refusal = keep_all(pending().into_iter().chain([(&second, "two", lost)]).collect()).unwrap_err();
        assert_eq!(refusal.exit, ExitCode::StepFailed);
        assert_eq!(refusal.failures[0].causes[1], format!("new content is already in `{}`", first.display()));

        let [second, third] = ["c", "d"].map(|name| folder.path().join(name));
        let lost = Pending::write(&third, b"3").unwrap();
        fs::create_dir(&third).unwrap();
        let files = vec![(&third, "three", lost), (&second, "two", Pending::write(&second, b"2").unwrap())];
        assert_eq!(keep_all(files).unwrap_err().exit, ExitCode::Refused, "nothing was changed");
        assert!(!second.exists());
    }
}
