//! Pretend Keeper clouds in containers, and somebody in another one who answers for the Automator.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;

use anyhow::{Context, Result};
use aws_infra::Aws;
use keeper_wire::ServerKeys;
use keeper_wire::ec::PublicKey;
use serde_json::Value;

use super::containers::{Containers, Ready, Wanted};
use super::desk::{AUTHORITY, Desk, pem};
use super::emulator::image;
use super::vault::Administrator;
use crate::proxy::RecordingProxy;

/// The port of both inside their containers.
const PORT: u16 = 8443;

/// Starts them and writes onto the desk where they are: into `automator.toml`, where a person did the Keeper half in a vault
/// that is filled, and into `keeper.toml`, which signs in to one that is empty.
///
/// # Errors
///
/// What Docker says, and what a cloud says of itself that cannot be read.
pub(super) async fn open(
    containers: &mut Containers,
    desk: &mut Desk,
    aws: &Aws,
    proxy: &RecordingProxy,
) -> Result<Administrator> {
    let responder = responder(containers, desk).await.context("start somebody who answers for the Automator")?;
    let config = std::fs::read_to_string(desk.directory().join("automator.toml"))?;
    let empty = Cloud::start(containers, desk, "empty", &responder, proxy).await?;
    empty.sign_in(desk, &config, "keeper.toml")?;

    // The product itself fills the other vault; a person would have the device's configuration from Keeper.
    let filled = Cloud::start(containers, desk, "filled", &responder, proxy).await?;
    filled.sign_in(desk, &config, "filled.toml")?;
    desk.expect("deploy --config filled.toml --yes --until K7").await.context("fill a vault")?;
    let secret = aws.secrets.get_secret_value().secret_id("automator/ksm-config").send().await?;
    desk.device = secret.secret_string.context("the secret has a text")?;
    let state: Value = read(&desk.directory().join("filled-state.json"))?;
    let records = state["world"]["vault"]["records"].as_object().context("a vault has records")?;
    let record = records.iter().find(|(_, record)| record["version"] == 3).context("the vault has a record")?.0;
    let half = format!("record_uid = \"{record}\"\nksm_config = {{ env = \"KSM_CONFIG_VALUE\" }}\n");
    filled.write(desk, &config, "automator.toml", &half, "")?;
    empty.administrator(desk)
}

/// A Keeper cloud.
struct Cloud {
    name: &'static str,
    /// Where the door before it is on this machine.
    server: SocketAddr,
    /// What it says of itself.
    facts: Value,
}

impl Cloud {
    async fn start(
        containers: &mut Containers,
        desk: &Desk,
        name: &'static str,
        responder: &str,
        proxy: &RecordingProxy,
    ) -> Result<Self> {
        let place = desk.directory();
        let command = [
            format!("--tls-listen=0.0.0.0:{PORT}"),
            "--public-host=127.0.0.1".to_owned(),
            format!("--ca=/desk/{name}-ca.pem"),
            format!("--facts=/desk/{name}-facts.json"),
            format!("--state=/desk/{name}-state.json"),
            "--empty".to_owned(),
            format!("--automator={}={responder}", Desk::HOST),
            format!("--automator-ca=/desk/{AUTHORITY}"),
        ];
        let wanted = Wanted {
            image: &image("KEEPER_FAKE")?,
            port: PORT,
            ready: Ready::Says("ready"),
            environment: &[],
            name,
            command: &command,
            desk: Some(place),
        };
        let up = containers.start(&wanted).await.with_context(|| format!("start the Keeper cloud `{name}`"))?;
        let facts = read(&place.join(format!("{name}-facts.json")))?;
        let trusted = std::fs::read_to_string(place.join(format!("{name}-ca.pem"))).context("read its authority")?;
        let server =
            proxy.also_with_tls((Ipv4Addr::LOCALHOST, up.port).into(), &trusted, &desk.certificate_of("127.0.0.1")?)?;
        Ok(Self { name, server, facts })
    }

    /// The file on the desk that holds the sign-in.
    fn login(&self) -> String {
        format!("{}-config.json", self.name)
    }

    fn password_file(&self) -> String {
        format!("{}-password.txt", self.name)
    }

    fn password(&self) -> Result<&str> {
        self.facts["commander"]["password"].as_str().context("the facts have the administrator's password")
    }

    /// Its public keys by their ids, in base64.
    fn keys(&self) -> Result<BTreeMap<i32, String>> {
        serde_json::from_value(self.facts["server_keys"].clone()).context("read the server keys of the facts")
    }

    /// Who does things here by hand.
    fn administrator(&self, desk: &Desk) -> Result<Administrator> {
        let key = |(id, text): (i32, String)| Ok((id, PublicKey::from_base64(&text)?));
        Ok(Administrator {
            config: desk.directory().join(self.login()),
            password: self.password()?.to_owned().into(),
            host: self.server.to_string().parse()?,
            keys: ServerKeys::of(self.keys()?.into_iter().map(key).collect::<Result<Vec<_>>>()?),
            authority: std::fs::read_to_string(desk.directory().join(AUTHORITY))?,
        })
    }

    /// Writes a config that signs in here.
    fn sign_in(&self, desk: &Desk, config: &str, file: &str) -> Result<()> {
        let mut login = self.facts["commander"]["config"].clone();
        login["server"] = Value::from(self.server.to_string());
        let name = self.login();
        std::fs::write(desk.directory().join(&name), login.to_string())?;
        let node = self.facts["nodes"]["sso"]["name"].as_str().context("the facts name a node with single sign-on")?;
        // A run that dies in the moment of signing in takes the clone code with it; then the password is needed.
        std::fs::write(desk.directory().join(self.password_file()), self.password()?)?;
        let file_of = self.password_file();
        let half = format!("\n[keeper.login]\nconfig = \"{name}\"\npassword = {{ file = \"{file_of}\" }}\n");
        self.write(desk, config, file, &half, &format!("[automator]\nnode = \"{node}\"\n\n"))
    }

    /// Writes a config whose `[keeper]` leads here.
    fn write(&self, desk: &Desk, config: &str, file: &str, half: &str, more: &str) -> Result<()> {
        let server = self.server;
        let keys = self.keys()?;
        let keys = keys.iter().map(|(id, key)| format!("{id} = \"{key}\"")).collect::<Vec<_>>().join(", ");
        let (before, rest) = config.split_once("[keeper]").context("the config has a part about Keeper")?;
        let (_, after) = rest.split_once("[endpoint]").context("the config has a part about endpoints")?;
        let text = format!(
            "{before}[keeper]\nregion = \"EU\"\n{half}\n[keeper.endpoint]\nhost = \"{server}\"\nca_file = \"{AUTHORITY}\"\n\
             server_keys = {{ {keys} }}\n\n{more}[endpoint]{after}"
        );
        Ok(std::fs::write(desk.directory().join(file), text)?)
    }
}

/// Starts who answers for the Automator; says where, as seen from the network.
async fn responder(containers: &mut Containers, desk: &Desk) -> Result<String> {
    let place = desk.directory();
    std::fs::write(place.join("responder.pem"), pem(&desk.own)?)?;
    let command = [format!("--listen=0.0.0.0:{PORT}"), "--certificate=/desk/responder.pem".to_owned()];
    let wanted = Wanted {
        image: &image("AUTOMATOR_RESPONDER")?,
        port: PORT,
        ready: Ready::Says("ready"),
        environment: &[],
        name: "automator",
        command: &command,
        desk: Some(place),
    };
    Ok(format!("{}:{PORT}", containers.start(&wanted).await?.address))
}

fn read(path: &Path) -> Result<Value> {
    let bytes = std::fs::read(path).with_context(|| format!("read {}", path.display()))?;
    serde_json::from_slice(&bytes).with_context(|| format!("read {}", path.display()))
}
