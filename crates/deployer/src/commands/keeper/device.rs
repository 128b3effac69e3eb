//! As a device: with a device configuration, and no user.

use std::path::PathBuf;

use clap::Args;
use ksm_client::{Client, Config, Filter, Record};
use secrecy::ExposeSecret;

use super::fail;
use super::place::Place;
use crate::catalogue::Lang;
use crate::config::{KeeperHalf, SecretRef, SecretSource};
use crate::exit_codes::ExitCode;
use crate::guide::material::resolve;
use crate::host::Host;
use crate::refusal::Refusal;

/// Which device.
#[derive(Args)]
pub(super) struct Device {
    #[command(flatten)]
    pub(super) place: Place,
    /// Read the device configuration from this file, which is kept up to date. Without it `keeper.ksm_config` of the config.
    #[arg(long, value_name = "FILE", conflicts_with = "device_env")]
    device: Option<PathBuf>,
    /// Take the device configuration from the environment variable of this name.
    #[arg(long, value_name = "NAME")]
    device_env: Option<String>,
}

impl Device {
    pub(super) fn open(&self, host: &Host, lang: Lang) -> Result<Client, Refusal> {
        let named = self.device.is_some() || self.device_env.is_some();
        let config = self.place.config(host, lang, named, "--device or --device-env")?;
        let endpoint = self.place.endpoint(config.as_ref());
        let options = crate::keeper::device(&endpoint, self.place.tell(host))?;
        let failed = |error| fail::device(error, "K7");
        if let Some(path) = &self.device {
            return Client::open(path, options).map_err(failed);
        }
        let text = match (&self.device_env, &config) {
            (Some(name), _) => variable(host, "--device-env", name, "K7")?,
            (None, Some(config)) => match &config.keeper.half {
                KeeperHalf::Manual { ksm_config: Some(reference), .. } => resolve(reference, host, "K7")?,
                KeeperHalf::Manual { ksm_config: None, .. } | KeeperHalf::Login { .. } => return Err(no_device()),
            },
            (None, None) => return Err(no_device()),
        };
        let config = Config::parse(text.expose_secret()).map_err(|error| failed(error.into()))?;
        Client::new(config, options).map_err(failed)
    }
}

fn no_device() -> Refusal {
    let refusal = Refusal::new("keeper-no-device", "K7", "find a device: the config has no keeper.ksm_config");
    refusal.exit(ExitCode::Usage).hint("give --device or --device-env; `keeper bind` makes a device configuration")
}

/// A secret in an environment variable. Its name is not repeated: perhaps the secret itself was pasted there.
pub(super) fn variable(
    host: &Host,
    field: &'static str,
    name: &str,
    step: &'static str,
) -> Result<secrecy::SecretString, Refusal> {
    let secret = SecretRef { field, source: SecretSource::Env(name.to_owned()) };
    secret.resolve(&|_| Err(std::io::Error::other("nobody is asked")), &|name| host.env.get(name).cloned()).map_err(
        |error| {
            let refusal = Refusal::new(error.code(), step, format!("read {field}")).exit(ExitCode::Usage);
            let refusal = refusal.because("the environment has no variable of this name");
            refusal.hint("give the name of a variable that holds the secret, not the secret")
        },
    )
}

/// A record by UID, else by its title.
pub(super) async fn record(client: &Client, wanted: &str) -> Result<Record, ksm_client::Error> {
    match wanted.parse::<keeper_wire::Uid>() {
        Ok(uid) if wanted.len() == 22 => client.record(uid).await,
        _ => client.secrets(&Filter::all()).await?.titled(wanted).cloned(),
    }
}
