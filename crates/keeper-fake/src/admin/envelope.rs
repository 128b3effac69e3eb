//! The envelope of a request: which server key, which transmission key, what is inside.

use super::reply::Refusal;
use crate::saved;
use keeper_wire::ec::{PrivateKey, PublicKey};
use keeper_wire::hybrid::{HybridKey, MlKemPrivateKey};
use keeper_wire::messages::authentication::{ApiRequest, ApiRequestPayload, QrcMessageKey};
use keeper_wire::{Transmission, server_keys};
use prost::Message;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Id of the ML-KEM key of a fake; ids from 100 on are such keys.
pub const ML_KEM_ID: i32 = 136;

/// The private halves of the server's keys, and which of them the administrator side takes.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Keys {
    ec: BTreeMap<i32, Half>,
    #[serde(with = "ml_kem")]
    ml_kem: MlKemPrivateKey,
    active: i32,
}

/// A P-256 key in a map.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(transparent)]
struct Half(#[serde(with = "saved::as_text")] PrivateKey);

mod ml_kem {
    use super::{Deserialize, MlKemPrivateKey, Serialize};
    use serde::de::Error as _;
    use serde::{Deserializer, Serializer};

    #[derive(Serialize, Deserialize)]
    struct Both {
        #[serde(with = "crate::saved::as_text")]
        private: zeroize::Zeroizing<Vec<u8>>,
        #[serde(with = "crate::saved::as_text")]
        public: Vec<u8>,
    }

    pub(super) fn serialize<S: Serializer>(key: &MlKemPrivateKey, serializer: S) -> Result<S::Ok, S::Error> {
        Both { private: key.expose(), public: key.public() }.serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<MlKemPrivateKey, D::Error> {
        let both = Both::deserialize(deserializer)?;
        MlKemPrivateKey::from_bytes(&both.private, &both.public).map_err(D::Error::custom)
    }
}

/// An opened request.
pub(super) struct Opened {
    /// Whether it came in the hybrid envelope.
    pub(super) hybrid: bool,
    pub(super) key: Transmission,
    pub(super) payload: ApiRequestPayload,
}

impl Keys {
    /// Begins with id 7, as every client of the vendor does.
    pub(super) fn new(ec: &BTreeMap<i32, PrivateKey>) -> Self {
        let ec = ec.iter().map(|(id, key)| (*id, Half(key.clone()))).collect();
        Self { ec, ml_kem: MlKemPrivateKey::generate(), active: server_keys::ADMIN_DEFAULT }
    }

    pub(super) fn rotate(&mut self, id: i32) {
        self.active = id;
    }

    pub(super) fn ml_kem_public(&self) -> Vec<u8> {
        self.ml_kem.public()
    }

    /// Opens a body of `POST /api/rest/…`.
    ///
    /// Refused: a key that is not the active one (401 `key`, with the id to use), and what cannot be opened (400).
    pub(super) fn open(&self, body: &[u8]) -> Result<Opened, Refusal> {
        let request = ApiRequest::decode(body).map_err(|_| Refusal::malformed("ApiRequest"))?;
        let key = match &request.qrc_message_key {
            None => self.open_ec(request.public_key_id, &request.encrypted_transmission_key)?,
            Some(wrapped) => self.open_hybrid(request.public_key_id, wrapped)?,
        };
        let payload = key.open(&request.encrypted_payload).map_err(|_| Refusal::malformed("encryptedPayload"))?;
        let payload =
            ApiRequestPayload::decode(payload.as_slice()).map_err(|_| Refusal::malformed("ApiRequestPayload"))?;
        Ok(Opened { hybrid: request.qrc_message_key.is_some(), key, payload })
    }

    fn open_ec(&self, id: i32, wrapped: &[u8]) -> Result<Transmission, Refusal> {
        let Half(key) = self.ec.get(&id).filter(|_| id == self.active).ok_or_else(|| self.other_key())?;
        Transmission::unwrap(key, wrapped).map_err(|_| Refusal::malformed("encryptedTransmissionKey"))
    }

    fn open_hybrid(&self, id: i32, wrapped: &QrcMessageKey) -> Result<Transmission, Refusal> {
        if id != ML_KEM_ID {
            return Err(self.other_key());
        }
        let ec = self.ec.get(&wrapped.ec_key_id).filter(|_| wrapped.ec_key_id == self.active);
        let Half(ec) = ec.ok_or_else(|| self.other_key().with("qrc_ec_key_id", self.active))?;
        let point = PublicKey::from_slice(&wrapped.client_ec_public_key)
            .map_err(|_| Refusal::malformed("clientEcPublicKey"))?;
        let sealed = HybridKey {
            client_ec_public_key: point,
            encapsulated: wrapped.ml_kem_encapsulated_key.clone(),
            data: wrapped.data.clone(),
        };
        self.ml_kem.unwrap(ec, &sealed).map_err(|_| Refusal::malformed("qrcMessageKey"))
    }

    fn other_key(&self) -> Refusal {
        Refusal::new(401, "key", "another server key is in use").with("key_id", self.active)
    }
}
