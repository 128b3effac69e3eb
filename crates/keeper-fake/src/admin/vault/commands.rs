//! `vault/execute_v2_command`: JSON commands, with the session inside.

use super::{Cx, deletes, moves, room, taken};
use crate::admin::reply::{Refusal, Reply};
use crate::vault::{Folder, FolderKind};
use keeper_wire::{Uid, text};
use serde_json::{Map, Value, json};

/// Why a command is refused: HTTP 200, `result` `fail`, a code and a text.
#[derive(Debug)]
pub(super) struct Fault {
    code: String,
    message: String,
}

impl Fault {
    pub(super) fn new(code: &str, message: &str) -> Self {
        Self { code: code.to_owned(), message: message.to_owned() }
    }

    pub(super) fn bad(member: &str) -> Self {
        Self::new("bad_inputs_data", &format!("{member} is missing or has a wrong value"))
    }

    fn json(&self) -> Value {
        json!({ "result": "fail", "result_code": self.code, "message": self.message })
    }
}

/// The session token of a command, which stands in the JSON and not in the envelope.
pub(in crate::admin) fn session_token(payload: &[u8]) -> Option<Vec<u8>> {
    let request: Value = serde_json::from_slice(payload).ok()?;
    text::decode(request.get("session_token")?.as_str()?).ok().map(|token| token.to_vec())
}

/// The command's name, for journals and scripts.
pub(in crate::admin) fn name(payload: &[u8]) -> Option<String> {
    let request: Value = serde_json::from_slice(payload).ok()?;
    request.get("command")?.as_str().map(str::to_owned)
}

/// A refusal of a command with a scripted text.
pub(in crate::admin) fn refused(code: &str, message: &str) -> Reply {
    Reply::json(&Fault::new(code, message).json())
}

pub(super) fn execute(cx: &mut Cx<'_>, payload: &[u8]) -> Result<Reply, Refusal> {
    let request: Value = serde_json::from_slice(payload).map_err(|_| Refusal::malformed("the JSON of the command"))?;
    let request = request.as_object().ok_or_else(|| Refusal::malformed("the JSON of the command"))?;
    let answer = match text_of(request, "command") {
        Some("execute") => many(cx, request),
        _ => run(cx, request),
    };
    Ok(Reply::json(&done(answer)))
}

fn done(answer: Result<Value, Fault>) -> Value {
    match answer {
        Err(fault) => fault.json(),
        Ok(Value::Object(members)) => {
            let mut whole = json!({ "result": "success", "result_code": "", "message": "" });
            whole.as_object_mut().expect("just made").extend(members);
            whole
        }
        Ok(_) => json!({ "result": "success", "result_code": "", "message": "" }),
    }
}

fn many(cx: &mut Cx<'_>, request: &Map<String, Value>) -> Result<Value, Fault> {
    let requests = request.get("requests").and_then(Value::as_array).ok_or_else(|| Fault::bad("requests"))?;
    if requests.len() > 999 {
        return Err(Fault::bad("requests"));
    }
    let one = |request: &Value| {
        done(request.as_object().ok_or_else(|| Fault::bad("requests")).and_then(|request| run(cx, request)))
    };
    Ok(json!({ "results": requests.iter().map(one).collect::<Vec<_>>() }))
}

fn run(cx: &mut Cx<'_>, request: &Map<String, Value>) -> Result<Value, Fault> {
    match text_of(request, "command").unwrap_or_default() {
        "folder_add" => folder_add(cx, request),
        "folder_update" => folder_update(cx, request),
        "pre_delete" => deletes::pre_delete(cx, request),
        "delete" => deletes::delete(cx, request),
        "record_update" if request.contains_key("delete_records") => deletes::purge(cx, request),
        "get_deleted_records" => Ok(deletes::deleted_records(cx)),
        "undelete_record" => deletes::undelete(cx, request),
        "purge_deleted_records" => {
            cx.vault.trash.clear();
            Ok(json!({ "revision": cx.vault.change() }))
        }
        "move" => moves::move_records(cx, request),
        "get_shared_folders" => shared_folders(cx, request),
        "get_available_teams" => Ok(json!({ "teams": [] })),
        "audit_event_client_logging" => Ok(json!({ "ignored": [] })),
        "" => Err(Fault::bad("command")),
        // As for unknown endpoints: an empty success, and the journal has the name.
        _ => Ok(Value::Null),
    }
}

pub(super) fn text_of<'a>(object: &'a Map<String, Value>, member: &str) -> Option<&'a str> {
    object.get(member).and_then(Value::as_str)
}

pub(super) fn flag(object: &Map<String, Value>, member: &str) -> Option<bool> {
    object.get(member).and_then(Value::as_bool)
}

/// A UID that may be left out; an empty text counts as left out.
pub(super) fn uid_of(object: &Map<String, Value>, member: &str) -> Result<Option<Uid>, Fault> {
    match object.get(member) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) if text.is_empty() => Ok(None),
        Some(Value::String(text)) => text.parse().map(Some).map_err(|_| Fault::bad(member)),
        Some(_) => Err(Fault::bad(member)),
    }
}

pub(super) fn bytes_of(object: &Map<String, Value>, member: &str) -> Result<Option<Vec<u8>>, Fault> {
    let Some(value) = object.get(member) else { return Ok(None) };
    let decoded = value.as_str().and_then(|text| text::decode(text).ok());
    decoded.map(|bytes| Some(bytes.to_vec())).ok_or_else(|| Fault::bad(member))
}

/// 32 bytes under AES-CBC.
const FOLDER_KEY: usize = 64;

fn folder_add(cx: &mut Cx<'_>, request: &Map<String, Value>) -> Result<Value, Fault> {
    let uid = uid_of(request, "folder_uid")?.ok_or_else(|| Fault::bad("folder_uid"))?;
    if taken(cx.vault, uid) {
        return Err(Fault::new("exists", "A folder of this UID exists"));
    }
    let key = bytes_of(request, "key")?.filter(|key| key.len() == FOLDER_KEY).ok_or_else(|| Fault::bad("key"))?;
    let parent = uid_of(request, "parent_uid")?;
    let root = parent.map(|parent| (cx.vault.folders.contains_key(&parent), cx.vault.shared_root(parent)));
    let denied = || Fault::new("access_denied", "The parent folder does not exist or is of another type");
    let kind = match (text_of(request, "folder_type"), root) {
        (_, Some((false, _))) => return Err(denied()),
        (Some("user_folder"), None | Some((_, None))) => FolderKind::User,
        (Some("shared_folder"), None | Some((_, None))) => FolderKind::Shared,
        (Some("shared_folder_folder"), Some((_, Some(root)))) => FolderKind::Inside(root),
        // Directly in the shared folder: only that one is named.
        (Some("shared_folder_folder"), None) => {
            let root = uid_of(request, "shared_folder_uid")?.filter(|root| cx.vault.shared_root(*root) == Some(*root));
            FolderKind::Inside(root.ok_or_else(denied)?)
        }
        (Some("user_folder" | "shared_folder" | "shared_folder_folder"), _) => return Err(denied()),
        _ => return Err(Fault::bad("folder_type")),
    };
    if !room(cx.vault, 1) {
        return Err(Fault::new("limit", "Too many folders"));
    }
    let parent = match kind {
        FolderKind::Inside(root) => Some(parent.unwrap_or(root)),
        _ => parent,
    };
    let name = bytes_of(request, "name")?.unwrap_or_default();
    if kind == FolderKind::Shared && name.is_empty() {
        return Err(Fault::bad("name"));
    }
    let defaults = ["manage_users", "manage_records", "can_edit", "can_share"]
        .map(|switch| flag(request, switch).unwrap_or(false));
    let revision = cx.vault.change();
    let data = bytes_of(request, "data")?.unwrap_or_default();
    cx.vault.folders.insert(uid, Folder { kind, parent, revision, key, name, data, defaults });
    Ok(json!({ "revision": revision }))
}

fn folder_update(cx: &mut Cx<'_>, request: &Map<String, Value>) -> Result<Value, Fault> {
    let uid = uid_of(request, "folder_uid")?.ok_or_else(|| Fault::bad("folder_uid"))?;
    let (name, data) = (bytes_of(request, "name")?, bytes_of(request, "data")?);
    let revision = cx.vault.change();
    let folder =
        cx.vault.folders.get_mut(&uid).ok_or_else(|| Fault::new("access_denied", "There is no such folder"))?;
    folder.data = data.ok_or_else(|| Fault::bad("data"))?;
    if folder.kind == FolderKind::Shared {
        folder.name = name.ok_or_else(|| Fault::bad("name"))?;
    }
    folder.revision = revision;
    Ok(json!({ "revision": revision }))
}

/// Folders by UID, without a whole synchronisation.
fn shared_folders(cx: &Cx<'_>, request: &Map<String, Value>) -> Result<Value, Fault> {
    let wanted = request.get("shared_folders").and_then(Value::as_array).ok_or_else(|| Fault::bad("shared_folders"))?;
    let mut found = Vec::new();
    for one in wanted.iter().take(999) {
        let uid = uid_of(one.as_object().ok_or_else(|| Fault::bad("shared_folders"))?, "shared_folder_uid")?;
        let Some((uid, folder)) = uid.and_then(|uid| cx.vault.folders.get(&uid).map(|folder| (uid, folder))) else {
            continue;
        };
        let records = cx.vault.folder_keys.iter().filter(|((root, _), _)| *root == uid);
        let records: Vec<_> = records
            .map(|((_, record), key)| {
                json!({ "record_uid": record, "record_key": text::url(&key.key), "can_share": key.can_share, "can_edit": key.can_edit })
            })
            .collect();
        let [manage_users, manage_records, can_edit, can_share] = folder.defaults;
        found.push(json!({
            "shared_folder_uid": uid, "revision": folder.revision, "name": text::url(&folder.name), "data": text::url(&folder.data),
            "owner": cx.account.username, "key_type": 1, "shared_folder_key": text::url(&folder.key),
            "manage_users": true, "manage_records": true, "default_manage_users": manage_users,
            "default_manage_records": manage_records, "default_can_edit": can_edit, "default_can_share": can_share,
            "users": [{ "username": cx.account.username, "manage_users": true, "manage_records": true }],
            "records": records, "teams": [],
        }));
    }
    Ok(json!({ "shared_folders": found }))
}
