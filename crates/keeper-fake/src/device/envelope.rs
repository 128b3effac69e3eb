//! What is around an operation: the server key, the transmission key, the signature, and the members all have in common.

use super::{Cx, Refusal};
use crate::machine::Request;
use keeper_wire::ec::PublicKey;
use keeper_wire::envelope::signed_text;
use keeper_wire::{ClientId, Transmission, Uid, text};
use serde_json::{Map, Value};

/// An opened request, whose signature is not judged yet.
pub(super) struct Opened {
    pub(super) key: Transmission,
    pub(super) payload: Map<String, Value>,
    signed: Vec<u8>,
    signature: Vec<u8>,
}

/// More of a header is nothing that belongs there.
const MOST_HEADER: usize = 4096;

pub(super) fn open(cx: &Cx<'_>, request: &Request) -> Result<Opened, Refusal> {
    let header = |name: &'static str| {
        request.header(name).filter(|value| value.len() <= MOST_HEADER).ok_or_else(|| Refusal::field(name))
    };
    let active = cx.devices.active_key;
    let id: i32 = header("publickeyid")?.trim().parse().map_err(|_| Refusal::field("publickeyid"))?;
    let server = cx.keys.get(&id).filter(|_| id == active).ok_or_else(|| Refusal::other_key(active))?;
    let bytes = |text: &str, name| text::decode(text).map_err(|_| Refusal::field(name));
    let wrapped = bytes(header("transmissionkey")?, "transmissionkey")?;
    let key = Transmission::unwrap(server, &wrapped).map_err(|_| Refusal::field("transmissionkey"))?;
    let authorization = header("authorization")?;
    let signature = authorization.strip_prefix("Signature ").ok_or_else(|| Refusal::field("authorization"))?;
    let signature = bytes(signature, "authorization")?.to_vec();
    let plain = key.open(&request.body).map_err(|_| Refusal::field("the sealed body"))?;
    let payload = serde_json::from_slice(&plain).map_err(|_| Refusal::bad("the body is no JSON object"))?;
    let opened = Opened { key, payload, signed: signed_text(&wrapped, &request.body), signature };
    match opened.payload.get("clientVersion").and_then(Value::as_str) {
        Some(version) if registered(version) => Ok(opened),
        _ => Err(Refusal::version()),
    }
}

/// Two letters for the kind of client, then a version, as the vendor's are: `mp17.3.0`.
fn registered(version: &str) -> bool {
    let Some((letters, numbers)) = version.split_at_checked(2) else { return false };
    let mut parts = numbers.split('.').map(|part| part.parse::<u16>().ok());
    let kind = matches!(letters.as_bytes(), [b'm', kind] if kind.is_ascii_lowercase());
    kind && parts.next().flatten().is_some_and(|major| major >= 16)
        && numbers.contains('.')
        && parts.all(|part| part.is_some())
}

impl Opened {
    pub(super) fn client(&self) -> Result<ClientId, Refusal> {
        let text = self.payload.get("clientId").and_then(Value::as_str).unwrap_or_default();
        text.parse().map_err(|_| Refusal::field("clientId"))
    }

    /// The key of a device that wants to be bound.
    pub(super) fn public_key(&self) -> Result<Option<PublicKey>, Refusal> {
        let wrong = || Refusal::field("publicKey");
        match self.payload.get("publicKey") {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => PublicKey::from_base64(text).map(Some).map_err(|_| wrong()),
            Some(_) => Err(wrong()),
        }
    }

    pub(super) fn signed_by(&self, key: &PublicKey) -> bool {
        key.verifies(&self.signed, &self.signature)
    }
}

/// Members of a payload.
pub(super) trait Payload {
    /// A UID that must be there.
    fn uid(&self, name: &'static str) -> Result<Uid, Refusal>;
    /// A UID that may be missing, `null` or empty.
    fn optional_uid(&self, name: &'static str) -> Result<Option<Uid>, Refusal>;
    /// UIDs, none when missing or `null`.
    fn uids(&self, name: &'static str) -> Result<Option<Vec<Uid>>, Refusal>;
    /// Bytes in base64 of which there must be at least so many.
    fn bytes(&self, name: &'static str, least: usize) -> Result<Vec<u8>, Refusal>;
    /// Bytes in base64 of which there must be so many.
    fn exactly(&self, name: &'static str, length: usize) -> Result<Vec<u8>, Refusal>;
    /// A whole number.
    fn number(&self, name: &'static str) -> Option<i64>;
}

/// UIDs in one list.
const MOST_UIDS: usize = 1000;

impl Payload for Map<String, Value> {
    fn uid(&self, name: &'static str) -> Result<Uid, Refusal> {
        self.optional_uid(name)?.ok_or_else(|| Refusal::field(name))
    }

    fn optional_uid(&self, name: &'static str) -> Result<Option<Uid>, Refusal> {
        match self.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) if text.is_empty() => Ok(None),
            Some(Value::String(text)) => text.parse().map(Some).map_err(|_| Refusal::field(name)),
            Some(_) => Err(Refusal::field(name)),
        }
    }

    fn uids(&self, name: &'static str) -> Result<Option<Vec<Uid>>, Refusal> {
        let uid = |value: &Value| value.as_str().and_then(|text| text.parse().ok()).ok_or_else(|| Refusal::field(name));
        match self.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::Array(all)) if all.len() <= MOST_UIDS => {
                all.iter().map(uid).collect::<Result<_, _>>().map(Some)
            }
            Some(_) => Err(Refusal::field(name)),
        }
    }

    fn bytes(&self, name: &'static str, least: usize) -> Result<Vec<u8>, Refusal> {
        let text = self.get(name).and_then(Value::as_str).ok_or_else(|| Refusal::field(name))?;
        let bytes = text::decode(text).map_err(|_| Refusal::field(name))?;
        if bytes.len() < least { Err(Refusal::field(name)) } else { Ok(bytes.to_vec()) }
    }

    fn exactly(&self, name: &'static str, length: usize) -> Result<Vec<u8>, Refusal> {
        self.bytes(name, length)
            .and_then(|bytes| if bytes.len() == length { Ok(bytes) } else { Err(Refusal::field(name)) })
    }

    fn number(&self, name: &'static str) -> Option<i64> {
        self.get(name).and_then(Value::as_i64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_those_of_the_vendors_clients() {
        for known in ["mp17.3.0", "mr17.3.0", "ms17.5.0", "mb16.0"] {
            assert!(registered(known), "{known}");
        }
        for unknown in
            ["", "m", "17.3.0", "mr", "mr17", "mr1.0.0", "xr17.3.0", "mR17.3.0", "mr17.x", "mr17..0", "mé17.3"]
        {
            assert!(!registered(unknown), "{unknown}");
        }
    }
}
