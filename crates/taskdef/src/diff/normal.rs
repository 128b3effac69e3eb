//! The normal form: two documents that register the same revision have the same one.

use serde_json::{Map, Value};

use crate::model::TaskDefinition;
use crate::size;

/// Members that AWS adds to what it was given.
pub(crate) const READ_ONLY: &[&str] = &[
    "taskDefinitionArn",
    "revision",
    "status",
    "requiresAttributes",
    "compatibilities",
    "registeredAt",
    "registeredBy",
    "deregisteredAt",
    "deleteRequestedAt",
];

/// Values that say what silence says too. `*` stands for one token.
const DEFAULTS: &[(&[&str], Default)] = &[
    (&["networkMode"], Default::Text("bridge")),
    (&["enableFaultInjection"], Default::No),
    (&["ephemeralStorage", "sizeInGiB"], Default::Number(20)),
    (&["runtimePlatform", "cpuArchitecture"], Default::Text("X86_64")),
    (&["runtimePlatform", "operatingSystemFamily"], Default::Text("LINUX")),
    (&["proxyConfiguration", "type"], Default::Text("APPMESH")),
    (&["containerDefinitions", "*", "essential"], Default::Yes),
    (&["containerDefinitions", "*", "cpu"], Default::Number(0)),
    (&["containerDefinitions", "*", "interactive"], Default::No),
    (&["containerDefinitions", "*", "pseudoTerminal"], Default::No),
    (&["containerDefinitions", "*", "privileged"], Default::No),
    (&["containerDefinitions", "*", "readonlyRootFilesystem"], Default::No),
    (&["containerDefinitions", "*", "disableNetworking"], Default::No),
    (&["containerDefinitions", "*", "versionConsistency"], Default::Text("enabled")),
    (&["containerDefinitions", "*", "portMappings", "*", "protocol"], Default::Text("tcp")),
    (&["containerDefinitions", "*", "mountPoints", "*", "readOnly"], Default::No),
    (&["containerDefinitions", "*", "volumesFrom", "*", "readOnly"], Default::No),
    (&["containerDefinitions", "*", "healthCheck", "interval"], Default::Number(30)),
    (&["containerDefinitions", "*", "healthCheck", "timeout"], Default::Number(5)),
    (&["containerDefinitions", "*", "healthCheck", "retries"], Default::Number(3)),
    (&["containerDefinitions", "*", "linuxParameters", "initProcessEnabled"], Default::No),
    (&["containerDefinitions", "*", "restartPolicy", "enabled"], Default::No),
    (&["volumes", "*", "configuredAtLaunch"], Default::No),
    (&["volumes", "*", "efsVolumeConfiguration", "rootDirectory"], Default::Text("/")),
    (&["volumes", "*", "efsVolumeConfiguration", "transitEncryption"], Default::Text("DISABLED")),
    (&["volumes", "*", "efsVolumeConfiguration", "authorizationConfig", "iam"], Default::Text("DISABLED")),
];

#[derive(Clone, Copy)]
enum Default {
    Yes,
    No,
    Number(i64),
    Text(&'static str),
}

impl Default {
    fn is(self, value: &Value) -> bool {
        match self {
            Self::Yes => value == &Value::Bool(true),
            Self::No => value == &Value::Bool(false),
            Self::Number(number) => value.as_i64() == Some(number),
            Self::Text(text) => value.as_str() == Some(text),
        }
    }
}

/// Lists whose order means nothing, and the members that tell their items apart.
const SETS: &[(&[&str], &[&str])] = &[
    (&["containerDefinitions"], &["name"]),
    (&["volumes"], &["name"]),
    (&["tags"], &["key"]),
    (&["requiresCompatibilities"], &[]),
    (&["placementConstraints"], &["type", "expression"]),
    (&["inferenceAccelerators"], &["deviceName"]),
    (&["proxyConfiguration", "properties"], &["name"]),
    (&["containerDefinitions", "*", "environment"], &["name"]),
    (&["containerDefinitions", "*", "secrets"], &["name"]),
    (&["containerDefinitions", "*", "mountPoints"], &["containerPath"]),
    (&["containerDefinitions", "*", "volumesFrom"], &["sourceContainer"]),
    (&["containerDefinitions", "*", "dependsOn"], &["containerName"]),
    (&["containerDefinitions", "*", "portMappings"], &["containerPort", "containerPortRange", "protocol"]),
    (&["containerDefinitions", "*", "ulimits"], &["name"]),
    (&["containerDefinitions", "*", "extraHosts"], &["hostname"]),
    (&["containerDefinitions", "*", "systemControls"], &["namespace"]),
    (&["containerDefinitions", "*", "resourceRequirements"], &["type"]),
    (&["containerDefinitions", "*", "links"], &[]),
    (&["containerDefinitions", "*", "dockerSecurityOptions"], &[]),
    (&["containerDefinitions", "*", "logConfiguration", "secretOptions"], &["name"]),
    (&["containerDefinitions", "*", "linuxParameters", "capabilities", "add"], &[]),
    (&["containerDefinitions", "*", "linuxParameters", "capabilities", "drop"], &[]),
    (&["containerDefinitions", "*", "linuxParameters", "devices"], &["hostPath"]),
    (&["containerDefinitions", "*", "linuxParameters", "tmpfs"], &["containerPath"]),
];

/// The normal form of a definition, as a JSON value: read-only members, nulls, empty lists and defaults are
/// gone, lists without order are sorted, sizes are in ECS's own units. It is itself a task definition.
pub fn normalise(definition: &TaskDefinition) -> Value {
    let mut value = definition.to_value();
    if let Value::Object(members) = &mut value {
        READ_ONLY.iter().for_each(|name| {
            members.shift_remove(*name);
        });
        for (name, read) in [("cpu", size::cpu as fn(&str) -> Option<u32>), ("memory", size::memory)] {
            if let Some(units) = members.get(name).and_then(Value::as_str).and_then(read) {
                members.insert(name.to_owned(), Value::String(units.to_string()));
            }
        }
        same_host_ports(members);
    }
    tidy(&mut value, &mut Vec::new());
    value
}

/// With `awsvpc` and `host` the outer port can only be the inner one, with `bridge` 0 means any.
fn same_host_ports(members: &mut Map<String, Value>) {
    let same = matches!(members.get("networkMode").and_then(Value::as_str), Some("awsvpc" | "host"));
    let containers = members.get_mut("containerDefinitions").and_then(Value::as_array_mut);
    for container in containers.into_iter().flatten() {
        let ports = container.get_mut("portMappings").and_then(Value::as_array_mut);
        for port in ports.into_iter().flatten().filter_map(Value::as_object_mut) {
            let inner = port.get("containerPort").cloned();
            if port.get("hostPort").is_some_and(|outer| if same { Some(outer) == inner.as_ref() } else { outer == 0 }) {
                port.shift_remove("hostPort");
            }
        }
    }
}

fn tidy(value: &mut Value, path: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            for (name, member) in members.iter_mut() {
                path.push(name.clone());
                tidy(member, path);
                path.pop();
            }
            members.retain(|name, member| {
                path.push(name.clone());
                let keep = !is_silent(member, path);
                path.pop();
                keep
            });
            members.sort_keys();
        }
        Value::Array(items) => {
            path.push("*".to_owned());
            items.iter_mut().for_each(|item| tidy(item, path));
            path.pop();
            if let Some(keys) = keys_at(path) {
                items.sort_by_cached_key(|item| key(item, keys));
            }
        }
        _ => {}
    }
}

fn is_silent(value: &Value, path: &[String]) -> bool {
    match value {
        Value::Null => true,
        Value::Array(items) => items.is_empty() && path != ["containerDefinitions"],
        Value::Object(members) => members.is_empty(),
        _ => DEFAULTS.iter().any(|(pattern, default)| matches(pattern, path) && default.is(value)),
    }
}

/// The members that tell the items of the list at this path apart, if its order means nothing.
pub(super) fn keys_at(path: &[String]) -> Option<&'static [&'static str]> {
    SETS.iter().find(|(pattern, _)| matches(pattern, path)).map(|(_, keys)| *keys)
}

fn matches(pattern: &[&str], path: &[String]) -> bool {
    pattern.len() == path.len() && pattern.iter().zip(path).all(|(want, token)| *want == "*" || want == token)
}

/// What an item of a list is called.
pub(super) fn key(item: &Value, keys: &[&str]) -> String {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    if keys.is_empty() {
        return text(item);
    }
    keys.iter().filter_map(|name| item.get(*name)).map(text).collect::<Vec<_>>().join(":")
}
