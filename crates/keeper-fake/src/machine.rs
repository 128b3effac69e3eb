//! A request goes in, an outcome comes out; no input or output in between.

use crate::admin::{Answer, Moment, Pending};
use crate::store;
use crate::world::{Entry, World};
use bytes::Bytes;

/// A request as the shell read it.
#[derive(Debug)]
pub(crate) struct Request<'a> {
    pub(crate) method: &'a str,
    /// Without query.
    pub(crate) path: &'a str,
    pub(crate) query: &'a str,
    pub(crate) content_type: &'a str,
    pub(crate) body: Bytes,
    /// Milliseconds.
    pub(crate) now: i64,
    /// `https://host:port` of the fake.
    pub(crate) base: &'a str,
}

/// What the shell has to do.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// Send this.
    Respond(Response),
    /// Call a service, and tell [`contacted`] how that went.
    Contact(Pending),
}

/// What is sent.
#[derive(Debug)]
pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) content_type: &'static str,
    pub(crate) body: Bytes,
}

const PLAIN: &str = "text/plain; charset=utf-8";

impl Response {
    pub(crate) fn text(status: u16, text: &str) -> Self {
        Self { status, content_type: PLAIN, body: Bytes::copy_from_slice(text.as_bytes()) }
    }
}

/// Answers one request.
pub(crate) fn answer(world: &mut World, request: &Request<'_>) -> Outcome {
    let (response, call, known) = match request.path.strip_prefix("/api/rest/") {
        Some(_) if request.method != "POST" => (Response::text(405, "POST only"), request.path.to_owned(), true),
        Some(endpoint) => {
            let at = Moment { now: request.now, base: request.base };
            match world.admin.answer(&mut world.vault, at, endpoint, &request.body) {
                Answer::Contact(pending) => return Outcome::Contact(pending),
                Answer::Now(answer) => (answer.response(), answer.call, answer.known),
            }
        }
        None => match request.path.strip_prefix("/store/") {
            Some(name) => (store::answer(&mut world.vault, name, request), "store".to_owned(), true),
            None => (Response::text(404, "there is nothing here"), request.path.to_owned(), false),
        },
    };
    note(world, request.method, call, response.status, known);
    Outcome::Respond(response)
}

/// The answer that waited for a call: `reached` says why the service could not be reached.
pub(crate) fn contacted(world: &mut World, now: i64, pending: &Pending, reached: Result<(), String>) -> Response {
    let answer = world.admin.contacted(now, pending, reached);
    let response = answer.response();
    note(world, "POST", answer.call, response.status, true);
    response
}

/// Requests that are remembered.
const MOST_ENTRIES: usize = 100_000;

fn note(world: &mut World, method: &str, call: String, status: u16, known: bool) {
    if world.journal.len() < MOST_ENTRIES {
        world.journal.push(Entry { method: method.to_owned(), call, status, known });
    }
}
