//! The shapes of answers, read with tolerance: every member may be missing or `null`, numbers may be text and the reverse,
//! unknown members are left out. What is of another kind altogether is an error that names the place.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeOwned, Deserializer, SeqAccess, Visitor};
use serde_json::Value;

use crate::Error;

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct GetSecret<'a> {
    #[serde(borrow)]
    pub(crate) app_data: Text<'a>,
    #[serde(borrow)]
    pub(crate) encrypted_app_key: Text<'a>,
    #[serde(borrow)]
    pub(crate) app_owner_public_key: Text<'a>,
    #[serde(borrow)]
    pub(crate) folders: List<Folder<'a>>,
    #[serde(borrow)]
    pub(crate) records: List<Record<'a>>,
    pub(crate) expires_on: Number,
    #[serde(borrow)]
    pub(crate) warnings: List<Text<'a>>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct Folder<'a> {
    #[serde(borrow)]
    pub(crate) folder_uid: Text<'a>,
    #[serde(borrow)]
    pub(crate) folder_key: Text<'a>,
    #[serde(borrow)]
    pub(crate) data: Text<'a>,
    #[serde(borrow)]
    pub(crate) parent: Text<'a>,
    pub(crate) is_editable: Flag,
    #[serde(borrow)]
    pub(crate) records: List<Record<'a>>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct Record<'a> {
    #[serde(borrow)]
    pub(crate) record_uid: Text<'a>,
    #[serde(borrow)]
    pub(crate) record_key: Text<'a>,
    #[serde(borrow)]
    pub(crate) data: Text<'a>,
    pub(crate) revision: Number,
    pub(crate) is_editable: Flag,
    #[serde(borrow)]
    pub(crate) folder_uid: Text<'a>,
    #[serde(borrow)]
    pub(crate) inner_folder_uid: Text<'a>,
    #[serde(borrow)]
    pub(crate) files: List<File<'a>>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct File<'a> {
    #[serde(borrow)]
    pub(crate) file_uid: Text<'a>,
    #[serde(borrow)]
    pub(crate) file_key: Text<'a>,
    #[serde(borrow)]
    pub(crate) data: Text<'a>,
    #[serde(borrow)]
    pub(crate) url: Text<'a>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct GetFolders<'a> {
    #[serde(borrow)]
    pub(crate) folders: List<Folder<'a>>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct AddFile<'a> {
    #[serde(borrow)]
    pub(crate) url: Text<'a>,
    #[serde(borrow)]
    pub(crate) parameters: Text<'a>,
    pub(crate) success_status_code: Number,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct Deleted<'a> {
    #[serde(borrow)]
    pub(crate) records: List<DeletedItem<'a>>,
    #[serde(borrow)]
    pub(crate) folders: List<DeletedItem<'a>>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct DeletedItem<'a> {
    #[serde(borrow)]
    pub(crate) record_uid: Text<'a>,
    #[serde(borrow)]
    pub(crate) folder_uid: Text<'a>,
    #[serde(borrow)]
    pub(crate) response_code: Text<'a>,
    #[serde(borrow)]
    pub(crate) error_message: Text<'a>,
}

/// What a file is called.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct FileData {
    pub(crate) name: OwnedText,
    pub(crate) title: OwnedText,
    pub(crate) size: Number,
    pub(crate) r#type: OwnedText,
    pub(crate) last_modified: Number,
}

/// Name of a folder or title of an application.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct Named {
    pub(crate) name: OwnedText,
    pub(crate) title: OwnedText,
    pub(crate) r#type: OwnedText,
}

/// Reads an answer; an empty one is as good as one without members.
pub(crate) fn read<'a, T: Deserialize<'a> + Default>(operation: &'static str, body: &'a [u8]) -> Result<T, Error> {
    if body.is_empty() {
        return Ok(T::default());
    }
    // A list would do for a struct as well, member by member.
    if !body.trim_ascii_start().starts_with(b"{") {
        return Err(Error::Reply { operation, place: "the whole".to_owned(), what: "not a JSON object" });
    }
    serde_json::from_slice(body).map_err(|_| {
        // Once more, slower, to learn the place. The library's own text may quote a value.
        let mut json = serde_json::Deserializer::from_slice(body);
        let place = serde_path_to_error::deserialize::<_, T>(&mut json).err().map(|error| error.path().to_string());
        let place = place.filter(|place| place != ".").unwrap_or_else(|| "the whole".to_owned());
        Error::Reply { operation, place, what: "not of the expected kind" }
    })
}

/// A small object that was sealed.
pub(crate) fn inner<T: DeserializeOwned>(plain: &[u8]) -> Option<T> {
    serde_json::from_slice(plain).ok()
}

/// Text, or what can stand for it. Empty is the same as missing.
#[derive(Default)]
pub(crate) struct Text<'a>(Cow<'a, str>);

impl Text<'_> {
    pub(crate) fn get(&self) -> Option<&str> {
        Some(self.0.as_ref()).filter(|text| !text.is_empty())
    }
}

/// The same, owned.
#[derive(Default)]
pub(crate) struct OwnedText(pub(crate) Option<String>);

impl<'de> Deserialize<'de> for OwnedText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Text::deserialize(deserializer).map(|text| Self(Some(text.0.into_owned()).filter(|text| !text.is_empty())))
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;

        impl<'de> Visitor<'de> for Reader {
            type Value = Text<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("text")
            }
            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Borrowed(text)))
            }
            fn visit_str<E>(self, text: &str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Owned(text.to_owned())))
            }
            fn visit_i64<E>(self, number: i64) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Owned(number.to_string())))
            }
            fn visit_u64<E>(self, number: u64) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Owned(number.to_string())))
            }
            fn visit_f64<E>(self, number: f64) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Owned(number.to_string())))
            }
            fn visit_bool<E>(self, value: bool) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Owned(value.to_string())))
            }
            fn visit_unit<E>(self) -> Result<Text<'de>, E> {
                Ok(Text::default())
            }
        }

        deserializer.deserialize_any(Reader)
    }
}

/// A whole number; text of digits will do, anything else is as good as missing.
#[derive(Clone, Copy, Default)]
pub(crate) struct Number(pub(crate) Option<i64>);

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Text::deserialize(deserializer)?;
        let text = text.0.trim();
        // `1.7e12` is how some write milliseconds.
        #[expect(clippy::cast_possible_truncation, reason = "checked against the range in which f64 is exact")]
        let float = || text.parse::<f64>().ok().filter(|number| number.abs() < 9e15).map(|number| number as i64);
        Ok(Self(text.parse().ok().or_else(float)))
    }
}

/// A yes or no; may be text.
#[derive(Clone, Copy, Default)]
pub(crate) struct Flag(pub(crate) Option<bool>);

impl<'de> Deserialize<'de> for Flag {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Text::deserialize(deserializer)?;
        Ok(Self(match text.0.as_ref() {
            "true" | "1" => Some(true),
            "false" | "0" => Some(false),
            _ => None,
        }))
    }
}

/// A list; `null` is an empty one.
pub(crate) struct List<T>(pub(crate) Vec<T>);

impl<T> Default for List<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for List<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader<T>(std::marker::PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for Reader<T> {
            type Value = Vec<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list")
            }
            fn visit_unit<E>(self) -> Result<Vec<T>, E> {
                Ok(Vec::new())
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Vec<T>, A::Error> {
                let mut all = Vec::new();
                while let Some(item) = items.next_element()? {
                    all.push(item);
                }
                Ok(all)
            }
        }

        deserializer.deserialize_any(Reader(std::marker::PhantomData)).map(List)
    }
}

/// The parameters of an upload: a JSON object inside a text. Values that are no text are rendered as text.
pub(crate) fn parameters(text: &str) -> Result<Vec<(String, String)>, Error> {
    let wrong = |what| Error::Reply { operation: "add_file", place: "parameters".to_owned(), what };
    let value: Value = serde_json::from_str(text).map_err(|_| wrong("not JSON"))?;
    let Value::Object(members) = value else { return Err(wrong("not an object")) };
    if members.len() > 100 {
        return Err(wrong("more than 100 of them"));
    }
    Ok(members
        .into_iter()
        .filter(|(_, value)| !value.is_null())
        .map(|(name, value)| (name, crate::json::text_of(&value).to_string()))
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missing_null_and_odd_members_are_borne() {
        for body in ["{}", r#"{"records":null,"folders":null,"warnings":null,"extra":7}"#, ""] {
            let reply: GetSecret<'_> = read("get_secret", body.as_bytes()).unwrap();
            assert!(reply.records.0.is_empty() && reply.app_data.get().is_none());
        }
        let body = br#"{"expiresOn":"1700000000000","records":[{"recordUid":12,"revision":"7","isEditable":"true","files":null}]}"#;
        let reply: GetSecret<'_> = read("get_secret", body).unwrap();
        let record = &reply.records.0[0];
        assert_eq!(record.record_uid.get(), Some("12"));
        assert_eq!(
            (record.revision.0, record.is_editable.0, reply.expires_on.0),
            (Some(7), Some(true), Some(1_700_000_000_000))
        );
    }

    #[test]
    fn what_is_of_another_kind_is_named_by_its_place() {
        for (body, expected) in [
            (r#"{"records":[{"files":"secret-marker"}]}"#, "records[0].files"),
            (r#"{"records":{}}"#, "records"),
            ("[]", "the whole"),
            ("<html>", "the whole"),
        ] {
            match read::<GetSecret<'_>>("get_secret", body.as_bytes()) {
                Err(Error::Reply { place, .. }) => assert_eq!(place, expected, "{body}"),
                other => panic!("{body}: {:?}", other.map(|_| ())),
            }
        }
    }

    #[test]
    fn parameters_are_texts() {
        let all = parameters(r#"{"key":"a","n":7,"b":true,"none":null}"#).unwrap();
        assert_eq!(all, [("key", "a"), ("n", "7"), ("b", "true")].map(|(a, b)| (a.to_owned(), b.to_owned())));
        assert!(parameters("[]").is_err() && parameters("x").is_err());
    }
}
