//! `taskdef`: render, lint and diff as a person calls them.

mod common;

use std::fs;
use std::io::Write;
use std::process::{Command, Stdio};

use common::{Ran, file, run};
use serde_json::Value;
use taskdef::Document;

const UID: &str = "ZLDzPMdxkCLUOzKjSBBfqw";

/// The smallest config; render reads none of the files it names.
fn config() -> String {
    file("fixtures/config/smallest.toml")
}

fn json(ran: &Ran) -> Value {
    serde_json::from_str(&ran.stdout).unwrap_or_else(|error| panic!("{error}: {ran:?}"))
}

fn write(text: &str) -> tempfile::NamedTempFile {
    let mut file = tempfile::Builder::new().suffix(".json").tempfile().unwrap();
    file.write_all(text.as_bytes()).unwrap();
    file
}

fn fixture(name: &str) -> String {
    file(&format!("fixtures/taskdef/{name}.json"))
}

#[test]
fn guide_exact_is_the_guides_document() {
    let rendered = json(&run(&[], &["taskdef", "render", "--config", &config(), "--guide-exact"]));
    let guide = fs::read_to_string(fixture("guide")).unwrap().replace("XXXXX", UID);
    assert_eq!(rendered, serde_json::from_str::<Value>(&guide).unwrap());

    let filled = guide
        .replacen("fs-XXX", "fs-0123456789abcdef0", 1)
        .replacen("fs-XXX", "fs-0123456789abcdef1", 1)
        .replace("arn:aws:iam::XXX:role/ECSTaskWritetoLogs", "arn:aws:iam::111122223333:role/writes");
    let line = ["taskdef", "render", "--config", &config(), "--guide-exact", "--config-file-system"];
    let more = ["fs-0123456789abcdef0", "--settings-file-system", "fs-0123456789abcdef1", "--execution-role-arn"];
    let rendered = json(&run(&[], &[&line[..], &more[..], &["arn:aws:iam::111122223333:role/writes"]].concat()));
    assert_eq!(rendered, serde_json::from_str::<Value>(&filled).unwrap());
}

#[test]
fn every_difference_from_the_guide_is_explained() {
    let guide = run(&[], &["taskdef", "render", "--config", &config(), "--guide-exact"]);
    let ours = run(&[], &["taskdef", "render", "--config", &config(), "--explain"]);
    let read = |ran: &Ran| Document::read(&ran.stdout).unwrap().definition;
    let differences = taskdef::diff(&read(&guide), &read(&ours)).differences;
    let lines: Vec<&str> = ours.stderr.lines().collect();
    assert_eq!(lines.len(), differences.len(), "{}", ours.stderr);
    let mut ids = Vec::new();
    for difference in &differences {
        let line = lines.iter().find_map(|line| line.strip_prefix(&format!("{}  ", difference.pointer)));
        let line = line.unwrap_or_else(|| panic!("{} is not explained: {}", difference.pointer, ours.stderr));
        let id = line.split(' ').next().unwrap();
        let is_correction = id.len() == 3 && id.starts_with('C') && line.len() > "C05 ".len();
        // What the guide leaves to the reader is no correction, and says so.
        assert!(is_correction || ["chosen", "named"].contains(&id), "{line}");
        ids.extend(line.split("; ").map(|reason| reason.split(' ').next().unwrap().to_owned()));
    }
    for correction in ["C05", "C07", "C14", "C39"] {
        assert!(ids.iter().any(|id| id == correction), "{correction}: {ids:?}");
    }
    let both = run(&[], &["taskdef", "render", "--config", &config(), "--guide-exact", "--explain"]);
    assert_eq!(both.code, 2);
}

#[test]
fn good_documents_are_good_and_bad_ones_have_their_ids() {
    let folder = file("fixtures/taskdef");
    let documents = |kind: &str| {
        let entries = fs::read_dir(format!("{folder}/{kind}")).unwrap().map(|entry| entry.unwrap().path());
        entries.filter(|path| path.extension().is_some_and(|ext| ext == "json")).collect::<Vec<_>>()
    };
    for path in documents("good") {
        let ran = run(&[], &["taskdef", "lint", path.to_str().unwrap()]);
        assert_eq!((ran.code, ran.stdout.as_str()), (0, ""), "{}", path.display());
        assert!(ran.stderr.ends_with(": 0 errors, 0 warnings, 0 hints\n"), "{}", ran.stderr);
    }
    let bad = documents("bad");
    assert!(bad.len() >= 60);
    for path in bad {
        let expected = fs::read_to_string(path.with_extension("ids")).unwrap();
        let ran = run(&[], &["taskdef", "lint", path.to_str().unwrap(), "--format", "json"]);
        if ran.stdout.is_empty() {
            assert_eq!(ran.code, 2, "{}: {}", path.display(), ran.stderr);
            continue;
        }
        let log = json(&ran);
        let findings = log["findings"].as_array().unwrap();
        assert!(!findings.is_empty());
        for finding in findings {
            assert!(expected.contains(finding["id"].as_str().unwrap()), "{}: {finding}", path.display());
            assert!(finding["line"].as_u64() >= Some(1) && finding["pointer"].is_string());
        }
        assert_eq!(u64::from(ran.code), log["errors"].as_u64().unwrap().min(1), "{}", path.display());
    }
}

#[test]
fn a_finding_shows_the_line_and_the_pointer() {
    let document = write(
        "{\n  \"taskDefinition\": {\n    \"family\": \"web\",\n    \"requiresCompatibilities\": [\"FARGATE\"],\n    \"networkMode\": \"awsvpc\",\n    \"cpu\": \"2048\",\n    \"memory\": \"3000\",\n    \"containerDefinitions\": [{\"name\": \"web\", \"image\": \"example/web:1\"}]\n  }\n}\n",
    );
    let ran = run(&[], &["taskdef", "lint", document.path().to_str().unwrap()]);
    assert_eq!(ran.code, 1);
    for expected in ["task-size", "error: ", "7 │     \"memory\": \"3000\"", "/taskDefinition/memory", "help: "] {
        assert!(ran.stdout.contains(expected), "{expected}\n{}", ran.stdout);
    }
    assert!(ran.stderr.contains("1 error, "), "{}", ran.stderr);
    let sarif =
        json(&run(&[], &["taskdef", "lint", document.path().to_str().unwrap(), "--format", "sarif", "--hints"]));
    let results = sarif["runs"][0]["results"].as_array().unwrap();
    let size = results.iter().find(|result| result["ruleId"] == "task-size").unwrap();
    assert_eq!(size["locations"][0]["physicalLocation"]["region"]["startLine"], 7);
    assert!(results.iter().any(|result| result["level"] == "note"));
    assert_eq!(sarif["version"], "2.1.0");
}

#[test]
fn no_excerpt_shows_a_secret() {
    let secret = "marker-of-a-password";
    let text = fs::read_to_string(fixture("guide")).unwrap().replace("XXXCONFIGXXX", secret);
    let line: String = serde_json::from_str::<Value>(&text).unwrap().to_string();
    let twice = text.replacen("\"value\": ", "\"value\": \"marker-of-a-password\", \"value\": ", 1);
    let broken = text.replacen(',', ",,", 1);
    let typed = text.replacen("\"cpu\": 1024", "\"cpu\": \"marker-of-a-password\"", 1);
    let other = fixture("good/ksm");
    for text in [&text, &line, &twice, &broken, &typed] {
        let document = write(text);
        let path = document.path().to_str().unwrap();
        for format in ["text", "json", "sarif"] {
            let ran = run(&[], &["taskdef", "lint", path, "--hints", "--format", format]);
            assert!(ran.code == 1 || ran.code == 2, "{ran:?}");
            assert!(!ran.said().is_empty() && !ran.said().contains("marker"), "{}", ran.said());
        }
        for format in ["text", "json"] {
            let ran = run(&[], &["taskdef", "diff", path, &other, "--format", format]);
            assert!(ran.code != 0 && !ran.said().contains("marker"), "{}", ran.said());
        }
    }
    let ran = run(&[], &["taskdef", "lint", &fixture("guide")]);
    assert!(!ran.stdout.contains("(formatted)"), "{}", ran.stdout);
    let document = write(&line);
    let ran = run(&[], &["taskdef", "lint", document.path().to_str().unwrap()]);
    assert!(ran.stdout.contains("(formatted)") && ran.stdout.contains("\"(hidden)\""), "{}", ran.stdout);
    assert!(ran.stdout.lines().all(|line| line.chars().count() < 300), "{}", ran.stdout);
}

#[test]
fn what_is_no_task_definition_has_a_place() {
    let lint = |text: &str| {
        let document = write(text);
        let ran = run(&[], &["taskdef", "lint", document.path().to_str().unwrap()]);
        assert_eq!((ran.code, ran.stdout.as_str()), (2, ""), "{text}");
        ran.stderr
    };
    let said = lint("{\n  \"family\": \"a\",,\n}");
    assert!(said.contains("error[taskdef-invalid]") && said.contains(".json:2:"), "{said}");
    let said = lint("{\n  \"family\": \"a\",\n  \"containerDefinitions\": [\n 7]\n}");
    assert!(said.contains(".json:4`") && said.contains("/containerDefinitions/0"), "{said}");
    let gone = run(&[], &["taskdef", "lint", "/nowhere/at/all.json", "--format", "json"]);
    let failure: Value = serde_json::from_str(&gone.stderr).unwrap();
    assert_eq!((gone.code, failure["failure"]["code"].as_str()), (2, Some("taskdef-unreadable")));
}

#[test]
fn diff_answers_as_diff_does() {
    let (ksm, guide) = (fixture("good/ksm"), fixture("guide"));
    let same = run(&[], &["taskdef", "diff", &ksm, &ksm]);
    assert_eq!((same.code, same.said().as_str()), (0, ""));
    let sorted: Value = serde_json::from_str(&fs::read_to_string(&ksm).unwrap()).unwrap();
    let members = sorted.as_object().unwrap().clone().into_iter().rev().collect::<serde_json::Map<_, _>>();
    let reordered = write(&Value::Object(members).to_string());
    assert_eq!(run(&[], &["taskdef", "diff", &ksm, reordered.path().to_str().unwrap()]).code, 0);

    let differs = run(&[], &["taskdef", "diff", &guide, &ksm]);
    assert_eq!((differs.code, differs.stderr.as_str()), (1, ""));
    assert!(differs.stdout.lines().all(|line| ["+ /", "- /", "~ /"].contains(&&line[..3])), "{}", differs.stdout);
    let log = json(&run(&[], &["taskdef", "diff", &guide, &ksm, "--format", "json"]));
    assert_eq!(log["differences"].as_array().unwrap().len(), differs.stdout.lines().count());
    assert_eq!(
        json(&run(&[], &["taskdef", "diff", &ksm, &ksm, "--format", "json"]))["differences"],
        serde_json::json!([])
    );
    assert_eq!(run(&[], &["taskdef", "diff", "-", "-"]).code, 2);
    assert_eq!(run(&[], &["taskdef", "diff", &ksm, "/nowhere"]).code, 2);
}

/// Standard input belongs to a process, so this one is run as such.
#[test]
fn a_dash_is_standard_input() {
    let rendered = run(&[], &["taskdef", "render", "--config", &config(), "--guide-exact"]).stdout;
    let mut child = Command::new(env!("CARGO_BIN_EXE_keeper-automator"))
        .args(["taskdef", "lint", "-", "--format", "sarif"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(rendered.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let log: Value = serde_json::from_slice(&output.stdout).unwrap();
    let uri = &log["runs"][0]["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"];
    assert_eq!(uri, "stdin");
}
