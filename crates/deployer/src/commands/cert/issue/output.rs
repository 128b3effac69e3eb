//! The files: a PFX file, its password, and PEM files where asked for.

use std::path::{Path, PathBuf};

use certs::Bundle;
use certs::make::generate_password;
use clap::Args;
use secrecy::zeroize::Zeroizing;
use secrecy::{ExposeSecret, SecretString};

use super::super::open::{given, read};
use crate::commands::store::{Pending, distinct, writable};
use crate::host::Host;
use crate::refusal::Refusal;

#[derive(Args)]
pub(super) struct Output {
    /// Write the PFX file here; `--renew` asks this file whether it is time.
    #[arg(long, value_name = "PFX")]
    out: PathBuf,
    /// Write its password here, without a line end. A password that is there already is used again.
    #[arg(
        long,
        value_name = "FILE",
        required_unless_present_any = ["password_file", "password_env"],
        conflicts_with_all = ["password_file", "password_env"]
    )]
    password_out: Option<PathBuf>,
    /// Take the password from this file instead of generating one; one line end at its end does not count.
    #[arg(long, value_name = "FILE", conflicts_with = "password_env")]
    password_file: Option<PathBuf>,
    /// Take the password from the environment variable of this name.
    #[arg(long, value_name = "NAME")]
    password_env: Option<String>,
    /// Also write the certificate itself here, in PEM.
    #[arg(long, value_name = "PATH")]
    body: Option<PathBuf>,
    /// Also write the private key here, not encrypted.
    #[arg(long, value_name = "PATH")]
    key: Option<PathBuf>,
    /// Also write the certificates of its issuers here.
    #[arg(long, value_name = "PATH")]
    chain: Option<PathBuf>,
}

impl Output {
    pub(super) fn pfx(&self) -> &Path {
        &self.out
    }

    pub(super) fn inputs(&self) -> Option<&Path> {
        self.password_file.as_deref()
    }

    /// Every file has a path of its own, and can be written: a certificate that finds no place is lost, and authorities issue
    /// only a few of them a week.
    pub(super) fn check(&self, inputs: &[&Path], account: &Path) -> Result<(), Refusal> {
        let mut outputs = vec![self.out.as_path(), account];
        outputs
            .extend([&self.password_out, &self.body, &self.key, &self.chain].into_iter().filter_map(Option::as_deref));
        distinct(inputs, &outputs)?;
        outputs.iter().try_for_each(|path| writable(path))
    }

    /// The password that was given, or that a run before this one left; none if one is to be made.
    pub(super) fn password(&self, host: &Host) -> Result<Option<SecretString>, Refusal> {
        let left = self.password_out.as_deref().filter(|path| path.exists());
        let (file, flag) = match left {
            Some(path) => (Some(path), "--password-out"),
            None => (self.password_file.as_deref(), "--password-file"),
        };
        given(host, file, self.password_env.as_deref(), [flag, "--password-env"])
    }

    /// What is in the PFX file; none if there is none.
    pub(super) fn old(&self, password: Option<&SecretString>) -> Result<Option<Bundle>, Refusal> {
        let path = self.out.display();
        let refused = |code: &str, cause: String, hint: &str| {
            Refusal::new(code, "K1", format!("read `{path}`")).because(cause).hint(hint)
        };
        if !self.out.exists() {
            return Ok(None);
        }
        let bytes = read(&self.out)
            .map_err(|error| refused("pfx-unreadable", error.to_string(), "check the path and its permissions"))?;
        let Some(password) = password else {
            let cause = "its password is not where --password-out names it".to_owned();
            let hint = "name the file with its password, or leave out --renew to have a new certificate";
            return Err(refused("pfx-wrong-password", cause, hint));
        };
        let bundle = Bundle::from_pfx(&bytes, password);
        bundle.map(Some).map_err(|error| refused(error.code(), error.to_string(), error.hint()))
    }

    /// Writes all files, then names them: the password first, the PFX file last.
    pub(super) fn write(
        &self,
        bundle: &Bundle,
        password: Option<SecretString>,
    ) -> Result<Vec<(String, &'static str)>, Refusal> {
        let failed = |code: &str, cause: String, hint: &str| {
            Refusal::new(code, "K1", "write the certificate").because(cause).hint(hint)
        };
        let mut files = Vec::new();
        let password = match (password, &self.password_out) {
            (Some(password), _) => password,
            (None, path) => {
                let made =
                    generate_password().map_err(|error| failed(error.code(), error.to_string(), error.hint()))?;
                if let Some(path) = path {
                    files.push((path, "password", Pending::write(path, made.expose_secret().as_bytes())?));
                }
                made
            }
        };
        let import = bundle.acm().map_err(|error| failed(error.code(), error.to_string(), error.hint()))?;
        let pfx = bundle.to_pfx(&password).map_err(|error| failed(error.code(), error.to_string(), error.hint()))?;
        let pfx = Zeroizing::new(pfx);
        if let Some(path) = &self.key {
            let key = import.private_key.expose_secret();
            files.push((path, "private key, not encrypted", Pending::write(path, key.as_bytes())?));
        }
        if let Some(path) = &self.body {
            files.push((path, "certificate", Pending::write(path, import.body.as_bytes())?));
        }
        if let Some(path) = &self.chain {
            // An authority that issues from its root gives no chain, and an old one beside a new certificate would be wrong.
            let chain = import.chain.unwrap_or_default();
            files.push((path, "chain", Pending::write(path, chain.as_bytes())?));
        }
        files.push((&self.out, "PFX", Pending::write(&self.out, &pfx)?));
        let mut written = Vec::new();
        for (path, what, file) in files {
            file.keep()?;
            written.push((path.display().to_string(), what));
        }
        Ok(written)
    }
}
