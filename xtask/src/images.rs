//! The container images of the end-to-end tests.
//!
//! An image that is here is used; else the published one is pulled where a registry answers; else it is built on this
//! machine, with no registry and no network inside the build: packages of Debian, unpacked (apt checks them by its signed
//! index), and Python packages, each pinned by its hash; or one program of ours, linked to nothing. A built image is kept
//! under the hash of all that goes into it.

mod docker;
mod program;
mod rootfs;

use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use clap::ValueEnum;

use crate::{run, statically};

/// The program cannot do its work here: the same number as the product's "the sandbox could not be started".
pub(crate) const NOT_HERE: u8 = 7;

#[derive(clap::Args)]
pub(crate) struct Options {
    /// These images only (may be repeated)
    #[arg(value_enum)]
    only: Vec<Image>,
    /// Ask no registry: build what is not here
    #[arg(long)]
    no_pull: bool,
}

/// An image that the end-to-end tests need.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Image {
    /// Moto
    Moto,
    /// MiniStack
    Ministack,
    /// Our pretend Keeper cloud
    KeeperFake,
    /// Who answers for an Automator
    AutomatorResponder,
}

impl Image {
    /// Where a registry has it, and what it is made of where none does.
    fn emulator(self) -> Option<Emulator> {
        match self {
            Self::Moto => Some(Emulator {
                published: "motoserver/moto:5.2.5",
                requirements: "crates/sandbox/requirements/moto.txt",
                command: &["python3", "-m", "moto.server", "-H", "0.0.0.0", "-p", "5000"],
            }),
            Self::Ministack => Some(Emulator {
                published: "ministackorg/ministack:1.5.33",
                requirements: "e2e/images/ministack.txt",
                command: &["python3", "-m", "ministack"],
            }),
            Self::KeeperFake | Self::AutomatorResponder => None,
        }
    }

    fn word(self) -> &'static str {
        match self {
            Self::Moto => "moto",
            Self::Ministack => "ministack",
            Self::KeeperFake => "keeper-fake",
            Self::AutomatorResponder => "automator-responder",
        }
    }

    /// The variable in which the end-to-end tests look for it.
    pub(crate) fn variable(self) -> String {
        format!("E2E_IMAGE_{}", self.word().to_uppercase().replace('-', "_"))
    }
}

/// An image that others publish.
struct Emulator {
    published: &'static str,
    /// The Python packages in it: every release and every file pinned.
    requirements: &'static str,
    /// How it begins when it is built here. A script that pip installs would name the Python of this machine.
    command: &'static [&'static str],
}

impl Emulator {
    fn recipe(&self) -> Result<rootfs::Recipe> {
        rootfs::Recipe::of(run::root().join(self.requirements), self.command)
    }

    fn ready(&self, image: Image, pull: bool) -> Result<String> {
        let recipe = self.recipe()?;
        let built = local(image, &recipe.hash());
        for here in [self.published, built.as_str()] {
            if docker::has(here)? {
                return Ok(here.to_owned());
            }
        }
        if pull && docker::pull(self.published) {
            return Ok(self.published.to_owned());
        }
        eprintln!("images: building {built}");
        let start = std::time::Instant::now();
        recipe.build(&built).with_context(|| format!("build the image {built}"))?;
        docker::forget_others(&built)?;
        eprintln!("images: built {built} in {:.0} s", start.elapsed().as_secs_f64());
        Ok(built)
    }
}

pub(crate) fn run(options: &Options) -> Result<ExitCode> {
    if let Some(why) = docker::missing() {
        eprintln!("error: {why}");
        return Ok(ExitCode::from(NOT_HERE));
    }
    let wanted = if options.only.is_empty() { Image::value_variants() } else { &options.only };
    for (variable, image) in ready(wanted, !options.no_pull)? {
        println!("{variable}={image}");
    }
    Ok(ExitCode::SUCCESS)
}

/// Why there can be no images here, if so.
pub(crate) fn missing() -> Option<String> {
    docker::missing()
}

/// The names under which images are on this machine, once they are, each behind the variable for it.
pub(crate) fn ready(images: &[Image], pull: bool) -> Result<Vec<(String, String)>> {
    let ours = images.iter().any(|image| image.emulator().is_none());
    // Both programs are of one package.
    let programs = if ours { Some(statically::build("keeper-fake")?) } else { None };
    let mut ready = Vec::new();
    for image in images {
        let name = match (image.emulator(), &programs) {
            (None, Some(programs)) => program(*image, &programs.join(image.word()))?,
            (Some(emulator), _) => emulator.ready(*image, pull)?,
            (None, None) => bail!("`{}` was not built", image.word()),
        };
        ready.push((image.variable(), name));
    }
    Ok(ready)
}

fn program(image: Image, binary: &Path) -> Result<String> {
    let program = program::Program::of(binary.to_owned())?;
    let built = local(image, &program.hash()?);
    if !docker::has(&built)? {
        program.build(&built).with_context(|| format!("build the image {built}"))?;
        docker::forget_others(&built)?;
    }
    Ok(built)
}

fn local(image: Image, hash: &str) -> String {
    format!("keeper-automator/e2e-{}:{hash}", image.word())
}

/// Tells contents apart; nobody has to be unable to forge it.
fn fnv1a<'a>(parts: impl Iterator<Item = &'a str>) -> String {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for byte in parts.flat_map(|part| part.bytes().chain([0])) {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    }
    format!("{hash:016x}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_emulator_has_pinned_files() {
        for image in [Image::Moto, Image::Ministack] {
            let emulator = image.emulator().unwrap();
            let text = std::fs::read_to_string(run::root().join(emulator.requirements)).unwrap();
            let pinned = text.lines().filter(|line| line.contains("==") && !line.starts_with('#')).count();
            assert!(pinned > 5 && text.matches("--hash=sha256:").count() >= pinned, "{image:?}");
            let version = emulator.published.rsplit(':').next().unwrap();
            assert!(text.contains(&format!("{}=={version}", image.word())), "{image:?}: both ways give one version");
        }
    }

    #[test]
    fn the_hash_changes_with_what_goes_in() {
        let [moto, ministack] = [Image::Moto, Image::Ministack].map(|image| image.emulator().unwrap());
        let hash = |emulator: &Emulator| emulator.recipe().unwrap().hash();
        assert_eq!(hash(&moto), hash(&moto));
        assert_ne!(hash(&moto), hash(&ministack));
        assert_ne!(hash(&moto), hash(&Emulator { command: &["python3"], ..moto }));
    }
}
