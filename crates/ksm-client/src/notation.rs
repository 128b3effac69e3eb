//! Keeper notation: one piece of one record, as text (spec 6).
//!
//! ```text
//! notation   = [ "keeper://" ] record "/" selector
//! record     = escaped                                     UID or exact title
//! selector   = "type" | "title" | "notes"
//!            | "file" "/" escaped                          name, title or UID
//!            | ( "field" | "custom_field" ) "/" escaped [ "[" [ digits ] "]" [ "[" [ escaped ] "]" ] ]
//! escaped    = text in which `/` `[` `]` `\` have a `\` in front
//! ```
//!
//! Prefix and selectors are of any letter case; names are not, and blanks in them count. Text without any `/` is URL-safe
//! base64 of a notation. Stricter than the vendor's SDKs: a name that fits several fields is ambiguous, a member that a value has
//! not is an error, and the older spelling `name[first]` is refused (write `name[0][first]`).

use std::fmt;
use std::str::FromStr;

use keeper_wire::{Uid, text};
use serde_json::Value;
use zeroize::Zeroizing;

use crate::json::{Secret, text_of};
use crate::record::{Field, File, Place, Record};
use crate::wait::Until;
use crate::{Client, Error, Filter, Secrets};

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
    /// A field.
    Field {
        /// Where it stands.
        place: Place,
        /// Its label or type.
        name: String,
        /// Which of its values; the first, or all, when absent.
        pick: Option<Pick>,
    },
}

/// One or all values of a field, or a member of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pick {
    /// Counted from zero; all when absent.
    pub index: Option<u32>,
    /// The member of an object value; the whole value when absent or empty.
    pub property: Option<String>,
}

/// What a notation points at.
#[derive(Debug)]
pub enum Found<'a> {
    /// Values, each a secret.
    Values(Vec<Secret>),
    /// An attachment, not downloaded yet.
    File(&'a File),
}

impl Notation {
    /// The attachment of this name, title or UID.
    #[must_use]
    pub fn file(record: impl Into<String>, name: impl Into<String>) -> Self {
        Self { record: record.into(), selector: Selector::File(name.into()) }
    }

    /// The record's UID, when its name can be one. A title may look like one too.
    #[must_use]
    pub fn uid(&self) -> Option<Uid> {
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        (self.record.len() == 22 && self.record.bytes().all(fits)).then(|| self.record.parse().ok()).flatten()
    }

    /// The record among many: by UID, else by exact title.
    ///
    /// # Errors
    /// As [`Secrets::record`] and [`Secrets::titled`].
    pub fn choose<'a>(&self, secrets: &'a Secrets) -> Result<&'a Record, Error> {
        match self.uid().map(|uid| secrets.record(uid)) {
            None | Some(Err(Error::NotFound { .. })) => secrets.titled(&self.record),
            Some(found) => found,
        }
    }

    /// The piece of a record.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Ambiguous`]; [`Error::Decrypt`] as in [`Record::file`].
    pub fn resolve<'a>(&self, record: &'a Record) -> Result<Found<'a>, Error> {
        let one = |text: &str| Ok(Found::Values(vec![Secret::new(text.into())]));
        match &self.selector {
            Selector::Type => one(record.content.kind()),
            Selector::Title => one(record.content.title()),
            Selector::Notes => one(record.content.notes()),
            Selector::File(name) => record.file(name).map(Found::File),
            Selector::Field { place, name, pick } => {
                let found: Vec<Field<'_>> = record
                    .content
                    .fields(*place)
                    .filter(|field| field.kind() == name || field.label() == Some(name))
                    .collect();
                let what = || format!("field {name:?} in record {}", record.uid);
                match &found[..] {
                    [field] => picked(field, pick.as_ref(), what).map(Found::Values),
                    [] => Err(Error::NotFound { what: what() }),
                    several => Err(Error::Ambiguous { what: what(), count: several.len() }),
                }
            }
        }
    }
}

fn picked(field: &Field<'_>, pick: Option<&Pick>, what: impl Fn() -> String) -> Result<Vec<Secret>, Error> {
    let values = field.values();
    let chosen: Vec<&Value> = match pick.and_then(|pick| pick.index) {
        None => values.iter().collect(),
        Some(index) => {
            let value = usize::try_from(index).ok().and_then(|index| values.get(index));
            vec![value.ok_or_else(|| Error::NotFound { what: format!("value {index} of {}", what()) })?]
        }
    };
    let Some(property) = pick.and_then(|pick| pick.property.as_deref()).filter(|name| !name.is_empty()) else {
        return Ok(chosen.into_iter().cloned().map(Secret::new).collect());
    };
    let member = |value: &Value| value.get(property).cloned().map(Secret::new);
    chosen
        .into_iter()
        .map(|value| {
            member(value).ok_or_else(|| Error::NotFound { what: format!("member {property:?} of {}", what()) })
        })
        .collect()
}

impl Client {
    /// The one value a notation points at, as bytes: of a field the first value unless an index says another, all of them as a
    /// JSON list for `[]`, of a file its content.
    ///
    /// # Errors
    /// [`Error`]; a field without any value is [`Error::NotFound`].
    pub async fn value(&self, notation: &Notation) -> Result<Zeroizing<Vec<u8>>, Error> {
        let until = self.until();
        let record = self.record_of(notation, until).await?;
        self.value_in(notation, &record, until).await
    }

    /// All values a notation points at, as text; the content of a file as URL-safe base64 without padding.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn values(&self, notation: &Notation) -> Result<Vec<Zeroizing<String>>, Error> {
        let until = self.until();
        let record = self.record_of(notation, until).await?;
        match notation.resolve(&record)? {
            Found::Values(values) => Ok(values.iter().map(Secret::expose_text).collect()),
            Found::File(file) => {
                Ok(vec![Zeroizing::new(text::url(&self.download_until(file, record.uid, until).await?))])
            }
        }
    }

    pub(crate) async fn value_in(
        &self,
        notation: &Notation,
        record: &Record,
        until: Until,
    ) -> Result<Zeroizing<Vec<u8>>, Error> {
        match notation.resolve(record)? {
            Found::File(file) => self.download_until(file, record.uid, until).await,
            Found::Values(values) => {
                let all = matches!(&notation.selector, Selector::Field { pick: Some(Pick { index: None, .. }), .. });
                let text = if all {
                    let list = Secret::new(Value::Array(values.iter().map(|value| value.expose().clone()).collect()));
                    text_of(list.expose())
                } else {
                    let first =
                        values.first().ok_or_else(|| Error::NotFound { what: format!("a value of {notation}") })?;
                    first.expose_text()
                };
                Ok(Zeroizing::new(text.as_bytes().to_vec()))
            }
        }
    }

    async fn record_of(&self, notation: &Notation, until: Until) -> Result<Record, Error> {
        if let Some(uid) = notation.uid() {
            match self.record_until(uid, until).await {
                Err(Error::NotFound { .. }) => {}
                found => return found,
            }
        }
        let secrets = self.secrets_until(&Filter::all(), until).await?;
        notation.choose(&secrets).cloned()
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
            Selector::Field { place, name, pick } => {
                f.write_str(if *place == Place::Custom { "custom_field/" } else { "field/" })?;
                f.write_str(&escape(name))?;
                let Some(pick) = pick else { return Ok(()) };
                match pick.index {
                    Some(index) => write!(f, "[{index}]")?,
                    None => f.write_str("[]")?,
                }
                pick.property.iter().try_for_each(|name| write!(f, "[{}]", escape(name)))
            }
        }
    }
}

/// Text with a backslash before what would end it.
#[must_use]
pub fn escape(text: &str) -> String {
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
        if text.contains('/') || text.is_empty() {
            return parse(text);
        }
        // The other form. What decodes to no notation was meant as a record without a selector.
        let plain = text::decode(text).ok().and_then(|bytes| String::from_utf8(bytes.to_vec()).ok());
        match plain {
            Some(plain) if plain.contains('/') => parse(&plain),
            _ => Err(NotationError::NoSelector),
        }
    }
}

fn parse(text: &str) -> Result<Notation, NotationError> {
    const PREFIX: &str = "keeper://";
    let rest = match text.get(..PREFIX.len()) {
        Some(start) if start.eq_ignore_ascii_case(PREFIX) => &text[PREFIX.len()..],
        _ => text,
    };
    let (record, rest) = take(rest, Some('/'))?;
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
        ("file", Some(rest)) => match take(rest, None)? {
            (name, _) if name.is_empty() => return Err(NotationError::NoName),
            (name, _) => Selector::File(name),
        },
        ("field", Some(rest)) => field(Place::Standard, rest)?,
        ("custom_field", Some(rest)) => field(Place::Custom, rest)?,
        ("file" | "field" | "custom_field", None) => return Err(NotationError::NoName),
        _ => return Err(NotationError::UnknownSelector),
    };
    Ok(Notation { record, selector })
}

fn field(place: Place, text: &str) -> Result<Selector, NotationError> {
    let (name, rest) = take(text, Some('['))?;
    if name.is_empty() {
        return Err(NotationError::NoName);
    }
    if rest.is_empty() {
        return Ok(Selector::Field { place, name, pick: None });
    }
    let (digits, rest) = bracket(rest)?;
    let index = match digits.as_str() {
        "" => None,
        digits if digits.bytes().all(|byte| byte.is_ascii_digit()) => {
            Some(digits.parse().map_err(|_| NotationError::Index)?)
        }
        _ => return Err(NotationError::Index),
    };
    let (property, rest) = if rest.starts_with('[') {
        let (name, rest) = bracket(rest)?;
        (Some(name), rest)
    } else {
        (None, rest)
    };
    if !rest.is_empty() {
        return Err(NotationError::Trailing);
    }
    Ok(Selector::Field { place, name, pick: Some(Pick { index, property }) })
}

/// What is between the brackets with which `text` begins, and what follows them.
fn bracket(text: &str) -> Result<(String, &str), NotationError> {
    let (name, rest) = take(&text[1..], Some(']'))?;
    Ok((name, rest.strip_prefix(']').ok_or(NotationError::Bracket)?))
}

/// Unescaped text up to `until`, and the rest beginning with it.
fn take(text: &str, until: Option<char>) -> Result<(String, &str), NotationError> {
    let mut taken = String::new();
    let mut characters = text.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '\\' => match characters.next() {
                Some((_, escaped @ ('/' | '[' | ']' | '\\'))) => taken.push(escaped),
                _ => return Err(NotationError::Escape),
            },
            stop if Some(stop) == until => return Ok((taken, &text[at..])),
            '/' | '[' | ']' => return Err(NotationError::Trailing),
            other => taken.push(other),
        }
    }
    Ok((taken, ""))
}

/// Why text is no notation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
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
    /// A backslash before a character that needs none, or at the end.
    #[error("a backslash stands before something other than `/`, `[`, `]` or `\\`")]
    Escape,
    /// A bracket without its partner.
    #[error("a bracket is not closed")]
    Bracket,
    /// Text in the first brackets that is no number, or one too large.
    #[error("the first pair of brackets holds a number or nothing")]
    Index,
    /// Text behind a complete notation, or an unescaped separator inside a name.
    #[error("there is text behind a complete notation; `/`, `[` and `]` in a name need a backslash")]
    Trailing,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Content;
    use keeper_wire::crypto::Key;
    use serde_json::json;

    fn record() -> Record {
        let content = json!({
            "type": "login", "title": "a/b", "notes": "n",
            "fields": [
                { "type": "login", "value": ["admin"] },
                { "type": "name", "value": [{ "first": "A", "last": "B" }, { "first": "C" }] },
                { "type": "url", "label": "main", "value": [] },
            ],
            "custom": [
                { "type": "text", "label": "x[1]", "value": ["one", "two"] },
                { "type": "text", "label": "other", "value": [7] },
            ],
        });
        Record {
            uid: Uid::from_slice(&[1; 16]).unwrap(),
            revision: 1,
            folder: None,
            inner_folder: None,
            editable: true,
            content: Content::from_json(content).unwrap(),
            files: Vec::new(),
            failed_files: Vec::new(),
            key: Key::random(),
        }
    }

    fn check(text: &str, expected: &[&str]) {
        let record = record();
        let notation: Notation = text.parse().unwrap();
        let Found::Values(values) = notation.resolve(&record).unwrap() else { panic!("{text}") };
        let texts: Vec<String> = values.iter().map(|value| value.expose_text().to_string()).collect();
        assert_eq!(texts, expected, "{text}");
    }

    #[test]
    fn pieces_are_found() {
        check("u/type", &["login"]);
        check("KEEPER://u/TITLE", &["a/b"]);
        check("u/notes", &["n"]);
        check("u/field/login", &["admin"]);
        check("u/field/name", &[r#"{"first":"A","last":"B"}"#, r#"{"first":"C"}"#]);
        check("u/field/name[1]", &[r#"{"first":"C"}"#]);
        check("u/field/name[0][last]", &["B"]);
        check("u/field/name[][first]", &["A", "C"]);
        check("u/field/name[0][]", &[r#"{"first":"A","last":"B"}"#]);
        check("u/field/main", &[]);
        check(r"u/custom_field/x\[1\]", &["one", "two"]);
        check(r"u/custom_field/x\[1\][1]", &["two"]);
        check("u/custom_field/other", &["7"]);
        check(&text::url(b"u/field/login"), &["admin"]);
    }

    #[test]
    fn what_is_missing_or_ambiguous_is_said() {
        let record = record();
        for (text, expected) in [
            ("u/field/password", "find field \"password\""),
            ("u/field/name[2]", "find value 2 of field"),
            ("u/field/name[1][last]", "find member \"last\""),
            ("u/custom_field/text", "choose field \"text\""),
            ("u/file/x", "find file \"x\""),
            ("u/field/Login", "find field \"Login\""),
        ] {
            let error = text.parse::<Notation>().unwrap().resolve(&record).unwrap_err().to_string();
            assert!(error.starts_with(expected), "{text}: {error}");
        }
    }

    #[test]
    fn texts_that_are_no_notation_say_why() {
        for (text, error) in [
            ("", NotationError::NoRecord),
            ("/file/x", NotationError::NoRecord),
            ("u", NotationError::NoSelector),
            ("u/files/x", NotationError::UnknownSelector),
            ("u/file", NotationError::NoName),
            ("u/file/", NotationError::NoName),
            (r"u/file/a\b", NotationError::Escape),
            (r"u/file/a\", NotationError::Escape),
            ("u/field/a[", NotationError::Bracket),
            ("u/field/a[first]", NotationError::Index),
            ("u/field/a[99999999999]", NotationError::Index),
            ("u/file/a[0]", NotationError::Trailing),
            ("u/notes/x", NotationError::Trailing),
            ("u/field/a[0][b]c", NotationError::Trailing),
        ] {
            assert_eq!(text.parse::<Notation>(), Err(error), "{text}");
        }
    }
}
