//! What an account's master password is turned into. Only the administrator protocol has one.

use crate::Error;
use crate::crypto::{self, Key};
use secrecy::{ExposeSecret, SecretString};
use std::num::NonZeroU32;
use zeroize::Zeroizing;

/// The most rounds that are computed because a server asks for them: about a second, ten times what Keeper uses.
pub const MOST_ROUNDS: u32 = 10_000_000;

/// Salt and rounds of an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Salt {
    /// Usually 16 bytes.
    pub salt: Vec<u8>,
    /// Rounds of PBKDF2, at most [`MOST_ROUNDS`].
    pub iterations: u32,
}

impl Salt {
    fn rounds(&self) -> Result<NonZeroU32, Error> {
        NonZeroU32::new(self.iterations)
            .filter(|rounds| rounds.get() <= MOST_ROUNDS)
            .ok_or(Error::EncryptionParams("the number of rounds is zero or absurd"))
    }

    /// PBKDF2 with HMAC-SHA-256: 32 bytes. It opens encryption parameters.
    fn key(&self, password: &SecretString) -> Result<Key, Error> {
        let derived = crypto::pbkdf2_sha256(password.expose_secret().as_bytes(), &self.salt, self.rounds()?);
        Key::from_slice(derived.as_ref())
    }

    /// What is shown to the server to prove that the password is known: SHA-256 of that key.
    ///
    /// # Errors
    /// [`Error::EncryptionParams`] for an impossible number of rounds.
    pub fn auth_hash(&self, password: &SecretString) -> Result<[u8; 32], Error> {
        Ok(crypto::sha256(self.key(password)?.expose()))
    }

    /// The second way of deriving a key, which keeps uses apart by `domain` (`data_key` for the data key of an account with
    /// an alternate master password): HMAC-SHA-256 of the domain under 64 bytes of PBKDF2 with HMAC-SHA-512 of domain and
    /// password.
    ///
    /// # Errors
    /// [`Error::EncryptionParams`] for an impossible number of rounds.
    pub fn domain_key(&self, domain: &str, password: &SecretString) -> Result<Key, Error> {
        let text = Zeroizing::new([domain, password.expose_secret()].concat());
        let derived = crypto::pbkdf2_sha512(text.as_bytes(), &self.salt, self.rounds()?);
        Key::from_slice(&crypto::hmac_sha256(derived.as_ref(), domain.as_bytes()))
    }
}

const LEN: usize = 100;

/// Opens encryption parameters (100 bytes): version 1, rounds (3), salt (16), initialisation vector (16), and twice the data
/// key under AES-256-CBC without padding.
///
/// # Errors
/// [`Error::Password`] when the two copies differ, [`Error::EncryptionParams`] when the bytes are something else.
pub fn open_encryption_params(params: &[u8], password: &SecretString) -> Result<Key, Error> {
    let params: &[u8; LEN] = params.try_into().map_err(|_| Error::EncryptionParams("they do not have 100 bytes"))?;
    if params[0] != 1 {
        return Err(Error::EncryptionParams("their version is not 1"));
    }
    let salt =
        Salt { salt: params[4..20].to_vec(), iterations: u32::from_be_bytes([0, params[1], params[2], params[3]]) };
    let twice = salt.key(password)?.open_cbc_blocks(&params[20..])?;
    let (first, second) = twice.split_at(32);
    if !crypto::same(first, second) {
        return Err(Error::Password);
    }
    Key::from_slice(first)
}

/// Makes encryption parameters: what a server keeps of an account.
///
/// # Errors
/// [`Error::EncryptionParams`] when the salt does not have 16 bytes or the rounds do not fit three bytes.
pub fn seal_encryption_params(data_key: &Key, salt: &Salt, password: &SecretString) -> Result<Vec<u8>, Error> {
    let mut iv = [0; 16];
    crypto::fill_random(&mut iv);
    seal_with_iv(data_key, salt, password, iv)
}

fn seal_with_iv(data_key: &Key, salt: &Salt, password: &SecretString, iv: [u8; 16]) -> Result<Vec<u8>, Error> {
    if salt.salt.len() != 16 || salt.iterations >= 1 << 24 {
        return Err(Error::EncryptionParams("they have room for 16 bytes of salt and 2^24 rounds"));
    }
    let twice = Zeroizing::new([*data_key.expose(), *data_key.expose()].concat());
    let mut out = vec![1];
    out.extend_from_slice(&salt.iterations.to_be_bytes()[1..]);
    out.extend_from_slice(&salt.salt);
    out.extend_from_slice(&salt.key(password)?.cbc_blocks(iv, &twice));
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vectors::{hex, key};

    fn salt() -> Salt {
        Salt { salt: (0..16).collect(), iterations: 1000 }
    }

    fn password() -> SecretString {
        "correct horse".into()
    }

    #[test]
    fn derives_as_the_vendor_does() {
        assert_eq!(
            salt().key(&password()).unwrap().expose()[..],
            hex("c914cc4f06cc6e8f46d157e3a1b5aa7abceebb17bb0444cd4c4ac16ca2ae9864")
        );
        assert_eq!(
            salt().auth_hash(&password()).unwrap()[..],
            hex("26b8e4a94ca4bcdba7f262b4192c367ce2bf33fcd89a40fbb00458db5ad30dbc")
        );
        assert_eq!(
            salt().domain_key("data_key", &password()).unwrap().expose()[..],
            hex("5c9bc7d0c6338bc54c98b98f38c53aefc727fa8d5117fc1372cf9458075e669b")
        );
    }

    #[test]
    fn wraps_the_data_key_as_the_vendor_does() {
        let wrapped = hex(
            "010003e8000102030405060708090a0b0c0d0e0f000102030405060708090a0b0c0d0e0f501deff796468e014dcd41faacc7277b004adee693cc4c12\
             67d40720b1eaad62e313a1498dd840ad2fa35cada3db5e1a51e427e47a627b3c8db40b895d75ebf1",
        );
        let iv = std::array::from_fn(|i| u8::try_from(i).unwrap());
        assert_eq!(seal_with_iv(&key(), &salt(), &password(), iv).unwrap(), wrapped);
        assert_eq!(open_encryption_params(&wrapped, &password()).unwrap(), key());
        assert_eq!(open_encryption_params(&wrapped, &"wrong".into()), Err(Error::Password));
        assert!(matches!(open_encryption_params(&wrapped[1..], &password()), Err(Error::EncryptionParams(_))));
    }

    #[test]
    fn an_absurd_number_of_rounds_is_refused_before_it_is_computed() {
        let absurd = Salt { iterations: u32::MAX, ..salt() };
        assert!(matches!(absurd.auth_hash(&password()), Err(Error::EncryptionParams(_))));
    }
}
