//! Reading the records of one name, changing them, and waiting until every name server knows.

use std::time::Duration;

use aws_sdk_route53::error::SdkError;
use aws_sdk_route53::operation::change_resource_record_sets::{
    ChangeResourceRecordSetsError, ChangeResourceRecordSetsOutput,
};
use aws_sdk_route53::types::{Change, ChangeAction, ChangeBatch, ChangeStatus, ResourceRecordSet};
use resource_graph::{Cx, Error, Pace, Progress, Result};

use super::plain;
use crate::fail::{failed, required, unless_missing};
use crate::{Home, HostedZoneId};

/// Changes reach all name servers within about a minute.
const PACE: Pace = Pace::new(Duration::from_secs(5), Duration::from_secs(300));

pub(super) type ChangeError = ChangeResourceRecordSetsError;
pub(super) type Answer = std::result::Result<ChangeResourceRecordSetsOutput, SdkError<ChangeError>>;

/// Several changes that happen as a whole or not at all.
pub(super) async fn change(
    home: &Home,
    zone: &HostedZoneId,
    changes: Vec<(ChangeAction, ResourceRecordSet)>,
    action: &str,
) -> Result<Answer> {
    let invalid = |error| Error::new("request-invalid", action.to_owned()).because(error);
    let one = |(action, record)| Change::builder().action(action).resource_record_set(record).build();
    let changes: std::result::Result<Vec<_>, _> = changes.into_iter().map(one).collect();
    let batch = ChangeBatch::builder().set_changes(Some(changes.map_err(invalid)?)).build().map_err(invalid)?;
    Ok(home.aws.route53.change_resource_record_sets().hosted_zone_id(zone.as_str()).change_batch(batch).send().await)
}

/// Waits until a change has reached every name server of the zone. `what` reads on after "wait for".
pub(super) async fn in_sync(
    cx: &Cx,
    home: &Home,
    answer: &ChangeResourceRecordSetsOutput,
    what: &str,
    action: &str,
) -> Result<()> {
    let id = required(answer.change_info().map(|change| change.id()), action, "change id")?;
    let id = id.trim_start_matches("/change/");
    cx.wait_until(what, PACE, || async {
        let answer = home.aws.route53.get_change().id(id).send().await;
        // A change is forgotten when it has long been done.
        let Some(answer) = unless_missing(answer, &["NoSuchChange"], action)? else {
            return Ok(Progress::Ready(()));
        };
        let status = answer.change_info().map(|change| change.status());
        Ok(match status {
            Some(ChangeStatus::Insync) => Progress::Ready(()),
            Some(ChangeStatus::Pending) => Progress::Pending("PENDING".to_owned()),
            other => {
                let state = other.map_or("untold", ChangeStatus::as_str);
                Progress::Failed(Error::new("wrong-state", format!("{action}; the change is `{state}`")))
            }
        })
    })
    .await
}

/// What Route 53 finds wrong with a batch stands in a list of its own, not in the message.
fn complaints(error: &SdkError<ChangeError>) -> String {
    match error.as_service_error() {
        Some(ChangeError::InvalidChangeBatch(invalid)) => {
            let listed = invalid.messages().iter().map(String::as_str);
            listed.chain(invalid.message()).collect::<Vec<_>>().join("; ")
        }
        _ => String::new(),
    }
}

pub(super) fn says(error: &SdkError<ChangeError>, words: &[&str]) -> bool {
    let complaints = complaints(error);
    words.iter().any(|word| complaints.contains(word))
}

pub(super) fn explain(action: &str, error: SdkError<ChangeError>) -> Error {
    let complaints = complaints(&error);
    let error = failed(action, error);
    if complaints.is_empty() { error } else { error.because(format!("InvalidChangeBatch: {complaints}")) }
}

/// All records of a name; none when the zone is gone. The list of a zone is sorted by name, so reading starts at the name and
/// ends with it.
pub(super) async fn records(home: &Home, zone: &HostedZoneId, name: &str) -> Result<Vec<ResourceRecordSet>> {
    let action = format!("list the dns-records of {name} in hosted-zone `{zone}`");
    let mut call = home.aws.route53.list_resource_record_sets().start_record_name(name);
    let mut records = Vec::new();
    loop {
        let answer = call.hosted_zone_id(zone.as_str()).send().await;
        let Some(page) = unless_missing(answer, &["NoSuchHostedZone"], &action)? else { return Ok(records) };
        let here = page.resource_record_sets().iter().filter(|record| plain(record.name()) == plain(name));
        records.extend(here.cloned());
        match page.next_record_name() {
            Some(next) if page.is_truncated() && plain(next) == plain(name) => {
                call = home.aws.route53.list_resource_record_sets().start_record_name(next);
                call = call.set_start_record_type(page.next_record_type().cloned());
                call = call.set_start_record_identifier(page.next_record_identifier().map(str::to_owned));
            }
            _ => return Ok(records),
        }
    }
}
