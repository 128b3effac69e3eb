//! An image of one program of ours: the binary as cargo built it, with the very libraries it is linked to here.
//!
//! A static binary would need none, and would compile all of its dependencies for one more target.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use super::docker;
use crate::run;

pub(super) struct Program {
    binary: PathBuf,
    libraries: Vec<PathBuf>,
}

impl Program {
    pub(super) fn of(binary: PathBuf) -> Result<Self> {
        let output = run::quietly(Command::new("ldd").arg(&binary))?;
        // It fails for a static binary, which has no libraries.
        let libraries = libraries(&String::from_utf8_lossy(&output.stdout));
        Ok(Self { binary, libraries })
    }

    /// Of the binary and its libraries, and of this file.
    pub(super) fn hash(&self) -> Result<String> {
        let mut sums = Command::new("sha256sum");
        let said = run::stdout_of(sums.arg(&self.binary).args(&self.libraries)).context("hash the binary")?;
        let sums = said.lines().filter_map(|line| line.split(' ').next());
        Ok(super::fnv1a(sums.chain([include_str!("program.rs")])))
    }

    pub(super) fn build(&self, image: &str) -> Result<()> {
        let name = self.binary.file_name().context("a binary has a name")?.to_string_lossy().into_owned();
        let root = run::target_dir()?.join("images").join(format!("{name}-root"));
        if root.exists() {
            std::fs::remove_dir_all(&root)?;
        }
        for library in &self.libraries {
            let to = root.join(library.strip_prefix("/").unwrap_or(library));
            std::fs::create_dir_all(to.parent().unwrap_or(&root))?;
            std::fs::copy(library, to)?;
        }
        std::fs::create_dir_all(root.join("tmp"))?;
        let program = root.join(&name);
        // What a debugger wants is most of it.
        run::check(Command::new("strip").arg("-o").arg(&program).arg(&self.binary))?;
        let changes = [format!("ENTRYPOINT [\"/{name}\"]"), "LABEL org.keeper-automator.e2e=image".to_owned()];
        docker::import(&root, image, &changes)?;
        std::fs::remove_dir_all(&root).context("clear away what the image was made of")
    }
}

/// The paths in what `ldd` says: behind an arrow, or first on the line for the loader itself.
fn libraries(said: &str) -> Vec<PathBuf> {
    let path = |line: &str| line.split_whitespace().find(|word| word.starts_with('/')).map(PathBuf::from);
    said.lines().filter_map(path).filter(|path| Path::new(path).is_absolute()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn libraries_are_read_off_ldd() {
        let said = "\tlinux-vdso.so.1 (0x00007ffd)\n\tlibc.so.6 => /lib/x86_64-linux-gnu/libc.so.6 (0x00007f)\n\
                    \t/lib64/ld-linux-x86-64.so.2 (0x00007f)\n";
        let found = libraries(said);
        assert_eq!(found, ["/lib/x86_64-linux-gnu/libc.so.6", "/lib64/ld-linux-x86-64.so.2"].map(PathBuf::from));
        assert!(libraries("\tnot a dynamic executable\n").is_empty());
    }
}
