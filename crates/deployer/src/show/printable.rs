//! Text that others chose.

/// The text without control characters: whoever gave a thing its name shall not command a terminal.
pub(crate) fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { char::REPLACEMENT_CHARACTER } else { c }).collect()
}
