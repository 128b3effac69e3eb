//! `e2e`: the whole guide against emulators in containers. `cargo xtask e2e` builds what it needs and runs it.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program speaks to the person who typed it")]

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use clap::{Parser, ValueEnum};
use e2e::flows::{Flow, Measure};
use e2e::harness::{Containers, Emulator, Endpoint, Scene, Start, docker_missing, sweep};
use e2e::matrix::{Matrix, Played, Row};
use futures_util::future::try_join_all;

/// The emulators cannot be started here; the product's number for "the sandbox could not be started".
const NOT_HERE: u8 = 7;

/// Run the whole guide against emulators in containers
#[derive(Parser)]
#[command(
    name = "e2e",
    after_help = "Exit codes:\n    0  all is as it should be\n    1  a flow failed, or the committed matrix is stale\n    \
                  2  the command line is wrong\n    7  Docker is missing"
)]
struct Cli {
    /// Run against this one only (may be repeated)
    #[arg(long, value_name = "EMULATOR")]
    emulator: Vec<Emulator>,
    /// Play this flow only (may be repeated)
    #[arg(long, value_name = "FLOW")]
    flow: Vec<Flow>,
    /// How many seeds of random faults
    #[arg(long, default_value_t = 3)]
    seeds: u64,
    /// How many kills
    #[arg(long, default_value_t = 6)]
    kills: u64,
    /// The first seed, to see one again
    #[arg(long, default_value_t = 1)]
    first_seed: u64,
    /// Let every call take this much longer, in milliseconds, as the way to AWS does
    #[arg(long, value_name = "MS", default_value_t = 0)]
    latency: u64,
    /// Before how many emulators of a kind flows play at once
    #[arg(long, default_value_t = 3)]
    stages: usize,
    /// Where something runs already, for `--emulator endpoint`: an URL of this machine, or `aws`
    #[arg(long, value_name = "URL", default_value = "")]
    endpoint: String,
    /// Another place for one service: `ecs=http://127.0.0.1:4566` (may be repeated)
    #[arg(long, value_name = "SERVICE=URL", value_parser = service)]
    endpoint_service: Vec<(String, String)>,
    /// Let `--endpoint aws` make things in a real account, which cost money
    #[arg(long)]
    i_will_pay: bool,
    /// Print the matrix in this form
    #[arg(long, value_enum, default_value_t = Form::Text)]
    format: Form,
    /// Write the matrix, as Markdown, into this file; only for a whole run
    #[arg(long, value_name = "FILE", conflicts_with_all = ["check", "emulator", "flow"])]
    write: Option<PathBuf>,
    /// Fail when this file does not say what this run found
    #[arg(long, value_name = "FILE")]
    check: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Form {
    Text,
    Json,
    Markdown,
}

fn service(text: &str) -> Result<(String, String), String> {
    let (name, url) = text.split_once('=').ok_or("expected SERVICE=URL")?;
    Ok((name.to_owned(), url.to_owned()))
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(Cli::parse()).await {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(cli: Cli) -> Result<ExitCode> {
    let emulators = if cli.emulator.is_empty() { Emulator::ALL.to_vec() } else { cli.emulator.clone() };
    let flows = if cli.flow.is_empty() { Flow::value_variants().to_vec() } else { cli.flow.clone() };
    if let Some(why) = docker_missing() {
        eprintln!("error: {why}");
        return Ok(ExitCode::from(NOT_HERE));
    }
    let swept = sweep()?;
    if swept > 0 {
        eprintln!("e2e: swept {swept} things that a run which is no more left behind");
    }
    let endpoint = Endpoint {
        url: cli.endpoint.clone(),
        services: cli.endpoint_service.iter().cloned().collect::<BTreeMap<_, _>>(),
        i_will_pay: cli.i_will_pay,
    };
    let latency = Duration::from_millis(cli.latency);
    let measure = Measure { seeds: cli.seeds, kills: cli.kills, first_seed: cli.first_seed, latency };
    let mut matrix = Matrix::default();
    for emulator in emulators {
        matrix.rows.push(against(emulator, &endpoint, &flows, measure, cli.stages).await?);
    }
    match cli.format {
        Form::Text => print!("\n{}", matrix.text()),
        Form::Json => println!("{}", matrix.json()),
        Form::Markdown => print!("{}", matrix.markdown()),
    }
    if let Some(path) = &cli.write {
        std::fs::write(path, matrix.markdown()).with_context(|| format!("write {}", path.display()))?;
    }
    if let Some(path) = &cli.check {
        let document = std::fs::read_to_string(path).with_context(|| format!("read {}", path.display()))?;
        let missing = matrix.missing_in(&document);
        let hint = "`cargo xtask e2e --write` writes it anew";
        ensure!(missing.is_empty(), "{} is stale, {hint}; it lacks:\n{}", path.display(), missing.join("\n"));
    }
    Ok(if matrix.failed() { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// Plays the flows before an emulator, on as many stages at once as there are, each with an emulator of its own.
async fn against(
    emulator: Emulator,
    endpoint: &Endpoint,
    flows: &[Flow],
    measure: Measure,
    stages: usize,
) -> Result<Row> {
    eprintln!("e2e: {emulator}: {}", emulator.carries());
    // The longest first, so that no stage is left with it at the end.
    let mut waiting = flows.to_vec();
    waiting.sort_by_key(|flow| flow.length());
    let waiting = Mutex::new(waiting);
    let stages = if emulator == Emulator::Endpoint { 1 } else { stages.clamp(1, flows.len()) };
    let rows = try_join_all((0..stages).map(|_| stage(emulator, endpoint, &waiting, measure))).await?;
    let mut row = Row { emulator: emulator.to_string(), ..Row::default() };
    for part in rows {
        row.note = row.note.or(part.note);
        row.add_steps(part.steps);
        row.flows.extend(part.flows);
    }
    if let Some(why) = row.note.as_ref().filter(|_| row.flows.is_empty()) {
        eprintln!("e2e: {emulator}: not run: {why}");
    }
    let place = |played: &Played| flows.iter().position(|flow| flow.to_string() == played.flow);
    row.flows.sort_by_key(place);
    Containers::nothing_left()?;
    Ok(row)
}

/// Plays what waits, one after the other.
async fn stage(emulator: Emulator, endpoint: &Endpoint, waiting: &Mutex<Vec<Flow>>, measure: Measure) -> Result<Row> {
    let mut row = Row::default();
    let mut containers = Containers::new()?;
    match emulator.start(&mut containers, endpoint).await? {
        Start::NotHere(why) => row.note = Some(why),
        Start::Running(running) => {
            row.note = running.only.map(|steps| format!("only {steps}"));
            let mut scene = Scene::set(running, e2e::binary(), &mut containers).await?;
            scene.proxy.set_latency(measure.latency);
            let next = || waiting.lock().unwrap_or_else(PoisonError::into_inner).pop();
            while let Some(flow) = next() {
                if !flow.is_carried_by(&scene.running) {
                    eprintln!("e2e: {emulator}: {flow} is not carried");
                    continue;
                }
                let start = Instant::now();
                let told = flow.play(&mut scene, measure).await;
                let seconds = start.elapsed().as_secs();
                let (said, passed) = match told {
                    Ok(told) => {
                        row.add_steps(told.steps);
                        (told.did, true)
                    }
                    Err(error) => (format!("{error:#}"), false),
                };
                let word = if passed { "passed" } else { "FAILED" };
                eprintln!("e2e: {emulator}: {flow} {word} in {seconds} s: {said}");
                row.flows.push(Played { flow: flow.to_string(), said, passed, seconds });
            }
            scene.leave().await.context("leave the account as it was")?;
        }
    }
    containers.end().await?;
    Ok(row)
}
