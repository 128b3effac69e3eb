//! Reading the product's plan as an outsider would: only its JSON.

use anyhow::{Context, Result, ensure};
use serde_json::Value;

/// Counts the nodes of a plan in which every node is kept; any other action is an error that names the node.
pub(super) fn only_keep(plan: &str) -> Result<usize> {
    let mut actions = Vec::new();
    for document in serde_json::Deserializer::from_str(plan).into_iter::<Value>() {
        collect(&document.context("read the plan")?, &mut actions);
    }
    ensure!(!actions.is_empty(), "the plan holds no node with an `action`");
    let others: Vec<String> = actions
        .iter()
        .filter(|(action, _)| !matches!(action.as_str(), "keep" | "not-in-this-version"))
        .map(|(action, node)| format!("{node}: {action}"))
        .collect();
    ensure!(others.is_empty(), "a plan after a deploy should only keep, but has {}", others.join(", "));
    let kept = actions.iter().filter(|(action, _)| action == "keep").count();
    ensure!(kept > 0, "the plan keeps nothing");
    Ok(kept)
}

/// Every object with an `action`, which is a word or an object with a `kind`.
fn collect(value: &Value, actions: &mut Vec<(String, String)>) {
    match value {
        Value::Object(members) => {
            let action = members.get("action").and_then(|action| action.as_str().or_else(|| action["kind"].as_str()));
            if let Some(action) = action {
                let node = members.get("node").or_else(|| members.get("id")).and_then(Value::as_str).unwrap_or("?");
                actions.push((action.replace('_', "-"), node.to_owned()));
            } else {
                members.values().for_each(|member| collect(member, actions));
            }
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, actions)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_that_keeps_everything_is_counted() {
        let plan = r#"{"nodes":[{"node":"vpc","action":"keep"},{"node":"logs","action":{"kind":"keep"}},
                       {"node":"verify","action":"not_in_this_version"}]}"#;
        assert_eq!(only_keep(plan).unwrap(), 2);
    }

    #[test]
    fn anything_else_is_named() {
        let plan = "{\"node\":\"vpc\",\"action\":\"keep\"}\n{\"node\":\"secret\",\"action\":\"update\"}\n";
        let error = only_keep(plan).unwrap_err().to_string();
        assert!(error.ends_with("secret: update"), "{error}");
    }

    #[test]
    fn an_empty_plan_proves_nothing() {
        assert!(only_keep("{\"nodes\":[]}").is_err());
        assert!(only_keep("").is_err());
        assert!(only_keep("not json").is_err());
    }
}
