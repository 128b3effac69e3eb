//! How a request's transmission key gets to the server: two ways behind one trait (spec 1.1 and 1.4).

use keeper_wire::Transmission;
use keeper_wire::ec::PublicKey;
use keeper_wire::hybrid::HybridPublicKey;
use keeper_wire::messages::authentication::{ApiRequest, QrcMessageKey};

use crate::Error;

/// Wraps a transmission key into the fields of a request.
pub(crate) trait Envelope {
    fn wrap(&self, transmission: &Transmission, request: &mut ApiRequest) -> Result<(), Error>;
}

/// P-256 ECIES: what every host takes.
pub(crate) struct Plain {
    pub(crate) id: i32,
    pub(crate) key: PublicKey,
}

impl Envelope for Plain {
    fn wrap(&self, transmission: &Transmission, request: &mut ApiRequest) -> Result<(), Error> {
        request.public_key_id = self.id;
        request.encrypted_transmission_key = transmission.wrap(&self.key);
        Ok(())
    }
}

/// P-256 and ML-KEM-1024 together. Unlike the vendor's client we make a new pair of ours for every request.
pub(crate) struct Hybrid {
    pub(crate) ml_kem_id: i32,
    pub(crate) ec_id: i32,
    pub(crate) keys: HybridPublicKey,
}

impl Envelope for Hybrid {
    fn wrap(&self, transmission: &Transmission, request: &mut ApiRequest) -> Result<(), Error> {
        let unusable =
            |_| Error::Setup { what: "the hybrid key is no ML-KEM-1024 public key (1568 bytes)", source: None };
        let wrapped = self.keys.wrap(transmission).map_err(unusable)?;
        request.public_key_id = self.ml_kem_id;
        request.qrc_message_key = Some(QrcMessageKey {
            client_ec_public_key: wrapped.client_ec_public_key.as_bytes().to_vec(),
            ml_kem_encapsulated_key: wrapped.encapsulated,
            data: wrapped.data,
            msg_version: 1,
            ec_key_id: self.ec_id,
        });
        Ok(())
    }
}
