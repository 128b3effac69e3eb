//! The few words to Docker that images need.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use crate::run;

/// How long a registry may take. One that cannot be reached says so within a second.
const PULL_DEADLINE: Duration = Duration::from_secs(300);

fn docker(args: &[&str]) -> Command {
    let mut command = Command::new("docker");
    command.args(args).stdin(Stdio::null());
    command
}

/// What is missing, in one line, with how to get it.
pub(super) fn missing() -> Option<String> {
    match run::quietly(&mut docker(&["version", "--format", "{{.Server.Version}}"])) {
        Err(_) => Some(
            "there is no `docker` command; install Docker (on Debian: apt-get install docker.io) and start its daemon"
                .to_owned(),
        ),
        Ok(output) if !output.status.success() => {
            let said = String::from_utf8_lossy(&output.stderr);
            let said = said.lines().next().unwrap_or("it says nothing");
            Some(format!(
                "the Docker daemon does not answer; start it (as root: dockerd &) and look at its socket ({said})"
            ))
        }
        Ok(_) => None,
    }
}

pub(super) fn has(image: &str) -> Result<bool> {
    Ok(run::quietly(&mut docker(&["image", "inspect", "--format", "{{.Id}}", image]))?.status.success())
}

/// Removes what was built before under the same name and another tag, but for what a container still has.
pub(super) fn forget_others(image: &str) -> Result<()> {
    let (name, _) = image.rsplit_once(':').unwrap_or((image, ""));
    let said = run::stdout_of(&mut docker(&["image", "ls", "--format", "{{.Repository}}:{{.Tag}}", name]))?;
    for other in said.lines().filter(|other| *other != image && !other.ends_with(":<none>")) {
        // Docker refuses where it is in use, which is well.
        let _ = run::quietly(&mut docker(&["image", "rm", other]))?;
    }
    Ok(())
}

/// Whether a registry gave it.
pub(super) fn pull(image: &str) -> bool {
    let mut command = docker(&["pull", "--quiet", image]);
    command.stdout(Stdio::null()).stderr(Stdio::null());
    let Ok(child) = command.spawn() else { return false };
    run::wait_until(child, PULL_DEADLINE, "docker pull").is_ok_and(|status| status.success())
}

/// Makes an image of a directory.
pub(super) fn import(root: &Path, image: &str, changes: &[String]) -> Result<()> {
    let mut tar = Command::new("tar");
    tar.args(["--owner=0", "--group=0", "--numeric-owner", "--sort=name", "--mtime=@0", "-c", "."]).current_dir(root);
    let mut tar = tar.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().context("start tar")?;
    let pipe = tar.stdout.take().context("read what tar writes")?;
    let mut import = Command::new("docker");
    import.arg("import");
    for change in changes {
        import.args(["--change", change]);
    }
    let status = import.args(["-", image]).stdin(pipe).stdout(Stdio::null()).status().context("start docker")?;
    let tar = tar.wait().context("wait for tar")?;
    ensure!(status.success() && tar.success(), "docker import: {}, tar: {}", run::describe(status), run::describe(tar));
    Ok(())
}
