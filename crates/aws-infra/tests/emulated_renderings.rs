//! What Moto makes of every task definition that the crate `taskdef` renders, and of every good one of its table: it takes them,
//! and gives them back.
//!
//! Moto refuses next to nothing, so that it takes them proves little; that nothing is lost on the way there and back does.
#![cfg(unix)]

#[path = "../../taskdef/tests/renderings/mod.rs"]
mod renderings;

use std::collections::BTreeMap;
use std::sync::Arc;

use aws_infra::ecs::{TaskDefinitions, deployed, register};
use aws_infra::{Aws, Connection, Home};
use jiff::Timestamp;
use resource_graph::{Cx, Inventory};
use taskdef::{Document, diff};

async fn emulated() -> (sandbox::Emulator, Home) {
    let target = concat!(env!("CARGO_MANIFEST_DIR"), "/../../target");
    let settings = sandbox::Settings::from_env(target);
    let emulator = sandbox::find_or_start(&settings, &|_| ()).await.expect("find or start an emulator");
    let aws = Aws::connect(&Connection::to_emulator("eu-west-1", &emulator.endpoint)).await.expect("connect");
    let home = Home::new(Arc::new(aws), "renderings", BTreeMap::new());
    (emulator, home)
}

#[tokio::test]
async fn a_revision_that_is_gone_is_destroyed() {
    let (_emulator, home) = emulated().await;
    let (_, mut definition) = renderings::definitions().into_iter().next().unwrap();
    definition.family = format!("gone-{}", Timestamp::now().as_nanosecond());
    let arn = register(&home, &definition).await.unwrap();
    let inventory = TaskDefinitions { home: home.clone(), family: definition.family.clone() };
    let cx = Cx::quiet();
    for _ in 0..2 {
        inventory.destroy(&cx, arn.clone()).await.unwrap();
        assert!(deployed(&home, &definition.family).await.unwrap().is_none());
    }
}

#[tokio::test]
async fn every_rendering_comes_back_equal_witness_moto() {
    let (_emulator, home) = emulated().await;
    let definitions = renderings::definitions();
    assert!(definitions.len() >= 14, "{}", definitions.len());
    let unique = Timestamp::now().as_nanosecond();
    for (index, (name, mut sent)) in definitions.into_iter().enumerate() {
        let family = format!("rendering-{unique}-{index}");
        sent.family = family.clone();
        assert!(deployed(&home, &family).await.unwrap().is_none(), "{name}");
        let arn = register(&home, &sent).await.unwrap_or_else(|error| panic!("{name}: {error:?}"));
        let back = deployed(&home, &family).await.unwrap().expect("it was registered");
        assert_eq!(back["taskDefinitionArn"].as_str(), Some(arn.as_str()), "{name}");
        let back = Document::from_value(back).unwrap().definition;
        // Describing a revision tells its tags beside the document.
        sent.tags = None;
        let found = diff(&sent, &back);
        assert!(found.is_empty(), "{name}:\n{found}");
    }
}
