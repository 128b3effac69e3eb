//! The seam to whoever keeps the DNS zone.

use std::future::Future;

use super::IssueError;
use crate::host::Host;

/// What went wrong in the zone; it becomes the source of an [`IssueError::Dns`].
pub type DnsError = Box<dyn std::error::Error + Send + Sync>;

/// Somebody who can write TXT records (RFC 8555, section 8.4).
///
/// Several values may stand under one name: a host and its wildcard are proved by the same record.
pub trait Dns01: Sync {
    /// Adds the value to the TXT record and returns once every name server of the zone answers with it.
    ///
    /// A value that is already there is fine: a lost answer, or a run before this one, may have added it.
    fn publish(&self, record: &str, value: &str) -> impl Future<Output = Result<(), DnsError>> + Send;

    /// Takes the value out of the TXT record, and the record away when it was the last. A missing one is fine.
    fn remove(&self, record: &str, value: &str) -> impl Future<Output = Result<(), DnsError>> + Send;

    /// The values under this name that earlier, killed runs left: only what this implementation itself has published.
    fn leftovers(&self, record: &str) -> impl Future<Output = Result<Vec<String>, DnsError>> + Send;
}

/// The name of the TXT record that proves a host, without a dot at the end: `_acme-challenge.` before the host, in
/// ASCII, without its wildcard.
///
/// # Errors
///
/// [`IssueError::Host`] for what is no host name. IP addresses cannot be proved by DNS.
pub fn record_name(host: &str) -> Result<String, IssueError> {
    match Host::parse(host.strip_prefix("*.").unwrap_or(host)) {
        Some(Host::Name(name)) => Ok(format!("_acme-challenge.{name}")),
        _ => Err(IssueError::Host { host: host.to_owned() }),
    }
}
