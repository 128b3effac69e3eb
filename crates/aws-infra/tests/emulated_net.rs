//! Network, roles and secret against an emulator: made, kept, repaired, gone.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use aws_infra::ec2::{
    AvailabilityZones, Egress, ExistingSubnet, ExistingVpc, InternetGateway, InternetGateways, PublicIp, RouteTable,
    RouteTables, Subnet, SubnetOutput, Subnets, Vpc, Vpcs,
};
use aws_infra::iam::{Role, RolePolicy, Roles, Statement};
use aws_infra::secretsmanager::{Secret, Secrets, Value, Versions};
use aws_infra::{
    AccessPointId, Aws, Connection, DEPLOYMENT_TAG, DIGEST_TAG, FileSystemId, Home, SecretArn, SubnetId, VpcId,
};
use aws_sdk_ec2::types::{AttributeBooleanValue, Filter};
use resource_graph::{Cx, Fixed, Graph, Label, Limits, NodeId, Ownership, Plan, Planned, Ref, describe};
use secrecy::{ExposeSecret, SecretString};

/// An emulator and a deployment of its own in it.
struct World {
    aws: Arc<Aws>,
    home: Home,
    name: String,
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
        let aws = Arc::new(Aws::connect(&connection).await.expect("an emulator lets everybody in"));
        let name = format!("{name}-{}-{}", std::process::id(), jiff::Timestamp::now().as_millisecond() % 1_000_000);
        let home = Home::new(Arc::clone(&aws), &name, BTreeMap::from([("team".to_owned(), "identity".to_owned())]));
        Self { aws, home, name, _emulator: emulator }
    }

    fn of_deployment(&self) -> Filter {
        Filter::builder().name(format!("tag:{DEPLOYMENT_TAG}")).values(&self.name).build()
    }

    /// A network with two public subnets.
    fn network(&self) -> Graph {
        let mut graph = Graph::new();
        let (home, name) = (&self.home, &self.name);
        let cidr = "10.20.0.0/16".to_owned();
        let vpc = Vpc { home: home.clone(), node: "vpc".into(), name: name.clone(), cidr };
        let vpc = graph.add(Label::step("A1"), vpc);
        graph.inventory(Vpcs(home.clone()));
        let zones = AvailabilityZones { home: home.clone(), node: "zones".into(), count: 2 };
        let zones = graph.add(Label::step("A1"), zones);
        let mut subnets = Vec::new();
        for index in 0..2 {
            let subnet = Subnet {
                home: home.clone(),
                node: NodeId::new(format!("subnet/{index}")),
                name: format!("{name}-{index}"),
                vpc: vpc.clone(),
                cidr: format!("10.20.{}.0/20", index * 16),
                zone: (zones.clone(), index),
            };
            subnets.push(graph.add(Label::step("A1"), subnet).field(SubnetOutput::ID));
        }
        graph.inventory(Subnets(home.clone()));
        let node = "internet-gateway".into();
        let gateway = InternetGateway { home: home.clone(), node, name: name.clone(), vpc: vpc.clone() };
        let gateway = graph.add(Label::step("A1"), gateway);
        graph.inventory(InternetGateways(home.clone()));
        let node = "route-table".into();
        let table = RouteTable { home: home.clone(), node, name: name.clone(), vpc, gateway, subnets: subnets.clone() };
        let routes = Some(graph.add(Label::step("A1"), table));
        graph.inventory(RouteTables(home.clone()));
        let wanted = PublicIp::Auto;
        graph.add(Label::step("A12"), Egress { home: home.clone(), node: "egress".into(), subnets, routes, wanted });
        graph
    }

    fn role(&self, kind: &str, managed_policies: Vec<String>) -> Role {
        Role {
            home: self.home.clone(),
            node: NodeId::new(format!("role/{kind}")),
            name: format!("{}-eu-west-1-{kind}", self.name),
            path: Role::PATH.to_owned(),
            managed_policies,
        }
    }

    /// A secret with this value, and the two roles.
    fn roles(&self, value: &str) -> Graph {
        let mut graph = Graph::new();
        let home = &self.home;
        let name = format!("{}-ksm-config", self.name);
        let value = SecretString::from(value.to_owned());
        let secret: Ref<SecretArn> = graph.add(
            Label::step("X1"),
            Secret { home: home.clone(), node: "secret".into(), name, value: Value::Given(value) },
        );
        graph.inventory(Secrets(home.clone()));
        let execution = self.role("execution", vec!["AmazonECSTaskExecutionRolePolicy".to_owned()]);
        let execution = graph.add(Label::step("A3"), execution);
        let task = graph.add(Label::step("X2"), self.role("task", Vec::new()));
        graph.inventory(Roles { home: home.clone(), path: Role::PATH.to_owned() });
        let read = RolePolicy {
            home: home.clone(),
            node: "role-policy/read-secret".into(),
            role: execution,
            name: "read-secret".to_owned(),
            statement: Statement::ReadSecret(secret),
        };
        graph.add(Label::step("A3"), read);
        let file_system = graph.add(Label::default(), Fixed::new("file-system", FileSystemId::new("fs-1")));
        let point = graph.add(Label::default(), Fixed::new("access-point", AccessPointId::new("fsap-1")));
        let mount = RolePolicy {
            home: home.clone(),
            node: "role-policy/mount".into(),
            role: task,
            name: "mount".to_owned(),
            statement: Statement::MountFileSystems { file_systems: vec![file_system], access_points: vec![point] },
        };
        graph.add(Label::step("X2"), mount);
        graph
    }
}

fn limits() -> Limits {
    Limits { backoff: Duration::from_millis(50), ..Limits::default() }
}

fn off() -> AttributeBooleanValue {
    AttributeBooleanValue::builder().value(false).build()
}

async fn plan(graph: &Graph) -> Plan {
    let found = graph.discover(&Cx::quiet(), &graph.everything()).await.expect("everything can be looked at");
    graph.plan(&found)
}

async fn apply(graph: &Graph) {
    let cx = Cx::quiet();
    let found = graph.discover(&cx, &graph.everything()).await.expect("everything can be looked at");
    let report = graph.apply(&cx, limits(), &found, &graph.plan(&found)).await;
    assert!(report.is_done(), "{report:#?}");
}

async fn destroy(graph: &Graph) {
    let cx = Cx::quiet();
    let found = graph.discover(&cx, &graph.everything()).await.expect("everything can be looked at");
    let report = graph.destroy(&cx, limits(), &found).await;
    assert!(report.is_done(), "{report:#?}");
    let left = graph.list(&cx).await.expect("what is left can be listed");
    assert!(left.is_empty(), "{left:?}");
}

/// What a graph would change, a line for each node that is not kept.
async fn changes(graph: &Graph) -> Vec<String> {
    let plan = plan(graph).await;
    let loud = plan.changes.iter().filter(|change| change.action != Planned::Keep || change.stale > 0);
    loud.map(|change| {
        let text = match &change.action {
            Planned::Update { changes } => format!("update {}", describe(changes)),
            Planned::Blocked { code, .. } => format!("blocked {code}"),
            action => action.word().to_owned(),
        };
        format!("{}: {text}", change.node)
    })
    .collect()
}

async fn assert_quiet(graph: &Graph) {
    assert_eq!(changes(graph).await, Vec::<String>::new());
}

#[tokio::test]
async fn a_network_is_made_kept_repaired_and_removed() {
    let world = World::new("net").await;
    let ec2 = &world.aws.ec2;
    let graph = world.network();

    let first = plan(&graph).await;
    assert_eq!(first.count("create"), 6, "all but the zones, which are only read: {first:#?}");
    apply(&graph).await;
    assert_quiet(&graph).await;

    // What a hand in the console could do.
    let vpcs = ec2.describe_vpcs().filters(world.of_deployment()).send().await.unwrap();
    let vpc = vpcs.vpcs()[0].vpc_id().unwrap();
    ec2.modify_vpc_attribute().vpc_id(vpc).enable_dns_hostnames(off()).send().await.unwrap();
    let subnets = ec2.describe_subnets().filters(world.of_deployment()).send().await.unwrap();
    let subnet = subnets.subnets().iter().find(|subnet| subnet.cidr_block() == Some("10.20.0.0/20")).unwrap();
    assert_eq!(subnet.map_public_ip_on_launch(), Some(true));
    let call = ec2.modify_subnet_attribute().subnet_id(subnet.subnet_id().unwrap());
    call.map_public_ip_on_launch(off()).send().await.unwrap();
    let tables = ec2.describe_route_tables().filters(world.of_deployment()).send().await.unwrap();
    let table = &tables.route_tables()[0];
    let call = ec2.delete_route().route_table_id(table.route_table_id().unwrap());
    call.destination_cidr_block("0.0.0.0/0").send().await.unwrap();
    let association = table.associations()[0].route_table_association_id().unwrap();
    ec2.disassociate_route_table().association_id(association).send().await.unwrap();

    let drift = changes(&graph).await;
    assert_eq!(drift.len(), 4, "{drift:#?}");
    assert_eq!(drift[0], "vpc: update dns host names false -> true");
    assert_eq!(drift[1], "subnet/0: update public address on launch false -> true");
    assert!(drift[2].starts_with("route-table: update route 0.0.0.0/0 -> igw-"), "{drift:#?}");
    assert_eq!(drift[3], "egress: update egress none -> (after apply)");
    apply(&graph).await;
    assert_quiet(&graph).await;

    let gateways = ec2.describe_internet_gateways().filters(world.of_deployment()).send().await.unwrap();
    let gateway = gateways.internet_gateways()[0].internet_gateway_id().unwrap();
    ec2.detach_internet_gateway().internet_gateway_id(gateway).vpc_id(vpc).send().await.unwrap();
    assert_eq!(changes(&graph).await, [format!("internet-gateway: update vpc -> {vpc}")]);
    apply(&graph).await;
    assert_quiet(&graph).await;

    destroy(&graph).await;
}

#[tokio::test]
async fn an_existing_network_is_only_read() {
    let world = World::new("existing").await;
    let ec2 = &world.aws.ec2;
    let made = world.network();
    apply(&made).await;
    let subnets = ec2.describe_subnets().filters(world.of_deployment()).send().await.unwrap();
    let subnets = subnets.subnets();
    let vpc_id = VpcId::new(subnets[0].vpc_id().unwrap());

    // Another deployment that names what the first one made.
    let home = Home::new(Arc::clone(&world.aws), &format!("{}-other", world.name), BTreeMap::new());
    let referenced = || Label::step("A1").ownership(Ownership::Referenced);
    let graph = |wanted| {
        let mut graph = Graph::new();
        let vpc = ExistingVpc { home: home.clone(), node: "vpc".into(), id: vpc_id.clone() };
        let vpc = graph.add(referenced(), vpc);
        let mut named = Vec::new();
        for (index, subnet) in subnets.iter().enumerate() {
            let id = SubnetId::new(subnet.subnet_id().unwrap());
            let node = NodeId::new(format!("subnet/{index}"));
            let subnet = ExistingSubnet { home: home.clone(), node, id, vpc: vpc.clone() };
            named.push(graph.add(referenced(), subnet).field(SubnetOutput::ID));
        }
        let node = "egress".into();
        graph.add(Label::step("A12"), Egress { home: home.clone(), node, subnets: named, routes: None, wanted });
        graph
    };
    assert_quiet(&graph(PublicIp::Auto)).await;
    assert_eq!(changes(&graph(PublicIp::Off)).await, ["egress: blocked no-egress"]);

    ec2.modify_vpc_attribute().vpc_id(vpc_id.as_str()).enable_dns_hostnames(off()).send().await.unwrap();
    assert_eq!(changes(&graph(PublicIp::Auto)).await, ["vpc: blocked vpc-dns-off"]);

    let mut missing = Graph::new();
    let id = VpcId::new("vpc-0123456789abcdef0");
    missing.add(referenced(), ExistingVpc { home: home.clone(), node: "vpc".into(), id });
    assert_eq!(changes(&missing).await, ["vpc: blocked missing"]);

    destroy(&graph(PublicIp::Auto)).await;
    let there = ec2.describe_subnets().filters(world.of_deployment()).send().await.unwrap();
    assert_eq!(there.subnets().len(), 2, "what is only referenced is spared");
    destroy(&made).await;
}

#[tokio::test]
async fn roles_are_made_kept_repaired_and_removed() {
    let world = World::new("roles").await;
    let iam = &world.aws.iam;
    let graph = world.roles("value");
    assert_eq!(plan(&graph).await.count("create"), 5);
    apply(&graph).await;
    assert_quiet(&graph).await;

    let execution = world.role("execution", Vec::new()).name;
    let task = world.role("task", Vec::new()).name;
    let trust = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}]}"#;
    iam.update_assume_role_policy().role_name(&task).policy_document(trust).send().await.unwrap();
    let managed = "arn:aws:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy";
    iam.detach_role_policy().role_name(&execution).policy_arn(managed).send().await.unwrap();
    iam.delete_role_policy().role_name(&execution).policy_name("read-secret").send().await.unwrap();
    let wide = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#;
    iam.put_role_policy().role_name(&task).policy_name("mount").policy_document(wide).send().await.unwrap();
    let drift = changes(&graph).await;
    assert_eq!(drift.len(), 4, "{drift:#?}");
    assert_eq!(drift[0], format!("role/execution: update policy none -> {managed}"));
    assert!(drift[1].starts_with("role/task: update trust "), "{drift:#?}");
    assert_eq!(drift[2], "role-policy/read-secret: create");
    assert!(drift[3].starts_with("role-policy/mount: update document "), "{drift:#?}");
    apply(&graph).await;
    assert_quiet(&graph).await;

    // A role of the same name that is somebody else's is not touched.
    let home = Home::new(Arc::clone(&world.aws), &format!("{}-other", world.name), BTreeMap::new());
    let mut theirs = Graph::new();
    theirs.add(Label::step("X2"), Role { home, ..world.role("task", Vec::new()) });
    assert_eq!(changes(&theirs).await, ["role/task: blocked stranger"]);

    destroy(&graph).await;
}

#[tokio::test]
async fn a_secret_is_written_once_a_value_and_never_read() {
    let world = World::new("secret").await;
    let secrets = &world.aws.secrets;
    let name = format!("{}-ksm-config", world.name);
    let one = world.roles("value-one");
    apply(&one).await;
    assert_quiet(&one).await;
    let value = async || secrets.get_secret_value().secret_id(&name).send().await.unwrap();
    assert_eq!(value().await.secret_string(), Some("value-one"));

    // Another value, and back.
    for text in ["value-two", "value-one"] {
        let graph = world.roles(text);
        assert_eq!(changes(&graph).await, ["secret: update value another one -> the one wanted"]);
        apply(&graph).await;
        assert_quiet(&graph).await;
        assert_eq!(value().await.secret_string(), Some(text));
    }

    // Killed between value and tag: the tag is put right, and no second version is made.
    let version = value().await.version_id().map(str::to_owned);
    let tag = aws_sdk_secretsmanager::types::Tag::builder().key(DIGEST_TAG).value("stale").build();
    secrets.tag_resource().secret_id(&name).tags(tag).send().await.unwrap();
    assert_eq!(changes(&one).await, ["secret: update value another one -> the one wanted"]);
    apply(&one).await;
    assert_quiet(&one).await;
    assert_eq!(value().await.version_id().map(str::to_owned), version);

    // Scheduled for deletion by somebody.
    secrets.delete_secret().secret_id(&name).recovery_window_in_days(7).send().await.unwrap();
    assert_eq!(changes(&one).await, ["secret: update state scheduled for deletion -> in use"]);
    apply(&one).await;
    assert_quiet(&one).await;
    assert_eq!(value().await.secret_string(), Some("value-one"));

    // Scheduled for deletion it is not listed; destroying it by its node frees the name all the same.
    secrets.delete_secret().secret_id(&name).recovery_window_in_days(7).send().await.unwrap();
    destroy(&one).await;
    assert!(secrets.describe_secret().secret_id(&name).send().await.is_err());
}

#[tokio::test]
async fn what_is_set_aside_is_read_by_nobody_until_it_is_written() {
    let world = World::new("aside").await;
    let secrets = &world.aws.secrets;
    let made = secrets.create_secret().name(format!("{}-aside", world.home.deployment())).send().await.unwrap();
    let arn = made.arn().unwrap();
    let versions = Versions { home: world.home.clone(), secret: SecretArn::new(arn) };
    let text = |secret: Option<SecretString>| secret.map(|secret| secret.expose_secret().to_owned());
    assert_eq!((text(versions.read().await.unwrap()), text(versions.aside().await.unwrap())), (None, None));
    versions.write(&"old".into()).await.unwrap();
    for _ in 0..2 {
        versions.set_aside(&"begun".into()).await.unwrap();
        let both = (text(versions.read().await.unwrap()), text(versions.aside().await.unwrap()));
        assert_eq!(both, (Some("old".to_owned()), Some("begun".to_owned())));
    }
    // Whoever names no version, as a task does, gets the same.
    let answer = secrets.get_secret_value().secret_id(arn).send().await.unwrap();
    assert_eq!(answer.secret_string(), Some("old"));
    versions.write(&"done".into()).await.unwrap();
    assert_eq!(text(versions.read().await.unwrap()), Some("done".to_owned()));
    versions.set_aside(&"same".into()).await.unwrap();
    versions.write(&"same".into()).await.unwrap();
    assert_eq!(text(versions.read().await.unwrap()), Some("same".to_owned()));
    secrets.delete_secret().secret_id(arn).force_delete_without_recovery(true).send().await.unwrap();
}
