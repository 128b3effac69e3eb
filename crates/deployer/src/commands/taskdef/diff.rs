//! `taskdef diff`: what a new revision would change.

use std::path::{Path, PathBuf};

use clap::Args;

use super::deployed::{Deployed, Failed};
use super::end;
use super::read::read;
use crate::catalogue::Lang;
use crate::cli::Format;
use crate::exit_codes::ExitCode;
use crate::host::Host;
use crate::refusal::Refusal;

#[derive(Args)]
#[command(allow_missing_positional = true)]
pub(crate) struct Options {
    /// The definition as it is; `-` reads standard input. Not with --deployed or --config, which say where it is.
    #[arg(
        required_unless_present = "deployed_family",
        conflicts_with_all = ["deployed_family", "region", "profile", "patience"]
    )]
    old: Option<PathBuf>,
    /// The definition as it is to be; `-` reads standard input.
    #[arg(required = true)]
    new: PathBuf,
    #[command(flatten)]
    deployed: Deployed,
    /// Print lines for people, or JSON for programs.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

pub(super) async fn run(host: &Host, lang: Lang, options: &Options) -> ExitCode {
    match compare(host, options).await {
        Err(failed) => end(host, lang, options.format, failed),
        Ok(diff) => {
            match options.format {
                Format::Text => host.out(&diff.to_string()),
                Format::Json => {
                    let document = serde_json::json!({ "schema": 1, "differences": diff.differences });
                    host.out(&format!("{document:#}\n"));
                }
            }
            if diff.is_empty() { ExitCode::Done } else { ExitCode::Differs }
        }
    }
}

async fn compare(host: &Host, options: &Options) -> Result<taskdef::Diff, Failed> {
    let stdin = Path::new("-");
    if options.new == stdin && options.old.as_deref() == Some(stdin) {
        let refusal = Refusal::new("taskdef-unreadable", "A8", "read both task definitions from standard input");
        return Err(refusal.exit(ExitCode::Usage).hint("name a file for at least one of them").into());
    }
    // Files first: nobody is asked for the sake of one that cannot be read.
    let old = options.old.as_deref().map(read).transpose()?;
    let new = read(&options.new)?;
    let old = match old {
        Some(old) => old,
        None => options.deployed.read(host).await?,
    };
    Ok(taskdef::diff(&old.document.definition, &new.document.definition))
}
