//! The alias record (A13, C22): the public name answers with the balancer's addresses.
//!
//! A record has no tags. It is ours if, and only if, it is a simple alias to our balancer; everything else of that name is
//! somebody else's. An adopted record therefore turns into ours with the change that makes it point at us.

use aws_sdk_route53::types::{ChangeAction, ResourceRecordSet, RrType};
use resource_graph::{
    Action, Certainty, Compare, Cx, Error, Given, Known, Knowns, Mark, NodeId, Present, Ref, Resource, Result, Seen,
    Verdict,
};

use super::records::{ChangeError, change, explain, in_sync, records, says};
use super::{AliasTarget, balancer, plain};
use crate::elb::is_name_or_second_name;
use crate::{Home, HostedZoneId};

/// An alias record of type A.
pub struct AliasRecord {
    /// Where it lives.
    pub home: Home,
    /// Its node.
    pub node: NodeId,
    /// The host name.
    pub host: String,
    /// The zone that owns it.
    pub zone: Ref<HostedZoneId>,
    /// The balancer.
    pub target: Ref<AliasTarget>,
    /// The balancer's name, if it is ours: an alias to an earlier balancer of that name in this region is ours too, so a record
    /// whose balancer was replaced or has gone is corrected instead of being taken for a stranger's.
    pub balancer_name: Option<String>,
}

/// The records of the host name that decide where it leads: types A, AAAA and CNAME.
#[derive(Clone, Debug)]
pub struct Found {
    zone: HostedZoneId,
    /// The one that is an alias to our balancer, now or formerly.
    ours: Option<ResourceRecordSet>,
    /// All others.
    others: Vec<ResourceRecordSet>,
}

impl AliasRecord {
    /// Whether this is our record, today's balancer being `target`.
    fn is_ours(&self, record: &ResourceRecordSet, target: Option<&AliasTarget>) -> bool {
        let Some(alias) = alias(record) else { return false };
        *record.r#type() == RrType::A && (target == Some(&alias) || self.was_ours(&alias))
    }

    /// `NAME-1234567890.REGION.elb.amazonaws.com`, before it `internal-` for an internal one. A balancer that replaced another
    /// has a hash behind its name.
    fn was_ours(&self, alias: &AliasTarget) -> bool {
        let Some(name) = &self.balancer_name else { return false };
        let target = balancer(&alias.dns_name);
        let target = target.strip_prefix("internal-").unwrap_or(&target);
        let Some((label, rest)) = target.split_once('.') else { return false };
        // A balancer called `NAME-other` is not ours.
        let ours = label.rsplit_once('-').is_some_and(|(label, number)| {
            !number.is_empty()
                && number.bytes().all(|byte| byte.is_ascii_digit())
                && is_name_or_second_name(label, name)
        });
        ours && rest.strip_prefix(&self.home.aws.region).is_some_and(|rest| rest.starts_with(".elb."))
    }

    fn record(&self, target: &AliasTarget) -> Result<ResourceRecordSet> {
        let invalid = |error| Error::new("request-invalid", format!("write the alias of {}", self.host)).because(error);
        // Whether a target is healthy is the balancer's business: there is no second record to turn to.
        let alias = aws_sdk_route53::types::AliasTarget::builder()
            .dns_name(&target.dns_name)
            .hosted_zone_id(&target.zone)
            .evaluate_target_health(false)
            .build()
            .map_err(invalid)?;
        ResourceRecordSet::builder().name(&self.host).r#type(RrType::A).alias_target(alias).build().map_err(invalid)
    }
}

impl Resource for AliasRecord {
    const KIND: &'static str = "dns-record";
    type Needs = (Ref<HostedZoneId>, Ref<AliasTarget>);
    type Found = Found;
    type Output = ();

    fn id(&self) -> NodeId {
        self.node.clone()
    }

    fn summary(&self) -> String {
        format!("{} -> the balancer", self.host)
    }

    fn needs(&self) -> Self::Needs {
        (self.zone.clone(), self.target.clone())
    }

    /// The name can be looked up before there is a balancer; that somebody else has it is good to know early.
    async fn look(&self, _cx: &Cx, (zone, target): &Present<Self>) -> Result<Seen<Found>> {
        let Some(zone) = zone else { return Ok(Seen::absent()) };
        let records = describe(&self.home, zone, &self.host).await?;
        if records.is_empty() {
            return Ok(Seen::absent());
        }
        let (mut ours, others): (Vec<_>, Vec<_>) =
            records.into_iter().partition(|record| self.is_ours(record, target.as_ref()));
        // There is at most one simple record of a type.
        let found = Found { zone: zone.clone(), ours: ours.pop(), others };
        let mark = if found.ours.is_some() { Mark::Managed } else { Mark::Stranger };
        Ok(Seen::here(found, mark))
    }

    fn plan(&self, found: &Found, (zone, target): &Knowns<Self>) -> Verdict {
        if let Some(routed) = found.others.iter().find(|record| record.set_identifier().is_some()) {
            // Records that share a name by weight, place or health are a decision of somebody's.
            let why = format!("{} has several {} records with routing rules", self.host, routed.r#type());
            return Verdict::Blocked { code: "stranger", why };
        }
        if found.ours.is_some() && !found.others.is_empty() {
            let others = found.others.iter().map(line).collect::<Vec<_>>().join(", ");
            return Verdict::Blocked { code: "stranger", why: format!("{} also leads elsewhere: {others}", self.host) };
        }
        let mut compare = Compare::new();
        if !zone.is(&found.zone) {
            return compare.need("zone", &found.zone, zone).verdict();
        }
        let there = found.ours.as_ref().and_then(alias);
        if there.is_none() {
            let from = found.others.iter().map(line).collect::<Vec<_>>().join(", ");
            let to = match target {
                Known::Same(target) => Some(target.to_string()),
                _ => None,
            };
            compare.differs("target", Some(from), to);
        } else {
            compare.repoint("target", there.as_ref(), target);
        }
        let healthy = found.ours.as_ref().and_then(ResourceRecordSet::alias_target);
        let healthy = healthy.map(aws_sdk_route53::types::AliasTarget::evaluate_target_health);
        compare.update_if_told("evaluate target health", healthy.as_ref(), &false).verdict()
    }

    fn output(&self, _found: &Found) {}

    async fn apply(&self, cx: &Cx, action: Action<Found>, (zone, target): Given<Self>) -> Result<Found> {
        let record = self.record(&target)?;
        let changes = match action {
            // Not upsert: a record that somebody made in the meantime is not overwritten.
            Action::Create => vec![(ChangeAction::Create, record.clone())],
            // One batch happens as a whole or not at all, so the name never stops answering.
            Action::Update { found, .. } => {
                let away = found.others.into_iter().filter(|other| *other.r#type() != RrType::A);
                let away = away.map(|other| (ChangeAction::Delete, other));
                away.chain([(ChangeAction::Upsert, record.clone())]).collect()
            }
        };
        let action = format!("point dns-record {} at {target}", self.host);
        let answer = change(&self.home, &zone, changes, &action).await?;
        let answer = answer.map_err(|error| {
            // Another one came first, or ours whose answer was lost: look again.
            let raced = says(&error, &["already exists", "not found", "do not match"]);
            let error = explain(&action, error);
            if raced { error.certainty(Certainty::NotDone) } else { error }
        })?;
        let what = format!("dns-record {} to reach the name servers", self.host);
        in_sync(cx, &self.home, &answer, &what, &action).await?;
        Ok(Found { zone, ours: Some(record), others: Vec::new() })
    }

    /// A delete must repeat the record to the letter, and it may have changed since it was seen: it is read again, and goes only
    /// if it still points where it did.
    async fn destroy(&self, _cx: &Cx, found: Found) -> Result<()> {
        let Some(target) = found.ours.as_ref().and_then(alias) else { return Ok(()) };
        let records = describe(&self.home, &found.zone, &self.host).await?;
        let Some(record) = records.into_iter().find(|record| self.is_ours(record, Some(&target))) else {
            return Ok(());
        };
        let action = format!("delete dns-record {}", self.host);
        match change(&self.home, &found.zone, vec![(ChangeAction::Delete, record)], &action).await? {
            Ok(_) => Ok(()),
            Err(error) if says(&error, &["not found"]) => Ok(()),
            Err(error) if error.as_service_error().is_some_and(ChangeError::is_no_such_hosted_zone) => Ok(()),
            Err(error) if says(&error, &["do not match"]) => Err(explain(&action, error).certainty(Certainty::NotDone)),
            Err(error) => Err(explain(&action, error)),
        }
    }
}

/// The target of a simple alias.
fn alias(record: &ResourceRecordSet) -> Option<AliasTarget> {
    let alias = record.alias_target().filter(|_| record.set_identifier().is_none())?;
    Some(AliasTarget { dns_name: alias.dns_name().to_owned(), zone: alias.hosted_zone_id().to_owned() })
}

/// A record for people: `CNAME elsewhere.example.org`.
fn line(record: &ResourceRecordSet) -> String {
    let alias = record.alias_target().map(|alias| plain(alias.dns_name()));
    let values = || record.resource_records().iter().map(|value| value.value()).collect::<Vec<_>>().join(" ");
    format!("{} {}", record.r#type(), alias.unwrap_or_else(values))
}

/// The records of `host` that decide where it leads.
async fn describe(home: &Home, zone: &HostedZoneId, host: &str) -> Result<Vec<ResourceRecordSet>> {
    const LEADS: [RrType; 3] = [RrType::A, RrType::Aaaa, RrType::Cname];
    let mut found = records(home, zone, host).await?;
    found.retain(|record| LEADS.contains(record.r#type()));
    Ok(found)
}

#[cfg(test)]
mod tests {
    use resource_graph::{Fixed, Graph, Label};

    use super::*;

    fn target(dns_name: &str) -> AliasTarget {
        AliasTarget { dns_name: dns_name.to_owned(), zone: "Z32O12XQLNTSW2".to_owned() }
    }

    fn wish() -> AliasRecord {
        let mut graph = Graph::new();
        AliasRecord {
            home: crate::testing::home(),
            node: NodeId::from("dns-record"),
            host: "automator.example.com".to_owned(),
            zone: graph.add(Label::default(), Fixed::new("zone", HostedZoneId::new("Z1"))),
            target: graph.add(Label::default(), Fixed::new("alb", target("unused"))),
            balancer_name: Some("automator".to_owned()),
        }
    }

    fn cname() -> ResourceRecordSet {
        let value = aws_sdk_route53::types::ResourceRecord::builder().value("elsewhere.example.org").build().unwrap();
        let record = ResourceRecordSet::builder().name("automator.example.com.").r#type(RrType::Cname).ttl(300);
        record.resource_records(value).build().unwrap()
    }

    const NOW: &str = "automator-2.eu-west-1.elb.amazonaws.com";

    #[tokio::test]
    async fn only_an_alias_to_our_balancer_is_ours() {
        let wish = wish();
        let ours = |name: &str| wish.is_ours(&wish.record(&target(name)).unwrap(), Some(&target(NOW)));
        assert!(ours(NOW));
        assert!(ours("dualstack.Automator-2.eu-west-1.elb.amazonaws.com."));
        assert!(ours("automator-1.eu-west-1.elb.amazonaws.com"), "an earlier balancer of that name");
        assert!(ours("automator-1a2b3c4d-1.eu-west-1.elb.amazonaws.com"), "one that replaced another");
        assert!(!ours("automator-1.us-east-1.elb.amazonaws.com"), "the same name in another region");
        assert!(!ours("automator-prod-1.eu-west-1.elb.amazonaws.com"), "another deployment");
        assert!(!ours("automator-.eu-west-1.elb.amazonaws.com"));
        assert!(!wish.is_ours(&cname(), Some(&target(NOW))));
    }

    #[tokio::test]
    async fn a_stale_alias_is_repointed_and_a_second_way_blocks() {
        let wish = wish();
        let known = |target| (Known::Same(HostedZoneId::new("Z1")), target);
        let found = |name: &str, others: Vec<ResourceRecordSet>| Found {
            zone: HostedZoneId::new("Z1"),
            ours: Some(wish.record(&target(name)).unwrap()),
            others,
        };
        let same = || known(Known::Same(target(NOW)));
        assert_eq!(wish.plan(&found(&format!("dualstack.{NOW}."), vec![]), &same()), Verdict::Keep);
        let stale = wish.plan(&found("automator-1.eu-west-1.elb.amazonaws.com", vec![]), &same());
        let Verdict::Update { changes, .. } = stale else { panic!() };
        assert!(resource_graph::describe(&changes).ends_with(&format!("-> {NOW}")));
        let replaced = wish.plan(&found(NOW, vec![]), &known(Known::WillChange(target(NOW))));
        assert!(matches!(replaced, Verdict::Update { .. }));
        let second = wish.plan(&found(NOW, vec![cname()]), &same());
        assert!(matches!(second, Verdict::Blocked { code: "stranger", why } if why.contains("CNAME elsewhere")));
    }
}
