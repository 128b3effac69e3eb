//! A VPC and subnets that were there before us and are only read (A1): never created, changed or deleted.

use resource_graph::{
    Action, Cx, Error, Given, Known, Knowns, Mark, NodeId, Present, Ref, Resource, Result, Seen, Verdict,
};

use super::vpc::{Dns, dns};
use super::{SubnetOutput, subnet};
use crate::fail::{incomplete, unless_missing};
use crate::{Home, SubnetId, VpcId};

/// A VPC named by its id. Use it with `Ownership::Referenced`.
pub struct ExistingVpc {
    /// Where it lives.
    pub home: Home,
    /// Its node.
    pub node: NodeId,
    /// Its id.
    pub id: VpcId,
}

/// A VPC that exists.
#[derive(Clone, Debug)]
pub struct FoundVpc {
    dns: Dns,
}

impl Resource for ExistingVpc {
    const KIND: &'static str = "existing-vpc";
    type Needs = ();
    type Found = FoundVpc;
    type Output = VpcId;

    fn id(&self) -> NodeId {
        self.node.clone()
    }

    fn summary(&self) -> String {
        self.id.to_string()
    }

    fn needs(&self) {}

    async fn look(&self, _cx: &Cx, (): &Present<Self>) -> Result<Seen<FoundVpc>> {
        let answer = self.home.aws.ec2.describe_vpcs().vpc_ids(self.id.as_str()).send().await;
        let answer = unless_missing(answer, &["InvalidVpcID.NotFound"], &format!("describe vpc `{}`", self.id))?;
        if answer.is_none_or(|answer| answer.vpcs().is_empty()) {
            return Ok(Seen::absent());
        }
        Ok(Seen::here(FoundVpc { dns: dns(&self.home, &self.id).await? }, Mark::Stranger))
    }

    /// A task mounts its files by name, which takes both (C08). They are not ours to turn on.
    fn plan(&self, found: &FoundVpc, (): &Knowns<Self>) -> Verdict {
        let off: Vec<&str> = [("DNS support", found.dns.support), ("DNS host names", found.dns.host_names)]
            .into_iter()
            .filter_map(|(name, on)| (on == Some(false)).then_some(name))
            .collect();
        if off.is_empty() {
            return Verdict::Keep;
        }
        Verdict::Blocked { code: "vpc-dns-off", why: format!("vpc `{}` has {} off", self.id, off.join(" and ")) }
    }

    fn output(&self, _found: &FoundVpc) -> VpcId {
        self.id.clone()
    }

    async fn apply(&self, _cx: &Cx, action: Action<FoundVpc>, (): Given<Self>) -> Result<FoundVpc> {
        only_read(action, "vpc", self.id.as_str())
    }

    async fn destroy(&self, _cx: &Cx, _found: FoundVpc) -> Result<()> {
        Ok(())
    }
}

/// A subnet named by its id. Use it with `Ownership::Referenced`.
pub struct ExistingSubnet {
    /// Where it lives.
    pub home: Home,
    /// Its node.
    pub node: NodeId,
    /// Its id.
    pub id: SubnetId,
    /// The VPC it must belong to.
    pub vpc: Ref<VpcId>,
}

impl Resource for ExistingSubnet {
    const KIND: &'static str = "existing-subnet";
    type Needs = (Ref<VpcId>,);
    type Found = subnet::Found;
    type Output = SubnetOutput;

    fn id(&self) -> NodeId {
        self.node.clone()
    }

    fn summary(&self) -> String {
        self.id.to_string()
    }

    fn needs(&self) -> Self::Needs {
        (self.vpc.clone(),)
    }

    async fn look(&self, _cx: &Cx, _needs: &Present<Self>) -> Result<Seen<subnet::Found>> {
        let action = format!("describe subnet `{}`", self.id);
        let answer = self.home.aws.ec2.describe_subnets().subnet_ids(self.id.as_str()).send().await;
        let answer = unless_missing(answer, subnet::MISSING, &action)?;
        let Some(there) = answer.as_ref().and_then(|answer| answer.subnets().first()) else {
            return Ok(Seen::absent());
        };
        let found = subnet::read(there).ok_or_else(|| incomplete(&action, "subnet id, vpc id or zone"))?;
        Ok(Seen::here(found, Mark::Stranger))
    }

    fn plan(&self, found: &subnet::Found, (vpc,): &Knowns<Self>) -> Verdict {
        if vpc.is(&found.vpc) {
            return Verdict::Keep;
        }
        let wanted = match vpc {
            Known::Same(vpc) => format!("`{vpc}`"),
            Known::WillChange(_) | Known::Unknown => "one that does not exist yet".to_owned(),
        };
        let why = format!("subnet `{}` belongs to vpc `{}`, not to {wanted}", self.id, found.vpc);
        Verdict::Blocked { code: "subnet-elsewhere", why }
    }

    fn output(&self, found: &subnet::Found) -> SubnetOutput {
        SubnetOutput { id: found.id.clone(), zone: found.zone.clone() }
    }

    async fn apply(&self, _cx: &Cx, action: Action<subnet::Found>, _given: Given<Self>) -> Result<subnet::Found> {
        only_read(action, "subnet", self.id.as_str())
    }

    async fn destroy(&self, _cx: &Cx, _found: subnet::Found) -> Result<()> {
        Ok(())
    }
}

fn only_read<F>(action: Action<F>, kind: &str, id: &str) -> Result<F> {
    match action {
        Action::Update { found, .. } => Ok(found),
        Action::Create => {
            Err(Error::new("missing", format!("find {kind} `{id}`"))
                .hint("it is only referenced, so it is never created"))
        }
    }
}

#[cfg(test)]
mod tests {
    use resource_graph::{Fixed, Graph, Label};

    use super::*;

    #[tokio::test]
    async fn a_vpc_without_host_names_is_refused_and_an_untold_one_is_not() {
        let vpc = ExistingVpc { home: crate::testing::home(), node: NodeId::from("vpc"), id: VpcId::new("vpc-1") };
        let found = |support, host_names| FoundVpc { dns: Dns { support, host_names } };
        assert_eq!(vpc.plan(&found(Some(true), Some(true)), &()), Verdict::Keep);
        assert_eq!(vpc.plan(&found(None, None), &()), Verdict::Keep);
        let Verdict::Blocked { code, why } = vpc.plan(&found(Some(true), Some(false)), &()) else { panic!() };
        assert_eq!((code, why.as_str()), ("vpc-dns-off", "vpc `vpc-1` has DNS host names off"));
    }

    #[tokio::test]
    async fn a_subnet_of_another_vpc_is_refused() {
        let vpc = Graph::new().add(Label::default(), Fixed::new("vpc", VpcId::new("vpc-1")));
        let home = crate::testing::home();
        let subnet = ExistingSubnet { home, node: NodeId::from("subnet/0"), id: SubnetId::new("subnet-1"), vpc };
        let there = aws_sdk_ec2::types::Subnet::builder();
        let there = there.subnet_id("subnet-1").vpc_id("vpc-1").availability_zone("eu-west-1a").build();
        let found = subnet::read(&there).unwrap();
        assert_eq!(subnet.plan(&found, &(Known::Same(VpcId::new("vpc-1")),)), Verdict::Keep);
        let Verdict::Blocked { code, .. } = subnet.plan(&found, &(Known::Same(VpcId::new("vpc-2")),)) else { panic!() };
        assert_eq!(code, "subnet-elsewhere");
    }
}
