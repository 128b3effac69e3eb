//! `keeper files`: the attachments of a record.

use clap::Args;

use super::device::{Device, record};
use super::documents::{self, KeeperDocument, SCHEMA};
use super::fail;
use super::place::Place;
use super::print::{table, time};
use crate::catalogue::Lang;
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
}

impl Options {
    pub(super) fn place(&self) -> &Place {
        &self.device.place
    }
}

pub(super) async fn run(host: &Host, lang: Lang, options: &Options) -> Result<ExitCode, Refusal> {
    let client = options.device.open(host, lang)?;
    let record = record(&client, &options.record).await.map_err(|error| fail::device(error, "K3"))?;
    let mut rows = vec![["uid", "bytes", "changed", "name"].map(str::to_owned).to_vec()];
    rows.extend(record.files.iter().map(|file| {
        let size = file.size.map_or_else(|| "?".to_owned(), |size| size.to_string());
        let name = if file.is_stored() { file.name.clone() } else { format!("{} (not stored)", file.name) };
        vec![file.uid.to_string(), size, time(file.last_modified.unwrap_or_default()), name]
    }));
    rows.extend(record.failed_files.iter().map(|failed| {
        vec![failed.uid.clone(), "?".to_owned(), "?".to_owned(), format!("(cannot be opened: {})", failed.error)]
    }));
    let files = record.files.iter().map(|file| documents::File {
        uid: file.uid.to_string(),
        name: file.name.clone(),
        title: file.title.clone(),
        size: file.size,
        media_type: file.media_type.clone(),
        last_modified: file.last_modified,
        stored: file.is_stored(),
    });
    let failed = record.failed_files.iter();
    let failed = failed.map(|one| documents::FailedFile { uid: one.uid.clone(), error: one.error.to_string() });
    let document = KeeperDocument::Files {
        schema: SCHEMA,
        record: documents::ReadRecord {
            uid: record.uid.to_string(),
            title: record.content.title().to_owned(),
            editable: record.editable,
        },
        files: files.collect(),
        failed: failed.collect(),
    };
    Ok(options.place().print(host, &table(&rows), &document))
}
