//! The files: a PFX file, its password, and PEM files where asked for.

use std::path::{Path, PathBuf};

use certs::make::generate_password;
use certs::{Bundle, PasswordRule};
use clap::Args;
use secrecy::zeroize::Zeroizing;
use secrecy::{ExposeSecret, SecretString};

use super::super::open::{given, read};
use crate::commands::store::{Pending, distinct, keep_all, writable};
use crate::exit_codes::ExitCode;
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
        // The key of an account that is there is only read, from wherever it is kept.
        let written = outputs.iter().filter(|path| **path != account || !account.exists());
        written.copied().try_for_each(writable)
    }

    /// The password that was given, or that a run before this one left; none if one is to be made, also where the file for
    /// it is there and empty. One that the PFX file cannot have is refused before anything is ordered.
    pub(super) fn password(&self, host: &Host) -> Result<Option<SecretString>, Refusal> {
        let left = self.password_out.as_deref().filter(|path| path.exists());
        let (file, flag) = match left {
            Some(path) => (Some(path), "--password-out"),
            None => (self.password_file.as_deref(), "--password-file"),
        };
        let Some(password) = given(host, file, self.password_env.as_deref(), [flag, "--password-env"])? else {
            return Ok(None);
        };
        if left.is_some() && password.expose_secret().is_empty() {
            return Ok(None);
        }
        PasswordRule::Service.check(&password).map_err(|error| {
            let flag = if file.is_some() { flag } else { "--password-env" };
            let refusal = Refusal::new(error.code(), "K1", format!("use the password of {flag}"));
            refusal.because(format!("failed to {error}")).hint(error.hint())
        })?;
        Ok(Some(password))
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

    /// Writes all files, then names them: the password first, the PFX file last. There is a certificate by now, so what
    /// fails here is no refusal before a change.
    pub(super) fn write(
        &self,
        bundle: &Bundle,
        password: Option<SecretString>,
    ) -> Result<Vec<(String, &'static str)>, Refusal> {
        self.write_all(bundle, password).map_err(|refusal| refusal.exit(ExitCode::StepFailed))
    }

    fn write_all(
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
        keep_all(files)
    }
}

#[cfg(test)]
mod tests {
    use certs::make::{KeyType, self_signed};

    use super::*;

    fn output(folder: &Path) -> Output {
        Output {
            out: folder.join("ssl.pfx"),
            password_out: Some(folder.join("password.txt")),
            password_file: None,
            password_env: None,
            body: None,
            key: None,
            chain: None,
        }
    }

    /// Below `/proc` nobody makes a file, whoever runs the test.
    #[cfg(target_os = "linux")]
    #[test]
    fn the_key_of_an_account_that_is_there_need_not_be_writable() {
        let folder = tempfile::tempdir().unwrap();
        let output = output(folder.path());
        assert!(output.check(&[], Path::new("/proc/version")).is_ok());
        let refused = output.check(&[], Path::new("/proc/account.pem")).unwrap_err();
        assert_eq!(refused.failures[0].code, "file-not-written");
        let twice = output.check(&[], &folder.path().join("ssl.pfx")).unwrap_err();
        assert_eq!(twice.failures[0].code, "file-named-twice");
    }

    #[test]
    fn what_fails_after_the_certificate_was_issued_is_a_failed_step() {
        let folder = tempfile::tempdir().unwrap();
        let now = jiff::Timestamp::now();
        let until = now.checked_add(jiff::SignedDuration::from_hours(100)).unwrap();
        let bundle = self_signed(&["automator.example.com"], KeyType::P256, now, until).unwrap();
        let output = Output { out: folder.path().join("no/such/folder.pfx"), ..output(folder.path()) };
        let refusal = output.write(&bundle, None).unwrap_err();
        assert_eq!((refusal.exit, refusal.failures[0].code.as_str()), (ExitCode::StepFailed, "file-not-written"));
    }
}
