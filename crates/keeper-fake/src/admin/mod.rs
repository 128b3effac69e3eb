//! The administrator side: `POST /api/rest/…` with protobuf inside.
//!
//! A state machine without input or output. `Admin::answer` takes a request and gives an answer; where Keeper's cloud would
//! call the Automator service, it gives a contact instead, and the caller says with `Admin::contacted` how that went.
//!
//! Every answer here is ours: what the vendor's client sends and understands is known, what the service refuses and how is
//! mostly not. The files say which of their answers are guesses.

mod account;
mod automator;
mod enterprise;
mod envelope;
mod login;
mod reply;
mod script;
mod seed;
mod summary;
#[cfg(test)]
mod tests;
mod vault;

use crate::vault::Vault;
use keeper_wire::Transmission;
use keeper_wire::ec::PrivateKey;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

pub use account::{Account, Home, Rules};
pub use automator::{Automator, Handed};
pub use enterprise::{Enterprise, Node, Pairs};
pub use envelope::ML_KEM_ID;
pub use script::{Calls, Scripted};
pub use seed::{Nodes, Resumable};
pub(crate) use vault::{take_everywhere as discard_record, take_folder as discard_folder, taken};

use reply::{Contact, Refusal, Reply};

/// The account, its enterprise, and what is kept between calls.
#[derive(Debug, Serialize, Deserialize)]
pub struct Admin {
    /// Who logs in.
    pub account: Account,
    /// Whose administrator that is.
    pub enterprise: Enterprise,
    /// Rows of one page of `sync_down`.
    pub page: usize,
    /// Requests that came in the hybrid envelope.
    pub hybrid_requests: u64,
    automators: automator::Automators,
    keys: envelope::Keys,
    pending: vault::Pending,
    scripts: script::Scripts,
}

/// An answer of the administrator side.
#[derive(Debug)]
pub(crate) enum Answer {
    /// To be sent.
    Now(Response),
    /// The service has to be called first.
    Contact(Pending),
}

/// A response of HTTP.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) content_type: &'static str,
    pub(crate) body: Vec<u8>,
    /// What was called: the endpoint, or the name of the command in it.
    pub(crate) call: String,
    /// False for an endpoint that nothing here knows and that was answered with an empty success.
    pub(crate) known: bool,
}

impl Response {
    pub(crate) fn response(&self) -> crate::machine::Reply {
        crate::machine::Reply::new(self.status, self.content_type, self.body.clone())
    }
}

/// A call of the Automator service that the answer waits for.
#[derive(Debug)]
pub(crate) struct Pending {
    contact: Contact,
    key: Transmission,
    call: String,
}

impl Pending {
    /// Address of the service, as the administrator wrote it.
    pub(crate) fn url(&self) -> &str {
        &self.contact.url
    }
}

/// What a request is asked with.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moment<'a> {
    /// Milliseconds.
    pub(crate) now: i64,
    /// `https://host:port` of the fake.
    pub(crate) base: &'a str,
}

impl Admin {
    /// A server with these private keys, an account and an enterprise without Automators.
    pub(crate) fn new(server_keys: &BTreeMap<i32, PrivateKey>) -> Self {
        Self {
            account: Account::new("administrator@example.com"),
            enterprise: Enterprise::new(8560, "Example"),
            page: 200,
            hybrid_requests: 0,
            automators: automator::Automators::default(),
            keys: envelope::Keys::new(server_keys),
            pending: vault::Pending::default(),
            scripts: script::Scripts::default(),
        }
    }

    /// From now on only this server key is taken.
    pub fn rotate(&mut self, id: i32) {
        self.keys.rotate(id);
    }

    /// The ML-KEM-1024 half of the server's hybrid key, id [`ML_KEM_ID`].
    #[must_use]
    pub fn ml_kem_public_key(&self) -> Vec<u8> {
        self.keys.ml_kem_public()
    }

    /// The next `times` matching calls are answered with this and have no effect.
    pub fn script(&mut self, calls: Calls, times: u32, answer: Scripted) {
        self.scripts.add(calls, times, answer);
    }

    /// All Automators, by id.
    pub fn automators(&self) -> impl Iterator<Item = &Automator> {
        self.automators.all.values()
    }

    /// The same, to be changed as an Automator or somebody else would.
    pub fn automators_mut(&mut self) -> impl Iterator<Item = &mut Automator> {
        self.automators.all.values_mut()
    }

    /// From now on `init` is accepted, and ends in the state `ERROR`.
    pub fn let_automators_fail_to_start(&mut self) {
        self.automators.fail_to_start = true;
    }

    /// Answers `POST /api/rest/<endpoint>`.
    pub(crate) fn answer(&mut self, vault: &mut Vault, at: Moment<'_>, endpoint: &str, body: &[u8]) -> Answer {
        let opened = match self.keys.open(body) {
            Ok(opened) => opened,
            Err(refusal) => return Answer::Now(refused(&refusal, endpoint)),
        };
        self.hybrid_requests += u64::from(opened.hybrid);
        let payload = opened.payload.payload.as_slice();
        let call = match endpoint {
            COMMANDS => vault::command_name(payload).unwrap_or_else(|| endpoint.to_owned()),
            _ => endpoint.to_owned(),
        };
        let (reply, known) = match self.scripts.take(&call) {
            Some(reply) => (reply, true),
            None => match self.dispatch(vault, at, endpoint, &opened.payload) {
                Some(reply) => (reply, true),
                None => (Ok(Reply::Void), false),
            },
        };
        match reply {
            Err(refusal) => Answer::Now(Response { known, ..refused(&refusal, &call) }),
            Ok(Reply::Contact(contact)) => Answer::Contact(Pending { contact, key: opened.key, call }),
            Ok(reply) => Answer::Now(Response { known, ..sealed(reply, &opened.key, &call) }),
        }
    }

    /// What is answered after the service was called: `reached` says why not.
    pub(crate) fn contacted(&mut self, now: i64, pending: &Pending, reached: Result<(), String>) -> Response {
        let reply = automator::contacted(&mut self.automators, now, &pending.contact, reached);
        sealed(reply, &pending.key, &pending.call)
    }

    /// `None` for an endpoint that is not known.
    fn dispatch(
        &mut self,
        vault: &mut Vault,
        at: Moment<'_>,
        endpoint: &str,
        envelope: &keeper_wire::messages::authentication::ApiRequestPayload,
    ) -> Option<Result<Reply, Refusal>> {
        let payload = envelope.payload.as_slice();
        let login = endpoint.strip_prefix("authentication/");
        if let Some(answer) = login.and_then(|call| login::answer(&mut self.account, at.now, call, payload)) {
            return Some(answer);
        }
        let token = match endpoint {
            COMMANDS => vault::session_token(payload).unwrap_or_default(),
            _ => envelope.encrypted_session_token.clone(),
        };
        if !self.account.sessions.contains(&token) {
            return Some(Err(Refusal::new(401, "session_token_expired", "The session has expired")));
        }
        if endpoint == "vault/logout_v3" {
            self.account.sessions.remove(&token);
            return Some(Ok(Reply::Void));
        }
        if let Some(answer) = summary::answer(&mut self.account, &self.enterprise, endpoint, payload) {
            return Some(answer);
        }
        let (topic, call) = endpoint.split_once('/')?;
        match topic {
            "enterprise" => {
                enterprise::answer(&mut self.enterprise, &self.account, call, payload, envelope.api_version)
            }
            "automator" if !self.account.rules.administrator => {
                Some(Err(Refusal::denied("restricted to Keeper Enterprise administrators")))
            }
            "automator" => automator::answer(&mut self.automators, &self.enterprise, at.now, call, payload),
            "vault" => {
                let mut cx = vault::Cx {
                    vault,
                    account: &self.account,
                    pending: &mut self.pending,
                    now: at.now,
                    base: at.base,
                    page: self.page,
                };
                vault::answer(&mut cx, call, payload, envelope.api_version)
            }
            _ => None,
        }
    }
}

const COMMANDS: &str = "vault/execute_v2_command";

fn sealed(reply: Reply, key: &Transmission, call: &str) -> Response {
    let body = match reply {
        Reply::Sealed(bytes) if !bytes.is_empty() => key.seal(&bytes),
        Reply::Sealed(_) | Reply::Void | Reply::Contact(_) => Vec::new(),
    };
    Response { status: 200, content_type: "application/octet-stream", body, call: call.to_owned(), known: true }
}

fn refused(refusal: &Refusal, call: &str) -> Response {
    let body = serde_json::to_vec(&refusal.body).unwrap_or_default();
    Response { status: refusal.status, content_type: "application/json", body, call: call.to_owned(), known: true }
}
