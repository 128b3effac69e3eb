//! Passwords for PKCS#12 files.

use secrecy::SecretString;
use zeroize::Zeroizing;

use super::MakeError;

/// The length of a generated password: 190 bits of chance.
pub const PASSWORD_LENGTH: usize = 32;

/// 62 letters and digits: no shell, properties file or Java trims or changes one of them.
const ALPHABET: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/// A new password of [`PASSWORD_LENGTH`] letters and digits.
///
/// Written to `ssl-certificate-password.txt` it must not be followed by a line end.
///
/// # Errors
///
/// [`MakeError::Crypto`] when the operating system gives no random bytes.
pub fn generate_password() -> Result<SecretString, MakeError> {
    let mut text = String::with_capacity(PASSWORD_LENGTH);
    let mut bytes = Zeroizing::new([0; 2 * PASSWORD_LENGTH]);
    while text.len() < PASSWORD_LENGTH {
        aws_lc_rs::rand::fill(bytes.as_mut_slice()).map_err(|_| MakeError::Crypto { what: "a password" })?;
        // Bytes beyond the last whole alphabet would make its first letters likelier.
        let fair = bytes.iter().filter(|&&byte| byte < 248).map(|&byte| char::from(ALPHABET[usize::from(byte % 62)]));
        text.extend(fair.take(PASSWORD_LENGTH - text.len()));
    }
    Ok(text.into())
}
