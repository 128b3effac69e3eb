//! The addresses from which Keeper's cloud calls an Automator, as dated data.
//!
//! They are printed in the guide (step A4) and on the vendor's ingress page, and were the same on both on 2026-11-24.
//! A config can add to them or replace them.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Where a Keeper tenant is hosted; independent of the AWS region (C31).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum KeeperRegion {
    /// United States.
    Us,
    /// United States, government cloud.
    UsGov,
    /// Europe.
    Eu,
    /// Australia.
    Au,
    /// Canada.
    Ca,
    /// Japan.
    Jp,
}

/// One row of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeeperCloud {
    /// The region.
    pub region: KeeperRegion,
    /// The name of the region in configs and on the vendor's pages.
    pub key: &'static str,
    /// The two addresses that call Automators, as /32 networks.
    pub addresses: [&'static str; 2],
    /// The host of vault and KSM; the KSM configuration names it.
    pub host: &'static str,
}

/// Every region of Keeper's cloud.
pub const KEEPER_CLOUD: [KeeperCloud; 6] = [
    row(KeeperRegion::Us, "US", ["54.208.20.102/32", "34.203.159.189/32"], "keepersecurity.com"),
    row(KeeperRegion::UsGov, "US_GOV", ["18.252.135.74/32", "18.253.212.59/32"], "govcloud.keepersecurity.us"),
    row(KeeperRegion::Eu, "EU", ["52.210.163.45/32", "54.246.185.95/32"], "keepersecurity.eu"),
    row(KeeperRegion::Au, "AU", ["3.106.40.41/32", "54.206.208.132/32"], "keepersecurity.com.au"),
    row(KeeperRegion::Ca, "CA", ["35.182.216.11/32", "15.223.136.134/32"], "keepersecurity.ca"),
    row(KeeperRegion::Jp, "JP", ["54.150.11.204/32", "52.68.53.105/32"], "keepersecurity.jp"),
];

const fn row(region: KeeperRegion, key: &'static str, addresses: [&'static str; 2], host: &'static str) -> KeeperCloud {
    KeeperCloud { region, key, addresses, host }
}

impl KeeperRegion {
    /// The row of this region.
    pub fn cloud(self) -> &'static KeeperCloud {
        // The table has the order of the enum; a test holds them together.
        &KEEPER_CLOUD[self as usize]
    }
}

impl fmt::Display for KeeperRegion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.cloud().key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_region_finds_its_own_row() {
        for row in &KEEPER_CLOUD {
            assert_eq!(row.region.cloud(), row);
            assert_eq!(serde_json::to_value(row.region).unwrap(), row.key);
        }
    }

    #[test]
    fn every_address_is_a_network() {
        for address in KEEPER_CLOUD.iter().flat_map(|row| row.addresses) {
            address.parse::<crate::config::Cidr>().unwrap();
        }
    }
}
