//! `cert convert` and `cert bundle`: the same certificate in another form.

use std::path::{Path, PathBuf};

use certs::make::generate_password;
use clap::Args;
use secrecy::ExposeSecret;
use secrecy::zeroize::Zeroizing;

use super::open::{Input, given};
use crate::commands::store::{Pending, distinct, keep_all};
use crate::exit_codes::ExitCode;
use crate::host::Host;
use crate::refusal::Refusal;

#[derive(Args)]
pub(crate) struct ConvertOptions {
    #[command(flatten)]
    input: Input,
    /// Write the certificate itself here.
    #[arg(long, value_name = "PATH")]
    body: Option<PathBuf>,
    /// Write the private key here, not encrypted.
    #[arg(long, value_name = "PATH")]
    key: Option<PathBuf>,
    /// Write the certificates of its issuers here.
    #[arg(long, value_name = "PATH")]
    chain: Option<PathBuf>,
}

#[derive(Args)]
pub(crate) struct BundleOptions {
    #[command(flatten)]
    input: Input,
    /// Write the PFX file here.
    #[arg(long, value_name = "PFX")]
    out: PathBuf,
    /// Write its password here, without a line end.
    #[arg(
        long,
        value_name = "FILE",
        required_unless_present_any = ["new_password_file", "new_password_env", "keep_password"]
    )]
    password_out: Option<PathBuf>,
    /// Take the new password from this file instead of generating one.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["new_password_env", "keep_password"])]
    new_password_file: Option<PathBuf>,
    /// Take the new password from the environment variable of this name.
    #[arg(long, value_name = "NAME", conflicts_with = "keep_password")]
    new_password_env: Option<String>,
    /// Keep the password that the file has.
    #[arg(long)]
    keep_password: bool,
}

pub(super) fn convert(host: &Host, options: &ConvertOptions) -> Result<ExitCode, Refusal> {
    let outputs: Vec<&Path> =
        [&options.body, &options.key, &options.chain].into_iter().filter_map(Option::as_deref).collect();
    distinct(&inputs(&options.input), &outputs)?;
    let (bundle, _) = options.input.open(host)?;
    let file = options.input.file.display();
    let import = bundle.acm().map_err(|error| {
        let refusal = Refusal::new(error.code(), "A9", format!("convert `{file}` for ACM"));
        refusal.because(error.to_string()).hint(error.hint())
    })?;
    let mut files = Vec::new();
    if let Some(path) = &options.body {
        files.push((path, "certificate", Pending::write(path, import.body.as_bytes())?));
    }
    if let Some(path) = &options.key {
        let key = import.private_key.expose_secret();
        files.push((path, "private key, not encrypted", Pending::write(path, key.as_bytes())?));
    }
    if let Some(path) = &options.chain {
        // An empty file is no chain, and an old one beside a new certificate would be worse.
        let Some(chain) = &import.chain else {
            let refusal = Refusal::new("chain-missing", "A9", format!("write the chain of `{file}`: it has none"));
            return Err(refusal.hint("leave out --chain, or add the certificates of the issuers to the file"));
        };
        files.push((path, "chain", Pending::write(path, chain.as_bytes())?));
    }
    keep(host, files)
}

pub(super) fn bundle(host: &Host, options: &BundleOptions) -> Result<ExitCode, Refusal> {
    let mut read = inputs(&options.input);
    read.extend(options.new_password_file.as_deref());
    let outputs: Vec<&Path> =
        [Some(options.out.as_path()), options.password_out.as_deref()].into_iter().flatten().collect();
    distinct(&read, &outputs)?;
    let (bundle, old) = options.input.open(host)?;
    let flags = ["--new-password-file", "--new-password-env"];
    let new = given(host, options.new_password_file.as_deref(), options.new_password_env.as_deref(), flags)?;
    let password = match (new, old) {
        (Some(password), _) => password,
        (None, Some(password)) if options.keep_password => password,
        (None, None) if options.keep_password => {
            let refusal = Refusal::new("no-password-to-keep", "K1", "keep the password: the file has none");
            return Err(refusal.exit(ExitCode::Usage).hint("use --password-out instead"));
        }
        _ => generate_password().map_err(|error| {
            let refusal = Refusal::new(error.code(), "K1", "generate a password").because(error.to_string());
            refusal.hint(error.hint())
        })?,
    };
    let pfx = bundle.to_pfx(&password).map_err(|error| {
        let refusal = Refusal::new(error.code(), "K1", format!("write `{}`", options.out.display()));
        refusal.because(error.to_string()).hint(error.hint())
    })?;
    let pfx = Zeroizing::new(pfx);
    let mut files = Vec::new();
    // The password first: a PFX file that nobody can open is worth nothing.
    if let Some(path) = &options.password_out {
        files.push((path, "password", Pending::write(path, password.expose_secret().as_bytes())?));
    }
    files.push((&options.out, "PFX", Pending::write(&options.out, &pfx)?));
    keep(host, files)
}

fn inputs(input: &Input) -> Vec<&Path> {
    [Some(input.file.as_path()), input.password_file.as_deref()].into_iter().flatten().collect()
}

/// Names the files once all of them are written.
fn keep(host: &Host, files: Vec<(&PathBuf, &'static str, Pending)>) -> Result<ExitCode, Refusal> {
    for (path, what) in keep_all(files)? {
        host.talk(&format!("wrote `{path}`: {what}\n"));
    }
    Ok(ExitCode::Done)
}
