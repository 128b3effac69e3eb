//! A subnet (A1): public, so that a task in it reaches the outside without a NAT (C19).

use std::collections::BTreeMap;
use std::time::Duration;

use aws_sdk_ec2::types::{self, AttributeBooleanValue, Filter, ResourceType, SubnetState};
use resource_graph::{
    Action, Compare, Cx, Error, Field, Given, Inventory, Knowns, Listed, NodeId, Pace, Present, Progress, Ref,
    Resource, Result, Seen, Verdict,
};

use super::{of_deployment, of_node, once, tagged, tags};
use crate::fail::{failed, gone, incomplete, required, unless_missing};
use crate::{Home, SubnetId, VpcId};

pub(super) const MISSING: &[&str] = &["InvalidSubnetID.NotFound"];

/// A subnet.
pub struct Subnet {
    /// Where it lives.
    pub home: Home,
    /// Its node.
    pub node: NodeId,
    /// What the console shows; a subnet has no other name.
    pub name: String,
    /// The VPC it belongs to.
    pub vpc: Ref<VpcId>,
    /// Its range of addresses within the VPC's; it cannot be changed.
    pub cidr: String,
    /// The zones to choose from and which of them to take. A subnet that exists keeps its zone, whatever the list says now: a
    /// second one with the same addresses could not stand beside it.
    pub zone: (Ref<Vec<String>>, usize),
}

/// What others need of a subnet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubnetOutput {
    /// Its id.
    pub id: SubnetId,
    /// The name of its zone.
    pub zone: String,
}

impl SubnetOutput {
    /// Its id.
    pub const ID: Field<Self, SubnetId> = Field::new("id", |output| output.id.clone());
    /// The name of its zone.
    pub const ZONE: Field<Self, String> = Field::new("zone", |output| output.zone.clone());
}

/// A subnet that exists.
#[derive(Clone, Debug)]
pub struct Found {
    pub(super) id: SubnetId,
    pub(super) vpc: VpcId,
    cidr: String,
    pub(super) zone: String,
    public: Option<bool>,
}

impl Subnet {
    async fn create(&self, cx: &Cx, vpc: VpcId, zones: &[String]) -> Result<Found> {
        let action = format!("create subnet `{}`", self.name);
        let Some(zone) = zones.get(self.zone.1) else {
            return Err(Error::new("one-zone", action)
                .expected(format!("{} availability-zones", self.zone.1 + 1))
                .because(format!("there are {}", zones.len())));
        };
        let made = self
            .home
            .aws
            .ec2
            .create_subnet()
            .vpc_id(vpc.as_str())
            .cidr_block(&self.cidr)
            .availability_zone(zone)
            .tag_specifications(tagged(ResourceType::Subnet, &self.home, &self.node, &self.name))
            .customize()
            .config_override(once())
            .send()
            .await
            .map_err(|error| failed(&action, error))?;
        let id = SubnetId::new(required(made.subnet().and_then(|subnet| subnet.subnet_id()), &action, "subnet id")?);
        wait_until_available(&self.home, cx, &id).await?;
        Ok(Found { id, vpc, cidr: self.cidr.clone(), zone: zone.clone(), public: Some(false) })
    }
}

impl Resource for Subnet {
    const KIND: &'static str = "subnet";
    type Needs = (Ref<VpcId>, Ref<Vec<String>>);
    type Found = Found;
    type Output = SubnetOutput;

    fn id(&self) -> NodeId {
        self.node.clone()
    }

    fn summary(&self) -> String {
        format!("{}, {}", self.name, self.cidr)
    }

    fn needs(&self) -> Self::Needs {
        (self.vpc.clone(), self.zone.0.clone())
    }

    async fn look(&self, _cx: &Cx, (vpc, _): &Present<Self>) -> Result<Seen<Found>> {
        let ours = describe(&self.home, of_node(&self.home, &self.node)).await?;
        let ours = ours.into_iter().map(|subnet| subnet.found).collect();
        Ok(Seen::pick(ours, |found: &Found| Some(&found.vpc) == vpc.as_ref() && found.cidr == self.cidr))
    }

    fn plan(&self, found: &Found, (vpc, _): &Knowns<Self>) -> Verdict {
        Compare::new()
            .need("vpc", &found.vpc, vpc)
            .replace("cidr", &found.cidr, &self.cidr, None)
            .update_if_told("public address on launch", found.public.as_ref(), &true)
            .verdict()
    }

    fn output(&self, found: &Found) -> SubnetOutput {
        SubnetOutput { id: found.id.clone(), zone: found.zone.clone() }
    }

    async fn apply(&self, cx: &Cx, action: Action<Found>, (vpc, zones): Given<Self>) -> Result<Found> {
        let mut found = match action {
            Action::Create => self.create(cx, vpc, &zones).await?,
            Action::Update { found, adopt } => {
                if adopt {
                    let action = format!("tag subnet `{}`", found.id);
                    super::adopt(&self.home, &self.node, found.id.as_str(), &action).await?;
                }
                wait_until_available(&self.home, cx, &found.id).await?;
                found
            }
        };
        if found.public != Some(true) {
            let on = AttributeBooleanValue::builder().value(true).build();
            let call = self.home.aws.ec2.modify_subnet_attribute().subnet_id(found.id.as_str());
            let answer = call.map_public_ip_on_launch(on).send().await;
            answer.map_err(|error| failed(format!("give public addresses in subnet `{}`", found.id), error))?;
            found.public = Some(true);
        }
        Ok(found)
    }

    async fn destroy(&self, _cx: &Cx, found: Found) -> Result<()> {
        destroy(&self.home, &found.id).await
    }
}

/// All subnets of a deployment.
pub struct Subnets(pub Home);

impl Inventory for Subnets {
    const KIND: &'static str = Subnet::KIND;
    type Found = SubnetId;

    async fn list(&self, _cx: &Cx) -> Result<Vec<Listed<SubnetId>>> {
        let subnets = describe(&self.0, vec![of_deployment(&self.0)]).await?;
        Ok(subnets
            .into_iter()
            .filter_map(|subnet| {
                let node = self.0.managed_node_of(&subnet.tags)?;
                Some(Listed { node, label: subnet.found.id.to_string(), found: subnet.found.id })
            })
            .collect())
    }

    async fn destroy(&self, _cx: &Cx, found: SubnetId) -> Result<()> {
        destroy(&self.0, &found).await
    }
}

struct Described {
    found: Found,
    tags: BTreeMap<String, String>,
}

async fn describe(home: &Home, filters: Vec<Filter>) -> Result<Vec<Described>> {
    let action = "describe subnets";
    let mut pages = home.aws.ec2.describe_subnets().set_filters(Some(filters)).into_paginator().send();
    let mut subnets = Vec::new();
    while let Some(page) = pages.next().await {
        for subnet in page.map_err(|error| failed(action, error))?.subnets() {
            let found = read(subnet).ok_or_else(|| incomplete(action, "subnet id, vpc id or zone"))?;
            subnets.push(Described { found, tags: tags(subnet.tags()) });
        }
    }
    Ok(subnets)
}

pub(super) fn read(subnet: &types::Subnet) -> Option<Found> {
    let text = |member: Option<&str>| member.filter(|text| !text.is_empty()).map(str::to_owned);
    Some(Found {
        id: SubnetId::new(text(subnet.subnet_id())?),
        vpc: VpcId::new(text(subnet.vpc_id())?),
        cidr: subnet.cidr_block().unwrap_or_default().to_owned(),
        zone: text(subnet.availability_zone())?,
        public: subnet.map_public_ip_on_launch(),
    })
}

async fn wait_until_available(home: &Home, cx: &Cx, id: &SubnetId) -> Result<()> {
    let what = format!("subnet `{id}` to become available");
    let pace = Pace::new(Duration::from_secs(2), Duration::from_secs(120));
    cx.wait_until(&what, pace, || async {
        let action = format!("describe subnet `{id}`");
        let answer = home.aws.ec2.describe_subnets().subnet_ids(id.as_str()).send().await;
        let Some(answer) = unless_missing(answer, MISSING, &action)? else {
            return Ok(Progress::Pending("not known yet".to_owned()));
        };
        Ok(match answer.subnets().first().map(types::Subnet::state) {
            None => Progress::Pending("not known yet".to_owned()),
            Some(Some(SubnetState::Available)) => Progress::Ready(()),
            Some(Some(SubnetState::Pending)) => Progress::Pending("pending".to_owned()),
            Some(state) => Progress::Failed(Error::new(
                "wrong-state",
                format!("wait for {what}; it is {}", state.map_or("in no state", SubnetState::as_str)),
            )),
        })
    })
    .await
}

/// Network interfaces linger for minutes after what used them.
async fn destroy(home: &Home, id: &SubnetId) -> Result<()> {
    let answer = home.aws.ec2.delete_subnet().subnet_id(id.as_str()).send().await;
    gone(answer, MISSING, &["DependencyViolation"], &format!("delete subnet `{id}`"))
}

#[cfg(test)]
mod tests {
    use resource_graph::{Fixed, Graph, Known, Label};

    use super::*;

    #[tokio::test]
    async fn a_subnet_keeps_its_zone_and_gets_public_addresses() {
        let mut graph = Graph::new();
        let vpc = graph.add(Label::default(), Fixed::new("vpc", VpcId::new("vpc-1")));
        let zones = graph.add(Label::default(), Fixed::new("zones", Vec::<String>::new()));
        let subnet = Subnet {
            home: crate::testing::home(),
            node: NodeId::from("subnet/0"),
            name: "automator-0".to_owned(),
            vpc,
            cidr: "10.20.0.0/20".to_owned(),
            zone: (zones, 0),
        };
        let found = |cidr: &str, public| Found {
            id: SubnetId::new("subnet-1"),
            vpc: VpcId::new("vpc-1"),
            cidr: cidr.to_owned(),
            zone: "eu-west-1c".to_owned(),
            public,
        };
        let known = |vpc: &str| {
            (Known::Same(VpcId::new(vpc)), Known::Same(vec!["eu-west-1a".to_owned(), "eu-west-1b".to_owned()]))
        };
        assert_eq!(subnet.plan(&found("10.20.0.0/20", Some(true)), &known("vpc-1")), Verdict::Keep);
        assert_eq!(subnet.plan(&found("10.20.0.0/20", None), &known("vpc-1")), Verdict::Keep);
        let Verdict::Update { changes, .. } = subnet.plan(&found("10.20.0.0/20", Some(false)), &known("vpc-1")) else {
            panic!()
        };
        assert_eq!(resource_graph::describe(&changes), "public address on launch false -> true");
        for (cidr, vpc) in [("10.20.16.0/20", "vpc-1"), ("10.20.0.0/20", "vpc-2")] {
            assert!(matches!(subnet.plan(&found(cidr, Some(true)), &known(vpc)), Verdict::Replace { .. }));
        }
    }
}
