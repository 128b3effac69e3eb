//! Pretend Keeper clouds in containers, and somebody in another one who answers for the Automator.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use aws_infra::Aws;
use secrecy::ExposeSecret;
use serde_json::Value;

use super::containers::{Containers, Ready, Wanted};
use super::desk::Desk;
use super::emulator::image;

/// The port of both inside their containers.
const PORT: u16 = 8443;

/// Shows the deployment's own certificate, as the tasks would, and says `OK` where Keeper's cloud asks.
const RESPONDER: &str = r#"
import http.server, ssl
class Health(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        healthy = self.path == "/health"
        self.send_response(200 if healthy else 404)
        self.end_headers()
        self.wfile.write(b"OK" if healthy else b"")
server = http.server.ThreadingHTTPServer(("0.0.0.0", 8443), Health)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain("/desk/responder.pem")
server.socket = context.wrap_socket(server.socket, server_side=True)
print("ready", flush=True)
server.serve_forever()
"#;

/// Starts them and writes onto the desk where they are: into `automator.toml`, where a person did the Keeper half in a vault
/// that is filled, and into `keeper.toml`, which signs in to one that is empty.
///
/// # Errors
///
/// What Docker says, and what a cloud says of itself that cannot be read.
pub(super) async fn open(containers: &mut Containers, desk: &mut Desk, aws: &Aws) -> Result<()> {
    let responder = responder(containers, desk).await.context("start somebody who answers for the Automator")?;
    let config = std::fs::read_to_string(desk.directory().join("automator.toml"))?;
    let empty = Cloud::start(containers, desk, "empty", &responder).await?;
    empty.sign_in(desk, &config, "keeper.toml")?;

    // The product itself fills the other vault; a person would have the device's configuration from Keeper.
    let filled = Cloud::start(containers, desk, "filled", &responder).await?;
    filled.sign_in(desk, &config, "filled.toml")?;
    desk.expect("deploy --config filled.toml --yes --until A8").await.context("fill a vault")?;
    let secret = aws.secrets.get_secret_value().secret_id("automator/ksm-config").send().await?;
    desk.device = secret.secret_string.context("the secret has a text")?;
    let state: Value = read(&desk.directory().join("filled-state.json"))?;
    let records = state["world"]["vault"]["records"].as_object().context("a vault has records")?;
    let record = records.iter().find(|(_, record)| record["version"] == 3).context("the vault has a record")?.0;
    let half = format!("record_uid = \"{record}\"\nksm_config = {{ env = \"KSM_CONFIG_VALUE\" }}\n");
    filled.write(desk, &config, "automator.toml", &half, "")
}

/// A Keeper cloud.
struct Cloud {
    name: &'static str,
    /// Where it is on this machine.
    server: String,
    /// What it says of itself.
    facts: Value,
}

impl Cloud {
    async fn start(containers: &mut Containers, desk: &Desk, name: &'static str, responder: &str) -> Result<Self> {
        let place = desk.directory();
        let command = [
            format!("--tls-listen=0.0.0.0:{PORT}"),
            "--public-host=127.0.0.1".to_owned(),
            format!("--ca=/desk/{name}-ca.pem"),
            format!("--facts=/desk/{name}-facts.json"),
            format!("--state=/desk/{name}-state.json"),
            "--empty".to_owned(),
            format!("--automator={}={responder}", Desk::HOST),
            "--automator-ca=/desk/responder-ca.pem".to_owned(),
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
        Ok(Self { name, server: format!("127.0.0.1:{}", up.port), facts })
    }

    /// Writes a config that signs in here.
    fn sign_in(&self, desk: &Desk, config: &str, file: &str) -> Result<()> {
        let mut login = self.facts["commander"]["config"].clone();
        login["server"] = Value::from(self.server.clone());
        let name = format!("{}-config.json", self.name);
        std::fs::write(desk.directory().join(&name), login.to_string())?;
        let node = self.facts["nodes"]["sso"]["name"].as_str().context("the facts name a node with single sign-on")?;
        let half = format!("\n[keeper.login]\nconfig = \"{name}\"\n");
        self.write(desk, config, file, &half, &format!("[automator]\nnode = \"{node}\"\n\n"))
    }

    /// Writes a config whose `[keeper]` leads here.
    fn write(&self, desk: &Desk, config: &str, file: &str, half: &str, more: &str) -> Result<()> {
        let Self { name, server, facts } = self;
        let keys: BTreeMap<String, String> =
            serde_json::from_value(facts["server_keys"].clone()).context("read the server keys of the facts")?;
        let keys = keys.iter().map(|(id, key)| format!("{id} = \"{key}\"")).collect::<Vec<_>>().join(", ");
        let (before, rest) = config.split_once("[keeper]").context("the config has a part about Keeper")?;
        let (_, after) = rest.split_once("[endpoint]").context("the config has a part about endpoints")?;
        let text = format!(
            "{before}[keeper]\nregion = \"EU\"\n{half}\n[keeper.endpoint]\nhost = \"{server}\"\nca_file = \"{name}-ca.pem\"\n\
             server_keys = {{ {keys} }}\n\n{more}[endpoint]{after}"
        );
        Ok(std::fs::write(desk.directory().join(file), text)?)
    }
}

/// Starts who answers for the Automator; says where, as seen from the network.
async fn responder(containers: &mut Containers, desk: &Desk) -> Result<String> {
    let place = desk.directory();
    let import = desk.own.acm().map_err(|error| anyhow::anyhow!("{error}"))?;
    let shown =
        format!("{}\n{}\n{}", import.body, import.chain.unwrap_or_default(), import.private_key.expose_secret());
    std::fs::write(place.join("responder.pem"), shown)?;
    std::fs::write(place.join("responder-ca.pem"), &desk.authority)?;
    let python = ["python3", "-c", RESPONDER].map(str::to_owned);
    let wanted = Wanted {
        image: &image("MINISTACK")?,
        port: PORT,
        ready: Ready::Says("ready"),
        environment: &[],
        name: "automator",
        command: &python,
        desk: Some(place),
    };
    Ok(format!("{}:{PORT}", containers.start(&wanted).await?.address))
}

/// How much is in the vault, read from what the cloud keeps on the desk: records with their files, folders, applications.
pub(crate) fn vault(desk: &Desk) -> Result<[usize; 3]> {
    let state: Value = read(&desk.directory().join("empty-state.json"))?;
    let vault = &state["world"]["vault"];
    ensure!(vault.is_object(), "what the cloud keeps has no vault");
    let count = |name: &str| match &vault[name] {
        Value::Object(map) => map.len(),
        Value::Array(list) => list.len(),
        _ => 0,
    };
    Ok(["records", "folders", "applications"].map(count))
}

fn read(path: &Path) -> Result<Value> {
    let bytes = std::fs::read(path).with_context(|| format!("read {}", path.display()))?;
    serde_json::from_slice(&bytes).with_context(|| format!("read {}", path.display()))
}
