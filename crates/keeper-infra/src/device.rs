//! The device with which tasks read the vault (K7, C05): made, bound, and its configuration kept where only they read it.
//!
//! A token and a key are written down before Keeper hears of them, so that a run that dies anywhere leaves a device that the
//! next run finds again by its client id and finishes; never one that nobody can find. They are written down aside: whoever reads
//! the place meanwhile, a task that starts while its device is replaced say, finds no token that it would use up.

use std::sync::Arc;

use automator_admin::vault::application::Application;
use automator_admin::vault::device::{self, Device as Listed};
use futures_util::future::BoxFuture;
use keeper_wire::{ClientId, Host, OneTimeToken};
use ksm_client::{Cause, Client, Config, Options};
use resource_graph::{Action, Cx, Error, Given, Knowns, NodeId, Present, Ref, Resource, Result, Seen, Verdict};
use secrecy::{ExposeSecret, SecretString};

use crate::Home;
use crate::fail::{failed, refused};

/// Where a device's configuration is kept; `S` says in which place.
pub trait CredentialStore<S>: Send + Sync + 'static {
    /// The configuration that tasks read, if there is one.
    fn read<'a>(&'a self, place: &'a S) -> BoxFuture<'a, Result<Option<SecretString>>>;
    /// Keeps a configuration for tasks.
    fn write<'a>(&'a self, place: &'a S, config: &'a SecretString) -> BoxFuture<'a, Result<()>>;
    /// The configuration that was set aside, if there is one.
    fn aside<'a>(&'a self, place: &'a S) -> BoxFuture<'a, Result<Option<SecretString>>>;
    /// Keeps a configuration where tasks do not read it.
    fn set_aside<'a>(&'a self, place: &'a S, config: &'a SecretString) -> BoxFuture<'a, Result<()>>;
    /// A note beside it, which takes no right to read it: which device, and how far it is.
    fn note<'a>(&'a self, place: &'a S) -> BoxFuture<'a, Result<Option<String>>>;
    /// Keeps a note.
    fn set_note<'a>(&'a self, place: &'a S, note: &'a str) -> BoxFuture<'a, Result<()>>;
}

/// A device of the application, whose configuration is kept in a store.
pub struct Device<S> {
    /// Where it lives.
    pub home: Home,
    /// Its node.
    pub node: NodeId,
    /// Its name; Keeper does not ask for it to be unique.
    pub name: String,
    /// Its application.
    pub application: Ref<Application>,
    /// In which place its configuration is kept.
    pub place: Ref<S>,
    /// Who keeps it.
    pub store: Arc<dyn CredentialStore<S>>,
    /// The server that devices call.
    pub host: Host,
    /// How the device's own calls are made while it is bound.
    pub options: Options,
}

/// A device that exists, or was begun.
#[derive(Clone, Debug)]
pub struct Found {
    application: Application,
    id: ClientId,
    /// Its configuration is stored whole.
    done: bool,
    /// It is locked to the address of its first call, and tasks change theirs.
    locked: bool,
}

const BEGUN: &str = "begun";
const BOUND: &str = "bound";

/// `bound <client id>`.
fn read_note(note: &str) -> Option<(bool, ClientId)> {
    let (state, id) = note.split_once(' ')?;
    let done = match state {
        BEGUN => false,
        BOUND => true,
        _ => return None,
    };
    Some((done, id.parse().ok()?))
}

impl<S: Clone + Send + Sync + 'static> Device<S> {
    /// The configuration of a device that was begun, wherever it is kept.
    async fn begun(&self, place: &S, id: &ClientId) -> Result<Option<Config>> {
        let kept = [self.store.read(place).await?, self.store.aside(place).await?];
        let configs = kept.into_iter().flatten().filter_map(|text| Config::parse(text.expose_secret()).ok());
        Ok(configs.into_iter().find(|config| config.client_id() == id))
    }

    /// A new token and key, written down before anybody hears of them.
    async fn begin(&self, place: &S) -> Result<Config> {
        let config = Config::from_token(&OneTimeToken::random(), Some(self.host.clone()));
        let config = config.map_err(|error| refused(error.into()))?;
        self.store.set_aside(place, &text(&config)).await?;
        self.note(place, BEGUN, &config).await?;
        Ok(config)
    }

    async fn begin_and_finish(&self, application: &Application, place: &S) -> Result<Found> {
        let config = self.begin(place).await?;
        self.finish(application, place, config).await.map_err(|unfinished| unfinished.error)
    }

    async fn note(&self, place: &S, state: &str, config: &Config) -> Result<()> {
        self.store.set_note(place, &format!("{state} {}", config.client_id())).await
    }

    /// Adds the device that the configuration was made for, and binds it.
    async fn finish(&self, application: &Application, place: &S, config: Config) -> Result<Found, Unfinished> {
        let session = &self.home.session;
        let id = *config.client_id();
        if !config.is_bound() {
            let token = token_of(&config)?;
            device::create(session, application, &self.name, &token).await.map_err(failed)?;
        }
        let client = Client::new(config, self.options.clone()).map_err(refused)?;
        client.finish_binding().await.map_err(Unfinished::unbound)?;
        let bound = client.config();
        self.store.write(place, &text(&bound)).await?;
        self.note(place, BOUND, &bound).await?;
        Ok(Found { application: application.clone(), id, done: true, locked: false })
    }
}

/// Why a device could not be finished.
struct Unfinished {
    error: Error,
    /// Keeper refused the binding itself, as it does when the token was used and the answer with the key was lost.
    used_up: bool,
}

impl From<Error> for Unfinished {
    fn from(error: Error) -> Self {
        Self { error, used_up: false }
    }
}

impl Unfinished {
    fn unbound(error: ksm_client::Error) -> Self {
        let refusal = match &error {
            ksm_client::Error::HalfBound { source, .. } => match &**source {
                ksm_client::Error::Refused(refusal) => Some(refusal),
                _ => None,
            },
            _ => None,
        };
        // Another device would meet these too.
        let of_any = |cause| matches!(cause, Cause::ClientVersion | Cause::WrongRegion);
        let used_up = refusal.is_some_and(|refusal| refusal.status < 500 && !of_any(refusal.cause));
        Self { error: refused(error), used_up }
    }
}

fn text(config: &Config) -> SecretString {
    SecretString::from(config.expose_base64().to_string())
}

/// The token that stands in a configuration until its device is bound.
fn token_of(config: &Config) -> Result<OneTimeToken> {
    let unusable = || Error::new("ksm-config-invalid", "go on with the device that was begun: its token is not kept");
    let json: serde_json::Value = serde_json::from_str(&config.expose_json()).map_err(|_| unusable())?;
    json["clientKey"].as_str().and_then(|key| key.parse().ok()).ok_or_else(unusable)
}

impl<S: Clone + Send + Sync + 'static> Resource for Device<S> {
    const KIND: &'static str = "ksm-device";
    type Needs = (Ref<Application>, Ref<S>);
    type Found = Found;
    type Output = ClientId;

    fn id(&self) -> NodeId {
        self.node.clone()
    }

    fn summary(&self) -> String {
        format!("{}, not locked to an address", self.name)
    }

    fn needs(&self) -> Self::Needs {
        (self.application.clone(), self.place.clone())
    }

    async fn look(&self, _: &Cx, (application, place): &Present<Self>) -> Result<Seen<Found>> {
        let Some(application) = application else { return Ok(Seen::absent()) };
        let note = match place {
            Some(place) => self.store.note(place).await?,
            None => None,
        };
        let ours = note.as_deref().and_then(read_note);
        let listed: Vec<Listed> = device::list(&self.home.session, application).await.map_err(failed)?;
        let found = |id, done, locked| Found { application: application.clone(), id, done, locked };
        let current = ours.and_then(|(done, id)| match listed.iter().find(|device| device.client_id == id) {
            Some(device) => Some(found(id, done, device.ip_lock)),
            // Written down, and Keeper has not heard of it yet; a bound one that is gone was removed by hand.
            None => (!done).then(|| found(id, false, false)),
        });
        // All others of the name in our own application are what earlier runs left.
        let stale = listed.iter().filter(|device| device.name == self.name);
        let stale = stale.filter(|device| ours.is_none_or(|(_, id)| device.client_id != id));
        let stale = stale.map(|device| found(device.client_id, true, device.ip_lock)).collect();
        Ok(Seen { current: current.map(|found| (found, resource_graph::Mark::Managed)), stale })
    }

    fn plan(&self, found: &Found, _: &Knowns<Self>) -> Verdict {
        let mut compare = resource_graph::Compare::new();
        compare.replace("locked to an address", &found.locked, &false, None);
        if !found.done {
            compare.differs("binding", Some("begun".to_owned()), Some("done".to_owned()));
        }
        compare.survives(resource_graph::Survives::Nothing).verdict()
    }

    fn output(&self, found: &Found) -> ClientId {
        found.id
    }

    async fn apply(&self, cx: &Cx, action: Action<Found>, (application, place): Given<Self>) -> Result<Found> {
        let begun = match &action {
            Action::Update { found, .. } => self.begun(&place, &found.id).await?,
            // What is kept is of a device that is gone, or is to be replaced.
            Action::Create => None,
        };
        let Some(config) = begun else {
            return self.begin_and_finish(&application, &place).await;
        };
        let id = *config.client_id();
        match self.finish(&application, &place, config).await {
            // Only a new device helps.
            Err(Unfinished { error, used_up: true }) => {
                cx.say(format!("the device that was begun cannot be finished ({error}); making another one"));
                device::remove(&self.home.session, &application, &id).await.map_err(failed)?;
                self.begin_and_finish(&application, &place).await
            }
            other => other.map_err(|unfinished| unfinished.error),
        }
    }

    async fn destroy(&self, _: &Cx, found: Found) -> Result<()> {
        device::remove(&self.home.session, &found.application, &found.id).await.map_err(failed)
    }
}
