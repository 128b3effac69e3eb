//! Binding, cut and killed at every request.

mod common;

use std::sync::{Arc, Mutex};

use common::scripted::{Do, Scripted};
use common::vault::Fault;
use keeper_wire::crypto::Key;
use keeper_wire::{ClientId, OneTimeToken, text};
use ksm_client::{Cause, Client, Config, ConfigFile, Error, Filter, Options};
use serde_json::{Value, json};
use tokio::sync::Notify;

/// What the service knows of one token.
struct State {
    token: OneTimeToken,
    app_key: Key,
    /// The point that was bound first.
    bound: Option<String>,
    /// Whether a bound device may ask for its key again; unknown of the real service.
    hands_out_again: bool,
    fault: Option<(usize, Fault)>,
    requests: usize,
    /// The configuration's file, to be looked at when a request comes in.
    path: std::path::PathBuf,
}

struct Served {
    service: Scripted,
    state: Arc<Mutex<State>>,
    killed: Arc<Notify>,
    folder: tempfile::TempDir,
}

impl Served {
    /// The scripted service checks signatures with the key of its own configuration, which a new device has not; so requests
    /// that bring a key of their own are let in by [`Scripted::start_for_any`].
    async fn start(hands_out_again: bool) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let state = Arc::new(Mutex::new(State {
            token: OneTimeToken::random(),
            app_key: Key::random(),
            bound: None,
            hands_out_again,
            fault: None,
            requests: 0,
            path: folder.path().join("client-config.json"),
        }));
        let killed = Arc::new(Notify::new());
        let (shared, kill) = (state.clone(), killed.clone());
        let service = Scripted::start_for_any(move |_, seen| shared.lock().unwrap().serve(&seen.payload, &kill)).await;
        Self { service, state, killed, folder }
    }

    fn path(&self) -> std::path::PathBuf {
        self.folder.path().join("client-config.json")
    }

    fn options(&self) -> Options {
        self.service.options().host(format!("127.0.0.1:{}", self.service.port).parse().unwrap())
    }

    async fn bind(&self) -> Option<Result<Client, Error>> {
        let token = self.state.lock().unwrap().token.clone();
        tokio::select! {
            biased;
            () = self.killed.notified() => None,
            done = Client::bind(&token, None, self.path(), self.options()) => Some(done),
        }
    }

    fn plan(&self, fault: Option<(usize, Fault)>) {
        let mut state = self.state.lock().unwrap();
        (state.fault, state.requests) = (fault, 0);
    }
}

impl State {
    fn serve(&mut self, payload: &Value, killed: &Notify) -> Do {
        let index = self.requests;
        self.requests += 1;
        // The private key is on disk before the service hears of the device.
        let kept = Config::parse(&std::fs::read_to_string(&self.path).unwrap()).unwrap();
        if let Some(point) = payload["publicKey"].as_str() {
            assert_eq!(text::standard(kept.public_key().as_bytes()), point);
        }
        let fault = self.fault.filter(|(at, _)| *at == index).map(|(_, fault)| fault);
        match fault {
            Some(Fault::CutBefore) => return Do::Cut,
            Some(Fault::KillBefore) => {
                killed.notify_one();
                return Do::Silence;
            }
            _ => {}
        }
        let answer = self.done(payload);
        match fault {
            Some(Fault::CutAfter) => Do::Cut,
            Some(Fault::KillAfter) => {
                killed.notify_one();
                Do::Silence
            }
            _ => answer,
        }
    }

    fn done(&mut self, payload: &Value) -> Do {
        let denied = |message: &'static str| Do::Plain(403, message, vec![]);
        let id: ClientId = payload["clientId"].as_str().unwrap().parse().unwrap();
        assert_eq!(id, self.token.client_id());
        let sealed = {
            let key = Key::from_slice(self.token.expose()).unwrap();
            text::standard(&key.seal(self.app_key.expose()))
        };
        match (payload["publicKey"].as_str(), &self.bound) {
            (None, Some(_)) => Do::Seal(json!({ "records": [] })),
            (None, None) => denied(r#"{"error":"access_denied","message":"Signature is invalid"}"#),
            (Some(point), None) => {
                self.bound = Some(point.to_owned());
                Do::Seal(json!({ "encryptedAppKey": sealed, "appOwnerPublicKey": null }))
            }
            (Some(point), Some(bound)) => {
                assert_eq!(point, bound, "a second key for the same token");
                if self.hands_out_again {
                    Do::Seal(json!({ "encryptedAppKey": sealed }))
                } else {
                    denied(r#"{"error":"access_denied","message":"One time token was used"}"#)
                }
            }
        }
    }
}

#[tokio::test]
async fn a_token_becomes_a_device() {
    let served = Served::start(true).await;
    let client = served.bind().await.unwrap().unwrap();
    assert!(client.config().is_bound());
    let seen = served.service.seen();
    assert!(seen[0].payload["publicKey"].is_string() && seen[1].payload.get("publicKey").is_none());
    let (_, kept) = ConfigFile::open(served.path()).unwrap();
    assert!(kept.is_bound() && !kept.is_half_bound());
    let text = std::fs::read_to_string(served.path()).unwrap();
    assert!(!text.contains("clientKey") && text.contains("appKey"));
    // The same call again opens it, and asks for nothing.
    served.bind().await.unwrap().unwrap().secrets(&Filter::all()).await.unwrap();
    assert_eq!(served.service.seen().len(), 3);
    // Another token does not get that file.
    let error = Client::bind(&OneTimeToken::random(), None, served.path(), served.options()).await.unwrap_err();
    assert!(matches!(error, Error::Argument(_)), "{error}");
    assert_eq!(std::fs::read_to_string(served.path()).unwrap(), text);
}

#[tokio::test]
async fn after_a_fault_at_any_request_one_more_run_completes_it() {
    for fault in [Fault::CutBefore, Fault::CutAfter, Fault::KillBefore, Fault::KillAfter] {
        for at in 0..2 {
            let served = Served::start(true).await;
            served.plan(Some((at, fault)));
            let first = served.bind().await;
            match (&first, at) {
                (None, _) => assert!(matches!(fault, Fault::KillBefore | Fault::KillAfter)),
                (Some(Err(Error::HalfBound { source, .. })), 0) => assert!(source.maybe_done(), "{source}"),
                // The second request only looks; the device is bound whatever comes of it.
                (Some(Ok(_)), 1) => {}
                other => panic!("{fault:?} at {at}: {other:?}"),
            }
            let key = |served: &Served| ConfigFile::open(served.path()).unwrap().1.public_key();
            let before = key(&served);
            served.plan(None);
            let client = served.bind().await.unwrap().unwrap_or_else(|error| panic!("{fault:?} at {at}: {error}"));
            client.secrets(&Filter::all()).await.unwrap();
            assert_eq!(key(&served), before, "{fault:?} at {at}");
            assert!(client.config().is_bound());
        }
    }
}

#[tokio::test]
async fn a_binding_that_cannot_be_completed_is_named_and_its_key_kept() {
    for fault in [Fault::CutAfter, Fault::KillAfter] {
        let served = Served::start(false).await;
        served.plan(Some((0, fault)));
        assert!(!matches!(served.bind().await, Some(Ok(_))));
        served.plan(None);
        let error = served.bind().await.unwrap().unwrap_err();
        assert!(matches!(error, Error::HalfBound { .. }), "{error}");
        assert_eq!(error.cause(), Some(Cause::Token));
        assert!(error.hint().contains("new one"), "{}", error.hint());
        let (_, kept) = ConfigFile::open(served.path()).unwrap();
        assert!(kept.is_half_bound());
        // Using it as if it were bound says what is missing.
        let client = Client::open(served.path(), served.options()).unwrap();
        assert!(matches!(client.secrets(&Filter::all()).await, Err(Error::NotBound)));
    }
}

#[tokio::test]
async fn in_memory_it_is_the_same() {
    let served = Served::start(true).await;
    let token = served.state.lock().unwrap().token.clone();
    let host = format!("127.0.0.1:{}", served.service.port).parse().unwrap();
    let config = Config::from_token(&token, Some(host)).unwrap();
    ConfigFile::create(served.path(), &config).unwrap(); // the service looks whether it is kept
    let client = Client::new(config, served.service.options()).unwrap();
    client.finish_binding().await.unwrap();
    client.finish_binding().await.unwrap();
    assert!(client.config().is_bound());
    assert_eq!(served.service.seen().len(), 2);
}

#[tokio::test]
async fn a_host_that_was_wrong_at_first_is_corrected_and_that_of_a_device_is_not() {
    let served = Served::start(true).await;
    let token = served.state.lock().unwrap().token.clone();
    let wrong = Config::from_token(&token, Some("EU".parse().unwrap())).unwrap();
    ConfigFile::create(served.path(), &wrong).unwrap();
    let bind = |host: keeper_wire::Host| Client::bind(&token, Some(host), served.path(), served.service.options());
    let here: keeper_wire::Host = format!("127.0.0.1:{}", served.service.port).parse().unwrap();
    let client = bind(here.clone()).await.unwrap();
    assert_eq!(*client.config().host(), here);
    assert_eq!(*ConfigFile::open(served.path()).unwrap().1.host(), here);
    let error = bind("US".parse().unwrap()).await.unwrap_err();
    assert!(matches!(error, Error::Argument(_)), "{error}");
    bind(here).await.unwrap();
}

#[tokio::test]
async fn a_file_that_cannot_be_kept_up_to_date_uses_no_token_up() {
    let served = Served::start(true).await;
    let token = served.state.lock().unwrap().token.clone();
    let config = Config::from_token(&token, Some("EU".parse().unwrap())).unwrap();
    std::fs::write(served.path(), config.expose_ini("_default").unwrap().as_bytes()).unwrap();
    let error = served.bind().await.unwrap().unwrap_err();
    assert!(matches!(error, Error::Config(ksm_client::ConfigError::NotWritten { .. })), "{error}");
    assert!(served.service.seen().is_empty());
}
