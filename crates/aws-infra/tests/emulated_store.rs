//! File systems and DNS against an emulator: made, quiet, repaired, moved, and gone without a trace.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use aws_infra::efs::{AccessPoint, AccessPoints, FileSystem, FileSystems, MountTarget, MountTargets};
use aws_infra::route53::{AliasRecord, AliasTarget, HostedZone};
use aws_infra::{Aws, Connection, Home, SecurityGroupId, SubnetId};
use aws_sdk_ec2::types::Tag;
use aws_sdk_route53::types::{Change, ChangeAction, ChangeBatch, ResourceRecord, ResourceRecordSet, RrType};
use resource_graph::{Cx, Discovery, Fixed, Graph, Label, Limits, Mark, NodeId, Ownership, Planned, SystemClock};

/// What the resources stand on, made by hand.
struct World {
    home: Home,
    /// The first and the third lie in one zone. The first is ours, the others were there before.
    subnets: Vec<SubnetId>,
    groups: Vec<SecurityGroupId>,
    zone: String,
    host: String,
    // Ends with the world, if this run started it.
    _emulator: sandbox::Emulator,
}

impl World {
    async fn new(name: &str) -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target");
        let settings = sandbox::Settings::from_env(root);
        let emulator = sandbox::find_or_start(&settings, &|_| ()).await;
        let emulator = emulator.unwrap_or_else(|error| panic!("no emulator to test against: {error}"));
        let connection = Connection::to_emulator("eu-west-1", &emulator.endpoint);
        let aws = Aws::connect(&connection).await.expect("an emulator lets everybody in");
        let now = jiff::Timestamp::now().as_millisecond() % 1_000_000;
        let name = format!("{name}-{}-{now}", std::process::id());
        let home = Home::new(Arc::new(aws), &name, BTreeMap::from([("team".to_owned(), "identity".to_owned())]));

        let ec2 = &home.aws.ec2;
        let vpc = ec2.create_vpc().cidr_block("10.9.0.0/16").send().await.unwrap();
        let vpc = vpc.vpc().unwrap().vpc_id().unwrap().to_owned();
        let mut subnets = Vec::new();
        for (third, zone) in [(0, "eu-west-1a"), (1, "eu-west-1b"), (2, "eu-west-1a")] {
            let call = ec2.create_subnet().vpc_id(&vpc).cidr_block(format!("10.9.{third}.0/24"));
            let made = call.availability_zone(zone).send().await.unwrap();
            subnets.push(SubnetId::new(made.subnet().unwrap().subnet_id().unwrap()));
        }
        let tags = home.tags(&NodeId::from("subnet/public-0"), Mark::Managed).into_iter();
        let tags = tags.map(|(key, value)| Tag::builder().key(key).value(value).build()).collect();
        ec2.create_tags().resources(subnets[0].as_str()).set_tags(Some(tags)).send().await.unwrap();
        let mut groups = Vec::new();
        for role in ["efs", "other"] {
            let call = ec2.create_security_group().group_name(format!("{name}-{role}")).description(role).vpc_id(&vpc);
            groups.push(SecurityGroupId::new(call.send().await.unwrap().group_id().unwrap()));
        }
        let zone = format!("{name}.example.com");
        let made = home.aws.route53.create_hosted_zone().name(&zone).caller_reference(&name).send().await.unwrap();
        let zone_id = made.hosted_zone().unwrap().id().trim_start_matches("/hostedzone/").to_owned();
        Self { home, subnets, groups, zone: zone_id, host: format!("automator.{zone}"), _emulator: emulator }
    }

    /// One file system with a mount target in each of `subnets` and an access point.
    fn files(&self, subnets: &[usize], uid: u32) -> Graph {
        let home = || self.home.clone();
        let name = format!("{}-config", self.home.deployment());
        let mut graph = Graph::new();
        let group = graph.add(Label::default(), Fixed::new("security-group/efs", self.groups[0].clone()));
        let node = NodeId::from("efs-file-system/config");
        let config = FileSystem { home: home(), node: node.clone(), name: name.clone() };
        let file_system = graph.add(Label::step("A6").corrections(["C06"]), config);
        graph.inventory(FileSystems(home()));
        for &at in subnets {
            let id = &self.subnets[at];
            let subnet = graph.add(Label::default(), Fixed::new(format!("subnet/{at}"), id.clone()));
            let target = MountTarget {
                home: home(),
                node: MountTarget::node(&node, if at == 0 { "public-0" } else { id.as_str() }),
                file_system: file_system.clone(),
                subnet,
                groups: vec![group.clone()],
            };
            graph.add(Label::step("A6").corrections(["C08"]), target);
        }
        graph.inventory(MountTargets(home()));
        let point = AccessPoint {
            home: home(),
            node: NodeId::from("efs-access-point/config"),
            name,
            file_system,
            uid,
            gid: AccessPoint::USER,
            path: "/automator".to_owned(),
            permissions: AccessPoint::PERMISSIONS.to_owned(),
        };
        graph.add(Label::step("A6").corrections(["C07", "C07b"]), point);
        graph.inventory(AccessPoints(home()));
        graph
    }

    fn dns(&self, balancer: &str) -> Graph {
        let mut graph = Graph::new();
        let zone = HostedZone {
            home: self.home.clone(),
            node: NodeId::from("hosted-zone"),
            host: self.host.clone(),
            zone: None,
        };
        let zone = graph.add(Label::step("A13").ownership(Ownership::Referenced), zone);
        let target = AliasTarget { dns_name: balancer.to_owned(), zone: "Z32O12XQLNTSW2".to_owned() };
        let target = graph.add(Label::default(), Fixed::new("load-balancer", target));
        let record = AliasRecord {
            home: self.home.clone(),
            node: NodeId::from("dns-record"),
            host: self.host.clone(),
            zone,
            target,
            balancer_name: Some(self.home.deployment().to_owned()),
        };
        graph.add(Label::step("A13").corrections(["C22"]), record);
        graph
    }

    async fn records(&self) -> Vec<ResourceRecordSet> {
        let answer = self.home.aws.route53.list_resource_record_sets().hosted_zone_id(&self.zone).send().await.unwrap();
        let mine = |record: &&ResourceRecordSet| record.name().trim_end_matches('.') == self.host;
        answer.resource_record_sets().iter().filter(mine).cloned().collect()
    }

    async fn change(&self, action: ChangeAction, record: ResourceRecordSet) {
        let change = Change::builder().action(action).resource_record_set(record).build().unwrap();
        let batch = ChangeBatch::builder().changes(change).build().unwrap();
        let call = self.home.aws.route53.change_resource_record_sets().hosted_zone_id(&self.zone);
        call.change_batch(batch).send().await.unwrap();
    }
}

fn run(name: &str) -> Cx {
    Cx::new(name, Duration::from_secs(120), Arc::new(|_| ()), Arc::new(SystemClock))
}

async fn discover(graph: &Graph, cx: &Cx) -> Discovery {
    graph.discover(cx, &graph.everything()).await.unwrap_or_else(|failures| panic!("{failures:#?}"))
}

async fn apply(graph: &Graph, cx: &Cx) {
    let found = discover(graph, cx).await;
    let report = graph.apply(cx, Limits::default(), &found, &graph.plan(&found)).await;
    assert!(report.is_done(), "{:#?}", report.nodes);
}

async fn destroy(graph: &Graph, cx: &Cx, found: &Discovery) {
    let report = graph.destroy(cx, Limits::default(), found).await;
    assert!(report.is_done(), "{:#?}", report.nodes);
}

async fn assert_quiet(graph: &Graph, cx: &Cx) {
    let plan = graph.plan(&discover(graph, cx).await);
    assert!(plan.is_quiet(), "{:#?}", plan.changes);
}

async fn planned(graph: &Graph, cx: &Cx, node: &str) -> Planned {
    let plan = graph.plan(&discover(graph, cx).await);
    plan.changes.iter().find(|change| change.node.as_str() == node).unwrap().action.clone()
}

#[tokio::test]
async fn file_systems_are_made_repaired_moved_and_removed() {
    let world = World::new("files").await;
    let efs = &world.home.aws.efs;
    let cx = &run("first");
    let graph = world.files(&[0, 1], AccessPoint::USER);
    assert_eq!(graph.plan(&discover(&graph, cx).await).count("create"), 4);
    apply(&graph, cx).await;
    assert_quiet(&graph, cx).await;
    let listed = graph.list(cx).await.unwrap();
    assert_eq!(listed.len(), 4);
    assert!(listed.iter().all(|one| graph.find(&one.node).is_some()), "{listed:?}");

    let all = efs.describe_file_systems().max_items(1000).send().await.unwrap();
    let is_mine = |tags: &[aws_sdk_efs::types::Tag]| tags.iter().any(|tag| tag.value() == world.home.deployment());
    let mine: Vec<_> = all.file_systems().iter().filter(|one| is_mine(one.tags())).collect();
    assert_eq!(mine.len(), 1);
    assert_eq!(mine[0].encrypted(), Some(true));
    let id = mine[0].file_system_id();

    // A group changed by hand is put back in place.
    let targets = efs.describe_mount_targets().file_system_id(id).send().await.unwrap();
    let first = targets.mount_targets().iter().find(|one| one.subnet_id() == world.subnets[0].as_str()).unwrap();
    let call = efs.modify_mount_target_security_groups().mount_target_id(first.mount_target_id());
    call.security_groups(world.groups[1].as_str()).send().await.unwrap();
    let action = planned(&graph, cx, "efs-mount-target/config/public-0").await;
    assert!(matches!(action, Planned::Update { .. }), "{action:?}");
    apply(&graph, cx).await;
    assert_quiet(&graph, cx).await;
    let after = efs.describe_mount_target_security_groups().mount_target_id(first.mount_target_id());
    assert_eq!(after.send().await.unwrap().security_groups(), [world.groups[0].as_str()]);

    // Another user needs a new access point; the old one is retired.
    let graph = world.files(&[0, 1], 1001);
    let action = planned(&graph, cx, "efs-access-point/config").await;
    assert!(matches!(action, Planned::Replace { .. }), "{action:?}");
    apply(&graph, cx).await;
    assert_quiet(&graph, cx).await;
    let points = efs.describe_access_points().file_system_id(id).send().await.unwrap();
    assert_eq!(points.access_points().len(), 1);
    assert_eq!(points.access_points()[0].posix_user().unwrap().uid(), 1001);

    // What the config dropped shows as `remove`; another subnet in the zone of the first moves the target there.
    let graph = world.files(&[2], 1001);
    let plan = graph.plan(&discover(&graph, cx).await);
    assert_eq!((plan.count("update"), plan.count("remove")), (1, 2), "{:#?}", plan.changes);
    apply(&graph, cx).await;
    assert_quiet(&graph, cx).await;
    let targets = efs.describe_mount_targets().file_system_id(id).send().await.unwrap();
    let there: Vec<_> = targets.mount_targets().iter().map(|one| one.subnet_id()).collect();
    assert_eq!(there, [world.subnets[2].as_str()]);

    let found = discover(&graph, cx).await;
    destroy(&graph, cx, &found).await;
    assert!(graph.list(cx).await.unwrap().is_empty());
    // What is gone already is a success, and the same tokens make a second life possible, even in the same run.
    destroy(&graph, cx, &found).await;
    apply(&graph, cx).await;
    assert_quiet(&graph, cx).await;
    destroy(&graph, cx, &discover(&graph, cx).await).await;
    assert!(graph.list(cx).await.unwrap().is_empty());
}

#[tokio::test]
async fn two_subnets_of_one_zone_are_refused_with_the_reason() {
    let world = World::new("crowded").await;
    let cx = &run("first");
    let graph = world.files(&[0, 2], AccessPoint::USER);
    let found = discover(&graph, cx).await;
    let report = graph.apply(cx, Limits::default(), &found, &graph.plan(&found)).await;
    let failures: Vec<_> = report.failures().collect();
    assert_eq!(failures.len(), 1, "{failures:#?}");
    assert!(failures[0].hint.as_ref().unwrap().contains("C08"), "{failures:#?}");
    destroy(&graph, cx, &discover(&graph, cx).await).await;
    assert!(graph.list(cx).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_file_system_takes_along_what_is_left_inside() {
    let world = World::new("inside").await;
    let cx = &run("first");
    let graph = world.files(&[0, 1], AccessPoint::USER);
    apply(&graph, cx).await;
    // A graph that knows of the file system alone.
    let node = NodeId::from("efs-file-system/config");
    let mut alone = Graph::new();
    alone.add(Label::default(), FileSystem { home: world.home.clone(), node, name: "alone".to_owned() });
    destroy(&alone, cx, &discover(&alone, cx).await).await;
    assert!(graph.list(cx).await.unwrap().is_empty());
}

#[tokio::test]
async fn an_unencrypted_file_system_and_one_without_its_tags_block() {
    let world = World::new("plain").await;
    let efs = &world.home.aws.efs;
    let cx = &run("first");
    let graph = world.files(&[], AccessPoint::USER);
    let node = NodeId::from("efs-file-system/config");
    let tag = |(key, value): (String, String)| aws_sdk_efs::types::Tag::builder().key(key).value(value).build();
    let tags: Result<Vec<_>, _> = world.home.tags(&node, Mark::Managed).into_iter().map(tag).collect();
    let token = world.home.token(&node, "create");
    let call = efs.create_file_system().creation_token(&token).encrypted(false).set_tags(Some(tags.unwrap()));
    let id = call.send().await.unwrap().file_system_id().to_owned();
    let action = planned(&graph, cx, node.as_str()).await;
    assert!(matches!(&action, Planned::Blocked { code, .. } if code == "would-lose-data"), "{action:?}");

    efs.delete_file_system().file_system_id(id).send().await.unwrap();
    efs.create_file_system().creation_token(&token).encrypted(true).send().await.unwrap();
    let action = planned(&graph, cx, node.as_str()).await;
    assert!(matches!(&action, Planned::Blocked { code, .. } if code == "stranger"), "{action:?}");
}

#[tokio::test]
async fn the_alias_is_made_repaired_repointed_and_removed() {
    let world = World::new("alias").await;
    let cx = &run("first");
    let balancer = |number: u32| format!("{}-{number}.eu-west-1.elb.amazonaws.com", world.home.deployment());
    let graph = world.dns(&balancer(1));
    let plan = graph.plan(&discover(&graph, cx).await);
    assert_eq!((plan.count("create"), plan.count("keep")), (1, 2), "{:#?}", plan.changes);
    apply(&graph, cx).await;
    assert_quiet(&graph, cx).await;
    let records = world.records().await;
    assert_eq!(records.len(), 1);
    assert_eq!(records[0].alias_target().unwrap().hosted_zone_id(), "Z32O12XQLNTSW2");

    // Changed by hand.
    let mut changed = records[0].clone();
    changed.alias_target.as_mut().unwrap().evaluate_target_health = true;
    world.change(ChangeAction::Upsert, changed).await;
    let action = planned(&graph, cx, "dns-record").await;
    assert!(matches!(action, Planned::Update { .. }), "{action:?}");
    apply(&graph, cx).await;
    assert_quiet(&graph, cx).await;

    // The balancer was replaced.
    let graph = world.dns(&balancer(2));
    let action = planned(&graph, cx, "dns-record").await;
    assert!(matches!(action, Planned::Update { .. }), "{action:?}");
    apply(&graph, cx).await;
    assert_quiet(&graph, cx).await;
    assert!(world.records().await[0].alias_target().unwrap().dns_name().starts_with(&balancer(2)));

    let found = discover(&graph, cx).await;
    destroy(&graph, cx, &found).await;
    assert!(world.records().await.is_empty());
    destroy(&graph, cx, &found).await;
}

#[tokio::test]
async fn somebody_elses_record_blocks_and_is_never_deleted() {
    let world = World::new("theirs").await;
    let cx = &run("first");
    let graph = world.dns("unrelated-1.eu-west-1.elb.amazonaws.com");
    let value = ResourceRecord::builder().value("elsewhere.example.org").build().unwrap();
    let record = ResourceRecordSet::builder().name(&world.host).r#type(RrType::Cname).ttl(300).resource_records(value);
    world.change(ChangeAction::Create, record.build().unwrap()).await;
    let action = planned(&graph, cx, "dns-record").await;
    assert!(matches!(&action, Planned::Blocked { code, .. } if code == "stranger"), "{action:?}");
    destroy(&graph, cx, &discover(&graph, cx).await).await;
    assert_eq!(world.records().await.len(), 1);
}

#[tokio::test]
async fn a_zone_is_found_by_its_id_and_a_host_without_one_is_told() {
    let world = World::new("zone").await;
    let cx = &run("first");
    let graph = |host: &str, zone: Option<&str>| {
        let mut graph = Graph::new();
        let zone = HostedZone {
            home: world.home.clone(),
            node: NodeId::from("hosted-zone"),
            host: host.to_owned(),
            zone: zone.map(str::to_owned),
        };
        graph.add(Label::default().ownership(Ownership::Referenced), zone);
        graph
    };
    assert_quiet(&graph(&world.host, Some(&world.zone)), cx).await;
    let elsewhere = graph("automator.nowhere.invalid", Some(world.zone.as_str()));
    let failures = elsewhere.discover(cx, &elsewhere.everything()).await.err().unwrap();
    assert_eq!(failures[0].code, "dns-zone-not-found");
    for (host, zone) in [("automator.nowhere.invalid", None), (world.host.as_str(), Some("ZNOTTHERE"))] {
        let graph = graph(host, zone);
        let Ok(discovery) = graph.discover(cx, &graph.everything()).await else { panic!("absence is no failure") };
        let plan = graph.plan(&discovery);
        let Some(Planned::Blocked { code, why }) = plan.blocked().next().map(|change| &change.action) else {
            panic!("a deploy needs the zone")
        };
        assert!(code == "dns-zone-not-found" && why.contains(zone.unwrap_or(host)), "{why}");
        let gone = graph.destroy(cx, Limits::default(), &discovery).await;
        assert!(gone.is_done(), "a destroy does not");
    }
}
