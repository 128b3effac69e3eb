//! The command line.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::catalogue::{Lang, StepId};
use crate::commands;
use crate::exit_codes::ExitCode;
use crate::host::Host;
use crate::refusal::Refusal;

/// Run Keeper Automator on AWS without the pain
#[derive(Parser)]
#[command(name = "keeper-automator", version, after_help = after_help())]
struct Cli {
    #[command(subcommand)]
    command: Command,
    /// Speak this language: en or ja. Without it the locale decides.
    #[arg(long, global = true)]
    lang: Option<Lang>,
}

fn after_help() -> String {
    let lines = ExitCode::ALL.map(|code| format!("  {:>3}  {}", code.code(), code.meaning()));
    format!("Exit codes:\n{}", lines.join("\n"))
}

#[derive(Subcommand)]
enum Command {
    /// Show what would change, step by step, with reasons
    Plan(PlanOptions),
    /// Plan, confirm and apply
    Deploy(DeployOptions),
    /// Undo everything that is ours
    Destroy(DestroyOptions),
    /// Remove the lock of a run that is no more
    Unlock(Where),
    /// Have certificates issued, look at them, and bring them into other forms
    #[command(subcommand)]
    Cert(commands::cert::Command),
    /// Work with the task definition
    #[command(subcommand)]
    Taskdef(commands::taskdef::Command),
    /// Work in Keeper: attachments and devices, sign-in, nodes, Automators
    #[command(subcommand, after_help = commands::keeper::announced())]
    Keeper(Box<commands::keeper::Command>),
    /// Print the JSON schema of a document
    Schema {
        /// Which document.
        document: commands::schema::Document,
    },
}

/// Which deployment.
#[derive(Args, Clone, Debug)]
pub(crate) struct Where {
    /// Read this config file.
    #[arg(long, default_value = "automator.toml")]
    pub(crate) config: PathBuf,
    /// Use a pretend world instead of an account: needs no account, no configuration and no Docker.
    #[arg(long, conflicts_with = "config")]
    pub(crate) sandbox: bool,
    /// Sign in with this AWS profile.
    #[arg(long, conflicts_with = "sandbox")]
    pub(crate) profile: Option<String>,
    /// End after this many minutes at the latest.
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..=1440))]
    pub(crate) minutes: u64,
    /// Wait this many seconds for one answer of AWS.
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..=600))]
    pub(crate) patience: u64,
    /// Print text for people, or JSON for programs.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
}

impl Where {
    pub(crate) fn budget(&self) -> Duration {
        Duration::from_secs(self.minutes * 60)
    }
}

/// How a command prints.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    Text,
    Json,
}

/// Which part of the guide a run takes; without either, the whole.
#[derive(Args)]
pub(crate) struct Part {
    /// Stop after this step of the guide: A6, say.
    #[arg(long, value_name = "STEP")]
    pub(crate) until: Option<StepId>,
    /// Take these steps alone, and what they need: A2,A9, say.
    #[arg(long, value_name = "STEP", value_delimiter = ',', conflicts_with = "until")]
    pub(crate) only: Vec<StepId>,
}

#[derive(Args)]
pub(crate) struct PlanOptions {
    #[command(flatten)]
    pub(crate) place: Where,
    #[command(flatten)]
    pub(crate) part: Part,
    /// End with exit code 10 when there are changes.
    #[arg(long)]
    pub(crate) exit_code: bool,
}

#[derive(Args)]
pub(crate) struct DeployOptions {
    #[command(flatten)]
    pub(crate) place: Where,
    #[command(flatten)]
    pub(crate) part: Part,
    /// Do not ask.
    #[arg(long)]
    pub(crate) yes: bool,
    /// Say that you did or tested this step (A15 or A16); remembered as a tag of the service.
    #[arg(long, value_name = "STEP", value_parser = confirmable)]
    pub(crate) confirm: Vec<StepId>,
    /// Say that you tested A16; the same as `--confirm A16`.
    #[arg(long)]
    pub(crate) acknowledge_a16: bool,
    /// Leave the sandbox and what was deployed into it.
    #[arg(long, requires = "sandbox")]
    pub(crate) keep: bool,
}

#[derive(Args)]
pub(crate) struct DestroyOptions {
    #[command(flatten)]
    pub(crate) place: Where,
    /// Do not ask.
    #[arg(long)]
    pub(crate) yes: bool,
    /// Undo the Keeper half too: Automator, device, application, record and folder. Without it the vault is left alone.
    #[arg(long)]
    pub(crate) keeper: bool,
}

/// The steps of which a person can say that they are done.
fn confirmable(text: &str) -> Result<StepId, String> {
    match text.parse() {
        Ok(step @ (StepId::A15 | StepId::A16)) => Ok(step),
        Ok(_) => Err("only A15 and A16 are confirmed by a person".to_owned()),
        Err(error) => Err(format!("{error}")),
    }
}

/// Runs one command line, the program's name first.
pub async fn run(args: impl IntoIterator<Item = OsString>, host: Host) -> ExitCode {
    let (host, lost) = host.watched();
    let (code, lang) = obey(args, &host).await;
    match lost.cause() {
        // A failure has been told already, and has a code of its own.
        Some(cause) if code.is_answer() => {
            let refusal = Refusal::new("output-not-written", "", "write all of the answer to standard output");
            commands::refuse(&host, lang, Format::Text, &refusal.because(cause).exit(ExitCode::StepFailed))
        }
        _ => code,
    }
}

async fn obey(args: impl IntoIterator<Item = OsString>, host: &Host) -> (ExitCode, Lang) {
    let locale = |name: &str| host.env.get(name).map(String::as_str);
    let speak = |wish| Lang::choose(wish, locale("LC_ALL"), locale("LC_MESSAGES"), locale("LANG"));
    let cli = match Cli::try_parse_from(args) {
        Ok(cli) => cli,
        Err(error) => {
            let text = error.render();
            let text = if host.terminal { text.ansi().to_string() } else { text.to_string() };
            // Help that was asked for is data.
            let code = if error.use_stderr() {
                host.talk(&text);
                ExitCode::Usage
            } else {
                host.out(&text);
                ExitCode::Done
            };
            return (code, speak(None));
        }
    };
    let lang = speak(cli.lang);
    logs(host);
    let code = match cli.command {
        Command::Plan(options) => commands::plan::run(host, lang, options).await,
        Command::Deploy(options) => commands::deploy::run(host, lang, options).await,
        Command::Destroy(options) => commands::destroy::run(host, lang, options).await,
        Command::Unlock(place) => commands::unlock::run(host, lang, place).await,
        Command::Cert(command) => commands::cert::run(host, lang, command).await,
        Command::Taskdef(command) => commands::taskdef::run(host, lang, command).await,
        Command::Keeper(command) => commands::keeper::run(host, lang, *command).await,
        Command::Schema { document } => commands::schema::run(host, document),
    };
    (code, lang)
}

/// Logs for those who look for a fault in us: `KEEPER_AUTOMATOR_LOG=trace`, on standard error. The SDK never logs bodies that
/// it marks as sensitive, but it does log others; so only our own crates and the outcome of calls are let through.
fn logs(host: &Host) {
    let Some(wish) = host.env.get("KEEPER_AUTOMATOR_LOG") else { return };
    let level = wish.parse::<tracing_subscriber::filter::LevelFilter>();
    let level = level.unwrap_or(tracing_subscriber::filter::LevelFilter::INFO);
    let ours = [
        "deployer",
        "aws_infra",
        "resource_graph",
        "certs",
        "taskdef",
        "sandbox",
        "keeper_infra",
        "automator_admin",
        "ksm_client",
    ];
    let filter = ours.iter().fold(tracing_subscriber::EnvFilter::new("off"), |filter, name| {
        filter.add_directive(format!("{name}={level}").parse().expect("a level after a crate's name is a directive"))
    });
    // A second run in one process finds the logs set up already.
    let _ = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).try_init();
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    /// clap looks at a subcommand only when it is called.
    #[test]
    fn every_command_line_is_well_formed() {
        super::Cli::command().debug_assert();
    }
}
