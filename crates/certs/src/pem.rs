//! PEM text as it is found in files (RFC 7468, section 3: the lax form).

use base64ct::{Base64, Encoding};
use secrecy::SecretString;
use zeroize::Zeroizing;

use crate::ber::{Notes, Reader};
use crate::bundle::{MAX_CERTIFICATES, TOO_MANY};
use crate::certificate::Certificate;
use crate::encryption::{Budget, Failure, encrypted_private_key};
use crate::error::PemError;
use crate::key::{BadKey, PrivateKey};
use crate::password::Password;

/// The largest text that is looked at.
const MAX_BYTES: usize = 4 * 1024 * 1024;

/// One block: where it begins, what it is called, and its lines.
struct Block<'a> {
    line: usize,
    label: &'a [u8],
    /// The lines between BEGIN and END; headers of RFC 1421 among them.
    body: Vec<&'a [u8]>,
}

/// The keys and certificates of the text, in the order of the text.
pub(crate) fn read(
    text: &[u8],
    password: Option<&SecretString>,
) -> Result<(Vec<PrivateKey>, Vec<Certificate>), PemError> {
    if text.len() > MAX_BYTES {
        return Err(PemError::TooLarge { limit: "4 MiB" });
    }
    let (mut keys, mut certificates) = (Vec::new(), Vec::new());
    let mut budget = Budget::default();
    for block in blocks(text) {
        let block = block?;
        let line = block.line;
        let bad = |bad| bad_key(bad, line);
        match block.label {
            b"CERTIFICATE" | b"X509 CERTIFICATE" => {
                if certificates.len() >= MAX_CERTIFICATES {
                    return Err(PemError::TooLarge { limit: TOO_MANY });
                }
                let what = "it is not a certificate in X.509";
                let certificate = Certificate::from_der(&block.decode()?);
                certificates.push(certificate.map_err(|_| PemError::Corrupt { line, what })?);
            }
            b"TRUSTED CERTIFICATE" => {
                return Err(PemError::Unsupported { name: "OpenSSL's own TRUSTED CERTIFICATE form".into() });
            }
            b"PRIVATE KEY" => keys.push(PrivateKey::from_pkcs8(&block.decode()?).map_err(bad)?),
            b"RSA PRIVATE KEY" => keys.push(PrivateKey::from_pkcs1(&block.decode()?).map_err(bad)?),
            b"EC PRIVATE KEY" => keys.push(PrivateKey::from_sec1(&block.decode()?).map_err(bad)?),
            b"ENCRYPTED PRIVATE KEY" => {
                let password = password.ok_or(PemError::PasswordMissing)?;
                keys.push(decrypt(&block.decode()?, password, line, &mut budget)?);
            }
            label if label.ends_with(b"PRIVATE KEY") => {
                let name = format!("a block {}", String::from_utf8_lossy(&label[..label.len().min(40)]));
                return Err(PemError::Unsupported { name });
            }
            // Requests, parameters, revocation lists and public keys have no place in a bundle.
            _ => {}
        }
    }
    Ok((keys, certificates))
}

impl PrivateKey {
    /// Reads the one private key of PEM text; what else stands there is passed over. Encrypted keys are not opened.
    ///
    /// # Errors
    ///
    /// [`PemError::NoKey`], [`PemError::SeveralKeys`], and whatever is wrong with the text.
    pub fn from_pem(text: &[u8]) -> Result<Self, PemError> {
        let (mut keys, _) = read(text, None)?;
        match (keys.pop(), keys.len()) {
            (None, _) => Err(PemError::NoKey),
            (Some(key), 0) => Ok(key),
            (Some(_), more) => Err(PemError::SeveralKeys { count: more + 1 }),
        }
    }
}

pub(crate) fn bad_key(bad: BadKey, line: usize) -> PemError {
    match bad {
        BadKey::Malformed(what) => PemError::Corrupt { line, what },
        BadKey::Unsupported(name) => PemError::Unsupported { name },
        BadKey::Damaged => PemError::KeyDamaged,
    }
}

fn decrypt(der: &[u8], password: &SecretString, line: usize, budget: &mut Budget) -> Result<PrivateKey, PemError> {
    let failed = |failure| match failure {
        Failure::Padding => PemError::WrongPassword,
        Failure::Unsupported(name) => PemError::Unsupported { name },
        Failure::Malformed(what) => PemError::Corrupt { line, what },
        Failure::TooMuchWork => PemError::TooMuchWork,
    };
    let notes = Notes::default();
    let node = Reader::new(der, &notes).next().map_err(|bad| failed(bad.into()))?;
    let (scheme, sealed) = encrypted_private_key(&node).map_err(failed)?;
    let password = Password::new(password);
    for &form in password.forms() {
        match scheme.open(&password, form, &sealed, budget) {
            Ok(plain) => match PrivateKey::from_pkcs8(&plain) {
                // A padding that looks right by chance, and then nonsense.
                Err(BadKey::Malformed(_)) => {}
                result => return result.map_err(|bad| bad_key(bad, line)),
            },
            Err(Failure::Padding) => {}
            Err(other) => return Err(failed(other)),
        }
        if !scheme.depends_on_form() {
            break;
        }
    }
    Err(PemError::WrongPassword)
}

fn blocks(text: &[u8]) -> impl Iterator<Item = Result<Block<'_>, PemError>> {
    // LF or CRLF, or the bare CR of very old editors.
    let end_of_line = if text.contains(&b'\n') { b'\n' } else { b'\r' };
    let mut lines = text.split(move |&byte| byte == end_of_line).map(<[u8]>::trim_ascii);
    let mut number = 0;
    std::iter::from_fn(move || {
        loop {
            number += 1;
            let Some(label) = boundary(lines.next()?, b"-----BEGIN ") else { continue };
            let line = number;
            let mut body = Vec::new();
            loop {
                number += 1;
                let Some(content) = lines.next() else {
                    return Some(Err(PemError::Corrupt { line, what: "its END line is missing" }));
                };
                if let Some(end) = boundary(content, b"-----END ") {
                    return Some(if end == label {
                        Ok(Block { line, label, body })
                    } else {
                        Err(PemError::Corrupt { line, what: "its END line names something else" })
                    });
                }
                if content.starts_with(b"-----BEGIN ") {
                    return Some(Err(PemError::Corrupt { line, what: "its END line is missing" }));
                }
                body.push(content);
            }
        }
    })
}

fn boundary<'a>(line: &'a [u8], start: &[u8]) -> Option<&'a [u8]> {
    // Editors put a byte order mark at the start of a file.
    let line = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line);
    line.strip_prefix(start)?.strip_suffix(b"-----")
}

impl Block<'_> {
    fn decode(&self) -> Result<Zeroizing<Vec<u8>>, PemError> {
        let line = self.line;
        if self.body.iter().any(|line| line.starts_with(b"Proc-Type:")) {
            return Err(PemError::Unsupported { name: "the old encryption of PEM (Proc-Type: 4,ENCRYPTED)".into() });
        }
        let length = self.body.iter().map(|line| line.len()).sum();
        let mut joined = Zeroizing::new(Vec::with_capacity(length));
        for part in &self.body {
            joined.extend(part.iter().filter(|byte| !byte.is_ascii_whitespace()));
        }
        let what = "its text is not base64";
        let joined = std::str::from_utf8(&joined).map_err(|_| PemError::Corrupt { line, what })?;
        Base64::decode_vec(joined).map(Zeroizing::new).map_err(|_| PemError::Corrupt { line, what })
    }
}
