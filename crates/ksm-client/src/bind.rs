//! From a one-time token to a bound device (spec 2).
//!
//! A token is good once. So the private key is on disk before the service hears of it, and a binding of which the end is not
//! known is taken up again with that same key; never is another key made for the same token.

use std::path::Path;

use keeper_wire::ec::PublicKey;
use keeper_wire::{Host, OneTimeToken, text};
use serde_json::{Map, Value};

use crate::config::short;
use crate::transport::Operation;
use crate::{Client, Config, ConfigError, ConfigFile, DecryptError, Error, Options, Rung, ladder, reply};

impl Client {
    /// Binds a new device, and keeps its configuration in `path`.
    ///
    /// The same call with the same token may be made again after anything: a file with a half-done binding is completed with
    /// the key in it, one that is bound is opened. A file of another device is never overwritten.
    ///
    /// # Errors
    /// [`Error::HalfBound`] when the service did not answer or refused, with its cause: the file then holds what is needed to go
    /// on. [`ConfigError::Missing`] when nobody says where the service is. [`Error::Argument`] for a file of another device.
    pub async fn bind(
        token: &OneTimeToken,
        host: Option<Host>,
        path: impl AsRef<Path>,
        options: Options,
    ) -> Result<Self, Error> {
        let path = path.as_ref();
        let given = host.clone();
        let host = host.or_else(|| options.host.clone());
        let begun = match ConfigFile::open(path) {
            Ok(found) => found,
            Err(ConfigError::File { source, .. }) if source.kind() == std::io::ErrorKind::NotFound => {
                let config = Config::from_token(token, host)?;
                (ConfigFile::create(path, &config)?, config)
            }
            Err(error) => return Err(error.into()),
        };
        let (file, mut config) = begun;
        if *config.client_id() != token.client_id() {
            return Err(Error::Argument(
                "keep the new device in this file, because it holds another one: name another file",
            ));
        }
        if let Some(host) = given.filter(|host| host != config.host()) {
            if config.is_bound() {
                return Err(Error::Argument(
                    "bind at this host, because the device in this file is bound at another one",
                ));
            }
            // Perhaps the first attempt was made in another region.
            config.host = host;
        }
        let client = Self::build(config, Some(file), options)?;
        client.finish_binding().await?;
        Ok(client)
    }

    /// Completes a half-done binding; does nothing for a device that is bound. For configurations in memory this is the binding
    /// itself: [`Config::from_token`], keep that, [`Client::new`], this, and keep [`Client::config`].
    ///
    /// # Errors
    /// [`Error::HalfBound`]; [`Error::NotBound`] for a configuration that has no token key either.
    pub async fn finish_binding(&self) -> Result<(), Error> {
        let config = self.config();
        if config.is_bound() {
            return Ok(());
        }
        let token_key = config.token_key.clone().ok_or(Error::NotBound)?;
        // Before the token is used up, not after: on a mount that takes no rename, say, the device's key would be lost with it.
        self.save()?;
        let half = |source: Error| Error::HalfBound { device: short(config.client_id()), source: Box::new(source) };
        let until = self.until();

        let mut payload = Map::new();
        payload.insert("publicKey".to_owned(), Value::String(text::standard(config.public_key().as_bytes())));
        let body = self.call(Operation::Bind, payload, until).await.map_err(half)?;
        let answer: reply::GetSecret<'_> = reply::read("get_secret", &body).map_err(half)?;
        let app_key = ladder::app_key(answer.encrypted_app_key.get(), &token_key).map_err(half)?;
        // Applications that old clients made have none.
        let owner_key = answer
            .app_owner_public_key
            .get()
            .map(PublicKey::from_base64)
            .transpose()
            .map_err(|error| half(DecryptError { uid: None, rung: Rung::AppKey, source: error.into() }.into()))?;
        self.update(|config| {
            config.app_key = Some(app_key);
            config.owner_key = owner_key.or(config.owner_key);
            config.token_key = None;
        })
        .map_err(half)?;

        // Every client of the vendor asks once more, without the key; the device is bound whatever comes of it.
        if let Err(error) = self.call(Operation::GetSecret, Map::new(), until).await {
            tracing::warn!("the first request of the new device failed: {error}");
        }
        Ok(())
    }
}
