//! From a pointer to a place in the text, so that a finding can be shown where its author wrote it.

use std::ops::Range;

use serde_json::Value;

use crate::diff::{HIDDEN, masked};
use crate::pointer;

/// The bytes of the value a JSON pointer names, or of the nearest value around it that is there. `None` if
/// the text is no JSON.
///
/// ```
/// let text = r#"{"cpu": "256", "memory": "3000"}"#;
/// let span = taskdef::source::span(text, "/memory").unwrap();
/// assert_eq!(&text[span], "\"3000\"");
/// ```
pub fn span(text: &str, pointer: &str) -> Option<Range<usize>> {
    serde_json::from_str::<serde::de::IgnoredAny>(text.strip_prefix('\u{feff}').unwrap_or(text)).ok()?;
    let mut at = skip_blanks(text, text.len() - text.trim_start_matches('\u{feff}').len());
    for token in pointer.split('/').skip(1) {
        match child(text, at, &token.replace("~1", "/").replace("~0", "~")) {
            Some(inside) => at = inside,
            None => break,
        }
    }
    Some(at..end(text, at))
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
    let value: Value = serde_json::from_str(text.strip_prefix('\u{feff}').unwrap_or(text)).ok()?;
    if written_members(text) != members(&value) {
        return None;
    }
    let mut pointers = Vec::new();
    hidden(&value, &masked("", &value), &mut String::new(), &mut pointers);
    let mut spans: Vec<Range<usize>> = pointers.iter().filter_map(|pointer| span(text, pointer)).collect();
    spans.sort_by_key(|span| span.start);
    let mut veiled = text.to_owned();
    for span in spans.into_iter().rev() {
        veiled.replace_range(span, &format!("\"{HIDDEN}\""));
    }
    Some(veiled)
}

/// Where a value and its masked copy differ.
fn hidden(value: &Value, mask: &Value, at: &mut String, pointers: &mut Vec<String>) {
    let length = at.len();
    match (value, mask) {
        (Value::Object(value), Value::Object(mask)) => {
            for (name, value) in value {
                at.push('/');
                at.push_str(&pointer::escape(name));
                hidden(value, &mask[name], at, pointers);
                at.truncate(length);
            }
        }
        (Value::Array(value), Value::Array(mask)) => {
            for (index, (value, mask)) in value.iter().zip(mask).enumerate() {
                at.push('/');
                at.push_str(&index.to_string());
                hidden(value, mask, at, pointers);
                at.truncate(length);
            }
        }
        (value, mask) if value != mask => pointers.push(at.clone()),
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

/// Where the member or item of this name starts, if the value that starts at `at` has one. The last of
/// several members of one name counts, as it does when the document is read.
fn child(text: &str, at: usize, token: &str) -> Option<usize> {
    let is_object = match text.as_bytes()[at] {
        b'{' => true,
        b'[' => false,
        _ => return None,
    };
    let mut found = None;
    let mut next = skip_blanks(text, at + 1);
    let mut index = 0_usize;
    while !matches!(text.as_bytes()[next], b'}' | b']') {
        let mut is_it = !is_object && token.parse() == Ok(index);
        if is_object {
            let close = end(text, next);
            is_it = serde_json::from_str::<String>(&text[next..close]).is_ok_and(|name| name == token);
            // Over the colon.
            next = skip_blanks(text, skip_blanks(text, close) + 1);
        }
        if is_it {
            found = Some(next);
        }
        next = skip_blanks(text, end(text, next));
        if text.as_bytes()[next] == b',' {
            next = skip_blanks(text, next + 1);
        }
        index += 1;
    }
    found
}

fn skip_blanks(text: &str, from: usize) -> usize {
    let blank = |byte: &u8| matches!(byte, b' ' | b'\t' | b'\n' | b'\r');
    from + text.as_bytes()[from..].iter().take_while(|byte| blank(byte)).count()
}

/// The byte behind the value that starts at `at`.
fn end(text: &str, at: usize) -> usize {
    let bytes = text.as_bytes();
    let (mut depth, mut position) = (0_usize, at);
    loop {
        match bytes[position] {
            b'"' => position = end_of_text(bytes, position),
            b'{' | b'[' => {
                depth += 1;
                position += 1;
            }
            b'}' | b']' => {
                depth -= 1;
                position += 1;
            }
            _ if depth > 0 => position += 1,
            _ => {
                let ends = |byte: &u8| matches!(byte, b',' | b'}' | b']' | b' ' | b'\t' | b'\n' | b'\r');
                return position + bytes[position..].iter().take_while(|byte| !ends(byte)).count();
            }
        }
        if depth == 0 {
            return position;
        }
    }
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
