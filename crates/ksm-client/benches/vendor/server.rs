//! The pretend service: TLS, one answer rendered beforehand, sealed for each request. Two threads, so that three downloads at
//! once do not wait for each other.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Method, Request, Response};
use hyper_util::rt::TokioIo;
use keeper_wire::ec::PrivateKey;
use keeper_wire::{Transmission, text};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use crate::vault::{self, Device};

pub(crate) struct Service {
    pub(crate) port: u16,
    state: Arc<State>,
    _runtime: tokio::runtime::Runtime,
}

struct State {
    reply: Vec<u8>,
    files: Vec<Bytes>,
    key: PrivateKey,
    busy: AtomicU64,
}

pub(crate) type Identity = Arc<rustls::ServerConfig>;

/// PEM of an authority, and what a server of 127.0.0.1 below it needs.
pub(crate) fn certificates() -> (String, Identity) {
    let authority_key = rcgen::KeyPair::generate().expect("a key");
    let mut authority = rcgen::CertificateParams::new(Vec::new()).expect("no names");
    authority.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    authority.distinguished_name.push(rcgen::DnType::CommonName, "bench");
    let pem = authority.self_signed(&authority_key).expect("a certificate").pem();
    let issuer = rcgen::Issuer::new(authority, authority_key);
    let key = rcgen::KeyPair::generate().expect("a key");
    let names = vec!["127.0.0.1".to_owned(), "localhost".to_owned()];
    let mut leaf = rcgen::CertificateParams::new(names).expect("names");
    leaf.extended_key_usages.push(rcgen::ExtendedKeyUsagePurpose::ServerAuth);
    leaf.use_authority_key_identifier_extension = true;
    let leaf = leaf.signed_by(&key, &issuer).expect("a certificate");
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let der = rustls::pki_types::PrivateKeyDer::try_from(key.serialize_der()).expect("a key");
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(vec![leaf.der().clone()], der)
        .expect("an identity");
    (pem, Arc::new(config))
}

impl Service {
    pub(crate) fn start(reply: Vec<u8>, files: Vec<Vec<u8>>, key: PrivateKey, identity: Identity) -> Self {
        Self::start_on(|_| (reply, files), key, identity)
    }

    pub(crate) fn start_with_files(device: &Device, files: &[(&str, usize)], identity: Identity) -> Self {
        let made = |port: u16| {
            let made = files.iter().enumerate();
            let made =
                made.map(|(at, (name, size))| vault::file(name, *size, format!("https://127.0.0.1:{port}/{at}")));
            let (listed, sealed): (Vec<_>, Vec<_>) = made.unzip();
            (device.reply(1, &listed), sealed)
        };
        Self::start_on(made, device.server.clone(), identity)
    }

    fn start_on(made: impl FnOnce(u16) -> (Vec<u8>, Vec<Vec<u8>>), key: PrivateKey, identity: Identity) -> Self {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let (reply, files) = made(port);
        let files = files.into_iter().map(Bytes::from).collect();
        let state = Arc::new(State { reply, files, key, busy: AtomicU64::new(0) });
        runtime.spawn(accept(listener, TlsAcceptor::from(identity), state.clone()));
        Self { port, state, _runtime: runtime }
    }

    /// Time spent on answers so far, without TLS and sockets.
    pub(crate) fn busy(&self) -> Duration {
        Duration::from_nanos(self.state.busy.load(Ordering::Relaxed))
    }
}

async fn accept(listener: TcpListener, acceptor: TlsAcceptor, state: Arc<State>) {
    while let Ok((stream, _)) = listener.accept().await {
        // Without it a body in a segment of its own waits for the client's delayed acknowledgement: 40 ms that nobody's client owes.
        stream.set_nodelay(true).expect("a socket");
        let (acceptor, state) = (acceptor.clone(), state.clone());
        tokio::spawn(async move {
            let Ok(stream) = acceptor.accept(stream).await else { return };
            let answer = service_fn(move |request| answer(request, state.clone()));
            let _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), answer).await;
        });
    }
}

async fn answer(request: Request<Incoming>, state: Arc<State>) -> Result<Response<Full<Bytes>>, Infallible> {
    let body = if request.method() == Method::GET {
        let at: usize = request.uri().path().trim_start_matches('/').parse().expect("an index");
        state.files[at].clone()
    } else {
        let wrapped = text::decode(request.headers()["TransmissionKey"].to_str().expect("text")).expect("base64");
        let _ = request.into_body().collect().await;
        let start = Instant::now();
        let transmission = Transmission::unwrap(&state.key, &wrapped).expect("a key for this server");
        let sealed = transmission.seal(&state.reply);
        let spent = u64::try_from(start.elapsed().as_nanos()).expect("short");
        state.busy.fetch_add(spent, Ordering::Relaxed);
        Bytes::from(sealed)
    };
    Ok(Response::new(Full::new(body)))
}
