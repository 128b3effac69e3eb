//! Entries and the list of them.

use std::fmt;
use std::str::FromStr;

use super::notation::{Notation, NotationError};
use crate::record_uid::RecordUid;

/// The value of the `SECRETS` variable.
///
/// ```
/// use taskdef::secrets::{Destination, Secrets};
/// let text = "q1ZBkT0xJ7mW8c2Yd4NfRg/file/keeper.properties > file:/usr/mybin/settings/keeper.properties";
/// let secrets: Secrets = text.parse()?;
/// assert_eq!(secrets.0[0].destination, Destination::File("/usr/mybin/settings/keeper.properties".into()));
/// assert_eq!(secrets.to_string(), text);
/// # Ok::<(), taskdef::secrets::ParseError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Secrets(pub Vec<Entry>);

/// One line: a piece of a record, and where it goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The piece.
    pub notation: Notation,
    /// The place.
    pub destination: Destination,
}

impl Entry {
    /// An attachment that becomes a file.
    pub fn file(record: &RecordUid, attachment: impl Into<String>, path: impl Into<String>) -> Self {
        Self { notation: Notation::file(record.as_str(), attachment), destination: Destination::File(path.into()) }
    }
}

/// Where a piece goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Destination {
    /// A file.
    File(String),
    /// A key or shell variable in the file named by `SECRETS_FILE`.
    Variable(String),
}

impl Destination {
    /// Whether the destination is a file with an absolute path without `.` and `..`.
    pub fn is_absolute_file(&self) -> bool {
        match self {
            Self::File(path) => path.starts_with('/') && !path.split('/').any(|part| matches!(part, "." | "..")),
            Self::Variable(_) => false,
        }
    }
}

impl fmt::Display for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "file:{path}"),
            Self::Variable(name) => f.write_str(name),
        }
    }
}

impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} > {}", self.notation, self.destination)
    }
}

impl fmt::Display for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, entry) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            write!(f, "{entry}")?;
        }
        Ok(())
    }
}

impl FromStr for Entry {
    type Err = LineError;

    fn from_str(line: &str) -> Result<Self, LineError> {
        if line.chars().any(char::is_control) {
            return Err(LineError::Control);
        }
        let (notation, destination) = line.split_once(" > ").ok_or(LineError::NoSeparator)?;
        if destination.contains("\\n") {
            return Err(LineError::WrittenLineFeed);
        }
        if destination.contains('>') || notation.contains('>') {
            return Err(LineError::ManySeparators);
        }
        if notation.trim() != notation || destination.trim() != destination {
            return Err(LineError::Blanks);
        }
        let destination = match destination.strip_prefix("file:") {
            Some("") => return Err(LineError::NoDestination),
            Some(path) if path.trim() != path => return Err(LineError::Blanks),
            Some(path) => Destination::File(path.to_owned()),
            None if destination.is_empty() => return Err(LineError::NoDestination),
            None => Destination::Variable(destination.to_owned()),
        };
        Ok(Self { notation: notation.parse()?, destination })
    }
}

impl FromStr for Secrets {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        if text.is_empty() {
            return Ok(Self::default());
        }
        let parse = |(index, line): (usize, &str)| {
            let error = |error| ParseError { line: index + 1, error };
            if line.is_empty() { Err(error(LineError::Empty)) } else { line.parse().map_err(error) }
        };
        text.split('\n').enumerate().map(parse).collect::<Result<_, _>>().map(Self)
    }
}

/// Which line is wrong, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {error}")]
pub struct ParseError {
    /// Counted from one.
    pub line: usize,
    /// What is wrong with it.
    pub error: LineError,
}

/// Why a line is not an entry, or why we would not trust the image with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LineError {
    /// Nothing between two line feeds, or behind the last.
    #[error("the line is empty")]
    Empty,
    /// A backslash and an `n` where a line feed was meant.
    #[error("the two characters `\\n` stand where a line feed was meant")]
    WrittenLineFeed,
    /// A carriage return, a tab or worse.
    #[error("the line holds a control character")]
    Control,
    /// No ` > `.
    #[error("` > ` with one blank on either side is missing")]
    NoSeparator,
    /// More than one `>`.
    #[error("there is more than one `>`")]
    ManySeparators,
    /// Blanks that would become part of a name.
    #[error("there are blanks at the edge of a name")]
    Blanks,
    /// Nothing behind ` > `.
    #[error("the destination is missing")]
    NoDestination,
    /// The left side is no notation.
    #[error(transparent)]
    Notation(#[from] NotationError),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_say_what_is_wrong() {
        for (text, line, error) in [
            ("u/file/a > file:/a\n", 2, LineError::Empty),
            (r"u/file/a > file:/a\nu/file/b > file:/b", 1, LineError::WrittenLineFeed),
            ("u/file/a > file:/a\r\nu/file/b > file:/b", 1, LineError::Control),
            ("u/file/a>file:/a", 1, LineError::NoSeparator),
            ("u/file/a > b > c", 1, LineError::ManySeparators),
            ("u/file/a  > file:/a", 1, LineError::Blanks),
            ("u/file/a > file:", 1, LineError::NoDestination),
            ("u > file:/a", 1, LineError::Notation(NotationError::NoSelector)),
        ] {
            assert_eq!(text.parse::<Secrets>(), Err(ParseError { line, error }), "{text:?}");
        }
    }

    #[test]
    fn blanks_inside_a_notation_are_its_own() {
        let entry: Entry = "u/custom_field/Ip Address > IP_ADDR".parse().unwrap();
        assert_eq!(entry.destination, Destination::Variable("IP_ADDR".into()));
    }

    #[test]
    fn only_plain_absolute_paths_are_absolute() {
        for (path, absolute) in [("/a/b", true), ("a", false), ("/a/../b", false), ("/a/./b", false)] {
            assert_eq!(Destination::File(path.into()).is_absolute_file(), absolute, "{path}");
        }
    }
}
