//! The formats of `SECRETS_FILE`.

use std::str::FromStr;

use zeroize::Zeroizing;

/// How `SECRETS_FILE` is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ValuesFormat {
    /// One JSON object of texts.
    #[default]
    Json,
    /// `export NAME='VALUE'`, for POSIX shells.
    Export,
    /// `setenv NAME 'VALUE'`, for the C shell.
    Setenv,
    /// `set NAME='VALUE'`, for the C shell.
    Set,
}

impl FromStr for ValuesFormat {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        match text.to_ascii_lowercase().as_str() {
            "json" => Ok(Self::Json),
            "export" => Ok(Self::Export),
            "setenv" => Ok(Self::Setenv),
            "set" => Ok(Self::Set),
            _ => Err(()),
        }
    }
}

impl ValuesFormat {
    /// Whether a name can stand in this format: anything in JSON, a shell variable elsewhere.
    pub(super) fn takes(self, name: &str) -> bool {
        let mut bytes = name.bytes();
        self == Self::Json
            || (bytes.next().is_some_and(|first| first.is_ascii_alphabetic() || first == b'_')
                && bytes.all(|byte| byte.is_ascii_alphanumeric() || byte == b'_'))
    }

    /// The whole file. None when a value cannot stand in it: the C shell has no line feeds in quotes.
    pub(super) fn render<'a>(self, values: impl Iterator<Item = (&'a str, &'a str)>) -> Option<Zeroizing<Vec<u8>>> {
        let mut out = Zeroizing::new(Vec::new());
        if self == Self::Json {
            out.push(b'{');
            for (index, (name, value)) in values.enumerate() {
                out.extend_from_slice(if index == 0 { b"\n  " } else { b",\n  " });
                serde_json::to_writer(&mut *out, name).ok()?;
                out.extend_from_slice(b": ");
                serde_json::to_writer(&mut *out, value).ok()?;
            }
            out.extend_from_slice(b"\n}\n");
            return Some(out);
        }
        for (name, value) in values {
            let c_shell = self != Self::Export;
            if value.contains('\0') || (c_shell && value.contains(['\n', '\r'])) {
                return None;
            }
            let quoted = quoted(value, c_shell);
            let (before, between) = match self {
                Self::Setenv => ("setenv ", " "),
                Self::Set => ("set ", "="),
                _ => ("export ", "="),
            };
            for part in [before, name, between, &quoted, "\n"] {
                out.extend_from_slice(part.as_bytes());
            }
        }
        Some(out)
    }
}

/// In single quotes. The C shell looks for its history even there.
pub(super) fn quoted(text: &str, c_shell: bool) -> Zeroizing<String> {
    let mut out = Zeroizing::new(String::with_capacity(text.len() * 4 + 2));
    out.push('\'');
    for c in text.chars() {
        match c {
            '\'' => out.push_str(r"'\''"),
            '!' if c_shell => out.push_str(r"\!"),
            c => out.push(c),
        }
    }
    out.push('\'');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn render(format: ValuesFormat, value: &str) -> Option<String> {
        format.render([("A", value)].into_iter()).map(|bytes| String::from_utf8(bytes.to_vec()).unwrap())
    }

    #[test]
    fn values_are_quoted_for_their_reader() {
        assert_eq!(render(ValuesFormat::Json, "it's \"x\"\n").unwrap(), "{\n  \"A\": \"it's \\\"x\\\"\\n\"\n}\n");
        assert_eq!(render(ValuesFormat::Export, "it's $x\n!").unwrap(), "export A='it'\\''s $x\n!'\n");
        assert_eq!(render(ValuesFormat::Setenv, "a!b").unwrap(), "setenv A 'a\\!b'\n");
        assert_eq!(render(ValuesFormat::Set, "a b").unwrap(), "set A='a b'\n");
        assert_eq!(render(ValuesFormat::Set, "a\nb"), None);
    }

    #[test]
    fn a_shell_reads_back_what_was_written() {
        let value = "it's $HOME `x` \\ \"q\" !\nsecond";
        let script = format!("{}printf %s \"$A\"", render(ValuesFormat::Export, value).unwrap());
        let output = std::process::Command::new("sh").args(["-c", &script]).output().unwrap();
        assert_eq!(String::from_utf8(output.stdout).unwrap(), value);
    }

    #[test]
    fn names_are_variables_where_a_shell_reads() {
        for (name, fine) in [("A_1", true), ("1A", false), ("", false), ("A B", false), ("A;rm", false)] {
            assert_eq!(ValuesFormat::Export.takes(name), fine, "{name}");
            assert!(ValuesFormat::Json.takes(name));
        }
    }
}
