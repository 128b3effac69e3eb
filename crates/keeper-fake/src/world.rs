//! All that a fake knows.

use crate::admin::{Admin, Calls, Scripted};
use crate::contact::Contacts;
use crate::device::Devices;
use crate::facts::Kept;
use crate::faults::{self, Faults};
use crate::machine::{self, Outcome, Pending, Request};
use crate::saved;
use crate::vault::Vault;
use keeper_wire::ServerKeys;
use keeper_wire::ec::PrivateKey;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The state of a fake. Both protocols work on it, and so may a test.
#[derive(Debug, Serialize, Deserialize)]
pub struct World {
    /// Who logs in as an administrator, and the enterprise.
    pub admin: Admin,
    /// What both sides store.
    pub vault: Vault,
    /// What is kept for devices beside the vault.
    pub devices: Devices,
    /// Mishaps that wait for their request.
    pub faults: Faults,
    /// What users of the program were told. A fake in a test needs none.
    #[serde(default)]
    pub facts: Option<Kept>,
    /// How Automators are called.
    #[serde(skip)]
    pub contacts: Contacts,
    /// Every request, in order.
    pub journal: Vec<Entry>,
    #[serde(with = "saved::values")]
    pub(crate) keys: BTreeMap<i32, PrivateKey>,
}

/// One request and how it was answered. No bodies.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// When it came; for one that had an Automator called, when that was over. Milliseconds since 1970.
    pub at: i64,
    /// `POST`, `GET`.
    pub method: String,
    /// The endpoint below `/api/rest/`, the name of a command in one, or the path; never a query, which may hold a ticket.
    pub call: String,
    /// Status of the answer; 0 when the connection was cut before anything was done.
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
            devices: Devices::default(),
            faults: Faults::default(),
            facts: None,
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

    /// Answers one request; `now` is in milliseconds since 1970.
    pub fn handle(&mut self, now: i64, request: &Request) -> Outcome {
        machine::answer(self, now, request)
    }

    /// The outcome of a request that waited for a call of an Automator: `reached` says why it could not be reached.
    pub fn resume(&mut self, now: i64, pending: &Pending, reached: Result<(), String>) -> Outcome {
        machine::contacted(self, now, pending, reached)
    }

    /// Switches one of [`faults::NAMES`] on for the next matching request; false when there is no such name.
    pub fn fault(&mut self, name: &str) -> bool {
        match (name, faults::named(name)) {
            (_, Some((on, fault))) => self.faults.next(on, fault),
            ("rotate", _) => self.devices.active_key = 9,
            ("automator_refused", _) => {
                let message = "the Automator refused the request".to_owned();
                self.admin.script(Calls::AutomatorWrites, 1, Scripted::Failed { message });
            }
            _ => return false,
        }
        true
    }
}

impl Default for World {
    fn default() -> Self {
        Self::new()
    }
}
