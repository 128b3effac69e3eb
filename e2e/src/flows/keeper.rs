//! The guide with its Keeper half: from an empty vault and an empty account to a set-up Automator, and back.

use anyhow::{Context, Result, ensure};

use super::{Told, guide};
use crate::harness::Scene;
use crate::harness::keeper::vault;

const CONFIG: &str = "--config keeper.toml";

pub(super) async fn play(scene: &mut Scene) -> Result<Told> {
    if !scene.until().is_empty() {
        return Ok(Told { did: "not carried".to_owned(), ..Told::default() });
    }
    let empty = vault(&scene.desk)?;
    let first = scene.desk.expect(&format!("deploy {CONFIG} --yes --acknowledge-a16")).await?;
    let steps = guide::steps(&first.stdout);
    for step in ["K2", "K3", "K4", "K5", "K6", "K7", "A12", "A13", "A15"] {
        let state = steps.get(step).map(String::as_str);
        ensure!(state == Some("done"), "{step} should be done, and is {state:?}:\n{}", first.stdout);
    }
    let made = scene.account().await?;
    let [records, folders, applications] = vault(&scene.desk)?;
    ensure!(applications == empty[2] + 1 && folders > empty[1] && records > empty[0], "the vault should be filled");

    scene.proxy.clear();
    scene.desk.expect(&format!("deploy {CONFIG} --yes --acknowledge-a16")).await?;
    let changed = scene.changes();
    ensure!(changed.is_empty(), "a second deploy changed something: {changed:?}");
    ensure!(vault(&scene.desk)? == [records, folders, applications], "a second deploy should leave the vault as it is");

    scene.desk.expect(&format!("destroy {CONFIG} --yes")).await?;
    scene.nothing_left().await?;
    let left = vault(&scene.desk)?;
    ensure!(left == empty, "records, folders and applications left in the vault: {left:?}, and {empty:?} before");
    let filled = records - empty[0] + folders - empty[1] + applications - empty[2];
    scene.empty().await.context("leave an empty account")?;
    Ok(Told { did: format!("{} things and {filled} in the vault made, none left", made.0.len()), steps })
}
