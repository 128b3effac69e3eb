//! The container images of the end-to-end tests.
//!
//! An image that is here is used; else the published one is pulled where a registry answers; else it is built on this
//! machine, with no registry and no network inside the build: packages of Debian, unpacked (apt checks them by its signed
//! index), and Python packages, each pinned by its hash. A built image is kept under the hash of all that goes into it.

mod docker;
mod rootfs;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::ValueEnum;

use crate::run;

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
}

impl Image {
    /// Where a registry has it.
    fn published(self) -> &'static str {
        match self {
            Self::Moto => "motoserver/moto:5.2.5",
            Self::Ministack => "ministackorg/ministack:1.5.33",
        }
    }

    /// The Python packages in it: every release and every file pinned.
    fn requirements(self) -> PathBuf {
        run::root().join(match self {
            Self::Moto => "crates/sandbox/requirements/moto.txt",
            Self::Ministack => "e2e/images/ministack.txt",
        })
    }

    /// How it begins when it is built here. A script that pip installs would name the Python of this machine.
    fn command(self) -> &'static [&'static str] {
        match self {
            Self::Moto => &["python3", "-m", "moto.server", "-H", "0.0.0.0", "-p", "5000"],
            Self::Ministack => &["python3", "-m", "ministack"],
        }
    }

    fn word(self) -> &'static str {
        match self {
            Self::Moto => "moto",
            Self::Ministack => "ministack",
        }
    }

    /// The variable in which the end-to-end tests look for it.
    pub(crate) fn variable(self) -> String {
        format!("E2E_IMAGE_{}", self.word().to_uppercase())
    }
}

pub(crate) fn run(options: &Options) -> Result<ExitCode> {
    if let Some(why) = docker::missing() {
        eprintln!("error: {why}");
        return Ok(ExitCode::from(NOT_HERE));
    }
    let wanted = if options.only.is_empty() { Image::value_variants() } else { &options.only };
    for image in wanted {
        println!("{}={}", image.variable(), ready(*image, !options.no_pull)?);
    }
    Ok(ExitCode::SUCCESS)
}

/// Why there can be no images here, if so.
pub(crate) fn missing() -> Option<String> {
    docker::missing()
}

/// The name under which an image is on this machine, once it is.
pub(crate) fn ready(image: Image, pull: bool) -> Result<String> {
    let recipe = rootfs::Recipe::of(image.requirements(), image.command())?;
    let built = format!("keeper-automator/e2e-{}:{}", image.word(), recipe.hash());
    let published = image.published();
    for here in [published, built.as_str()] {
        if docker::has(here)? {
            return Ok(here.to_owned());
        }
    }
    if pull && docker::pull(published) {
        return Ok(published.to_owned());
    }
    eprintln!("images: building {built}");
    let start = std::time::Instant::now();
    recipe.build(&built).with_context(|| format!("build the image {built}"))?;
    eprintln!("images: built {built} in {:.0} s", start.elapsed().as_secs_f64());
    Ok(built)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_image_has_pinned_files() {
        for image in Image::value_variants() {
            let text = std::fs::read_to_string(image.requirements()).unwrap();
            let pinned = text.lines().filter(|line| line.contains("==")).count();
            assert!(pinned > 5 && text.matches("--hash=sha256:").count() >= pinned, "{image:?}");
            let version = image.published().rsplit(':').next().unwrap();
            assert!(text.contains(&format!("{}=={version}", image.word())), "{image:?}: both ways give one version");
        }
    }

    #[test]
    fn the_hash_changes_with_what_goes_in() {
        let hash = |image: Image, command: &[&str]| rootfs::Recipe::of(image.requirements(), command).unwrap().hash();
        let moto = hash(Image::Moto, Image::Moto.command());
        assert_eq!(moto, hash(Image::Moto, Image::Moto.command()));
        assert_ne!(moto, hash(Image::Ministack, Image::Moto.command()));
        assert_ne!(moto, hash(Image::Moto, &["python3"]));
    }
}
