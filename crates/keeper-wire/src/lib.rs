//! What both of Keeper's protocols share: that of devices (Keeper Secrets Manager) and that of administrators.
//!
//! Pure: bytes in, bytes out, no network and no clock. Nobody here can reach the live service. What is assumed about it was
//! read in the vendor's clients and checked with vectors that their own functions computed; the tests hold all of them.
//!
//! A request has a fresh [`Transmission`] key, sealed to a public key of the server ([`ServerKeys`]); the body is sealed with
//! that key, and a device signs both.
//!
//! ```
//! use keeper_wire::{ServerKeys, Transmission, ec::PrivateKey, envelope::signed_text, server_keys};
//!
//! let device = PrivateKey::generate();
//! let server = ServerKeys::production().get(server_keys::DEVICE_DEFAULT).unwrap();
//!
//! let key = Transmission::new();
//! let (wrapped, body) = (key.wrap(&server), key.seal(br#"{"clientVersion":"mr17.3.0"}"#));
//! assert_eq!(wrapped.len(), 125);
//! let text = signed_text(&wrapped, &body);
//! assert!(device.public().verifies(&text, &device.sign(&text)));
//! ```
//!
//! | name here | in the vendor's sources | form |
//! | --- | --- | --- |
//! | [`Key::seal`](crypto::Key::seal) | v2, GCM | nonce (12), ciphertext, tag (16) |
//! | [`Key::seal_cbc`](crypto::Key::seal_cbc) | v1, CBC | initialisation vector (16), ciphertext with PKCS#7 padding |
//! | [`PublicKey::seal`](ec::PublicKey::seal) | EC, ECIES | ephemeral point (65), then GCM |
//! | [`rsa::seal`] | RSA | PKCS#1 v1.5, 256 bytes |
//! | [`hybrid`] | QRC | ML-KEM-1024 and ECDH |
//! | [`password`] | PBKDF2, encryption params | 100 bytes |
//!
//! Keys are wiped when dropped, and no `Debug` or error shows one. The feature `messages` adds the protobuf messages of the
//! administrator protocol.

pub mod crypto;
pub mod ec;
pub mod envelope;
mod error;
pub mod hybrid;
#[cfg(feature = "messages")]
pub mod messages;
pub mod password;
mod region;
pub mod rsa;
pub mod server_keys;
pub mod text;
mod token;
mod uid;
#[cfg(test)]
mod vectors;

pub use envelope::Transmission;
pub use error::{Error, Known};
pub use region::{Host, Region};
pub use server_keys::ServerKeys;
pub use token::{ClientId, OneTimeToken};
pub use uid::Uid;
