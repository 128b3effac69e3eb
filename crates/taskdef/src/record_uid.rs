//! The name of a vault record.

use std::fmt;
use std::str::FromStr;

/// The UID of a Keeper record: 16 bytes as base64url without padding, 22 characters.
///
/// ```
/// use taskdef::RecordUid;
/// let uid: RecordUid = "q1ZBkT0xJ7mW8c2Yd4NfRg".parse()?;
/// assert_eq!(uid.as_str().len(), RecordUid::LENGTH);
/// assert!("fs-0123".parse::<RecordUid>().is_err());
/// # Ok::<(), taskdef::RecordUidError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RecordUid(String);

impl RecordUid {
    /// How many characters a UID has.
    pub const LENGTH: usize = 22;

    /// The UID as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for RecordUid {
    type Err = RecordUidError;

    fn from_str(text: &str) -> Result<Self, RecordUidError> {
        if let Some(character) = text.chars().find(|c| !c.is_ascii_alphanumeric() && !matches!(c, '-' | '_')) {
            return Err(RecordUidError::Character(character));
        }
        if text.len() != Self::LENGTH {
            return Err(RecordUidError::Length(text.len()));
        }
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for RecordUid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Why text is not a record UID.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RecordUidError {
    /// Too short or too long.
    #[error("a record UID has 22 characters, not {0}")]
    Length(usize),
    /// A character outside the base64url alphabet.
    #[error("a record UID has only letters, digits, `-` and `_`, not {0:?}")]
    Character(char),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uid_is_sixteen_bytes_of_base64url() {
        assert!("AAAAAAAAAAAAAAAAAAAAAA".parse::<RecordUid>().is_ok());
        assert_eq!("AAAAAAAAAAAAAAAAAAAAA".parse::<RecordUid>(), Err(RecordUidError::Length(21)));
        assert_eq!("AAAAAAAAAA+AAAAAAAAAAA".parse::<RecordUid>(), Err(RecordUidError::Character('+')));
    }
}
