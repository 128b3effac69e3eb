//! One at a time, between processes.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::ErrorKind;
use std::path::Path;
use std::time::Duration;

use crate::error::Error;
use crate::wait::until;

/// Nobody prepares a sandbox for longer than this.
const LONGEST_HOLD: Duration = Duration::from_secs(600);

/// Takes the lock that a file stands for, and waits for it if need be. The system lets go of it when the last
/// descriptor is closed, so neither a killed holder nor a child that outlives it leaves it in a wrong state.
pub(crate) async fn lock(path: &Path, say: &(dyn Fn(&str) + Sync)) -> Result<File, Error> {
    let action = || format!("lock `{}`", path.display());
    if let Some(directory) = path.parent() {
        std::fs::create_dir_all(directory).map_err(Error::io(action()))?;
    }
    let file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .read(true)
        .write(true)
        .open(path)
        .map_err(Error::io(action()))?;
    let mut said = false;
    let taken = until(LONGEST_HOLD, Duration::from_millis(100), || {
        std::future::ready(match file.try_lock() {
            Ok(()) => Some(Ok(())),
            Err(TryLockError::Error(error)) => Some(Err(error)),
            Err(TryLockError::WouldBlock) => {
                if !std::mem::replace(&mut said, true) {
                    say("waiting for another run that prepares the sandbox");
                }
                None
            }
        })
    });
    match taken.await {
        Some(Ok(())) => Ok(file),
        Some(Err(error)) => Err(Error::io(action())(error)),
        None => Err(Error::io(action())(ErrorKind::TimedOut.into())),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[tokio::test]
    async fn the_second_waits_for_the_first_and_says_so_once() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("a/lock");
        let first = lock(&path, &|_| {}).await.unwrap();
        let said = AtomicUsize::new(0);
        let say = |_: &str| {
            said.fetch_add(1, Ordering::Relaxed);
        };
        let second = lock(&path, &say);
        tokio::pin!(second);
        assert!(tokio::time::timeout(Duration::from_millis(300), &mut second).await.is_err());
        drop(first);
        second.await.unwrap();
        assert_eq!(said.load(Ordering::Relaxed), 1);
    }

    #[tokio::test]
    async fn a_child_that_outlives_the_holder_keeps_the_lock() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("lock");
        let held = lock(&path, &|_| {}).await.unwrap();
        let mut child = std::process::Command::new("sleep").arg("60").stdin(held.try_clone().unwrap()).spawn().unwrap();
        drop(held);
        let again = File::open(&path).unwrap();
        assert!(matches!(again.try_lock(), Err(TryLockError::WouldBlock)));
        child.kill().unwrap();
        child.wait().unwrap();
        again.try_lock().unwrap();
    }
}
