//! The service (A12, C23, C29): created with one task; how many there are afterwards is not its business.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use aws_sdk_ecs::types::{
    AssignPublicIp, AwsVpcConfiguration, Deployment, DeploymentCircuitBreaker, DeploymentConfiguration,
    DeploymentRolloutState, LaunchType, LoadBalancer, NetworkConfiguration, PropagateTags,
};
use resource_graph::{
    Action, Certainty, Compare, Cx, Error, Given, Inventory, Known, Knowns, Listed, Mark, NodeId, Pace, Present,
    Progress, Ref, Resource, Result, Seen, Verdict,
};

use super::{adopt, believed, tagged, tags_of};
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
    rollout: Rollout,
}

/// How far the newest deployment of a service has come.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Rollout {
    /// Its tasks run and are healthy, or its state is not told.
    Done,
    /// It goes on.
    Going,
    /// It was given up, and starts no task any more.
    Failed(String),
}

fn primary(service: &aws_sdk_ecs::types::Service) -> Option<&Deployment> {
    service.deployments().iter().find(|one| one.status() == Some("PRIMARY"))
}

fn rollout(deployment: Option<&Deployment>) -> Rollout {
    match deployment.and_then(Deployment::rollout_state) {
        None | Some(DeploymentRolloutState::Completed) => Rollout::Done,
        Some(DeploymentRolloutState::Failed) => {
            let reason = deployment.and_then(Deployment::rollout_state_reason);
            Rollout::Failed(reason.unwrap_or("no reason was given").to_owned())
        }
        Some(_) => Rollout::Going,
    }
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

    /// Whether a service is as it should be, whatever its deployment has come to.
    fn is_configured(&self, found: &Found, given: &Given<Self>) -> bool {
        let (cluster, definition, target, subnets, groups, wish) = given.clone();
        let known = (
            Known::Same(cluster),
            Known::Same(definition),
            Known::Same(target),
            Known::Same(subnets),
            Known::Same(groups),
            Known::Same(wish),
        );
        self.plan(&Found { rollout: Rollout::Done, ..found.clone() }, &known) == Verdict::Keep
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

    /// Waits for a deployment, of which the id is known if this run began it, telling the service's own events.
    async fn wait_until_steady(
        &self,
        cx: &Cx,
        cluster: &ClusterArn,
        definition: &TaskDefinitionArn,
        deployment: Option<&str>,
    ) -> Result<()> {
        let what = format!("ecs-service `{}` to run its tasks", self.name);
        let told = Mutex::new(Vec::<String>::new());
        let seen = AtomicBool::new(false);
        let pace = Pace::new(Duration::from_secs(6), Duration::from_secs(20 * 60));
        cx.wait_until(&what, pace, || async {
            let Some(service) = self.find(cluster).await? else {
                return Ok(Progress::Pending("not visible yet".to_owned()));
            };
            tell(cx, &told, &service);
            let seen_before = seen.load(Ordering::Relaxed);
            let stage = stage(&service, definition, deployment, seen_before);
            seen.store(seen_before || !matches!(stage, Stage::Early), Ordering::Relaxed);
            let (running, desired) = (service.running_count(), service.desired_count());
            Ok(match stage {
                Stage::Steady => Progress::Ready(()),
                Stage::Early | Stage::Going => {
                    let deployments = service.deployments().len();
                    Progress::Pending(format!("{running} of {desired} running, {deployments} deployments"))
                }
                Stage::Failed(reason) => {
                    let error = Error::new("service-not-stable", format!("wait for {what}: the deployment failed"));
                    Progress::Failed(error.because(reason))
                }
            })
        })
        .await
    }
}

/// What a wait for a deployment sees.
#[derive(Debug, PartialEq, Eq)]
enum Stage {
    /// An answer from before the deployment.
    Early,
    Going,
    Steady,
    Failed(String),
}

/// `seen` says whether the deployment was the newest one in an earlier answer: when it is so no longer, the circuit breaker has
/// brought an older one back, or somebody has begun another.
fn stage(
    service: &aws_sdk_ecs::types::Service,
    definition: &TaskDefinitionArn,
    deployment: Option<&str>,
    seen: bool,
) -> Stage {
    let deployments = service.deployments();
    let ours = |one: &&Deployment| match deployment {
        Some(id) => one.id() == Some(id),
        None => one.task_definition() == Some(definition.as_str()) && one.status() == Some("PRIMARY"),
    };
    if let Rollout::Failed(reason) = rollout(deployments.iter().find(ours)) {
        return Stage::Failed(reason);
    }
    let newest = primary(service);
    // Where deployments are not told, the service itself says what it runs.
    let is_newest = newest.map_or(service.task_definition() == Some(definition.as_str()), |one| ours(&one));
    match (is_newest, seen) {
        (false, false) => Stage::Early,
        (false, true) => Stage::Failed("another deployment took its place: it was rolled back, or replaced".to_owned()),
        (true, _) => {
            let steady = deployments.len() <= 1
                && service.running_count() >= service.desired_count()
                && rollout(newest) == Rollout::Done;
            if steady { Stage::Steady } else { Stage::Going }
        }
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
        // An earlier run did not see its end, or saw that it failed for a reason that may be gone: both are this run's business.
        let (word, done) = ("deployment", Some("COMPLETED".to_owned()));
        match &found.rollout {
            Rollout::Done => {}
            Rollout::Going => {
                compare.differs(word, Some("IN_PROGRESS".to_owned()), done);
            }
            Rollout::Failed(reason) => {
                compare.differs(word, Some(format!("FAILED ({reason})")), done);
            }
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
        let answered = match action {
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
                let answer = call.customize().config_override(super::once()).send().await;
                believed(format!("create ecs-service `{}`", self.name), answer)?.service
            }
            Action::Update { found, adopt: mark } => {
                if mark {
                    adopt(&self.home, &self.node, found.arn.as_str()).await?;
                }
                let failed = matches!(found.rollout, Rollout::Failed(_));
                if !failed && self.is_configured(&found, &given) {
                    // There is nothing to say, only to wait for.
                    None
                } else {
                    // No desired count: only A17 decides how many there are.
                    let call = ecs
                        .update_service()
                        .cluster(cluster.as_str())
                        .service(found.arn.as_str())
                        .task_definition(definition.as_str())
                        .network_configuration(network)
                        .load_balancers(self.target(target))
                        .health_check_grace_period_seconds(self.grace())
                        .deployment_configuration(Self::deployment())
                        // The same as before, once more: only what was given up needs to be told.
                        .set_force_new_deployment(failed.then_some(true));
                    believed(format!("update ecs-service `{}`", self.name), call.send().await)?.service
                }
            }
        };
        let deployment = answered.as_ref().and_then(primary).and_then(Deployment::id);
        self.wait_until_steady(cx, cluster, definition, deployment).await?;
        let service = self.find(cluster).await?;
        let service = service.ok_or_else(|| crate::fail::incomplete("describe ecs-service", "service"))?;
        read(&service, cluster)
    }

    async fn destroy(&self, cx: &Cx, found: Found) -> Result<()> {
        destroy(&self.home, cx, &found.cluster, &found.arn).await
    }
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

/// Sets how many tasks a service has, and waits until just so many run.
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
        rollout: rollout(primary(service)),
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
    use resource_graph::{Fixed, Graph, Label};

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
            rollout: Rollout::Done,
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

    #[tokio::test]
    async fn a_deployment_that_failed_or_goes_on_is_not_kept() {
        let (service, wish) = (service(), known(Known::Same(TaskDefinitionArn::new("d:1"))));
        let failed = Found { rollout: Rollout::Failed("tasks failed to start".to_owned()), ..found() };
        let Verdict::Update { changes, .. } = service.plan(&failed, &wish) else { panic!() };
        assert_eq!(resource_graph::describe(&changes), "deployment FAILED (tasks failed to start) -> COMPLETED");
        let going = Found { rollout: Rollout::Going, ..found() };
        assert!(matches!(service.plan(&going, &wish), Verdict::Update { .. }));
    }

    fn deployment(id: &str, definition: &str, status: &str, state: DeploymentRolloutState) -> Deployment {
        Deployment::builder().id(id).task_definition(definition).status(status).rollout_state(state).build()
    }

    fn with(definition: &str, running: i32, deployments: Vec<Deployment>) -> aws_sdk_ecs::types::Service {
        let service = aws_sdk_ecs::types::Service::builder().task_definition(definition).desired_count(1);
        service.running_count(running).set_deployments(Some(deployments)).build()
    }

    #[test]
    fn a_running_task_is_not_yet_a_healthy_one() {
        use DeploymentRolloutState::{Completed, InProgress};
        let wanted = TaskDefinitionArn::new("d:2");
        let at = |running, deployments| stage(&with("d:2", running, deployments), &wanted, Some("new"), false);
        assert_eq!(at(1, vec![deployment("new", "d:2", "PRIMARY", InProgress)]), Stage::Going);
        assert_eq!(at(0, vec![deployment("new", "d:2", "PRIMARY", Completed)]), Stage::Going, "told too early");
        let old = deployment("old", "d:1", "ACTIVE", Completed);
        assert_eq!(at(1, vec![deployment("new", "d:2", "PRIMARY", Completed), old]), Stage::Going);
        assert_eq!(at(1, vec![deployment("new", "d:2", "PRIMARY", Completed)]), Stage::Steady);
        assert_eq!(at(1, vec![]), Stage::Steady, "counts are all there is");
    }

    #[test]
    fn a_deployment_that_was_given_up_is_told_from_the_one_before() {
        use DeploymentRolloutState::{Completed, Failed, InProgress};
        let wanted = TaskDefinitionArn::new("d:2");
        let at = |service, seen| stage(&service, &wanted, Some("new"), seen);
        let before = || with("d:1", 1, vec![deployment("old", "d:1", "PRIMARY", Completed)]);
        assert_eq!(at(before(), false), Stage::Early);
        assert!(matches!(at(before(), true), Stage::Failed(_)), "rolled back, and no longer listed");
        let rolled_back =
            vec![deployment("back", "d:1", "PRIMARY", InProgress), deployment("new", "d:2", "ACTIVE", Failed)];
        assert!(matches!(at(with("d:1", 1, rolled_back), false), Stage::Failed(_)));
        // The same definition once more, after a first attempt that failed.
        let again = vec![deployment("new", "d:2", "PRIMARY", InProgress), deployment("old", "d:2", "ACTIVE", Failed)];
        assert_eq!(at(with("d:2", 0, again), false), Stage::Going);
    }
}
