//! What a node is given to work with: deadline, cancellation, events, clock and keyed locks, and nothing else.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::OwnedMutexGuard;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::event::{Event, SCHEMA_VERSION, Sink, Subject, What};

/// Tells the time of day.
pub trait Clock: Send + Sync {
    /// Now.
    fn now(&self) -> Timestamp;
}

/// The computer's own clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }
}

type Locks = Arc<Mutex<HashMap<String, Arc<tokio::sync::Mutex<()>>>>>;

/// The context of a run, and inside a node the context of that node.
#[derive(Clone)]
pub struct Cx {
    run: Arc<str>,
    deadline: Instant,
    cancelled: CancellationToken,
    sink: Sink,
    clock: Arc<dyn Clock>,
    locks: Locks,
    subject: Option<Arc<Subject>>,
}

impl Cx {
    /// A context for one run that must end within `budget`.
    pub fn new(run: impl AsRef<str>, budget: Duration, sink: Sink, clock: Arc<dyn Clock>) -> Self {
        Self {
            run: Arc::from(run.as_ref()),
            deadline: Instant::now() + budget,
            cancelled: CancellationToken::new(),
            sink,
            clock,
            locks: Locks::default(),
            subject: None,
        }
    }

    /// A context whose events nobody reads, for tests and examples.
    pub fn quiet() -> Self {
        Self::new("quiet", Duration::from_secs(3600), Arc::new(|_| ()), Arc::new(SystemClock))
    }

    pub(crate) fn about(&self, subject: Arc<Subject>) -> Self {
        Self { subject: Some(subject), ..self.clone() }
    }

    /// The run's name.
    pub fn run(&self) -> &str {
        &self.run
    }

    /// When the run must have ended.
    pub fn deadline(&self) -> Instant {
        self.deadline
    }

    /// The same context with an earlier end.
    #[must_use]
    pub fn within(&self, budget: Duration) -> Self {
        Self { deadline: self.deadline.min(Instant::now() + budget), ..self.clone() }
    }

    /// The time of day.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// The switch that stops the run: calls in flight finish, nothing new starts.
    pub fn cancellation(&self) -> &CancellationToken {
        &self.cancelled
    }

    /// The code of why nothing new may start, if nothing may: the run is stopped or out of time.
    pub(crate) fn over(&self) -> Option<&'static str> {
        if self.cancelled.is_cancelled() {
            Some("cancelled")
        } else {
            (Instant::now() >= self.deadline).then_some("deadline")
        }
    }

    /// Tells that something happened.
    pub fn emit(&self, what: What) {
        (self.sink)(Event {
            schema: SCHEMA_VERSION,
            run: self.run.to_string(),
            at: self.clock.now(),
            subject: self.subject.as_deref().cloned(),
            what,
        });
    }

    /// Tells something worth reading while a node is worked on.
    pub fn say(&self, text: impl Into<String>) {
        self.emit(What::Progress { text: text.into() });
    }

    /// Waits until nobody else of this run holds `key`: for calls that collide.
    pub async fn lock(&self, key: &str) -> OwnedMutexGuard<()> {
        let lock = {
            let mut locks = self.locks.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            Arc::clone(locks.entry(key.to_owned()).or_default())
        };
        lock.lock_owned().await
    }
}

pub(crate) fn millis_since(start: Instant) -> u64 {
    u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX)
}
