//! A stand-in for the Automator service: TLS, and `GET /health` -> `OK`.

use crate::contact::Contacts;
use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use std::convert::Infallible;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, AtomicU64, Ordering};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

/// A running stand-in. It ends when it is dropped.
#[derive(Debug)]
pub struct Responder {
    address: SocketAddr,
    shared: Arc<Shared>,
    task: JoinHandle<()>,
}

#[derive(Debug)]
struct Shared {
    status: AtomicU16,
    calls: AtomicU64,
}

impl Responder {
    /// Listens on loopback, at a port that the system chooses, with a chain of certificates and its key.
    ///
    /// # Errors
    /// When no port is free, or key and certificate do not fit.
    pub async fn start(chain: Vec<CertificateDer<'static>>, key: PrivateKeyDer<'static>) -> io::Result<Self> {
        Self::listen((Ipv4Addr::LOCALHOST, 0).into(), chain, key).await
    }

    /// The same at an address of the caller's choice.
    ///
    /// # Errors
    /// As [`Responder::start`], or when the address is taken.
    pub async fn listen(
        address: SocketAddr,
        chain: Vec<CertificateDer<'static>>,
        key: PrivateKeyDer<'static>,
    ) -> io::Result<Self> {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, key))
            .map_err(io::Error::other)?;
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared { status: AtomicU16::new(200), calls: AtomicU64::new(0) });
        let task = tokio::spawn(serve(listener, TlsAcceptor::from(Arc::new(config)), shared.clone()));
        Ok(Self { address, shared, task })
    }

    /// The same for a host name, with a throw-away authority that `contacts` trusts from then on; and the name leads here.
    ///
    /// # Errors
    /// As [`Responder::start`], or when `host` can be in no certificate.
    pub async fn at(host: &str, contacts: &mut Contacts) -> io::Result<Self> {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, format!("authority of {host}"));
        let key = || KeyPair::generate().map_err(io::Error::other);
        let ca = CertifiedIssuer::self_signed(params, key()?).map_err(io::Error::other)?;
        let own = key()?;
        let params = CertificateParams::new([host.to_owned()]).map_err(io::Error::other)?;
        let certificate = params.signed_by(&own, &ca).map_err(io::Error::other)?;
        let own = PrivateKeyDer::try_from(own.serialize_der()).map_err(io::Error::other)?;
        let this = Self::start(vec![certificate.der().clone()], own).await?;
        contacts.roots.add(ca.der().clone()).map_err(io::Error::other)?;
        contacts.names.insert(host.to_owned(), this.address);
        Ok(this)
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// From now on `/health` has this status. 400 is what the service says when the host name does not fit.
    pub fn answer_with(&self, status: u16) {
        self.shared.status.store(status, Ordering::SeqCst);
    }

    /// How often `/health` was asked.
    #[must_use]
    pub fn calls(&self) -> u64 {
        self.shared.calls.load(Ordering::SeqCst)
    }
}

impl Drop for Responder {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(listener: TcpListener, acceptor: TlsAcceptor, shared: Arc<Shared>) {
    // One at a time: the cloud calls rarely, and a caller that fails the handshake is gone at once.
    while let Ok((stream, _)) = listener.accept().await {
        let Ok(stream) = acceptor.accept(stream).await else { continue };
        let shared = shared.clone();
        let service = service_fn(move |request| answer(request, shared.clone()));
        let connection = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service);
        drop(connection.await);
    }
}

async fn answer(request: Request<Incoming>, shared: Arc<Shared>) -> Result<Response<Full<Bytes>>, Infallible> {
    let (status, body) = match request.uri().path() {
        "/health" => {
            shared.calls.fetch_add(1, Ordering::SeqCst);
            let status = StatusCode::from_u16(shared.status.load(Ordering::SeqCst)).unwrap_or(StatusCode::OK);
            (status, if status.is_success() { "OK" } else { "" })
        }
        _ => (StatusCode::NOT_FOUND, ""),
    };
    let mut response = Response::new(Full::new(Bytes::from_static(body.as_bytes())));
    *response.status_mut() = status;
    Ok(response)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_healthy_service_is_reached_by_name_or_address() {
        let mut contacts = Contacts::default();
        let responder = Responder::at("automator.example.com", &mut contacts).await.unwrap();
        assert_eq!(contacts.call("https://automator.example.com").await, Ok(()));
        let here = Responder::at("127.0.0.1", &mut contacts).await.unwrap();
        assert_eq!(contacts.call(&format!("https://{}", here.address())).await, Ok(()));
        assert_eq!((responder.calls(), here.calls()), (1, 1));
    }

    #[tokio::test]
    async fn each_way_to_fail_has_its_words() {
        let mut contacts = Contacts::default();
        let responder = Responder::at("automator.example.com", &mut contacts).await.unwrap();
        let url = "https://automator.example.com";
        contacts.names.insert("other.example.com".to_owned(), responder.address());

        let told = async |contacts: &Contacts, url: &str| contacts.call(url).await.unwrap_err();
        assert!(told(&contacts, "https://other.example.com").await.contains("another host name"));
        let strangers = Contacts { names: contacts.names.clone(), ..Contacts::default() };
        assert!(told(&strangers, url).await.contains("intermediate"));
        responder.answer_with(400);
        assert!(told(&contacts, url).await.contains("disable_sni_check"));
        responder.answer_with(503);
        assert!(told(&contacts, url).await.contains("503"));
        assert!(told(&contacts, "http://automator.example.com").await.contains("only https"));
        assert!(told(&contacts, "https://").await.contains("URL"));

        let closed = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap().local_addr().unwrap();
        assert!(told(&contacts, &format!("https://{closed}")).await.contains("refused"));
        let plain = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        contacts.names.insert("plain.example.com".to_owned(), plain.local_addr().unwrap());
        let (answered, ()) = tokio::join!(told(&contacts, "https://plain.example.com"), async {
            let (mut stream, _) = plain.accept().await.unwrap();
            tokio::io::AsyncWriteExt::write_all(&mut stream, b"HTTP/1.1 200 OK\r\n\r\n").await.unwrap();
        });
        assert!(answered.contains("TLS failed"), "{answered}");
    }
}
