//! Moto in a virtual environment of its own, made once per list of requirements.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Output;

use tokio::process::Command;

use crate::error::Error;
use crate::lock::lock;
use crate::settings::Settings;

/// What is installed: every release pinned, every file by its hash.
pub(crate) const REQUIREMENTS: &str = include_str!("../requirements/moto.txt");

/// The commands that may be a Python, the one to prefer first.
const PYTHONS: [&str; 5] = ["python3.13", "python3.12", "python3.11", "python3.10", "python3"];

/// Says `3.11 yes PATH`, or `no` for a Python that cannot make virtual environments.
const PROBE: &str = "\
import importlib.util as i, sys
able = all(i.find_spec(name) for name in ('venv', 'ensurepip'))
print('%d.%d' % sys.version_info[:2], 'yes' if able else 'no', sys.executable)";

/// What any Python of ours needs of the environment.
const BASE: [&str; 7] = ["PATH", "HOME", "TMPDIR", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH"];

/// What pip needs of the environment to reach its index; nothing that would change what or where it installs.
const PIP: [&str; 26] = [
    "PIP_CACHE_DIR",
    "PIP_CERT",
    "PIP_CLIENT_CERT",
    "PIP_CONFIG_FILE",
    "PIP_DEFAULT_TIMEOUT",
    "PIP_EXTRA_INDEX_URL",
    "PIP_FIND_LINKS",
    "PIP_INDEX_URL",
    "PIP_KEYRING_PROVIDER",
    "PIP_NO_INDEX",
    "PIP_PROXY",
    "PIP_RETRIES",
    "PIP_TIMEOUT",
    "PIP_TRUSTED_HOST",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "REQUESTS_CA_BUNDLE",
    "CURL_CA_BUNDLE",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "ALL_PROXY",
    "NO_PROXY",
    "http_proxy",
    "https_proxy",
    "all_proxy",
    "no_proxy",
];

/// The Python of an environment that has the requirements; makes that environment if it is not there, or not whole.
pub(crate) async fn installed(
    settings: &Settings,
    requirements: &str,
    say: &(dyn Fn(&str) + Sync),
) -> Result<PathBuf, Error> {
    let environment = Environment::of(settings, requirements);
    if environment.is_complete() {
        return Ok(environment.python());
    }
    let lock = lock(&settings.tools.join("install.lock"), say).await?;
    if !environment.is_complete() {
        let interpreter = interpreter(settings).await?;
        say("installing Moto, once, which takes about a minute");
        environment.make(settings, &interpreter, &lock).await?;
    }
    Ok(environment.python())
}

struct Environment<'a> {
    directory: PathBuf,
    requirements: &'a str,
}

impl<'a> Environment<'a> {
    fn of(settings: &Settings, requirements: &'a str) -> Self {
        let name = format!("moto-{:016x}", fnv1a(requirements.as_bytes()));
        // Python writes its own path into what it makes, and that has to hold in any working directory.
        let directory = std::path::absolute(&settings.tools).unwrap_or_else(|_| settings.tools.clone());
        Self { directory: directory.join(name), requirements }
    }

    fn python(&self) -> PathBuf {
        self.directory.join("bin/python")
    }

    /// Written last, so a killed installation has none. Its content settles what a short hash cannot.
    fn stamp(&self) -> PathBuf {
        self.directory.join(".complete")
    }

    /// Whether the installation came to its end, and the Python it leans on is still there.
    fn is_complete(&self) -> bool {
        std::fs::read(self.stamp()).is_ok_and(|text| text == self.requirements.as_bytes()) && self.python().exists()
    }

    async fn make(&self, settings: &Settings, interpreter: &Path, lock: &File) -> Result<(), Error> {
        let action = || format!("prepare `{}`", self.directory.display());
        if self.directory.exists() {
            std::fs::remove_dir_all(&self.directory).map_err(Error::io(action()))?;
        }
        let list = settings.tools.join("requirements.txt");
        std::fs::write(&list, self.requirements).map_err(Error::io(action()))?;

        let mut venv = command(interpreter, settings);
        venv.args(["-I", "-m", "venv"]).arg(&self.directory);
        step("make a virtual environment", venv, lock).await?;

        let mut pip = command(&self.python(), settings);
        pip.env("PIP_CACHE_DIR", settings.tools.join("pip-cache")).envs(settings.only(&PIP));
        pip.args(["-I", "-m", "pip", "install", "--no-input", "--disable-pip-version-check", "--progress-bar=off"]);
        // Building from source would run code that has no hash here.
        pip.args(["--only-binary=:all:", "--require-hashes", "--requirement"]).arg(&list);
        step("install Moto", pip, lock).await?;

        let write = || {
            let mut beside = tempfile::NamedTempFile::new_in(&self.directory)?;
            beside.write_all(self.requirements.as_bytes())?;
            beside.as_file().sync_all()?;
            beside.persist(self.stamp()).map_err(|error| error.error)?;
            Ok(())
        };
        write().map_err(Error::io(action()))
    }
}

/// A Python with an environment of its own.
pub(crate) fn command(python: &Path, settings: &Settings) -> Command {
    let mut command = Command::new(python);
    command.env_clear().envs(settings.only(&BASE)).kill_on_drop(true);
    command
}

/// Runs a step to its end. The child holds the lock too: if we are killed, nobody begins anew beside it.
async fn step(step: &'static str, mut command: Command, lock: &File) -> Result<(), Error> {
    let run = async {
        command.stdin(lock.try_clone()?);
        command.output().await
    };
    let Output { status, stdout, stderr } = run.await.map_err(Error::io(step))?;
    if status.success() {
        return Ok(());
    }
    let said = [stdout, stderr].concat();
    Err(Error::Install { step, tail: tail(&String::from_utf8_lossy(&said)) })
}

/// The last lines of a text, as far as a person reads them.
pub(crate) fn tail(text: &str) -> String {
    let lines: Vec<_> = text.trim_end().lines().collect();
    lines[lines.len().saturating_sub(15)..].join("\n")
}

/// The first Python that is new enough and can make virtual environments.
async fn interpreter(settings: &Settings) -> Result<PathBuf, Error> {
    let mut tried = Vec::new();
    let mut unable = None;
    for name in PYTHONS {
        // Not `Command::new(name)` alone: that would look the name up in our PATH, not in the one of the settings.
        let Some(path) = settings.program(name) else {
            tried.push(format!("{name} (not found)"));
            continue;
        };
        let answer =
            command(&path, settings).args(["-I", "-c", PROBE]).stdin(std::process::Stdio::null()).output().await;
        let answer = answer.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned()).unwrap_or_default();
        let mut words = answer.splitn(3, ' ');
        match (words.next().and_then(version), words.next(), words.next()) {
            (Some((major, minor)), _, _) if (major, minor) < (3, 10) => tried.push(format!("{name} ({major}.{minor})")),
            (Some(_), Some("yes"), Some(path)) => return Ok(path.into()),
            (Some((major, minor)), _, _) => {
                unable.get_or_insert(format!("python{major}.{minor}"));
            }
            (None, _, _) => tried.push(format!("{name} (does not run)")),
        }
    }
    Err(unable.map_or(Error::NoPython { tried }, |python| Error::NoVenv { python }))
}

fn version(text: &str) -> Option<(u32, u32)> {
    let (major, minor) = text.split_once('.')?;
    Some((major.parse().ok()?, minor.parse().ok()?))
}

/// FNV-1a: a name for a text. It keeps directories apart and guards nothing, pip's hashes do.
fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    const QUIET: &(dyn Fn(&str) + Sync) = &|_| {};

    /// Settings whose PATH holds nothing but these programs.
    fn with_programs(root: &Path, programs: &[(&str, &str)]) -> Settings {
        let bin = root.join("bin");
        std::fs::create_dir_all(&bin).unwrap();
        for (name, script) in programs {
            let path = bin.join(name);
            std::fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
            std::fs::set_permissions(&path, PermissionsExt::from_mode(0o755)).unwrap();
        }
        Settings { environment: [("PATH".into(), bin.into())].into(), ..Settings::from_env(root) }
    }

    #[test]
    fn every_release_is_pinned_and_has_hashes() {
        let joined = REQUIREMENTS.replace("\\\n", " ");
        let releases: Vec<_> = joined.lines().filter(|line| !line.starts_with('#')).collect();
        assert!(releases.iter().any(|line| line.starts_with("moto==5.2.5 ")));
        for line in releases {
            assert!(line.contains("==") && line.contains("--hash=sha256:"), "{line}");
        }
        assert!(!REQUIREMENTS.contains("://"), "the list names no host");
    }

    #[tokio::test]
    async fn a_killed_install_is_done_again() {
        let root = tempfile::tempdir().unwrap();
        let settings = Settings::from_env(root.path());
        // What a kill leaves: a directory with something in it, and no stamp. No requirements, so no network.
        let list = "# nothing\n";
        let environment = Environment::of(&settings, list);
        std::fs::create_dir_all(environment.directory.join("bin")).unwrap();
        std::fs::write(environment.python(), "half a file").unwrap();
        assert!(!environment.is_complete());

        let python = installed(&settings, list, QUIET).await.unwrap();
        assert!(environment.is_complete());
        assert!(command(&python, &settings).args(["-c", "import pip"]).status().await.unwrap().success());

        let before = std::fs::metadata(environment.stamp()).unwrap().modified().unwrap();
        installed(&settings, list, QUIET).await.unwrap();
        assert_eq!(before, std::fs::metadata(environment.stamp()).unwrap().modified().unwrap(), "it is kept");

        std::fs::remove_file(&python).unwrap();
        assert!(!environment.is_complete(), "without its Python it is worth nothing");
    }

    #[tokio::test]
    async fn a_file_with_another_hash_is_not_installed() {
        let root = tempfile::tempdir().unwrap();
        let index = root.path().join("index");
        std::fs::create_dir(&index).unwrap();
        std::fs::write(index.join("six-1.17.0-py3-none-any.whl"), "something else").unwrap();
        let mut settings = Settings::from_env(root.path());
        settings.environment.insert("PIP_NO_INDEX".into(), "1".into());
        settings.environment.insert("PIP_FIND_LINKS".into(), index.into());

        let list = format!("six==1.17.0 --hash=sha256:{}\n", "0".repeat(64));
        let error = installed(&settings, &list, QUIET).await.unwrap_err();
        let Error::Install { step: "install Moto", tail } = &error else { panic!("{error:?}") };
        assert!(tail.contains("DO NOT MATCH THE HASHES"), "{tail}");
        assert!(!Environment::of(&settings, &list).is_complete());
    }

    #[tokio::test]
    async fn an_old_python_is_passed_over() {
        let root = tempfile::tempdir().unwrap();
        let programs = [("python3.13", "exit 127"), ("python3", "echo 3.9 yes /usr/bin/python3.9")];
        let error = interpreter(&with_programs(root.path(), &programs)).await.unwrap_err();
        let Error::NoPython { tried } = &error else { panic!("{error:?}") };
        assert_eq!(tried[0], "python3.13 (does not run)");
        assert_eq!(tried[4], "python3 (3.9)");

        let programs = [("python3.12", "echo 3.12 yes /some where/python")];
        let found = interpreter(&with_programs(root.path(), &programs)).await.unwrap();
        assert_eq!(found, Path::new("/some where/python"));
    }

    #[tokio::test]
    async fn a_python_without_venv_is_named() {
        let root = tempfile::tempdir().unwrap();
        let programs = [("python3", "echo 3.11 no /usr/bin/python3")];
        let error = interpreter(&with_programs(root.path(), &programs)).await.unwrap_err();
        assert!(error.hint().unwrap().ends_with("apt-get install -y python3.11-venv"), "{error:?}");
    }

    #[tokio::test]
    async fn pip_sees_only_what_leads_to_its_index() {
        let mut settings = Settings::from_env("unused");
        for name in ["PIP_INDEX_URL", "PIP_TARGET", "PIP_USER", "PYTHONPATH", "AWS_PROFILE", "AWS_ACCESS_KEY_ID"] {
            settings.environment.insert(name.into(), "set".into());
        }
        let mut pip = command(Path::new("/usr/bin/env"), &settings);
        let output = pip.envs(settings.only(&PIP)).output().await.unwrap();
        let seen = String::from_utf8(output.stdout).unwrap();
        assert!(seen.contains("PIP_INDEX_URL=set"), "{seen}");
        for name in ["PIP_TARGET", "PIP_USER", "PYTHONPATH", "AWS_"] {
            assert!(!seen.lines().any(|line| line.starts_with(name)), "{name}");
        }
    }
}
