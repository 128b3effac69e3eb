//! The machine behind a wiremock server: the same answers, cuts and effects.

mod common;

use common::{ask, call, files};
use keeper_fake::seed::Guide;
use keeper_fake::wiremock::{Mounted, scenario};
use keeper_fake::{World, faults};
use keeper_wire::text;
use serde_json::{Value, json};
use wiremock::matchers::path;
use wiremock::{Mock, MockServer, ResponseTemplate};

struct Bench {
    server: MockServer,
    mounted: Mounted,
    guide: Guide,
}

impl Bench {
    async fn of(name: &str) -> Self {
        let (world, guide) = scenario(name).unwrap();
        let server = MockServer::start().await;
        let mounted = Mounted::on(&server, world).await;
        Self { server, mounted, guide }
    }

    async fn call(&self, operation: &str, key: i32, payload: &Value) -> Result<Value, Option<u16>> {
        let (config, keys) = (self.guide.device.config(""), self.mounted.world().server_keys());
        call(*self.server.address(), (&config, &keys, key), operation, payload).await
    }

    /// Reads everything.
    async fn read(&self) -> Result<Value, Option<u16>> {
        self.call("get_secret", 10, &json!({})).await
    }

    async fn get(&self, path: &str) -> (u16, Vec<u8>) {
        ask(*self.server.address(), &format!("GET {path}"), "", &[]).await.unwrap()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_reads_and_fetches_over_plain_http() {
    let bench = Bench::of("guide").await;
    let answer = bench.read().await.unwrap();
    let files = files(&answer);
    assert_eq!(files.len(), 3);
    for file in files {
        let url = file["url"].as_str().unwrap();
        let path = url.strip_prefix(&bench.server.uri()).expect("the address of the server itself");
        let (status, body) = bench.get(path).await;
        assert!(status == 200 && body.len() > 28);
    }
    assert_eq!(bench.mounted.world().journal.len(), 4);
    assert_eq!(bench.get("/").await.0, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_scenario_is_met_once_and_then_over() {
    for (name, first) in [
        ("throttle", Err(Some(403))),
        ("throttle_untold", Err(Some(403))),
        ("rotate", Err(Some(401))),
        ("http429", Err(Some(429))),
        ("http500", Err(Some(500))),
        ("html502", Err(Some(502))),
        ("cut_before", Err(None)),
        ("cut_after", Err(None)),
        ("missing_url", Ok(true)),
        ("guide", Ok(false)),
        ("no_owner_key", Ok(false)),
    ] {
        let bench = Bench::of(name).await;
        let answer = bench.read().await;
        assert_eq!(answer.map(|answer| files(&answer)[0]["url"].is_null()), first, "{name}");
        let key = if name == "rotate" { 9 } else { 10 };
        let again = bench.call("get_secret", key, &json!({})).await.unwrap();
        assert!(files(&again)[0]["url"].is_string(), "{name}");
        assert_eq!(bench.mounted.world().faults.waiting(), 0, "{name}");
    }
    let flat = Bench::of("flat").await.read().await.unwrap();
    assert_eq!(flat["records"].as_array().map(Vec::len), Some(1));
    assert!(faults::NAMES.iter().all(|name| scenario(name).is_some()));
    assert!(scenario("else").is_none());
}

/// A record with other data, which only counts its bytes: the service cannot open them.
fn change(answer: &Value) -> Value {
    let record = &answer["folders"][0]["records"][0];
    json!({ "recordUid": record["recordUid"], "revision": record["revision"], "data": text::url(&[7; 40]) })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cut_comes_before_or_after_the_effect() {
    for (fault, done) in [("cut_before", false), ("cut_after", true)] {
        let bench = Bench::of("guide").await;
        let change = change(&bench.read().await.unwrap());
        assert!(bench.mounted.world().fault(fault));
        let cut = bench.call("update_secret", 10, &change).await;
        assert_eq!(cut, Err(None));
        let record = bench.guide.record;
        assert_eq!(bench.mounted.world().vault.records[&record].data == [7; 40], done, "{fault}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mock_of_a_higher_priority_goes_first() {
    let bench = Bench::of("guide").await;
    let teapot = Mock::given(path("/api/rest/sm/v1/get_secret")).respond_with(ResponseTemplate::new(418));
    teapot.up_to_n_times(1).with_priority(1).mount(&bench.server).await;
    assert_eq!(bench.read().await, Err(Some(418)));
    assert!(bench.read().await.is_ok());
    assert_eq!(bench.mounted.world().journal.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn too_large_a_body_is_refused() {
    let server = MockServer::start().await;
    let mounted = Mounted::on(&server, World::new()).await;
    let large = vec![0; (64 << 20) + 1];
    let answer = ask(*server.address(), "POST /api/rest/sm/v1/get_secret", "", &large).await;
    assert_eq!(answer.map(|(status, _)| status), Some(413));
    assert!(mounted.world().journal.is_empty());
}
