//! What people who are not us think of our documents. A witness that is not there is skipped and says so;
//! with `REQUIRE_WITNESSES=all` it fails instead.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::{env, fs};

use serde_json::{Value, json};
use taskdef::{
    Attachments, Description, Document, GuideValues, Images, Ksm, KsmConfig, PlainConfig, Shape, Simple,
    TaskDefinition, Volume, Volumes, diff,
};

const SCRIPT: &str = include_str!("witness/ecs.py");

/// The first Python that has what a mode needs.
#[expect(clippy::print_stderr, reason = "a test that skipped says so")]
fn python(mode: &str) -> Option<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let named = env::var_os("WITNESS_PYTHON").map(PathBuf::from);
    let candidates = named.into_iter().chain([root.join("target/witness/bin/python"), PathBuf::from("python3")]);
    let has = |python: &PathBuf| {
        let probe = Command::new(python).args(["-c", SCRIPT, &format!("probe-{mode}")]).stderr(Stdio::null()).status();
        probe.is_ok_and(|status| status.success())
    };
    let found = candidates.into_iter().find(has);
    if found.is_none() {
        let reason = format!(
            "skipped, because no Python here can `{mode}`: it needs botocore, and boto3 with moto for the latter"
        );
        assert!(env::var("REQUIRE_WITNESSES").as_deref() != Ok("all"), "{reason}");
        eprintln!("{reason}");
    }
    found
}

fn ask(python: &Path, mode: &str, definitions: &BTreeMap<String, Value>) -> BTreeMap<String, Value> {
    let mut child = Command::new(python)
        .args(["-c", SCRIPT, mode])
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

fn ksm(point: bool, ksm_config: KsmConfig) -> TaskDefinition {
    let volume = |digit: char| Volume {
        file_system_id: format!("fs-0123456789abcdef{digit}"),
        access_point_id: point.then(|| format!("fsap-0123456789abcdef{digit}")),
    };
    describe(
        "ksm",
        Shape::Ksm(Ksm {
            images: Images {
                init: "keeper/keeper-secrets-manager-writer:1.0".into(),
                main: "keeper/automator:17.1.5".into(),
            },
            record_uid: "q1ZBkT0xJ7mW8c2Yd4NfRg".parse().unwrap(),
            attachments: Attachments::generation("03ab7f", "9f2c11d0"),
            ksm_config,
            volumes: Volumes { config: volume('0'), settings: volume('1') },
        }),
    )
}

fn describe(family: &str, shape: Shape) -> TaskDefinition {
    Description {
        family: family.into(),
        region: "eu-west-1".into(),
        log_group: "automator-logs".into(),
        cpu: 2048,
        memory: 5120,
        architecture: Some(taskdef::model::CpuArchitecture::Arm64),
        execution_role_arn: "arn:aws:iam::111122223333:role/execution".into(),
        task_role_arn: Some("arn:aws:iam::111122223333:role/task".into()),
        shape,
    }
    .render()
}

/// Both shapes, the guide's own document, and every good document of the table.
fn definitions() -> BTreeMap<String, TaskDefinition> {
    let secret = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:automator-AbCdEf";
    let guide = GuideValues {
        ksm_config: PlainConfig("placeholder".into()),
        record_uid: "q1ZBkT0xJ7mW8c2Yd4NfRg".parse().unwrap(),
        config_file_system: "fs-0123456789abcdef0".into(),
        settings_file_system: "fs-0123456789abcdef1".into(),
        execution_role_arn: "arn:aws:iam::111122223333:role/ECSTaskWritetoLogs".into(),
        region: "eu-west-1".into(),
    };
    let simple =
        Simple { image: "keeper/automator:17.1.5".into(), config_key: secret.into(), port: Simple::DEFAULT_PORT };
    let mut definitions = BTreeMap::from([
        ("our ksm".to_owned(), ksm(true, KsmConfig::Secret(secret.into()))),
        ("our ksm without access points".to_owned(), ksm(false, KsmConfig::Plain(PlainConfig("placeholder".into())))),
        ("our simple".to_owned(), describe("simple", Shape::Simple(simple))),
        ("our guide".to_owned(), Description::guide_exact(&guide)),
    ]);
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/taskdef/good");
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let document = Document::read(&fs::read_to_string(&path).unwrap()).unwrap();
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        definitions.insert(name, document.for_registration().unwrap());
    }
    definitions
}

fn values() -> BTreeMap<String, Value> {
    definitions().into_iter().map(|(name, definition)| (name, definition.to_value())).collect()
}

#[test]
fn witness_botocore_has_nothing_to_say() {
    let Some(python) = python("validate") else { return };
    let mut asked = values();
    // A witness that never objects is none.
    asked.insert("broken".into(), json!({ "family": "x", "cpu": 2048, "containerDefinitions": [{ "cpu": "1024" }] }));
    let mut answers = ask(&python, "validate", &asked);
    let broken = answers.remove("broken").unwrap();
    assert_eq!(broken.as_str().unwrap().lines().count(), 2, "{broken}");
    for (name, report) in answers {
        assert_eq!(report, "", "{name}");
    }
}

#[test]
#[ignore = "CI's Python has botocore only; where moto is installed, run it with --ignored"]
fn witness_moto_gives_back_what_it_was_given() {
    let Some(python) = python("moto") else { return };
    let answers = ask(&python, "moto", &values());
    for (name, mut sent) in definitions() {
        let back = TaskDefinition::from_value(answers[&name].clone()).unwrap();
        // Describing a revision tells its tags only on request.
        sent.tags = None;
        let diff = diff(&sent, &back);
        assert!(diff.is_empty(), "{name}:\n{diff}");
    }
}
