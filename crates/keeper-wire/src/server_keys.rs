//! The public keys of Keeper's servers.

use crate::ec::PublicKey;
use crate::error::Known;
use crate::{Error, text};
use std::collections::BTreeMap;

/// Built into every client of the vendor; no call downloads them. Ids 1 to 6 were RSA keys once.
const TABLE: &str = include_str!("../data/server-keys.tsv");

/// Which public key belongs to which key id, and which one is in use.
///
/// A server that wants another key says so by its id. Ids beyond the table are refused: a server cannot bring its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerKeys {
    keys: BTreeMap<i32, PublicKey>,
}

/// The key id with which the administrator protocol begins.
pub const ADMIN_DEFAULT: i32 = 7;
/// The key id with which a device begins whose configuration has none.
pub const DEVICE_DEFAULT: i32 = 10;

impl ServerKeys {
    /// The keys of Keeper's production servers, ids 7 to 18.
    ///
    /// # Panics
    /// Never: a test reads the whole table.
    #[must_use]
    pub fn production() -> Self {
        let row = |line: &str| {
            let (id, point) = line.split_once('\t')?;
            Some((id.parse().ok()?, PublicKey::from_base64(point).ok()?))
        };
        let keys = TABLE
            .lines()
            .filter(|line| !line.starts_with('#'))
            .map(|line| row(line).expect("the table is well formed"));
        Self { keys: keys.collect() }
    }

    /// A table of one's own, for isolated deployments and tests.
    #[must_use]
    pub fn of(keys: impl IntoIterator<Item = (i32, PublicKey)>) -> Self {
        Self { keys: keys.into_iter().collect() }
    }

    /// The key of an id.
    ///
    /// # Errors
    /// [`Error::ServerKey`], which names the known ids.
    pub fn get(&self, id: i32) -> Result<PublicKey, Error> {
        self.keys.get(&id).copied().ok_or_else(|| Error::ServerKey(id, Known(self.keys.keys().copied().collect())))
    }

    /// All of them, by id.
    pub fn iter(&self) -> impl Iterator<Item = (i32, PublicKey)> + '_ {
        self.keys.iter().map(|(id, key)| (*id, *key))
    }

    /// The table as the vendor's clients write it: id and URL-safe base64.
    pub fn texts(&self) -> impl Iterator<Item = (i32, String)> + '_ {
        self.iter().map(|(id, key)| (id, text::url(key.as_bytes())))
    }
}

impl Default for ServerKeys {
    fn default() -> Self {
        Self::production()
    }
}
