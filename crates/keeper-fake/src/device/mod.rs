//! The device side: `POST /api/rest/sm/v1/…`, sealed JSON, signed by the device.
//!
//! Shapes and ciphers are those that the vendor's clients send and read (spec marks S and R). What the service refuses is known
//! only from what clients and users report; the texts of refusals, except the one of a wrong signature, are ours.

mod envelope;
mod folders;
mod read;
mod refusal;
#[cfg(test)]
mod tests;
mod write;

use crate::faults::Fault;
use crate::machine::{Reply, Request};
use crate::vault::{Application, Device, Vault};
use keeper_wire::ec::{PrivateKey, PublicKey};
use keeper_wire::{Uid, server_keys};
use refusal::Refusal;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// What the service keeps for devices beside the vault.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Devices {
    /// The id of the server key that is taken; any other is answered with `key` and this one.
    pub active_key: i32,
    /// Records of shared folders come in the flat list, with `innerFolderUid`, as those do that other clients create (spec mark T).
    pub flat: bool,
    /// `appOwnerPublicKey` is left out of binding, as for applications that an old client made.
    pub without_owner_key: bool,
    /// What a record was before a rotation that nobody has finalized yet: its data.
    #[serde(with = "crate::saved::values")]
    rotations: BTreeMap<Uid, Vec<u8>>,
}

impl Default for Devices {
    fn default() -> Self {
        Self {
            active_key: server_keys::DEVICE_DEFAULT,
            flat: false,
            without_owner_key: false,
            rotations: BTreeMap::new(),
        }
    }
}

/// What an operation works with.
pub(crate) struct Cx<'a> {
    pub(crate) devices: &'a mut Devices,
    pub(crate) vault: &'a mut Vault,
    pub(crate) keys: &'a BTreeMap<i32, PrivateKey>,
    /// To whom devices seal the keys of what they make.
    pub(crate) owner: PublicKey,
    /// `https://host:port`, at which the file store is reached.
    pub(crate) base: &'a str,
    /// Milliseconds.
    pub(crate) now: i64,
    /// One of those that need the operation's help.
    pub(crate) fault: Option<Fault>,
}

/// Whether an operation only reads.
pub(crate) fn reads(operation: &str) -> bool {
    matches!(operation, "get_secret" | "get_folders")
}

/// Answers one operation.
pub(crate) fn answer(cx: &mut Cx<'_>, operation: &str, request: &Request) -> Reply {
    let opened = match envelope::open(cx, request) {
        Ok(opened) => opened,
        Err(refusal) => return refusal.reply(operation),
    };
    let answer = caller(cx, request, &opened).and_then(|app| perform(cx, operation, app, &opened.payload));
    match answer {
        Ok(None) => Reply::new(200, "application/octet-stream", Vec::new()),
        Ok(Some(value)) => Reply::new(200, "application/octet-stream", opened.key.seal(value.to_string().as_bytes())),
        Err(refusal) => refusal.reply(operation),
    }
}

type Answer = Result<Option<Value>, Refusal>;

fn perform(cx: &mut Cx<'_>, operation: &str, caller: Caller, payload: &Map<String, Value>) -> Answer {
    if !reads(operation) && cx.fault == Some(Fault::StaleRevision) {
        return Err(Refusal::out_of_sync());
    }
    match operation {
        "get_secret" => read::secrets(cx, caller, payload).map(Some),
        "get_folders" => Ok(Some(read::folders(cx, caller.application))),
        "create_secret" => write::create(cx, caller.application, payload),
        "update_secret" => write::update(cx, caller.application, payload),
        "delete_secret" => write::delete(cx, caller.application, payload),
        "add_file" => write::add_file(cx, caller.application, payload),
        "finalize_secret_update" => write::end_rotation(cx, caller.application, payload, true),
        "rollback_secret_update" => write::end_rotation(cx, caller.application, payload, false),
        "create_folder" => folders::create(cx, caller.application, payload),
        "update_folder" => folders::update(cx, caller.application, payload),
        "delete_folder" => folders::delete(cx, caller.application, payload),
        _ => Err(Refusal::bad("the operation is not known")),
    }
}

/// Who asks: a device of an application.
#[derive(Clone, Copy)]
struct Caller {
    application: Uid,
    /// In the application's list.
    device: usize,
    /// The application key is to be handed out.
    binding: bool,
}

/// Finds the device and decides whether it may come in.
fn caller(cx: &mut Cx<'_>, request: &Request, opened: &envelope::Opened) -> Result<Caller, Refusal> {
    let client = opened.client()?;
    let offered = opened.public_key()?;
    let found = cx.vault.applications.iter_mut().find_map(|(uid, application)| {
        let at = application.devices.iter().position(|device| device.client_id == client)?;
        Some((*uid, at, application.devices.get_mut(at)?))
    });
    let (application, at, device) = found.ok_or_else(Refusal::unknown)?;
    let binding = admit(device, cx.now, &request.peer.to_string(), offered, opened)?;
    Ok(Caller { application, device: at, binding })
}

/// Whether the request binds the device.
fn admit(
    device: &mut Device,
    now: i64,
    peer: &str,
    offered: Option<PublicKey>,
    opened: &envelope::Opened,
) -> Result<bool, Refusal> {
    let key = match (device.public_key, offered) {
        (None, None) => return Err(Refusal::denied("The device was never bound")),
        // Nobody knows what the service does when the answer to a binding is lost; the same key is not a second device.
        (Some(known), Some(new)) if device.bound || known != new => {
            return Err(Refusal::denied("The one-time token was used already"));
        }
        (Some(known), _) => known,
        (None, Some(new)) => new,
    };
    if !opened.signed_by(&key) {
        return Err(Refusal::denied("Signature is invalid"));
    }
    if device.access_until != 0 && device.access_until <= now {
        return Err(Refusal::denied("Access of the device has expired"));
    }
    let first = device.public_key.is_none();
    if first && device.first_access_until != 0 && device.first_access_until <= now {
        return Err(Refusal::denied("The one-time token has expired"));
    }
    if device.lock_ip && !device.address.is_empty() && device.address != peer {
        return Err(Refusal::denied("The device is locked to another IP address"));
    }
    if device.first_access == 0 {
        device.first_access = now;
        peer.clone_into(&mut device.address);
    }
    device.last_access = now;
    device.public_key = Some(key);
    device.bound = device.bound || offered.is_none();
    Ok(offered.is_some())
}

/// Where an application reaches a record or folder, and what it may do there.
#[derive(Clone, Copy)]
struct Reach {
    editable: bool,
}

impl Application {
    /// A shared folder that the application sees.
    fn folder(&self, root: Uid) -> Option<Reach> {
        self.shares.get(&root).filter(|share| share.folder).map(|share| Reach { editable: share.editable })
    }

    /// A record: shared by itself, or in a shared folder. The better of several ways counts.
    fn record(&self, vault: &Vault, record: Uid) -> Option<Reach> {
        let alone = self.shares.get(&record).filter(|share| !share.folder).map(|share| share.editable);
        let folders = vault.places.keys().filter(|(_, known)| *known == record).filter_map(|(place, _)| {
            let root = vault.shared_root((*place)?)?;
            self.folder(root).map(|reach| reach.editable)
        });
        folders.chain(alone).reduce(|one, other| one || other).map(|editable| Reach { editable })
    }
}

/// What a write needs.
fn may_write(reach: Option<Reach>) -> Result<(), Refusal> {
    match reach {
        None => Err(Refusal::denied("The record or folder is inaccessible")),
        Some(Reach { editable: false }) => Err(Refusal::denied("The share is read-only for this application")),
        Some(Reach { editable: true }) => Ok(()),
    }
}
