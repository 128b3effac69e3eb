//! All that a fake knows.

use crate::admin::Admin;
use crate::contact::Contacts;
use crate::vault::Vault;
use keeper_wire::ServerKeys;
use keeper_wire::ec::PrivateKey;
use std::collections::BTreeMap;

/// The state of a fake. Both protocols work on it, and so may a test.
#[derive(Debug)]
pub struct World {
    /// Who logs in as an administrator, and the enterprise.
    pub admin: Admin,
    /// What both sides store.
    pub vault: Vault,
    /// How Automators are called.
    pub contacts: Contacts,
    /// Every request, in order.
    pub journal: Vec<Entry>,
    keys: BTreeMap<i32, PrivateKey>,
}

/// One request and how it was answered. No bodies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// `POST`, `GET`.
    pub method: String,
    /// The endpoint below `/api/rest/`, the name of a command in one, or the path; never a query, which may hold a ticket.
    pub call: String,
    /// Status of the answer.
    pub status: u16,
    /// False when nothing here knows the call, so that it got an empty success.
    pub known: bool,
}

/// Ids of server keys that a fake has.
const KEY_IDS: std::ops::RangeInclusive<i32> = 7..=18;

impl World {
    /// An empty vault, an account without devices, an enterprise with its root node, and fresh server keys.
    #[must_use]
    pub fn new() -> Self {
        let keys: BTreeMap<_, _> = KEY_IDS.map(|id| (id, PrivateKey::generate())).collect();
        Self {
            admin: Admin::new(&keys),
            vault: Vault::default(),
            contacts: Contacts::default(),
            journal: Vec::new(),
            keys,
        }
    }

    /// The public halves of the server keys.
    #[must_use]
    pub fn server_keys(&self) -> ServerKeys {
        ServerKeys::of(self.keys.iter().map(|(id, key)| (*id, key.public())))
    }
}

impl Default for World {
    fn default() -> Self {
        Self::new()
    }
}
