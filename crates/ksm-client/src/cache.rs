//! The last good answer on disk, for those who ask for it.
//!
//! Nothing here is used unless called by name, and each use says how old the answer may be and learns how old it is. A tool that
//! deploys has no use for it: a certificate from yesterday must not be deployed as if it were today's.

use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::{Map, Value};
use zeroize::Zeroizing;

use crate::config::folder;
use crate::transport::Operation;
use crate::{Client, Error, Filter, Secrets, ladder, reply};

/// A file with one answer, mode 0600, sealed with the application key: without the device configuration it opens nothing.
#[derive(Clone, Debug)]
pub struct Cache {
    path: PathBuf,
}

/// An answer and where it is from.
#[derive(Debug)]
pub struct Cached {
    /// The answer. Addresses of files in an old one have expired.
    pub secrets: Secrets,
    /// How old it is; none when it is fresh.
    pub age: Option<Duration>,
    /// Why there is no fresh one.
    pub because: Option<Error>,
}

const MARK: &[u8; 8] = b"ksmcach1";

impl Cache {
    /// A cache in this file, which need not exist.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Removes the file, when there is one.
    ///
    /// # Errors
    /// [`Error::File`].
    pub fn clear(&self) -> Result<(), Error> {
        match std::fs::remove_file(&self.path) {
            Err(source) if source.kind() != std::io::ErrorKind::NotFound => Err(self.failed("remove", source)),
            _ => Ok(()),
        }
    }

    fn failed(&self, action: &'static str, source: std::io::Error) -> Error {
        Error::File { action, path: self.path.clone(), source }
    }

    fn write(&self, sealed: &[u8]) -> Result<(), Error> {
        let all = || {
            let mut file = tempfile::Builder::new().prefix(".ksm-").tempfile_in(folder(&self.path))?;
            file.write_all(MARK)?;
            file.write_all(sealed)?;
            file.persist(&self.path).map_err(|error| error.error)?;
            Ok(())
        };
        all().map_err(|source| self.failed("write the cache", source))
    }

    fn read(&self, limit: u64) -> Result<Vec<u8>, Error> {
        let mut bytes = Vec::new();
        let file = std::fs::File::open(&self.path).map_err(|source| self.failed("read the cache", source))?;
        file.take(limit).read_to_end(&mut bytes).map_err(|source| self.failed("read the cache", source))?;
        match bytes.strip_prefix(MARK) {
            Some(sealed) => Ok(sealed.to_vec()),
            None => Err(Error::Cache("it is none")),
        }
    }
}

impl Client {
    /// Everything `filter` names, fresh; or, only when the service cannot be reached or cannot answer, the last answer to the same
    /// question, if it is not older than `max_age`. A fresh answer is kept in `cache`.
    ///
    /// # Errors
    /// [`Error`]: every refusal, whatever is in the cache; and what kept the service from answering when the cache cannot help.
    pub async fn secrets_or_cached(&self, filter: &Filter, cache: &Cache, max_age: Duration) -> Result<Cached, Error> {
        let key = self.app_key()?;
        let question = Value::Object(filter.payload());
        let error = match self.call(Operation::GetSecret, filter.payload(), self.until()).await {
            Ok(body) => {
                let secrets = ladder::secrets(&reply::read("get_secret", &body)?, &key);
                let mut kept = Map::new();
                kept.insert("at".to_owned(), millis(SystemTime::now()).into());
                kept.insert("of".to_owned(), question);
                let mut plain = crate::json::bytes_of(&kept);
                plain.push(b'\n');
                plain.extend_from_slice(&body);
                cache.write(&key.seal(&plain))?;
                return Ok(Cached { secrets, age: None, because: None });
            }
            Err(error) => error,
        };
        if !error.is_unavailable() {
            return Err(error);
        }
        let Ok(sealed) = cache.read(self.options().max_reply.saturating_add(64 * 1024)) else { return Err(error) };
        let Ok(plain) = key.open(&sealed) else { return Err(Error::Cache("it was made by another device or changed")) };
        let (head, body) = split(&plain).ok_or(Error::Cache("it is none"))?;
        if head.get("of") != Some(&question) {
            return Err(Error::Cache("it answers another question"));
        }
        let at = head.get("at").and_then(Value::as_u64).ok_or(Error::Cache("it has no date"))?;
        // A date in the future means a clock that was set back; how old the answer is cannot be known then.
        let age = millis(SystemTime::now())
            .checked_sub(at)
            .map(Duration::from_millis)
            .ok_or(Error::Cache("it is from the future"))?;
        if age > max_age {
            return Err(error);
        }
        tracing::warn!("using a cached answer, {} s old: {error}", age.as_secs());
        let secrets = ladder::secrets(&reply::read("get_secret", body)?, &key);
        Ok(Cached { secrets, age: Some(age), because: Some(error) })
    }
}

fn split(plain: &Zeroizing<Vec<u8>>) -> Option<(Map<String, Value>, &[u8])> {
    let end = plain.iter().position(|byte| *byte == b'\n')?;
    Some((serde_json::from_slice(&plain[..end]).ok()?, &plain[end + 1..]))
}

fn millis(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).map_or(0, |since| u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}
