//! Whatever goes wrong on the way, running again ends well: no twin, nothing left.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use deployer::exit_codes::ExitCode;

use super::way::{BY_HAND, SIGNED_IN, Way};
use super::{Measure, Told};
use crate::harness::desk::tail;
use crate::harness::wait::pause;
use crate::harness::{Scene, Undisturbed};
use crate::proxy::{Call, Fault};
use crate::run::Ran;

/// How often a run is begun again while faults go on.
const AGAIN: usize = 3;
/// How many calls of a thousand go wrong.
const RATE: u64 = 60;

/// Answers of creates of every kind are lost, and the answer of every single delete.
pub(super) async fn lost(scene: &mut Scene) -> Result<Told> {
    let made = made(scene, &BY_HAND).await?;
    let wanted = &made.creates;
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
        if is_done(&scene.desk.run(&BY_HAND.deploy(scene)).await?)? {
            break;
        }
    }
    scene.proxy.end_script();
    let lost = lost.lock().unwrap_or_else(PoisonError::into_inner).clone();
    for (operation, count) in wanted {
        let times = lost.iter().filter(|(lost, _)| lost == operation).count();
        ensure!(times > 0, "no answer of {operation} was lost, of {count}");
    }
    finished(scene, &BY_HAND, &made).await.context("after every create's answer was lost")?;

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
    scene.desk.expect(BY_HAND.destroy).await.context("destroy while every delete's answer is lost")?;
    scene.proxy.end_script();
    scene.nothing_left().await?;
    let gone: BTreeSet<String> =
        scene.proxy.calls().into_iter().filter(|call| call.fault.is_some()).map(|call| call.operation).collect();
    Ok(Told::did(format!("{} kinds of creates and {} of deletes lost their answers", wanted.len(), gone.len())))
}

/// Deploy and destroy under faults that a seed decides, every second seed signed in to Keeper.
pub(super) async fn seeds(scene: &mut Scene, measure: Measure) -> Result<Told> {
    let ways = ways(scene);
    for seed in measure.first_seed..measure.first_seed + measure.seeds {
        let way = chosen(&ways, seed);
        let made = &made(scene, way).await?;
        scene.empty().await?;
        for (line, finish) in [(way.deploy(scene), true), (way.destroy.to_owned(), false)] {
            scene.proxy.clear();
            scene.proxy.set_script(random(seed));
            for _ in 0..AGAIN {
                if is_done(&scene.desk.run(&line).await?)? {
                    break;
                }
            }
            scene.proxy.end_script();
            let faults = scene.proxy.calls().iter().filter(|call| call.fault.is_some()).count();
            ensure!(faults > 0, "seed {seed} made nothing go wrong");
            let what = || format!("`{line}` with seed {seed}");
            if finish {
                finished(scene, way, made).await.with_context(what)?;
            } else {
                gone(scene, way).await.with_context(what)?;
            }
        }
    }
    Ok(Told::did(format!("{} seeds, each for deploy and destroy, {}", measure.seeds, told(&ways))))
}

/// SIGKILL at random moments of a deploy and of a destroy, pairs signed in to Keeper in turn with others.
pub(super) async fn kills(scene: &mut Scene, measure: Measure) -> Result<Told> {
    let ways = ways(scene);
    for kill in 0..measure.kills {
        let destroy = kill % 2 == 1;
        let way = chosen(&ways, kill / 2);
        let made = made(scene, way).await?;
        if !destroy {
            scene.empty().await?;
        }
        let permille = u32::try_from(mix(measure.first_seed.wrapping_mul(1000) + kill) % 1000).unwrap_or(500);
        let took = if destroy { made.destroyed_in } else { made.deployed_in };
        let (deploy, line) = (way.deploy(scene), if destroy { way.destroy.to_owned() } else { way.deploy(scene) });
        let mut moment = took * permille / 1000;
        // A run that was over already was not killed: once more, and sooner.
        while !killed_after(scene, &line, moment).await? {
            scene.desk.expect(if destroy { &deploy } else { way.destroy }).await?;
            moment /= 2;
        }
        let what = || format!("`{line}` killed after {moment:?}");
        if destroy {
            gone(scene, way).await.with_context(what)?;
        } else {
            finished(scene, way, &made).await.with_context(what)?;
        }
    }
    Ok(Told::did(format!("{} kills, {}", measure.kills, told(&ways))))
}

/// Whether a run could be killed, because it was not over yet.
async fn killed_after(scene: &Scene, line: &str, moment: Duration) -> Result<bool> {
    let mut child = scene.desk.spawn(line)?;
    pause(moment).await;
    child.start_kill().context("end the run")?;
    Ok(child.wait().await?.code().is_none())
}

/// Whether a run is done; that it is not may be for what went wrong outside, and for nothing else.
fn is_done(ran: &Ran) -> Result<bool> {
    let is = |code: ExitCode| ran.code == Some(i32::from(code.code()));
    let expected = [ExitCode::Done, ExitCode::StepFailed, ExitCode::Refused, ExitCode::Locked, ExitCode::WaitsForYou];
    let told = expected.into_iter().any(is) && !ran.stderr.contains("panicked");
    ensure!(told, "a run under faults ended with {:?}:\n{}", ran.code, tail(&ran.said(), 12));
    Ok(is(ExitCode::Done))
}

fn ways(scene: &Scene) -> Vec<&'static Way> {
    if scene.only().is_empty() { vec![&BY_HAND, &SIGNED_IN] } else { vec![&BY_HAND] }
}

fn told(ways: &[&Way]) -> &'static str {
    if ways.len() > 1 { "by hand and signed in to Keeper in turn" } else { "none signed in to Keeper" }
}

fn chosen(ways: &[&'static Way], number: u64) -> &'static Way {
    ways[usize::try_from(number).unwrap_or_default() % ways.len()]
}

/// What an undisturbed run of this way makes; one is played when none was.
async fn made(scene: &mut Scene, way: &Way) -> Result<Arc<Undisturbed>> {
    if let Some(made) = scene.undisturbed.get(way.destroy) {
        return Ok(Arc::clone(made));
    }
    scene.empty().await?;
    let start = Instant::now();
    scene.desk.expect(&way.deploy(scene)).await?;
    let deployed_in = start.elapsed();
    let mut creates: BTreeMap<String, usize> = BTreeMap::new();
    for call in scene.proxy.calls().iter().filter(|call| call.is_create()) {
        *creates.entry(call.operation.clone()).or_default() += 1;
    }
    let (account, vault) = (scene.account().await?.census(), scene.administrator.census().await?);
    let start = Instant::now();
    scene.desk.expect(way.destroy).await?;
    let made = Arc::new(Undisturbed { account, vault, creates, deployed_in, destroyed_in: start.elapsed() });
    scene.undisturbed.insert(way.destroy, Arc::clone(&made));
    Ok(made)
}

/// The next run ends well, keeps everything afterwards, and there is no twin of anything.
async fn finished(scene: &Scene, way: &Way, made: &Undisturbed) -> Result<()> {
    scene.desk.expect(&way.deploy(scene)).await?;
    if scene.only().is_empty() {
        scene.desk.all_keep(way.config).await?;
    }
    let (account, vault) = (scene.account().await?, scene.administrator.census().await?);
    let here: Vec<_> = account.0.keys().collect();
    ensure!(account.census() == made.account, "there should be {:?}, and there is {here:?}", made.account);
    ensure!(vault == made.vault, "there should be {:?} in the vault, and there is {vault:?}", made.vault);
    Ok(())
}

/// The next run ends well, and there is nothing any more.
async fn gone(scene: &Scene, way: &Way) -> Result<()> {
    scene.desk.expect(way.destroy).await?;
    scene.nothing_left().await?;
    let vault = scene.administrator.census().await?;
    ensure!(vault.iter().all(|(_, count)| *count == 0), "something is left in the vault: {vault:?}");
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
            0 => {
                let (status, code) = throttled(&call.service);
                Fault::Answer { status, code: code.to_owned() }
            }
            1 => Fault::Answer { status: 500, code: "InternalError".to_owned() },
            2 => Fault::Answer { status: 503, code: "ServiceUnavailable".to_owned() },
            3 => Fault::Delay(Duration::from_millis(700)),
            4 => Fault::CutBefore,
            _ => Fault::CutAfter,
        })
    }
}

/// How a service says "too fast".
fn throttled(service: &str) -> (u16, &'static str) {
    match service {
        "keeper" => (403, "throttled"),
        "ec2" => (400, "RequestLimitExceeded"),
        "iam" | "elasticloadbalancing" | "route53" | "sts" => (400, "Throttling"),
        _ => (400, "ThrottlingException"),
    }
}

/// SplitMix64.
fn mix(value: u64) -> u64 {
    let mut z = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
