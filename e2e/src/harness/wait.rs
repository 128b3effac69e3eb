//! The one place of the harness that waits.

use std::time::{Duration, Instant};

/// Asks until there is an answer, or none within the time.
pub(crate) async fn until<T>(within: Duration, mut ask: impl AsyncFnMut() -> Option<T>) -> Option<T> {
    let end = Instant::now() + within;
    loop {
        if let Some(answer) = ask().await {
            return Some(answer);
        }
        if Instant::now() >= end {
            return None;
        }
        pause(Duration::from_millis(50)).await;
    }
}

/// Lets time pass, where a time is what is wanted: the moment of a kill.
#[expect(clippy::disallowed_methods, reason = "the one place of the harness that waits")]
pub(crate) async fn pause(time: Duration) {
    tokio::time::sleep(time).await;
}
