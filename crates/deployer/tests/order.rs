//! The order of the guide: every edge of the graph stands in one table with its reason, and a graph that lacks any of them is
//! found out.

use std::collections::BTreeSet;

use deployer::config::{Config, KeeperHalf};
use deployer::guide::{self, Keeper, Material, Words};
use keeper_fake::{Fake, Scheme, World};
use resource_graph::{Graph, NodeIndex};

type Edges = &'static [(&'static str, &'static str, &'static str)];

/// Who waits for whom, and what happens otherwise. `*` stands for any end of a name.
const EDGES: Edges = &[
    ("subnet/*", "availability-zones", "a subnet lies in a zone"),
    ("subnet/*", "vpc", "a subnet lies in a VPC"),
    ("internet-gateway", "vpc", "it is attached to the VPC"),
    ("route-table", "vpc", "it belongs to the VPC"),
    ("route-table", "internet-gateway", "its route leads there"),
    ("route-table", "subnet/*", "it is theirs"),
    ("egress", "subnet/*", "whether tasks need public addresses is read from the subnets' routes (C19)"),
    ("egress", "route-table", "before the routes are there, no subnet leads anywhere"),
    ("security-group/*", "vpc", "a group belongs to a VPC"),
    ("security-group-rules/*", "security-group/*", "rules are of a group and name groups (C11)"),
    ("efs-mount-target/*", "efs-file-system/*", "it leads to the file system"),
    ("efs-mount-target/*", "subnet/*", "it has its address there (C08)"),
    ("efs-mount-target/*", "security-group/efs", "only the tasks may reach it"),
    ("efs-access-point/*", "efs-file-system/*", "it opens the file system (C07)"),
    ("role-policy/execution", "role/execution", "it is written into the role"),
    ("role-policy/execution", "secret", "it allows to read exactly that (C05)"),
    ("role-policy/task", "role/task", "it is written into the role"),
    ("role-policy/task", "efs-file-system/*", "it allows to mount exactly those (C07)"),
    ("role-policy/task", "efs-access-point/*", "and only through those"),
    ("task-definition", "log-group", "its containers log there; a task may not create it (C10)"),
    ("task-definition", "role/execution", "it names the role's ARN"),
    ("task-definition", "role/task", "it names the role's ARN"),
    ("task-definition", "vault-record", "its init container fetches the files of that record"),
    ("task-definition", "secret", "it names the secret's ARN (C05)"),
    ("task-definition", "efs-file-system/*", "it mounts them"),
    ("task-definition", "efs-access-point/*", "through these"),
    ("target-group", "vpc", "its targets have addresses there"),
    ("load-balancer", "subnet/*", "it has its addresses there (C09)"),
    ("load-balancer", "security-group/alb", "Keeper may reach it"),
    ("load-balancer", "route-table", "order only: AWS refuses one that faces the internet without a route to it"),
    ("listener", "load-balancer", "it belongs to the balancer"),
    ("listener", "certificate", "it shows the certificate"),
    ("listener", "target-group", "it forwards there"),
    ("ecs-service", "ecs-cluster", "it lives there"),
    ("ecs-service", "task-definition", "it runs that"),
    ("ecs-service", "target-group", "its tasks are registered there"),
    ("ecs-service", "subnet/*", "its tasks run there"),
    ("ecs-service", "security-group/task", "its tasks carry that"),
    ("ecs-service", "egress", "its tasks get a public address or not (C19)"),
    (
        "ecs-service",
        "role-policy/*",
        "order only: a task that may not read the secret or mount the files fails to start",
    ),
    ("ecs-service", "efs-mount-target/*", "order only: a task in a zone without one cannot mount"),
    ("ecs-service", "security-group-rules/*", "order only: a task that reaches neither vault nor files fails to start"),
    ("ecs-service", "listener", "order only: ECS refuses a target group that no listener forwards to"),
    ("dns-record", "hosted-zone", "it is written there"),
    ("dns-record", "load-balancer", "it points there (C22)"),
    ("automator", "ecs-service", "Keeper hands its keys to the running task (C30)"),
    ("automator", "dns-record", "order only: Keeper's cloud calls the Automator by its name"),
    ("user-test", "ecs-service", "that it was tested is remembered there"),
    ("user-test", "automator", "order only: nothing is approved before the Automator is set up"),
    ("desired-count", "ecs-cluster", "the service lives there"),
    ("desired-count", "ecs-service", "it is the service's count"),
    ("desired-count", "automator", "a second task that starts before has no keys (C30)"),
    ("desired-count", "user-test", "order only: the guide scales out what was tested (C29)"),
];

/// The Keeper half where a person does it: nothing passes, so every edge is of order only.
const BY_HAND: Edges = &[
    ("vault-record", "vault-folder", "it lies in the folder"),
    ("vault-properties", "vault-record", "it is a file of the record"),
    ("ksm-share", "vault-folder", "the folder is what is shared"),
    ("ksm-share", "ksm-application", "with the application"),
    ("ksm-device", "ksm-share", "before, the device would see nothing"),
    ("secret", "ksm-device", "the device's configuration is what is stored (C05)"),
    ("ecs-service", "vault-properties", "a task without its files does not start"),
    ("ecs-service", "ksm-device", "the init container signs in as the device"),
];

/// The Keeper half where this tool does it.
const SIGNED_IN: Edges = &[
    ("vault-record", "vault-folder", "it lies in the folder"),
    ("vault-certificate", "vault-record", "its files are attached to the record"),
    ("vault-properties", "vault-record", "it is attached to the record"),
    (
        "vault-properties",
        "vault-certificate",
        "order only: both write one record, and the second would find it changed",
    ),
    ("ksm-share", "vault-folder", "the folder is what is shared"),
    ("ksm-share", "ksm-application", "with the application"),
    ("ksm-device", "ksm-application", "it is a device of the application"),
    ("ksm-device", "secret", "its configuration is kept there, before it is made and when it is bound (C05)"),
    ("ecs-service", "vault-certificate", "order only: a task without its files does not start"),
    ("ecs-service", "vault-properties", "order only: a task without its files does not start"),
    ("ecs-service", "ksm-share", "order only: before, the device sees nothing"),
    ("ecs-service", "ksm-device", "order only: the init container signs in as the device"),
    ("automator", "administrator", "order only: whether somebody may do it is known before anything is changed"),
];

fn matches(pattern: &str, name: &str) -> bool {
    pattern.strip_suffix('*').map_or(pattern == name, |start| name.starts_with(start))
}

/// Which two nodes an entry of the table is about: where both names end in `*`, those that share what must be shared.
fn expected(graph: &Graph, more: Edges) -> BTreeSet<(String, String)> {
    let names: Vec<String> = graph.nodes().map(|node| graph.subject(node).node.to_string()).collect();
    let mut edges = BTreeSet::new();
    for (user, need, _) in EDGES.iter().chain(more) {
        for user in names.iter().filter(|name| matches(user, name)) {
            for need in names.iter().filter(|name| matches(need, name)) {
                if belongs_together(user, need) {
                    edges.insert((user.clone(), need.clone()));
                }
            }
        }
    }
    edges
}

fn belongs_together(user: &str, need: &str) -> bool {
    let parts = |name: &str| name.split('/').map(str::to_owned).collect::<Vec<_>>();
    let (user, need) = (parts(user), parts(need));
    match (user[0].as_str(), need[0].as_str()) {
        // efs-mount-target/config/1: of the file system `config`, in the subnet 1.
        ("efs-mount-target", "efs-file-system") => user[1] == need[1],
        ("efs-mount-target", "subnet") => user[2] == need[1],
        ("efs-access-point", "efs-file-system") => user[1] == need[1],
        ("security-group-rules", "security-group") => {
            // The neighbours of each group: balancer - task - efs.
            let distance = |name: &str| ["alb", "task", "efs"].iter().position(|role| *role == name).unwrap();
            distance(&user[1]).abs_diff(distance(&need[1])) <= 1 && !(user[1] == "alb" && need[1] == "efs")
        }
        _ => true,
    }
}

fn actual(graph: &Graph) -> BTreeSet<(String, String)> {
    let name = |node: NodeIndex| graph.subject(node).node.to_string();
    graph
        .nodes()
        .flat_map(|node| graph.edges(node).map(move |need| (name(node), name(need))).collect::<Vec<_>>())
        .collect()
}

/// The guide with a Keeper half of either kind, and the edges that come with it.
struct Variant {
    keeper: Keeper,
    half: KeeperHalf,
    edges: Edges,
    _cloud: Option<Fake>,
}

impl Variant {
    fn by_hand() -> Self {
        let half = KeeperHalf::Manual { record_uid: None, ksm_config: None, check: true };
        Self { keeper: Keeper::by_hand(), half, edges: BY_HAND, _cloud: None }
    }

    async fn signed_in() -> Self {
        let mut world = World::new();
        let device = world.admin.add_resumable();
        let (keys, cloud) = (world.server_keys(), Fake::start(world, Scheme::Http).await.unwrap());
        let config = cloud.world().admin.commander_config(cloud.origin(), &device).to_string();
        let config = automator_admin::config::Config::parse(config.as_bytes()).unwrap();
        let options = automator_admin::Options::new().server_keys(keys);
        let login = automator_admin::Login::new(automator_admin::config::ConfigMemory::new(config)).options(options);
        let keeper = Keeper { session: Some(login.sign_in().await.unwrap()), ..Keeper::by_hand() };
        let half =
            KeeperHalf::Login { config: "x.json".into(), password: None, totp: None, node: "Azure Cloud".to_owned() };
        Self { keeper, half, edges: SIGNED_IN, _cloud: Some(cloud) }
    }

    async fn all() -> [Self; 2] {
        [Self::by_hand(), Self::signed_in().await]
    }

    fn guide(&self) -> Graph {
        let mut config = Config::sandbox("x.pfx".into(), "x.txt".into());
        config.keeper.half = self.half.clone();
        let home = aws_infra::testing::home();
        guide::graph(&config, &Material::unknown(), &home, &self.keeper, &Words::default())
    }
}

#[tokio::test]
async fn the_graph_has_exactly_the_edges_of_the_table() {
    for variant in Variant::all().await {
        let graph = variant.guide();
        let (expected, actual) = (expected(&graph, variant.edges), actual(&graph));
        let missing: Vec<_> = expected.difference(&actual).collect();
        let unexplained: Vec<_> = actual.difference(&expected).collect();
        assert!(
            missing.is_empty() && unexplained.is_empty(),
            "missing: {missing:#?}\nwithout a reason: {unexplained:#?}"
        );
    }
}

#[tokio::test]
async fn removing_any_edge_is_found_out() {
    for variant in Variant::all().await {
        for at in 0..actual(&variant.guide()).len() {
            let mut graph = variant.guide();
            let edges: Vec<(NodeIndex, NodeIndex)> = graph
                .nodes()
                .flat_map(|node| graph.edges(node).map(move |need| (node, need)).collect::<Vec<_>>())
                .collect();
            let (user, need) = edges[at];
            assert!(graph.cut(user, need));
            let lost = expected(&graph, variant.edges).difference(&actual(&graph)).cloned().collect::<Vec<_>>();
            let name = |node: NodeIndex| graph.subject(node).node.to_string();
            let (user, need) = (name(user), name(need));
            assert_eq!(lost, [(user.clone(), need.clone())]);
            let mut table = EDGES.iter().chain(variant.edges);
            let why = table.find(|(a, b, _)| matches(a, &user) && matches(b, &need)).unwrap().2;
            println!("without `{user}` after `{need}`: found out; {why}");
        }
    }
}

#[tokio::test]
async fn the_rules_of_order_of_the_guide_hold() {
    // Kn before An and the like, as spec'd by the guide: each of these is a path, whatever the edges in between.
    let graph = Variant::signed_in().await.guide();
    let edges = actual(&graph);
    let reaches = |user: &str, need: &str| {
        let (mut seen, mut todo) = (BTreeSet::new(), vec![user.to_owned()]);
        while let Some(node) = todo.pop() {
            if node == need {
                return true;
            }
            for (_, next) in edges.iter().filter(|(from, _)| *from == node) {
                if seen.insert(next.clone()) {
                    todo.push(next.clone());
                }
            }
        }
        false
    };
    let rules = [
        ("task-definition", "vault-record", "K3 before A8"),
        ("ecs-service", "ksm-device", "K7 before a task starts"),
        ("automator", "ecs-service", "A12 stable before A15"),
        ("automator", "dns-record", "A13 resolving before A15"),
        ("desired-count", "automator", "A15 before A17"),
        ("desired-count", "user-test", "the word on A16 before A17"),
        ("security-group-rules/efs", "security-group/task", "A4 before A5"),
        ("efs-mount-target/config/1", "security-group/efs", "A5 before A6"),
        ("listener", "target-group", "A10 before A11"),
        ("ecs-service", "listener", "A11 before A12"),
        ("ecs-service", "secret", "the secret before a task reads it"),
        ("ecs-service", "log-group", "the log group before a task writes"),
        ("dns-record", "load-balancer", "A11 before A13"),
    ];
    for (user, need, rule) in rules {
        assert!(reaches(user, need), "{rule}: {user} does not wait for {need}");
    }
}

#[tokio::test]
async fn the_nodes_of_the_keeper_half_name_what_they_correct() {
    for variant in Variant::all().await {
        let graph = variant.guide();
        let subject = |name: &str| graph.nodes().map(|node| graph.subject(node)).find(|one| one.node.as_str() == name);
        assert_eq!(subject("ksm-device").unwrap().corrections, ["C05", "C12"]);
        let signed_in = variant.keeper.session.is_some();
        assert_eq!(
            subject("administrator").map(|one| one.corrections.clone()),
            signed_in.then(|| vec!["C25".to_owned()])
        );
        // By this `deploy --confirm A15` knows whether somebody's word is of use.
        assert_eq!(subject("automator").unwrap().kind == "confirmation", !signed_in);
        assert_eq!(subject("user-test").unwrap().kind, "confirmation");
    }
}
