//! From a path and a password's place to a bundle.

use std::path::{Path, PathBuf};

use certs::{Bundle, PemError};
use clap::Args;
use secrecy::SecretString;
use secrecy::zeroize::Zeroizing;

use crate::commands::store;
use crate::config::{SecretError, SecretRef, SecretSource};
use crate::exit_codes::ExitCode;
use crate::guide::Ask;
use crate::host::Host;
use crate::refusal::Refusal;

/// No bundle is longer; the crate that reads it has stricter limits of its own.
const MAX_BYTES: u64 = 8 << 20;

/// A certificate with its key.
#[derive(Args)]
pub(super) struct Input {
    /// A PFX file, or PEM text with key and certificates in any order.
    #[arg(value_name = "PFX|PEM")]
    pub(super) file: PathBuf,
    /// Read the password from this file; one line end at its end does not count.
    #[arg(long, value_name = "FILE", conflicts_with = "password_env")]
    pub(super) password_file: Option<PathBuf>,
    /// Take the password from the environment variable of this name. Without either it is asked for.
    #[arg(long, value_name = "NAME")]
    pub(super) password_env: Option<String>,
}

impl Input {
    /// The bundle, and the password that opened it if there was one.
    pub(super) fn open(&self, host: &Host) -> Result<(Bundle, Option<SecretString>), Refusal> {
        let path = self.file.display();
        let bytes = read(&self.file).map_err(|error| {
            let refusal = Refusal::new("pfx-unreadable", "K1", format!("read `{path}`")).because(error.to_string());
            refusal.hint("check the path and its permissions")
        })?;
        let wrong = |code, cause: String, hint: &str| {
            Refusal::new(code, "K1", format!("read `{path}`")).because(cause).hint(hint)
        };
        if !is_pem(&bytes) {
            let password = self.given(host)?.map_or_else(|| self.ask(host), Ok)?;
            return match Bundle::from_pfx(&bytes, &password) {
                Ok(bundle) => Ok((bundle, Some(password))),
                Err(error) => Err(wrong(error.code(), error.to_string(), error.hint())),
            };
        }
        let password = self.given(host)?;
        let (read, password) = match Bundle::from_pem(&bytes, password.as_ref()) {
            Err(PemError::PasswordMissing) => {
                let password = self.ask(host)?;
                (Bundle::from_pem(&bytes, Some(&password)), Some(password))
            }
            read => (read, password),
        };
        match read {
            Ok(bundle) => Ok((bundle, password)),
            Err(error) => Err(wrong(error.code(), error.to_string(), error.hint())),
        }
    }

    fn given(&self, host: &Host) -> Result<Option<SecretString>, Refusal> {
        given(host, self.password_file.as_deref(), self.password_env.as_deref(), ["--password-file", "--password-env"])
    }

    fn ask(&self, host: &Host) -> Result<SecretString, Refusal> {
        host.prompt(&format!("password of {}", self.file.display())).map_err(|error| {
            let refusal = Refusal::new("secret-not-answered", "K1", format!("open `{}`", self.file.display()));
            let refusal = refusal.because(error.to_string());
            refusal.hint("run on a terminal, or give --password-file or --password-env")
        })
    }
}

/// A password from a file or a variable, if either is named; `flags` are their names.
pub(super) fn given(
    host: &Host,
    file: Option<&Path>,
    variable: Option<&str>,
    flags: [&'static str; 2],
) -> Result<Option<SecretString>, Refusal> {
    let (field, source) = match (file, variable) {
        (Some(file), _) => (flags[0], SecretSource::File(file.to_owned())),
        (None, Some(name)) => (flags[1], SecretSource::Env(name.to_owned())),
        (None, None) => return Ok(None),
    };
    let secret = SecretRef { field, source };
    let read = secret.resolve(&|what| host.prompt(what), &|name| host.env(name));
    read.map(Some).map_err(|error| {
        let refusal = Refusal::new(error.code(), "K1", format!("read {field}"));
        match error {
            // Perhaps the password itself was pasted where its name belongs, so the name is not repeated.
            SecretError::NotSet { .. } => {
                let refusal = refusal.because("the environment has no variable of this name").exit(ExitCode::Usage);
                refusal.hint("give the name of a variable that holds the secret, not the secret")
            }
            error => refusal.because(error.to_string()).hint("check the path; the file holds the secret and no more"),
        }
    })
}

pub(super) fn read(path: &Path) -> std::io::Result<Zeroizing<Vec<u8>>> {
    store::read(path, MAX_BYTES)
}

fn is_pem(bytes: &[u8]) -> bool {
    const BEGIN: &[u8] = b"-----BEGIN ";
    bytes.windows(BEGIN.len()).any(|window| window == BEGIN)
}
