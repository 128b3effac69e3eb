//! A service that does what a test says, request by request: for answers no sane service gives.

use std::convert::Infallible;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use keeper_wire::crypto::Key;
use keeper_wire::ec::PrivateKey;
use keeper_wire::envelope::signed_text;
use keeper_wire::{ServerKeys, Transmission, text};
use ksm_client::{Config, Options};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

/// What is done about one request.
pub(crate) enum Do {
    /// Status 200 with this, sealed.
    Seal(Value),
    /// Status 200 and nothing.
    Done,
    /// Anything else, in the clear.
    Plain(u16, &'static str, Vec<(&'static str, String)>),
    /// 200 with bytes that nobody sealed.
    Raw(Vec<u8>),
    /// The connection ends without an answer.
    Cut,
    /// Nothing happens any more.
    Silence,
}

/// One request as it arrived, opened.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) path: String,
    pub(crate) key_id: String,
    pub(crate) payload: Value,
    /// The wrapped key, which must never come twice.
    pub(crate) wrapped: Vec<u8>,
    /// Of what is no call of the service: form and its kind.
    pub(crate) body: Bytes,
    pub(crate) content_type: String,
}

type Script = dyn Fn(usize, &Seen) -> Do + Send + Sync;

/// Ends with the test.
pub(crate) struct Scripted {
    pub(crate) port: u16,
    pub(crate) ca: String,
    pub(crate) app_key: Key,
    pub(crate) owner: PrivateKey,
    device: PrivateKey,
    keys: Vec<(i32, PrivateKey)>,
    seen: Arc<Mutex<Vec<Seen>>>,
    task: tokio::task::JoinHandle<()>,
}

impl Drop for Scripted {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Scripted {
    /// Serves the one device of [`Scripted::config`].
    pub(crate) async fn start(script: impl Fn(usize, &Seen) -> Do + Send + Sync + 'static) -> Self {
        Self::serve(script, true).await
    }

    /// Serves whoever comes, without looking at signatures: for devices that are being bound.
    pub(crate) async fn start_for_any(script: impl Fn(usize, &Seen) -> Do + Send + Sync + 'static) -> Self {
        Self::serve(script, false).await
    }

    async fn serve(script: impl Fn(usize, &Seen) -> Do + Send + Sync + 'static, one_device: bool) -> Self {
        let issuer_key = rcgen::KeyPair::generate().unwrap();
        let mut authority = rcgen::CertificateParams::new(Vec::new()).unwrap();
        authority.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        let ca = authority.self_signed(&issuer_key).unwrap().pem();
        let issuer = rcgen::Issuer::new(authority, issuer_key);
        let key = rcgen::KeyPair::generate().unwrap();
        let leaf = rcgen::CertificateParams::new(vec!["127.0.0.1".to_owned(), "localhost".to_owned()]).unwrap();
        let leaf = leaf.signed_by(&key, &issuer).unwrap();
        let tls = rustls::ServerConfig::builder_with_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![leaf.der().clone()], key.serialize_der().try_into().unwrap())
            .unwrap();

        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let keys: Vec<_> = [7, 9, 10].map(|id| (id, PrivateKey::generate())).into();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let device = PrivateKey::generate();
        let shared = Arc::new(Shared {
            script: Box::new(script),
            keys: keys.clone(),
            seen: seen.clone(),
            device: one_device.then(|| device.public()),
        });
        let task = tokio::spawn(accept(listener, TlsAcceptor::from(Arc::new(tls)), shared));
        Self { port, ca, app_key: Key::random(), owner: PrivateKey::generate(), device, keys, seen, task }
    }

    pub(crate) fn config(&self) -> Config {
        Config::parse(&self.document().to_string()).unwrap()
    }

    pub(crate) fn document(&self) -> Value {
        json!({
            "hostname": format!("127.0.0.1:{}", self.port),
            "clientId": text::standard(&[1; 64]),
            "privateKey": text::standard(&self.device.to_pkcs8()),
            "serverPublicKeyId": "10",
            "appKey": text::standard(self.app_key.expose()),
            "appOwnerPublicKey": text::standard(self.owner.public().as_bytes()),
        })
    }

    pub(crate) fn options(&self) -> Options {
        let keys = self.keys.iter().map(|(id, key)| (*id, key.public()));
        super::quick().authority(self.ca.clone()).only_private_authorities().server_keys(ServerKeys::of(keys))
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }
}

struct Shared {
    script: Box<Script>,
    keys: Vec<(i32, PrivateKey)>,
    seen: Arc<Mutex<Vec<Seen>>>,
    device: Option<keeper_wire::ec::PublicKey>,
}

async fn accept(listener: TcpListener, acceptor: TlsAcceptor, shared: Arc<Shared>) {
    let mut connections = tokio::task::JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        let (acceptor, shared) = (acceptor.clone(), shared.clone());
        connections.spawn(async move {
            let Ok(stream) = acceptor.accept(stream).await else { return };
            // An error of the service ends the connection without an answer.
            let service = service_fn(move |request| answer(request, shared.clone()));
            let _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

#[derive(Debug)]
struct Ended;
impl std::fmt::Display for Ended {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("as the script says")
    }
}
impl std::error::Error for Ended {}

async fn answer(request: Request<Incoming>, shared: Arc<Shared>) -> Result<Response<Full<Bytes>>, Ended> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.map_err(|_| Ended)?.to_bytes();
    let header = |name: &str| head.headers.get(name).map_or("", |value| value.to_str().unwrap()).to_owned();
    let mut seen = Seen {
        path: head.uri.path().to_owned(),
        key_id: header("PublicKeyId"),
        payload: Value::Null,
        wrapped: Vec::new(),
        body: body.clone(),
        content_type: header("Content-Type"),
    };
    let mut transmission = None;
    if head.method == "POST" && seen.path.starts_with("/api/rest/sm/v1/") {
        seen.wrapped = text::decode(&header("TransmissionKey")).unwrap().to_vec();
        let signature = text::decode(header("Authorization").strip_prefix("Signature ").unwrap()).unwrap();
        assert!(shared.device.is_none_or(|device| device.verifies(&signed_text(&seen.wrapped, &body), &signature)));
        let key = shared.keys.iter().find(|(id, _)| id.to_string() == seen.key_id);
        transmission = key.and_then(|(_, key)| Transmission::unwrap(key, &seen.wrapped).ok());
        if let Some(transmission) = &transmission {
            seen.payload = serde_json::from_slice(&transmission.open(&body).unwrap()).unwrap();
        }
    }
    let index = {
        let mut all = shared.seen.lock().unwrap();
        all.push(seen.clone());
        all.len() - 1
    };
    let respond =
        |status: u16, body: Vec<u8>| Response::builder().status(status).body(Full::new(Bytes::from(body))).unwrap();
    match (shared.script)(index, &seen) {
        Do::Seal(value) => Ok(respond(200, transmission.unwrap().seal(value.to_string().as_bytes()))),
        Do::Done => Ok(respond(200, Vec::new())),
        Do::Raw(bytes) => Ok(respond(200, bytes)),
        Do::Plain(status, body, headers) => {
            let mut response = respond(status, body.as_bytes().to_vec());
            for (name, value) in headers {
                response.headers_mut().insert(name, value.parse().unwrap());
            }
            Ok(response)
        }
        Do::Cut => Err(Ended),
        Do::Silence => std::future::pending::<Result<_, Infallible>>().await.map_err(|_| Ended),
    }
}
