//! Requests whose answer may bring the next clone code: they come to their end even when whoever made them is gone.

use std::sync::LazyLock;
use std::time::Duration;

use tokio::sync::watch;

/// How many of them this process has under way.
static UNDER_WAY: LazyLock<watch::Sender<usize>> = LazyLock::new(|| watch::channel(0).0);

/// One of them, until it is dropped.
pub(super) struct UnderWay(());

impl UnderWay {
    pub(super) fn begin() -> Self {
        UNDER_WAY.send_modify(|count| *count += 1);
        Self(())
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        UNDER_WAY.send_modify(|count| *count = count.saturating_sub(1));
    }
}

/// Waits until every sign-in of this process that has sent its clone code has written down what came of it, but no longer than
/// `limit`. A program that drops a sign-in calls this before it ends: the code that was sent is good once.
pub async fn settle(limit: Duration) {
    let mut count = UNDER_WAY.subscribe();
    // Late or not, the caller goes on.
    drop(tokio::time::timeout(limit, count.wait_for(|count| *count == 0)).await);
}
