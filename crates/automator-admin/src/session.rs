//! A session: calls with a token, and a new token when the old one has expired.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use keeper_wire::crypto::Key;
use keeper_wire::ec::PrivateKey;
use keeper_wire::messages::authentication as m;
use keeper_wire::{Host, text};
use prost::Message;
use serde_json::{Map, Value, json};
use tokio::sync::Mutex;
use tracing::Instrument;
use zeroize::Zeroizing;

use crate::account::Account;
use crate::config::{Config, ConfigStore, Held};
use crate::enterprise::Enterprise;
use crate::error::{Break, Detail, Refusal};
use crate::judge;
use crate::login::{Flow, Means, Opened};
use crate::transport::{Call, Transport};
use crate::vault::{Snapshots, Vault};
use crate::wait::Until;
use crate::{Error, Event, decode};

/// A signed-in administrator. Cheap to clone; all clones are one session, and the last one to go lets go of the configuration.
#[derive(Clone)]
pub struct Session(Arc<Inner>);

struct Inner {
    transport: Arc<Transport>,
    store: Arc<dyn ConfigStore>,
    means: Means,
    config: Mutex<Config>,
    held: Arc<Held>,
    user: String,
    account_uid: Vec<u8>,
    device_token: Vec<u8>,
    device: PrivateKey,
    data_key: Key,
    token: RwLock<Token>,
    account: Mutex<Option<Arc<Account>>>,
    enterprise: Mutex<Option<Arc<Enterprise>>>,
    snapshots: Mutex<Snapshots>,
    /// Counts changes, so that a snapshot knows whether it is old.
    changes: AtomicU64,
}

/// A session token and how many there were before.
#[derive(Clone)]
struct Token {
    bytes: Arc<Zeroizing<Vec<u8>>>,
    number: u64,
}

impl Session {
    pub(crate) fn open(
        transport: Arc<Transport>,
        store: Arc<dyn ConfigStore>,
        held: Arc<Held>,
        config: Config,
        means: Means,
        opened: Opened,
    ) -> Result<Self, Error> {
        let device = config.private_key.clone().ok_or(crate::login::LoginError::NoDevice)?;
        Ok(Self(Arc::new(Inner {
            user: config.user.clone(),
            device_token: config.device_token.clone(),
            device,
            account_uid: opened.account_uid,
            data_key: opened.data_key,
            token: RwLock::new(Token { bytes: Arc::new(opened.token), number: 0 }),
            transport,
            store,
            means,
            config: Mutex::new(config),
            held,
            account: Mutex::default(),
            enterprise: Mutex::default(),
            snapshots: Mutex::default(),
            changes: AtomicU64::new(0),
        })))
    }

    /// The e-mail address of the account.
    #[must_use]
    pub fn user(&self) -> &str {
        &self.0.user
    }

    /// The server, after a redirect to another region.
    #[must_use]
    pub fn host(&self) -> Host {
        self.0.transport.host()
    }

    /// The account: what it may do and its keys. Asked for once.
    ///
    /// # Errors
    /// As any call.
    pub async fn account(&self) -> Result<Arc<Account>, Error> {
        let mut kept = self.0.account.lock().await;
        if let Some(account) = &*kept {
            return Ok(account.clone());
        }
        let account = Arc::new(Account::ask(self).await?);
        *kept = Some(account.clone());
        Ok(account)
    }

    /// The enterprise: its keys and its tree of nodes. Asked for once.
    ///
    /// # Errors
    /// [`EnterpriseError`](crate::enterprise::EnterpriseError) for somebody who is no administrator, and as any call.
    pub async fn enterprise(&self) -> Result<Arc<Enterprise>, Error> {
        let mut kept = self.0.enterprise.lock().await;
        if let Some(enterprise) = &*kept {
            return Ok(enterprise.clone());
        }
        let enterprise = Arc::new(Enterprise::ask(self).await?);
        *kept = Some(enterprise.clone());
        Ok(enterprise)
    }

    /// The vault as it is after the last change of this session. Those who ask at the same time share one answer.
    ///
    /// Changes by others are seen after a change of ours, or after [`Session::look_again`].
    ///
    /// # Errors
    /// As any call.
    pub async fn vault(&self) -> Result<Arc<Vault>, Error> {
        let mut snapshots = self.0.snapshots.lock().await;
        snapshots.current(self, self.0.changes.load(Ordering::Acquire)).await
    }

    /// The next [`Session::vault`] asks Keeper again.
    pub fn look_again(&self) {
        self.0.changes.fetch_add(1, Ordering::AcqRel);
    }

    /// Lets the next run resume without a question (spec 2.6): stores the data key for this device, switches persistent login
    /// on, and sets how long the device may be idle.
    ///
    /// # Errors
    /// A refusal, for instance because a role forbids to stay signed in.
    pub async fn stay_signed_in(&self, idle_minutes: u32) -> Result<(), Error> {
        let request = m::RegisterDeviceDataKeyRequest {
            encrypted_device_token: self.0.device_token.clone(),
            encrypted_device_data_key: self.0.device.public().seal(self.0.data_key.expose()),
        };
        match self.tell("authentication/register_encrypted_data_key_for_device", &request).await {
            Err(Error::Refused(refusal)) if refusal.code == "device_data_key_exists" => {}
            other => other?,
        }
        for (setting, value) in [("persistent_login", "1".to_owned()), ("logout_timer", idle_minutes.to_string())] {
            self.tell("setting/set_user_setting", &m::UserSettingRequest { setting: setting.to_owned(), value })
                .await?;
        }
        Ok(())
    }

    /// Ends the session at Keeper. The clone code stays good: the next run resumes.
    ///
    /// # Errors
    /// As any call.
    pub async fn sign_out(self) -> Result<(), Error> {
        self.send(Call::write("vault/logout_v3", &[])).await.map(|_| ())
    }

    pub(crate) fn data_key(&self) -> &Key {
        &self.0.data_key
    }

    pub(crate) fn account_uid(&self) -> &[u8] {
        &self.0.account_uid
    }

    pub(crate) fn transport(&self) -> &Transport {
        &self.0.transport
    }

    /// Asks, without changing anything.
    pub(crate) async fn ask<A: Message + Default>(
        &self,
        endpoint: &'static str,
        request: &impl Message,
    ) -> Result<A, Error> {
        self.ask_version(endpoint, request, 0).await
    }

    pub(crate) async fn ask_version<A: Message + Default>(
        &self,
        endpoint: &'static str,
        request: &impl Message,
        api_version: i32,
    ) -> Result<A, Error> {
        let payload = Zeroizing::new(request.encode_to_vec());
        let call = Call { api_version, ..Call::read(endpoint, &payload) };
        decode(call.name, call.write, &self.send(call).await?)
    }

    /// Changes something, and reads the answer.
    pub(crate) async fn change<A: Message + Default>(
        &self,
        endpoint: &'static str,
        request: &impl Message,
    ) -> Result<A, Error> {
        let payload = Zeroizing::new(request.encode_to_vec());
        let call = Call::write(endpoint, &payload);
        decode(call.name, call.write, &self.send(call).await?)
    }

    /// Changes something whose answer says nothing.
    pub(crate) async fn tell(&self, endpoint: &'static str, request: &impl Message) -> Result<(), Error> {
        let payload = Zeroizing::new(request.encode_to_vec());
        self.send(Call::write(endpoint, &payload)).await.map(|_| ())
    }

    /// A command in JSON (spec 1.5): its token stands in the text, and a failure comes with status 200.
    pub(crate) async fn command(
        &self,
        name: &'static str,
        write: bool,
        members: Map<String, Value>,
    ) -> Result<Map<String, Value>, Error> {
        let guard = write.then(|| Changing::begin(&self.0.changes));
        let (mut again, mut patient) = (true, true);
        let options = self.0.transport.options();
        let until = Until::after(options.deadline);
        let answer = loop {
            let token = self.token();
            let mut request = members.clone();
            let common = [
                ("command", json!(name)),
                ("client_version", json!(options.client_version)),
                ("client_time", json!(crate::wait::now())),
                ("locale", json!("en_US")),
                ("device_id", json!("Commander")),
                ("session_token", json!(text::url(&token.bytes))),
                ("username", json!(self.0.user)),
            ];
            request.extend(common.map(|(name, value)| (name.to_owned(), value)));
            let payload = Zeroizing::new(serde_json::to_vec(&request).expect("a JSON object has a text"));
            let call = Call { name, write, ..Call::read("vault/execute_v2_command", &payload) };
            let told = self.0.transport.send(&call).await.and_then(|answer| command_answer(name, write, &answer));
            match told {
                Err(error) if again && expired(&error) => {
                    again = false;
                    self.sign_in_again(token.number).await?;
                }
                // The vendor's client waits 10 s and repeats once.
                Err(Error::Refused(refusal)) if refusal.code == "throttled" => {
                    let wait = options.throttle / 3;
                    let event = Event::Throttled { call: name, wait, attempt: 1 };
                    if !patient || !until.wait(options, wait, &event).await {
                        let (status, attempts) = (refusal.status, 2 - u32::from(patient));
                        break Err(Error::Throttled { call: name, status, wait, attempts, message: refusal.message });
                    }
                    patient = false;
                }
                other => break other,
            }
        };
        drop(guard);
        answer
    }

    async fn send(&self, call: Call<'_>) -> Result<Zeroizing<Vec<u8>>, Error> {
        let guard = call.write.then(|| Changing::begin(&self.0.changes));
        let token = self.token();
        let mut answer = self.0.transport.send(&Call { token: &token.bytes, ..call }).await;
        // Keeper did not look at the rest, so it may be said again.
        if answer.as_ref().is_err_and(expired) {
            self.sign_in_again(token.number).await?;
            answer = self.0.transport.send(&Call { token: &self.token().bytes, ..call }).await;
        }
        drop(guard);
        answer
    }

    fn token(&self) -> Token {
        self.0.token.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// A new token, unless somebody has got one since the one with this number. It is fetched by a task of its own, so that a
    /// caller who goes away leaves the session with the clone code that came.
    async fn sign_in_again(&self, number: u64) -> Result<(), Error> {
        let session = self.clone();
        let renewed = tokio::spawn(async move { session.renew(number).await }.in_current_span()).await;
        renewed.unwrap_or(Err(Error::Lost { call: "start_login", what: Break::Cut, write: true, source: None }))
    }

    async fn renew(&self, number: u64) -> Result<(), Error> {
        let mut config = self.0.config.lock().await;
        if self.token().number != number {
            return Ok(());
        }
        let Inner { transport, store, held, means, .. } = &*self.0;
        let opened = Flow { transport, store, held, config: &mut config, means }.run().await?;
        let token = Token { bytes: Arc::new(opened.token), number: number + 1 };
        *self.0.token.write().unwrap_or_else(PoisonError::into_inner) = token;
        self.0.transport.options().tell(&Event::SignedInAgain);
        Ok(())
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session")
            .field("user", &self.0.user)
            .field("host", &self.host().to_string())
            .finish_non_exhaustive()
    }
}

/// Counts a change when it begins and when it ends, dropped futures included: a snapshot of the time between is old too.
struct Changing<'a>(&'a AtomicU64);

impl<'a> Changing<'a> {
    fn begin(changes: &'a AtomicU64) -> Self {
        changes.fetch_add(1, Ordering::AcqRel);
        Self(changes)
    }
}

impl Drop for Changing<'_> {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::AcqRel);
    }
}

fn expired(error: &Error) -> bool {
    matches!(error, Error::Refused(refusal) if refusal.code == "session_token_expired")
}

fn command_answer(call: &'static str, write: bool, answer: &[u8]) -> Result<Map<String, Value>, Error> {
    let object = serde_json::from_slice(answer);
    let object: Map<String, Value> =
        object.map_err(|_| Error::Reply { call, what: "a JSON object was expected", write })?;
    if object.get("result").and_then(Value::as_str) == Some("success") {
        return Ok(object);
    }
    Err(Refusal {
        call,
        status: 200,
        code: judge::text(&object, "result_code"),
        message: judge::text(&object, "message"),
        detail: Box::new(Detail { write, ..Detail::default() }),
    }
    .into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_that_failed_is_a_refusal_in_its_own_words() {
        let failed =
            command_answer("delete", true, br#"{"result":"fail","result_code":"access_denied","message":"no"}"#);
        assert_eq!(
            failed.unwrap_err().to_string(),
            "call delete, because Keeper refused it (status 200): access_denied: no"
        );
        assert!(command_answer("delete", true, br#"{"result":"success"}"#).is_ok());
        for write in [false, true] {
            let unread = command_answer("delete", write, b"[]").unwrap_err();
            assert!(matches!(unread, Error::Reply { .. }) && unread.maybe_done() == write, "{unread:?}");
        }
    }

    #[test]
    fn a_change_counts_twice_even_when_it_is_given_up() {
        let changes = AtomicU64::new(0);
        drop(Changing::begin(&changes));
        assert_eq!(changes.load(Ordering::Relaxed), 2);
    }

    proptest::proptest! {
        /// Any answer to a command is one, or an error.
        #[test]
        fn no_answer_to_a_command_is_a_panic(bytes: Vec<u8>, result: String, code: String) {
            drop(command_answer("delete", true, &bytes));
            let object = json!({ "result": result, "result_code": code }).to_string();
            proptest::prop_assert_eq!(command_answer("delete", true, object.as_bytes()).is_ok(), result == "success");
        }
    }
}
