//! Time: one deadline for a whole call, and waits that end before it.

use std::time::{Duration, Instant};

use crate::{Error, Event, MAX_WAIT, Options};

/// When a call has to be over.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Until {
    end: Instant,
    limit: Duration,
}

impl Until {
    pub(crate) fn after(limit: Duration) -> Self {
        Self { end: Instant::now() + limit.min(Duration::from_secs(24 * 60 * 60)), limit }
    }

    pub(crate) fn left(&self) -> Duration {
        self.end.saturating_duration_since(Instant::now())
    }

    pub(crate) fn passed(&self, operation: &'static str, maybe_done: bool) -> Error {
        Error::Deadline { operation, limit: self.limit, maybe_done }
    }

    /// Tells of the wait, and waits. False, without waiting, when the deadline comes first.
    pub(crate) async fn wait(&self, options: &Options, wait: Duration, event: &Event) -> bool {
        if wait >= self.left() {
            return false;
        }
        options.tell(event);
        sleep(wait).await;
        true
    }
}

#[expect(clippy::disallowed_methods, reason = "the one place: told, bounded by a deadline, and dropped with its call")]
async fn sleep(wait: Duration) {
    tokio::time::sleep(wait).await;
}

/// The wait after attempt number `attempt`, from 1: doubled each time, capped.
pub(crate) fn doubled(first: Duration, attempt: u32) -> Duration {
    first.saturating_mul(1 << attempt.saturating_sub(1).min(16)).min(MAX_WAIT)
}

/// Up to a quarter more, so that many clients do not come back at once.
pub(crate) fn jittered(wait: Duration) -> Duration {
    let mut byte = [0; 1];
    keeper_wire::crypto::fill_random(&mut byte);
    (wait + wait * u32::from(byte[0]) / 1024).min(MAX_WAIT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_cap() {
        let first = Duration::from_secs(11);
        let ladder: Vec<u64> = (1..=7).map(|attempt| doubled(first, attempt).as_secs()).collect();
        assert_eq!(ladder, [11, 22, 44, 88, 176, 176, 176]);
        assert_eq!(doubled(first, u32::MAX), MAX_WAIT);
    }

    #[test]
    fn jitter_only_adds() {
        for seconds in [1, 11, 176, 4000] {
            let wait = Duration::from_secs(seconds);
            let with = jittered(wait);
            assert!(with >= wait.min(MAX_WAIT) && with <= (wait * 5 / 4).min(MAX_WAIT));
        }
    }
}
