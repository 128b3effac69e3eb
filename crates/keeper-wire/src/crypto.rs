//! Ciphers, all from aws-lc-rs: the only file that names them.
//!
//! Keeper calls AES-256-GCM "v2" and AES-256-CBC "v1". Both put what a reader needs in front of the ciphertext, so one
//! byte string is all there is to store.

use crate::Error;
use aws_lc_rs::{aead, cipher, constant_time, digest, hmac, pbkdf2, rand};
use std::fmt;
use zeroize::Zeroizing;

/// Bytes that AES-GCM adds to a plaintext: nonce and tag.
pub const GCM_OVERHEAD: usize = NONCE + TAG;
const NONCE: usize = 12;
const TAG: usize = 16;
const BLOCK: usize = 16;

/// 32 bytes of a symmetric key. Wiped on drop, never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Key(Zeroizing<[u8; 32]>);

impl Key {
    /// A new random key.
    #[must_use]
    pub fn random() -> Self {
        let mut bytes = Zeroizing::new([0; 32]);
        fill_random(bytes.as_mut());
        Self(bytes)
    }

    /// Takes exactly 32 bytes.
    ///
    /// # Errors
    /// [`Error::Length`] for any other number.
    pub fn from_slice(bytes: &[u8]) -> Result<Self, Error> {
        let bytes = bytes.try_into().map_err(|_| Error::Length { what: "key", expected: 32, found: bytes.len() })?;
        Ok(Self(Zeroizing::new(bytes)))
    }

    /// The bytes themselves.
    #[must_use]
    pub fn expose(&self) -> &[u8; 32] {
        &self.0
    }

    /// AES-256-GCM without associated data: nonce (12), ciphertext, tag (16).
    #[must_use]
    pub fn seal(&self, plain: &[u8]) -> Vec<u8> {
        let mut nonce = [0; NONCE];
        fill_random(&mut nonce);
        self.seal_with_nonce(nonce, plain)
    }

    /// The same with a chosen nonce. Using one twice with one key breaks AES-GCM.
    pub(crate) fn seal_with_nonce(&self, nonce: [u8; NONCE], plain: &[u8]) -> Vec<u8> {
        let mut out = Vec::with_capacity(plain.len() + GCM_OVERHEAD);
        out.extend_from_slice(&nonce);
        out.extend_from_slice(plain);
        let tag = self
            .gcm()
            .seal_in_place_separate_tag(
                aead::Nonce::assume_unique_for_key(nonce),
                aead::Aad::empty(),
                &mut out[NONCE..],
            )
            .expect("AES-GCM seals anything below 64 GiB");
        out.extend_from_slice(tag.as_ref());
        out
    }

    /// Opens what [`Key::seal`] gave.
    ///
    /// # Errors
    /// [`Error::Sealed`] when the text is too short, was made with another key, or was changed.
    pub fn open(&self, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, Error> {
        let (nonce, rest) = sealed.split_first_chunk::<NONCE>().ok_or(Error::Sealed)?;
        let mut text = Zeroizing::new(rest.to_vec());
        let plain = self
            .gcm()
            .open_in_place(aead::Nonce::assume_unique_for_key(*nonce), aead::Aad::empty(), &mut text)
            .map_err(|_| Error::Sealed)?
            .len();
        text.truncate(plain);
        Ok(text)
    }

    /// AES-256-CBC with PKCS#7 padding: initialisation vector (16), ciphertext.
    #[must_use]
    pub fn seal_cbc(&self, plain: &[u8]) -> Vec<u8> {
        let mut iv = [0; BLOCK];
        fill_random(&mut iv);
        self.seal_cbc_with_iv(iv, plain)
    }

    pub(crate) fn seal_cbc_with_iv(&self, iv: [u8; BLOCK], plain: &[u8]) -> Vec<u8> {
        let mut text = Zeroizing::new(plain.to_vec());
        let pad = BLOCK - plain.len() % BLOCK;
        text.extend(std::iter::repeat_n(u8::try_from(pad).expect("at most 16"), pad));
        self.cbc_blocks(iv, &text)
    }

    /// AES-256-CBC of whole blocks, without padding: `iv || ciphertext`.
    pub(crate) fn cbc_blocks(&self, iv: [u8; BLOCK], blocks: &[u8]) -> Vec<u8> {
        let mut text = blocks.to_vec();
        cipher::EncryptingKey::cbc(self.unbound())
            .and_then(|key| key.less_safe_encrypt(&mut text, cipher::EncryptionContext::Iv128((&iv).into())))
            .expect("AES-CBC takes whole blocks");
        [iv.as_slice(), &text].concat()
    }

    /// Opens what [`Key::seal_cbc`] gave. CBC has no tag: a wrong key is noticed by the padding, which lets one in about
    /// 256 pass; look at what comes out.
    ///
    /// # Errors
    /// [`Error::Sealed`] when the length is no multiple of 16 or the padding is wrong.
    pub fn open_cbc(&self, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, Error> {
        let mut text = self.open_cbc_blocks(sealed)?;
        let pad = usize::from(*text.last().ok_or(Error::Sealed)?);
        if pad == 0
            || pad > BLOCK
            || pad > text.len()
            || text[text.len() - pad..].iter().any(|byte| usize::from(*byte) != pad)
        {
            return Err(Error::Sealed);
        }
        let plain = text.len() - pad;
        text.truncate(plain);
        Ok(text)
    }

    pub(crate) fn open_cbc_blocks(&self, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, Error> {
        let (iv, rest) = sealed.split_first_chunk::<BLOCK>().ok_or(Error::Sealed)?;
        if rest.is_empty() || !rest.len().is_multiple_of(BLOCK) {
            return Err(Error::Sealed);
        }
        let mut text = Zeroizing::new(rest.to_vec());
        let key = cipher::DecryptingKey::cbc(self.unbound()).map_err(|_| Error::Sealed)?;
        key.decrypt(&mut text, cipher::DecryptionContext::Iv128(iv.into())).map_err(|_| Error::Sealed)?;
        Ok(text)
    }

    fn gcm(&self) -> aead::LessSafeKey {
        let key = aead::UnboundKey::new(&aead::AES_256_GCM, self.0.as_ref()).expect("32 bytes are an AES-256 key");
        aead::LessSafeKey::new(key)
    }

    fn unbound(&self) -> cipher::UnboundCipherKey {
        cipher::UnboundCipherKey::new(&cipher::AES_256, self.0.as_ref()).expect("32 bytes are an AES-256 key")
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(…)")
    }
}

/// Fills `bytes` from the operating system's generator.
///
/// # Panics
/// When that generator fails, because nothing safe can be done then.
pub fn fill_random(bytes: &mut [u8]) {
    rand::fill(bytes).expect("the operating system gives random bytes");
}

/// SHA-256.
#[must_use]
pub fn sha256(bytes: &[u8]) -> [u8; 32] {
    digest::digest(&digest::SHA256, bytes).as_ref().try_into().expect("SHA-256 gives 32 bytes")
}

/// HMAC-SHA-256 with any key.
#[must_use]
pub fn hmac_sha256(key: &[u8], message: &[u8]) -> [u8; 32] {
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), message);
    tag.as_ref().try_into().expect("HMAC-SHA-256 gives 32 bytes")
}

/// HMAC-SHA-512 with any key.
#[must_use]
pub fn hmac_sha512(key: &[u8], message: &[u8]) -> [u8; 64] {
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA512, key), message);
    tag.as_ref().try_into().expect("HMAC-SHA-512 gives 64 bytes")
}

pub(crate) fn pbkdf2_sha256(password: &[u8], salt: &[u8], rounds: std::num::NonZeroU32) -> Zeroizing<[u8; 32]> {
    let mut out = Zeroizing::new([0; 32]);
    pbkdf2::derive(pbkdf2::PBKDF2_HMAC_SHA256, rounds, salt, password, out.as_mut());
    out
}

pub(crate) fn pbkdf2_sha512(password: &[u8], salt: &[u8], rounds: std::num::NonZeroU32) -> Zeroizing<[u8; 64]> {
    let mut out = Zeroizing::new([0; 64]);
    pbkdf2::derive(pbkdf2::PBKDF2_HMAC_SHA512, rounds, salt, password, out.as_mut());
    out
}

/// Whether two byte strings are equal, in time that depends on their lengths alone.
#[must_use]
pub fn same(left: &[u8], right: &[u8]) -> bool {
    constant_time::verify_slices_are_equal(left, right).is_ok()
}
