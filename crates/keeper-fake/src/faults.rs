//! Mishaps that a test asks for: each meets one request and is over.

use serde::{Deserialize, Serialize};
use std::time::Duration;

/// What goes wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Fault {
    /// Refused with `throttled`, status 403, and this many seconds to wait. No effect.
    Throttle {
        /// Seconds; 0 is not told.
        retry_after: u32,
    },
    /// Status 429 without JSON, as from a proxy in front of the service (spec mark T). No effect.
    Http429,
    /// Status 500 with JSON. No effect.
    Http500,
    /// Status 502 with a page of a proxy. No effect.
    Html502,
    /// Done, and answered only after this time.
    Slow(Duration),
    /// The connection ends before anything was done.
    CutBefore,
    /// It is done, and the connection ends without an answer.
    CutAfter,
    /// A reading device finds files without `url`, as shortly after an upload.
    MissingUrl,
    /// A write is refused as out of sync, as if somebody had been faster. No effect.
    StaleRevision,
}

/// Which requests a fault waits for. Requests that steer the fake are never met.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum On {
    /// Every request of either protocol and to the file store.
    Any,
    /// Every operation of a device.
    Device,
    /// `get_secret` and `get_folders`.
    DeviceRead,
    /// The other operations of a device.
    DeviceWrite,
    /// Every call of the administrator protocol.
    Admin,
    /// A form post to the file store.
    Upload,
    /// A download from the file store.
    Download,
}

impl On {
    /// Whether a request of the kind `met`, which is one of the narrow ones, is meant.
    fn meets(self, met: Self) -> bool {
        self == met
            || self == Self::Any
            || (self == Self::Device && matches!(met, Self::DeviceRead | Self::DeviceWrite))
    }
}

/// The faults that wait for their request.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Faults {
    waiting: Vec<Waiting>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Waiting {
    on: On,
    /// Requests that pass before.
    before: u64,
    fault: Fault,
}

impl Faults {
    /// The next request of this kind meets the fault; behind those that wait already for the same.
    pub fn next(&mut self, on: On, fault: Fault) {
        self.nth(0, on, fault);
    }

    /// So many requests of this kind pass, then one meets the fault. 0 is the next one.
    ///
    /// To meet a client with a fault at each of its requests in turn, count them in the journal of an undisturbed run first.
    pub fn nth(&mut self, before: u64, on: On, fault: Fault) {
        self.waiting.push(Waiting { on, before, fault });
    }

    /// Nothing goes wrong any more.
    pub fn clear(&mut self) {
        self.waiting.clear();
    }

    /// How many faults did not meet their request yet.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// What a request meets.
    pub(crate) fn take(&mut self, met: On) -> Option<Fault> {
        let mut ready = None;
        for (index, waiting) in self.waiting.iter_mut().enumerate().filter(|(_, waiting)| waiting.on.meets(met)) {
            match waiting.before.checked_sub(1) {
                Some(less) => waiting.before = less,
                None if ready.is_none() => ready = Some(index),
                None => {}
            }
        }
        ready.map(|index| self.waiting.remove(index).fault)
    }
}

/// Names of the faults that can be switched on over HTTP, see [`Faults`] and the facts file.
pub const NAMES: [&str; 13] = [
    "throttle",
    "throttle_untold",
    "rotate",
    "http429",
    "http500",
    "html502",
    "slow",
    "cut_before",
    "cut_after",
    "cut_upload",
    "missing_url",
    "stale_revision",
    "automator_refused",
];

/// The fault of a name and what it waits for; `None` for `rotate` and `automator_refused`, which are no faults of one request
/// on its way, and for unknown names.
pub(crate) fn named(name: &str) -> Option<(On, Fault)> {
    Some(match name {
        "throttle" => (On::DeviceRead, Fault::Throttle { retry_after: 1 }),
        "throttle_untold" => (On::DeviceRead, Fault::Throttle { retry_after: 0 }),
        "http429" => (On::Device, Fault::Http429),
        "http500" => (On::Device, Fault::Http500),
        "html502" => (On::Device, Fault::Html502),
        "slow" => (On::Device, Fault::Slow(Duration::from_secs(2))),
        "cut_before" => (On::Device, Fault::CutBefore),
        "cut_after" => (On::Device, Fault::CutAfter),
        "cut_upload" => (On::Upload, Fault::CutBefore),
        "missing_url" => (On::DeviceRead, Fault::MissingUrl),
        "stale_revision" => (On::DeviceWrite, Fault::StaleRevision),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_meets_the_request_it_waits_for_and_no_other() {
        let mut faults = Faults::default();
        faults.nth(1, On::Device, Fault::CutAfter);
        faults.next(On::Upload, Fault::CutBefore);
        assert_eq!(faults.take(On::DeviceRead), None);
        assert_eq!(faults.take(On::Admin), None);
        assert_eq!(faults.take(On::DeviceWrite), Some(Fault::CutAfter));
        assert_eq!(faults.take(On::DeviceWrite), None);
        assert_eq!(faults.waiting(), 1);
        assert_eq!(faults.take(On::Upload), Some(Fault::CutBefore));
    }

    #[test]
    fn two_faults_of_one_kind_come_one_after_the_other() {
        let mut faults = Faults::default();
        faults.next(On::DeviceRead, Fault::Http500);
        faults.next(On::Any, Fault::Html502);
        assert_eq!(faults.take(On::DeviceRead), Some(Fault::Http500));
        assert_eq!(faults.take(On::DeviceRead), Some(Fault::Html502));
        assert_eq!(faults.take(On::DeviceRead), None);
    }

    #[test]
    fn every_name_but_two_is_a_fault_of_one_request() {
        let others: Vec<_> = NAMES.iter().filter(|name| named(name).is_none()).collect();
        assert_eq!(others, [&"rotate", &"automator_refused"]);
    }
}
