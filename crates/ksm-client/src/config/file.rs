//! The configuration as a file.

use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::{Config, ConfigError, Form, MAX_CONFIG, forms};

/// A configuration in a file, which is kept up to date: a binding, or a server key the service asked for, is written back.
///
/// Files are written beside their place with mode 0600 and renamed, so a reader sees the old or the new one, whole.
#[derive(Clone, Debug)]
pub struct ConfigFile {
    path: PathBuf,
    form: Form,
}

impl ConfigFile {
    /// Reads a file in any form.
    ///
    /// # Errors
    /// [`ConfigError::File`] when it cannot be read, else as [`Config::parse`].
    pub fn open(path: impl Into<PathBuf>) -> Result<(Self, Config), ConfigError> {
        let path = path.into();
        let text = read(&path)?;
        let (config, form) = forms::read(&text, None)?;
        Ok((Self { path, form }, config))
    }

    /// Writes a new file in JSON. One that is there already is never overwritten.
    ///
    /// # Errors
    /// [`ConfigError::File`], of kind `AlreadyExists` when there is one.
    pub fn create(path: impl Into<PathBuf>, config: &Config) -> Result<Self, ConfigError> {
        let this = Self { path: path.into(), form: Form::Json };
        let failed = |source| ConfigError::File { action: "create", path: this.path.clone(), source };
        let file = this.staged(&config.expose_json()).map_err(failed)?;
        file.persist_noclobber(&this.path).map_err(|error| failed(error.error))?;
        this.settle();
        Ok(this)
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The form it was read in, in which it is also written.
    #[must_use]
    pub fn form(&self) -> Form {
        self.form
    }

    /// Replaces the file.
    ///
    /// # Errors
    /// [`ConfigError::File`], of kind `AlreadyExists` when another program has put another device there meanwhile, or has bound
    /// this one; [`ConfigError::NotWritten`] for the two forms that hold more than one configuration.
    pub fn save(&self, config: &Config) -> Result<(), ConfigError> {
        self.can_save()?;
        if let Ok((_, there)) = Self::open(&self.path)
            && (there.client_id() != config.client_id() || (there.is_bound() && !config.is_bound()))
        {
            let source = std::io::ErrorKind::AlreadyExists.into();
            return Err(ConfigError::File { action: "replace the newer device in", path: self.path.clone(), source });
        }
        let text = if self.form == Form::Base64 { config.expose_base64() } else { config.expose_json() };
        let failed = |source| ConfigError::File { action: "write", path: self.path.clone(), source };
        let file = self.staged(&text).map_err(failed)?;
        file.persist(&self.path).map_err(|error| failed(error.error))?;
        self.settle();
        Ok(())
    }

    /// Refuses the forms that are read but not written back.
    fn can_save(&self) -> Result<(), ConfigError> {
        let form = match self.form {
            Form::Json | Form::Base64 => return Ok(()),
            Form::Kubernetes => "Kubernetes Secret",
            Form::Ini => "INI file",
        };
        Err(ConfigError::NotWritten { path: self.path.clone(), form })
    }

    /// A file beside the place, which `tempfile` makes with mode 0600.
    fn staged(&self, text: &str) -> std::io::Result<tempfile::NamedTempFile> {
        let mut file = tempfile::Builder::new().prefix(".ksm-").tempfile_in(folder(&self.path))?;
        file.write_all(text.as_bytes())?;
        file.as_file().sync_all()?;
        Ok(file)
    }

    /// The rename itself on disk, where the system lets a directory be synced.
    fn settle(&self) {
        if let Ok(folder) = std::fs::File::open(folder(&self.path)) {
            let _ = folder.sync_all();
        }
    }
}

pub(crate) fn folder(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."))
}

fn read(path: &Path) -> Result<Zeroizing<String>, ConfigError> {
    let failed = |source| ConfigError::File { action: "read", path: path.to_owned(), source };
    let limit = u64::try_from(MAX_CONFIG).expect("small") + 1;
    let mut bytes = Zeroizing::new(Vec::with_capacity(MAX_CONFIG));
    std::fs::File::open(path).map_err(failed)?.take(limit).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() > MAX_CONFIG {
        return Err(ConfigError::TooLarge);
    }
    let text = std::str::from_utf8(&bytes).map_err(|_| ConfigError::Form("text in UTF-8"))?;
    Ok(Zeroizing::new(text.to_owned()))
}
