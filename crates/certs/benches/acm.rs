//! A PKCS#12 file to what ACM imports: this crate, and the guide's commands as processes, on the same file.
//!
//! `cargo bench -p certs`. Without `openssl` only the first is measured.

use std::fs;
use std::hint::black_box;
use std::path::Path;
use std::process::{Command, Stdio};

use certs::Bundle;
use criterion::{Criterion, criterion_group, criterion_main};
use secrecy::SecretString;

const PASSWORD: &str = "correct-horse";

fn compare(criterion: &mut Criterion) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/pfx/openssl-default-rsa2048.pfx");
    let bytes = fs::read(&file).expect("the fixture is there");
    let password = SecretString::from(PASSWORD);
    let mut group = criterion.benchmark_group("pfx to ACM");
    group.bench_function("certs", |bench| {
        bench.iter(|| Bundle::from_pfx(black_box(&bytes), &password).expect("it is read").acm().expect("it fits"));
    });
    let there = Command::new("openssl").arg("version").stdout(Stdio::null()).status().is_ok();
    if there {
        let folder = tempfile::tempdir().expect("a folder");
        group.sample_size(20).bench_function("the guide's openssl commands", |bench| {
            bench.iter(|| guide(&file, folder.path()));
        });
    }
    group.finish();
}

/// The five commands of the guide's step A9.
fn guide(file: &Path, folder: &Path) {
    let file = file.to_str().expect("a plain path");
    let password = format!("pass:{PASSWORD}");
    openssl(folder, &["pkcs12", "-in", file, "-passin", &password, "-out", "all.pem", "-nodes"]);
    openssl(folder, &["x509", "-in", "all.pem", "-out", "body.crt"]);
    openssl(folder, &["pkey", "-in", "all.pem", "-out", "private.key"]);
    openssl(folder, &["crl2pkcs7", "-nocrl", "-certfile", "all.pem", "-out", "all.p7"]);
    openssl(folder, &["pkcs7", "-print_certs", "-in", "all.p7", "-out", "chain.crt"]);
}

fn openssl(folder: &Path, arguments: &[&str]) {
    let status = Command::new("openssl")
        .args(arguments)
        .current_dir(folder)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    assert!(status.is_ok_and(|status| status.success()), "openssl {}", arguments[0]);
}

criterion_group!(benches, compare);
criterion_main!(benches);
