//! The record as the device sees it (K3, K4, K7), where a person made both: asked with the device's own configuration.

use std::fmt;

use keeper_wire::{Uid, crypto};
use ksm_client::{Client, Config, Options, Record};
use resource_graph::{Action, Cx, Error, Given, Knowns, Mark, NodeId, Present, Resource, Result, Seen, Verdict};
use secrecy::{ExposeSecret, SecretString};

use crate::fail::refused;

/// A file that a record should have.
#[derive(Clone)]
pub struct WantedFile {
    /// Its name in the record.
    pub name: String,
    /// SHA-256 of its content.
    pub digest: [u8; 32],
}

impl WantedFile {
    /// The file of these bytes.
    #[must_use]
    pub fn new(name: impl Into<String>, content: &[u8]) -> Self {
        Self { name: name.into(), digest: crypto::sha256(content) }
    }
}

impl fmt::Debug for WantedFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

/// A record that a person made, read as the init container will read it. Nothing is ever changed.
pub struct CheckedRecord {
    /// Its node.
    pub node: NodeId,
    /// The device's configuration, in any of its forms.
    pub device: SecretString,
    /// How to reach Keeper, where it is not as the configuration says.
    pub options: Options,
    /// The record.
    pub record: Uid,
    /// The files that a task fetches from it.
    pub files: Vec<WantedFile>,
}

/// What is wrong with the record; nothing, mostly.
#[derive(Clone, Debug)]
pub struct Found {
    wrong: Vec<String>,
}

impl CheckedRecord {
    async fn check(&self) -> std::result::Result<Vec<String>, ksm_client::Error> {
        let config = Config::parse(self.device.expose_secret())?;
        let client = Client::new(config, self.options.clone())?;
        let record = client.record(self.record).await?;
        let mut wrong = Vec::new();
        for file in &self.files {
            if let Some(why) = self.look_at(&client, &record, file).await? {
                wrong.push(format!("{} {why}", file.name));
            }
        }
        Ok(wrong)
    }

    async fn look_at(
        &self,
        client: &Client,
        record: &Record,
        wanted: &WantedFile,
    ) -> std::result::Result<Option<&'static str>, ksm_client::Error> {
        let there: Vec<_> = record.files_called(&wanted.name).collect();
        Ok(match there[..] {
            [] => Some("is not there"),
            [one] => {
                let content = client.download(record, one).await?;
                (crypto::sha256(&content) != wanted.digest).then_some("has another content")
            }
            _ => Some("is there several times, and a task cannot tell which one to take"),
        })
    }
}

impl Resource for CheckedRecord {
    const KIND: &'static str = "vault-record-check";
    type Needs = ();
    type Found = Found;
    type Output = ();

    fn id(&self) -> NodeId {
        self.node.clone()
    }

    fn summary(&self) -> String {
        format!("{} with {} files, as the device sees it", self.record, self.files.len())
    }

    fn needs(&self) {}

    async fn look(&self, _: &Cx, (): &Present<Self>) -> Result<Seen<Found>> {
        let wrong = self.check().await.map_err(refused)?;
        Ok(Seen::here(Found { wrong }, Mark::Adopted))
    }

    fn plan(&self, found: &Found, (): &Knowns<Self>) -> Verdict {
        if found.wrong.is_empty() {
            return Verdict::Keep;
        }
        let why = format!(
            "in record {}: {}; a task started now would not get its files",
            self.record,
            found.wrong.join(", ")
        );
        Verdict::Blocked { code: "vault-files-differ", why }
    }

    fn output(&self, _: &Found) {}

    /// Never reached: it is only read.
    async fn apply(&self, _: &Cx, _: Action<Found>, (): Given<Self>) -> Result<Found> {
        Err(Error::new("referenced-differs", format!("change record {}, which is only read", self.record)))
    }

    async fn destroy(&self, _: &Cx, _: Found) -> Result<()> {
        Ok(())
    }
}
