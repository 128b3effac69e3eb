//! The integrity check: HMAC with a key from the password, by RFC 7292 (appendix B) or by PBMAC1 (RFC 9879).

use aws_lc_rs::hmac;
use pkcs12::kdf::Pkcs12KeyType;
use zeroize::Zeroizing;

use super::facts::Mac;
use crate::ber::{self, Node, Reader};
use crate::encryption::{Budget, Failure, Hash, Pbkdf2};
use crate::oid;
use crate::password::{Form, Password};

enum Derivation {
    Pkcs12 { salt: Vec<u8>, rounds: u32 },
    Pbmac1(Pbkdf2, usize),
}

/// MacData of one file.
pub(crate) struct MacData {
    hash: Hash,
    value: Vec<u8>,
    derivation: Derivation,
}

impl MacData {
    pub(crate) fn read(node: &Node<'_>) -> Result<Self, Failure> {
        let mut parts = node.inner()?;
        let mut digest_info = parts.sequence("the MAC has no digest")?;
        let mut algorithm = digest_info.sequence("the MAC has no algorithm")?;
        let id = algorithm.oid()?;
        let value = digest_info.next()?.octets()?.to_vec();
        if id == oid::PBMAC1 {
            let (derivation, hash) = Self::read_pbmac1(&mut algorithm)?;
            return Ok(Self { hash, value, derivation });
        }
        let hash = Hash::from_digest(&id)?;
        let salt = parts.next()?.octets()?.to_vec();
        let rounds = match parts.optional(ber::INTEGER)? {
            Some(rounds) => rounds.small()?,
            None => 1,
        };
        if rounds == 0 {
            return Err(Failure::Malformed("the round count of the MAC is zero"));
        }
        Ok(Self { hash, value, derivation: Derivation::Pkcs12 { salt, rounds } })
    }

    fn read_pbmac1(algorithm: &mut Reader<'_>) -> Result<(Derivation, Hash), Failure> {
        let mut parameters = algorithm.sequence("the parameters of PBMAC1 are missing")?;
        let pbkdf2 = Pbkdf2::read(&mut parameters)?;
        let hash = Hash::from_hmac(&parameters.sequence("the HMAC of PBMAC1 is missing")?.oid()?)?;
        // RFC 9879, section 4: keyLength is a must, and short keys are refused.
        match pbkdf2.key_len {
            Some(len @ 20..=128) => Ok((Derivation::Pbmac1(pbkdf2, len), hash)),
            Some(_) => Err(Failure::Unsupported("PBMAC1 with this key length".into())),
            None => Err(Failure::Malformed("PBMAC1 does not tell its key length")),
        }
    }

    /// Whether `content` is what was protected with this password in this form.
    pub(crate) fn fits(
        &self,
        content: &[u8],
        password: &Password<'_>,
        form: Form,
        budget: &mut Budget,
    ) -> Result<bool, Failure> {
        let key = match &self.derivation {
            Derivation::Pkcs12 { salt, rounds } => pkcs12_key(self.hash, &password.bmp(form), salt, *rounds, budget)?,
            Derivation::Pbmac1(pbkdf2, len) => pbkdf2.derive(password.utf8(), *len, budget)?,
        };
        Ok(hmac::verify(&hmac::Key::new(algorithm(self.hash), &key), content, &self.value).is_ok())
    }

    pub(crate) fn describe(&self) -> Mac {
        let (rounds, salt_len, pbmac1) = match &self.derivation {
            Derivation::Pkcs12 { salt, rounds } => (*rounds, salt.len(), false),
            Derivation::Pbmac1(pbkdf2, _) => (pbkdf2.rounds, pbkdf2.salt.len(), true),
        };
        Mac { digest: self.hash.name().to_owned(), rounds, salt_len, pbmac1 }
    }
}

/// HMAC-SHA256 over `content`, as this crate writes it.
pub(crate) fn sha256(content: &[u8], password: &[u8], salt: &[u8], rounds: u32) -> Option<Vec<u8>> {
    let key = pkcs12_key(Hash::Sha256, password, salt, rounds, &mut Budget::default()).ok()?;
    Some(hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &key), content).as_ref().to_vec())
}

fn pkcs12_key(
    hash: Hash,
    password: &[u8],
    salt: &[u8],
    rounds: u32,
    budget: &mut Budget,
) -> Result<Zeroizing<Vec<u8>>, Failure> {
    hash.pkcs12_key(password, salt, Pkcs12KeyType::Mac, rounds, hash.len(), budget)
}

fn algorithm(hash: Hash) -> hmac::Algorithm {
    match hash {
        Hash::Sha1 => hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY,
        Hash::Sha224 => hmac::HMAC_SHA224,
        Hash::Sha256 => hmac::HMAC_SHA256,
        Hash::Sha384 => hmac::HMAC_SHA384,
        Hash::Sha512 => hmac::HMAC_SHA512,
    }
}
