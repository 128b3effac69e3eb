//! The whole guide, from nothing to nothing, in a sandbox.

use std::collections::BTreeMap;

use deployer::exit_codes::ExitCode;
use e2e::Stage;
use e2e::proxy::RecordingProxy;
use keeper_fake::Entry;
use resource_graph::{Event, Outcome, What};
use serde_json::Value;

#[tokio::test]
async fn deploy_then_deploy_changes_nothing_then_destroy_leaves_nothing() {
    let stage = Stage::open().await;
    let proxy = RecordingProxy::start(stage.endpoint()).unwrap();

    let first = stage.run(proxy.endpoint(), "deploy --sandbox --keep").ended(ExitCode::Done);
    let steps = (2..=7).map(|n| format!("K{n}")).chain((1..=17).map(|n| format!("A{n}")));
    for step in steps.filter(|step| step != "A14") {
        let line = first.stdout.lines().rfind(|line| line.starts_with(&format!("{step:<4} ")));
        assert!(line.is_some_and(|line| line.contains(": done")), "{step}: {line:?}\n{}", first.stdout);
    }
    assert!(proxy.calls().iter().any(|call| call.mutating), "the proxy sees what the first deploy changes");
    let made = stage.census().await;
    assert!(made.len() > 15, "{made:?}");
    assert_eq!(stage.vault_census(), vault());
    let said = stage.keeper().journal.len();

    proxy.clear();
    stage.run(proxy.endpoint(), "deploy --sandbox --keep").ended(ExitCode::Done);
    let changed: Vec<_> = proxy.calls().into_iter().filter(|call| call.mutating).collect();
    assert!(changed.is_empty(), "a second deploy changed something: {changed:#?}");
    assert!(!proxy.calls().is_empty(), "a second deploy looks");
    let world = stage.keeper();
    let calls = &world.journal[said..];
    let reads = |entry: &&Entry| entry.method == "GET" || READS.iter().any(|read| entry.call.contains(read));
    let writes: Vec<_> = calls.iter().filter(|entry| !reads(entry)).collect();
    assert!(!calls.is_empty() && writes.is_empty(), "a second deploy wrote to Keeper: {writes:?}");
    assert_eq!(stage.vault_census(), vault());

    let plan = stage.run(proxy.endpoint(), "plan --sandbox --format json").ended(ExitCode::Done);
    let plan: Value = serde_json::from_str(&plan.stdout).unwrap();
    let actions: Vec<&str> =
        plan["changes"].as_array().unwrap().iter().map(|line| line["action"].as_str().unwrap()).collect();
    assert!(actions.len() > 30 && actions.iter().all(|action| *action == "keep"), "{actions:?}");

    stage.run(proxy.endpoint(), "destroy --sandbox --keeper").ended(ExitCode::Done);
    assert_eq!(stage.census().await, BTreeMap::new());
    assert_eq!(stage.vault_census(), BTreeMap::new());
}

/// What one deployment has in Keeper.
fn vault() -> BTreeMap<&'static str, usize> {
    let rows =
        [("folder", 1), ("record", 1), ("file", 3), ("link", 3), ("application", 1), ("share", 1), ("device", 1)];
    rows.into_iter().chain([("automator", 1)]).collect()
}

/// Calls that change nothing but the session.
const READS: [&str; 6] = ["start_login", "account_summary", "sync_down", "get_", "_get", "files_download"];

#[tokio::test]
async fn a_task_gets_its_three_files_with_what_the_secret_holds() {
    let stage = Stage::open().await;
    stage.run(stage.endpoint(), "deploy --sandbox --keep").ended(ExitCode::Done);
    let connection = aws_infra::Connection::to_emulator("eu-west-1", stage.endpoint());
    let aws = aws_infra::Aws::connect(&connection).await.unwrap();
    let secret = aws.secrets.get_secret_value().secret_id("automator/ksm-config").send().await.unwrap();
    let config = ksm_client::Config::parse(secret.secret_string().unwrap()).unwrap();
    assert!(config.is_bound());

    // The cloud goes on where the run left it, at another address.
    let world = stage.keeper();
    let keys = world.server_keys();
    let cloud = keeper_fake::Fake::start(world, keeper_fake::Scheme::Https).await.unwrap();
    let options = ksm_client::Options::new()
        .host(cloud.address().to_string().parse().unwrap())
        .server_keys(keys)
        .authority(cloud.ca_pem().unwrap());
    let client = ksm_client::Client::new(config, options).unwrap();
    let definition = aws.ecs.describe_task_definition().task_definition("automator").send().await.unwrap();
    let definition = definition.task_definition.unwrap();
    let secrets = definition
        .container_definitions()
        .iter()
        .flat_map(|container| container.environment())
        .find(|variable| variable.name() == Some("SECRETS"))
        .and_then(|variable| variable.value())
        .unwrap();
    let wanted = [
        (".pfx", std::fs::read(stage.directory().join("sandbox/world/ssl-certificate.pfx")).unwrap()),
        (".txt", std::fs::read(stage.directory().join("sandbox/world/ssl-certificate-password.txt")).unwrap()),
    ];
    let mut fetched = 0;
    for line in secrets.lines() {
        let notation = line.split(" > ").next().unwrap();
        let bytes = client.value(&notation.parse().unwrap()).await.unwrap();
        for (end, content) in wanted.iter().filter(|(end, _)| notation.ends_with(end)) {
            assert_eq!(&bytes[..], &content[..], "{end}");
        }
        fetched += 1;
    }
    assert_eq!(fetched, 3, "{secrets}");
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
    assert_eq!(steps["A15"], "done");
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

#[tokio::test]
async fn only_some_steps_takes_those_and_what_they_need() {
    let stage = Stage::open().await;
    stage.run(stage.endpoint(), "deploy --sandbox --keep --only A7,A9").ended(ExitCode::Done);
    let made = stage.census().await;
    assert_eq!(made.keys().copied().collect::<Vec<_>>(), ["certificate", "ecs-cluster"], "{made:?}");
    let refused = stage.run(stage.endpoint(), "deploy --sandbox --keep --only A9,X5").ended(ExitCode::Usage);
    assert!(refused.stderr.contains("error[step-empty]: step X5:"), "{}", refused.stderr);
}
