//! P-256: key pairs, signatures, and the sealing of short texts to a public key.

use crate::crypto::{Key, sha256};
use crate::{Error, text};
use aws_lc_rs::encoding::{AsBigEndian, EcPrivateKeyBin};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1, ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair, UnparsedPublicKey,
};
use aws_lc_rs::{agreement, rand};
use std::fmt;
use zeroize::Zeroizing;

/// Bytes that [`PublicKey::seal`] adds: the ephemeral point (65), nonce (12) and tag (16).
pub const ECIES_OVERHEAD: usize = PublicKey::LEN + crate::crypto::GCM_OVERHEAD;

/// A P-256 public key: the uncompressed point, 65 bytes that begin with `04`.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct PublicKey([u8; Self::LEN]);

impl PublicKey {
    /// Bytes of an uncompressed point.
    pub const LEN: usize = 65;

    /// Takes an uncompressed point, and checks that it is on the curve.
    ///
    /// # Errors
    /// [`Error::Length`], or [`Error::Point`] for 65 bytes that are no point of P-256.
    pub fn from_slice(bytes: &[u8]) -> Result<Self, Error> {
        let point: [u8; Self::LEN] = bytes.try_into().map_err(|_| Error::Length {
            what: "public key",
            expected: Self::LEN,
            found: bytes.len(),
        })?;
        let unparsed = agreement::UnparsedPublicKey::new(&agreement::ECDH_P256, &point);
        if point[0] != 4 || agreement::ParsedPublicKey::try_from(&unparsed).is_err() {
            return Err(Error::Point);
        }
        Ok(Self(point))
    }

    /// The same from base64 in any alphabet.
    ///
    /// # Errors
    /// As [`PublicKey::from_slice`], or [`Error::Base64`].
    pub fn from_base64(text: &str) -> Result<Self, Error> {
        Self::from_slice(&text::decode(text)?)
    }

    /// The uncompressed point.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; Self::LEN] {
        &self.0
    }

    /// Seals a text so that only the holder of the private key opens it: ephemeral point (65), nonce (12), ciphertext,
    /// tag (16). The key is SHA-256 of the x coordinate of ECDH; no associated data.
    #[must_use]
    pub fn seal(&self, plain: &[u8]) -> Vec<u8> {
        let ephemeral = PrivateKey::generate();
        let key = ephemeral.agree(self).expect("a checked point and a fresh key agree");
        [ephemeral.public().as_bytes().as_slice(), &key.seal(plain)].concat()
    }

    /// Whether `signature` (ECDSA with SHA-256, ASN.1 DER) over `message` was made by the private key.
    #[must_use]
    pub fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, &self.0).verify(message, signature).is_ok()
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({})", text::url(&self.0))
    }
}

/// A P-256 private key. Wiped on drop, never printed.
#[derive(Clone)]
pub struct PrivateKey {
    scalar: Zeroizing<[u8; 32]>,
    public: PublicKey,
}

impl PrivateKey {
    /// A new random key pair.
    #[must_use]
    pub fn generate() -> Self {
        loop {
            // All but one of about 2^32 random strings is a valid scalar.
            let mut scalar = Zeroizing::new([0; 32]);
            crate::crypto::fill_random(scalar.as_mut());
            if let Ok(key) = Self::from_scalar(scalar.as_ref()) {
                return key;
            }
        }
    }

    /// Takes the raw big-endian scalar, as the administrator protocol keeps it.
    ///
    /// # Errors
    /// [`Error::Length`], or [`Error::PrivateKey`] for zero and for values beyond the order of the curve.
    pub fn from_scalar(bytes: &[u8]) -> Result<Self, Error> {
        let scalar: [u8; 32] =
            bytes.try_into().map_err(|_| Error::Length { what: "private key", expected: 32, found: bytes.len() })?;
        let scalar = Zeroizing::new(scalar);
        let key = agreement::PrivateKey::from_private_key(&agreement::ECDH_P256, scalar.as_ref())
            .map_err(|_| Error::PrivateKey)?;
        let public = key.compute_public_key().map_err(|_| Error::PrivateKey)?;
        Ok(Self { scalar, public: PublicKey::from_slice(public.as_ref())? })
    }

    /// Takes unencrypted PKCS#8 DER (RFC 5208) with or without the public point, as a device configuration keeps it.
    ///
    /// # Errors
    /// [`Error::PrivateKey`] for anything else, keys of other curves included.
    pub fn from_pkcs8(der: &[u8]) -> Result<Self, Error> {
        let key =
            agreement::PrivateKey::from_private_key_der(&agreement::ECDH_P256, der).map_err(|_| Error::PrivateKey)?;
        let scalar: EcPrivateKeyBin<'_> = key.as_be_bytes().map_err(|_| Error::PrivateKey)?;
        Self::from_scalar(scalar.as_ref())
    }

    /// PKCS#8 DER with the public point: 138 bytes.
    #[must_use]
    pub fn to_pkcs8(&self) -> Zeroizing<Vec<u8>> {
        let der = self.signer().to_pkcs8v1().expect("a valid key has a PKCS#8 form");
        Zeroizing::new(der.as_ref().to_vec())
    }

    /// The raw big-endian scalar.
    #[must_use]
    pub fn expose_scalar(&self) -> &[u8; 32] {
        &self.scalar
    }

    /// The public half.
    #[must_use]
    pub fn public(&self) -> PublicKey {
        self.public
    }

    /// ECDSA with SHA-256 over `message`, ASN.1 DER, about 70 to 72 bytes.
    #[must_use]
    pub fn sign(&self, message: &[u8]) -> Vec<u8> {
        let signature = self.signer().sign(&rand::SystemRandom::new(), message).expect("a valid key signs");
        signature.as_ref().to_vec()
    }

    /// Opens what [`PublicKey::seal`] gave.
    ///
    /// # Errors
    /// [`Error::Sealed`] when it is too short, was sealed to another key, or was changed.
    pub fn open(&self, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, Error> {
        let (point, rest) = sealed.split_first_chunk::<{ PublicKey::LEN }>().ok_or(Error::Sealed)?;
        let ephemeral = PublicKey::from_slice(point).map_err(|_| Error::Sealed)?;
        self.agree(&ephemeral)?.open(rest)
    }

    /// The x coordinate of ECDH with `peer`: 32 bytes.
    pub(crate) fn shared_x(&self, peer: &PublicKey) -> Result<Zeroizing<[u8; 32]>, Error> {
        let key = agreement::PrivateKey::from_private_key(&agreement::ECDH_P256, self.scalar.as_ref())
            .map_err(|_| Error::PrivateKey)?;
        let peer = agreement::UnparsedPublicKey::new(&agreement::ECDH_P256, peer.as_bytes());
        agreement::agree(&key, peer, Error::Point, |x| Ok(Zeroizing::new(x.try_into().map_err(|_| Error::Point)?)))
    }

    pub(crate) fn agree(&self, peer: &PublicKey) -> Result<Key, Error> {
        Key::from_slice(&sha256(self.shared_x(peer)?.as_ref()))
    }

    fn signer(&self) -> EcdsaKeyPair {
        EcdsaKeyPair::from_private_key_and_public_key(
            &ECDSA_P256_SHA256_ASN1_SIGNING,
            self.scalar.as_ref(),
            self.public.as_bytes(),
        )
        .inspect(|pair| debug_assert_eq!(pair.public_key().as_ref(), self.public.as_bytes()))
        .expect("scalar and point were checked")
    }
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PrivateKey").field("public", &self.public).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pkcs8_holds_the_public_point_and_comes_back() {
        let key = PrivateKey::generate();
        let der = key.to_pkcs8();
        assert_eq!(der.len(), 138);
        let again = PrivateKey::from_pkcs8(&der).unwrap();
        assert_eq!((again.expose_scalar(), again.public()), (key.expose_scalar(), key.public()));
    }

    #[test]
    fn a_signature_is_of_one_text_by_one_key() {
        let key = PrivateKey::generate();
        let signature = key.sign(b"text");
        assert!(key.public().verifies(b"text", &signature));
        assert!(!key.public().verifies(b"other", &signature));
        assert!(!PrivateKey::generate().public().verifies(b"text", &signature));
    }

    #[test]
    fn what_is_no_point_or_scalar_is_refused() {
        assert_eq!(PublicKey::from_slice(&[4; 65]), Err(Error::Point));
        assert!(matches!(PublicKey::from_slice(&[4; 64]), Err(Error::Length { found: 64, .. })));
        assert_eq!(PrivateKey::from_scalar(&[0; 32]).unwrap_err(), Error::PrivateKey);
        assert_eq!(PrivateKey::from_scalar(&[0xff; 32]).unwrap_err(), Error::PrivateKey);
        assert_eq!(PrivateKey::from_pkcs8(b"junk").unwrap_err(), Error::PrivateKey);
    }
}
