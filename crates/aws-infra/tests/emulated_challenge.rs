//! The TXT records of ACME challenges against an emulator that somebody else wrote: ours come and go, those of others stay.
#![cfg(unix)]

use std::collections::BTreeMap;
use std::sync::Arc;

use aws_infra::route53::{Challenges, ensure_zone};
use aws_infra::{Aws, Connection, Home};
use aws_sdk_route53::types::{Change, ChangeAction, ChangeBatch, ResourceRecord, ResourceRecordSet, RrType};
use certs::acme::{Dns01, DnsError};
use jiff::Timestamp;
use resource_graph::Cx;

/// An emulator with a zone and a zone inside it, both with names that nobody else uses.
async fn world() -> (sandbox::Emulator, Home, String) {
    let target = concat!(env!("CARGO_MANIFEST_DIR"), "/../../target");
    let settings = sandbox::Settings::from_env(target);
    let emulator = sandbox::find_or_start(&settings, &|_| ()).await.expect("find or start an emulator");
    let aws = Aws::connect(&Connection::to_emulator("eu-west-1", &emulator.endpoint)).await.expect("connect");
    let home = Home::new(Arc::new(aws), "challenges", BTreeMap::new());
    let zone = format!("c{}.example.com", Timestamp::now().as_nanosecond());
    ensure_zone(&home, &zone).await.unwrap();
    ensure_zone(&home, &format!("corp.{zone}")).await.unwrap();
    (emulator, home, zone)
}

async fn zone_id(home: &Home, name: &str) -> String {
    let zones = home.aws.route53.list_hosted_zones_by_name().dns_name(name).send().await.unwrap();
    let zone = zones.hosted_zones().iter().find(|zone| zone.name().trim_end_matches('.') == name).unwrap();
    zone.id().trim_start_matches("/hostedzone/").to_owned()
}

/// The TXT values that stand in a zone under a name.
async fn values(home: &Home, zone: &str, record: &str) -> Vec<String> {
    let answer = home.aws.route53.list_resource_record_sets().hosted_zone_id(zone).send().await.unwrap();
    let here = answer.resource_record_sets().iter().filter(|one| one.name().trim_end_matches('.') == record);
    let here = here.filter(|one| *one.r#type() == RrType::Txt).flat_map(ResourceRecordSet::resource_records);
    let mut values: Vec<String> = here.map(|value| value.value().trim_matches('"').to_owned()).collect();
    values.sort();
    values
}

async fn put(home: &Home, zone: &str, record: &str, kind: RrType, value: &str) {
    let value = ResourceRecord::builder().value(value).build().unwrap();
    let set = ResourceRecordSet::builder().name(record).r#type(kind).ttl(300).resource_records(value).build().unwrap();
    let change = Change::builder().action(ChangeAction::Upsert).resource_record_set(set).build().unwrap();
    let batch = ChangeBatch::builder().changes(change).build().unwrap();
    home.aws.route53.change_resource_record_sets().hosted_zone_id(zone).change_batch(batch).send().await.unwrap();
}

fn code(error: DnsError) -> &'static str {
    error.downcast::<resource_graph::Error>().expect("an error of this crate").code()
}

#[tokio::test]
async fn values_of_ours_come_and_go_and_those_of_others_stay() {
    let (_emulator, home, name) = world().await;
    let zone = zone_id(&home, &name).await;
    let record = format!("_acme-challenge.automator.{name}");
    put(&home, &zone, &record, RrType::Txt, "\"of another tool\"").await;
    let challenges = Challenges::new(home.clone(), Cx::quiet(), None);

    // A host and its wildcard at the same time.
    let (one, other) = tokio::join!(challenges.publish(&record, "one"), challenges.publish(&record, "other"));
    one.unwrap();
    other.unwrap();
    challenges.publish(&record, "one").await.unwrap();
    let both = ["keeper-automator one", "keeper-automator other", "of another tool", "one", "other"];
    assert_eq!(values(&home, &zone, &record).await, both);

    // A run that knows nothing of this one finds what is ours.
    let later = Challenges::new(home.clone(), Cx::quiet(), None);
    let mut left = later.leftovers(&record).await.unwrap();
    left.sort();
    assert_eq!(left, ["one", "other"]);
    for value in left {
        later.remove(&record, &value).await.unwrap();
        later.remove(&record, &value).await.unwrap();
    }
    assert_eq!(values(&home, &zone, &record).await, ["of another tool"]);
    later.remove(&record, "of another tool").await.unwrap();
    assert_eq!(later.leftovers(&record).await.unwrap(), Vec::<String>::new());
}

#[tokio::test]
async fn the_zone_is_the_one_that_owns_the_record() {
    let (_emulator, home, name) = world().await;
    let (outer, inner) = (zone_id(&home, &name).await, zone_id(&home, &format!("corp.{name}")).await);
    let record = format!("_acme-challenge.automator.corp.{name}");
    let found = Challenges::new(home.clone(), Cx::quiet(), None);
    found.publish(&record, "value").await.unwrap();
    assert_eq!(values(&home, &inner, &record).await.len(), 2);
    assert_eq!(values(&home, &outer, &record).await.len(), 0);
    found.remove(&record, "value").await.unwrap();
    assert_eq!(values(&home, &inner, &record).await.len(), 0, "the record itself goes with its last value");

    let named = Challenges::new(home.clone(), Cx::quiet(), Some(outer.clone()));
    named.publish(&record, "value").await.unwrap();
    assert_eq!(values(&home, &outer, &record).await.len(), 2);
    named.remove(&record, "value").await.unwrap();

    let nowhere = found.publish("_acme-challenge.example.invalid", "value").await;
    assert_eq!(code(nowhere.unwrap_err()), "acme-zone");
    let elsewhere = format!("_acme-challenge.cname.{name}");
    put(&home, &outer, &elsewhere, RrType::Cname, "elsewhere.example.org").await;
    assert_eq!(code(found.publish(&elsewhere, "value").await.unwrap_err()), "acme-record");
}
