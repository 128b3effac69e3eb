//! What an administrator does by hand in the vault and in Commander: deletes a thing, or changes one of its attributes.
//!
//! Signed in by the same configuration as the product, so never while the product runs.

use std::path::PathBuf;

use anyhow::{Context, Result, bail, ensure};
use automator_admin::automator::{self, Info};
use automator_admin::config::ConfigFile;
use automator_admin::vault::{Marker, application, attachment, device, folder, record, share};
use automator_admin::{Login, Options, Session};
use keeper_wire::{Host, ServerKeys};
use secrecy::SecretString;
use zeroize::Zeroizing;

/// The deployment on the desk.
const DEPLOYMENT: &str = "automator";

/// Who signs in, and where.
pub struct Administrator {
    /// The configuration of the sign-in.
    pub(super) config: PathBuf,
    /// What else to sign in with.
    pub(super) password: SecretString,
    /// Where the cloud is.
    pub(super) host: Host,
    /// Its public keys.
    pub(super) keys: ServerKeys,
    /// The authority of its certificate, in PEM.
    pub(super) authority: String,
}

impl Administrator {
    /// Deletes the thing that is a node.
    ///
    /// # Errors
    ///
    /// What Keeper says.
    pub async fn delete(&self, node: &str) -> Result<()> {
        let session = self.sign_in().await?;
        let (vault, marker) = (session.vault().await?, Marker::new(DEPLOYMENT));
        let folder = || only(folder::owned(&vault, &marker), "folder");
        let record = || only(record::owned(&vault, &marker), "record");
        let application = || only(application::owned(&vault, &marker), "application");
        match node {
            "vault-folder" => folder::remove(&session, &folder()?).await?,
            "vault-record" => record::remove(&session, &record()?).await?,
            "vault-attachments" => {
                let record = record()?.uid;
                let first = attachment::list(&vault, record).first().context("the record has attachments")?.uid;
                attachment::unlink(&session, record, &[first]).await?;
            }
            "ksm-application" => application::remove(&session, &application()?).await?,
            "ksm-share" => share::remove(&session, &application()?, folder()?.uid).await?,
            "ksm-device" => {
                let application = application()?;
                let device = only(device::list(&session, &application).await?, "device")?;
                device::remove(&session, &application, &device.client_id).await?;
            }
            "automator" => automator::delete(&session, the_automator(&session).await?.id).await?,
            _ => bail!("nobody knows how to delete `{node}` by hand"),
        }
        Ok(())
    }

    /// Changes one attribute of the thing that is a node.
    ///
    /// # Errors
    ///
    /// What Keeper says.
    pub async fn change(&self, node: &str) -> Result<()> {
        let session = self.sign_in().await?;
        let (vault, marker) = (session.vault().await?, Marker::new(DEPLOYMENT));
        match node {
            "vault-record" => {
                let record = only(record::owned(&vault, &marker), "record")?;
                record::change(&session, &record, "by hand").await?;
            }
            "vault-attachments" => {
                let record = only(record::owned(&vault, &marker), "record")?.uid;
                let old = attachment::list(&vault, record).into_iter().next().context("the record has attachments")?;
                let bytes = Zeroizing::new(b"by hand".to_vec());
                let new = attachment::NewFile { name: old.name.clone(), bytes };
                attachment::put(&session, record, &[new], &[old.uid]).await?;
            }
            "ksm-share" => {
                let application = only(application::owned(&vault, &marker), "application")?;
                let folder = only(folder::owned(&vault, &marker), "folder")?;
                let editable =
                    share::find(&session, &application, folder.uid).await?.context("there is a share")?.editable;
                share::change(&session, &application, &folder, !editable).await?;
            }
            "automator" => {
                automator::disable(&session, the_automator(&session).await?.id).await?;
            }
            _ => bail!("nobody knows what to change of `{node}` by hand"),
        }
        Ok(())
    }

    /// What of the deployment is in Keeper: how many of each kind.
    ///
    /// # Errors
    ///
    /// What Keeper says.
    pub async fn census(&self) -> Result<Vec<(&'static str, usize)>> {
        let session = self.sign_in().await?;
        let (vault, marker) = (session.vault().await?, Marker::new(DEPLOYMENT));
        let records = record::owned(&vault, &marker);
        let applications = application::owned(&vault, &marker);
        let (mut shares, mut devices) = (0, 0);
        for one in &applications {
            shares += share::list(&session, one).await?.len();
            devices += device::list(&session, one).await?.len();
        }
        Ok(vec![
            ("folder", folder::owned(&vault, &marker).len()),
            ("record", records.len()),
            ("attachment", records.iter().map(|record| attachment::list(&vault, record.uid).len()).sum()),
            ("application", applications.len()),
            ("share", shares),
            ("device", devices),
            ("automator", automator::list(&session).await?.len()),
        ])
    }

    async fn sign_in(&self) -> Result<Session> {
        let options = Options::new().host(self.host.clone()).server_keys(self.keys.clone());
        let options = options.authority(self.authority.as_bytes());
        let login = Login::new(ConfigFile::at(&self.config)).options(options).password(self.password.clone());
        login.sign_in().await.context("sign in to the vault by hand")
    }
}

fn only<T>(found: Vec<T>, what: &str) -> Result<T> {
    ensure!(found.len() == 1, "the deployment should have one {what}, and has {}", found.len());
    found.into_iter().next().context("there is one")
}

async fn the_automator(session: &Session) -> Result<Info> {
    only(automator::list(session).await?, "automator")
}
