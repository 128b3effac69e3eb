//! The administrator's account: password, keys, devices, sessions, and what its roles allow.

use crate::saved;
use keeper_wire::crypto::{self, Key};
use keeper_wire::ec::{PrivateKey, PublicKey};
use keeper_wire::messages::authentication::{LoginState, SessionTokenType};
use keeper_wire::password::{Salt, seal_encryption_params};
use keeper_wire::{Uid, rsa};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::OnceLock;
use zeroize::Zeroizing;

/// The one account of a fake.
#[derive(Serialize, Deserialize)]
pub struct Account {
    /// 16 bytes.
    pub uid: Uid,
    /// E-mail address in lower case.
    pub username: String,
    /// The master password.
    #[serde(with = "saved::as_text")]
    pub password: SecretString,
    /// Secret of the second factor, 20 bytes; empty when there is none.
    #[serde(with = "saved::as_text")]
    pub totp: Zeroizing<Vec<u8>>,
    /// What roles and settings say; tests change it.
    pub rules: Rules,
    /// Codes that went out by e-mail, the newest last.
    pub mail: Vec<String>,
    #[serde(with = "saved::as_text")]
    salt: Vec<u8>,
    #[serde(with = "saved::as_text")]
    pub(super) data_key: Key,
    #[serde(with = "saved::as_text")]
    pub(super) ec: PrivateKey,
    pub(super) rsa: RsaPair,
    #[serde(with = "saved::map")]
    pub(super) devices: BTreeMap<Vec<u8>, Device>,
    #[serde(with = "saved::set")]
    pub(super) sessions: BTreeSet<Vec<u8>>,
    #[serde(with = "saved::map")]
    pub(super) logins: BTreeMap<Vec<u8>, Progress>,
    /// Settings by name, as `set_user_setting` left them.
    pub(super) settings: BTreeMap<String, String>,
}

/// What may be different from one account to the next.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Rules {
    /// Whether enterprise calls are allowed.
    pub administrator: bool,
    /// Whether a role manages the root node with everything below it.
    pub root_administrator: bool,
    /// Whether the enterprise data tell the user's privileges by themselves (in the descriptor only, so off at first).
    pub told_privileges: bool,
    /// Whether the enterprise forbids RSA.
    pub forbid_rsa: bool,
    /// Whether Keeper Secrets Manager may be used.
    pub secrets_manager: bool,
    /// Whether a role forbids to resume by clone code.
    pub restrict_persistent_login: bool,
    /// Whether a role forbids programs such as Commander.
    pub restrict_clients: bool,
    /// Whether the user signs in through a browser.
    pub sso: bool,
    /// What every session may do.
    #[serde(with = "saved::number")]
    pub session: SessionTokenType,
    /// Every login ends in this state.
    #[serde(with = "saved::optional_number")]
    pub state: Option<LoginState>,
    /// Where the account really is, when not here.
    pub home: Option<Home>,
    /// Whether a clone code is looked at only beside the user's name.
    #[serde(default)]
    pub name_beside_clone_code: bool,
    /// Whether a login leaves the clone code as it is.
    #[serde(default)]
    pub keeps_clone_code: bool,
}

/// An account that lives in another region.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Home {
    /// Host of the other region.
    pub host: String,
    /// Told by a state of the login; otherwise by an error.
    pub by_state: bool,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            administrator: true,
            root_administrator: true,
            told_privileges: false,
            forbid_rsa: false,
            secrets_manager: true,
            restrict_persistent_login: false,
            restrict_clients: false,
            sso: false,
            session: SessionTokenType::NoRestriction,
            state: None,
            home: None,
            name_beside_clone_code: false,
            keeps_clone_code: false,
        }
    }
}

/// A device of the administrator, not of an application.
#[derive(Serialize, Deserialize)]
pub(super) struct Device {
    pub(super) name: String,
    #[serde(with = "saved::as_text")]
    pub(super) public_key: PublicKey,
    /// Whether the account's owner let it in.
    pub(super) approved: bool,
    /// A code that is on its way by e-mail.
    pub(super) code: Option<String>,
    /// The data key sealed to the device.
    #[serde(with = "saved::optional_text")]
    pub(super) data_key: Option<Vec<u8>>,
    /// One-time: replaced by each login.
    #[serde(with = "saved::optional_text")]
    pub(super) clone_code: Option<Vec<u8>>,
    /// Milliseconds of the last login.
    pub(super) used: i64,
    /// Whether the second factor is remembered.
    pub(super) second_factor: bool,
}

/// How far a login has come.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Progress {
    #[serde(with = "saved::as_text")]
    pub(super) device: Vec<u8>,
    pub(super) alternate: bool,
    pub(super) second_factor: bool,
    /// Wrong answers so far.
    pub(super) wrong: u32,
}

/// Rounds of PBKDF2. A thousand times fewer than in production, because tests log in often.
const ROUNDS: u32 = 1000;

impl Account {
    pub(super) fn new(username: &str) -> Self {
        let mut salt = vec![0; 16];
        crypto::fill_random(&mut salt);
        Self {
            uid: Uid::random(),
            username: username.to_owned(),
            password: keeper_wire::text::url(&opaque(18)).into(),
            totp: Zeroizing::default(),
            rules: Rules::default(),
            mail: Vec::new(),
            salt,
            data_key: Key::random(),
            ec: PrivateKey::generate(),
            rsa: RsaPair::of_this_process(),
            devices: BTreeMap::new(),
            sessions: BTreeSet::new(),
            logins: BTreeMap::new(),
            settings: BTreeMap::new(),
        }
    }

    pub(super) fn salt(&self) -> Salt {
        Salt { salt: self.salt.clone(), iterations: ROUNDS }
    }

    /// What opens the data key with the master password.
    pub(super) fn encryption_params(&self) -> Vec<u8> {
        seal_encryption_params(&self.data_key, &self.salt(), &self.password).expect("16 bytes of salt and few rounds")
    }

    pub(super) fn setting(&self, name: &str) -> &str {
        self.settings.get(name).map_or("", String::as_str)
    }

    /// Every session ends, as after a long pause.
    pub fn end_sessions(&mut self) {
        self.sessions.clear();
        self.logins.clear();
    }
}

impl fmt::Debug for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Account").field("username", &self.username).finish_non_exhaustive()
    }
}

/// Random bytes that mean something to the server only.
pub(super) fn opaque(len: usize) -> Vec<u8> {
    let mut bytes = vec![0; len];
    crypto::fill_random(&mut bytes);
    bytes
}

/// An RSA key pair in PKCS#1 DER.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct RsaPair {
    #[serde(with = "saved::as_text")]
    pub(super) private: Zeroizing<Vec<u8>>,
    #[serde(with = "saved::as_text")]
    pub(super) public: Vec<u8>,
}

impl RsaPair {
    /// One for the whole process, because making one takes a while and nothing here rests on two fakes having different
    /// ones.
    pub(super) fn of_this_process() -> Self {
        static PAIR: OnceLock<RsaPair> = OnceLock::new();
        let make = || {
            let (private, public) = rsa::generate();
            Self { private, public }
        };
        PAIR.get_or_init(make).clone()
    }
}
