//! That existing subnets lie in at least two zones, each in its own (A1, C08, C09): a load balancer takes one subnet of a zone
//! and refuses fewer than two zones, a file system has one mount target in a zone; an emulator minds neither.

use std::collections::BTreeSet;

use resource_graph::{Action, Cx, Given, Knowns, Mark, NodeId, Present, Ref, Resource, Result, Seen, Verdict};

use super::SubnetOutput;

/// A check of subnets that exist; it is never made or destroyed.
pub struct TwoZones {
    /// Its node.
    pub node: NodeId,
    /// The subnets.
    pub subnets: Vec<Ref<SubnetOutput>>,
}

impl Resource for TwoZones {
    const KIND: &'static str = "two-zones";
    type Needs = (Vec<Ref<SubnetOutput>>,);
    type Found = Vec<SubnetOutput>;
    type Output = ();

    fn id(&self) -> NodeId {
        self.node.clone()
    }

    fn summary(&self) -> String {
        format!("{} subnets, each in a zone of its own", self.subnets.len())
    }

    fn needs(&self) -> Self::Needs {
        (self.subnets.clone(),)
    }

    async fn look(&self, _cx: &Cx, (subnets,): &Present<Self>) -> Result<Seen<Self::Found>> {
        Ok(subnets.clone().map_or_else(Seen::absent, |subnets| Seen::here(subnets, Mark::Adopted)))
    }

    fn plan(&self, found: &Self::Found, _needs: &Knowns<Self>) -> Verdict {
        let zones: BTreeSet<&str> = found.iter().map(|subnet| subnet.zone.as_str()).collect();
        if zones.len() >= 2 && zones.len() == found.len() {
            return Verdict::Keep;
        }
        let code = if zones.len() < 2 { "one-zone" } else { "zone-twice" };
        let subnets = found.iter().map(|subnet| subnet.id.to_string()).collect::<Vec<_>>().join(", ");
        let zones = zones.into_iter().collect::<Vec<_>>().join(", ");
        Verdict::Blocked { code, why: format!("the subnets {subnets} lie in {zones}") }
    }

    fn output(&self, _found: &Self::Found) {}

    async fn apply(&self, _cx: &Cx, _action: Action<Self::Found>, (subnets,): Given<Self>) -> Result<Self::Found> {
        Ok(subnets)
    }

    async fn destroy(&self, _cx: &Cx, _found: Self::Found) -> Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use resource_graph::Known;

    use super::*;
    use crate::SubnetId;

    #[test]
    fn subnets_of_one_zone_are_not_enough() {
        let check = TwoZones { node: NodeId::from("two-zones"), subnets: Vec::new() };
        let subnet = |id: &str, zone: &str| SubnetOutput { id: SubnetId::new(id), zone: zone.to_owned() };
        let one = vec![subnet("subnet-1", "eu-west-1a"), subnet("subnet-2", "eu-west-1a")];
        let two = vec![subnet("subnet-1", "eu-west-1a"), subnet("subnet-2", "eu-west-1b")];
        assert_eq!(check.plan(&two, &(Known::Unknown,)), Verdict::Keep);
        let Verdict::Blocked { code, why } = check.plan(&one, &(Known::Unknown,)) else { panic!() };
        assert_eq!((code, why.as_str()), ("one-zone", "the subnets subnet-1, subnet-2 lie in eu-west-1a"));
        let twice = [two, vec![subnet("subnet-3", "eu-west-1b")]].concat();
        assert!(matches!(check.plan(&twice, &(Known::Unknown,)), Verdict::Blocked { code: "zone-twice", .. }));
    }
}
