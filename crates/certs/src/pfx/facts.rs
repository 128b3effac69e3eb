//! What a PKCS#12 file was made with.

use serde::Serialize;

use crate::encryption::Encryption;

/// How a PKCS#12 file was made: what decides who can read it. It holds no secret.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct PfxFacts {
    /// The integrity check; `None` when the file has none.
    pub mac: Option<Mac>,
    /// How each private key is encrypted.
    pub key_encryption: Vec<Encryption>,
    /// How each encrypted part with certificates is encrypted; empty when they are in the clear.
    pub certificate_encryption: Vec<Encryption>,
    /// A private key lies unencrypted in its bag (keyBag).
    pub plain_key: bool,
    /// Bags lie inside of other bags.
    pub nested: bool,
    /// Key and leaf carry the same local key id, which Java needs to put them together.
    pub key_id_matches: bool,
    /// The password is empty.
    pub password_is_empty: bool,
    /// The password has only ASCII characters.
    pub password_is_ascii: bool,
    /// Indefinite lengths occur: BER, not DER.
    pub indefinite_lengths: bool,
    /// Lengths with needless digits occur.
    pub padded_lengths: bool,
}

/// The integrity check of a PKCS#12 file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Mac {
    /// The hash function under HMAC.
    pub digest: String,
    /// The rounds of the key derivation.
    pub rounds: u32,
    /// The length of its salt in bytes.
    pub salt_len: usize,
    /// PBMAC1 (RFC 9879) instead of the key derivation of PKCS#12.
    pub pbmac1: bool,
}
