//! A root directory with a Python in it, made of Debian's packages without a chroot and without root.

use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};

use super::docker;
use super::python::Python;
use crate::run;

/// The release whose packages are named below.
const RELEASE: &str = "bookworm";
/// Python with all it loads, a shell for a person who looks inside, and nothing else.
const PACKAGES: [&str; 34] = [
    "base-files",
    "busybox-static",
    "ca-certificates",
    "libbz2-1.0",
    "libc6",
    "libcom-err2",
    "libcrypt1",
    "libdb5.3",
    "libexpat1",
    "libffi8",
    "libgcc-s1",
    "libgssapi-krb5-2",
    "libk5crypto3",
    "libkeyutils1",
    "libkrb5-3",
    "libkrb5support0",
    "liblzma5",
    "libncursesw6",
    "libnsl2",
    "libpython3.11-minimal",
    "libpython3.11-stdlib",
    "libreadline8",
    "libsqlite3-0",
    "libssl3",
    "libstdc++6",
    "libtinfo6",
    "libtirpc3",
    "libuuid1",
    "media-types",
    "netbase",
    "python3.11",
    "python3.11-minimal",
    "tzdata",
    "zlib1g",
];

/// What nobody reads in a container.
const LEFT_OUT: [&str; 6] = ["doc", "info", "lintian", "locale", "man", "bug"];

/// Commands of the shell.
const APPLETS: [&str; 9] = ["cat", "env", "ls", "ps", "sh", "sleep", "true", "wget", "id"];

/// What an image is made of.
pub(super) struct Recipe {
    requirements: PathBuf,
    text: String,
    python: Python,
    command: Vec<String>,
}

impl Recipe {
    pub(super) fn of(requirements: PathBuf, python: Python, module: &[&str]) -> Result<Self> {
        let text =
            std::fs::read_to_string(&requirements).with_context(|| format!("read {}", requirements.display()))?;
        let mut command = vec![python.program_inside().display().to_string(), "-m".to_owned()];
        command.extend(module.iter().map(|&word| word.to_owned()));
        Ok(Self { requirements, text, python, command })
    }

    /// Of everything that goes in, and of this file, which says how.
    pub(super) fn hash(&self) -> String {
        super::fnv1a([include_str!("rootfs.rs"), self.text.as_str(), &self.command.join(" ")].into_iter())
    }

    pub(super) fn build(&self, image: &str) -> Result<()> {
        let release = std::fs::read_to_string("/etc/os-release").unwrap_or_default();
        ensure!(
            release.contains(RELEASE),
            "no registry answers, and an image is built of packages of Debian 12 ({RELEASE}), which this is not; \
             pull the image where a registry can be reached, or run on Debian 12"
        );
        let work = run::target_dir()?.join("images");
        let place = work.join(self.hash());
        if place.exists() {
            std::fs::remove_dir_all(&place).context("remove an image that was left half-made")?;
        }
        let (debs, root) = (place.join("debs"), place.join("root"));
        std::fs::create_dir_all(&debs)?;
        std::fs::create_dir_all(&root)?;
        unpack(&debs, &root)?;
        arrange(&root)?;
        if let Some(prefix) = &self.python.prefix {
            take_along(prefix, &root)?;
        }
        self.python_packages(&work, &root)?;
        let command = self.command.iter().map(|word| format!("{word:?}")).collect::<Vec<_>>().join(", ");
        let changes = [
            "ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin".to_owned(),
            "ENV PYTHONPATH=/opt/python".to_owned(),
            "ENV PYTHONUNBUFFERED=1".to_owned(),
            "LABEL org.keeper-automator.e2e=image".to_owned(),
            format!("CMD [{command}]"),
        ];
        docker::import(&root, image, &changes)?;
        std::fs::remove_dir_all(&place).context("clear away what the image was made of")
    }

    /// By a pip of our own: the one of this machine may be missing, or be told to install nothing.
    fn python_packages(&self, work: &Path, root: &Path) -> Result<()> {
        let Python { version, prefix } = &self.python;
        let venv = work.join(if prefix.is_some() { format!("pip{version}") } else { "pip".to_owned() });
        if !venv.join("bin/pip").exists() {
            run::check(Command::new(self.python.program()).args(["-m", "venv"]).arg(&venv))?;
        }
        let mut pip = Command::new(venv.join("bin/python"));
        pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input", "--no-compile"]);
        pip.args(["--root-user-action=ignore", "--require-hashes", "--no-deps", "--only-binary=:all:"]);
        pip.args(["--implementation=cp", "--python-version", version, "--target"]).arg(root.join("opt/python"));
        run::check(pip.arg("--requirement").arg(&self.requirements))?;
        // Its scripts begin with the path of this machine's Python.
        std::fs::remove_dir_all(root.join("opt/python/bin")).or_else(|error| match error.kind() {
            std::io::ErrorKind::NotFound => Ok(()),
            _ => Err(error),
        })?;
        Ok(())
    }
}

/// A Python of this machine, to the same place in the image, without what only its makers need.
fn take_along(prefix: &Path, root: &Path) -> Result<()> {
    let mut tar = Command::new("tar");
    for left_out in ["__pycache__", "site-packages", "test", "tests", "idlelib", "tkinter", "ensurepip", "*.a"] {
        tar.arg(format!("--exclude={left_out}"));
    }
    tar.arg("-c").arg(prefix).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut tar = tar.spawn().context("start tar")?;
    let pipe = tar.stdout.take().context("read what tar writes")?;
    let status = Command::new("tar").arg("-x").arg("-C").arg(root).stdin(pipe).status().context("start tar")?;
    ensure!(status.success() && tar.wait()?.success(), "{} could not be copied", prefix.display());
    Ok(())
}

fn unpack(debs: &Path, root: &Path) -> Result<()> {
    let mut download = Command::new("apt-get");
    let output = run::quietly(download.args(["download", "-qq"]).args(PACKAGES).current_dir(debs))?;
    ensure!(
        output.status.success(),
        "apt-get download failed; run `apt-get update` as root first. It says: {}",
        String::from_utf8_lossy(&output.stderr).trim()
    );
    for entry in std::fs::read_dir(debs)? {
        let path = entry?.path();
        run::check(Command::new("dpkg-deb").arg("--extract").arg(&path).arg(root))?;
    }
    Ok(())
}

/// What the packages' scripts would have done.
fn arrange(root: &Path) -> Result<()> {
    for name in LEFT_OUT {
        let path = root.join("usr/share").join(name);
        if path.exists() {
            std::fs::remove_dir_all(path)?;
        }
    }
    for name in ["bin", "dev", "etc/ssl/certs", "opt/python", "proc", "root", "run", "sys", "tmp", "var/tmp"] {
        std::fs::create_dir_all(root.join(name))?;
    }
    for name in ["tmp", "var/tmp"] {
        std::fs::set_permissions(root.join(name), std::fs::Permissions::from_mode(0o1777))?;
    }
    for name in APPLETS {
        let path = root.join("bin").join(name);
        if !path.exists() {
            symlink("busybox", path)?;
        }
    }
    let python = root.join("usr/bin/python3");
    if !python.exists() {
        symlink("python3.11", python)?;
    }
    // Debian's list of authorities, not this machine's, which may have others.
    let mut authorities = String::new();
    for entry in std::fs::read_dir(root.join("usr/share/ca-certificates/mozilla"))? {
        authorities += &std::fs::read_to_string(entry?.path())?;
    }
    std::fs::write(root.join("etc/ssl/certs/ca-certificates.crt"), authorities)?;
    std::fs::write(
        root.join("etc/passwd"),
        "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n",
    )?;
    std::fs::write(root.join("etc/group"), "root:x:0:\nnogroup:x:65534:\n")?;
    Ok(())
}
