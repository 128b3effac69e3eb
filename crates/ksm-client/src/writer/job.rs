//! One run of the writer.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::io::{Read, Write};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};

use futures_util::future::try_join_all;
use keeper_wire::Uid;
use tempfile::NamedTempFile;
use zeroize::Zeroizing;

use super::entry::{self, Destination, Entry, EntryError};
use super::values::{ValuesFormat, quoted};
use crate::config::folder;
use crate::{Client, Config, ConfigError, ConfigFile, Error, Filter, Notation, Options, Secrets};

/// What the process says when it ends.
pub mod exit_codes {
    /// Everything is written.
    pub const DONE: u8 = 0;
    /// A variable is missing or wrong; nothing was asked or written.
    pub const USAGE: u8 = 2;
    /// The service refused the device: revoked, expired, locked to another address, another region.
    pub const REFUSED: u8 = 3;
    /// The service could not be reached or did not answer in time. A restart may help.
    pub const UNAVAILABLE: u8 = 4;
    /// A record, file or field is missing, ambiguous, or does not open.
    pub const NOT_RESOLVED: u8 = 5;
    /// Files could not be written.
    pub const NOT_WRITTEN: u8 = 6;
}

/// Everything a run needs, checked.
#[derive(Debug)]
pub struct Job {
    entries: Vec<Entry>,
    values: Option<(PathBuf, ValuesFormat)>,
    cleanup: Option<PathBuf>,
    file_mode: u32,
    directory_mode: u32,
}

/// Why a run ended early.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WriterError {
    /// A variable that must be there.
    #[error("start, because {0} is not set")]
    Missing(&'static str),
    /// A variable that cannot be used.
    #[error("start, because {name} {what}")]
    Variable {
        /// Its name.
        name: &'static str,
        /// What is wrong with it.
        what: &'static str,
    },
    /// `KSM_CONFIG` or its file.
    #[error("read the device configuration of {0}")]
    Config(&'static str, #[source] ConfigError),
    /// A line of `SECRETS`.
    #[error("read line {line} of SECRETS, because {error}")]
    Line {
        /// Which one, from 1.
        line: usize,
        /// What is wrong with it.
        error: EntryError,
    },
    /// Two entries of one destination.
    #[error("write {0:?} twice")]
    Twice(String),
    /// A value that is no text or cannot be written in the format of `SECRETS_FILE`.
    #[error("write the value of {0:?} into SECRETS_FILE, because it is no text that its format can hold")]
    Value(String),
    /// The service, or what it knows.
    #[error("resolve {notation}")]
    Resolve {
        /// The notation; `the device` for what concerns all.
        notation: String,
        /// Why not.
        #[source]
        source: Error,
    },
    /// A local file.
    #[error("{action} {}", .path.display())]
    File {
        /// What was tried.
        action: &'static str,
        /// With which file.
        path: PathBuf,
        /// Why it did not work.
        #[source]
        source: std::io::Error,
    },
}

const READ: &str = "read";

/// The PEM of an authority, of a size that one has.
fn authority(path: &Path) -> std::io::Result<Vec<u8>> {
    let mut pem = Vec::new();
    std::fs::File::open(path)?.take(MAX_AUTHORITY + 1).read_to_end(&mut pem)?;
    if pem.len() as u64 > MAX_AUTHORITY {
        return Err(std::io::ErrorKind::FileTooLarge.into());
    }
    Ok(pem)
}

/// A bundle of every public authority has a quarter of this.
const MAX_AUTHORITY: u64 = 1024 * 1024;

/// Makes a directory and those above it that are missing, with just this mode whatever the umask is.
fn make(folder: &Path, mode: u32) -> std::io::Result<()> {
    let missing: Vec<&Path> =
        folder.ancestors().take_while(|above| !above.as_os_str().is_empty() && !above.exists()).collect();
    for one in missing.into_iter().rev() {
        match std::fs::DirBuilder::new().mode(mode).create(one) {
            // Somebody else was faster.
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
            made => {
                made?;
                std::fs::set_permissions(one, std::fs::Permissions::from_mode(mode))?;
            }
        }
    }
    Ok(())
}

impl WriterError {
    /// One of [`exit_codes`].
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Resolve { source, .. } => match source {
                error if error.is_unavailable() => exit_codes::UNAVAILABLE,
                Error::NotFound { .. } | Error::Ambiguous { .. } | Error::Decrypt(_) | Error::TooLarge { .. } => {
                    exit_codes::NOT_RESOLVED
                }
                Error::Config(_) | Error::Setup { .. } | Error::NotBound => exit_codes::USAGE,
                Error::Http { operation: "download", .. } => exit_codes::NOT_RESOLVED,
                _ => exit_codes::REFUSED,
            },
            Self::Value(_) => exit_codes::NOT_RESOLVED,
            // What is read was named by a variable.
            Self::File { action: READ, .. } => exit_codes::USAGE,
            Self::File { .. } => exit_codes::NOT_WRITTEN,
            _ => exit_codes::USAGE,
        }
    }

    /// What a person can do about it; empty where the text says all there is.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Config(_, error) => error.hint(),
            Self::Resolve { source, .. } => source.hint(),
            Self::Variable { name: "KSM_SKIP_VERIFY", .. } => {
                "give the certificate of the private authority in KSM_CA_FILE"
            }
            Self::Value(_) => "write binary content to a file of its own: `> file:PATH`",
            _ => "",
        }
    }
}

/// What was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// The files, in the order of `SECRETS`; `SECRETS_FILE` and `CLEANUP_FILE` last.
    pub files: Vec<PathBuf>,
}

impl Job {
    /// Entries and nothing else: files only, with modes 0600 and 0700.
    ///
    /// # Errors
    /// [`WriterError::Missing`] when an entry has no file and there is no `SECRETS_FILE`; [`WriterError::Twice`].
    pub fn new(entries: Vec<Entry>) -> Result<Self, WriterError> {
        Self { entries, values: None, cleanup: None, file_mode: 0o600, directory_mode: 0o700 }.checked()
    }

    /// Client and job from the environment, given as a function; see the table of [`writer`](super).
    ///
    /// # Errors
    /// [`WriterError`] names the variable.
    pub fn from_variables(variable: impl Fn(&str) -> Option<String>) -> Result<(Client, Self), WriterError> {
        let get = |name: &str| variable(name).filter(|value| !value.trim().is_empty());
        let wrong = |name, what| WriterError::Variable { name, what };
        if get("KSM_SKIP_VERIFY")
            .is_some_and(|value| !matches!(value.to_ascii_lowercase().as_str(), "false" | "0" | "no"))
        {
            return Err(wrong("KSM_SKIP_VERIFY", "is set, and TLS is always verified here"));
        }
        let secrets = get("SECRETS").ok_or(WriterError::Missing("SECRETS"))?;
        let entries = entry::parse(&secrets).map_err(|(line, error)| WriterError::Line { line, error })?;
        let format = get("SECRETS_FILE_TYPE").map(|text| text.trim().parse()).transpose();
        let format: Option<ValuesFormat> =
            format.map_err(|()| wrong("SECRETS_FILE_TYPE", "is none of json, export, setenv, set"))?;
        let mode = |name| match get(name) {
            None => Ok(None),
            Some(text) => u32::from_str_radix(text.trim(), 8)
                .ok()
                .filter(|mode| *mode <= 0o777)
                .map(Some)
                .ok_or_else(|| wrong(name, "is no octal mode such as 0640")),
        };
        let job = Self {
            entries,
            values: get("SECRETS_FILE").map(|path| (path.into(), format.unwrap_or_default())),
            cleanup: get("CLEANUP_FILE").map(PathBuf::from),
            file_mode: mode("FILE_MODE")?.unwrap_or(0o600),
            directory_mode: mode("DIRECTORY_MODE")?.unwrap_or(0o700),
        }
        .checked()?;

        let mut options = Options::new();
        if let Some(host) = get("KSM_HOSTNAME") {
            options = options.host(host.parse().map_err(|_| wrong("KSM_HOSTNAME", "is no region, host or host:port"))?);
        }
        if let Some(path) = get("KSM_CA_FILE") {
            let read = authority(Path::new(&path));
            options = options.authority(read.map_err(|source| WriterError::File {
                action: READ,
                path: path.into(),
                source,
            })?);
        }
        if let Some(seconds) = get("KSM_DEADLINE") {
            let seconds = seconds.trim().parse().ok().filter(|seconds| (1..=86_400).contains(seconds));
            let seconds = seconds.ok_or_else(|| wrong("KSM_DEADLINE", "is no number of seconds from 1 to 86400"))?;
            options = options.deadline(std::time::Duration::from_secs(seconds));
        }
        if let Some(version) = get("KSM_CLIENT_VERSION") {
            options = options.client_version(version.trim());
        }
        let config = match (get("KSM_CONFIG").map(Zeroizing::new), get("KSM_CONFIG_FILE")) {
            (Some(text), _) => Config::parse(&text).map_err(|error| WriterError::Config("KSM_CONFIG", error))?,
            (None, Some(path)) => {
                ConfigFile::open(path).map_err(|error| WriterError::Config("KSM_CONFIG_FILE", error))?.1
            }
            (None, None) => return Err(WriterError::Missing("KSM_CONFIG")),
        };
        let client = Client::new(config, options);
        client
            .map(|client| (client, job))
            .map_err(|source| WriterError::Resolve { notation: "the device".to_owned(), source })
    }

    fn checked(self) -> Result<Self, WriterError> {
        let mut names = HashSet::new();
        let mut paths: BTreeSet<&Path> = BTreeSet::new();
        for entry in &self.entries {
            match &entry.destination {
                Destination::File(path) => {
                    if !paths.insert(path) {
                        return Err(WriterError::Twice(path.display().to_string()));
                    }
                }
                Destination::Variable(name) => {
                    let (_, format) = self.values.as_ref().ok_or(WriterError::Missing("SECRETS_FILE"))?;
                    if !format.takes(name) {
                        let what = "has a destination that is no variable name, as SECRETS_FILE_TYPE asks";
                        return Err(WriterError::Variable { name: "SECRETS", what });
                    }
                    if !names.insert(name) {
                        return Err(WriterError::Twice(name.clone()));
                    }
                }
            }
        }
        for path in self.values.iter().map(|(path, _)| path).chain(&self.cleanup) {
            if !paths.insert(path) {
                return Err(WriterError::Twice(path.display().to_string()));
            }
        }
        Ok(self)
    }

    /// Resolves everything, then writes everything.
    ///
    /// # Errors
    /// [`WriterError`]. Unless it is [`WriterError::File`], nothing was written.
    pub async fn run(&self, client: &Client) -> Result<Report, WriterError> {
        let contents = self.resolve(client).await?;
        let mut files: Vec<(&Path, Zeroizing<Vec<u8>>, u32)> = Vec::new();
        let mut values = Vec::new();
        for (entry, content) in self.entries.iter().zip(contents) {
            match &entry.destination {
                Destination::File(path) => files.push((path, content, self.file_mode)),
                Destination::Variable(name) => {
                    let text = std::str::from_utf8(&content).map_err(|_| WriterError::Value(name.clone()))?;
                    values.push((name.as_str(), Zeroizing::new(text.to_owned())));
                }
            }
        }
        if let Some((path, format)) = self.values.as_ref().filter(|_| !values.is_empty()) {
            for (name, value) in &values {
                if format.render([(*name, value.as_str())].into_iter()).is_none() {
                    return Err(WriterError::Value((*name).to_owned()));
                }
            }
            let text = format.render(values.iter().map(|(name, value)| (*name, value.as_str())));
            files.push((path, text.ok_or_else(|| WriterError::Value(String::new()))?, self.file_mode));
        }
        if let Some(path) = &self.cleanup {
            let script = self.script(files.iter().map(|(path, ..)| *path).chain([path.as_path()]))?;
            files.push((path, script, self.file_mode | 0o100));
        }
        self.write(&files)?;
        Ok(Report { files: files.iter().map(|(path, ..)| (*path).to_owned()).collect() })
    }

    async fn resolve(&self, client: &Client) -> Result<Vec<Zeroizing<Vec<u8>>>, WriterError> {
        let all = |source| WriterError::Resolve { notation: "the device".to_owned(), source };
        let until = client.until();
        // One request for the named records; all of them when one is named by its title, or turns out to be.
        let uids: Option<BTreeSet<Uid>> = self.entries.iter().map(|entry| entry.notation.uid()).collect();
        let mut secrets = match uids {
            Some(uids) => client.secrets_until(&Filter::records(uids), until).await.map_err(all)?,
            None => client.secrets_until(&Filter::all(), until).await.map_err(all)?,
        };
        let missing =
            |secrets: &Secrets, notation: &Notation| matches!(notation.choose(secrets), Err(Error::NotFound { .. }));
        if self.entries.iter().any(|entry| missing(&secrets, &entry.notation)) {
            secrets = client.secrets_until(&Filter::all(), until).await.map_err(all)?;
        }
        let mut records = HashMap::new();
        for Entry { notation, .. } in &self.entries {
            // The notation may name a value; the record's name is enough, and the piece stands in the source.
            let failed = |source| WriterError::Resolve { notation: notation.to_string(), source };
            let record = notation.choose(&secrets).map_err(failed)?;
            notation.resolve(record).map_err(failed)?;
            records.insert(notation.to_string(), record);
        }
        try_join_all(self.entries.iter().map(async |Entry { notation, .. }| {
            let text = notation.to_string();
            client
                .value_in(notation, records[&text], until)
                .await
                .map_err(|source| WriterError::Resolve { notation: text, source })
        }))
        .await
    }

    fn script<'a>(&self, paths: impl Iterator<Item = &'a Path>) -> Result<Zeroizing<Vec<u8>>, WriterError> {
        let mut script = Zeroizing::new(b"#!/bin/sh\n".to_vec());
        for path in paths {
            // Absolute, so that it may be run from anywhere.
            let path = std::path::absolute(path).map_err(|source| WriterError::File {
                action: "name",
                path: path.to_owned(),
                source,
            })?;
            script.extend_from_slice(b"rm -f -- ");
            script.extend_from_slice(quoted(&path.to_string_lossy(), false).as_bytes());
            script.push(b'\n');
        }
        Ok(script)
    }

    /// All beside their places first, then the renames.
    fn write(&self, files: &[(&Path, Zeroizing<Vec<u8>>, u32)]) -> Result<(), WriterError> {
        let mut staged: Vec<(&Path, NamedTempFile)> = Vec::with_capacity(files.len());
        for (path, content, mode) in files {
            let failed = |action| move |source| WriterError::File { action, path: (*path).to_owned(), source };
            if path.is_dir() {
                return Err(failed("replace the directory")(std::io::ErrorKind::IsADirectory.into()));
            }
            let folder = folder(path);
            make(folder, self.directory_mode).map_err(failed("make the directory of"))?;
            let stage = || {
                let mut file = tempfile::Builder::new().prefix(".ksm-writer-").tempfile_in(folder)?;
                file.write_all(content)?;
                file.as_file().set_permissions(std::fs::Permissions::from_mode(*mode))?;
                file.as_file().sync_all()?;
                Ok(file)
            };
            staged.push((path, stage().map_err(failed("write"))?));
        }
        for (path, file) in staged {
            file.persist(path).map_err(|error| WriterError::File {
                action: "write",
                path: path.to_owned(),
                source: error.error,
            })?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_has_the_mode_that_was_asked_for_whatever_the_umask_is() {
        let place = tempfile::tempdir().unwrap();
        let deep = place.path().join("a/b");
        make(&deep, 0o770).unwrap();
        for made in [deep.as_path(), deep.parent().unwrap()] {
            assert_eq!(made.metadata().unwrap().permissions().mode() & 0o777, 0o770, "{}", made.display());
        }
        std::fs::set_permissions(&deep, std::fs::Permissions::from_mode(0o700)).unwrap();
        make(&deep, 0o770).unwrap();
        assert_eq!(deep.metadata().unwrap().permissions().mode() & 0o777, 0o700, "what is there stays as it is");
    }

    #[test]
    fn an_authority_that_cannot_be_read_is_a_variable_that_is_wrong() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("none.pem");
        let source = authority(&path).unwrap_err();
        assert_eq!(WriterError::File { action: READ, path, source }.exit_code(), exit_codes::USAGE);
        let large = place.path().join("large.pem");
        std::fs::write(&large, vec![b'x'; 1024 * 1024 + 1]).unwrap();
        assert_eq!(authority(&large).unwrap_err().kind(), std::io::ErrorKind::FileTooLarge);
    }
}
