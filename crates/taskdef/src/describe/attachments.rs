//! The names of the three files in the vault record.

use std::fmt;
use std::str::FromStr;

/// The name of a file attached to a vault record: something that survives a trip through a `SECRETS` line.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AttachmentName(String);

impl AttachmentName {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for AttachmentName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for AttachmentName {
    type Err = AttachmentNameError;

    fn from_str(text: &str) -> Result<Self, AttachmentNameError> {
        if text.is_empty() {
            Err(AttachmentNameError::Empty)
        } else if text.contains('>') || text.contains("\\n") || text.chars().any(char::is_control) {
            Err(AttachmentNameError::Character)
        } else if text.trim() != text {
            Err(AttachmentNameError::Blanks)
        } else {
            Ok(Self(text.to_owned()))
        }
    }
}

/// Why text cannot be the name of an attachment that the writer image is to fetch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AttachmentNameError {
    /// No text at all.
    #[error("an attachment needs a name")]
    Empty,
    /// A character the image's mini-language gives a meaning.
    #[error("an attachment name holds no `>`, no `\\n` and no control characters")]
    Character,
    /// Blanks at the start or end.
    #[error("an attachment name neither starts nor ends with a blank")]
    Blanks,
}

/// The three files that the init container fetches. Each generation has names of its own (C39), so that an
/// old revision of the task definition still gets the bytes it was made for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attachments {
    /// The certificate with its key.
    pub pfx: AttachmentName,
    /// The password of that file.
    pub password: AttachmentName,
    /// `keeper.properties`.
    pub properties: AttachmentName,
}

impl Attachments {
    /// The names the guide prints, the same for every generation.
    pub fn guide() -> Self {
        let name = |text: &str| AttachmentName(text.to_owned());
        Self {
            pfx: name("ssl-certificate.pfx"),
            password: name("ssl-certificate-password.txt"),
            properties: name("keeper.properties"),
        }
    }

    /// The names of one generation: `serial` of the certificate, `hash` of the properties. Both are cut
    /// down to letters, digits and hyphens.
    ///
    /// ```
    /// let names = taskdef::Attachments::generation("03ab7f", "9f2c11d0");
    /// assert_eq!(names.pfx.as_str(), "ssl-certificate-03ab7f.pfx");
    /// assert_eq!(names.password.as_str(), "ssl-certificate-password-03ab7f.txt");
    /// assert_eq!(names.properties.as_str(), "keeper-9f2c11d0.properties");
    /// ```
    pub fn generation(serial: &str, hash: &str) -> Self {
        let plain = |text: &str| text.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '-').collect::<String>();
        let (serial, hash) = (plain(serial), plain(hash));
        Self {
            pfx: AttachmentName(format!("ssl-certificate-{serial}.pfx")),
            password: AttachmentName(format!("ssl-certificate-password-{serial}.txt")),
            properties: AttachmentName(format!("keeper-{hash}.properties")),
        }
    }
}
