//! `taskdef`: step A8 as a document that is made, checked and compared.

mod deployed;
mod diff;
mod lint;
mod read;
mod render;

use self::deployed::Failed;
use crate::catalogue::Lang;
use crate::cli::Format;
use crate::commands::refuse;
use crate::commands::session::usage;
use crate::exit_codes::ExitCode;
use crate::host::Host;
use crate::show::Show;

#[derive(clap::Subcommand)]
pub(crate) enum Command {
    /// Print the task definition; ids that only AWS knows are placeholders unless given
    Render(render::Options),
    /// Say what AWS would refuse and what a security review would flag
    ///
    /// Of a file, or of what is deployed. Ends with exit code 1 when there are errors. Values that may be secret are never shown.
    Lint(lint::Options),
    /// Say what registering one task definition over another would change
    ///
    /// Of two files, or of what is deployed and a file. Order, defaults and what AWS adds do not count. Ends with exit code 1 when there are differences. Values that may be
    /// secret are never shown.
    Diff(diff::Options),
}

/// Ends a command that found no document to work on.
fn end(host: &Host, lang: Lang, format: Format, failed: Failed) -> ExitCode {
    match failed {
        Failed::Refused(refusal) => refuse(host, lang, format, &refusal),
        Failed::Config(error) => {
            let show = Show::new(host.clone(), lang, format, false);
            show.refuse(&usage(&show, &error))
        }
    }
}

pub(crate) async fn run(host: &Host, lang: Lang, command: Command) -> ExitCode {
    match command {
        Command::Render(options) => render::run(host, lang, &options),
        Command::Lint(options) => lint::run(host, lang, &options).await,
        Command::Diff(options) => diff::run(host, lang, &options).await,
    }
}
