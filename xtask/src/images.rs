//! The container images of the end-to-end tests.
//!
//! An image that is here is used; else the published one is pulled where a registry answers; else it is built on this
//! machine, with no registry and no network inside the build: packages of Debian, unpacked (apt checks them by its signed
//! index), and Python packages, each pinned by its hash; or one program of ours, linked to nothing. A built image is kept
//! under the hash of all that goes into it.

mod docker;
mod program;
mod python;
mod rootfs;

use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::ValueEnum;

use crate::{run, statically};
use python::Python;

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
    /// LocalStack, the last release that starts without an auth token
    Localstack,
    /// Our pretend Keeper cloud
    KeeperFake,
    /// Who answers for an Automator
    AutomatorResponder,
}

impl Image {
    /// What others publish.
    pub(crate) const EMULATORS: [Self; 3] = [Self::Moto, Self::Ministack, Self::Localstack];
    /// Our own programs.
    pub(crate) const PROGRAMS: [Self; 2] = [Self::KeeperFake, Self::AutomatorResponder];

    /// Where a registry has it, and what it is made of where none does.
    fn emulator(self) -> Option<Emulator> {
        match self {
            Self::Moto => Some(Emulator {
                published: "motoserver/moto:5.2.5",
                requirements: "crates/sandbox/requirements/moto.txt",
                python: "3.11",
                module: &["moto.server", "-H", "0.0.0.0", "-p", "5000"],
            }),
            Self::Ministack => Some(Emulator {
                published: "ministackorg/ministack:1.5.33",
                requirements: "e2e/images/ministack.txt",
                python: "3.11",
                module: &["ministack"],
            }),
            Self::Localstack => Some(Emulator {
                published: "localstack/localstack:4.14.0",
                requirements: "e2e/images/localstack.txt",
                python: "3.13",
                module: &["localstack.runtime.main"],
            }),
            Self::KeeperFake | Self::AutomatorResponder => None,
        }
    }

    /// Its name, and what the name of an emulator that needs it contains.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Moto => "moto",
            Self::Ministack => "ministack",
            Self::Localstack => "localstack",
            Self::KeeperFake => "keeper-fake",
            Self::AutomatorResponder => "automator-responder",
        }
    }

    /// The variable in which the end-to-end tests look for it; with `_MISSING` behind it, for why there is none.
    pub(crate) fn variable(self) -> String {
        format!("E2E_IMAGE_{}", self.word().to_uppercase().replace('-', "_"))
    }
}

/// An image that others publish.
struct Emulator {
    published: &'static str,
    /// The Python packages in it: every release and every file pinned.
    requirements: &'static str,
    /// The Python that it needs.
    python: &'static str,
    /// The module that it is when it is built here, and what that is told. A script that pip installs would name the Python of
    /// this machine.
    module: &'static [&'static str],
}

/// What came of an image.
pub(crate) enum Ready {
    /// It is on this machine, under this name.
    Here(String),
    /// It cannot be had, for this reason.
    NotHere(String),
}

impl Emulator {
    /// None where there is no such Python.
    fn recipe(&self) -> Result<Option<rootfs::Recipe>> {
        let Some(python) = Python::find(self.python)? else { return Ok(None) };
        Ok(Some(rootfs::Recipe::of(run::root().join(self.requirements), python, self.module)?))
    }

    fn ready(&self, image: Image, pull: bool) -> Result<Ready> {
        let recipe = self.recipe()?;
        let built = recipe.as_ref().map(|recipe| local(image, &recipe.hash()));
        for here in std::iter::once(self.published).chain(built.as_deref()) {
            if docker::has(here)? {
                return Ok(Ready::Here(here.to_owned()));
            }
        }
        if pull && docker::pull(self.published) {
            return Ok(Ready::Here(self.published.to_owned()));
        }
        let (Some(recipe), Some(built)) = (recipe, built) else {
            let (published, python) = (self.published, self.python);
            return Ok(Ready::NotHere(format!(
                "no registry gives {published}, and there is no Python {python} to build it with"
            )));
        };
        eprintln!("images: building {built}");
        let start = std::time::Instant::now();
        recipe.build(&built).with_context(|| format!("build the image {built}"))?;
        docker::forget_others(&built)?;
        eprintln!("images: built {built} in {:.0} s", start.elapsed().as_secs_f64());
        Ok(Ready::Here(built))
    }
}

pub(crate) fn run(options: &Options) -> Result<ExitCode> {
    if let Some(why) = docker::missing() {
        eprintln!("error: {why}");
        return Ok(ExitCode::from(NOT_HERE));
    }
    let wanted = if options.only.is_empty() { Image::value_variants() } else { &options.only };
    let mut code = ExitCode::SUCCESS;
    for (image, ready) in wanted.iter().zip(ready(wanted, !options.no_pull)?) {
        match ready {
            Ready::Here(name) => println!("{}={name}", image.variable()),
            Ready::NotHere(why) => {
                eprintln!("error: no image of {}: {why}", image.word());
                code = ExitCode::from(NOT_HERE);
            }
        }
    }
    Ok(code)
}

/// Why there can be no images here, if so.
pub(crate) fn missing() -> Option<String> {
    docker::missing()
}

/// Makes images ready, and says what came of each.
pub(crate) fn ready(images: &[Image], pull: bool) -> Result<Vec<Ready>> {
    let one = |image: &Image| match image.emulator() {
        Some(emulator) => emulator.ready(*image, pull),
        None => Ok(Ready::Here(program(*image, &statically::build("keeper-fake")?.join(image.word()))?)),
    };
    images.iter().map(one).collect()
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
        for image in Image::EMULATORS {
            let emulator = image.emulator().unwrap();
            let text = std::fs::read_to_string(run::root().join(emulator.requirements)).unwrap();
            let pinned = text.lines().filter(|line| line.contains("==") && !line.starts_with('#')).count();
            assert!(pinned > 5 && text.matches("--hash=sha256:").count() >= pinned, "{image:?}");
            let version = emulator.published.rsplit(':').next().unwrap();
            let names = [image.word().to_owned(), format!("{}-core", image.word())];
            let pins = |line: &str| names.iter().any(|name| line.starts_with(&format!("{name}=={version} ")));
            assert!(text.lines().any(pins), "{image:?}: both ways give one version");
        }
    }

    #[test]
    fn the_hash_changes_with_what_goes_in() {
        let [moto, ministack] = [Image::Moto, Image::Ministack].map(|image| image.emulator().unwrap());
        let hash = |emulator: &Emulator| emulator.recipe().unwrap().unwrap().hash();
        assert_eq!(hash(&moto), hash(&moto));
        assert_ne!(hash(&moto), hash(&ministack));
        assert_ne!(hash(&moto), hash(&Emulator { module: &["moto"], ..moto }));
    }
}
