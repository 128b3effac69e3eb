//! One-time tokens, with which a device introduces itself.

use crate::ec::PublicKey;
use crate::{Error, Host, crypto, text};
use std::fmt;
use std::str::FromStr;
use zeroize::Zeroizing;

const CLIENT_ID: &[u8] = b"KEEPER_SECRETS_MANAGER_CLIENT_ID";

/// The name of a device: 64 bytes, computed from its one-time token and the same in its configuration.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct ClientId([u8; 64]);

impl ClientId {
    /// HMAC-SHA-512 of a fixed text under the token's bytes.
    #[must_use]
    pub fn of_token(token: &[u8; 32]) -> Self {
        Self(crypto::hmac_sha512(token, CLIENT_ID))
    }

    /// Takes exactly 64 bytes.
    ///
    /// # Errors
    /// [`Error::Length`].
    pub fn from_slice(bytes: &[u8]) -> Result<Self, Error> {
        let bytes =
            bytes.try_into().map_err(|_| Error::Length { what: "client id", expected: 64, found: bytes.len() })?;
        Ok(Self(bytes))
    }

    /// The 64 bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 64] {
        &self.0
    }
}

impl fmt::Display for ClientId {
    /// Standard base64, 88 characters, as in a device configuration.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&text::standard(&self.0))
    }
}

impl fmt::Debug for ClientId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ClientId({self})")
    }
}

impl FromStr for ClientId {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        Self::from_slice(&text::decode(text)?)
    }
}

/// A one-time token: 32 secret bytes, and where they are good for.
///
/// Its text is `REGION:KEY`, `HOST:KEY`, `KEY` alone, or for isolated deployments `REGION:KEY:KEYID:SERVERKEY`. A host with
/// a port cannot be written, because the colon separates; pass the host apart.
#[derive(Clone)]
pub struct OneTimeToken {
    key: Zeroizing<[u8; 32]>,
    /// Where the text says that it is good for.
    pub host: Option<Host>,
    /// Id and point of a server key that is in no table.
    pub server_key: Option<(i32, PublicKey)>,
}

impl OneTimeToken {
    /// A new random token, for the side that hands them out.
    #[must_use]
    pub fn random() -> Self {
        let mut key = Zeroizing::new([0; 32]);
        crypto::fill_random(key.as_mut());
        Self { key, host: None, server_key: None }
    }

    /// The 32 bytes. They also are the key that the application key is handed over with.
    #[must_use]
    pub fn expose(&self) -> &[u8; 32] {
        &self.key
    }

    /// The device that this token makes.
    #[must_use]
    pub fn client_id(&self) -> ClientId {
        ClientId::of_token(&self.key)
    }

    /// The secret part as text: URL-safe base64, 43 characters.
    #[must_use]
    pub fn expose_text(&self) -> Zeroizing<String> {
        Zeroizing::new(text::url(self.key.as_ref()))
    }
}

impl FromStr for OneTimeToken {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let parts: Vec<&str> = text.trim().split(':').collect();
        let (host, key, server) = match parts[..] {
            [key] => (None, key, None),
            [host, key] => (Some(host), key, None),
            [host, key, id, point] => (Some(host), key, Some((id, point))),
            _ => {
                return Err(Error::Token(
                    "it is REGION:KEY, HOST:KEY or KEY; give a host with a port apart from the token",
                ));
            }
        };
        let key = text::decode(key).map_err(|_| Error::Token("the part after the colon is no base64"))?;
        let key = <[u8; 32]>::try_from(key.as_slice())
            .map_err(|_| Error::Token("its secret part does not have 32 bytes: it was cut when copied"))?;
        let server_key = match server {
            None => None,
            Some((id, point)) => Some((
                id.parse().map_err(|_| Error::Token("its third part is no key id"))?,
                PublicKey::from_base64(point)?,
            )),
        };
        Ok(Self { key: Zeroizing::new(key), host: host.map(str::parse).transpose()?, server_key })
    }
}

impl fmt::Debug for OneTimeToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OneTimeToken").field("host", &self.host).finish_non_exhaustive()
    }
}
