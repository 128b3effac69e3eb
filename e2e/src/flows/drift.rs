//! Each thing deleted by hand, an attribute of each thing changed by hand: `plan` names what the table says, `deploy`
//! restores it, and nothing else changes.

use std::collections::BTreeSet;

use anyhow::{Context, Result, bail, ensure};

use super::Told;
use super::table::{CHANGED, DELETED, Row};
use crate::harness::{Account, Scene, change, delete};

pub(super) async fn deleted(scene: &mut Scene) -> Result<Told> {
    rows(scene, &DELETED, "deleted by hand").await
}

pub(super) async fn changed(scene: &mut Scene) -> Result<Told> {
    rows(scene, &CHANGED, "changed by hand").await
}

async fn rows(scene: &mut Scene, rows: &[Row], what: &str) -> Result<Told> {
    let only = scene.only();
    scene.desk.deploy(&only).await?;
    // Where an emulator does not carry the whole guide, this is what it does not carry.
    let rest = rest(scene).await?;
    ensure!(
        rest.is_empty() || !only.is_empty(),
        "after a deploy the plan should keep everything, and changes {rest:?}"
    );
    let mut failures = Vec::new();
    let mut done = 0;
    for row in rows.iter().filter(|row| !rest.contains(row.node)) {
        match one(scene, row, what, &rest).await {
            Ok(()) => done += 1,
            Err(error) => {
                failures.push(format!("{} {what}: {error:#}", row.node));
                // The next row shall not suffer for this one.
                scene.empty().await?;
                scene.desk.deploy(&only).await.context("begin anew after a row that failed")?;
            }
        }
    }
    if !failures.is_empty() {
        bail!("{}", failures.join("\n"));
    }
    Ok(Told::did(format!("{done} {what}")))
}

/// The nodes that the plan does not keep.
async fn rest(scene: &Scene) -> Result<BTreeSet<String>> {
    let changes = scene.desk.plan("").await?.changes();
    Ok(changes.iter().filter_map(|line| line.split(' ').next()).map(str::to_owned).collect())
}

async fn one(scene: &Scene, row: &Row, what: &str, rest: &BTreeSet<String>) -> Result<()> {
    let before = scene.account().await?;
    if row.by_hand.is_empty() {
        change(&scene.aws, &before, &scene.desk, row.node).await.context("do it by hand")?;
    }
    let there = |node: &&&str| !rest.contains(**node);
    for node in row.by_hand.iter().filter(there) {
        delete(&scene.aws, &before, node).await.with_context(|| format!("delete {node} by hand"))?;
    }
    let carried = |line: &&str| line.split(' ').next().is_some_and(|node| !rest.contains(node));
    let plan = scene.desk.plan("").await?.changes();
    let plan: Vec<&str> = plan.iter().map(String::as_str).filter(carried).collect();
    scene.desk.deploy(&scene.only()).await?;
    let now = self::rest(scene).await?;
    ensure!(now == *rest, "the plan should keep everything but {rest:?}, and changes {now:?}");
    let table: Vec<&str> = row.plan.iter().copied().filter(carried).collect();
    ensure!(plan == table, "the plan said {plan:?}\n  and the table {table:?}");
    let after = scene.account().await?;
    unharmed(&before, &after, row).with_context(|| format!("after {} was {what}", row.node))
}

/// As many of each kind as before, and what the plan did not name is the very same.
fn unharmed(before: &Account, after: &Account, row: &Row) -> Result<()> {
    // A revision more is how a task definition changes; the older one stays for a rollback.
    let census = |account: &Account| {
        let mut census = account.census();
        census.remove("task-definition");
        census
    };
    ensure!(census(before) == census(after), "{:?} became {:?}", census(before), census(after));
    let touched: BTreeSet<&str> = row.plan.iter().filter_map(|line| line.split(' ').next()).collect();
    for (key, thing) in &before.0 {
        let rules = thing.node.replacen("security-group/", "security-group-rules/", 1);
        let named = touched.contains(thing.node.as_str()) || touched.contains(rules.as_str());
        // The count and what a person said are kept with the service.
        let with_it = thing.kind == "ecs-service"
            && ["desired-count", "automator", "user-test"].iter().any(|node| touched.contains(node));
        let Some(now) = after.0.get(key) else {
            ensure!(
                named || thing.kind == "task-definition",
                "{key}, {}, is gone and the plan did not say so",
                thing.node
            );
            continue;
        };
        let same = now.text == thing.text;
        ensure!(same || named || with_it, "{key}, {}, reads {:?} and read {:?}", thing.node, now.text, thing.text);
        // Given back, not only left as somebody's hand made it.
        let given_back = same || !row.by_hand.is_empty() || ["ecs-service", "security-group"].contains(&thing.kind);
        ensure!(given_back, "{key}, {}, reads {:?} and should read {:?} again", thing.node, now.text, thing.text);
    }
    Ok(())
}
