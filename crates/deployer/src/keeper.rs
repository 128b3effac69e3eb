//! Keeper as the config names it: signing in as an administrator, and reading as a device.

use std::sync::Arc;

use automator_admin::Login;
use automator_admin::config::ConfigFile;
use automator_admin::login::SecondFactor;
use resource_graph::NodeId;

use crate::config::{Config, KeeperEndpoint, KeeperHalf};
use crate::exit_codes::ExitCode;
use crate::guide::material::{Ask, judge_region, resolve};
use crate::refusal::Refusal;

/// What is told while it waits or changes how it speaks.
pub(crate) type Tell = Arc<dyn Fn(&str) + Send + Sync>;

/// Signs in as the config says; `None` where a person does the Keeper half.
pub(crate) async fn sign_in(
    config: &Config,
    ask: &dyn Ask,
    tell: Tell,
) -> Result<Option<automator_admin::Session>, Refusal> {
    let KeeperHalf::Login { config: file, password, totp, .. } = &config.keeper.half else { return Ok(None) };
    let mut login = Login::new(ConfigFile::at(file)).options(administrator(&config.keeper.endpoint, tell)?);
    if let Some(password) = password {
        login = login.password(resolve(password, ask, "A14")?);
    }
    if let Some(totp) = totp {
        login = login.second_factor(SecondFactor::Secret(resolve(totp, ask, "A14")?));
    }
    let session = login.sign_in().await.map_err(|error| {
        let error = keeper_infra::failed(error);
        Refusal::of(ExitCode::Refused, vec![error.failure(&NodeId::from("keeper-sign-in"), "A14")])
    })?;
    judge_region(config, &session.host(), "A14", "keeper.login.config")?;
    Ok(Some(session))
}

/// How an administrator's calls are made.
pub(crate) fn administrator(endpoint: &KeeperEndpoint, tell: Tell) -> Result<automator_admin::Options, Refusal> {
    let mut options = automator_admin::Options::new().on_event(move |event| tell(&event.to_string()));
    if let Some(keys) = &endpoint.server_keys {
        options = options.server_keys(keys.clone());
    }
    if let Some(pem) = authority(endpoint)? {
        options = options.authority(pem);
    }
    Ok(options)
}

/// How a device's calls are made.
pub(crate) fn device(endpoint: &KeeperEndpoint, tell: Tell) -> Result<ksm_client::Options, Refusal> {
    let mut options = ksm_client::Options::new().on_event(move |event| tell(&event.to_string()));
    if let Some(host) = &endpoint.host {
        options = options.host(host.clone());
    }
    if let Some(keys) = &endpoint.server_keys {
        options = options.server_keys(keys.clone());
    }
    if let Some(pem) = authority(endpoint)? {
        options = options.authority(pem);
    }
    Ok(options)
}

fn authority(endpoint: &KeeperEndpoint) -> Result<Option<Vec<u8>>, Refusal> {
    let Some(path) = &endpoint.ca_file else { return Ok(None) };
    std::fs::read(path).map(Some).map_err(|error| {
        Refusal::new("secret-unreadable", "A14", format!("read keeper.endpoint.ca_file `{}`", path.display()))
            .because(error.to_string())
    })
}
