//! What an account has when a fake starts: a device that resumes by itself, and a small tree of nodes.

use super::Admin;
use super::account::{Account, Device, opaque};
use keeper_wire::crypto::Key;
use keeper_wire::ec::{PrivateKey, PublicKey};
use keeper_wire::text;
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use std::fmt;

/// A device with which a client logs in without being asked anything, once for each clone code.
pub struct Resumable {
    /// Opaque.
    pub device_token: Vec<u8>,
    /// The device's own key.
    pub private_key: PrivateKey,
    /// Good for one login.
    pub clone_code: Vec<u8>,
}

impl fmt::Debug for Resumable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Resumable").finish_non_exhaustive()
    }
}

/// Nodes of the tree, id and name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Nodes {
    /// With SSO Connect Cloud.
    pub sso: (i64, String),
    /// Without any SSO service.
    pub plain: (i64, String),
    /// A name that two nodes have.
    pub ambiguous: String,
}

impl Admin {
    /// Adds a device that may resume, and switches persistent login on.
    pub fn add_resumable(&mut self) -> Resumable {
        let private_key = PrivateKey::generate();
        let (device_token, clone_code) = (opaque(64), opaque(32));
        let mut device = Device::new("keeper-fake", private_key.public());
        device.approved = true;
        device.data_key = Some(private_key.public().seal(self.account.data_key().expose()));
        device.clone_code = Some(clone_code.clone());
        device.second_factor = true;
        self.account.devices.insert(device_token.clone(), device);
        self.account.settings.insert("persistent_login".to_owned(), "1".to_owned());
        Resumable { device_token, private_key, clone_code }
    }

    /// Content of a `config.json` of Commander that resumes with that device.
    #[must_use]
    pub fn commander_config(&self, server: &str, device: &Resumable) -> Value {
        json!({
            "server": server,
            "user": self.account.username,
            "device_token": text::url(&device.device_token),
            "private_key": text::url(device.private_key.expose_scalar()),
            "clone_code": text::url(&device.clone_code),
            "config_storage": "file",
        })
    }

    /// Two nodes that a test needs by role, and two of one name.
    pub fn add_nodes(&mut self) -> Nodes {
        let mut named = |name: &str, sso| (self.enterprise.add_node(name, sso), name.to_owned());
        let (sso, plain) = (named("Azure Cloud", Some(true)), named("Branch Office", None));
        named("Twins", Some(true));
        named("Twins", Some(true));
        Nodes { sso, plain, ambiguous: "Twins".to_owned() }
    }
}

impl Account {
    /// The key of everything that is the account's own.
    #[must_use]
    pub fn data_key(&self) -> &Key {
        &self.data_key
    }

    /// To which devices seal what they make for their owner.
    #[must_use]
    pub fn public_key(&self) -> PublicKey {
        self.ec.public()
    }

    /// The master password in clear text, for the facts file.
    #[must_use]
    pub fn expose_password(&self) -> &str {
        self.password.expose_secret()
    }
}
