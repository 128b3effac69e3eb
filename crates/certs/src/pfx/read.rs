//! The reader: PFX, AuthenticatedSafe, SafeContents, bags (RFC 7292, section 4).

use secrecy::SecretString;
use zeroize::Zeroizing;

use super::facts::PfxFacts;
use super::mac::MacData;
use crate::ber::{self, Malformed, Node, Notes, Reader};
use crate::bundle::{Loose, MAX_CERTIFICATES, TOO_MANY};
use crate::certificate::Certificate;
use crate::encryption::{Budget, Failure, Scheme, encrypted_private_key};
use crate::error::PfxError;
use crate::key::PrivateKey;
use crate::oid;
use crate::password::{Form, Password};

/// The largest file that is looked at.
const MAX_BYTES: usize = 4 * 1024 * 1024;
/// Bags in bags in bags: more is a trap.
const MAX_NESTING: usize = 6;

/// What a PKCS#12 file holds.
pub(crate) struct Read {
    pub(crate) keys: Vec<PrivateKey>,
    /// The local key ids of the keys.
    pub(crate) key_ids: Vec<Vec<u8>>,
    pub(crate) certificates: Vec<Loose>,
    pub(crate) facts: PfxFacts,
    pub(crate) friendly_name: Option<String>,
}

impl From<Malformed> for PfxError {
    fn from(Malformed(what): Malformed) -> Self {
        Self::Corrupt { what }
    }
}

impl From<Failure> for PfxError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Padding => Self::WrongPassword,
            Failure::Unsupported(name) => Self::Unsupported { name },
            Failure::Malformed(what) => Self::Corrupt { what },
            Failure::TooMuchWork => Self::TooMuchWork,
        }
    }
}

struct Visitor<'a> {
    password: Password<'a>,
    forms: Vec<Form>,
    /// The MAC fits, so the password and every byte are right.
    verified: bool,
    budget: Budget,
    found: Read,
    names: Vec<(bool, String)>,
}

pub(crate) fn read(bytes: &[u8], password: &SecretString) -> Result<Read, PfxError> {
    if bytes.len() > MAX_BYTES {
        return Err(PfxError::TooLarge { limit: "4 MiB" });
    }
    if bytes.trim_ascii_start().starts_with(b"-----BEGIN") {
        return Err(PfxError::Corrupt { what: "it is PEM text" });
    }
    let notes = Notes::default();
    let mut pfx = Reader::new(bytes, &notes).sequence("it does not start like PKCS#12")?;
    if pfx.small("it has no version")? != 3 {
        return Err(PfxError::Corrupt { what: "its version is not 3" });
    }
    let mut content_info = pfx.sequence("it has no content")?;
    match content_info.oid()?.as_str() {
        oid::DATA => {}
        other => return Err(PfxError::Unsupported { name: oid::name(other) }),
    }
    let safe = content_info.expect(0xa0, "its content is missing")?.inner()?.next()?;
    if !safe.is_octets() {
        return Err(PfxError::Corrupt { what: "its content is not an octet string" });
    }
    let safe = safe.octets()?;
    let password = Password::new(password);
    let facts = PfxFacts {
        password_is_ascii: password.is_ascii(),
        password_is_empty: password.is_empty(),
        ..PfxFacts::default()
    };
    let mut visitor = Visitor {
        forms: password.forms().to_vec(),
        password,
        verified: false,
        budget: Budget::default(),
        found: Read { keys: Vec::new(), key_ids: Vec::new(), certificates: Vec::new(), facts, friendly_name: None },
        names: Vec::new(),
    };
    if let Some(mac) = pfx.optional(ber::SEQUENCE)? {
        visitor.check(&MacData::read(&mac)?, &safe)?;
    }
    visitor.authenticated_safe(&safe, &notes)?;
    let Visitor { mut found, mut names, .. } = visitor;
    // The key's name says more than a certificate's.
    names.sort_by_key(|(of_key, _)| !of_key);
    found.friendly_name = names.into_iter().map(|(_, name)| name).next();
    let quirks = notes.get();
    found.facts.indefinite_lengths = quirks.indefinite;
    found.facts.padded_lengths = quirks.padded_length;
    found.facts.key_id_matches = found.keys.iter().any(|key| {
        let of_key = |loose: &&Loose| loose.certificate.certifies(key.algorithm(), key.public());
        let linked = |loose: &Loose| loose.key_id.as_ref().is_some_and(|id| found.key_ids.contains(id));
        found.certificates.iter().filter(of_key).any(linked)
    });
    Ok(found)
}

impl Visitor<'_> {
    fn check(&mut self, mac: &MacData, content: &[u8]) -> Result<(), PfxError> {
        for form in self.forms.clone() {
            if mac.fits(content, &self.password, form, &mut self.budget)? {
                self.forms = vec![form];
                self.verified = true;
                self.found.facts.mac = Some(mac.describe());
                return Ok(());
            }
        }
        Err(PfxError::WrongPassword)
    }

    fn authenticated_safe(&mut self, bytes: &[u8], notes: &Notes) -> Result<(), PfxError> {
        let mut parts = Reader::new(bytes, notes).sequence("its list of parts is broken")?;
        while !parts.is_empty() {
            let mut info = parts.sequence("a part is not a content info")?;
            let kind = info.oid()?;
            match kind.as_str() {
                oid::DATA => {
                    let contents = info.expect(0xa0, "a part has no content")?.inner()?.next()?.octets()?;
                    self.safe_contents(&contents, notes)?;
                }
                oid::ENCRYPTED_DATA => self.encrypted_data(&mut info, notes)?,
                other => return Err(PfxError::Unsupported { name: oid::name(other) }),
            }
        }
        Ok(())
    }

    /// EncryptedData of CMS (RFC 5652, section 8).
    fn encrypted_data(&mut self, info: &mut Reader<'_>, notes: &Notes) -> Result<(), PfxError> {
        let mut data = info.expect(0xa0, "a part has no content")?.inner()?.sequence("an encrypted part is broken")?;
        data.small("an encrypted part has no version")?;
        let mut content = data.sequence("an encrypted part has no content")?;
        content.oid()?;
        let scheme = Scheme::read(&mut content)?;
        let sealed = content.next()?;
        if !matches!(sealed.tag, 0x80 | 0xa0) {
            return Err(PfxError::Corrupt { what: "an encrypted part has no bytes" });
        }
        let sealed = sealed.octets()?;
        let broken = PfxError::Corrupt { what: "an encrypted part does not open although the MAC fits" };
        let plain =
            self.open(&scheme, &sealed, broken, |plain| Reader::new(plain, &Notes::default()).sequence("").is_ok())?;
        self.found.facts.certificate_encryption.push(scheme.describe());
        let result = self.safe_contents(&plain, notes);
        match result {
            // One wrong password in 256 leaves a padding that looks right, and then nonsense.
            Err(PfxError::Corrupt { .. }) if !self.verified => Err(PfxError::WrongPassword),
            other => other,
        }
    }

    /// Decrypts with the forms of the password that are still possible.
    fn open(
        &mut self,
        scheme: &Scheme,
        sealed: &[u8],
        although_verified: PfxError,
        looks_right: impl Fn(&[u8]) -> bool,
    ) -> Result<Zeroizing<Vec<u8>>, PfxError> {
        let forms = if scheme.depends_on_form() { self.forms.clone() } else { self.forms[..1].to_vec() };
        for form in forms {
            match scheme.open(&self.password, form, sealed, &mut self.budget) {
                Ok(plain) if looks_right(&plain) => {
                    if scheme.depends_on_form() {
                        self.forms = vec![form];
                    }
                    return Ok(plain);
                }
                Ok(_) | Err(Failure::Padding) => {}
                Err(other) => return Err(other.into()),
            }
        }
        Err(if self.verified { although_verified } else { PfxError::WrongPassword })
    }

    fn safe_contents(&mut self, bytes: &[u8], notes: &Notes) -> Result<(), PfxError> {
        let bags = Reader::new(bytes, notes).sequence("a list of bags is broken")?;
        self.bags(bags, 0)
    }

    fn bags(&mut self, mut bags: Reader<'_>, nesting: usize) -> Result<(), PfxError> {
        if nesting > MAX_NESTING {
            return Err(PfxError::Corrupt { what: "bags are nested too deeply" });
        }
        while !bags.is_empty() {
            let mut bag = bags.sequence("a bag is broken")?;
            let kind = bag.oid()?;
            let value = bag.expect(0xa0, "a bag is empty")?.inner()?.next()?;
            let attributes = Attributes::read(&mut bag)?;
            match kind.as_str() {
                oid::KEY_BAG => {
                    self.found.facts.plain_key = true;
                    self.key(PrivateKey::from_pkcs8(value.raw), attributes)?;
                }
                oid::SHROUDED_KEY_BAG => self.shrouded_key(&value, attributes)?,
                oid::CERT_BAG => self.certificate(&value, attributes)?,
                oid::SAFE_CONTENTS_BAG => {
                    self.found.facts.nested = true;
                    self.bags(value.inner()?, nesting + 1)?;
                }
                // CRLs, secret keys and what vendors invent have no place in a bundle.
                _ => {}
            }
        }
        Ok(())
    }

    fn shrouded_key(&mut self, value: &Node<'_>, attributes: Attributes) -> Result<(), PfxError> {
        let (scheme, sealed) = encrypted_private_key(value)?;
        let plain = self.open(&scheme, &sealed, PfxError::KeyPasswordDiffers, |plain| {
            !matches!(PrivateKey::from_pkcs8(plain), Err(crate::key::BadKey::Malformed(_)))
        })?;
        self.found.facts.key_encryption.push(scheme.describe());
        self.key(PrivateKey::from_pkcs8(&plain), attributes)
    }

    fn key(&mut self, key: Result<PrivateKey, crate::key::BadKey>, attributes: Attributes) -> Result<(), PfxError> {
        self.found.keys.push(key?);
        self.found.key_ids.extend(attributes.key_id);
        self.names.extend(attributes.friendly_name.map(|name| (true, name)));
        Ok(())
    }

    fn certificate(&mut self, value: &Node<'_>, attributes: Attributes) -> Result<(), PfxError> {
        let mut bag = value.inner()?;
        if bag.oid()? != oid::X509_CERTIFICATE {
            return Ok(());
        }
        let der = bag.expect(0xa0, "a certificate bag is empty")?.inner()?.next()?.octets()?;
        let certificate = Certificate::from_der(&der)
            .map_err(|_| PfxError::Corrupt { what: "a certificate in it is not X.509 in DER" })?;
        if self.found.certificates.len() >= MAX_CERTIFICATES {
            return Err(PfxError::TooLarge { limit: TOO_MANY });
        }
        self.found.certificates.push(Loose { certificate, key_id: attributes.key_id });
        self.names.extend(attributes.friendly_name.map(|name| (false, name)));
        Ok(())
    }
}

#[derive(Default)]
struct Attributes {
    key_id: Option<Vec<u8>>,
    friendly_name: Option<String>,
}

impl Attributes {
    fn read(bag: &mut Reader<'_>) -> Result<Self, Malformed> {
        let mut found = Self::default();
        let Some(set) = bag.optional(ber::SET)? else { return Ok(found) };
        let mut attributes = set.inner()?;
        while !attributes.is_empty() {
            let mut attribute = attributes.sequence("an attribute is broken")?;
            let kind = attribute.oid()?;
            let mut values = attribute.expect(ber::SET, "an attribute has no values")?.inner()?;
            if values.is_empty() {
                continue;
            }
            let value = values.next()?;
            match kind.as_str() {
                oid::LOCAL_KEY_ID if value.is_octets() => found.key_id = Some(value.octets()?.to_vec()),
                oid::FRIENDLY_NAME if value.tag == ber::BMP_STRING => {
                    let units: Vec<u16> =
                        value.content.chunks_exact(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]])).collect();
                    found.friendly_name = Some(String::from_utf16_lossy(&units));
                }
                _ => {}
            }
        }
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use crate::ber::{Notes, Reader};
    use crate::bundle::Bundle;
    use crate::make::{KeyType, self_signed};
    use crate::{der, oid};

    #[test]
    fn a_plain_key_may_have_no_length() {
        let (from, until) = (jiff::Timestamp::UNIX_EPOCH, "2027-01-01T00:00:00Z".parse().unwrap());
        let bundle = self_signed(&["automator.example.com"], KeyType::P256, from, until).unwrap();
        let notes = Notes::default();
        let info = Reader::new(bundle.key().pkcs8(), &notes).next().unwrap();
        let endless = [&[0x30, 0x80], info.content, &[0, 0]].concat();
        let key = der::sequence(&[&der::oid(oid::KEY_BAG), &der::explicit(0, &endless)]);
        let certificate = der::explicit(0, &der::octets(bundle.leaf().der()));
        let certificate = der::sequence(&[&der::oid(oid::X509_CERTIFICATE), &certificate]);
        let certificate = der::sequence(&[&der::oid(oid::CERT_BAG), &der::explicit(0, &certificate)]);
        let data = |content: &[u8]| der::sequence(&[&der::oid(oid::DATA), &der::explicit(0, &der::octets(content))]);
        let safe = der::sequence(&[&data(&der::sequence(&[&key, &certificate]))]);
        let pfx = der::sequence(&[&der::small(3), &data(&safe)]);
        let read = Bundle::from_pfx(&pfx, &"any".into()).unwrap();
        assert_eq!(read.key().public(), bundle.key().public());
    }
}
