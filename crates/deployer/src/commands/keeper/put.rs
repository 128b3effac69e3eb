//! `keeper put` and `keeper replace`: attach a file, beside what is there or in place of it.

use std::path::PathBuf;

use clap::Args;
use keeper_wire::Uid;
use ksm_client::{NewFile, Record};

use super::device::{Device, record};
use super::documents::{KeeperDocument, SCHEMA};
use super::fail;
use super::place::Place;
use crate::catalogue::Lang;
use crate::commands::store;
use crate::exit_codes::ExitCode;
use crate::host::Host;
use crate::refusal::Refusal;
use crate::show::printable;

/// No attachment is longer.
const MAX_BYTES: u64 = 64 << 20;

#[derive(Args)]
pub(crate) struct Options {
    #[command(flatten)]
    device: Device,
    /// The record's UID or title.
    #[arg(allow_hyphen_values = true)]
    record: String,
    /// The file to attach.
    path: PathBuf,
    /// Attach it under this name. Without it, that of the file.
    #[arg(long)]
    name: Option<String>,
}

impl Options {
    pub(super) fn place(&self) -> &Place {
        &self.device.place
    }

    fn file(&self) -> Result<NewFile, Refusal> {
        let own = || self.path.file_name().and_then(|name| name.to_str()).map(str::to_owned);
        let Some(name) = self.name.clone().or_else(own) else {
            let refusal = Refusal::new("keeper-no-name", "K3", format!("name `{}` in the vault", self.path.display()));
            return Err(refusal.exit(ExitCode::Usage).hint("give --name"));
        };
        let content = store::read(&self.path, MAX_BYTES).map_err(|error| {
            let refusal = Refusal::new("file-not-read", "K3", format!("read `{}`", self.path.display()));
            refusal.because(error.to_string()).hint("check the path and its permissions")
        })?;
        let mut file = NewFile::new(name, Vec::new());
        file.content = content;
        Ok(file)
    }
}

pub(super) async fn put(host: &Host, lang: Lang, options: &Options) -> Result<ExitCode, Refusal> {
    let new = options.file()?;
    let client = options.device.open(host, lang)?;
    let failed = |error| fail::device(error, "K3");
    let record = record(&client, &options.record).await.map_err(failed)?;
    if record.files_called(&new.name).next().is_some() {
        let refusal = Refusal::new("keeper-file-there", "K3", format!("attach {:?}: the record has one", new.name));
        return Err(refusal.hint("use `keeper replace`, or another --name: of two files with one name none is found"));
    }
    let uid = client.upload(record.uid, &new).await.map_err(failed)?;
    let text = format!("attached {} as {uid}\n", printable(&new.name));
    Ok(options.place().print(host, &text, &attached(&record, uid, new.name, true, &[])))
}

pub(super) async fn replace(host: &Host, lang: Lang, options: &Options) -> Result<ExitCode, Refusal> {
    let new = options.file()?;
    let client = options.device.open(host, lang)?;
    let failed = |error| fail::device(error, "K3");
    let record = record(&client, &options.record).await.map_err(failed)?;
    let done = client.replace_file(record.uid, &new).await.map_err(failed)?;
    let (name, uid) = (printable(&new.name), done.uid);
    let text = match (done.uploaded, done.removed.len()) {
        (true, 0) => format!("attached {name} as {uid}\n"),
        (true, removed) => format!("attached {name} as {uid}, took {removed} away\n"),
        (false, 0) => format!("{name} is as wanted: {uid}\n"),
        (false, removed) => format!("kept {name} as {uid}, took {removed} away\n"),
    };
    Ok(options.place().print(host, &text, &attached(&record, uid, new.name, done.uploaded, &done.removed)))
}

fn attached(record: &Record, file: Uid, name: String, uploaded: bool, removed: &[Uid]) -> KeeperDocument {
    KeeperDocument::Attached {
        schema: SCHEMA,
        record: record.uid.to_string(),
        file: file.to_string(),
        name,
        uploaded,
        removed: removed.iter().map(Uid::to_string).collect(),
    }
}
