//! One X.509 certificate (RFC 5280), read once into what the rest of the crate asks about.

use std::fmt;
use std::net::IpAddr;

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::signature;
use base64ct::{Base64, Encoding};
use jiff::Timestamp;
use x509_parser::extensions::{GeneralName, ParsedExtension};
use x509_parser::prelude::{FromDer, X509Certificate};
use x509_parser::x509::{SubjectPublicKeyInfo, X509Name};

use crate::key::KeyAlgorithm;
use crate::{key, oid};

/// A certificate of version 1 to 3.
///
/// Everything is read when it is made, so the getters cannot fail.
#[derive(Clone, PartialEq, Eq)]
pub struct Certificate {
    der: Vec<u8>,
    pub(crate) facts: Box<Facts>,
}

#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Facts {
    pub(crate) version: u32,
    serial: Vec<u8>,
    subject: String,
    issuer: String,
    pub(crate) subject_der: Vec<u8>,
    pub(crate) issuer_der: Vec<u8>,
    pub(crate) issuer_is_empty: bool,
    pub(crate) common_names: Vec<String>,
    dns_names: Vec<String>,
    ip_addresses: Vec<IpAddr>,
    not_before: Timestamp,
    not_after: Timestamp,
    key: KeyAlgorithm,
    pub(crate) public: Vec<u8>,
    pub(crate) signature_algorithm: String,
    /// `basicConstraints`: whether it is a CA and how long the path below it may be.
    pub(crate) basic_constraints: Option<(bool, Option<u32>)>,
    /// `keyUsage`: whether it allows digital signatures and signing certificates.
    pub(crate) key_usage: Option<(bool, bool)>,
    pub(crate) extended_key_usage: Option<Vec<String>>,
    pub(crate) subject_key_id: Option<Vec<u8>>,
    pub(crate) authority_key_id: Option<Vec<u8>>,
    pub(crate) ocsp_urls: Vec<String>,
    pub(crate) self_signed: bool,
}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Certificate")
            .field("subject", &self.facts.subject)
            .field("issuer", &self.facts.issuer)
            .field("serial", &self.serial_hex())
            .field("not_after", &self.facts.not_after)
            .field("key", &self.facts.key)
            .finish_non_exhaustive()
    }
}

/// The bytes are not an X.509 certificate in DER.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("read the certificate, because it is not X.509 in DER")]
pub struct NotACertificate;

impl Certificate {
    /// Reads one certificate in DER (RFC 5280, section 4.1) without anything after it.
    pub fn from_der(der: &[u8]) -> Result<Self, NotACertificate> {
        let (rest, parsed) = X509Certificate::from_der(der).map_err(|_| NotACertificate)?;
        if !rest.is_empty() {
            return Err(NotACertificate);
        }
        let mut facts = Facts {
            version: parsed.version().0 + 1,
            serial: parsed.raw_serial().to_vec(),
            subject: parsed.subject().to_string(),
            issuer: parsed.issuer().to_string(),
            subject_der: parsed.subject().as_raw().to_vec(),
            issuer_der: parsed.issuer().as_raw().to_vec(),
            issuer_is_empty: parsed.issuer().iter_rdn().next().is_none(),
            common_names: common_names(parsed.subject()),
            dns_names: Vec::new(),
            ip_addresses: Vec::new(),
            not_before: timestamp(parsed.validity().not_before.timestamp()),
            not_after: timestamp(parsed.validity().not_after.timestamp()),
            key: key_algorithm(parsed.public_key()),
            public: parsed.public_key().subject_public_key.data.to_vec(),
            signature_algorithm: parsed.signature_algorithm.algorithm.to_id_string(),
            basic_constraints: None,
            key_usage: None,
            extended_key_usage: None,
            subject_key_id: None,
            authority_key_id: None,
            ocsp_urls: Vec::new(),
            self_signed: false,
        };
        for extension in parsed.extensions() {
            facts.take(extension.parsed_extension());
        }
        let mut certificate = Self { der: der.to_vec(), facts: Box::new(facts) };
        certificate.facts.self_signed =
            certificate.facts.subject_der == certificate.facts.issuer_der && certificate.is_signed_by(&certificate);
        Ok(certificate)
    }

    /// The certificate in DER.
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// The certificate as one PEM block (RFC 7468) with a line feed at the end.
    pub fn pem(&self) -> String {
        pem_block("CERTIFICATE", &self.der)
    }

    /// The serial number in lower-case hexadecimal digits, two for each byte, without a leading zero byte.
    pub fn serial_hex(&self) -> String {
        let zeros = self.facts.serial.iter().take_while(|&&byte| byte == 0).count();
        match &self.facts.serial[zeros..] {
            [] => "00".to_owned(),
            digits => hex(digits),
        }
    }

    /// The content of the serial number's INTEGER.
    #[cfg(feature = "acme")]
    pub(crate) fn serial(&self) -> &[u8] {
        &self.facts.serial
    }

    /// The subject, as `CN=…, O=…` in the order of the certificate.
    pub fn subject(&self) -> &str {
        &self.facts.subject
    }

    /// The issuer, in the same form as the subject.
    pub fn issuer(&self) -> &str {
        &self.facts.issuer
    }

    /// The common names of the subject; usually one.
    pub fn common_names(&self) -> &[String] {
        &self.facts.common_names
    }

    /// The DNS names of the subject alternative name, as the certificate writes them.
    pub fn dns_names(&self) -> &[String] {
        &self.facts.dns_names
    }

    /// The IP addresses of the subject alternative name.
    pub fn ip_addresses(&self) -> &[IpAddr] {
        &self.facts.ip_addresses
    }

    /// The first second of validity.
    pub fn not_before(&self) -> Timestamp {
        self.facts.not_before
    }

    /// The last second of validity; it still counts (RFC 5280, section 4.1.2.5).
    pub fn not_after(&self) -> Timestamp {
        self.facts.not_after
    }

    /// The whole days from `now` to the end of validity, rounded down; negative once it has ended.
    pub fn days_left(&self, now: Timestamp) -> i64 {
        (self.facts.not_after.as_second() - now.as_second()).div_euclid(24 * 60 * 60)
    }

    /// The SHA-256 of the DER in lower-case hexadecimal digits: the usual fingerprint.
    pub fn sha256_hex(&self) -> String {
        hex(digest(&SHA256, &self.der).as_ref())
    }

    /// The kind and size of the certified key.
    pub fn key_algorithm(&self) -> &KeyAlgorithm {
        &self.facts.key
    }

    /// The signature algorithm's usual name, or its dotted object identifier.
    pub fn signature_algorithm(&self) -> String {
        oid::name(&self.facts.signature_algorithm)
    }

    /// Whether it names itself as its issuer and its own key verifies its signature.
    pub fn is_self_signed(&self) -> bool {
        self.facts.self_signed
    }

    /// Whether `basicConstraints` says that it may certify others.
    pub fn is_ca(&self) -> bool {
        matches!(self.facts.basic_constraints, Some((true, _)))
    }

    /// Whether `public` (the bits of `subjectPublicKey`) of the kind `algorithm` is the certified key.
    pub(crate) fn certifies(&self, algorithm: &KeyAlgorithm, public: &[u8]) -> bool {
        let same_kind = match (algorithm, &self.facts.key) {
            // A key may be marked PSS on one side only.
            (KeyAlgorithm::Rsa(a) | KeyAlgorithm::RsaPss(a), KeyAlgorithm::Rsa(b) | KeyAlgorithm::RsaPss(b)) => a == b,
            (a, b) => a == b,
        };
        let elliptic = matches!(algorithm, KeyAlgorithm::P256 | KeyAlgorithm::P384 | KeyAlgorithm::P521);
        same_kind && (self.facts.public == public || elliptic && key::same_point(&self.facts.public, public))
    }

    /// Whether the names and key identifiers allow `issuer` to have issued this certificate.
    pub(crate) fn may_be_issued_by(&self, issuer: &Self) -> bool {
        self.facts.issuer_der == issuer.facts.subject_der
            && match (&self.facts.authority_key_id, &issuer.facts.subject_key_id) {
                (Some(wanted), Some(found)) => wanted == found,
                _ => true,
            }
    }

    /// Whether the key of `issuer` verifies the signature; names do not matter here.
    pub(crate) fn is_signed_by(&self, issuer: &Self) -> bool {
        let Ok((_, parsed)) = X509Certificate::from_der(&self.der) else { return false };
        let Some(algorithm) = verification(&self.facts.signature_algorithm, issuer.key_algorithm(), &parsed) else {
            return false;
        };
        signature::UnparsedPublicKey::new(algorithm, &issuer.facts.public)
            .verify(parsed.tbs_certificate.as_ref(), &parsed.signature_value.data)
            .is_ok()
    }
}

impl Facts {
    fn take(&mut self, extension: &ParsedExtension<'_>) {
        match extension {
            ParsedExtension::SubjectAlternativeName(names) => {
                for name in &names.general_names {
                    match name {
                        GeneralName::DNSName(name) => self.dns_names.push((*name).to_owned()),
                        GeneralName::IPAddress(bytes) => self.ip_addresses.extend(ip_address(bytes)),
                        _ => {}
                    }
                }
            }
            ParsedExtension::BasicConstraints(found) => {
                self.basic_constraints = Some((found.ca, found.path_len_constraint));
            }
            ParsedExtension::KeyUsage(usage) => {
                self.key_usage = Some((usage.digital_signature(), usage.key_cert_sign()));
            }
            ParsedExtension::ExtendedKeyUsage(usage) => {
                let mut purposes: Vec<_> = usage.other.iter().map(|id| id.to_id_string()).collect();
                let known = [
                    (usage.any, oid::ANY_EXTENDED_KEY_USAGE),
                    (usage.server_auth, oid::SERVER_AUTH),
                    (usage.client_auth, oid::CLIENT_AUTH),
                ];
                purposes.extend(known.iter().filter(|(set, _)| *set).map(|(_, id)| (*id).to_owned()));
                self.extended_key_usage = Some(purposes);
            }
            ParsedExtension::SubjectKeyIdentifier(id) => self.subject_key_id = Some(id.0.to_vec()),
            ParsedExtension::AuthorityKeyIdentifier(id) => {
                self.authority_key_id = id.key_identifier.as_ref().map(|id| id.0.to_vec());
            }
            ParsedExtension::AuthorityInfoAccess(access) => {
                for description in
                    access.iter().filter(|item| item.access_method.to_id_string() == "1.3.6.1.5.5.7.48.1")
                {
                    if let GeneralName::URI(url) = description.access_location {
                        self.ocsp_urls.push(url.to_owned());
                    }
                }
            }
            _ => {}
        }
    }
}

/// How to verify a signature of this algorithm by a key of this kind; `None` when this crate cannot.
fn verification(
    id: &str,
    key: &KeyAlgorithm,
    signed: &X509Certificate<'_>,
) -> Option<&'static dyn signature::VerificationAlgorithm> {
    use KeyAlgorithm::{Ed25519, P256, P384, P521, Rsa, RsaPss};
    Some(match (id, key) {
        (oid::SHA1_WITH_RSA, Rsa(_)) => &signature::RSA_PKCS1_1024_8192_SHA1_FOR_LEGACY_USE_ONLY,
        (oid::SHA256_WITH_RSA, Rsa(_)) => &signature::RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY,
        (oid::SHA384_WITH_RSA, Rsa(_)) => &signature::RSA_PKCS1_2048_8192_SHA384,
        (oid::SHA512_WITH_RSA, Rsa(_)) => &signature::RSA_PKCS1_1024_8192_SHA512_FOR_LEGACY_USE_ONLY,
        (oid::RSA_PSS, Rsa(_) | RsaPss(_)) => {
            let parameters = signed.signature_algorithm.parameters.as_ref()?;
            let pss = x509_parser::signature_algorithm::RsaSsaPssParams::try_from(parameters).ok()?;
            match pss.hash_algorithm_oid().to_id_string().as_str() {
                oid::SHA256 => &signature::RSA_PSS_2048_8192_SHA256,
                oid::SHA384 => &signature::RSA_PSS_2048_8192_SHA384,
                oid::SHA512 => &signature::RSA_PSS_2048_8192_SHA512,
                _ => return None,
            }
        }
        (oid::ECDSA_WITH_SHA256, P256) => &signature::ECDSA_P256_SHA256_ASN1,
        (oid::ECDSA_WITH_SHA384, P256) => &signature::ECDSA_P256_SHA384_ASN1,
        (oid::ECDSA_WITH_SHA512, P256) => &signature::ECDSA_P256_SHA512_ASN1,
        (oid::ECDSA_WITH_SHA256, P384) => &signature::ECDSA_P384_SHA256_ASN1,
        (oid::ECDSA_WITH_SHA384, P384) => &signature::ECDSA_P384_SHA384_ASN1,
        (oid::ECDSA_WITH_SHA512, P384) => &signature::ECDSA_P384_SHA512_ASN1,
        (oid::ECDSA_WITH_SHA1, P521) => &signature::ECDSA_P521_SHA1_ASN1,
        (oid::ECDSA_WITH_SHA256, P521) => &signature::ECDSA_P521_SHA256_ASN1,
        (oid::ECDSA_WITH_SHA384, P521) => &signature::ECDSA_P521_SHA384_ASN1,
        (oid::ECDSA_WITH_SHA512, P521) => &signature::ECDSA_P521_SHA512_ASN1,
        (oid::ED25519, Ed25519) => &signature::ED25519,
        _ => return None,
    })
}

fn key_algorithm(info: &SubjectPublicKeyInfo<'_>) -> KeyAlgorithm {
    let bits = || match info.parsed() {
        Ok(x509_parser::public_key::PublicKey::RSA(rsa)) => {
            let zeros = rsa.modulus.iter().take_while(|&&byte| byte == 0).count();
            let digits = &rsa.modulus[zeros..];
            digits.len() as u32 * 8 - digits.first().map_or(0, |byte| byte.leading_zeros())
        }
        _ => 0,
    };
    match info.algorithm.algorithm.to_id_string().as_str() {
        oid::RSA => KeyAlgorithm::Rsa(bits()),
        oid::RSA_PSS => KeyAlgorithm::RsaPss(
            // The inner form is the same as that of a plain RSA key.
            crate::ber::Reader::new(&info.subject_public_key.data, &crate::ber::Notes::default())
                .sequence("")
                .and_then(|mut key| {
                    key.next()?.unsigned().map(|n| n.len() as u32 * 8 - n.first().map_or(0, |b| b.leading_zeros()))
                })
                .unwrap_or_default(),
        ),
        oid::ED25519 => KeyAlgorithm::Ed25519,
        oid::EC => {
            let curve =
                info.algorithm.parameters.as_ref().and_then(|any| any.as_oid().ok()).map(|id| id.to_id_string());
            match curve.as_deref() {
                Some(oid::P256) => KeyAlgorithm::P256,
                Some(oid::P384) => KeyAlgorithm::P384,
                Some(oid::P521) => KeyAlgorithm::P521,
                Some(other) => KeyAlgorithm::Other(format!("elliptic curve {}", oid::name(other))),
                None => KeyAlgorithm::Other("elliptic curve with explicit parameters".into()),
            }
        }
        other => KeyAlgorithm::Other(oid::name(other)),
    }
}

fn common_names(name: &X509Name<'_>) -> Vec<String> {
    name.iter_common_name().filter_map(|part| part.as_str().ok()).map(str::to_owned).collect()
}

fn ip_address(bytes: &[u8]) -> Option<IpAddr> {
    match bytes.len() {
        4 => <[u8; 4]>::try_from(bytes).ok().map(IpAddr::from),
        16 => <[u8; 16]>::try_from(bytes).ok().map(IpAddr::from),
        _ => None,
    }
}

/// Certificates may name any year up to 9999; what lies outside of jiff's range is as good as never.
fn timestamp(seconds: i64) -> Timestamp {
    Timestamp::from_second(seconds).unwrap_or(if seconds < 0 { Timestamp::MIN } else { Timestamp::MAX })
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    use fmt::Write;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// One PEM block with lines of 64 characters and line feeds (RFC 7468, section 2).
pub(crate) fn pem_block(label: &str, der: &[u8]) -> String {
    let text = zeroize::Zeroizing::new(Base64::encode_string(der));
    // Exactly as much as is needed: a string that grows or shrinks leaves copies of a key behind.
    let length = 32 + 2 * label.len() + text.len() + text.len().div_ceil(64);
    let mut block = String::with_capacity(length);
    block.push_str(&["-----BEGIN ", label, "-----\n"].concat());
    let mut rest = text.as_str();
    while !rest.is_empty() {
        let (line, after) = rest.split_at(rest.len().min(64));
        block.push_str(line);
        block.push('\n');
        rest = after;
    }
    block.push_str(&["-----END ", label, "-----\n"].concat());
    block
}
