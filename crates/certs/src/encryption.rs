//! Password-based encryption: the schemes of PKCS#5 (RFC 8018) and PKCS#12 (RFC 7292, appendix B and C).

use std::num::NonZeroU32;

use aes::{Aes128, Aes192, Aes256};
use aws_lc_rs::pbkdf2 as pbkdf;
use cbc::cipher::block_padding::Pkcs7;
use cbc::cipher::{BlockDecryptMut, BlockEncryptMut, InnerIvInit, KeyIvInit};
use des::{TdesEde2, TdesEde3};
use pkcs12::kdf::{Pkcs12KeyType, derive_key};
use rc2::Rc2;
use serde::Serialize;
use sha1::Sha1;
use zeroize::Zeroizing;

use crate::ber::{Malformed, Node, Reader};
use crate::password::{Form, Password};
use crate::{der, oid};

/// The most key-derivation rounds that all parts of one file may ask for together.
///
/// GnuTLS asks for 600,000 for the MAC and again for each part, so real files reach some millions.
pub const MAX_ROUNDS: u64 = 10_000_000;

/// What is left of [`MAX_ROUNDS`].
#[derive(Debug)]
pub(crate) struct Budget(u64);

impl Default for Budget {
    fn default() -> Self {
        Self(MAX_ROUNDS)
    }
}

impl Budget {
    pub(crate) fn spend(&mut self, rounds: u32, blocks: usize) -> Result<(), Failure> {
        let work = u64::from(rounds).saturating_mul(blocks.max(1) as u64);
        self.0 = self.0.checked_sub(work).ok_or(Failure::TooMuchWork)?;
        Ok(())
    }
}

/// Why something stays closed.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    /// The padding is wrong: another password, or damaged bytes.
    Padding,
    Unsupported(String),
    Malformed(&'static str),
    TooMuchWork,
}

impl From<Malformed> for Failure {
    fn from(Malformed(why): Malformed) -> Self {
        Self::Malformed(why)
    }
}

/// A hash function under HMAC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hash {
    Sha1,
    Sha224,
    Sha256,
    Sha384,
    Sha512,
}

impl Hash {
    pub(crate) fn from_hmac(dotted: &str) -> Result<Self, Failure> {
        Ok(match dotted {
            oid::HMAC_SHA1 => Self::Sha1,
            oid::HMAC_SHA224 => Self::Sha224,
            oid::HMAC_SHA256 => Self::Sha256,
            oid::HMAC_SHA384 => Self::Sha384,
            oid::HMAC_SHA512 => Self::Sha512,
            other => return Err(Failure::Unsupported(oid::name(other))),
        })
    }

    pub(crate) fn from_digest(dotted: &str) -> Result<Self, Failure> {
        Ok(match dotted {
            oid::SHA1 => Self::Sha1,
            oid::SHA224 => Self::Sha224,
            oid::SHA256 => Self::Sha256,
            oid::SHA384 => Self::Sha384,
            oid::SHA512 => Self::Sha512,
            other => return Err(Failure::Unsupported(oid::name(other))),
        })
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Sha1 => "SHA-1",
            Self::Sha224 => "SHA-224",
            Self::Sha256 => "SHA-256",
            Self::Sha384 => "SHA-384",
            Self::Sha512 => "SHA-512",
        }
    }

    pub(crate) fn len(self) -> usize {
        match self {
            Self::Sha1 => 20,
            Self::Sha224 => 28,
            Self::Sha256 => 32,
            Self::Sha384 => 48,
            Self::Sha512 => 64,
        }
    }

    /// The key derivation of PKCS#12; `password` is already in its two-byte form.
    pub(crate) fn pkcs12_key(
        self,
        password: &[u8],
        salt: &[u8],
        purpose: Pkcs12KeyType,
        rounds: u32,
        len: usize,
        budget: &mut Budget,
    ) -> Result<Zeroizing<Vec<u8>>, Failure> {
        budget.spend(rounds, len.div_ceil(self.len()))?;
        let rounds = i32::try_from(rounds).map_err(|_| Failure::TooMuchWork)?;
        Ok(Zeroizing::new(match self {
            Self::Sha1 => derive_key::<Sha1>(password, salt, purpose, rounds, len),
            Self::Sha224 => derive_key::<sha2::Sha224>(password, salt, purpose, rounds, len),
            Self::Sha256 => derive_key::<sha2::Sha256>(password, salt, purpose, rounds, len),
            Self::Sha384 => derive_key::<sha2::Sha384>(password, salt, purpose, rounds, len),
            Self::Sha512 => derive_key::<sha2::Sha512>(password, salt, purpose, rounds, len),
        }))
    }

    fn pbkdf2(self, password: &[u8], salt: &[u8], rounds: NonZeroU32, out: &mut [u8]) {
        let algorithm = match self {
            Self::Sha1 => pbkdf::PBKDF2_HMAC_SHA1,
            Self::Sha224 => return pbkdf2::pbkdf2_hmac::<sha2::Sha224>(password, salt, rounds.get(), out),
            Self::Sha256 => pbkdf::PBKDF2_HMAC_SHA256,
            Self::Sha384 => pbkdf::PBKDF2_HMAC_SHA384,
            Self::Sha512 => pbkdf::PBKDF2_HMAC_SHA512,
        };
        pbkdf::derive(algorithm, rounds, salt, password, out);
    }
}

/// The parameters of PBKDF2 (RFC 8018, appendix A.2).
#[derive(Clone, Debug)]
pub(crate) struct Pbkdf2 {
    pub(crate) salt: Vec<u8>,
    pub(crate) rounds: u32,
    pub(crate) key_len: Option<usize>,
    pub(crate) hash: Hash,
}

impl Pbkdf2 {
    /// Reads `keyDerivationFunc`.
    pub(crate) fn read(outer: &mut Reader<'_>) -> Result<Self, Failure> {
        let mut function = outer.sequence("the key derivation function is missing")?;
        match function.oid()?.as_str() {
            oid::PBKDF2 => {}
            other => return Err(Failure::Unsupported(oid::name(other))),
        }
        let mut parameters = function.sequence("the parameters of PBKDF2 are missing")?;
        let salt = parameters.next()?;
        if !salt.is_octets() {
            return Err(Failure::Unsupported("PBKDF2 with a salt from elsewhere".into()));
        }
        let salt = salt.octets()?.to_vec();
        let rounds = parameters.small("the round count of PBKDF2 is missing")?;
        let key_len = match parameters.optional(crate::ber::INTEGER)? {
            Some(node) => Some(node.small()? as usize),
            None => None,
        };
        let hash = match parameters.optional(crate::ber::SEQUENCE)? {
            Some(prf) => Hash::from_hmac(&prf.inner()?.oid()?)?,
            None => Hash::Sha1,
        };
        Ok(Self { salt, rounds, key_len, hash })
    }

    pub(crate) fn write(&self) -> der::Encoded {
        let prf = der::sequence(&[&der::oid(oid::HMAC_SHA256), &der::null()]);
        let parameters = der::sequence(&[&der::octets(&self.salt), &der::small(self.rounds), &prf]);
        der::sequence(&[&der::oid(oid::PBKDF2), &parameters])
    }

    pub(crate) fn derive(
        &self,
        password: &[u8],
        len: usize,
        budget: &mut Budget,
    ) -> Result<Zeroizing<Vec<u8>>, Failure> {
        let rounds = NonZeroU32::new(self.rounds).ok_or(Failure::Malformed("the round count is zero"))?;
        budget.spend(self.rounds, len.div_ceil(self.hash.len()))?;
        let mut out = Zeroizing::new(vec![0; len]);
        self.hash.pbkdf2(password, &self.salt, rounds, &mut out);
        Ok(out)
    }
}

/// A block cipher in CBC mode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cipher {
    Aes128,
    Aes192,
    Aes256,
    TripleDes,
    TwoKeyTripleDes,
    /// With its effective key length in bits, which is also the length of the key.
    Rc2(usize),
}

impl Cipher {
    fn key_len(self) -> usize {
        match self {
            Self::Aes128 | Self::TwoKeyTripleDes => 16,
            Self::Aes192 | Self::TripleDes => 24,
            Self::Aes256 => 32,
            Self::Rc2(bits) => bits / 8,
        }
    }

    fn iv_len(self) -> usize {
        if matches!(self, Self::Aes128 | Self::Aes192 | Self::Aes256) { 16 } else { 8 }
    }

    fn name(self) -> String {
        match self {
            Self::Aes128 => "AES-128-CBC".into(),
            Self::Aes192 => "AES-192-CBC".into(),
            Self::Aes256 => "AES-256-CBC".into(),
            Self::TripleDes => "3DES-CBC".into(),
            Self::TwoKeyTripleDes => "two-key 3DES-CBC".into(),
            Self::Rc2(bits) => format!("RC2-{bits}-CBC"),
        }
    }

    /// Opens `bytes`; `key` and `iv` have the lengths of this cipher.
    fn open(self, key: &[u8], iv: &[u8], bytes: &[u8]) -> Result<Zeroizing<Vec<u8>>, Failure> {
        fn with<D: BlockDecryptMut>(cipher: Result<D, cbc::cipher::InvalidLength>, bytes: &[u8]) -> Option<Vec<u8>> {
            cipher.ok()?.decrypt_padded_vec_mut::<Pkcs7>(bytes).ok()
        }
        let plain = match self {
            Self::Aes128 => with(cbc::Decryptor::<Aes128>::new_from_slices(key, iv), bytes),
            Self::Aes192 => with(cbc::Decryptor::<Aes192>::new_from_slices(key, iv), bytes),
            Self::Aes256 => with(cbc::Decryptor::<Aes256>::new_from_slices(key, iv), bytes),
            Self::TripleDes => with(cbc::Decryptor::<TdesEde3>::new_from_slices(key, iv), bytes),
            Self::TwoKeyTripleDes => with(cbc::Decryptor::<TdesEde2>::new_from_slices(key, iv), bytes),
            Self::Rc2(bits) => {
                let inner = Rc2::new_with_eff_key_len(key, bits);
                with(cbc::Decryptor::inner_iv_slice_init(inner, iv), bytes)
            }
        };
        plain.map(Zeroizing::new).ok_or(Failure::Padding)
    }
}

#[derive(Clone, Debug)]
enum Derivation {
    Pbkdf2(Pbkdf2),
    Pkcs12 { salt: Vec<u8>, rounds: u32 },
}

/// An encryption scheme with its parameters, as an AlgorithmIdentifier carries it.
#[derive(Clone, Debug)]
pub(crate) struct Scheme {
    name: String,
    cipher: Cipher,
    iv: Vec<u8>,
    derivation: Derivation,
}

/// How one part of a file is encrypted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Encryption {
    /// The scheme, such as `PBES2 AES-256-CBC` or `pbeWithSHA1And40BitRC2-CBC`.
    pub name: String,
    /// The hash function of the key derivation.
    pub hash: String,
    /// The rounds of the key derivation.
    pub rounds: u32,
    /// The length of its salt in bytes.
    pub salt_len: usize,
    /// Whether the cipher is RC2 or 3DES, which a FIPS build of Bouncy Castle may refuse.
    pub legacy: bool,
}

impl Scheme {
    /// Reads the AlgorithmIdentifier that comes next.
    pub(crate) fn read(outer: &mut Reader<'_>) -> Result<Self, Failure> {
        let mut algorithm = outer.sequence("the encryption algorithm is missing")?;
        let id = algorithm.oid()?;
        let cipher = match id.as_str() {
            oid::PBES2 => return Self::read_pbes2(&mut algorithm),
            oid::PBE_SHA1_3DES => Cipher::TripleDes,
            oid::PBE_SHA1_2DES => Cipher::TwoKeyTripleDes,
            oid::PBE_SHA1_RC2_128 => Cipher::Rc2(128),
            oid::PBE_SHA1_RC2_40 => Cipher::Rc2(40),
            other => return Err(Failure::Unsupported(oid::name(other))),
        };
        let mut parameters = algorithm.sequence("the parameters of the encryption are missing")?;
        let salt = parameters.next()?.octets()?.to_vec();
        let rounds = parameters.small("the round count of the encryption is missing")?;
        if rounds == 0 {
            return Err(Failure::Malformed("the round count is zero"));
        }
        Ok(Self { name: oid::name(&id), cipher, iv: Vec::new(), derivation: Derivation::Pkcs12 { salt, rounds } })
    }

    fn read_pbes2(algorithm: &mut Reader<'_>) -> Result<Self, Failure> {
        let mut parameters = algorithm.sequence("the parameters of PBES2 are missing")?;
        let derivation = Pbkdf2::read(&mut parameters)?;
        let mut scheme = parameters.sequence("the cipher of PBES2 is missing")?;
        let id = scheme.oid()?;
        let parameter = |scheme: &mut Reader<'_>| -> Result<Vec<u8>, Failure> { Ok(scheme.next()?.octets()?.to_vec()) };
        let (cipher, iv) = match id.as_str() {
            oid::AES_128_CBC => (Cipher::Aes128, parameter(&mut scheme)?),
            oid::AES_192_CBC => (Cipher::Aes192, parameter(&mut scheme)?),
            oid::AES_256_CBC => (Cipher::Aes256, parameter(&mut scheme)?),
            oid::DES_EDE3_CBC => (Cipher::TripleDes, parameter(&mut scheme)?),
            oid::RC2_CBC => Self::read_rc2(&mut scheme, derivation.key_len)?,
            other => return Err(Failure::Unsupported(oid::name(other))),
        };
        if iv.len() != cipher.iv_len() {
            return Err(Failure::Malformed("the initialisation vector has a wrong length"));
        }
        if derivation.key_len.is_some_and(|len| len != cipher.key_len()) {
            return Err(Failure::Malformed("the key length does not fit the cipher"));
        }
        let name = format!("PBES2 {}", cipher.name());
        Ok(Self { name, cipher, iv, derivation: Derivation::Pbkdf2(derivation) })
    }

    /// RC2-Parameter (RFC 8018, appendix B.2.3): the version tells the effective key length.
    fn read_rc2(scheme: &mut Reader<'_>, key_len: Option<usize>) -> Result<(Cipher, Vec<u8>), Failure> {
        let mut parameters = scheme.sequence("the parameters of RC2 are missing")?;
        let bits = match parameters.small("the version of RC2 is missing")? {
            160 => 40,
            120 => 64,
            58 => 128,
            _ => return Err(Failure::Unsupported("RC2-CBC with this effective key length".into())),
        };
        if key_len.is_some_and(|len| len != bits / 8) {
            return Err(Failure::Unsupported("RC2-CBC with this key length".into()));
        }
        Ok((Cipher::Rc2(bits), parameters.next()?.octets()?.to_vec()))
    }

    /// The one scheme this crate writes: PBES2 with PBKDF2-HMAC-SHA256 and AES-256-CBC.
    pub(crate) fn modern(salt: [u8; 16], iv: [u8; 16], rounds: u32) -> Self {
        Self {
            name: "PBES2 AES-256-CBC".into(),
            cipher: Cipher::Aes256,
            iv: iv.to_vec(),
            derivation: Derivation::Pbkdf2(Pbkdf2 { salt: salt.to_vec(), rounds, key_len: None, hash: Hash::Sha256 }),
        }
    }

    /// The AlgorithmIdentifier of [`Scheme::modern`] and the bytes it makes of `plain`.
    pub(crate) fn seal_modern(&self, password: &[u8], plain: &[u8]) -> Option<(der::Encoded, Vec<u8>)> {
        let Derivation::Pbkdf2(derivation) = &self.derivation else { return None };
        let key = derivation.derive(password, 32, &mut Budget::default()).ok()?;
        let sealed = cbc::Encryptor::<Aes256>::new_from_slices(&key, &self.iv).ok()?;
        let sealed = sealed.encrypt_padded_vec_mut::<Pkcs7>(plain);
        let cipher = der::sequence(&[&der::oid(oid::AES_256_CBC), &der::octets(&self.iv)]);
        let parameters = der::sequence(&[&derivation.write(), &cipher]);
        Some((der::sequence(&[&der::oid(oid::PBES2), &parameters]), sealed))
    }

    /// Decrypts; `form` matters to the PKCS#12 schemes only.
    pub(crate) fn open(
        &self,
        password: &Password<'_>,
        form: Form,
        bytes: &[u8],
        budget: &mut Budget,
    ) -> Result<Zeroizing<Vec<u8>>, Failure> {
        match &self.derivation {
            Derivation::Pbkdf2(pbkdf2) => {
                let key = pbkdf2.derive(password.utf8(), self.cipher.key_len(), budget)?;
                self.cipher.open(&key, &self.iv, bytes)
            }
            Derivation::Pkcs12 { salt, rounds } => {
                let password = password.bmp(form);
                let mut derive = |purpose, len| Hash::Sha1.pkcs12_key(&password, salt, purpose, *rounds, len, budget);
                let key = derive(Pkcs12KeyType::EncryptionKey, self.cipher.key_len())?;
                let iv = derive(Pkcs12KeyType::Iv, self.cipher.iv_len())?;
                self.cipher.open(&key, &iv, bytes)
            }
        }
    }

    /// Whether the form of the password makes a difference.
    pub(crate) fn depends_on_form(&self) -> bool {
        matches!(self.derivation, Derivation::Pkcs12 { .. })
    }

    pub(crate) fn describe(&self) -> Encryption {
        let (hash, rounds, salt_len) = match &self.derivation {
            Derivation::Pbkdf2(pbkdf2) => (pbkdf2.hash, pbkdf2.rounds, pbkdf2.salt.len()),
            Derivation::Pkcs12 { salt, rounds } => (Hash::Sha1, *rounds, salt.len()),
        };
        Encryption {
            name: self.name.clone(),
            hash: hash.name().to_owned(),
            rounds,
            salt_len,
            legacy: !matches!(self.cipher, Cipher::Aes128 | Cipher::Aes192 | Cipher::Aes256),
        }
    }
}

/// Reads an EncryptedPrivateKeyInfo (RFC 5958, section 3): its scheme and its sealed bytes.
pub(crate) fn encrypted_private_key(node: &Node<'_>) -> Result<(Scheme, Vec<u8>), Failure> {
    let mut parts = node.inner()?;
    let scheme = Scheme::read(&mut parts)?;
    let sealed = parts.next()?.octets()?.to_vec();
    Ok((scheme, sealed))
}
