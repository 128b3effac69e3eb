//! Command lines and configs that are refused before anybody is called.

use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

const SMALLEST: &str = include_str!("../../../fixtures/config/smallest.toml");
const MANY_MISTAKES: &str = include_str!("../../../fixtures/config/many-mistakes.toml");

/// How a run ended.
struct Ran {
    code: Option<i32>,
    stdout: String,
    stderr: String,
}

/// The program in a folder, with nothing of this process's environment.
fn run(folder: &Path, args: &[&str]) -> Ran {
    let mut command = Command::new(env!("CARGO_BIN_EXE_keeper-automator"));
    command.env_clear().current_dir(folder).stdin(Stdio::null()).env("HOME", folder).env("LANG", "C");
    let output = command.args(args).output().expect("the program starts");
    let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
    Ran { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
}

fn folder(config: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("automator.toml"), config).unwrap();
    folder
}

#[test]
fn a_vault_is_not_undone_by_nobody() {
    let folder = folder(SMALLEST);
    let ran = run(folder.path(), &["destroy", "--keeper", "--yes"]);
    assert_eq!(ran.code, Some(2), "{}", ran.stderr);
    assert!(ran.stderr.contains("error[keeper-nobody-signs-in]"), "{}", ran.stderr);
    assert!(ran.stderr.contains("hint: leave --keeper away"), "{}", ran.stderr);
}

#[test]
fn a_program_is_told_every_mistake_of_a_config() {
    let folder = folder(MANY_MISTAKES);
    let ran = run(folder.path(), &["plan", "--format", "json"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(2), ""), "{}", ran.stderr);
    let told: Vec<Value> = ran.stderr.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let messages: Vec<&str> = told.iter().map(|event| event["failure"]["message"].as_str().unwrap()).collect();
    assert_eq!(messages.len(), 12, "{messages:#?}");
    assert!(messages[0].starts_with("read config automator.toml:2:8: a deployment name"), "{}", messages[0]);
    assert!(messages[11].starts_with("read config automator.toml:24:18: CloudWatch"), "{}", messages[11]);
    assert_eq!(told[1]["failure"]["code"], "config-unknown-key");
    assert_eq!(told[1]["failure"]["causes"], serde_json::json!(["the key is regoin"]));

    // A person sees them drawn, and the first one again as what ended the command.
    let ran = run(folder.path(), &["plan"]);
    assert_eq!(ran.stderr.matches("error[").count(), 1, "{}", ran.stderr);
    assert!(ran.stderr.contains("error[config-bad-value]: step config: failed to read config automator.toml:2:8: "));
}

#[test]
fn a_document_in_a_file_has_no_account() {
    let folder = folder(SMALLEST);
    std::fs::write(folder.path().join("a.json"), "{}").unwrap();
    for flag in [["--region", "eu-west-1"], ["--profile", "x"], ["--patience", "5"]] {
        for line in [&["taskdef", "lint", "a.json"][..], &["taskdef", "diff", "a.json", "a.json"]] {
            let ran = run(folder.path(), &[line, &flag].concat());
            assert_eq!(ran.code, Some(2), "{line:?} {flag:?}: {}", ran.stderr);
            assert!(ran.stderr.contains("cannot be used with"), "{line:?} {flag:?}: {}", ran.stderr);
        }
        // Of what is deployed they are of use.
        let ran = run(folder.path(), &[&["taskdef", "lint", "--deployed", ""][..], &flag].concat());
        assert!(!ran.stderr.contains("cannot be used with"), "{flag:?}: {}", ran.stderr);
    }
}

#[test]
fn a_token_that_is_asked_for_belongs_to_the_config_of_the_folder() {
    let broken = folder("name = ");
    let ran = run(broken.path(), &["keeper", "bind", "--out", "device.json"]);
    assert!(ran.code == Some(2) && ran.stderr.contains("error[config-syntax]"), "{}", ran.stderr);
    // A token on the command line is enough, as a device or a sign-in is elsewhere.
    let ran = run(broken.path(), &["keeper", "bind", "--out", "device.json", "--token-env", "NOT_THERE"]);
    assert!(ran.code == Some(2) && ran.stderr.contains("error[secret-env-not-set]"), "{}", ran.stderr);
    let empty = tempfile::tempdir().unwrap();
    let ran = run(empty.path(), &["keeper", "bind", "--out", "device.json"]);
    assert!(ran.code == Some(2) && ran.stderr.contains("error[secret-not-answered]"), "{}", ran.stderr);
}

#[test]
fn why_a_secret_cannot_be_read_is_told() {
    let config = SMALLEST.replace("{ file = \"ssl-certificate-password.txt\" }", "{ file = \"not-there.txt\" }");
    let folder = folder(&config);
    std::fs::write(folder.path().join("ssl-certificate.pfx"), "no PFX, but a file").unwrap();
    let ran = run(folder.path(), &["plan"]);
    let cause = std::fs::File::open("/nowhere/at/all").unwrap_err().to_string();
    assert!(ran.stderr.contains("error[secret-unreadable]"), "{}", ran.stderr);
    assert_eq!(ran.stderr.matches(&cause).count(), 1, "{}", ran.stderr);

    let config = SMALLEST.replace("{ file = \"ssl-certificate-password.txt\" }", "{ env = \"Sommer2024\" }");
    std::fs::write(folder.path().join("automator.toml"), config).unwrap();
    let ran = run(folder.path(), &["plan"]);
    assert!(ran.stderr.contains("error[secret-env-not-set]"), "{}", ran.stderr);
    assert!(ran.stderr.contains("`certificate.password`") && !ran.stderr.contains("Sommer"), "{}", ran.stderr);
}

#[cfg(unix)]
#[test]
fn a_variable_that_is_no_text_stops_nobody() {
    use std::os::unix::ffi::OsStrExt;

    let mut command = Command::new(env!("CARGO_BIN_EXE_keeper-automator"));
    command.arg("schema").arg("config").env("SECRET", std::ffi::OsStr::from_bytes(b"caf\xe9"));
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}
