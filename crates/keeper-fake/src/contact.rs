//! How Keeper's cloud calls an Automator service: over TLS, at the URL an administrator wrote, with the certificate checked.
//!
//! Only `GET /health` is asked, because the paths of the real calls are in no public source. What goes wrong is told in
//! words that the vendor's troubleshooting page uses for it; the exact texts of the real service are not known.

use keeper_wire::Host;
use rustls::pki_types::ServerName;
use rustls::{CertificateError, ClientConfig, RootCertStore};
use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

/// Whom the cloud trusts, and where names lead that no resolver knows.
#[derive(Clone, Debug)]
pub struct Contacts {
    /// Authorities whose certificates an Automator may show.
    pub roots: RootCertStore,
    /// Host name (lower case) -> address. It goes before the system's resolver; a name in a test has no other place.
    pub names: BTreeMap<String, SocketAddr>,
    /// The longest a call may take.
    pub patience: Duration,
}

impl Default for Contacts {
    /// Nobody is trusted yet.
    fn default() -> Self {
        Self { roots: RootCertStore::empty(), names: BTreeMap::new(), patience: Duration::from_secs(5) }
    }
}

/// More of an answer is not read.
const MOST: u64 = 4096;

impl Contacts {
    /// Calls a service. The error is a text for the administrator.
    pub(crate) async fn call(&self, url: &str) -> Result<(), String> {
        let host: Host = url.parse().map_err(|_| "its URL names no host".to_owned())?;
        if !host.https() {
            return Err("only https is spoken".to_owned());
        }
        let asked = tokio::time::timeout(self.patience, self.ask(&host)).await;
        asked.unwrap_or_else(|_| Err(format!("no answer within {} s", self.patience.as_secs())))
    }

    async fn ask(&self, host: &Host) -> Result<(), String> {
        let port = host.port().unwrap_or(443);
        let bare = host.name().trim_matches(['[', ']']);
        let connected = match self.names.get(host.name()) {
            Some(address) => TcpStream::connect(address).await,
            None => TcpStream::connect((bare, port)).await,
        };
        let stream = connected.map_err(|error| unreachable(&error))?;
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| error.to_string())?
            .with_root_certificates(self.roots.clone())
            .with_no_client_auth();
        let name = ServerName::try_from(bare.to_owned()).map_err(|_| "its URL names no host".to_owned())?;
        let mut stream =
            TlsConnector::from(Arc::new(config)).connect(name, stream).await.map_err(|error| untrusted(&error))?;
        let request = format!("GET /health HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.map_err(|error| unreachable(&error))?;
        let mut answer = Vec::new();
        // Many servers close without a last word; what came before it counts.
        let read = stream.take(MOST).read_to_end(&mut answer).await;
        let head = String::from_utf8_lossy(&answer);
        match head.split(' ').nth(1) {
            Some("200") => Ok(()),
            Some(status) if head.starts_with("HTTP/") && status.len() == 3 => Err(health(status)),
            _ => Err(read
                .err()
                .map_or_else(|| "it answered with something else than HTTP".to_owned(), |error| unreachable(&error))),
        }
    }
}

fn health(status: &str) -> String {
    let sni = if status == "400" {
        ": the name in the certificate and the host do not match, see disable_sni_check"
    } else {
        ""
    };
    format!("GET /health was answered with {status}{sni}")
}

fn unreachable(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => {
            "connection refused: nothing listens there, or a firewall refuses Keeper's addresses".to_owned()
        }
        io::ErrorKind::TimedOut => "no answer: a firewall may leave Keeper's addresses out".to_owned(),
        _ => format!("the host cannot be reached ({error}): look at its DNS name"),
    }
}

fn untrusted(error: &io::Error) -> String {
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
    match inner {
        Some(rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer)) => {
            "its certificate was issued by nobody we trust: an intermediate certificate may be missing".to_owned()
        }
        Some(rustls::Error::InvalidCertificate(
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
        )) => "its certificate is for another host name".to_owned(),
        Some(rustls::Error::InvalidCertificate(
            CertificateError::Expired | CertificateError::ExpiredContext { .. },
        )) => "its certificate has expired".to_owned(),
        Some(other) => format!("TLS failed: {other}"),
        None => format!("TLS failed: {error}"),
    }
}
