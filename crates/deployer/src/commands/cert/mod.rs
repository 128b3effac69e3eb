//! `cert`: steps K1 and A9 apart from a deployment. Only `issue` calls anybody.

mod check;
mod inspect;
mod issue;
mod open;
mod write;

use crate::catalogue::Lang;
use crate::cli::Format;
use crate::commands::refuse;
use crate::exit_codes::ExitCode;
use crate::host::Host;

pub(crate) use inspect::Inspection;
pub(crate) use issue::Issued;

#[derive(clap::Subcommand)]
pub(crate) enum Command {
    /// Have a certificate issued or renewed by an ACME authority, and write it as a PFX file
    ///
    /// The hosts are proved by TXT records in Route 53, which are removed again. The files are for their owner only (0600). It may
    /// be run again after whatever ended it; with `--renew` also every day: exit code 9 says that it was not time.
    Issue(Box<issue::Options>),
    /// Show a certificate: names, days left, key, how its PFX file was made, and what is wrong with it
    Inspect(inspect::Options),
    /// Answer by exit code whether a certificate is good for a host
    ///
    /// Prints nothing. Exit code 0: no errors, and neither it nor an intermediate ends within the time. Exit code 1: there are
    /// errors, or it ends too soon; `cert inspect` says which. Other codes: it could not be read.
    Check(check::Options),
    /// Write the three PEM files that ACM imports, each only when its path is given
    ///
    /// The files are for their owner only (0600). The chain has neither the certificate itself nor a root.
    #[command(group(clap::ArgGroup::new("outputs").args(["body", "key", "chain"]).required(true).multiple(true)))]
    Convert(write::ConvertOptions),
    /// Write a certificate again as a PFX file that the Automator service reads
    ///
    /// The files are for their owner only (0600). Unless a password is given, a new one is generated.
    Bundle(write::BundleOptions),
}

pub(crate) async fn run(host: &Host, lang: Lang, command: Command) -> ExitCode {
    let (format, done) = match &command {
        Command::Issue(options) => (options.format, issue::run(host, options).await),
        Command::Inspect(options) => (options.format, inspect::run(host, options)),
        Command::Check(options) => (Format::Text, check::run(host, options)),
        Command::Convert(options) => (Format::Text, write::convert(host, options)),
        Command::Bundle(options) => (Format::Text, write::bundle(host, options)),
    };
    done.unwrap_or_else(|refusal| refuse(host, lang, format, &refusal))
}
