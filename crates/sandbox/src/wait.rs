//! Waiting: for a condition, until a deadline.

use std::time::Duration;

use tokio::time::Instant;

/// Looks again after each step until there is something, which it returns, or until the limit is over.
pub(crate) async fn until<T, F: Future<Output = Option<T>>>(
    limit: Duration,
    step: Duration,
    mut look: impl FnMut() -> F,
) -> Option<T> {
    let deadline = Instant::now() + limit;
    loop {
        if let Some(seen) = look().await {
            return Some(seen);
        }
        if Instant::now() >= deadline {
            return None;
        }
        #[expect(clippy::disallowed_methods, reason = "this is where others wait")]
        tokio::time::sleep(step).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn waiting_ends_with_what_it_waits_for_or_with_its_limit() {
        let step = Duration::from_millis(1);
        let mut looks = 0;
        let look = || {
            looks += 1;
            std::future::ready((looks == 3).then_some(looks))
        };
        assert_eq!(until(Duration::from_secs(5), step, look).await, Some(3));
        assert_eq!(until(step, step, || std::future::ready(None::<()>)).await, None);
    }
}
