//! How keys, bytes and the vendor's numbers stand in a state file: as text, and as the vendor's number.

use bytes::Bytes;
use keeper_wire::crypto::Key;
use keeper_wire::ec::{PrivateKey, PublicKey};
use keeper_wire::{ClientId, Uid, text};
use secrecy::{ExposeSecret, SecretString};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use zeroize::Zeroizing;

/// Something that has one text.
pub(crate) trait Text: Sized {
    fn write(&self) -> String;
    fn read(text: &str) -> Option<Self>;
}

impl Text for Vec<u8> {
    fn write(&self) -> String {
        text::url(self)
    }

    fn read(text: &str) -> Option<Self> {
        text::decode(text).ok().map(|bytes| bytes.to_vec())
    }
}

impl Text for Zeroizing<Vec<u8>> {
    fn write(&self) -> String {
        text::url(self)
    }

    fn read(text: &str) -> Option<Self> {
        Vec::read(text).map(Self::new)
    }
}

impl Text for Key {
    fn write(&self) -> String {
        text::url(self.expose())
    }

    fn read(text: &str) -> Option<Self> {
        Self::from_slice(&text::decode(text).ok()?).ok()
    }
}

impl Text for PrivateKey {
    fn write(&self) -> String {
        text::url(self.expose_scalar())
    }

    fn read(text: &str) -> Option<Self> {
        Self::from_scalar(&text::decode(text).ok()?).ok()
    }
}

impl Text for PublicKey {
    fn write(&self) -> String {
        text::url(self.as_bytes())
    }

    fn read(text: &str) -> Option<Self> {
        Self::from_base64(text).ok()
    }
}

impl Text for SecretString {
    fn write(&self) -> String {
        self.expose_secret().to_owned()
    }

    fn read(text: &str) -> Option<Self> {
        Some(text.into())
    }
}

impl Text for Bytes {
    fn write(&self) -> String {
        text::url(self)
    }

    fn read(text: &str) -> Option<Self> {
        Vec::read(text).map(Self::from)
    }
}

impl Text for ClientId {
    fn write(&self) -> String {
        self.to_string()
    }

    fn read(text: &str) -> Option<Self> {
        text.parse().ok()
    }
}

impl Text for Uid {
    fn write(&self) -> String {
        self.to_string()
    }

    fn read(text: &str) -> Option<Self> {
        text.parse().ok()
    }
}

fn from_text<'de, T: Text, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
    let text = Zeroizing::new(String::deserialize(deserializer)?);
    T::read(&text).ok_or_else(|| D::Error::custom("the text of a key or of bytes is damaged"))
}

/// One value: `#[serde(with = "saved::as_text")]`.
pub(crate) mod as_text {
    use super::{Deserializer, Serializer, Text, Zeroizing};

    pub(crate) fn serialize<T: Text, S: Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&Zeroizing::new(value.write()))
    }

    pub(crate) fn deserialize<'de, T: Text, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
        super::from_text(deserializer)
    }
}

/// One value as text inside another container.
struct AsText<T>(T);

impl<T: Text> Serialize for AsText<&T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        as_text::serialize(self.0, serializer)
    }
}

impl<'de, T: Text> Deserialize<'de> for AsText<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        from_text(deserializer).map(Self)
    }
}

/// An optional value.
pub(crate) mod optional_text {
    use super::{AsText, Deserialize, Deserializer, Serialize, Serializer, Text};

    pub(crate) fn serialize<T: Text, S: Serializer>(value: &Option<T>, serializer: S) -> Result<S::Ok, S::Error> {
        value.as_ref().map(AsText).serialize(serializer)
    }

    pub(crate) fn deserialize<'de, T: Text, D: Deserializer<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
        Option::<AsText<T>>::deserialize(deserializer).map(|value| value.map(|value| value.0))
    }
}

/// A set whose members have texts.
pub(crate) mod set {
    use super::{AsText, Deserialize, Deserializer, Serializer, Text};
    use std::collections::BTreeSet;

    pub(crate) fn serialize<T: Text, S: Serializer>(set: &BTreeSet<T>, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(set.iter().map(AsText))
    }

    pub(crate) fn deserialize<'de, T: Text + Ord, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<BTreeSet<T>, D::Error> {
        let all = Vec::<AsText<T>>::deserialize(deserializer)?;
        Ok(all.into_iter().map(|value| value.0).collect())
    }
}

/// A map whose keys have texts.
pub(crate) mod map {
    use super::{AsText, Deserialize, Deserializer, Serialize, Serializer, Text};
    use std::collections::BTreeMap;

    pub(crate) fn serialize<K: Text, V: Serialize, S: Serializer>(
        map: &BTreeMap<K, V>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(map.iter().map(|(key, value)| (AsText(key), value)))
    }

    pub(crate) fn deserialize<'de, K: Text + Ord, V: Deserialize<'de>, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<BTreeMap<K, V>, D::Error> {
        let all = Vec::<(AsText<K>, V)>::deserialize(deserializer)?;
        Ok(all.into_iter().map(|(key, value)| (key.0, value)).collect())
    }
}

/// A map whose keys are no text, as a list of pairs.
pub(crate) mod pairs {
    use super::{Deserialize, Deserializer, Serialize, Serializer};
    use std::collections::BTreeMap;

    pub(crate) fn serialize<K: Serialize, V: Serialize, S: Serializer>(
        map: &BTreeMap<K, V>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(map)
    }

    pub(crate) fn deserialize<'de, K: Deserialize<'de> + Ord, V: Deserialize<'de>, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<BTreeMap<K, V>, D::Error> {
        Vec::<(K, V)>::deserialize(deserializer).map(|pairs| pairs.into_iter().collect())
    }
}

/// A map whose values have texts.
pub(crate) mod values {
    use super::{AsText, Deserialize, Deserializer, Serialize, Serializer, Text};
    use std::collections::BTreeMap;

    pub(crate) fn serialize<K: Serialize, V: Text, S: Serializer>(
        map: &BTreeMap<K, V>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(map.iter().map(|(key, value)| (key, AsText(value))))
    }

    pub(crate) fn deserialize<'de, K: Deserialize<'de> + Ord, V: Text, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<BTreeMap<K, V>, D::Error> {
        let all = Vec::<(K, AsText<V>)>::deserialize(deserializer)?;
        Ok(all.into_iter().map(|(key, value)| (key, value.0)).collect())
    }
}

/// One of the vendor's numbers.
pub(crate) mod number {
    use super::{Deserialize, Deserializer, Serializer};
    use serde::de::Error as _;

    pub(crate) fn serialize<T: Copy + Into<i32>, S: Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_i32((*value).into())
    }

    pub(crate) fn deserialize<'de, T: TryFrom<i32>, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
        let number = i32::deserialize(deserializer)?;
        T::try_from(number).map_err(|_| D::Error::custom(format!("{number} is in no table")))
    }
}

/// Several of them.
pub(crate) mod numbers {
    use super::{Deserialize, Deserializer, Serializer};
    use serde::de::Error as _;

    pub(crate) fn serialize<T: Copy + Into<i32>, S: Serializer>(
        values: &[T],
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(values.iter().map(|value| (*value).into()))
    }

    pub(crate) fn deserialize<'de, T: TryFrom<i32>, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<T>, D::Error> {
        let read = |number| T::try_from(number).map_err(|_| D::Error::custom(format!("{number} is in no table")));
        Vec::<i32>::deserialize(deserializer)?.into_iter().map(read).collect()
    }
}

/// One of them, or none.
pub(crate) mod optional_number {
    use super::{Deserialize, Deserializer, Serialize, Serializer};
    use serde::de::Error as _;

    pub(crate) fn serialize<T: Copy + Into<i32>, S: Serializer>(
        value: &Option<T>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        value.map(Into::into).serialize(serializer)
    }

    pub(crate) fn deserialize<'de, T: TryFrom<i32>, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<T>, D::Error> {
        let read = |number| T::try_from(number).map_err(|_| D::Error::custom(format!("{number} is in no table")));
        Option::<i32>::deserialize(deserializer)?.map(read).transpose()
    }
}

/// Messages of the protocol, serialized and then as text.
pub(crate) mod messages {
    use super::{AsText, Deserialize, Deserializer, Serializer};
    use prost::Message;
    use serde::de::Error as _;

    pub(crate) fn serialize<M: Message, S: Serializer>(messages: &[M], serializer: S) -> Result<S::Ok, S::Error> {
        let all: Vec<Vec<u8>> = messages.iter().map(Message::encode_to_vec).collect();
        serializer.collect_seq(all.iter().map(AsText))
    }

    pub(crate) fn deserialize<'de, M: Message + Default, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Vec<M>, D::Error> {
        let all = Vec::<AsText<Vec<u8>>>::deserialize(deserializer)?;
        let read = |bytes: AsText<Vec<u8>>| M::decode(bytes.0.as_slice()).map_err(D::Error::custom);
        all.into_iter().map(read).collect()
    }
}
