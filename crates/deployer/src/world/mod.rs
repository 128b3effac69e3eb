//! The sandbox as a deployer sees it: an emulator, a hosted zone, a Keeper, a throw-away certificate, a config.

mod keeper;

use std::path::{Path, PathBuf};

use aws_infra::Home;
use certs::Bundle;
use certs::make::{Authority, KeyType, generate_password};
use jiff::ToSpan;
use resource_graph::Error;
use sandbox::{Emulator, Origin, Settings};
use secrecy::ExposeSecret;

use self::keeper::Keeper;
use crate::config::Config;
use crate::exit_codes::ExitCode;
use crate::host::Host;
use crate::refusal::Refusal;

/// The zone that owns the pretend host name.
const ZONE: &str = "example.com";

/// Another place for what the sandbox installs, so that sandboxes apart share one installation.
const TOOLS_VARIABLE: &str = "KEEPER_AUTOMATOR_SANDBOX_TOOLS";

/// An open sandbox.
pub(crate) struct World {
    emulator: Emulator,
    keeper: Keeper,
    keep: bool,
    root: PathBuf,
    files: Files,
}

/// What a person would have: a certificate and its password. Neither opens anything.
struct Files {
    pfx: PathBuf,
    password: PathBuf,
}

impl World {
    /// Finds or starts the emulator and makes the files.
    pub(crate) async fn enter(host: &Host, keep: bool) -> Result<Self, Refusal> {
        let root = host.sandbox_root.clone();
        let failed = |error: &(dyn std::error::Error + 'static)| {
            Refusal::new("sandbox-failed", "sandbox", "open the sandbox")
                .because(error.to_string())
                .caused_as(error)
                .exit(ExitCode::SandboxFailed)
        };
        let environment = host.env.iter().map(|(key, value)| (key.into(), value.into())).collect();
        let mut settings = Settings { keep, environment, ..Settings::from_env(root.clone()) };
        if let Some(tools) = host.env.get(TOOLS_VARIABLE) {
            settings.tools = PathBuf::from(tools);
        }
        let talk = |text: &str| host.talk(&format!("sandbox: {text}\n"));
        let emulator = sandbox::find_or_start(&settings, &talk).await.map_err(|error| {
            let refusal = failed(&error);
            match error.hint() {
                Some(hint) => refusal.hint(hint),
                None => refusal,
            }
        })?;
        let directory = root.join("sandbox").join("world");
        let (files, certificate) = Files::make(&directory, host).map_err(|error| failed(error.as_ref()))?;
        // A vault belongs to the AWS that it was deployed with: with a new emulator everything is new.
        let fresh = matches!(emulator.origin, Origin::Started);
        let keeper = Keeper::enter(&directory, &certificate, fresh).await.map_err(|error| failed(error.as_ref()))?;
        Ok(Self { emulator, keeper, keep, root, files })
    }

    /// The config of the pretend deployment.
    pub(crate) fn config(&self) -> Config {
        let Files { pfx, password } = &self.files;
        let mut config = Config::sandbox(pfx.clone(), password.clone());
        config.endpoint.url = Some(self.emulator.endpoint.clone());
        self.keeper.describe(&mut config);
        config
    }

    /// Makes what exists before a deployment: the zone of the host name.
    pub(crate) async fn furnish(&self, home: &Home) -> Result<(), Refusal> {
        let failed =
            |error: Error| Refusal::of(ExitCode::SandboxFailed, vec![error.failure(&"sandbox".into(), "sandbox")]);
        aws_infra::route53::ensure_zone(home, ZONE).await.map_err(failed)
    }

    /// Leaves: an emulator that is not kept ends.
    pub(crate) async fn leave(self) {
        if !self.keep {
            // What cannot be ended now ends with this process.
            let _ = self.emulator.stop().await;
        }
    }

    /// Ends a kept emulator.
    pub(crate) async fn end(&self) {
        let _ = sandbox::stop_kept(&self.root).await;
    }
}

impl Files {
    /// The files of an earlier run are used again as long as the certificate lives, so that a second deploy finds nothing to do.
    fn make(directory: &Path, host: &Host) -> anyhow::Result<(Self, Bundle)> {
        let files = Self {
            pfx: directory.join("ssl-certificate.pfx"),
            password: directory.join("ssl-certificate-password.txt"),
        };
        let now = host.clock.now();
        if let Some(usable) = files.usable(now) {
            return Ok((files, usable));
        }
        std::fs::create_dir_all(directory)?;
        let authority = Authority::throw_away("Keeper Automator sandbox", now)?;
        let until = now.checked_add((24 * 90).hours())?;
        let bundle = authority.issue(&[Config::SANDBOX_HOST], KeyType::P256, now.checked_sub(1.hours())?, until)?;
        let password = generate_password()?;
        write(&files.pfx, &bundle.to_pfx(&password)?)?;
        write(&files.password, password.expose_secret().as_bytes())?;
        Ok((files, bundle))
    }

    fn usable(&self, now: jiff::Timestamp) -> Option<Bundle> {
        let pfx = std::fs::read(&self.pfx).ok()?;
        let password = std::fs::read_to_string(&self.password).ok()?;
        let bundle = Bundle::from_pfx(&pfx, &password.into()).ok()?;
        let good = bundle.leaf().days_left(now) > 30 && bundle.judge(Config::SANDBOX_HOST, now).is_usable();
        good.then_some(bundle)
    }
}

/// Beside its place and then renamed; for the owner's eyes only.
fn write(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    use std::io::Write;
    let directory = path.parent().unwrap_or(Path::new("."));
    let mut file = tempfile::NamedTempFile::new_in(directory)?;
    file.write_all(bytes)?;
    file.persist(path)?;
    Ok(())
}
