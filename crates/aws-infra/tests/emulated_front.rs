//! What stands in front of the tasks (certificate, target group, balancer, listener) and the deployment's lock, against an
//! emulator that somebody else wrote.
#![cfg(unix)]

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_infra::acm::{Certificate, CertificateOutput, Certificates};
use aws_infra::elb::{
    BalancerOutput, Listener, LoadBalancer, LoadBalancers, Protocol, Scheme, TargetGroup, TargetGroups,
};
use aws_infra::logs::{DeploymentLock, Holder, unlock};
use aws_infra::{Aws, Connection, DIGEST_TAG, Home, SecurityGroupId, SubnetId, VpcId};
use certs::Bundle;
use certs::make::{Authority, KeyType};
use jiff::{SignedDuration, Timestamp};
use resource_graph::{Cx, Fixed, Graph, Label, Lease, Limits, NodeId, Plan};

struct World {
    emulator: sandbox::Emulator,
    home: Home,
    vpc: String,
    subnets: Vec<String>,
    group: String,
    /// The operations of all calls so far.
    calls: Arc<Mutex<Vec<String>>>,
}

/// An emulator, a name that nobody else uses, and a network made by hand.
async fn world(test: &str) -> World {
    let target = concat!(env!("CARGO_MANIFEST_DIR"), "/../../target");
    let settings = sandbox::Settings::from_env(target);
    let emulator = sandbox::find_or_start(&settings, &|_| ()).await.expect("find or start an emulator");
    let mut connection = Connection::to_emulator("eu-west-1", &emulator.endpoint);
    let calls = Arc::<Mutex<Vec<_>>>::default();
    let diary = Arc::clone(&calls);
    connection.on_call = Arc::new(move |call| diary.lock().unwrap().push(call.operation.name));
    let aws = Aws::connect(&connection).await.expect("connect");
    // At most 20 characters: balancers have at most 32, and a replacement needs nine of them.
    let unique = u64::try_from(Timestamp::now().as_microsecond()).unwrap() % 1_000_000_000;
    let home = Home::new(Arc::new(aws), &format!("{test}-{unique}"), BTreeMap::new());
    let ec2 = &home.aws.ec2;
    let vpc = ec2.create_vpc().cidr_block("10.0.0.0/16").send().await.unwrap();
    let vpc = vpc.vpc().unwrap().vpc_id().unwrap().to_owned();
    let mut subnets = Vec::new();
    for (zone, cidr) in [("a", "10.0.0.0/24"), ("b", "10.0.1.0/24"), ("c", "10.0.2.0/24")] {
        let call = ec2.create_subnet().vpc_id(&vpc).cidr_block(cidr).availability_zone(format!("eu-west-1{zone}"));
        subnets.push(call.send().await.unwrap().subnet().unwrap().subnet_id().unwrap().to_owned());
    }
    let call = ec2.create_security_group().group_name(home.deployment()).description("front").vpc_id(&vpc);
    let group = call.send().await.unwrap().group_id().unwrap().to_owned();
    World { emulator, home, vpc, subnets, group, calls }
}

#[derive(Clone)]
struct Wish {
    protocol: Protocol,
    scheme: Scheme,
    subnets: Vec<usize>,
    bundle: Arc<Bundle>,
    key_type: &'static str,
}

const POLICY: &str = "ELBSecurityPolicy-TLS13-1-2-2021-06";

fn graph(world: &World, wish: &Wish) -> Graph {
    let home = &world.home;
    let name = home.deployment().to_owned();
    let mut graph = Graph::new();
    let vpc = graph.add(Label::default(), Fixed::new("vpc", VpcId::new(&world.vpc)));
    let subnets = wish.subnets.iter().map(|&at| {
        let id = &world.subnets[at];
        graph.add(Label::default(), Fixed::new(id.as_str(), SubnetId::new(id)))
    });
    let subnets = subnets.collect();
    let group = graph.add(Label::default(), Fixed::new("group", SecurityGroupId::new(&world.group)));
    let import = wish.bundle.acm().unwrap();
    let certificate = Certificate {
        home: home.clone(),
        node: NodeId::from("certificate"),
        name: name.clone(),
        body: import.body.clone(),
        private_key: import.private_key.clone(),
        chain: import.chain,
        fingerprint: wish.bundle.leaf().sha256_hex(),
        key_type: wish.key_type.to_owned(),
        not_after: wish.bundle.leaf().not_after().to_string(),
    };
    let certificate = graph.add(Label::step("A9"), certificate);
    graph.inventory(Certificates(home.clone()));
    let target = TargetGroup {
        home: home.clone(),
        node: NodeId::from("target-group"),
        name: name.clone(),
        vpc,
        protocol: wish.protocol,
        port: 443,
        health_path: "/health".to_owned(),
        deregistration_delay: Some(Duration::from_secs(30)),
    };
    let target = graph.add(Label::step("A10"), target);
    graph.inventory(TargetGroups(home.clone()));
    let balancer = LoadBalancer {
        home: home.clone(),
        node: NodeId::from("load-balancer"),
        name,
        scheme: wish.scheme,
        subnets,
        groups: vec![group],
    };
    let balancer = graph.add(Label::step("A11"), balancer);
    graph.inventory(LoadBalancers(home.clone()));
    let listener = Listener {
        home: home.clone(),
        node: NodeId::from("listener"),
        balancer: balancer.field(BalancerOutput::ARN),
        port: 443,
        ssl_policy: POLICY.to_owned(),
        certificate: certificate.field(CertificateOutput::ARN),
        target,
    };
    graph.add(Label::step("A11"), listener);
    graph
}

/// Plans and applies, and asserts that afterwards there is nothing to do and nothing over.
async fn settle(graph: &Graph, left: usize) -> Plan {
    let cx = Cx::quiet();
    let found = graph.discover(&cx, &graph.everything()).await.unwrap();
    let plan = graph.plan(&found);
    let report = graph.apply(&cx, Limits::default(), &found, &plan).await;
    assert!(report.is_done(), "{:#?}", report.nodes);
    let again = graph.plan(&graph.discover(&cx, &graph.everything()).await.unwrap());
    assert!(again.is_quiet(), "{again:#?}");
    assert_eq!(graph.list(&cx).await.unwrap().len(), left);
    plan
}

fn action(plan: &Plan, node: &str) -> String {
    plan.changes.iter().find(|change| change.node == NodeId::from(node)).unwrap().action.word().to_owned()
}

async fn the_balancer(home: &Home) -> aws_sdk_elasticloadbalancingv2::types::LoadBalancer {
    let all = home.aws.elb.describe_load_balancers().send().await.unwrap();
    let name = home.deployment();
    all.load_balancers().iter().find(|one| one.load_balancer_name().unwrap().starts_with(name)).unwrap().clone()
}

async fn the_target_group(home: &Home) -> aws_sdk_elasticloadbalancingv2::types::TargetGroup {
    let all = home.aws.elb.describe_target_groups().send().await.unwrap();
    let name = home.deployment();
    all.target_groups().iter().find(|one| one.target_group_name().unwrap().starts_with(name)).unwrap().clone()
}

async fn the_listener(home: &Home) -> aws_sdk_elasticloadbalancingv2::types::Listener {
    let balancer = the_balancer(home).await;
    let call = home.aws.elb.describe_listeners().load_balancer_arn(balancer.load_balancer_arn().unwrap());
    call.send().await.unwrap().listeners()[0].clone()
}

#[tokio::test]
async fn the_front_is_made_kept_repaired_replaced_and_removed() {
    let world = world("front").await;
    let home = &world.home;
    let elb = &home.aws.elb;
    let now = Timestamp::now();
    let later = now.checked_add(SignedDuration::from_hours(24 * 60)).unwrap();
    let authority = Authority::throw_away("Example", now).unwrap();
    let issue = |kind| Arc::new(authority.issue(&["automator.example.com"], kind, now, later).unwrap());

    let guide = Wish {
        protocol: Protocol::Http,
        scheme: Scheme::InternetFacing,
        subnets: vec![0, 1],
        bundle: issue(KeyType::P256),
        key_type: "EC_prime256v1",
    };
    let plan = settle(&graph(&world, &guide), 3).await;
    assert_eq!(plan.count("create"), 4);
    let first = the_listener(home).await;
    assert_eq!(first.ssl_policy(), Some(POLICY));

    // Changed by hand, then repaired.
    let target = the_target_group(home).await;
    let call = elb.modify_target_group().target_group_arn(target.target_group_arn().unwrap());
    call.health_check_path("/").send().await.unwrap();
    let call = elb.modify_listener().listener_arn(first.listener_arn().unwrap());
    call.ssl_policy("ELBSecurityPolicy-2016-08").send().await.unwrap();
    let arn = first.certificates()[0].certificate_arn().unwrap().to_owned();
    let digest = aws_sdk_acm::types::Tag::builder().key(DIGEST_TAG).value("other").build().unwrap();
    home.aws.acm.add_tags_to_certificate().certificate_arn(&arn).tags(digest).send().await.unwrap();
    let balancer = the_balancer(home).await;
    let balancer_arn = balancer.load_balancer_arn().unwrap();
    let call = elb.set_subnets().load_balancer_arn(balancer_arn);
    call.subnets(&world.subnets[0]).subnets(&world.subnets[2]).send().await.unwrap();
    let plan = settle(&graph(&world, &guide), 3).await;
    for node in ["target-group", "listener", "certificate", "load-balancer"] {
        assert_eq!(action(&plan, node), "update", "{node}: {plan:#?}");
    }
    assert_eq!(the_target_group(home).await.health_check_path(), Some("/health"));

    // C01: another protocol is another group; the listener moves, then the old group goes.
    let corrected = Wish { protocol: Protocol::Https, ..guide.clone() };
    let plan = settle(&graph(&world, &corrected), 3).await;
    assert_eq!((action(&plan, "target-group"), action(&plan, "listener")), ("replace".to_owned(), "update".to_owned()));
    let target = the_target_group(home).await;
    assert_eq!(target.protocol().unwrap().as_str(), "HTTPS");
    assert!(target.target_group_name().unwrap().len() <= 32);

    // A renewed certificate keeps its ARN, and the listener is not touched.
    let renewed = Wish { bundle: issue(KeyType::P256), ..corrected.clone() };
    let plan = settle(&graph(&world, &renewed), 3).await;
    assert_eq!((action(&plan, "certificate"), action(&plan, "listener")), ("update".to_owned(), "keep".to_owned()));

    // Another kind of key is another certificate.
    let rekeyed = Wish { bundle: issue(KeyType::P384), key_type: "EC_secp384r1", ..renewed };
    let plan = settle(&graph(&world, &rekeyed), 3).await;
    assert_eq!((action(&plan, "certificate"), action(&plan, "listener")), ("replace".to_owned(), "update".to_owned()));
    assert_ne!(the_listener(home).await.certificates()[0].certificate_arn().unwrap(), arn);

    // A third subnet is added in place; another scheme is another balancer, and its listener goes along.
    let wider = Wish { subnets: vec![0, 1, 2], ..rekeyed };
    assert_eq!(action(&settle(&graph(&world, &wider), 3).await, "load-balancer"), "update");
    let inside = Wish { scheme: Scheme::Internal, ..wider };
    world.calls.lock().unwrap().clear();
    let plan = settle(&graph(&world, &inside), 3).await;
    let calls = std::mem::take(&mut *world.calls.lock().unwrap());
    let at = |operation: &str| calls.iter().position(|call| *call == operation).expect(operation);
    // AWS refuses a listener that forwards to the target group of another balancer; this emulator does not.
    assert!(
        at("CreateLoadBalancer") < at("DeleteListener") && at("DeleteListener") < at("CreateListener"),
        "{calls:?}"
    );
    assert_eq!(
        (action(&plan, "load-balancer"), action(&plan, "listener")),
        ("replace".to_owned(), "replace".to_owned())
    );

    let cx = Cx::quiet();
    let last = graph(&world, &inside);
    let found = last.discover(&cx, &last.everything()).await.unwrap();
    let report = last.destroy(&cx, Limits::default(), &found).await;
    assert!(report.is_done(), "{:#?}", report.nodes);
    assert!(last.list(&cx).await.unwrap().is_empty());
    world.emulator.stop().await.unwrap();
}

#[tokio::test]
async fn an_untagged_copy_is_looked_after_and_never_deleted() {
    let world = world("copy").await;
    let home = &world.home;
    let now = Timestamp::now();
    let later = now.checked_add(SignedDuration::from_hours(24 * 60)).unwrap();
    let bundle = certs::make::self_signed(&["automator.example.com"], KeyType::P256, now, later).unwrap();
    let import = bundle.acm().unwrap();
    let certificate = || Certificate {
        home: home.clone(),
        node: NodeId::from("certificate"),
        name: home.deployment().to_owned(),
        body: import.body.clone(),
        private_key: import.private_key.clone(),
        chain: None,
        fingerprint: bundle.leaf().sha256_hex(),
        key_type: "EC_prime256v1".to_owned(),
        not_after: String::new(),
    };
    let cx = Cx::quiet();
    let mut graph = Graph::new();
    graph.add(Label::step("A9"), certificate());
    graph.inventory(Certificates(home.clone()));
    settle(&graph, 1).await;
    let arn = graph.list(&cx).await.unwrap()[0].label.clone();
    // As a run leaves it that is killed between re-import and tagging, where the re-import forgets tags.
    let tags = home.aws.acm.list_tags_for_certificate().certificate_arn(&arn).send().await.unwrap();
    let call = home.aws.acm.remove_tags_from_certificate().certificate_arn(&arn);
    call.set_tags(tags.tags).send().await.unwrap();

    assert_eq!(action(&settle(&graph, 0).await, "certificate"), "update");
    let found = graph.discover(&cx, &graph.everything()).await.unwrap();
    assert!(graph.destroy(&cx, Limits::default(), &found).await.is_done());
    home.aws.acm.describe_certificate().certificate_arn(&arn).send().await.expect("still there");
    home.aws.acm.delete_certificate().certificate_arn(&arn).send().await.unwrap();
    world.emulator.stop().await.unwrap();
}

fn lock(home: &Home, holder: Holder, ttl: Duration) -> DeploymentLock {
    DeploymentLock { home: home.clone(), holder, ttl }
}

fn elsewhere(run: &str) -> Holder {
    Holder { host: "elsewhere".to_owned(), pid: 7, process: None, run: run.to_owned() }
}

const HOUR: Duration = Duration::from_secs(3600);

#[tokio::test]
async fn of_many_who_want_the_lock_exactly_one_gets_it() {
    let world = world("lock").await;
    let cx = Cx::quiet();
    // First on free ground, then over a lock that has expired.
    for round in 0..2 {
        if round == 1 {
            lock(&world.home, elsewhere("long-gone"), Duration::ZERO).acquire(&cx).await.unwrap();
        }
        let locks: Vec<_> =
            (0..6).map(|at| lock(&world.home, Holder::this_process(format!("run-{round}-{at}")), HOUR)).collect();
        let contend = |at: usize| locks[at].acquire(&cx);
        let all = tokio::join!(contend(0), contend(1), contend(2), contend(3), contend(4), contend(5));
        let all = [all.0, all.1, all.2, all.3, all.4, all.5];
        let winners: Vec<usize> = (0..6).filter(|&at| all[at].is_ok()).collect();
        assert_eq!(winners.len(), 1, "round {round}: {all:?}");
        for error in all.iter().filter_map(|result| result.as_ref().err()) {
            assert_eq!(error.code(), "locked", "{error}");
        }
        let winner = &locks[winners[0]];
        winner.renew(&cx).await.unwrap();
        for (at, other) in locks.iter().enumerate().filter(|(at, _)| *at != winners[0]) {
            assert_eq!(other.renew(&cx).await.unwrap_err().code(), "lock-lost", "{at}");
            // Gives nothing back that is not its own.
            other.release(&cx).await.unwrap();
        }
        winner.renew(&cx).await.unwrap();
        winner.release(&cx).await.unwrap();
    }
    world.emulator.stop().await.unwrap();
}

#[tokio::test]
async fn a_dead_process_is_taken_over_and_a_living_one_is_named() {
    let world = world("dead").await;
    let cx = Cx::quiet();
    let alive = Holder::this_process("alive");
    let dead = Holder { process: alive.process.as_ref().map(|it| format!("{it}0")), run: "dead".to_owned(), ..alive };
    let can_tell = dead.process.is_some();
    lock(&world.home, dead, HOUR).acquire(&cx).await.unwrap();
    if can_tell {
        let next = lock(&world.home, Holder::this_process("next"), HOUR);
        next.acquire(&cx).await.unwrap();
        next.release(&cx).await.unwrap();
    } else {
        unlock(&world.home).await.unwrap();
    }

    lock(&world.home, elsewhere("other"), HOUR).acquire(&cx).await.unwrap();
    let here = lock(&world.home, Holder::this_process("here"), HOUR);
    let error = here.acquire(&cx).await.unwrap_err();
    assert_eq!(error.code(), "locked");
    assert!(error.to_string().contains("held by run other on elsewhere (process 7), since 20"), "{error}");
    let held = unlock(&world.home).await.unwrap().unwrap();
    assert_eq!(held.holder, Some(elsewhere("other")));
    assert_eq!(unlock(&world.home).await.unwrap(), None);
    here.acquire(&cx).await.unwrap();
    unlock(&world.home).await.unwrap();
    assert_eq!(here.renew(&cx).await.unwrap_err().code(), "lock-lost");
    world.emulator.stop().await.unwrap();
}
