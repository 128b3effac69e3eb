//! The config file as serde and the JSON schema see it: what may be written, with its defaults.
//!
//! The doc comments here are the descriptions in the schema. Values are only judged in `check`. A key that must be there
//! is an `Option` with `schemars(required)`: `shape` reports it missing, and the rest of the file can still be judged.

use std::collections::BTreeMap;
use std::path::PathBuf;

use schemars::{JsonSchema, Schema, generate::SchemaSettings, json_schema};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use super::keeper_cloud::KeeperRegion;

pub(super) const DEFAULT_VPC_CIDR: &str = "10.20.0.0/16";
pub(super) const DEFAULT_ZONES: u32 = 2;
const DEFAULT_RETENTION_DAYS: u32 = 90;
const DEFAULT_CPU: u32 = 2048;
const DEFAULT_MEMORY: u32 = 5120;
const DEFAULT_IMAGE: &str = "keeper/automator:17.1.5";
// We know no version tag of this image (it has no public source), so the guide's own tag stays and is warned about (C14).
const DEFAULT_INIT_IMAGE: &str = "keeper/keeper-secrets-manager-writer:latest";
const DEFAULT_GRACE_SECONDS: u32 = 180;
const DEFAULT_TASKS: u32 = 2;
const DEFAULT_SSL_POLICY: &str = "ELBSecurityPolicy-TLS13-1-2-2021-06";
const DEFAULT_DNS_WAIT_MINUTES: u32 = 30;

/// Config of one Keeper Automator deployment.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "automator.toml")]
pub(super) struct RawConfig {
    /// Name of the deployment: lower-case letters, digits and hyphens; everything made is named and tagged after it.
    #[schemars(required)]
    pub(super) name: Option<String>,
    /// AWS region of everything (C15), such as `eu-west-1`.
    #[schemars(required)]
    pub(super) region: Option<String>,
    /// DNS name under which Keeper reaches the Automator, such as `automator.example.com`; the certificate must cover it.
    #[schemars(required)]
    pub(super) host: Option<String>,
    /// Where the certificate comes from (K1, A9).
    #[schemars(required)]
    pub(super) certificate: Option<RawCertificate>,
    /// How to reach Keeper (K3, K7, A4).
    #[schemars(required)]
    pub(super) keeper: Option<RawKeeper>,
    /// The Automator as Keeper knows it (A15).
    #[serde(default)]
    pub(super) automator: RawAutomator,
    /// The network (A1): created when nothing is said, or an existing one.
    #[serde(default)]
    pub(super) network: RawNetwork,
    /// Who may reach the balancer on 443 (A4).
    #[serde(default)]
    pub(super) access: RawAccess,
    /// The log group (A2).
    #[serde(default)]
    pub(super) logs: RawLogs,
    /// The task definition (A8).
    #[serde(default)]
    pub(super) task: RawTask,
    /// The service (A12).
    #[serde(default)]
    pub(super) service: RawService,
    /// The load balancer (A11).
    #[serde(default)]
    pub(super) balancer: RawBalancer,
    /// The DNS record (A13).
    #[serde(default)]
    pub(super) dns: RawDns,
    /// What differs from the guide in `keeper.properties` (K4).
    #[serde(default)]
    pub(super) properties: RawProperties,
    /// Who owns a thing that the plan names, by node id, such as `"log-group" = "adopted"`.
    #[serde(default)]
    pub(super) ownership: BTreeMap<String, Ownership>,
    /// Further tags of everything that is made.
    #[serde(default)]
    pub(super) tags: BTreeMap<String, String>,
    /// Other endpoints than those of AWS, for emulators.
    #[serde(default)]
    pub(super) endpoint: RawEndpoint,
    /// Uses the names printed in the guide instead of names made from `name`.
    #[serde(default)]
    pub(super) guide_exact_names: bool,
}

/// Where the certificate comes from (K1, A9).
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Certificate")]
pub(super) struct RawCertificate {
    /// `file`: a PFX file. `vault` and `acme` are not in this version.
    #[serde(default)]
    pub(super) source: CertificateOrigin,
    /// The PFX file, relative to the config file.
    pub(super) pfx: Option<PathBuf>,
    /// The password of the PFX file.
    pub(super) password: Option<RawSecretRef>,
}

/// Where the certificate comes from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum CertificateOrigin {
    #[default]
    File,
    Vault,
    Acme,
}

/// A reference to a secret: exactly one of `file`, `env` and `prompt`. The secret itself never stands in the config.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("x-secret" = true, "minProperties" = 1, "maxProperties" = 1))]
#[schemars(rename = "SecretRef")]
pub(super) struct RawSecretRef {
    /// A file that holds the secret, relative to the config file; one newline at its end is dropped.
    pub(super) file: Option<PathBuf>,
    /// The name of an environment variable that holds the secret.
    pub(super) env: Option<String>,
    /// Asks for the secret on the terminal.
    pub(super) prompt: Option<bool>,
}

/// How to reach Keeper (K3, K7, A4).
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Keeper")]
pub(super) struct RawKeeper {
    /// Where the Keeper tenant is hosted, one of US, US_GOV, EU, AU, CA, JP; independent of the AWS region (C31).
    #[schemars(required)]
    pub(super) region: Option<KeeperRegion>,
    /// UID of the vault record that holds the three Automator files (K3): 22 characters. Only without `login`; until it is
    /// there, `deploy` says how to make the record, and what needs it waits.
    pub(super) record_uid: Option<String>,
    /// The base64 configuration of the KSM device (K7). Only without `login`; until it is there, what needs it waits.
    pub(super) ksm_config: Option<RawSecretRef>,
    /// Whether Keeper is asked with `ksm_config` if the device and the files of the record are there (K3, K4, K7).
    #[serde(default = "yes")]
    pub(super) check: bool,
    /// How to sign in as an administrator: then the Keeper half of the guide is done, too. Without it a person does it.
    pub(super) login: Option<RawLogin>,
    /// Another Keeper than the one of `region`, for isolated deployments and tests.
    #[serde(default)]
    pub(super) endpoint: RawKeeperEndpoint,
}

fn yes() -> bool {
    true
}

/// How to sign in to Keeper as an administrator (K2 to K7, A15).
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Login")]
pub(super) struct RawLogin {
    /// The configuration file that `keeper login` or Keeper Commander wrote, relative to the config file. It is rewritten at each
    /// sign-in and belongs to this tool alone.
    #[schemars(required)]
    pub(super) config: Option<PathBuf>,
    /// The master password, where persistent login is not allowed.
    pub(super) password: Option<RawSecretRef>,
    /// The secret of a TOTP authenticator (base32), where a second factor is asked for.
    pub(super) totp: Option<RawSecretRef>,
}

/// Another Keeper than the one of `region`.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(rename = "KeeperEndpoint")]
pub(super) struct RawKeeperEndpoint {
    /// `host` or `host:port`; administrators sign in where their configuration file says.
    pub(super) host: Option<String>,
    /// PEM file with the certificates of a private authority, relative to the config file.
    pub(super) ca_file: Option<PathBuf>,
    /// Public keys of its servers: key id, and point in URL-safe base64.
    pub(super) server_keys: BTreeMap<String, String>,
}

/// The Automator as Keeper knows it (A15): made with `keeper.login`; without it, what the printed commands say.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(rename = "Automator")]
pub(super) struct RawAutomator {
    /// Name of the Automator in Keeper; the name of the deployment when nothing is said.
    pub(super) name: Option<String>,
    /// Name or id of the enterprise node with the SSO service it approves for; needed with `keeper.login`.
    pub(super) node: Option<String>,
    /// What it approves.
    pub(super) skills: RawSkills,
}

/// What an Automator approves.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(transparent)]
#[schemars(inline)]
pub(super) struct RawSkills(pub(super) Vec<Skill>);

impl Default for RawSkills {
    fn default() -> Self {
        Self(vec![Skill::Device, Skill::Team, Skill::TeamForUser])
    }
}

/// One thing that an Automator approves, named as in Keeper Commander.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Skill {
    /// Devices of users.
    Device,
    /// Teams.
    Team,
    /// Memberships in teams.
    TeamForUser,
}

/// The network (A1).
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(rename = "Network")]
pub(super) struct RawNetwork {
    /// Addresses of the VPC that is created.
    #[schemars(extend("default" = DEFAULT_VPC_CIDR))]
    pub(super) cidr: Option<String>,
    /// In how many availability zones subnets are created.
    #[schemars(extend("default" = DEFAULT_ZONES))]
    pub(super) zones: Option<u32>,
    /// An existing VPC; then `subnets` names at least two of its subnets.
    pub(super) vpc: Option<String>,
    /// Existing subnets, in at least two availability zones (C09).
    pub(super) subnets: Option<Vec<String>>,
    /// Existing subnets of the balancer, in at least two availability zones, where it does not stand in those of the tasks: behind
    /// a NAT, say, a balancer that faces the internet is not reached (C09).
    pub(super) balancer_subnets: Option<Vec<String>>,
    /// Whether tasks get a public address; `auto` gives one only where the subnet has no NAT (C19).
    pub(super) assign_public_ip: AssignPublicIp,
}

/// Whether tasks get a public address.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum AssignPublicIp {
    /// Only where the subnet's route table leads to an internet gateway and not to a NAT (C19).
    #[default]
    Auto,
    /// Always.
    Yes,
    /// Never.
    No,
}

impl<'de> Deserialize<'de> for AssignPublicIp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Value::deserialize(deserializer)? {
            Value::Bool(true) => Ok(Self::Yes),
            Value::Bool(false) => Ok(Self::No),
            Value::String(text) if text == "auto" => Ok(Self::Auto),
            _ => Err(serde::de::Error::custom("expected \"auto\", true or false")),
        }
    }
}

impl Serialize for AssignPublicIp {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Auto => serializer.serialize_str("auto"),
            Self::Yes => serializer.serialize_bool(true),
            Self::No => serializer.serialize_bool(false),
        }
    }
}

impl JsonSchema for AssignPublicIp {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "AssignPublicIp".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> Schema {
        json_schema!({ "enum": ["auto", true, false] })
    }
}

/// Who may reach the balancer on 443 (A4).
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(rename = "Access")]
pub(super) struct RawAccess {
    /// Addresses of operators, for tests and troubleshooting; never the whole internet (C37).
    pub(super) operator_cidrs: Vec<String>,
    /// Addresses in addition to those of Keeper.
    pub(super) extra_cidrs: Vec<String>,
    /// Addresses in place of those of Keeper.
    pub(super) replace_cidrs: Option<Vec<String>>,
}

/// The log group (A2).
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(rename = "Logs")]
pub(super) struct RawLogs {
    /// For how many days logs are kept (C18); CloudWatch takes only certain numbers.
    pub(super) retention_days: u32,
}

impl Default for RawLogs {
    fn default() -> Self {
        Self { retention_days: DEFAULT_RETENTION_DAYS }
    }
}

/// The task definition (A8).
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(rename = "Task")]
pub(super) struct RawTask {
    /// CPU units of a task; 1024 are one vCPU.
    pub(super) cpu: u32,
    /// Memory of a task in MiB.
    pub(super) memory: u32,
    /// Image of the Automator; pin a version or a digest (C14).
    pub(super) image: String,
    /// Image of the init container, which fetches the three files from the vault; pin a digest (C14).
    pub(super) init_image: String,
}

impl Default for RawTask {
    fn default() -> Self {
        Self {
            cpu: DEFAULT_CPU,
            memory: DEFAULT_MEMORY,
            image: DEFAULT_IMAGE.to_owned(),
            init_image: DEFAULT_INIT_IMAGE.to_owned(),
        }
    }
}

/// The service (A12).
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(rename = "Service")]
pub(super) struct RawService {
    /// How long a new task may be unhealthy while it starts (C23).
    pub(super) health_check_grace_seconds: u32,
    /// How many tasks run in the end (A17); one until the Automator is set up and was tested.
    pub(super) tasks: u32,
}

impl Default for RawService {
    fn default() -> Self {
        Self { health_check_grace_seconds: DEFAULT_GRACE_SECONDS, tasks: DEFAULT_TASKS }
    }
}

/// The load balancer (A11).
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(rename = "Balancer")]
pub(super) struct RawBalancer {
    /// Whether the balancer is reached from the internet.
    pub(super) scheme: Scheme,
    /// TLS policy of the listener (C17).
    pub(super) ssl_policy: String,
}

impl Default for RawBalancer {
    fn default() -> Self {
        Self { scheme: Scheme::default(), ssl_policy: DEFAULT_SSL_POLICY.to_owned() }
    }
}

/// From where a load balancer is reached.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Scheme {
    /// From the internet, as Keeper's cloud needs it.
    #[default]
    InternetFacing,
    /// Only from inside the VPC and what is connected to it.
    Internal,
}

/// The DNS record (A13).
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(rename = "Dns")]
pub(super) struct RawDns {
    /// `route53` writes the alias record, `manual` prints the CNAME to create and waits for it (C22).
    pub(super) mode: RawDnsMode,
    /// The hosted zone; else the public zone that owns the host name is found.
    pub(super) zone_id: Option<String>,
    /// How long to wait for the name to resolve; only with `manual`.
    pub(super) wait_minutes: u32,
}

impl Default for RawDns {
    fn default() -> Self {
        Self { mode: RawDnsMode::default(), zone_id: None, wait_minutes: DEFAULT_DNS_WAIT_MINUTES }
    }
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(rename = "DnsMode")]
pub(super) enum RawDnsMode {
    #[default]
    Route53,
    Manual,
}

/// What differs from the guide in `keeper.properties` (K4).
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(rename = "Properties")]
pub(super) struct RawProperties {
    /// How the container speaks TLS; the target group follows it (C01).
    pub(super) ssl_mode: SslMode,
    /// The host the service listens on (C36).
    pub(super) automator_host: String,
    /// Whether the name check is off; needed behind a managed balancer (C34).
    pub(super) disable_sni_check: bool,
    /// Whether state survives a restart.
    pub(super) persist_state: bool,
    /// Further keys of `keeper.properties`, passed through unchanged.
    pub(super) extra: BTreeMap<String, String>,
}

impl Default for RawProperties {
    fn default() -> Self {
        Self {
            ssl_mode: SslMode::default(),
            automator_host: "localhost".to_owned(),
            disable_sni_check: true,
            persist_state: true,
            extra: BTreeMap::new(),
        }
    }
}

/// How the container speaks TLS.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SslMode {
    /// With the PFX of the vault record.
    #[default]
    Certificate,
    /// With a certificate it makes itself.
    SelfSigned,
    /// Not at all: plain HTTP, and so is the target group (C01).
    None,
}

/// Who owns a thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Ownership {
    /// Ours: created, changed, deleted.
    Managed,
    /// Existed before: tagged and perhaps corrected, never deleted.
    Adopted,
    /// Only read and checked.
    Referenced,
}

/// Other endpoints than those of AWS, for emulators.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(rename = "Endpoint")]
pub(super) struct RawEndpoint {
    /// Endpoint of every service that has none of its own below.
    pub(super) url: Option<String>,
    /// Endpoints of single services.
    pub(super) services: RawServices,
}

/// Endpoints of single services.
#[derive(Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(rename = "Services")]
pub(super) struct RawServices {
    pub(super) acm: Option<String>,
    pub(super) ec2: Option<String>,
    pub(super) ecs: Option<String>,
    pub(super) efs: Option<String>,
    pub(super) elasticloadbalancing: Option<String>,
    pub(super) iam: Option<String>,
    pub(super) logs: Option<String>,
    pub(super) route53: Option<String>,
    pub(super) secretsmanager: Option<String>,
    pub(super) sts: Option<String>,
}

impl RawConfig {
    pub(super) fn sandbox(pfx: PathBuf, password: PathBuf) -> Self {
        let file = |path| RawSecretRef { file: Some(path), env: None, prompt: None };
        Self {
            name: Some("automator".to_owned()),
            region: Some("eu-west-1".to_owned()),
            host: Some("automator.example.com".to_owned()),
            certificate: Some(RawCertificate {
                source: CertificateOrigin::File,
                pfx: Some(pfx),
                password: Some(file(password)),
            }),
            keeper: Some(RawKeeper {
                region: Some(KeeperRegion::Eu),
                record_uid: None,
                ksm_config: None,
                check: true,
                login: None,
                endpoint: RawKeeperEndpoint::default(),
            }),
            automator: RawAutomator::default(),
            network: RawNetwork::default(),
            access: RawAccess::default(),
            logs: RawLogs::default(),
            task: RawTask::default(),
            service: RawService::default(),
            balancer: RawBalancer::default(),
            dns: RawDns::default(),
            properties: RawProperties::default(),
            ownership: BTreeMap::new(),
            tags: BTreeMap::new(),
            endpoint: RawEndpoint::default(),
            guide_exact_names: false,
        }
    }
}

/// The schema, without `null`: TOML has none.
pub(super) fn schema() -> Value {
    let schema = SchemaSettings::draft2020_12().into_generator().into_root_schema_for::<RawConfig>();
    let mut schema = schema.to_value();
    drop_null(&mut schema);
    schema
}

fn drop_null(node: &mut Value) {
    match node {
        Value::Array(items) => items.iter_mut().for_each(drop_null),
        Value::Object(map) => {
            if let Some(Value::Array(types)) = map.get_mut("type") {
                types.retain(|kind| kind != "null");
                if let [only] = types.as_slice() {
                    map["type"] = only.clone();
                }
            }
            if let Some(Value::Array(choices)) = map.get_mut("anyOf") {
                choices.retain(|choice| choice["type"] != "null");
                if let [Value::Object(only)] = choices.as_slice() {
                    let only = only.clone();
                    map.shift_remove("anyOf");
                    map.extend(only);
                }
            }
            if map.get("default").is_some_and(Value::is_null) {
                map.shift_remove("default");
            }
            if let Some(Value::Object(default)) = map.get_mut("default") {
                default.retain(|_, value| !value.is_null());
            }
            map.values_mut().for_each(drop_null);
        }
        _ => {}
    }
}
