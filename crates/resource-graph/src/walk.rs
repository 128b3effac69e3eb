//! Walking: many things at once, each after those it waits for, until all have ended.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use futures_util::stream::{FuturesUnordered, StreamExt};
use tokio::time::Instant;
use tracing::Instrument;

use crate::apply::{Ended, Limits};
use crate::cx::millis_since;
use crate::event::{Outcome, Subject, What};
use crate::wait::sleep;
use crate::{Certainty, Cx, Error, NodeId, Result};

/// The longest pause before something is said again that only time helps.
const PATIENT_PAUSE: Duration = Duration::from_secs(10);

/// One thing to do on a walk.
pub(crate) struct Step {
    pub(crate) subject: Arc<Subject>,
    /// What is done, in a word.
    pub(crate) word: &'static str,
    /// The steps it waits for, by position in the walk. When one of them fails, this one is skipped.
    pub(crate) before: Vec<usize>,
    /// Whether it ends the node, or is only about what the node left behind.
    pub(crate) leftovers: bool,
}

impl Step {
    pub(crate) fn end(&self, cx: &Cx, outcome: Outcome, millis: u64) -> Ended {
        let what = match self.leftovers {
            true => What::Retired { outcome: outcome.clone(), millis },
            false => What::Finished { outcome: outcome.clone(), millis },
        };
        cx.about(self.subject.clone()).emit(what);
        let Subject { node, kind, step, .. } = (*self.subject).clone();
        Ended { node, kind, step, outcome, millis }
    }
}

/// Does every step, at most as many at once as the limits allow, and tells how each ended.
///
/// When the run is stopped or out of time, nothing new starts. What is under way when time is up is dropped; what is under way
/// when the run is stopped comes to its end.
pub(crate) async fn walk<F>(cx: &Cx, limits: Limits, steps: &[Step], work: impl Fn(usize, Cx) -> F) -> Vec<Ended>
where
    F: Future<Output = Outcome>,
{
    let mut ended: Vec<Option<Ended>> = vec![None; steps.len()];
    let mut waiting: Vec<usize> = (0..steps.len()).collect();
    let mut running = FuturesUnordered::new();
    loop {
        let mut skipped = false;
        waiting.retain(|&index| {
            let step = &steps[index];
            let culprit = step.before.iter().find_map(|&before| culprit(ended[before].as_ref()?));
            if let Some(because) = culprit {
                ended[index] = Some(step.end(cx, Outcome::Skipped { because }, 0));
                skipped = true;
                return false;
            }
            let ready = step.before.iter().all(|&before| ended[before].is_some());
            if !ready || running.len() >= limits.concurrency.max(1) || cx.over().is_some() {
                return true;
            }
            let work = tokio::time::timeout_at(cx.deadline(), work(index, cx.about(step.subject.clone())));
            let timed = async move {
                let start = Instant::now();
                let outcome = work.await.unwrap_or_else(|_| {
                    let error = Error::new("deadline", format!("{} {} in time", step.word, step.subject.node));
                    error.ends(&step.subject)
                });
                (index, outcome, millis_since(start))
            };
            running.push(timed.instrument(step.subject.span()));
            false
        });
        match running.next().await {
            Some((index, outcome, millis)) => ended[index] = Some(steps[index].end(cx, outcome, millis)),
            // Something skipped may be what others wait for.
            None if skipped => {}
            None => break,
        }
    }
    drop(running);
    let close = |(step, ended): (&Step, Option<Ended>)| ended.unwrap_or_else(|| step.end(cx, Outcome::NotStarted, 0));
    steps.iter().zip(ended).map(close).collect()
}

/// The step because of which others are skipped.
fn culprit(ended: &Ended) -> Option<NodeId> {
    match &ended.outcome {
        Outcome::Failed { .. } => Some(ended.node.clone()),
        Outcome::Skipped { because } => Some(because.clone()),
        _ => None,
    }
}

/// Counts the attempts at one step.
pub(crate) struct Attempts<'c> {
    cx: &'c Cx,
    limits: Limits,
    subject: &'c Subject,
    made: u32,
    /// How many of them do not count, because only time helps, and since when.
    patient: u32,
    since: Option<Instant>,
}

impl<'c> Attempts<'c> {
    pub(crate) fn new(cx: &'c Cx, limits: Limits, subject: &'c Subject) -> Self {
        Self { cx, limits, subject, made: 0, patient: 0, since: None }
    }

    /// Pauses before another attempt, or gives the error back when there will be none: it was a refusal, there were enough
    /// attempts, the run is stopped, or the time would be up before.
    pub(crate) async fn again(&mut self, error: Error) -> Result<()> {
        let worth_it = error.is(Certainty::NotDone) || error.is(Certainty::MaybeDone);
        let now = Instant::now();
        let (pause, enough) = match error.patience() {
            Some(patience) => {
                self.patient += 1;
                let pause = self.pause(self.patient).min(PATIENT_PAUSE);
                (pause, now + pause > *self.since.get_or_insert(now) + patience)
            }
            None => {
                self.made += 1;
                (self.pause(self.made), self.made >= self.limits.attempts)
            }
        };
        if !worth_it || enough || self.cx.cancellation().is_cancelled() || now + pause >= self.cx.deadline() {
            return Err(error);
        }
        let because = error.failure(&self.subject.node, &self.subject.step);
        self.cx.emit(What::Again { because, attempt: self.made + self.patient });
        tokio::select! {
            () = sleep(pause) => Ok(()),
            () = self.cx.cancellation().cancelled() => Err(error),
        }
    }

    fn pause(&self, attempt: u32) -> Duration {
        self.limits.backoff.saturating_mul(2u32.saturating_pow(attempt - 1)).min(Duration::from_secs(30))
    }
}
