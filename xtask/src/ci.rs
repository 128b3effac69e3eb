//! What CI runs, in order of how soon it can fail.
//!
//! Every step that compiles takes the same packages and features ([`EVERYTHING`]), because a differing set would compile
//! the AWS SDK again; `once` looks whether that held.

mod once;
mod plan;

use std::path::PathBuf;
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use clap::ValueEnum;

use crate::{e2e, fuzz, images, product, run, schemas, tidy};

/// The packages and features of every compiling step.
const EVERYTHING: [&str; 2] = ["--workspace", "--all-features"];

/// How long one command against the emulator may take before something is wrong.
const SANDBOX_DEADLINE: Duration = Duration::from_secs(600);

#[derive(clap::Args)]
pub(crate) struct Options {
    /// Run these steps only (may be repeated)
    #[arg(long, value_name = "STEP", conflicts_with = "skip")]
    only: Vec<Step>,
    /// Leave these steps out (may be repeated)
    #[arg(long, value_name = "STEP")]
    skip: Vec<Step>,
    /// List the steps and end
    #[arg(long)]
    list: bool,
    /// Go on after a failed step
    #[arg(long)]
    keep_going: bool,
}

/// The steps, in the order in which they run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Step {
    /// The code is formatted
    Fmt,
    /// The promises that a compiler cannot check
    Tidy,
    /// No lint, no warning
    Clippy,
    /// Everything compiles
    Build,
    /// The tests
    Nextest,
    /// The examples in the docs
    Doctests,
    /// The docs build without a warning
    Doc,
    /// Bans, licences and sources of dependencies; advisories where they can be reached
    Deny,
    /// The committed schemas are what the product says
    Schemas,
    /// The AWS SDK was compiled once
    Once,
    /// Deploy, plan and destroy against the emulator
    Sandbox,
    /// The whole guide against emulators in containers
    E2e,
    /// Half a minute of fuzzing for each target
    Fuzz,
}

impl Step {
    fn name(self) -> String {
        self.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
    }

    fn about(self) -> String {
        self.to_possible_value().and_then(|value| value.get_help().map(ToString::to_string)).unwrap_or_default()
    }

    /// Whether someone outside this repository confirms something here.
    fn has_a_witness(self) -> bool {
        matches!(self, Self::Nextest | Self::Sandbox | Self::E2e | Self::Fuzz)
    }
}

/// How a step ended.
#[derive(Debug, PartialEq, Eq)]
enum Ended {
    Passed,
    Failed,
    NotRun,
}

struct Line {
    step: Step,
    ended: Ended,
    took: Duration,
}

/// What the steps share.
struct Ci {
    /// Cargo.lock may not change on the way.
    locked: bool,
    /// The target directory held nothing of the AWS SDK when we came.
    fresh: bool,
    /// What is missing is a failure.
    strict: bool,
}

pub(crate) fn run(options: &Options) -> Result<ExitCode> {
    if options.list {
        for step in Step::value_variants() {
            println!("{:<9} {}", step.name(), step.about());
        }
        return Ok(ExitCode::SUCCESS);
    }
    let strict = std::env::var("REQUIRE_WITNESSES").is_ok_and(|value| value == "all");
    let chosen = choose(&options.only, &options.skip, strict)?;
    let ci = Ci {
        locked: std::env::var_os("CI").is_some_and(|value| !value.is_empty()),
        fresh: once::is_fresh(&run::target_dir()?)?,
        strict,
    };

    let mut lines = Vec::new();
    let mut go_on = true;
    for &step in Step::value_variants() {
        let (mut ended, mut took) = (Ended::NotRun, Duration::ZERO);
        if go_on && chosen.contains(&step) {
            println!("\n== {}: {}", step.name(), step.about());
            let start = Instant::now();
            ended = match ci.step(step) {
                Ok(()) => Ended::Passed,
                Err(error) => {
                    println!("error: {error:#}");
                    Ended::Failed
                }
            };
            took = start.elapsed();
            println!("== {}: {} in {}", step.name(), word(&ended), seconds(took));
            go_on = options.keep_going || ended == Ended::Passed;
        }
        lines.push(Line { step, ended, took });
    }
    println!("\n{}", table(&lines));
    if let Some(summary) =
        lines.iter().any(|line| line.step == Step::Nextest && line.ended != Ended::NotRun).then(tests_line).flatten()
    {
        println!("{summary}");
    }
    let failed = lines.iter().any(|line| line.ended == Ended::Failed);
    Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// The steps to run.
fn choose(only: &[Step], skip: &[Step], strict: bool) -> Result<Vec<Step>> {
    if strict && let Some(step) = skip.iter().find(|step| step.has_a_witness()) {
        bail!("REQUIRE_WITNESSES=all does not go with `--skip {}`: that step asks an outside witness", step.name());
    }
    Ok(Step::value_variants()
        .iter()
        .copied()
        .filter(|step| (only.is_empty() || only.contains(step)) && !skip.contains(step))
        .collect())
}

impl Ci {
    fn step(&self, step: Step) -> Result<()> {
        match step {
            Step::Fmt => run::check(run::cargo().args(["fmt", "--all", "--check"]))
                .context("the code is not formatted; `cargo fmt --all` does it"),
            Step::Tidy => passed(tidy::run()?, "a promise is broken"),
            Step::Clippy => shown(self.cargo("clippy", &["--all-targets"]).args(["--", "-D", "warnings"])),
            Step::Build => shown(&mut self.cargo("build", &["--all-targets"])),
            Step::Nextest => self.nextest(),
            Step::Doctests => shown(&mut self.cargo("test", &["--doc"])),
            Step::Doc => shown(self.cargo("doc", &["--no-deps"]).env("RUSTDOCFLAGS", "-D warnings")),
            Step::Deny => deny(),
            Step::Schemas => passed(
                schemas::run(&schemas::Options { check: true })?,
                "a committed schema is stale; `cargo xtask schemas` writes it",
            ),
            Step::Once => once::check(self.fresh),
            Step::Sandbox => sandbox(),
            Step::E2e => self.e2e(),
            Step::Fuzz => self.fuzz(),
        }
    }

    /// A cargo command over everything.
    fn cargo(&self, command: &str, args: &[&str]) -> Command {
        let mut cargo = run::cargo();
        cargo.arg(command).args(EVERYTHING).args(args);
        if self.locked {
            cargo.arg("--locked");
        }
        cargo
    }

    fn e2e(&self) -> Result<()> {
        if let Some(why) = images::missing()
            && !self.strict
        {
            println!("e2e: skipped, because {why}");
            return Ok(());
        }
        passed(e2e::run(&e2e::Options::in_ci())?, "a flow failed, or docs/e2e-matrix.md is stale")
    }

    fn fuzz(&self) -> Result<()> {
        if let Some(why) = fuzz::missing()
            && !self.strict
        {
            println!("fuzz: skipped, because {why}");
            return Ok(());
        }
        passed(fuzz::run(&fuzz::Options { seconds: 30, target: None, jobs: 2 })?, "a target failed")
    }

    fn nextest(&self) -> Result<()> {
        require("nextest")?;
        // A report of an earlier run must not be counted for this one.
        match std::fs::remove_file(report()) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(error).context("remove the old report");
            }
            _ => {}
        }
        let mut cargo = run::cargo();
        cargo.args(["nextest", "run", "--profile", "ci"]).args(EVERYTHING);
        if self.locked {
            cargo.arg("--locked");
        }
        shown(&mut cargo)
    }
}

fn shown(command: &mut Command) -> Result<()> {
    println!("$ {}", run::line(command));
    run::check(command)
}

fn passed(code: ExitCode, otherwise: &str) -> Result<()> {
    ensure!(code == ExitCode::SUCCESS, "{otherwise}");
    Ok(())
}

fn require(tool: &str) -> Result<()> {
    ensure!(
        run::has_cargo_command(tool),
        "cargo-{tool} is missing; install it with: cargo install --locked cargo-{tool}"
    );
    Ok(())
}

fn deny() -> Result<()> {
    require("deny")?;
    shown(
        run::cargo()
            .args(["deny", "--workspace", "--all-features", "check", "--hide-inclusion-graph"])
            .args(["bans", "licenses", "sources"]),
    )?;
    let mut command = run::cargo();
    command.args(["deny", "--workspace", "--all-features", "check", "advisories"]);
    println!("$ {}", run::line(&command));
    let output = run::quietly(&mut command)?;
    let said = String::from_utf8_lossy(&output.stderr);
    if let Some(reason) = unreachable_advisories(&said) {
        println!("advisories: skipped, because {reason}");
        return Ok(());
    }
    println!("{said}");
    ensure!(output.status.success(), "an advisory concerns a dependency");
    Ok(())
}

/// Why the advisories could not be fetched, if that is what cargo-deny says.
fn unreachable_advisories(said: &str) -> Option<String> {
    let told = said.lines().any(|line| line.contains("failed to fetch advisory database"));
    told.then(|| {
        let cause = said.lines().find_map(|line| line.trim().strip_prefix("fatal: "));
        format!("their database cannot be fetched ({})", cause.unwrap_or("no cause given"))
    })
}

fn sandbox() -> Result<()> {
    let binary = product::build()?;
    let command = |words: &str| {
        let mut command = product::command(&binary);
        command.args(words.split(' ')).current_dir(run::root()).stdin(Stdio::null());
        command
    };
    let within_deadline = |mut command: Command| {
        let line = run::line(&command);
        println!("$ {line}");
        let start = Instant::now();
        let child = command.spawn().with_context(|| format!("start `{line}`"))?;
        let status = run::wait_until(child, SANDBOX_DEADLINE, &line)?;
        ensure!(status.success(), "`{line}` ended with {}", run::describe(status));
        println!("{line}: exit code 0 in {}", seconds(start.elapsed()));
        Ok(())
    };

    let deployed = within_deadline(command("deploy --sandbox --keep --yes")).and_then(|()| {
        let mut plan = command("plan --sandbox --format json");
        println!("$ {}", run::line(&plan));
        let kept = plan::only_keep(&run::stdout_of(&mut plan)?)?;
        println!("plan: {kept} nodes, every one keep");
        Ok(())
    });
    // Whatever happened, the emulator must not stay behind.
    let destroyed = within_deadline(command("destroy --sandbox --yes"));
    deployed.and(destroyed)
}

fn word(ended: &Ended) -> &'static str {
    match ended {
        Ended::Passed => "passed",
        Ended::Failed => "FAILED",
        Ended::NotRun => "not run",
    }
}

fn seconds(took: Duration) -> String {
    format!("{:.1} s", took.as_secs_f64())
}

fn table(lines: &[Line]) -> String {
    let mut text = String::new();
    for Line { step, ended, took } in lines {
        let took = if *ended == Ended::NotRun { String::new() } else { seconds(*took) };
        text += format!("{:<9} {:<8} {took:>9}", step.name(), word(ended)).trim_end();
        text.push('\n');
    }
    let total: Duration = lines.iter().map(|line| line.took).sum();
    text + format!("{:<9} {:<8} {:>9}", "in all", "", seconds(total)).as_str()
}

/// nextest's own count, once more at the very end, where a reader of the whole log looks first.
fn tests_line() -> Option<String> {
    let (passed, failed) = counts(&std::fs::read_to_string(report()).ok()?)?;
    Some(format!("tests: {passed} passed, {failed} failed"))
}

/// Where nextest leaves its report: beside the sources, wherever the target directory is.
fn report() -> PathBuf {
    run::root().join("target/nextest/ci/junit.xml")
}

/// Passed and failed tests of a JUnit report.
fn counts(report: &str) -> Option<(u64, u64)> {
    let suites = report.lines().find(|line| line.trim_start().starts_with("<testsuites "))?;
    let number =
        |name: &str| -> Option<u64> { suites.split_once(&format!(" {name}=\""))?.1.split_once('"')?.0.parse().ok() };
    let failed = number("failures")? + number("errors")?;
    Some((number("tests")?.checked_sub(failed)?, failed))
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        options: Options,
    }

    fn parse(line: &str) -> Result<Options, clap::Error> {
        Line::try_parse_from(std::iter::once("ci").chain(line.split_whitespace())).map(|line| line.options)
    }

    fn chosen(line: &str) -> Vec<Step> {
        let options = parse(line).unwrap();
        choose(&options.only, &options.skip, false).unwrap()
    }

    #[test]
    fn without_options_every_step_runs_in_order() {
        let names: Vec<_> = chosen("").into_iter().map(Step::name).collect();
        let expected = "fmt tidy clippy build nextest doctests doc deny schemas once sandbox e2e fuzz";
        assert_eq!(names.join(" "), expected);
    }

    #[test]
    fn only_keeps_the_order_of_ci() {
        assert_eq!(chosen("--only tidy --only fmt"), [Step::Fmt, Step::Tidy]);
    }

    #[test]
    fn skip_takes_steps_away() {
        let steps = chosen("--skip sandbox --skip clippy");
        assert_eq!(steps.len(), Step::value_variants().len() - 2);
        assert!(!steps.contains(&Step::Sandbox) && !steps.contains(&Step::Clippy));
    }

    #[test]
    fn an_unknown_step_is_refused_with_the_known_ones() {
        let Err(error) = parse("--only formatting") else { panic!("accepted") };
        assert!(error.to_string().contains("fmt, tidy, clippy"), "{error}");
    }

    #[test]
    fn only_and_skip_do_not_go_together() {
        assert!(parse("--only fmt --skip tidy").is_err());
    }

    #[test]
    fn a_required_witness_cannot_be_skipped() {
        let error = choose(&[], &[Step::Sandbox], true).unwrap_err();
        assert!(error.to_string().contains("--skip sandbox"), "{error}");
        assert!(choose(&[], &[Step::Doc], true).is_ok());
        assert!(choose(&[], &[Step::Sandbox], false).is_ok());
    }

    #[test]
    fn advisories_are_skipped_only_when_they_cannot_be_fetched() {
        let offline = "[ERROR] failed to fetch advisory database somewhere with cli: failed to clone\n\
                       fatal: unable to access it: Could not resolve host\n";
        assert_eq!(
            unreachable_advisories(offline).as_deref(),
            Some("their database cannot be fetched (unable to access it: Could not resolve host)")
        );
        assert_eq!(unreachable_advisories("error[vulnerability]: something is wrong"), None);
    }

    #[test]
    fn tests_are_counted_from_the_report() {
        let report =
            "<?xml version=\"1.0\"?>\n<testsuites name=\"ci\" tests=\"12\" failures=\"2\" errors=\"1\" uuid=\"u\">\n";
        assert_eq!(counts(report), Some((9, 3)));
        assert_eq!(counts("<html>"), None);
    }

    #[test]
    fn the_table_shows_outcome_and_time() {
        let line = |step, ended, took| super::Line { step, ended, took: Duration::from_millis(took) };
        let shown = table(&[
            line(Step::Fmt, Ended::Passed, 1200),
            line(Step::Tidy, Ended::Failed, 340),
            line(Step::Clippy, Ended::NotRun, 0),
        ]);
        let expected = "\
fmt       passed       1.2 s
tidy      FAILED       0.3 s
clippy    not run
in all                 1.5 s";
        assert_eq!(shown, expected);
    }
}
