//! Keeper notation: `RECORD/file/NAME`, `RECORD/field/LABEL[0][property]` and their kin.

use std::fmt;
use std::str::FromStr;

/// One piece of one record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notation {
    /// The record's UID, or its exact title.
    pub record: String,
    /// Which piece.
    pub selector: Selector,
}

/// A piece of a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Selector {
    /// The record's type.
    Type,
    /// Its title.
    Title,
    /// Its notes.
    Notes,
    /// An attachment, by name, title or UID.
    File(String),
    /// A standard or custom field.
    Field {
        /// Whether it is one of the custom fields.
        custom: bool,
        /// Its type or label.
        label: String,
        /// Which of its values; the first, or all, when absent.
        value: Option<Pick>,
    },
}

/// One or all values of a field, or a member of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pick {
    /// Counted from zero; all when absent.
    pub index: Option<u32>,
    /// The member of an object value.
    pub property: Option<String>,
}

impl Notation {
    /// The attachment of this name.
    pub fn file(record: impl Into<String>, name: impl Into<String>) -> Self {
        Self { record: record.into(), selector: Selector::File(name.into()) }
    }
}

impl fmt::Display for Notation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/", escape(&self.record))?;
        match &self.selector {
            Selector::Type => f.write_str("type"),
            Selector::Title => f.write_str("title"),
            Selector::Notes => f.write_str("notes"),
            Selector::File(name) => write!(f, "file/{}", escape(name)),
            Selector::Field { custom, label, value } => {
                f.write_str(if *custom { "custom_field/" } else { "field/" })?;
                f.write_str(&escape(label))?;
                let Some(pick) = value else { return Ok(()) };
                match pick.index {
                    Some(index) => write!(f, "[{index}]")?,
                    None => f.write_str("[]")?,
                }
                pick.property.iter().try_for_each(|name| write!(f, "[{}]", escape(name)))
            }
        }
    }
}

fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        if matches!(character, '/' | '[' | ']' | '\\') {
            escaped.push('\\');
        }
        escaped.push(character);
    }
    escaped
}

impl FromStr for Notation {
    type Err = NotationError;

    fn from_str(text: &str) -> Result<Self, NotationError> {
        const PREFIX: &str = "keeper://";
        let rest = match text.get(..PREFIX.len()) {
            Some(start) if start.eq_ignore_ascii_case(PREFIX) => &text[PREFIX.len()..],
            _ => text,
        };
        let (record, rest) = take(rest, &['/'])?;
        if record.is_empty() {
            return Err(NotationError::NoRecord);
        }
        let rest = rest.strip_prefix('/').ok_or(NotationError::NoSelector)?;
        let (word, rest) = rest.split_once('/').map_or((rest, None), |(word, rest)| (word, Some(rest)));
        let selector = match (word.to_ascii_lowercase().as_str(), rest) {
            ("type", None) => Selector::Type,
            ("title", None) => Selector::Title,
            ("notes", None) => Selector::Notes,
            ("type" | "title" | "notes", Some(_)) => return Err(NotationError::Trailing),
            ("file", Some(rest)) => match take(rest, &[])? {
                (name, _) if name.is_empty() => return Err(NotationError::NoName),
                (name, _) => Selector::File(name),
            },
            ("field", Some(rest)) => field(false, rest)?,
            ("custom_field", Some(rest)) => field(true, rest)?,
            ("file" | "field" | "custom_field", None) => return Err(NotationError::NoName),
            _ => return Err(NotationError::UnknownSelector),
        };
        Ok(Self { record, selector })
    }
}

fn field(custom: bool, text: &str) -> Result<Selector, NotationError> {
    let (label, rest) = take(text, &['['])?;
    if label.is_empty() {
        return Err(NotationError::NoName);
    }
    let Some((digits, rest)) = bracket(rest)? else {
        return if rest.is_empty() {
            Ok(Selector::Field { custom, label, value: None })
        } else {
            Err(NotationError::Trailing)
        };
    };
    let index = match digits.as_str() {
        "" => None,
        digits if digits.bytes().all(|byte| byte.is_ascii_digit()) => {
            Some(digits.parse().map_err(|_| NotationError::Index)?)
        }
        _ => return Err(NotationError::Index),
    };
    let (property, rest) = match bracket(rest)? {
        None => (None, rest),
        Some((name, rest)) => (Some(name), rest),
    };
    if !rest.is_empty() {
        return Err(NotationError::Trailing);
    }
    Ok(Selector::Field { custom, label, value: Some(Pick { index, property }) })
}

/// The text between brackets at the start, and what follows them.
fn bracket(text: &str) -> Result<Option<(String, &str)>, NotationError> {
    let Some(inside) = text.strip_prefix('[') else { return Ok(None) };
    let (name, rest) = take(inside, &[']'])?;
    Ok(Some((name, rest.strip_prefix(']').ok_or(NotationError::Bracket)?)))
}

/// Unescaped text up to one of the characters in `until`, and the rest beginning with that character. Any
/// other character that ought to be escaped is an error.
fn take<'a>(text: &'a str, until: &[char]) -> Result<(String, &'a str), NotationError> {
    let mut taken = String::new();
    let mut characters = text.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '\\' => match characters.next() {
                Some((_, escaped @ ('/' | '[' | ']' | '\\'))) => taken.push(escaped),
                _ => return Err(NotationError::Escape),
            },
            stop if until.contains(&stop) => return Ok((taken, &text[at..])),
            '/' | '[' | ']' => return Err(NotationError::Trailing),
            other => taken.push(other),
        }
    }
    Ok((taken, ""))
}

/// Why text is not a notation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotationError {
    /// Nothing in front of the first slash.
    #[error("no record is named")]
    NoRecord,
    /// Only a record.
    #[error("no piece of the record is named: `/file/NAME`, `/field/LABEL`, `/notes`, …")]
    NoSelector,
    /// A piece no record has.
    #[error("the piece is none of file, field, custom_field, type, title, notes")]
    UnknownSelector,
    /// `file` or `field` of nothing.
    #[error("the name of the file or field is missing")]
    NoName,
    /// A backslash in front of a character that needs none, or at the end.
    #[error("a backslash stands in front of something other than `/`, `[`, `]` or `\\`")]
    Escape,
    /// A bracket without its partner.
    #[error("a bracket is not closed")]
    Bracket,
    /// Text between the first brackets that is no number.
    #[error("the first pair of brackets holds a number or nothing")]
    Index,
    /// Text behind a complete notation, or an unescaped separator inside a name.
    #[error("there is text behind a complete notation; `/`, `[` and `]` in a name need a backslash")]
    Trailing,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notation_reads_what_it_writes() {
        for text in [
            "u/type",
            "u/notes",
            "u/file/a b.pfx",
            r"a\/b/file/x\[1\]",
            "u/field/url[0][host]",
            "u/custom_field/Ip Address",
            "u/field/name[]",
        ] {
            assert_eq!(text.parse::<Notation>().unwrap().to_string(), text);
        }
        assert_eq!("KEEPER://u/FILE/x".parse::<Notation>().unwrap(), Notation::file("u", "x"));
    }

    #[test]
    fn notation_says_what_is_wrong() {
        for (text, error) in [
            ("", NotationError::NoRecord),
            ("u", NotationError::NoSelector),
            ("u/files/x", NotationError::UnknownSelector),
            ("u/file", NotationError::NoName),
            ("u/file/", NotationError::NoName),
            (r"u/file/a\b", NotationError::Escape),
            ("u/field/a[", NotationError::Bracket),
            ("u/field/a[x]", NotationError::Index),
            ("u/file/a/b", NotationError::Trailing),
            ("u/notes/x", NotationError::Trailing),
            ("u/field/a[0][b]c", NotationError::Trailing),
        ] {
            assert_eq!(text.parse::<Notation>(), Err(error), "{text}");
        }
    }
}
