//! Answers that are lost and runs that are killed: whatever happens, running again converges and makes no twin.

use std::collections::BTreeMap;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use aws_infra::default_http_client;
use aws_infra::wire::{Fault, Faults};
use deployer::exit_codes::ExitCode;
use e2e::Stage;
use serde_json::Value;

fn all_keep(plan: &str) {
    let plan: Value = serde_json::from_str(plan).unwrap();
    let changes = plan["changes"].as_array().unwrap();
    let other: Vec<&Value> = changes.iter().filter(|line| line["action"] != "keep").collect();
    assert!(other.is_empty(), "{other:#?}");
}

#[tokio::test]
async fn an_answer_lost_at_any_create_makes_no_twin() {
    let stage = Stage::open().await;
    let made = Arc::new(Mutex::new(Vec::new()));
    let record = Arc::clone(&made);
    let http = Faults::before(default_http_client(), move |operation| {
        if operation.is_create() {
            record.lock().unwrap().push(operation.to_string());
        }
        None
    });
    stage.run_with(http, "deploy --sandbox --keep").await.ended(ExitCode::Done);
    let creates = made.lock().unwrap().clone();
    let (census, vault) = (stage.census().await, stage.vault_census());
    assert!(creates.len() > 25, "{creates:?}");

    // The order of creates varies from run to run, so a fault is named by operation and how often it was called.
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for create in &creates {
        let nth = counts.entry(create).or_default();
        *nth += 1;
        let (name, nth) = (create.clone(), *nth);
        stage.reset().await;
        let (seen, lost) = (AtomicUsize::new(0), Arc::new(AtomicUsize::new(0)));
        let done = Arc::clone(&lost);
        let wanted = name.clone();
        let http = Faults::before(default_http_client(), move |operation| {
            let hit = operation.to_string() == wanted && seen.fetch_add(1, Ordering::SeqCst) + 1 == nth;
            hit.then(|| {
                done.fetch_add(1, Ordering::SeqCst);
                Fault::CutAfter
            })
        });
        let ran = stage.run_with(http, "deploy --sandbox --keep").await;
        assert_eq!(lost.load(Ordering::SeqCst), 1, "{name} #{nth} was not called");
        // Also where this run is done: Moto heeds no `ClientToken` of EFS, so the SDK's own repetition makes a second access point
        // there, which the next run retires.
        stage.run_with(default_http_client(), "deploy --sandbox --keep").await.ended(ExitCode::Done);
        assert_eq!(stage.census().await, census, "after the lost answer of {name} #{nth}");
        assert_eq!(stage.vault_census(), vault, "after the lost answer of {name} #{nth}");
        println!("{name} #{nth}: answer lost, first run ended with {:?}, no twin", ran.code);
    }
}

#[tokio::test]
#[expect(clippy::disallowed_methods, reason = "the moment of the kill is a time and nothing else")]
async fn a_run_killed_at_any_moment_is_finished_by_the_next() {
    let stage = Stage::open().await;
    let start = Instant::now();
    stage.run(stage.endpoint(), "deploy --sandbox --keep").ended(ExitCode::Done);
    let whole = start.elapsed();
    let (census, vault) = (stage.census().await, stage.vault_census());

    for _ in 0..20 {
        stage.reset().await;
        let permille = u32::try_from(RandomState::new().build_hasher().finish() % 1000).expect("less than a thousand");
        let moment = whole * permille / 1000;
        let mut child = stage.command(stage.endpoint(), "deploy --sandbox --keep");
        let mut child = child.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null()).spawn().unwrap();
        tokio::time::sleep(moment).await;
        child.kill().unwrap();
        child.wait().unwrap();
        let between = stage.census().await;
        stage.run(stage.endpoint(), "deploy --sandbox --keep").ended(ExitCode::Done);
        let plan = stage.run(stage.endpoint(), "plan --sandbox --format json").ended(ExitCode::Done);
        all_keep(&plan.stdout);
        assert_eq!(stage.census().await, census, "after a kill at {moment:?}");
        assert_eq!(stage.vault_census(), vault, "after a kill at {moment:?}");
        println!("killed after {moment:?} with {} things made: finished, no twin", between.values().sum::<usize>());
    }
}
