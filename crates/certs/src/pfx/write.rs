//! The writer: one format that OpenSSL 3 and Java since 8u301 read.

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use secrecy::{ExposeSecret, SecretString};

use crate::bundle::Bundle;
use crate::der::{self, Encoded};
use crate::encryption::{MAX_ROUNDS, Scheme};
use crate::oid;
use crate::password::{Form, Password};

use super::mac;

/// The rounds of the key derivation when nothing else is asked for: those of the JDK.
pub const DEFAULT_ROUNDS: u32 = 10_000;

/// Which passwords the writer takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum PasswordRule {
    /// Not empty, printable ASCII without blanks: what Java reads, and what survives a password file.
    #[default]
    Service,
    /// Anything. Java refuses characters beyond ASCII, and some programs an empty password.
    Any,
}

impl PasswordRule {
    /// Whether the writer takes this password, to be asked before there is anything to write.
    ///
    /// # Errors
    ///
    /// [`WriteError::Password`].
    pub fn check(self, password: &SecretString) -> Result<(), WriteError> {
        let text = password.expose_secret();
        let fits_service = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic());
        if self == Self::Service && !fits_service { Err(WriteError::Password) } else { Ok(()) }
    }
}

/// How a PKCS#12 file is written.
#[derive(Clone, Debug)]
pub struct PfxOptions {
    /// The name that `keytool -list` and Windows show.
    pub friendly_name: String,
    /// The rounds of each key derivation, at least one.
    pub rounds: u32,
    /// Which passwords are taken.
    pub password: PasswordRule,
}

impl Default for PfxOptions {
    fn default() -> Self {
        Self { friendly_name: "automator".into(), rounds: DEFAULT_ROUNDS, password: PasswordRule::Service }
    }
}

/// Why no PKCS#12 file was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WriteError {
    /// [`PasswordRule::Service`] is broken.
    #[error("write the PKCS#12 file, because the password is empty or has characters other than printable ASCII")]
    Password,
    /// There are no rounds, or so many that this crate would not read the file.
    #[error("write the PKCS#12 file with this number of rounds")]
    Rounds,
    /// The operating system gave no random bytes.
    #[error("get random bytes for the PKCS#12 file")]
    Random,
}

impl WriteError {
    /// A stable word for machines.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Password => "pfx-password-not-ascii",
            Self::Rounds => "pfx-rounds",
            Self::Random => "no-random-bytes",
        }
    }

    /// What a person can do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Password => "take a generated password: Java, which reads this file in the service, takes ASCII only",
            Self::Rounds => "leave the rounds at their default",
            Self::Random => "try again; the machine may just have started",
        }
    }
}

impl Bundle {
    /// Writes PKCS#12 as the Automator service reads it, with [`PfxOptions::default`].
    ///
    /// DER; key and certificates under PBES2 with PBKDF2-HMAC-SHA256 and AES-256-CBC (RFC 8018), MAC by HMAC-SHA256
    /// (RFC 7292), salts of 16 bytes, one password for all. The leaf comes first, then the intermediates; key and leaf
    /// carry a local key id, without which Java gives a key that has no chain.
    ///
    /// # Errors
    ///
    /// [`WriteError`], mostly for a password that Java would not take.
    pub fn to_pfx(&self, password: &SecretString) -> Result<Vec<u8>, WriteError> {
        self.to_pfx_with(password, &PfxOptions::default())
    }

    /// Writes the same format with other rounds, another friendly name, or any password.
    ///
    /// # Errors
    ///
    /// [`WriteError`].
    pub fn to_pfx_with(&self, password: &SecretString, options: &PfxOptions) -> Result<Vec<u8>, WriteError> {
        options.password.check(password)?;
        let text = password.expose_secret();
        // Three derivations, and what writes must also be able to read.
        if options.rounds == 0 || u64::from(options.rounds) > MAX_ROUNDS / 4 {
            return Err(WriteError::Rounds);
        }
        let seal = |plain: &[u8]| -> Result<(Encoded, Vec<u8>), WriteError> {
            let scheme = Scheme::modern(random()?, random()?, options.rounds);
            scheme.seal_modern(text.as_bytes(), plain).ok_or(WriteError::Rounds)
        };
        let key_id = digest(&SHA1_FOR_LEGACY_USE_ONLY, self.leaf.der());
        let named = der::set(vec![
            attribute(oid::FRIENDLY_NAME, &bmp_string(&options.friendly_name)),
            attribute(oid::LOCAL_KEY_ID, &der::octets(key_id.as_ref())),
        ]);

        let mut bags = vec![certificate_bag(self.leaf.der(), &named)];
        bags.extend(self.chain.iter().map(|certificate| certificate_bag(certificate.der(), &[])));
        let (algorithm, sealed) = seal(&list(&bags))?;
        let content = der::sequence(&[&der::oid(oid::DATA), &algorithm, &der::value(0x80, &[&sealed])]);
        let encrypted_data = der::sequence(&[&der::small(0), &content]);
        let certificates = der::sequence(&[&der::oid(oid::ENCRYPTED_DATA), &der::explicit(0, &encrypted_data)]);

        let (algorithm, sealed) = seal(self.key.pkcs8())?;
        let shrouded = der::sequence(&[&algorithm, &der::octets(&sealed)]);
        let bag = der::sequence(&[&der::oid(oid::SHROUDED_KEY_BAG), &der::explicit(0, &shrouded), &named]);
        let key = data(&list(&[bag]));

        let safe = der::sequence(&[&certificates, &key]);
        let salt = random()?;
        let bmp = Password::new(password).bmp(Form::Standard);
        let value = mac::sha256(&safe, &bmp, &salt, options.rounds).ok_or(WriteError::Rounds)?;
        let digest_algorithm = der::sequence(&[&der::oid(oid::SHA256), &der::null()]);
        let digest_info = der::sequence(&[&digest_algorithm, &der::octets(&value)]);
        let mac_data = der::sequence(&[&digest_info, &der::octets(&salt), &der::small(options.rounds)]);
        Ok(der::sequence(&[&der::small(3), &data(&safe), &mac_data]).to_vec())
    }
}

fn random() -> Result<[u8; 16], WriteError> {
    let mut bytes = [0; 16];
    aws_lc_rs::rand::fill(&mut bytes).map_err(|_| WriteError::Random)?;
    Ok(bytes)
}

fn data(content: &[u8]) -> Encoded {
    der::sequence(&[&der::oid(oid::DATA), &der::explicit(0, &der::octets(content))])
}

fn list(bags: &[Encoded]) -> Encoded {
    let parts: Vec<&[u8]> = bags.iter().map(|bag| bag.as_slice()).collect();
    der::sequence(&parts)
}

fn certificate_bag(certificate: &[u8], attributes: &[u8]) -> Encoded {
    let value = der::explicit(0, &der::octets(certificate));
    let bag = der::sequence(&[&der::oid(oid::X509_CERTIFICATE), &value]);
    der::sequence(&[&der::oid(oid::CERT_BAG), &der::explicit(0, &bag), attributes])
}

fn attribute(id: &str, value: &[u8]) -> Encoded {
    der::sequence(&[&der::oid(id), &der::value(0x31, &[value])])
}

fn bmp_string(text: &str) -> Encoded {
    let units: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
    der::value(0x1e, &[&units])
}
