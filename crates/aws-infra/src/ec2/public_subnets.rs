//! That a load balancer which faces the internet is reached where it stands (A11, C09): each of its subnets leads to an internet
//! gateway. AWS makes one in a private subnet all the same, and nobody ever gets an answer. Only read.

use resource_graph::{Action, Cx, Given, Known, Knowns, Mark, NodeId, Present, Ref, Resource, Result, Seen, Verdict};

use super::egress::{Exit, exits};
use crate::fail::incomplete;
use crate::{Home, SubnetId};

/// A check of subnets that exist; it is never made or destroyed.
pub struct PublicSubnets {
    /// Where they are.
    pub home: Home,
    /// Its node.
    pub node: NodeId,
    /// The subnets of the balancer.
    pub subnets: Vec<Ref<SubnetId>>,
}

/// The subnets that lead to no internet gateway.
#[derive(Clone, Debug)]
pub struct Found {
    private: Vec<SubnetId>,
}

impl PublicSubnets {
    async fn read(&self, subnets: &[SubnetId]) -> Result<Option<Found>> {
        let private = |exits: Vec<(SubnetId, Exit)>| {
            exits.into_iter().filter(|(_, exit)| *exit != Exit::Public).map(|(subnet, _)| subnet).collect()
        };
        Ok(exits(&self.home, subnets).await?.map(|exits| Found { private: private(exits) }))
    }
}

impl Resource for PublicSubnets {
    const KIND: &'static str = "public-subnets";
    type Needs = (Vec<Ref<SubnetId>>,);
    type Found = Found;
    type Output = ();

    fn id(&self) -> NodeId {
        self.node.clone()
    }

    fn summary(&self) -> String {
        "each subnet of the balancer leads to an internet gateway".to_owned()
    }

    fn needs(&self) -> Self::Needs {
        (self.subnets.clone(),)
    }

    async fn look(&self, _cx: &Cx, (subnets,): &Present<Self>) -> Result<Seen<Found>> {
        let Some(subnets) = subnets else { return Ok(Seen::absent()) };
        Ok(self.read(subnets).await?.map_or_else(Seen::absent, |found| Seen::here(found, Mark::Adopted)))
    }

    fn plan(&self, found: &Found, (subnets,): &Knowns<Self>) -> Verdict {
        if found.private.is_empty() || !matches!(subnets, Known::Same(_)) {
            return Verdict::Keep;
        }
        let private = found.private.iter().map(|subnet| format!("`{subnet}`")).collect::<Vec<_>>().join(", ");
        let why =
            format!("subnet {private} has no route to an internet gateway, so a balancer there answers nobody outside");
        Verdict::Blocked { code: "subnet-not-public", why }
    }

    fn output(&self, _found: &Found) {}

    async fn apply(&self, _cx: &Cx, _action: Action<Found>, (subnets,): Given<Self>) -> Result<Found> {
        let found = self.read(&subnets).await?;
        found.ok_or_else(|| incomplete("describe the subnets of the balancer", "subnet that is needed"))
    }

    async fn destroy(&self, _cx: &Cx, _found: Found) -> Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use resource_graph::{Fixed, Graph, Label};

    use super::*;

    #[tokio::test]
    async fn a_private_subnet_is_refused() {
        let id = SubnetId::new("subnet-1");
        let subnets = vec![Graph::new().add(Label::default(), Fixed::new("subnet", id.clone()))];
        let check = PublicSubnets { home: crate::testing::home(), node: NodeId::from("public-subnets"), subnets };
        let known = || (Known::Same(vec![id.clone()]),);
        assert_eq!(check.plan(&Found { private: Vec::new() }, &known()), Verdict::Keep);
        let Verdict::Blocked { code, why } = check.plan(&Found { private: vec![id.clone()] }, &known()) else {
            panic!()
        };
        assert_eq!(code, "subnet-not-public");
        assert!(why.starts_with("subnet `subnet-1` has no route"), "{why}");
    }
}
