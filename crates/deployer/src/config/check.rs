//! The values of a config file, judged: from what serde read to [`Config`], with every problem on the way.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use super::error::{Origin, Problem};
use super::model::{
    Access, Automator, Balancer, Certificate, Config, Dns, DnsMode, Endpoint, Keeper, KeeperEndpoint, KeeperHalf, Logs,
    Network, NetworkSource, Properties, Service, Task,
};
use super::raw::{
    self, CertificateOrigin, RawAccess, RawAutomator, RawCertificate, RawConfig, RawDns, RawDnsMode, RawEndpoint,
    RawKeeper, RawKeeperEndpoint, RawLogin, RawNetwork, RawProperties, RawSecretRef, RawTask,
};
use super::secret::{SecretRef, SecretSource};
use super::values::{Cidr, DeploymentName, RETENTION_DAYS, SubnetId, WHOLE_INTERNET};

/// How the names go on of the balancer's TLS policies that begin at TLS 1.2, as of 2026-11-24:
/// <https://docs.aws.amazon.com/elasticloadbalancing/latest/application/describe-ssl-policies.html>
const NEW_TLS: [&str; 4] = ["TLS13-1-3-", "TLS13-1-2-", "TLS-1-2-", "FS-1-2-"];

/// The config, unless something is wrong with what it cannot do without, and all that is wrong.
pub(super) struct Checked {
    pub(super) config: Option<Config>,
    pub(super) problems: Vec<Problem>,
}

pub(super) fn check(raw: RawConfig, base_dir: &Path) -> Checked {
    let mut check = Check { base_dir, problems: Vec::new() };
    let config = check.config(raw);
    Checked { config, problems: check.problems }
}

struct Check<'a> {
    base_dir: &'a Path,
    problems: Vec<Problem>,
}

impl Check<'_> {
    fn config(&mut self, raw: RawConfig) -> Option<Config> {
        // Everything is checked before anything is given up, so that one run tells all. What must be there and is not
        // has been reported with the shape of the file.
        let name = raw.name.and_then(|name| self.parse("name", &name));
        let region = raw.region.and_then(|region| self.parse("region", &region));
        let host = raw.host.and_then(|host| self.parse("host", &host));
        let certificate = raw.certificate.and_then(|certificate| self.certificate(certificate));
        let node = raw.automator.node.clone();
        let keeper = raw.keeper.and_then(|keeper| self.keeper(keeper, node));
        let automator = self.automator(raw.automator, name.as_ref());
        let assign_public_ip = raw.network.assign_public_ip;
        let network = self.network(raw.network);
        let access = self.access(raw.access);
        self.retention(raw.logs.retention_days);
        let task = self.task(raw.task);
        let dns = self.dns(raw.dns);
        self.range("service.health_check_grace_seconds", raw.service.health_check_grace_seconds, 0..=86_400);
        self.range("service.tasks", raw.service.tasks, 1..=100);
        self.ssl_policy(&raw.balancer.ssl_policy);
        let properties = self.properties(raw.properties);
        self.tags(&raw.tags);
        let endpoint = self.endpoint(raw.endpoint);
        Some(Config {
            name: name?,
            region: region?,
            host: host?,
            certificate: certificate?,
            keeper: keeper?,
            automator,
            network: Network { source: network?, assign_public_ip },
            access,
            logs: Logs { retention_days: raw.logs.retention_days },
            task,
            service: Service {
                health_check_grace: Duration::from_secs(raw.service.health_check_grace_seconds.into()),
                tasks: raw.service.tasks,
            },
            balancer: Balancer { scheme: raw.balancer.scheme, ssl_policy: raw.balancer.ssl_policy },
            dns,
            properties,
            ownership: raw.ownership,
            tags: raw.tags,
            endpoint,
            guide_exact_names: raw.guide_exact_names,
            origin: Origin::default(),
        })
    }

    fn certificate(&mut self, raw: RawCertificate) -> Option<Certificate> {
        if raw.source != CertificateOrigin::File {
            let problem = Problem::new(
                "config-not-in-this-version",
                "certificate.source",
                "this source of certificates is not in this version",
            );
            self.problems.push(problem.help("use `source = \"file\"` with `pfx` and `password`"));
            return None;
        }
        let pfx = self.required("certificate.pfx", raw.pfx).and_then(|pfx| self.path("certificate.pfx", pfx));
        let password = self.required("certificate.password", raw.password);
        let password = password.and_then(|password| self.secret("certificate.password", password));
        Some(Certificate { pfx: pfx?, password: password? })
    }

    /// A person's work has a record and a device to show for it; a sign-in has neither.
    fn keeper(&mut self, raw: RawKeeper, node: Option<String>) -> Option<Keeper> {
        let endpoint = self.keeper_endpoint(raw.endpoint);
        let half = match raw.login {
            Some(login) => {
                if raw.record_uid.is_some() || raw.ksm_config.is_some() {
                    let message = "`keeper.login` makes the record and the device itself";
                    let help = "leave `record_uid` and `ksm_config` away, or leave `login` away";
                    self.problems.push(Problem::new("config-conflict", "keeper.login", message).help(help));
                }
                self.login(login, node)
            }
            None => {
                let record_uid = raw.record_uid.and_then(|uid| self.parse("keeper.record_uid", &uid));
                let ksm_config = raw.ksm_config.and_then(|secret| self.secret("keeper.ksm_config", secret));
                Some(KeeperHalf::Manual { record_uid, ksm_config, check: raw.check })
            }
        };
        Some(Keeper { region: raw.region?, half: half?, endpoint })
    }

    fn login(&mut self, raw: RawLogin, node: Option<String>) -> Option<KeeperHalf> {
        let config = raw.config.and_then(|path| self.path("keeper.login.config", path));
        let password = raw.password.and_then(|secret| self.secret("keeper.login.password", secret));
        let totp = raw.totp.and_then(|secret| self.secret("keeper.login.totp", secret));
        let node = self.required("automator.node", node);
        Some(KeeperHalf::Login { config: config?, password, totp, node: node? })
    }

    fn keeper_endpoint(&mut self, raw: RawKeeperEndpoint) -> KeeperEndpoint {
        let host = raw.host.and_then(|host| match host.parse::<keeper_wire::Host>() {
            Ok(host) => Some(host),
            Err(error) => {
                self.bad("keeper.endpoint.host", error.to_string());
                None
            }
        });
        let ca_file = raw.ca_file.and_then(|path| self.path("keeper.endpoint.ca_file", path));
        let mut keys = Vec::new();
        for (id, point) in &raw.server_keys {
            let field = format!("keeper.endpoint.server_keys.{id}");
            match (id.parse::<i32>(), keeper_wire::ec::PublicKey::from_base64(point)) {
                (Ok(id), Ok(key)) => keys.push((id, key)),
                (Err(_), _) => self.bad(&field, "a key id is a number"),
                (_, Err(error)) => self.bad(&field, error.to_string()),
            }
        }
        let server_keys = (!keys.is_empty()).then(|| keeper_wire::ServerKeys::of(keys));
        KeeperEndpoint { host, ca_file, server_keys }
    }

    fn automator(&mut self, raw: RawAutomator, deployment: Option<&DeploymentName>) -> Automator {
        if let Some(name) = &raw.name {
            if name.trim() != name || name.chars().any(char::is_control) || name.chars().count() > 100 {
                self.bad("automator.name", "a name has at most 100 characters, and no blanks around it");
            } else if name.is_empty() || name.parse::<i64>().is_ok() {
                // As `keeper automator create` has it: elsewhere a number is an id.
                let problem =
                    Problem::bad_value("automator.name", "the name of an Automator is no number and not empty");
                self.problems.push(
                    problem.help("give it a name with a letter, or leave it away: then it is that of the deployment"),
                );
            }
        }
        if raw.node.as_ref().is_some_and(|node| node.trim().is_empty()) {
            let problem = Problem::bad_value("automator.node", "the name of a node is not empty");
            self.problems
                .push(problem.help("write it as the Admin Console shows it; `keeper nodes` lists them with their ids"));
        }
        let name = raw.name.unwrap_or_else(|| deployment.map(DeploymentName::to_string).unwrap_or_default());
        let mut skills = raw.skills.0;
        skills.dedup();
        if skills.is_empty() {
            self.bad("automator.skills", "an Automator without skills approves nothing");
        }
        Automator { name, node: raw.node, skills }
    }

    fn secret(&mut self, field: &'static str, raw: RawSecretRef) -> Option<SecretRef> {
        let source = match (raw.file, raw.env, raw.prompt) {
            (Some(file), None, None) => SecretSource::File(self.path(field, file)?),
            (None, Some(name), None) => {
                let starts = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
                if !starts || !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
                    // Perhaps the secret itself was pasted here.
                    let message = "this is not the name of an environment variable";
                    let help = "`env` names a variable that holds the secret, such as `env = \"PFX_PASSWORD\"`";
                    self.problems.push(Problem::bad_value(format!("{field}.env"), message).help(help).secret());
                    return None;
                }
                SecretSource::Env(name)
            }
            (None, None, Some(true)) => SecretSource::Prompt,
            (None, None, Some(false)) => {
                let problem = Problem::bad_value(format!("{field}.prompt"), "`prompt` can only be true");
                self.problems.push(problem.help("leave it away, and name a `file` or an `env` instead"));
                return None;
            }
            _ => {
                let message = format!("`{field}` needs exactly one of `file`, `env` and `prompt`");
                self.problems.push(Problem::new("config-conflict", field, message));
                return None;
            }
        };
        Some(SecretRef { field, source })
    }

    fn network(&mut self, raw: RawNetwork) -> Option<NetworkSource> {
        if raw.vpc.is_none() && raw.subnets.is_none() {
            let cidr: Option<Cidr> = self.parse("network.cidr", raw.cidr.as_deref().unwrap_or(raw::DEFAULT_VPC_CIDR));
            // A /24 is cut into eight, which is the least that leaves each of six zones the /27 a balancer asks for.
            if cidr.is_some_and(|cidr| !(16..=24).contains(&cidr.prefix())) {
                self.bad("network.cidr", "the network of a new VPC is between /16 and /24");
            }
            let zones = raw.zones.unwrap_or(raw::DEFAULT_ZONES);
            if !(2..=6).contains(&zones) {
                self.bad("network.zones", "the balancer needs subnets in two or more zones, and six are enough (C09)");
            }
            if raw.balancer_subnets.is_some() {
                let message =
                    "`network.balancer_subnets` needs `network.vpc` and `network.subnets`: a new network has its own";
                self.conflict("network.balancer_subnets", message);
            }
            return Some(NetworkSource::Create { cidr: cidr?, zones });
        }
        for (field, is_set) in [("network.cidr", raw.cidr.is_some()), ("network.zones", raw.zones.is_some())] {
            if is_set {
                self.conflict(field, format!("`{field}` is for a network that is created, and this one exists"));
            }
        }
        if raw.vpc.is_none() {
            self.conflict("network.subnets", "`network.subnets` needs `network.vpc`: the VPC they lie in");
        }
        if raw.subnets.is_none() {
            self.conflict("network.vpc", "`network.vpc` needs `network.subnets`: at least two, in different zones");
        }
        let exists = raw.vpc.is_some();
        let vpc = raw.vpc.and_then(|vpc| self.parse("network.vpc", &vpc));
        let subnets = raw.subnets.map(|given| self.subnets("network.subnets", &given, exists)).unwrap_or_default();
        let balancer_subnets =
            raw.balancer_subnets.map(|given| self.subnets("network.balancer_subnets", &given, exists));
        Some(NetworkSource::Existing { vpc: vpc?, subnets, balancer_subnets })
    }

    fn subnets(&mut self, list: &str, given: &[String], exists: bool) -> Vec<SubnetId> {
        let mut subnets = Vec::new();
        for (at, subnet) in given.iter().enumerate() {
            let field = format!("{list}[{at}]");
            if given[..at].contains(subnet) {
                self.bad(&field, format!("subnet `{subnet}` is named twice"));
            } else if let Some(subnet) = self.parse(&field, subnet) {
                subnets.push(subnet);
            }
        }
        if exists && given.len() < 2 {
            self.bad(list, "the balancer needs subnets in two or more zones, so name at least two (C09)");
        }
        subnets
    }

    fn access(&mut self, raw: RawAccess) -> Access {
        if raw.replace_cidrs.as_ref().is_some_and(Vec::is_empty) {
            self.bad("access.replace_cidrs", "with no address at all, Keeper cannot reach the Automator");
        }
        Access {
            operator_cidrs: self.cidrs("access.operator_cidrs", &raw.operator_cidrs),
            extra_cidrs: self.cidrs("access.extra_cidrs", &raw.extra_cidrs),
            replace_cidrs: raw.replace_cidrs.map(|cidrs| self.cidrs("access.replace_cidrs", &cidrs)),
        }
    }

    fn cidrs(&mut self, field: &str, given: &[String]) -> Vec<Cidr> {
        let mut cidrs = Vec::new();
        for (at, text) in given.iter().enumerate() {
            let field = format!("{field}[{at}]");
            let Some(cidr) = self.parse::<Cidr>(&field, text) else { continue };
            if cidr.is_everything() {
                let problem = Problem::bad_value(&field, WHOLE_INTERNET);
                self.problems
                    .push(problem.help("name the address of your office or workstation, such as `203.0.113.7/32`"));
            } else {
                cidrs.push(cidr);
            }
        }
        cidrs
    }

    fn retention(&mut self, days: u32) {
        if !RETENTION_DAYS.contains(&days) {
            let choices: Vec<String> = RETENTION_DAYS.iter().map(u32::to_string).collect();
            let problem =
                Problem::bad_value("logs.retention_days", format!("CloudWatch cannot keep logs for {days} days"));
            self.problems.push(problem.help(format!("it takes {}", choices.join(", "))));
        }
    }

    fn task(&mut self, raw: RawTask) -> Task {
        for (field, image) in [("task.image", &raw.image), ("task.init_image", &raw.init_image)] {
            let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | '/' | ':' | '@');
            if image.is_empty() || !image.chars().all(plain) || image.ends_with([':', '@', '/']) {
                self.bad(field, "an image looks like `keeper/automator:17.1.5`");
            }
        }
        Task { cpu: raw.cpu, memory: raw.memory, image: raw.image, init_image: raw.init_image }
    }

    fn dns(&mut self, raw: RawDns) -> Dns {
        let zone = raw.zone_id.as_ref().and_then(|zone| self.parse("dns.zone_id", zone));
        let mode = match raw.mode {
            RawDnsMode::Route53 => DnsMode::Route53 { zone },
            RawDnsMode::Manual => {
                if raw.zone_id.is_some() {
                    self.conflict("dns.zone_id", "`dns.zone_id` has no use with `mode = \"manual\"`");
                }
                DnsMode::Manual
            }
        };
        self.range("dns.wait_minutes", raw.wait_minutes, 0..=1440);
        Dns { mode, wait: Duration::from_secs(u64::from(raw.wait_minutes) * 60) }
    }

    fn ssl_policy(&mut self, policy: &str) {
        let name = policy.strip_prefix("ELBSecurityPolicy-").unwrap_or_default();
        if name.is_empty() || name.contains(char::is_whitespace) {
            self.bad("balancer.ssl_policy", "a TLS policy of a balancer is called `ELBSecurityPolicy-…`");
        } else if !NEW_TLS.iter().any(|begin| name.starts_with(begin)) {
            let message = "this TLS policy is not known to refuse TLS 1.0 and 1.1 (C17)";
            let begins: Vec<String> = NEW_TLS.iter().map(|begin| format!("`ELBSecurityPolicy-{begin}…`")).collect();
            let problem = Problem::bad_value("balancer.ssl_policy", message);
            self.problems.push(problem.help(format!("those that do begin with {}", begins.join(", "))));
        }
    }

    fn properties(&mut self, raw: RawProperties) -> Properties {
        if raw.automator_host.is_empty() || !raw.automator_host.chars().all(|c| c.is_ascii_graphic()) {
            self.bad("properties.automator_host", "`automator_host` is a host name or an address");
        }
        for (key, value) in &raw.extra {
            let field = super::shape::join("properties.extra", key);
            let reason = match key.as_str() {
                "ssl_mode" | "automator_host" | "disable_sni_check" | "persist_state" => {
                    "this key has its own place in [properties]"
                }
                "automator_port" | "ssl_certificate_file" => "this key is part of the guide's set-up and cannot change",
                "ssl_certificate_file_password"
                | "ssl_certificate_key_password"
                | "ssl_certificate"
                | "automator_config_key" => {
                    let problem = Problem::new("config-literal-secret", field, "secrets in the config are references");
                    let help = "this key holds a secret; the guide's set-up takes it from the vault record";
                    self.problems.push(problem.help(help).secret());
                    continue;
                }
                _ if key.is_empty() || !key.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c)) => {
                    "a key of keeper.properties has letters, digits, `.`, `_` and `-`"
                }
                _ if !value.chars().all(|c| c == ' ' || c.is_ascii_graphic()) => {
                    "a value of keeper.properties is one line of ASCII"
                }
                _ => continue,
            };
            self.bad(&field, reason);
        }
        Properties {
            ssl_mode: raw.ssl_mode,
            automator_host: raw.automator_host,
            disable_sni_check: raw.disable_sni_check,
            persist_state: raw.persist_state,
            extra: raw.extra,
        }
    }

    fn tags(&mut self, tags: &BTreeMap<String, String>) {
        // AWS takes 50 tags; ours need some of them.
        if tags.len() > 40 {
            self.bad("tags", "at most 40 tags can be added");
        }
        let plain = |text: &str| text.chars().all(|c| c.is_alphanumeric() || c == ' ' || "_.:/=+-@".contains(c));
        for (key, value) in tags {
            let lower = key.to_lowercase();
            let reason = if lower.starts_with("aws:") || lower.starts_with("keeper-automator:") {
                "tags that start with `aws:` or `keeper-automator:` are not yours to set"
            } else if key.is_empty() || key.chars().count() > 128 {
                "the key of a tag has 1 to 128 characters"
            } else if value.chars().count() > 256 {
                "the value of a tag has at most 256 characters"
            } else if !plain(key) || !plain(value) {
                "a tag has letters, digits, blanks and `_ . : / = + - @`"
            } else {
                continue;
            };
            self.bad(&super::shape::join("tags", key), reason);
        }
    }

    fn endpoint(&mut self, raw: RawEndpoint) -> Endpoint {
        if let Some(url) = &raw.url {
            self.url("endpoint.url", url);
        }
        let named = match serde_json::to_value(raw.services) {
            Ok(serde_json::Value::Object(named)) => named,
            _ => serde_json::Map::new(),
        };
        let mut services = BTreeMap::new();
        for (service, url) in named {
            if let serde_json::Value::String(url) = url {
                self.url(&format!("endpoint.services.{service}"), &url);
                services.insert(service, url);
            }
        }
        Endpoint { url: raw.url, services }
    }

    fn url(&mut self, field: &str, url: &str) {
        let rest = url.strip_prefix("http://").or_else(|| url.strip_prefix("https://"));
        let authority = rest.map(|rest| rest.split('/').next().unwrap_or(rest)).unwrap_or_default();
        if authority.contains('@') {
            let problem = Problem::new("config-literal-secret", field, "an endpoint carries no user name or password");
            self.problems.push(problem.secret());
        } else if authority.is_empty() || url.contains(char::is_whitespace) {
            self.bad(field, "an endpoint looks like `http://127.0.0.1:5000`");
        }
    }

    fn parse<T: FromStr<Err = String>>(&mut self, field: &str, text: &str) -> Option<T> {
        text.parse().map_err(|message| self.bad(field, message)).ok()
    }

    fn path(&mut self, field: &str, path: PathBuf) -> Option<PathBuf> {
        if path.as_os_str().is_empty() {
            self.bad(field, "a path must not be empty");
            return None;
        }
        Some(self.base_dir.join(path))
    }

    fn required<T>(&mut self, field: &str, value: Option<T>) -> Option<T> {
        if value.is_none() {
            let message = format!("missing key `{field}`");
            self.problems.push(Problem::new("config-missing-key", field, message).label("add it here"));
        }
        value
    }

    fn range(&mut self, field: &str, value: u32, allowed: std::ops::RangeInclusive<u32>) {
        if !allowed.contains(&value) {
            self.bad(field, format!("`{field}` must be from {} to {}", allowed.start(), allowed.end()));
        }
    }

    fn bad(&mut self, field: &str, message: impl Into<String>) {
        self.problems.push(Problem::bad_value(field, message));
    }

    fn conflict(&mut self, field: &str, message: impl Into<String>) {
        self.problems.push(Problem::new("config-conflict", field, message));
    }
}
