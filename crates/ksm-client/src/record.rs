//! Records and what is in them.

use std::fmt;

use keeper_wire::Uid;
use keeper_wire::crypto::Key;
use secrecy::SecretString;
use serde_json::{Map, Value, json};
use zeroize::Zeroizing;

use crate::json::{self, Secret};
use crate::{DecryptError, Error};

/// A record as the device sees it.
#[derive(Clone)]
pub struct Record {
    /// Its UID.
    pub uid: Uid,
    /// Counts its changes; a write names the one it has read.
    pub revision: i64,
    /// The shared folder it came in; none when the record itself is shared.
    pub folder: Option<Uid>,
    /// The folder below the shared one in which it lies.
    pub inner_folder: Option<Uid>,
    /// Whether the application may change it.
    pub editable: bool,
    /// What is in it.
    pub content: Content,
    /// Its attachments.
    pub files: Vec<File>,
    /// Attachments that could not be opened.
    pub failed_files: Vec<Failed>,
    pub(crate) key: Key,
}

impl Record {
    /// The attachment with this name, title or UID.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Ambiguous`], since names are not unique; [`Error::Decrypt`] when none fits and one
    /// could not be opened, because that may be the one.
    pub fn file(&self, name: &str) -> Result<&File, Error> {
        let found: Vec<&File> = self.files.iter().filter(|file| file.is_called(name)).collect();
        let what = || format!("file {name:?} in record {}", self.uid);
        match (&found[..], self.failed_files.first()) {
            ([one], _) => Ok(one),
            ([], Some(failed)) => Err(failed.error.clone().into()),
            ([], None) => Err(Error::NotFound { what: what() }),
            (several, _) => Err(Error::Ambiguous { what: what(), count: several.len() }),
        }
    }

    /// All attachments with this name or title.
    pub fn files_called<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a File> {
        self.files.iter().filter(move |file| file.name == name || file.title == name)
    }
}

impl fmt::Debug for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Record")
            .field("uid", &self.uid)
            .field("revision", &self.revision)
            .field("folder", &self.folder)
            .field("files", &self.files)
            .field("failed_files", &self.failed_files)
            .finish_non_exhaustive()
    }
}

/// An attachment: its description, not its bytes.
#[derive(Clone)]
pub struct File {
    /// Its UID, the one name that is unique.
    pub uid: Uid,
    /// The file's name.
    pub name: String,
    /// Its title, mostly the same.
    pub title: String,
    /// Bytes of the content, as whoever uploaded it says.
    pub size: Option<u64>,
    /// MIME type.
    pub media_type: Option<String>,
    /// When it was changed, milliseconds since 1970.
    pub last_modified: Option<i64>,
    pub(crate) key: Key,
    pub(crate) url: Option<SecretString>,
}

impl File {
    /// Whether the file store has given it an address. Shortly after an upload it may have none.
    #[must_use]
    pub fn is_stored(&self) -> bool {
        self.url.is_some()
    }

    fn is_called(&self, name: &str) -> bool {
        self.name == name
            || self.title == name
            || name.parse::<Uid>().is_ok_and(|uid| uid == self.uid && name.len() == 22)
    }
}

impl fmt::Debug for File {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("File")
            .field("uid", &self.uid)
            .field("name", &self.name)
            .field("size", &self.size)
            .field("stored", &self.is_stored())
            .finish_non_exhaustive()
    }
}

/// Something in an answer that could not be opened. The rest of the answer is not concerned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failed {
    /// Its UID as it was sent, at most 64 characters; empty when there was none.
    pub uid: String,
    /// Which rung of the ladder of keys failed, and how.
    pub error: DecryptError,
}

/// Where a field stands in a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// Among the fields of the record's type.
    Standard,
    /// Among the fields its owner added.
    Custom,
}

impl Place {
    fn member(self) -> &'static str {
        match self {
            Self::Standard => "fields",
            Self::Custom => "custom",
        }
    }
}

/// The content of a record: a JSON object, kept whole and in its order. The known members have names here, the rest is
/// reached through [`Content::expose`], and all of it is written back.
///
/// ```
/// use ksm_client::{Content, Place};
/// use serde_json::json;
///
/// let mut content = Content::new("login", "Automator");
/// content.set_field(Place::Standard, "login", None, vec![json!("admin")]);
/// content.set_field(Place::Custom, "text", Some("Region"), vec![json!("EU")]);
/// assert_eq!(content.field(Place::Custom, "Region").unwrap().values()[0], "EU");
/// assert!(!format!("{content:?}").contains("admin"));
/// ```
#[derive(Clone, PartialEq)]
pub struct Content(Secret);

impl Content {
    /// A record's content with nothing but type and title. Types are the vendor's: `login`, `file`, `encryptedNotes`, …
    #[must_use]
    pub fn new(kind: &str, title: &str) -> Self {
        Self(Secret::new(json!({ "type": kind, "title": title, "notes": "", "fields": [], "custom": [] })))
    }

    /// Takes a whole object over.
    ///
    /// # Errors
    /// [`Error::Argument`] when it is no object.
    pub fn from_json(value: Value) -> Result<Self, Error> {
        if value.is_object() {
            Ok(Self(Secret::new(value)))
        } else {
            Err(Error::Argument("a record's content is a JSON object"))
        }
    }

    pub(crate) fn from_plain(plain: &[u8]) -> Option<Self> {
        serde_json::from_slice(plain).ok().filter(Value::is_object).map(|value| Self(Secret::new(value)))
    }

    /// The whole object.
    #[must_use]
    pub fn expose(&self) -> &Map<String, Value> {
        self.0.expose().as_object().expect("made from an object")
    }

    /// The whole object, to be changed.
    pub fn expose_mut(&mut self) -> &mut Map<String, Value> {
        self.0.expose_mut().as_object_mut().expect("made from an object")
    }

    /// The record's type; empty when it has none.
    #[must_use]
    pub fn kind(&self) -> &str {
        self.text("type")
    }

    /// The title; empty when it has none.
    #[must_use]
    pub fn title(&self) -> &str {
        self.text("title")
    }

    /// The notes; empty when there are none.
    #[must_use]
    pub fn notes(&self) -> &str {
        self.text("notes")
    }

    /// Sets the title.
    pub fn set_title(&mut self, title: &str) {
        self.expose_mut().insert("title".to_owned(), title.into());
    }

    /// Sets the notes.
    pub fn set_notes(&mut self, notes: &str) {
        self.expose_mut().insert("notes".to_owned(), notes.into());
    }

    /// The fields of one place, in their order.
    pub fn fields(&self, place: Place) -> impl Iterator<Item = Field<'_>> {
        let list = self.expose().get(place.member()).and_then(Value::as_array);
        list.into_iter().flatten().filter_map(Value::as_object).map(Field)
    }

    /// The first field with this label, else with this type.
    #[must_use]
    pub fn field(&self, place: Place, name: &str) -> Option<Field<'_>> {
        self.fields(place)
            .find(|field| field.label() == Some(name))
            .or_else(|| self.fields(place).find(|field| field.kind() == name))
    }

    /// Sets the values of the field with this type and label, which is added when missing. Its other members stay.
    pub fn set_field(&mut self, place: Place, kind: &str, label: Option<&str>, values: Vec<Value>) {
        let list = self.list_mut(place.member());
        let fits = |field: &Map<String, Value>| Field(field).kind() == kind && Field(field).label() == label;
        match list.iter_mut().filter_map(Value::as_object_mut).find(|field| fits(field)) {
            Some(field) => {
                field.insert("value".to_owned(), Value::Array(values));
            }
            None => {
                let mut field = Map::new();
                field.insert("type".to_owned(), kind.into());
                if let Some(label) = label {
                    field.insert("label".to_owned(), label.into());
                }
                field.insert("value".to_owned(), Value::Array(values));
                list.push(Value::Object(field));
            }
        }
    }

    /// The list of this name; made when it is missing or no list.
    fn list_mut(&mut self, name: &str) -> &mut Vec<Value> {
        let list = self.expose_mut().entry(name).or_insert_with(|| Value::Array(Vec::new()));
        if !list.is_array() {
            *list = Value::Array(Vec::new());
        }
        list.as_array_mut().expect("just made one")
    }

    /// Names a new attachment in the first `fileRef` field, which is made when missing.
    pub(crate) fn add_file_ref(&mut self, uid: Uid) {
        let fields = self.list_mut("fields");
        let uid = Value::String(uid.to_string());
        let is_ref = |field: &&mut Map<String, Value>| field.get("type").is_some_and(|kind| kind == "fileRef");
        match fields.iter_mut().filter_map(Value::as_object_mut).find(is_ref) {
            Some(field) => match field.get_mut("value") {
                Some(Value::Array(values)) if values.contains(&uid) => {}
                Some(Value::Array(values)) => values.push(uid),
                _ => {
                    field.insert("value".to_owned(), Value::Array(vec![uid]));
                }
            },
            None => fields.push(json!({ "type": "fileRef", "value": [uid] })),
        }
    }

    /// Takes attachments out of every `fileRef` field, and a field that is empty then goes too, as in the vendor's
    /// JavaScript and Rust SDKs.
    pub(crate) fn remove_file_refs(&mut self, uids: &[Uid]) {
        let gone: Vec<String> = uids.iter().map(Uid::to_string).collect();
        let is_gone = |value: &Value| value.as_str().is_some_and(|text| gone.iter().any(|uid| uid == text));
        for place in ["fields", "custom"] {
            let Some(Value::Array(list)) = self.expose_mut().get_mut(place) else { continue };
            list.retain_mut(|field| {
                let Some(field) =
                    field.as_object_mut().filter(|field| field.get("type").is_some_and(|kind| kind == "fileRef"))
                else {
                    return true;
                };
                let Some(Value::Array(values)) = field.get_mut("value") else { return true };
                let before = values.len();
                values.retain(|value| !is_gone(value));
                before == values.len() || !values.is_empty()
            });
        }
    }

    pub(crate) fn bytes(&self) -> Zeroizing<Vec<u8>> {
        json::bytes_of(self.expose())
    }

    fn text(&self, name: &str) -> &str {
        self.expose().get(name).and_then(Value::as_str).unwrap_or_default()
    }
}

impl fmt::Debug for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Content(…)")
    }
}

/// One field of a record.
#[derive(Clone, Copy)]
pub struct Field<'a>(&'a Map<String, Value>);

impl<'a> Field<'a> {
    /// Its type: `login`, `password`, `text`, `fileRef`, …; empty when it has none.
    #[must_use]
    pub fn kind(&self) -> &'a str {
        self.0.get("type").and_then(Value::as_str).unwrap_or_default()
    }

    /// Its label, when it has one that is not empty.
    #[must_use]
    pub fn label(&self) -> Option<&'a str> {
        self.0.get("label").and_then(Value::as_str).filter(|label| !label.is_empty())
    }

    /// Its values, which are secrets. A value that is no list counts as a list of one.
    #[must_use]
    pub fn values(&self) -> &'a [Value] {
        match self.0.get("value") {
            Some(Value::Array(values)) => values,
            Some(Value::Null) | None => &[],
            Some(one) => std::slice::from_ref(one),
        }
    }

    /// All its members.
    #[must_use]
    pub fn expose(&self) -> &'a Map<String, Value> {
        self.0
    }
}

impl fmt::Debug for Field<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Field").field("kind", &self.kind()).field("label", &self.label()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn content(value: Value) -> Content {
        Content::from_json(value).unwrap()
    }

    #[test]
    fn unknown_members_and_their_order_stay() {
        let text =
            r#"{"zeta":1,"title":"t","fields":[{"type":"login","required":true,"value":["a"]}],"alpha":{"b":[]}}"#;
        let mut changed = Content::from_plain(text.as_bytes()).unwrap();
        changed.set_field(Place::Standard, "login", None, vec![json!("b")]);
        assert_eq!(std::str::from_utf8(&changed.bytes()).unwrap(), text.replace(r#"["a"]"#, r#"["b"]"#));
    }

    #[test]
    fn attachments_are_named_in_one_field_and_taken_out_again() {
        let (one, two) = (Uid::random(), Uid::random());
        let mut record = content(json!({ "title": "t" }));
        record.add_file_ref(one);
        record.add_file_ref(two);
        record.add_file_ref(two);
        assert_eq!(record.field(Place::Standard, "fileRef").unwrap().values(), [json!(one), json!(two)]);
        record.remove_file_refs(&[one]);
        assert_eq!(record.field(Place::Standard, "fileRef").unwrap().values(), [json!(two)]);
        record.remove_file_refs(&[two]);
        assert!(record.field(Place::Standard, "fileRef").is_none());
        // One that was empty before is somebody's template and stays.
        let mut template = content(json!({ "fields": [{ "type": "fileRef", "value": [] }] }));
        template.remove_file_refs(&[one]);
        assert!(template.field(Place::Standard, "fileRef").is_some());
    }

    #[test]
    fn odd_shapes_are_borne() {
        let mut odd = content(json!({ "title": 7, "fields": "x", "custom": [1, null, { "type": [], "value": "v" }] }));
        assert_eq!((odd.title(), odd.fields(Place::Standard).count(), odd.fields(Place::Custom).count()), ("", 0, 1));
        assert_eq!(odd.fields(Place::Custom).next().unwrap().values(), [json!("v")]);
        odd.add_file_ref(Uid::random());
        odd.set_title("now");
        assert_eq!((odd.title(), odd.fields(Place::Standard).count()), ("now", 1));
    }
}
