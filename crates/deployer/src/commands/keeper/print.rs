//! Tables, and what others have named.

use std::fmt::Write as _;

use crate::show::printable;

/// Columns of even width; the last one as long as it is. Two blanks between them.
pub(super) fn table(rows: &[Vec<String>]) -> String {
    let width = |column: usize| rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max();
    let mut text = String::new();
    for row in rows {
        let mut line = String::new();
        for (column, cell) in row.iter().enumerate() {
            let width = width(column).unwrap_or_default();
            let _ = write!(line, "{}{:width$}", if column == 0 { "" } else { "  " }, printable(cell));
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

/// A time in milliseconds since 1970; `never` for 0.
pub(super) fn time(millis: i64) -> String {
    match jiff::Timestamp::from_millisecond(millis) {
        Ok(_) if millis == 0 => "never".to_owned(),
        Ok(time) => time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        Err(_) => "unknown".to_owned(),
    }
}

/// `yes` or `no`.
pub(super) fn yes(is: bool) -> String {
    if is { "yes" } else { "no" }.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_even_and_control_characters_are_not_obeyed() {
        let rows = [vec!["a".to_owned(), "b\u{1b}[2J".to_owned()], vec!["long".to_owned(), String::new()]];
        assert_eq!(table(&rows), "a     b\u{fffd}[2J\nlong\n");
        assert_eq!(time(0), "never");
        assert_eq!(time(1_767_225_600_000), "2026-01-01T00:00:00Z");
        assert_eq!(time(i64::MAX), "unknown");
    }
}
