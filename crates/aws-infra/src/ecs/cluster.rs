//! The cluster (A7, C24): Fargate only, without a service-discovery namespace, which nothing would use.

use resource_graph::{
    Action, Cx, Given, Inventory, Knowns, Listed, Mark, NodeId, Present, Resource, Result, Seen, Verdict,
};

use super::{adopt, believed, once, tagged, tags_of};
use crate::fail::{failed, gone, required};
use crate::{ClusterArn, Home};

/// An ECS cluster.
pub struct Cluster {
    /// Where it lives.
    pub home: Home,
    /// Its node.
    pub node: NodeId,
    /// Its name, unique in account and region.
    pub name: String,
}

impl Resource for Cluster {
    const KIND: &'static str = "ecs-cluster";
    type Needs = ();
    type Found = ClusterArn;
    type Output = ClusterArn;

    fn id(&self) -> NodeId {
        self.node.clone()
    }

    fn summary(&self) -> String {
        format!("{}, Fargate", self.name)
    }

    fn needs(&self) {}

    async fn look(&self, _cx: &Cx, (): &Present<Self>) -> Result<Seen<ClusterArn>> {
        let action = format!("describe ecs-cluster `{}`", self.name);
        let answer = self.home.aws.ecs.describe_clusters().clusters(&self.name).send().await;
        let answer = answer.map_err(|error| failed(&action, error))?;
        // A deleted cluster is remembered as INACTIVE for a while.
        let Some(cluster) = answer.clusters().iter().find(|cluster| cluster.status() != Some("INACTIVE")) else {
            return Ok(Seen::absent());
        };
        let arn = required(cluster.cluster_arn(), &action, "arn")?;
        let mark = self.home.mark(&self.node, &tags_of(&self.home, &arn).await?);
        Ok(Seen::here(ClusterArn::new(arn), mark))
    }

    fn plan(&self, _found: &ClusterArn, (): &Knowns<Self>) -> Verdict {
        Verdict::Keep
    }

    fn output(&self, found: &ClusterArn) -> ClusterArn {
        found.clone()
    }

    async fn apply(&self, cx: &Cx, action: Action<ClusterArn>, (): Given<Self>) -> Result<ClusterArn> {
        match action {
            Action::Update { found, .. } => {
                adopt(&self.home, &self.node, found.as_str()).await?;
                Ok(found)
            }
            Action::Create => {
                let action = format!("create ecs-cluster `{}`", self.name);
                let call = self.home.aws.ecs.create_cluster().cluster_name(&self.name);
                let call = call.set_tags(Some(tagged(&self.home, &self.node, Mark::Managed)));
                let answer = call.customize().config_override(once()).send().await;
                let answer = believed(action.clone(), answer)?;
                let arn = required(answer.cluster().and_then(|cluster| cluster.cluster_arn()), &action, "arn")?;
                self.wait_until_active(cx).await?;
                Ok(ClusterArn::new(arn))
            }
        }
    }

    async fn destroy(&self, _cx: &Cx, found: ClusterArn) -> Result<()> {
        destroy(&self.home, &found).await
    }
}

impl Cluster {
    async fn wait_until_active(&self, cx: &Cx) -> Result<()> {
        use resource_graph::{Error, Pace, Progress};
        let pace = Pace::new(std::time::Duration::from_secs(2), std::time::Duration::from_secs(300));
        let what = format!("ecs-cluster `{}`", self.name);
        cx.wait_until(&what, pace, || async {
            let answer = self.home.aws.ecs.describe_clusters().clusters(&self.name).send().await;
            let answer = answer.map_err(|error| failed(format!("describe {what}"), error))?;
            let status = answer.clusters().first().and_then(|cluster| cluster.status()).unwrap_or("not visible yet");
            Ok(match status {
                "ACTIVE" => Progress::Ready(()),
                "PROVISIONING" | "not visible yet" => Progress::Pending(status.to_owned()),
                other => Progress::Failed(Error::new("unexpected-state", format!("wait for {what}: it is {other}"))),
            })
        })
        .await
    }
}

/// All clusters of a deployment.
pub struct Clusters(pub Home);

impl Inventory for Clusters {
    const KIND: &'static str = Cluster::KIND;
    type Found = ClusterArn;

    async fn list(&self, _cx: &Cx) -> Result<Vec<Listed<ClusterArn>>> {
        let action = "list ecs-clusters";
        let mut pages = self.0.aws.ecs.list_clusters().into_paginator().send();
        let mut listed = Vec::new();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| failed(action, error))?;
            if page.cluster_arns().is_empty() {
                continue;
            }
            let call = self.0.aws.ecs.describe_clusters().set_clusters(Some(page.cluster_arns().to_vec()));
            let answer = call.send().await.map_err(|error| failed(action, error))?;
            // A deleted cluster is remembered as INACTIVE for a while.
            for cluster in answer.clusters().iter().filter(|cluster| cluster.status() != Some("INACTIVE")) {
                let arn = required(cluster.cluster_arn(), action, "arn")?;
                if let Some(node) = self.0.managed_node_of(&tags_of(&self.0, &arn).await?) {
                    listed.push(Listed { node, label: arn.clone(), found: ClusterArn::new(arn) });
                }
            }
        }
        Ok(listed)
    }

    async fn destroy(&self, _cx: &Cx, found: ClusterArn) -> Result<()> {
        destroy(&self.0, &found).await
    }
}

async fn destroy(home: &Home, arn: &ClusterArn) -> Result<()> {
    let answer = home.aws.ecs.delete_cluster().cluster(arn.as_str()).send().await;
    let in_use = [
        "ClusterContainsServicesException",
        "ClusterContainsTasksException",
        "ClusterContainsContainerInstancesException",
        "UpdateInProgressException",
    ];
    gone(answer, &["ClusterNotFoundException"], &in_use, &format!("delete ecs-cluster `{arn}`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_cluster_of_that_name_fits() {
        let cluster =
            Cluster { home: crate::testing::home(), node: NodeId::from("ecs-cluster"), name: "automator".to_owned() };
        assert_eq!(
            cluster.plan(&ClusterArn::new("arn:aws:ecs:eu-west-1:123456789012:cluster/automator"), &()),
            Verdict::Keep
        );
        assert_eq!(cluster.summary(), "automator, Fargate");
    }
}
