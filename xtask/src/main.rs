//! `cargo xtask …`: the chores of this repository, and the way to the product while it is developed.
//!
//! A chore is done here, with three dependencies and no AWS SDK, so that it is ready within seconds. Every other first
//! word belongs to the product: it is passed on, unchanged, to the `keeper-automator` binary of `crates/deployer`.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a chore speaks to the person who typed it")]

mod ci;
mod e2e;
mod fuzz;
mod images;
mod product;
mod run;
mod schemas;
mod statically;
mod tidy;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Run a chore of this repository, or a command of the product
#[derive(Parser)]
#[command(
    name = "cargo xtask",
    bin_name = "cargo xtask",
    disable_help_subcommand = true,
    after_help = "Every other first word is passed on to the product, `keeper-automator`, built with its sandbox:\n  \
                  cargo xtask deploy --sandbox\n  cargo xtask help plan"
)]
struct Cli {
    #[command(subcommand)]
    chore: Chore,
}

#[derive(Subcommand)]
enum Chore {
    /// Run what CI runs, in its order, and stop at the first failure
    Ci(ci::Options),
    /// Check the promises that a compiler cannot
    Tidy,
    /// Write the committed JSON schemas anew
    Schemas(schemas::Options),
    /// Run each fuzz target for a while
    Fuzz(fuzz::Options),
    /// Get or build the container images of the end-to-end tests
    Images(images::Options),
    /// Run the whole guide against emulators in containers
    E2e(e2e::Options),
}

/// The first words that are chores. [`whose`] sends everything else to the product.
const CHORES: [&str; 6] = ["ci", "tidy", "schemas", "fuzz", "images", "e2e"];

#[derive(Debug, PartialEq, Eq)]
enum Whose {
    Ours,
    Product,
}

/// Decides who answers a command line (without the program's own name).
fn whose(args: &[OsString]) -> Whose {
    let word = |i: usize| args.get(i).and_then(|arg| arg.to_str());
    let is_chore = |word: &str| CHORES.contains(&word);
    match word(0) {
        None if args.is_empty() => Whose::Ours,
        Some("-h" | "--help") => Whose::Ours,
        Some("help") if args.len() == 1 || word(1).is_some_and(is_chore) => Whose::Ours,
        Some(first) if is_chore(first) => Whose::Ours,
        _ => Whose::Product,
    }
}

/// Turns `help`, `help ci` and an empty line into the form that clap answers.
fn help_as_flag(args: Vec<OsString>) -> Vec<OsString> {
    match args.first() {
        None => vec!["--help".into()],
        Some(first) if first == "help" => args.into_iter().skip(1).chain(["--help".into()]).collect(),
        Some(_) => args,
    }
}

fn main() -> ExitCode {
    let args: Vec<OsString> = std::env::args_os().skip(1).collect();
    let done = match whose(&args) {
        Whose::Product => product::run(&args),
        Whose::Ours => {
            let line = std::iter::once("cargo xtask".into()).chain(help_as_flag(args));
            match Cli::parse_from(line).chore {
                Chore::Ci(options) => ci::run(&options),
                Chore::Tidy => tidy::run(),
                Chore::Schemas(options) => schemas::run(&options),
                Chore::Fuzz(options) => fuzz::run(&options),
                Chore::Images(options) => images::run(&options),
                Chore::E2e(options) => e2e::run(&options),
            }
        }
    };
    done.unwrap_or_else(|error| {
        eprintln!("error: {error:#}");
        ExitCode::FAILURE
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    fn words(line: &str) -> Vec<OsString> {
        line.split_whitespace().map(OsString::from).collect()
    }

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_chore_of_the_command_line_is_kept_from_the_product() {
        let command = Cli::command();
        let named: Vec<&str> = command.get_subcommands().map(clap::Command::get_name).collect();
        assert_eq!(named, CHORES);
    }

    #[test]
    fn chores_and_bare_help_are_ours() {
        for line in ["", "ci --list", "tidy", "schemas --check", "fuzz", "help", "--help", "-h", "help ci"] {
            assert_eq!(whose(&words(line)), Whose::Ours, "{line}");
        }
    }

    #[test]
    fn every_other_first_word_is_the_products() {
        for line in ["deploy --sandbox", "help deploy", "schema config", "--lang ja plan", "--version", "unlock"] {
            assert_eq!(whose(&words(line)), Whose::Product, "{line}");
        }
    }

    #[test]
    fn help_in_any_form_becomes_the_flag() {
        let check = |line: &str, expected: &str| assert_eq!(help_as_flag(words(line)), words(expected));
        check("", "--help");
        check("help", "--help");
        check("help ci", "ci --help");
        check("ci --list", "ci --list");
    }
}
