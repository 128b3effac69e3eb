//! Running other programs: where the workspace is, which cargo, how long to wait.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

/// The root of the workspace.
pub(crate) fn root() -> PathBuf {
    let xtask =
        std::env::var_os("CARGO_MANIFEST_DIR").map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
    xtask.parent().map_or(xtask.clone(), Path::to_path_buf)
}

/// The cargo that runs us, in the root of the workspace.
pub(crate) fn cargo() -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root());
    without_our_package(&mut command);
    command
}

/// Takes away what `cargo run` told us about our own package, which is of no concern to a child.
pub(crate) fn without_our_package(command: &mut Command) {
    for (name, _) in std::env::vars_os() {
        if is_about_our_package(&name) {
            command.env_remove(&name);
        }
    }
}

fn is_about_our_package(name: &OsStr) -> bool {
    name.to_str().is_some_and(|name| {
        name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_") || name == "CARGO_PRIMARY_PACKAGE"
    })
}

/// The target directory, as cargo itself resolves it.
pub(crate) fn target_dir() -> Result<PathBuf> {
    let text = stdout_of(cargo().args(["metadata", "--no-deps", "--format-version", "1"]))?;
    let metadata: Value = serde_json::from_str(&text).context("read what `cargo metadata` says")?;
    let dir =
        metadata["target_directory"].as_str().context("find the target directory in what `cargo metadata` says")?;
    Ok(dir.into())
}

/// The command as a person would type it.
pub(crate) fn line(command: &Command) -> String {
    let program = Path::new(command.get_program()).file_name().unwrap_or_default();
    std::iter::once(program).chain(command.get_args()).map(OsStr::to_string_lossy).collect::<Vec<_>>().join(" ")
}

/// Runs a command with our own output; an exit code other than 0 is an error.
pub(crate) fn check(command: &mut Command) -> Result<()> {
    let line = line(command);
    let status = command.stdin(Stdio::null()).status().with_context(|| format!("start `{line}`"))?;
    ensure!(status.success(), "`{line}` ended with {}", describe(status));
    Ok(())
}

/// Runs a command whose answer is on stdout; its stderr is ours.
pub(crate) fn stdout_of(command: &mut Command) -> Result<String> {
    let line = line(command);
    let output =
        command.stdin(Stdio::null()).stderr(Stdio::inherit()).output().with_context(|| format!("start `{line}`"))?;
    ensure!(output.status.success(), "`{line}` ended with {}", describe(output.status));
    String::from_utf8(output.stdout).with_context(|| format!("read what `{line}` says"))
}

/// Runs a command and keeps everything it says.
pub(crate) fn quietly(command: &mut Command) -> Result<Output> {
    let line = line(command);
    command.stdin(Stdio::null()).output().with_context(|| format!("start `{line}`"))
}

/// Whether a subcommand of cargo, such as `nextest`, is installed.
pub(crate) fn has_cargo_command(name: &str) -> bool {
    quietly(cargo().args([name, "--version"])).is_ok_and(|output| output.status.success())
}

/// Waits for a child, and ends it when the deadline passes.
pub(crate) fn wait_until(mut child: Child, deadline: Duration, line: &str) -> Result<ExitStatus> {
    let end = Instant::now() + deadline;
    loop {
        if let Some(status) = child.try_wait().with_context(|| format!("wait for `{line}`"))? {
            return Ok(status);
        }
        if Instant::now() >= end {
            child.kill().with_context(|| format!("end `{line}`"))?;
            child.wait().with_context(|| format!("wait for `{line}`"))?;
            bail!("`{line}` was ended: it had not finished after {} s", deadline.as_secs());
        }
        pause();
    }
}

#[expect(clippy::disallowed_methods, reason = "the one place of xtask that waits")]
fn pause() {
    std::thread::sleep(Duration::from_millis(20));
}

/// `exit code 3`, or the signal.
pub(crate) fn describe(status: ExitStatus) -> String {
    status.code().map_or_else(|| status.to_string(), |code| format!("exit code {code}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_root_holds_the_lock_file() {
        assert!(root().join("Cargo.lock").is_file());
    }

    #[test]
    fn a_command_is_shown_as_typed() {
        let mut command = Command::new("some/where/cargo");
        command.args(["fmt", "--all"]);
        assert_eq!(line(&command), "cargo fmt --all");
    }

    #[test]
    fn a_failing_command_says_line_and_exit_code() {
        let error = check(Command::new("sh").args(["-c", "exit 7"])).unwrap_err();
        assert_eq!(error.to_string(), "`sh -c exit 7` ended with exit code 7");
    }

    #[test]
    fn a_command_that_hangs_is_ended_at_the_deadline() {
        let child = Command::new("sleep").arg("60").spawn().unwrap();
        let error = wait_until(child, Duration::from_millis(50), "sleep 60").unwrap_err();
        assert!(error.to_string().contains("had not finished"), "{error}");
    }

    #[test]
    fn only_what_concerns_our_package_is_taken_from_a_child() {
        assert!(is_about_our_package(OsStr::new("CARGO_PKG_NAME")));
        assert!(is_about_our_package(OsStr::new("CARGO_MANIFEST_DIR")));
        assert!(!is_about_our_package(OsStr::new("CARGO_TARGET_DIR")));
        assert!(!is_about_our_package(OsStr::new("CARGO_INCREMENTAL")));
    }
}
