//! PEM text in the forms it comes in.

#![expect(dead_code, reason = "not every test needs all of the shared parts")]

mod common;

use certs::{Bundle, PemError, PrivateKey};
use common::{fixture, issued};
use secrecy::{ExposeSecret, SecretString};

fn read(name: &str, password: Option<&str>) -> Result<Bundle, PemError> {
    let password = password.map(SecretString::from);
    Bundle::from_pem(&fixture(&format!("pem/{name}.pem")), password.as_ref())
}

#[test]
fn keys_and_certificates_come_in_any_form_and_order() {
    for kind in ["rsa2048", "p256"] {
        let first = read(&format!("{kind}-pkcs8"), None).unwrap();
        assert_eq!(first.chain().len(), 1);
        assert_eq!(first.root().unwrap().subject(), "CN=Fixture Root");
        for form in ["crlf", "old", "guide"] {
            let other = read(&format!("{kind}-{form}"), None).unwrap();
            assert_eq!((first.leaf(), first.chain()), (other.leaf(), other.chain()), "{kind} {form}");
            // PKCS#1 and SEC 1 become the same PKCS#8.
            assert_eq!(first.key().to_pem().expose_secret(), other.key().to_pem().expose_secret(), "{kind} {form}");
        }
    }
}

#[test]
fn encrypted_keys_want_their_password() {
    for form in ["aes-256", "aes-128-sha1", "aes-192-sha512", "3des", "pbe-3des"] {
        let name = format!("encrypted-{form}");
        assert_eq!(read(&name, Some("correct-horse")).unwrap().chain().len(), 1, "{form}");
        assert_eq!(read(&name, Some("wrong")).unwrap_err(), PemError::WrongPassword, "{form}");
        assert_eq!(read(&name, None).unwrap_err(), PemError::PasswordMissing, "{form}");
    }
    assert_eq!(read("refused-proc-type", Some("correct-horse")).unwrap_err().code(), "pem-unsupported");
}

#[test]
fn what_is_wrong_with_a_text_is_told_by_line() {
    let bundle = issued(certs::make::KeyType::P256);
    let (key, leaf) = (bundle.key().to_pem(), bundle.leaf().pem());
    let key = key.expose_secret();
    let check = |text: String, expected: &str| {
        let error = Bundle::from_pem(text.as_bytes(), None).unwrap_err();
        assert_eq!(format!("{}: {error}", error.code()), expected);
        assert!(!error.hint().is_empty());
    };
    check(String::new(), "pem-no-key: find the private key in the PEM text, because there is none");
    check(leaf.clone(), "pem-no-key: find the private key in the PEM text, because there is none");
    check(key.to_owned(), "pem-key-does-not-match: find the certificate of the private key among 0 in the PEM text");
    let open = "\u{feff}comment\r\n\r\n-----BEGIN CERTIFICATE-----\r\nAAAA\r\n";
    check(open.to_owned(), "pem-corrupt: read the PEM block on line 3, because its END line is missing");
    check(format!("{open}{leaf}"), "pem-corrupt: read the PEM block on line 3, because its END line is missing");
    check(
        format!("{open}-----END X509 CRL-----\r\n"),
        "pem-corrupt: read the PEM block on line 3, because its END line names something else",
    );
    check(
        format!("{open}-----END CERTIFICATE-----\r\n"),
        "pem-corrupt: read the PEM block on line 3, because it is not a certificate in X.509",
    );
    let other = issued(certs::make::KeyType::P384).key().to_pem();
    check(
        [key, other.expose_secret()].concat(),
        "pem-several-keys: choose a private key in the PEM text, because there are 2",
    );
    let request = "-----BEGIN CERTIFICATE REQUEST-----\n!!!\n-----END CERTIFICATE REQUEST-----\n";
    assert!(Bundle::from_pem([request, key, &leaf, key].concat().as_bytes(), None).is_ok());
}

#[test]
fn a_key_may_stand_alone() {
    let whole = fixture("pem/p256-guide.pem");
    let key = PrivateKey::from_pem(&whole).unwrap();
    let pem = key.to_pem();
    let again = PrivateKey::from_pem(pem.expose_secret().as_bytes()).unwrap();
    assert_eq!(again.to_pem().expose_secret(), read("p256-guide", None).unwrap().key().to_pem().expose_secret());
    assert_eq!(PrivateKey::from_pem(b"").unwrap_err(), PemError::NoKey);
    let twice =
        [pem.expose_secret().as_bytes(), issued(certs::make::KeyType::P256).key().to_pem().expose_secret().as_bytes()]
            .concat();
    assert_eq!(PrivateKey::from_pem(&twice).unwrap_err(), PemError::SeveralKeys { count: 2 });
}
