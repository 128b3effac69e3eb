//! Whatever goes wrong on the way, running again ends well: no twin, nothing left.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

use super::{Measure, Told};
use crate::harness::Scene;
use crate::harness::desk::SAYS;
use crate::harness::wait::pause;
use crate::proxy::{Call, Fault};

/// How often a run is begun again while faults go on.
const AGAIN: usize = 3;
/// How many calls of a thousand go wrong.
const RATE: u64 = 60;

/// The answer of every single create is lost once, and of every single delete.
pub(super) async fn lost(scene: &mut Scene) -> Result<Told> {
    let until = scene.until();
    scene.desk.deploy(&until).await?;
    let census = scene.account().await?.census();
    let mut wanted: BTreeMap<String, usize> = BTreeMap::new();
    for call in scene.proxy.calls().iter().filter(|call| call.is_create()) {
        *wanted.entry(call.operation.clone()).or_default() += 1;
    }
    scene.empty().await?;
    let lost: Arc<Mutex<BTreeSet<(String, u64)>>> = Arc::default();
    let (seen, most) = (Arc::clone(&lost), wanted.clone());
    scene.proxy.set_script(move |call| {
        let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
        let so_far = seen.iter().filter(|(operation, _)| *operation == call.operation).count();
        let room = most.get(&call.operation).is_some_and(|most| so_far < *most);
        (room && seen.insert((call.operation.clone(), call.fingerprint))).then_some(Fault::CutAfter)
    });
    for _ in 0..AGAIN {
        if scene.desk.run(&format!("deploy --yes {SAYS} {until}")).await?.code == Some(0) {
            break;
        }
    }
    scene.proxy.end_script();
    let lost = lost.lock().unwrap_or_else(PoisonError::into_inner).clone();
    for (operation, count) in &wanted {
        let times = lost.iter().filter(|(lost, _)| lost == operation).count();
        ensure!(times > 0, "no answer of {operation} was lost, of {count}");
    }
    finished(scene, &until, &census).await.context("after every create's answer was lost")?;

    // What is deleted already is no reason to fail, so one run is enough here.
    scene.proxy.clear();
    let seen: Mutex<BTreeSet<u64>> = Mutex::default();
    scene.proxy.set_script(move |call| {
        let delete = ["Delete", "Deregister", "Detach", "Disassociate", "Revoke"]
            .iter()
            .any(|word| call.operation.starts_with(word));
        let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
        (delete && seen.insert(call.fingerprint)).then_some(Fault::CutAfter)
    });
    scene.desk.expect("destroy --yes").await.context("destroy while every delete's answer is lost")?;
    scene.proxy.end_script();
    scene.nothing_left().await?;
    let gone: BTreeSet<String> =
        scene.proxy.calls().into_iter().filter(|call| call.fault.is_some()).map(|call| call.operation).collect();
    Ok(Told::did(format!("{} kinds of creates and {} of deletes lost their answers", wanted.len(), gone.len())))
}

/// Deploy and destroy under faults that a seed decides.
pub(super) async fn seeds(scene: &mut Scene, measure: Measure) -> Result<Told> {
    let until = scene.until();
    scene.desk.deploy(&until).await?;
    let census = scene.account().await?.census();
    for seed in measure.first_seed..measure.first_seed + measure.seeds {
        scene.empty().await?;
        for (line, finish) in [(format!("deploy --yes {SAYS} {until}"), true), ("destroy --yes".to_owned(), false)] {
            scene.proxy.clear();
            scene.proxy.set_script(random(seed));
            for _ in 0..AGAIN {
                if scene.desk.run(&line).await?.code == Some(0) {
                    break;
                }
            }
            scene.proxy.end_script();
            let faults = scene.proxy.calls().iter().filter(|call| call.fault.is_some()).count();
            ensure!(faults > 0, "seed {seed} made nothing go wrong");
            if finish {
                finished(scene, &until, &census).await.with_context(|| format!("deploy with seed {seed}"))?;
            } else {
                scene.desk.expect("destroy --yes").await.with_context(|| format!("destroy with seed {seed}"))?;
                scene.nothing_left().await.with_context(|| format!("destroy with seed {seed}"))?;
            }
        }
    }
    Ok(Told::did(format!("{} seeds, each for deploy and destroy", measure.seeds)))
}

/// SIGKILL at random moments of a deploy and of a destroy.
pub(super) async fn kills(scene: &mut Scene, measure: Measure) -> Result<Told> {
    let until = scene.until();
    let start = Instant::now();
    scene.desk.deploy(&until).await?;
    let whole = start.elapsed();
    let census = scene.account().await?.census();
    for kill in 0..measure.kills {
        let destroy = kill % 2 == 1;
        if !destroy {
            scene.empty().await?;
        }
        let permille = u32::try_from(mix(measure.first_seed.wrapping_mul(1000) + kill) % 1000).unwrap_or(500);
        let moment = whole * permille / 1000;
        let line = if destroy { "destroy --yes".to_owned() } else { format!("deploy --yes {SAYS} {until}") };
        let mut child = scene.desk.spawn(&line)?;
        pause(moment).await;
        child.start_kill().context("end the run")?;
        child.wait().await?;
        let what = format!("{} killed after {moment:?}", line.split(' ').next().unwrap_or_default());
        if destroy {
            scene.desk.expect("destroy --yes").await.context(what.clone())?;
            scene.nothing_left().await.context(what)?;
        } else {
            finished(scene, &until, &census).await.context(what)?;
        }
    }
    Ok(Told::did(format!("{} kills", measure.kills)))
}

/// The next run ends well, keeps everything afterwards, and there is no twin of anything.
async fn finished(scene: &Scene, until: &str, census: &BTreeMap<&'static str, usize>) -> Result<()> {
    scene.desk.deploy(until).await?;
    if until.is_empty() {
        scene.desk.all_keep("").await?;
    }
    let now = scene.account().await?.census();
    ensure!(now == *census, "there should be {census:?}, and there is {now:?}");
    Ok(())
}

/// Faults that depend on the seed and on how often an operation was called, so that a seed is much the same each time.
fn random(seed: u64) -> impl Fn(&Call) -> Option<Fault> + Send + Sync + 'static {
    let counts: Mutex<BTreeMap<String, u64>> = Mutex::default();
    move |call| {
        let mut counts = counts.lock().unwrap_or_else(PoisonError::into_inner);
        let nth = counts.entry(call.operation.clone()).or_default();
        *nth += 1;
        let name = call.operation.bytes().fold(seed, |hash, byte| mix(hash ^ u64::from(byte)));
        let dice = mix(name ^ *nth);
        if dice % 1000 >= RATE {
            return None;
        }
        Some(match dice / 1000 % 6 {
            0 => Fault::Answer { status: 400, code: throttled(&call.service).to_owned() },
            1 => Fault::Answer { status: 500, code: "InternalError".to_owned() },
            2 => Fault::Answer { status: 503, code: "ServiceUnavailable".to_owned() },
            3 => Fault::Delay(Duration::from_millis(700)),
            4 => Fault::CutBefore,
            _ => Fault::CutAfter,
        })
    }
}

/// How a service says "too fast".
fn throttled(service: &str) -> &'static str {
    match service {
        "ec2" => "RequestLimitExceeded",
        "iam" | "elasticloadbalancing" | "route53" | "sts" => "Throttling",
        _ => "ThrottlingException",
    }
}

/// SplitMix64.
fn mix(value: u64) -> u64 {
    let mut z = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
