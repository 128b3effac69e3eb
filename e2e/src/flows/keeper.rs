//! The guide with its Keeper half: from an empty vault and an empty account to a set-up Automator, and back; and what an
//! administrator deletes or changes by hand in between.

use anyhow::{Context, Result, bail, ensure};

use super::table::{IN_KEEPER, Round, rounds};
use super::way::SIGNED_IN;
use super::{Told, guide};
use crate::harness::{Account, Scene};

pub(super) async fn play(scene: &mut Scene) -> Result<Told> {
    let empty = scene.administrator.census().await?;
    ensure!(empty.iter().all(|(_, count)| *count == 0), "the vault should be empty, and has {empty:?}");
    let first = scene.desk.expect(&SIGNED_IN.deploy(scene)).await?;
    let steps = guide::steps(&first.stdout);
    for step in ["K2", "K3", "K4", "K5", "K6", "K7", "A12", "A13", "A15"] {
        let state = steps.get(step).map(String::as_str);
        ensure!(state == Some("done"), "{step} should be done, and is {state:?}:\n{}", first.stdout);
    }
    let made = scene.account().await?;
    let filled = scene.administrator.census().await?;
    ensure!(filled.iter().all(|(_, count)| *count > 0), "the vault should have some of everything: {filled:?}");

    scene.proxy.clear();
    scene.desk.expect(&SIGNED_IN.deploy(scene)).await?;
    let changed = scene.changes();
    ensure!(changed.is_empty(), "a second deploy changed something: {changed:?}");
    let asked = |service: &str| scene.proxy.calls().iter().any(|call| call.service == service);
    ensure!(asked("keeper") && asked("ec2"), "a second deploy should look on both sides");

    let mut failures = Vec::new();
    let rounds = rounds(IN_KEEPER.iter(), 1);
    for (number, round) in rounds.iter().enumerate() {
        if let Err(error) = by_hand(scene, round, rounds.get(number + 1), &made, &filled).await {
            failures.push(format!("{} by hand: {error:#}", round.nodes()));
            if let Err(error) = scene.desk.expect(&SIGNED_IN.deploy(scene)).await {
                failures.push(format!("go on: {error:#}"));
                break;
            }
        }
    }
    if !failures.is_empty() {
        bail!("{}", failures.join("\n"));
    }

    scene.desk.expect(SIGNED_IN.destroy).await?;
    scene.nothing_left().await?;
    let left = scene.administrator.census().await?;
    ensure!(left == empty, "something is left in the vault: {left:?}");
    let things: usize = filled.iter().map(|(_, count)| count).sum();
    let (here, rows) = (made.0.len(), IN_KEEPER.len());
    Ok(Told { did: format!("{here} things in AWS and {things} in Keeper made, {rows} by hand, none left"), steps })
}

async fn by_hand(
    scene: &Scene,
    round: &Round,
    next: Option<&Round>,
    made: &Account,
    filled: &[(&'static str, usize)],
) -> Result<()> {
    for row in &round.rows {
        for node in row.by_hand {
            scene.administrator.delete(node).await.with_context(|| format!("delete {node}"))?;
        }
        if row.by_hand.is_empty() {
            scene.administrator.change(row.node).await.context("change it")?;
        }
    }
    let plan = scene.desk.plan(SIGNED_IN.config).await?.changes();
    scene.desk.expect(&SIGNED_IN.deploy(scene)).await?;
    let table: Vec<&str> = round.plan().into_iter().collect();
    ensure!(plan == table, "the plan said {plan:?}\n  and the table {table:?}");
    let census = scene.administrator.census().await?;
    ensure!(census == filled, "there should be {filled:?}, and there is {census:?}");
    // What rests on Keeper in AWS may follow; nothing comes twice.
    let mut now = scene.account().await?.census();
    let mut then = made.census();
    for census in [&mut now, &mut then] {
        census.remove("task-definition");
    }
    ensure!(now == then, "{then:?} became {now:?}");
    if next.is_none_or(|next| !next.shows(round)) {
        scene.desk.all_keep(SIGNED_IN.config).await?;
    }
    Ok(())
}
