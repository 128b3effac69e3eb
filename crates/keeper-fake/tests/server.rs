//! The server around the machine: both schemes, names, cuts, the state file, and its end.

use keeper_fake::faults::{Fault, On};
use keeper_fake::{Fake, Options, Scheme, World};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use std::io;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

const READ: &str =
    "POST /api/rest/sm/v1/get_secret HTTP/1.1\r\nHost: here\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";

/// What comes back until the connection ends.
async fn talk(mut stream: impl AsyncRead + AsyncWrite + Unpin, request: &str) -> io::Result<String> {
    stream.write_all(request.as_bytes()).await?;
    let mut answer = Vec::new();
    let read = stream.read_to_end(&mut answer).await;
    // A server that is done closes the connection without ceremony.
    if answer.is_empty() {
        read?;
    }
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

async fn plain(address: SocketAddr, request: &str) -> io::Result<String> {
    talk(TcpStream::connect(address).await?, request).await
}

async fn secure(address: SocketAddr, ca: &str, name: &str) -> io::Result<String> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(ca.as_bytes()).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let config = config.with_root_certificates(roots).with_no_client_auth();
    let name = ServerName::try_from(name.to_owned()).unwrap();
    let stream = TcpStream::connect(address).await?;
    talk(TlsConnector::from(Arc::new(config)).connect(name, stream).await?, READ).await
}

#[tokio::test]
async fn it_listens_both_ways_and_under_every_name() {
    let options = Options {
        http: Options::loopback(Scheme::Http).http,
        names: vec!["keeper.test".to_owned()],
        ..Options::loopback(Scheme::Https)
    };
    let fake = Fake::listen(World::new(), options).await.unwrap();
    let (http, https) = (fake.http().unwrap(), fake.https().unwrap());
    assert_eq!(fake.origin(), format!("https://keeper.test:{}", https.port()));
    // Without its headers a request is refused, and answered.
    assert!(plain(http, READ).await.unwrap().starts_with("HTTP/1.1 400"));
    for name in ["localhost", "127.0.0.1", "keeper.test"] {
        let answer = secure(https, fake.ca_pem().unwrap(), name).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 400"), "{name}: {answer}");
    }
    assert!(secure(https, fake.ca_pem().unwrap(), "other.test").await.is_err());
    let other = Fake::start(World::new(), Scheme::Https).await.unwrap();
    assert!(secure(https, other.ca_pem().unwrap(), "localhost").await.is_err(), "each has an authority of its own");
    assert_eq!(fake.world().journal.len(), 4);
}

#[tokio::test]
async fn a_cut_connection_has_no_answer() {
    let fake = Fake::start(World::new(), Scheme::Http).await.unwrap();
    fake.world().faults.next(On::Device, Fault::CutBefore);
    fake.world().faults.nth(1, On::Device, Fault::CutAfter);
    for (status, journal) in [(0, 1), (400, 2)] {
        let answer = plain(fake.address(), READ).await;
        assert!(answer.as_ref().map_or(true, String::is_empty), "{answer:?}");
        let world = fake.world();
        assert_eq!((world.journal.len(), world.journal.last().unwrap().status), (journal, status));
    }
    assert!(plain(fake.address(), READ).await.unwrap().starts_with("HTTP/1.1 400"));
}

#[tokio::test]
async fn the_state_is_written_before_the_answer() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.json");
    let (world, guide) = World::guide();
    let options = Options { state: Some(path.clone()), ..Options::loopback(Scheme::Http) };
    let fake = Fake::listen(world, options.clone()).await.unwrap();
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    plain(fake.address(), READ).await.unwrap();
    let again = World::load(&path).unwrap();
    assert_eq!(again.journal, fake.world().journal);
    assert_eq!(again.vault.records[&guide.record].data, fake.world().vault.records[&guide.record].data);
    assert_eq!(again.server_keys(), fake.world().server_keys());

    // Where it cannot be written, nothing is answered: the next start would not know of it.
    drop(folder);
    let answer = plain(fake.address(), READ).await;
    assert!(answer.as_ref().map_or(true, String::is_empty), "{answer:?}");
    assert!(Fake::listen(World::new(), options).await.is_err());
}

#[tokio::test]
async fn a_damaged_state_is_refused_with_a_reason() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.json");
    let cases = [
        ("", "no state file"),
        ("{}", "no state file"),
        ("{\"schema\":99}", "schema 99"),
        ("{\"schema\":1,\"world\":{}}", "damaged"),
    ];
    for (text, words) in cases {
        std::fs::write(&path, text).unwrap();
        let error = World::load(&path).unwrap_err().to_string();
        assert!(error.contains(words), "{text:?}: {error}");
    }
    assert!(World::load(&folder.path().join("none")).is_err());
}

#[tokio::test]
async fn it_ends_when_it_is_dropped() {
    let fake = Fake::start(World::new(), Scheme::Http).await.unwrap();
    let address = fake.address();
    let mut open = TcpStream::connect(address).await.unwrap();
    open.write_all(b"POST /api/rest/sm/v1/get_secret HTTP/1.1\r\n").await.unwrap();
    drop(fake);
    let mut rest = Vec::new();
    let ended = open.read_to_end(&mut rest).await;
    assert!(rest.is_empty() && ended.map_or(true, |read| read == 0));
    assert!(plain(address, READ).await.map_or(true, |answer| answer.is_empty()));
}

#[tokio::test]
async fn a_fault_is_switched_on_from_outside() {
    let fake = Fake::start(World::new(), Scheme::Http).await.unwrap();
    let switch = "{\"name\":\"throttle\"}";
    let request = format!(
        "POST /keeper-fake/faults HTTP/1.1\r\nHost: here\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{switch}",
        switch.len()
    );
    assert!(plain(fake.address(), &request).await.unwrap().starts_with("HTTP/1.1 200"));
    let answer = plain(fake.address(), READ).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 403") && answer.contains("\"retry_after\":1"), "{answer}");
    assert_eq!(fake.world().faults.waiting(), 0);
}

#[tokio::test]
async fn a_chunked_body_is_read_as_the_javascript_sdk_sends_it() {
    let fake = Fake::start(World::new(), Scheme::Http).await.unwrap();
    let head =
        "POST /keeper-fake/faults HTTP/1.1\r\nHost: here\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n";
    let request = format!("{head}8\r\n{{\"name\":\r\nb\r\n\"http500\"}} \r\n0\r\n\r\n");
    let answer = plain(fake.address(), &request).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert_eq!(fake.world().faults.waiting(), 1);
}
