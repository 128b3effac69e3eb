//! The VPC (A1). Host names and resolution are both on, or no task can mount a file system by its name (C08).

use std::collections::BTreeMap;
use std::time::Duration;

use aws_sdk_ec2::types::{AttributeBooleanValue, Filter, ResourceType, VpcAttributeName, VpcState};
use resource_graph::{
    Action, Compare, Cx, Error, Given, Inventory, Knowns, Listed, NodeId, Pace, Present, Progress, Resource, Result,
    Seen, Verdict,
};

use super::{of_deployment, of_node, once, tagged, tags};
use crate::fail::{failed, gone, required, unless_missing};
use crate::{Home, VpcId};

const MISSING: &[&str] = &["InvalidVpcID.NotFound"];

/// A VPC.
pub struct Vpc {
    /// Where it lives.
    pub home: Home,
    /// Its node.
    pub node: NodeId,
    /// What the console shows; a VPC has no other name.
    pub name: String,
    /// Its range of addresses, `10.20.0.0/16`; it cannot be changed.
    pub cidr: String,
}

/// A VPC that exists.
#[derive(Clone, Debug)]
pub struct Found {
    id: VpcId,
    cidr: String,
    pub(super) dns: Dns,
}

/// What a VPC does about names. Left out of the answer is unknown.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Dns {
    /// Names are resolved.
    pub(super) support: Option<bool>,
    /// Instances and mount targets have names.
    pub(super) host_names: Option<bool>,
}

impl Vpc {
    async fn create(&self, cx: &Cx) -> Result<Found> {
        let action = format!("create vpc `{}`", self.name);
        let made = self
            .home
            .aws
            .ec2
            .create_vpc()
            .cidr_block(&self.cidr)
            .tag_specifications(tagged(ResourceType::Vpc, &self.home, &self.node, &self.name))
            .customize()
            .config_override(once())
            .send()
            .await
            .map_err(|error| failed(&action, error))?;
        let id = VpcId::new(required(made.vpc().and_then(|vpc| vpc.vpc_id()), &action, "vpc id")?);
        wait_until_available(&self.home, cx, &id).await?;
        // A new VPC resolves names and gives none; what it says of itself is not asked, because both are set next.
        Ok(Found { id, cidr: self.cidr.clone(), dns: Dns::default() })
    }
}

impl Resource for Vpc {
    const KIND: &'static str = "vpc";
    type Needs = ();
    type Found = Found;
    type Output = VpcId;

    fn id(&self) -> NodeId {
        self.node.clone()
    }

    fn summary(&self) -> String {
        format!("{}, {}", self.name, self.cidr)
    }

    fn needs(&self) {}

    async fn look(&self, _cx: &Cx, (): &Present<Self>) -> Result<Seen<Found>> {
        let mut ours = Vec::new();
        for described in describe(&self.home, of_node(&self.home, &self.node)).await? {
            let dns = dns(&self.home, &described.id).await?;
            ours.push(Found { id: described.id, cidr: described.cidr, dns });
        }
        Ok(Seen::pick(ours, |found| found.cidr == self.cidr))
    }

    fn plan(&self, found: &Found, (): &Knowns<Self>) -> Verdict {
        Compare::new()
            .replace("cidr", &found.cidr, &self.cidr, None)
            .update_if_told("dns support", found.dns.support.as_ref(), &true)
            .update_if_told("dns host names", found.dns.host_names.as_ref(), &true)
            .verdict()
    }

    fn output(&self, found: &Found) -> VpcId {
        found.id.clone()
    }

    async fn apply(&self, cx: &Cx, action: Action<Found>, (): Given<Self>) -> Result<Found> {
        let mut found = match action {
            Action::Create => self.create(cx).await?,
            Action::Update { found, adopt } => {
                if adopt {
                    let action = format!("tag vpc `{}`", found.id);
                    super::adopt(&self.home, &self.node, found.id.as_str(), &action).await?;
                }
                wait_until_available(&self.home, cx, &found.id).await?;
                found
            }
        };
        // One attribute a call, and host names only where names are resolved.
        let on = || AttributeBooleanValue::builder().value(true).build();
        let call = || self.home.aws.ec2.modify_vpc_attribute().vpc_id(found.id.as_str());
        if found.dns.support != Some(true) {
            let answer = call().enable_dns_support(on()).send().await;
            answer.map_err(|error| failed(format!("turn on DNS support of vpc `{}`", found.id), error))?;
        }
        if found.dns.host_names != Some(true) {
            let answer = call().enable_dns_hostnames(on()).send().await;
            answer.map_err(|error| failed(format!("turn on DNS host names of vpc `{}`", found.id), error))?;
        }
        found.dns = Dns { support: Some(true), host_names: Some(true) };
        Ok(found)
    }

    async fn destroy(&self, _cx: &Cx, found: Found) -> Result<()> {
        destroy(&self.home, &found.id).await
    }
}

/// All VPCs of a deployment.
pub struct Vpcs(pub Home);

impl Inventory for Vpcs {
    const KIND: &'static str = Vpc::KIND;
    type Found = VpcId;

    async fn list(&self, _cx: &Cx) -> Result<Vec<Listed<VpcId>>> {
        let vpcs = describe(&self.0, vec![of_deployment(&self.0)]).await?;
        Ok(vpcs
            .into_iter()
            .filter_map(|vpc| {
                let node = self.0.managed_node_of(&vpc.tags)?;
                Some(Listed { node, label: vpc.id.to_string(), found: vpc.id })
            })
            .collect())
    }

    async fn destroy(&self, _cx: &Cx, found: VpcId) -> Result<()> {
        destroy(&self.0, &found).await
    }
}

struct Described {
    id: VpcId,
    cidr: String,
    tags: BTreeMap<String, String>,
}

async fn describe(home: &Home, filters: Vec<Filter>) -> Result<Vec<Described>> {
    let action = "describe vpcs";
    let mut pages = home.aws.ec2.describe_vpcs().set_filters(Some(filters)).into_paginator().send();
    let mut vpcs = Vec::new();
    while let Some(page) = pages.next().await {
        for vpc in page.map_err(|error| failed(action, error))?.vpcs() {
            vpcs.push(Described {
                id: VpcId::new(required(vpc.vpc_id(), action, "vpc id")?),
                cidr: vpc.cidr_block().unwrap_or_default().to_owned(),
                tags: tags(vpc.tags()),
            });
        }
    }
    Ok(vpcs)
}

/// What a VPC does about names; each of the two is a call of its own.
pub(super) async fn dns(home: &Home, id: &VpcId) -> Result<Dns> {
    let ask = async |attribute: VpcAttributeName| {
        let call = home.aws.ec2.describe_vpc_attribute().vpc_id(id.as_str()).attribute(attribute);
        unless_missing(call.send().await, MISSING, &format!("read the DNS settings of vpc `{id}`"))
    };
    let (support, names) =
        tokio::join!(ask(VpcAttributeName::EnableDnsSupport), ask(VpcAttributeName::EnableDnsHostnames));
    Ok(Dns {
        support: support?.and_then(|answer| answer.enable_dns_support().and_then(AttributeBooleanValue::value)),
        host_names: names?.and_then(|answer| answer.enable_dns_hostnames().and_then(AttributeBooleanValue::value)),
    })
}

/// A VPC just made may not be known everywhere yet: not found is the same as pending here.
async fn wait_until_available(home: &Home, cx: &Cx, id: &VpcId) -> Result<()> {
    let what = format!("vpc `{id}` to become available");
    let pace = Pace::new(Duration::from_secs(2), Duration::from_secs(120));
    cx.wait_until(&what, pace, || async {
        let action = format!("describe vpc `{id}`");
        let answer = home.aws.ec2.describe_vpcs().vpc_ids(id.as_str()).send().await;
        let Some(answer) = unless_missing(answer, MISSING, &action)? else {
            return Ok(Progress::Pending("not known yet".to_owned()));
        };
        let state = answer.vpcs().first().map(|vpc| vpc.state().cloned());
        Ok(match state {
            None => Progress::Pending("not known yet".to_owned()),
            Some(Some(VpcState::Available)) => Progress::Ready(()),
            Some(Some(VpcState::Pending)) => Progress::Pending("pending".to_owned()),
            Some(state) => {
                let state = state.as_ref().map_or("in no state", VpcState::as_str);
                Progress::Failed(Error::new("wrong-state", format!("wait for {what}; it is {state}")))
            }
        })
    })
    .await
}

/// What AWS made with it, the main route table, the default group and the default ACL, goes with it.
async fn destroy(home: &Home, id: &VpcId) -> Result<()> {
    let answer = home.aws.ec2.delete_vpc().vpc_id(id.as_str()).send().await;
    gone(answer, MISSING, &["DependencyViolation"], &format!("delete vpc `{id}`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn host_names_are_turned_on_and_what_is_not_told_is_no_drift() {
        let vpc = Vpc {
            home: crate::testing::home(),
            node: NodeId::from("vpc"),
            name: "automator".to_owned(),
            cidr: "10.20.0.0/16".to_owned(),
        };
        let found = |cidr: &str, support, host_names| Found {
            id: VpcId::new("vpc-1"),
            cidr: cidr.to_owned(),
            dns: Dns { support, host_names },
        };
        assert_eq!(vpc.plan(&found("10.20.0.0/16", Some(true), Some(true)), &()), Verdict::Keep);
        assert_eq!(vpc.plan(&found("10.20.0.0/16", None, None), &()), Verdict::Keep);
        let Verdict::Update { changes, .. } = vpc.plan(&found("10.20.0.0/16", Some(true), Some(false)), &()) else {
            panic!()
        };
        assert_eq!(resource_graph::describe(&changes), "dns host names false -> true");
        assert!(matches!(vpc.plan(&found("10.0.0.0/16", None, None), &()), Verdict::Replace { .. }));
    }
}
