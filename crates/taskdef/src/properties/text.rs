//! The file format: Java's properties.

use std::fmt;

/// Keys and values in the file's order. `Debug` shows keys only, because passwords may be among the values.
///
/// ```
/// use taskdef::properties::Properties;
/// let read = Properties::parse(b"# a comment\nssl_mode : certificate\nemail_domains a.example,\\\n  b.example\n")?;
/// assert_eq!(read.get("email_domains"), Some("a.example,b.example"));
/// assert_eq!(read.render(), "ssl_mode=certificate\nemail_domains=a.example,b.example\n");
/// # Ok::<(), taskdef::properties::PropertiesError>(())
/// ```
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Properties(Vec<(String, String)>);

impl Properties {
    /// Reads a file as Java does: ISO-8859-1 with `\u` escapes, comments, continuation lines, and `=`, `:`
    /// or a blank between key and value. As there, the last of several equal keys wins.
    pub fn parse(bytes: &[u8]) -> Result<Self, PropertiesError> {
        let text: Vec<char> = bytes.iter().map(|&byte| char::from(byte)).collect();
        let mut properties = Self::default();
        for (line, characters) in logical_lines(&text) {
            let (key, value) = split(&characters);
            let unescape = |part: &[char]| unescape(part).map_err(|fault| PropertiesError { line, fault });
            properties.set(unescape(key)?, unescape(value)?);
        }
        Ok(properties)
    }

    /// Writes the file: ASCII, `key=value`, line feeds, in the order of the keys.
    pub fn render(&self) -> String {
        let mut text = String::new();
        for (key, value) in &self.0 {
            escape(key, true, &mut text);
            text.push('=');
            escape(value, false, &mut text);
            text.push('\n');
        }
        text
    }

    /// The value of a key.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.0.iter().find(|(name, _)| name == key).map(|(_, value)| value.as_str())
    }

    /// Sets a key, in its old place or at the end.
    pub fn set(&mut self, key: impl Into<String>, value: impl Into<String>) {
        let (key, value) = (key.into(), value.into());
        match self.0.iter_mut().find(|(name, _)| *name == key) {
            Some((_, old)) => *old = value,
            None => self.0.push((key, value)),
        }
    }

    /// Keys and values in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(key, value)| (key.as_str(), value.as_str()))
    }
}

impl<K: Into<String>, V: Into<String>> FromIterator<(K, V)> for Properties {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(pairs: I) -> Self {
        let mut properties = Self::default();
        pairs.into_iter().for_each(|(key, value)| properties.set(key, value));
        properties
    }
}

impl fmt::Debug for Properties {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.iter().map(|(key, _)| key)).finish()
    }
}

/// Which line is wrong, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {fault}")]
pub struct PropertiesError {
    /// Counted from one.
    pub line: usize,
    fault: Fault,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
enum Fault {
    #[error("`\\u` needs four hexadecimal digits")]
    Digits,
    #[error("`\\u` names half a surrogate pair")]
    Surrogate,
}

fn is_blank(character: char) -> bool {
    matches!(character, ' ' | '\t' | '\u{c}')
}

/// Lines without comments and with their continuations, each with the number of its first line.
fn logical_lines(text: &[char]) -> Vec<(usize, Vec<char>)> {
    let mut lines = Vec::new();
    let mut open: Option<(usize, Vec<char>)> = None;
    for (index, natural) in natural_lines(text).into_iter().enumerate() {
        let start = natural.iter().position(|c| !is_blank(*c)).unwrap_or(natural.len());
        let line = &natural[start..];
        if open.is_none() && matches!(line.first(), None | Some('#' | '!')) {
            continue;
        }
        let (number, mut characters) = open.take().unwrap_or((index + 1, Vec::new()));
        let backslashes = line.iter().rev().take_while(|c| **c == '\\').count();
        if backslashes % 2 == 1 {
            characters.extend(&line[..line.len() - 1]);
            open = Some((number, characters));
        } else {
            characters.extend(line);
            lines.push((number, characters));
        }
    }
    lines.extend(open);
    lines
}

/// Lines that end with a line feed, a carriage return, or both.
fn natural_lines(text: &[char]) -> Vec<&[char]> {
    let mut lines = Vec::new();
    let mut start = 0;
    for (at, character) in text.iter().enumerate() {
        match character {
            '\n' if at > 0 && text[at - 1] == '\r' => start = at + 1,
            '\n' | '\r' => {
                lines.push(&text[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    lines.push(&text[start..]);
    lines
}

/// Key and value, still escaped.
fn split(line: &[char]) -> (&[char], &[char]) {
    let mut escaped = false;
    let end = line.iter().position(|&character| {
        let stop = !escaped && (is_blank(character) || matches!(character, '=' | ':'));
        escaped = !escaped && character == '\\';
        stop
    });
    let Some(end) = end else { return (line, &[]) };
    let skip_blanks = |from: usize| line[from..].iter().position(|c| !is_blank(*c)).map_or(line.len(), |n| from + n);
    let mut start = skip_blanks(end);
    if matches!(line.get(start), Some('=' | ':')) {
        start = skip_blanks(start + 1);
    }
    (&line[..end], &line[start..])
}

fn unescape(text: &[char]) -> Result<String, Fault> {
    let mut units: Vec<u16> = Vec::with_capacity(text.len());
    let mut rest = text.iter().copied();
    while let Some(character) = rest.next() {
        let plain = if character == '\\' { rest.next() } else { Some(character) };
        match (character, plain) {
            ('\\', Some('u')) => {
                let digits: String = rest.by_ref().take(4).collect();
                if digits.len() != 4 || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
                    return Err(Fault::Digits);
                }
                units.push(u16::from_str_radix(&digits, 16).map_err(|_| Fault::Digits)?);
            }
            ('\\', Some(letter)) => {
                let plain = match letter {
                    't' => '\t',
                    'n' => '\n',
                    'r' => '\r',
                    'f' => '\u{c}',
                    other => other,
                };
                units.extend(plain.encode_utf16(&mut [0; 2]).iter());
            }
            (_, Some(plain)) => units.extend(plain.encode_utf16(&mut [0; 2]).iter()),
            (_, None) => {}
        }
    }
    String::from_utf16(&units).map_err(|_| Fault::Surrogate)
}

fn escape(text: &str, is_key: bool, into: &mut String) {
    for (at, character) in text.chars().enumerate() {
        match character {
            '\\' => into.push_str("\\\\"),
            '\t' => into.push_str("\\t"),
            '\n' => into.push_str("\\n"),
            '\r' => into.push_str("\\r"),
            '\u{c}' => into.push_str("\\f"),
            ' ' if is_key || at == 0 => into.push_str("\\ "),
            '=' | ':' if is_key => {
                into.push('\\');
                into.push(character);
            }
            '#' | '!' if is_key && at == 0 => {
                into.push('\\');
                into.push(character);
            }
            ' '..='~' => into.push(character),
            other => {
                for unit in other.encode_utf16(&mut [0; 2]) {
                    into.push_str(&format!("\\u{unit:04X}"));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn java_rules_are_followed() {
        for (text, key, value) in [
            ("a=b", "a", "b"),
            ("  a  =  b  ", "a", "b  "),
            ("a:b", "a", "b"),
            ("a b", "a", "b"),
            ("a", "a", ""),
            ("a\\ b = c", "a b", "c"),
            ("a\\=b=c", "a=b", "c"),
            ("a==b", "a", "=b"),
            ("a = \\u0041\\u00e9", "a", "A\u{e9}"),
            ("a=\\ud83d\\ude00", "a", "\u{1f600}"),
            ("a=b\\\r\n   c", "a", "bc"),
            ("a=b\\\\", "a", "b\\"),
            ("a=b\\", "a", "b"),
            ("a=C:\\\\x\\tq", "a", "C:\\x\tq"),
            ("a=b\\\n# no comment here", "a", "b# no comment here"),
            ("! note\r\r# note\na=b", "a", "b"),
            ("a=1\na=2", "a", "2"),
        ] {
            let read = Properties::parse(text.as_bytes()).unwrap();
            assert_eq!(read.iter().collect::<Vec<_>>(), [(key, value)], "{text:?}");
        }
        assert_eq!(Properties::parse(b"a=\xe9").unwrap().get("a"), Some("\u{e9}"));
    }

    #[test]
    fn broken_escapes_are_refused_with_their_line() {
        assert_eq!(
            Properties::parse(b"a=b\nc=\\u12").unwrap_err().to_string(),
            "line 2: `\\u` needs four hexadecimal digits"
        );
        assert_eq!(Properties::parse(b"c=\\ud83d").unwrap_err().line, 1);
    }

    #[test]
    fn debug_shows_no_value() {
        let properties = Properties::from_iter([("ssl_certificate_file_password", "hunter2")]);
        assert_eq!(format!("{properties:?}"), "{\"ssl_certificate_file_password\"}");
    }
}
