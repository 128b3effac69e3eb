//! `keeper bind`: from a one-time token to a device configuration (K7).

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use keeper_wire::{Host as Server, OneTimeToken};
use ksm_client::{Client, Config};
use secrecy::{ExposeSecret, SecretString};

use super::device::variable;
use super::documents::{KeeperDocument, SCHEMA};
use super::fail;
use super::place::Place;
use crate::catalogue::Lang;
use crate::cli::Format;
use crate::config::{SecretRef, SecretSource};
use crate::exit_codes::ExitCode;
use crate::guide::Ask;
use crate::guide::material::resolve;
use crate::host::Host;
use crate::refusal::Refusal;

#[derive(Args)]
pub(crate) struct Options {
    #[command(flatten)]
    place: Place,
    /// Take the token from the environment variable of this name.
    #[arg(long, value_name = "NAME", conflicts_with = "token_file")]
    token_env: Option<String>,
    /// Read the token from this file. Without either it is asked for.
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// Write the device configuration here, for its owner only (0600). A file of another device is never overwritten.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// The form of the configuration.
    #[arg(long, value_enum, default_value_t = Form::Json)]
    form: Form,
    /// The region, host or host:port of Keeper, where the token names none.
    #[arg(long = "host", value_name = "HOST")]
    server: Option<Server>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Form {
    /// As files have it.
    Json,
    /// As `KSM_CONFIG` and `keeper.ksm_config` have it.
    Base64,
}

impl Options {
    pub(super) fn place(&self) -> &Place {
        &self.place
    }

    fn token(&self, host: &Host) -> Result<OneTimeToken, Refusal> {
        let text = match (&self.token_env, &self.token_file) {
            (Some(name), _) => variable(host, "--token-env", name, "K7")?,
            (None, Some(path)) => {
                resolve(&SecretRef { field: "--token-file", source: SecretSource::File(path.clone()) }, host, "K7")?
            }
            (None, None) => asked(host)?,
        };
        text.expose_secret().parse().map_err(|error: keeper_wire::Error| {
            let refusal = Refusal::new("ksm-token-malformed", "K7", "read the one-time token").exit(ExitCode::Usage);
            refusal.because(error.to_string()).hint("copy it again, whole: REGION:KEY")
        })
    }
}

fn asked(host: &Host) -> Result<SecretString, Refusal> {
    host.prompt("one-time token").map_err(|error| {
        let refusal = Refusal::new("secret-not-answered", "K7", "ask for the one-time token").exit(ExitCode::Usage);
        refusal.because(error.to_string()).hint("run on a terminal, or give --token-env or --token-file")
    })
}

pub(super) async fn run(host: &Host, lang: Lang, options: &Options) -> Result<ExitCode, Refusal> {
    // What can be wrong in a file is told before anybody types a token.
    let named = options.token_env.is_some() || options.token_file.is_some();
    let config = options.place.config(host, lang, named || !options.place.is_there(), "")?;
    let token = options.token(host)?;
    let endpoint = options.place.endpoint(config.as_ref());
    let ksm = crate::keeper::device(&endpoint, options.place.tell(host))?;
    let failed = |error| fail::device(error, "K7");
    // What the token says of itself goes before the region of a config.
    let region = config.as_ref().filter(|_| token.host.is_none());
    let region = region.and_then(|config| config.keeper.region.cloud().host.parse().ok());
    let server = options.server.clone().or_else(|| endpoint.host.clone()).or(region);
    if options.form == Form::Base64 && !options.out.exists() {
        // The private key is kept before Keeper hears of it, in the form in which the client then finds it.
        let config = Config::from_token(&token, server.clone()).map_err(|error| failed(error.into()))?;
        begin(&options.out, &config.expose_base64()).map_err(|error| {
            let path = options.out.display();
            Refusal::new("file-not-written", "K7", format!("write `{path}`")).because(error.to_string())
        })?;
    }
    let client = Client::bind(&token, server, &options.out, ksm).await.map_err(failed)?;
    let (path, device) = (options.out.display().to_string(), client.config().client_id().to_string());
    if options.place.format == Format::Text {
        host.talk(&format!("wrote `{path}`: configuration of device {device}\n"));
        return Ok(ExitCode::Done);
    }
    let document = KeeperDocument::Bound { schema: SCHEMA, device, host: client.host().to_string(), out: path };
    Ok(options.place.print(host, "", &document))
}

/// A new file, whole or not at all, mode 0600; one that is there is left alone.
fn begin(path: &Path, text: &str) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(text.as_bytes())?;
    file.as_file().sync_all()?;
    file.persist_noclobber(path).map(drop).map_err(|error| error.error)
}
