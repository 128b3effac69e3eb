//! The product's binary: built here, never linked here.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::run;

/// The package, the features and the binary that a product command needs.
pub(crate) const BUILD: [&str; 7] = ["build", "-p", "deployer", "--features", "sandbox", "--bin", "keeper-automator"];

/// Builds the product and becomes it, so that its exit code and the signals sent to it are its own.
pub(crate) fn run(args: &[OsString]) -> Result<ExitCode> {
    let binary = build()?;
    let mut command = command(&binary);
    command.args(args);
    become_it(command).with_context(|| format!("start {}", binary.display()))
}

/// The product as a child that does not know who built it.
pub(crate) fn command(binary: &Path) -> Command {
    let mut command = Command::new(binary);
    run::without_our_package(&mut command);
    command
}

#[cfg(unix)]
fn become_it(mut command: Command) -> Result<ExitCode> {
    use std::os::unix::process::CommandExt;
    Err(command.exec().into())
}

#[cfg(not(unix))]
fn become_it(mut command: Command) -> Result<ExitCode> {
    let code = command.status()?.code().unwrap_or(1);
    Ok(u8::try_from(code).map_or(ExitCode::FAILURE, ExitCode::from))
}

/// Builds the product, with cargo's progress on stderr, and says where it is.
pub(crate) fn build() -> Result<PathBuf> {
    let mut command = run::cargo();
    command.args(BUILD).arg("--message-format=json-render-diagnostics");
    let output = command.stdin(Stdio::null()).stderr(Stdio::inherit()).output().context("start cargo")?;
    ensure!(output.status.success(), "the product does not build");
    executable(&String::from_utf8_lossy(&output.stdout)).context("cargo built no binary named keeper-automator")
}

/// Finds the binary in cargo's messages.
fn executable(messages: &str) -> Option<PathBuf> {
    messages
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .filter(|message| message["target"]["name"] == "keeper-automator")
        .find_map(|message| message["executable"].as_str().map(PathBuf::from))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_binary_is_found_among_other_artifacts() {
        let messages = concat!(
            r#"{"reason":"compiler-artifact","target":{"name":"deployer"},"executable":null}"#,
            "\nnot json\n",
            r#"{"reason":"compiler-artifact","target":{"name":"keeper-automator"},"executable":"t/debug/keeper-automator"}"#,
            "\n",
            r#"{"reason":"build-finished","success":true}"#,
        );
        assert_eq!(executable(messages), Some(PathBuf::from("t/debug/keeper-automator")));
    }
}
