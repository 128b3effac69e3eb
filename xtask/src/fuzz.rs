//! Fuzzing on the nightly toolchain, through cargo-fuzz where it is installed and without it otherwise.

use std::path::Path;
use std::process::{Command, ExitCode};

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::run;

#[derive(clap::Args)]
pub(crate) struct Options {
    /// How long each target runs
    #[arg(long, default_value_t = 60, value_name = "N")]
    seconds: u32,
    /// Only this target
    #[arg(long, value_name = "NAME")]
    target: Option<String>,
}

/// What cargo-fuzz would set, so that libFuzzer sees the edges of the program.
const COVERAGE: &str = "--cfg fuzzing -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table -Zsanitizer=address";

pub(crate) fn run(options: &Options) -> Result<ExitCode> {
    let manifest = run::root().join("fuzz/Cargo.toml");
    ensure!(manifest.is_file(), "there is no fuzz target: fuzz/Cargo.toml does not exist");
    ensure!(
        run::quietly(nightly().arg("--version")).is_ok_and(|output| output.status.success()),
        "fuzzing needs a nightly toolchain; install it with: rustup toolchain install nightly"
    );
    let metadata = run::stdout_of(
        nightly().args(["metadata", "--no-deps", "--format-version", "1", "--manifest-path"]).arg(&manifest),
    )?;
    let targets = binaries(&metadata)?;
    let wanted: Vec<_> =
        targets.iter().filter(|name| options.target.as_ref().is_none_or(|wanted| wanted == *name)).collect();
    ensure!(!wanted.is_empty(), "no such target; there are: {}", targets.join(", "));

    let through_cargo_fuzz =
        run::quietly(nightly().args(["fuzz", "--version"])).is_ok_and(|output| output.status.success());
    for name in wanted {
        let artifacts = manifest.with_file_name("artifacts").join(name);
        std::fs::create_dir_all(&artifacts).with_context(|| format!("create {}", artifacts.display()))?;
        println!("fuzz {name}: {} s", options.seconds);
        run::check(&mut command(name, options.seconds, &manifest, through_cargo_fuzz))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// The `cargo` of rustup, which knows `+nightly`; the one that runs us is bound to its toolchain.
fn nightly() -> Command {
    let mut command = Command::new("cargo");
    command.arg("+nightly").current_dir(run::root()).env_remove("RUSTUP_TOOLCHAIN");
    run::without_our_package(&mut command);
    command
}

fn command(name: &str, seconds: u32, manifest: &Path, through_cargo_fuzz: bool) -> Command {
    let mut command = nightly();
    if through_cargo_fuzz {
        command.args(["fuzz", "run", name]);
    } else {
        // A target of its own keeps the flags away from build scripts.
        command
            .env("RUSTFLAGS", COVERAGE)
            .args(["run", "--release", "--target", "x86_64-unknown-linux-gnu", "--bin", name, "--manifest-path"])
            .arg(manifest);
    }
    command.arg("--");
    if !through_cargo_fuzz {
        // Where cargo-fuzz keeps them.
        let beside = |folder: &str| manifest.with_file_name(folder).join(name);
        if beside("corpus").is_dir() {
            command.arg(beside("corpus"));
        }
        command.arg(format!("-artifact_prefix={}/", beside("artifacts").display()));
    }
    command.arg(format!("-max_total_time={seconds}"));
    command
}

fn binaries(metadata: &str) -> Result<Vec<String>> {
    let metadata: Value = serde_json::from_str(metadata).context("read what `cargo metadata` says of fuzz/")?;
    let targets = metadata["packages"].as_array().into_iter().flatten();
    Ok(targets
        .flat_map(|package| package["targets"].as_array().into_iter().flatten())
        .filter(|target| target["kind"][0] == "bin")
        .filter_map(|target| target["name"].as_str().map(str::to_owned))
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_are_the_binaries_of_the_fuzz_package() {
        let metadata = r#"{"packages":[{"targets":[{"kind":["lib"],"name":"x"},{"kind":["bin"],"name":"pfx"}]}]}"#;
        assert_eq!(binaries(metadata).unwrap(), ["pfx"]);
    }

    #[test]
    fn the_time_limit_reaches_libfuzzer_either_way() {
        for through in [true, false] {
            let line = run::line(&command("pfx", 5, Path::new("fuzz/Cargo.toml"), through));
            assert!(line.contains(" -- ") && line.ends_with(" -max_total_time=5"), "{line}");
            assert_eq!(line.contains("fuzz run pfx"), through, "{line}");
        }
    }
}
