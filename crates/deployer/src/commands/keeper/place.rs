//! Which Keeper is asked, and in which form the answer is printed.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use keeper_wire::ServerKeys;
use keeper_wire::ec::PublicKey;

use super::KeeperDocument;
use crate::catalogue::Lang;
use crate::cli::Format;
use crate::commands::session::usage;
use crate::config::{self, Config, KeeperEndpoint};
use crate::exit_codes::ExitCode;
use crate::host::Host;
use crate::keeper::Tell;
use crate::refusal::Refusal;
use crate::show::Show;

const CONFIG: &str = "automator.toml";

/// Which Keeper, and how to print.
#[derive(Args)]
pub(super) struct Place {
    /// Read this config file. Without it automator.toml, unless the command line names the credentials.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Trust the certificates of this PEM file too, as `ca_file` of `[keeper.endpoint]`.
    #[arg(long, value_name = "PEM")]
    ca_file: Option<PathBuf>,
    /// Take this public key of the server instead of those of Keeper's own, as in `[keeper.endpoint.server_keys]`.
    #[arg(long, value_name = "ID=KEY", value_parser = server_key)]
    server_key: Vec<(i32, PublicKey)>,
    /// Print text for people, or one JSON document for programs.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(super) format: Format,
}

fn server_key(text: &str) -> Result<(i32, PublicKey), String> {
    let (id, key) = text.split_once('=').ok_or("write the key's id, `=`, and the key in URL-safe base64")?;
    let id = id.parse().map_err(|_| "a key id is a number")?;
    Ok((id, PublicKey::from_base64(key).map_err(|error| error.to_string())?))
}

impl Place {
    /// The config; none where `enough` stands on the command line and no config is named.
    ///
    /// `missing` is what the command line could have named instead.
    pub(super) fn config(
        &self,
        host: &Host,
        lang: Lang,
        enough: bool,
        missing: &str,
    ) -> Result<Option<Config>, Refusal> {
        let path = match &self.config {
            Some(path) => path.as_path(),
            None if enough => return Ok(None),
            None => Path::new(CONFIG),
        };
        if self.config.is_none() && !path.exists() {
            let refusal =
                Refusal::new("keeper-no-config", "config", format!("read {CONFIG}: it is not in this folder"));
            return Err(refusal.exit(ExitCode::Usage).hint(format!("give {missing}, or --config")));
        }
        let show = Show::new(host.clone(), lang, self.format, false);
        config::load(path).map(Some).map_err(|error| usage(&show, &error))
    }

    /// Whether a config is named, or lies in this folder.
    pub(super) fn is_there(&self) -> bool {
        self.config.is_some() || Path::new(CONFIG).exists()
    }

    /// The endpoint of the config, where the command line says nothing else.
    pub(super) fn endpoint(&self, config: Option<&Config>) -> KeeperEndpoint {
        let mut endpoint = config.map(|config| config.keeper.endpoint.clone()).unwrap_or_default();
        if let Some(path) = &self.ca_file {
            endpoint.ca_file = Some(path.clone());
        }
        if !self.server_key.is_empty() {
            endpoint.server_keys = Some(ServerKeys::of(self.server_key.iter().copied()));
        }
        endpoint
    }

    /// Tells people what a call waits for. A program gets one document and nothing else.
    pub(super) fn tell(&self, host: &Host) -> Tell {
        match self.format {
            Format::Text => {
                let host = host.clone();
                Arc::new(move |text: &str| host.talk(&format!("{text}\n")))
            }
            Format::Json => Arc::new(|_| ()),
        }
    }

    /// Prints what was found or done, in the form that is wanted.
    pub(super) fn print(&self, host: &Host, text: &str, document: &KeeperDocument) -> ExitCode {
        match self.format {
            Format::Text => host.out(text),
            Format::Json => {
                let json = serde_json::to_string_pretty(document).expect("it has only text, numbers and lists");
                host.out(&(json + "\n"));
            }
        }
        ExitCode::Done
    }
}
