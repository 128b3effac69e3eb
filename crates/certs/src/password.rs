//! A password in the forms that PKCS#12 and PKCS#5 ask for.

use secrecy::{ExposeSecret, SecretString};
use zeroize::Zeroizing;

/// How a password was turned into the bytes of a PKCS#12 key derivation (RFC 7292, appendix B.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// UTF-16, big endian, with two zero bytes at the end.
    Standard,
    /// No bytes at all: what some programs do when the password is empty.
    Absent,
    /// Each byte of the UTF-8 text as one character: what OpenSSL did before 1.1.0.
    Bytewise,
}

pub(crate) struct Password<'a> {
    text: &'a SecretString,
}

impl<'a> Password<'a> {
    pub(crate) fn new(text: &'a SecretString) -> Self {
        Self { text }
    }

    /// The forms worth trying, the usual one first.
    pub(crate) fn forms(&self) -> &'static [Form] {
        let text = self.text.expose_secret();
        if text.is_empty() {
            &[Form::Standard, Form::Absent]
        } else if text.is_ascii() {
            &[Form::Standard]
        } else {
            &[Form::Standard, Form::Bytewise]
        }
    }

    pub(crate) fn is_ascii(&self) -> bool {
        self.text.expose_secret().is_ascii()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.text.expose_secret().is_empty()
    }

    /// The bytes for PBKDF2 (PBES2, PBMAC1).
    pub(crate) fn utf8(&self) -> &[u8] {
        self.text.expose_secret().as_bytes()
    }

    /// The bytes for the PKCS#12 key derivation.
    pub(crate) fn bmp(&self, form: Form) -> Zeroizing<Vec<u8>> {
        let text = self.text.expose_secret();
        let mut bytes = Zeroizing::new(Vec::with_capacity(text.len() * 2 + 2));
        match form {
            Form::Absent => return bytes,
            Form::Standard => text.encode_utf16().for_each(|unit| bytes.extend_from_slice(&unit.to_be_bytes())),
            Form::Bytewise => text.bytes().for_each(|byte| bytes.extend_from_slice(&[0, byte])),
        }
        bytes.extend_from_slice(&[0, 0]);
        bytes
    }
}
