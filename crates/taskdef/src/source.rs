//! From a pointer to a place in the text, so that a finding can be shown where its author wrote it.

use std::collections::HashMap;
use std::ops::Range;

use serde_json::Value;

use crate::diff::{HIDDEN, masked};

/// A text read once: where its values and its lines stand. Every further question is answered without reading it again.
///
/// ```
/// let places = taskdef::source::Places::of("{\n \"memory\": \"3000\"\n}").unwrap();
/// let span = places.span("/memory");
/// assert_eq!((places.line(span.start), places.column(span.start)), (2, 12));
/// ```
pub struct Places<'a> {
    text: &'a str,
    whole: Place,
    /// Where lines start.
    lines: Vec<usize>,
    /// How many characters stand before each block of bytes.
    blocks: Vec<usize>,
}

/// Bytes whose characters are counted together.
const BLOCK: usize = 64;

/// Where a value stands, and the values inside it.
struct Place {
    span: Range<usize>,
    inside: Inside,
}

enum Inside {
    Nothing,
    Members(HashMap<String, Place>),
    Items(Vec<Place>),
}

impl<'a> Places<'a> {
    /// Reads a text. `None` if it is no JSON, or is nested deeper than documents can be.
    pub fn of(text: &'a str) -> Option<Self> {
        parse(text)?;
        let feeds = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(at, _)| at + 1);
        let mut blocks = vec![0];
        for block in text.as_bytes().chunks(BLOCK) {
            blocks.push(blocks[blocks.len() - 1] + characters(block));
        }
        let start = skip_blanks(text, text.len() - text.trim_start_matches('\u{feff}').len());
        Some(Self { text, whole: place(text, start), lines: [0].into_iter().chain(feeds).collect(), blocks })
    }

    /// The bytes of the value a JSON pointer names, or of the nearest value around it that is there.
    pub fn span(&self, pointer: &str) -> Range<usize> {
        let mut place = &self.whole;
        for token in pointer.split('/').skip(1) {
            let token = token.replace("~1", "/").replace("~0", "~");
            let inside = match &place.inside {
                Inside::Members(members) => members.get(&token),
                Inside::Items(items) => token.parse::<usize>().ok().and_then(|index| items.get(index)),
                Inside::Nothing => None,
            };
            let Some(inside) = inside else { break };
            place = inside;
        }
        place.span.clone()
    }

    /// The line of a byte, counted from one.
    pub fn line(&self, byte: usize) -> u32 {
        self.lines.partition_point(|start| *start <= byte) as u32
    }

    /// The column of a byte, counted in characters from one.
    pub fn column(&self, byte: usize) -> usize {
        let start = self.lines[self.lines.partition_point(|start| *start <= byte) - 1];
        let mark = usize::from(start == 0 && self.text.starts_with('\u{feff}'));
        (self.characters_before(byte) - self.characters_before(start)).saturating_sub(mark) + 1
    }

    fn characters_before(&self, byte: usize) -> usize {
        let block = byte / BLOCK;
        self.blocks[block] + characters(&self.text.as_bytes()[block * BLOCK..byte])
    }
}

/// The characters that start in these bytes.
fn characters(bytes: &[u8]) -> usize {
    bytes.iter().filter(|byte| **byte & 0xc0 != 0x80).count()
}

fn parse(text: &str) -> Option<Value> {
    serde_json::from_str(text.strip_prefix('\u{feff}').unwrap_or(text)).ok()
}

/// The bytes of the value a JSON pointer names, or of the nearest value around it that is there. `None` if
/// the text is no JSON. For more than one question there is [`Places`].
///
/// ```
/// let text = r#"{"cpu": "256", "memory": "3000"}"#;
/// let span = taskdef::source::span(text, "/memory").unwrap();
/// assert_eq!(&text[span], "\"3000\"");
/// ```
pub fn span(text: &str, pointer: &str) -> Option<Range<usize>> {
    Some(Places::of(text)?.span(pointer))
}

/// The text with every value that may be secret replaced by [`HIDDEN`], for excerpts that people see. Lines stay where
/// they are. `None` if the text is no JSON, or says a member twice, because then one of them was never looked at.
///
/// ```
/// let text = r#"{"environment": [{"name": "DB_PASSWORD", "value": "hunter2"}], "image": "web:1"}"#;
/// let veiled = taskdef::source::veiled(text).unwrap();
/// assert_eq!(veiled, text.replace("hunter2", taskdef::HIDDEN));
/// ```
pub fn veiled(text: &str) -> Option<String> {
    let value = parse(text)?;
    if written_members(text) != members(&value) {
        return None;
    }
    let mut spans = Vec::new();
    hidden(&value, &masked("", &value), &Places::of(text)?.whole, &mut spans);
    spans.sort_by_key(|span| span.start);
    let (mut veiled, mut copied) = (String::with_capacity(text.len()), 0);
    for span in spans {
        veiled.push_str(&text[copied..span.start]);
        veiled.push_str(&format!("\"{HIDDEN}\""));
        copied = span.end;
    }
    veiled.push_str(&text[copied..]);
    Some(veiled)
}

/// Where a value and its masked copy differ.
fn hidden(value: &Value, mask: &Value, place: &Place, spans: &mut Vec<Range<usize>>) {
    match (value, mask, &place.inside) {
        (Value::Object(value), Value::Object(mask), Inside::Members(places)) => {
            for ((value, mask), place) in
                value.iter().filter_map(|(name, value)| Some(((value, mask.get(name)?), places.get(name)?)))
            {
                hidden(value, mask, place, spans);
            }
        }
        (Value::Array(value), Value::Array(mask), Inside::Items(places)) => {
            for ((value, mask), place) in value.iter().zip(mask).zip(places) {
                hidden(value, mask, place, spans);
            }
        }
        (value, mask, _) if value != mask => spans.push(place.span.clone()),
        _ => {}
    }
}

fn members(value: &Value) -> usize {
    match value {
        Value::Object(inside) => inside.len() + inside.values().map(members).sum::<usize>(),
        Value::Array(items) => items.iter().map(members).sum(),
        _ => 0,
    }
}

/// How many members the text writes: outside of strings, each has one colon.
fn written_members(text: &str) -> usize {
    let (bytes, mut at, mut count) = (text.as_bytes(), 0, 0);
    while at < bytes.len() {
        match bytes[at] {
            b'"' => at = end_of_text(bytes, at),
            byte => {
                count += usize::from(byte == b':');
                at += 1;
            }
        }
    }
    count
}

/// The line of a byte, counted from one.
///
/// ```
/// assert_eq!(taskdef::source::line("a\nb\nc", 2), 2);
/// ```
pub fn line(text: &str, byte: usize) -> u32 {
    let before = &text.as_bytes()[..byte.min(text.len())];
    before.iter().filter(|byte| **byte == b'\n').count() as u32 + 1
}

/// The value that starts at `at`. The last of several members of one name counts, as it does when the document is read.
fn place(text: &str, at: usize) -> Place {
    let bytes = text.as_bytes();
    match bytes[at] {
        b'{' => {
            let mut members = HashMap::new();
            let mut next = skip_blanks(text, at + 1);
            while bytes[next] != b'}' {
                let close = end_of_text(bytes, next);
                let name = serde_json::from_str::<String>(&text[next..close]).unwrap_or_default();
                // Over the colon.
                let value = place(text, skip_blanks(text, skip_blanks(text, close) + 1));
                next = skip_comma(text, value.span.end);
                members.insert(name, value);
            }
            Place { span: at..next + 1, inside: Inside::Members(members) }
        }
        b'[' => {
            let mut items = Vec::new();
            let mut next = skip_blanks(text, at + 1);
            while bytes[next] != b']' {
                let value = place(text, next);
                next = skip_comma(text, value.span.end);
                items.push(value);
            }
            Place { span: at..next + 1, inside: Inside::Items(items) }
        }
        b'"' => Place { span: at..end_of_text(bytes, at), inside: Inside::Nothing },
        _ => {
            let ends = |byte: &u8| matches!(byte, b',' | b'}' | b']' | b' ' | b'\t' | b'\n' | b'\r');
            let length = bytes[at..].iter().take_while(|byte| !ends(byte)).count();
            Place { span: at..at + length, inside: Inside::Nothing }
        }
    }
}

fn skip_comma(text: &str, from: usize) -> usize {
    let next = skip_blanks(text, from);
    if text.as_bytes()[next] == b',' { skip_blanks(text, next + 1) } else { next }
}

fn skip_blanks(text: &str, from: usize) -> usize {
    let blank = |byte: &u8| matches!(byte, b' ' | b'\t' | b'\n' | b'\r');
    from + text.as_bytes()[from..].iter().take_while(|byte| blank(byte)).count()
}

fn end_of_text(bytes: &[u8], quote: usize) -> usize {
    let mut position = quote + 1;
    while bytes[position] != b'"' {
        position += if bytes[position] == b'\\' { 2 } else { 1 };
    }
    position + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pointers_find_their_text() {
        let text =
            "\u{feff} {\n \"a\": [1, {\"b/c\": true, \"d\\\"\\u0065\": \"x]\\\\\"}], \"n\" :null , \"e\": {}\n}\n";
        for (pointer, expected) in [
            ("/a/0", "1"),
            ("/a/1/b~1c", "true"),
            ("/a/1/d\"e", "\"x]\\\\\""),
            ("/n", "null"),
            ("/e", "{}"),
            ("/e/missing/deeper", "{}"),
            ("/a/7", "[1, {\"b/c\": true, \"d\\\"\\u0065\": \"x]\\\\\"}]"),
        ] {
            assert_eq!(&text[span(text, pointer).unwrap()], expected, "{pointer}");
        }
        assert_eq!(line(text, span(text, "/e").unwrap().start), 2);
        assert!(text[span(text, "").unwrap()].starts_with('{'));
    }

    #[test]
    fn lines_and_columns_are_counted_in_characters() {
        let text = format!("\u{feff}{{\"ä\": \"{}\", \"b\": 1,\n \"ß\": 2}}", "ü".repeat(100));
        let places = Places::of(&text).unwrap();
        for (pointer, line, column) in [("", 1, 1), ("/b", 1, 116), ("/ß", 2, 7)] {
            let start = places.span(pointer).start;
            assert_eq!((places.line(start), places.column(start)), (line, column), "{pointer}");
        }
    }

    #[test]
    fn many_questions_about_a_long_line_take_no_time() {
        let items = 20_000;
        let text = format!("[{}]", vec!["\"AKIAABCDEFGHIJKLMNOP\""; items].join(","));
        let places = Places::of(&text).unwrap();
        for index in 0..items {
            let span = places.span(&format!("/{index}"));
            assert_eq!((places.line(span.end), places.column(span.start)), (1, 2 + 23 * index));
        }
        assert_eq!(veiled(&text).unwrap().matches(HIDDEN).count(), items);
    }

    #[test]
    fn the_last_of_equal_members_counts() {
        assert_eq!(span("{\"a\":1,\"a\":2}", "/a"), Some(11..12));
    }

    #[test]
    fn secrets_are_veiled_wherever_they_stand() {
        let text = r#"{"containerDefinitions": [{"command": ["--token", "marker"], "environment": [
            {"value": "mar\"ker", "name": "ANYTHING"}, {"name": "A/B~", "value": "marker"}, {"name": "DEBUG", "value": "true"}],
            "logConfiguration": {"options": {"splunk-token": "marker", "a": "b:c"}}}], "tags": [{"key": "password", "value": "marker"}]}"#;
        let veiled = veiled(text).unwrap();
        assert!(!veiled.contains("mar"), "{veiled}");
        assert_eq!(veiled.matches(HIDDEN).count(), 5);
        assert_eq!(veiled.lines().count(), text.lines().count());
        assert!(veiled.contains("\"true\"") && veiled.contains("b:c"));
    }

    #[test]
    fn what_is_said_twice_is_not_shown() {
        assert_eq!(veiled(r#"{"password": "marker", "password": ""}"#), None);
        assert_eq!(veiled("{"), None);
    }

    #[test]
    fn text_that_is_no_json_has_no_places() {
        for text in ["", "{", "[1,]", "{} {}"] {
            assert_eq!(span(text, "/a"), None, "{text}");
        }
    }
}
