//! The leaf: host, time, key, purpose.

use jiff::Timestamp;

use super::Report;
use crate::acm;
use crate::bundle::Bundle;
use crate::certificate::Certificate;
use crate::host::{Coverage, Host};
use crate::key::KeyAlgorithm;
use crate::oid;

/// A leaf that ends within so many days is reported.
pub const EXPIRES_SOON_DAYS: i64 = 30;

const ISSUE_AGAIN: &str = "have the certificate issued again for this host";
const RENEW: &str = "renew the certificate";

pub(super) fn judge(bundle: &Bundle, host: &str, now: Timestamp, report: &mut Report) {
    let leaf = bundle.leaf();
    names(leaf, host, report);
    validity(leaf, now, report);
    key(bundle, report);
    purpose(leaf, report);
    if bundle.source().leaves > 1 {
        report.note(
            "several-leaves",
            format!(
                "{} certificates carry the key; the one valid until {} is taken",
                bundle.source().leaves,
                leaf.not_after()
            ),
            "remove the old certificates from the file",
        );
    }
}

fn names(leaf: &Certificate, host: &str, report: &mut Report) {
    let Some(parsed) = Host::parse(host) else {
        return report.error(
            "host-invalid",
            format!("`{host}` is neither a host name nor an IP address"),
            "give a name such as `automator.example.com`, without scheme and port",
        );
    };
    match parsed.coverage(leaf) {
        Coverage::Exact => {}
        Coverage::Wildcard => report.warning(
            "host-by-wildcard",
            format!("`{host}` is covered by a wildcard only"),
            "the vendor asks for one certificate per Automator with its own name",
        ),
        Coverage::OnlyCommonName => report.error(
            "host-only-in-common-name",
            format!("`{host}` is the common name but no subject alternative name"),
            "clients look at subject alternative names only; have the certificate issued again with one",
        ),
        Coverage::None => {
            report.error("host-not-covered", format!("`{host}` is not among {}", list(leaf)), ISSUE_AGAIN);
        }
    }
    if !parsed.is_common_name(leaf) {
        report.warning(
            "common-name-differs",
            match leaf.common_names() {
                [] => "there is no common name".to_owned(),
                names => format!("the common name is `{}`", names.join("`, `")),
            },
            "the guide asks for a common name that is the host; today's clients do not look at it",
        );
    }
}

fn list(leaf: &Certificate) -> String {
    let addresses = leaf.ip_addresses().iter().map(ToString::to_string);
    let names: Vec<String> = leaf.dns_names().iter().cloned().chain(addresses).collect();
    match names.len() {
        0 => "the subject alternative names, of which there are none".to_owned(),
        1..=5 => format!("`{}`", names.join("`, `")),
        count => format!("`{}` and {} more names", names[..5].join("`, `"), count - 5),
    }
}

fn validity(leaf: &Certificate, now: Timestamp, report: &mut Report) {
    let days = leaf.days_left(now);
    if now < leaf.not_before() {
        report.error("not-yet-valid", format!("it is valid from {}", leaf.not_before()), "wait, or check the clock");
    } else if now.as_second() > leaf.not_after().as_second() {
        report.error("expired", format!("it was valid until {}", leaf.not_after()), RENEW);
    } else if days < EXPIRES_SOON_DAYS {
        report.warning("expires-soon", format!("it ends in {days} days, on {}", leaf.not_after()), RENEW);
    }
    // Ballot SC-081: 200 days for public certificates from 15 March 2026, 398 days before.
    const MARCH_2026: i64 = 1_773_532_800;
    let limit = if leaf.not_before().as_second() >= MARCH_2026 { 200 } else { 398 };
    let lifetime = (leaf.not_after().as_second() - leaf.not_before().as_second()) / 86_400;
    if lifetime > limit {
        report.note(
            "lifetime-too-long",
            format!("it is valid for {lifetime} days, public authorities issue {limit} at most"),
            "a certificate of a private authority may; check that clients trust that authority",
        );
    }
}

fn key(bundle: &Bundle, report: &mut Report) {
    let leaf = bundle.leaf();
    if let Some(algorithm) = bundle.not_taken() {
        let why = match algorithm {
            KeyAlgorithm::Rsa(bits) if *bits < 2048 => "is too short",
            _ => "is not taken by ACM",
        };
        report.error(
            "key-not-for-acm",
            format!("a key of {algorithm} {why}"),
            "have a key of RSA 2048 or ECDSA P-256 certified",
        );
    } else if let Err(error @ acm::AcmError::TooLarge { .. }) = bundle.acm() {
        report.error(error.code(), format!("failed to {error}"), error.hint());
    }
    weak_signature(leaf, report);
    if leaf.facts.version != 3 {
        report.error("not-version-3", format!("it is of version {}, not 3", leaf.facts.version), ISSUE_AGAIN);
    }
    if leaf.facts.issuer_is_empty {
        report.error("issuer-empty", "its issuer has no name, which ACM refuses".to_owned(), ISSUE_AGAIN);
    }
    if leaf.facts.ocsp_urls.iter().any(|url| url.chars().count() > 1000) {
        report.error("ocsp-url-too-long", "an OCSP address has more than 1,000 characters".to_owned(), ISSUE_AGAIN);
    }
}

/// Signatures that can be forged; a self-signed certificate is trusted for other reasons.
pub(super) fn weak_signature(certificate: &Certificate, report: &mut Report) {
    let weak = [oid::MD5_WITH_RSA, oid::SHA1_WITH_RSA, oid::ECDSA_WITH_SHA1];
    if weak.contains(&certificate.facts.signature_algorithm.as_str()) && !certificate.is_self_signed() {
        report.error(
            "signature-weak",
            format!("`{}` is signed by {}", certificate.subject(), certificate.signature_algorithm()),
            "clients refuse it; have the certificate issued again with SHA-256",
        );
    }
}

fn purpose(leaf: &Certificate, report: &mut Report) {
    if let Some(purposes) = &leaf.facts.extended_key_usage {
        let allows = |id: &str| purposes.iter().any(|purpose| purpose == id);
        if !allows(oid::SERVER_AUTH) && allows(oid::ANY_EXTENDED_KEY_USAGE) {
            report.warning(
                "for-any-use",
                "only anyExtendedKeyUsage allows it for servers".to_owned(),
                "OpenSSL does not count that; have the certificate issued again for server authentication",
            );
        } else if !allows(oid::SERVER_AUTH) {
            report.error(
                "not-for-servers",
                "its extended key usage leaves out server authentication".to_owned(),
                "have the certificate issued again for server authentication",
            );
        }
    }
    if matches!(leaf.facts.key_usage, Some((false, _))) {
        report.warning(
            "key-usage",
            "its key usage leaves out digital signatures, which TLS 1.3 needs".to_owned(),
            "have the certificate issued again with digitalSignature",
        );
    }
    if leaf.is_ca() && !leaf.is_self_signed() {
        report.error(
            "leaf-is-ca",
            "the certificate of the key is an authority's".to_owned(),
            "never give a server the key of an authority; have a server certificate issued",
        );
    }
    if leaf.is_self_signed() {
        report.warning(
            "self-signed",
            "it is signed by its own key".to_owned(),
            "for tests only: the vendor asks for a publicly trusted certificate",
        );
    }
}
