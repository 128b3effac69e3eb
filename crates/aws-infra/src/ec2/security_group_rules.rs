//! The rules of a security group (A4, A5, C11): exactly those wanted, nothing else.

use std::collections::BTreeSet;

use aws_sdk_ec2::types::{IpPermission, IpRange, Ipv6Range, SecurityGroupRule, UserIdGroupPair};
use resource_graph::{
    Action, Compare, Cx, Given, Known, Knowns, NodeId, Present, Ref, Resource, Result, Seen, Survives, Verdict,
};

use super::filter;
use crate::fail::{failed, failed_early, gone, has_code};
use crate::{Home, SecurityGroupId};

/// All rules of one security group.
pub struct SecurityGroupRules {
    /// Where it lives.
    pub home: Home,
    /// Its node.
    pub node: NodeId,
    /// The group whose rules these are.
    pub group: Ref<SecurityGroupId>,
    /// The rules wanted; all others are revoked.
    pub rules: Vec<Rule>,
}

/// One rule that is wanted: one TCP port, one peer.
#[derive(Clone)]
pub struct Rule {
    /// In or out.
    pub direction: Direction,
    /// The TCP port.
    pub port: u16,
    /// Who.
    pub peer: Peer,
    /// Why, shown in the console.
    pub description: String,
}

/// Which way a connection goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Direction {
    /// Into what the group protects.
    In,
    /// Out of it.
    Out,
}

/// The other side of a connection.
#[derive(Clone)]
pub enum Peer {
    /// A range of addresses, IPv4 or IPv6.
    Cidr(String),
    /// Whatever carries that group.
    Group(Ref<SecurityGroupId>),
}

/// A rule without its reason: two rules that differ only in their description are one to AWS.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Line {
    direction: Direction,
    /// `tcp`, or `-1` for everything.
    protocol: String,
    /// The first port and the last.
    ports: Option<(i32, i32)>,
    peer: String,
}

impl std::fmt::Display for Line {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let ports = match self.ports {
            None => "all".to_owned(),
            Some((first, last)) if first == last => first.to_string(),
            Some((first, last)) => format!("{first}-{last}"),
        };
        let protocol =
            if ["tcp", "-1"].contains(&self.protocol.as_str()) { "" } else { &format!("{} ", self.protocol) };
        match self.direction {
            Direction::In => write!(f, "in {protocol}{ports} from {}", self.peer),
            Direction::Out => write!(f, "out {protocol}{ports} to {}", self.peer),
        }
    }
}

/// The rules of a group as they are.
#[derive(Clone, Debug)]
pub struct Found {
    group: SecurityGroupId,
    lines: Vec<(Line, String)>,
}

impl SecurityGroupRules {
    fn peers(&self) -> Vec<Ref<SecurityGroupId>> {
        let group = |rule: &Rule| match &rule.peer {
            Peer::Group(group) => Some(group.clone()),
            Peer::Cidr(_) => None,
        };
        self.rules.iter().filter_map(group).collect()
    }

    /// The lines wanted, with the peers' ids in the order of [`Self::peers`].
    fn lines(&self, peers: &[SecurityGroupId]) -> Vec<(Line, String)> {
        let mut peers = peers.iter();
        let mut line = |rule: &Rule| {
            let peer = match &rule.peer {
                Peer::Cidr(cidr) => cidr.clone(),
                Peer::Group(_) => peers.next().map(SecurityGroupId::to_string).unwrap_or_default(),
            };
            let port = i32::from(rule.port);
            let line = Line { direction: rule.direction, protocol: "tcp".to_owned(), ports: Some((port, port)), peer };
            (line, rule.description.clone())
        };
        self.rules.iter().map(&mut line).collect()
    }

    async fn authorize(&self, group: &SecurityGroupId, line: &Line, reason: &str) -> Result<()> {
        let ec2 = &self.home.aws.ec2;
        let action = format!("authorize `{line}` of security-group `{group}`");
        let permission = permission(line, reason);
        let known = ["InvalidPermission.Duplicate"];
        // The group, or the one that it lets in, is seconds old in a first deploy.
        let not_yet = ["InvalidGroup.NotFound", "InvalidGroupId.NotFound"];
        match line.direction {
            Direction::In => {
                let call = ec2.authorize_security_group_ingress().group_id(group.as_str()).ip_permissions(permission);
                match call.send().await {
                    Err(error) if !has_code(&error, &known) => Err(failed_early(action, error, &not_yet)),
                    _ => Ok(()),
                }
            }
            Direction::Out => {
                let call = ec2.authorize_security_group_egress().group_id(group.as_str()).ip_permissions(permission);
                match call.send().await {
                    Err(error) if !has_code(&error, &known) => Err(failed_early(action, error, &not_yet)),
                    _ => Ok(()),
                }
            }
        }
    }

    async fn revoke(&self, group: &SecurityGroupId, line: &Line, rule: &str) -> Result<()> {
        let ec2 = &self.home.aws.ec2;
        let action = format!("revoke `{line}` of security-group `{group}`");
        let missing = ["InvalidPermission.NotFound", "InvalidSecurityGroupRuleId.NotFound", "InvalidGroup.NotFound"];
        match line.direction {
            Direction::In => {
                let call = ec2.revoke_security_group_ingress().group_id(group.as_str()).security_group_rule_ids(rule);
                gone(call.send().await, &missing, &[], &action)
            }
            Direction::Out => {
                let call = ec2.revoke_security_group_egress().group_id(group.as_str()).security_group_rule_ids(rule);
                gone(call.send().await, &missing, &[], &action)
            }
        }
    }
}

impl Resource for SecurityGroupRules {
    const KIND: &'static str = "security-group-rules";
    type Needs = (Ref<SecurityGroupId>, Vec<Ref<SecurityGroupId>>);
    type Found = Found;
    type Output = ();

    fn id(&self) -> NodeId {
        self.node.clone()
    }

    fn summary(&self) -> String {
        let line = |rule: &Rule| {
            let word = if rule.direction == Direction::In { "in" } else { "out" };
            format!("{word} {} {}", rule.port, rule.description)
        };
        self.rules.iter().map(line).collect::<Vec<_>>().join(", ")
    }

    fn needs(&self) -> Self::Needs {
        (self.group.clone(), self.peers())
    }

    async fn look(&self, _cx: &Cx, (group, _): &Present<Self>) -> Result<Seen<Found>> {
        let Some(group) = group else { return Ok(Seen::absent()) };
        let lines = describe(&self.home, group).await?;
        // A new group has one rule, everything out: nobody has set rules yet.
        let untouched = lines.iter().all(|(line, _)| line.protocol == "-1" && line.direction == Direction::Out);
        Ok(if untouched { Seen::absent() } else { Seen::ours(Found { group: group.clone(), lines }) })
    }

    fn plan(&self, found: &Found, (group, peers): &Knowns<Self>) -> Verdict {
        let mut compare = Compare::new();
        compare.need("group", &found.group, group);
        let Known::Same(peers) = peers else {
            return compare.differs("peers", None, None).survives(Survives::All).verdict();
        };
        let wanted: BTreeSet<Line> = self.lines(peers).into_iter().map(|(line, _)| line).collect();
        let there: BTreeSet<Line> = found.lines.iter().map(|(line, _)| line.clone()).collect();
        for line in wanted.difference(&there) {
            compare.differs("rule", Some("none".to_owned()), Some(line.to_string()));
        }
        for line in there.difference(&wanted) {
            compare.differs("rule", Some(line.to_string()), Some("none".to_owned()));
        }
        compare.verdict()
    }

    fn output(&self, _found: &Found) {}

    async fn apply(&self, _cx: &Cx, _action: Action<Found>, (group, peers): Given<Self>) -> Result<Found> {
        let there = describe(&self.home, &group).await?;
        let wanted = self.lines(&peers);
        for (line, reason) in &wanted {
            if !there.iter().any(|(known, _)| known == line) {
                self.authorize(&group, line, reason).await?;
            }
        }
        for (line, rule) in &there {
            if !wanted.iter().any(|(known, _)| known == line) {
                self.revoke(&group, line, rule).await?;
            }
        }
        let lines = describe(&self.home, &group).await?;
        Ok(Found { group, lines })
    }

    /// Rules go before groups: a group that another one names cannot be deleted.
    async fn destroy(&self, _cx: &Cx, found: Found) -> Result<()> {
        for (line, rule) in &found.lines {
            self.revoke(&found.group, line, rule).await?;
        }
        Ok(())
    }
}

async fn describe(home: &Home, group: &SecurityGroupId) -> Result<Vec<(Line, String)>> {
    let filters = vec![filter("group-id", group.as_str())];
    let mut pages = home.aws.ec2.describe_security_group_rules().set_filters(Some(filters)).into_paginator().send();
    let mut lines = Vec::new();
    while let Some(page) = pages.next().await {
        let page = page.map_err(|error| failed(format!("describe the rules of security-group `{group}`"), error))?;
        lines.extend(page.security_group_rules().iter().filter_map(read));
    }
    Ok(lines)
}

fn read(rule: &SecurityGroupRule) -> Option<(Line, String)> {
    let direction = if rule.is_egress()? { Direction::Out } else { Direction::In };
    let group = rule.referenced_group_info().and_then(|group| group.group_id());
    let peer = [rule.cidr_ipv4(), rule.cidr_ipv6(), rule.prefix_list_id(), group];
    let peer = peer.into_iter().flatten().find(|peer| !peer.is_empty())?.to_owned();
    let protocol = rule.ip_protocol()?.to_owned();
    let ports = rule.from_port().filter(|_| protocol != "-1");
    let ports = ports.map(|first| (first, rule.to_port().unwrap_or(first)));
    Some((Line { direction, protocol, ports, peer }, rule.security_group_rule_id()?.to_owned()))
}

fn permission(line: &Line, reason: &str) -> IpPermission {
    let (first, last) = line.ports.unzip();
    let permission = IpPermission::builder().ip_protocol(&line.protocol).set_from_port(first).set_to_port(last);
    let permission = if line.peer.starts_with("sg-") {
        permission.user_id_group_pairs(UserIdGroupPair::builder().group_id(&line.peer).description(reason).build())
    } else if line.peer.contains(':') {
        permission.ipv6_ranges(Ipv6Range::builder().cidr_ipv6(&line.peer).description(reason).build())
    } else {
        permission.ip_ranges(IpRange::builder().cidr_ip(&line.peer).description(reason).build())
    };
    permission.build()
}

#[cfg(test)]
mod tests {
    use resource_graph::{Fixed, Graph, Label};

    use super::*;

    #[tokio::test]
    async fn a_missing_and_a_foreign_rule_are_both_differences() {
        let mut graph = Graph::new();
        let group = graph.add(Label::default(), Fixed::new("task", SecurityGroupId::new("sg-task")));
        let alb = graph.add(Label::default(), Fixed::new("alb", SecurityGroupId::new("sg-alb")));
        let rules = SecurityGroupRules {
            home: crate::testing::home(),
            node: NodeId::from("security-group-rules/task"),
            group,
            rules: vec![Rule {
                direction: Direction::In,
                port: 443,
                peer: Peer::Group(alb),
                description: "from the balancer".to_owned(),
            }],
        };
        let line = |peer: &str| Line {
            direction: Direction::In,
            protocol: "tcp".to_owned(),
            ports: Some((443, 443)),
            peer: peer.to_owned(),
        };
        let known =
            |peer: &str| (Known::Same(SecurityGroupId::new("sg-task")), Known::Same(vec![SecurityGroupId::new(peer)]));
        let found = |peer: &str| Found {
            group: SecurityGroupId::new("sg-task"),
            lines: vec![(line(peer), "sgr-1".to_owned())],
        };
        assert_eq!(rules.plan(&found("sg-alb"), &known("sg-alb")), Verdict::Keep);
        let Verdict::Update { changes, .. } = rules.plan(&found("0.0.0.0/0"), &known("sg-alb")) else { panic!() };
        let text = resource_graph::describe(&changes);
        assert_eq!(text, "rule none -> in 443 from sg-alb, rule in 443 from 0.0.0.0/0 -> none");

        let wider = Found {
            group: SecurityGroupId::new("sg-task"),
            lines: vec![(Line { ports: Some((443, 65535)), ..line("sg-alb") }, "sgr-1".to_owned())],
        };
        let Verdict::Update { changes, .. } = rules.plan(&wider, &known("sg-alb")) else { panic!() };
        let text = resource_graph::describe(&changes);
        assert_eq!(text, "rule none -> in 443 from sg-alb, rule in 443-65535 from sg-alb -> none");
    }
}
