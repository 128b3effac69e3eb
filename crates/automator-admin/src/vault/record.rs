//! The record in our shared folder (spec 5.1 steps 3 and 5, 7.3 and 7.4).

use std::fmt;

use keeper_wire::Uid;
use keeper_wire::crypto::Key;
use keeper_wire::messages::records as m;
use keeper_wire::messages::records::{RecordFolderType, RecordKeyType, RecordModifyResult};
use serde::Serialize;
use serde_json::{Map, Value, json};
use zeroize::Zeroizing;

use crate::document::Document;
use crate::vault::folder::{Folder, look, not_done};
use crate::vault::marker::{Marked, find as find_marked, ours};
use crate::vault::remove::{Target, remove as remove_target};
use crate::vault::{Marker, Vault, VaultError, attachment};
use crate::{Error, Event, Session, wait};

const KIND: &str = "record";

/// A record of version 3, with its fields sealed away.
#[derive(Clone, Serialize)]
pub struct Record {
    /// Its UID.
    pub uid: Uid,
    /// Its title.
    pub title: String,
    /// Its revision.
    pub revision: i64,
    /// Whose it is, where it carries a marker.
    pub marker: Option<Marker>,
    /// Where it is; more than one place when somebody made a shortcut.
    pub places: Vec<Place>,
    /// Its attachments: first those its field `fileRef` names, then those only a link names. The two lists should agree.
    pub files: Vec<Uid>,
    #[serde(skip)]
    pub(crate) linked: Vec<Uid>,
    #[serde(skip)]
    pub(crate) key: Key,
    #[serde(skip)]
    pub(crate) document: Document,
}

/// Where a record is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Place {
    /// In a shared folder, or in a folder inside of it; the two are the same directly in the shared folder.
    Shared {
        /// The shared folder.
        root: Uid,
        /// The folder itself.
        folder: Uid,
    },
    /// In a folder of the user; `None` is the root of the vault.
    Own(Option<Uid>),
}

impl fmt::Debug for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Record").field("uid", &self.uid).field("title", &self.title).finish_non_exhaustive()
    }
}

impl Record {
    pub(crate) fn new(
        uid: Uid,
        revision: i64,
        key: Key,
        document: Document,
        places: Vec<Place>,
        linked: Vec<Uid>,
    ) -> Self {
        let mut files = references(&document.0);
        files.extend(linked.iter().filter(|file| !files.contains(file)).copied().collect::<Vec<_>>());
        Self {
            uid,
            title: document.text("title").to_owned(),
            revision,
            marker: Marker::read_field(&document),
            places,
            files,
            linked,
            key,
            document,
        }
    }

    /// Whether it is in a shared folder, or in a folder inside of it: whoever may read the shared folder may read it.
    #[must_use]
    pub fn is_within(&self, shared: Uid) -> bool {
        self.places.iter().any(|place| matches!(place, Place::Shared { root, .. } if *root == shared))
    }

    fn is_in(&self, folder: Uid) -> bool {
        self.places.contains(&Place::Shared { root: folder, folder })
    }
}

impl Marked for Record {
    const KIND: &'static str = KIND;
    fn uid(&self) -> Uid {
        self.uid
    }
    fn title(&self) -> &str {
        &self.title
    }
    fn marker(&self) -> Option<&Marker> {
        self.marker.as_ref()
    }
}

/// Finds our record by its marker, whatever it is called by now. The only one is ours wherever somebody moved it to; of several,
/// which a person's copies make, it is the one directly in the shared folder, else the one in a folder inside of it, and there the
/// title decides.
///
/// # Errors
/// [`VaultError::Stranger`], [`VaultError::Ambiguous`].
pub fn find(vault: &Vault, folder: &Folder, title: &str, marker: &Marker) -> Result<Option<Record>, VaultError> {
    let ours = owned(vault, marker);
    if let [only] = &ours[..] {
        return Ok(Some(only.clone()));
    }
    let direct = vault.records.values().filter(|record| record.is_in(folder.uid));
    let within: Vec<&Record> = ours.iter().filter(|record| record.is_within(folder.uid)).collect();
    if within.iter().any(|record| record.is_in(folder.uid)) || within.is_empty() {
        return find_marked(direct, title, marker).map(|found| found.cloned());
    }
    find_marked(within.into_iter(), title, marker).map(|found| found.cloned())
}

/// All records that carry this marker, wherever they are.
#[must_use]
pub fn owned(vault: &Vault, marker: &Marker) -> Vec<Record> {
    vault.records.values().filter(|record| record.marker.as_ref() == Some(marker)).cloned().collect()
}

/// Finds our record (see [`find`]), or makes it: type `login`, without a login or password, with room for attachments.
///
/// # Errors
/// [`VaultError::Stranger`], [`VaultError::Ambiguous`], [`VaultError::Refused`], and as any change.
pub async fn create(session: &Session, folder: &Folder, title: &str, marker: &Marker) -> Result<Record, Error> {
    session.look_again();
    if let Some(record) = find(&*session.vault().await?, folder, title, marker)? {
        return Ok(record);
    }
    let (uid, key) = (Uid::random(), Key::random());
    let field = |kind: &str| json!({ "type": kind, "value": [] });
    let fields = ["login", "password", "url", "fileRef", "oneTimeCode"].map(field);
    let data = json!({
        "type": "login",
        "title": title,
        "notes": "",
        "fields": fields,
        "custom": [marker.field()],
    });
    let Value::Object(data) = data else { unreachable!("the literal above is an object") };
    let now = wait::now();
    let request = m::RecordsAddRequest {
        records: vec![m::RecordAdd {
            record_uid: uid.as_bytes().to_vec(),
            record_key: session.data_key().seal(key.expose()),
            client_modified_time: now,
            data: key.seal(&padded(&data)),
            folder_type: RecordFolderType::SharedFolder.into(),
            folder_uid: folder.uid.as_bytes().to_vec(),
            folder_key: folder.key.seal(key.expose()),
            ..Default::default()
        }],
        client_time: now,
        security_data_key_type: key_type(session).await?.into(),
    };
    let told = session.change::<m::RecordsModifyResponse>("vault/records_add", &request).await;
    let told = told.and_then(|answer| Ok(accepted("create", uid, &answer)?));
    let lost = look(session, "records_add", told)?;
    let made = session.vault().await?.records.get(&uid).cloned();
    made.ok_or_else(|| not_done(lost, "create", KIND, uid.to_string()))
}

/// Gives our record another title.
///
/// # Errors
/// [`VaultError::NotOurs`], [`VaultError::Refused`], [`VaultError::Contended`], and as any change.
pub async fn change(session: &Session, record: &Record, title: &str) -> Result<(), Error> {
    let marker = record.marker.as_ref().ok_or(VaultError::NotOurs { kind: KIND, uid: record.uid })?;
    update(session, record.uid, marker, |_, document| {
        (document.get("title").and_then(Value::as_str) != Some(title)).then(|| {
            document.insert("title".to_owned(), json!(title));
            Links::default()
        })
    })
    .await
}

/// Removes our record from every folder it is in, to the trash. That it is gone already is success. Its attachments are deleted
/// too where Keeper allows it; what becomes of the files of a deleted record is known only to production.
///
/// # Errors
/// [`VaultError::NotOurs`], and as any change.
pub async fn remove(session: &Session, record: &Record) -> Result<(), Error> {
    session.look_again();
    let vault = session.vault().await?;
    let marker = record.marker.as_ref().ok_or(VaultError::NotOurs { kind: KIND, uid: record.uid })?;
    if let Some(now) = vault.records.get(&record.uid) {
        ours(now, marker)?;
        let target = |place: &Place| Target {
            uid: record.uid,
            kind: "record",
            from: match place {
                Place::Shared { folder, .. } => Some(("shared_folder_folder", *folder)),
                Place::Own(folder) => folder.map(|folder| ("user_folder", folder)),
            },
        };
        let mut targets: Vec<Target> = now.places.iter().map(target).collect();
        if targets.is_empty() {
            targets.push(target(&Place::Own(None)));
        }
        let gone = |vault: &Vault| !vault.records.contains_key(&record.uid);
        remove_target(session, KIND, record.uid, &targets, gone).await?;
    }
    attachment::sweep_of(session, record.uid, marker, &record.files).await
}

/// What one update does to the links of a record.
#[derive(Default)]
pub(crate) struct Links {
    pub(crate) add: Vec<m::RecordLink>,
    pub(crate) remove: Vec<Uid>,
}

/// How often an update is begun again because others were faster, or because its answer was lost.
const MOST_ATTEMPTS: u32 = 5;

/// Changes one of our records until nothing is left to change: `edit` says what, from the record as it is now, and `None` when it
/// is as wanted. Everything happens in one `RecordUpdate`.
pub(crate) async fn update(
    session: &Session,
    uid: Uid,
    marker: &Marker,
    mut edit: impl FnMut(&Record, &mut Map<String, Value>) -> Option<Links>,
) -> Result<(), Error> {
    let (mut said_done, mut lost) = (false, None);
    for attempt in 1..=MOST_ATTEMPTS {
        let vault = session.vault().await?;
        let record = vault.records.get(&uid).ok_or_else(|| VaultError::Gone { kind: KIND, id: uid.to_string() })?;
        ours(record, marker)?;
        let mut document = record.document.clone();
        let Some(links) = edit(record, &mut document.0) else { return Ok(()) };
        if said_done {
            return Err(VaultError::NotDone { verb: "change", kind: KIND, id: uid.to_string() }.into());
        }
        if let Some(error) = lost.take_if(|_| attempt == MOST_ATTEMPTS) {
            return Err(error);
        }
        let now = wait::now();
        let request = m::RecordsUpdateRequest {
            records: vec![m::RecordUpdate {
                record_uid: uid.as_bytes().to_vec(),
                client_modified_time: now,
                revision: record.revision,
                data: record.key.seal(&padded(&document.0)),
                record_links_add: links.add,
                record_links_remove: links.remove.iter().map(|file| file.as_bytes().to_vec()).collect(),
                ..Default::default()
            }],
            client_time: now,
            security_data_key_type: key_type(session).await?.into(),
        };
        let told = session.change::<m::RecordsModifyResponse>("vault/records_update", &request).await;
        let told = match told {
            Ok(answer) if is_out_of_sync(uid, &answer) => {
                session.transport().options().tell(&Event::Contended { attempt });
                session.look_again();
                continue;
            }
            Ok(answer) => accepted("change", uid, &answer).map_err(Error::from),
            Err(error) => Err(error),
        };
        lost = look(session, "records_update", told)?;
        said_done = lost.is_none();
    }
    Err(VaultError::Contended { uid, attempts: MOST_ATTEMPTS }.into())
}

/// RSA, or P-256 where that is forbidden; it is about security data, which our record has none of.
async fn key_type(session: &Session) -> Result<RecordKeyType, Error> {
    let forbidden = session.account().await?.forbids_rsa;
    Ok(if forbidden { RecordKeyType::ByPublicKeyEcc } else { RecordKeyType::ByPublicKey })
}

fn status(uid: Uid, answer: &m::RecordsModifyResponse) -> Option<&m::RecordModifyStatus> {
    answer.records.iter().find(|status| status.record_uid == uid.as_bytes())
}

fn is_out_of_sync(uid: Uid, answer: &m::RecordsModifyResponse) -> bool {
    status(uid, answer).is_some_and(|status| status.status == i32::from(RecordModifyResult::OutOfSync))
}

/// Keeper's status of one record, and of its links, which the vendor's client never looks at.
fn accepted(verb: &'static str, uid: Uid, answer: &m::RecordsModifyResponse) -> Result<(), VaultError> {
    let Some(told) = status(uid, answer) else {
        return Err(VaultError::NotDone { verb, kind: KIND, id: uid.to_string() });
    };
    let refused = |status: i32, message: &str| VaultError::Refused {
        verb,
        kind: KIND,
        uid,
        status,
        message: crate::judge::clean(message),
    };
    if told.status != i32::from(RecordModifyResult::Success) {
        return Err(refused(told.status, &told.message));
    }
    match told.link_errors.first() {
        Some(link) => Err(refused(link.status, &link.message)),
        None => Ok(()),
    }
}

/// JSON, padded with spaces to a multiple of 16, at least 384 bytes, as the vendor's clients do.
pub(crate) fn padded(object: &Map<String, Value>) -> Zeroizing<Vec<u8>> {
    let mut json = Zeroizing::new(Vec::with_capacity(4096));
    serde_json::to_writer(&mut *json, object).expect("a JSON object has a text");
    let len = json.len().next_multiple_of(16).max(384);
    json.resize(len, b' ');
    json
}

fn file_ref(object: &Map<String, Value>) -> Option<&Vec<Value>> {
    let fields = object.get("fields")?.as_array()?;
    let field = fields.iter().find(|field| field.get("type").and_then(Value::as_str) == Some("fileRef"))?;
    field.get("value")?.as_array()
}

/// The files that the field `fileRef` names.
pub(crate) fn references(object: &Map<String, Value>) -> Vec<Uid> {
    let values = file_ref(object).map(Vec::as_slice).unwrap_or_default();
    values.iter().filter_map(|value| value.as_str()?.parse().ok()).collect()
}

/// Sets the field `fileRef`, and adds it where it is missing.
pub(crate) fn set_references(object: &mut Map<String, Value>, files: &[Uid]) {
    let value = json!(files);
    let fields = object.entry("fields").or_insert_with(|| json!([]));
    if !fields.is_array() {
        *fields = json!([]);
    }
    let Some(fields) = fields.as_array_mut() else { return };
    let known = fields.iter_mut().find(|field| field.get("type").and_then(Value::as_str) == Some("fileRef"));
    match known.and_then(Value::as_object_mut) {
        Some(field) => drop(field.insert("value".to_owned(), value)),
        None => fields.push(json!({ "type": "fileRef", "value": value })),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_padded_as_the_vendor_pads() {
        let object = |text: String| Map::from_iter([("t".to_owned(), json!(text))]);
        assert_eq!(padded(&object("x".to_owned())).len(), 384);
        assert_eq!(padded(&object("x".repeat(400))).len(), 416);
        assert!(serde_json::from_slice::<Value>(&padded(&object("x".to_owned()))).is_ok());
    }

    #[test]
    fn file_references_are_set_in_their_field_and_the_rest_stays() {
        let (one, two) = (Uid::random(), Uid::random());
        let text = r#"{"title":"t","zeta":[1],"fields":[{"type":"login","value":[]},{"type":"fileRef","label":"l","value":["AAECAwQFBgcICQoLDA0ODw"]}]}"#;
        let mut object: Map<String, Value> = serde_json::from_str(text).unwrap();
        assert_eq!(references(&object).len(), 1);
        set_references(&mut object, &[one, two]);
        assert_eq!(references(&object), [one, two]);
        assert_eq!((&object["zeta"], &object["fields"][1]["label"]), (&json!([1]), &json!("l")));

        let mut bare = Map::new();
        set_references(&mut bare, &[one]);
        assert_eq!(references(&bare), [one]);
    }

    #[test]
    fn a_status_of_a_link_counts() {
        let uid = Uid::random();
        let link = m::RecordLinkError { status: 7, message: "no".to_owned(), ..Default::default() };
        let told = m::RecordModifyStatus {
            record_uid: uid.as_bytes().to_vec(),
            link_errors: vec![link],
            ..Default::default()
        };
        let answer = m::RecordsModifyResponse { records: vec![told], revision: 1 };
        let error = accepted("change", uid, &answer).unwrap_err();
        assert!(error.to_string().ends_with("RS_FILES_NOT_MATCH; Keeper said: no"), "{error}");
        assert!(matches!(accepted("change", Uid::random(), &answer), Err(VaultError::NotDone { .. })));
    }
}
