//! Base64 as Keeper's products write it, which is in every way there is.

use crate::Error;
use base64ct::{Base64, Base64UrlUnpadded, Encoding};
use zeroize::Zeroizing;

/// Decodes base64 of either alphabet, padded or not, with white space anywhere. Takes time that depends on the length
/// alone, because private keys come this way.
///
/// # Errors
/// [`Error::Base64`], without any of the text.
pub fn decode(text: &str) -> Result<Zeroizing<Vec<u8>>, Error> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(text.len()));
    bytes.extend(text.bytes().filter(|byte| !byte.is_ascii_whitespace()).map(|byte| match byte {
        b'+' => b'-',
        b'/' => b'_',
        other => other,
    }));
    let padding = bytes.iter().rev().take_while(|byte| **byte == b'=').count();
    if padding > 2 {
        return Err(Error::Base64);
    }
    let body = bytes.len() - padding;
    let plain = Base64UrlUnpadded::decode_in_place(&mut bytes[..body]).map_err(|_| Error::Base64)?.len();
    // What is left behind the plain text is wiped with the rest when this is dropped.
    bytes.truncate(plain);
    Ok(bytes)
}

/// Standard base64 with padding.
#[must_use]
pub fn standard(bytes: &[u8]) -> String {
    Base64::encode_string(bytes)
}

/// URL-safe base64 without padding.
#[must_use]
pub fn url(bytes: &[u8]) -> String {
    Base64UrlUnpadded::encode_string(bytes)
}
