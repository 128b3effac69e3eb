//! The checked config, as the rest of the product reads it.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use super::error::{ConfigError, Origin, Problem};
use super::keeper_cloud::KeeperRegion;
use super::raw::{AssignPublicIp, Ownership, Scheme, Skill, SslMode};
use super::secret::SecretRef;
use super::values::{AwsRegion, Cidr, DeploymentName, HostName, RecordUid, SubnetId, VpcId, ZoneId};

/// The oldest Automator that is not warned about: a security release.
const OLDEST_GOOD_AUTOMATOR: [u32; 3] = [17, 1, 5];

/// One deployment, checked.
#[derive(Debug, Clone)]
pub struct Config {
    /// The name of the deployment.
    pub name: DeploymentName,
    /// The region of everything.
    pub region: AwsRegion,
    /// The name under which Keeper reaches the Automator.
    pub host: HostName,
    /// Where the certificate comes from.
    pub certificate: Certificate,
    /// How to reach Keeper.
    pub keeper: Keeper,
    /// The Automator as Keeper knows it.
    pub automator: Automator,
    /// The network.
    pub network: Network,
    /// Who may reach the balancer.
    pub access: Access,
    /// The log group.
    pub logs: Logs,
    /// The task definition.
    pub task: Task,
    /// The service.
    pub service: Service,
    /// The load balancer.
    pub balancer: Balancer,
    /// The DNS record.
    pub dns: Dns,
    /// `keeper.properties`.
    pub properties: Properties,
    /// Who owns what, by node id; what is not named is managed.
    pub ownership: BTreeMap<String, Ownership>,
    /// Further tags of everything that is made.
    pub tags: BTreeMap<String, String>,
    /// Other endpoints than those of AWS.
    pub endpoint: Endpoint,
    /// Whether the names printed in the guide are used.
    pub guide_exact_names: bool,
    pub(super) origin: Origin,
}

/// A PFX file and its password.
#[derive(Debug, Clone)]
pub struct Certificate {
    /// The PFX file.
    pub pfx: PathBuf,
    /// Its password.
    pub password: SecretRef,
}

/// How to reach Keeper.
#[derive(Debug, Clone)]
pub struct Keeper {
    /// Where the tenant is hosted.
    pub region: KeeperRegion,
    /// Who does the Keeper half of the guide.
    pub half: KeeperHalf,
    /// Another Keeper than the one of the region.
    pub endpoint: KeeperEndpoint,
}

/// Who does the Keeper half of the guide.
#[derive(Debug, Clone)]
pub enum KeeperHalf {
    /// A person, who writes into the config what came of it. As long as something is missing, what needs it waits.
    Manual {
        /// The record that holds the three Automator files.
        record_uid: Option<RecordUid>,
        /// The configuration of the KSM device.
        ksm_config: Option<SecretRef>,
        /// Whether it is used to look if the record is as it should be.
        check: bool,
    },
    /// This tool, signed in as an administrator.
    Login {
        /// The file of a Keeper Commander configuration, rewritten at each sign-in.
        config: PathBuf,
        /// The master password.
        password: Option<SecretRef>,
        /// The secret of a TOTP authenticator.
        totp: Option<SecretRef>,
        /// Name or id of the enterprise node of the Automator.
        node: String,
    },
}

impl Keeper {
    /// The record, where a person made it.
    pub fn record_uid(&self) -> Option<&RecordUid> {
        match &self.half {
            KeeperHalf::Manual { record_uid, .. } => record_uid.as_ref(),
            KeeperHalf::Login { .. } => None,
        }
    }
}

/// Another Keeper than the one of the region.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KeeperEndpoint {
    /// Its host.
    pub host: Option<keeper_wire::Host>,
    /// Certificates of a private authority, in PEM.
    pub ca_file: Option<PathBuf>,
    /// Its public keys; none for those of Keeper's own servers.
    pub server_keys: Option<keeper_wire::ServerKeys>,
}

/// The Automator as Keeper knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Automator {
    /// Its name in Keeper.
    pub name: String,
    /// Name or id of its enterprise node, if the config names one; a sign-in cannot do without.
    pub node: Option<String>,
    /// What it approves.
    pub skills: Vec<Skill>,
}

/// The network.
#[derive(Debug, Clone)]
pub struct Network {
    /// Created or existing.
    pub source: NetworkSource,
    /// Whether tasks get a public address.
    pub assign_public_ip: AssignPublicIp,
}

/// A network that is created, or one that exists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NetworkSource {
    /// A VPC with one subnet per zone is created.
    Create {
        /// Addresses of the VPC.
        cidr: Cidr,
        /// In how many zones.
        zones: u32,
    },
    /// An existing VPC is used.
    Existing {
        /// The VPC.
        vpc: VpcId,
        /// At least two different subnets; whether they lie in two zones only AWS can tell.
        subnets: Vec<SubnetId>,
        /// The same for the balancer, where it does not stand in those.
        balancer_subnets: Option<Vec<SubnetId>>,
    },
}

/// Who may reach the balancer on 443.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Access {
    /// Addresses of operators.
    pub operator_cidrs: Vec<Cidr>,
    /// Addresses in addition to those of Keeper.
    pub extra_cidrs: Vec<Cidr>,
    /// Addresses in place of those of Keeper.
    pub replace_cidrs: Option<Vec<Cidr>>,
}

/// One network that may reach the balancer, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AllowedCidr {
    /// The network.
    pub cidr: Cidr,
    /// The reason, fit for the description of a rule.
    pub why: String,
}

/// The log group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Logs {
    /// For how many days logs are kept; one of [`super::RETENTION_DAYS`].
    pub retention_days: u32,
}

/// The task definition. Whether Fargate takes this pair of CPU and memory is for `taskdef` to say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Task {
    /// CPU units.
    pub cpu: u32,
    /// Memory in MiB.
    pub memory: u32,
    /// The Automator.
    pub image: String,
    /// The init container.
    pub init_image: String,
}

/// The service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Service {
    /// How long a new task may be unhealthy.
    pub health_check_grace: Duration,
    /// How many tasks run in the end.
    pub tasks: u32,
}

/// The load balancer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Balancer {
    /// From where it is reached.
    pub scheme: Scheme,
    /// TLS policy of the listener.
    pub ssl_policy: String,
}

/// The DNS record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dns {
    /// Who writes it.
    pub mode: DnsMode,
    /// How long to wait for the name to resolve.
    pub wait: Duration,
}

/// Who writes the DNS record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DnsMode {
    /// We do, in this zone or in the one that owns the host name.
    Route53 {
        /// The zone, if the config names one.
        zone: Option<ZoneId>,
    },
    /// A person does.
    Manual,
}

/// `keeper.properties`, where it may differ from the guide.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Properties {
    /// How the container speaks TLS.
    pub ssl_mode: SslMode,
    /// The host the service listens on.
    pub automator_host: String,
    /// Whether the name check is off.
    pub disable_sni_check: bool,
    /// Whether state survives a restart.
    pub persist_state: bool,
    /// Further keys.
    pub extra: BTreeMap<String, String>,
}

/// Other endpoints than those of AWS.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Endpoint {
    /// Of every service without one of its own.
    pub url: Option<String>,
    /// Of single services, by AWS's name of the service (`ecs`, `elasticloadbalancing`, …).
    pub services: BTreeMap<String, String>,
}

/// Something a person should know, though it stops nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warning {
    /// The config field.
    pub field: &'static str,
    /// The correction it comes from, such as `C14`.
    pub correction: Option<&'static str>,
    /// The sentence.
    pub message: String,
}

impl Config {
    /// The networks that may reach the balancer, each once, with the reason.
    pub fn allowed_cidrs(&self) -> Vec<AllowedCidr> {
        let mut allowed: Vec<AllowedCidr> = Vec::new();
        let mut add = |cidr: Cidr, why: String| {
            if !allowed.iter().any(|known| known.cidr == cidr) {
                allowed.push(AllowedCidr { cidr, why });
            }
        };
        match &self.access.replace_cidrs {
            Some(cidrs) => cidrs.iter().for_each(|&cidr| add(cidr, "in place of the Keeper cloud".to_owned())),
            None => {
                let cloud = self.keeper.region.cloud();
                for cidr in cloud.addresses.iter().filter_map(|address| address.parse().ok()) {
                    add(cidr, format!("Keeper cloud {}", cloud.key));
                }
            }
        }
        self.access.extra_cidrs.iter().for_each(|&cidr| add(cidr, "extra".to_owned()));
        self.access.operator_cidrs.iter().for_each(|&cidr| add(cidr, "operator".to_owned()));
        allowed
    }

    /// An error that points at `field` in the file this config came from: for checks that need more than the config,
    /// such as subnets in one zone or a certificate that does not cover the host.
    pub fn problem(
        &self,
        code: &'static str,
        field: &str,
        message: impl Into<String>,
        help: Option<&str>,
    ) -> ConfigError {
        let mut problem = Problem::new(code, field, message);
        if let Some(help) = help {
            problem = problem.help(help);
        }
        ConfigError::new(self.origin.clone(), vec![problem])
    }

    /// Refuses an owner for a node that does not exist.
    pub fn check_ownership<'a>(&self, nodes: impl Iterator<Item = &'a str> + Clone) -> Result<(), ConfigError> {
        let unknown = self.ownership.keys().filter(|id| !nodes.clone().any(|node| node == id.as_str()));
        let problems: Vec<_> = unknown
            .map(|id| {
                let near = super::shape::nearest(id, nodes.clone());
                let help = near.map_or_else(
                    || "`plan` lists the nodes with their ids".to_owned(),
                    |near| format!("did you mean \"{near}\"?"),
                );
                Problem::new(
                    "config-unknown-node",
                    super::shape::join("ownership", id),
                    format!("no node is called `{id}`"),
                )
                .help(help)
            })
            .collect();
        if problems.is_empty() { Ok(()) } else { Err(ConfigError::new(self.origin.clone(), problems)) }
    }

    /// What a person should know about this config, though it stops nothing.
    pub fn warnings(&self) -> Vec<Warning> {
        let mut warnings = Vec::new();
        let mut warn = |field, correction, message: String| warnings.push(Warning { field, correction, message });
        for (field, image) in [("task.image", &self.task.image), ("task.init_image", &self.task.init_image)] {
            if is_floating(image) {
                let message =
                    format!("`{image}` is another image whenever its maker says so; pin a version or a digest");
                warn(field, Some("C14"), message);
            }
        }
        if let Some(version) = automator_version(&self.task.image)
            && version < OLDEST_GOOD_AUTOMATOR
        {
            let [major, minor, patch] = OLDEST_GOOD_AUTOMATOR;
            let message =
                format!("Automator {major}.{minor}.{patch} is a security release; `{}` is older", self.task.image);
            warn("task.image", None, message);
        }
        if self.access.replace_cidrs.is_some() {
            let message =
                "the addresses of the Keeper cloud are replaced; Keeper reaches the Automator only from these";
            warn("access.replace_cidrs", Some("C37"), message.to_owned());
        }
        if !self.properties.disable_sni_check && self.properties.ssl_mode != SslMode::None {
            let message = "a managed balancer does not present the certificate's name, so the name check must be off";
            warn("properties.disable_sni_check", Some("C34"), message.to_owned());
        }
        if self.balancer.scheme == Scheme::Internal {
            let message = "Keeper's cloud calls over the internet; an internal balancer needs another way in";
            warn("balancer.scheme", None, message.to_owned());
        }
        warnings
    }
}

/// The tag of an image, if it has one and no digest.
fn tag(image: &str) -> Option<&str> {
    let last = image.rsplit('/').next().unwrap_or(image);
    last.split_once(':').map(|(_, tag)| tag)
}

fn is_floating(image: &str) -> bool {
    !image.contains('@') && tag(image).is_none_or(|tag| tag == "latest")
}

fn automator_version(image: &str) -> Option<[u32; 3]> {
    let image = image.split('@').next().unwrap_or(image);
    if !image.contains("keeper/automator") {
        return None;
    }
    let mut numbers = tag(image)?.split('.').map(|part| part.parse::<u32>().ok());
    let major = numbers.next()??;
    Some([major, numbers.next().flatten()?, numbers.next().flatten().unwrap_or(0)])
}
