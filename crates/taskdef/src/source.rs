//! From a pointer to a place in the text, so that a finding can be shown where its author wrote it.

use std::ops::Range;

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
    fn text_that_is_no_json_has_no_places() {
        for text in ["", "{", "[1,]", "{} {}"] {
            assert_eq!(span(text, "/a"), None, "{text}");
        }
    }
}
