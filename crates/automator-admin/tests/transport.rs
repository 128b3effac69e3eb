//! One call, and everything that can come instead of an answer (spec 1).

mod common;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use automator_admin::{Error, Event, Login, Options};
use common::Stage;
use keeper_fake::admin::{Calls, ML_KEM_ID, Scripted};
use keeper_fake::faults::{Fault, On};
use keeper_fake::{Fake, Scheme, World};

/// Options that keep what they are told.
fn listening(options: Options) -> (Options, Arc<Mutex<Vec<Event>>>) {
    let events = Arc::new(Mutex::new(Vec::new()));
    let kept = events.clone();
    (options.on_event(move |event| kept.lock().unwrap().push(event.clone())), events)
}

fn error(status: u16, error: &str, message: &str) -> Scripted {
    Scripted::Error { status, error: error.to_owned(), message: message.to_owned() }
}

fn named(call: &str) -> Calls {
    Calls::Named(call.to_owned())
}

#[tokio::test]
async fn another_server_key_is_taken_into_use() {
    let stage = Stage::new().await;
    let (options, events) = listening(stage.options());
    let session = stage.login().options(options).sign_in().await.unwrap();
    stage.fake.world().admin.rotate(12);
    session.account().await.unwrap();
    assert_eq!(*events.lock().unwrap(), [Event::KeyRotated { from: 7, to: 12 }]);
    // And stays in use: the next call needs one request.
    let before = stage.requests();
    session.enterprise().await.unwrap();
    assert_eq!(stage.calls(before).len(), 2);
}

#[tokio::test]
async fn a_server_key_that_nobody_knows_ends_the_call() {
    let stage = Stage::new().await;
    let session = stage.sign_in().await;
    stage.fake.world().admin.script(Calls::Any, 9, error(401, "key", "another key"));
    let failed = session.account().await.unwrap_err();
    assert_eq!(failed.code(), "keeper-server-key");
    assert!(failed.hint().is_some());
}

#[tokio::test]
async fn the_hybrid_envelope_is_used_when_a_key_is_given() {
    let stage = Stage::new().await;
    let ml_kem = stage.fake.world().admin.ml_kem_public_key();
    let (options, events) = listening(stage.options().hybrid_key(ML_KEM_ID, ml_kem));
    let session = stage.login().options(options).sign_in().await.unwrap();
    session.account().await.unwrap();
    assert!(events.lock().unwrap().is_empty(), "nothing was dropped");
    // The P-256 half rotates within the hybrid envelope.
    stage.fake.world().admin.rotate(9);
    session.enterprise().await.unwrap();
    assert_eq!(*events.lock().unwrap(), [Event::KeyRotated { from: 7, to: 9 }]);
}

#[tokio::test]
async fn a_server_without_the_hybrid_envelope_gets_the_plain_one() {
    let stage = Stage::new().await;
    let ml_kem = stage.fake.world().admin.ml_kem_public_key();
    let (options, events) = listening(stage.options().hybrid_key(ML_KEM_ID, ml_kem));
    stage.fake.world().admin.script(Calls::Any, 1, error(400, "bad_request", "unknown field"));
    stage.login().options(options).sign_in().await.unwrap();
    assert_eq!(*events.lock().unwrap(), [Event::HybridDropped]);
}

#[tokio::test]
async fn the_rate_limit_is_waited_for_and_seen() {
    let stage = Stage::new().await;
    let (options, events) = listening(stage.options());
    let session = stage.login().options(options).sign_in().await.unwrap();
    stage.fake.world().admin.script(Calls::Any, 2, error(403, "throttled", "try again in 1 second"));
    session.account().await.unwrap();
    let events = events.lock().unwrap();
    // 2 ms at first, so what the text asks for is capped at 20 ms.
    let expected = |attempt| Event::Throttled { call: "account_summary", wait: Duration::from_millis(20), attempt };
    assert_eq!(*events, [expected(1), expected(2)]);
}

#[tokio::test]
async fn a_rate_limit_without_end_is_an_error_with_its_text() {
    let stage = Stage::new().await;
    let session = stage.sign_in().await;
    stage.fake.world().admin.script(Calls::Any, 9, error(403, "throttled", "Too many requests"));
    let before = stage.requests();
    let failed = session.account().await.unwrap_err();
    assert_eq!(stage.calls(before).len(), 4, "three waits");
    assert_eq!((failed.code(), failed.server_text()), ("keeper-throttled", Some("Too many requests")));
    assert!(failed.hint().unwrap().contains("minutes"), "{:?}", failed.hint());
    assert!(!failed.maybe_done());
}

#[tokio::test]
async fn a_wait_beyond_the_deadline_is_not_begun() {
    let stage = Stage::new().await;
    let options = stage.options().deadline(Duration::from_secs(5)).throttle_pause(Duration::from_secs(30));
    let session = stage.login().options(options).sign_in().await.unwrap();
    stage.fake.world().admin.script(Calls::Any, 9, error(403, "throttled", ""));
    let before = stage.requests();
    assert_eq!(session.account().await.unwrap_err().code(), "keeper-throttled");
    assert_eq!(stage.calls(before).len(), 1);
}

#[tokio::test]
async fn reads_are_repeated_when_no_usable_answer_comes() {
    for fault in [Fault::CutBefore, Fault::CutAfter, Fault::Html502, Fault::Http500] {
        let stage = Stage::new().await;
        let session = stage.sign_in().await;
        stage.fake.world().faults.next(On::Admin, fault.clone());
        session.account().await.unwrap_or_else(|error| panic!("{fault:?}: {error}"));
        assert_eq!(stage.fake.world().faults.waiting(), 0);
    }
}

#[tokio::test]
async fn reads_are_not_repeated_for_ever() {
    let stage = Stage::new().await;
    let session = stage.sign_in().await;
    for _ in 0..9 {
        stage.fake.world().faults.next(On::Admin, Fault::Html502);
    }
    let failed = session.account().await.unwrap_err();
    assert_eq!(failed.code(), "keeper-not-an-answer");
    assert!(failed.to_string().contains("502") && failed.to_string().contains("web page"), "{failed}");
    assert_eq!(stage.fake.world().faults.waiting(), 5, "four attempts");
}

#[tokio::test]
async fn a_refusal_keeps_code_and_text_of_the_server() {
    let stage = Stage::new().await;
    let session = stage.sign_in().await;
    stage.fake.world().admin.script(named("login/account_summary"), 1, error(403, "access_denied", "Not for you"));
    let failed = session.account().await.unwrap_err();
    assert_eq!((failed.code(), failed.server_text()), ("keeper-access-denied", Some("Not for you")));
    assert!(failed.to_string().contains("access_denied: Not for you"), "{failed}");
    assert!(matches!(failed, Error::Refused(refusal) if refusal.status == 403));
}

#[tokio::test]
async fn an_answer_that_takes_too_long_ends_at_the_deadline() {
    let stage = Stage::new().await;
    let options = stage.options().deadline(Duration::from_millis(300));
    let session = stage.login().options(options).sign_in().await.unwrap();
    stage.fake.world().faults.next(On::Admin, Fault::Slow(Duration::from_secs(60)));
    let failed = session.account().await.unwrap_err();
    assert_eq!(failed.code(), "keeper-deadline");
}

#[tokio::test]
async fn an_answer_larger_than_the_limit_is_not_read() {
    let stage = Stage::new().await;
    let session = stage.login().options(stage.options().max_reply(700)).sign_in().await.unwrap();
    assert_eq!(session.account().await.unwrap_err().code(), "keeper-too-large");
}

#[tokio::test]
async fn a_server_is_trusted_by_the_authority_that_was_given() {
    let stage = Stage::new().await;
    let untrusting = Options::new().server_keys(stage.fake.world().server_keys()).retry_pause(Duration::from_millis(1));
    let before = stage.requests();
    let failed = Login::new(stage.config.clone()).options(untrusting).sign_in().await.unwrap_err();
    assert_eq!(failed.code(), "keeper-unreachable");
    assert!(failed.hint().is_some() && !failed.maybe_done());
    assert_eq!(stage.requests(), before);
    stage.login().sign_in().await.expect("the clone code was not spent");

    let broken = stage.options().authority("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
    assert_eq!(stage.login().options(broken).sign_in().await.unwrap_err().code(), "keeper-setup");
}

#[tokio::test]
async fn without_tls_only_this_machine_is_spoken_to() {
    let mut world = World::new();
    let device = world.admin.add_resumable();
    let keys = world.server_keys();
    let fake = Fake::start(world, Scheme::Http).await.unwrap();
    let json = fake.world().admin.commander_config(fake.origin(), &device).to_string();
    let config = automator_admin::config::Config::parse(json.as_bytes()).unwrap();
    let store = automator_admin::config::ConfigMemory::new(config);
    let options = Options::new().server_keys(keys);
    Login::new(store.clone()).options(options.clone()).sign_in().await.unwrap();

    let elsewhere = options.host("http://keeper.example.com".parse().unwrap());
    let failed = Login::new(store).options(elsewhere).sign_in().await.unwrap_err();
    assert_eq!(failed.code(), "keeper-setup");
    assert!(failed.to_string().contains("https://"), "{failed}");
}
