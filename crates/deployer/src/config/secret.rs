//! References to secrets, and how they become secrets (design point 11).

use std::fmt;
use std::io;
use std::path::PathBuf;

use secrecy::SecretString;
use secrecy::zeroize::Zeroizing;

/// No secret is longer; a bigger file is most likely the wrong one.
const MAX_FILE_BYTES: u64 = 1 << 20;

/// Where a secret of the config is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretRef {
    /// The config field, such as `certificate.password`; it names the secret in questions and errors.
    pub field: &'static str,
    /// Where it is kept.
    pub source: SecretSource,
}

/// The three places a secret may be kept in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SecretSource {
    /// In a file.
    File(PathBuf),
    /// In an environment variable.
    Env(String),
    /// In somebody's head.
    Prompt,
}

impl SecretRef {
    /// Fetches the secret. `prompt` asks a person (it gets the field's name), `env` reads an environment variable.
    ///
    /// An empty secret is handed on: some PFX files have an empty password.
    pub fn resolve(
        &self,
        prompt: &dyn Fn(&str) -> io::Result<SecretString>,
        env: &dyn Fn(&str) -> Option<String>,
    ) -> Result<SecretString, SecretError> {
        let field = self.field;
        match &self.source {
            SecretSource::File(path) => read_file(path).map_err(|error| match error.kind() {
                io::ErrorKind::InvalidData => SecretError::NotText { field, path: path.clone() },
                io::ErrorKind::FileTooLarge => SecretError::TooLarge { field, path: path.clone() },
                _ => SecretError::Unreadable { field, path: path.clone(), cause: error },
            }),
            SecretSource::Env(name) => env(name).map(SecretString::from).ok_or(SecretError::NotSet { field }),
            SecretSource::Prompt => prompt(field).map_err(|cause| SecretError::NotAnswered { field, cause }),
        }
    }
}

impl fmt::Display for SecretRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.source {
            SecretSource::File(path) => write!(f, "file `{}`", path.display()),
            SecretSource::Env(name) => write!(f, "environment variable `{name}`"),
            SecretSource::Prompt => f.write_str("an answer on the terminal"),
        }
    }
}

fn read_file(path: &std::path::Path) -> io::Result<SecretString> {
    let file = std::fs::File::open(path)?;
    let mut bytes = Zeroizing::new(Vec::with_capacity(4096));
    io::Read::read_to_end(&mut io::Read::take(file, MAX_FILE_BYTES + 1), &mut bytes)?;
    if bytes.len() as u64 > MAX_FILE_BYTES {
        return Err(io::ErrorKind::FileTooLarge.into());
    }
    let text = std::str::from_utf8(&bytes).map_err(|_| io::Error::from(io::ErrorKind::InvalidData))?;
    let text = text.strip_suffix('\n').map_or(text, |text| text.strip_suffix('\r').unwrap_or(text));
    Ok(SecretString::from(text))
}

/// Why a secret could not be fetched. The text says the cause too: it is one line for a person, whoever passes it on.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the fields are what their names say: config field, path, cause")]
pub enum SecretError {
    /// The file cannot be read.
    #[error("read the secret `{field}` from file `{}`: {cause}", path.display())]
    Unreadable { field: &'static str, path: PathBuf, cause: io::Error },
    /// The file is not text.
    #[error("read the secret `{field}`: file `{}` is not UTF-8 text", path.display())]
    NotText { field: &'static str, path: PathBuf },
    /// The file is too big for a secret.
    #[error("read the secret `{field}`: file `{}` is larger than {MAX_FILE_BYTES} bytes", path.display())]
    TooLarge { field: &'static str, path: PathBuf },
    /// The environment variable is not set. Its name is not repeated: perhaps the secret itself was written there.
    #[error("read the secret `{field}`: the environment variable that it names is not set or is not UTF-8 text")]
    NotSet { field: &'static str },
    /// Nobody answered.
    #[error("ask for the secret `{field}`: {cause}")]
    NotAnswered { field: &'static str, cause: io::Error },
}

impl SecretError {
    /// The failure code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Unreadable { .. } => "secret-unreadable",
            Self::NotText { .. } => "secret-not-text",
            Self::TooLarge { .. } => "secret-too-large",
            Self::NotSet { .. } => "secret-env-not-set",
            Self::NotAnswered { .. } => "secret-not-answered",
        }
    }

    /// The config field that holds the reference.
    pub fn field(&self) -> &'static str {
        match self {
            Self::Unreadable { field, .. }
            | Self::NotText { field, .. }
            | Self::TooLarge { field, .. }
            | Self::NotSet { field }
            | Self::NotAnswered { field, .. } => field,
        }
    }
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    fn resolve(source: SecretSource) -> Result<String, SecretError> {
        let secret = SecretRef { field: "certificate.password", source };
        let prompt = |field: &str| Ok(SecretString::from(format!("asked for {field}")));
        let env = |name: &str| (name == "PFX").then(|| "from-env".to_owned());
        secret.resolve(&prompt, &env).map(|secret| secret.expose_secret().to_owned())
    }

    fn from_file(content: &[u8]) -> Result<String, SecretError> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("secret");
        std::fs::write(&path, content).unwrap();
        resolve(SecretSource::File(path))
    }

    #[test]
    fn one_trailing_newline_of_a_file_is_dropped() {
        for (content, expected) in
            [("pw", "pw"), ("pw\n", "pw"), ("pw\r\n", "pw"), ("pw\n\n", "pw\n"), (" pw ", " pw "), ("\n", ""), ("", "")]
        {
            assert_eq!(from_file(content.as_bytes()).unwrap(), expected, "{content:?}");
        }
    }

    #[test]
    fn a_file_that_is_no_secret_is_refused() {
        assert_eq!(from_file(b"\xff\xfe").unwrap_err().code(), "secret-not-text");
        assert_eq!(from_file(&vec![b'a'; 1 << 21]).unwrap_err().code(), "secret-too-large");
        let missing = resolve(SecretSource::File("/nowhere/at/all".into())).unwrap_err();
        assert_eq!((missing.code(), missing.field()), ("secret-unreadable", "certificate.password"));
    }

    #[test]
    fn a_cause_is_told_once() {
        let missing = resolve(SecretSource::File("/nowhere/at/all".into())).unwrap_err();
        let cause = std::fs::File::open("/nowhere/at/all").unwrap_err().to_string();
        assert!(missing.to_string().ends_with(&format!("`/nowhere/at/all`: {cause}")), "{missing}");
        assert!(std::error::Error::source(&missing).is_none());
        let nobody = |_: &str| Err(io::Error::other("not a terminal"));
        let secret = SecretRef { field: "certificate.password", source: SecretSource::Prompt };
        let error = secret.resolve(&nobody, &|_| None).unwrap_err();
        assert_eq!(error.to_string(), "ask for the secret `certificate.password`: not a terminal");
    }

    #[test]
    fn a_secret_that_was_written_where_a_name_belongs_is_not_repeated() {
        let error = resolve(SecretSource::Env("Sommer2024".to_owned())).unwrap_err();
        assert!(!format!("{error} {error:?}").contains("Sommer"), "{error:?}");
        assert!(error.to_string().contains("`certificate.password`"), "{error}");
    }

    #[test]
    fn environment_and_prompt_are_asked() {
        assert_eq!(resolve(SecretSource::Env("PFX".to_owned())).unwrap(), "from-env");
        assert_eq!(resolve(SecretSource::Env("OTHER".to_owned())).unwrap_err().code(), "secret-env-not-set");
        assert_eq!(resolve(SecretSource::Prompt).unwrap(), "asked for certificate.password");
    }
}
