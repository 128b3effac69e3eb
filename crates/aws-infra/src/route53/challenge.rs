//! The TXT records that prove a host to an ACME authority (K1; RFC 8555, section 8.4).
//!
//! A record has no tags, and one TXT record may hold values of several tools. So beside each value of ours stands a second
//! one that names it, `keeper-automator VALUE`; an authority passes over it. What is marked so is ours, and a later run takes
//! it away if the run that published it was killed. Values of others are kept, whatever happens.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use aws_sdk_route53::types::{ChangeAction, ResourceRecord, ResourceRecordSet, RrType};
use certs::acme::{Dns01, DnsError};
use resource_graph::{Certainty, Cx, Error, NodeId, Result};
use tokio::sync::Mutex as AsyncMutex;

use super::records::{change, explain, in_sync, records, says};
use super::{HostedZone, plain};
use crate::{Home, HostedZoneId};

/// What stands before a value of ours in the value that names it.
const MARK: &str = "keeper-automator ";

/// In seconds; resolvers shall not keep a value longer than it is needed.
const TTL: i64 = 10;

/// How often a change is decided on anew, because somebody else changed the record or an answer was lost.
const ATTEMPTS: usize = 5;

/// Proves hosts by TXT records in hosted zones of this account.
pub struct Challenges {
    home: Home,
    cx: Cx,
    zone: Option<String>,
    zones: Mutex<BTreeMap<String, HostedZoneId>>,
    /// One decision at a time: a host and its wildcard share a record.
    turn: AsyncMutex<()>,
}

impl Challenges {
    /// `zone` is the id of the hosted zone, if the person names it; otherwise each record goes into the public zone with the
    /// longest name that owns it. `cx` bounds the waits.
    pub fn new(home: Home, cx: Cx, zone: Option<String>) -> Self {
        Self { home, cx, zone, zones: Mutex::default(), turn: AsyncMutex::default() }
    }

    async fn zone(&self, record: &str) -> Result<HostedZoneId> {
        let known = self.zones.lock().unwrap_or_else(PoisonError::into_inner).get(record).cloned();
        if let Some(zone) = known {
            return Ok(zone);
        }
        let zone = HostedZone {
            home: self.home.clone(),
            node: NodeId::from("hosted-zone"),
            host: record.to_owned(),
            zone: self.zone.clone(),
        };
        let found = zone.find().await.map_err(|error| {
            if !error.code().starts_with("dns-zone-") {
                return error;
            }
            // The words of a deployment name its config, which there is none of here.
            Error::new("acme-zone", format!("find the hosted zone of `{record}`"))
                .expected("one public hosted zone of this account that owns it")
                .because(error)
        })?;
        self.zones.lock().unwrap_or_else(PoisonError::into_inner).insert(record.to_owned(), found.clone());
        Ok(found)
    }

    /// The TXT record as it is.
    async fn look(&self, zone: &HostedZoneId, record: &str) -> Result<Option<ResourceRecordSet>> {
        let mut here = records(&self.home, zone, record).await?;
        let refused = |what: &str| {
            Err(Error::new("acme-record", format!("use the TXT record `{record}`"))
                .expected("no record of this name, or one simple TXT record")
                .because(what.to_owned()))
        };
        if here.iter().any(|one| *one.r#type() == RrType::Cname) {
            return refused("a CNAME leads elsewhere");
        }
        here.retain(|one| *one.r#type() == RrType::Txt);
        if here.iter().any(|one| one.set_identifier().is_some()) {
            return refused("it has routing rules");
        }
        Ok(here.pop())
    }

    /// Decides on the record from what stands there, and changes it only if it is still so.
    async fn edit(
        &self,
        record: &str,
        action: &str,
        wait: bool,
        edit: impl Fn(Vec<String>) -> Option<Vec<String>> + Send + Sync,
    ) -> Result<()> {
        let zone = self.zone(record).await?;
        let mut left = ATTEMPTS;
        let mut overwrite = false;
        loop {
            let turn = self.turn.lock().await;
            let before = self.look(&zone, record).await?;
            let Some(wanted) = edit(values(before.as_ref())) else { return Ok(()) };
            let ttl = before.as_ref().and_then(ResourceRecordSet::ttl).unwrap_or(TTL);
            let after = (!wanted.is_empty()).then(|| txt(record, ttl, &wanted, action)).transpose()?;
            let changes = match (before, after) {
                (Some(before), Some(after)) if overwrite || same(&before, &after) => {
                    vec![(ChangeAction::Upsert, after)]
                }
                // Taking away what was seen and putting the new one in its place is one batch, which fails as a whole when
                // somebody else was there in the meantime.
                (before, after) => {
                    let away = before.map(|before| (ChangeAction::Delete, before));
                    away.into_iter().chain(after.map(|after| (ChangeAction::Create, after))).collect()
                }
            };
            left -= 1;
            let replaces = changes.len() == 2;
            let answer = change(&self.home, &zone, changes, action).await?;
            drop(turn);
            match answer {
                Ok(answer) if wait => {
                    let what = format!("the TXT record `{record}` to reach the name servers");
                    in_sync(&self.cx, &self.home, &answer, &what, action).await?;
                    // Another tool may have written the record whole, as it was before.
                    let now = values(self.look(&zone, record).await?.as_ref());
                    if edit(now.clone()).is_none_or(|wanted| wanted == now) {
                        return Ok(());
                    }
                    if left == 0 {
                        return Err(Error::new("acme-record", action.to_owned())
                            .expected("a record that nobody else writes over")
                            .because("the value was gone again each time".to_owned()));
                    }
                }
                Ok(_) => return Ok(()),
                Err(error) => {
                    let moved = says(&error, &["not found", "do not match"]);
                    let exists = says(&error, &["already exists"]);
                    // Moto holds against a create what the same batch deletes, if it ever saw the same create before.
                    overwrite = exists && replaces && !moved;
                    let error = explain(action, error);
                    if left == 0 || (error.is(Certainty::Refused) && !moved && !exists) {
                        return Err(error);
                    }
                }
            }
        }
    }
}

impl Dns01 for Challenges {
    async fn publish(&self, record: &str, value: &str) -> std::result::Result<(), DnsError> {
        let ours = [quoted(value), quoted(&format!("{MARK}{value}"))];
        let action = format!("publish the TXT record `{record}`");
        // Also when it is there already: only a change of one's own can be waited for.
        let add = |mut values: Vec<String>| {
            let missing = ours.iter().filter(|one| !values.contains(one)).cloned().collect::<Vec<_>>();
            values.extend(missing);
            Some(values)
        };
        Ok(self.edit(record, &action, true, add).await?)
    }

    async fn remove(&self, record: &str, value: &str) -> std::result::Result<(), DnsError> {
        let ours = [quoted(value), quoted(&format!("{MARK}{value}"))];
        let action = format!("remove a value of the TXT record `{record}`");
        let take = |mut values: Vec<String>| {
            let before = values.len();
            values.retain(|one| !ours.contains(one));
            (values.len() < before).then_some(values)
        };
        Ok(self.edit(record, &action, false, take).await?)
    }

    async fn leftovers(&self, record: &str) -> std::result::Result<Vec<String>, DnsError> {
        let zone = self.zone(record).await?;
        let here = self.look(&zone, record).await?;
        Ok(marked(&values(here.as_ref())))
    }
}

fn quoted(text: &str) -> String {
    format!("\"{text}\"")
}

/// What the marks among these values name.
fn marked(values: &[String]) -> Vec<String> {
    let inside = values.iter().filter_map(|value| value.strip_prefix('"')?.strip_suffix('"'));
    inside.filter_map(|text| text.strip_prefix(MARK)).map(str::to_owned).collect()
}

fn values(record: Option<&ResourceRecordSet>) -> Vec<String> {
    let records = record.map(ResourceRecordSet::resource_records).unwrap_or_default();
    records.iter().map(|value| value.value().to_owned()).collect()
}

fn same(one: &ResourceRecordSet, other: &ResourceRecordSet) -> bool {
    values(Some(one)) == values(Some(other)) && one.ttl() == other.ttl()
}

fn txt(record: &str, ttl: i64, values: &[String], action: &str) -> Result<ResourceRecordSet> {
    let invalid = |error| Error::new("request-invalid", action.to_owned()).because(error);
    let values = values.iter().map(|value| ResourceRecord::builder().value(value).build());
    let values: std::result::Result<Vec<_>, _> = values.collect();
    let record = ResourceRecordSet::builder().name(plain(record)).r#type(RrType::Txt).ttl(ttl);
    record.set_resource_records(Some(values.map_err(invalid)?)).build().map_err(invalid)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_marked_is_ours() {
        let values = ["\"abc\"", "\"keeper-automator abc\"", "\"of another tool\"", "keeper-automator x"];
        assert_eq!(marked(&values.map(str::to_owned)), ["abc"]);
    }

    #[test]
    fn a_record_is_written_as_route_53_reads_it() {
        let record = txt("_acme-challenge.Example.com.", TTL, &[quoted("abc")], "publish").unwrap();
        assert_eq!((record.name(), record.ttl()), ("_acme-challenge.example.com", Some(TTL)));
        assert_eq!(values(Some(&record)), ["\"abc\""]);
    }
}
