//! Another tool writes the TXT record of a challenge between our look and our change.
//!
//! Moto decides on a batch in several steps and says "already exists" for what the same batch deletes; the answers here are
//! those of Route 53, whose batch happens as a whole or not at all.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use aws_infra::route53::Challenges;
use aws_infra::{Aws, Connection, Home};
use certs::acme::Dns01;
use resource_graph::Cx;
use wiremock::matchers::{method, path};
use wiremock::{Mock, MockServer, Request, ResponseTemplate};

const RECORD: &str = "_acme-challenge.automator.example.com";

fn xml(status: u16, body: String) -> ResponseTemplate {
    ResponseTemplate::new(status).set_body_raw(format!("<?xml version=\"1.0\"?>\n{body}"), "text/xml")
}

/// The record as a list shows it; without values there is none.
fn listed(values: &[String]) -> ResponseTemplate {
    let values: String =
        values.iter().map(|value| format!("<ResourceRecord><Value>{value}</Value></ResourceRecord>")).collect();
    let set = format!(
        "<ResourceRecordSet><Name>{RECORD}.</Name><Type>TXT</Type><TTL>300</TTL>\
         <ResourceRecords>{values}</ResourceRecords></ResourceRecordSet>"
    );
    let sets = if values.is_empty() { "" } else { &set };
    xml(
        200,
        format!(
            "<ListResourceRecordSetsResponse xmlns=\"https://route53.amazonaws.com/doc/2013-04-01/\">\
             <ResourceRecordSets>{sets}</ResourceRecordSets><IsTruncated>false</IsTruncated><MaxItems>300</MaxItems>\
             </ListResourceRecordSetsResponse>"
        ),
    )
}

/// What a batch does to the record: `DELETE` and `CREATE` with their values, in order.
fn changes(body: &str) -> Vec<(String, Vec<String>)> {
    let between = |text: &str, from: &str, to: &str| -> Vec<String> {
        text.split(from).skip(1).filter_map(|rest| rest.split_once(to)).map(|(inside, _)| inside.to_owned()).collect()
    };
    let changes = between(body, "<Change>", "</Change>").into_iter();
    changes
        .map(|one| {
            let action = between(&one, "<Action>", "</Action>").concat();
            (action, between(&one, "<Value>", "</Value>").iter().map(|value| value.replace("&quot;", "\"")).collect())
        })
        .collect()
}

/// Route 53 with one zone, in which `others` writes a value just before each of the first changes of ours.
async fn route53(before: &[&str], others: Vec<&'static str>) -> (MockServer, Arc<Mutex<Vec<String>>>) {
    let server = MockServer::start().await;
    let record = Arc::new(Mutex::new(before.iter().map(|&value| value.to_owned()).collect::<Vec<_>>()));
    let who = "<GetCallerIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><GetCallerIdentityResult>\
               <Arn>arn:aws:iam::123456789012:root</Arn><UserId>AKIA</UserId><Account>123456789012</Account>\
               </GetCallerIdentityResult></GetCallerIdentityResponse>";
    Mock::given(method("POST")).and(path("/")).respond_with(xml(200, who.to_owned())).mount(&server).await;
    let zone = "<GetHostedZoneResponse xmlns=\"https://route53.amazonaws.com/doc/2013-04-01/\"><HostedZone>\
                <Id>/hostedzone/Z1</Id><Name>example.com.</Name><CallerReference>r</CallerReference>\
                <Config><PrivateZone>false</PrivateZone></Config></HostedZone></GetHostedZoneResponse>";
    Mock::given(method("GET"))
        .and(path("/2013-04-01/hostedzone/Z1"))
        .respond_with(xml(200, zone.to_owned()))
        .mount(&server)
        .await;
    let shown = record.clone();
    Mock::given(method("GET"))
        .and(path("/2013-04-01/hostedzone/Z1/rrset"))
        .respond_with(move |_: &Request| listed(&shown.lock().unwrap()))
        .mount(&server)
        .await;
    let (changed, turn) = (record.clone(), AtomicUsize::new(0));
    let change = |status: &str| {
        format!(
            "<ChangeInfo><Id>/change/C1</Id><Status>{status}</Status>\
             <SubmittedAt>2026-01-01T00:00:00Z</SubmittedAt></ChangeInfo>"
        )
    };
    let done = format!(
        "<ChangeResourceRecordSetsResponse xmlns=\"https://route53.amazonaws.com/doc/2013-04-01/\">{}\
         </ChangeResourceRecordSetsResponse>",
        change("PENDING")
    );
    Mock::given(method("POST"))
        .and(path("/2013-04-01/hostedzone/Z1/rrset"))
        .respond_with(move |request: &Request| {
            let mut record = changed.lock().unwrap();
            if let Some(&value) = others.get(turn.fetch_add(1, Ordering::SeqCst)) {
                record.push(value.to_owned());
            }
            let mut after = Some(record.clone()).filter(|values| !values.is_empty());
            for (action, values) in changes(&String::from_utf8_lossy(&request.body)) {
                let complaint = match (action.as_str(), &after) {
                    ("DELETE", None) => "but it was not found",
                    ("DELETE", Some(there)) if *there != values => "but the values provided do not match the current values",
                    ("CREATE", Some(_)) => "but it already exists",
                    ("DELETE", Some(_)) => {
                        after = None;
                        continue;
                    }
                    _ => {
                        after = Some(values);
                        continue;
                    }
                };
                return xml(
                    400,
                    format!(
                        "<ErrorResponse xmlns=\"https://route53.amazonaws.com/doc/2013-04-01/\"><Error><Type>Sender</Type>\
                         <Code>InvalidChangeBatch</Code><Message>[Tried to change resource record set {complaint}]</Message>\
                         </Error><RequestId>r</RequestId></ErrorResponse>"
                    ),
                );
            }
            *record = after.unwrap_or_default();
            xml(200, done.clone())
        })
        .mount(&server)
        .await;
    let in_sync = format!(
        "<GetChangeResponse xmlns=\"https://route53.amazonaws.com/doc/2013-04-01/\">{}</GetChangeResponse>",
        change("INSYNC")
    );
    Mock::given(method("GET")).and(path("/2013-04-01/change/C1")).respond_with(xml(200, in_sync)).mount(&server).await;
    (server, record)
}

async fn challenges(server: &MockServer) -> Challenges {
    let aws = Aws::connect(&Connection::to_emulator("eu-west-1", server.uri())).await.expect("connect");
    let home = Home::new(Arc::new(aws), "challenges", BTreeMap::new());
    Challenges::new(home, Cx::quiet(), Some("Z1".to_owned()))
}

const OURS: [&str; 2] = ["\"value\"", "\"keeper-automator value\""];

#[tokio::test]
async fn a_value_that_came_in_between_is_kept() {
    // Where nothing stood, where something stood, and twice.
    for (before, others) in [
        (&[][..], vec!["\"theirs\""]),
        (&["\"first\""][..], vec!["\"theirs\""]),
        (&["\"first\""][..], vec!["\"theirs\"", "\"once more\""]),
    ] {
        let (server, record) = route53(before, others.clone()).await;
        challenges(&server).await.publish(RECORD, "value").await.unwrap();
        let expected: Vec<&str> = before.iter().copied().chain(others.clone()).chain(OURS).collect();
        assert_eq!(*record.lock().unwrap(), expected);

        let (server, record) = route53(&expected, others.clone()).await;
        challenges(&server).await.remove(RECORD, "value").await.unwrap();
        let expected: Vec<&str> = before.iter().copied().chain(others.clone()).chain(others).collect();
        assert_eq!(*record.lock().unwrap(), expected);
    }
}

#[tokio::test]
async fn a_record_that_never_stands_still_is_told() {
    let (server, record) = route53(&[], vec!["\"theirs\""; 50]).await;
    let error = challenges(&server).await.publish(RECORD, "value").await.unwrap_err();
    assert!(error.to_string().contains(RECORD), "{error}");
    assert!(record.lock().unwrap().iter().all(|value| value == "\"theirs\""));
}

#[tokio::test]
async fn a_host_and_its_wildcard_take_turns() {
    let (server, record) = route53(&[], vec![]).await;
    let challenges = challenges(&server).await;
    let (one, other) = tokio::join!(challenges.publish(RECORD, "one"), challenges.publish(RECORD, "other"));
    one.unwrap();
    other.unwrap();
    assert_eq!(record.lock().unwrap().len(), 4);
    let posts = server.received_requests().await.unwrap();
    let posts =
        posts.iter().filter(|request| request.url.path().ends_with("/rrset") && request.method.as_str() == "POST");
    assert_eq!(posts.count(), 2, "neither had to look again");
}
