//! The entries of `SECRETS`.

use std::path::PathBuf;

use crate::Notation;
use crate::notation::NotationError;

/// Bytes of the longest `SECRETS` that is read.
pub(super) const MAX_SECRETS: usize = 128 * 1024;

/// One line: a piece of a record, and where it goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The piece.
    pub notation: Notation,
    /// The place.
    pub destination: Destination,
}

/// Where a piece goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Destination {
    /// A file of its own; relative to the working directory unless absolute.
    File(PathBuf),
    /// A key or variable in the file that `SECRETS_FILE` names.
    Variable(String),
}

/// Why a line is no entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EntryError {
    /// No line at all.
    #[error("there is no entry")]
    None,
    /// Longer than 128 KiB; a task definition has at most 64 KiB altogether.
    #[error("it is longer than {MAX_SECRETS} bytes")]
    TooLong,
    /// A backslash and an `n` where a line feed was meant.
    #[error("the two characters `\\n` stand where a line feed was meant")]
    WrittenLineFeed,
    /// A tab, a carriage return inside, or worse.
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

/// Reads a whole `SECRETS`; the error has the number of its line, from 1.
///
/// ```
/// let entries = ksm_client::writer::parse("AAECAwQFBgcICQoLDA0ODw/file/a.pfx > file:/config/a.pfx\n").unwrap();
/// assert_eq!(entries.len(), 1);
/// ```
///
/// # Errors
/// [`EntryError`] of the first wrong line.
pub fn parse(text: &str) -> Result<Vec<Entry>, (usize, EntryError)> {
    if text.len() > MAX_SECRETS {
        return Err((1, EntryError::TooLong));
    }
    let lines = text.split('\n').map(|line| line.strip_suffix('\r').unwrap_or(line)).enumerate();
    let entries: Vec<Entry> = lines
        .filter(|(_, line)| !line.trim().is_empty())
        .map(|(index, line)| entry(line).map_err(|error| (index + 1, error)))
        .collect::<Result<_, _>>()?;
    if entries.is_empty() { Err((1, EntryError::None)) } else { Ok(entries) }
}

fn entry(line: &str) -> Result<Entry, EntryError> {
    if line.chars().any(char::is_control) {
        return Err(EntryError::Control);
    }
    let (notation, destination) = line.split_once(" > ").ok_or(EntryError::NoSeparator)?;
    if destination.contains("\\n") {
        return Err(EntryError::WrittenLineFeed);
    }
    if destination.contains('>') || notation.contains('>') {
        return Err(EntryError::ManySeparators);
    }
    if notation.trim() != notation || destination.trim() != destination {
        return Err(EntryError::Blanks);
    }
    let destination = match destination.strip_prefix("file:") {
        Some("") => return Err(EntryError::NoDestination),
        Some(path) if path.trim() != path => return Err(EntryError::Blanks),
        Some(path) => Destination::File(path.into()),
        None if destination.is_empty() => return Err(EntryError::NoDestination),
        None => Destination::Variable(destination.to_owned()),
    };
    Ok(Entry { notation: notation.parse()?, destination })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blank_lines_and_line_ends_are_left_out() {
        let entries = parse("\r\nu/file/a > file:/a\r\n\nu/field/x > X\n").unwrap();
        assert_eq!(entries[0].destination, Destination::File("/a".into()));
        assert_eq!(entries[1].destination, Destination::Variable("X".into()));
        assert_eq!(parse(" \n"), Err((1, EntryError::None)));
    }

    #[test]
    fn a_wrong_line_is_named_by_its_number() {
        assert_eq!(parse("u/file/a > file:/a\n\nu/file/b>file:/b"), Err((3, EntryError::NoSeparator)));
    }
}
