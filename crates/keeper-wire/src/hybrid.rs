//! The envelope that also resists quantum computers: ECDH and ML-KEM-1024 together (the vendor calls it QRC).
//!
//! Only three hosts have a key for it, and every host also takes [`Transmission::wrap`](crate::Transmission::wrap).

use crate::crypto::{Key, sha256};
use crate::ec::{PrivateKey, PublicKey};
use crate::{Error, Transmission};
use aws_lc_rs::{hkdf, kem};
use zeroize::Zeroizing;

/// Bytes of an ML-KEM-1024 public key, and of what is sealed to one.
pub const ML_KEM_LEN: usize = 1568;

const INFO: &[u8] = b"HPKE_ML-KEM-1024_ECDH-P256_HKDF-SHA256_AES-GCM-256";

/// A transmission key as the server reads it, in the fields of the message `QrcMessageKey`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HybridKey {
    /// Our ephemeral point.
    pub client_ec_public_key: PublicKey,
    /// What ML-KEM sealed: [`ML_KEM_LEN`] bytes.
    pub encapsulated: Vec<u8>,
    /// The transmission key under both secrets: nonce, ciphertext, tag.
    pub data: Vec<u8>,
}

/// A server's two public keys.
#[derive(Clone, Debug)]
pub struct HybridPublicKey {
    /// The P-256 half.
    pub ec: PublicKey,
    /// The ML-KEM-1024 half, [`ML_KEM_LEN`] bytes (FIPS 203 encoding).
    pub ml_kem: Vec<u8>,
}

impl HybridPublicKey {
    /// Wraps a transmission key for this server.
    ///
    /// # Errors
    /// [`Error::Length`] when the ML-KEM half is none.
    pub fn wrap(&self, transmission: &Transmission) -> Result<HybridKey, Error> {
        let wrong = || Error::Length { what: "ML-KEM-1024 public key", expected: ML_KEM_LEN, found: self.ml_kem.len() };
        let server = kem::EncapsulationKey::new(&kem::ML_KEM_1024, &self.ml_kem).map_err(|_| wrong())?;
        let (encapsulated, shared) = server.encapsulate().map_err(|_| wrong())?;
        let ours = PrivateKey::generate();
        let x = ours.shared_x(&self.ec)?;
        let key = wrapping_key(x.as_ref(), shared.as_ref(), &self.ec, &ours.public(), encapsulated.as_ref());
        Ok(HybridKey {
            client_ec_public_key: ours.public(),
            encapsulated: encapsulated.as_ref().to_vec(),
            data: key.seal(transmission.key().expose()),
        })
    }
}

/// The ML-KEM half of a server's private keys, for the side that answers. The P-256 half is one of its usual keys.
pub struct MlKemPrivateKey {
    key: kem::DecapsulationKey,
    /// Kept, because a key that was read back cannot tell it.
    public: Vec<u8>,
}

impl MlKemPrivateKey {
    /// A new ML-KEM-1024 key.
    ///
    /// # Panics
    /// When the operating system gives no random bytes.
    #[must_use]
    pub fn generate() -> Self {
        let key = kem::DecapsulationKey::generate(&kem::ML_KEM_1024).expect("random bytes make a key");
        let public = key.encapsulation_key().and_then(|key| key.key_bytes().map(|bytes| bytes.as_ref().to_vec()));
        Self { key, public: public.expect("a fresh key has a public half") }
    }

    /// Reads back what [`MlKemPrivateKey::expose`] gave, with the public half beside it.
    ///
    /// # Errors
    /// [`Error::Length`] when one of both is none.
    pub fn from_bytes(private: &[u8], public: &[u8]) -> Result<Self, Error> {
        let wrong = |what, found| Error::Length { what, expected: ML_KEM_LEN, found };
        let key = kem::DecapsulationKey::new(&kem::ML_KEM_1024, private)
            .map_err(|_| wrong("ML-KEM-1024 private key", private.len()))?;
        let known = kem::EncapsulationKey::new(&kem::ML_KEM_1024, public).is_ok();
        known.then_some(()).ok_or_else(|| wrong("ML-KEM-1024 public key", public.len()))?;
        Ok(Self { key, public: public.to_vec() })
    }

    /// The private half as bytes (FIPS 203 encoding).
    ///
    /// # Panics
    /// Never: such a key has that form.
    #[must_use]
    pub fn expose(&self) -> Zeroizing<Vec<u8>> {
        let bytes = self.key.key_bytes().expect("a key has bytes");
        Zeroizing::new(bytes.as_ref().to_vec())
    }

    /// The public half, [`ML_KEM_LEN`] bytes.
    #[must_use]
    pub fn public(&self) -> Vec<u8> {
        self.public.clone()
    }

    /// The other side of [`HybridPublicKey::wrap`].
    ///
    /// # Errors
    /// [`Error::Sealed`] when it was wrapped for other keys, [`Error::Length`] when something else is in it.
    pub fn unwrap(&self, ec: &PrivateKey, wrapped: &HybridKey) -> Result<Transmission, Error> {
        let shared = self.key.decapsulate(wrapped.encapsulated.as_slice().into()).map_err(|_| Error::Sealed)?;
        let x = ec.shared_x(&wrapped.client_ec_public_key)?;
        let (server, client) = (ec.public(), &wrapped.client_ec_public_key);
        let key = wrapping_key(x.as_ref(), shared.as_ref(), &server, client, &wrapped.encapsulated);
        Ok(Transmission::from_key(Key::from_slice(&key.open(&wrapped.data)?)?))
    }
}

impl std::fmt::Debug for MlKemPrivateKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MlKemPrivateKey").finish_non_exhaustive()
    }
}

/// HKDF-SHA-256 over both secrets; the info names the suite, both points, and a digest of what was encapsulated.
fn wrapping_key(x: &[u8], shared: &[u8], server: &PublicKey, client: &PublicKey, encapsulated: &[u8]) -> Key {
    let secret = Zeroizing::new([x, shared].concat());
    let digest = sha256(encapsulated);
    let info: [&[u8]; 5] = [INFO, server.as_bytes(), client.as_bytes(), &digest, &[1]];
    let mut out = Zeroizing::new([0; 32]);
    hkdf::Salt::new(hkdf::HKDF_SHA256, &[0; 32])
        .extract(&secret)
        .expand(&info, hkdf::HKDF_SHA256)
        .and_then(|okm| okm.fill(out.as_mut()))
        .expect("32 bytes are one block of HKDF-SHA-256");
    Key::from_slice(out.as_ref()).expect("32 bytes")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vectors::{hex, point, private};

    #[test]
    fn derives_the_wrapping_key_as_the_vendor_does() {
        let key = wrapping_key(&[1; 32], &[2; 32], &point(0x11), &private(0x22).public(), &[0; ML_KEM_LEN]);
        assert_eq!(key.expose()[..], hex("376e08828243bd8c5f56b927203dd9002f2651bbd248acce1511ce72b3cb414d"));
    }

    #[test]
    fn a_server_with_both_keys_opens_it() {
        let (ec, server) = (PrivateKey::generate(), MlKemPrivateKey::generate());
        let ours = Transmission::new();
        let public = HybridPublicKey { ec: ec.public(), ml_kem: server.public() };
        let wrapped = public.wrap(&ours).unwrap();
        assert_eq!(server.unwrap(&ec, &wrapped), Ok(ours));

        let again = MlKemPrivateKey::from_bytes(&server.expose(), &server.public()).unwrap();
        assert_eq!((again.unwrap(&ec, &wrapped).is_ok(), again.public()), (true, server.public()));
        assert!(MlKemPrivateKey::from_bytes(&[1], &server.public()).is_err());

        assert_eq!(server.unwrap(&PrivateKey::generate(), &wrapped), Err(Error::Sealed));
        assert_eq!(MlKemPrivateKey::generate().unwrap(&ec, &wrapped), Err(Error::Sealed));
        let short = HybridKey { encapsulated: vec![0; 100], ..wrapped };
        assert_eq!(server.unwrap(&ec, &short), Err(Error::Sealed));
    }

    #[test]
    fn half_a_key_is_refused_by_its_length() {
        let public = HybridPublicKey { ec: point(0x11), ml_kem: vec![0; 100] };
        assert!(matches!(public.wrap(&Transmission::new()), Err(Error::Length { found: 100, .. })));
    }
}
