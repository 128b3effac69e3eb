//! The sign-in configuration: Commander's `config.json`, kept as it is found (spec 2.1).
//!
//! The clone code in it is good for one login, and each login brings the next one. So a configuration belongs to one run at a
//! time: a lock is taken before it is read, and the new code is written back before anything else happens.

use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use keeper_wire::crypto::sha256;
use keeper_wire::ec::PrivateKey;
use keeper_wire::{Host, text};
use secrecy::SecretString;
use serde_json::Value;
use zeroize::{Zeroize, Zeroizing};

use crate::document::Document;

/// Bytes of the largest configuration that is read.
const MOST: u64 = 1 << 20;

/// What stands in a `config.json`. Members that this program does not know are kept.
#[derive(Clone, Default)]
pub struct Config {
    whole: Document,
    pub(crate) server: Option<Host>,
    pub(crate) user: String,
    pub(crate) device_token: Vec<u8>,
    pub(crate) private_key: Option<PrivateKey>,
    pub(crate) clone_code: Zeroizing<Vec<u8>>,
    pub(crate) password: Option<SecretString>,
    pub(crate) proxy: Option<SecretString>,
    pub(crate) alternate: bool,
    /// `certificate_check` is off (spec 2.1). It is kept and told, and not followed.
    pub(crate) unchecked: bool,
    /// Names the clone code that was sent and not answered yet; empty when there is none.
    resuming: String,
}

/// Our own member: see [`Config::note_resuming`].
const RESUMING: &str = "keeper_automator_resuming";

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Config")
            .field("server", &self.server.as_ref().map(ToString::to_string))
            .field("user", &self.user)
            .finish_non_exhaustive()
    }
}

impl Config {
    /// A configuration for a first login, without any device.
    #[must_use]
    pub fn new(server: Host, user: &str) -> Self {
        Self { server: Some(server), user: user.trim().to_lowercase(), ..Self::default() }
    }

    /// Reads the JSON text of a `config.json`.
    ///
    /// # Errors
    /// [`ConfigError::Malformed`], which names the member; [`ConfigError::Elsewhere`] when the credentials are not in it.
    pub fn parse(json: &[u8]) -> Result<Self, ConfigError> {
        if u64::try_from(json.len()).map_or(true, |size| size > MOST) {
            return Err(malformed("the text", "it is larger than 1 MiB"));
        }
        let whole = Document::read(json).ok_or_else(|| malformed("the text", "it is a JSON object"))?;
        let storage = member(&whole, "config_storage")?;
        let device_token = decoded(&whole, "device_token")?;
        if storage.contains("://") && device_token.is_empty() {
            return Err(ConfigError::Elsewhere);
        }
        let server = match member(&whole, "server")? {
            "" => None,
            host => Some(host.parse().map_err(|_| malformed("server", "it is a region, a host, host:port or a URL"))?),
        };
        let key = decoded(&whole, "private_key")?;
        let private_key = match key.as_slice() {
            [] => None,
            key => Some(
                PrivateKey::from_scalar(key)
                    .map_err(|_| malformed("private_key", "it is a P-256 scalar of 32 bytes in URL-safe base64"))?,
            ),
        };
        let secret = |text: &str| (!text.is_empty()).then(|| SecretString::from(text));
        Ok(Self {
            server,
            user: member(&whole, "user")?.trim().to_lowercase(),
            device_token: device_token.to_vec(),
            private_key,
            clone_code: decoded(&whole, "clone_code")?,
            password: secret(member(&whole, "password")?),
            proxy: secret(member(&whole, "proxy")?),
            resuming: member(&whole, RESUMING)?.to_owned(),
            alternate: whole.0.get("sso_master_password").and_then(Value::as_bool).unwrap_or(false),
            unchecked: whole.0.get("certificate_check").and_then(Value::as_bool) == Some(false),
            whole,
        })
    }

    /// The JSON text, with the members that it had and those that a login changed.
    ///
    /// # Panics
    /// Never: a JSON object has a text.
    #[must_use]
    pub fn to_json(&self) -> Zeroizing<Vec<u8>> {
        let mut whole = self.whole.clone();
        let mut set = |name: &str, value: String| {
            if !value.is_empty()
                && let Some(Value::String(mut old)) = whole.0.insert(name.to_owned(), Value::String(value))
            {
                old.zeroize();
            }
        };
        if let Some(server) = &self.server {
            // As it stood there, unless the account turned out to be in another region.
            let before = self.whole.0.get("server").and_then(Value::as_str).and_then(|text| text.parse::<Host>().ok());
            if before.as_ref() != Some(server) {
                set("server", if server.https() { server.to_string() } else { server.origin() });
            }
        }
        set("user", self.user.clone());
        set("device_token", text::url(&self.device_token));
        set("private_key", self.private_key.as_ref().map_or_else(String::new, |key| text::url(key.expose_scalar())));
        set("clone_code", text::url(&self.clone_code));
        set(RESUMING, self.resuming.clone());
        for (name, gone) in [("clone_code", self.clone_code.is_empty()), (RESUMING, self.resuming.is_empty())] {
            if gone && let Some(Value::String(mut old)) = whole.0.shift_remove(name) {
                old.zeroize();
            }
        }
        // Where the vendor's client would otherwise move the credentials into a key store.
        if !whole.0.contains_key("config_storage") {
            whole.0.insert("config_storage".to_owned(), Value::String("file".to_owned()));
        }
        let mut json = Zeroizing::new(Vec::with_capacity(4096));
        serde_json::to_writer_pretty(&mut *json, &whole.0).expect("a JSON object has a text");
        json.push(b'\n');
        json
    }

    /// The server it names.
    #[must_use]
    pub fn server(&self) -> Option<&Host> {
        self.server.as_ref()
    }

    /// The e-mail address of the account, in lower case; may be empty.
    #[must_use]
    pub fn user(&self) -> &str {
        &self.user
    }

    /// Notes that the clone code is about to be sent. When no answer to it is ever written down, the next run can tell so.
    pub(crate) fn note_resuming(&mut self) {
        self.resuming = self.code_mark();
    }

    /// Whether this very clone code was sent before, and no answer to it was written down.
    pub(crate) fn was_resuming(&self) -> bool {
        !self.clone_code.is_empty() && self.resuming == self.code_mark()
    }

    /// Ends the note: an answer came, or nothing was sent.
    pub(crate) fn end_resuming(&mut self) {
        self.resuming.clear();
    }

    /// The next clone code, which ends the note about the one before.
    pub(crate) fn set_clone_code(&mut self, code: Vec<u8>) {
        self.clone_code = Zeroizing::new(code);
        self.resuming.clear();
    }

    /// Names a clone code without giving it away.
    fn code_mark(&self) -> String {
        text::url(&sha256(&self.clone_code)[..9])
    }

    /// Whether it holds a registered device, so that a login may resume.
    #[must_use]
    pub fn has_device(&self) -> bool {
        !self.device_token.is_empty() && self.private_key.is_some()
    }
}

fn malformed(member: &'static str, expected: &'static str) -> ConfigError {
    ConfigError::Malformed { member, expected }
}

/// A text that may be missing.
fn member<'a>(whole: &'a Document, name: &'static str) -> Result<&'a str, ConfigError> {
    match whole.0.get(name) {
        None | Some(Value::Null) => Ok(""),
        Some(Value::String(text)) => Ok(text),
        Some(_) => Err(malformed(name, "it is text")),
    }
}

fn decoded(whole: &Document, name: &'static str) -> Result<Zeroizing<Vec<u8>>, ConfigError> {
    text::decode(member(whole, name)?).map_err(|_| malformed(name, "it is URL-safe base64"))
}

/// Where a configuration is kept. Reading and writing are short and may block.
pub trait ConfigStore: Send + Sync + 'static {
    /// Keeps others away until what it gives is dropped.
    ///
    /// # Errors
    /// [`ConfigError::Locked`] when another run has it.
    fn lock(&self) -> Result<Held, ConfigError>;

    /// The configuration as it is now; an empty one where nothing is yet.
    ///
    /// # Errors
    /// [`ConfigError`], when it cannot be read.
    fn load(&self) -> Result<Config, ConfigError>;

    /// Writes it back so that it is there after a crash.
    ///
    /// # Errors
    /// [`ConfigError::Write`].
    fn store(&self, config: &Config) -> Result<(), ConfigError>;
}

/// Keeps a configuration for one run; dropped with its session.
pub struct Held(#[expect(dead_code, reason = "only its drop matters")] Box<dyn std::any::Any + Send + Sync>);

impl Held {
    /// Something whose drop lets go.
    #[must_use]
    pub fn new(guard: impl Send + Sync + 'static) -> Self {
        Self(Box::new(guard))
    }
}

impl fmt::Debug for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Held")
    }
}

/// A `config.json` on disk, mode 0600; its lock is the file `config.json.lock` beside it. Commander does not look at that lock:
/// do not let it use the same file at the same time. Where the path is a symbolic link, all of this is about the file it leads to.
#[derive(Clone, Debug)]
pub struct ConfigFile {
    path: PathBuf,
    /// Where the path leads to, as it was when the file was first there.
    place: Arc<OnceLock<PathBuf>>,
    seed: Option<Config>,
}

impl ConfigFile {
    /// The file at this path. It need not exist yet.
    #[must_use]
    pub fn at(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), place: Arc::default(), seed: None }
    }

    /// A file for a configuration that comes as text, from an environment variable or a secret store: the text is where it
    /// begins, and the file is where it lives from then on.
    ///
    /// Every login replaces the clone code, so the text alone is good for one login. The file wins as long as it is of the same
    /// device; when the text names another device, the text wins.
    #[must_use]
    pub fn seeded(path: impl Into<PathBuf>, seed: Config) -> Self {
        Self { seed: Some(seed), ..Self::at(path) }
    }

    /// Its path.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The file itself; the path as it was given where nothing is yet.
    fn place(&self) -> &Path {
        if let (None, Ok(place)) = (self.place.get(), std::fs::canonicalize(&self.path)) {
            return self.place.get_or_init(|| place);
        }
        self.place.get().unwrap_or(&self.path)
    }

    fn error(&self, source: std::io::Error) -> ConfigError {
        ConfigError::Read { path: self.path.clone(), source }
    }
}

impl ConfigStore for ConfigFile {
    fn lock(&self) -> Result<Held, ConfigError> {
        let mut name = self.place().to_owned().into_os_string();
        name.push(".lock");
        let path = PathBuf::from(name);
        let write = |source| ConfigError::Write { path: path.clone(), source };
        let file = private(OpenOptions::new().write(true).create(true).truncate(false), &path).map_err(write)?;
        match file.try_lock() {
            Ok(()) => Ok(Held::new(file)),
            Err(std::fs::TryLockError::WouldBlock) => Err(ConfigError::Locked { path: Some(self.path.clone()) }),
            Err(std::fs::TryLockError::Error(source)) => Err(write(source)),
        }
    }

    fn load(&self) -> Result<Config, ConfigError> {
        let file = match File::open(self.place()) {
            Ok(file) => file,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Ok(self.seed.clone().unwrap_or_default());
            }
            Err(error) => return Err(self.error(error)),
        };
        tighten(&file, &self.path).map_err(|error| self.error(error))?;
        let mut json = Zeroizing::new(Vec::with_capacity(4096));
        file.take(MOST + 1).read_to_end(&mut json).map_err(|error| self.error(error))?;
        let config = Config::parse(&json)?;
        let other = self.seed.as_ref().filter(|seed| seed.device_token != config.device_token);
        Ok(other.cloned().unwrap_or(config))
    }

    fn store(&self, config: &Config) -> Result<(), ConfigError> {
        let write = |source| ConfigError::Write { path: self.path.clone(), source };
        let place = self.place();
        let folder = place.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        // tempfile gives it mode 0600.
        let mut file = tempfile::NamedTempFile::new_in(folder).map_err(write)?;
        file.write_all(&config.to_json()).map_err(write)?;
        file.as_file().sync_all().map_err(write)?;
        file.persist(place).map_err(|error| write(error.error))?;
        File::open(folder).and_then(|folder| folder.sync_all()).map_err(write)
    }
}

#[cfg(unix)]
fn private(options: &mut OpenOptions, path: &Path) -> std::io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt;
    options.mode(0o600).open(path)
}

#[cfg(not(unix))]
fn private(options: &mut OpenOptions, path: &Path) -> std::io::Result<File> {
    options.open(path)
}

/// Loosened files are fixed with a warning, as the vendor's client does.
#[cfg(unix)]
fn tighten(file: &File, path: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    let mode = file.metadata()?.permissions().mode();
    if mode & 0o077 != 0 {
        tracing::warn!(path = %path.display(), "the Keeper configuration was readable by others; it is mode 0600 now");
        file.set_permissions(std::fs::Permissions::from_mode(0o600))?;
    }
    Ok(())
}

#[cfg(not(unix))]
fn tighten(_: &File, _: &Path) -> std::io::Result<()> {
    Ok(())
}

/// A configuration in memory, as it comes from an environment variable or a secret store. Whoever made it asks for
/// [`ConfigMemory::config`] afterwards, because the old clone code is used up.
#[derive(Clone, Debug, Default)]
pub struct ConfigMemory(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    config: Mutex<Config>,
    held: AtomicBool,
}

impl ConfigMemory {
    /// Keeps this configuration.
    #[must_use]
    pub fn new(config: Config) -> Self {
        Self(Arc::new(Shared { config: Mutex::new(config), held: AtomicBool::new(false) }))
    }

    /// The configuration as the last login left it.
    #[must_use]
    pub fn config(&self) -> Config {
        self.0.config.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

struct Guard(Arc<Shared>);

impl Drop for Guard {
    fn drop(&mut self) {
        self.0.held.store(false, Ordering::Release);
    }
}

impl ConfigStore for ConfigMemory {
    fn lock(&self) -> Result<Held, ConfigError> {
        if self.0.held.swap(true, Ordering::AcqRel) {
            return Err(ConfigError::Locked { path: None });
        }
        Ok(Held::new(Guard(self.0.clone())))
    }

    fn load(&self) -> Result<Config, ConfigError> {
        Ok(self.config())
    }

    fn store(&self, config: &Config) -> Result<(), ConfigError> {
        *self.0.config.lock().unwrap_or_else(PoisonError::into_inner) = config.clone();
        Ok(())
    }
}

/// Why a configuration cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// It cannot be read.
    #[error("read the Keeper configuration {}", .path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// It cannot be written.
    #[error("write the Keeper configuration {}", .path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// It is not what the vendor's client writes.
    #[error("read the Keeper configuration: {member} is not what was expected: {expected}")]
    Malformed {
        /// The member.
        member: &'static str,
        /// What was expected.
        expected: &'static str,
    },
    /// Its credentials are in a key store of the vendor's client.
    #[error("read the Keeper configuration: its credentials are in a key store (config_storage), not in the file")]
    Elsewhere,
    /// Another run uses it.
    #[error("use the Keeper configuration{}, because another run uses it", .path.as_ref().map(|path| format!(" {}", path.display())).unwrap_or_default())]
    Locked {
        /// The file.
        path: Option<PathBuf>,
    },
    /// It names no server.
    #[error("sign in, because neither the configuration nor the options name a server")]
    NoServer,
}

impl ConfigError {
    /// A stable name for programs, in kebab-case.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Read { .. } => "keeper-config-unreadable",
            Self::Write { .. } => "keeper-config-unwritable",
            Self::Malformed { .. } => "keeper-config-malformed",
            Self::Elsewhere => "keeper-config-elsewhere",
            Self::Locked { .. } => "keeper-config-locked",
            Self::NoServer => "keeper-config-no-server",
        }
    }

    /// The one thing to do about it, where there is one.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Read { .. } => "the file has to be readable by this user".to_owned(),
            Self::Write { .. } => {
                "the folder has to be writable, because every login replaces the clone code in the file".to_owned()
            }
            Self::Malformed { .. } => format!("make a new one: {}", crate::login::SIGN_IN),
            Self::Elsewhere => {
                format!("make one of its own for this program, which keeps them in the file: {}", crate::login::SIGN_IN)
            }
            Self::Locked { .. } => {
                "wait for the other run to end; two runs at the same time need a configuration each".to_owned()
            }
            Self::NoServer => "name the region or host, such as EU or keepersecurity.eu".to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Map;

    const TEXT: &str = r#"{"server":"EU","later":{"a":[1,2]},"user":"Admin@Example.com","device_token":"AAEC","clone_code":"AwQ","zeta":1}"#;

    #[test]
    fn unknown_members_and_their_order_are_kept() {
        let mut config = Config::parse(TEXT.as_bytes()).unwrap();
        assert_eq!(
            (config.user(), config.server().unwrap().to_string().as_str()),
            ("admin@example.com", "keepersecurity.eu")
        );
        config.clone_code = Zeroizing::new(vec![9, 9]);
        let json = config.to_json();
        let whole: Map<String, Value> = serde_json::from_slice(&json).unwrap();
        let names: Vec<_> = whole.keys().map(String::as_str).collect();
        assert_eq!(names, ["server", "later", "user", "device_token", "clone_code", "zeta", "config_storage"]);
        assert_eq!((&whole["server"], &whole["clone_code"]), (&Value::from("EU"), &Value::from("CQk")));
        assert_eq!(Config::parse(&json).unwrap().clone_code.as_slice(), [9, 9]);
    }

    #[test]
    fn what_is_wrong_is_named() {
        let wrong = |text: &str| match Config::parse(text.as_bytes()).unwrap_err() {
            ConfigError::Malformed { member, .. } => member,
            ConfigError::Elsewhere => "elsewhere",
            other => panic!("{other}"),
        };
        assert_eq!(wrong("[]"), "the text");
        assert_eq!(wrong(r#"{"server":1}"#), "server");
        assert_eq!(wrong(r#"{"private_key":"AAAA"}"#), "private_key");
        assert_eq!(wrong(r#"{"clone_code":"*"}"#), "clone_code");
        assert_eq!(wrong(r#"{"config_storage":"os-keychain://x"}"#), "elsewhere");
    }

    #[test]
    fn a_file_is_private_and_of_one_run_at_a_time() {
        let folder = tempfile::tempdir().unwrap();
        let store = ConfigFile::at(folder.path().join("config.json"));
        assert!(!store.load().unwrap().has_device());
        let held = store.lock().unwrap();
        assert_eq!(store.lock().unwrap_err().code(), "keeper-config-locked");
        drop(held);
        store.lock().unwrap();

        store.store(&Config::parse(TEXT.as_bytes()).unwrap()).unwrap();
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
            assert_eq!(mode(store.path()), 0o600);
            std::fs::set_permissions(store.path(), std::fs::Permissions::from_mode(0o644)).unwrap();
            store.load().unwrap();
            assert_eq!(mode(store.path()), 0o600);
        }
        assert_eq!(store.load().unwrap().user(), "admin@example.com");
    }

    #[cfg(unix)]
    #[test]
    fn a_link_stays_a_link_and_its_file_is_locked_and_written() {
        let folder = tempfile::tempdir().unwrap();
        let (real, link) = (folder.path().join("real.json"), folder.path().join("config.json"));
        std::fs::write(&real, TEXT).unwrap();
        std::os::unix::fs::symlink("real.json", &link).unwrap();
        let (by_link, by_name) = (ConfigFile::at(&link), ConfigFile::at(&real));
        let held = by_link.lock().unwrap();
        assert_eq!(by_name.lock().unwrap_err().code(), "keeper-config-locked");
        let mut config = by_link.load().unwrap();
        config.set_clone_code(vec![9]);
        by_link.store(&config).unwrap();
        drop(held);
        assert!(std::fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(by_name.load().unwrap().clone_code.as_slice(), [9]);
        assert_eq!(by_link.path(), link);
    }

    #[test]
    fn a_code_that_was_sent_is_noted_until_the_next_one_comes() {
        let json = br#"{"server":"US","clone_code":"Y29kZQ","x":1}"#;
        let mut config = Config::parse(json).unwrap();
        assert!(!config.was_resuming());
        config.note_resuming();
        let mut again = Config::parse(&config.to_json()).unwrap();
        assert!(again.was_resuming());
        again.set_clone_code(b"next".to_vec());
        let text = String::from_utf8(again.to_json().to_vec()).unwrap();
        assert!(!Config::parse(text.as_bytes()).unwrap().was_resuming() && !text.contains(RESUMING), "{text}");
        // A copy that got another code by another way is not blamed for it.
        config.clone_code = Zeroizing::new(b"other".to_vec());
        assert!(!config.was_resuming());
    }

    #[test]
    fn a_text_is_where_it_begins_and_the_file_is_where_it_lives() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.json");
        let seed = Config::parse(TEXT.as_bytes()).unwrap();
        let file = ConfigFile::seeded(&path, seed.clone());
        let mut config = file.load().unwrap();
        assert_eq!(config.clone_code, seed.clone_code);
        config.set_clone_code(vec![9]);
        file.store(&config).unwrap();
        assert_eq!(file.load().unwrap().clone_code.as_slice(), [9], "the text has the code that is used up");

        let other = Config { device_token: vec![7], ..seed.clone() };
        let file = ConfigFile::seeded(&path, other);
        assert_eq!(file.load().unwrap().clone_code, seed.clone_code, "the text is of another device");
    }
}
