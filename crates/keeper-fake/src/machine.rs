//! A request goes in, an outcome comes out; no input or output in between.

use crate::admin::{self, Answer, Moment};
use crate::device;
use crate::faults::{self, Fault, On};
use crate::store;
use crate::world::{Entry, World};
use bytes::Bytes;
use serde_json::{Value, json};
use std::net::IpAddr;
use std::time::Duration;

/// A request as the shell read it.
#[derive(Clone)]
pub struct Request {
    /// `GET`, `POST`.
    pub method: String,
    /// Without query.
    pub path: String,
    /// Without the question mark; empty when there is none. It may hold a ticket of the file store.
    pub query: String,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    /// As it came.
    pub body: Bytes,
    /// From where it came.
    pub peer: IpAddr,
    /// `https://host:port` at which the sender reaches the fake: addresses of files begin with it.
    pub base: String,
}

impl Request {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

impl std::fmt::Debug for Request {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Request").field("method", &self.method).field("path", &self.path).finish_non_exhaustive()
    }
}

/// What the shell has to do.
#[derive(Debug)]
pub enum Outcome {
    /// Send this.
    Send(Reply),
    /// Wait so long, then send this.
    Delay(Duration, Reply),
    /// End the connection without an answer.
    Cut,
    /// Call an Automator service at its [`Pending::url`], then say with [`World::resume`] how that went.
    Contact(Pending),
}

/// A request that waits for a call of an Automator service.
#[derive(Debug)]
pub struct Pending {
    call: admin::Pending,
    ending: Ending,
}

impl Pending {
    /// Address of the service, as the administrator wrote it.
    #[must_use]
    pub fn url(&self) -> &str {
        self.call.url()
    }
}

/// How a reply leaves.
#[derive(Clone, Copy, Debug)]
enum Ending {
    Sent,
    Late(Duration),
    Cut,
}

impl Ending {
    fn of(fault: Option<&Fault>) -> Self {
        match fault {
            Some(Fault::Slow(delay)) => Self::Late(*delay),
            Some(Fault::CutAfter) => Self::Cut,
            _ => Self::Sent,
        }
    }

    fn outcome(self, reply: Reply) -> Outcome {
        match self {
            Self::Sent => Outcome::Send(reply),
            Self::Late(delay) => Outcome::Delay(delay, reply),
            Self::Cut => Outcome::Cut,
        }
    }
}

/// A response of HTTP.
#[derive(Clone, PartialEq, Eq)]
pub struct Reply {
    /// Status.
    pub status: u16,
    /// The one header that counts.
    pub content_type: &'static str,
    /// Sealed, JSON or a page.
    pub body: Bytes,
}

impl std::fmt::Debug for Reply {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reply").field("status", &self.status).field("body", &self.body.len()).finish_non_exhaustive()
    }
}

impl Reply {
    pub(crate) fn new(status: u16, content_type: &'static str, body: impl Into<Bytes>) -> Self {
        Self { status, content_type, body: body.into() }
    }

    pub(crate) fn text(status: u16, text: &str) -> Self {
        Self::new(status, "text/plain; charset=utf-8", text.as_bytes().to_vec())
    }

    fn json(status: u16, value: &Value) -> Self {
        Self::new(status, "application/json", value.to_string().into_bytes())
    }
}

/// The largest body that a shell reads: an attachment with everything around it.
pub(crate) const MOST_BODY: usize = 64 << 20;

/// Where a request goes.
enum Door<'a> {
    Device(&'a str),
    Admin(&'a str),
    Store(&'a str),
    /// Not Keeper's: switches a fault on.
    Control(&'a str),
    Nothing,
}

impl<'a> Door<'a> {
    fn of(path: &'a str) -> Self {
        if let Some(endpoint) = path.strip_prefix("/api/rest/") {
            return endpoint.strip_prefix("sm/v1/").map_or(Self::Admin(endpoint), Self::Device);
        }
        match (path.strip_prefix("/store/"), path.strip_prefix("/keeper-fake/")) {
            (Some(name), _) => Self::Store(name),
            (_, Some(call)) => Self::Control(call),
            _ => Self::Nothing,
        }
    }

    fn met(&self, method: &str) -> Option<On> {
        Some(match self {
            Self::Device(operation) if device::reads(operation) => On::DeviceRead,
            Self::Device(_) => On::DeviceWrite,
            Self::Admin(_) => On::Admin,
            Self::Store(_) if method == "POST" => On::Upload,
            Self::Store(_) => On::Download,
            Self::Control(_) | Self::Nothing => return None,
        })
    }

    /// As the journal names it.
    fn call(&self, path: &str) -> String {
        match self {
            Self::Device(operation) => format!("sm/v1/{}", shortened(operation)),
            Self::Admin(endpoint) => shortened(endpoint).to_owned(),
            Self::Store(_) => "store".to_owned(),
            Self::Control(_) | Self::Nothing => shortened(path).to_owned(),
        }
    }
}

fn shortened(text: &str) -> &str {
    text.char_indices().nth(100).map_or(text, |(end, _)| text.split_at(end).0)
}

/// Answered without any effect.
fn mishap(fault: &Fault) -> Option<Reply> {
    Some(match fault {
        Fault::Throttle { retry_after } => {
            let mut body = json!({ "error": "throttled", "message": "Too many requests, due to throttling" });
            if *retry_after > 0 {
                body["retry_after"] = json!(retry_after);
            }
            Reply::json(403, &body)
        }
        Fault::Http429 => Reply::text(429, "Too Many Requests"),
        Fault::Http500 => Reply::json(500, &json!({ "error": "generic", "message": "internal server error" })),
        Fault::Html502 => Reply::new(
            502,
            "text/html",
            "<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>",
        ),
        _ => return None,
    })
}

/// Answers one request. `now` is in milliseconds since 1970.
pub(crate) fn answer(world: &mut World, now: i64, request: &Request) -> Outcome {
    let door = Door::of(&request.path);
    let fault = door.met(&request.method).and_then(|met| world.faults.take(met));
    let entry = Entry {
        at: now,
        method: shortened(&request.method).to_owned(),
        call: door.call(&request.path),
        status: 0,
        known: true,
    };
    if fault == Some(Fault::CutBefore) {
        note(world, entry);
        return Outcome::Cut;
    }
    if let Some(reply) = fault.as_ref().and_then(mishap) {
        note(world, Entry { status: reply.status, ..entry });
        return Outcome::Send(reply);
    }
    let ending = Ending::of(fault.as_ref());
    let (reply, entry) = match door {
        Door::Device(_) | Door::Admin(_) if request.method != "POST" => (Reply::text(405, "POST only"), entry),
        Door::Device(operation) => {
            let mut cx = device::Cx {
                devices: &mut world.devices,
                vault: &mut world.vault,
                keys: &world.keys,
                owner: world.admin.account.public_key(),
                base: &request.base,
                now,
                fault,
            };
            (device::answer(&mut cx, operation, request), entry)
        }
        Door::Admin(endpoint) => {
            let at = Moment { now, base: &request.base };
            match world.admin.answer(&mut world.vault, at, endpoint, &request.body) {
                Answer::Contact(call) => return Outcome::Contact(Pending { call, ending }),
                Answer::Now(answer) => {
                    let reply = answer.response();
                    (reply, Entry { call: answer.call, known: answer.known, ..entry })
                }
            }
        }
        Door::Store(name) => (store::answer(&mut world.vault, name, request), entry),
        Door::Control(call) => return Outcome::Send(control(world, call, request)),
        Door::Nothing => (Reply::text(404, "there is nothing here"), Entry { known: false, ..entry }),
    };
    note(world, Entry { status: reply.status, ..entry });
    ending.outcome(reply)
}

/// The answer that waited for a call: `reached` says why the service could not be reached.
pub(crate) fn contacted(world: &mut World, now: i64, pending: &Pending, reached: Result<(), String>) -> Outcome {
    let answer = world.admin.contacted(now, &pending.call, reached);
    let reply = answer.response();
    note(world, Entry { at: now, method: "POST".to_owned(), call: answer.call, status: reply.status, known: true });
    pending.ending.outcome(reply)
}

/// `POST /keeper-fake/faults` with `{"name": …}`.
fn control(world: &mut World, call: &str, request: &Request) -> Reply {
    if call != "faults" || request.method != "POST" {
        return Reply::text(404, "POST /keeper-fake/faults is all there is");
    }
    let name = serde_json::from_slice::<Value>(&request.body).ok();
    let name = name.as_ref().and_then(|body| body.get("name")).and_then(Value::as_str).unwrap_or_default();
    if world.fault(name) {
        Reply::json(200, &json!({ "name": name }))
    } else {
        Reply::json(400, &json!({ "expected": { "name": faults::NAMES } }))
    }
}

/// Requests that are remembered.
const MOST_ENTRIES: usize = 100_000;

fn note(world: &mut World, entry: Entry) {
    if world.journal.len() < MOST_ENTRIES {
        world.journal.push(entry);
    }
}
