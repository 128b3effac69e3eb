//! The vault as an administrator's client sees it: reading everything, and each way of changing something.

mod applications;
mod commands;
mod deletes;
mod files;
mod folders;
mod moves;
mod records;
mod sync;

use super::account::Account;
use super::reply::{Refusal, Reply};
use crate::vault::Vault;
use keeper_wire::Uid;
use keeper_wire::messages::records as m;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

pub(crate) use deletes::{take_everywhere, take_folder};

pub(super) use commands::{name as command_name, refused as command_refused, session_token};

/// What every call works with.
pub(super) struct Cx<'a> {
    pub(super) vault: &'a mut Vault,
    pub(super) account: &'a Account,
    pub(super) pending: &'a mut Pending,
    /// Milliseconds.
    pub(super) now: i64,
    /// `https://host:port`, at which the file store is reached.
    pub(super) base: &'a str,
    /// Rows of one page of `sync_down`.
    pub(super) page: usize,
}

/// Deletions that were announced and not done yet, by token.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Pending(BTreeMap<String, Vec<deletes::Object>>);

/// Answers below `vault/`. `None` is for an endpoint that is not known.
pub(super) fn answer(
    cx: &mut Cx<'_>,
    endpoint: &str,
    payload: &[u8],
    api_version: i32,
) -> Option<Result<Reply, Refusal>> {
    Some(match endpoint {
        "sync_down" => sync::sync_down(cx, payload),
        "execute_v2_command" => commands::execute(cx, payload),
        "records_add" => records::add(cx, payload),
        "records_update" => records::update(cx, payload),
        "get_records_details" => records::details(cx, payload),
        "get_record_types" => records::types(payload),
        "am_i_share_admin" => records::am_i_share_admin(payload),
        "files_add" => files::add(cx, payload),
        "files_download" => files::download(cx, payload),
        "application_add" => applications::add(cx, payload),
        "app_share_add" => applications::share_add(cx, payload),
        "app_share_remove" => applications::share_remove(cx, payload),
        "app_client_add" => applications::client_add(cx, payload),
        "app_client_remove" => applications::client_remove(cx, payload),
        "external_share_remove" => Ok(Reply::Void),
        "get_app_info" => applications::info(cx, payload),
        "get_applications_summary" => Ok(applications::summary(cx)),
        "shared_folder_update_v3" if api_version != 1 => {
            Err(Refusal::malformed("apiVersion 1 is expected; another one"))
        }
        "shared_folder_update_v3" => folders::update(cx, payload),
        "get_deleted_shared_folders_and_records" => Ok(folders::deleted(cx)),
        "restore_deleted_shared_folders_and_records" => folders::restore(cx, payload),
        "logout_v3" => Ok(Reply::Void),
        _ => return None,
    })
}

fn uid(bytes: &[u8], what: &str) -> Result<Uid, Refusal> {
    Uid::from_slice(bytes).map_err(|_| Refusal::malformed(what))
}

/// A UID that may be left out, which means the root of the vault.
fn optional_uid(bytes: &[u8], what: &str) -> Result<Option<Uid>, Refusal> {
    if bytes.is_empty() { Ok(None) } else { uid(bytes, what).map(Some) }
}

/// More than this in one vault is a mistake of a test.
const MOST_OBJECTS: usize = 10_000;

/// 32 bytes under AES-GCM.
const WRAPPED_KEY: usize = 60;

fn room(vault: &Vault, more: usize) -> bool {
    vault.records.len().saturating_add(vault.folders.len()).saturating_add(more) <= MOST_OBJECTS
}

/// Whether a UID was ever used, the trash included.
pub(crate) fn taken(vault: &Vault, uid: Uid) -> bool {
    let in_trash = |gone: &crate::vault::Deleted| gone.records.contains_key(&uid) || gone.folders.contains_key(&uid);
    vault.records.contains_key(&uid) || vault.folders.contains_key(&uid) || vault.trash.iter().any(in_trash)
}

fn status(uid: &[u8], status: m::RecordModifyResult, message: &str) -> m::RecordModifyStatus {
    m::RecordModifyStatus {
        record_uid: uid.to_vec(),
        status: status.into(),
        message: message.to_owned(),
        link_errors: Vec::new(),
    }
}
