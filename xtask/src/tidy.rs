//! Promises that a compiler cannot keep: what a file may say, that a resource is tested and documented, what may depend
//! on what, and that every way of building wants the same third-party features.

mod hints;
mod resources;
mod text;
mod tree;
mod workflows;

use std::fmt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context, Result};

use crate::run;

/// A broken promise.
#[derive(Debug, PartialEq, Eq)]
struct Finding {
    /// The file, or the crate, that breaks it.
    place: String,
    line: Option<usize>,
    what: String,
}

impl Finding {
    fn new(place: impl Into<String>, what: impl Into<String>) -> Self {
        Self { place: place.into(), line: None, what: what.into() }
    }

    fn at(place: impl Into<String>, line: usize, what: impl Into<String>) -> Self {
        Self { line: Some(line), ..Self::new(place, what) }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "{}:{line}: {}", self.place, self.what),
            None => write!(f, "{}: {}", self.place, self.what),
        }
    }
}

/// A file of the repository.
struct File {
    /// Relative to the root, with `/`.
    path: String,
    text: String,
}

pub(crate) fn run() -> Result<ExitCode> {
    let files = files(&run::root())?;
    let mut findings = Vec::new();
    for file in &files {
        findings.extend(text::check(file));
        findings.extend(workflows::check(file));
    }
    findings.extend(hints::check(&files));
    findings.extend(resources::check(&files));
    findings.extend(tree::check(&files)?);

    for finding in &findings {
        println!("{finding}");
    }
    println!("tidy: {} files, {} findings", files.len(), findings.len());
    Ok(if findings.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Every text file that is, or could be, committed.
fn files(root: &Path) -> Result<Vec<File>> {
    let mut git = Command::new("git");
    git.current_dir(root).args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"]);
    let listed = run::stdout_of(&mut git).context("list the files of the repository")?;
    let mut files = Vec::new();
    for path in listed.split('\0').filter(|path| !path.is_empty()) {
        // Not text, or removed but still listed: no promise to break.
        if let Ok(text) = std::fs::read_to_string(root.join(PathBuf::from(path))) {
            files.push(File { path: path.to_owned(), text });
        }
    }
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_file_is_among_the_files() {
        let files = files(&run::root()).unwrap();
        assert!(files.iter().any(|file| file.path == "xtask/src/tidy.rs"));
    }

    #[test]
    fn a_finding_reads_like_a_compilers() {
        assert_eq!(Finding::at("a/b.rs", 3, "says too much").to_string(), "a/b.rs:3: says too much");
        assert_eq!(Finding::new("certs", "is not pure").to_string(), "certs: is not pure");
    }
}
