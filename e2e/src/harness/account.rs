//! What is in the account, asked of each service directly and not through the product: a second opinion on what it made.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use anyhow::{Context, Result};
use aws_infra::{Aws, Connection, DEPLOYMENT_TAG, NODE_TAG};
use aws_sdk_acm::types::{Filters, KeyAlgorithm};

use super::Desk;

/// All that a call lists, of every page: an account that somebody works in has more than one.
macro_rules! all {
    ($call:expr) => {
        $call.into_paginator().items().send().collect::<Result<Vec<_>, _>>().await?
    };
}

/// Something in the account.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Thing {
    /// What it is, as the product's plan calls it.
    pub kind: &'static str,
    /// Its id, ARN or name: what stands in a request that deletes it.
    pub id: String,
    /// The node of the deployment that it is.
    pub node: String,
    /// The operation that deletes it.
    pub deleted_by: &'static str,
    /// The ids of what it uses, which can therefore not go before it.
    pub uses: Vec<String>,
    /// What else can be told of it.
    pub text: String,
}

/// All that is in the account and was not there before.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Account(pub BTreeMap<String, Thing>);

impl Account {
    /// Reads the account; `before` is what to leave out. Unless it is `whole` it has no EFS, ECS and ELB.
    ///
    /// # Errors
    ///
    /// What a service says, with the question.
    pub async fn read(aws: &Aws, before: &BTreeSet<String>, whole: bool) -> Result<Self> {
        let mut reading = Reading { aws, things: Vec::new(), tags: BTreeMap::new() };
        reading.network().await.context("read EC2")?;
        reading.logs().await.context("read CloudWatch Logs")?;
        reading.roles().await.context("read IAM")?;
        if whole {
            reading.file_systems().await.context("read EFS")?;
            reading.containers().await.context("read ECS")?;
            reading.balancers().await.context("read ELB")?;
        }
        reading.secrets().await.context("read Secrets Manager")?;
        reading.certificates().await.context("read ACM")?;
        reading.records().await.context("read Route 53")?;
        let things = reading.things.into_iter().filter(|thing| !before.contains(&thing.id));
        Ok(Self(things.map(|thing| (format!("{} {}", thing.kind, thing.id), thing)).collect()))
    }

    /// The ids of all there is, for a later [`Account::read`] to leave out.
    pub fn ids(&self) -> BTreeSet<String> {
        self.0.values().map(|thing| thing.id.clone()).collect()
    }

    /// The ids of what a deployment of the product has marked as its own.
    pub fn deployed(&self) -> impl Iterator<Item = &str> {
        self.0.values().filter(|thing| !thing.node.is_empty()).map(|thing| thing.id.as_str())
    }

    /// How many of each kind.
    pub fn census(&self) -> BTreeMap<&'static str, usize> {
        let mut census = BTreeMap::new();
        for thing in self.0.values() {
            *census.entry(thing.kind).or_default() += 1;
        }
        census
    }

    /// The thing that is a node.
    ///
    /// # Errors
    ///
    /// When there is none.
    pub fn of(&self, node: &str) -> Result<&Thing> {
        self.0.values().find(|thing| thing.node == node).with_context(|| format!("nothing in the account is `{node}`"))
    }

    /// Who uses a thing.
    pub fn users<'a>(&'a self, id: &'a str) -> impl Iterator<Item = &'a Thing> {
        self.0.values().filter(move |thing| thing.uses.iter().any(|used| used == id))
    }

    /// A way to speak to the account: directly, past the proxy.
    ///
    /// # Errors
    ///
    /// When nobody answers.
    pub async fn door(endpoint: &str, services: &BTreeMap<String, String>) -> Result<Arc<Aws>> {
        let mut connection = Connection::to_emulator(Desk::REGION, endpoint);
        connection.endpoints.clone_from(services);
        let aws = Aws::connect(&connection).await.map_err(|error| anyhow::anyhow!("connect to {endpoint}: {error}"))?;
        Ok(Arc::new(aws))
    }
}

struct Reading<'a> {
    aws: &'a Aws,
    things: Vec<Thing>,
    /// The node of an id, where it says so.
    tags: BTreeMap<String, String>,
}

fn node_of<'a>(tags: impl Iterator<Item = (Option<&'a str>, Option<&'a str>)>) -> String {
    let all: BTreeMap<&str, &str> = tags.filter_map(|(key, value)| Some((key?, value?))).collect();
    if all.contains_key(DEPLOYMENT_TAG) {
        all.get(NODE_TAG).copied().unwrap_or_default().to_owned()
    } else {
        String::new()
    }
}

impl Reading<'_> {
    fn add(
        &mut self,
        kind: &'static str,
        deleted_by: &'static str,
        id: impl Into<String>,
        node: String,
        uses: Vec<String>,
        text: impl Into<String>,
    ) {
        let id = id.into();
        self.tags.insert(id.clone(), node.clone());
        self.things.push(Thing { kind, id, node, deleted_by, uses, text: text.into() });
    }

    fn node(&self, id: &str) -> &str {
        self.tags.get(id).map_or("", String::as_str)
    }

    async fn network(&mut self) -> Result<()> {
        let aws = self.aws;
        let ec2 = &aws.ec2;
        let tags = |tags: &[aws_sdk_ec2::types::Tag]| node_of(tags.iter().map(|tag| (tag.key(), tag.value())));
        for vpc in all!(ec2.describe_vpcs()) {
            let text = format!("{:?}", vpc.cidr_block());
            self.add("vpc", "DeleteVpc", vpc.vpc_id().unwrap_or_default(), tags(vpc.tags()), vec![], text);
        }
        for subnet in all!(ec2.describe_subnets()) {
            let text = format!("{:?} {:?}", subnet.cidr_block(), subnet.map_public_ip_on_launch());
            let uses = vec![subnet.vpc_id().unwrap_or_default().to_owned()];
            self.add("subnet", "DeleteSubnet", subnet.subnet_id().unwrap_or_default(), tags(subnet.tags()), uses, text);
        }
        for gateway in all!(ec2.describe_internet_gateways()) {
            let uses = gateway.attachments().iter().filter_map(|at| at.vpc_id().map(str::to_owned)).collect();
            let id = gateway.internet_gateway_id().unwrap_or_default();
            self.add("internet-gateway", "DeleteInternetGateway", id, tags(gateway.tags()), uses, "");
        }
        for table in all!(ec2.describe_route_tables()) {
            if table.associations().iter().any(|one| one.main() == Some(true)) {
                continue; // AWS made it with the VPC, and it goes with the VPC.
            }
            let mut uses = vec![table.vpc_id().unwrap_or_default().to_owned()];
            uses.extend(table.routes().iter().filter_map(|route| route.gateway_id().map(str::to_owned)));
            let subnets: BTreeSet<_> = table.associations().iter().filter_map(|one| one.subnet_id()).collect();
            let routes: BTreeSet<_> = table.routes().iter().filter_map(|one| one.destination_cidr_block()).collect();
            let (id, text) = (table.route_table_id().unwrap_or_default(), format!("{subnets:?} {routes:?}"));
            self.add("route-table", "DeleteRouteTable", id, tags(table.tags()), uses, text);
        }
        let groups = all!(ec2.describe_security_groups());
        for group in groups.iter().filter(|group| group.group_name() != Some("default")) {
            let id = group.group_id().unwrap_or_default();
            let rules = |rules: &[aws_sdk_ec2::types::IpPermission]| -> Vec<(String, String)> {
                let mut lines = Vec::new();
                for rule in rules {
                    let port = format!("{:?} {:?}", rule.ip_protocol(), rule.from_port());
                    lines.extend(
                        rule.ip_ranges().iter().map(|one| (port.clone(), one.cidr_ip().unwrap_or_default().to_owned())),
                    );
                    let pairs = rule.user_id_group_pairs().iter();
                    lines.extend(pairs.map(|one| (port.clone(), one.group_id().unwrap_or_default().to_owned())));
                }
                lines.sort();
                lines
            };
            let (inward, outward) = (rules(group.ip_permissions()), rules(group.ip_permissions_egress()));
            let mut uses = vec![group.vpc_id().unwrap_or_default().to_owned()];
            uses.extend(
                inward
                    .iter()
                    .chain(&outward)
                    .map(|(_, peer)| peer.clone())
                    .filter(|peer| peer.starts_with("sg-") && peer != id),
            );
            let text = format!("{} in {inward:?} out {outward:?}", group.group_name().unwrap_or_default());
            self.add("security-group", "DeleteSecurityGroup", id, tags(group.tags()), uses, text);
        }
        Ok(())
    }

    async fn logs(&mut self) -> Result<()> {
        for group in all!(self.aws.logs.describe_log_groups()) {
            let arn = group.arn().unwrap_or_default().trim_end_matches(":*");
            let tags = self.aws.logs.list_tags_for_resource().resource_arn(arn).send().await?;
            let node = node_of(
                tags.tags().into_iter().flatten().map(|(key, value)| (Some(key.as_str()), Some(value.as_str()))),
            );
            let name = group.log_group_name().unwrap_or_default();
            self.add("log-group", "DeleteLogGroup", name, node, vec![], format!("{:?}", group.retention_in_days()));
        }
        Ok(())
    }

    async fn roles(&mut self) -> Result<()> {
        let aws = self.aws;
        let iam = &aws.iam;
        for role in all!(iam.list_roles()) {
            let name = role.role_name();
            let tags = iam.list_role_tags().role_name(name).send().await?;
            let node = node_of(tags.tags().iter().map(|tag| (Some(tag.key()), Some(tag.value()))));
            if node.is_empty() {
                continue; // AWS has roles of its own.
            }
            let attached = iam.list_attached_role_policies().role_name(name).send().await?;
            let attached: Vec<_> = attached.attached_policies().iter().filter_map(|one| one.policy_arn()).collect();
            let text = format!("{attached:?} {}", role.assume_role_policy_document().unwrap_or_default());
            let tail = node.rsplit('/').next().unwrap_or_default().to_owned();
            self.add("role", "DeleteRole", name, node, vec![], text);
            for policy in iam.list_role_policies().role_name(name).send().await?.policy_names() {
                let document = iam.get_role_policy().role_name(name).policy_name(policy).send().await?;
                let node = format!("role-policy/{tail}");
                let uses = vec![name.to_owned()];
                self.add("role-policy", "DeleteRolePolicy", policy, node, uses, document.policy_document());
            }
        }
        Ok(())
    }

    async fn file_systems(&mut self) -> Result<()> {
        let aws = self.aws;
        let efs = &aws.efs;
        for one in all!(efs.describe_file_systems()) {
            let node = node_of(one.tags().iter().map(|tag| (Some(tag.key()), Some(tag.value()))));
            let id = one.file_system_id();
            self.add("efs-file-system", "DeleteFileSystem", id, node.clone(), vec![], format!("{:?}", one.encrypted()));
            for target in all!(efs.describe_mount_targets().file_system_id(id)) {
                let subnet = target.subnet_id().to_owned();
                let groups = efs.describe_mount_target_security_groups().mount_target_id(target.mount_target_id());
                let mut groups = groups.send().await?.security_groups().to_vec();
                groups.sort();
                let end = |node: &str| node.rsplit('/').next().unwrap_or_default().to_owned();
                let node = format!("efs-mount-target/{}/{}", end(&node), end(self.node(&subnet)));
                let uses = [vec![id.to_owned(), subnet], groups.clone()].concat();
                let target = target.mount_target_id();
                self.add("efs-mount-target", "DeleteMountTarget", target, node, uses, format!("{groups:?}"));
            }
        }
        for point in all!(efs.describe_access_points()) {
            let node = node_of(point.tags().iter().map(|tag| (Some(tag.key()), Some(tag.value()))));
            let uses = vec![point.file_system_id().unwrap_or_default().to_owned()];
            let text = format!("{:?} {:?}", point.posix_user(), point.root_directory());
            let id = point.access_point_id().unwrap_or_default();
            self.add("efs-access-point", "DeleteAccessPoint", id, node, uses, text);
        }
        Ok(())
    }

    async fn containers(&mut self) -> Result<()> {
        let aws = self.aws;
        let ecs = &aws.ecs;
        for family in all!(ecs.list_task_definition_families().status("ACTIVE".into())) {
            for arn in all!(ecs.list_task_definitions().family_prefix(family)) {
                let tags = ecs.list_tags_for_resource().resource_arn(&arn).send().await?;
                let node = node_of(tags.tags().iter().map(|tag| (tag.key(), tag.value())));
                self.add("task-definition", "DeregisterTaskDefinition", arn, node, vec![], "");
            }
        }
        let mut clusters = Vec::new();
        for arns in all!(ecs.list_clusters()).chunks(100) {
            let described = ecs.describe_clusters().set_clusters(Some(arns.to_vec())).send().await?;
            clusters.extend(described.clusters.unwrap_or_default());
        }
        for cluster in clusters.iter().filter(|cluster| cluster.status() != Some("INACTIVE")) {
            let arn = cluster.cluster_arn().unwrap_or_default();
            let tags = ecs.list_tags_for_resource().resource_arn(arn).send().await?;
            let node = node_of(tags.tags().iter().map(|tag| (tag.key(), tag.value())));
            self.add("ecs-cluster", "DeleteCluster", arn, node, vec![], "");
            let mut services = Vec::new();
            for arns in all!(ecs.list_services().cluster(arn)).chunks(10) {
                let described = ecs.describe_services().cluster(arn).set_services(Some(arns.to_vec())).send().await?;
                services.extend(described.services.unwrap_or_default());
            }
            for service in services.iter().filter(|one| one.status() == Some("ACTIVE")) {
                let id = service.service_arn().unwrap_or_default();
                let tags = ecs.list_tags_for_resource().resource_arn(id).send().await?;
                let node = node_of(tags.tags().iter().map(|tag| (tag.key(), tag.value())));
                let mut said: Vec<_> = tags.tags().iter().filter_map(|tag| tag.key()).collect();
                said.sort_unstable();
                let mut uses = vec![arn.to_owned()];
                uses.extend(
                    service.load_balancers().iter().filter_map(|one| one.target_group_arn().map(str::to_owned)),
                );
                if let Some(net) = service.network_configuration().and_then(|net| net.awsvpc_configuration()) {
                    uses.extend(net.subnets().iter().chain(net.security_groups()).cloned());
                }
                let text = format!(
                    "{} tasks, grace {:?}, {:?}, {said:?}",
                    service.desired_count(),
                    service.health_check_grace_period_seconds(),
                    service.task_definition()
                );
                self.add("ecs-service", "DeleteService", id, node, uses, text);
            }
        }
        Ok(())
    }

    async fn secrets(&mut self) -> Result<()> {
        let pages = self.aws.secrets.list_secrets().into_paginator().send().collect::<Result<Vec<_>, _>>().await?;
        for secret in pages.into_iter().flat_map(|page| page.secret_list.unwrap_or_default()) {
            if secret.deleted_date().is_some() {
                continue;
            }
            let node = node_of(secret.tags().iter().map(|tag| (tag.key(), tag.value())));
            let mut tags: Vec<_> = secret.tags().iter().map(|tag| (tag.key(), tag.value())).collect();
            tags.sort_unstable();
            let text = format!("{:?} {tags:?}", secret.name());
            self.add("secret", "DeleteSecret", secret.arn().unwrap_or_default(), node, vec![], text);
        }
        Ok(())
    }

    async fn certificates(&mut self) -> Result<()> {
        // Unasked, ACM lists certificates of RSA keys only.
        let every_key = Filters::builder().set_key_types(Some(vec![
            KeyAlgorithm::Rsa2048,
            KeyAlgorithm::Rsa3072,
            KeyAlgorithm::Rsa4096,
            KeyAlgorithm::EcPrime256v1,
            KeyAlgorithm::EcSecp384r1,
        ]));
        for one in all!(self.aws.acm.list_certificates().includes(every_key.build())) {
            let arn = one.certificate_arn().unwrap_or_default();
            let tags = self.aws.acm.list_tags_for_certificate().certificate_arn(arn).send().await?;
            let node = node_of(tags.tags().iter().map(|tag| (Some(tag.key()), tag.value())));
            let body = self.aws.acm.get_certificate().certificate_arn(arn).send().await?;
            self.add(
                "certificate",
                "DeleteCertificate",
                arn,
                node,
                vec![],
                body.certificate().unwrap_or_default().trim(),
            );
        }
        Ok(())
    }

    async fn balancers(&mut self) -> Result<()> {
        let aws = self.aws;
        let elb = &aws.elb;
        for group in all!(elb.describe_target_groups()) {
            let arn = group.target_group_arn().unwrap_or_default();
            let node = self.balancer_node(arn).await?;
            let text = format!("{:?} {:?}", group.port(), group.health_check_path());
            let uses = group.vpc_id().map(str::to_owned).into_iter().collect();
            self.add("target-group", "DeleteTargetGroup", arn, node, uses, text);
        }
        for balancer in all!(elb.describe_load_balancers()) {
            let arn = balancer.load_balancer_arn().unwrap_or_default();
            let attributes = elb.describe_load_balancer_attributes().load_balancer_arn(arn).send().await?;
            let drops = attributes
                .attributes()
                .iter()
                .find(|one| one.key() == Some("routing.http.drop_invalid_header_fields.enabled"));
            let text = format!("drops {:?}", drops.and_then(|one| one.value()));
            let mut uses = balancer.security_groups().to_vec();
            uses.extend(balancer.availability_zones().iter().filter_map(|zone| zone.subnet_id().map(str::to_owned)));
            let node = self.balancer_node(arn).await?;
            self.add("load-balancer", "DeleteLoadBalancer", arn, node, uses, text);
            for listener in all!(elb.describe_listeners().load_balancer_arn(arn)) {
                let id = listener.listener_arn().unwrap_or_default();
                let mut uses = vec![arn.to_owned()];
                uses.extend(listener.certificates().iter().filter_map(|one| one.certificate_arn().map(str::to_owned)));
                uses.extend(
                    listener.default_actions().iter().filter_map(|one| one.target_group_arn().map(str::to_owned)),
                );
                let node = self.balancer_node(id).await?;
                self.add("listener", "DeleteListener", id, node, uses, format!("{:?}", listener.ssl_policy()));
            }
        }
        Ok(())
    }

    async fn balancer_node(&self, arn: &str) -> Result<String> {
        let answer = self.aws.elb.describe_tags().resource_arns(arn).send().await?;
        let tags = answer.tag_descriptions().iter().flat_map(|one| one.tags());
        Ok(node_of(tags.map(|tag| (tag.key(), tag.value()))))
    }

    async fn records(&mut self) -> Result<()> {
        for zone in all!(self.aws.route53.list_hosted_zones()) {
            let records = self.aws.route53.list_resource_record_sets().hosted_zone_id(zone.id());
            let records = records.start_record_name(Desk::HOST).send().await?;
            for record in records.resource_record_sets() {
                let name = record.name().trim_end_matches('.');
                if name != Desk::HOST {
                    continue;
                }
                let alias = record.alias_target();
                let balancer =
                    alias.map(|alias| alias.dns_name().trim_end_matches('.').to_lowercase()).unwrap_or_default();
                let text = format!("{balancer} {:?}", alias.map(|alias| alias.evaluate_target_health()));
                // A record names its balancer by the balancer's name in DNS.
                let uses =
                    self.things.iter().filter(|thing| thing.kind == "load-balancer").map(|thing| thing.id.clone());
                let uses = uses.collect();
                self.add("dns-record", "ChangeResourceRecordSets", name, "dns-record".to_owned(), uses, text);
            }
        }
        Ok(())
    }
}
