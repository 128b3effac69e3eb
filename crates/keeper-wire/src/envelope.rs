//! What stands around each request and reply.

use crate::Error;
use crate::crypto::Key;
use crate::ec::{PrivateKey, PublicKey};
use zeroize::Zeroizing;

/// The key of one request and of its reply: 32 random bytes, made anew for every attempt.
///
/// ```
/// use keeper_wire::{Transmission, ec::PrivateKey};
///
/// let server = PrivateKey::generate();
/// let ours = Transmission::new();
///
/// // What goes over the wire: the key for the server's eyes, and the body under that key.
/// let (wrapped, body) = (ours.wrap(&server.public()), ours.seal(b"{}"));
///
/// // The server's side.
/// let theirs = Transmission::unwrap(&server, &wrapped).unwrap();
/// assert_eq!(&theirs.open(&body).unwrap()[..], b"{}");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transmission(Key);

impl Transmission {
    /// A new key.
    #[must_use]
    #[allow(clippy::new_without_default, reason = "no two are alike")]
    pub fn new() -> Self {
        Self(Key::random())
    }

    /// The key as the server reads it: 125 bytes, see [`PublicKey::seal`].
    #[must_use]
    pub fn wrap(&self, server: &PublicKey) -> Vec<u8> {
        server.seal(self.0.expose())
    }

    /// The other side of [`Transmission::wrap`].
    ///
    /// # Errors
    /// [`Error::Sealed`] when it was wrapped for another server key, [`Error::Length`] when something else is in it.
    pub fn unwrap(server: &PrivateKey, wrapped: &[u8]) -> Result<Self, Error> {
        Ok(Self(Key::from_slice(&server.open(wrapped)?)?))
    }

    /// A key that came in another envelope.
    pub(crate) fn from_key(key: Key) -> Self {
        Self(key)
    }

    /// The key itself, for another envelope than that of [`Transmission::wrap`].
    #[must_use]
    pub fn key(&self) -> &Key {
        &self.0
    }

    /// Seals a body, request or reply.
    #[must_use]
    pub fn seal(&self, body: &[u8]) -> Vec<u8> {
        self.0.seal(body)
    }

    /// Opens a body, request or reply.
    ///
    /// # Errors
    /// [`Error::Sealed`].
    pub fn open(&self, body: &[u8]) -> Result<Zeroizing<Vec<u8>>, Error> {
        self.0.open(body)
    }
}

/// What a device signs: the wrapped key followed by the sealed body, in their binary forms.
#[must_use]
pub fn signed_text(wrapped_key: &[u8], sealed_body: &[u8]) -> Vec<u8> {
    [wrapped_key, sealed_body].concat()
}
