//! Laws that hold for any input.

#![expect(dead_code, reason = "not every test needs all of the shared parts")]

mod common;

use std::sync::LazyLock;

use certs::make::{Authority, KeyType};
use certs::{Bundle, Certificate, PasswordRule, PfxOptions, PrivateKey};
use common::{HOST, fixture, now, time};
use proptest::prelude::*;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DistinguishedName, DnType, IsCa, KeyPair};
use secrecy::{ExposeSecret, SecretString};

/// Bundles of each kind of key with chains of no to four intermediates.
static BUNDLES: LazyLock<Vec<Bundle>> = LazyLock::new(|| {
    let kinds = [KeyType::Rsa2048, KeyType::Rsa3072, KeyType::Rsa4096, KeyType::P256, KeyType::P384];
    kinds.into_iter().enumerate().map(|(length, kind)| chained(kind, length)).collect()
});

fn chained(kind: KeyType, length: usize) -> Bundle {
    let authority = |name: String| {
        let mut params = CertificateParams::default();
        params.distinguished_name = DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params
    };
    let root = authority("Root".into());
    let mut issuer = CertifiedIssuer::self_signed(root, KeyPair::generate().unwrap()).unwrap();
    let mut certificates = Vec::new();
    for level in 0..length {
        let below = authority(format!("Level {level}"));
        issuer = CertifiedIssuer::signed_by(below, KeyPair::generate().unwrap(), &issuer).unwrap();
        certificates.push(Certificate::from_der(issuer.der()).unwrap());
    }
    let key = PrivateKey::generate(kind).unwrap();
    let pair = KeyPair::from_pem(key.to_pem().expose_secret()).unwrap();
    let leaf = CertificateParams::new(vec![HOST.to_owned()]).unwrap().signed_by(&pair, &issuer).unwrap();
    certificates.push(Certificate::from_der(leaf.der()).unwrap());
    Bundle::new(key, certificates).unwrap()
}

fn same(a: &Bundle, b: &Bundle) -> bool {
    let key = |bundle: &Bundle| bundle.key().to_pem().expose_secret().to_owned();
    a.leaf() == b.leaf() && a.chain() == b.chain() && key(a) == key(b)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn writing_and_reading_is_identity(at in 0usize..5, password in "[\u{0}-\u{d7ff}\u{e000}-\u{ffff}]{0,40}", name in ".{0,20}") {
        let bundle = &BUNDLES[at];
        prop_assert_eq!(bundle.chain().len(), at);
        let options = PfxOptions { friendly_name: name.clone(), rounds: 3, password: PasswordRule::Any };
        let password = SecretString::from(password);
        let again = Bundle::from_pfx(&bundle.to_pfx_with(&password, &options).unwrap(), &password).unwrap();
        prop_assert!(same(bundle, &again));
        prop_assert_eq!(again.source().friendly_name.as_deref(), Some(name.as_str()));
        prop_assert!(again.source().pfx.as_ref().unwrap().key_id_matches);
    }

    #[test]
    fn pem_and_back_is_identity(at in 0usize..5, order in any::<[u16; 6]>(), crlf: bool) {
        let bundle = &BUNDLES[at];
        let mut blocks: Vec<String> = bundle.chain().iter().map(Certificate::pem).collect();
        blocks.push(bundle.leaf().pem());
        blocks.push(bundle.key().to_pem().expose_secret().to_owned());
        let mut places: Vec<usize> = (0..blocks.len()).collect();
        places.sort_by_key(|&place| order[place]);
        let mut text: String = places.into_iter().map(|place| format!("a comment\n{}", blocks[place])).collect();
        if crlf {
            text = text.replace('\n', "\r\n");
        }
        prop_assert!(same(bundle, &Bundle::from_pem(text.as_bytes(), None).unwrap()));
    }

    #[test]
    fn any_bytes_give_an_answer(bytes in prop::collection::vec(any::<u8>(), 0..65536), text in "(-----(BEGIN|END) [A-Z ]{0,20}-----\n|[A-Za-z0-9+/=]{0,70}\n){0,40}") {
        let password = SecretString::from("secret");
        let _ = Bundle::from_pfx(&bytes, &password);
        let _ = Bundle::from_pem(&bytes, Some(&password));
        let _ = Bundle::from_pem(text.as_bytes(), Some(&password));
    }

    #[test]
    fn changed_bytes_of_real_files_give_an_answer(
        which in 0usize..4,
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        cut in any::<Option<prop::sample::Index>>(),
    ) {
        let names = ["openssl-nomac-all-none", "hand-indefinite", "hand-nested", "openssl-nomac"];
        let mut bytes = fixture(&format!("pfx/{}.pfx", names[which]));
        for (place, byte) in changes {
            let place = place.index(bytes.len());
            bytes[place] = byte;
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        if let Ok(bundle) = Bundle::from_pfx(&bytes, &SecretString::from("correct-horse")) {
            let _ = bundle.judge(HOST, now());
            let _ = bundle.acm();
        }
    }
}

#[test]
fn a_throw_away_authority_issues_for_every_kind_of_key() {
    let authority = Authority::throw_away("Test", now()).unwrap();
    for kind in [KeyType::Rsa2048, KeyType::P256, KeyType::P384] {
        let bundle =
            authority.issue(&["*.example.com", "a.example"], kind, now(), time("2027-01-01T00:00:00Z")).unwrap();
        assert_eq!(bundle.leaf().dns_names(), ["*.example.com", "a.example"]);
        assert_eq!(bundle.chain(), [authority.intermediate().clone()]);
        assert_eq!(kind.to_string().parse(), Ok(kind));
        assert!(authority.root().is_self_signed());
    }
    assert!(authority.issue(&[], KeyType::P256, now(), now()).is_err());
    assert!(authority.issue(&["no host"], KeyType::P256, now(), now()).is_err());
}
