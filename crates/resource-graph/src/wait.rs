//! Waiting: lists what means "still going" and what means "there"; anything else ends the wait at once.

use std::future::Future;
use std::time::Duration;

use tokio::time::Instant;

use crate::{Certainty, Cx, Error, Result};

/// What one look of a wait says.
#[derive(Debug)]
pub enum Progress<T> {
    /// There.
    Ready(T),
    /// Still going; the state's name is told to the person and, if time runs out, in the error.
    Pending(String),
    /// It will never be there.
    Failed(Error),
}

/// How often to look, and for how long.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// Between two looks.
    pub every: Duration,
    /// In all.
    pub limit: Duration,
}

impl Pace {
    /// Looks every `every` for at most `limit`.
    pub const fn new(every: Duration, limit: Duration) -> Self {
        Self { every, limit }
    }
}

impl Cx {
    /// Looks until it is there, the time is up, or the run is cancelled. `what` reads on after "wait for".
    ///
    /// # Errors
    ///
    /// `timeout` names the last state seen, `cancelled` says that the run was stopped; an error of the look itself is passed on
    /// unless it says that the other side was busy.
    pub async fn wait_until<T, F>(&self, what: &str, pace: Pace, mut look: impl FnMut() -> F) -> Result<T>
    where
        F: Future<Output = Result<Progress<T>>>,
    {
        let end = (Instant::now() + pace.limit).min(self.deadline());
        let mut last = String::new();
        let longest = pace.every.max(Duration::from_millis(1));
        let mut every = longest.min(Duration::from_millis(200));
        loop {
            let state = match look().await {
                Ok(Progress::Ready(value)) => return Ok(value),
                Ok(Progress::Failed(error)) => return Err(error),
                Ok(Progress::Pending(state)) => state,
                Err(error) if error.is(Certainty::NotDone) || error.is(Certainty::MaybeDone) => error.to_string(),
                Err(error) => return Err(error),
            };
            if state != last {
                self.say(format!("waiting for {what}: {state}"));
                last = state;
            }
            if Instant::now() + every > end {
                return Err(Error::new("wait-timeout", format!("wait for {what}; last seen: {last}")));
            }
            tokio::select! {
                () = sleep(every) => {}
                () = self.cancellation().cancelled() => {
                    return Err(Error::new("cancelled", format!("wait for {what}; last seen: {last}")));
                }
            }
            // Quick at first: much is there after a moment; then the pace asked for.
            every = (every * 2).min(longest);
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "the one place that sleeps")]
pub(crate) async fn sleep(time: Duration) {
    tokio::time::sleep(time).await;
}
