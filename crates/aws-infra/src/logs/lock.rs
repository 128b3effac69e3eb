//! The deployment's lock (X4): a log group, because creating one is atomic and a second create is refused everywhere.
//!
//! Its tags say who holds it and until when. It carries no node, so that no inventory takes it for something to be removed: a
//! run removes its own lock, and the next one takes over what a dead run left.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use resource_graph::{Cx, Error, Lease, Pace, Progress, Result};

use super::{BUSY, EXISTS, MISSING};
use crate::fail::{failed, gone, has_code, unless_missing};
use crate::{DEPLOYMENT_TAG, Home};

const HOST: &str = "keeper-automator:lock-host";
const PID: &str = "keeper-automator:lock-pid";
const PROCESS: &str = "keeper-automator:lock-process";
const RUN: &str = "keeper-automator:lock-run";
const SINCE: &str = "keeper-automator:lock-since";
const UNTIL: &str = "keeper-automator:lock-until";

/// How long a take-over may last before another contender may take it over in turn.
const TAKE_OVER: Duration = Duration::from_secs(60);
/// How often, and for how long, a lock that goes away while it is looked at is tried again.
const ROUNDS: Pace = Pace::new(Duration::from_secs(2), Duration::from_secs(30));

/// The lock of one deployment.
pub struct DeploymentLock {
    /// Where it lives.
    pub home: Home,
    /// Who takes it.
    pub holder: Holder,
    /// How long it is valid after it was taken or renewed.
    pub ttl: Duration,
}

/// Who holds a lock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder {
    /// The computer.
    pub host: String,
    /// The process.
    pub pid: u32,
    /// What tells this process from an earlier or another one of the same number: boot, process namespace and start time.
    /// Nothing where the system does not tell; then only the expiry says that a holder is gone.
    pub process: Option<String>,
    /// The run; no two runs have the same.
    pub run: String,
}

impl Holder {
    /// This process. `run` names the run, and no two runs have the same name.
    pub fn this_process(run: impl Into<String>) -> Self {
        let pid = std::process::id();
        let host = std::fs::read_to_string("/proc/sys/kernel/hostname")
            .ok()
            .or_else(|| std::env::var("HOSTNAME").ok())
            .or_else(|| std::env::var("COMPUTERNAME").ok());
        let host = host.map(|host| host.trim().to_owned()).filter(|host| !host.is_empty());
        Self { host: host.unwrap_or_else(|| "unknown".to_owned()), pid, process: process(pid), run: run.into() }
    }

    /// True when it is certain that the process is gone: it ran on this computer, since this boot, where this process can see it.
    fn is_dead(&self) -> bool {
        let (Some(theirs), Some(here)) = (&self.process, surroundings()) else { return false };
        theirs.starts_with(&format!("{here}:")) && process(self.pid).as_ref() != Some(theirs)
    }

    fn tags(&self) -> BTreeMap<String, String> {
        let process = self.process.clone().unwrap_or_default();
        let tags = [(HOST, &self.host), (PID, &self.pid.to_string()), (PROCESS, &process), (RUN, &self.run)];
        tags.into_iter().map(|(key, value)| (key.to_owned(), tag_value(value))).collect()
    }
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "run {} on {} (process {})", self.run, self.host, self.pid)
    }
}

/// A lock that is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// Who holds it; nobody can tell when somebody else made a log group of that name.
    pub holder: Option<Holder>,
    /// Since when.
    pub since: Option<Timestamp>,
    /// Until when, unless it is renewed.
    pub until: Option<Timestamp>,
}

impl Held {
    fn read(tags: &BTreeMap<String, String>) -> Self {
        let text = |key: &str| tags.get(key).filter(|value| !value.is_empty()).cloned();
        let time = |key: &str| text(key).and_then(|time| time.parse().ok());
        let holder = || {
            let pid = text(PID)?.parse().ok()?;
            Some(Holder { host: text(HOST)?, pid, process: text(PROCESS), run: text(RUN)? })
        };
        Self { holder: holder(), since: time(SINCE), until: time(UNTIL) }
    }

    /// Whether its holder is gone. Without an expiry it is held.
    fn is_stale(&self, now: Timestamp) -> bool {
        self.until.is_some_and(|until| until < now) || self.holder.as_ref().is_some_and(Holder::is_dead)
    }
}

impl fmt::Display for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.holder {
            Some(holder) => write!(f, "{holder}")?,
            None => f.write_str("somebody who left no name")?,
        }
        if let Some(since) = self.since {
            write!(f, ", since {since}")?;
        }
        if let Some(until) = self.until {
            write!(f, ", until {until} unless renewed")?;
        }
        Ok(())
    }
}

impl DeploymentLock {
    fn is_ours(&self, held: &Held) -> bool {
        // Through the tags, which hold fewer characters than a name may have.
        held.holder.as_ref().is_some_and(|holder| holder.tags() == self.holder.tags())
    }

    fn until(&self, cx: &Cx) -> String {
        later(cx.now(), self.ttl).to_string()
    }

    /// Creates one of the two groups; false when it is there already.
    async fn create(&self, cx: &Cx, name: &str, valid: Duration) -> Result<bool> {
        let mut tags = self.holder.tags();
        tags.insert(DEPLOYMENT_TAG.to_owned(), self.home.deployment().to_owned());
        tags.insert(SINCE.to_owned(), cx.now().to_string());
        tags.insert(UNTIL.to_owned(), later(cx.now(), valid).to_string());
        let call = self.home.aws.logs.create_log_group().log_group_name(name);
        match call.set_tags(Some(tags.into_iter().collect())).send().await {
            Ok(_) => Ok(true),
            Err(error) if has_code(&error, &EXISTS) || has_code(&error, &BUSY) => Ok(false),
            Err(error) => Err(failed(format!("create the lock `{name}`"), error)),
        }
    }

    /// One attempt to take it.
    async fn round(&self, cx: &Cx) -> Result<Progress<()>> {
        let name = lock_name(&self.home);
        let new = self.create(cx, &name, self.ttl).await?;
        // Read back in any case: a lost answer is repeated by the SDK, which then hears that the group exists.
        let Some(held) = read(&self.home, &name).await? else {
            return Ok(Progress::Pending("its last holder has just given it back".to_owned()));
        };
        if self.is_ours(&held) {
            // It may be what an earlier attempt of this run left.
            let kept = new || self.extend(cx).await?;
            Ok(if kept { Progress::Ready(()) } else { Progress::Pending("it was removed".to_owned()) })
        } else if held.is_stale(cx.now()) {
            self.take_over(cx, &held).await?;
            Ok(Progress::Pending(format!("{held} is gone")))
        } else {
            Err(self.locked(&held))
        }
    }

    async fn extend(&self, cx: &Cx) -> Result<bool> {
        let arn = arn(&self.home, &lock_name(&self.home));
        let call = self.home.aws.logs.tag_resource().resource_arn(arn).tags(UNTIL, self.until(cx));
        let answer = unless_missing(call.send().await, &MISSING, &format!("renew the lock of {}", self.name()))?;
        Ok(answer.is_some())
    }

    /// Replaces a stale lock, one contender at a time: without that, one who looked long ago could remove the lock of one who
    /// has just taken over.
    async fn take_over(&self, cx: &Cx, stale: &Held) -> Result<()> {
        let guard = guard_name(&self.home);
        if !self.create(cx, &guard, TAKE_OVER).await? {
            match read(&self.home, &guard).await? {
                Some(held) if !self.is_ours(&held) => {
                    // A contender that died in here.
                    if held.is_stale(cx.now()) {
                        remove(&self.home, &guard).await?;
                    }
                    return Err(self.locked(&held));
                }
                Some(_) => {}
                None => return Ok(()),
            }
        }
        let name = lock_name(&self.home);
        let still = read(&self.home, &name).await;
        let taken = match still {
            Ok(Some(held)) if held.holder == stale.holder && held.is_stale(cx.now()) => {
                cx.say(format!("taking over the lock of {held}, which is gone"));
                match remove(&self.home, &name).await {
                    Ok(()) => self.create(cx, &name, self.ttl).await.map(|_| ()),
                    Err(error) => Err(error),
                }
            }
            Ok(_) => Ok(()),
            Err(error) => Err(error),
        };
        let freed = remove(&self.home, &guard).await;
        taken.and(freed)
    }

    fn name(&self) -> &str {
        self.home.deployment()
    }

    fn locked(&self, held: &Held) -> Error {
        Error::new("locked", format!("take the lock of {}: held by {held}", self.name()))
            .hint("wait until that run ends; if it is certainly gone, run `unlock`")
    }

    fn lost(&self, held: Option<&Held>) -> Error {
        let now = held.map_or_else(|| "nobody holds it".to_owned(), |held| format!("now held by {held}"));
        Error::new("lock-lost", format!("keep the lock of {}: {now}", self.name()))
            .hint("another run took over or `unlock` was run; plan again before going on")
    }
}

impl Lease for DeploymentLock {
    async fn acquire(&self, cx: &Cx) -> Result<()> {
        let what = format!("the lock of {} to be free", self.name());
        // Only what passes is waited for; an error ends it at once.
        let round = || async { Ok(self.round(cx).await.unwrap_or_else(Progress::Failed)) };
        cx.wait_until(&what, ROUNDS, round).await
    }

    async fn renew(&self, cx: &Cx) -> Result<()> {
        match read_if_there(&self.home, &lock_name(&self.home)).await? {
            Some(held) if self.is_ours(&held) => {
                if self.extend(cx).await? {
                    Ok(())
                } else {
                    Err(self.lost(None))
                }
            }
            held => Err(self.lost(held.as_ref())),
        }
    }

    async fn release(&self, _cx: &Cx) -> Result<()> {
        let name = lock_name(&self.home);
        match read(&self.home, &name).await? {
            Some(held) if self.is_ours(&held) => remove(&self.home, &name).await,
            _ => Ok(()),
        }
    }
}

/// Removes the lock, whoever holds it, and tells who did.
///
/// # Errors
///
/// When AWS refuses to tell or to remove it.
pub async fn unlock(home: &Home) -> Result<Option<Held>> {
    let held = read_if_there(home, &lock_name(home)).await?;
    remove(home, &guard_name(home)).await?;
    if held.is_some() {
        remove(home, &lock_name(home)).await?;
    }
    Ok(held)
}

fn lock_name(home: &Home) -> String {
    format!("/keeper-automator/{}/lock", home.deployment())
}

fn guard_name(home: &Home) -> String {
    format!("{}-take-over", lock_name(home))
}

fn arn(home: &Home, name: &str) -> String {
    let aws = &home.aws;
    format!("arn:{}:logs:{}:{}:log-group:{name}", aws.partition, aws.region, aws.account)
}

/// Like [`read`], for a group that nothing has shown to exist: an emulator goes on telling the tags of one that is gone.
async fn read_if_there(home: &Home, name: &str) -> Result<Option<Held>> {
    let action = format!("find the lock `{name}`");
    let mut pages = home.aws.logs.describe_log_groups().log_group_name_prefix(name).into_paginator().send();
    while let Some(page) = pages.next().await {
        let page = page.map_err(|error| failed(&action, error))?;
        if page.log_groups().iter().any(|group| group.log_group_name() == Some(name)) {
            return read(home, name).await;
        }
    }
    Ok(None)
}

async fn read(home: &Home, name: &str) -> Result<Option<Held>> {
    let answer = home.aws.logs.list_tags_for_resource().resource_arn(arn(home, name)).send().await;
    let answer = unless_missing(answer, &MISSING, &format!("read the lock `{name}`"))?;
    Ok(answer.map(|answer| Held::read(&answer.tags().cloned().unwrap_or_default().into_iter().collect())))
}

async fn remove(home: &Home, name: &str) -> Result<()> {
    let answer = home.aws.logs.delete_log_group().log_group_name(name).send().await;
    gone(answer, &MISSING, &BUSY, &format!("remove the lock `{name}`"))
}

fn later(now: Timestamp, by: Duration) -> Timestamp {
    SignedDuration::try_from(by).ok().and_then(|by| now.checked_add(by).ok()).unwrap_or(Timestamp::MAX)
}

/// Tags take letters, digits and a few signs, at most 256 of them.
fn tag_value(text: &str) -> String {
    let fine = |sign: char| sign.is_alphanumeric() || "_.:/=+-@ ".contains(sign);
    text.chars().map(|sign| if fine(sign) { sign } else { '_' }).take(256).collect()
}

/// The boot and the process namespace in which a process number means something; only Linux tells.
fn surroundings() -> Option<String> {
    let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    let namespace = std::fs::read_link("/proc/self/ns/pid").ok()?;
    let namespace: String = namespace.to_string_lossy().chars().filter(char::is_ascii_digit).collect();
    Some(format!("{}:{namespace}", boot.trim()))
}

/// What tells a running process from all others; nothing when it does not run.
fn process(pid: u32) -> Option<String> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The program's name is in parentheses and may hold blanks; the start time is the 22nd field, the 20th after it.
    let started = stat.rsplit_once(')')?.1.split_whitespace().nth(19)?;
    Some(format!("{}:{started}", surroundings()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn held(holder: Holder, until: &str) -> Held {
        Held { holder: Some(holder), since: None, until: until.parse().ok() }
    }

    fn elsewhere() -> Holder {
        Holder { host: "elsewhere".to_owned(), pid: 1, process: Some("boot:1:1".to_owned()), run: "r".to_owned() }
    }

    #[test]
    fn an_expired_lock_is_stale_and_a_valid_one_is_not() {
        let now = "2026-11-25T12:00:00Z".parse().unwrap();
        assert!(held(elsewhere(), "2026-11-25T11:59:59Z").is_stale(now));
        assert!(!held(elsewhere(), "2026-11-25T12:00:01Z").is_stale(now));
        assert!(!held(elsewhere(), "not a time").is_stale(now));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_dead_process_of_this_computer_holds_nothing() {
        let now = "2026-11-25T12:00:00Z".parse().unwrap();
        let alive = Holder::this_process("r");
        assert!(!held(alive.clone(), "2026-11-25T13:00:00Z").is_stale(now));
        let reused = Holder { process: alive.process.as_ref().map(|process| format!("{process}0")), ..alive.clone() };
        assert!(held(reused, "2026-11-25T13:00:00Z").is_stale(now));
        let untold = Holder { process: None, ..alive };
        assert!(!held(untold, "2026-11-25T13:00:00Z").is_stale(now));
    }

    #[test]
    fn a_holder_survives_its_tags() {
        let mut tags = elsewhere().tags();
        tags.insert(UNTIL.to_owned(), "2026-11-25T12:00:00Z".to_owned());
        let read = Held::read(&tags);
        assert_eq!(read, held(elsewhere(), "2026-11-25T12:00:00Z"));
        assert!(read.to_string().starts_with("run r on elsewhere (process 1), until 2026-11-25T12:00:00Z"));
    }
}
