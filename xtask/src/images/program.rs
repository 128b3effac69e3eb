//! An image of one program of ours, linked to nothing: it is all there is in it.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result};

use super::docker;
use crate::{run, statically};

pub(super) struct Program {
    binary: PathBuf,
}

impl Program {
    pub(super) fn of(binary: PathBuf) -> Result<Self> {
        statically::check(&binary)?;
        Ok(Self { binary })
    }

    /// Of the binary, and of this file, which says how.
    pub(super) fn hash(&self) -> Result<String> {
        let said = run::stdout_of(Command::new("sha256sum").arg(&self.binary)).context("hash the binary")?;
        Ok(super::fnv1a([said.split(' ').next().unwrap_or_default(), include_str!("program.rs")].into_iter()))
    }

    pub(super) fn build(&self, image: &str) -> Result<()> {
        let name = self.binary.file_name().context("a binary has a name")?.to_string_lossy().into_owned();
        let root = run::target_dir()?.join("images").join(format!("{name}-root"));
        if root.exists() {
            std::fs::remove_dir_all(&root)?;
        }
        // World-writable, as everywhere: who runs it need not be root.
        let scratch = root.join("tmp");
        std::fs::create_dir_all(&scratch)?;
        std::fs::set_permissions(&scratch, std::os::unix::fs::PermissionsExt::from_mode(0o1777))?;
        // What a debugger wants is most of it.
        run::check(Command::new("strip").arg("-o").arg(root.join(&name)).arg(&self.binary))?;
        let changes = [format!("ENTRYPOINT [\"/{name}\"]"), "LABEL org.keeper-automator.e2e=image".to_owned()];
        docker::import(&root, image, &changes)?;
        std::fs::remove_dir_all(&root).context("clear away what the image was made of")
    }
}
