//! The guide, top to bottom, as a graph. This file reads like the guide's table of contents.

mod border;
mod by_hand;
mod keeper;
pub(crate) mod material;
mod names;
mod network;
pub mod properties;

use std::sync::Arc;

use aws_infra::acm::{Certificate, CertificateOutput, Certificates};
use aws_infra::ec2::{Direction, Peer, Rule, SecurityGroup, SecurityGroupRules, SecurityGroups};
use aws_infra::ecs::{
    Cluster, Clusters, Confirmation, DesiredCount, Service, Services, TaskDefinition, TaskDefinitions, Template, Word,
};
use aws_infra::efs::{AccessPoint, AccessPoints, FileSystem, FileSystems, MountTarget, MountTargets};
use aws_infra::elb::{
    BalancerOutput, Listener, LoadBalancer, LoadBalancers, Protocol, Scheme, TargetGroup, TargetGroups,
};
use aws_infra::iam::{Role, RoleOutput, RolePolicy, Roles, Statement};
use aws_infra::logs::{LogGroup, LogGroups};
use aws_infra::route53::{AliasRecord, HostedZone, ManualRecord, SystemResolver};
use aws_infra::secretsmanager::{Secret, Secrets, Value};
use aws_infra::{FileSystemId, Home, SecurityGroupId};
use resource_graph::{Graph, Label, NodeId, NodeIndex, Ownership, Ref};
use taskdef::Images;

pub(crate) use by_hand::BY_HAND;
pub use keeper::Keeper;
pub use material::{Ask, Material};
pub use names::Names;
use network::Network;

use crate::catalogue::StepId;
use crate::config::{self, Config, DnsMode, SslMode};

/// The port of everything that Keeper reaches.
const HTTPS: u16 = 443;
/// The port of EFS.
const NFS: u16 = 2049;

/// Kinds that are found by their tags alone: nothing that exists without our tags can be recognised, and so not be adopted.
pub const FOUND_BY_TAGS: [&str; 6] =
    ["vpc", "subnet", "internet-gateway", "route-table", "efs-file-system", "efs-access-point"];

/// The whole guide as a graph.
pub fn graph(config: &Config, material: &Material, home: &Home, keeper: &Keeper, words: &Words) -> Graph {
    let mut guide = Guide { graph: Graph::new(), config, names: Names::of(config), home, keeper };
    let vault = guide.vault(material); // K2 to K6
    let network = guide.network(); // A1
    let logs = guide.log_group(); // A2
    let (execution, task) = guide.roles(); // A3, X2
    let groups = guide.security_groups(&network); // A4, A5
    let (file_systems, access_points, mounts) = guide.file_systems(&network, &groups); // A6, X3
    let cluster = guide.cluster(); // A7
    let secret = guide.secret(material, vault.device); // X1
    let device = guide.device(&vault, &secret); // K7
    let policies = guide.policies(&execution, &task, &secret, &file_systems, &access_points); // X1, X3
    let definition =
        guide.add(StepId::A8, &["C05", "C07", "C14", "C15", "C39"], |home, config, names| TaskDefinition {
            home,
            node: NodeId::from("task-definition"),
            template: template(config, material, names),
            log_group: logs.clone(),
            execution_role: execution.field(RoleOutput::ARN),
            task_role: task.field(RoleOutput::ARN),
            secret: secret.clone(),
            record: vault.record.clone(),
            file_systems: file_systems.to_vec(),
            access_points: access_points.to_vec(),
        });
    let family = guide.names.family();
    guide.graph.inventory(TaskDefinitions { home: home.clone(), family });

    let certificate = guide.certificate(material); // A9
    let target = guide.target_group(&network); // A10
    let balancer = guide.balancer(&network, &groups); // A11
    let listener = guide.add(StepId::A11, &["C17"], |home, config, _| Listener {
        home,
        node: NodeId::from("listener"),
        balancer: balancer.field(BalancerOutput::ARN),
        port: HTTPS,
        ssl_policy: config.balancer.ssl_policy.clone(),
        certificate: certificate.field(CertificateOutput::ARN),
        target: target.clone(),
    });

    let running = guide.add(StepId::A12, &["C19", "C23", "C29"], |home, config, names| Service {
        home,
        node: NodeId::from("ecs-service"),
        name: names.service(),
        cluster: cluster.clone(),
        task_definition: definition.clone(),
        target_group: target.clone(),
        subnets: network.subnets.clone(),
        groups: vec![groups.task.clone()],
        public_ip: network.public_ip.clone(),
        container: taskdef::MAIN_CONTAINER.to_owned(),
        port: taskdef::PORT,
        grace: config.service.health_check_grace,
    });
    // Order without data. A task that starts before these are there fails, and takes the deployment with it.
    let service = running.node();
    for earlier in policies.into_iter().chain(mounts).chain(groups.rules).chain(vault.ready).chain(device) {
        guide.graph.after(service, earlier);
    }
    guide.graph.after(service, listener.node()); // ECS refuses a target group that no listener forwards to.
    let clusters = vec![guide.names.cluster()];
    guide.graph.inventory(Services { home: home.clone(), clusters });

    let record = guide.dns(&balancer); // A13
    let service = Running { cluster, service: running, reached: record };
    guide.automator(&service, words); // A14 to A17
    guide.graph
}

/// Looks at what AWS would refuse at A8, when all before it is made, and which the config alone decides.
///
/// # Errors
///
/// `task-definition-invalid`, with the fields.
pub fn check(config: &Config, material: &Material) -> resource_graph::Result<()> {
    template(config, material, &Names::of(config)).check()
}

fn template(config: &Config, material: &Material, names: &Names) -> Template {
    Template {
        family: names.family(),
        cpu: config.task.cpu,
        memory: config.task.memory,
        images: Images { init: config.task.init_image.clone(), main: config.task.image.clone() },
        attachments: material.attachments.clone(),
    }
}

/// What a person confirms, which may come while the program runs.
#[derive(Clone, Default)]
pub struct Words {
    /// That the Automator was set up by hand.
    pub a15: Word,
    /// That users sign in without being asked for an approval.
    pub a16: Word,
}

/// A service that Keeper can reach.
struct Running {
    cluster: Ref<aws_infra::ClusterArn>,
    service: Ref<aws_infra::ServiceArn>,
    /// The DNS record.
    reached: NodeIndex,
}

struct Guide<'a> {
    graph: Graph,
    config: &'a Config,
    names: Names,
    home: &'a Home,
    keeper: &'a Keeper,
}

/// What A4 and A5 give to the other steps.
struct Groups {
    balancer: Ref<SecurityGroupId>,
    task: Ref<SecurityGroupId>,
    efs: Ref<SecurityGroupId>,
    rules: Vec<NodeIndex>,
}

impl Guide<'_> {
    /// Adds one node of a step; the config says whose it shall be.
    fn add<R: resource_graph::Resource>(
        &mut self,
        step: StepId,
        corrections: &[&str],
        make: impl FnOnce(Home, &Config, &Names) -> R,
    ) -> Ref<R::Output> {
        let resource = make(self.home.clone(), self.config, &self.names);
        let word = self.config.ownership.get(resource.id().as_str());
        let ownership = word.map_or(Ownership::Managed, |word| match word {
            config::Ownership::Managed => Ownership::Managed,
            config::Ownership::Adopted => Ownership::Adopted,
            config::Ownership::Referenced => Ownership::Referenced,
        });
        self.label(step, corrections, ownership, resource)
    }

    /// Adds something that is only read.
    fn read<R: resource_graph::Resource>(&mut self, step: StepId, corrections: &[&str], resource: R) -> Ref<R::Output> {
        self.label(step, corrections, Ownership::Referenced, resource)
    }

    fn label<R: resource_graph::Resource>(
        &mut self,
        step: StepId,
        corrections: &[&str],
        ownership: Ownership,
        resource: R,
    ) -> Ref<R::Output> {
        let mut label = Label::step(step.as_str()).ownership(ownership);
        label.corrections = corrections.iter().map(|&code| code.to_owned()).collect();
        self.graph.add(label, resource)
    }

    /// A2.
    fn log_group(&mut self) -> Ref<aws_infra::LogGroupName> {
        let logs = self.add(StepId::A2, &["C10", "C18"], |home, config, names| LogGroup {
            home,
            node: NodeId::from("log-group"),
            name: names.log_group(),
            retention_days: i32::try_from(config.logs.retention_days)
                .expect("the config allows no more than ten years"),
        });
        let prefixes = vec![self.names.log_group()];
        self.graph.inventory(LogGroups { home: self.home.clone(), prefixes });
        logs
    }

    /// A3 and X2: who starts the tasks, and who the tasks are.
    fn roles(&mut self) -> (Ref<RoleOutput>, Ref<RoleOutput>) {
        let execution = self.add(StepId::A3, &["C03", "C10"], |home, _, names| Role {
            home,
            node: NodeId::from("role/execution"),
            name: names.execution_role(),
            path: Role::PATH.to_owned(),
            managed_policies: vec!["AmazonECSTaskExecutionRolePolicy".to_owned()],
        });
        let task = self.add(StepId::X2, &["C07"], |home, _, names| Role {
            home,
            node: NodeId::from("role/task"),
            name: names.task_role(),
            path: Role::PATH.to_owned(),
            managed_policies: Vec::new(),
        });
        self.graph.inventory(Roles { home: self.home.clone(), path: Role::PATH.to_owned() });
        (execution, task)
    }

    /// X1 and X3: what the roles may do, and nothing else.
    fn policies(
        &mut self,
        execution: &Ref<RoleOutput>,
        task: &Ref<RoleOutput>,
        secret: &Ref<aws_infra::SecretArn>,
        file_systems: &[Ref<FileSystemId>],
        access_points: &[Ref<aws_infra::AccessPointId>],
    ) -> Vec<NodeIndex> {
        let read = self.add(StepId::X1, &["C05"], |home, _, _| RolePolicy {
            home,
            node: NodeId::from("role-policy/execution"),
            role: execution.clone(),
            name: "read-ksm-config".to_owned(),
            statement: Statement::ReadSecret(secret.clone()),
        });
        let mount = self.add(StepId::X3, &["C07"], |home, _, _| RolePolicy {
            home,
            node: NodeId::from("role-policy/task"),
            role: task.clone(),
            name: "mount-file-systems".to_owned(),
            statement: Statement::MountFileSystems {
                file_systems: file_systems.to_vec(),
                access_points: access_points.to_vec(),
            },
        });
        vec![read.node(), mount.node()]
    }

    /// A4 and A5: three groups, each open only to its neighbour (C11).
    fn security_groups(&mut self, network: &Network) -> Groups {
        let names = self.names.clone();
        let mut group = |role: &str, step, name: String, description: &str| {
            self.add(step, &["C11"], |home, _, _| SecurityGroup {
                home,
                node: NodeId::new(format!("security-group/{role}")),
                name,
                description: description.to_owned(),
                vpc: network.vpc.clone(),
            })
        };
        let balancer = group("alb", StepId::A4, names.balancer_group(), "Keeper Automator: the load balancer");
        let task = group("task", StepId::A4, names.task_group(), "Keeper Automator: the tasks");
        let efs = group("efs", StepId::A5, names.efs_group(), "Keeper Automator: the file systems");
        self.graph.inventory(SecurityGroups(self.home.clone()));

        let rule = |direction, port, peer: &Ref<SecurityGroupId>, description: &str| Rule {
            direction,
            port,
            peer: Peer::Group(peer.clone()),
            description: description.to_owned(),
        };
        let allowed = self.config.allowed_cidrs().into_iter().map(|allowed| Rule {
            direction: Direction::In,
            port: HTTPS,
            peer: Peer::Cidr(allowed.cidr.to_string()),
            description: allowed.why,
        });
        let everywhere = Rule {
            direction: Direction::Out,
            port: HTTPS,
            peer: Peer::Cidr("0.0.0.0/0".to_owned()),
            description: "to the vault, the registry and the logs".to_owned(),
        };
        let wishes = [
            (
                "alb",
                StepId::A4,
                &balancer,
                allowed.chain([rule(Direction::Out, HTTPS, &task, "to the tasks")]).collect(),
            ),
            (
                "task",
                StepId::A4,
                &task,
                vec![
                    rule(Direction::In, HTTPS, &balancer, "from the balancer"),
                    everywhere,
                    rule(Direction::Out, NFS, &efs, "to the file systems"),
                ],
            ),
            ("efs", StepId::A5, &efs, vec![rule(Direction::In, NFS, &task, "from the tasks")]),
        ];
        let mut rules = Vec::new();
        for (role, step, group, wish) in wishes {
            let node = NodeId::new(format!("security-group-rules/{role}"));
            let added = self.add(step, &["C11"], |home, _, _| SecurityGroupRules {
                home,
                node,
                group: group.clone(),
                rules: wish,
            });
            rules.push(added.node());
        }
        Groups { balancer, task, efs, rules }
    }

    /// A6 and X3: two encrypted file systems, a mount target in each zone, an access point each.
    fn file_systems(
        &mut self,
        network: &Network,
        groups: &Groups,
    ) -> ([Ref<FileSystemId>; 2], [Ref<aws_infra::AccessPointId>; 2], Vec<NodeIndex>) {
        const ROLES: [&str; 2] = ["config", "settings"];
        let home = self.home.clone();
        let nodes = ROLES.map(|role| NodeId::new(format!("efs-file-system/{role}")));
        let file_systems = [0, 1].map(|at| {
            self.add(StepId::A6, &["C06"], |home, _, names| FileSystem {
                home,
                node: nodes[at].clone(),
                name: names.file_system(ROLES[at]),
            })
        });
        self.graph.inventory(FileSystems(home.clone()));
        let mut mounts = Vec::new();
        for (node, file_system) in nodes.iter().zip(&file_systems) {
            for (tail, subnet) in network.tails.iter().zip(&network.subnets) {
                let target = self.add(StepId::A6, &["C02", "C08"], |home, _, _| MountTarget {
                    home,
                    node: MountTarget::node(node, tail),
                    file_system: file_system.clone(),
                    subnet: subnet.clone(),
                    groups: vec![groups.efs.clone()],
                });
                mounts.push(target.node());
            }
        }
        self.graph.inventory(MountTargets(home.clone()));
        let access_points = [0, 1].map(|at| {
            self.add(StepId::X3, &["C07", "C07b"], |home, _, names| AccessPoint {
                home,
                node: NodeId::new(format!("efs-access-point/{}", ROLES[at])),
                name: names.file_system(ROLES[at]),
                file_system: file_systems[at].clone(),
                uid: AccessPoint::USER,
                gid: AccessPoint::USER,
                path: format!("/{}", ROLES[at]),
                permissions: AccessPoint::PERMISSIONS.to_owned(),
            })
        });
        self.graph.inventory(AccessPoints(home));
        (file_systems, access_points, mounts)
    }

    /// A7.
    fn cluster(&mut self) -> Ref<aws_infra::ClusterArn> {
        let cluster = self.add(StepId::A7, &["C24"], |home, _, names| Cluster {
            home,
            node: NodeId::from("ecs-cluster"),
            name: names.cluster(),
        });
        self.graph.inventory(Clusters(self.home.clone()));
        cluster
    }

    /// X1.
    fn secret(&mut self, material: &Material, device: Option<NodeIndex>) -> Ref<aws_infra::SecretArn> {
        let secret = self.add(StepId::X1, &["C05"], |home, _, names| Secret {
            home,
            node: NodeId::from("secret"),
            name: names.secret(),
            value: material.ksm_config.clone().map_or(Value::KeptByAnother, Value::Given),
        });
        if let Some(device) = device {
            self.graph.after(secret.node(), device);
        }
        self.graph.inventory(Secrets(self.home.clone()));
        secret
    }

    /// A9.
    fn certificate(&mut self, material: &Material) -> Ref<CertificateOutput> {
        let certificate = self.add(StepId::A9, &["C04", "C20"], |home, config, _| Certificate {
            home,
            node: NodeId::from("certificate"),
            name: config.host.to_string(),
            body: material.import.body.clone(),
            private_key: material.import.private_key.clone(),
            chain: material.import.chain.clone(),
            fingerprint: material.fingerprint.clone(),
            key_type: material.key_type.clone(),
            not_after: material.not_after.clone(),
        });
        self.graph.inventory(Certificates(self.home.clone()));
        certificate
    }

    /// A10 (C01): the protocol that the container speaks.
    fn target_group(&mut self, network: &Network) -> Ref<aws_infra::TargetGroupArn> {
        let target = self.add(StepId::A10, &["C01"], |home, config, names| TargetGroup {
            home,
            node: NodeId::from("target-group"),
            name: names.target_group(),
            vpc: network.vpc.clone(),
            protocol: if config.properties.ssl_mode == SslMode::None { Protocol::Http } else { Protocol::Https },
            port: HTTPS,
            health_path: "/health".to_owned(),
            deregistration_delay: None,
        });
        self.graph.inventory(TargetGroups(self.home.clone()));
        target
    }

    /// A11.
    fn balancer(&mut self, network: &Network, groups: &Groups) -> Ref<BalancerOutput> {
        let balancer = self.add(StepId::A11, &["C09", "C16"], |home, config, names| LoadBalancer {
            home,
            node: NodeId::from("load-balancer"),
            name: names.balancer(),
            scheme: match config.balancer.scheme {
                config::Scheme::InternetFacing => Scheme::InternetFacing,
                config::Scheme::Internal => Scheme::Internal,
            },
            subnets: network.balancer.clone(),
            groups: vec![groups.balancer.clone()],
        });
        if let Some(routes) = &network.routes {
            self.graph.after(balancer.node(), routes.node()); // AWS refuses one that faces the internet without a route.
        }
        self.graph.inventory(LoadBalancers(self.home.clone()));
        balancer
    }

    /// A13 (C22).
    fn dns(&mut self, balancer: &Ref<BalancerOutput>) -> NodeIndex {
        let host = self.config.host.to_string();
        let target = balancer.field(BalancerOutput::ALIAS);
        let home = self.home.clone();
        match &self.config.dns.mode {
            DnsMode::Route53 { zone } => {
                let zone = zone.as_ref().map(|zone| zone.as_str().to_owned());
                let node = NodeId::from("hosted-zone");
                let zone = self.read(StepId::A13, &["C22"], HostedZone { home, node, host: host.clone(), zone });
                self.add(StepId::A13, &["C22"], |home, _, names| AliasRecord {
                    home,
                    node: NodeId::from("dns-record"),
                    host,
                    zone,
                    target,
                    balancer_name: Some(names.balancer()),
                })
                .node()
            }
            DnsMode::Manual => {
                let wait = self.config.dns.wait;
                self.add(StepId::A13, &["C22"], |_, _, _| ManualRecord {
                    node: NodeId::from("dns-record"),
                    host,
                    target,
                    wait,
                    resolver: Arc::new(SystemResolver),
                })
                .node()
            }
        }
    }

    /// A16: no machine can sign in as a user does.
    fn test(&mut self, running: &Running, automator: NodeIndex, words: &Words) -> NodeIndex {
        let tested = self.add(StepId::A16, &[], |home, _, _| Confirmation {
            home,
            node: NodeId::from("user-test"),
            step: StepId::A16.to_string(),
            service: running.service.clone(),
            task: by_hand::TEST.to_owned(),
            word: words.a16.clone(),
        });
        self.graph.after(tested.node(), automator);
        tested.node()
    }

    /// A17 (C29, C30): more than one task only when the Automator is set up and was tested.
    fn count<G: Clone + Send + Sync + 'static>(&mut self, running: &Running, gate: Ref<G>, tested: NodeIndex) {
        let count = self.add(StepId::A17, &["C29", "C30"], |home, config, _| DesiredCount {
            home,
            node: NodeId::from("desired-count"),
            cluster: running.cluster.clone(),
            service: running.service.clone(),
            tasks: config.service.tasks,
            gate,
        });
        self.graph.after(count.node(), tested);
    }
}
