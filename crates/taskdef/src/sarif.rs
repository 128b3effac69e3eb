//! Findings as SARIF 2.1.0, the format that code-scanning pages read.

use serde_json::{Value, json};

use crate::lint::{Finding, RULES, Severity};

/// Makes a SARIF log with one run. `uri` is the document as the reader's repository names it, relative and
/// with forward slashes; `prefix` stands before every pointer, see
/// [`Document::pointer_prefix`](crate::Document::pointer_prefix). `line` gives the line, from one, of a
/// pointer, where the caller has the text and knows it.
///
/// ```
/// use taskdef::{Document, lint, sarif};
/// let document = Document::read(r#"{"family": "web", "containerDefinitions": []}"#)?;
/// let log = sarif::log(&lint(&document.definition), "web.json", document.pointer_prefix(), |_| None);
/// assert_eq!(log["version"], "2.1.0");
/// assert_eq!(log["runs"][0]["results"][0]["ruleId"], "not-fargate");
/// # Ok::<(), taskdef::ReadError>(())
/// ```
pub fn log(findings: &[Finding], uri: &str, prefix: &str, line: impl Fn(&str) -> Option<u32>) -> Value {
    let rules: Vec<Value> = RULES
        .iter()
        .map(|rule| {
            json!({
                "id": rule.id,
                "shortDescription": { "text": rule.title },
                "fullDescription": { "text": rule.source },
                "help": { "text": rule.fix },
                "defaultConfiguration": { "level": level(rule.severity) },
            })
        })
        .collect();
    let results: Vec<Value> = findings.iter().map(|finding| result(finding, uri, prefix, &line)).collect();
    json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "keeper-automator taskdef",
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "rules": rules,
            } },
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    })
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Hint => "note",
        Severity::Warning => "warning",
        Severity::Error => "error",
    }
}

fn result(finding: &Finding, uri: &str, prefix: &str, line: &impl Fn(&str) -> Option<u32>) -> Value {
    let pointer = format!("{prefix}{}", finding.pointer);
    let mut physical = json!({ "artifactLocation": { "uri": encoded(uri) } });
    if let Some(line) = line(&pointer) {
        physical["region"] = json!({ "startLine": line });
    }
    json!({
        "ruleId": finding.id,
        "ruleIndex": RULES.iter().position(|rule| rule.id == finding.id),
        "level": level(finding.severity),
        "message": { "text": format!("{}: {}", finding.message, finding.fix) },
        "locations": [{
            "physicalLocation": physical,
            "logicalLocations": [{ "fullyQualifiedName": pointer, "kind": "member" }],
        }],
        // Two runs over one document name the same finding alike, wherever its lines moved.
        "partialFingerprints": { "pointer/v1": format!("{}:{pointer}:{}", finding.id, finding.message) },
    })
}

/// A file name as a relative URI reference.
fn encoded(path: &str) -> String {
    let mut uri = String::with_capacity(path.len());
    for byte in path.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => uri.push(char::from(byte)),
            byte => uri.push_str(&format!("%{byte:02X}")),
        }
    }
    uri
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Document;
    use crate::lint::{hints, lint};

    fn findings() -> Vec<Finding> {
        let text = r#"{"family": "web", "containerDefinitions": [{"name": "web", "image": "web"}]}"#;
        let definition = Document::read(text).unwrap().definition;
        lint(&definition).into_iter().chain(hints(&definition)).collect()
    }

    /// The members that the published schema requires of each object we write, and the words it allows.
    #[test]
    fn the_log_has_what_the_schema_requires() {
        let log = log(&findings(), "a b/web.json", "", |pointer| (pointer == "/family").then_some(1));
        assert_eq!(log["version"], "2.1.0");
        let run = &log["runs"][0];
        assert!(run["tool"]["driver"]["name"].is_string());
        let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
        assert!(rules.iter().all(|rule| rule["id"].is_string() && rule["shortDescription"]["text"].is_string()));
        let results = run["results"].as_array().unwrap();
        assert!(!results.is_empty());
        for result in results {
            assert!(result["message"]["text"].is_string());
            assert!(["none", "note", "warning", "error"].contains(&result["level"].as_str().unwrap()));
            let index = result["ruleIndex"].as_u64().unwrap() as usize;
            assert_eq!(rules[index]["id"], result["ruleId"]);
            let location = &result["locations"][0];
            assert_eq!(location["physicalLocation"]["artifactLocation"]["uri"], "a%20b/web.json");
            assert!(location["logicalLocations"][0]["fullyQualifiedName"].is_string());
            assert!(result["partialFingerprints"].as_object().unwrap().values().all(Value::is_string));
        }
        assert!(results.iter().any(|result| result["level"] == "note"));
    }

    #[test]
    fn a_known_line_becomes_a_region() {
        let log = log(&findings(), "web.json", "/taskDefinition", |_| Some(7));
        let location = &log["runs"][0]["results"][0]["locations"][0];
        assert_eq!(location["physicalLocation"]["region"]["startLine"], 7);
        let name = location["logicalLocations"][0]["fullyQualifiedName"].as_str().unwrap();
        assert!(name.starts_with("/taskDefinition"));
    }
}
