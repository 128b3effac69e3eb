//! The HTTPS listener (A11, C17). There is one per port of a balancer, so it is changed in place and never stands beside
//! another.
//!
//! A target group belongs to one balancer: AWS answers the listener of a second one with `TargetGroupAssociationLimit`. So when
//! the balancer is replaced, the listener of the old one goes before that of the new one is made, and for the minute until the
//! targets are healthy there, nobody is answered.

use aws_sdk_elasticloadbalancingv2::types::{self, Action as Rule, ActionTypeEnum, Certificate, ProtocolEnum};
use resource_graph::{
    Action, Compare, Cx, Given, Inventory, Known, Knowns, Mark, NodeId, Present, Ref, Resource, Result, Seen, Verdict,
};

use super::{LoadBalancers, adopt, once, tagged, tags};
use crate::fail::{failed, failed_early, gone, has_code, incomplete, required};
use crate::{CertificateArn, Home, ListenerArn, LoadBalancerArn, TargetGroupArn};

/// A listener that forwards everything to one target group. It goes with its balancer, so it needs no inventory.
pub struct Listener {
    /// Where it lives.
    pub home: Home,
    /// Its node.
    pub node: NodeId,
    /// Its balancer.
    pub balancer: Ref<LoadBalancerArn>,
    /// The port.
    pub port: u16,
    /// Which TLS versions and ciphers it takes. Left out, AWS gives an old one that still takes TLS 1.0 (C17).
    pub ssl_policy: String,
    /// The certificate it shows.
    pub certificate: Ref<CertificateArn>,
    /// Where it forwards to.
    pub target: Ref<TargetGroupArn>,
}

/// A listener that exists.
#[derive(Clone, Debug)]
pub struct Found {
    arn: ListenerArn,
    balancer: LoadBalancerArn,
    protocol: Option<String>,
    ssl_policy: Option<String>,
    certificate: Option<CertificateArn>,
    /// The groups that get requests; none for a redirect or a fixed answer.
    targets: Vec<TargetGroupArn>,
}

impl Resource for Listener {
    const KIND: &'static str = "listener";
    type Needs = (Ref<LoadBalancerArn>, Ref<CertificateArn>, Ref<TargetGroupArn>);
    type Found = Found;
    type Output = ListenerArn;

    fn id(&self) -> NodeId {
        self.node.clone()
    }

    fn summary(&self) -> String {
        format!("HTTPS {}, {}", self.port, self.ssl_policy)
    }

    fn needs(&self) -> Self::Needs {
        (self.balancer.clone(), self.certificate.clone(), self.target.clone())
    }

    async fn look(&self, _cx: &Cx, (balancer, ..): &Present<Self>) -> Result<Seen<Found>> {
        let Some(balancer) = balancer else { return Ok(Seen::absent()) };
        let port = i32::from(self.port);
        let listener = describe(&self.home, balancer).await?.into_iter().find(|listener| listener.port() == Some(port));
        let Some(listener) = listener else { return Ok(Seen::absent()) };
        let found = read(&listener, balancer).ok_or_else(|| incomplete("describe listeners", "ARN"))?;
        let tags = tags(&self.home, &[found.arn.to_string()]).await?.remove(found.arn.as_str());
        // Gone between the two calls.
        let Some(tags) = tags else { return Ok(Seen::absent()) };
        Ok(Seen::here(found, self.home.mark(&self.node, &tags)))
    }

    fn plan(&self, found: &Found, (balancer, certificate, target): &Knowns<Self>) -> Verdict {
        let mut compare = Compare::new();
        compare
            .need("balancer", &found.balancer, balancer)
            .update_if_told("protocol", found.protocol.as_ref(), &ProtocolEnum::Https.as_str().to_owned())
            .update_if_told("tls policy", found.ssl_policy.as_ref(), &self.ssl_policy);
        if found.certificate.is_some() || !matches!(certificate, Known::Same(_)) {
            compare.repoint("certificate", found.certificate.as_ref(), certificate);
        }
        compare.repoint_all("forward", &found.targets, &target.clone().map(|target| vec![target]));
        compare.verdict()
    }

    fn output(&self, found: &Found) -> ListenerArn {
        found.arn.clone()
    }

    async fn apply(&self, cx: &Cx, action: Action<Found>, given: Given<Self>) -> Result<Found> {
        let (balancer, certificate, target) = given;
        let elb = &self.home.aws.elb;
        let shown = Certificate::builder().certificate_arn(certificate.as_str()).build();
        let arn = match action {
            Action::Create => {
                self.free(cx, &balancer).await?;
                let action = format!("create listener {} of `{balancer}`", self.port);
                let made = elb
                    .create_listener()
                    .load_balancer_arn(balancer.as_str())
                    .protocol(ProtocolEnum::Https)
                    .port(i32::from(self.port))
                    .ssl_policy(&self.ssl_policy)
                    .certificates(shown)
                    .default_actions(forward(&target))
                    .set_tags(Some(tagged(&self.home, &self.node, Mark::Managed)))
                    .customize()
                    .config_override(once())
                    .send()
                    .await
                    .map_err(|error| failed_early(&action, error, &NOT_YET))?;
                let arn = made.listeners().first().and_then(types::Listener::listener_arn);
                ListenerArn::new(required(arn, &action, "ARN")?)
            }
            Action::Update { found, adopt: agreed } => {
                if agreed {
                    adopt(&self.home, &self.node, found.arn.as_str()).await?;
                }
                let action = format!("change listener `{}`", found.arn);
                let call = elb
                    .modify_listener()
                    .listener_arn(found.arn.as_str())
                    .protocol(ProtocolEnum::Https)
                    .port(i32::from(self.port))
                    .ssl_policy(&self.ssl_policy)
                    .certificates(shown)
                    .default_actions(forward(&target));
                call.send().await.map_err(|error| failed_early(&action, error, &NOT_YET))?;
                found.arn
            }
        };
        Ok(Found {
            arn,
            balancer,
            protocol: Some(ProtocolEnum::Https.as_str().to_owned()),
            ssl_policy: Some(self.ssl_policy.clone()),
            certificate: Some(certificate),
            targets: vec![target],
        })
    }

    async fn destroy(&self, _cx: &Cx, found: Found) -> Result<()> {
        destroy(&self.home, found.arn.as_str()).await
    }
}

impl Listener {
    /// Takes this listener from our other balancers: it is there because one is being replaced, and holds the target group.
    async fn free(&self, cx: &Cx, balancer: &LoadBalancerArn) -> Result<()> {
        for other in LoadBalancers(self.home.clone()).list(cx).await?.into_iter().map(|listed| listed.found) {
            if other == *balancer {
                continue;
            }
            let listeners = describe(&self.home, &other).await?;
            let arns: Vec<String> =
                listeners.iter().filter_map(|listener| listener.listener_arn().map(str::to_owned)).collect();
            for (arn, tags) in tags(&self.home, &arns).await? {
                if self.home.mark(&self.node, &tags) == Mark::Managed {
                    destroy(&self.home, &arn).await?;
                }
            }
        }
        Ok(())
    }
}

async fn destroy(home: &Home, arn: &str) -> Result<()> {
    let answer = home.aws.elb.delete_listener().listener_arn(arn).send().await;
    gone(answer, &["ListenerNotFound"], &["ResourceInUse"], &format!("delete listener `{arn}`"))
}

fn forward(target: &TargetGroupArn) -> Rule {
    Rule::builder().r#type(ActionTypeEnum::Forward).target_group_arn(target.as_str()).build()
}

/// A certificate that was just imported may not be known to the balancer yet.
const NOT_YET: [&str; 1] = ["CertificateNotFound"];

async fn describe(home: &Home, balancer: &LoadBalancerArn) -> Result<Vec<types::Listener>> {
    let mut pages = home.aws.elb.describe_listeners().load_balancer_arn(balancer.as_str()).into_paginator().send();
    let mut listeners = Vec::new();
    while let Some(page) = pages.next().await {
        match page {
            Ok(page) => listeners.extend(page.listeners.unwrap_or_default()),
            Err(error) if has_code(&error, &["LoadBalancerNotFound"]) => return Ok(Vec::new()),
            Err(error) => return Err(failed(format!("describe the listeners of `{balancer}`"), error)),
        }
    }
    Ok(listeners)
}

fn read(listener: &types::Listener, balancer: &LoadBalancerArn) -> Option<Found> {
    let certificate = listener.certificates().first().and_then(Certificate::certificate_arn);
    Some(Found {
        arn: ListenerArn::new(listener.listener_arn().filter(|arn| !arn.is_empty())?),
        balancer: balancer.clone(),
        protocol: listener.protocol().map(|protocol| protocol.as_str().to_owned()),
        ssl_policy: listener.ssl_policy().map(str::to_owned),
        certificate: certificate.map(CertificateArn::new),
        targets: listener.default_actions().iter().flat_map(targets).collect(),
    })
}

/// One group is told in two places, several in one; a weight of 0 gets no requests.
fn targets(rule: &Rule) -> Vec<TargetGroupArn> {
    let several = rule.forward_config().map(|config| config.target_groups()).unwrap_or_default();
    let several: Vec<TargetGroupArn> = several
        .iter()
        .filter(|group| group.weight() != Some(0))
        .filter_map(|group| group.target_group_arn())
        .map(TargetGroupArn::new)
        .collect();
    if several.is_empty() { rule.target_group_arn().map(TargetGroupArn::new).into_iter().collect() } else { several }
}

#[cfg(test)]
mod tests {
    use resource_graph::{Fixed, Graph, Label, describe};

    use super::*;

    #[tokio::test]
    async fn certificate_policy_and_target_change_in_place_and_only_the_balancer_does_not() {
        let mut graph = Graph::new();
        let listener = Listener {
            home: crate::testing::home(),
            node: NodeId::from("listener"),
            balancer: graph.add(Label::default(), Fixed::new("alb", LoadBalancerArn::new("arn:alb"))),
            port: 443,
            ssl_policy: "ELBSecurityPolicy-TLS13-1-2-2021-06".to_owned(),
            certificate: graph.add(Label::default(), Fixed::new("cert", CertificateArn::new("arn:cert"))),
            target: graph.add(Label::default(), Fixed::new("tg", TargetGroupArn::new("arn:tg"))),
        };
        let found = Found {
            arn: ListenerArn::new("arn:listener"),
            balancer: LoadBalancerArn::new("arn:alb"),
            protocol: Some("HTTPS".to_owned()),
            ssl_policy: Some("ELBSecurityPolicy-TLS13-1-2-2021-06".to_owned()),
            certificate: Some(CertificateArn::new("arn:cert")),
            targets: vec![TargetGroupArn::new("arn:tg")],
        };
        let known = || {
            let alb = Known::Same(LoadBalancerArn::new("arn:alb"));
            (alb, Known::Same(CertificateArn::new("arn:cert")), Known::Same(TargetGroupArn::new("arn:tg")))
        };
        assert_eq!(listener.plan(&found, &known()), Verdict::Keep);

        let old = Found { ssl_policy: Some("ELBSecurityPolicy-2016-08".to_owned()), ..found.clone() };
        let (alb, certificate, _) = known();
        let target = Known::WillChange(TargetGroupArn::new("arn:tg"));
        let Verdict::Update { changes, .. } = listener.plan(&old, &(alb, certificate, target)) else { panic!() };
        let policy = "tls policy ELBSecurityPolicy-2016-08 -> ELBSecurityPolicy-TLS13-1-2-2021-06";
        assert_eq!(describe(&changes), format!("{policy}, forward arn:tg -> (after apply)"));

        let (_, certificate, target) = known();
        let alb = Known::WillChange(LoadBalancerArn::new("arn:alb"));
        assert!(matches!(listener.plan(&found, &(alb, certificate, target)), Verdict::Replace { .. }));
    }
}
