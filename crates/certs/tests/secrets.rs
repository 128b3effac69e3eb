//! No `Debug`, message or report prints a secret.

#![expect(dead_code, reason = "not every test needs all of the shared parts")]

mod common;

use std::fmt::Debug;

use certs::make::{Authority, KeyType, MakeError, generate_password, self_signed, signing_request};
use certs::{AcmError, Bundle, KeyAlgorithm, PemError, PfxError, PfxOptions, WriteError};
use common::{HOST, issued, now, time};
use secrecy::{ExposeSecret, SecretString};

const MARKER: &str = "marker-of-a-secret-password";

/// Looks in the text of a value for the marker and for every run of twelve characters of the key in base64.
fn check(bundle: &Bundle, value: &dyn Debug) {
    let pem = bundle.key().to_pem();
    let lines: Vec<&str> = pem.expose_secret().lines().filter(|line| !line.starts_with('-')).collect();
    let base64 = lines.concat();
    // A short key has its secret number in bytes 36 to 68; a long one starts with what the certificate tells as well.
    let secret = if base64.len() < 300 { &base64[48..88] } else { &base64[600..700] };
    for text in [format!("{value:?}"), format!("{value:#?}")] {
        assert!(!text.contains(MARKER), "{text}");
        for at in 0..secret.len() - 12 {
            assert!(!text.contains(&secret[at..at + 12]), "{text}");
        }
        assert!(!text.contains("pkcs8"), "{text}");
    }
}

#[test]
fn no_public_type_prints_a_secret() {
    for kind in [KeyType::Rsa2048, KeyType::P256] {
        let authority = Authority::throw_away("Test", now()).unwrap();
        let issued = issued(kind);
        let password = SecretString::from(MARKER);
        let pfx = issued.to_pfx(&password).unwrap();
        let bundle = Bundle::from_pfx(&pfx, &password).unwrap();
        let own = self_signed(&[HOST], kind, now(), time("2027-01-01T00:00:00Z")).unwrap();
        let values: Vec<Box<dyn Debug>> = vec![
            Box::new(bundle.clone()),
            Box::new(bundle.key().clone()),
            Box::new(bundle.leaf().clone()),
            Box::new(bundle.source().clone()),
            Box::new(bundle.acm().unwrap()),
            Box::new(bundle.judge("marker.example", now())),
            Box::new(authority),
            Box::new(own),
            Box::new(signing_request(bundle.key(), &[HOST]).unwrap()),
            Box::new(generate_password().unwrap()),
            Box::new(password),
            Box::new(PfxOptions::default()),
            Box::new(Bundle::from_pfx(&pfx, &SecretString::from("marker-of-another")).unwrap_err()),
            Box::new(issued.to_pfx(&SecretString::from(format!("{MARKER} with blanks"))).unwrap_err()),
            Box::new([PfxError::NoKey, PfxError::KeyDamaged]),
            Box::new([PemError::NoKey, PemError::PasswordMissing]),
            Box::new([WriteError::Password, WriteError::Random]),
            Box::new(AcmError::KeyType(KeyAlgorithm::Ed25519)),
            Box::new(MakeError::NoHost),
        ];
        for value in &values {
            check(&bundle, value.as_ref());
        }
        // The same text would show it, were it there.
        let shown =
            std::panic::catch_unwind(|| check(&bundle, &bundle.key().to_pem().expose_secret().replace('\n', "")));
        assert!(shown.is_err());
    }
}

#[test]
fn generated_passwords_are_what_java_and_files_take() {
    let password = generate_password().unwrap();
    let text = password.expose_secret();
    assert_eq!(text.len(), certs::make::PASSWORD_LENGTH);
    assert!(text.bytes().all(|byte| byte.is_ascii_alphanumeric()), "{text}");
    assert_ne!(text, generate_password().unwrap().expose_secret());
}

#[test]
fn passwords_java_does_not_take_are_refused() {
    let bundle = issued(KeyType::P256);
    for password in ["", "pässwörd", "with blank", "line\n"] {
        assert_eq!(bundle.to_pfx(&SecretString::from(password)).unwrap_err(), WriteError::Password);
    }
}
