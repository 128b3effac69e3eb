//! The machine behind a wiremock server: the same answers, cuts and effects.

use keeper_fake::seed::{Device, Guide};
use keeper_fake::wiremock::{Mounted, scenario};
use keeper_fake::{World, faults};
use keeper_wire::ec::PrivateKey;
use keeper_wire::envelope::signed_text;
use keeper_wire::{Transmission, text};
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use wiremock::matchers::path;
use wiremock::{Mock, MockServer, ResponseTemplate};

/// Status and body; `None` when the connection was cut.
type Answer = Option<(u16, Vec<u8>)>;

/// One request over a connection of its own. `headers` end with a line break each.
fn ask(address: SocketAddr, line: &str, headers: &str, body: &[u8]) -> Answer {
    let mut stream = TcpStream::connect(address).unwrap();
    let length = body.len();
    let head =
        format!("{line} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nContent-Length: {length}\r\n{headers}\r\n");
    stream.write_all(&[head.as_bytes(), body].concat()).unwrap();
    let mut answer = Vec::new();
    // A cut may come as an end or as an error.
    let _ = stream.read_to_end(&mut answer);
    let end = answer.windows(4).position(|window| window == b"\r\n\r\n")?;
    let status = std::str::from_utf8(answer.get(9..12)?).ok()?.parse().ok()?;
    Some((status, answer.split_off(end + 4)))
}

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

    /// One operation of a device, sealed and signed: its answer, opened.
    async fn call(&self, device: &Device, operation: &str, key_id: i32, payload: &Value) -> Result<Value, Option<u16>> {
        let config = device.config("");
        let mut payload = payload.clone();
        (payload["clientVersion"], payload["clientId"]) = (json!("mr17.3.0"), config["clientId"].clone());
        let key = Transmission::new();
        let server_key = self.mounted.world().server_keys().get(key_id).unwrap();
        let (wrapped, sealed) = (key.wrap(&server_key), key.seal(payload.to_string().as_bytes()));
        let own = text::decode(config["privateKey"].as_str().unwrap()).unwrap();
        let signature = PrivateKey::from_pkcs8(&own).unwrap().sign(&signed_text(&wrapped, &sealed));
        let line = format!("POST /api/rest/sm/v1/{operation}");
        let headers = format!(
            "PublicKeyId: {key_id}\r\nTransmissionKey: {}\r\nAuthorization: Signature {}\r\n",
            text::standard(&wrapped),
            text::standard(&signature)
        );
        match self.send(line, headers, sealed).await {
            Some((200, body)) if body.is_empty() => Ok(Value::Null),
            Some((200, body)) => Ok(serde_json::from_slice(&key.open(&body).unwrap()).unwrap()),
            other => Err(other.map(|(status, _)| status)),
        }
    }

    async fn send(&self, line: String, headers: String, body: Vec<u8>) -> Answer {
        let address = *self.server.address();
        tokio::task::spawn_blocking(move || ask(address, &line, &headers, &body)).await.unwrap()
    }

    /// Reads everything with the guide's device.
    async fn read(&self) -> Result<Value, Option<u16>> {
        self.call(&self.guide.device, "get_secret", 10, &json!({})).await
    }
}

fn files(answer: &Value) -> Vec<Value> {
    answer["folders"][0]["records"][0]["files"].as_array().cloned().unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_reads_and_fetches_over_plain_http() {
    let bench = Bench::of("guide").await;
    let answer = bench.read().await.unwrap();
    let files = files(&answer);
    assert_eq!(files.len(), 3);
    for file in files {
        let url = file["url"].as_str().unwrap();
        let path = url.strip_prefix(&bench.server.uri()).expect("the address of the server itself").to_owned();
        let (status, body) = bench.send(format!("GET {path}"), String::new(), Vec::new()).await.unwrap();
        assert!(status == 200 && body.len() > 28);
    }
    assert_eq!(bench.mounted.world().journal.len(), 4);
    let (status, _) = bench.send("GET /".to_owned(), String::new(), Vec::new()).await.unwrap();
    assert_eq!(status, 404);
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
        let again = bench.call(&bench.guide.device, "get_secret", key, &json!({})).await.unwrap();
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
        let cut = bench.call(&bench.guide.device, "update_secret", 10, &change).await;
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
    let address = *server.address();
    let large = vec![0; (64 << 20) + 1];
    let asked = tokio::task::spawn_blocking(move || ask(address, "POST /api/rest/sm/v1/get_secret", "", &large));
    assert_eq!(asked.await.unwrap().map(|(status, _)| status), Some(413));
    assert!(mounted.world().journal.is_empty());
}
