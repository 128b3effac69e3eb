//! Programs nobody here wrote read what this crate writes, and this crate reads what they write now.

#![expect(dead_code, reason = "not every test needs all of the shared parts")]

mod common;

use std::path::Path;

use certs::make::{KeyType, generate_password, signing_request};
use certs::{Bundle, PrivateKey};
use common::{HOST, issued, run, witness};
use secrecy::{ExposeSecret, SecretString};

const KINDS: [KeyType; 4] = [KeyType::Rsa2048, KeyType::Rsa3072, KeyType::P256, KeyType::P384];

struct Files {
    folder: tempfile::TempDir,
}

impl Files {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).to_str().unwrap().to_owned()
    }

    fn put(&self, name: &str, bytes: impl AsRef<[u8]>) -> String {
        let path = self.path(name);
        std::fs::write(&path, bytes).unwrap();
        path
    }
}

#[test]
fn openssl_reads_our_pfx() {
    if !witness("openssl") {
        return;
    }
    for kind in KINDS {
        let (files, bundle, password) = (Files::new(), issued(kind), generate_password().unwrap());
        let pfx = files.put("our.pfx", bundle.to_pfx(&password).unwrap());
        let word = files.put("password.txt", password.expose_secret());
        let (fine, text) =
            run("openssl", &["pkcs12", "-in", &pfx, "-passin", &format!("file:{word}"), "-info", "-nodes"]);
        assert!(fine, "{kind}: {text}");
        assert!(text.contains("MAC: sha256, Iteration 10000"), "{text}");
        assert_eq!(
            text.matches("PBES2, PBKDF2, AES-256-CBC, Iteration 10000, PRF hmacWithSHA256").count(),
            2,
            "{text}"
        );
        assert_eq!(text.matches("localKeyID").count(), 2, "{text}");
        assert_eq!(text.matches("BEGIN CERTIFICATE").count(), 2, "{text}");
        // Leaf first.
        let subjects: Vec<&str> = text.lines().filter(|line| line.starts_with("subject=")).collect();
        assert!(subjects[0].contains(HOST) && subjects[1].contains("Intermediate"), "{subjects:?}");
        // And what openssl printed, comments and all, is read again as the same bundle.
        let again = Bundle::from_pem(text.as_bytes(), None).unwrap();
        assert_eq!((again.leaf(), again.chain()), (bundle.leaf(), bundle.chain()));
    }
}

#[test]
fn java_reads_our_pfx_with_its_chain() {
    if !witness("keytool") {
        return;
    }
    for kind in [KeyType::Rsa2048, KeyType::P384] {
        let (files, bundle, password) = (Files::new(), issued(kind), generate_password().unwrap());
        let pfx = files.put("our.pfx", bundle.to_pfx(&password).unwrap());
        let word = files.put("password.txt", password.expose_secret());
        let (fine, text) =
            run("keytool", &["-list", "-v", "-keystore", &pfx, "-storepass:file", &word, "-J-Duser.language=en"]);
        assert!(fine, "{kind}: {text}");
        assert!(text.contains("Entry type: PrivateKeyEntry"), "{text}");
        assert!(text.contains("Certificate chain length: 2"), "{text}");
        assert!(text.contains("Alias name: automator"), "{text}");
    }
}

#[test]
fn gnutls_and_nss_read_our_pfx() {
    let (files, bundle, password) = (Files::new(), issued(KeyType::Rsa2048), generate_password().unwrap());
    let pfx = files.put("our.pfx", bundle.to_pfx(&password).unwrap());
    if witness("certtool") {
        let word = password.expose_secret();
        let (fine, text) = run("certtool", &["--p12-info", "--inder", "--infile", &pfx, "--password", word]);
        assert!(fine && text.matches("BEGIN CERTIFICATE").count() == 2, "{text}");
    }
    if witness("pk12util") {
        let word = files.put("password.txt", password.expose_secret());
        let (fine, text) = run("pk12util", &["-l", &pfx, "-w", &word]);
        assert!(fine && text.matches("Certificate(has private key)").count() == 1, "{text}");
    }
}

#[test]
fn the_acm_triple_verifies_by_openssl() {
    if !witness("openssl") {
        return;
    }
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/pfx");
    let deep = std::fs::read(fixtures.join("openssl-reversed.pfx")).unwrap();
    let deep = Bundle::from_pfx(&deep, &SecretString::from("correct-horse")).unwrap();
    let import = deep.acm().unwrap();
    let chain = import.chain.unwrap();
    assert_eq!(chain.matches("BEGIN CERTIFICATE").count(), 2);
    assert!(
        chain
            .lines()
            .all(|line| line.starts_with("-----") || !line.contains([' ', '='].as_slice()) || line.ends_with('='))
    );

    let files = Files::new();
    let (body, chain) = (files.put("body.pem", &import.body), files.put("chain.pem", &chain));
    let root = files.put("root.pem", deep.root().unwrap().pem());
    let (fine, text) =
        run("openssl", &["verify", "-CAfile", &root, "-untrusted", &chain, "-verify_hostname", HOST, &body]);
    assert!(fine, "{text}");
    let key = files.put("key.pem", import.private_key.expose_secret());
    let (_, of_key) = run("openssl", &["pkey", "-in", &key, "-pubout"]);
    let (_, of_leaf) = run("openssl", &["x509", "-in", &body, "-noout", "-pubkey"]);
    assert!(of_key == of_leaf && of_key.starts_with("-----BEGIN PUBLIC KEY"), "{of_key}{of_leaf}");
}

#[test]
fn openssl_takes_our_requests() {
    if !witness("openssl") {
        return;
    }
    for kind in KINDS {
        let (files, key) = (Files::new(), PrivateKey::generate(kind).unwrap());
        let request = signing_request(&key, &[HOST, "*.例え.テスト", "192.0.2.7", "2001:db8::7"]).unwrap();
        let path = files.put("request.pem", request.pem());
        let (fine, text) = run("openssl", &["req", "-in", &path, "-verify", "-noout", "-text"]);
        assert!(fine && text.contains("verify OK"), "{kind}: {text}");
        assert!(text.contains(&format!("Subject: CN = {HOST}")), "{text}");
        let names =
            format!("DNS:{HOST}, DNS:*.xn--r8jz45g.xn--zckzah, IP Address:192.0.2.7, IP Address:2001:DB8:0:0:0:0:0:7");
        assert!(text.contains(&names), "{text}");
    }
}

#[test]
fn what_openssl_writes_now_is_read() {
    if !witness("openssl") {
        return;
    }
    let files = Files::new();
    let bundle = issued(KeyType::Rsa2048);
    let import = bundle.acm().unwrap();
    let key = files.put("key.pem", import.private_key.expose_secret());
    let all = files.put("all.pem", [import.body, import.chain.unwrap()].concat());
    let variants: [&[&str]; 6] =
        [&[], &["-legacy"], &["-nomac"], &["-certpbe", "NONE"], &["-keypbe", "AES-128-CBC"], &["-macalg", "sha512"]];
    for options in variants {
        let out = files.path("theirs.pfx");
        let fixed = ["pkcs12", "-export", "-inkey", &key, "-in", &all, "-out", &out, "-passout", "pass:secret"];
        let (fine, text) = run("openssl", &[&fixed[..], options].concat());
        assert!(fine, "{text}");
        let read = Bundle::from_pfx(&std::fs::read(&out).unwrap(), &SecretString::from("secret")).unwrap();
        assert_eq!((read.leaf(), read.chain()), (bundle.leaf(), bundle.chain()), "{options:?}");
    }
}
