//! The end-to-end tests: builds what they need, finds their images, and runs the `e2e` binary, which is never linked here.

mod mutants;

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::{Command, ExitCode, Stdio};

use anyhow::{Context, Result, ensure};

use crate::images::{self, Image, Ready};
use crate::run;

/// Where the committed matrix is.
pub(crate) const MATRIX: &str = "docs/e2e-matrix.md";

#[derive(clap::Args)]
#[command(disable_help_flag = true)]
pub(crate) struct Options {
    /// Break the product in each of ten ways, and see that a flow notices; a name picks one
    #[arg(long, value_name = "NAME", num_args = 0..=1, default_missing_value = "")]
    mutants: Option<String>,
    /// Write the committed matrix anew
    #[arg(long)]
    write: bool,
    /// Fail when the committed matrix does not say what this run found
    #[arg(long)]
    check: bool,
    /// What the `e2e` binary takes: --emulator X, --flow F, --seeds N, --kills N, --help
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    rest: Vec<OsString>,
}

impl Options {
    /// As CI runs it: those that carry the whole guide by themselves.
    pub(crate) fn in_ci() -> Self {
        let rest = ["--emulator", "moto", "--emulator", "ministack"];
        Self { mutants: None, write: false, check: true, rest: rest.map(OsString::from).into() }
    }
}

pub(crate) fn run(options: &Options) -> Result<ExitCode> {
    let asks = |flag: &str| options.rest.iter().any(|arg| arg == flag);
    let helps = asks("--help") || asks("-h");
    if !helps && let Some(why) = images::missing() {
        eprintln!("error: {why}");
        return Ok(ExitCode::from(images::NOT_HERE));
    }
    let binary = build(&run::root(), None)?;
    if let Some(name) = &options.mutants {
        ensure!(options.rest.is_empty(), "--mutants takes at most a name: each mutant says what is played");
        return mutants::run(name, &pictures(&[Image::Moto])?);
    }
    let pictures = if helps { Vec::new() } else { pictures(&emulators(&options.rest))? };
    let mut command = Command::new(binary);
    command.args(&options.rest).envs(pictures).current_dir(run::root()).stdin(Stdio::null());
    if options.write {
        command.args(["--write", MATRIX]);
    }
    if options.check {
        command.args(["--check", MATRIX]);
    }
    let code = command.status().context("start the e2e binary")?.code().unwrap_or(1);
    Ok(u8::try_from(code).map_or(ExitCode::FAILURE, ExitCode::from))
}

/// The images of the emulators that a command line names, and of all when it names none.
fn emulators(rest: &[OsString]) -> Vec<Image> {
    let words: Vec<&str> = rest.iter().filter_map(|word| word.to_str()).collect();
    let after = words.windows(2).filter(|pair| pair[0] == "--emulator").map(|pair| pair[1]);
    let named: Vec<&str> = after.chain(words.iter().filter_map(|word| word.strip_prefix("--emulator="))).collect();
    let images = Image::EMULATORS.into_iter();
    images.filter(|image| named.is_empty() || named.iter().any(|name| name.contains(image.word()))).collect()
}

/// Where these images are, and those of our own programs, as the environment of the `e2e` binary.
fn pictures(emulators: &[Image]) -> Result<Vec<(String, String)>> {
    let wanted: Vec<Image> = emulators.iter().copied().chain(Image::PROGRAMS).collect();
    let named = |(image, ready): (&Image, Ready)| match ready {
        Ready::Here(name) => (image.variable(), name),
        Ready::NotHere(why) => (image.variable() + "_MISSING", why),
    };
    Ok(wanted.iter().zip(images::ready(&wanted, true)?).map(named).collect())
}

/// Builds the product and the end-to-end tests of a tree, with the features of every compiling step of CI, and says where
/// the latter are.
fn build(tree: &std::path::Path, target: Option<&std::path::Path>) -> Result<PathBuf> {
    let mut cargo = run::cargo();
    cargo.current_dir(tree).args([
        "build",
        "--workspace",
        "--all-features",
        "--bin",
        "e2e",
        "--bin",
        "keeper-automator",
    ]);
    let target = match target {
        Some(target) => {
            cargo.env("CARGO_TARGET_DIR", target).arg("--quiet");
            target.to_owned()
        }
        None => run::target_dir()?,
    };
    run::check(&mut cargo)?;
    Ok(target.join("debug/e2e"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_images_of_the_named_emulators_are_made_ready() {
        let of = |line: &str| emulators(&line.split_whitespace().map(OsString::from).collect::<Vec<_>>());
        assert_eq!(of("--flow drift"), Image::EMULATORS);
        assert_eq!(of("--emulator moto --flow drift"), [Image::Moto]);
        assert_eq!(of("--emulator=moto+ministack-ecs"), [Image::Moto, Image::Ministack]);
        assert_eq!(of("--emulator endpoint --endpoint aws"), []);
        assert_eq!(of("--emulator moto --emulator localstack"), [Image::Moto, Image::Localstack]);
    }
}
