//! From a configuration to a session (spec 2).
//!
//! The order: take the lock, read, resume by clone code; where Keeper does not take it, answer what it asks for with what the
//! caller gave: a password, a second factor, a code that came by e-mail. The new clone code is written back before anything
//! else is done with the answer, by a task that goes on when the sign-in is dropped ([`settle`] waits for it). Everything that a
//! program cannot answer is an error that names the one thing a person must do.

mod error;
mod flow;
mod prompt;
mod under_way;

use std::fmt;
use std::sync::Arc;

use secrecy::SecretString;

use crate::config::{Config, ConfigError, ConfigStore};
use crate::session::Session;
use crate::transport::Transport;
use crate::{Error, Event, Options};

pub use error::{LoginError, RESTRICTED_CLIENT, SIGN_IN};
pub(crate) use flow::{Flow, Opened};
pub use prompt::{Prompter, Question, SecondFactor};
pub use under_way::settle;

/// A login that is about to be made.
///
/// ```no_run
/// # async fn example() -> Result<(), automator_admin::Error> {
/// use automator_admin::{Login, config::ConfigFile};
///
/// let session = Login::new(ConfigFile::at("config.json")).sign_in().await?;
/// println!("{}", session.user());
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Login {
    store: Arc<dyn ConfigStore>,
    options: Options,
    means: Means,
}

/// What the questions of a login can be answered with.
#[derive(Clone, Default)]
pub(crate) struct Means {
    pub(crate) user: Option<String>,
    pub(crate) password: Option<SecretString>,
    pub(crate) second_factor: Option<SecondFactor>,
    pub(crate) prompter: Option<Arc<dyn Prompter>>,
}

impl Login {
    /// A login with the configuration in this store.
    #[must_use]
    pub fn new(store: impl ConfigStore) -> Self {
        Self { store: Arc::new(store), options: Options::new(), means: Means::default() }
    }

    /// How the session behaves.
    #[must_use]
    pub fn options(self, options: Options) -> Self {
        Self { options, ..self }
    }

    /// The account's e-mail address, where the configuration has none or another one.
    #[must_use]
    pub fn user(mut self, user: &str) -> Self {
        self.means.user = Some(user.trim().to_lowercase());
        self
    }

    /// The master password, for when the clone code is not taken. It wins over one in the configuration.
    #[must_use]
    pub fn password(mut self, password: SecretString) -> Self {
        self.means.password = Some(password);
        self
    }

    /// The second factor, for when it is asked for.
    #[must_use]
    pub fn second_factor(mut self, second_factor: SecondFactor) -> Self {
        self.means.second_factor = Some(second_factor);
        self
    }

    /// Somebody who can be asked. Only with one is a new device registered, because Keeper asks for its approval.
    #[must_use]
    pub fn prompter(mut self, prompter: impl Prompter) -> Self {
        self.means.prompter = Some(Arc::new(prompter));
        self
    }

    /// Signs in.
    ///
    /// # Errors
    /// [`LoginError`] for each state that needs a person; [`ConfigError`] for the configuration; and what any call can give.
    pub async fn sign_in(self) -> Result<Session, Error> {
        let held = Arc::new(self.store.lock()?);
        let mut config = self.store.load()?;
        if let Some(user) = &self.means.user {
            config.user.clone_from(user);
        }
        let host = self.options.host.clone().or_else(|| config.server.clone()).ok_or(ConfigError::NoServer)?;
        config.server.get_or_insert_with(|| host.clone());
        let mut options = self.options;
        if options.proxy.is_none() {
            options.proxy = config.proxy.clone();
        }
        if config.unchecked {
            options.tell(&Event::StillChecking);
        }
        let transport = Arc::new(Transport::new(host, options)?);
        let (store, means) = (self.store, self.means);
        let flow = Flow { transport: &transport, store: &store, held: &held, config: &mut config, means: &means };
        let opened = flow.run().await?;
        Session::open(transport, store, held, config, means, opened)
    }
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Login")
            .field("user", &self.means.user)
            .field("password", &self.means.password.is_some())
            .field("second_factor", &self.means.second_factor)
            .field("prompter", &self.means.prompter.is_some())
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}

impl Means {
    pub(crate) fn password(&self, config: &Config) -> Option<SecretString> {
        self.password.clone().or_else(|| config.password.clone())
    }

    /// Asks the person, where there is one. The answer may take its time and block its thread.
    pub(crate) async fn ask(&self, question: Question) -> Option<SecretString> {
        let prompter = self.prompter.clone()?;
        tokio::task::spawn_blocking(move || prompter.answer(&question)).await.ok().flatten()
    }
}
