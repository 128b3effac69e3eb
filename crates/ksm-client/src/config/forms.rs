//! The forms a configuration travels in.

use keeper_wire::text;
use serde_json::{Map, Value};
use zeroize::Zeroizing;

use super::{Config, ConfigError};
use crate::json::Secret;

/// Bytes of the largest text that is read. A whole configuration has about 700.
pub const MAX_CONFIG: usize = 64 * 1024;

/// The form of a configuration as it was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// A flat JSON object.
    Json,
    /// Base64 of the JSON.
    Base64,
    /// A Kubernetes Secret, in YAML or JSON, whose `data.config` is the base64 text.
    Kubernetes,
    /// A profile of the vendor's CLI, `keeper.ini`.
    Ini,
}

/// Names as in JSON, for the lower-case names of INI files.
const NAMES: [&str; 11] = [
    "hostname",
    "clientId",
    "privateKey",
    "serverPublicKeyId",
    "serverPublicKey",
    "appKey",
    "appOwnerPublicKey",
    "clientKey",
    "url",
    "bat",
    "bindingKey",
];

pub(super) fn read(text: &str, profile: Option<&str>) -> Result<(Config, Form), ConfigError> {
    if text.len() > MAX_CONFIG {
        return Err(ConfigError::TooLarge);
    }
    let text = text.trim_start_matches('\u{feff}').trim();
    let (members, form) = if text.is_empty() {
        return Err(ConfigError::Empty);
    } else if text.starts_with('{') {
        let members = object(text.as_bytes())?;
        match members.expose().get("data") {
            Some(Value::Object(data)) if !members.expose().contains_key("privateKey") => {
                let config = data.get("config").and_then(Value::as_str).ok_or(ConfigError::Missing("data.config"))?;
                (encoded(config)?, Form::Kubernetes)
            }
            _ => (members, Form::Json),
        }
    } else if let Some(config) = manifest(text) {
        let config = config?;
        let inner = config.trim();
        (if inner.starts_with('{') { object(inner.as_bytes())? } else { encoded(inner)? }, Form::Kubernetes)
    } else if text.lines().any(|line| line.trim_start().starts_with('[')) {
        (section(text, profile)?, Form::Ini)
    } else {
        (encoded(text)?, Form::Base64)
    };
    if profile.is_some() && form != Form::Ini {
        return Err(ConfigError::Profile(profile.unwrap_or_default().to_owned()));
    }
    Config::from_members(members.take()).map(|config| (config, form))
}

/// Members that are wiped when they are not used.
struct Members(Secret);

impl Members {
    fn expose(&self) -> &Map<String, Value> {
        self.0.expose().as_object().expect("made from an object")
    }

    fn take(mut self) -> Map<String, Value> {
        self.0.expose_mut().as_object_mut().map(std::mem::take).unwrap_or_default()
    }
}

fn object(bytes: &[u8]) -> Result<Members, ConfigError> {
    // The text of a JSON error may quote a value; so it is left out.
    match serde_json::from_slice(bytes) {
        Ok(value @ Value::Object(_)) => Ok(Members(Secret::new(value))),
        _ => Err(ConfigError::Form("JSON object")),
    }
}

/// Base64 of JSON; and once more, because a manifest's value may be encoded by Kubernetes on top of that.
fn encoded(text: &str) -> Result<Members, ConfigError> {
    const NONE: ConfigError = ConfigError::Form("JSON, base64 of JSON, Kubernetes Secret or INI file");
    let mut bytes = text::decode(unquoted(text)).map_err(|_| NONE)?;
    if !starts_object(&bytes) {
        let inner = std::str::from_utf8(&bytes).map_err(|_| NONE)?;
        bytes = text::decode(inner).map_err(|_| NONE)?;
    }
    if starts_object(&bytes) { object(&bytes) } else { Err(NONE) }
}

fn starts_object(bytes: &[u8]) -> bool {
    bytes.trim_ascii_start().starts_with(b"{")
}

fn unquoted(text: &str) -> &str {
    let text = text.trim();
    for quote in ['"', '\''] {
        if let Some(inner) = text.strip_prefix(quote).and_then(|rest| rest.strip_suffix(quote)) {
            return inner;
        }
    }
    text
}

/// The value of `config` below `data` or `stringData` of a Secret in YAML, when the text is one.
///
/// Reads the few shapes that people and `kubectl` write: a plain or quoted value on the line, or a block (`|`, `>`) or a
/// folded plain value on the deeper lines below.
fn manifest(text: &str) -> Option<Result<Zeroizing<String>, ConfigError>> {
    let is_secret = |line: &str| {
        line.split_once(':').is_some_and(|(key, value)| key.trim() == "kind" && unquoted(value) == "Secret")
    };
    if !text.lines().any(is_secret) {
        return None;
    }
    let depth = |line: &str| line.len() - line.trim_start().len();
    let mut lines = text.lines().peekable();
    let mut inside = None;
    while let Some(line) = lines.next() {
        let plain = line.trim();
        if plain.is_empty() || plain.starts_with('#') {
            continue;
        }
        if inside.is_some_and(|outer| depth(line) <= outer) {
            inside = None;
        }
        let Some((key, value)) = plain.split_once(':') else { continue };
        match unquoted(key) {
            "data" | "stringData" if inside.is_none() => inside = Some(depth(line)),
            "config" if inside.is_some() => {
                let value = value.trim();
                let mut whole = Zeroizing::new(String::with_capacity(text.len()));
                if !value.starts_with(['|', '>']) {
                    whole.push_str(value);
                }
                while let Some(next) = lines.next_if(|next| next.trim().is_empty() || depth(next) > depth(line)) {
                    whole.push_str(next.trim());
                }
                return Some(Ok(Zeroizing::new(unquoted(&whole).to_owned())));
            }
            _ => {}
        }
    }
    Some(Err(ConfigError::Missing("data.config")))
}

/// One section of an INI file. The vendor's CLI names the active one in `[_config]`.
fn section(text: &str, profile: Option<&str>) -> Result<Members, ConfigError> {
    let mut sections: Vec<(&str, Members)> = Vec::new();
    for line in text.lines().map(str::trim) {
        if line.is_empty() || line.starts_with(['#', ';']) {
            continue;
        }
        if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            sections.push((name, Members(Secret::new(Value::Object(Map::new())))));
            continue;
        }
        let (Some((name, value)), Some((_, members))) = (line.split_once(['=', ':']), sections.last_mut()) else {
            return Err(ConfigError::Form("INI file: a line is neither a section nor NAME = VALUE"));
        };
        let name = name.trim();
        let name = NAMES.into_iter().find(|known| known.eq_ignore_ascii_case(name)).unwrap_or(name);
        if let Value::Object(members) = members.0.expose_mut() {
            members.insert(name.to_owned(), Value::String(value.trim().to_owned()));
        }
    }
    let active = sections
        .iter()
        .find(|(name, _)| *name == "_config")
        .and_then(|(_, members)| members.expose().get("active_profile").and_then(Value::as_str).map(str::to_owned));
    let wanted = profile.map(str::to_owned).or(active);
    let found =
        sections.into_iter().find(|(name, _)| wanted.as_ref().map_or(*name != "_config", |wanted| name == wanted));
    found.map(|(_, members)| members).ok_or_else(|| ConfigError::Profile(wanted.unwrap_or_default()))
}

pub(super) fn kubernetes(
    config: &Config,
    name: &str,
    namespace: Option<&str>,
) -> Result<Zeroizing<String>, ConfigError> {
    for name in [Some(name), namespace].into_iter().flatten() {
        let fine = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '.');
        if name.is_empty() || name.len() > 253 || !name.chars().all(fine) {
            return Err(ConfigError::Wrong {
                field: "metadata.name",
                expected: "lower-case letters, digits, `-` and `.`",
            });
        }
    }
    let namespace = namespace.map(|name| format!("\n  namespace: {name}")).unwrap_or_default();
    let value = config.expose_base64();
    Ok(Zeroizing::new(format!(
        "apiVersion: v1\nkind: Secret\nmetadata:\n  name: {name}{namespace}\ntype: Opaque\ndata:\n  config: {}\n",
        value.as_str()
    )))
}

pub(super) fn ini(config: &Config, profile: &str) -> Result<Zeroizing<String>, ConfigError> {
    if profile.is_empty()
        || profile == "_config"
        || profile.contains([']', '[', '\n', '\r'])
        || profile.trim() != profile
    {
        return Err(ConfigError::Wrong { field: "profile", expected: "a name without brackets and line feeds" });
    }
    let members = Secret::new(Value::Object(config.members()));
    let mut out = Zeroizing::new(format!("[{profile}]\n"));
    for (name, value) in
        members.expose().as_object().into_iter().flatten().filter(|(name, _)| *name != "serverPublicKey")
    {
        let value = crate::json::text_of(value);
        if value.contains(['\n', '\r']) {
            continue;
        }
        out.push_str(&name.to_ascii_lowercase());
        out.push_str(" = ");
        out.push_str(&value);
        out.push('\n');
    }
    out.push_str("\n[_config]\nactive_profile = ");
    out.push_str(profile);
    out.push('\n');
    Ok(out)
}
