//! `keeper get`: the content of an attachment, to where it was asked for.

use std::path::{Path, PathBuf};

use clap::Args;

use super::device::{Device, record};
use super::documents::{KeeperDocument, SCHEMA};
use super::fail;
use super::place::Place;
use crate::catalogue::Lang;
use crate::cli::Format;
use crate::commands::store::{Pending, writable};
use crate::exit_codes::ExitCode;
use crate::host::Host;
use crate::refusal::Refusal;

#[derive(Args)]
pub(crate) struct Options {
    #[command(flatten)]
    device: Device,
    /// The record's UID or title.
    #[arg(allow_hyphen_values = true)]
    record: String,
    /// The attachment's name or UID.
    #[arg(allow_hyphen_values = true)]
    file: String,
    #[command(flatten)]
    out: Out,
}

impl Options {
    pub(super) fn place(&self) -> &Place {
        &self.device.place
    }
}

/// Where a content goes.
#[derive(Args)]
pub(super) struct Out {
    /// Write it here, for its owner only (0600); `-` is standard output.
    #[arg(long = "out", value_name = "PATH|-")]
    path: PathBuf,
}

impl Out {
    fn is_stdout(&self) -> bool {
        self.path == Path::new("-")
    }

    /// Refuses, before anything is fetched, what cannot be written.
    pub(super) fn check(&self, place: &Place) -> Result<(), Refusal> {
        if !self.is_stdout() {
            return writable(&self.path);
        }
        if place.format == Format::Json {
            let refusal = Refusal::new("output-named-twice", "", "write the content and a document to standard output");
            return Err(refusal.exit(ExitCode::Usage).hint("give --out a path, or leave --format json away"));
        }
        Ok(())
    }

    /// Writes a content and tells where it is; `document` is made of its length and the path. No digest: a password could be
    /// guessed from one.
    pub(super) fn write(
        &self,
        host: &Host,
        place: &Place,
        content: &[u8],
        document: impl FnOnce(usize, String) -> KeeperDocument,
    ) -> Result<ExitCode, Refusal> {
        if self.is_stdout() {
            return host.out_bytes(content).map(|()| ExitCode::Done).map_err(|error| {
                Refusal::new("output-not-written", "", "write to standard output").because(error.to_string())
            });
        }
        Pending::write(&self.path, content)?.keep()?;
        if place.format == Format::Text {
            host.talk(&format!("wrote `{}`: {} bytes\n", self.path.display(), content.len()));
            return Ok(ExitCode::Done);
        }
        Ok(place.print(host, "", &document(content.len(), self.path.display().to_string())))
    }
}

pub(super) async fn run(host: &Host, lang: Lang, options: &Options) -> Result<ExitCode, Refusal> {
    options.out.check(options.place())?;
    let client = options.device.open(host, lang)?;
    let failed = |error| fail::device(error, "K3");
    let record = record(&client, &options.record).await.map_err(failed)?;
    let file = record.file(&options.file).map_err(failed)?;
    let content = client.download(&record, file).await.map_err(failed)?;
    let document = |bytes, out| KeeperDocument::Got {
        schema: SCHEMA,
        record: record.uid.to_string(),
        file: file.uid.to_string(),
        name: file.name.clone(),
        bytes,
        out,
    };
    options.out.write(host, options.place(), &content, document)
}
