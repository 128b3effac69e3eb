//! Every hint of the catalogue is for a code that the sources can give.

use super::{File, Finding};

const CATALOGUE: &str = "crates/deployer/src/catalogue/messages.rs";

pub(super) fn check(files: &[File]) -> Vec<Finding> {
    let Some(catalogue) = files.iter().find(|file| file.path == CATALOGUE) else { return Vec::new() };
    let given = |code: &str| {
        let literal = format!("\"{code}\"");
        let sources = files.iter().filter(|file| file.path.ends_with(".rs") && file.path.contains("/src/"));
        sources.filter(|file| file.path != CATALOGUE).any(|file| file.text.contains(&literal))
    };
    let codes: Vec<(usize, &str)> = codes(&catalogue.text).collect();
    let unused = codes.iter().filter(|(_, code)| !given(code));
    let mut findings: Vec<Finding> =
        unused.map(|(line, code)| Finding::at(CATALOGUE, *line, format!("nothing gives the code `{code}`"))).collect();
    if codes.is_empty() {
        findings.push(Finding::new(CATALOGUE, "no entry has a code: this check looks for the wrong words"));
    }
    findings
}

/// Line and code of each entry: `    ("code",`.
fn codes(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.lines().enumerate().filter_map(|(index, line)| {
        let code = line.strip_prefix("    (\"")?.strip_suffix("\",")?;
        Some((index + 1, code))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str, text: &str) -> File {
        File { path: path.to_owned(), text: text.to_owned() }
    }

    #[test]
    fn a_hint_for_nothing_is_found() {
        let catalogue = file(CATALOGUE, "    (\"locked\",\n     \"wait\",\n    (\"gone\",\n");
        let source = file("crates/a/src/b.rs", "Error::new(\"locked\", what)");
        let test = file("crates/a/tests/b.rs", "\"gone\"");
        let findings = check(&[catalogue, source, test]);
        assert_eq!(findings, [Finding::at(CATALOGUE, 3, "nothing gives the code `gone`")]);
    }
}
