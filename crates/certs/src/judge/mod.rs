//! Judges a bundle: will clients, ACM and the Automator service take it?

mod chain;
mod findings;
mod leaf;
mod pfx;

pub use findings::{Finding, Report, Severity};
pub use leaf::EXPIRES_SOON_DAYS;

use jiff::Timestamp;

use crate::bundle::Bundle;

impl Bundle {
    /// Looks at everything that can be wrong with the bundle at the time `now` for clients that call `host`.
    ///
    /// The host is a name in any script or an IP address. Findings come in a fixed order: leaf, chain, ACM, file; their
    /// ids are stable words for machines, listed at [`Finding`].
    pub fn judge(&self, host: &str, now: Timestamp) -> Report {
        let mut report = Report::default();
        leaf::judge(self, host, now, &mut report);
        chain::judge(self, now, &mut report);
        pfx::judge(self, &mut report);
        report
    }
}
