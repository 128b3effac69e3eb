//! A target group (A10, C01): where the balancer forwards to, and how it asks whether a task is well.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use aws_sdk_elasticloadbalancingv2::types::{self, Matcher, ProtocolEnum, TargetGroupAttribute, TargetTypeEnum};
use resource_graph::{
    Action, Compare, Cx, Given, Inventory, Knowns, Listed, Mark, NodeId, Present, Ref, Resource, Result, Seen, Verdict,
};

use super::{adopt, once, second_name, tagged, tags};
use crate::fail::{failed, failed_early_if, gone, has_code, incomplete, required, words};
use crate::{Home, TargetGroupArn, VpcId};

const DEREGISTRATION_DELAY: &str = "deregistration_delay.timeout_seconds";
const TARGET_TYPE: &str = "ip";
const VERSION: &str = "HTTP1";
const HEALTHY: &str = "200";

/// A target group for the addresses of Fargate tasks.
pub struct TargetGroup {
    /// Where it lives.
    pub home: Home,
    /// Its node.
    pub node: NodeId,
    /// Its name, at most 32 characters. A replacement, which stands beside the old one, gets a hash appended.
    pub name: String,
    /// The VPC of the tasks.
    pub vpc: Ref<VpcId>,
    /// What the tasks speak, and what the health check speaks too (C01).
    pub protocol: Protocol,
    /// The port of the tasks.
    pub port: u16,
    /// The path of the health check: `/health`.
    pub health_path: String,
    /// How long a task that goes may finish what it does; AWS's own five minutes if left out.
    pub deregistration_delay: Option<Duration>,
}

/// What a task speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// Plain text, for `SSL_MODE=none`.
    Http,
    /// TLS. The balancer does not verify the task's certificate.
    Https,
}

impl Protocol {
    fn sdk(self) -> ProtocolEnum {
        match self {
            Self::Http => ProtocolEnum::Http,
            Self::Https => ProtocolEnum::Https,
        }
    }
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.sdk().as_str())
    }
}

/// A target group that exists. Members the service may leave out are optional.
#[derive(Clone, Debug)]
pub struct Found {
    arn: TargetGroupArn,
    name: String,
    vpc: VpcId,
    protocol: String,
    port: i32,
    target_type: Option<String>,
    version: Option<String>,
    health_protocol: Option<String>,
    health_path: Option<String>,
    matcher: Option<String>,
    /// In seconds, as the service writes it.
    delay: Option<String>,
}

impl TargetGroup {
    fn fits(&self, found: &Found, vpc: Option<&VpcId>) -> bool {
        Some(&found.vpc) == vpc && found.protocol == self.protocol.to_string() && found.port == i32::from(self.port)
    }

    fn delay(&self) -> Option<String> {
        self.deregistration_delay.map(|delay| delay.as_secs().to_string())
    }

    async fn create(&self, vpc: &VpcId) -> Result<TargetGroupArn> {
        let taken = describe(&self.home).await?.iter().any(|group| group.name == self.name);
        let name = if taken {
            second_name(&self.name, &[&self.protocol.to_string(), &self.port.to_string(), vpc.as_str()])
        } else {
            self.name.clone()
        };
        let action = format!("create target-group `{name}`");
        let call = self.home.aws.elb.create_target_group();
        let made = call
            .name(&name)
            .vpc_id(vpc.as_str())
            .target_type(TargetTypeEnum::Ip)
            .protocol(self.protocol.sdk())
            .protocol_version(VERSION)
            .port(i32::from(self.port))
            .health_check_enabled(true)
            .health_check_protocol(self.protocol.sdk())
            .health_check_path(&self.health_path)
            .matcher(Matcher::builder().http_code(HEALTHY).build())
            .set_tags(Some(tagged(&self.home, &self.node, Mark::Managed)))
            .customize()
            .config_override(once())
            .send()
            .await
            .map_err(|error| {
                // A VPC made a moment ago; `ValidationError` is said of everything that is wrong.
                let early = has_code(&error, &["ValidationError"]) && words(&error).contains("is not found");
                failed_early_if(early, &action, error)
            })?;
        let arn = made.target_groups().first().and_then(types::TargetGroup::target_group_arn);
        Ok(TargetGroupArn::new(required(arn, &action, "ARN")?))
    }

    async fn correct_health_check(&self, arn: &TargetGroupArn) -> Result<()> {
        let call = self.home.aws.elb.modify_target_group().target_group_arn(arn.as_str());
        let call = call
            .health_check_enabled(true)
            .health_check_protocol(self.protocol.sdk())
            .health_check_path(&self.health_path)
            .matcher(Matcher::builder().http_code(HEALTHY).build());
        call.send().await.map_err(|error| failed(format!("set the health check of target-group `{arn}`"), error))?;
        Ok(())
    }
}

impl Resource for TargetGroup {
    const KIND: &'static str = "target-group";
    type Needs = (Ref<VpcId>,);
    type Found = Found;
    type Output = TargetGroupArn;

    fn id(&self) -> NodeId {
        self.node.clone()
    }

    fn summary(&self) -> String {
        format!("{}, {} {}, health {}", self.name, self.protocol, self.port, self.health_path)
    }

    fn needs(&self) -> Self::Needs {
        (self.vpc.clone(),)
    }

    async fn look(&self, _cx: &Cx, (vpc,): &Present<Self>) -> Result<Seen<Found>> {
        let all = describe(&self.home).await?;
        let tags = tags(&self.home, &all.iter().map(|group| group.arn.to_string()).collect::<Vec<_>>()).await?;
        let none = BTreeMap::new();
        let mark = |group: &Found| self.home.mark(&self.node, tags.get(group.arn.as_str()).unwrap_or(&none));
        let ours: Vec<Found> = all.iter().filter(|group| mark(group) == Mark::Managed).cloned().collect();
        let mut seen = if ours.is_empty() {
            // A name is taken within account and region, whoever took it.
            let adopted = all.iter().find(|group| mark(group) == Mark::Adopted);
            let other = adopted.or_else(|| all.iter().find(|group| group.name == self.name));
            other.map_or_else(Seen::absent, |group| Seen::here(group.clone(), mark(group)))
        } else {
            Seen::pick(ours, |found: &Found| self.fits(found, vpc.as_ref()))
        };
        if let Some((found, _)) = &mut seen.current {
            found.delay = read_delay(&self.home, &found.arn).await?;
        }
        Ok(seen)
    }

    fn plan(&self, found: &Found, (vpc,): &Knowns<Self>) -> Verdict {
        let protocol = self.protocol.to_string();
        let mut compare = Compare::new();
        compare.need("vpc", &found.vpc, vpc).replace("protocol", &found.protocol, &protocol, Some("C01")).replace(
            "port",
            &found.port,
            &i32::from(self.port),
            None,
        );
        if let Some(kind) = &found.target_type {
            compare.replace("target type", kind, &TARGET_TYPE.to_owned(), None);
        }
        if let Some(version) = &found.version {
            compare.replace("protocol version", version, &VERSION.to_owned(), None);
        }
        compare
            .update_if_told("health check protocol", found.health_protocol.as_ref(), &protocol)
            .update_if_told("health check path", found.health_path.as_ref(), &self.health_path)
            .update_if_told("health check matcher", found.matcher.as_ref(), &HEALTHY.to_owned());
        if let Some(delay) = self.delay() {
            compare.update_if_told("deregistration delay", found.delay.as_ref(), &delay);
        }
        compare.verdict()
    }

    fn output(&self, found: &Found) -> TargetGroupArn {
        found.arn.clone()
    }

    async fn apply(&self, _cx: &Cx, action: Action<Found>, (vpc,): Given<Self>) -> Result<Found> {
        let arn = match action {
            Action::Create => self.create(&vpc).await?,
            Action::Update { found, adopt: agreed } => {
                if agreed {
                    adopt(&self.home, &self.node, found.arn.as_str()).await?;
                }
                self.correct_health_check(&found.arn).await?;
                found.arn
            }
        };
        if let Some(delay) = self.delay() {
            let attribute = TargetGroupAttribute::builder().key(DEREGISTRATION_DELAY).value(delay).build();
            let call = self.home.aws.elb.modify_target_group_attributes().target_group_arn(arn.as_str());
            let answer = call.attributes(attribute).send().await;
            answer.map_err(|error| failed(format!("set the deregistration delay of target-group `{arn}`"), error))?;
        }
        let action = format!("describe target-group `{arn}`");
        let answer = self.home.aws.elb.describe_target_groups().target_group_arns(arn.as_str()).send().await;
        let answer = answer.map_err(|error| failed(&action, error))?;
        let group = answer.target_groups().first().ok_or_else(|| incomplete(&action, "target group"))?;
        let mut found = read(group).ok_or_else(|| incomplete(&action, "protocol, port or VPC"))?;
        found.delay = self.delay();
        Ok(found)
    }

    async fn destroy(&self, _cx: &Cx, found: Found) -> Result<()> {
        destroy(&self.home, &found.arn).await
    }
}

/// All target groups of a deployment.
pub struct TargetGroups(pub Home);

impl Inventory for TargetGroups {
    const KIND: &'static str = TargetGroup::KIND;
    type Found = TargetGroupArn;

    async fn list(&self, _cx: &Cx) -> Result<Vec<Listed<TargetGroupArn>>> {
        let all = describe(&self.0).await?;
        let tags = tags(&self.0, &all.iter().map(|group| group.arn.to_string()).collect::<Vec<_>>()).await?;
        let ours = all.into_iter().filter_map(|group| {
            let node = self.0.managed_node_of(tags.get(group.arn.as_str())?)?;
            Some(Listed { node, label: group.name, found: group.arn })
        });
        Ok(ours.collect())
    }

    async fn destroy(&self, _cx: &Cx, found: TargetGroupArn) -> Result<()> {
        destroy(&self.0, &found).await
    }
}

/// Every target group that has protocol, port and VPC; groups of functions have none of them and are never ours.
async fn describe(home: &Home) -> Result<Vec<Found>> {
    let mut pages = home.aws.elb.describe_target_groups().into_paginator().send();
    let mut groups = Vec::new();
    while let Some(page) = pages.next().await {
        let page = page.map_err(|error| failed("describe target-groups", error))?;
        groups.extend(page.target_groups().iter().filter_map(read));
    }
    Ok(groups)
}

fn read(group: &types::TargetGroup) -> Option<Found> {
    Some(Found {
        arn: TargetGroupArn::new(group.target_group_arn().filter(|arn| !arn.is_empty())?),
        name: group.target_group_name()?.to_owned(),
        vpc: VpcId::new(group.vpc_id()?),
        protocol: group.protocol()?.as_str().to_owned(),
        port: group.port()?,
        target_type: group.target_type().map(|kind| kind.as_str().to_owned()),
        version: group.protocol_version().map(str::to_owned),
        health_protocol: group.health_check_protocol().map(|protocol| protocol.as_str().to_owned()),
        health_path: group.health_check_path().map(str::to_owned),
        matcher: group.matcher().and_then(Matcher::http_code).map(str::to_owned),
        delay: None,
    })
}

async fn read_delay(home: &Home, arn: &TargetGroupArn) -> Result<Option<String>> {
    let answer = home.aws.elb.describe_target_group_attributes().target_group_arn(arn.as_str()).send().await;
    let action = format!("describe the attributes of target-group `{arn}`");
    let answer = crate::fail::unless_missing(answer, &["TargetGroupNotFound"], &action)?;
    let attributes = answer.as_ref().map(|answer| answer.attributes()).unwrap_or_default();
    let delay = attributes.iter().find(|attribute| attribute.key() == Some(DEREGISTRATION_DELAY));
    Ok(delay.and_then(TargetGroupAttribute::value).map(str::to_owned))
}

/// A group is in use as long as a listener forwards to it.
async fn destroy(home: &Home, arn: &TargetGroupArn) -> Result<()> {
    let answer = home.aws.elb.delete_target_group().target_group_arn(arn.as_str()).send().await;
    gone(answer, &["TargetGroupNotFound"], &["ResourceInUse"], &format!("delete target-group `{arn}`"))
}

#[cfg(test)]
mod tests {
    use resource_graph::{Fixed, Graph, Known, Label, describe};

    use super::*;

    #[tokio::test]
    async fn another_protocol_asks_for_a_new_group_and_another_check_does_not() {
        let vpc = Graph::new().add(Label::default(), Fixed::new("vpc", VpcId::new("vpc-1")));
        let group = TargetGroup {
            home: crate::testing::home(),
            node: NodeId::from("target-group"),
            name: "automator".to_owned(),
            vpc,
            protocol: Protocol::Https,
            port: 443,
            health_path: "/health".to_owned(),
            deregistration_delay: Some(Duration::from_secs(30)),
        };
        let found = Found {
            arn: TargetGroupArn::new("arn:tg"),
            name: "automator".to_owned(),
            vpc: VpcId::new("vpc-1"),
            protocol: "HTTPS".to_owned(),
            port: 443,
            target_type: Some("ip".to_owned()),
            version: None,
            health_protocol: Some("HTTPS".to_owned()),
            health_path: Some("/health".to_owned()),
            matcher: Some("200".to_owned()),
            delay: Some("30".to_owned()),
        };
        let here = (Known::Same(VpcId::new("vpc-1")),);
        assert_eq!(group.plan(&found, &here), Verdict::Keep);

        let guide = Found { protocol: "HTTP".to_owned(), ..found.clone() };
        let Verdict::Replace { why } = group.plan(&guide, &here) else { panic!() };
        assert_eq!(describe(&why), "protocol HTTP -> HTTPS (C01)");

        let drifted = Found { health_path: Some("/".to_owned()), delay: Some("300".to_owned()), ..found.clone() };
        let Verdict::Update { changes, .. } = group.plan(&drifted, &here) else { panic!() };
        assert_eq!(describe(&changes), "health check path / -> /health, deregistration delay 300 -> 30");

        assert!(matches!(group.plan(&found, &(Known::Unknown,)), Verdict::Replace { .. }));
    }
}
