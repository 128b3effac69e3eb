//! The sandbox's Keeper: a pretend cloud with an empty vault, an administrator who signs in, and somebody who answers for the
//! Automator until tasks really run.

use std::path::{Path, PathBuf};

use certs::Bundle;
use keeper_fake::{Fake, Options, Responder, Scheme, World};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use secrecy::ExposeSecret;

use super::write;
use crate::config::{Config, KeeperEndpoint, KeeperHalf};

/// A running Keeper and a running stand-in for the Automator. Both end with this.
pub(super) struct Keeper {
    fake: Fake,
    _automator: Responder,
    files: Files,
}

struct Files {
    /// Everything the cloud knows, so that a kept sandbox is found as it was left.
    state: PathBuf,
    /// The administrator's configuration.
    config: PathBuf,
    /// The authority of the cloud's certificate.
    authority: PathBuf,
}

impl Keeper {
    /// Goes on with what is in `directory`, or starts anew when `fresh`.
    pub(super) async fn enter(directory: &Path, certificate: &Bundle, fresh: bool) -> anyhow::Result<Self> {
        let files = Files {
            state: directory.join("keeper-state.json"),
            config: directory.join("keeper-config.json"),
            authority: directory.join("keeper-ca.pem"),
        };
        let kept = if fresh { None } else { World::load(&files.state).ok() };
        let mut world = kept.unwrap_or_else(|| {
            let mut world = World::new();
            world.admin.add_nodes();
            world
        });
        // A device for each run: a run that was killed while it signed in leaves one whose clone code is spent.
        let administrator = world.admin.add_resumable();

        let automator = automator(certificate).await?;
        for authority in certificate.chain().iter().chain(certificate.root()) {
            world.contacts.roots.add(CertificateDer::from(authority.der().to_vec()))?;
        }
        world.contacts.names.insert(Config::SANDBOX_HOST.to_owned(), automator.address());

        let options = Options { state: Some(files.state.clone()), ..Options::loopback(Scheme::Https) };
        let fake = Fake::listen(world, options).await?;
        write(&files.authority, fake.ca_pem().unwrap_or_default().as_bytes())?;
        let server = fake.address().to_string();
        let config = fake.world().admin.commander_config(&server, &administrator).to_string();
        write(&files.config, config.as_bytes())?;
        Ok(Self { fake, _automator: automator, files })
    }

    /// Tells a config where this Keeper is and who signs in.
    pub(super) fn describe(&self, config: &mut Config) {
        config.keeper.half =
            KeeperHalf::Login { config: self.files.config.clone(), password: None, totp: None, node: NODE.to_owned() };
        config.keeper.endpoint = KeeperEndpoint {
            host: Some(self.fake.address().to_string().parse().expect("an address and a port are a host")),
            ca_file: Some(self.files.authority.clone()),
            server_keys: Some(self.fake.world().server_keys()),
        };
    }
}

/// The node of keeper-fake's enterprise that has single sign-on.
const NODE: &str = "Azure Cloud";

/// Shows the deployment's own certificate, as the tasks will.
async fn automator(certificate: &Bundle) -> anyhow::Result<Responder> {
    let leaf = CertificateDer::from(certificate.leaf().der().to_vec());
    let key = PrivateKeyDer::from_pem_slice(certificate.acm()?.private_key.expose_secret().as_bytes())?;
    Ok(Responder::start(vec![leaf], key).await?)
}
