//! Whether a certificate is to be renewed.

use std::collections::BTreeSet;
use std::fmt;

use certs::acme::{RenewalWindow, record_name};
use certs::{Bundle, Certificate};
use jiff::{SignedDuration, Timestamp};
use schemars::JsonSchema;
use serde::Serialize;

use super::Renewal;

/// From when on a certificate is to be renewed.
pub(super) struct Due {
    pub(super) at: Timestamp,
    pub(super) because: Reason,
}

/// Why then.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Reason {
    /// It is not for the names that are asked for.
    Hosts,
    /// The authority named a window (RFC 9773), and this moment of it is this certificate's.
    RenewalInformation,
    /// A third of its life is left.
    Lifetime,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Hosts => "its names are others",
            Self::RenewalInformation => "the authority named the time",
            Self::Lifetime => "a third of its life is left then",
        })
    }
}

impl Due {
    /// Whether the authority's opinion counts: what is for other names, or has ended, is due whatever it says.
    pub(super) fn asks(old: &Bundle, hosts: &[&str], now: Timestamp) -> bool {
        is_for(old.leaf(), hosts) && now < old.leaf().not_after()
    }

    /// A window that is later than the certificate ends counts until then.
    pub(super) fn of(old: &Bundle, hosts: &[&str], window: Option<RenewalWindow>, now: Timestamp) -> Self {
        let leaf = old.leaf();
        if !is_for(leaf, hosts) {
            return Self { at: now, because: Reason::Hosts };
        }
        match window {
            Some(window) => {
                let at = moment(&window, &leaf.sha256_hex()).min(leaf.not_after());
                Self { at, because: Reason::RenewalInformation }
            }
            None => Self { at: last_third(leaf), because: Reason::Lifetime },
        }
    }

    pub(super) fn is_now(&self, now: Timestamp) -> bool {
        self.at <= now
    }

    pub(super) fn renewal(&self) -> Renewal {
        Renewal { due: self.at.to_string(), because: self.because }
    }
}

/// Whether its names are these, no more and no fewer.
fn is_for(leaf: &Certificate, hosts: &[&str]) -> bool {
    let plain = |host: &str| {
        let star = if host.starts_with("*.") { "*." } else { "" };
        let record = record_name(host).ok()?;
        Some(format!("{star}{}", record.strip_prefix("_acme-challenge.")?))
    };
    let wanted: BTreeSet<_> = hosts.iter().map(|host| plain(host)).collect();
    let there: BTreeSet<_> = leaf.dns_names().iter().map(|name| plain(name)).collect();
    wanted == there
}

/// A moment of the window, by chance but the same at every run: the fingerprint is as good as a throw of dice, and nothing
/// needs to be remembered between runs.
fn moment(window: &RenewalWindow, fingerprint: &str) -> Timestamp {
    let dice = fingerprint.get(..8).and_then(|digits| u32::from_str_radix(digits, 16).ok()).unwrap_or_default();
    let width = window.end.duration_since(window.start).as_secs().max(0);
    let part = i128::from(width) * i128::from(dice) / (i128::from(u32::MAX) + 1);
    let part = SignedDuration::from_secs(i64::try_from(part).unwrap_or_default());
    window.start.checked_add(part).unwrap_or(window.start)
}

fn last_third(leaf: &Certificate) -> Timestamp {
    let third = leaf.not_after().duration_since(leaf.not_before()) / 3;
    leaf.not_after().checked_sub(third).unwrap_or_else(|_| leaf.not_before())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use certs::make::{Authority, KeyType};

    use super::*;

    fn time(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn old() -> Bundle {
        let (start, end) = (time("2026-01-01T00:00:00Z"), time("2026-04-01T00:00:00Z"));
        let authority = Authority::throw_away("Test", start).unwrap();
        authority.issue(&["automator.example.com", "*.example.org"], KeyType::P256, start, end).unwrap()
    }

    const HOSTS: [&str; 2] = ["*.example.org", "Automator.example.com"];

    #[test]
    fn the_last_third_of_its_life_is_the_time() {
        let (old, now) = (old(), time("2026-02-01T00:00:00Z"));
        let due = Due::of(&old, &HOSTS, None, now);
        assert_eq!((due.at, due.because), (time("2026-03-02T00:00:00Z"), Reason::Lifetime));
        assert!(!due.is_now(time("2026-03-01T23:59:59Z")) && due.is_now(time("2026-03-02T00:00:00Z")));
    }

    #[test]
    fn other_names_are_due_at_once() {
        let (old, now) = (old(), time("2026-02-01T00:00:00Z"));
        for hosts in [&["automator.example.com"][..], &["automator.example.com", "*.example.org", "more.example.com"]] {
            let due = Due::of(&old, hosts, None, now);
            assert_eq!((due.at, due.because), (now, Reason::Hosts), "{hosts:?}");
        }
    }

    #[test]
    fn nobody_is_asked_about_what_is_due_anyway() {
        let old = old();
        assert!(Due::asks(&old, &HOSTS, time("2026-03-31T23:59:59Z")));
        assert!(!Due::asks(&old, &HOSTS, time("2026-04-01T00:00:00Z")));
        assert!(!Due::asks(&old, &HOSTS[..1], time("2026-02-01T00:00:00Z")));
        let now = time("2026-04-02T00:00:00Z");
        assert!(Due::of(&old, &HOSTS, None, now).is_now(now));
    }

    #[test]
    fn no_window_is_later_than_the_end() {
        let (start, end) = (time("2026-05-01T00:00:00Z"), time("2026-05-02T00:00:00Z"));
        let window = RenewalWindow { start, end, ask_again_after: Duration::ZERO };
        let due = Due::of(&old(), &HOSTS, Some(window), time("2026-02-01T00:00:00Z"));
        assert_eq!((due.at, due.because), (time("2026-04-01T00:00:00Z"), Reason::RenewalInformation));
    }

    #[test]
    fn the_authority_knows_better_and_every_certificate_has_its_own_moment() {
        let now = time("2026-02-01T00:00:00Z");
        let (start, end) = (time("2026-02-10T00:00:00Z"), time("2026-02-12T00:00:00Z"));
        let window = RenewalWindow { start, end, ask_again_after: Duration::ZERO };
        let due = Due::of(&old(), &HOSTS, Some(window), now);
        assert_eq!(due.because, Reason::RenewalInformation);
        assert!(start <= due.at && due.at < end);
        assert_eq!(moment(&window, "00000000"), start);
        assert_eq!(moment(&window, "80000000"), time("2026-02-11T00:00:00Z"));
        assert!(moment(&window, "ffffffff") < end);
        let upside_down = RenewalWindow { start: end, end: start, ask_again_after: Duration::ZERO };
        assert_eq!(moment(&upside_down, "80000000"), end);
    }
}
