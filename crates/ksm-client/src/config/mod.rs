//! The device configuration: who a device is, and its keys.

mod error;
mod file;
mod forms;

use std::fmt;

use keeper_wire::crypto::Key;
use keeper_wire::ec::{PrivateKey, PublicKey};
use keeper_wire::{ClientId, Host, OneTimeToken, server_keys, text};
use serde_json::{Map, Value};
use zeroize::Zeroizing;

use crate::json::{self, Secret};

pub use error::ConfigError;
pub use file::ConfigFile;
pub(crate) use file::folder;
pub use forms::{Form, MAX_CONFIG};

/// The configuration of one device, bound or on its way to be.
///
/// Reads every form in circulation (spec 1: base64, JSON, a Kubernetes Secret, the vendor CLI's INI profile), in any base64
/// alphabet, padded or not, and keeps what it does not know. Writes what the vendor's SDKs read.
///
/// ```
/// use ksm_client::Config;
///
/// let token = "EU:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8".parse().unwrap();
/// let config = Config::from_token(&token, None).unwrap();
/// assert!(!config.is_bound());
///
/// let again = Config::parse(&config.expose_base64()).unwrap();
/// assert_eq!(again.client_id(), config.client_id());
/// assert_eq!(again.host().to_string(), "keepersecurity.eu");
/// ```
#[derive(Clone)]
pub struct Config {
    pub(crate) host: Host,
    pub(crate) client_id: ClientId,
    pub(crate) private_key: PrivateKey,
    pub(crate) server_key_id: i32,
    pub(crate) server_key: Option<PublicKey>,
    pub(crate) app_key: Option<Key>,
    pub(crate) owner_key: Option<PublicKey>,
    pub(crate) token_key: Option<Key>,
    other: Secret,
}

impl Config {
    /// Reads a configuration in any form. Of an INI file it takes the active profile, else the first.
    ///
    /// # Errors
    /// [`ConfigError`] names the field, never its value.
    pub fn parse(text: &str) -> Result<Self, ConfigError> {
        Self::parse_profile(text, None)
    }

    /// The same, with a profile of an INI file by its name; other forms have no profiles and refuse one.
    ///
    /// # Errors
    /// As [`Config::parse`].
    pub fn parse_profile(text: &str, profile: Option<&str>) -> Result<Self, ConfigError> {
        forms::read(text, profile).map(|(config, _)| config)
    }

    /// A configuration as it is before binding: a new key pair, and what the token tells.
    ///
    /// # Errors
    /// [`ConfigError::Missing`] when neither token nor `host` says where.
    pub fn from_token(token: &OneTimeToken, host: Option<Host>) -> Result<Self, ConfigError> {
        let host = host.or_else(|| token.host.clone()).ok_or(ConfigError::Missing("hostname"))?;
        Ok(Self {
            host,
            client_id: token.client_id(),
            private_key: PrivateKey::generate(),
            server_key_id: token.server_key.map_or(server_keys::DEVICE_DEFAULT, |(id, _)| id),
            server_key: token.server_key.map(|(_, key)| key),
            app_key: None,
            owner_key: None,
            token_key: Some(Key::from_slice(token.expose()).expect("a token has 32 bytes")),
            other: Secret::new(Value::Object(Map::new())),
        })
    }

    /// The server.
    #[must_use]
    pub fn host(&self) -> &Host {
        &self.host
    }

    /// The device's name.
    #[must_use]
    pub fn client_id(&self) -> &ClientId {
        &self.client_id
    }

    /// The public half of the device's key.
    #[must_use]
    pub fn public_key(&self) -> PublicKey {
        self.private_key.public()
    }

    /// Which server key the device uses.
    #[must_use]
    pub fn server_key_id(&self) -> i32 {
        self.server_key_id
    }

    /// Whether the device has its application key.
    #[must_use]
    pub fn is_bound(&self) -> bool {
        self.app_key.is_some()
    }

    /// Whether a binding was begun and not finished: the token's key is still there.
    #[must_use]
    pub fn is_half_bound(&self) -> bool {
        self.app_key.is_none() && self.token_key.is_some()
    }

    /// Whether records can be created and files uploaded.
    #[must_use]
    pub fn has_owner_key(&self) -> bool {
        self.owner_key.is_some()
    }

    /// As JSON text, two blanks deep, as the vendor's SDKs keep it.
    #[must_use]
    pub fn expose_json(&self) -> Zeroizing<String> {
        let members = Secret::new(Value::Object(self.members()));
        Zeroizing::new(serde_json::to_string_pretty(members.expose()).expect("a map of texts is JSON"))
    }

    /// As standard base64 of JSON, the "Base64 configuration" of the vendor's guide and the value of `KSM_CONFIG`.
    #[must_use]
    pub fn expose_base64(&self) -> Zeroizing<String> {
        let members = Secret::new(Value::Object(self.members()));
        let plain = members.expose().as_object().map(json::bytes_of).unwrap_or_default();
        Zeroizing::new(text::standard(&plain))
    }

    /// As the manifest of a Kubernetes Secret with the key `config`.
    ///
    /// # Errors
    /// [`ConfigError::Wrong`] when the name or name space is none that Kubernetes takes.
    pub fn expose_kubernetes(&self, name: &str, namespace: Option<&str>) -> Result<Zeroizing<String>, ConfigError> {
        forms::kubernetes(self, name, namespace)
    }

    /// As an INI file of the vendor's CLI with one profile. The CLI knows no `serverPublicKey`, so that is left out.
    ///
    /// # Errors
    /// [`ConfigError::Wrong`] when the profile's name cannot stand in brackets.
    pub fn expose_ini(&self, profile: &str) -> Result<Zeroizing<String>, ConfigError> {
        forms::ini(self, profile)
    }

    fn members(&self) -> Map<String, Value> {
        let mut members = Map::new();
        let mut put = |name: &str, value: String| members.insert(name.to_owned(), Value::String(value));
        put("hostname", self.host.to_string());
        put("clientId", self.client_id.to_string());
        put("privateKey", text::standard(&self.private_key.to_pkcs8()));
        put("serverPublicKeyId", self.server_key_id.to_string());
        if let Some(key) = &self.server_key {
            put("serverPublicKey", text::url(key.as_bytes()));
        }
        if let Some(key) = &self.token_key {
            put("clientKey", text::url(key.expose()));
        }
        if let Some(key) = &self.app_key {
            put("appKey", text::standard(key.expose()));
        }
        if let Some(key) = &self.owner_key {
            put("appOwnerPublicKey", text::standard(key.as_bytes()));
        }
        for (name, value) in self.other.expose().as_object().into_iter().flatten() {
            members.insert(name.clone(), value.clone());
        }
        members
    }

    /// From the members of the JSON object, whatever form they came in. What is left over is kept.
    fn from_members(mut members: Map<String, Value>) -> Result<Self, ConfigError> {
        let all = &mut members;
        let host = take(all, "hostname")?.ok_or(ConfigError::Missing("hostname"))?;
        let host = host.parse().map_err(|source| ConfigError::Value { field: "hostname", source })?;
        let client_id = take(all, "clientId")?.ok_or(ConfigError::Missing("clientId"))?;
        let client_id = client_id.parse().map_err(|source| ConfigError::Value { field: "clientId", source })?;
        let private_key = take_bytes(all, "privateKey", PrivateKey::from_pkcs8)?;
        let id = take(all, "serverPublicKeyId")?.map(|text| text.trim().parse().ok().filter(|id| *id > 0));
        let no_id = ConfigError::Wrong { field: "serverPublicKeyId", expected: "a positive number" };
        Ok(Self {
            host,
            client_id,
            private_key: private_key.ok_or(ConfigError::Missing("privateKey"))?,
            server_key_id: id.unwrap_or(Some(server_keys::DEVICE_DEFAULT)).ok_or(no_id)?,
            server_key: take_bytes(all, "serverPublicKey", PublicKey::from_slice)?,
            app_key: take_bytes(all, "appKey", Key::from_slice)?,
            owner_key: take_bytes(all, "appOwnerPublicKey", PublicKey::from_slice)?,
            token_key: take_bytes(all, "clientKey", Key::from_slice)?,
            other: Secret::new(Value::Object(members)),
        })
    }
}

/// A member as text; missing, `null` and blank are the same.
fn take(members: &mut Map<String, Value>, name: &'static str) -> Result<Option<Zeroizing<String>>, ConfigError> {
    match members.shift_remove(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(Zeroizing::new(text)).filter(|text| !text.trim().is_empty())),
        // The id is a number in some hands (spec mark I).
        Some(Value::Number(number)) if name == "serverPublicKeyId" => Ok(Some(Zeroizing::new(number.to_string()))),
        Some(_) => Err(ConfigError::Wrong { field: name, expected: "text" }),
    }
}

fn take_bytes<T>(
    members: &mut Map<String, Value>,
    field: &'static str,
    make: impl FnOnce(&[u8]) -> Result<T, keeper_wire::Error>,
) -> Result<Option<T>, ConfigError> {
    let Some(text) = take(members, field)? else { return Ok(None) };
    let made = text::decode(&text).and_then(|bytes| make(&bytes));
    made.map(Some).map_err(|source| ConfigError::Value { field, source })
}

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Config")
            .field("host", &self.host.to_string())
            .field("device", &short(&self.client_id))
            .field("server_key_id", &self.server_key_id)
            .field("bound", &self.is_bound())
            .finish_non_exhaustive()
    }
}

/// The beginning of a client id: enough to tell devices apart.
pub(crate) fn short(id: &ClientId) -> String {
    let mut text = id.to_string();
    text.truncate(8);
    text.push('…');
    text
}
