//! `cert inspect`: a certificate as a table for people and as JSON for programs. Nothing in either is secret.

use std::fmt::Write as _;

use certs::{Bundle, Certificate, PfxFacts};
use clap::Args;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use super::open::Input;
use crate::cli::Format;
use crate::exit_codes::ExitCode;
use crate::host::Host;
use crate::refusal::Refusal;
use crate::show::printable;

#[derive(Args)]
pub(crate) struct Options {
    #[command(flatten)]
    input: Input,
    /// Judge it for clients that call this name. Without it, for its own first name.
    #[arg(long = "host")]
    name: Option<String>,
    /// Print a table for people, or JSON for programs.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(super) format: Format,
}

/// The output of `cert inspect --format json`.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Inspection {
    /// The version of this shape.
    schema: u32,
    /// The certificate of the key.
    certificate: Facts,
    /// The private key's kind and size.
    key: String,
    /// The intermediates in issuing order.
    chain: Vec<Facts>,
    /// The self-signed end of the chain, if the file has it.
    root: Option<Facts>,
    /// How the PFX file was made; none for PEM.
    pfx: Option<Pfx>,
    /// The name it was judged for.
    host: String,
    /// Whether no finding is an error.
    usable: bool,
    /// What was found.
    findings: Vec<Found>,
}

/// One certificate.
#[derive(Serialize, JsonSchema)]
pub(super) struct Facts {
    subject: String,
    /// Subject alternative names: DNS names, then IP addresses.
    names: Vec<String>,
    issuer: String,
    serial: String,
    /// SHA-256 of the certificate.
    fingerprint: String,
    /// The first second of validity, RFC 3339.
    not_before: String,
    /// The last second of validity, RFC 3339.
    not_after: String,
    /// Whole days to the end, rounded down; negative once it has ended.
    days_left: i64,
    key: String,
    signature: String,
}

/// How a PFX file was made.
#[derive(Serialize, JsonSchema)]
struct Pfx {
    /// How the private key is encrypted.
    key: Vec<String>,
    /// How the certificates are encrypted; empty when they are not.
    certificates: Vec<String>,
    /// The integrity check, if there is one.
    mac: Option<String>,
    /// The friendly name.
    friendly_name: Option<String>,
    /// Whether writing it again with `cert bundle` would help the Automator service to read it.
    wants_reencoding: bool,
}

/// One thing that was found.
#[derive(Serialize, JsonSchema)]
struct Found {
    id: String,
    /// `error`, `warning` or `note`.
    severity: String,
    message: String,
    hint: String,
}

pub(super) fn run(host: &Host, options: &Options) -> Result<ExitCode, Refusal> {
    let (bundle, _) = options.input.open(host)?;
    let name = options.name.clone().unwrap_or_else(|| own_name(bundle.leaf()));
    let inspection = Inspection::of(&bundle, name, host.clock.now());
    match options.format {
        Format::Text => host.out(&inspection.table()),
        Format::Json => {
            let json = serde_json::to_string_pretty(&inspection).expect("text, numbers and lists are JSON");
            host.out(&(json + "\n"));
        }
    }
    Ok(ExitCode::Done)
}

/// A name the certificate is for, or claims to be for.
fn own_name(leaf: &Certificate) -> String {
    let dns = leaf.dns_names().iter().find(|name| !name.starts_with('*')).or(leaf.dns_names().first());
    let name = dns.cloned().or_else(|| leaf.ip_addresses().first().map(ToString::to_string));
    let name = name.or_else(|| leaf.common_names().first().cloned()).unwrap_or_default();
    match name.strip_prefix("*.") {
        Some(rest) => format!("automator.{rest}"),
        None => name,
    }
}

impl Inspection {
    fn of(bundle: &Bundle, host: String, now: Timestamp) -> Self {
        let report = bundle.judge(&host, now);
        let findings = report.findings.iter().map(|finding| Found {
            id: finding.id.to_owned(),
            severity: finding.severity.to_string(),
            message: finding.message.clone(),
            hint: finding.hint.to_owned(),
        });
        let source = bundle.source();
        Self {
            schema: 1,
            certificate: Facts::of(bundle.leaf(), now),
            key: bundle.key().algorithm().to_string(),
            chain: bundle.chain().iter().map(|one| Facts::of(one, now)).collect(),
            root: bundle.root().map(|one| Facts::of(one, now)),
            pfx: source
                .pfx
                .as_ref()
                .map(|facts| Pfx::of(facts, source.friendly_name.clone(), report.wants_reencoding())),
            host,
            usable: report.is_usable(),
            findings: findings.collect(),
        }
    }

    fn table(&self) -> String {
        let leaf = &self.certificate;
        let mut rows: Vec<(&str, String)> = vec![
            ("subject", leaf.subject.clone()),
            ("names", if leaf.names.is_empty() { "none".to_owned() } else { leaf.names.join(", ") }),
            ("issuer", leaf.issuer.clone()),
            ("valid", format!("{} to {}", leaf.not_before, leaf.not_after)),
            ("days left", leaf.days_left.to_string()),
            ("key", self.key.clone()),
            ("signature", leaf.signature.clone()),
            ("serial", leaf.serial.clone()),
            ("sha-256", leaf.fingerprint.clone()),
        ];
        for issuer in &self.chain {
            rows.push(("chain", format!("{}, {} days left", issuer.subject, issuer.days_left)));
        }
        if let Some(root) = &self.root {
            rows.push(("root", format!("{}, {} days left", root.subject, root.days_left)));
        }
        if let Some(pfx) = &self.pfx {
            let list = |list: &[String]| if list.is_empty() { "not encrypted".to_owned() } else { list.join(", ") };
            rows.push(("pfx key", list(&pfx.key)));
            rows.push(("pfx certs", list(&pfx.certificates)));
            rows.push(("pfx mac", pfx.mac.clone().unwrap_or_else(|| "none".to_owned())));
            rows.extend(pfx.friendly_name.iter().map(|name| ("pfx name", name.clone())));
        }
        rows.push(("judged for", self.host.clone()));
        let mut table = String::new();
        for (name, value) in rows {
            let _ = writeln!(table, "{name:<11} {}", printable(&value));
        }
        if self.findings.is_empty() {
            let _ = writeln!(table, "{:<11} none", "findings");
        }
        for Found { id, severity, message, hint } in &self.findings {
            let _ = writeln!(table, "{severity:<11} [{id}] {}\n{:<11} {hint}", printable(message), "");
        }
        table
    }
}

impl Facts {
    pub(super) fn of(certificate: &Certificate, now: Timestamp) -> Self {
        let addresses = certificate.ip_addresses().iter().map(ToString::to_string);
        Self {
            subject: certificate.subject().to_owned(),
            names: certificate.dns_names().iter().cloned().chain(addresses).collect(),
            issuer: certificate.issuer().to_owned(),
            serial: certificate.serial_hex(),
            fingerprint: certificate.sha256_hex(),
            not_before: certificate.not_before().to_string(),
            not_after: certificate.not_after().to_string(),
            days_left: certificate.days_left(now),
            key: certificate.key_algorithm().to_string(),
            signature: certificate.signature_algorithm(),
        }
    }
}

impl Pfx {
    fn of(facts: &PfxFacts, friendly_name: Option<String>, wants_reencoding: bool) -> Self {
        let ways = |list: &[certs::Encryption]| {
            list.iter().map(|one| format!("{}, {}, {} rounds", one.name, one.hash, one.rounds)).collect()
        };
        let mac = facts.mac.as_ref().map(|mac| {
            let kind = if mac.pbmac1 { "PBMAC1 " } else { "" };
            format!("{kind}{}, {} rounds", mac.digest, mac.rounds)
        });
        Self {
            key: ways(&facts.key_encryption),
            certificates: ways(&facts.certificate_encryption),
            mac,
            friendly_name,
            wants_reencoding,
        }
    }
}
