//! Fuzzing on the nightly toolchain: libFuzzer, built and run without cargo-fuzz.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::sync::Mutex;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::run;

#[derive(clap::Args)]
pub(crate) struct Options {
    /// How long each target runs
    #[arg(long, default_value_t = 60, value_name = "N")]
    pub(crate) seconds: u32,
    /// Only this target
    #[arg(long, value_name = "NAME")]
    pub(crate) target: Option<String>,
    /// How many targets run at once
    #[arg(long, default_value_t = 1, value_name = "N")]
    pub(crate) jobs: usize,
}

/// Where the targets are compiled for: a target of its own keeps the flags away from build scripts.
const TRIPLE: &str = "x86_64-unknown-linux-gnu";

/// What libFuzzer needs to see the edges of the program, and the sanitizer that notices bad memory accesses.
const COVERAGE: &str = "--cfg fuzzing -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table -Zsanitizer=address";

/// What a target is given beyond its time before it counts as stuck.
const GRACE: Duration = Duration::from_secs(120);

/// Why there can be no fuzzing here, if so.
pub(crate) fn missing() -> Option<&'static str> {
    let there = run::quietly(nightly().arg("--version")).is_ok_and(|output| output.status.success());
    (!there).then_some("there is no nightly toolchain; install it with: rustup toolchain install nightly")
}

pub(crate) fn run(options: &Options) -> Result<ExitCode> {
    let manifest = run::root().join("fuzz/Cargo.toml");
    if let Some(why) = missing() {
        anyhow::bail!("{why}");
    }
    let metadata = run::stdout_of(
        nightly().args(["metadata", "--no-deps", "--format-version", "1", "--manifest-path"]).arg(&manifest),
    )?;
    let targets = binaries(&metadata)?;
    let wanted: Vec<&String> =
        targets.iter().filter(|name| options.target.as_ref().is_none_or(|wanted| wanted == *name)).collect();
    ensure!(!wanted.is_empty(), "no such target; there are: {}", targets.join(", "));

    let mut build = nightly();
    build.env("RUSTFLAGS", COVERAGE).args(["build", "--locked", "--release", "--target", TRIPLE, "--manifest-path"]);
    build.arg(&manifest).arg("--target-dir").arg(run::target_dir()?);
    match &options.target {
        Some(name) => build.args(["--bin", name]),
        None => build.arg("--bins"),
    };
    println!("$ {}", run::line(&build));
    run::check(&mut build)?;

    let queue = Mutex::new(wanted.into_iter());
    let next = || queue.lock().unwrap_or_else(std::sync::PoisonError::into_inner).next();
    let worker = || -> Result<()> {
        while let Some(name) = next() {
            one(name, options.seconds, &manifest)?;
        }
        Ok(())
    };
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..options.jobs.max(1)).map(|_| scope.spawn(worker)).collect();
        let ended = workers.into_iter().map(|worker| worker.join().expect("a worker does not panic"));
        ended.collect::<Result<Vec<()>>>()
    })?;
    Ok(ExitCode::SUCCESS)
}

/// Runs one target; what it finds is left in `fuzz/artifacts`.
fn one(name: &str, seconds: u32, manifest: &Path) -> Result<()> {
    let kept = run::target_dir()?.join("fuzz").join(name);
    let artifacts = manifest.with_file_name("artifacts").join(name);
    for folder in [&kept, &artifacts] {
        std::fs::create_dir_all(folder).with_context(|| format!("create {}", folder.display()))?;
    }
    let binary = run::target_dir()?.join(TRIPLE).join("release").join(name);
    let mut command = command(&binary, name, seconds, manifest, &kept);
    let line = run::line(&command);
    let log = kept.with_extension("log");
    let file = std::fs::File::create(&log).with_context(|| format!("create {}", log.display()))?;
    let child = command.stderr(file.try_clone()?).stdout(file).spawn().with_context(|| format!("start `{line}`"))?;
    let status = run::wait_until(child, Duration::from_secs(seconds.into()) + GRACE, &line)?;
    let said = std::fs::read_to_string(&log).unwrap_or_default();
    ensure!(status.success(), "`{line}` ended with {}:\n{said}", run::describe(status));
    println!("fuzz {name}: {}", done(&said).unwrap_or("ended without saying how many runs it made"));
    Ok(())
}

/// libFuzzer's last word: `Done 123 runs in 31 second(s)`.
fn done(said: &str) -> Option<&str> {
    said.lines().rev().find(|line| line.starts_with("Done "))
}

/// The `cargo` of rustup, which knows `+nightly`; the one that runs us is bound to its toolchain.
fn nightly() -> Command {
    let mut command = Command::new("cargo");
    command.arg("+nightly").current_dir(run::root()).env_remove("RUSTUP_TOOLCHAIN");
    run::without_our_package(&mut command);
    command
}

/// New inputs go to `kept`; the committed corpus is only read.
fn command(binary: &Path, name: &str, seconds: u32, manifest: &Path, kept: &Path) -> Command {
    let beside = |folder: &str| -> PathBuf { manifest.with_file_name(folder).join(name) };
    let mut command = Command::new(binary);
    command.arg(kept);
    if beside("corpus").is_dir() {
        command.arg(beside("corpus"));
    }
    command.arg(format!("-artifact_prefix={}/", beside("artifacts").display()));
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
    fn the_committed_corpus_is_only_read() {
        let line =
            run::line(&command(Path::new("x/pfx"), "pfx", 5, &run::root().join("fuzz/Cargo.toml"), Path::new("kept")));
        let (kept, committed) = (line.find(" kept ").unwrap(), line.find("fuzz/corpus/pfx").unwrap());
        assert!(kept < committed, "libFuzzer writes to the first folder: {line}");
        assert!(line.ends_with(" -max_total_time=5"), "{line}");
    }

    #[test]
    fn what_was_done_is_the_last_word() {
        assert_eq!(done("#2 INITED\nDone 12 runs in 5 second(s)\n"), Some("Done 12 runs in 5 second(s)"));
        assert_eq!(done("crash"), None);
    }
}
