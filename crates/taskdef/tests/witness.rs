//! What botocore thinks of our documents. A witness that is not there is skipped and says so; with `REQUIRE_WITNESSES=all` it
//! fails instead. Moto is asked where it runs: `aws-infra/tests/emulated_renderings.rs`.

mod renderings;

use std::collections::BTreeMap;
use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use renderings::definitions;
use serde_json::{Value, json};

const SCRIPT: &str = include_str!("witness/ecs.py");

/// The first Python that has botocore.
#[expect(clippy::print_stderr, reason = "a test that skipped says so")]
fn python() -> Option<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let named = env::var_os("WITNESS_PYTHON").map(PathBuf::from);
    let candidates = named.into_iter().chain([root.join("target/witness/bin/python"), PathBuf::from("python3")]);
    let has = |python: &PathBuf| {
        let probe = Command::new(python).args(["-c", "import botocore.session"]).stderr(Stdio::null()).status();
        probe.is_ok_and(|status| status.success())
    };
    let found = candidates.into_iter().find(has);
    if found.is_none() {
        let reason = "skipped, because no Python here has botocore";
        assert!(env::var("REQUIRE_WITNESSES").as_deref() != Ok("all"), "{reason}");
        eprintln!("{reason}");
    }
    found
}

fn ask(python: &Path, definitions: &BTreeMap<String, Value>) -> BTreeMap<String, String> {
    let mut child = Command::new(python)
        .args(["-c", SCRIPT])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("start the witness");
    let mut input = child.stdin.take().expect("the witness listens");
    serde_json::to_writer(&mut input, definitions).expect("tell the witness");
    drop(input);
    let output = child.wait_with_output().expect("hear the witness");
    assert!(output.status.success(), "the witness broke down");
    serde_json::from_slice(&output.stdout).expect("understand the witness")
}

#[test]
fn witness_botocore_has_nothing_to_say() {
    let Some(python) = python() else { return };
    let mut asked: BTreeMap<String, Value> =
        definitions().into_iter().map(|(name, definition)| (name, definition.to_value())).collect();
    // A witness that never objects is none.
    asked.insert("broken".into(), json!({ "family": "x", "cpu": 2048, "containerDefinitions": [{ "cpu": "1024" }] }));
    let mut answers = ask(&python, &asked);
    let broken = answers.remove("broken").unwrap();
    assert_eq!(broken.lines().count(), 2, "{broken}");
    for (name, report) in answers {
        assert_eq!(report, "", "{name}");
    }
}
