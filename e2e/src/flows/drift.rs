//! Each thing deleted by hand, an attribute of each thing changed by hand: `plan` names what the table says, `deploy`
//! restores it, and nothing else changes.

use std::collections::BTreeSet;

use anyhow::{Context, Result, bail, ensure};

use super::Told;
use super::table::{CHANGED, CHANGED_TOGETHER, DELETED, DELETED_TOGETHER, Round, Row, node, rounds};
use crate::harness::{Account, Scene, change, delete};

pub(super) async fn deleted(scene: &mut Scene) -> Result<Told> {
    rows(scene, &DELETED, DELETED_TOGETHER, "deleted by hand").await
}

pub(super) async fn changed(scene: &mut Scene) -> Result<Told> {
    rows(scene, &CHANGED, CHANGED_TOGETHER, "changed by hand").await
}

async fn rows(scene: &mut Scene, rows: &'static [Row], together: usize, what: &str) -> Result<Told> {
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
    let mut before = scene.account().await?;
    let rounds = rounds(rows.iter().filter(|row| !rest.contains(row.node)), together);
    for (number, round) in rounds.iter().enumerate() {
        let next = rounds.get(number + 1);
        match play(scene, round, next, &rest, &before).await {
            Ok(after) => {
                done += round.rows.len();
                before = after;
            }
            Err(error) => {
                failures.push(format!("{} {what}: {error:#}", round.nodes()));
                // The next one shall not suffer for this one.
                match anew(scene, &only).await {
                    Ok(after) => before = after,
                    Err(error) => {
                        failures.push(format!("begin anew: {error:#}"));
                        break;
                    }
                }
            }
        }
    }
    if !failures.is_empty() {
        bail!("{}", failures.join("\n"));
    }
    Ok(Told::did(format!("{done} {what}")))
}

async fn anew(scene: &mut Scene, only: &str) -> Result<Account> {
    scene.empty().await?;
    scene.desk.deploy(only).await?;
    scene.account().await
}

/// The nodes that the plan does not keep.
async fn rest(scene: &Scene) -> Result<BTreeSet<String>> {
    let changes = scene.desk.plan("").await?.changes();
    Ok(changes.iter().map(|line| node(line).to_owned()).collect())
}

/// Plays a round in an account of which `before` is known; gives what is there afterwards.
async fn play(
    scene: &Scene,
    round: &Round,
    next: Option<&Round>,
    rest: &BTreeSet<String>,
    before: &Account,
) -> Result<Account> {
    for row in &round.rows {
        if row.by_hand.is_empty() {
            change(&scene.aws, before, &scene.desk, row.node).await.context("do it by hand")?;
        }
        for node in row.by_hand.iter().filter(|node| !rest.contains(**node)) {
            delete(&scene.aws, before, node).await.with_context(|| format!("delete {node} by hand"))?;
        }
    }
    let carried = |line: &&str| !rest.contains(node(line));
    let plan = scene.desk.plan("").await?.changes();
    let plan: Vec<&str> = plan.iter().map(String::as_str).filter(carried).collect();
    scene.desk.deploy(&scene.only()).await?;
    let table: Vec<&str> = round.plan().into_iter().filter(carried).collect();
    ensure!(plan == table, "the plan said {plan:?}\n  and the table {table:?}");
    let after = scene.account().await?;
    unharmed(before, &after, round)?;
    if next.is_none_or(|next| !next.shows(round)) {
        let now = self::rest(scene).await?;
        ensure!(now == *rest, "the plan should keep everything but {rest:?}, and changes {now:?}");
    }
    Ok(after)
}

/// As many of each kind as before, and what the plan did not name is the very same.
fn unharmed(before: &Account, after: &Account, round: &Round) -> Result<()> {
    // A revision more is how a task definition changes; the older one stays for a rollback.
    let census = |account: &Account| {
        let mut census = account.census();
        census.remove("task-definition");
        census
    };
    ensure!(census(before) == census(after), "{:?} became {:?}", census(before), census(after));
    let touched: BTreeSet<&str> = round.plan().into_iter().map(node).collect();
    let deleted = round.rows.iter().any(|row| !row.by_hand.is_empty());
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
        let given_back = same || deleted || thing.kind == "ecs-service" && touched.contains("task-definition");
        ensure!(given_back, "{key}, {}, reads {:?} and should read {:?} again", thing.node, now.text, thing.text);
    }
    Ok(())
}
