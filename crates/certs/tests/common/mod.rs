//! What several tests share.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use certs::Bundle;
use certs::make::{Authority, KeyType};
use jiff::Timestamp;

pub(crate) const HOST: &str = "automator.example.com";

pub(crate) fn time(text: &str) -> Timestamp {
    text.parse().unwrap()
}

pub(crate) fn now() -> Timestamp {
    time("2026-11-25T00:00:00Z")
}

pub(crate) fn issued(kind: KeyType) -> Bundle {
    let authority = Authority::throw_away("Test", now()).unwrap();
    authority.issue(&[HOST], kind, time("2026-11-01T00:00:00Z"), time("2027-05-01T00:00:00Z")).unwrap()
}

pub(crate) fn fixture(name: &str) -> Vec<u8> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name);
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Whether a program that stands witness is here. Without it the test is skipped and says so, or fails when witnesses
/// are required.
#[expect(clippy::print_stdout, reason = "a skipped witness must be seen")]
pub(crate) fn witness(program: &str) -> bool {
    let found = Command::new(program).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok();
    if !found {
        assert_ne!(std::env::var("REQUIRE_WITNESSES").as_deref(), Ok("all"), "the witness `{program}` is missing");
        println!("skipped, because `{program}` is not installed");
    }
    found
}

/// Runs a program; its output, and whether it succeeded.
pub(crate) fn run(program: &str, arguments: &[&str]) -> (bool, String) {
    let output = Command::new(program).args(arguments).stdin(Stdio::null()).output().unwrap();
    let text = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8_lossy(&text).into_owned())
}
