//! Time: one deadline for a whole call, and waits that end before it.

use std::time::{Duration, Instant, SystemTime};

use crate::{Error, Event, Options};

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

    pub(crate) fn passed(&self, call: &'static str, write: bool) -> Error {
        Error::Deadline { call, limit: self.limit, write }
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

/// The wait after attempt number `attempt`, from 1: doubled each time.
pub(crate) fn doubled(first: Duration, attempt: u32) -> Duration {
    first.saturating_mul(1 << attempt.saturating_sub(1).min(16))
}

/// Milliseconds since 1970, as Keeper's messages have them.
pub(crate) fn now() -> i64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
