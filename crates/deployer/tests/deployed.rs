//! `taskdef lint` and `diff` of what is registered, against Moto.
#![cfg(unix)]

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;

use aws_infra::ecs::register;
use aws_infra::{Aws, Connection, Home};
use jiff::Timestamp;
use serde_json::Value;
use taskdef::Document;

/// How a run ended.
struct Ran {
    code: Option<i32>,
    stdout: String,
    stderr: String,
}

/// The program with dummy keys and nothing else of this process's environment.
fn run(folder: &Path, endpoint: &str, line: &str) -> Ran {
    let mut command = Command::new(env!("CARGO_BIN_EXE_keeper-automator"));
    command.env_clear().current_dir(folder).stdin(Stdio::null()).env("HOME", folder).env("LANG", "C");
    command.env("AWS_ACCESS_KEY_ID", "testing").env("AWS_SECRET_ACCESS_KEY", "testing");
    command.env("AWS_EC2_METADATA_DISABLED", "true").env("AWS_ENDPOINT_URL", endpoint).env("AWS_REGION", "eu-west-1");
    let output = command.args(line.split_whitespace()).output().expect("the program starts");
    let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
    Ran { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
}

#[tokio::test]
async fn what_is_deployed_is_linted_and_compared() {
    let target = Path::new(env!("CARGO_BIN_EXE_keeper-automator")).ancestors().nth(2).unwrap();
    let emulator = sandbox::find_or_start(&sandbox::Settings::from_env(target), &|_| ()).await.expect("an emulator");
    let aws = Aws::connect(&Connection::to_emulator("eu-west-1", &emulator.endpoint)).await.expect("connect");
    let home = Home::new(Arc::new(aws), "deployed", BTreeMap::new());
    let folder = tempfile::tempdir().unwrap();
    let run = |line: &str| run(folder.path(), &emulator.endpoint, line);
    let put = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    let family = format!("deployed-{}", Timestamp::now().as_nanosecond());
    let fixture = |name: &str| {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/taskdef").join(name);
        let mut definition = Document::read(&std::fs::read_to_string(path).unwrap()).unwrap().definition;
        definition.family = family.clone();
        definition
    };
    let good = fixture("good/logging-awslogs.json");

    let nowhere = run(&format!("taskdef lint --deployed {family}"));
    assert_eq!(nowhere.code, Some(4), "{}", nowhere.stderr);
    assert!(nowhere.stderr.contains("error[taskdef-not-deployed]"), "{}", nowhere.stderr);

    register(&home, &good).await.unwrap();
    let linted = run(&format!("taskdef lint --deployed {family}"));
    assert_eq!((linted.code, linted.stdout.as_str()), (Some(0), ""), "{}", linted.stderr);
    assert!(linted.stderr.contains(&format!("task-definition/{family}:1: 0 errors")), "{}", linted.stderr);
    put("new.json", &good.to_value().to_string());
    let same = run(&format!("taskdef diff --deployed {family} new.json"));
    assert_eq!((same.code, same.stdout.as_str()), (Some(0), ""), "{}", same.stderr);

    // The newest revision counts, and what is wrong with it has its place in the document that ECS tells.
    let mut worse = good.to_value();
    worse["containerDefinitions"][0]["environment"] =
        serde_json::json!([{ "name": "DB_PASSWORD", "value": "marker-of-one" }]);
    register(&home, &Document::read(&worse.to_string()).unwrap().definition).await.unwrap();
    let linted = run(&format!("taskdef lint --deployed {family} --format json"));
    let json: Value = serde_json::from_str(&linted.stdout).unwrap();
    let findings = json["findings"].as_array().unwrap();
    let here =
        |one: &&Value| one["pointer"].as_str().is_some_and(|at| at.starts_with("/containerDefinitions/0/environment"));
    let found = findings.iter().find(here).unwrap_or_else(|| panic!("{json:#}"));
    assert!(found["line"].is_number(), "{found:#}");
    assert!(found["file"].as_str().unwrap().ends_with(&format!("task-definition/{family}:2")), "{found:#}");
    let differs = run(&format!("taskdef diff --deployed {family} new.json"));
    assert_eq!(differs.code, Some(1), "{}", differs.stderr);
    assert!(differs.stdout.contains("DB_PASSWORD") && !differs.stdout.contains("marker-of-one"), "{}", differs.stdout);

    // The config names family, region and endpoint.
    let smallest = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/config/smallest.toml");
    let name = format!("d{}", Timestamp::now().as_microsecond() % 1_000_000_000);
    let config = std::fs::read_to_string(smallest).unwrap().replace("\"automator\"", &format!("\"{name}\""));
    put("automator.toml", &format!("{config}\n[endpoint]\nurl = \"{}\"\n", emulator.endpoint));
    let missing = run("taskdef lint --config automator.toml");
    assert!(missing.stderr.contains(&format!("of family `{name}` in eu-west-1")), "{}", missing.stderr);
    let mut named = good.clone();
    named.family = name;
    register(&home, &named).await.unwrap();
    put("named.json", &named.to_value().to_string());
    let same = run("taskdef diff --config automator.toml named.json");
    assert_eq!((same.code, same.stdout.as_str()), (Some(0), ""), "{}", same.stderr);
    let wrong = run("taskdef lint --config gone.toml");
    assert_eq!(wrong.code, Some(2));
    assert!(wrong.stderr.contains("error[config-unreadable]"), "{}", wrong.stderr);
    assert_eq!(run(&format!("taskdef diff --deployed {family} new.json new.json")).code, Some(2));
    assert_eq!(run("taskdef lint").code, Some(2));
}
