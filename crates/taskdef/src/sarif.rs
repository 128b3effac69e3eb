//! Findings as SARIF 2.1.0, the format that code-scanning pages read.

use serde_json::{Value, json};

use crate::lint::{Finding, RULES, Severity};
use crate::source::Places;

/// Makes a SARIF log with one run. `uri` is the document as the reader's repository names it, relative and
/// with forward slashes; `prefix` stands before every pointer, see
/// [`Document::pointer_prefix`](crate::Document::pointer_prefix). With the document's `text`, findings have
/// their lines and columns; without it they all stand in the first line, because code-scanning pages drop
/// what has none.
///
/// ```
/// use taskdef::{Document, lint, sarif};
/// let text = "{\n  \"family\": \"my web\",\n  \"containerDefinitions\": []\n}";
/// let document = Document::read(text)?;
/// let log = sarif::log(&lint(&document.definition), "web.json", document.pointer_prefix(), Some(text));
/// let result = &log["runs"][0]["results"][0];
/// assert_eq!(result["ruleId"], "family");
/// assert_eq!(result["locations"][0]["physicalLocation"]["region"]["startLine"], 2);
/// # Ok::<(), taskdef::ReadError>(())
/// ```
pub fn log(findings: &[Finding], uri: &str, prefix: &str, text: Option<&str>) -> Value {
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
    let places = text.and_then(Places::of);
    let results: Vec<Value> = findings.iter().map(|finding| result(finding, uri, prefix, places.as_ref())).collect();
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

fn result(finding: &Finding, uri: &str, prefix: &str, places: Option<&Places<'_>>) -> Value {
    let pointer = format!("{prefix}{}", finding.pointer);
    let physical = json!({ "artifactLocation": { "uri": encoded(uri) }, "region": region(&pointer, places) });
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

/// Lines and columns from one, columns in characters.
fn region(pointer: &str, places: Option<&Places<'_>>) -> Value {
    let Some(places) = places else { return json!({ "startLine": 1 }) };
    let span = places.span(pointer);
    json!({
        "startLine": places.line(span.start),
        "startColumn": places.column(span.start),
        "endLine": places.line(span.end),
        "endColumn": places.column(span.end),
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

    const TEXT: &str = r#"{"family": "web", "containerDefinitions": [{"name": "web", "image": "web"}]}"#;

    fn findings() -> Vec<Finding> {
        let definition = Document::read(TEXT).unwrap().definition;
        lint(&definition).into_iter().chain(hints(&definition)).collect()
    }

    /// The members that the published schema requires of each object we write, and the words it allows.
    #[test]
    fn the_log_has_what_the_schema_requires() {
        let log = log(&findings(), "a b/web.json", "", Some(TEXT));
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
    fn findings_stand_where_their_author_wrote_them() {
        let text = format!("{{\n  \"taskDefinition\":\n {TEXT}}}");
        let log = log(&findings(), "web.json", "/taskDefinition", Some(&text));
        let results = log["runs"][0]["results"].as_array().unwrap();
        let image = results.iter().find(|result| result["ruleId"] == "image-unpinned").unwrap();
        let start = 2 + TEXT.rfind("\"web\"").unwrap();
        let region = json!({ "startLine": 3, "startColumn": start, "endLine": 3, "endColumn": start + 5 });
        assert_eq!(image["locations"][0]["physicalLocation"]["region"], region);
        let name = &image["locations"][0]["logicalLocations"][0]["fullyQualifiedName"];
        assert_eq!(name, "/taskDefinition/containerDefinitions/0/image");
    }

    #[test]
    fn without_the_text_findings_stand_in_the_first_line() {
        let log = log(&findings(), "web.json", "", None);
        let region = &log["runs"][0]["results"][0]["locations"][0]["physicalLocation"]["region"];
        assert_eq!(region, &json!({ "startLine": 1 }));
    }
}
