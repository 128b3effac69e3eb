//! The chain above the leaf, and what lay beside it.

use jiff::Timestamp;

use super::Report;
use super::leaf::weak_signature;
use crate::bundle::Bundle;
use crate::certificate::Certificate;
use crate::key::KeyAlgorithm;

const NEW_CHAIN: &str = "download the authority's current intermediate certificates";

pub(super) fn judge(bundle: &Bundle, now: Timestamp, report: &mut Report) {
    let leaf = bundle.leaf();
    if bundle.chain().is_empty() && bundle.root().is_none() && !leaf.is_self_signed() {
        report.warning(
            "chain-missing",
            format!("no certificate of the issuer `{}` is there", leaf.issuer()),
            "ACM and clients need the intermediate certificates; add them",
        );
    }
    for (below, certificate) in bundle.chain().iter().enumerate() {
        validity(certificate, leaf, now, report);
        authority(certificate, below, report);
        weak_signature(certificate, report);
    }
    if let Some(root) = bundle.root() {
        authority(root, bundle.chain().len(), report);
    }
    order(bundle, report);
}

fn validity(certificate: &Certificate, leaf: &Certificate, now: Timestamp, report: &mut Report) {
    let subject = certificate.subject();
    let until = certificate.not_after();
    if now < certificate.not_before() {
        let message = format!("`{subject}` is valid from {}", certificate.not_before());
        report.error("chain-not-yet-valid", message, "wait, or check the clock");
    } else if now.as_second() > until.as_second() {
        report.error("chain-expired", format!("`{subject}` was valid until {until}"), NEW_CHAIN);
    } else if until < leaf.not_after() {
        report.note("chain-expires-first", format!("`{subject}` ends on {until}, before the leaf"), NEW_CHAIN);
    }
}

fn authority(certificate: &Certificate, below: usize, report: &mut Report) {
    let subject = certificate.subject();
    let may_certify = certificate.is_ca() && !matches!(certificate.facts.key_usage, Some((_, false)));
    // Roots of before version 3 say nothing about themselves.
    let old_root = certificate.is_self_signed() && certificate.facts.version < 3;
    if !may_certify && !old_root {
        report.error(
            "chain-not-an-authority",
            format!("`{subject}` signed a certificate but may not certify"),
            NEW_CHAIN,
        );
    }
    if let Some((true, Some(limit))) = certificate.facts.basic_constraints
        && below > limit as usize
    {
        report.error(
            "chain-too-long",
            format!("`{subject}` allows {limit} authorities below it, there are {below}"),
            NEW_CHAIN,
        );
    }
    if matches!(certificate.key_algorithm(), KeyAlgorithm::Rsa(bits) if *bits < 2048) {
        let message = format!("`{subject}` has a key of {}", certificate.key_algorithm());
        report.error("chain-key-weak", message, NEW_CHAIN);
    }
}

fn order(bundle: &Bundle, report: &mut Report) {
    if !bundle.source().leaf_first {
        report.note(
            "leaf-not-first",
            "the leaf is not the first certificate of the file".to_owned(),
            "nothing to do here; programs that take the first certificate, as the guide's commands do, take a wrong one",
        );
    }
    if !bundle.source().chain_in_order {
        report.note(
            "chain-reordered",
            "the certificates were not in issuing order".to_owned(),
            "nothing to do here: they are written in order",
        );
    }
    if let Some(root) = bundle.root() {
        report.note(
            "root-included",
            format!("the root `{}` is left out", root.subject()),
            "nothing to do here: clients have their own roots",
        );
    }
    if !bundle.alternatives().is_empty() {
        report.note(
            "chain-alternatives",
            format!("there is another way up, over {}", subjects(bundle.alternatives())),
            "nothing to do here: the way that ends in a root, or is valid longest, is taken",
        );
    }
    if !bundle.unrelated().is_empty() {
        report.warning(
            "unrelated-certificates",
            format!("{} did not issue the leaf", subjects(bundle.unrelated())),
            "they are left out; check that the file is the right one",
        );
    }
}

fn subjects(certificates: &[Certificate]) -> String {
    let named: Vec<String> = certificates.iter().take(3).map(|one| format!("`{}`", one.subject())).collect();
    match certificates.len() - named.len() {
        0 => named.join(", "),
        more => format!("{} and {more} more", named.join(", ")),
    }
}
