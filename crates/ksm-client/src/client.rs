//! The client value.

use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};

use keeper_wire::Host;
use keeper_wire::crypto::Key;
use keeper_wire::ec::PublicKey;
use secrecy::ExposeSecret;

use crate::wait::Until;
use crate::{Config, ConfigFile, Error, Event, Options};

/// A device at work: reads and writes what its application shares with it.
///
/// A clone is the same client. It may be used from many tasks at once; each request stands for itself. Dropping the future
/// of a call ends it wherever it is; every write may be run again after that, but for those that make something new, which may
/// be there already.
#[derive(Clone)]
pub struct Client(Arc<Inner>);

struct Inner {
    http: reqwest::Client,
    options: Options,
    host: Host,
    config: RwLock<Config>,
    file: Option<ConfigFile>,
}

impl Client {
    /// A client of a configuration in memory. What changes in it can be taken with [`Client::config`].
    ///
    /// # Errors
    /// [`Error::Setup`] for a proxy or certificate that cannot be used.
    pub fn new(config: Config, options: Options) -> Result<Self, Error> {
        Self::build(config, None, options)
    }

    /// A client of a configuration file, which is kept up to date.
    ///
    /// # Errors
    /// [`Error::Config`], [`Error::Setup`].
    pub fn open(path: impl Into<PathBuf>, options: Options) -> Result<Self, Error> {
        let (file, config) = ConfigFile::open(path)?;
        Self::build(config, Some(file), options)
    }

    pub(crate) fn build(config: Config, file: Option<ConfigFile>, options: Options) -> Result<Self, Error> {
        let http = http(&options)?;
        let host = options.host.clone().unwrap_or_else(|| config.host().clone());
        Ok(Self(Arc::new(Inner { http, options, host, config: RwLock::new(config), file })))
    }

    /// The configuration as it is now.
    #[must_use]
    pub fn config(&self) -> Config {
        self.read().clone()
    }

    /// The server that is asked: that of the options, else that of the configuration.
    #[must_use]
    pub fn host(&self) -> &Host {
        &self.0.host
    }

    pub(crate) fn http(&self) -> &reqwest::Client {
        &self.0.http
    }

    pub(crate) fn options(&self) -> &Options {
        &self.0.options
    }

    pub(crate) fn until(&self) -> Until {
        Until::after(self.0.options.deadline)
    }

    pub(crate) fn read(&self) -> RwLockReadGuard<'_, Config> {
        self.0.config.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn app_key(&self) -> Result<Key, Error> {
        self.read().app_key.clone().ok_or(Error::NotBound)
    }

    pub(crate) fn owner_key(&self, operation: &'static str) -> Result<PublicKey, Error> {
        self.read().owner_key.ok_or(Error::NoOwnerKey { operation })
    }

    /// Takes another server key into use, unless another task has already.
    pub(crate) fn rotate(&self, from: i32, to: i32) {
        let changed = {
            let mut config = self.0.config.write().unwrap_or_else(PoisonError::into_inner);
            let changed = config.server_key_id == from;
            if changed {
                config.server_key_id = to;
            }
            changed.then(|| config.clone())
        };
        let Some(config) = changed else { return };
        self.options().tell(&Event::KeyRotated { from, to });
        if let Some(Err(error)) = self.0.file.as_ref().map(|file| file.save(&config)) {
            tracing::debug!("{error}");
            self.options().tell(&Event::NotSaved);
        }
    }

    /// Writes the configuration as it is, which shows that what becomes of it can be kept too.
    pub(crate) fn save(&self) -> Result<(), Error> {
        let config = self.config();
        Ok(self.0.file.as_ref().map_or(Ok(()), |file| file.save(&config))?)
    }

    /// Changes the configuration, in memory and then in its file.
    pub(crate) fn update(&self, change: impl FnOnce(&mut Config)) -> Result<(), Error> {
        let next = {
            let mut config = self.0.config.write().unwrap_or_else(PoisonError::into_inner);
            change(&mut config);
            config.clone()
        };
        Ok(self.0.file.as_ref().map_or(Ok(()), |file| file.save(&next))?)
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("host", &self.0.host.to_string())
            .field("config", &*self.read())
            .finish_non_exhaustive()
    }
}

fn http(options: &Options) -> Result<reqwest::Client, Error> {
    // The library's texts are left out where they may quote what they were given.
    let unusable = |what| Error::Setup { what, source: None };
    let mut builder = reqwest::Client::builder()
        .https_only(true)
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .referer(false)
        .connect_timeout(options.connect);
    let mut private = Vec::new();
    for pem in &options.authorities {
        let certificates = reqwest::Certificate::from_pem_bundle(pem);
        let certificates = certificates.map_err(|_| unusable("a private authority is not in PEM"))?;
        if certificates.is_empty() {
            return Err(unusable("the PEM text of a private authority has no certificate"));
        }
        private.extend(certificates);
    }
    builder = match (options.system_authorities, private.is_empty()) {
        (true, true) => builder,
        (true, false) => builder.tls_certs_merge(private),
        (false, false) => builder.tls_certs_only(private),
        (false, true) => return Err(unusable("only private authorities are to be trusted, and there is none")),
    };
    if let Some(proxy) = &options.proxy {
        let proxy =
            reqwest::Proxy::all(proxy.expose_secret()).map_err(|_| unusable("the proxy's address cannot be used"))?;
        builder = builder.proxy(proxy);
    }
    builder.build().map_err(|error| Error::Setup {
        what: "no certificate of any authority can be used",
        source: Some(Box::new(error.without_url())),
    })
}
