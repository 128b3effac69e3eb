//! The names of Keeper's objects.

use crate::{Error, crypto, text};
use std::fmt;
use std::str::FromStr;

/// The UID of a record, folder, file, application or share: 16 random bytes, shown as 22 characters of URL-safe base64.
///
/// ```
/// use keeper_wire::Uid;
/// let uid: Uid = "AAECAwQFBgcICQoLDA0ODw".parse().unwrap();
/// assert_eq!(uid.as_bytes()[15], 15);
/// assert_eq!(uid.to_string(), "AAECAwQFBgcICQoLDA0ODw");
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Uid([u8; 16]);

impl Uid {
    /// A new random UID. Its text never begins with `-`, because command lines take such a UID for an option.
    #[must_use]
    pub fn random() -> Self {
        let mut bytes = [0; 16];
        crypto::fill_random(&mut bytes);
        // `-` is 62: the top six bits 111110. Keeper's own generator avoids all that have the top five set.
        if bytes[0] >= 0b1111_1000 {
            bytes[0] &= 0b0111_1111;
        }
        Self(bytes)
    }

    /// Takes exactly 16 bytes.
    ///
    /// # Errors
    /// [`Error::Length`].
    pub fn from_slice(bytes: &[u8]) -> Result<Self, Error> {
        let bytes = bytes.try_into().map_err(|_| Error::Length { what: "UID", expected: 16, found: bytes.len() })?;
        Ok(Self(bytes))
    }

    /// The 16 bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl fmt::Display for Uid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&text::url(&self.0))
    }
}

impl fmt::Debug for Uid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Uid({self})")
    }
}

impl FromStr for Uid {
    type Err = Error;

    /// Reads 22 characters of `[A-Za-z0-9_-]`; padding and the standard alphabet are tolerated.
    fn from_str(text: &str) -> Result<Self, Error> {
        Self::from_slice(&text::decode(text)?)
    }
}

impl serde::Serialize for Uid {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for Uid {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}
