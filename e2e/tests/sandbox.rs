//! The AWS half of the guide, from nothing to nothing, in a sandbox.

use std::collections::BTreeMap;

use deployer::exit_codes::ExitCode;
use e2e::Stage;
use e2e::proxy::RecordingProxy;
use resource_graph::{Event, Outcome, What};
use serde_json::Value;

#[tokio::test]
async fn deploy_then_deploy_changes_nothing_then_destroy_leaves_nothing() {
    let stage = Stage::open().await;
    let proxy = RecordingProxy::start(stage.endpoint()).unwrap();

    let first = stage.run(proxy.endpoint(), "deploy --sandbox --keep").ended(ExitCode::Done);
    for step in ["A1 ", "A2 ", "A3 ", "A4 ", "A5 ", "A6 ", "A7 ", "A8 ", "A9 ", "A10", "A11", "A12", "A13"] {
        let line = first.stdout.lines().rfind(|line| line.starts_with(step)).unwrap_or_default();
        assert!(line.contains(": done"), "{step}: {line}\n{}", first.stdout);
    }
    for step in ["A14", "A15", "A16", "A17"] {
        let line = first.stdout.lines().find(|line| line.starts_with(step)).unwrap_or_default();
        assert!(line.contains("not in this version"), "{line}");
    }
    assert!(proxy.calls().iter().any(|call| call.mutating), "the proxy sees what the first deploy changes");
    let made = stage.census().await;
    assert!(made.len() > 15, "{made:?}");

    proxy.clear();
    stage.run(proxy.endpoint(), "deploy --sandbox --keep").ended(ExitCode::Done);
    let changed: Vec<_> = proxy.calls().into_iter().filter(|call| call.mutating).collect();
    assert!(changed.is_empty(), "a second deploy changed something: {changed:#?}");
    assert!(!proxy.calls().is_empty(), "a second deploy looks");

    let plan = stage.run(proxy.endpoint(), "plan --sandbox --format json").ended(ExitCode::Done);
    let plan: Value = serde_json::from_str(&plan.stdout).unwrap();
    let actions: Vec<&str> =
        plan["changes"].as_array().unwrap().iter().map(|line| line["action"].as_str().unwrap()).collect();
    assert!(actions.len() > 30 && actions.iter().all(|action| *action == "keep"), "{actions:?}");

    stage.run(proxy.endpoint(), "destroy --sandbox").ended(ExitCode::Done);
    assert_eq!(stage.census().await, BTreeMap::new());
}

#[tokio::test]
async fn the_events_of_a_run_are_one_line_each_and_say_how_every_node_ended() {
    let stage = Stage::open().await;
    let ran = stage.run(stage.endpoint(), "deploy --sandbox --keep --format json").ended(ExitCode::Done);
    let schema: Value = serde_json::from_str(include_str!("../../schemas/events.json")).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let mut ends: BTreeMap<String, usize> = BTreeMap::new();
    let mut steps = BTreeMap::new();
    for line in ran.stdout.lines() {
        let value: Value = serde_json::from_str(line).unwrap();
        if let Err(error) = validator.validate(&value) {
            panic!("{error}\n{line}");
        }
        let event: Event = serde_json::from_value(value).unwrap();
        match (event.what, event.subject) {
            (What::Finished { outcome, .. }, Some(subject)) => {
                assert!(matches!(outcome, Outcome::Created | Outcome::Updated | Outcome::Kept), "{line}");
                *ends.entry(subject.node.to_string()).or_default() += 1;
            }
            (What::Step { step, state }, _) => {
                steps.insert(step, state);
            }
            _ => {}
        }
    }
    assert!(ends.len() > 30 && ends.values().all(|count| *count == 1), "{ends:?}");
    assert_eq!(steps["A13"], "done");
    assert_eq!(steps["A15"], "not in this version");
}

#[tokio::test]
async fn a_sandbox_that_is_not_kept_is_torn_down() {
    let stage = Stage::open().await;
    let ran = stage.run(stage.endpoint(), "deploy --sandbox").ended(ExitCode::Done);
    assert!(ran.stderr.contains("nothing is left in the sandbox"), "{}", ran.stderr);
    assert_eq!(stage.census().await, BTreeMap::new());
}

#[tokio::test]
async fn until_a_step_does_that_step_and_what_it_needs() {
    let stage = Stage::open().await;
    stage.run(stage.endpoint(), "deploy --sandbox --keep --until A5").ended(ExitCode::Done);
    let made = stage.census().await;
    assert_eq!(made.get("security-group"), Some(&3), "{made:?}");
    assert_eq!(made.get("efs-file-system"), None, "{made:?}");
}
