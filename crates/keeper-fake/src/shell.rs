//! The server: reads requests, asks the machine, sends what it says, and calls Automators.

use crate::machine::{self, Outcome, Request};
use crate::world::World;
use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::service::service_fn;
use hyper::{Response, StatusCode};
use hyper_util::rt::TokioIo;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

/// A running fake. It ends when it is dropped.
#[derive(Debug)]
pub struct Fake {
    address: SocketAddr,
    origin: String,
    ca: Option<String>,
    world: Arc<Mutex<World>>,
    task: JoinHandle<()>,
}

/// With or without TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// A certificate for `localhost` and `127.0.0.1` by an authority of its own, see [`Fake::ca_pem`].
    Https,
    /// For clients that are told so; a device is never.
    Http,
}

impl Fake {
    /// Listens on loopback, at a port that the system chooses.
    ///
    /// # Errors
    /// When no port is free.
    pub async fn start(world: World, scheme: Scheme) -> io::Result<Self> {
        let (acceptor, ca) = match scheme {
            Scheme::Http => (None, None),
            Scheme::Https => tls().map(|(acceptor, ca)| (Some(acceptor), Some(ca))).map_err(io::Error::other)?,
        };
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        let origin = format!("{}://{address}", if ca.is_some() { "https" } else { "http" });
        let world = Arc::new(Mutex::new(world));
        let task = tokio::spawn(accept(listener, acceptor, world.clone(), origin.clone().into()));
        Ok(Self { address, origin, ca, world, task })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// `https://127.0.0.1:PORT`, or `http`.
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// The authority that a client has to trust, in PEM; none without TLS.
    #[must_use]
    pub fn ca_pem(&self) -> Option<&str> {
        self.ca.as_deref()
    }

    /// What it knows, to be looked at and changed. Requests wait meanwhile.
    pub fn world(&self) -> MutexGuard<'_, World> {
        lock(&self.world)
    }
}

impl Drop for Fake {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// A test that panicked while it held the world is not the world's fault.
fn lock(world: &Mutex<World>) -> MutexGuard<'_, World> {
    world.lock().unwrap_or_else(PoisonError::into_inner)
}

type Failed = Box<dyn std::error::Error + Send + Sync>;

fn tls() -> Result<(TlsAcceptor, String), Failed> {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.distinguished_name.push(DnType::CommonName, "keeper-fake");
    let ca = CertifiedIssuer::self_signed(params, KeyPair::generate()?)?;
    let key = KeyPair::generate()?;
    let mut params = CertificateParams::new(["localhost".to_owned(), "127.0.0.1".to_owned()])?;
    params.use_authority_key_identifier_extension = true;
    let certificate = params.signed_by(&key, &ca)?;
    let chain: Vec<CertificateDer<'static>> = vec![certificate.der().clone(), ca.der().clone()];
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(chain, PrivateKeyDer::try_from(key.serialize_der())?)?;
    Ok((TlsAcceptor::from(Arc::new(config)), ca.pem()))
}

async fn accept(listener: TcpListener, tls: Option<TlsAcceptor>, world: Arc<Mutex<World>>, base: Arc<str>) {
    let mut connections = tokio::task::JoinSet::new();
    loop {
        let Ok((stream, _)) = listener.accept().await else { continue };
        while connections.try_join_next().is_some() {}
        connections.spawn(connection(stream, tls.clone(), world.clone(), base.clone()));
    }
}

async fn connection(stream: TcpStream, tls: Option<TlsAcceptor>, world: Arc<Mutex<World>>, base: Arc<str>) {
    let service = service_fn(move |request| serve(request, world.clone(), base.clone()));
    let http = hyper::server::conn::http1::Builder::new();
    // A client that goes away is none of our business.
    match tls {
        None => drop(http.serve_connection(TokioIo::new(stream), service).await),
        Some(tls) => {
            if let Ok(stream) = tls.accept(stream).await {
                drop(http.serve_connection(TokioIo::new(stream), service).await);
            }
        }
    }
}

/// The largest body: an attachment with everything around it.
const MOST: usize = 64 << 20;

async fn serve(
    request: hyper::Request<Incoming>,
    world: Arc<Mutex<World>>,
    base: Arc<str>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let (head, body) = request.into_parts();
    let Ok(body) = Limited::new(body, MOST).collect().await else {
        return Ok(sent(machine::Response::text(413, "the body is too large or was cut")));
    };
    let request = Request {
        method: head.method.as_str(),
        path: head.uri.path(),
        query: head.uri.query().unwrap_or_default(),
        content_type: head.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default(),
        body: body.to_bytes(),
        now: now(),
        base: &base,
    };
    let outcome = machine::answer(&mut lock(&world), &request);
    Ok(sent(match outcome {
        Outcome::Respond(response) => response,
        Outcome::Contact(pending) => {
            // Not while the world is held: the service may call back.
            let contacts = lock(&world).contacts.clone();
            let reached = contacts.call(pending.url()).await;
            machine::contacted(&mut lock(&world), now(), &pending, reached)
        }
    }))
}

fn now() -> i64 {
    let passed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(passed.as_millis()).unwrap_or(i64::MAX)
}

fn sent(response: machine::Response) -> Response<Full<Bytes>> {
    let mut out = Response::new(Full::new(response.body));
    *out.status_mut() = StatusCode::from_u16(response.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    out.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(response.content_type));
    out
}
