//! What the judge finds, and what it does not.

#![expect(dead_code, reason = "not every test needs all of the shared parts")]

mod common;

use certs::make::{Authority, KeyType, self_signed};
use certs::{Bundle, Certificate, PrivateKey, Severity};
use common::{HOST, fixture, issued, now, time};
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DistinguishedName, DnType,
    ExtendedKeyUsagePurpose as Purpose, IsCa, KeyPair, KeyUsagePurpose as Usage, SanType,
};
use secrecy::SecretString;

fn ids(bundle: &Bundle, host: &str, now: jiff::Timestamp) -> Vec<&'static str> {
    bundle.judge(host, now).findings.iter().map(|finding| finding.id).collect()
}

/// A chain made of parts, each changed before it is signed.
struct Bench {
    root: CertificateParams,
    middle: CertificateParams,
    leaf: CertificateParams,
}

impl Bench {
    fn new() -> Self {
        let authority = |name: &str| {
            let mut params = named(name);
            params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
            params
        };
        let mut leaf = named(HOST);
        leaf.subject_alt_names = vec![SanType::DnsName(HOST.try_into().unwrap())];
        leaf.extended_key_usages = vec![Purpose::ServerAuth];
        Self { root: authority("Root"), middle: authority("Middle"), leaf }
    }

    fn judge(self) -> Vec<&'static str> {
        let root = CertifiedIssuer::self_signed(self.root, KeyPair::generate().unwrap()).unwrap();
        let middle = CertifiedIssuer::signed_by(self.middle, KeyPair::generate().unwrap(), &root).unwrap();
        let key = KeyPair::generate().unwrap();
        let leaf = self.leaf.signed_by(&key, &middle).unwrap();
        let pem = [key.serialize_pem(), leaf.pem(), middle.pem(), root.pem()].concat();
        let found = ids(&Bundle::from_pem(pem.as_bytes(), None).unwrap(), HOST, now());
        assert!(found.contains(&"root-included"));
        found.into_iter().filter(|id| *id != "root-included").collect()
    }
}

fn named(name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    (params.not_before, params.not_after) = (rcgen::date_time_ymd(2026, 11, 1), rcgen::date_time_ymd(2027, 3, 1));
    params
}

fn check(change: impl FnOnce(&mut Bench), expected: &[&str]) {
    let mut bench = Bench::new();
    change(&mut bench);
    assert_eq!(bench.judge(), expected);
}

#[test]
fn an_ordinary_bundle_has_nothing_to_say() {
    let bundle = issued(KeyType::Rsa2048);
    assert_eq!(ids(&bundle, HOST, now()), [""; 0]);
    assert!(bundle.judge(HOST, now()).is_usable());
    check(|_| {}, &[]);
}

#[test]
fn hosts_are_covered_by_alternative_names_only() {
    let names = |names: &[&str]| {
        let names: Vec<SanType> = names.iter().map(|name| SanType::DnsName((*name).try_into().unwrap())).collect();
        move |bench: &mut Bench| bench.leaf.subject_alt_names = names
    };
    check(names(&["other.example.com"]), &["host-only-in-common-name"]);
    check(names(&["*.example.com"]), &["host-by-wildcard"]);
    check(names(&["*.example.com", HOST]), &[]);
    check(names(&["*.com", "*.automator.example.com", "a*.example.com"]), &["host-only-in-common-name"]);
    check(|bench| bench.leaf.subject_alt_names.clear(), &["host-only-in-common-name"]);
    let rename = |bench: &mut Bench| bench.leaf.distinguished_name.push(DnType::CommonName, "old name");
    check(rename, &["common-name-differs"]);
    check(|bench| (rename(bench), names(&["x.example"])(bench)).1, &["host-not-covered", "common-name-differs"]);

    let authority = Authority::throw_away("Test", now()).unwrap();
    let (from, until) = (time("2026-11-01T00:00:00Z"), time("2027-03-01T00:00:00Z"));
    let many = authority.issue(&["müller.example", "192.0.2.7", "2001:db8::7"], KeyType::P256, from, until).unwrap();
    assert_eq!(ids(&many, "MÜLLER.example.", now()), [""; 0]);
    assert_eq!(ids(&many, "xn--mller-kva.example", now()), [""; 0]);
    assert_eq!(ids(&many, "192.0.2.7", now()), ["common-name-differs"]);
    assert_eq!(ids(&many, "[2001:DB8:0::7]", now()), ["common-name-differs"]);
    assert_eq!(ids(&many, "192.0.2.8", now()), ["host-not-covered", "common-name-differs"]);
    assert_eq!(ids(&many, "https://müller.example", now()), ["host-invalid"]);
}

#[test]
fn the_last_second_of_validity_still_counts() {
    let bundle = issued(KeyType::P256);
    let at = |text: &str| ids(&bundle, HOST, time(text));
    assert_eq!(at("2026-10-31T23:59:59Z"), ["not-yet-valid"]);
    assert_eq!(at("2026-11-01T00:00:00Z"), [""; 0]);
    assert_eq!(at("2027-04-01T00:00:00Z"), [""; 0]);
    assert_eq!(at("2027-04-01T00:00:01Z"), ["expires-soon"]);
    assert_eq!(at("2027-05-01T00:00:00.9Z"), ["expires-soon"]);
    assert_eq!(at("2027-05-01T00:00:01Z"), ["expired"]);
    assert_eq!(bundle.leaf().days_left(time("2027-04-30T00:00:01Z")), 0);
    assert_eq!(bundle.leaf().days_left(time("2027-05-01T00:00:01Z")), -1);
}

#[test]
fn purpose_of_the_leaf() {
    check(|bench| bench.leaf.extended_key_usages = vec![Purpose::ClientAuth], &["not-for-servers"]);
    check(|bench| bench.leaf.extended_key_usages = vec![Purpose::Any], &["for-any-use"]);
    check(|bench| bench.leaf.extended_key_usages = vec![Purpose::Any, Purpose::ServerAuth], &[]);
    check(|bench| bench.leaf.extended_key_usages.clear(), &[]);
    check(|bench| bench.leaf.key_usages = vec![Usage::KeyEncipherment], &["key-usage"]);
    check(|bench| bench.leaf.is_ca = IsCa::Ca(BasicConstraints::Unconstrained), &["leaf-is-ca"]);
    check(
        |bench| bench.leaf.not_after = rcgen::date_time_ymd(2027, 6, 1),
        &["lifetime-too-long", "chain-expires-first"],
    );
}

#[test]
fn authorities_may_certify() {
    check(|bench| bench.middle.is_ca = IsCa::ExplicitNoCa, &["chain-not-an-authority"]);
    check(|bench| bench.middle.key_usages = vec![Usage::CrlSign], &["chain-not-an-authority"]);
    check(|bench| bench.root.is_ca = IsCa::Ca(BasicConstraints::Constrained(0)), &["chain-too-long"]);
    check(|bench| bench.root.is_ca = IsCa::Ca(BasicConstraints::Constrained(1)), &[]);
    check(|bench| bench.middle.not_after = rcgen::date_time_ymd(2026, 11, 24), &["chain-expired"]);
    check(|bench| bench.middle.not_before = rcgen::date_time_ymd(2026, 11, 26), &["chain-not-yet-valid"]);
}

#[test]
fn a_valid_way_up_is_better_than_one_whose_root_is_there() {
    let chosen = |until_with_root, until_without| {
        let bench = Bench::new();
        let [root, other] = [named("Root"), named("Other Root")].map(|mut params| {
            params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
            CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
        });
        let middle_key = KeyPair::generate().unwrap().serialize_pem();
        let middle = |issuer, until| {
            let mut params = bench.middle.clone();
            params.not_after = until;
            CertifiedIssuer::signed_by(params, KeyPair::from_pem(&middle_key).unwrap(), issuer).unwrap()
        };
        let (with_root, without) = (middle(&root, until_with_root), middle(&other, until_without));
        let key = KeyPair::generate().unwrap();
        let leaf = bench.leaf.clone().signed_by(&key, &with_root).unwrap();
        let pem = [key.serialize_pem(), leaf.pem(), with_root.pem(), root.pem(), without.pem()].concat();
        let bundle = Bundle::from_pem(pem.as_bytes(), None).unwrap();
        let chain: Vec<&[u8]> = bundle.chain().iter().map(Certificate::der).collect();
        assert_eq!(chain.len(), 1);
        assert!(ids(&bundle, HOST, now()).contains(&"chain-alternatives"));
        assert!(!ids(&bundle, HOST, now()).contains(&"chain-expired"));
        if chain == [&**with_root.der()] { "with root" } else { "without" }
    };
    let day = rcgen::date_time_ymd;
    assert_eq!(chosen(day(2026, 11, 24), day(2027, 3, 1)), "without");
    assert_eq!(chosen(day(2027, 3, 1), day(2026, 11, 24)), "with root");
    // Both live longer than the leaf, so the root decides.
    assert_eq!(chosen(day(2027, 4, 1), day(2028, 3, 1)), "with root");
}

#[test]
fn the_order_of_the_file_does_not_matter() {
    let pfx = |name: &str| {
        Bundle::from_pfx(&fixture(&format!("pfx/{name}.pfx")), &SecretString::from("correct-horse")).unwrap()
    };
    let expect = |name: &str, expected: &[&str]| {
        let found = ids(&pfx(name), HOST, time("2027-01-01T00:00:00Z"));
        // The fixtures live for a hundred years.
        let found: Vec<&str> = found.into_iter().filter(|id| *id != "lifetime-too-long").collect();
        let quiet = ["chain-expires-first", "pfx-no-key-id"];
        assert_eq!(
            found.iter().filter(|id| !quiet.contains(id)).collect::<Vec<_>>(),
            expected.iter().collect::<Vec<_>>(),
            "{name}"
        );
    };
    expect("openssl-in-order", &[]);
    expect("openssl-reversed", &["chain-reordered", "root-included"]);
    expect("openssl-leaf-only", &["chain-missing"]);
    expect("openssl-self-signed", &["self-signed"]);
    expect("openssl-several-cas", &["unrelated-certificates"]);
    expect("openssl-crossed", &["root-included", "chain-alternatives"]);
    expect("hand-part-each", &["leaf-not-first", "chain-reordered", "root-included"]);
    expect("hand-tie-by-key-id", &["several-leaves", "leaf-not-first", "unrelated-certificates"]);
    expect("openssl-default-rsa1024", &["key-not-for-acm"]);
    expect("openssl-default-ed25519", &["key-not-for-acm"]);
    expect("openssl-default-rsapss", &["key-not-for-acm"]);
    let subjects: Vec<String> = pfx("openssl-reversed").chain().iter().map(|one| one.subject().to_owned()).collect();
    assert_eq!(subjects, ["CN=Fixture Lower", "CN=Fixture Upper"]);
    assert!(pfx("openssl-default-rsa1024").acm().is_err());
    assert!(pfx("openssl-default-p521").acm().is_ok());
}

#[test]
fn a_self_signed_certificate_is_for_tests() {
    let bundle =
        self_signed(&[HOST], KeyType::P384, time("2026-11-01T00:00:00Z"), time("2027-03-01T00:00:00Z")).unwrap();
    assert_eq!(ids(&bundle, HOST, now()), ["self-signed"]);
    assert_eq!(bundle.acm().unwrap().chain, None);
}

#[test]
fn reencoding_mends_everything_about_the_file() {
    let now = time("2027-01-01T00:00:00Z");
    for name in ["openssl-legacy-rsa2048", "openssl-all-none", "hand-nested", "hand-pbmac1-sha256", "openssl-nomac"] {
        let bundle =
            Bundle::from_pfx(&fixture(&format!("pfx/{name}.pfx")), &SecretString::from("correct-horse")).unwrap();
        assert!(bundle.judge(HOST, now).wants_reencoding(), "{name}");
        let password = certs::make::generate_password().unwrap();
        let again = Bundle::from_pfx(&bundle.to_pfx(&password).unwrap(), &password).unwrap();
        assert!(!again.judge(HOST, now).wants_reencoding(), "{name}");
        assert_eq!((again.leaf(), again.chain()), (bundle.leaf(), bundle.chain()));
    }
}

#[test]
fn a_report_is_json_for_machines() {
    let report = issued(KeyType::P256).judge("other.example.com", now());
    let json = serde_json::to_value(&report).unwrap();
    assert_eq!(json["findings"][0]["id"], "host-not-covered");
    assert_eq!(json["findings"][0]["severity"], "error");
    assert_eq!(report.at_least(Severity::Warning).count(), 2);
}

#[test]
fn an_answer_to_a_request_becomes_a_bundle() {
    let (mine, other) = (PrivateKey::generate(KeyType::P256).unwrap(), issued(KeyType::P256));
    let refused = Bundle::new(mine, vec![other.leaf().clone()]).unwrap_err();
    assert_eq!(refused.code(), "pem-key-does-not-match");
    let shuffled: Vec<Certificate> = [other.chain()[0].clone(), other.leaf().clone()].into();
    assert_eq!(Bundle::new(other.key().clone(), shuffled).unwrap().leaf(), other.leaf());
}
