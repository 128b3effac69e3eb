//! Moto's container image, for a machine that has it but can install nothing.
//!
//! The Docker client stays attached, so that it is for us what the Moto process is otherwise: it ends when the
//! container does, and takes the container along through its standard input or a signal.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use tokio::process::Command;

use crate::settings::Settings;

/// The image that is used if it is on this machine. It is never pulled.
pub(crate) const IMAGE: &str = "motoserver/moto:5.2.5";

/// The port inside the container.
pub(crate) const PORT: &str = "5000";

/// What the Docker client needs of the environment.
const BASE: [&str; 5] = ["PATH", "HOME", "XDG_RUNTIME_DIR", "DOCKER_CONFIG", "DOCKER_HOST"];

/// A daemon that does not answer within this is as good as none.
const PATIENCE: Duration = Duration::from_secs(10);

/// A Docker client, if there is one and its daemon is on this machine and has the image.
pub(crate) async fn client(settings: &Settings) -> Option<std::path::PathBuf> {
    let host = settings.variable("DOCKER_HOST").unwrap_or_default();
    // A published port would be one of that other machine.
    if !host.is_empty() && !host.to_str()?.starts_with("unix://") {
        return None;
    }
    let docker = settings.program("docker")?;
    let mut inspect = command(&docker, settings);
    inspect.args(["image", "inspect", IMAGE]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let status = tokio::time::timeout(PATIENCE, inspect.status()).await.ok()?.ok()?;
    status.success().then_some(docker)
}

/// A Docker command with an environment of its own.
pub(crate) fn command(docker: &Path, settings: &Settings) -> Command {
    let mut command = Command::new(docker);
    command.env_clear().envs(settings.only(&BASE)).kill_on_drop(true);
    command
}

/// The port of this machine that leads into the container.
pub(crate) async fn published(docker: &Path, settings: &Settings, name: &str) -> std::io::Result<u16> {
    let output = command(docker, settings).args(["port", name, PORT]).stdin(Stdio::null()).output().await?;
    let said = String::from_utf8_lossy(&output.stdout);
    let port = said.lines().find_map(|line| line.trim().strip_prefix("127.0.0.1:")?.parse().ok());
    port.ok_or_else(|| {
        std::io::Error::other(format!("docker published no port on 127.0.0.1, it says `{}`", said.trim()))
    })
}
