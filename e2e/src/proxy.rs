//! A witness on the wire: a reverse proxy on loopback, outside the process under test, that writes down every call.
//!
//! It changes nothing but the framing of a body. What it knows of AWS is how to read off a request which operation of
//! which service it is. Requests are kept whole, secrets included, in memory only; nothing here prints a body.

use std::fmt;
use std::io::{self, Error, ErrorKind};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;

/// A head, or a line between chunks, that is longer is refused.
const LONGEST_HEAD: u64 = 64 << 10;
/// A body that is longer is refused.
const LONGEST_BODY: u64 = 256 << 20;

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
}

/// A recording reverse proxy, which ends when it is dropped.
///
/// It runs on a thread of its own, so a test may block while the program under test is making calls.
pub struct RecordingProxy {
    endpoint: String,
    record: Record,
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
        let upstream = loopback(upstream)?;
        let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
        listener.set_nonblocking(true)?;
        let endpoint = format!("http://{}", listener.local_addr()?);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
        let record = Record::default();
        let (end, ended) = oneshot::channel();
        let kept = record.clone();
        std::thread::Builder::new().name("recording-proxy".into()).spawn(move || {
            runtime.block_on(async {
                tokio::select! {
                    _ = ended => {}
                    _ = accept(listener, upstream, kept) => {}
                }
            });
        })?;
        Ok(Self { endpoint, record, _end: end })
    }

    /// Where the program under test is to make its calls.
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// All calls so far, in the order they came.
    pub fn calls(&self) -> Vec<Call> {
        self.record.book().entries.iter().map(|entry| entry.call.clone()).collect()
    }

    /// Forgets all calls so far.
    pub fn clear(&self) {
        let mut book = self.record.book();
        book.entries.clear();
        book.generation += 1;
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

/// Only an emulator of this machine may stand behind the proxy.
fn loopback(upstream: &str) -> io::Result<SocketAddr> {
    let authority = upstream.strip_prefix("http://").map(|rest| rest.trim_end_matches('/'));
    let address =
        authority.map(|authority| authority.replace("localhost:", "127.0.0.1:")).and_then(|text| text.parse().ok());
    match address {
        Some(address) if SocketAddr::ip(&address).is_loopback() => Ok(address),
        _ => Err(Error::new(ErrorKind::InvalidInput, format!("`{upstream}` is not http://host:port of this machine"))),
    }
}

#[derive(Clone, Default)]
struct Record(Arc<Mutex<Book>>);

#[derive(Default)]
struct Book {
    entries: Vec<Entry>,
    /// Counts the times the book was cleared, so that a late answer does not land on a new call.
    generation: usize,
}

struct Entry {
    call: Call,
    /// Head and body.
    request: Vec<u8>,
}

impl Record {
    fn book(&self) -> MutexGuard<'_, Book> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes a call down before it is made; whether it is answered shows later.
    fn begin(&self, request: &Message) -> (usize, usize) {
        let (service, operation) = name(request);
        let mutating = !only_reads(&operation);
        let call = Call { service, operation, mutating, status: None, bytes_sent: request.body.len() };
        let bytes = [request.head().as_bytes(), request.body.as_slice()].concat();
        let mut book = self.book();
        book.entries.push(Entry { call, request: bytes });
        (book.generation, book.entries.len() - 1)
    }

    fn answered(&self, (generation, index): (usize, usize), status: u16) {
        let mut book = self.book();
        if book.generation == generation {
            book.entries[index].call.status = Some(status);
        }
    }
}

async fn accept(listener: std::net::TcpListener, upstream: SocketAddr, record: Record) -> io::Result<()> {
    let listener = TcpListener::from_std(listener)?;
    loop {
        let (client, _) = listener.accept().await?;
        let record = record.clone();
        tokio::spawn(async move {
            // A client that breaks off is no matter of ours; its call stays in the record without a status.
            let _ = serve(client, upstream, &record).await;
        });
    }
}

/// Passes on the requests of one connection, one after the other.
async fn serve(client: TcpStream, upstream: SocketAddr, record: &Record) -> io::Result<()> {
    client.set_nodelay(true)?;
    let mut client = BufReader::new(client);
    while let Some(mut request) = Message::head_of(&mut client).await? {
        if request.has("expect", "100-continue") {
            client.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").await?;
        }
        request.read_body(&mut client, Length::None).await?;
        let last = request.has("connection", "close") || request.start.ends_with("HTTP/1.0");
        let entry = record.begin(&request);
        let answer = match pass_on(&request, upstream).await {
            Ok(answer) => answer,
            // Nobody took the call: that may be said. Once somebody took it, only silence is true.
            Err(error) if error.kind() == ErrorKind::ConnectionRefused => Message {
                start: "HTTP/1.1 502 Bad Gateway".into(),
                headers: Vec::new(),
                body: b"the emulator does not listen".to_vec(),
            },
            Err(error) => return Err(error),
        };
        // First written down, then passed on: who has an answer finds it in the record.
        record.answered(entry, answer.status().ok_or_else(|| broken("an answer without status"))?);
        client.write_all(&answer.bytes(last, request.start.starts_with("HEAD "))).await?;
        if last {
            break;
        }
    }
    client.shutdown().await
}

/// Makes a request at the emulator, on a connection of its own.
async fn pass_on(request: &Message, upstream: SocketAddr) -> io::Result<Message> {
    let stream = TcpStream::connect(upstream).await?;
    stream.set_nodelay(true)?;
    let mut stream = BufReader::new(stream);
    stream.write_all(&request.bytes(true, false)).await?;
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

/// A request or an answer. Its body is held without any framing.
struct Message {
    /// The first line.
    start: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

/// What a message without any framing of its body means.
#[derive(Clone, Copy)]
enum Length {
    None,
    UntilEnd,
}

impl Message {
    /// Reads a head; nothing if the connection ended before one.
    async fn head_of(stream: &mut BufReader<TcpStream>) -> io::Result<Option<Self>> {
        let mut lines = Vec::new();
        let mut left = LONGEST_HEAD;
        loop {
            let line = line_of(stream, &mut left).await?;
            match line {
                None if lines.is_empty() => return Ok(None),
                None => return Err(ErrorKind::UnexpectedEof.into()),
                // Empty lines before a request are to be passed over.
                Some(line) if line.is_empty() && lines.is_empty() => {}
                Some(line) if line.is_empty() => break,
                Some(line) => lines.push(line),
            }
        }
        let mut lines = lines.into_iter();
        let start = lines.next().unwrap_or_default();
        let header = |line: String| {
            let (name, value) = line.split_once(':').ok_or_else(|| broken("a header without colon"))?;
            Ok((name.to_owned(), value.trim().to_owned()))
        };
        let headers = lines.map(header).collect::<io::Result<_>>()?;
        Ok(Some(Self { start, headers, body: Vec::new() }))
    }

    async fn read_body(&mut self, stream: &mut BufReader<TcpStream>, unframed: Length) -> io::Result<()> {
        if self.has("transfer-encoding", "chunked") {
            loop {
                let mut left = LONGEST_HEAD;
                let size = line_of(stream, &mut left).await?.ok_or(ErrorKind::UnexpectedEof)?;
                let size = size.split(';').next().unwrap_or_default().trim();
                let size = u64::from_str_radix(size, 16).map_err(|_| broken("a chunk without size"))?;
                if size == 0 {
                    break;
                }
                self.read_exactly(stream, size).await?;
                line_of(stream, &mut left).await?;
            }
            // Trailers, which nothing here uses.
            let mut left = LONGEST_HEAD;
            while line_of(stream, &mut left).await?.is_some_and(|line| !line.is_empty()) {}
            return Ok(());
        }
        match (self.header("content-length"), unframed) {
            (Some(length), _) => {
                let length = length.parse().map_err(|_| broken("a content-length that is no number"))?;
                self.read_exactly(stream, length).await
            }
            (None, Length::None) => Ok(()),
            (None, Length::UntilEnd) => {
                stream.take(LONGEST_BODY).read_to_end(&mut self.body).await?;
                Ok(())
            }
        }
    }

    async fn read_exactly(&mut self, stream: &mut BufReader<TcpStream>, length: u64) -> io::Result<()> {
        if length > LONGEST_BODY - self.body.len() as u64 {
            return Err(broken("a body without end"));
        }
        let read = stream.take(length).read_to_end(&mut self.body).await?;
        if read as u64 == length { Ok(()) } else { Err(ErrorKind::UnexpectedEof.into()) }
    }

    fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(header, _)| header.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    /// Whether a header with a list of words has this one.
    fn has(&self, header: &str, word: &str) -> bool {
        let mut words = self.header(header).into_iter().flat_map(|value| value.split(','));
        words.any(|given| given.trim().eq_ignore_ascii_case(word))
    }

    /// The status of an answer.
    fn status(&self) -> Option<u16> {
        self.start.split(' ').nth(1)?.parse().ok()
    }

    fn head(&self) -> String {
        let mut head = format!("{}\r\n", self.start);
        for (name, value) in &self.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        head
    }

    /// The message with plain framing. The answer to a HEAD keeps the length of the body that it does not have.
    fn bytes(&self, close: bool, to_head: bool) -> Vec<u8> {
        const FRAMING: [&str; 5] = ["content-length", "transfer-encoding", "connection", "keep-alive", "expect"];
        let mut bytes = format!("{}\r\n", self.start);
        for (name, value) in &self.headers {
            let framing = FRAMING.iter().any(|framing| name.eq_ignore_ascii_case(framing));
            if !framing || (to_head && name.eq_ignore_ascii_case("content-length")) {
                bytes.push_str(&format!("{name}: {value}\r\n"));
            }
        }
        let bodiless = to_head || matches!(self.status(), Some(204 | 304)) && self.start.starts_with("HTTP/");
        if !bodiless {
            bytes.push_str(&format!("Content-Length: {}\r\n", self.body.len()));
        }
        bytes.push_str(if close { "Connection: close\r\n\r\n" } else { "Connection: keep-alive\r\n\r\n" });
        [bytes.as_bytes(), &self.body].concat()
    }
}

/// A line without its end; nothing at the end of the connection.
async fn line_of(stream: &mut BufReader<TcpStream>, left: &mut u64) -> io::Result<Option<String>> {
    let mut line = Vec::new();
    let read = stream.take(*left).read_until(b'\n', &mut line).await?;
    if read == 0 && *left > 0 {
        return Ok(None);
    }
    *left -= read as u64;
    if line.pop() != Some(b'\n') {
        return Err(broken("a line without end"));
    }
    if line.last() == Some(&b'\r') {
        line.pop();
    }
    String::from_utf8(line).map(Some).map_err(|_| broken("a head that is no text"))
}

fn broken(what: &str) -> Error {
    Error::new(ErrorKind::InvalidData, what)
}

/// Service and operation of a request.
fn name(request: &Message) -> (String, String) {
    let service = request
        .header("authorization")
        .and_then(|value| value.split_once("Credential="))
        .and_then(|(_, scope)| scope.split(',').next()?.split('/').nth(3))
        .unwrap_or("unsigned")
        .to_owned();
    let mut words = request.start.split(' ');
    let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let (path, query) = target.split_once('?').unwrap_or((target, ""));

    let operation = if let Some(target) = request.header("x-amz-target") {
        target.rsplit('.').next().unwrap_or(target).to_owned()
    } else if let Some(action) = action(request.body.as_slice()).or_else(|| action(query.as_bytes())) {
        action
    } else {
        let segments: Vec<_> = path.split('/').filter(|segment| !segment.is_empty()).collect();
        let known = match segments.as_slice() {
            ["2015-02-01", rest @ ..] => file_system_operation(method, rest),
            ["2013-04-01", rest @ ..] => dns_operation(method, rest),
            _ => None,
        };
        known.map_or_else(|| format!("{method} {path}"), ToOwned::to_owned)
    };
    (service, operation)
}

/// The value of `Action` in a form.
fn action(form: &[u8]) -> Option<String> {
    let form = std::str::from_utf8(form).ok()?;
    let value = form.split('&').find_map(|pair| pair.strip_prefix("Action="))?;
    (!value.is_empty() && value.chars().all(char::is_alphanumeric)).then(|| value.to_owned())
}

/// EFS, <https://docs.aws.amazon.com/efs/latest/ug/API_Operations.html>.
fn file_system_operation(method: &str, path: &[&str]) -> Option<&'static str> {
    Some(match (method, path) {
        ("POST", ["file-systems"]) => "CreateFileSystem",
        ("GET", ["file-systems"]) => "DescribeFileSystems",
        ("PUT", ["file-systems", _]) => "UpdateFileSystem",
        ("DELETE", ["file-systems", _]) => "DeleteFileSystem",
        ("PUT", ["file-systems", _, "policy"]) => "PutFileSystemPolicy",
        ("GET", ["file-systems", _, "policy"]) => "DescribeFileSystemPolicy",
        ("DELETE", ["file-systems", _, "policy"]) => "DeleteFileSystemPolicy",
        ("PUT", ["file-systems", _, "backup-policy"]) => "PutBackupPolicy",
        ("GET", ["file-systems", _, "backup-policy"]) => "DescribeBackupPolicy",
        ("PUT", ["file-systems", _, "lifecycle-configuration"]) => "PutLifecycleConfiguration",
        ("GET", ["file-systems", _, "lifecycle-configuration"]) => "DescribeLifecycleConfiguration",
        ("PUT", ["file-systems", _, "protection"]) => "UpdateFileSystemProtection",
        ("POST", ["mount-targets"]) => "CreateMountTarget",
        ("GET", ["mount-targets"]) => "DescribeMountTargets",
        ("DELETE", ["mount-targets", _]) => "DeleteMountTarget",
        ("PUT", ["mount-targets", _, "security-groups"]) => "ModifyMountTargetSecurityGroups",
        ("GET", ["mount-targets", _, "security-groups"]) => "DescribeMountTargetSecurityGroups",
        ("POST", ["access-points"]) => "CreateAccessPoint",
        ("GET", ["access-points"]) => "DescribeAccessPoints",
        ("DELETE", ["access-points", _]) => "DeleteAccessPoint",
        ("POST", ["resource-tags", ..]) => "TagResource",
        ("GET", ["resource-tags", ..]) => "ListTagsForResource",
        ("DELETE", ["resource-tags", ..]) => "UntagResource",
        ("GET", ["tags", _]) => "DescribeTags",
        _ => return None,
    })
}

/// Route 53, <https://docs.aws.amazon.com/Route53/latest/APIReference/API_Operations_Amazon_Route_53.html>.
fn dns_operation(method: &str, path: &[&str]) -> Option<&'static str> {
    Some(match (method, path) {
        ("POST", ["hostedzone"]) => "CreateHostedZone",
        ("GET", ["hostedzone"]) => "ListHostedZones",
        ("GET", ["hostedzonesbyname"]) => "ListHostedZonesByName",
        ("GET", ["hostedzonesbyvpc"]) => "ListHostedZonesByVPC",
        ("GET", ["hostedzonecount"]) => "GetHostedZoneCount",
        ("GET", ["hostedzone", _]) => "GetHostedZone",
        ("POST", ["hostedzone", _]) => "UpdateHostedZoneComment",
        ("DELETE", ["hostedzone", _]) => "DeleteHostedZone",
        ("POST", ["hostedzone", _, "rrset"]) => "ChangeResourceRecordSets",
        ("GET", ["hostedzone", _, "rrset"]) => "ListResourceRecordSets",
        ("GET", ["change", _]) => "GetChange",
        ("POST", ["tags", _]) => "ListTagsForResources",
        ("POST", ["tags", _, _]) => "ChangeTagsForResource",
        ("GET", ["tags", _, _]) => "ListTagsForResource",
        _ => return None,
    })
}

fn only_reads(operation: &str) -> bool {
    ["Describe", "List", "Get", "Simulate", "GET ", "HEAD "].iter().any(|word| operation.starts_with(word))
}

/// A text as it may stand in a request: plain, and inside base64 at each of the three offsets it may have there.
fn needles(marker: &[u8]) -> Vec<Vec<u8>> {
    let mut needles = vec![marker.to_vec()];
    for offset in 0..3 {
        // Bytes before the marker change the first characters, bytes behind it the last ones: both are left out.
        let shifted = [vec![0; offset], marker.to_vec()].concat();
        let encoded = base64(&shifted[..shifted.len() / 3 * 3]);
        let from = [0, 2, 3][offset].min(encoded.len());
        // Too short a piece would be found everywhere.
        if encoded.len() - from >= 6 {
            needles.push(encoded[from..].to_vec());
        }
    }
    needles
}

/// Base64 of whole groups of three bytes.
fn base64(bytes: &[u8]) -> Vec<u8> {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let group = |three: &[u8]| {
        let bits = three.iter().fold(0_usize, |bits, byte| bits << 8 | usize::from(*byte));
        [18, 12, 6, 0].map(|shift| LETTERS[bits >> shift & 63])
    };
    bytes.chunks_exact(3).flat_map(group).collect()
}

fn percent_decoded(bytes: &[u8]) -> Vec<u8> {
    let digit = |byte: Option<&u8>| char::from(*byte?).to_digit(16);
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let pair = digit(bytes.get(at + 1)).zip(digit(bytes.get(at + 2)));
        match (byte, pair.and_then(|(high, low)| u8::try_from(high << 4 | low).ok())) {
            (b'%', Some(meant)) => {
                decoded.push(meant);
                at += 3;
                continue;
            }
            (b'+', _) => decoded.push(b' '),
            _ => decoded.push(byte),
        }
        at += 1;
    }
    decoded
}

fn contains(bytes: &[u8], needle: &[u8]) -> bool {
    !needle.is_empty() && bytes.windows(needle.len()).any(|window| window == needle)
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::TcpStream;
    use std::sync::mpsc;

    use super::*;

    /// An emulator that gives these answers, one per connection, and hands out what it was asked.
    fn upstream(answers: &'static [&'static str]) -> (String, mpsc::Receiver<String>) {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let (asked, questions) = mpsc::channel();
        std::thread::spawn(move || {
            for answer in answers {
                let (mut stream, _) = listener.accept().unwrap();
                let mut request = Vec::new();
                let mut byte = [0];
                while !request.ends_with(b"\r\n\r\n") {
                    stream.read_exact(&mut byte).unwrap();
                    request.extend(byte);
                }
                let head = String::from_utf8(request).unwrap();
                let length = head.lines().find_map(|line| line.strip_prefix("Content-Length: ")).unwrap_or("0");
                let mut body = vec![0; length.parse().unwrap()];
                stream.read_exact(&mut body).unwrap();
                asked.send(head + &String::from_utf8(body).unwrap()).unwrap();
                stream.write_all(answer.as_bytes()).unwrap();
            }
        });
        (endpoint, questions)
    }

    /// Sends bytes on one connection and returns all that comes back until it is closed.
    fn talk(endpoint: &str, bytes: &str) -> String {
        let mut stream = TcpStream::connect(endpoint.trim_start_matches("http://")).unwrap();
        stream.write_all(bytes.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    fn signed(start: &str, service: &str, headers: &str, body: &str) -> String {
        let scope = format!("AKIDEXAMPLE/20300101/eu-west-1/{service}/aws4_request");
        format!(
            "{start} HTTP/1.1\r\nHost: aws\r\nConnection: close\r\nContent-Length: {}\r\n{headers}\
             Authorization: AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0\r\n\r\n{body}",
            body.len()
        )
    }

    fn request(start: &str, headers: &[(&str, &str)], body: &str) -> Message {
        let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Message { start: format!("{start} HTTP/1.1"), headers, body: body.into() }
    }

    #[test]
    fn every_protocol_names_its_operation() {
        let json: &[_] = &[("X-Amz-Target", "AmazonEC2ContainerServiceV20141113.CreateCluster")];
        let file_system = "PUT /2015-02-01/file-systems/fs-1/lifecycle-configuration";
        for (start, headers, body, operation, mutating) in [
            ("POST /", json, "{}", "CreateCluster", true),
            ("POST /", &[], "Action=DescribeVpcs&Version=2016-11-15", "DescribeVpcs", false),
            ("POST /", &[], "Version=2010-05-08&Action=CreateRole", "CreateRole", true),
            ("GET /?Action=DeleteRole&Version=2010-05-08", &[], "", "DeleteRole", true),
            ("POST /2015-02-01/file-systems", &[], "{}", "CreateFileSystem", true),
            ("GET /2015-02-01/mount-targets?FileSystemId=fs-1", &[], "", "DescribeMountTargets", false),
            (file_system, &[], "{}", "PutLifecycleConfiguration", true),
            ("POST /2015-02-01/resource-tags/fsap-1", &[], "{}", "TagResource", true),
            ("POST /2013-04-01/hostedzone/Z1/rrset/", &[], "<x/>", "ChangeResourceRecordSets", true),
            ("GET /2013-04-01/hostedzonesbyname?dnsname=example.com", &[], "", "ListHostedZonesByName", false),
            ("GET /2015-02-01/something/new", &[], "", "GET /2015-02-01/something/new", false),
            ("PATCH /2015-02-01/something/new?a=b", &[], "", "PATCH /2015-02-01/something/new", true),
        ] {
            let (_, found) = name(&request(start, headers, body));
            assert_eq!((found.as_str(), only_reads(&found)), (operation, !mutating), "{start}");
        }
    }

    #[test]
    fn a_call_is_passed_on_and_written_down() {
        let (endpoint, questions) = upstream(&["HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\ngone"]);
        let proxy = RecordingProxy::start(&endpoint).unwrap();
        let target = "X-Amz-Target: secretsmanager.CreateSecret\r\n";
        let answer = talk(proxy.endpoint(), &signed("POST /", "secretsmanager", target, "{\"Name\":\"n\"}"));
        assert!(answer.starts_with("HTTP/1.1 404 Not Found\r\n") && answer.ends_with("\r\n\r\ngone"), "{answer}");
        let asked = questions.recv().unwrap();
        assert!(asked.contains("Host: aws\r\n") && asked.ends_with("{\"Name\":\"n\"}"), "{asked}");

        let service = "secretsmanager".to_owned();
        let operation = "CreateSecret".to_owned();
        let call = Call { service, operation, mutating: true, status: Some(404), bytes_sent: 12 };
        assert_eq!(proxy.calls(), [call]);
        proxy.clear();
        assert_eq!(proxy.calls(), []);
    }

    #[test]
    fn chunks_are_joined_both_ways() {
        let (endpoint, questions) = upstream(&[
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nT: 1\r\n\r\n",
        ]);
        let proxy = RecordingProxy::start(&endpoint).unwrap();
        let sent = "POST / HTTP/1.1\r\nHost: aws\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n\
                    b\r\nAction=Crea\r\n5\r\nteVpc\r\n0\r\n\r\n";
        let answer = talk(proxy.endpoint(), sent);
        assert!(answer.contains("Content-Length: 5\r\n") && answer.ends_with("\r\n\r\nabcde"), "{answer}");
        assert!(!answer.contains("chunked"), "{answer}");
        assert!(questions.recv().unwrap().ends_with("\r\n\r\nAction=CreateVpc"));
        assert_eq!((proxy.calls()[0].operation.as_str(), proxy.calls()[0].bytes_sent), ("CreateVpc", 16));
        assert_eq!(proxy.calls()[0].service, "unsigned");
    }

    #[test]
    fn a_connection_carries_several_calls() {
        let (endpoint, _questions) =
            upstream(&["HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n1", "HTTP/1.0 200 OK\r\n\r\nuntil the end"]);
        let proxy = RecordingProxy::start(&endpoint).unwrap();
        let first = "POST / HTTP/1.1\r\nHost: aws\r\nContent-Length: 17\r\n\r\nAction=CreateRole";
        let answer =
            talk(proxy.endpoint(), &format!("{first}{}", signed("GET /2013-04-01/hostedzone", "route53", "", "")));
        assert!(answer.ends_with("until the end"), "{answer}");
        let calls = proxy.calls();
        assert_eq!(
            calls.iter().map(|call| call.operation.as_str()).collect::<Vec<_>>(),
            ["CreateRole", "ListHostedZones"]
        );
    }

    #[test]
    fn the_answer_to_a_head_request_has_no_body() {
        let (endpoint, _questions) = upstream(&["HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"]);
        let proxy = RecordingProxy::start(&endpoint).unwrap();
        let answer = talk(proxy.endpoint(), "HEAD /x HTTP/1.1\r\nHost: aws\r\nConnection: close\r\n\r\n");
        assert!(answer.contains("Content-Length: 5\r\n") && answer.ends_with("\r\n\r\n"), "{answer}");
        assert!(!proxy.calls()[0].mutating);
    }

    #[test]
    fn a_lost_answer_leaves_the_call_without_status() {
        let (endpoint, _questions) = upstream(&[""]);
        let proxy = RecordingProxy::start(&endpoint).unwrap();
        assert_eq!(talk(proxy.endpoint(), &signed("POST /", "ec2", "", "Action=CreateVpc")), "");
        assert_eq!(proxy.calls()[0].status, None);
    }

    #[test]
    fn an_emulator_that_does_not_listen_is_said() {
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let proxy = RecordingProxy::start(&format!("http://{free}")).unwrap();
        let answer = talk(proxy.endpoint(), &signed("POST /", "ec2", "", "Action=CreateVpc"));
        assert!(answer.starts_with("HTTP/1.1 502 "), "{answer}");
        assert_eq!(proxy.calls()[0].status, Some(502));
    }

    #[test]
    fn a_marker_is_found_in_every_form() {
        const MARKER: &str = "marker value 4711";
        let (endpoint, _questions) = upstream(&["HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"; 7]);
        let proxy = RecordingProxy::start(&endpoint).unwrap();
        let target = "X-Amz-Target: x.Stores\r\n";
        talk(proxy.endpoint(), &signed("POST /", "a", target, "{\"v\":\"marker value 4711\"}"));
        talk(proxy.endpoint(), &signed("POST /", "b", target, "v=marker+value%204711"));
        // "marker value 4711" with nothing, `x` and `xy` before it.
        for (service, encoded) in [
            ("c", "bWFya2VyIHZhbHVlIDQ3MTE="),
            ("d", "eG1hcmtlciB2YWx1ZSA0NzEx"),
            ("e", "eHltYXJrZXIgdmFsdWUgNDcxMQ=="),
        ] {
            talk(proxy.endpoint(), &signed("POST /", service, target, encoded));
        }
        talk(proxy.endpoint(), &signed("POST /?v=marker%20value%204711", "f", target, ""));
        talk(proxy.endpoint(), &signed("POST /", "g", target, "marker value 471"));
        let services: Vec<_> = proxy.bodies_contain(MARKER).into_iter().map(|(service, _)| service).collect();
        assert_eq!(services, ["a", "b", "c", "d", "e", "f"]);
        assert!(!format!("{proxy:?}").contains("marker"), "the record is not printed");
    }

    #[test]
    fn only_this_machine_may_stand_behind_it() {
        for upstream in
            ["http://10.0.0.1:5000", "https://127.0.0.1:5000", "http://aws.example.com:80", "127.0.0.1:5000"]
        {
            assert_eq!(RecordingProxy::start(upstream).unwrap_err().kind(), ErrorKind::InvalidInput, "{upstream}");
        }
        for upstream in ["http://127.0.0.1:5000/", "http://localhost:5000", "http://[::1]:5000"] {
            RecordingProxy::start(upstream).unwrap();
        }
    }

    #[test]
    fn it_ends_when_it_is_dropped() {
        let proxy = RecordingProxy::start("http://127.0.0.1:1").unwrap();
        let address = proxy.endpoint().trim_start_matches("http://").to_owned();
        drop(proxy);
        let ended = || TcpStream::connect(&address).is_err();
        let until = std::time::Instant::now() + std::time::Duration::from_secs(10);
        while !ended() {
            assert!(std::time::Instant::now() < until, "it still listens");
            std::thread::yield_now();
        }
    }
}
