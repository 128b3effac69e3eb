//! The keys this crate makes.

use std::fmt;
use std::str::FromStr;

use rcgen::{KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_ECDSA_P384_SHA384, PKCS_RSA_SHA256, RsaKeySize, SignatureAlgorithm};
use zeroize::Zeroizing;

use super::MakeError;
use crate::key::{KeyAlgorithm, PrivateKey};

/// The kind of a key to make; all of them are taken by ACM and by load balancers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum KeyType {
    /// RSA of 2048 bits, which every client knows.
    Rsa2048,
    /// RSA of 3072 bits.
    Rsa3072,
    /// RSA of 4096 bits; slow to make and to use.
    Rsa4096,
    /// ECDSA over P-256, fast and small.
    #[default]
    P256,
    /// ECDSA over P-384.
    P384,
}

impl fmt::Display for KeyType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Rsa2048 => "rsa-2048",
            Self::Rsa3072 => "rsa-3072",
            Self::Rsa4096 => "rsa-4096",
            Self::P256 => "p-256",
            Self::P384 => "p-384",
        })
    }
}

/// The text is not one of `rsa-2048`, `rsa-3072`, `rsa-4096`, `p-256` and `p-384`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("understand the key type: it is one of rsa-2048, rsa-3072, rsa-4096, p-256, p-384")]
pub struct UnknownKeyType;

impl FromStr for KeyType {
    type Err = UnknownKeyType;

    fn from_str(text: &str) -> Result<Self, UnknownKeyType> {
        let all = [Self::Rsa2048, Self::Rsa3072, Self::Rsa4096, Self::P256, Self::P384];
        all.into_iter().find(|kind| kind.to_string() == text).ok_or(UnknownKeyType)
    }
}

pub(crate) fn generate(kind: KeyType) -> Result<KeyPair, MakeError> {
    let pair = match kind {
        KeyType::Rsa2048 => KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048),
        KeyType::Rsa3072 => KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_3072),
        KeyType::Rsa4096 => KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_4096),
        KeyType::P256 => KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256),
        KeyType::P384 => KeyPair::generate_for(&PKCS_ECDSA_P384_SHA384),
    };
    pair.map_err(|_| MakeError::Crypto { what: "a private key" })
}

/// The key of a pair that was just made.
pub(crate) fn private_key(pair: &KeyPair) -> Result<PrivateKey, MakeError> {
    let der = Zeroizing::new(pair.serialize_der());
    PrivateKey::from_pkcs8(&der).map_err(|_| MakeError::Crypto { what: "a private key" })
}

impl PrivateKey {
    /// Makes a new key with the random numbers of the operating system.
    ///
    /// # Errors
    ///
    /// [`MakeError::Crypto`] when there are no random numbers.
    pub fn generate(kind: KeyType) -> Result<Self, MakeError> {
        private_key(&generate(kind)?)
    }

    /// The key in rcgen's form, to sign with.
    pub(crate) fn signer(&self) -> Result<KeyPair, MakeError> {
        let algorithm: &'static SignatureAlgorithm = match self.algorithm() {
            KeyAlgorithm::Rsa(_) => &PKCS_RSA_SHA256,
            KeyAlgorithm::P256 => &PKCS_ECDSA_P256_SHA256,
            KeyAlgorithm::P384 => &PKCS_ECDSA_P384_SHA384,
            other => return Err(MakeError::KeyType(other.clone())),
        };
        let der = self.pkcs8().as_slice().into();
        KeyPair::from_pkcs8_der_and_sign_algo(&der, algorithm).map_err(|_| MakeError::KeyType(self.algorithm().clone()))
    }
}
