//! What differs between emulators and AWS, levelled out here and nowhere else: the product never asks whom it talks to.

use super::emulator::{Emulator, Running};
use crate::proxy::{Rewrite, StandIn};

/// The answers of services that an emulator does not have: nobody has anything there.
pub(super) fn stand_ins(running: &Running) -> Vec<StandIn> {
    let one = |service, operation, body| StandIn { service, operation, body };
    if running.has_all_services() {
        return Vec::new();
    }
    let (efs, ecs, elb) = ("elasticfilesystem", "ecs", "elasticloadbalancing");
    vec![
        one(efs, "DescribeFileSystems", r#"{"FileSystems":[]}"#),
        one(efs, "DescribeAccessPoints", r#"{"AccessPoints":[]}"#),
        one(efs, "DescribeMountTargets", r#"{"MountTargets":[]}"#),
        one(ecs, "ListClusters", r#"{"clusterArns":[]}"#),
        one(ecs, "DescribeClusters", r#"{"clusters":[],"failures":[]}"#),
        one(ecs, "ListServices", r#"{"serviceArns":[]}"#),
        one(ecs, "DescribeServices", r#"{"services":[],"failures":[]}"#),
        one(ecs, "ListTaskDefinitions", r#"{"taskDefinitionArns":[]}"#),
        one(ecs, "ListTaskDefinitionFamilies", r#"{"families":[]}"#),
        one(elb, "DescribeLoadBalancers", NO_LOAD_BALANCERS),
        one(elb, "DescribeTargetGroups", NO_TARGET_GROUPS),
    ]
}

const NO_LOAD_BALANCERS: &str = "<DescribeLoadBalancersResponse><DescribeLoadBalancersResult><LoadBalancers/>\
    </DescribeLoadBalancersResult></DescribeLoadBalancersResponse>";
const NO_TARGET_GROUPS: &str = "<DescribeTargetGroupsResponse><DescribeTargetGroupsResult><TargetGroups/>\
    </DescribeTargetGroupsResult></DescribeTargetGroupsResponse>";

/// What an emulator's answers say differently than AWS's.
pub(super) fn rewrites(emulator: Emulator) -> Vec<Rewrite> {
    match emulator {
        Emulator::Ministack => vec![
            Rewrite { operation: "DescribeTaskDefinition", reword: left_out },
            Rewrite { operation: "DescribeLoadBalancers", reword: numbered },
            Rewrite { operation: "CreateLoadBalancer", reword: numbered },
        ],
        Emulator::MotoMinistackEcs => vec![Rewrite { operation: "DescribeTaskDefinition", reword: left_out }],
        Emulator::Moto | Emulator::LocalStack | Emulator::Endpoint => Vec::new(),
    }
}

/// MiniStack answers with empty texts where AWS leaves out what was not given.
fn left_out(answer: &str) -> String {
    let mut answer = answer.to_owned();
    for key in ["ipcMode", "pidMode"] {
        for (space, comma) in [("", ","), (" ", ","), ("", ", "), (" ", ", ")].iter().rev() {
            answer = answer.replace(&format!("\"{key}\":{space}\"\"{comma}"), "");
        }
    }
    answer
}

/// The balancer's name in DNS is `NAME-` and a number at AWS, and `NAME-` and eight letters and digits at MiniStack.
fn numbered(answer: &str) -> String {
    let parts: Vec<&str> = answer.split("<DNSName>").collect();
    let number = |part: &&str| {
        let Some((label, rest)) = part.split_once('.') else { return (*part).to_owned() };
        let Some((name, tail)) = label.rsplit_once('-') else { return (*part).to_owned() };
        let digit = |c: char| c.to_digit(36).map_or_else(|| c.to_string(), |digit| (digit % 10).to_string());
        format!("{name}-{}.{rest}", tail.chars().map(digit).collect::<String>())
    };
    let mut words = vec![parts[0].to_owned()];
    words.extend(parts[1..].iter().map(number));
    words.join("<DNSName>")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn empty_texts_are_left_out() {
        assert_eq!(left_out(r#"{"a": 1, "ipcMode": "", "pidMode": "", "b": ""}"#), r#"{"a": 1, "b": ""}"#);
        assert_eq!(left_out(r#"{"pidMode":"","b":2}"#), r#"{"b":2}"#);
        assert_eq!(left_out(r#"{"pidMode":"task","b":2}"#), r#"{"pidMode":"task","b":2}"#);
    }

    #[test]
    fn a_balancer_has_a_number() {
        let said = "<a><DNSName>automator-alb-0a1z2c3f.eu-west-1.elb.amazonaws.com</DNSName><VpcId>vpc-1</VpcId></a>";
        let meant = "<a><DNSName>automator-alb-00152235.eu-west-1.elb.amazonaws.com</DNSName><VpcId>vpc-1</VpcId></a>";
        assert_eq!(numbered(said), meant);
        assert_eq!(numbered("<a/>"), "<a/>");
    }
}
