//! The server: reads requests, asks the machine, sends what it says, and calls Automators.

use crate::machine::{MOST_BODY, Outcome, Reply, Request};
use crate::saved_world;
use crate::tls;
use crate::world::World;
use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::header::{CONTENT_TYPE, HOST, HeaderValue};
use hyper::service::service_fn;
use hyper::{Response, StatusCode};
use hyper_util::rt::TokioIo;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use std::{fmt, io};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};
use tokio_rustls::TlsAcceptor;

/// A running fake. It ends when it is dropped, and with it every connection.
#[derive(Debug)]
pub struct Fake {
    http: Option<SocketAddr>,
    https: Option<SocketAddr>,
    origin: String,
    ca: Option<String>,
    shared: Arc<Shared>,
    tasks: Vec<JoinHandle<()>>,
}

/// With or without TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// A certificate for `localhost` and `127.0.0.1` by an authority of its own, see [`Fake::ca_pem`].
    Https,
    /// For clients that are told so; a device is never.
    Http,
}

/// Where a fake listens, and what it keeps.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Without TLS; port 0 is one that the system chooses.
    pub http: Option<SocketAddr>,
    /// With TLS, by an authority of its own.
    pub https: Option<SocketAddr>,
    /// Names and addresses for the certificate, beside `localhost` and `127.0.0.1`. The first one also stands in
    /// [`Fake::origin`].
    pub names: Vec<String>,
    /// Written anew before each answer leaves; read it with [`World::load`].
    pub state: Option<PathBuf>,
}

impl Options {
    /// On loopback, at a port that the system chooses.
    #[must_use]
    pub fn loopback(scheme: Scheme) -> Self {
        let any = Some(SocketAddr::from(([127, 0, 0, 1], 0)));
        match scheme {
            Scheme::Http => Self { http: any, ..Self::default() },
            Scheme::Https => Self { https: any, ..Self::default() },
        }
    }
}

#[derive(Debug)]
struct Shared {
    world: Mutex<World>,
    state: Option<PathBuf>,
}

impl Fake {
    /// Listens on loopback, at a port that the system chooses.
    ///
    /// # Errors
    /// When no port is free.
    pub async fn start(world: World, scheme: Scheme) -> io::Result<Self> {
        Self::listen(world, Options::loopback(scheme)).await
    }

    /// Listens where the options say.
    ///
    /// # Errors
    /// When an address is taken, a name cannot stand in a certificate, or the state file cannot be written.
    pub async fn listen(world: World, options: Options) -> io::Result<Self> {
        let shared = Arc::new(Shared { world: Mutex::new(world), state: options.state });
        shared.save(&shared.lock())?;
        let (mut http, mut https, mut ca, mut tasks) = (None, None, None, Vec::new());
        let named = |address: SocketAddr| match options.names.first() {
            Some(name) => format!("{name}:{}", address.port()),
            None => address.to_string(),
        };
        let mut origin = String::new();
        if let Some(address) = options.http {
            let listener = TcpListener::bind(address).await?;
            http = Some(listener.local_addr()?);
            origin = http.map(|address| format!("http://{}", named(address))).unwrap_or_default();
            tasks.push(tokio::spawn(accept(listener, None, shared.clone(), origin.clone().into())));
        }
        if let Some(address) = options.https {
            let (acceptor, pem) = tls::acceptor(&options.names).map_err(io::Error::other)?;
            let listener = TcpListener::bind(address).await?;
            https = Some(listener.local_addr()?);
            origin = https.map(|address| format!("https://{}", named(address))).unwrap_or_default();
            tasks.push(tokio::spawn(accept(listener, Some(acceptor), shared.clone(), origin.clone().into())));
            ca = Some(pem);
        }
        Ok(Self { http, https, origin, ca, shared, tasks })
    }

    /// Where it listens; with TLS when it listens both ways.
    ///
    /// # Panics
    /// When the options named no address at all.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.https.or(self.http).expect("it listens somewhere")
    }

    /// Where it listens without TLS.
    #[must_use]
    pub fn http(&self) -> Option<SocketAddr> {
        self.http
    }

    /// Where it listens with TLS.
    #[must_use]
    pub fn https(&self) -> Option<SocketAddr> {
        self.https
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

    /// Writes the state file, after the world was changed by hand; nothing without one.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn save(&self) -> io::Result<()> {
        self.shared.save(&self.shared.lock())
    }

    /// What it knows, to be looked at and changed. Requests wait meanwhile: let go of it before the next `await`.
    pub fn world(&self) -> MutexGuard<'_, World> {
        self.shared.lock()
    }
}

impl Drop for Fake {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

impl Shared {
    /// A test that panicked while it held the world is not the world's fault.
    fn lock(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn save(&self, world: &World) -> io::Result<()> {
        self.state.as_deref().map_or(Ok(()), |path| saved_world::save(world, path))
    }

    /// The outcome, after the state was written. A state that cannot be written is a fake that lies: no answer then.
    fn ask(&self, how: impl FnOnce(&mut World) -> Outcome) -> Outcome {
        let mut world = self.lock();
        let outcome = how(&mut world);
        if self.save(&world).is_err() { Outcome::Cut } else { outcome }
    }
}

async fn accept(listener: TcpListener, tls: Option<TlsAcceptor>, shared: Arc<Shared>, base: Arc<str>) {
    let mut connections = JoinSet::new();
    loop {
        let Ok((stream, peer)) = listener.accept().await else {
            // Out of file descriptors, most likely: others have to end first.
            tokio::task::yield_now().await;
            continue;
        };
        while connections.try_join_next().is_some() {}
        connections.spawn(connection(stream, peer, tls.clone(), shared.clone(), base.clone()));
    }
}

async fn connection(
    stream: TcpStream,
    peer: SocketAddr,
    tls: Option<TlsAcceptor>,
    shared: Arc<Shared>,
    base: Arc<str>,
) {
    let service = service_fn(move |request| serve(request, peer, shared.clone(), base.clone()));
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

/// hyper ends a connection whose service fails, without an answer.
#[derive(Debug)]
struct Cut;

impl fmt::Display for Cut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the connection is cut")
    }
}

impl std::error::Error for Cut {}

async fn serve(
    request: hyper::Request<Incoming>,
    peer: SocketAddr,
    shared: Arc<Shared>,
    base: Arc<str>,
) -> Result<Response<Full<Bytes>>, Cut> {
    let (head, body) = request.into_parts();
    let Ok(body) = Limited::new(body, MOST_BODY).collect().await else {
        return Ok(sent(Reply::text(413, "the body is too large or was cut")));
    };
    let text = |value: &HeaderValue| value.to_str().map(str::to_owned).ok();
    let headers: Vec<_> =
        head.headers.iter().filter_map(|(name, value)| Some((name.as_str().to_owned(), text(value)?))).collect();
    let host = head.headers.get(HOST).and_then(text);
    let request = Request {
        method: head.method.as_str().to_owned(),
        path: head.uri.path().to_owned(),
        query: head.uri.query().unwrap_or_default().to_owned(),
        headers,
        body: body.to_bytes(),
        peer: peer.ip(),
        base: reached_at(&base, host.as_deref()),
    };
    let mut outcome = shared.ask(|world| world.handle(now(), &request));
    loop {
        outcome = match outcome {
            Outcome::Send(reply) => return Ok(sent(reply)),
            Outcome::Delay(delay, reply) => {
                pause(delay).await;
                return Ok(sent(reply));
            }
            Outcome::Cut => return Err(Cut),
            Outcome::Contact(pending) => {
                // Not while the world is held: the service may call back.
                let contacts = shared.lock().contacts.clone();
                let reached = contacts.call(pending.url()).await;
                shared.ask(|world| world.resume(now(), &pending, reached))
            }
        };
    }
}

#[expect(clippy::disallowed_methods, reason = "a slow answer is what a test asked for")]
async fn pause(delay: Duration) {
    tokio::time::sleep(delay).await;
}

/// The address that the sender knows, so that addresses of files work for it too.
fn reached_at(base: &str, host: Option<&str>) -> String {
    let scheme = base.split("://").next().unwrap_or("https");
    match host.map(|host| format!("{scheme}://{host}")).filter(|url| url.parse::<keeper_wire::Host>().is_ok()) {
        Some(url) => url,
        None => base.to_owned(),
    }
}

pub(crate) fn now() -> i64 {
    let passed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(passed.as_millis()).unwrap_or(i64::MAX)
}

fn sent(reply: Reply) -> Response<Full<Bytes>> {
    let mut out = Response::new(Full::new(reply.body));
    *out.status_mut() = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    out.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(reply.content_type));
    out
}
