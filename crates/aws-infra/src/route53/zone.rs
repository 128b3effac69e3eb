//! The public hosted zone that owns the host name (A13, C22). It is only read: a zone is worth nothing without a delegation
//! that we cannot make.

use aws_sdk_route53::types;
use resource_graph::{Action, Cx, Error, Given, Knowns, Mark, NodeId, Present, Resource, Result, Seen, Verdict};

use super::plain;
use crate::fail::{failed, required, unless_missing};
use crate::{Home, HostedZoneId};

/// A hosted zone that exists, to be added as referenced.
pub struct HostedZone {
    /// Where it lives.
    pub home: Home,
    /// Its node.
    pub node: NodeId,
    /// The host name it must own.
    pub host: String,
    /// Its id, if the person named it; otherwise the zone with the longest fitting name is taken.
    pub zone: Option<String>,
}

/// A hosted zone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    id: HostedZoneId,
    name: String,
    private: bool,
}

impl Found {
    fn owns(&self, host: &str) -> bool {
        let host = plain(host);
        host == self.name || host.strip_suffix(&self.name).is_some_and(|rest| rest.ends_with('.'))
    }
}

impl HostedZone {
    /// The zone's id.
    pub(super) async fn find(&self) -> Result<HostedZoneId> {
        match self.there().await? {
            Some(found) => Ok(found.id),
            None => Err(self.not_found(format!("find the hosted-zone that owns {}", self.host))),
        }
    }

    async fn there(&self) -> Result<Option<Found>> {
        match &self.zone {
            Some(id) => self.named(id).await,
            None => self.longest().await,
        }
    }

    async fn named(&self, id: &str) -> Result<Option<Found>> {
        let action = format!("read hosted-zone `{id}`");
        let answer = self.home.aws.route53.get_hosted_zone().id(id).send().await;
        let answer = unless_missing(answer, &["NoSuchHostedZone"], &action)?;
        let Some(zone) = answer.as_ref().and_then(|answer| answer.hosted_zone()) else { return Ok(None) };
        let found = read(zone, &action)?;
        if found.private || !found.owns(&self.host) {
            let kind = if found.private { "private" } else { "public" };
            let because = format!("hosted-zone `{id}` is {kind} and called {}", found.name);
            return Err(self.not_found(format!("use hosted-zone `{id}` for {}", self.host)).because(because));
        }
        Ok(Some(found))
    }

    async fn longest(&self) -> Result<Option<Found>> {
        let action = "list hosted-zones";
        let mut pages = self.home.aws.route53.list_hosted_zones().into_paginator().send();
        let mut zones = Vec::new();
        while let Some(page) = pages.next().await {
            for zone in page.map_err(|error| failed(action, error))?.hosted_zones() {
                zones.push(read(zone, action)?);
            }
        }
        self.choose(zones)
    }

    fn choose(&self, mut zones: Vec<Found>) -> Result<Option<Found>> {
        zones.retain(|zone| !zone.private && zone.owns(&self.host));
        zones.sort_by(|one, other| other.name.len().cmp(&one.name.len()).then(one.id.cmp(&other.id)));
        let mut zones = zones.into_iter();
        let Some(first) = zones.next() else { return Ok(None) };
        // Several zones may have one name; only one of them is delegated to, and the list does not say which.
        let twins: Vec<String> = zones.filter(|zone| zone.name == first.name).map(|zone| zone.id.to_string()).collect();
        if twins.is_empty() {
            return Ok(Some(first));
        }
        let ids = format!("{}, {}", first.id, twins.join(", "));
        Err(Error::new("dns-zone-ambiguous", format!("choose among the hosted-zones called {}: {ids}", first.name))
            .expected("one public hosted zone of that name")
            .hint("name the one that the public delegation points to in dns.zone_id"))
    }

    fn not_found(&self, action: String) -> Error {
        Error::new("dns-zone-not-found", action)
            .expected(format!("a public hosted zone of this account that owns {}", self.host))
            .hint("create the zone and delegate to it, or set `mode = \"manual\"` in [dns] and create the record yourself")
    }
}

fn read(zone: &types::HostedZone, action: &str) -> Result<Found> {
    let id = required(Some(zone.id()), action, "zone id")?;
    Ok(Found {
        id: HostedZoneId::new(id.trim_start_matches("/hostedzone/")),
        name: plain(&required(Some(zone.name()), action, "zone name")?),
        private: zone.config().is_some_and(types::HostedZoneConfig::private_zone),
    })
}

impl Resource for HostedZone {
    const KIND: &'static str = "hosted-zone";
    type Needs = ();
    type Found = Found;
    type Output = HostedZoneId;

    fn id(&self) -> NodeId {
        self.node.clone()
    }

    fn summary(&self) -> String {
        match &self.zone {
            Some(zone) => format!("{zone}, owns {}", self.host),
            None => format!("owns {}", self.host),
        }
    }

    fn needs(&self) {}

    /// Absence blocks a deploy, because nothing of ours could make one, but no destroy: then the record is gone with it.
    async fn look(&self, _cx: &Cx, (): &Present<Self>) -> Result<Seen<Found>> {
        Ok(self.there().await?.map_or_else(Seen::absent, |found| Seen::here(found, Mark::Stranger)))
    }

    fn missing(&self) -> (&'static str, String) {
        let why = match &self.zone {
            Some(zone) => format!("hosted-zone `{zone}` does not exist"),
            None => format!("no public hosted-zone of this account owns {}", self.host),
        };
        ("dns-zone-not-found", why)
    }

    fn plan(&self, _found: &Found, (): &Knowns<Self>) -> Verdict {
        Verdict::Keep
    }

    fn output(&self, found: &Found) -> HostedZoneId {
        found.id.clone()
    }

    async fn apply(&self, _cx: &Cx, action: Action<Found>, (): Given<Self>) -> Result<Found> {
        match action {
            Action::Create => Err(self.not_found(format!("find the hosted-zone that owns {}", self.host))),
            Action::Update { found, .. } => Ok(found),
        }
    }

    async fn destroy(&self, _cx: &Cx, _found: Found) -> Result<()> {
        Ok(())
    }
}

/// Makes a public zone called `name` if there is none: a sandbox needs what a person has before a deployment. A product must
/// not: a zone is worth nothing until somebody delegates to it.
pub async fn ensure_zone(home: &Home, name: &str) -> Result<()> {
    let action = format!("create hosted-zone `{name}`");
    let route53 = &home.aws.route53;
    let zones =
        route53.list_hosted_zones_by_name().dns_name(name).send().await.map_err(|error| failed(&action, error))?;
    if zones.hosted_zones().iter().any(|zone| zone.name().trim_end_matches('.') == name) {
        return Ok(());
    }
    // The caller reference is an idempotency token, which an emulator may ignore: retries are off.
    let call = route53.create_hosted_zone().name(name).caller_reference(home.token(&NodeId::from("hosted-zone"), name));
    let once = aws_sdk_route53::config::Builder::new().retry_config(aws_config::retry::RetryConfig::disabled());
    call.customize().config_override(once).send().await.map_err(|error| failed(&action, error))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn zone(id: &str, name: &str, private: bool) -> Found {
        Found { id: HostedZoneId::new(id), name: name.to_owned(), private }
    }

    fn choose(zones: Vec<Found>) -> Result<String> {
        let wanted = HostedZone {
            home: crate::testing::home(),
            node: NodeId::from("hosted-zone"),
            host: "Automator.Corp.Example.com".to_owned(),
            zone: None,
        };
        let chosen = wanted.choose(zones)?;
        Ok(chosen.map_or_else(|| wanted.missing().0.to_owned(), |zone| zone.id.to_string()))
    }

    #[tokio::test]
    async fn the_longest_public_zone_is_taken() {
        let zones = vec![
            zone("Z1", "example.com", false),
            zone("Z2", "corp.example.com", false),
            zone("Z3", "automator.corp.example.com", true),
            zone("Z4", "orp.example.com", false),
        ];
        assert_eq!(choose(zones).unwrap(), "Z2");
    }

    #[tokio::test]
    async fn none_and_two_are_both_told_apart() {
        assert_eq!(choose(vec![zone("Z1", "example.org", false)]).unwrap(), "dns-zone-not-found");
        let twins = vec![zone("Z1", "example.com", false), zone("Z2", "example.com", false)];
        let error = choose(twins).unwrap_err();
        assert_eq!(error.code(), "dns-zone-ambiguous");
        assert!(error.to_string().contains("Z1, Z2"), "{error}");
    }
}
