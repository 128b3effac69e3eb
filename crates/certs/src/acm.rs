//! What AWS Certificate Manager imports.
//!
//! The limits are those of [the ACM user guide][limits] and of its API reference.
//!
//! [limits]: https://docs.aws.amazon.com/acm/latest/userguide/import-certificate-prerequisites.html

use std::fmt;

use secrecy::{ExposeSecret, SecretString};

use crate::bundle::Bundle;
use crate::certificate::pem_block;
use crate::key::{KeyAlgorithm, PrivateKey};

/// The most bytes of PEM text ACM takes as certificate.
pub const MAX_BODY: usize = 32_768;
/// The most bytes of PEM text ACM takes as private key.
pub const MAX_PRIVATE_KEY: usize = 5_120;
/// The most bytes of PEM text ACM takes as chain.
pub const MAX_CHAIN: usize = 2_097_152;

/// The three fields of ACM's ImportCertificate, as PEM text without anything but blocks.
#[derive(Clone)]
pub struct AcmImport {
    /// Exactly one certificate: the leaf.
    pub body: String,
    /// The private key, not encrypted, as PKCS#8 (`BEGIN PRIVATE KEY`).
    pub private_key: SecretString,
    /// The intermediates in issuing order, without leaf and root; `None` when there is none.
    pub chain: Option<String>,
}

impl fmt::Debug for AcmImport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AcmImport").field("body", &self.body).field("chain", &self.chain).finish_non_exhaustive()
    }
}

/// Why ACM would refuse the bundle whatever the time is.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AcmError {
    /// ACM takes RSA of 1024, 2048, 3072 or 4096 bits and ECDSA over P-256, P-384 and P-521; this crate no RSA below 2048.
    #[error("convert the certificate for ACM, because it does not take a key of the kind {0}")]
    KeyType(KeyAlgorithm),
    /// ACM takes X.509 version 3 only.
    #[error("convert the certificate for ACM, because it is of version {0}, not 3")]
    Version(u32),
    /// The issuer's name is empty.
    #[error("convert the certificate for ACM, because its issuer has no name")]
    EmptyIssuer,
    /// A field is longer than its limit.
    #[error("convert the certificate for ACM, because its {field} has {length} bytes, more than {limit}")]
    TooLarge {
        /// `body`, `private key` or `chain`.
        field: &'static str,
        /// Its length in bytes.
        length: usize,
        /// The limit in bytes.
        limit: usize,
    },
}

impl AcmError {
    /// A stable word for machines.
    pub fn code(&self) -> &'static str {
        match self {
            Self::KeyType(_) => "acm-key-type",
            Self::Version(_) => "acm-version",
            Self::EmptyIssuer => "acm-empty-issuer",
            Self::TooLarge { .. } => "acm-too-large",
        }
    }

    /// What a person can do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::KeyType(_) => "have a key of RSA 2048 or ECDSA P-256 certified",
            Self::Version(_) | Self::EmptyIssuer => "have the certificate issued again by an ordinary authority",
            Self::TooLarge { .. } => "have a certificate with fewer names or a smaller key issued",
        }
    }
}

impl Bundle {
    /// The bundle as ACM imports it.
    ///
    /// The chain is what the guide's `openssl crl2pkcs7 | openssl pkcs7 -print_certs` is meant to give and does not: it
    /// has neither the leaf nor the root, and no text between the blocks. Validity depends on the time, so it is left to
    /// [`judge`](Bundle::judge).
    ///
    /// # Errors
    ///
    /// [`AcmError`] for what ACM refuses at any time.
    pub fn acm(&self) -> Result<AcmImport, AcmError> {
        if let Some(algorithm) = self.not_taken() {
            return Err(AcmError::KeyType(algorithm.clone()));
        }
        let facts = &self.leaf.facts;
        if facts.version != 3 {
            return Err(AcmError::Version(facts.version));
        }
        if facts.issuer_is_empty {
            return Err(AcmError::EmptyIssuer);
        }
        let body = self.leaf.pem();
        let private_key = self.key.to_pem();
        let chain = match self.chain.as_slice() {
            [] => None,
            chain => Some(chain.iter().map(|certificate| certificate.pem()).collect::<String>()),
        };
        let fields = [
            ("body", body.len(), MAX_BODY),
            ("private key", private_key.expose_secret().len(), MAX_PRIVATE_KEY),
            ("chain", chain.as_ref().map_or(0, String::len), MAX_CHAIN),
        ];
        for (field, length, limit) in fields {
            if length > limit {
                return Err(AcmError::TooLarge { field, length, limit });
            }
        }
        Ok(AcmImport { body, private_key, chain })
    }

    /// The kind of the key that ACM does not take; the certificate may narrow what the key says of itself.
    pub(crate) fn not_taken(&self) -> Option<&KeyAlgorithm> {
        [self.key.algorithm(), self.leaf.key_algorithm()].into_iter().find(|algorithm| !takes(algorithm))
    }
}

impl PrivateKey {
    /// The key as one PEM block of PKCS#8, not encrypted.
    pub fn to_pem(&self) -> SecretString {
        pem_block("PRIVATE KEY", self.pkcs8()).into()
    }
}

/// Whether ACM, and the policy of this crate, take a key of this kind.
fn takes(algorithm: &KeyAlgorithm) -> bool {
    use KeyAlgorithm::{P256, P384, P521, Rsa};
    matches!(algorithm, Rsa(2048 | 3072 | 4096) | P256 | P384 | P521)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ber::{Notes, Reader};

    #[test]
    fn a_certificate_for_pss_stays_one_whatever_its_key_says() {
        let pfx = include_bytes!("../tests/fixtures/pfx/openssl-default-rsapss.pfx");
        let bundle = Bundle::from_pfx(pfx, &"correct-horse".into()).unwrap();
        let notes = Notes::default();
        let mut info = Reader::new(bundle.key.pkcs8(), &notes).sequence("").unwrap();
        info.small("").unwrap();
        info.sequence("").unwrap();
        let key = PrivateKey::from_pkcs1(&info.next().unwrap().octets().unwrap()).unwrap();
        assert!(takes(key.algorithm()));
        let bundle = Bundle::new(key, vec![bundle.leaf.clone()]).unwrap();
        assert!(matches!(bundle.acm(), Err(AcmError::KeyType(KeyAlgorithm::RsaPss(_)))));
        let report = bundle.judge("automator.example.com", jiff::Timestamp::UNIX_EPOCH);
        assert!(report.findings.iter().any(|finding| finding.id == "key-not-for-acm"));
    }
}
