//! The same machine behind a `wiremock` server, for tests that have one already.
//!
//! `wiremock` speaks plain HTTP and answers synchronously. So no Automator is called from here: its verbs that would are
//! answered as if it could not be reached. For TLS and for Automators there is [`crate::Fake`].

use crate::machine::{MOST_BODY, Outcome, Reply, Request};
use crate::seed::Guide;
use crate::shell;
use crate::world::World;
use ::wiremock::{Match, Mock, MockServer, Respond, ResponseTemplate};
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// A world that is mounted on a server. The server keeps it when this is dropped.
#[derive(Clone, Debug)]
pub struct Mounted {
    world: Arc<Mutex<World>>,
}

/// A world by name: that of [`World::guide`], and in it
///
/// - `guide`: nothing else;
/// - `flat`: records come in the flat list, as those do that other clients made in a shared folder;
/// - `no_owner_key`: binding gives no owner's key;
/// - any of [`NAMES`](crate::faults::NAMES): the next matching request meets that fault.
///
/// `None` for another name.
#[must_use]
pub fn scenario(name: &str) -> Option<(World, Guide)> {
    let (mut world, guide) = World::guide();
    match name {
        "guide" => {}
        "flat" => world.devices.flat = true,
        "no_owner_key" => world.devices.without_owner_key = true,
        _ if world.fault(name) => {}
        _ => return None,
    }
    Some((world, guide))
}

impl Mounted {
    /// Answers every request to `server` that no mock of a higher priority (1 to 3) takes.
    pub async fn on(server: &MockServer, world: World) -> Self {
        let world = Arc::new(Mutex::new(world));
        let machine = Machine { world: world.clone(), base: server.uri(), decided: Arc::default() };
        // A mock either answers or fails, always. So the first one decides and takes what is to be cut; the rest is sent by
        // the second. The server handles one request after the other, and asks them in this order.
        let cut = Mock::given(machine.clone()).respond_with_err(|_: &::wiremock::Request| io::Error::other("cut"));
        cut.with_priority(4).named("keeper-fake cuts").mount(server).await;
        Mock::given(Any).respond_with(machine).with_priority(5).named("keeper-fake answers").mount(server).await;
        Self { world }
    }

    /// What it knows, to be looked at and changed. Requests wait meanwhile: let go of it before the next `await`.
    pub fn world(&self) -> MutexGuard<'_, World> {
        lock(&self.world)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

struct Any;

impl Match for Any {
    fn matches(&self, _: &::wiremock::Request) -> bool {
        true
    }
}

#[derive(Clone)]
struct Machine {
    world: Arc<Mutex<World>>,
    base: String,
    decided: Arc<Mutex<Option<(Duration, Reply)>>>,
}

/// Whether the connection is to be cut. What is to be sent otherwise is kept for the second mock.
impl Match for Machine {
    fn matches(&self, request: &::wiremock::Request) -> bool {
        let reply = self.ask(request);
        let cut = reply.is_none();
        *lock(&self.decided) = reply;
        cut
    }
}

impl Respond for Machine {
    fn respond(&self, _: &::wiremock::Request) -> ResponseTemplate {
        let (delay, reply) =
            lock(&self.decided).take().unwrap_or_else(|| (Duration::ZERO, Reply::text(500, "nothing was decided")));
        ResponseTemplate::new(reply.status).set_body_raw(reply.body, reply.content_type).set_delay(delay)
    }
}

impl Machine {
    /// `None` is a cut.
    fn ask(&self, request: &::wiremock::Request) -> Option<(Duration, Reply)> {
        if request.body.len() > MOST_BODY {
            return Some((Duration::ZERO, Reply::text(413, "the body is too large")));
        }
        let headers = request.headers.iter();
        let request = Request {
            method: request.method.as_str().to_owned(),
            path: request.url.path().to_owned(),
            query: request.url.query().unwrap_or_default().to_owned(),
            headers: headers
                .filter_map(|(name, value)| Some((name.to_string(), value.to_str().ok()?.to_owned())))
                .collect(),
            body: request.body.clone().into(),
            // wiremock does not say; it listens on loopback alone.
            peer: [127, 0, 0, 1].into(),
            base: self.base.clone(),
        };
        let mut world = lock(&self.world);
        let mut outcome = world.handle(shell::now(), &request);
        loop {
            outcome = match outcome {
                Outcome::Send(reply) => return Some((Duration::ZERO, reply)),
                Outcome::Delay(delay, reply) => return Some((delay, reply)),
                Outcome::Cut => return None,
                Outcome::Contact(pending) => world.resume(
                    shell::now(),
                    &pending,
                    Err("no Automator is called from a wiremock server".to_owned()),
                ),
            };
        }
    }
}
