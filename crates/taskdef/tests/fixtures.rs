//! The tables of bad and good documents. A bad one has its findings beside it, one a line: rule and pointer.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use taskdef::{Document, Finding, RULES, Severity, diff, lint, source};

fn documents(folder: &str) -> Vec<(PathBuf, Document)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/taskdef").join(folder);
    let mut paths: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "json"));
    paths.sort();
    paths
        .into_iter()
        .map(|path| {
            let document = Document::read(&fs::read_to_string(&path).unwrap());
            let document = document.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            (path, document)
        })
        .collect()
}

fn line(finding: &Finding) -> String {
    format!("{} {}", finding.id, finding.pointer).trim_end().to_owned()
}

#[test]
fn every_bad_document_has_exactly_its_findings() {
    let documents = documents("bad");
    assert!(documents.len() >= 60, "{} bad documents", documents.len());
    let mut wrong = Vec::new();
    for (path, document) in &documents {
        let expected = fs::read_to_string(path.with_extension("ids")).unwrap();
        let found: Vec<String> = lint(&document.definition).iter().map(line).collect();
        if found != expected.lines().collect::<Vec<_>>() {
            wrong.push(format!(
                "{}\n  expected {:?}\n  found {found:?}",
                path.display(),
                expected.lines().collect::<Vec<_>>()
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn good_documents_have_no_findings() {
    let documents = documents("good");
    assert!(documents.len() >= 10, "{} good documents", documents.len());
    for (path, document) in &documents {
        let found: Vec<String> = lint(&document.definition).iter().map(ToString::to_string).collect();
        assert!(found.is_empty(), "{}: {found:#?}", path.display());
    }
}

#[test]
fn every_rule_has_a_bad_document() {
    let found: BTreeSet<&str> = documents("bad")
        .iter()
        .flat_map(|(_, document)| lint(&document.definition))
        .map(|finding| finding.id)
        .collect();
    let elsewhere = |id: &str| id.starts_with("settings-");
    let missing: Vec<&str> = RULES
        .iter()
        .filter(|rule| rule.severity != Severity::Hint && !elsewhere(rule.id) && !found.contains(rule.id))
        .map(|rule| rule.id)
        .collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn pointers_point_into_the_document() {
    for (path, document) in documents("bad") {
        let value = document.definition.to_value();
        for finding in lint(&document.definition) {
            // What is missing is pointed at by its parent, or by its own name right below one.
            let parent = finding.pointer.rsplit_once('/').map_or("", |(parent, _)| parent);
            assert!(
                value.pointer(&finding.pointer).or(value.pointer(parent)).is_some(),
                "{}: {finding}",
                path.display()
            );
        }
    }
}

#[test]
fn documents_are_written_as_they_were_read() {
    for (path, document) in documents("bad").into_iter().chain(documents("good")) {
        let text = fs::read_to_string(&path).unwrap();
        let value: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(document.to_value(), value, "{}", path.display());
        assert!(diff(&document.definition, &document.definition).is_empty());
    }
}

#[test]
fn a_described_revision_registers_the_same_again() {
    let documents = documents("good");
    let of = |name: &str| &documents.iter().find(|(path, _)| path.file_stem().unwrap() == name).unwrap().1;
    let described = of("described");
    assert_eq!(described.pointer_prefix(), "/taskDefinition");
    assert!(diff(&of("ksm").definition, &described.definition).is_empty());
    let again = described.for_registration().unwrap();
    assert!(again.extra.get("revision").is_none());
    assert_eq!(again.tags()[0].key, "team");
}

#[test]
fn rules_have_distinct_ids_and_speak() {
    let ids: BTreeSet<&str> = RULES.iter().map(|rule| rule.id).collect();
    assert_eq!(ids.len(), RULES.len());
    for rule in RULES {
        assert!(rule.title.ends_with('.') && rule.source.ends_with('.') && !rule.fix.ends_with('.'), "{}", rule.id);
    }
}

#[test]
fn every_finding_has_a_place_in_the_text() {
    for (path, document) in documents("bad") {
        let text = fs::read_to_string(&path).unwrap();
        let value = document.to_value();
        for finding in lint(&document.definition) {
            let span = source::span(&text, &finding.pointer).unwrap();
            if let Some(expected) = value.pointer(&finding.pointer) {
                let found: serde_json::Value = serde_json::from_str(&text[span]).unwrap();
                assert_eq!(&found, expected, "{}: {finding}", path.display());
            }
        }
    }
}
