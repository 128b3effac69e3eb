//! The whole guide, from nothing to nothing.

use std::collections::BTreeMap;

use anyhow::{Result, ensure};

use super::Told;
use crate::harness::Scene;

pub(super) async fn play(scene: &mut Scene) -> Result<Told> {
    let only = scene.only();
    let first = scene.desk.deploy(&only).await?;
    let steps = steps(&first.stdout);
    ensure!(steps.values().any(|state| state == "done"), "the tree of a deploy names no step that is done");
    ensure!(scene.changes().len() > 20, "a first deploy should change something");
    let made = scene.account().await?;

    scene.proxy.clear();
    scene.desk.deploy(&only).await?;
    let changed = scene.changes();
    ensure!(changed.is_empty(), "a second deploy changed something: {changed:?}");
    ensure!(!scene.proxy.calls().is_empty(), "a second deploy should look");
    ensure!(scene.account().await? == made, "a second deploy should leave everything as it is");
    let kept = if only.is_empty() { scene.desk.all_keep("").await? } else { 0 };

    scene.desk.expect("destroy --yes").await?;
    scene.nothing_left().await?;
    scene.desk.expect("destroy --yes").await?;
    let things = made.0.len();
    let kept = if only.is_empty() { format!(", {kept} nodes kept") } else { String::new() };
    Ok(Told { did: format!("{things} things made{kept}, none left"), steps })
}

/// How each step ended: the lines of the tree that begin with a step, `A1   Create the VPC: done  0.5 s`.
pub(super) fn steps(said: &str) -> BTreeMap<String, String> {
    let mut steps = BTreeMap::new();
    for line in said.lines() {
        let Some((step, rest)) = line.split_once(' ') else { continue };
        let is_step = step.len() <= 3 && step.starts_with(['K', 'A', 'X']) && step[1..].parse::<u8>().is_ok();
        if let Some((_, state)) = rest.rsplit_once(": ").filter(|_| is_step) {
            let state = state.split("  ").next().unwrap_or_default();
            steps.insert(step.to_owned(), state.to_owned());
        }
    }
    steps
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_read_off_the_tree() {
        let said = "  A1   vpc   create   automator\n 3 create\nA1   Create the VPC: done  0.5 s\n       vpc  created  0.1 s\n\
                    A14  Install Keeper Commander: not needed\nX5   Create the alarms: not in this version\nA thing: x\n";
        let found: Vec<_> = steps(said).into_iter().map(|(step, state)| format!("{step} {state}")).collect();
        assert_eq!(found, ["A1 done", "A14 not needed", "X5 not in this version"]);
    }
}
