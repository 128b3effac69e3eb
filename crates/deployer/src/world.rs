//! The sandbox as a deployer sees it: an emulator, a hosted zone, a throw-away certificate, a config.

use std::path::{Path, PathBuf};

use aws_infra::Home;
use certs::make::{Authority, KeyType, generate_password};
use jiff::ToSpan;
use resource_graph::Error;
use sandbox::{Emulator, Settings};
use secrecy::ExposeSecret;

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
    keep: bool,
    root: PathBuf,
    files: Files,
}

/// What a person would have: a certificate, its password, a device configuration. None of it opens anything.
struct Files {
    pfx: PathBuf,
    password: PathBuf,
    ksm_config: PathBuf,
}

impl World {
    /// Finds or starts the emulator and makes the files.
    pub(crate) async fn enter(host: &Host, keep: bool) -> Result<Self, Refusal> {
        let root = host.sandbox_root.clone();
        let failed = |error: &dyn std::fmt::Display| {
            Refusal::new("sandbox-failed", "sandbox", "open the sandbox")
                .because(error.to_string())
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
        let files = Files::make(&root.join("sandbox").join("world"), host).map_err(|error| failed(&error))?;
        Ok(Self { emulator, keep, root, files })
    }

    /// The config of the pretend deployment.
    pub(crate) fn config(&self) -> Config {
        let Files { pfx, password, ksm_config } = &self.files;
        let mut config = Config::sandbox(pfx.clone(), password.clone(), ksm_config.clone());
        config.endpoint.url = Some(self.emulator.endpoint.clone());
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
    fn make(directory: &Path, host: &Host) -> anyhow::Result<Self> {
        let files = Self {
            pfx: directory.join("ssl-certificate.pfx"),
            password: directory.join("ssl-certificate-password.txt"),
            ksm_config: directory.join("ksm-config.txt"),
        };
        let now = host.clock.now();
        if files.is_usable(now) {
            return Ok(files);
        }
        std::fs::create_dir_all(directory)?;
        let authority = Authority::throw_away("Keeper Automator sandbox", now)?;
        let until = now.checked_add((24 * 90).hours())?;
        let bundle = authority.issue(&[Config::SANDBOX_HOST], KeyType::P256, now.checked_sub(1.hours())?, until)?;
        let password = generate_password()?;
        write(&files.pfx, &bundle.to_pfx(&password)?)?;
        write(&files.password, password.expose_secret().as_bytes())?;
        // Random, so that tests can look for it: a real one opens a vault.
        let ksm_config = aws_infra::digest(&[generate_password()?.expose_secret()]);
        write(&files.ksm_config, ksm_config.as_bytes())?;
        Ok(files)
    }

    fn is_usable(&self, now: jiff::Timestamp) -> bool {
        let read = || {
            let pfx = std::fs::read(&self.pfx).ok()?;
            let password = std::fs::read_to_string(&self.password).ok()?;
            certs::Bundle::from_pfx(&pfx, &password.into()).ok()
        };
        self.ksm_config.exists()
            && read().is_some_and(|bundle| {
                bundle.leaf().days_left(now) > 30 && bundle.judge(Config::SANDBOX_HOST, now).is_usable()
            })
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
