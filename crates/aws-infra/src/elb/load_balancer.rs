//! The load balancer (A11, C09, C16, C17).

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use aws_sdk_elasticloadbalancingv2::types::{
    self, IpAddressType, LoadBalancerAttribute, LoadBalancerSchemeEnum, LoadBalancerTypeEnum,
};
use resource_graph::{
    Action, Compare, Cx, Error, Field, Given, Inventory, Known, Knowns, Listed, Mark, NodeId, Pace, Present, Progress,
    Ref, Resource, Result, Seen, Verdict,
};

use super::{adopt, once, second_name, tagged, tags};
use crate::fail::{failed, failed_early, gone, incomplete, required, unless_missing};
use crate::{Home, LoadBalancerArn, SecurityGroupId, SubnetId};

/// Off by default, and a way to smuggle a request past the balancer.
const DROP_INVALID_HEADERS: &str = "routing.http.drop_invalid_header_fields.enabled";
/// A balancer usually takes two or three minutes.
const UNTIL_ACTIVE: Pace = Pace::new(Duration::from_secs(5), Duration::from_secs(600));

/// An application load balancer, IPv4.
pub struct LoadBalancer {
    /// Where it lives.
    pub home: Home,
    /// Its node.
    pub node: NodeId,
    /// Its name, at most 32 characters, not beginning with `internal-`. A replacement, which stands beside the old one, gets a
    /// hash appended.
    pub name: String,
    /// Who can reach it.
    pub scheme: Scheme,
    /// Subnets in two zones or more, of one VPC (C09).
    pub subnets: Vec<Ref<SubnetId>>,
    /// Its security groups.
    pub groups: Vec<Ref<SecurityGroupId>>,
}

/// Who can reach a balancer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// It has public addresses.
    InternetFacing,
    /// It has addresses of its VPC only.
    Internal,
}

impl Scheme {
    fn sdk(self) -> LoadBalancerSchemeEnum {
        match self {
            Self::InternetFacing => LoadBalancerSchemeEnum::InternetFacing,
            Self::Internal => LoadBalancerSchemeEnum::Internal,
        }
    }
}

impl fmt::Display for Scheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.sdk().as_str())
    }
}

/// What others need of a balancer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BalancerOutput {
    /// Its ARN.
    pub arn: LoadBalancerArn,
    /// The name AWS gave it in the DNS.
    pub dns_name: String,
    /// The hosted zone of that name, which an alias record needs beside it (C22).
    pub zone: String,
    /// Its own name.
    pub name: String,
}

impl BalancerOutput {
    /// [`Self::arn`].
    pub const ARN: Field<Self, LoadBalancerArn> = Field::new("arn", |output| output.arn.clone());
    /// [`Self::dns_name`].
    pub const DNS_NAME: Field<Self, String> = Field::new("dns_name", |output| output.dns_name.clone());
    /// [`Self::zone`].
    pub const ZONE: Field<Self, String> = Field::new("zone", |output| output.zone.clone());
    /// What an alias record points at (C22).
    pub const ALIAS: Field<Self, crate::route53::AliasTarget> = Field::new("alias", |output| {
        crate::route53::AliasTarget { dns_name: output.dns_name.clone(), zone: output.zone.clone() }
    });
}

/// A balancer that exists.
#[derive(Clone, Debug)]
pub struct Found {
    output: BalancerOutput,
    state: Option<String>,
    scheme: Option<String>,
    /// Empty where the service does not tell.
    subnets: Vec<SubnetId>,
    /// Empty where the service does not tell.
    groups: Vec<SecurityGroupId>,
    drop_invalid_headers: Option<bool>,
}

impl LoadBalancer {
    /// A balancer cannot move to another VPC. Where none of its subnets is wanted any more, a new one is made, which is right
    /// whatever the reason; the VPC itself is not compared.
    fn stays(found: &Found, subnets: &[SubnetId]) -> bool {
        found.subnets.is_empty() || found.subnets.iter().any(|subnet| subnets.contains(subnet))
    }

    fn fits(&self, found: &Found, subnets: Option<&[SubnetId]>) -> bool {
        let scheme = found.scheme.as_ref().is_none_or(|scheme| *scheme == self.scheme.to_string());
        scheme && !is_failed(found) && subnets.is_none_or(|subnets| Self::stays(found, subnets))
    }

    fn one_zone(&self) -> Option<String> {
        let count = self.subnets.len();
        (count < 2)
            .then(|| format!("a load balancer needs subnets in two zones or more, and {} has {count}", self.name))
    }

    async fn create(&self, subnets: &[SubnetId], groups: &[SecurityGroupId]) -> Result<LoadBalancerArn> {
        if let Some(why) = self.one_zone() {
            let error = Error::new("one-zone", format!("create load-balancer `{}`", self.name));
            return Err(error.expected("subnets in two zones or more").because(why));
        }
        let taken = describe(&self.home).await?.iter().any(|balancer| balancer.output.name == self.name);
        let name = if taken {
            let scheme = self.scheme.to_string();
            let mut wish = vec![scheme.as_str()];
            wish.extend(subnets.iter().map(SubnetId::as_str));
            wish.sort_unstable();
            second_name(&self.name, &wish)
        } else {
            self.name.clone()
        };
        let action = format!("create load-balancer `{name}`");
        let call = self.home.aws.elb.create_load_balancer();
        let made = call
            .name(&name)
            .r#type(LoadBalancerTypeEnum::Application)
            .scheme(self.scheme.sdk())
            .ip_address_type(IpAddressType::Ipv4)
            .set_subnets(Some(subnets.iter().map(String::from).collect()))
            .set_security_groups(Some(groups.iter().map(String::from).collect()))
            .set_tags(Some(tagged(&self.home, &self.node, Mark::Managed)))
            .customize()
            .config_override(once())
            .send()
            .await
            .map_err(|error| failed_early(&action, error, &["SubnetNotFound", "InvalidSecurityGroup"]))?;
        let arn = made.load_balancers().first().and_then(types::LoadBalancer::load_balancer_arn);
        Ok(LoadBalancerArn::new(required(arn, &action, "ARN")?))
    }

    /// What can be changed in place, said again whole: it bears being half done.
    async fn correct(&self, found: &Found, subnets: &[SubnetId], groups: &[SecurityGroupId]) -> Result<()> {
        let elb = &self.home.aws.elb;
        let arn = &found.output.arn;
        if !same_set(&found.subnets, subnets) {
            let call = elb.set_subnets().load_balancer_arn(arn.as_str());
            let call = call.set_subnets(Some(subnets.iter().map(String::from).collect()));
            call.send().await.map_err(|error| failed(format!("set the subnets of load-balancer `{arn}`"), error))?;
        }
        if !same_set(&found.groups, groups) {
            let action = format!("set the security groups of load-balancer `{arn}`");
            let call = elb.set_security_groups().load_balancer_arn(arn.as_str());
            let call = call.set_security_groups(Some(groups.iter().map(String::from).collect()));
            call.send().await.map_err(|error| failed(action, error))?;
        }
        Ok(())
    }

    async fn wait_until_active(&self, cx: &Cx, arn: &LoadBalancerArn) -> Result<Found> {
        let action = format!("describe load-balancer `{arn}`");
        cx.wait_until(&format!("load-balancer `{arn}` to become active"), UNTIL_ACTIVE, || async {
            let answer = self.home.aws.elb.describe_load_balancers().load_balancer_arns(arn.as_str()).send().await;
            let answer = unless_missing(answer, &["LoadBalancerNotFound"], &action)?;
            let balancer = answer.as_ref().and_then(|answer| answer.load_balancers().first());
            // Not yet known everywhere.
            let Some(balancer) = balancer else { return Ok(Progress::Pending("unknown".to_owned())) };
            let found = read(balancer).ok_or_else(|| incomplete(&action, "ARN, name, DNS name or zone"))?;
            Ok(match found.state.as_deref() {
                Some("active" | "active_impaired") | None => Progress::Ready(found),
                Some("provisioning") => Progress::Pending("provisioning".to_owned()),
                Some(state) => {
                    let reason = balancer.state().and_then(|state| state.reason()).unwrap_or("no reason given");
                    let error = Error::new("balancer-failed", format!("make load-balancer `{arn}`: it is {state}"));
                    Progress::Failed(error.because(reason.to_owned()))
                }
            })
        })
        .await
    }
}

impl Resource for LoadBalancer {
    const KIND: &'static str = "load-balancer";
    type Needs = (Vec<Ref<SubnetId>>, Vec<Ref<SecurityGroupId>>);
    type Found = Found;
    type Output = BalancerOutput;

    fn id(&self) -> NodeId {
        self.node.clone()
    }

    fn summary(&self) -> String {
        format!("{}, {}, {} subnets", self.name, self.scheme, self.subnets.len())
    }

    fn needs(&self) -> Self::Needs {
        (self.subnets.clone(), self.groups.clone())
    }

    async fn look(&self, _cx: &Cx, (subnets, _): &Present<Self>) -> Result<Seen<Found>> {
        let all = describe(&self.home).await?;
        let tags = tags(&self.home, &arns(&all)).await?;
        let none = BTreeMap::new();
        let mark = |found: &Found| self.home.mark(&self.node, tags.get(found.output.arn.as_str()).unwrap_or(&none));
        let ours: Vec<Found> = all.iter().filter(|found| mark(found) == Mark::Managed).cloned().collect();
        let mut seen = if ours.is_empty() {
            // A name is taken within account and region, whoever took it.
            let adopted = all.iter().find(|found| mark(found) == Mark::Adopted);
            let other = adopted.or_else(|| all.iter().find(|found| found.output.name == self.name));
            other.map_or_else(Seen::absent, |found| Seen::here(found.clone(), mark(found)))
        } else {
            Seen::pick(ours, |found: &Found| self.fits(found, subnets.as_deref()))
        };
        if let Some((found, _)) = &mut seen.current {
            found.drop_invalid_headers = read_drop_invalid_headers(&self.home, &found.output.arn).await?;
        }
        Ok(seen)
    }

    fn plan(&self, found: &Found, (subnets, groups): &Knowns<Self>) -> Verdict {
        if let Some(why) = self.one_zone() {
            return Verdict::Blocked { code: "one-zone", why };
        }
        let mut compare = Compare::new();
        if let Some(scheme) = &found.scheme {
            compare.replace("scheme", scheme, &self.scheme.to_string(), None);
        }
        match found.state.as_deref() {
            Some("failed") => {
                compare.replace("state", &"failed", &"active", None);
            }
            // An earlier run was stopped while it waited.
            Some(state @ "provisioning") => {
                compare.update("state", &state, &"active");
            }
            _ => {}
        }
        match subnets {
            Known::Same(wanted) if !Self::stays(found, wanted) => {
                compare.need_all("subnets", &found.subnets, subnets);
            }
            // A network that is replaced: whether one of its subnets stays is seen when the others are there, so the graver of
            // the two is announced.
            Known::WillChange(_) if !found.subnets.is_empty() => {
                compare.need_all("subnets", &found.subnets, subnets);
            }
            // Not told is unknown, unless the wish itself moves.
            Known::Same(_) if found.subnets.is_empty() => {}
            _ => {
                compare.repoint_all("subnets", &found.subnets, subnets);
            }
        }
        if !found.groups.is_empty() || !matches!(groups, Known::Same(_)) {
            compare.repoint_all("security groups", &found.groups, groups);
        }
        compare.update_if_told("drop invalid header fields", found.drop_invalid_headers.as_ref(), &true);
        compare.verdict()
    }

    fn output(&self, found: &Found) -> BalancerOutput {
        found.output.clone()
    }

    async fn apply(&self, cx: &Cx, action: Action<Found>, (subnets, groups): Given<Self>) -> Result<Found> {
        let arn = match action {
            Action::Create => self.create(&subnets, &groups).await?,
            Action::Update { found, adopt: agreed } => {
                if agreed {
                    adopt(&self.home, &self.node, found.output.arn.as_str()).await?;
                }
                self.correct(&found, &subnets, &groups).await?;
                found.output.arn
            }
        };
        let attribute = LoadBalancerAttribute::builder().key(DROP_INVALID_HEADERS).value("true").build();
        let call = self.home.aws.elb.modify_load_balancer_attributes().load_balancer_arn(arn.as_str());
        let answer = call.attributes(attribute).send().await;
        answer.map_err(|error| failed(format!("set the attributes of load-balancer `{arn}`"), error))?;
        self.wait_until_active(cx, &arn).await
    }

    /// Its listeners go with it.
    async fn destroy(&self, _cx: &Cx, found: Found) -> Result<()> {
        destroy(&self.home, &found.output.arn).await
    }
}

/// All load balancers of a deployment.
pub struct LoadBalancers(pub Home);

impl Inventory for LoadBalancers {
    const KIND: &'static str = LoadBalancer::KIND;
    type Found = LoadBalancerArn;

    async fn list(&self, _cx: &Cx) -> Result<Vec<Listed<LoadBalancerArn>>> {
        let all = describe(&self.0).await?;
        let tags = tags(&self.0, &arns(&all)).await?;
        let ours = all.into_iter().filter_map(|Found { output, .. }| {
            let node = self.0.managed_node_of(tags.get(output.arn.as_str())?)?;
            Some(Listed { node, label: output.name, found: output.arn })
        });
        Ok(ours.collect())
    }

    async fn destroy(&self, _cx: &Cx, found: LoadBalancerArn) -> Result<()> {
        destroy(&self.0, &found).await
    }
}

fn is_failed(found: &Found) -> bool {
    found.state.as_deref() == Some("failed")
}

fn same_set<T: Ord + Clone>(one: &[T], other: &[T]) -> bool {
    let (mut one, mut other) = (one.to_vec(), other.to_vec());
    one.sort();
    other.sort();
    one == other
}

fn arns(all: &[Found]) -> Vec<String> {
    all.iter().map(|found| found.output.arn.to_string()).collect()
}

async fn describe(home: &Home) -> Result<Vec<Found>> {
    let mut pages = home.aws.elb.describe_load_balancers().into_paginator().send();
    let mut balancers = Vec::new();
    while let Some(page) = pages.next().await {
        let page = page.map_err(|error| failed("describe load-balancers", error))?;
        // Gateway balancers have no DNS name and are never ours.
        balancers.extend(page.load_balancers().iter().filter_map(read));
    }
    Ok(balancers)
}

fn read(balancer: &types::LoadBalancer) -> Option<Found> {
    let text = |text: Option<&str>| text.filter(|text| !text.is_empty()).map(str::to_owned);
    Some(Found {
        output: BalancerOutput {
            arn: LoadBalancerArn::new(text(balancer.load_balancer_arn())?),
            dns_name: text(balancer.dns_name())?,
            zone: text(balancer.canonical_hosted_zone_id())?,
            name: text(balancer.load_balancer_name())?,
        },
        state: balancer.state().and_then(|state| state.code()).map(|code| code.as_str().to_owned()),
        scheme: balancer.scheme().map(|scheme| scheme.as_str().to_owned()),
        subnets: balancer
            .availability_zones()
            .iter()
            .filter_map(|zone| text(zone.subnet_id()))
            .map(SubnetId::new)
            .collect(),
        groups: balancer.security_groups().iter().map(SecurityGroupId::new).collect(),
        drop_invalid_headers: None,
    })
}

async fn read_drop_invalid_headers(home: &Home, arn: &LoadBalancerArn) -> Result<Option<bool>> {
    let answer = home.aws.elb.describe_load_balancer_attributes().load_balancer_arn(arn.as_str()).send().await;
    let action = format!("describe the attributes of load-balancer `{arn}`");
    let answer = unless_missing(answer, &["LoadBalancerNotFound"], &action)?;
    let attributes = answer.as_ref().map(|answer| answer.attributes()).unwrap_or_default();
    let attribute = attributes.iter().find(|attribute| attribute.key() == Some(DROP_INVALID_HEADERS));
    Ok(attribute.and_then(LoadBalancerAttribute::value).map(|value| value == "true"))
}

/// Its network interfaces linger and hold its groups and subnets for a while; those are said again when their turn comes.
async fn destroy(home: &Home, arn: &LoadBalancerArn) -> Result<()> {
    let answer = home.aws.elb.delete_load_balancer().load_balancer_arn(arn.as_str()).send().await;
    gone(answer, &["LoadBalancerNotFound"], &["ResourceInUse"], &format!("delete load-balancer `{arn}`"))
}

#[cfg(test)]
mod tests {
    use resource_graph::{Fixed, Graph, Label, describe};

    use super::*;

    fn balancer(subnets: &[&str]) -> LoadBalancer {
        let mut graph = Graph::new();
        let subnets = subnets.iter().map(|id| graph.add(Label::default(), Fixed::new(*id, SubnetId::new(*id))));
        let subnets = subnets.collect();
        let groups = vec![graph.add(Label::default(), Fixed::new("sg", SecurityGroupId::new("sg-1")))];
        LoadBalancer {
            home: crate::testing::home(),
            node: NodeId::from("load-balancer"),
            name: "automator".to_owned(),
            scheme: Scheme::InternetFacing,
            subnets,
            groups,
        }
    }

    fn found() -> Found {
        Found {
            output: BalancerOutput {
                arn: LoadBalancerArn::new("arn:alb"),
                dns_name: "automator-1.eu-west-1.elb.amazonaws.com".to_owned(),
                zone: "Z32O12XQLNTSW2".to_owned(),
                name: "automator".to_owned(),
            },
            state: Some("active".to_owned()),
            scheme: Some("internet-facing".to_owned()),
            subnets: vec![SubnetId::new("subnet-b"), SubnetId::new("subnet-a")],
            groups: vec![SecurityGroupId::new("sg-1")],
            drop_invalid_headers: Some(true),
        }
    }

    fn known(subnets: &[&str]) -> (Known<Vec<SubnetId>>, Known<Vec<SecurityGroupId>>) {
        let subnets = subnets.iter().map(|id| SubnetId::new(*id)).collect();
        (Known::Same(subnets), Known::Same(vec![SecurityGroupId::new("sg-1")]))
    }

    #[tokio::test]
    async fn subnets_are_set_in_place_and_a_scheme_is_not() {
        let wanted = balancer(&["subnet-a", "subnet-b"]);
        let here = known(&["subnet-a", "subnet-b"]);
        assert_eq!(wanted.plan(&found(), &here), Verdict::Keep);
        let Verdict::Update { changes, .. } = wanted.plan(&found(), &known(&["subnet-a", "subnet-c"])) else {
            panic!()
        };
        assert_eq!(describe(&changes), "subnets subnet-b, subnet-a -> subnet-a, subnet-c");
        let internal = Found { scheme: Some("internal".to_owned()), ..found() };
        assert!(matches!(wanted.plan(&internal, &here), Verdict::Replace { .. }));
        assert!(matches!(wanted.plan(&found(), &known(&["subnet-x", "subnet-y"])), Verdict::Replace { .. }));
    }

    #[tokio::test]
    async fn what_is_not_told_is_no_drift_and_a_half_made_one_is_finished() {
        let wanted = balancer(&["subnet-a", "subnet-b"]);
        let here = known(&["subnet-a", "subnet-b"]);
        let silent =
            Found { subnets: vec![], groups: vec![], drop_invalid_headers: None, state: None, scheme: None, ..found() };
        assert_eq!(wanted.plan(&silent, &here), Verdict::Keep);
        let half = Found { state: Some("provisioning".to_owned()), drop_invalid_headers: Some(false), ..found() };
        let Verdict::Update { changes, .. } = wanted.plan(&half, &here) else { panic!() };
        let text = "state provisioning -> active, drop invalid header fields false -> true";
        assert_eq!(describe(&changes), text);
    }

    #[tokio::test]
    async fn one_subnet_is_blocked() {
        let verdict = balancer(&["subnet-a"]).plan(&found(), &known(&["subnet-a"]));
        assert!(matches!(verdict, Verdict::Blocked { code: "one-zone", .. }));
    }
}
