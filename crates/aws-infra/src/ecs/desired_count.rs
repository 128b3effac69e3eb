//! How many tasks there are (A17): the one owner of the service's desired count.

use resource_graph::{
    Action, Compare, Cx, Given, Known, Knowns, NodeId, Present, Ref, Resource, Result, Seen, Verdict,
};

use super::service::{describe, scale};
use crate::{ClusterArn, Home, ServiceArn};

/// The desired count of a service.
///
/// `G` is what has to be settled first, an initialised Automator: a second task that starts before would have no state (C30).
/// When that is going to change it scales to one task by itself, and this node scales up again.
pub struct DesiredCount<G> {
    /// Where it lives.
    pub home: Home,
    /// Its node.
    pub node: NodeId,
    /// The service's cluster.
    pub cluster: Ref<ClusterArn>,
    /// The service.
    pub service: Ref<ServiceArn>,
    /// How many tasks are wanted.
    pub tasks: u32,
    /// What has to be settled first.
    pub gate: Ref<G>,
}

/// A service and its count.
#[derive(Clone, Debug)]
pub struct Found {
    tasks: u32,
}

impl<G: Clone + Send + Sync + 'static> Resource for DesiredCount<G> {
    const KIND: &'static str = "ecs-desired-count";
    type Needs = (Ref<ClusterArn>, Ref<ServiceArn>, Ref<G>);
    type Found = Found;
    type Output = u32;

    fn id(&self) -> NodeId {
        self.node.clone()
    }

    fn summary(&self) -> String {
        match self.tasks {
            1 => "1 task".to_owned(),
            tasks => format!("{tasks} tasks"),
        }
    }

    fn needs(&self) -> Self::Needs {
        (self.cluster.clone(), self.service.clone(), self.gate.clone())
    }

    async fn look(&self, _cx: &Cx, (cluster, service, _): &Present<Self>) -> Result<Seen<Found>> {
        let (Some(cluster), Some(service)) = (cluster, service) else { return Ok(Seen::absent()) };
        let service = describe(&self.home, cluster, service.as_str()).await?;
        Ok(service.map_or_else(Seen::absent, |service| {
            Seen::ours(Found { tasks: u32::try_from(service.desired_count()).unwrap_or_default() })
        }))
    }

    fn plan(&self, found: &Found, (_, _, gate): &Knowns<Self>) -> Verdict {
        let mut compare = Compare::new();
        compare.update("tasks", &found.tasks, &self.tasks);
        if self.tasks > 1 && !matches!(gate, Known::Same(_)) {
            compare.differs("tasks", Some("1 meanwhile".to_owned()), Some(self.tasks.to_string()));
        }
        compare.verdict()
    }

    fn output(&self, found: &Found) -> u32 {
        found.tasks
    }

    async fn apply(&self, cx: &Cx, _action: Action<Found>, (cluster, service, _): Given<Self>) -> Result<Found> {
        scale(&self.home, cx, &cluster, &service, self.tasks).await?;
        Ok(Found { tasks: self.tasks })
    }

    /// It goes with the service.
    async fn destroy(&self, _cx: &Cx, _found: Found) -> Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use resource_graph::{Fixed, Graph, Label};

    use super::*;

    fn count(tasks: u32) -> DesiredCount<()> {
        let mut graph = Graph::new();
        DesiredCount {
            home: crate::testing::home(),
            node: NodeId::from("desired-count"),
            cluster: graph.add(Label::default(), Fixed::new("cluster", ClusterArn::new("c"))),
            service: graph.add(Label::default(), Fixed::new("service", ServiceArn::new("s"))),
            tasks,
            gate: graph.add(Label::default(), Fixed::new("gate", ())),
        }
    }

    #[tokio::test]
    async fn it_scales_to_what_is_wanted_and_foresees_that_the_gate_scales_down() {
        let known = |gate| (Known::Same(ClusterArn::new("c")), Known::Same(ServiceArn::new("s")), gate);
        let verdict = |wanted, tasks, gate| count(wanted).plan(&Found { tasks }, &known(gate));
        assert_eq!(verdict(2, 2, Known::Same(())), Verdict::Keep);
        assert!(matches!(verdict(2, 1, Known::Same(())), Verdict::Update { .. }));
        assert!(matches!(verdict(2, 2, Known::WillChange(())), Verdict::Update { .. }));
        assert!(matches!(verdict(2, 2, Known::Unknown), Verdict::Update { .. }), "an Automator that is made anew");
        assert_eq!(verdict(1, 1, Known::WillChange(())), Verdict::Keep);
        assert_eq!((count(1).summary(), count(3).summary()), ("1 task".to_owned(), "3 tasks".to_owned()));
    }
}
