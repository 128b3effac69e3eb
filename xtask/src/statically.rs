//! Programs that need nothing of the machine they run on, not even a C library: for containers with nothing else in them.
//!
//! They are linked against the static glibc of this machine, which the same compiler and the same target take, so nobody has
//! to install another target. `--target` keeps them apart from what is compiled otherwise.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

use crate::run;

/// Builds all programs of a package, and says in which directory they are.
pub(crate) fn build(package: &str) -> Result<PathBuf> {
    let triple = triple()?;
    let flags = format!("CARGO_TARGET_{}_RUSTFLAGS", triple.to_uppercase().replace('-', "_"));
    let mut cargo = run::cargo();
    cargo.args(["build", "--package", package, "--bins", "--target", &triple]);
    run::check(cargo.env(flags, "-Ctarget-feature=+crt-static"))?;
    Ok(run::target_dir()?.join(triple).join("debug"))
}

/// Fails unless a program is linked to nothing.
pub(crate) fn check(program: &Path) -> Result<()> {
    let bytes = std::fs::read(program).with_context(|| format!("read {}", program.display()))?;
    let interpreter = is_interpreted(&bytes).with_context(|| format!("{} is no program", program.display()))?;
    ensure!(!interpreter, "{} is linked to libraries of this machine, and should not be", program.display());
    Ok(())
}

/// Whether an ELF file asks for a loader: whether it has a program header of type `PT_INTERP`.
fn is_interpreted(elf: &[u8]) -> Option<bool> {
    const INTERP: u32 = 3;
    let number = |at: usize, size: usize| {
        let bytes = elf.get(at..at.checked_add(size)?)?;
        Some(bytes.iter().rev().fold(0_u64, |number, byte| number << 8 | u64::from(*byte)))
    };
    // 64 bits, least significant byte first.
    if elf.get(..6)? != b"\x7fELF\x02\x01" {
        return None;
    }
    let place = |at: usize, size: usize| usize::try_from(number(at, size)?).ok();
    let (first, size, count) = (place(32, 8)?, place(54, 2)?, place(56, 2)?);
    let mut kinds = (0..count).map(|index| number(first.checked_add(index.checked_mul(size)?)?, 4));
    kinds.try_fold(false, |found, kind| Some(found || kind? == u64::from(INTERP)))
}

fn triple() -> Result<String> {
    let mut rustc = std::process::Command::new(std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()));
    let said = run::stdout_of(rustc.arg("-vV")).context("ask rustc for its target")?;
    let host = said.lines().find_map(|line| line.strip_prefix("host: "));
    Ok(host.context("rustc names no host")?.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_that_asks_for_a_loader_is_found_out() {
        // This test itself is linked as programs are by default.
        let own = std::fs::read(std::env::current_exe().unwrap()).unwrap();
        assert_eq!(is_interpreted(&own), Some(true));
        assert!(check(&std::env::current_exe().unwrap()).is_err());
        for end in [0, 5, 40, 60, 100] {
            assert_eq!(is_interpreted(&own[..end]), None, "{end}");
        }
        assert_eq!(is_interpreted(b"#!/bin/sh\n"), None);
    }
}
