//! Route 53, and DNS that somebody else looks after: the public name of the balancer, and the records that prove it.

mod alias;
mod challenge;
mod manual;
mod records;
mod zone;

use std::fmt;

pub use alias::AliasRecord;
pub use challenge::Challenges;
pub use manual::{ManualRecord, Resolve, SystemResolver};
pub use zone::{HostedZone, ensure_zone};

/// Where an alias points: a balancer's DNS name, and the hosted zone of *that name*, which is Amazon's and not yours (C22).
#[derive(Clone, Debug)]
pub struct AliasTarget {
    /// The balancer's DNS name.
    pub dns_name: String,
    /// The balancer's canonical hosted zone id.
    pub zone: String,
}

/// Two are one if Route 53 would answer the same: case, a last dot and `dualstack.` make no difference.
impl PartialEq for AliasTarget {
    fn eq(&self, other: &Self) -> bool {
        self.zone == other.zone && balancer(&self.dns_name) == balancer(&other.dns_name)
    }
}

impl Eq for AliasTarget {}

impl fmt::Display for AliasTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&balancer(&self.dns_name))
    }
}

/// A DNS name as we compare it: lowercase, without the last dot.
fn plain(name: &str) -> String {
    name.trim_end_matches('.').to_lowercase()
}

/// A balancer's name without the prefix that the console puts before it to have IPv6 answered too.
fn balancer(name: &str) -> String {
    let name = plain(name);
    name.strip_prefix("dualstack.").map(str::to_owned).unwrap_or(name)
}
