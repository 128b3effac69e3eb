//! `taskdef diff`: what a new revision would change.

use std::path::{Path, PathBuf};

use clap::Args;

use super::read::read;
use crate::catalogue::Lang;
use crate::cli::Format;
use crate::commands::refuse;
use crate::exit_codes::ExitCode;
use crate::host::Host;
use crate::refusal::Refusal;

#[derive(Args)]
pub(crate) struct Options {
    /// The definition as it is; `-` reads standard input.
    old: PathBuf,
    /// The definition as it is to be; `-` reads standard input.
    new: PathBuf,
    /// Print lines for people, or JSON for programs.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

pub(super) fn run(host: &Host, lang: Lang, options: &Options) -> ExitCode {
    match compare(options) {
        Err(refusal) => refuse(host, lang, options.format, &refusal),
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

fn compare(options: &Options) -> Result<taskdef::Diff, Refusal> {
    if [&options.old, &options.new].iter().all(|path| path.as_path() == Path::new("-")) {
        let refusal = Refusal::new("taskdef-unreadable", "A8", "read both task definitions from standard input");
        return Err(refusal.exit(ExitCode::Usage).hint("name a file for at least one of them"));
    }
    let (old, new) = (read(&options.old)?, read(&options.new)?);
    Ok(taskdef::diff(&old.document.definition, &new.document.definition))
}
