//! A witness on the wire: a reverse proxy on loopback, outside the process under test, that writes down every call.
//!
//! Left alone it changes nothing but the framing of a body. A [script](RecordingProxy::set_script) makes calls go wrong,
//! [rewrites](RecordingProxy::set_rewrites) change words in answers, and [stand-ins](RecordingProxy::set_stand_ins) are answers. What it knows of AWS and of Keeper is how to read off a
//! request which operation of which service it is, and in which form that service refuses. Requests are kept whole, secrets
//! included, in memory only; nothing here prints a body.

mod account;
mod door;
mod fault;
mod marker;
mod message;
mod name;
#[cfg(test)]
mod tests;

use std::fmt;
use std::hash::{Hash, Hasher};
use std::io::{self, Error, ErrorKind};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::io::{AsyncWriteExt, BufReader};
use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot};

pub use account::RealAccount;
use door::{Stream, Upstream};
use fault::refusal;
pub use fault::{Fault, Rewrite, StandIn};
use marker::{contains, needles, percent_decoded};
use message::{Length, Message, broken};
use name::{name, only_reads};

/// One call that reached the proxy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// The service as the signature names it, for example `elasticfilesystem`; `unsigned` without one.
    pub service: String,
    /// The operation, for example `CreateFileSystem`, or `METHOD /path` where it is not known.
    pub operation: String,
    /// Whether it may change something. What is not known to only read is taken to change.
    pub mutating: bool,
    /// The answer's status; none while the call is under way, or when its answer was lost.
    pub status: Option<u16>,
    /// The size of the request's body.
    pub bytes_sent: usize,
    /// When it came, since the proxy began.
    pub began: Duration,
    /// When it was answered, or its answer was lost; none while it is under way.
    pub ended: Option<Duration>,
    /// A hash of path and body: two attempts of one request have the same.
    pub fingerprint: u64,
    /// What the script did to it.
    pub fault: Option<&'static str>,
}

impl Call {
    /// Whether it makes something that was not there.
    pub fn is_create(&self) -> bool {
        ["Create", "Register", "Import"].iter().any(|word| self.operation.starts_with(word))
    }

    /// Whether it was answered with success.
    pub fn is_ok(&self) -> bool {
        self.status.is_some_and(|status| (200..300).contains(&status))
    }
}

type Script = Arc<dyn Fn(&Call) -> Option<Fault> + Send + Sync>;

/// A recording reverse proxy, which ends when it is dropped.
///
/// It runs on a thread of its own, so a test may block while the program under test is making calls.
pub struct RecordingProxy {
    endpoint: String,
    record: Record,
    doors: mpsc::UnboundedSender<Door>,
    _end: oneshot::Sender<()>,
}

impl fmt::Debug for RecordingProxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RecordingProxy").field("endpoint", &self.endpoint).finish_non_exhaustive()
    }
}

impl RecordingProxy {
    /// Starts a proxy before an emulator at `http://host:port`, which has to be on this machine.
    pub fn start(upstream: &str) -> io::Result<Self> {
        Self::before(Upstream::Here { address: loopback(upstream)?, tls: None })
    }

    /// Starts a proxy before a real account.
    pub fn before_account(account: RealAccount) -> io::Result<Self> {
        Self::before(Upstream::Account { account, tls: door::public_connector()? })
    }

    fn before(upstream: Upstream) -> io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_io().enable_time().build()?;
        let record = Record::default();
        let (end, ended) = oneshot::channel();
        let (doors, mut opened) = mpsc::unbounded_channel::<Door>();
        let kept = record.clone();
        std::thread::Builder::new().name("recording-proxy".into()).spawn(move || {
            runtime.block_on(async {
                let open = async {
                    while let Some(door) = opened.recv().await {
                        tokio::spawn(accept(door, kept.clone()));
                    }
                };
                tokio::select! {
                    _ = ended => {}
                    () = open => {}
                }
            });
        })?;
        let mut proxy = Self { endpoint: String::new(), record, doors, _end: end };
        proxy.endpoint = format!("http://{}", proxy.open(upstream, None)?);
        Ok(proxy)
    }

    /// Opens one more door, before another emulator; its calls come into the same record. Returns where it is.
    pub fn also(&self, upstream: &str) -> io::Result<String> {
        let at = self.open(Upstream::Here { address: loopback(upstream)?, tls: None }, None)?;
        Ok(format!("http://{at}"))
    }

    /// Opens a door with TLS on both sides: before `upstream`, whose certificate for 127.0.0.1 an authority of `trusted` has
    /// signed, showing `own`, the certificate chain and key of a bundle, in PEM. Returns where it is.
    pub fn also_with_tls(&self, upstream: SocketAddr, trusted: &str, own: &str) -> io::Result<SocketAddr> {
        if !upstream.ip().is_loopback() {
            return Err(Error::new(ErrorKind::InvalidInput, format!("{upstream} is not on this machine")));
        }
        let tls = Some(door::connector(trusted)?);
        self.open(Upstream::Here { address: upstream, tls }, Some(door::acceptor(own)?))
    }

    fn open(&self, upstream: Upstream, tls: Option<tokio_rustls::TlsAcceptor>) -> io::Result<SocketAddr> {
        let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
        listener.set_nonblocking(true)?;
        let at = listener.local_addr()?;
        self.doors.send(Door { listener, upstream, tls }).map_err(|_| Error::other("the proxy has ended"))?;
        Ok(at)
    }

    /// Where the program under test is to make its calls.
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// All calls so far, in the order they came.
    pub fn calls(&self) -> Vec<Call> {
        self.record.book().entries.iter().map(|entry| entry.call.clone()).collect()
    }

    /// All calls so far with what was asked, percent-decoded.
    pub fn requests(&self) -> Vec<(Call, String)> {
        let text = |entry: &Entry| String::from_utf8_lossy(&percent_decoded(&entry.request)).into_owned();
        self.record.book().entries.iter().map(|entry| (entry.call.clone(), text(entry))).collect()
    }

    /// Forgets all calls so far.
    pub fn clear(&self) {
        let mut book = self.record.book();
        book.entries.clear();
        book.generation += 1;
    }

    /// Asks `script` of every call from now on what shall go wrong with it.
    pub fn set_script(&self, script: impl Fn(&Call) -> Option<Fault> + Send + Sync + 'static) {
        self.record.book().script = Some(Arc::new(script));
    }

    /// Nothing goes wrong any more.
    pub fn end_script(&self) {
        self.record.book().script = None;
    }

    /// Changes words in every answer from now on.
    pub fn set_rewrites(&self, rewrites: Vec<Rewrite>) {
        self.record.book().rewrites = rewrites;
    }

    /// Lets every call take so much longer from now on, as the way to AWS does.
    pub fn set_latency(&self, latency: Duration) {
        self.record.book().latency = latency;
    }

    /// Answers these operations itself from now on.
    pub fn set_stand_ins(&self, stand_ins: Vec<StandIn>) {
        self.record.book().stand_ins = stand_ins;
    }

    /// Which calls had a text in their request: as it is, percent-encoded, or in base64; in the body, the path or a
    /// header. Answers are not searched.
    pub fn bodies_contain(&self, marker: &str) -> Vec<(String, String)> {
        let needles = needles(marker.as_bytes());
        let hit = |bytes: &[u8]| needles.iter().any(|needle| contains(bytes, needle));
        let book = self.record.book();
        let with = book.entries.iter().filter(|entry| hit(&entry.request) || hit(&percent_decoded(&entry.request)));
        with.map(|entry| (entry.call.service.clone(), entry.call.operation.clone())).collect()
    }
}

/// A way in, and where it leads.
struct Door {
    listener: std::net::TcpListener,
    upstream: Upstream,
    tls: Option<tokio_rustls::TlsAcceptor>,
}

/// The address of something on this machine: of others only a real account may stand behind the proxy.
fn loopback(upstream: &str) -> io::Result<SocketAddr> {
    let authority = upstream.strip_prefix("http://").map(|rest| rest.trim_end_matches('/'));
    let address =
        authority.map(|authority| authority.replace("localhost:", "127.0.0.1:")).and_then(|text| text.parse().ok());
    match address {
        Some(address) if SocketAddr::ip(&address).is_loopback() => Ok(address),
        _ => Err(Error::new(ErrorKind::InvalidInput, format!("`{upstream}` is not http://host:port of this machine"))),
    }
}

#[derive(Clone)]
struct Record {
    book: Arc<Mutex<Book>>,
    start: Instant,
}

impl Default for Record {
    fn default() -> Self {
        Self { book: Arc::default(), start: Instant::now() }
    }
}

#[derive(Default)]
struct Book {
    entries: Vec<Entry>,
    /// Counts the times the book was cleared, so that a late answer does not land on a new call.
    generation: usize,
    script: Option<Script>,
    rewrites: Vec<Rewrite>,
    stand_ins: Vec<StandIn>,
    latency: Duration,
}

struct Entry {
    call: Call,
    /// Head and body.
    request: Vec<u8>,
}

impl Record {
    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes a call down before it is made; whether it is answered shows later.
    fn begin(&self, request: &Message) -> ((usize, usize), Option<Fault>) {
        let (service, operation) = name(request);
        let mutating = !only_reads(&operation);
        let began = self.start.elapsed();
        let bytes_sent = request.body.len();
        let fingerprint = fingerprint(request);
        let mut call = Call {
            service,
            operation,
            mutating,
            status: None,
            bytes_sent,
            began,
            ended: None,
            fingerprint,
            fault: None,
        };
        let bytes = [request.head().as_bytes(), request.body.as_slice()].concat();
        let script = self.book().script.clone();
        let fault = script.and_then(|script| script(&call));
        call.fault = fault.as_ref().map(Fault::word);
        let mut book = self.book();
        book.entries.push(Entry { call, request: bytes });
        ((book.generation, book.entries.len() - 1), fault)
    }

    fn ended(&self, (generation, index): (usize, usize), status: Option<u16>) {
        let now = self.start.elapsed();
        let mut book = self.book();
        if book.generation == generation {
            let call = &mut book.entries[index].call;
            (call.status, call.ended) = (status, Some(now));
        }
    }

    async fn answer(&self, request: &Message, upstream: &Upstream) -> io::Result<Message> {
        match self.stand_in(&name(request)) {
            Some(answer) => Ok(answer),
            None => pass_on(request, upstream).await,
        }
    }

    fn stand_in(&self, (service, operation): &(String, String)) -> Option<Message> {
        let book = self.book();
        let fits = |one: &&StandIn| one.service == service && one.operation == operation;
        book.stand_ins.iter().find(fits).map(StandIn::answer)
    }

    fn rewrite(&self, operation: &str, body: &mut Vec<u8>) {
        let book = self.book();
        for rewrite in book.rewrites.iter().filter(|rewrite| rewrite.operation == operation) {
            rewrite.apply(body);
        }
    }
}

fn fingerprint(request: &Message) -> u64 {
    let mut hasher = std::hash::DefaultHasher::new();
    (request.start.as_str(), request.body.as_slice()).hash(&mut hasher);
    hasher.finish()
}

async fn accept(door: Door, record: Record) -> io::Result<()> {
    let listener = TcpListener::from_std(door.listener)?;
    loop {
        let (client, _) = listener.accept().await?;
        let (record, upstream, tls) = (record.clone(), door.upstream.clone(), door.tls.clone());
        tokio::spawn(async move {
            // A client that breaks off is no matter of ours; its call stays in the record without a status.
            client.set_nodelay(true)?;
            let client: Stream = match tls {
                Some(tls) => Box::new(tls.accept(client).await?),
                None => Box::new(client),
            };
            serve(client, &upstream, &record).await
        });
    }
}

/// Passes on the requests of one connection, one after the other.
async fn serve(client: Stream, upstream: &Upstream, record: &Record) -> io::Result<()> {
    let mut client = BufReader::new(client);
    while let Some(mut request) = Message::head_of(&mut client).await? {
        if request.has("expect", "100-continue") {
            client.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").await?;
        }
        request.read_body(&mut client, Length::None).await?;
        let last = request.has("connection", "close") || request.start.ends_with("HTTP/1.0");
        let (entry, fault) = record.begin(&request);
        let latency = record.book().latency;
        if !latency.is_zero() {
            wait(latency).await;
        }
        if let Some(Fault::Delay(time)) = fault {
            wait(time).await;
        }
        let answer = match &fault {
            Some(Fault::CutBefore) => Err(Error::other("cut before")),
            Some(Fault::Answer { status, code }) => Ok(refusal(&request, *status, code)),
            _ => match record.answer(&request, upstream).await {
                // Nobody took the call: that may be said. Once somebody took it, only silence is true.
                Err(error) if error.kind() == ErrorKind::ConnectionRefused => Ok(Message {
                    start: "HTTP/1.1 502 Bad Gateway".into(),
                    headers: Vec::new(),
                    body: b"the emulator does not listen".to_vec(),
                }),
                Ok(_) if matches!(fault, Some(Fault::CutAfter)) => Err(Error::other("cut after")),
                answer => answer,
            },
        };
        let mut answer = match answer {
            Ok(answer) => answer,
            Err(error) => {
                record.ended(entry, None);
                return Err(error);
            }
        };
        let (_, operation) = name(&request);
        record.rewrite(&operation, &mut answer.body);
        if let Some(Fault::Reword(rewrite)) = &fault {
            rewrite.apply(&mut answer.body);
        }
        // First written down, then passed on: who has an answer finds it in the record.
        record.ended(entry, Some(answer.status().ok_or_else(|| broken("an answer without status"))?));
        client.write_all(&answer.bytes(last, request.start.starts_with("HEAD "))).await?;
        if last {
            break;
        }
    }
    client.shutdown().await
}

#[expect(clippy::disallowed_methods, reason = "a fault that is a delay")]
async fn wait(time: Duration) {
    tokio::time::sleep(time).await;
}

/// Makes a request upstream, on a connection of its own.
async fn pass_on(request: &Message, upstream: &Upstream) -> io::Result<Message> {
    let (stream, bytes) = upstream.reach(request).await?;
    let mut stream = BufReader::new(stream);
    stream.write_all(&bytes).await?;
    loop {
        let mut answer = Message::head_of(&mut stream).await?.ok_or_else(|| broken("no answer"))?;
        match answer.status() {
            Some(100..=199) => continue,
            Some(204 | 304) => {}
            _ if request.start.starts_with("HEAD ") => {}
            _ => answer.read_body(&mut stream, Length::UntilEnd).await?,
        }
        return Ok(answer);
    }
}
