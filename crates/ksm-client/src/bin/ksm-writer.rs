//! `ksm-writer`: writes pieces of vault records into files, at the start of a task. See `ksm_client::writer`.

use std::error::Error as _;
use std::io::{self, Write};
use std::process::ExitCode;

use ksm_client::CLIENT_VERSION;
use ksm_client::writer::{Job, WriterError, exit_codes};

fn main() -> ExitCode {
    let mut arguments = std::env::args_os().skip(1);
    match (arguments.next().as_deref().and_then(|word| word.to_str()), arguments.next()) {
        (None, None) if std::env::args_os().len() == 1 => {}
        (Some("--help" | "-h"), None) => return say(io::stdout(), &help(), exit_codes::DONE),
        (Some("--version" | "-V"), None) => {
            return say(io::stdout(), concat!("ksm-writer ", env!("CARGO_PKG_VERSION")), exit_codes::DONE);
        }
        _ => {
            return say(
                io::stderr(),
                "ksm-writer takes no arguments; its variables: ksm-writer --help",
                exit_codes::USAGE,
            );
        }
    }
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            return say(io::stderr(), &format!("ksm-writer: failed to start: {error}"), exit_codes::UNAVAILABLE);
        }
    };
    let variable = |name: &str| std::env::var(name).ok();
    let run = async {
        let (client, job) = Job::from_variables(variable)?;
        job.run(&client).await
    };
    match runtime.block_on(run) {
        Ok(report) => {
            let lines: Vec<String> = report.files.iter().map(|path| format!("wrote {}", path.display())).collect();
            say(io::stderr(), &lines.join("\n"), exit_codes::DONE)
        }
        Err(error) => say(io::stderr(), &told(&error), error.exit_code()),
    }
}

fn told(error: &WriterError) -> String {
    let mut text = format!("ksm-writer: failed to {error}");
    let mut cause = error.source();
    while let Some(source) = cause {
        text.push_str(": ");
        text.push_str(&source.to_string());
        cause = source.source();
    }
    if !error.hint().is_empty() {
        text.push_str("\nhint: ");
        text.push_str(error.hint());
    }
    text
}

fn say(mut to: impl Write, text: &str, code: u8) -> ExitCode {
    // Nobody may be listening, which changes nothing.
    let _ = writeln!(to, "{text}");
    ExitCode::from(code)
}

fn help() -> String {
    format!(
        "\
Write pieces of Keeper records into files

Usage: ksm-writer        (everything comes from the environment)

  KSM_CONFIG          device configuration: base64, JSON, Kubernetes Secret, INI
  KSM_CONFIG_FILE     a file with it instead
  SECRETS             one entry per line:  NOTATION > file:PATH   or   NOTATION > NAME
  SECRETS_FILE        file for the entries with a NAME
  SECRETS_FILE_TYPE   json (default), export, setenv, set
  CLEANUP_FILE        shell script that removes every written file
  FILE_MODE           octal, default 0600
  DIRECTORY_MODE      octal, default 0700, for directories that are made
  KSM_HOSTNAME        another host, with port where needed
  KSM_CA_FILE         PEM of a private authority
  KSM_DEADLINE        seconds for everything, default 120
  KSM_CLIENT_VERSION  announced version, default {CLIENT_VERSION}
  HTTPS_PROXY, NO_PROXY, SSL_CERT_FILE as usual

Everything is resolved before anything is written; files are replaced in one step.

This program announces itself to Keeper as {CLIENT_VERSION}, which is the registered version of the
vendor's Rust SDK: the service refuses versions it does not know. It is not the vendor's program.

Exit codes:
  0  everything is written
  2  a variable is missing or wrong
  3  the service refused the device
  4  the service could not be reached in time; a restart may help
  5  a record, file or field is missing, ambiguous, or does not open
  6  files could not be written"
    )
}
