//! Two deploys of one deployment at once: one wins, the other says who holds the lock.

use std::time::Duration;

use anyhow::{Context, Result, ensure};

use super::Told;
use super::way::BY_HAND;
use crate::harness::Scene;
use crate::harness::wait::until;
use crate::proxy::Fault;

pub(super) async fn play(scene: &mut Scene) -> Result<Told> {
    let line = BY_HAND.deploy(scene);
    // What comes after the lock is slow, so that the first is still at work when the second comes.
    scene.proxy.set_script(|call| {
        let slow = ["CreateVpc", "CreateRole", "CreateSecurityGroup"].contains(&call.operation.as_str());
        slow.then_some(Fault::Delay(Duration::from_millis(1500)))
    });
    let first = scene.desk.spawn(&line)?;
    let winner = first.id().context("the first run has a process")?;
    let taken = async || {
        scene.proxy.calls().iter().any(|call| call.operation == "CreateLogGroup" && call.is_ok()).then_some(())
    };
    until(Duration::from_secs(60), taken).await.context("wait for the first run to take the lock")?;
    let second = scene.desk.run(&line).await?;
    let first = scene.desk.finish(first).await?;
    scene.proxy.end_script();
    ensure!(first.code == Some(0), "the first run ended with {:?}:\n{}", first.code, first.said());
    ensure!(
        second.code == Some(5),
        "the second run should find the lock held, and ended with {:?}:\n{}",
        second.code,
        second.said()
    );
    ensure!(
        second.said().contains(&format!("process {winner}")),
        "it should say who holds the lock:\n{}",
        second.said()
    );
    if scene.only().is_empty() {
        scene.desk.all_keep("").await?;
    }
    Ok(Told::did("one wins, the other is told who"))
}
