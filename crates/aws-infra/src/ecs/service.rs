//! The service (A12, C23, C29): created with one task; how many there are afterwards is not its business.

use std::sync::Mutex;
use std::time::Duration;

use aws_sdk_ecs::types::{
    AssignPublicIp, AwsVpcConfiguration, DeploymentCircuitBreaker, DeploymentConfiguration, DeploymentRolloutState,
    LaunchType, LoadBalancer, NetworkConfiguration, PropagateTags,
};
use resource_graph::{
    Action, Certainty, Compare, Cx, Error, Given, Inventory, Knowns, Listed, Mark, NodeId, Pace, Present, Progress,
    Ref, Resource, Result, Seen, Verdict,
};

use super::{adopt, tagged, tags_of};
use crate::ec2::PublicIp;
use crate::fail::{failed, gone, has_code, required};
use crate::{ClusterArn, Home, SecurityGroupId, ServiceArn, SubnetId, TargetGroupArn, TaskDefinitionArn};

/// An ECS service on Fargate behind a target group.
pub struct Service {
    /// Where it lives.
    pub home: Home,
    /// Its node.
    pub node: NodeId,
    /// Its name, unique in its cluster.
    pub name: String,
    /// The cluster.
    pub cluster: Ref<ClusterArn>,
    /// What it runs.
    pub task_definition: Ref<TaskDefinitionArn>,
    /// Where its tasks are registered.
    pub target_group: Ref<TargetGroupArn>,
    /// Where its tasks run.
    pub subnets: Vec<Ref<SubnetId>>,
    /// What its tasks carry.
    pub groups: Vec<Ref<SecurityGroupId>>,
    /// Whether its tasks get public addresses (C19).
    pub public_ip: Ref<PublicIp>,
    /// The container that is reached through the target group.
    pub container: String,
    /// And its port.
    pub port: u16,
    /// How long a new task may be unhealthy: Java starts and the files are fetched.
    pub grace: Duration,
}

/// A service that exists.
#[derive(Clone, Debug)]
pub struct Found {
    arn: ServiceArn,
    cluster: ClusterArn,
    task_definition: TaskDefinitionArn,
    target_groups: Vec<TargetGroupArn>,
    subnets: Vec<SubnetId>,
    groups: Vec<SecurityGroupId>,
    public_ip: String,
    grace: Option<i32>,
}

fn public_ip(wish: &PublicIp) -> AssignPublicIp {
    match wish {
        PublicIp::Off => AssignPublicIp::Disabled,
        PublicIp::On | PublicIp::Auto => AssignPublicIp::Enabled,
    }
}

impl Service {
    fn network(
        &self,
        subnets: &[SubnetId],
        groups: &[SecurityGroupId],
        wish: &PublicIp,
    ) -> Result<NetworkConfiguration> {
        let network = AwsVpcConfiguration::builder()
            .set_subnets(Some(subnets.iter().map(SubnetId::to_string).collect()))
            .set_security_groups(Some(groups.iter().map(SecurityGroupId::to_string).collect()))
            .assign_public_ip(public_ip(wish))
            .build()
            .map_err(|error| Error::new("request-invalid", "describe the tasks' network").because(error))?;
        Ok(NetworkConfiguration::builder().awsvpc_configuration(network).build())
    }

    fn target(&self, group: &TargetGroupArn) -> LoadBalancer {
        LoadBalancer::builder()
            .target_group_arn(group.as_str())
            .container_name(&self.container)
            .container_port(i32::from(self.port))
            .build()
    }

    fn deployment() -> DeploymentConfiguration {
        let breaker = DeploymentCircuitBreaker::builder().enable(true).rollback(true).build();
        DeploymentConfiguration::builder()
            .deployment_circuit_breaker(breaker)
            .minimum_healthy_percent(100)
            .maximum_percent(200)
            .build()
    }

    fn grace(&self) -> i32 {
        i32::try_from(self.grace.as_secs()).unwrap_or(i32::MAX)
    }

    async fn find(&self, cluster: &ClusterArn) -> Result<Option<aws_sdk_ecs::types::Service>> {
        describe(&self.home, cluster, &self.name).await
    }

    /// A deleted service is `DRAINING` for a while, and its name is taken until it is `INACTIVE`.
    async fn wait_until_name_is_free(&self, cx: &Cx, cluster: &ClusterArn) -> Result<()> {
        wait_until_inactive(&self.home, cx, cluster, &self.name).await
    }

    /// Waits for the deployment, telling the service's own events: the counts are the gate, the events are the story.
    async fn wait_until_steady(&self, cx: &Cx, cluster: &ClusterArn, definition: &TaskDefinitionArn) -> Result<()> {
        let what = format!("ecs-service `{}` to run its tasks", self.name);
        let told = Mutex::new(Vec::<String>::new());
        let pace = Pace::new(Duration::from_secs(6), Duration::from_secs(20 * 60));
        cx.wait_until(&what, pace, || async {
            let Some(service) = self.find(cluster).await? else {
                return Ok(Progress::Pending("not visible yet".to_owned()));
            };
            tell(cx, &told, &service);
            let deployments = service.deployments();
            let ours = deployments.iter().find(|one| one.task_definition() == Some(definition.as_str()));
            if let Some(failed) = ours
                && failed.rollout_state() == Some(&DeploymentRolloutState::Failed)
            {
                let reason = failed.rollout_state_reason().unwrap_or("no reason was given").to_owned();
                let error = Error::new("service-not-stable", format!("wait for {what}: the deployment failed"));
                return Ok(Progress::Failed(error.because(reason)));
            }
            let (running, desired) = (service.running_count(), service.desired_count());
            let rolling = deployments.len() > 1
                || deployments.iter().any(|one| {
                    one.rollout_state() == Some(&DeploymentRolloutState::InProgress)
                        && one.running_count() < one.desired_count()
                });
            if service.task_definition() == Some(definition.as_str()) && running >= desired && !rolling {
                Ok(Progress::Ready(()))
            } else {
                Ok(Progress::Pending(format!("{running} of {desired} running, {} deployments", deployments.len())))
            }
        })
        .await
    }
}

/// Tells each event once; only a few of the newest, for a service that has lived long has a hundred.
fn tell(cx: &Cx, told: &Mutex<Vec<String>>, service: &aws_sdk_ecs::types::Service) {
    let mut told = told.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let first = told.is_empty();
    for event in service.events().iter().take(20).rev() {
        let (Some(id), Some(message)) = (event.id(), event.message()) else { continue };
        if !told.iter().any(|known| known == id) {
            if !first {
                cx.say(message);
            }
            told.push(id.to_owned());
        }
    }
    told.push(String::new());
}

impl Resource for Service {
    const KIND: &'static str = "ecs-service";
    type Needs = (
        Ref<ClusterArn>,
        Ref<TaskDefinitionArn>,
        Ref<TargetGroupArn>,
        Vec<Ref<SubnetId>>,
        Vec<Ref<SecurityGroupId>>,
        Ref<PublicIp>,
    );
    type Found = Found;
    type Output = ServiceArn;

    fn id(&self) -> NodeId {
        self.node.clone()
    }

    fn summary(&self) -> String {
        format!("{}, created with 1 task", self.name)
    }

    fn needs(&self) -> Self::Needs {
        (
            self.cluster.clone(),
            self.task_definition.clone(),
            self.target_group.clone(),
            self.subnets.clone(),
            self.groups.clone(),
            self.public_ip.clone(),
        )
    }

    async fn look(&self, _cx: &Cx, (cluster, ..): &Present<Self>) -> Result<Seen<Found>> {
        let Some(cluster) = cluster else { return Ok(Seen::absent()) };
        let Some(service) = self.find(cluster).await? else { return Ok(Seen::absent()) };
        let found = read(&service, cluster)?;
        let mark = self.home.mark(&self.node, &tags_of(&self.home, found.arn.as_str()).await?);
        Ok(Seen::here(found, mark))
    }

    fn plan(&self, found: &Found, (cluster, definition, target, subnets, groups, wish): &Knowns<Self>) -> Verdict {
        let mut compare = Compare::new();
        compare
            .need("cluster", &found.cluster, cluster)
            .repoint("task definition", Some(&found.task_definition), definition)
            .repoint("target group", found.target_groups.first(), target)
            .repoint_all("subnets", &found.subnets, subnets)
            .repoint_all("security groups", &found.groups, groups)
            .update_if_told("health check grace", found.grace.as_ref(), &self.grace());
        if let Some(wish) = wish.present() {
            compare.update("public IP", &found.public_ip, &public_ip(wish).as_str().to_owned());
        }
        compare.verdict()
    }

    fn output(&self, found: &Found) -> ServiceArn {
        found.arn.clone()
    }

    async fn apply(&self, cx: &Cx, action: Action<Found>, given: Given<Self>) -> Result<Found> {
        let (cluster, definition, target, subnets, groups, wish) = &given;
        let ecs = &self.home.aws.ecs;
        let network = self.network(subnets, groups, wish)?;
        match action {
            Action::Create => {
                self.wait_until_name_is_free(cx, cluster).await?;
                let call = ecs
                    .create_service()
                    .cluster(cluster.as_str())
                    .service_name(&self.name)
                    // Our own token, and not the SDK's: a later run must be able to say the same thing again.
                    .client_token(&self.home.token(&self.node, definition.as_str())[..32])
                    .task_definition(definition.as_str())
                    .desired_count(1)
                    .launch_type(LaunchType::Fargate)
                    .network_configuration(network)
                    .load_balancers(self.target(target))
                    .health_check_grace_period_seconds(self.grace())
                    .deployment_configuration(Self::deployment())
                    .enable_ecs_managed_tags(true)
                    .propagate_tags(PropagateTags::Service)
                    .set_tags(Some(tagged(&self.home, &self.node, Mark::Managed)));
                believed(
                    format!("create ecs-service `{}`", self.name),
                    call.customize().config_override(super::once()).send().await,
                )?;
            }
            Action::Update { found, adopt: mark } => {
                if mark {
                    adopt(&self.home, &self.node, found.arn.as_str()).await?;
                }
                // No desired count: only A17 decides how many there are.
                let call = ecs
                    .update_service()
                    .cluster(cluster.as_str())
                    .service(found.arn.as_str())
                    .task_definition(definition.as_str())
                    .network_configuration(network)
                    .load_balancers(self.target(target))
                    .health_check_grace_period_seconds(self.grace())
                    .deployment_configuration(Self::deployment());
                believed(format!("update ecs-service `{}`", self.name), call.send().await)?;
            }
        }
        self.wait_until_steady(cx, cluster, definition).await?;
        let service = self.find(cluster).await?;
        let service = service.ok_or_else(|| crate::fail::incomplete("describe ecs-service", "service"))?;
        read(&service, cluster)
    }

    async fn destroy(&self, cx: &Cx, found: Found) -> Result<()> {
        destroy(&self.home, cx, &found.cluster, &found.arn).await
    }
}

/// A new role, a new balancer, a just attached target group are believed here only after a while: say it again.
fn believed<T, E>(
    action: String,
    answer: std::result::Result<
        T,
        aws_smithy_runtime_api::client::result::SdkError<E, aws_smithy_runtime_api::client::orchestrator::HttpResponse>,
    >,
) -> Result<T>
where
    E: aws_smithy_types::error::metadata::ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    answer.map_err(|error| {
        let message = error.as_service_error().and_then(|error| error.message()).unwrap_or_default().to_lowercase();
        let soon = has_code(&error, &["InvalidParameterException", "ClientException"])
            && ["assume", "role", "does not have an associated load balancer", "service linked role", "draining"]
                .iter()
                .any(|word| message.contains(word));
        let error = failed(action, error);
        if soon { error.certainty(Certainty::NotDone) } else { error }
    })
}

/// All services of a deployment's clusters.
pub struct Services {
    /// Where they live.
    pub home: Home,
    /// The clusters' names.
    pub clusters: Vec<String>,
}

impl Inventory for Services {
    const KIND: &'static str = Service::KIND;
    type Found = (ClusterArn, ServiceArn);

    async fn list(&self, _cx: &Cx) -> Result<Vec<Listed<Self::Found>>> {
        let mut listed = Vec::new();
        for cluster in &self.clusters {
            let mut pages = self.home.aws.ecs.list_services().cluster(cluster).into_paginator().send();
            while let Some(page) = pages.next().await {
                let page = match page {
                    Ok(page) => page,
                    Err(error) if has_code(&error, &["ClusterNotFoundException"]) => break,
                    Err(error) => return Err(failed("list ecs-services", error)),
                };
                for arn in page.service_arns() {
                    let cluster = ClusterArn::new(cluster);
                    // A deleted service is remembered as INACTIVE for a while.
                    let there = describe_any(&self.home, &cluster, arn).await?;
                    if there.is_none_or(|service| service.status() == Some("INACTIVE")) {
                        continue;
                    }
                    if let Some(node) = self.home.managed_node_of(&tags_of(&self.home, arn).await?) {
                        listed.push(Listed { node, label: arn.clone(), found: (cluster, ServiceArn::new(arn)) });
                    }
                }
            }
        }
        Ok(listed)
    }

    async fn destroy(&self, cx: &Cx, (cluster, service): Self::Found) -> Result<()> {
        destroy(&self.home, cx, &cluster, &service).await
    }
}

/// Sets how many tasks a service has, and waits until just so many run and are healthy.
///
/// # Errors
///
/// Whatever AWS refuses, and `wait-timeout` when they do not come within twenty minutes.
pub async fn scale(home: &Home, cx: &Cx, cluster: &ClusterArn, service: &ServiceArn, tasks: u32) -> Result<()> {
    let name = service.as_str().rsplit('/').next().unwrap_or_default();
    let count = i32::try_from(tasks).unwrap_or(i32::MAX);
    let now = describe(home, cluster, service.as_str()).await?;
    let now = now.ok_or_else(|| crate::fail::incomplete("describe ecs-service", "service"))?;
    if now.desired_count() != count {
        cx.say(format!("scaling ecs-service `{name}` from {} to {tasks}", now.desired_count()));
        let call =
            home.aws.ecs.update_service().cluster(cluster.as_str()).service(service.as_str()).desired_count(count);
        call.send().await.map_err(|error| failed(format!("scale ecs-service `{name}`"), error))?;
    }
    let what = format!("ecs-service `{name}` to run {tasks} tasks");
    cx.wait_until(&what, Pace::new(Duration::from_secs(6), Duration::from_secs(20 * 60)), || async {
        let Some(service) = describe(home, cluster, service.as_str()).await? else {
            return Ok(Progress::Pending("not visible".to_owned()));
        };
        let (running, deployments) = (service.running_count(), service.deployments().len());
        let steady = service.desired_count() == count && running == count && deployments <= 1;
        let pending = || format!("{running} of {count} running, {deployments} deployments");
        Ok(if steady { Progress::Ready(()) } else { Progress::Pending(pending()) })
    })
    .await
}

pub(super) async fn describe(
    home: &Home,
    cluster: &ClusterArn,
    name: &str,
) -> Result<Option<aws_sdk_ecs::types::Service>> {
    let service = describe_any(home, cluster, name).await?;
    Ok(service.filter(|service| service.status() == Some("ACTIVE")))
}

async fn describe_any(home: &Home, cluster: &ClusterArn, name: &str) -> Result<Option<aws_sdk_ecs::types::Service>> {
    let answer = home.aws.ecs.describe_services().cluster(cluster.as_str()).services(name).send().await;
    match answer {
        Ok(answer) => Ok(answer.services.unwrap_or_default().into_iter().next()),
        Err(error) if has_code(&error, &["ClusterNotFoundException"]) => Ok(None),
        Err(error) => Err(failed(format!("describe ecs-service `{name}`"), error)),
    }
}

fn read(service: &aws_sdk_ecs::types::Service, cluster: &ClusterArn) -> Result<Found> {
    let action = "describe ecs-service";
    let network = service.network_configuration().and_then(NetworkConfiguration::awsvpc_configuration);
    Ok(Found {
        arn: ServiceArn::new(required(service.service_arn(), action, "arn")?),
        cluster: cluster.clone(),
        task_definition: TaskDefinitionArn::new(required(service.task_definition(), action, "task definition")?),
        target_groups: service
            .load_balancers()
            .iter()
            .filter_map(|target| Some(TargetGroupArn::new(target.target_group_arn()?)))
            .collect(),
        subnets: network.map(|network| network.subnets().iter().map(SubnetId::new).collect()).unwrap_or_default(),
        groups: network
            .map(|network| network.security_groups().iter().map(SecurityGroupId::new).collect())
            .unwrap_or_default(),
        public_ip: network
            .and_then(AwsVpcConfiguration::assign_public_ip)
            .map_or("DISABLED", AssignPublicIp::as_str)
            .to_owned(),
        grace: service.health_check_grace_period_seconds(),
    })
}

async fn wait_until_inactive(home: &Home, cx: &Cx, cluster: &ClusterArn, name: &str) -> Result<()> {
    let what = format!("ecs-service `{name}` to be gone");
    cx.wait_until(&what, Pace::new(Duration::from_secs(5), Duration::from_secs(15 * 60)), || async {
        let service = describe_any(home, cluster, name).await?;
        Ok(match service.as_ref().and_then(|service| service.status()) {
            None | Some("INACTIVE" | "MISSING") => Progress::Ready(()),
            Some("DRAINING") => Progress::Pending("DRAINING".to_owned()),
            Some(other) => {
                let error = Error::new("unexpected-state", format!("wait for {what}: it is {other}"));
                Progress::Failed(error.certainty(Certainty::MaybeDone))
            }
        })
    })
    .await
}

async fn destroy(home: &Home, cx: &Cx, cluster: &ClusterArn, service: &ServiceArn) -> Result<()> {
    let call = home.aws.ecs.delete_service().cluster(cluster.as_str()).service(service.as_str()).force(true);
    let missing = ["ServiceNotFoundException", "ClusterNotFoundException", "ServiceNotActiveException"];
    gone(call.send().await, &missing, &[], &format!("delete ecs-service `{service}`"))?;
    wait_until_inactive(home, cx, cluster, service.as_str()).await
}

#[cfg(test)]
mod tests {
    use resource_graph::{Fixed, Graph, Known, Label};

    use super::*;

    fn service() -> Service {
        let mut graph = Graph::new();
        fn given<T: Clone + Send + Sync + 'static>(graph: &mut Graph, id: &str, value: T) -> Ref<T> {
            graph.add(Label::default(), Fixed::new(id, value))
        }
        Service {
            home: crate::testing::home(),
            node: NodeId::from("ecs-service"),
            name: "automatorservice".to_owned(),
            cluster: given(&mut graph, "cluster", ClusterArn::new("c")),
            task_definition: given(&mut graph, "definition", TaskDefinitionArn::new("d:2")),
            target_group: given(&mut graph, "target", TargetGroupArn::new("t")),
            subnets: vec![given(&mut graph, "subnet", SubnetId::new("s"))],
            groups: vec![given(&mut graph, "group", SecurityGroupId::new("g"))],
            public_ip: given(&mut graph, "ip", PublicIp::On),
            container: "main".to_owned(),
            port: 443,
            grace: Duration::from_secs(180),
        }
    }

    fn found() -> Found {
        Found {
            arn: ServiceArn::new("a"),
            cluster: ClusterArn::new("c"),
            task_definition: TaskDefinitionArn::new("d:1"),
            target_groups: vec![TargetGroupArn::new("t")],
            subnets: vec![SubnetId::new("s")],
            groups: vec![SecurityGroupId::new("g")],
            public_ip: "ENABLED".to_owned(),
            grace: None,
        }
    }

    fn known(definition: Known<TaskDefinitionArn>) -> Knowns<Service> {
        (
            Known::Same(ClusterArn::new("c")),
            definition,
            Known::Same(TargetGroupArn::new("t")),
            Known::Same(vec![SubnetId::new("s")]),
            Known::Same(vec![SecurityGroupId::new("g")]),
            Known::Same(PublicIp::On),
        )
    }

    #[tokio::test]
    async fn a_new_revision_is_an_update_and_a_grace_period_left_out_is_no_drift() {
        let service = service();
        let verdict = service.plan(&found(), &known(Known::Same(TaskDefinitionArn::new("d:2"))));
        let Verdict::Update { changes, .. } = verdict else { panic!("{verdict:?}") };
        assert_eq!(resource_graph::describe(&changes), "task definition d:1 -> d:2");
        assert_eq!(service.plan(&found(), &known(Known::Same(TaskDefinitionArn::new("d:1")))), Verdict::Keep);
        let going = service.plan(&found(), &known(Known::WillChange(TaskDefinitionArn::new("d:1"))));
        assert!(matches!(going, Verdict::Update { .. }));
    }
}
