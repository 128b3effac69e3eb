//! Every kind of PKCS#12 file in `fixtures/variants.tsv`: producer × cipher × MAC × key × password.
//!
//! `fixtures/make.py` makes them again. To see the table: `cargo test -p certs --test variants -- --nocapture`.

use std::path::Path;

use certs::Bundle;
use secrecy::SecretString;

struct Variant<'a> {
    name: &'a str,
    producer: &'a str,
    key: &'a str,
    cipher: &'a str,
    mac: &'a str,
    password: &'a str,
    expect: &'a str,
    chain: usize,
}

fn parse(line: &str) -> Variant<'_> {
    let columns: Vec<&str> = line.split('\t').collect();
    let [name, producer, key, cipher, mac, password, expect, chain] = columns[..] else {
        panic!("eight columns are expected in {line}");
    };
    Variant { name, producer, key, cipher, mac, password, expect, chain: chain.parse().unwrap() }
}

fn key_name(key: &str) -> &str {
    match key {
        "rsa1024" => "RSA 1024",
        "rsa2048" => "RSA 2048",
        "rsa3072" => "RSA 3072",
        "rsa4096" => "RSA 4096",
        "rsapss" => "RSA-PSS 2048",
        "p384" => "ECDSA P-384",
        "p521" => "ECDSA P-521",
        "ed25519" => "Ed25519",
        _ => "ECDSA P-256",
    }
}

/// What happened, in the words of the table.
fn outcome(variant: &Variant<'_>, bundle: &Result<Bundle, certs::PfxError>) -> String {
    let bundle = match bundle {
        Err(error) => return error.code().to_owned(),
        Ok(bundle) => bundle,
    };
    let key = bundle.key().algorithm().to_string();
    if key != key_name(variant.key) || bundle.leaf().key_algorithm() != bundle.key().algorithm() {
        return format!("the key is {key}");
    }
    if bundle.leaf().dns_names() != ["automator.example.com"] {
        return format!("the leaf is {}", bundle.leaf().subject());
    }
    if bundle.chain().len() != variant.chain {
        return format!("the chain is {:?}", bundle.chain());
    }
    "ok".to_owned()
}

#[test]
fn every_variant_is_read_or_refused_as_expected() {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    let table = std::fs::read_to_string(fixtures.join("variants.tsv")).unwrap();
    let variants: Vec<Variant<'_>> = table.lines().skip(1).map(parse).collect();
    assert!(variants.len() >= 60, "only {} variants", variants.len());

    // Some ask for 600,000 rounds, so every core takes its share.
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let share = |core| -> Vec<(String, Option<String>)> {
        variants.iter().skip(core).step_by(cores).map(|variant| check(variant, &fixtures)).collect()
    };
    let share = &share;
    let lines: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..cores).map(|core| scope.spawn(move || share(core))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    println!("| file | producer | key | cipher | MAC | password | answer | findings about the file |");
    println!("| --- | --- | --- | --- | --- | --- | --- | --- |");
    let mut wrong = Vec::new();
    for at in 0..variants.len() {
        let (line, problem) = &lines[at % cores][at / cores];
        println!("{line}");
        wrong.extend(problem.clone());
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The variant's line of the table, and what is wrong with it.
fn check(variant: &Variant<'_>, fixtures: &Path) -> (String, Option<String>) {
    let bytes = std::fs::read(fixtures.join("pfx").join(variant.name).with_extension("pfx")).unwrap();
    let read = Bundle::from_pfx(&bytes, &SecretString::from(variant.password));
    let found = outcome(variant, &read);
    let findings = read.as_ref().map_or_else(
        |_| String::new(),
        |bundle| {
            let report = bundle.judge("automator.example.com", "2027-01-01T00:00:00Z".parse().unwrap());
            let ids = report.findings.iter().map(|finding| finding.id).filter(|id| id.starts_with("pfx-"));
            ids.collect::<Vec<_>>().join(", ")
        },
    );
    if let Err(error) = &read {
        assert!(!error.hint().is_empty());
        assert!(!format!("{error} {error:?}").contains(variant.password) || variant.password.is_empty());
    }
    let password = if variant.password.is_empty() { "(empty)" } else { variant.password };
    let Variant { name, producer, key, cipher, mac, .. } = variant;
    let line = format!("| {name} | {producer} | {key} | {cipher} | {mac} | {password} | {found} | {findings} |");
    let problem =
        (found != variant.expect).then(|| format!("{}: expected {}, got {found}", variant.name, variant.expect));
    (line, problem)
}
