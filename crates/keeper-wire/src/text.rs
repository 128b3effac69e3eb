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
    let mut plain = Zeroizing::new(String::with_capacity(text.len()));
    plain.extend(text.chars().filter(|c| !c.is_ascii_whitespace()).map(|c| match c {
        '+' => '-',
        '/' => '_',
        other => other,
    }));
    let body = plain.trim_end_matches('=');
    if plain.len() - body.len() > 2 {
        return Err(Error::Base64);
    }
    Ok(Zeroizing::new(Base64UrlUnpadded::decode_vec(body).map_err(|_| Error::Base64)?))
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
