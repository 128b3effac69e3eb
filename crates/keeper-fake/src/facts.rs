//! The facts file: what a fake tells those who use it as a program.
//!
//! Members and encodings are agreed with other fakes of Keeper; readers ignore what they do not know. It holds secrets of the
//! pretend account.

use crate::faults;
use crate::saved_world::write_secret;
use crate::seed::{Guide, guide};
use crate::world::World;
use keeper_wire::{ClientId, OneTimeToken, crypto, text};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use std::path::Path;
use std::{fmt, io};

/// Version of the file's shape.
const SCHEMA: u32 = 1;

/// What is known of a world that was just made, for clients that reach it at `hostname` (`host:port`).
#[must_use]
pub fn facts(world: &World, guide: &Guide, hostname: &str) -> Value {
    let files: Map<_, _> = guide
        .files
        .iter()
        .map(|file| {
            let sum = guide::hex(&crypto::sha256(&file.content));
            (file.name.clone(), json!({ "uid": file.uid, "sha256": sum }))
        })
        .collect();
    let refused: Vec<_> = guide
        .refused
        .iter()
        .map(|refused| json!({ "why": refused.why, "config": refused.device.config(hostname) }))
        .collect();
    let mut facts = common(world, hostname);
    facts["device"] = guide.device.config(hostname);
    facts["tokens"] = guide.tokens.iter().map(|token| json!(token.expose_text().as_str())).collect();
    facts["record"] = json!({ "uid": guide.record, "title": guide.title, "folder": guide.app.folder, "files": files });
    facts["notations"] = json!(guide.notations());
    facts["refused_devices"] = json!(refused);
    let config = world.admin.commander_config(hostname, &guide.resumable);
    facts["commander"] = json!({ "config": config, "password": world.admin.account.expose_password() });
    facts["nodes"] = nodes(&guide.nodes);
    facts
}

/// The same of a world without application, record and device.
#[must_use]
pub fn empty(world: &mut World, hostname: &str) -> Value {
    let (resumable, tree) = (world.admin.add_resumable(), world.admin.add_nodes());
    let mut facts = common(world, hostname);
    let config = world.admin.commander_config(hostname, &resumable);
    facts["commander"] = json!({ "config": config, "password": world.admin.account.expose_password() });
    facts["nodes"] = nodes(&tree);
    facts
}

fn common(world: &World, hostname: &str) -> Value {
    let keys: Map<_, _> = world.server_keys().texts().map(|(id, point)| (id.to_string(), json!(point))).collect();
    let faults: Map<_, _> = faults::NAMES
        .iter()
        .map(|name| {
            let switch = json!({ "method": "POST", "url": "/keeper-fake/faults", "body": { "name": name } });
            ((*name).to_owned(), switch)
        })
        .collect();
    json!({ "schema": SCHEMA, "host": hostname, "server_keys": keys, "faults": faults })
}

fn nodes(nodes: &crate::admin::Nodes) -> Value {
    let node = |(id, name): &(i64, String)| json!({ "id": id, "name": name });
    json!({ "sso": node(&nodes.sso), "plain": node(&nodes.plain), "ambiguous": nodes.ambiguous })
}

/// The facts of a world, kept with it: its state file then is enough to go on with.
#[derive(Clone, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Kept(pub Value);

impl fmt::Debug for Kept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Kept").finish_non_exhaustive()
    }
}

/// Facts of an earlier run, made true again for the world that was read from its state file: the tokens that are still unused,
/// and an administrator's device that may resume. The address is that of the earlier run, see [`move_to`].
///
/// # Errors
/// When the facts are of another world or no facts at all.
pub fn renewed(mut facts: Value, world: &mut World) -> io::Result<Value> {
    let wrong = |what: &str| {
        let text = format!("{what}: remove both state and facts file, or name others");
        io::Error::new(io::ErrorKind::InvalidData, text)
    };
    if facts.get("schema") != Some(&json!(SCHEMA)) {
        return Err(wrong("the facts have another schema"));
    }
    if facts.get("server_keys") != common(world, "").get("server_keys") {
        return Err(wrong("the facts belong to another state"));
    }
    let unused = |token: &Value| token.as_str().is_some_and(|token| is_unused(world, token));
    if let Some(tokens) = facts.get_mut("tokens").and_then(Value::as_array_mut) {
        tokens.retain(unused);
    }
    let resumable = world.admin.add_resumable();
    let config = world.admin.commander_config("", &resumable);
    facts
        .get_mut("commander")
        .map(|commander| set(commander, "config", config))
        .ok_or_else(|| wrong("the facts are damaged"))?;
    Ok(facts)
}

/// Writes into facts at which address the fake is reached, and whom its clients have to trust.
pub fn move_to(facts: &mut Value, hostname: &str, ca_pem: Option<&str>) {
    let refused = facts.get_mut("refused_devices").and_then(Value::as_array_mut).into_iter().flatten();
    for config in refused.filter_map(|refused| refused.get_mut("config")) {
        set(config, "hostname", json!(hostname));
    }
    if let Some(device) = facts.get_mut("device") {
        set(device, "hostname", json!(hostname));
    }
    if let Some(config) = facts.get_mut("commander").and_then(|commander| commander.get_mut("config")) {
        set(config, "server", json!(hostname));
    }
    set(facts, "host", json!(hostname));
    set(facts, "ca", json!(ca_pem));
}

fn set(object: &mut Value, name: &str, value: Value) {
    if let Some(object) = object.as_object_mut() {
        object.insert(name.to_owned(), value);
    }
}

fn is_unused(world: &World, token: &str) -> bool {
    let client: Option<ClientId> = token.parse::<OneTimeToken>().ok().map(|token| token.client_id());
    let devices = world.vault.applications.values().flat_map(|application| &application.devices);
    devices.into_iter().any(|device| Some(device.client_id) == client && device.public_key.is_none())
}

/// Writes it, whole or not at all, for its owner's eyes.
///
/// # Errors
/// When the folder is missing or not writable.
pub fn write(facts: &Value, path: &Path) -> io::Result<()> {
    let mut text = serde_json::to_vec_pretty(facts)?;
    text.push(b'\n');
    write_secret(path, &text)
}

/// The text of a device configuration as the guide has it: base64 of its JSON.
#[must_use]
pub fn base64(config: &Value) -> String {
    text::standard(config.to_string().as_bytes())
}
