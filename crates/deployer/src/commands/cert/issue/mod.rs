//! `cert issue`: step K1 by an ACME authority (RFC 8555), proved by DNS records in Route 53.
//!
//! Whatever ends it, it may be run again. The account's key is on disk before the authority hears of it; the password is on
//! disk before the file that it opens; the PFX file is the last to get its name, so that `--renew`, which asks that file
//! alone, comes again to what a kill left undone. TXT records that a killed run left are removed by the next one.

mod authority;
mod due;
mod output;
mod prove;

use certs::acme::{Acme, IssueError, record_name};
use certs::make::KeyType;
use certs::{Bundle, PrivateKey, Severity};
use clap::Args;
use jiff::Timestamp;
use resource_graph::Error;
use schemars::JsonSchema;
use secrecy::SecretString;
use serde::Serialize;

use self::authority::Authority;
use self::due::{Due, Reason};
use self::output::Output;
use self::prove::Prover;
use super::inspect::Facts;
use crate::cli::Format;
use crate::commands::account::{Account, sign_in};
use crate::exit_codes::ExitCode;
use crate::host::Host;
use crate::refusal::Refusal;

#[derive(Args)]
pub(crate) struct Options {
    /// A name that clients call; may be repeated. The first one is the subject.
    #[arg(long = "host", value_name = "HOST", required = true)]
    hosts: Vec<String>,
    #[command(flatten)]
    authority: Authority,
    /// Put the TXT records into this hosted zone. Without it, into the public one with the longest name that owns the host.
    #[arg(long, value_name = "ID")]
    zone: Option<String>,
    /// The region to sign in to AWS in. Route 53 is the same in all regions of a partition.
    #[arg(long, default_value = "us-east-1")]
    region: String,
    #[command(flatten)]
    account: Account,
    /// The kind of the new key: p-256, p-384, rsa-2048, rsa-3072 or rsa-4096.
    #[arg(long, value_name = "KIND", default_value_t = KeyType::default())]
    key_type: KeyType,
    /// Only if it is time: in the window that the authority names, else in the last third of the old certificate's life.
    #[arg(long)]
    renew: bool,
    #[command(flatten)]
    output: Output,
    /// Print lines for people, or JSON for programs.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(in crate::commands::cert) format: Format,
}

/// The output of `cert issue --format json`.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Issued {
    /// The version of this shape.
    schema: u32,
    outcome: Outcome,
    /// The certificate that is now in the files.
    certificate: Facts,
    /// Since when, or until when, there is a reason to renew what was in the PFX file; none without `--renew`.
    renewal: Option<Renewal>,
    /// The files that were written.
    files: Vec<String>,
}

/// What came of it.
#[derive(Clone, Copy, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum Outcome {
    /// There is a new certificate.
    Issued,
    /// There is a new certificate in the place of an old one.
    Renewed,
    /// The old one is not due; nothing was changed.
    NotDue,
}

/// When the old certificate is due, and why then.
#[derive(Serialize, JsonSchema)]
struct Renewal {
    /// RFC 3339.
    due: String,
    because: Reason,
}

pub(super) async fn run(host: &Host, options: &Options) -> Result<ExitCode, Refusal> {
    let hosts: Vec<&str> = options.hosts.iter().map(String::as_str).collect();
    let mut records = hosts.iter().map(|host| record_name(host)).collect::<Result<Vec<_>, _>>();
    if let Ok(records) = &mut records {
        records.sort();
        records.dedup();
    }
    let records = records.map_err(|error| refusal(&error).exit(ExitCode::Usage))?;
    let mut inputs = options.authority.inputs();
    inputs.extend(options.output.inputs());
    options.output.check(&inputs, options.authority.account_file())?;
    options.authority.agreed().await?;
    let customer = options.authority.customer(host)?;

    let password = options.output.password(host)?;
    let old = if options.renew { options.output.old(password.as_ref())? } else { None };
    let connection = options.account.connection(host, &options.region);
    // Without an old certificate there is no way around the zone, so that is tried before an account is made.
    let mut home = match &old {
        None => Some(sign_in(&connection, "K1").await?),
        Some(_) => None,
    };
    let key = options.authority.account_key()?;
    let acme = options.authority.open(&key, customer.as_ref()).await?;

    let mut renewal = None;
    if let Some(old) = &old {
        let window = if Due::asks(old, &hosts, host.clock.now()) {
            acme.renewal_window(old.leaf()).await.unwrap_or_else(|error| {
                overlook(host, &error, "the lifetime of the certificate decides");
                None
            })
        } else {
            None
        };
        let due = Due::of(old, &hosts, window, host.clock.now());
        renewal = Some(due.renewal());
        if !due.is_now(host.clock.now()) {
            return Ok(not_due(host, options, old, &due));
        }
    }
    let home = match home.take() {
        Some(home) => home,
        None => sign_in(&connection, "K1").await?,
    };
    let prover = Prover::new(host, home, options.zone.clone());
    let bundle = issue(host, &acme, &prover, &hosts, &records, options.key_type, old.as_ref()).await?;
    warn(host, &bundle, hosts[0]);
    let outcome = if old.is_some() { Outcome::Renewed } else { Outcome::Issued };
    finish(host, options, &bundle, password, outcome, renewal)
}

/// The one part that talks to authority and zone, and that Ctrl-C ends: what it published is taken away before the command ends.
async fn issue(
    host: &Host,
    acme: &Acme,
    prover: &Prover<'_>,
    hosts: &[&str],
    records: &[String],
    key_type: KeyType,
    old: Option<&Bundle>,
) -> Result<Bundle, Refusal> {
    let key = PrivateKey::generate(key_type).map_err(|error| {
        let refusal = Refusal::new(error.code(), "K1", "make the private key").because(error.to_string());
        refusal.hint(error.hint())
    })?;
    let issued = tokio::select! {
        issued = acme.issue(prover, hosts, &key, old.map(Bundle::leaf)) => issued,
        () = host.cancelled.cancelled() => {
            prover.tidy(records).await;
            let refusal = Refusal::new("cancelled", "K1", "issue the certificate: it was cancelled");
            return Err(refusal.exit(ExitCode::Cancelled).hint("run it again; no file was changed"));
        }
    };
    let issued = issued.map_err(|error| refusal(&error))?;
    if let Some(error) = &issued.left_behind {
        overlook(host, error, "the next run removes what is left");
    }
    Ok(issued.bundle)
}

/// Tells of what went wrong and does not end the run, and of what happens instead.
fn overlook(host: &Host, error: &IssueError, instead: &str) {
    for failure in refusal(error).failures {
        let causes: String = failure.causes.iter().map(|cause| format!(": {cause}")).collect();
        let (code, message) = (failure.code, failure.message);
        host.talk(&format!("{}: {code}: failed to {message}{causes}; {instead}\n", Severity::Warning));
    }
}

fn not_due(host: &Host, options: &Options, old: &Bundle, due: &Due) -> ExitCode {
    match options.format {
        Format::Text => {
            let file = options.output.pfx().display();
            host.talk(&format!("`{file}` is not due before {}: {}\n", due.at, due.because));
        }
        Format::Json => {
            print(host, Outcome::NotDue, old, Some(due.renewal()), Vec::new());
        }
    }
    ExitCode::NotDue
}

fn finish(
    host: &Host,
    options: &Options,
    bundle: &Bundle,
    password: Option<SecretString>,
    outcome: Outcome,
    renewal: Option<Renewal>,
) -> Result<ExitCode, Refusal> {
    let files = options.output.write(bundle, password)?;
    for (path, what) in &files {
        host.talk(&format!("wrote `{path}`: {what}\n"));
    }
    if options.format == Format::Json {
        let files = files.into_iter().map(|(path, _)| path).collect();
        print(host, outcome, bundle, renewal, files);
    }
    Ok(ExitCode::Done)
}

fn print(host: &Host, outcome: Outcome, bundle: &Bundle, renewal: Option<Renewal>, files: Vec<String>) {
    let certificate = Facts::of(bundle.leaf(), host.clock.now());
    let issued = Issued { schema: 1, outcome, certificate, renewal, files };
    let json = serde_json::to_string_pretty(&issued).expect("text, numbers and lists are JSON");
    host.out(&(json + "\n"));
}

/// What is wrong with what the authority gave is told; it is written all the same, for it exists.
fn warn(host: &Host, bundle: &Bundle, name: &str) {
    let now: Timestamp = host.clock.now();
    for finding in bundle.judge(name, now).findings {
        if finding.severity >= Severity::Warning {
            host.talk(&format!("{}: {}: {}\n", finding.severity, finding.id, finding.message));
        }
    }
}

/// What a person reads. What went wrong in the zone knows best itself.
fn refusal(error: &IssueError) -> Refusal {
    if let IssueError::Dns { source, .. } = error
        && let Some(inner) = source.downcast_ref::<Error>()
    {
        return Refusal::of(ExitCode::StepFailed, vec![inner.failure(&"dns-challenge".into(), "K1")]);
    }
    Refusal::new(error.code(), "K1", error.to_string()).exit(ExitCode::StepFailed).caused_as(error).hint(error.hint())
}
