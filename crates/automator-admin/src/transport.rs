//! One request: the envelope, and what is done about an answer that is none (spec 1).
//!
//! Every attempt has a new transmission key and a new nonce. Reads are repeated when no answer came; changes never, because they
//! may have been done: those who change something look again instead. A request that Keeper did not look at, because it wants
//! another key or limits the rate, or that was never sent, is sent again whatever it was.

use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};
use std::sync::{PoisonError, RwLock};
use std::time::Duration;

use keeper_wire::hybrid::HybridPublicKey;
use keeper_wire::messages::authentication::{ApiRequest, ApiRequestPayload};
use keeper_wire::{Host, Transmission};
use prost::Message;
use reqwest::header::{ACCEPT_ENCODING, CONTENT_TYPE};
use reqwest::{Response, StatusCode};
use secrecy::ExposeSecret;
use serde_json::{Map, Value};
use zeroize::Zeroizing;

use crate::envelope::{Envelope, Hybrid, Plain};
use crate::error::{Break, RotationStop};
use crate::judge::{Answer, judge, told_wait};
use crate::wait::{Until, doubled};
use crate::{Error, Event, MAX_ROTATIONS, Options};

/// What to send where.
#[derive(Clone, Copy)]
pub(crate) struct Call<'a> {
    /// Below `/api/rest/`.
    pub(crate) endpoint: &'static str,
    /// As it is told to a person: the last part of the endpoint, or the command.
    pub(crate) name: &'static str,
    /// The message, serialized.
    pub(crate) payload: &'a [u8],
    /// The session's token; empty before a login and for commands.
    pub(crate) token: &'a [u8],
    /// 0 nearly everywhere.
    pub(crate) api_version: i32,
    /// Whether it changes something, so that it must not be said twice.
    pub(crate) write: bool,
}

impl<'a> Call<'a> {
    /// A call that only asks.
    pub(crate) fn read(endpoint: &'static str, payload: &'a [u8]) -> Self {
        let name = endpoint.rsplit('/').next().unwrap_or(endpoint);
        Self { endpoint, name, payload, token: &[], api_version: 0, write: false }
    }

    /// A call that changes something.
    pub(crate) fn write(endpoint: &'static str, payload: &'a [u8]) -> Self {
        Self { write: true, ..Self::read(endpoint, payload) }
    }
}

/// How often a read is tried when answers do not arrive.
const READ_ATTEMPTS: u32 = 4;
/// Waits because of the rate limit in one call.
const THROTTLE_WAITS: u32 = 3;
/// Bytes of an answer that is no success. Error objects have a few hundred.
const MAX_REFUSAL: u64 = 64 * 1024;

/// The way to Keeper: one connection pool, and what the server has told about its keys.
pub(crate) struct Transport {
    http: reqwest::Client,
    options: Options,
    host: RwLock<Host>,
    key_id: AtomicI32,
    hybrid: AtomicBool,
    /// Whether the server has opened a hybrid envelope.
    hybrid_proven: AtomicBool,
}

impl Transport {
    pub(crate) fn new(host: Host, options: Options) -> Result<Self, Error> {
        speakable(&host)?;
        Ok(Self {
            http: http(&options)?,
            key_id: AtomicI32::new(options.server_key),
            hybrid: AtomicBool::new(options.hybrid.is_some()),
            hybrid_proven: AtomicBool::new(false),
            host: RwLock::new(host),
            options,
        })
    }

    pub(crate) fn options(&self) -> &Options {
        &self.options
    }

    pub(crate) fn host(&self) -> Host {
        self.host.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Goes to the host of another region.
    pub(crate) fn redirect(&self, host: Host) -> Result<(), Error> {
        speakable(&host)?;
        self.options.tell(&Event::Redirected { to: host.to_string() });
        *self.host.write().unwrap_or_else(PoisonError::into_inner) = host;
        Ok(())
    }

    /// Sends a message and opens the answer. A void answer is empty.
    pub(crate) async fn send(&self, call: &Call<'_>) -> Result<Zeroizing<Vec<u8>>, Error> {
        let until = Until::after(self.options.deadline);
        let (mut rotations, mut throttles, mut failures) = (0, 0, 0);
        loop {
            let used = self.key_id.load(Ordering::Relaxed);
            let hybrid = self.hybrid.load(Ordering::Relaxed);
            match self.attempt(call, used, hybrid, until).await {
                Ok((body, transmission)) => {
                    if hybrid {
                        self.hybrid_proven.store(true, Ordering::Relaxed);
                    }
                    if body.is_empty() {
                        return Ok(Zeroizing::default());
                    }
                    let what = "it cannot be opened with the key of the request";
                    let reply = |_| Error::Reply { call: call.name, what, write: call.write };
                    return transmission.open(&body).map_err(reply);
                }
                Err(Failure::WrongKey { asked, half }) => {
                    rotations += 1;
                    self.follow(call.name, used, hybrid, &asked, half, rotations)?;
                }
                Err(Failure::NotHybrid(error)) => {
                    if self.hybrid_proven.load(Ordering::Relaxed) {
                        return Err(error);
                    }
                    self.drop_hybrid();
                }
                Err(Failure::Throttled { status, message }) => {
                    throttles += 1;
                    let wait = self.throttle_wait(&message, throttles);
                    let event = Event::Throttled { call: call.name, wait, attempt: throttles };
                    if throttles > THROTTLE_WAITS || !until.wait(&self.options, wait, &event).await {
                        return Err(Error::Throttled { call: call.name, status, wait, attempts: throttles, message });
                    }
                }
                Err(Failure::Ended(error)) => {
                    failures += 1;
                    let again = failures < READ_ATTEMPTS && worth_repeating(&error, call.write);
                    let wait = doubled(self.options.pause, failures);
                    let event = Event::Repeated { call: call.name, wait, attempt: failures };
                    if !again || !until.wait(&self.options, wait, &event).await {
                        return Err(error);
                    }
                }
            }
        }
    }

    /// Spec 1.2: what the text asks for (else 60 s, at most 300 s), and at least 30, 60, 120 s.
    fn throttle_wait(&self, message: &str, attempt: u32) -> Duration {
        let first = self.options.throttle;
        let told = told_wait(message).unwrap_or(first * 2).min(first * 10);
        told.max(doubled(first, attempt))
    }

    fn drop_hybrid(&self) {
        if self.hybrid.swap(false, Ordering::Relaxed) {
            self.options.tell(&Event::HybridDropped);
        }
    }

    /// Takes the key into use that the server asked for.
    fn follow(
        &self,
        call: &'static str,
        used: i32,
        hybrid: bool,
        asked: &str,
        half: bool,
        rotations: u32,
    ) -> Result<(), Error> {
        let stop = |why| Error::KeyRotation { call, asked: asked.to_owned(), why };
        if rotations > MAX_ROTATIONS {
            return Err(stop(RotationStop::TooMany));
        }
        let id = asked.trim().parse::<i32>().ok().filter(|id| self.options.server_keys.get(*id).is_ok());
        if hybrid && (id.is_none() || !half) {
            self.drop_hybrid();
        }
        match id {
            Some(id) if id == used && !hybrid => return Err(stop(RotationStop::Same)),
            Some(id) if id == used => {}
            Some(id) => {
                if self.key_id.compare_exchange(used, id, Ordering::Relaxed, Ordering::Relaxed).is_ok() {
                    self.options.tell(&Event::KeyRotated { from: used, to: id });
                }
            }
            None if hybrid => {}
            None => return Err(stop(RotationStop::Unknown)),
        }
        Ok(())
    }

    fn envelope(&self, id: i32, hybrid: bool) -> Result<Box<dyn Envelope + Send>, Error> {
        let unknown =
            |source| Error::Setup { what: "the id of the server key to begin with", source: Some(Box::new(source)) };
        let key = self.options.server_keys.get(id).map_err(|source: keeper_wire::Error| unknown(source))?;
        Ok(match &self.options.hybrid {
            Some((ml_kem_id, ml_kem)) if hybrid => Box::new(Hybrid {
                ml_kem_id: *ml_kem_id,
                ec_id: id,
                keys: HybridPublicKey { ec: key, ml_kem: ml_kem.clone() },
            }),
            _ => Box::new(Plain { id, key }),
        })
    }

    async fn attempt(
        &self,
        call: &Call<'_>,
        id: i32,
        hybrid: bool,
        until: Until,
    ) -> Result<(Vec<u8>, Transmission), Failure> {
        let transmission = Transmission::new();
        let payload = Zeroizing::new(
            ApiRequestPayload {
                payload: call.payload.to_vec(),
                encrypted_session_token: call.token.to_vec(),
                time_token: Vec::new(),
                api_version: call.api_version,
            }
            .encode_to_vec(),
        );
        let mut request = ApiRequest {
            locale: "en_US".to_owned(),
            encrypted_payload: transmission.seal(&payload),
            ..Default::default()
        };
        self.envelope(id, hybrid)?.wrap(&transmission, &mut request)?;
        let url = format!("{}/api/rest/{}", self.host().origin(), call.endpoint);
        let request =
            self.http.post(url).header(CONTENT_TYPE, "application/octet-stream").body(request.encode_to_vec());
        let limit = |status: StatusCode| if status == StatusCode::OK { self.options.max_reply } else { MAX_REFUSAL };
        tracing::debug!(call = call.name, key = id, hybrid, "asking Keeper");
        let (status, kind, body) = self.exchange(call.name, call.write, request, limit, until).await?;
        tracing::debug!(call = call.name, status = status.as_u16(), bytes = body.len(), "Keeper answered");
        match judge(call.name, status.as_u16(), &kind, &body) {
            Answer::Body => Ok((body, transmission)),
            Answer::WrongKey { asked, half } => Err(Failure::WrongKey { asked, half }),
            Answer::Throttled { message } => Err(Failure::Throttled { status: status.as_u16(), message }),
            Answer::Refused(mut refusal) => {
                refusal.detail.write = call.write;
                let not_hybrid = hybrid && matches!(refusal.status, 400 | 500);
                let failure = if not_hybrid { Failure::NotHybrid } else { Failure::Ended };
                Err(failure(refusal.into()))
            }
            Answer::None(what) => {
                let error = Error::Http { call: call.name, status: status.as_u16(), what, write: call.write };
                Err(if hybrid && matches!(status.as_u16(), 400 | 500) {
                    Failure::NotHybrid(error)
                } else {
                    Failure::Ended(error)
                })
            }
        }
    }

    /// Sends a request and reads its whole answer, which is not larger than `limit` says.
    async fn exchange(
        &self,
        call: &'static str,
        write: bool,
        request: reqwest::RequestBuilder,
        limit: impl Fn(StatusCode) -> u64,
        until: Until,
    ) -> Result<(StatusCode, String, Vec<u8>), Error> {
        let left = until.left();
        if left.is_zero() {
            return Err(until.passed(call, false));
        }
        let whole = async {
            let response = request.send().await.map_err(|error| lost(call, write, error))?;
            let status = response.status();
            let kind = response.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
            let kind = kind.unwrap_or_default().to_ascii_lowercase();
            let body = capped(call, write, response, limit(status)).await?;
            Ok((status, kind, body))
        };
        match tokio::time::timeout(left.min(self.options.attempt), whole).await {
            Ok(answer) => answer,
            Err(_) if until.left().is_zero() => Err(until.passed(call, write)),
            Err(_) => Err(Error::Lost { call, what: Break::Slow, write, source: None }),
        }
    }

    /// Posts a file's sealed content to the store: the parameters first, then the part `file` (spec 5.1, step 4).
    ///
    /// The same bytes to the same place, so it may be said twice.
    pub(crate) async fn upload(
        &self,
        url: &str,
        form: &Map<String, Value>,
        name: &str,
        body: &[u8],
        expected: u16,
    ) -> Result<(), Error> {
        const CALL: &str = "upload";
        let (status, _) = self
            .store(CALL, || {
                let mut whole = reqwest::multipart::Form::new();
                for (member, value) in form {
                    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                    whole = whole.text(member.clone(), text);
                }
                let part = reqwest::multipart::Part::bytes(body.to_vec()).file_name(name.to_owned());
                let part = part.mime_str("application/octet-stream").expect("a media type");
                Ok(self.http.post(self.store_url(CALL, url)?).multipart(whole.part("file", part)))
            })
            .await?;
        if status != expected {
            return Err(Error::Http {
                call: CALL,
                status,
                what: "not what the store answers after an upload",
                write: false,
            });
        }
        Ok(())
    }

    /// Fetches a file's sealed content. The address is a credential and is told to nobody.
    pub(crate) async fn download(&self, url: &str, expected: u16) -> Result<Vec<u8>, Error> {
        const CALL: &str = "download";
        let (status, body) = self
            .store(CALL, || Ok(self.http.get(self.store_url(CALL, url)?).header(ACCEPT_ENCODING, "identity")))
            .await?;
        if status != expected {
            return Err(Error::Http {
                call: CALL,
                status,
                what: "not what the store answers to a download",
                write: false,
            });
        }
        Ok(body)
    }

    async fn store(
        &self,
        call: &'static str,
        request: impl Fn() -> Result<reqwest::RequestBuilder, Error>,
    ) -> Result<(u16, Vec<u8>), Error> {
        let until = Until::after(self.options.deadline);
        let limit = self.options.max_file.saturating_add(keeper_wire::crypto::GCM_OVERHEAD as u64);
        let mut failures = 0;
        loop {
            let error = match self.exchange(call, false, request()?, |_| limit, until).await {
                Ok((status, _, _)) if status.is_server_error() => {
                    Error::Http { call, status: status.as_u16(), what: "no success", write: false }
                }
                Ok((status, _, body)) => return Ok((status.as_u16(), body)),
                Err(error) => error,
            };
            failures += 1;
            let wait = doubled(self.options.pause, failures);
            let event = Event::Repeated { call, wait, attempt: failures };
            let again = failures < READ_ATTEMPTS && worth_repeating(&error, false);
            if !again || !until.wait(&self.options, wait, &event).await {
                return Err(error);
            }
        }
    }

    /// The address of a file: with TLS, or on this machine.
    fn store_url(&self, call: &'static str, url: &str) -> Result<url::Url, Error> {
        let wrong = || Error::Reply { call, what: "the address of the file is no https URL", write: false };
        let url = url::Url::parse(url).map_err(|_| wrong())?;
        let plain = url.scheme() == "http"
            && url.host_str().is_some_and(|host| host.parse::<Host>().is_ok_and(|host| host.is_loopback()));
        if url.scheme() == "https" || plain { Ok(url) } else { Err(wrong()) }
    }
}

enum Failure {
    WrongKey { asked: String, half: bool },
    Throttled { status: u16, message: String },
    NotHybrid(Error),
    Ended(Error),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Ended(error)
    }
}

/// Reads without a usable answer, and anything that was never sent.
fn worth_repeating(error: &Error, write: bool) -> bool {
    match error {
        Error::Lost { what, .. } => !write || *what == Break::Connect,
        Error::Http { status, .. } => !write && *status >= 500,
        Error::Refused(refusal) => !write && refusal.status >= 500,
        _ => false,
    }
}

fn speakable(host: &Host) -> Result<(), Error> {
    if host.https() || host.is_loopback() {
        return Ok(());
    }
    Err(Error::Setup { what: "the server is spoken to without TLS only on this machine: write https://", source: None })
}

fn lost(call: &'static str, write: bool, error: reqwest::Error) -> Error {
    let what = if error.is_connect() {
        Break::Connect
    } else if error.is_timeout() {
        Break::Slow
    } else {
        Break::Cut
    };
    Error::Lost { call, what, write, source: Some(Box::new(error.without_url())) }
}

async fn capped(call: &'static str, write: bool, mut response: Response, limit: u64) -> Result<Vec<u8>, Error> {
    let too_large = || Error::TooLarge { what: "the answer", limit, unit: "bytes", write };
    let announced = response.content_length().unwrap_or_default();
    if announced > limit {
        return Err(too_large());
    }
    let mut body = Vec::with_capacity(usize::try_from(announced).unwrap_or_default());
    while let Some(chunk) = response.chunk().await.map_err(|error| lost(call, write, error))? {
        if u64::try_from(body.len() + chunk.len()).map_or(true, |size| size > limit) {
            return Err(too_large());
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

fn http(options: &Options) -> Result<reqwest::Client, Error> {
    // The library's texts are left out where they may quote what they were given.
    let unusable = |what| Error::Setup { what, source: None };
    let mut builder = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .referer(false)
        .connect_timeout(options.connect);
    for pem in &options.authorities {
        let certificates =
            reqwest::Certificate::from_pem_bundle(pem).map_err(|_| unusable("a private authority is not in PEM"))?;
        if certificates.is_empty() {
            return Err(unusable("the PEM text of a private authority has no certificate"));
        }
        builder = builder.tls_certs_merge(certificates);
    }
    if let Some(proxy) = &options.proxy {
        let proxy =
            reqwest::Proxy::all(proxy.expose_secret()).map_err(|_| unusable("the proxy's address cannot be used"))?;
        builder = builder.proxy(proxy);
    }
    builder.build().map_err(|error| Error::Setup {
        what: "no certificate of any authority can be used",
        source: Some(Box::new(error.without_url())),
    })
}
