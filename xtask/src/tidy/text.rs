//! What no file may say.

use super::{File, Finding};

/// Words that only mean something on one machine, in pieces so that this file does not say them.
const OF_ONE_MACHINE: [&str; 5] = [
    concat!("/ro", "ot/"),
    concat!("/ho", "me/"),
    concat!("/wo", "rk/main"),
    concat!("/wo", "rk/shared"),
    concat!("../sha", "red/"),
];

/// Account ids that AWS's own documentation uses, and the one that no account has.
const DUMMY_ACCOUNTS: [&str; 4] = ["123456789012", "111122223333", "444455556666", "000000000000"];

const UNFINISHED: &str = concat!("to", "do!(");

pub(super) fn check(file: &File) -> Vec<Finding> {
    let mut findings = Vec::new();
    // Written by cargo; its checksums are no account ids.
    if file.path.ends_with("Cargo.lock") {
        return findings;
    }
    for (number, line) in file.text.lines().enumerate() {
        let mut say = |what: String| findings.push(Finding::at(&file.path, number + 1, what));
        for word in OF_ONE_MACHINE {
            if line.contains(word) {
                say(format!("`{word}` is a path of one machine"));
            }
        }
        for id in account_ids(line) {
            say(format!("{id} could be a real AWS account; use {}", DUMMY_ACCOUNTS[0]));
        }
        if file.path.ends_with(".rs") && line.contains(UNFINISHED) {
            say("unfinished code".to_owned());
        }
    }
    findings
}

/// Numbers of exactly twelve digits that stand alone, end no UUID, and are no known dummy.
fn account_ids(line: &str) -> Vec<&str> {
    let mut ids = Vec::new();
    let mut before = "";
    for word in line.split(|c: char| !c.is_ascii_alphanumeric() && c != '_') {
        let ends_a_uuid = before.len() == 4 && before.bytes().all(|byte| byte.is_ascii_hexdigit());
        let is_a_number = word.len() == 12 && word.bytes().all(|byte| byte.is_ascii_digit());
        if is_a_number && !ends_a_uuid && !DUMMY_ACCOUNTS.contains(&word) {
            ids.push(word);
        }
        before = word;
    }
    ids
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_text(path: &str, text: &str, expected: &[&str]) {
        let file = File { path: path.into(), text: text.into() };
        let found: Vec<String> = check(&file).iter().map(ToString::to_string).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn a_real_looking_account_is_found_with_its_line() {
        let id = concat!("9988", "77665544");
        check_text(
            "fixtures/role.json",
            &format!("{{\n \"arn\": \"arn:aws:iam::{id}:role/x\" }}"),
            &[&format!("fixtures/role.json:2: {id} could be a real AWS account; use 123456789012")],
        );
    }

    #[test]
    fn dummies_longer_numbers_and_checksums_are_fine() {
        let text =
            "arn:aws:iam::123456789012:role/x 111122223333 000000000000 1234567890123 a998877665544 998877_665544";
        check_text("README.md", text, &[]);
        check_text("Cargo.lock", concat!("9988", "77665544"), &[]);
    }

    #[test]
    fn paths_of_one_machine_are_found() {
        let text = format!("see {}x", OF_ONE_MACHINE[0]);
        check_text("README.md", &text, &[&format!("README.md:1: `{}` is a path of one machine", OF_ONE_MACHINE[0])]);
    }

    #[test]
    fn unfinished_code_is_found_in_rust_only() {
        let text = format!("fn a() {{ {UNFINISHED}) }}");
        check_text("a.rs", &text, &["a.rs:1: unfinished code"]);
        check_text("CONTRIBUTING.md", &text, &[]);
    }
}
