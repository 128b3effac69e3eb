//! What several tests need; not every test needs all of it.

#![allow(dead_code, reason = "each test uses another part")]

pub(crate) mod scripted;
pub(crate) mod vault;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use ksm_client::{Event, Options};

/// Options whose waits do not hold a test up.
pub(crate) fn quick() -> Options {
    Options::new()
        .deadline(Duration::from_secs(60))
        .retry_pause(Duration::from_millis(2))
        .throttle_pause(Duration::from_millis(2))
}

/// Options and the events that were told through them.
pub(crate) fn overheard(options: Options) -> (Options, Arc<Mutex<Vec<Event>>>) {
    let events = Arc::new(Mutex::new(Vec::new()));
    let told = events.clone();
    (options.on_event(move |event| told.lock().unwrap().push(event.clone())), events)
}
