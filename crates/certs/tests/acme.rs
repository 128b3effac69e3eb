//! Issued by Pebble, a real ACME server, with DNS-01 through the trait.

#![expect(dead_code, reason = "not every test needs all of the shared parts")]

mod common;

use std::collections::BTreeMap;
use std::future::{Future, poll_fn};
use std::net::TcpListener;
use std::pin::pin;
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::task::Poll;
use std::time::{Duration, Instant};

use base64ct::{Base64UrlUnpadded, Encoding};
use certs::acme::{Acme, Applicant, Directory, Dns01, DnsError, ExternalAccount};
use certs::make::{Authority, KeyType};
use certs::{Bundle, PrivateKey};
use common::{HOST, now, witness};
use secrecy::ExposeSecret;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Pebble and its DNS server, ended when dropped.
struct World {
    children: Vec<Child>,
    folder: tempfile::TempDir,
    directory: Directory,
    management: u16,
    /// What stands in the zone, as the keeper of the zone would remember it.
    zone: Mutex<BTreeMap<String, Vec<String>>>,
}

impl Drop for World {
    fn drop(&mut self) {
        for child in &mut self.children {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

impl World {
    async fn start(bindings: serde_json::Value) -> Option<Self> {
        // Pebble has no `--version`, but answers any flag.
        if !witness("pebble") || !witness("pebble-challtestsrv") {
            return None;
        }
        let folder = tempfile::tempdir().unwrap();
        let put = |name: &str, text: &str| {
            let path = folder.path().join(name);
            std::fs::write(&path, text).unwrap();
            path.to_str().unwrap().to_owned()
        };
        let until = now().checked_add(jiff::Span::new().hours(24 * 365)).unwrap();
        // Pebble's own certificate is valid at the time of this test, whenever that is.
        let today = jiff::Timestamp::from_second(unix_time()).unwrap();
        let authority = Authority::throw_away("Pebble", today).unwrap();
        let later = today.checked_add(jiff::Span::new().hours(48)).unwrap().max(until);
        let server = authority.issue(&["localhost"], KeyType::P256, today, later).unwrap().acm().unwrap();
        let (https, manage, dns, management) = (free_port(), free_port(), free_port(), free_port());
        let bound = !bindings.is_null();
        let config = serde_json::json!({ "pebble": {
            "listenAddress": format!("127.0.0.1:{https}"),
            "managementListenAddress": format!("127.0.0.1:{manage}"),
            "certificate": put("server.pem", &[server.body, server.chain.unwrap()].concat()),
            "privateKey": put("server.key", server.private_key.expose_secret()),
            "httpPort": free_port(), "tlsPort": free_port(), "ocspResponderURL": "",
            "externalAccountBindingRequired": bound,
            "externalAccountMACKeys": bindings,
        }});
        let config = put("config.json", &config.to_string());
        let root = put("root.pem", &authority.root().pem());
        let start = |program: &str, arguments: &[&str]| {
            Command::new(program)
                .args(arguments)
                .env("PEBBLE_VA_NOSLEEP", "1")
                .env("PEBBLE_AUTHZREUSE", "0")
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .unwrap()
        };
        let dns = format!("127.0.0.1:{dns}");
        let names = ["-dns01", &dns, "-http01", "", "-https01", "", "-tlsalpn01", "", "-doh", ""];
        let names = if help("pebble-challtestsrv").contains("-doh") { &names[..] } else { &names[..8] };
        let at = format!("127.0.0.1:{management}");
        let children = vec![
            start("pebble-challtestsrv", &[names, &["-management", &at]].concat()),
            start("pebble", &["-config", &config, "-dnsserver", &dns]),
        ];
        let directory = Directory { url: format!("https://localhost:{https}/dir"), root: Some(root.into()) };
        let world = Self { children, folder, directory, management, zone: Mutex::default() };
        world.wait_until_up(https).await;
        world.wait_until_up(management).await;
        Some(world)
    }

    async fn wait_until_up(&self, port: u16) {
        let deadline = Instant::now() + Duration::from_secs(20);
        while TcpStream::connect(("127.0.0.1", port)).await.is_err() {
            assert!(Instant::now() < deadline, "nothing listens on {port}");
            tokio::task::yield_now().await;
        }
    }

    async fn manage(&self, path: &str, body: serde_json::Value) -> Result<(), DnsError> {
        let body = body.to_string();
        let head = format!("POST {path} HTTP/1.0\r\nHost: localhost\r\nContent-Length: {}\r\n\r\n", body.len());
        let mut stream = TcpStream::connect(("127.0.0.1", self.management)).await?;
        stream.write_all([head, body].concat().as_bytes()).await?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await?;
        if answer.contains(" 200 ") { Ok(()) } else { Err(answer.into()) }
    }

    fn is_clean(&self) -> bool {
        self.zone.lock().unwrap().values().all(Vec::is_empty)
    }
}

fn help(program: &str) -> String {
    let output = Command::new(program).arg("-h").output().unwrap();
    String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned()
}

fn unix_time() -> i64 {
    std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap().as_secs().try_into().unwrap()
}

impl Dns01 for World {
    async fn publish(&self, record: &str, value: &str) -> Result<(), DnsError> {
        let values = {
            let mut zone = self.zone.lock().unwrap();
            let values = zone.entry(record.to_owned()).or_default();
            if values.iter().any(|known| known == value) {
                return Ok(());
            }
            values.push(value.to_owned());
            values.len()
        };
        assert!(values <= 2, "a killed run's values are still there");
        self.manage("/set-txt", serde_json::json!({ "host": format!("{record}."), "value": value })).await
    }

    async fn remove(&self, record: &str, value: &str) -> Result<(), DnsError> {
        self.zone.lock().unwrap().entry(record.to_owned()).or_default().retain(|known| known != value);
        self.manage("/clear-txt", serde_json::json!({ "host": format!("{record}.") })).await
    }

    async fn leftovers(&self, record: &str) -> Result<Vec<String>, DnsError> {
        Ok(self.zone.lock().unwrap().get(record).cloned().unwrap_or_default())
    }
}

/// Runs work until it is done or was looked at `polls` times, and drops it then: a kill at that moment.
async fn killed_after<T>(polls: usize, work: impl Future<Output = T>) -> Option<T> {
    let mut work = pin!(work);
    let mut left = polls;
    poll_fn(|cx| {
        if left == 0 {
            return Poll::Ready(None);
        }
        left -= 1;
        work.as_mut().poll(cx).map(Some)
    })
    .await
}

fn check(bundle: &Bundle, host: &str) {
    let now = jiff::Timestamp::from_second(unix_time()).unwrap();
    let report = bundle.judge(host, now);
    assert!(report.is_usable(), "{report:?}");
    assert_eq!(bundle.chain().len(), 1);
}

#[tokio::test]
async fn issued_renewed_and_written() {
    let Some(world) = World::start(serde_json::Value::Null).await else { return };
    let (account, key) =
        (PrivateKey::generate(KeyType::P256).unwrap(), PrivateKey::generate(KeyType::Rsa2048).unwrap());
    let nobody = Applicant::default();
    let acme = Acme::open(&world.directory, &account, &nobody).await.unwrap();
    // Opened again, it is the same account.
    assert_eq!(format!("{acme:?}"), format!("{:?}", Acme::open(&world.directory, &account, &nobody).await.unwrap()));

    let hosts = [HOST, "*.automator.example.com", "automator.例え.テスト"];
    let bundle = acme.issue(&world, &hosts, &key, None).await.unwrap().bundle;
    assert!(world.is_clean());
    hosts.iter().filter(|host| !host.starts_with('*')).for_each(|host| check(&bundle, host));

    let _ = acme.renewal_window(bundle.leaf()).await.unwrap();
    let renewed = acme.issue(&world, &hosts, &key, Some(bundle.leaf())).await.unwrap().bundle;
    assert_ne!(bundle.leaf(), renewed.leaf());
    assert_eq!(bundle.leaf().key_algorithm(), renewed.leaf().key_algorithm());
    let password = certs::make::generate_password().unwrap();
    let pfx = renewed.to_pfx(&password).unwrap();
    assert_eq!(Bundle::from_pfx(&pfx, &password).unwrap().leaf(), renewed.leaf());
}

#[tokio::test]
async fn killed_at_any_moment_and_run_again() {
    let Some(world) = World::start(serde_json::Value::Null).await else { return };
    let (account, key) = (PrivateKey::generate(KeyType::P256).unwrap(), PrivateKey::generate(KeyType::P256).unwrap());
    let run = async || {
        let acme = Acme::open(&world.directory, &account, &Applicant::default()).await.unwrap();
        acme.issue(&world, &[HOST], &key, None).await.unwrap().bundle
    };
    let mut kills = 0;
    let bundle = loop {
        match killed_after(kills, run()).await {
            Some(bundle) => break bundle,
            None => kills += 1,
        }
    };
    assert!(kills > 10, "only {kills}");
    check(&bundle, HOST);
    assert!(world.is_clean());
}

#[tokio::test]
async fn accounts_are_bound_to_customers() {
    let secret = [7u8; 32];
    let keys = serde_json::json!({ "customer-1": Base64UrlUnpadded::encode_string(&secret) });
    let Some(world) = World::start(keys).await else { return };
    let key = PrivateKey::generate(KeyType::P256).unwrap();
    let nobody = Applicant::default();
    assert_eq!(Acme::open(&world.directory, &key, &nobody).await.unwrap_err().code(), "acme-not-a-customer");
    let shown = format!(" {}=\n", Base64UrlUnpadded::encode_string(&secret));
    let customer = ExternalAccount::from_base64url("customer-1", &shown.into()).unwrap();
    assert_eq!(ExternalAccount::from_base64url("1", &"a/b".into()).unwrap_err().code(), "acme-customer-key");
    let stranger = ExternalAccount { id: "customer-1".into(), key: vec![8u8; 32].into() };
    let as_customer = |customer| Applicant { contact: &["mailto:a@example.com"], customer: Some(customer) };
    let refused = Acme::open(&world.directory, &key, &as_customer(&stranger)).await.unwrap_err();
    assert_eq!(refused.code(), "acme-authority");
    let registered = Acme::open(&world.directory, &key, &as_customer(&customer)).await.unwrap();
    let opened = Acme::open(&world.directory, &key, &nobody).await.unwrap();
    assert_eq!(format!("{registered:?}"), format!("{opened:?}"));
    let terms = world.directory.terms().await.unwrap();
    assert!(terms.is_some_and(|url| url.starts_with("data:") || url.starts_with("http")));
    assert!(!format!("{customer:?}").contains("7, 7"));
}

#[tokio::test]
async fn a_zone_that_fails_is_told_and_cleaned() {
    struct Broken<'a>(&'a World);
    impl Dns01 for Broken<'_> {
        async fn publish(&self, record: &str, value: &str) -> Result<(), DnsError> {
            self.0.publish(record, value).await?;
            Err("the zone does not answer".into())
        }
        async fn remove(&self, record: &str, value: &str) -> Result<(), DnsError> {
            self.0.remove(record, value).await
        }
        async fn leftovers(&self, record: &str) -> Result<Vec<String>, DnsError> {
            self.0.leftovers(record).await
        }
    }
    let Some(world) = World::start(serde_json::Value::Null).await else { return };
    let key = PrivateKey::generate(KeyType::P256).unwrap();
    let acme = Acme::open(&world.directory, &key, &Applicant::default()).await.unwrap();
    let error = acme.issue(&Broken(&world), &[HOST], &key, None).await.unwrap_err();
    assert_eq!(error.to_string(), "publish the TXT record `_acme-challenge.automator.example.com`");
    assert!(world.is_clean());
    assert_eq!(acme.issue(&world, &["192.0.2.7"], &key, None).await.unwrap_err().code(), "acme-host");
}

#[tokio::test]
async fn a_certificate_is_handed_over_although_its_records_stay() {
    struct Sticky<'a>(&'a World);
    impl Dns01 for Sticky<'_> {
        async fn publish(&self, record: &str, value: &str) -> Result<(), DnsError> {
            self.0.publish(record, value).await
        }
        async fn remove(&self, _: &str, _: &str) -> Result<(), DnsError> {
            Err("the zone does not answer".into())
        }
        async fn leftovers(&self, record: &str) -> Result<Vec<String>, DnsError> {
            self.0.leftovers(record).await
        }
    }
    let Some(world) = World::start(serde_json::Value::Null).await else { return };
    let (account, key) = (PrivateKey::generate(KeyType::P256).unwrap(), PrivateKey::generate(KeyType::P256).unwrap());
    let acme = Acme::open(&world.directory, &account, &Applicant::default()).await.unwrap();
    let issued = acme.issue(&Sticky(&world), &[HOST], &key, None).await.unwrap();
    check(&issued.bundle, HOST);
    let left_behind = issued.left_behind.unwrap();
    assert_eq!(left_behind.to_string(), "remove the TXT record `_acme-challenge.automator.example.com`");
    assert!(!world.is_clean());
    assert!(acme.issue(&world, &[HOST], &key, None).await.unwrap().left_behind.is_none());
    assert!(world.is_clean());
}

#[tokio::test]
async fn what_the_authority_saw_is_told() {
    struct Wrong<'a>(&'a World);
    impl Dns01 for Wrong<'_> {
        async fn publish(&self, record: &str, _: &str) -> Result<(), DnsError> {
            self.0.publish(record, "something else").await
        }
        async fn remove(&self, record: &str, value: &str) -> Result<(), DnsError> {
            self.0.remove(record, value).await
        }
        async fn leftovers(&self, record: &str) -> Result<Vec<String>, DnsError> {
            self.0.leftovers(record).await
        }
    }
    let Some(world) = World::start(serde_json::Value::Null).await else { return };
    let (account, key) = (PrivateKey::generate(KeyType::P256).unwrap(), PrivateKey::generate(KeyType::P256).unwrap());
    let acme = Acme::open(&world.directory, &account, &Applicant::default()).await.unwrap();
    let error = acme.issue(&Wrong(&world), &[HOST], &key, None).await.unwrap_err();
    assert_eq!(error.code(), "acme-refused", "{error:?}");
    let cause = std::error::Error::source(&error).unwrap().to_string();
    assert!(cause.starts_with("`automator.example.com`: ") && cause.contains("DNS challenge"), "{cause}");
    assert!(world.is_clean());
}
