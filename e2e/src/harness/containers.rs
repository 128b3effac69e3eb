//! Containers of one run: one label, a network for each stage, and nothing left behind.

use std::collections::HashMap;
use std::net::IpAddr;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use testcontainers::bollard::models::PortBinding;
use testcontainers::core::{ContainerPort, Mount, WaitFor};
use testcontainers::runners::AsyncRunner;
use testcontainers::{ContainerAsync, GenericImage, ImageExt};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::wait::until;

/// The label of containers, networks and volumes; its value is the run.
const LABEL: &str = "org.keeper-automator.e2e.run";
/// How long a container may take until it answers.
const READY_WITHIN: Duration = Duration::from_secs(60);

/// A network, and its containers. All go when it is dropped.
pub struct Containers {
    run: String,
    network: String,
    running: Vec<ContainerAsync<GenericImage>>,
}

/// What a container needs to be one of ours.
pub(crate) struct Wanted<'a> {
    /// The image, `name:tag`.
    pub(crate) image: &'a str,
    /// The port it listens on.
    pub(crate) port: u16,
    /// How it shows that it is ready.
    pub(crate) ready: Ready<'a>,
    /// Its environment.
    pub(crate) environment: &'a [(&'a str, &'a str)],
    /// Its name on the network.
    pub(crate) name: &'a str,
    /// What it is told to do; empty for what the image does by itself.
    pub(crate) command: &'a [String],
    /// A directory of this machine that it has as `/desk`.
    pub(crate) desk: Option<&'a Path>,
}

/// How a container shows that it is ready.
#[derive(Clone, Copy)]
pub(crate) enum Ready<'a> {
    /// This path answers 200.
    Answers(&'a str),
    /// It says this on its standard output.
    Says(&'a str),
}

/// A container that is ready.
pub(crate) struct Up {
    /// Its port on this machine.
    pub(crate) port: u16,
    /// Its address on the network.
    pub(crate) address: IpAddr,
}

impl Up {
    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }
}

impl Containers {
    /// Makes a network.
    ///
    /// # Errors
    ///
    /// What Docker says.
    pub fn new() -> Result<Self> {
        static MADE: AtomicUsize = AtomicUsize::new(0);
        let run = this_run();
        let network = format!("keeper-automator-e2e-{}-{}", std::process::id(), MADE.fetch_add(1, Ordering::Relaxed));
        docker(&["network", "create", "--label", &format!("{LABEL}={run}"), &network])?;
        Ok(Self { run, network, running: Vec::new() })
    }

    /// Starts a container and waits until it is ready.
    pub(crate) async fn start(&mut self, wanted: &Wanted<'_>) -> Result<Up> {
        let (name, tag) = wanted.image.rsplit_once(':').unwrap_or((wanted.image, "latest"));
        let port = ContainerPort::Tcp(wanted.port);
        let key = format!("{}/tcp", wanted.port);
        let mut request = GenericImage::new(name, tag)
            .with_exposed_port(port)
            .with_wait_for(match wanted.ready {
                Ready::Answers(_) => WaitFor::Nothing,
                Ready::Says(words) => WaitFor::message_on_stdout(words),
            })
            .with_network(&self.network)
            .with_label(LABEL, &self.run)
            .with_container_name(format!("{}-{}-{}", self.network, wanted.name, self.running.len()))
            // On loopback alone: an emulator is nobody else's business.
            .with_host_config_modifier(move |config| {
                let here = PortBinding { host_ip: Some("127.0.0.1".to_owned()), host_port: None };
                config.publish_all_ports = Some(false);
                config.port_bindings = Some(HashMap::from([(key.clone(), Some(vec![here]))]));
            });
        for (name, value) in wanted.environment {
            request = request.with_env_var(*name, *value);
        }
        if !wanted.command.is_empty() {
            request = request.with_cmd(wanted.command);
        }
        if let Some(desk) = wanted.desk {
            // What it writes there belongs to whom the desk belongs to.
            let owner = std::fs::metadata(desk)?;
            request = request.with_user(format!("{}:{}", owner.uid(), owner.gid()));
            request = request.with_mount(Mount::bind_mount(desk.display().to_string(), "/desk"));
        }
        let container = request.start().await.with_context(|| format!("start the image {}", wanted.image))?;
        let port = container.get_host_port_ipv4(port).await.context("find the port of the container")?;
        let address = container.get_bridge_ip_address().await.context("find the address of the container")?;
        self.running.push(container);
        let up = Up { port, address };
        if let Ready::Answers(path) = wanted.ready {
            let url = up.url();
            let ready = until(READY_WITHIN, async || (status("GET", &url, path).await == Some(200)).then_some(()));
            ensure!(ready.await.is_some(), "{} does not answer after {} s", wanted.image, READY_WITHIN.as_secs());
        }
        Ok(up)
    }

    /// Ends all containers and removes the network.
    ///
    /// # Errors
    ///
    /// What Docker says.
    pub async fn end(mut self) -> Result<()> {
        for container in self.running.drain(..) {
            container.rm().await.context("remove a container")?;
        }
        docker(&["network", "rm", &self.network])?;
        Ok(())
    }

    /// Looks whether something of this run is left, after all of its containers have ended.
    ///
    /// # Errors
    ///
    /// When there is.
    pub fn nothing_left() -> Result<()> {
        let left = labelled(&format!("{LABEL}={}", this_run()))?;
        ensure!(left.is_empty(), "left behind: {left:?}");
        Ok(())
    }
}

impl Drop for Containers {
    fn drop(&mut self) {
        for container in self.running.drain(..) {
            let _ = docker(&["rm", "--force", "--volumes", container.id()]);
        }
        let _ = docker(&["network", "rm", &self.network]);
    }
}

/// Makes an HTTP request without a body and says how it was answered.
pub(crate) async fn status(method: &str, endpoint: &str, path: &str) -> Option<u16> {
    let authority = endpoint.trim_start_matches("http://").trim_end_matches('/');
    let ask = async {
        let mut stream = tokio::net::TcpStream::connect(authority).await.ok()?;
        let head =
            format!("{method} {path} HTTP/1.1\r\nHost: {authority}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
        stream.write_all(head.as_bytes()).await.ok()?;
        let mut line = [0; 12];
        stream.read_exact(&mut line).await.ok()?;
        std::str::from_utf8(&line).ok()?.rsplit(' ').next()?.parse().ok()
    };
    tokio::time::timeout(Duration::from_secs(10), ask).await.ok().flatten()
}

/// What is missing for containers, in one line, with how to get it.
pub fn docker_missing() -> Option<String> {
    let version = Command::new("docker").args(["version", "--format", "{{.Server.Version}}"]).output();
    match version {
        Err(_) => {
            Some("there is no `docker` command; install Docker (on Debian: apt-get install docker.io)".to_owned())
        }
        Ok(output) if !output.status.success() => {
            Some("the Docker daemon does not answer; start it (as root: dockerd &)".to_owned())
        }
        Ok(_) => None,
    }
}

/// Removes what runs that are no more left behind: containers, networks and volumes with our label, and nothing else.
/// Says how many things that were.
///
/// # Errors
///
/// What Docker says.
pub fn sweep() -> Result<usize> {
    let left: Vec<_> = labelled(LABEL)?.into_iter().filter(|left| !lives(&left.run)).collect();
    for Left { kind, id, .. } in &left {
        match *kind {
            "container" => docker(&["rm", "--force", "--volumes", id])?,
            kind => docker(&[kind, "rm", id])?,
        };
    }
    Ok(left.len())
}

/// Something with our label.
#[derive(Debug)]
struct Left {
    kind: &'static str,
    id: String,
    run: String,
}

/// Containers first: they hold the others.
fn labelled(filter: &str) -> Result<Vec<Left>> {
    let filter = format!("label={filter}");
    let mut found = Vec::new();
    let kinds: [(&str, &[&str]); 3] =
        [("container", &["ps", "--all"]), ("network", &["network", "ls"]), ("volume", &["volume", "ls"])];
    for (kind, list) in kinds {
        let id = if kind == "volume" { "Name" } else { "ID" };
        let format = format!("{{{{.{id}}}}} {{{{.Label \"{LABEL}\"}}}}");
        let said = docker(&[list, &["--filter", &filter, "--format", &format]].concat())?;
        for line in said.lines() {
            let (id, run) = line.split_once(' ').unwrap_or((line, ""));
            found.push(Left { kind, id: id.to_owned(), run: run.to_owned() });
        }
    }
    Ok(found)
}

/// The name of this run: machine, process, and when it began, so that a number given anew is no confusion.
fn this_run() -> String {
    let pid = std::process::id().to_string();
    format!("{}.{pid}.{}", machine(), started(&pid).unwrap_or_default())
}

/// Whether the process of a run is still there. One of another machine is taken to be.
fn lives(run: &str) -> bool {
    let mut words = run.rsplitn(3, '.');
    let (Some(start), Some(pid), Some(host)) = (words.next(), words.next(), words.next()) else { return false };
    host != machine() || started(pid).as_deref() == Some(start)
}

fn machine() -> String {
    std::fs::read_to_string("/proc/sys/kernel/hostname")
        .map_or_else(|_| "here".to_owned(), |name| name.trim().to_owned())
}

/// When a process began, in ticks since the machine did.
fn started(pid: &str) -> Option<String> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name, in brackets, may hold anything.
    stat.rsplit_once(") ")?.1.split(' ').nth(19).map(str::to_owned)
}

fn docker(args: &[&str]) -> Result<String> {
    let output = Command::new("docker").args(args).stdin(Stdio::null()).output().context("start docker")?;
    ensure!(output.status.success(), "docker {}: {}", args.join(" "), String::from_utf8_lossy(&output.stderr).trim());
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_lives_as_long_as_its_process() {
        assert!(lives(&this_run()));
        let pid = std::process::id();
        assert!(!lives(&format!("{}.{pid}.1", machine())), "its number was given anew");
        assert!(!lives(&format!("{}.4294967295.1", machine())));
        assert!(lives("another-machine.example.1.1"), "nobody here can know");
        assert!(!lives("something"), "no run of ours has such a name");
    }
}
