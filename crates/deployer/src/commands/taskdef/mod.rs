//! `taskdef`: step A8 as a document that is made, checked and compared.

mod diff;
mod lint;
mod read;
mod render;

use crate::catalogue::Lang;
use crate::exit_codes::ExitCode;
use crate::host::Host;

#[derive(clap::Subcommand)]
pub(crate) enum Command {
    /// Print the task definition; ids that only AWS knows are placeholders unless given
    Render(render::Options),
    /// Say what AWS would refuse and what a security review would flag
    ///
    /// Ends with exit code 1 when there are errors. Values that may be secret are never shown.
    Lint(lint::Options),
    /// Say what registering one task definition over another would change
    ///
    /// Order, defaults and what AWS adds do not count. Ends with exit code 1 when there are differences. Values that may be
    /// secret are never shown.
    Diff(diff::Options),
}

pub(crate) fn run(host: &Host, lang: Lang, command: Command) -> ExitCode {
    match command {
        Command::Render(options) => render::run(host, lang, &options),
        Command::Lint(options) => lint::run(host, lang, &options),
        Command::Diff(options) => diff::run(host, lang, &options),
    }
}
