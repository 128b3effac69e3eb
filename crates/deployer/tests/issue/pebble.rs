//! Pebble, a real ACME server, that looks names up in the emulator's Route 53: what it believes stands there.

use std::io::Read as _;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use aws_infra::Aws;
use certs::make::{Authority, KeyType};
use jiff::{Timestamp, ToSpan};
use secrecy::ExposeSecret;
use tokio::net::{TcpStream, UdpSocket};

const TXT: u16 = 16;

/// Pebble and the name server it asks, both ended when dropped.
pub(crate) struct Pebble {
    child: Child,
    server: tokio::task::JoinHandle<()>,
    /// Where its ACME API listens, with TLS.
    pub(crate) port: u16,
    /// The root to trust, in PEM.
    pub(crate) root: PathBuf,
    answered: Arc<Mutex<Vec<String>>>,
}

impl Drop for Pebble {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        self.server.abort();
    }
}

impl Pebble {
    /// Starts one whose files lie in `folder`; none where Pebble is not installed. `customers` are the ids and HMAC keys, in
    /// base64url, of those who may make accounts; everybody if there is none.
    #[expect(clippy::print_stderr, reason = "a test that skipped says so")]
    pub(crate) async fn start(folder: &Path, aws: Aws, customers: serde_json::Value) -> Option<Self> {
        if Command::new("pebble").arg("-h").output().is_err() {
            eprintln!("skipped, because `pebble` is not installed");
            assert_ne!(std::env::var("REQUIRE_WITNESSES").as_deref(), Ok("all"), "the witness `pebble` is missing");
            return None;
        }
        let put = |name: &str, text: &str| {
            let path = folder.join(name);
            std::fs::write(&path, text).expect("write a file of Pebble's");
            path
        };
        let now = Timestamp::now();
        let authority = Authority::throw_away("Pebble", now).expect("an authority");
        let server = authority.issue(&["localhost"], KeyType::P256, now, now + 48.hours()).expect("a certificate");
        let server = server.acm().expect("PEM of it");
        let (port, management) = (free_port(), free_port());
        let bound = customers.is_object();
        let config = serde_json::json!({ "pebble": {
            "listenAddress": format!("127.0.0.1:{port}"),
            "managementListenAddress": format!("127.0.0.1:{management}"),
            "certificate": put("pebble.pem", &[server.body, server.chain.unwrap_or_default()].concat()),
            "privateKey": put("pebble.key", server.private_key.expose_secret()),
            "httpPort": free_port(), "tlsPort": free_port(), "ocspResponderURL": "",
            "externalAccountBindingRequired": bound,
            "externalAccountMACKeys": customers,
        }});
        let root = put("pebble-root.pem", &authority.root().pem());
        let socket = UdpSocket::bind("127.0.0.1:0").await.expect("a port for the name server");
        let address = socket.local_addr().expect("its address").to_string();
        let answered = Arc::new(Mutex::new(Vec::new()));
        let server = tokio::spawn(serve(socket, aws, Arc::clone(&answered)));
        let child = Command::new("pebble")
            .arg("-config")
            .arg(put("pebble.json", &config.to_string()))
            .args(["-dnsserver", &address])
            .env("PEBBLE_VA_NOSLEEP", "1")
            .env("PEBBLE_AUTHZREUSE", "0")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("start Pebble");
        let pebble = Self { child, server, port, root, answered };
        let deadline = Instant::now() + Duration::from_secs(20);
        while TcpStream::connect(("127.0.0.1", port)).await.is_err() {
            assert!(Instant::now() < deadline, "Pebble does not listen on {port}");
            tokio::task::yield_now().await;
        }
        Some(pebble)
    }

    /// The TXT values that Pebble was told of.
    pub(crate) fn saw(&self) -> Vec<String> {
        self.answered.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a free port").port()
}

/// Answers questions for TXT records from the zones of the emulator, and every other question with nothing.
async fn serve(socket: UdpSocket, aws: Aws, answered: Arc<Mutex<Vec<String>>>) {
    let mut buffer = [0; 1500];
    while let Ok((length, from)) = socket.recv_from(&mut buffer).await {
        let Some((name, kind, end)) = question(&buffer[..length]) else { continue };
        let values = if kind == TXT { txt_values(&aws, &name).await } else { Vec::new() };
        let answer = answer(&buffer[..end], &values);
        answered.lock().unwrap_or_else(PoisonError::into_inner).extend(values);
        let _ = socket.send_to(&answer, from).await;
    }
}

/// Every TXT value under a name, in all zones.
pub(crate) async fn txt_values(aws: &Aws, name: &str) -> Vec<String> {
    let zones = aws.route53.list_hosted_zones().send().await.expect("the emulator lists its zones");
    let mut values = Vec::new();
    for zone in zones.hosted_zones() {
        let call = aws.route53.list_resource_record_sets().hosted_zone_id(zone.id().trim_start_matches("/hostedzone/"));
        let records = call.send().await.expect("the emulator lists its records");
        let here = records.resource_record_sets().iter().filter(|one| one.name().trim_end_matches('.') == name);
        let here = here.filter(|one| one.r#type().as_str() == "TXT").flat_map(|one| one.resource_records());
        values.extend(here.map(|value| value.value().trim_matches('"').to_owned()));
    }
    values
}

/// Name and type of the first question of a DNS message (RFC 1035, section 4.1), and where it ends.
fn question(message: &[u8]) -> Option<(String, u16, usize)> {
    let mut rest = message.get(12..)?;
    let mut labels = Vec::new();
    loop {
        let mut length = [0];
        rest.read_exact(&mut length).ok()?;
        if length[0] == 0 {
            break;
        }
        let (label, after) = rest.split_at_checked(usize::from(length[0]))?;
        labels.push(String::from_utf8_lossy(label).to_lowercase());
        rest = after;
    }
    let kind = u16::from_be_bytes(rest.get(..2)?.try_into().ok()?);
    rest.get(..4)?;
    Some((labels.join("."), kind, message.len() - rest.len() + 4))
}

/// The answer to `question`, a message cut off after its question.
fn answer(question: &[u8], values: &[String]) -> Vec<u8> {
    let mut message = question.to_vec();
    // An answer, authoritative, recursion available, no error; one question, the values, nothing else.
    message[2] = 0x84 | (message[2] & 1);
    message[3] = 0x80;
    let count = u16::try_from(values.len()).unwrap_or(u16::MAX);
    message[4..12].copy_from_slice(&[[0, 1], count.to_be_bytes(), [0, 0], [0, 0]].concat());
    for value in values {
        let text = value.as_bytes();
        let length = u8::try_from(text.len()).expect("a string of at most 255 bytes");
        // A pointer to the question's name, TXT, IN, no time to live.
        message.extend([0xc0, 12, 0, 16, 0, 1, 0, 0, 0, 0]);
        message.extend((u16::from(length) + 1).to_be_bytes());
        message.push(length);
        message.extend(text);
    }
    message
}
