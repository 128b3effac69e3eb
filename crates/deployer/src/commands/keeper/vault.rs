//! `keeper vault`: what carries the deployment's marker (K2 to K7).

use automator_admin::Session;
use automator_admin::vault::application::Application;
use automator_admin::vault::device::Device;
use automator_admin::vault::{Marker, application, attachment, device, folder, record, share};
use clap::Args;

use super::documents::{self, KeeperDocument, SCHEMA};
use super::fail;
use super::place::Place;
use super::print::{table, time};
use super::sign_in::Account;
use crate::catalogue::Lang;
use crate::exit_codes::ExitCode;
use crate::host::Host;
use crate::refusal::Refusal;
use crate::show::printable;

#[derive(clap::Subcommand)]
pub(crate) enum Command {
    /// List the deployment's folders, records with attachments, applications with shares, and devices
    List(Options),
    /// Take a device away from the deployment's application; what uses its configuration can read nothing after that
    RemoveDevice(RemoveOptions),
}

impl Command {
    pub(super) fn place(&self) -> &Place {
        match self {
            Self::List(options) => &options.account.place,
            Self::RemoveDevice(options) => &options.of.account.place,
        }
    }
}

/// Which deployment.
#[derive(Args)]
pub(crate) struct Options {
    #[command(flatten)]
    account: Account,
    /// The deployment's name. Without it that of the config.
    #[arg(long, value_name = "NAME")]
    deployment: Option<String>,
}

#[derive(Args)]
pub(crate) struct RemoveOptions {
    #[command(flatten)]
    of: Options,
    /// The device's name or client id.
    #[arg(value_name = "NAME|CLIENT_ID")]
    device: String,
    /// Do not ask.
    #[arg(long)]
    yes: bool,
}

impl Options {
    async fn sign_in(&self, host: &Host, lang: Lang) -> Result<(Session, Marker), Refusal> {
        let means = self.account.means(host, lang)?;
        let config = means.config.as_ref().map(|config| config.name.to_string());
        let Some(deployment) = self.deployment.clone().or(config) else {
            let refusal = Refusal::new("keeper-no-deployment", "K2", "look for a deployment: its name is not said");
            return Err(refusal.exit(ExitCode::Usage).hint("give --deployment, or --config"));
        };
        Ok((self.account.open(host, &means).await?, Marker::new(deployment)))
    }
}

pub(super) async fn run(host: &Host, lang: Lang, command: &Command) -> Result<ExitCode, Refusal> {
    match command {
        Command::List(options) => list(host, lang, options).await,
        Command::RemoveDevice(options) => remove_device(host, lang, options).await,
    }
}

async fn list(host: &Host, lang: Lang, options: &Options) -> Result<ExitCode, Refusal> {
    let (session, marker) = options.sign_in(host, lang).await?;
    let failed = |error: automator_admin::Error, step| fail::administrator(error, step);
    let vault = session.vault().await.map_err(|error| failed(error, "K2"))?;
    let row = |step: &str, kind: &str, uid: String, name: &str, more: String| {
        vec![step.to_owned(), kind.to_owned(), uid, name.to_owned(), more]
    };
    let mut rows = vec![["step", "kind", "id", "name", ""].map(str::to_owned).to_vec()];
    let (mut folders, mut records, mut applications) = (Vec::new(), Vec::new(), Vec::new());
    for folder in folder::owned(&vault, &marker) {
        let members =
            if folder.others == 0 { "shared with nobody".to_owned() } else { format!("{} others", folder.others) };
        rows.push(row("K2", "folder", folder.uid.to_string(), &folder.title, members));
        let (uid, others) = (folder.uid.to_string(), folder.others);
        folders.push(documents::Folder { uid, title: folder.title, others });
    }
    for record in record::owned(&vault, &marker) {
        rows.push(row("K3", "record", record.uid.to_string(), &record.title, String::new()));
        let files = attachment::list(&vault, record.uid);
        for file in &files {
            rows.push(row("K3", "attachment", file.uid.to_string(), &file.name, format!("{} bytes", file.size)));
        }
        let files = files.into_iter();
        let files =
            files.map(|file| documents::Attachment { uid: file.uid.to_string(), name: file.name, size: file.size });
        let (uid, attachments) = (record.uid.to_string(), files.collect());
        records.push(documents::Record { uid, title: record.title, attachments });
    }
    for application in application::owned(&vault, &marker) {
        rows.push(row("K5", "application", application.uid.to_string(), &application.title, String::new()));
        let shares = share::list(&session, &application).await.map_err(|error| failed(error, "K6"))?;
        for share in &shares {
            let may = if share.editable { "may be changed" } else { "read only" };
            rows.push(row("K6", "share", share.folder.to_string(), &application.title, may.to_owned()));
        }
        let devices = device::list(&session, &application).await.map_err(|error| failed(error, "K7"))?;
        for device in &devices {
            let lock = if device.ip_lock { ", locked to an address" } else { "" };
            let last = format!("last used {}{lock}", time(device.last_access));
            rows.push(row("K7", "device", device.client_id.to_string(), &device.name, last));
        }
        let shares = shares.iter();
        let shares =
            shares.map(|share| documents::Share { folder: share.folder.to_string(), editable: share.editable });
        applications.push(documents::Application {
            uid: application.uid.to_string(),
            title: application.title,
            shares: shares.collect(),
            devices: devices.into_iter().map(document).collect(),
        });
    }
    let text = if rows.len() == 1 {
        format!("nothing in the vault carries the marker of {}\n", printable(marker.deployment()))
    } else {
        table(&rows)
    };
    let (deployment, unreadable) = (marker.deployment().to_owned(), vault.unreadable());
    let document = KeeperDocument::Vault { schema: SCHEMA, deployment, folders, records, applications, unreadable };
    Ok(options.account.place.print(host, &text, &document))
}

fn document(device: Device) -> documents::Device {
    documents::Device {
        client_id: device.client_id.to_string(),
        created: device.created,
        bound: device.is_bound(),
        last_access: device.last_access,
        ip_lock: device.ip_lock,
        name: device.name,
    }
}

async fn remove_device(host: &Host, lang: Lang, options: &RemoveOptions) -> Result<ExitCode, Refusal> {
    let (session, marker) = options.of.sign_in(host, lang).await?;
    let failed = |error: automator_admin::Error| fail::administrator(error, "K7");
    let vault = session.vault().await.map_err(failed)?;
    let mut found: Vec<(Application, Device)> = Vec::new();
    for application in application::owned(&vault, &marker) {
        let devices = device::list(&session, &application).await.map_err(failed)?;
        let fits = |one: &Device| one.name == options.device || one.client_id.to_string() == options.device;
        found.extend(devices.into_iter().filter(fits).map(|device| (application.clone(), device)));
    }
    let (application, device) = match &found[..] {
        [one] => one,
        [] => {
            let refusal =
                Refusal::new("keeper-device-not-found", "K7", format!("find the device {:?}", options.device));
            return Err(refusal.hint("`keeper-automator keeper vault list` shows those there are"));
        }
        several => {
            let ids: Vec<String> = several.iter().map(|(_, device)| device.client_id.to_string()).collect();
            let message = format!("choose the device {:?}, because several have this name", options.device);
            let refusal = Refusal::new("keeper-device-ambiguous", "K7", message).because(ids.join(", "));
            return Err(refusal.hint("name it by its client id"));
        }
    };
    let (name, id) = (printable(&device.name), device.client_id.to_string());
    if !options.yes && !host.confirm(&format!("Take the device {name} ({id}) away?")) {
        return Err(fail::not_confirmed("K7"));
    }
    device::remove(&session, application, &device.client_id).await.map_err(failed)?;
    let text = format!("took the device {name} ({id}) away\n");
    let removed = documents::DeviceName { client_id: id, name: device.name.clone() };
    Ok(options.of.account.place.print(host, &text, &KeeperDocument::DeviceRemoved { schema: SCHEMA, removed }))
}
