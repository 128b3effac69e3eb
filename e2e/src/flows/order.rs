//! What no emulator enforces and AWS does, asserted from the record: nothing is made before what it rests on, and nothing
//! is deleted before what uses it.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

use super::Told;
use crate::harness::{Account, Scene, Thing, delete};
use crate::proxy::{Call, Fault, Rewrite};

/// How long the earlier one of a pair is held back, so that a later one that does not wait comes first.
const HELD: Duration = Duration::from_millis(2500);

/// The later operation rests on every one of the earlier operation; deleted before is what makes both necessary again.
const PAIRS: [(&str, &str, &[&str]); 7] = [
    // ECS refuses a target group that no listener forwards to.
    ("CreateListener", "CreateService", &["ecs-service", "listener"]),
    // A task whose volume cannot be mounted fails, and takes the deployment with it.
    (
        "CreateMountTarget",
        "CreateService",
        &["ecs-service", "efs-mount-target/config/1", "efs-mount-target/settings/2"],
    ),
    // So does a task that cannot read its secret.
    ("PutRolePolicy", "CreateService", &["ecs-service", "role-policy/execution", "role-policy/task"]),
    ("AuthorizeSecurityGroupIngress", "CreateService", &["ecs-service", "security-group-rules/efs"]),
    ("AuthorizeSecurityGroupEgress", "CreateService", &["ecs-service", "security-group-rules/task"]),
    // AWS refuses a balancer that faces the internet without a route to it.
    ("CreateRoute", "CreateLoadBalancer", &["ecs-service", "listener", "load-balancer", "route-table"]),
    ("CreateLogGroup", "RegisterTaskDefinition", &["log-group", "task-definition"]),
];

/// As long as what the first operation makes is not `available`, as the second says, the third may not begin.
const STATES: [(&str, &str, &str, &[&str]); 2] = [
    (
        "CreateFileSystem",
        "DescribeFileSystems",
        "CreateMountTarget",
        &[
            "efs-mount-target/config/1",
            "efs-mount-target/config/2",
            "efs-access-point/config",
            "efs-file-system/config",
        ],
    ),
    ("CreateMountTarget", "DescribeMountTargets", "CreateService", &["ecs-service", "efs-mount-target/config/2"]),
];

pub(super) async fn play(scene: &mut Scene) -> Result<Told> {
    let mut checked = 0;
    scene.desk.deploy(&scene.only()).await?;
    if scene.only().is_empty() {
        for (earlier, later, by_hand) in PAIRS {
            held_back(scene, earlier, later, by_hand).await?;
            checked += 1;
        }
        for (create, describe, later, by_hand) in STATES {
            still_creating(scene, create, describe, later, by_hand).await?;
            checked += 1;
        }
    }
    let account = scene.account().await?;
    scene.proxy.clear();
    // Slow deletes show who does not wait.
    scene.proxy.set_script(|call| call.mutating.then_some(Fault::Delay(Duration::from_millis(200))));
    scene.desk.expect("destroy --yes").await?;
    scene.proxy.end_script();
    scene.nothing_left().await?;
    let uses = users_go_first(&account, &scene.proxy.requests())?;
    Ok(Told::did(format!("{checked} orders of creation, {uses} of deletion")))
}

async fn held_back(scene: &Scene, earlier: &'static str, later: &str, by_hand: &[&str]) -> Result<()> {
    taken_away(scene, by_hand).await?;
    scene.proxy.set_script(move |call| (call.operation == earlier).then_some(Fault::Delay(HELD)));
    scene.desk.deploy("").await.with_context(|| format!("deploy while {earlier} is slow"))?;
    let calls = scene.proxy.calls();
    let first = calls.iter().filter(|call| call.operation == later && call.is_ok()).map(|call| call.began).min();
    let first = first.with_context(|| format!("there should be a {later}"))?;
    let before: Vec<&Call> = calls.iter().filter(|call| call.operation == earlier && call.is_ok()).collect();
    ensure!(!before.is_empty(), "there should be a {earlier}");
    for call in before {
        ensure!(call.ended.is_some_and(|ended| ended <= first), "{later} began before {earlier} was answered");
    }
    Ok(())
}

async fn still_creating(
    scene: &Scene,
    create: &'static str,
    describe: &'static str,
    later: &str,
    by_hand: &[&str],
) -> Result<()> {
    let creating = |text: &str| text.replace("\"available\"", "\"creating\"");
    taken_away(scene, by_hand).await?;
    let made: Mutex<Option<Instant>> = Mutex::new(None);
    scene.proxy.set_script(move |call| {
        let mut made = made.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if call.operation == create {
            made.get_or_insert_with(Instant::now);
        }
        let young = made.is_some_and(|made| made.elapsed() < HELD);
        (young && call.operation == describe)
            .then_some(Fault::Reword(Rewrite { operation: describe, reword: creating }))
    });
    scene.desk.deploy("").await.with_context(|| format!("deploy while what {create} makes is not available"))?;
    let calls = scene.proxy.calls();
    let held: Vec<&Call> = calls.iter().filter(|call| call.fault.is_some()).collect();
    ensure!(!held.is_empty(), "nobody asked by {describe} whether it is available");
    let last = held.iter().filter_map(|call| call.ended).max().unwrap_or_default();
    ensure!(calls.iter().any(|call| call.operation == later), "there should be a {later}");
    for call in calls.iter().filter(|call| call.operation == later) {
        ensure!(call.began >= last, "{later} began while what {create} made was not available");
    }
    Ok(())
}

/// Deletes by hand, and forgets what was called so far.
async fn taken_away(scene: &Scene, by_hand: &[&str]) -> Result<()> {
    scene.proxy.end_script();
    let account = scene.account().await?;
    for node in by_hand {
        delete(&scene.aws, &account, node).await.with_context(|| format!("delete {node} by hand"))?;
    }
    scene.proxy.clear();
    Ok(())
}

/// Looks up in the record that each thing was deleted after all that use it; says how many such pairs there are.
fn users_go_first(account: &Account, record: &[(Call, String)]) -> Result<usize> {
    let deletes = |thing: &Thing| -> Vec<&Call> {
        let name = thing.id.rsplit('/').next().unwrap_or_default();
        // An ARN may stand whole in the request, or only the name at its end, in quotes.
        let names = |request: &str| request.contains(&thing.id) || request.contains(&format!("\"{name}\""));
        let calls = record.iter().filter(|(call, _)| call.operation == thing.deleted_by && call.is_ok());
        calls.filter(|(_, request)| names(request)).map(|(call, _)| call).collect()
    };
    let mut pairs = 0;
    for used in account.0.values() {
        let Some(first) = deletes(used).iter().map(|call| call.began).min() else {
            anyhow::bail!("no {} of {} {} is in the record", used.deleted_by, used.kind, used.id);
        };
        for user in account.users(&used.id) {
            // Rules go by calls of their own, and are what one group uses of another.
            let (last, what) = if user.kind == "security-group" && used.kind == "security-group" {
                let revoked = record.iter().filter(|(call, request)| {
                    call.operation.starts_with("RevokeSecurityGroup") && request.contains(&user.id)
                });
                (revoked.filter_map(|(call, _)| call.ended).max(), "the rules")
            } else if user.kind == "internet-gateway" {
                let detached = record.iter().filter(|(call, _)| call.operation == "DetachInternetGateway");
                (detached.filter_map(|(call, _)| call.ended).max(), "the attachment")
            } else {
                (deletes(user).iter().filter_map(|call| call.ended).max(), "all")
            };
            let last = last.with_context(|| format!("the record should have how {} {} went", user.kind, user.id))?;
            ensure!(
                last <= first,
                "{} {} was deleted before {what} of {} {}, which uses it",
                used.kind,
                used.id,
                user.kind,
                user.id
            );
            pairs += 1;
        }
    }
    ensure!(pairs > 0, "nothing uses anything, so there was no order to look at");
    Ok(pairs)
}
