//! What is done about answers that are none.

mod common;

use std::collections::HashSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use common::overheard;
use common::scripted::{Do, Scripted};
use ksm_client::error::{Break, RotationStop};
use ksm_client::{Cause, Client, ConfigFile, Error, Event, Filter, MAX_WAIT, Options, Secrets};
use serde_json::json;

async fn get(service: &Scripted, options: Options) -> Result<Secrets, Error> {
    Client::new(service.config(), options).unwrap().secrets(&Filter::all()).await
}

fn empty() -> Do {
    Do::Seal(json!({}))
}

#[tokio::test]
async fn every_request_says_who_and_has_a_key_of_its_own() {
    let service = Scripted::start(
        |index, _| if index < 2 { Do::Plain(403, r#"{"error":"throttled"}"#, vec![]) } else { empty() },
    )
    .await;
    get(&service, service.options()).await.unwrap();
    let seen = service.seen();
    assert_eq!(seen.len(), 3);
    for request in &seen {
        assert_eq!(request.path, "/api/rest/sm/v1/get_secret");
        assert_eq!(request.payload["clientVersion"], ksm_client::CLIENT_VERSION);
        assert!(request.payload["clientId"].as_str().unwrap().starts_with("AQEB"));
        assert!(request.payload.get("publicKey").is_none());
    }
    assert_eq!(seen.iter().map(|request| &request.wrapped).collect::<HashSet<_>>().len(), 3);
}

#[tokio::test]
async fn the_announced_version_can_be_another() {
    let service = Scripted::start(|_, _| empty()).await;
    get(&service, service.options().client_version("ms17.5.0")).await.unwrap();
    assert_eq!(service.seen()[0].payload["clientVersion"], "ms17.5.0");
}

#[tokio::test]
async fn a_rotation_is_followed_and_kept_in_the_file() {
    let service = Scripted::start(|_, seen| match seen.key_id.as_str() {
        "9" => empty(),
        _ => Do::Plain(401, r#"{"error":"key","key_id":9}"#, vec![]),
    })
    .await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("client-config.json");
    ConfigFile::create(&path, &service.config()).unwrap();
    let (options, events) = overheard(service.options());
    let client = Client::open(&path, options.clone()).unwrap();
    client.secrets(&Filter::all()).await.unwrap();
    assert_eq!(*events.lock().unwrap(), [Event::KeyRotated { from: 10, to: 9 }]);
    // The next one begins with it.
    Client::open(&path, options).unwrap().secrets(&Filter::all()).await.unwrap();
    let ids: Vec<String> = service.seen().into_iter().map(|seen| seen.key_id).collect();
    assert_eq!(ids, ["10", "9", "9"]);
}

#[tokio::test]
async fn an_unknown_key_id_falls_back_to_the_default() {
    let service = Scripted::start(|_, _| empty()).await;
    let mut document = service.document();
    document["serverPublicKeyId"] = "99".into();
    let client = Client::new(ksm_client::Config::parse(&document.to_string()).unwrap(), service.options()).unwrap();
    client.secrets(&Filter::all()).await.unwrap();
    assert_eq!(service.seen()[0].key_id, "10");
}

#[tokio::test]
async fn rotation_ends() {
    // Back and forth for ever.
    let service = Scripted::start(|_, seen| match seen.key_id.as_str() {
        "9" => Do::Plain(401, r#"{"error":"key","key_id":"10"}"#, vec![]),
        _ => Do::Plain(401, r#"{"error":"key","key_id":9}"#, vec![]),
    })
    .await;
    let error = get(&service, service.options()).await.unwrap_err();
    assert!(
        matches!(error, Error::KeyRotation { ref asked, why: RotationStop::TooMany, .. } if asked == "10"),
        "{error}"
    );
    assert_eq!(service.seen().len(), 4);

    // An id that is in no table, and none at all.
    for body in [r#"{"error":"key","key_id":99}"#, r#"{"error":"key"}"#, r#"{"error":"key","key_id":-9}"#] {
        let service = Scripted::start(move |_, _| Do::Plain(401, body, vec![])).await;
        let error = get(&service, service.options()).await.unwrap_err();
        assert!(matches!(error, Error::KeyRotation { why: RotationStop::Unknown, .. }), "{error}");
    }

    // A key of one's own has no other.
    let service = Scripted::start(|_, _| Do::Plain(401, r#"{"error":"key","key_id":9}"#, vec![])).await;
    let mut document = service.document();
    let own = keeper_wire::text::url(keeper_wire::ec::PrivateKey::generate().public().as_bytes());
    document["serverPublicKey"] = own.into();
    let client = Client::new(ksm_client::Config::parse(&document.to_string()).unwrap(), service.options()).unwrap();
    let error = client.secrets(&Filter::all()).await.unwrap_err();
    assert!(matches!(error, Error::KeyRotation { why: RotationStop::Custom, .. }), "{error}");
}

#[tokio::test]
async fn the_rate_limit_is_waited_out_and_told() {
    let service = Scripted::start(|index, _| match index {
        0 => Do::Plain(403, r#"{"error":"throttled"}"#, vec![]),
        1 => Do::Plain(403, r#"{"result_code":"throttled","retry_after":0.001}"#, vec![]),
        2 => Do::Plain(429, "<html>slow down</html>", vec![("Retry-After", "0".to_owned())]),
        _ => empty(),
    })
    .await;
    let (options, events) = overheard(service.options());
    get(&service, options).await.unwrap();
    let events = events.lock().unwrap();
    let waits: Vec<(Duration, u32)> = events
        .iter()
        .map(|event| match event {
            Event::Throttled { operation: "get_secret", wait, attempt } => (*wait, *attempt),
            other => panic!("{other}"),
        })
        .collect();
    assert_eq!(waits.len(), 3);
    assert_eq!(waits[1], (Duration::from_millis(1), 2));
    // What the service does not say follows the ladder.
    assert!(waits[0].0 >= Duration::from_millis(2) && waits[2].0 >= Duration::from_millis(8));
}

#[tokio::test]
async fn the_rate_limit_ends() {
    let service = Scripted::start(|_, _| Do::Plain(403, r#"{"error":"throttled"}"#, vec![])).await;
    let error = get(&service, service.options()).await.unwrap_err();
    assert!(matches!(error, Error::Throttled { status: 403, attempts: 6, .. }), "{error}");
    assert_eq!(service.seen().len(), 6);
}

#[tokio::test]
async fn a_wait_beyond_the_deadline_is_not_begun() {
    let service = Scripted::start(|_, _| Do::Plain(429, "", vec![("Retry-After", "100000".to_owned())])).await;
    let (options, events) = overheard(service.options().deadline(Duration::from_secs(20)));
    let error = get(&service, options).await.unwrap_err();
    // Capped, however long the service asks for.
    assert!(matches!(error, Error::Throttled { status: 429, attempts: 1, wait, .. } if wait == MAX_WAIT), "{error}");
    assert!(error.is_unavailable() && events.lock().unwrap().is_empty());
}

#[tokio::test]
async fn reads_are_repeated_and_the_repetition_ends() {
    let service = Scripted::start(|index, _| match index {
        0 => Do::Cut,
        1 => Do::Plain(502, "<html>bad gateway</html>", vec![]),
        2 => Do::Plain(500, r#"{"error":"generic","message":"oops"}"#, vec![]),
        _ => empty(),
    })
    .await;
    let (options, events) = overheard(service.options());
    get(&service, options).await.unwrap();
    assert_eq!(events.lock().unwrap().len(), 3);

    let service = Scripted::start(|_, _| Do::Plain(502, "<html>bad gateway</html>", vec![])).await;
    let error = get(&service, service.options()).await.unwrap_err();
    assert!(matches!(error, Error::Http { status: 502, what: "a web page", .. }), "{error}");
    assert_eq!(service.seen().len(), 4);

    // However long the page is.
    let page = "<html>bad gateway</html>".repeat(10_000).leak();
    let service = Scripted::start(|_, _| Do::Plain(502, page, vec![])).await;
    let error = get(&service, service.options()).await.unwrap_err();
    assert!(matches!(error, Error::Http { status: 502, .. }) && error.is_unavailable(), "{error}");
    assert_eq!(service.seen().len(), 4);

    let service = Scripted::start(|_, _| Do::Cut).await;
    let error = get(&service, service.options()).await.unwrap_err();
    assert!(matches!(error, Error::Lost { what: Break::Cut, .. }), "{error}");
    assert!(error.maybe_done() && error.is_unavailable());
}

#[tokio::test]
async fn a_refusal_is_final_and_keeps_its_words() {
    let service = Scripted::start(|_, _| {
        Do::Plain(
            403,
            r#"{"path":"x","location":"y","error":"access_denied","message":"Signature is invalid"}"#,
            vec![],
        )
    })
    .await;
    let error = get(&service, service.options()).await.unwrap_err();
    let Error::Refused(refusal) = &error else { panic!("{error}") };
    assert_eq!((refusal.status, &*refusal.code, &*refusal.message), (403, "access_denied", "Signature is invalid"));
    assert_eq!(error.cause(), Some(Cause::Signature));
    assert_eq!(service.seen().len(), 1);
}

#[tokio::test]
async fn silence_ends_with_the_attempt_and_with_the_deadline() {
    let service = Scripted::start(|_, _| Do::Silence).await;
    let error = get(&service, service.options().attempt_timeout(Duration::from_millis(40))).await.unwrap_err();
    assert!(matches!(error, Error::Lost { what: Break::Slow, .. }), "{error}");
    assert_eq!(service.seen().len(), 4);
    let error = get(&service, service.options().deadline(Duration::from_millis(40))).await.unwrap_err();
    assert!(matches!(error, Error::Deadline { maybe_done: true, .. }), "{error}");
}

#[tokio::test]
async fn answers_are_bounded_and_sealed() {
    let service = Scripted::start(|_, _| Do::Raw(vec![0; 5_000])).await;
    let error = get(&service, service.options().max_reply(1_000)).await.unwrap_err();
    assert!(matches!(error, Error::TooLarge { limit: 1_000, .. }), "{error}");
    let error = get(&service, service.options()).await.unwrap_err();
    assert!(error.to_string().starts_with("open the answer"), "{error}");

    let service = Scripted::start(|_, _| Do::Seal(json!({ "records": { "marker": 1 } }))).await;
    let error = get(&service, service.options()).await.unwrap_err();
    assert_eq!(error.to_string(), "read the answer to get_secret, because records: not of the expected kind");
}

#[tokio::test]
async fn a_certificate_nobody_vouches_for_is_refused() {
    let service = Scripted::start(|_, _| empty()).await;
    let error = get(&service, common::quick()).await.unwrap_err();
    assert!(matches!(error, Error::Lost { what: Break::Connect, .. }), "{error}");
    assert!(!error.maybe_done() && service.seen().is_empty());
}

#[tokio::test]
async fn a_proxy_is_used() {
    // A proxy that takes nobody: the attempt to use it is all that is to be seen.
    let proxy = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = proxy.local_addr().unwrap();
    let calls = std::sync::Arc::new(AtomicUsize::new(0));
    let counted = calls.clone();
    let task = tokio::spawn(async move {
        while proxy.accept().await.is_ok() {
            counted.fetch_add(1, Ordering::SeqCst);
        }
    });
    let service = Scripted::start(|_, _| empty()).await;
    let error =
        get(&service, service.options().proxy(format!("http://user:marker@{address}").into())).await.unwrap_err();
    assert!(!format!("{error} {error:?}").contains("marker"), "{error:?}");
    assert!(calls.load(Ordering::SeqCst) > 0 && service.seen().is_empty());
    task.abort();
    assert!(matches!(Client::new(service.config(), common::quick().proxy("::".into())), Err(Error::Setup { .. })));
    assert!(matches!(Client::new(service.config(), common::quick().authority("no PEM")), Err(Error::Setup { .. })));
}

#[tokio::test]
async fn another_host_can_be_named() {
    let service = Scripted::start(|_, _| empty()).await;
    let mut document = service.document();
    document["hostname"] = "keepersecurity.eu".into();
    let config = ksm_client::Config::parse(&document.to_string()).unwrap();
    let host = format!("localhost:{}", service.port).parse().unwrap();
    let client = Client::new(config, service.options().host(host)).unwrap();
    client.secrets(&Filter::all()).await.unwrap();
    assert_eq!(client.host().to_string(), format!("localhost:{}", service.port));
}

#[tokio::test]
async fn one_client_reads_from_many_tasks() {
    let service =
        Scripted::start(
            |index, _| if index == 7 { Do::Plain(401, r#"{"error":"key","key_id":9}"#, vec![]) } else { empty() },
        )
        .await;
    let client = Client::new(service.config(), service.options()).unwrap();
    let tasks: Vec<_> = (0..40)
        .map(|_| {
            let client = client.clone();
            tokio::spawn(async move { client.secrets(&Filter::all()).await.map(|_| ()) })
        })
        .collect();
    for task in tasks {
        task.await.unwrap().unwrap();
    }
    assert_eq!(client.config().server_key_id(), 9);
}
