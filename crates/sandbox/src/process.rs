//! Processes by pid: the same one still, and an end to it.

use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use crate::error::Error;
use crate::wait::until;

/// How long a process has to end after being asked, and again after being killed.
const PATIENCE: Duration = Duration::from_secs(5);

/// What tells a process from a later one with the same pid: when it started. Nothing if there is none.
#[cfg(target_os = "linux")]
pub(crate) fn started(pid: u32) -> Option<String> {
    // The second field is the name in parentheses, which may hold anything. See proc_pid_stat(5).
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let mut fields = stat.rsplit_once(')')?.1.split_ascii_whitespace();
    let state = fields.next()?;
    if matches!(state, "Z" | "X" | "x") {
        return None;
    }
    let ticks = fields.nth(18)?;
    // Ticks count from the boot, so they say nothing without it.
    let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    Some(format!("{}+{ticks}", boot.trim()))
}

/// What tells a process from a later one with the same pid: when it started. Nothing if there is none.
#[cfg(not(target_os = "linux"))]
pub(crate) fn started(pid: u32) -> Option<String> {
    let output = std::process::Command::new("/bin/ps")
        .args(["-o", "stat=,lstart=", "-p", &pid.to_string()])
        .env_clear()
        .output()
        .ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    let (state, since) = text.trim().split_once(char::is_whitespace)?;
    (!state.starts_with('Z')).then(|| since.trim().to_owned())
}

/// Ends a process: asks, and kills it if that does not help. A later process with the same pid is left alone.
pub(crate) async fn end(pid: u32, since: &str) -> Result<(), Error> {
    let runs = || started(pid).as_deref() == Some(since);
    for signal in [Signal::TERM, Signal::KILL] {
        if !runs() {
            return Ok(());
        }
        let target = i32::try_from(pid).ok().and_then(Pid::from_raw).ok_or(Error::StillRunning { pid })?;
        match kill_process(target, signal) {
            Ok(()) | Err(rustix::io::Errno::SRCH) => {}
            Err(error) => return Err(Error::io(format!("signal process {pid}"))(error.into())),
        }
        let ended = || std::future::ready((!runs()).then_some(()));
        if until(PATIENCE, Duration::from_millis(50), ended).await.is_some() {
            return Ok(());
        }
    }
    Err(Error::StillRunning { pid })
}

#[cfg(test)]
mod tests {
    use std::process::{Command, Stdio};

    use super::*;

    #[test]
    fn a_process_keeps_its_start_and_loses_it_when_it_ends() {
        let mut child = Command::new("cat").stdin(Stdio::piped()).spawn().unwrap();
        let since = started(child.id()).expect("it runs");
        assert_eq!(started(child.id()), Some(since));
        child.kill().unwrap();
        child.wait().unwrap();
        assert_eq!(started(child.id()), None);
    }

    #[tokio::test]
    async fn a_process_that_does_not_listen_is_killed() {
        let mut child = Command::new("sh").args(["-c", "trap '' TERM; while :; do sleep 1; done"]).spawn().unwrap();
        let since = started(child.id()).unwrap();
        end(child.id(), &since).await.unwrap();
        assert!(!child.wait().unwrap().success());
    }

    #[tokio::test]
    async fn a_recycled_pid_is_left_alone() {
        let mut child = Command::new("cat").stdin(Stdio::piped()).spawn().unwrap();
        end(child.id(), "some other time").await.unwrap();
        assert!(child.try_wait().unwrap().is_none(), "it still runs");
        child.kill().unwrap();
        child.wait().unwrap();
    }
}
