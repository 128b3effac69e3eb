//! RSA with PKCS#1 v1.5 padding, as older accounts and enterprises still have it.

use crate::Error;
use aws_lc_rs::rsa::{
    KeyPair, KeySize, Pkcs1PrivateDecryptingKey, Pkcs1PublicEncryptingKey, PrivateDecryptingKey, PublicEncryptingKey,
};
use aws_lc_rs::signature::KeyPair as _;
use zeroize::Zeroizing;

/// Seals a short text to an RSA public key, given as PKCS#1 `RSAPublicKey` DER (RFC 8017 A.1.1).
///
/// # Errors
/// [`Error::RsaKey`] when it is no such key, or too small for the text.
pub fn seal(public_pkcs1: &[u8], plain: &[u8]) -> Result<Vec<u8>, Error> {
    let key = PublicEncryptingKey::from_der(&spki(public_pkcs1)).map_err(|_| Error::RsaKey)?;
    let key = Pkcs1PublicEncryptingKey::new(key).map_err(|_| Error::RsaKey)?;
    let mut out = vec![0; key.ciphertext_size()];
    let len = key.encrypt(plain, &mut out).map_err(|_| Error::RsaKey)?.len();
    out.truncate(len);
    Ok(out)
}

/// Opens what was sealed to an RSA key, given as PKCS#1 `RSAPrivateKey` DER (RFC 8017 A.1.2).
///
/// # Errors
/// [`Error::RsaKey`] when it is no such key, [`Error::Sealed`] when it does not open the text.
pub fn open(private_pkcs1: &[u8], sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, Error> {
    let key = PrivateDecryptingKey::from_pkcs8(&pkcs8(private_pkcs1)).map_err(|_| Error::RsaKey)?;
    let key = Pkcs1PrivateDecryptingKey::new(key).map_err(|_| Error::RsaKey)?;
    let mut out = Zeroizing::new(vec![0; key.min_output_size()]);
    let len = key.decrypt(sealed, &mut out).map_err(|_| Error::Sealed)?.len();
    out.truncate(len);
    Ok(out)
}

/// A new key of 2048 bits: `RSAPrivateKey` and `RSAPublicKey` in DER. Takes a few tenths of a second.
///
/// # Panics
/// When the operating system gives no random bytes.
#[must_use]
pub fn generate() -> (Zeroizing<Vec<u8>>, Vec<u8>) {
    use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
    let pair = KeyPair::generate(KeySize::Rsa2048).expect("2048 bits are allowed");
    let der: Pkcs8V1Der<'_> = pair.as_der().expect("a fresh key has a PKCS#8 form");
    let private = unwrap_pkcs8(der.as_ref()).expect("PKCS#8 of an RSA key wraps PKCS#1");
    (Zeroizing::new(private.to_vec()), pair.public_key().as_ref().to_vec())
}

/// AlgorithmIdentifier { rsaEncryption, NULL }.
const RSA_ENCRYPTION: [u8; 15] = [0x30, 13, 6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1, 5, 0];

/// RFC 5280: SubjectPublicKeyInfo { algorithm, BIT STRING { RSAPublicKey } }.
fn spki(pkcs1: &[u8]) -> Vec<u8> {
    let bits = tlv(3, &[&[0], pkcs1]);
    tlv(0x30, &[&RSA_ENCRYPTION, &bits])
}

/// RFC 5208: PrivateKeyInfo { 0, algorithm, OCTET STRING { RSAPrivateKey } }.
fn pkcs8(pkcs1: &[u8]) -> Zeroizing<Vec<u8>> {
    let octets = Zeroizing::new(tlv(4, &[pkcs1]));
    Zeroizing::new(tlv(0x30, &[&[2, 1, 0], &RSA_ENCRYPTION, &octets]))
}

/// The other way round; only for what aws-lc-rs wrote.
fn unwrap_pkcs8(der: &[u8]) -> Option<&[u8]> {
    let body = content(0x30, der)?;
    let rest = body.strip_prefix(&[2, 1, 0])?.strip_prefix(&RSA_ENCRYPTION)?;
    content(4, rest)
}

fn content(tag: u8, der: &[u8]) -> Option<&[u8]> {
    let (&[found, first], rest) = der.split_first_chunk::<2>()?;
    let skip = if first < 0x80 { 0 } else { usize::from(first & 0x7f) };
    (found == tag).then(|| rest.get(skip..)).flatten()
}

fn tlv(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let len: usize = parts.iter().map(|part| part.len()).sum();
    let bytes = len.to_be_bytes();
    let significant = &bytes[bytes.iter().position(|byte| *byte != 0).unwrap_or(bytes.len() - 1)..];
    let mut out = vec![tag];
    if len >= 0x80 {
        out.push(0x80 | u8::try_from(significant.len()).expect("at most 8"));
    }
    out.extend_from_slice(significant);
    parts.iter().for_each(|part| out.extend_from_slice(part));
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sealed_opens() {
        let (private, public) = generate();
        let sealed = seal(&public, b"data key").unwrap();
        assert_eq!(sealed.len(), 256);
        assert_eq!(open(&private, &sealed).unwrap()[..], b"data key"[..]);
        assert!(open(&generate().0, &sealed).is_err());
    }

    #[test]
    fn other_bytes_are_no_key() {
        assert_eq!(seal(b"", b"x"), Err(Error::RsaKey));
        assert_eq!(open(&[0x30; 400], &[0; 256]), Err(Error::RsaKey));
    }
}
