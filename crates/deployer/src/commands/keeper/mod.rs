//! `keeper`: the chores of the guide's Keeper half one by one, as a device or as an administrator.

mod automator;
mod bind;
mod device;
mod documents;
mod fail;
mod files;
mod get;
mod login;
mod nodes;
mod notation;
mod place;
mod print;
mod put;
mod sign_in;
#[cfg(test)]
mod testing;
mod vault;
mod whoami;

use std::time::Duration;

use crate::catalogue::Lang;
use crate::commands::refuse;
use crate::exit_codes::ExitCode;
use crate::host::Host;
use crate::refusal::Refusal;
pub(crate) use documents::KeeperDocument;
use place::Place;

#[derive(clap::Subcommand)]
pub(crate) enum Command {
    /// List the attachments of a record, as a device sees them
    Files(files::Options),
    /// Write an attachment to a file, or to standard output
    Get(get::Options),
    /// Attach a file under a name that the record has not yet
    Put(put::Options),
    /// Make a file the one attachment of its name
    ///
    /// The new one is uploaded and read back before the old one goes. Until then a look-up by name finds two: start no task
    /// meanwhile. After whatever ended it, run it again; exactly one is left.
    Replace(put::Options),
    /// Bind a new device with its one-time token, and write its configuration
    ///
    /// The private key is on disk before Keeper hears of it, so the same command may be run again after whatever ended it.
    Bind(bind::Options),
    /// Write what a notation such as `keeper://RECORD/field/login` points at to a file, or to standard output
    Notation(notation::Options),
    /// Sign in as an administrator once, on a terminal, so that later runs need nobody
    ///
    /// Registers a device, asks for the code that Keeper sends by e-mail, the master password and the second factor, and writes a
    /// configuration as Keeper Commander does, for its owner only (0600).
    Login(login::Options),
    /// Show who is signed in, and what stands in the way of a deployment
    Whoami(whoami::Options),
    /// Show the enterprise's nodes with their ids, and which have the SSO service that an Automator needs
    Nodes(nodes::Options),
    /// Look at Automators and change them, as Keeper Commander does
    #[command(subcommand)]
    Automator(automator::Command),
    /// Look at what a deployment has in the vault
    #[command(subcommand)]
    Vault(vault::Command),
}

/// What is announced, for `--help`.
pub(crate) fn announced() -> String {
    format!(
        "What Keeper is told: Keeper answers only to client versions that it has registered, and there is none for programs of \
         others. So this program announces those of the vendor's own: {} (the Rust SDK of Secrets Manager) as a device, and {} \
         (Keeper Commander) as an administrator. It is neither of them. A role that forbids Commander therefore forbids this \
         program too.",
        ksm_client::CLIENT_VERSION,
        automator_admin::CLIENT_VERSION,
    )
}

/// How long a sign-in that is dropped may take to write down what came of it.
const SETTLE: Duration = Duration::from_secs(10);

pub(crate) async fn run(host: &Host, lang: Lang, command: Command) -> ExitCode {
    let format = command.place().format;
    let done = match &command {
        // A person who is asked presses Ctrl-C twice: the terminal is given back only by the one who reads it.
        Command::Login(options) => login::run(host, lang, options).await,
        // Whatever is dropped may be run again, but a clone code that was sent is good once: its answer is waited for.
        command => tokio::select! {
            biased;
            () = host.cancelled.cancelled() => {
                automator_admin::login::settle(SETTLE).await;
                Err(cancelled())
            }
            done = call(host, lang, command) => done,
        },
    };
    done.unwrap_or_else(|refusal| refuse(host, lang, format, &refusal))
}

async fn call(host: &Host, lang: Lang, command: &Command) -> Result<ExitCode, Refusal> {
    match command {
        Command::Files(options) => files::run(host, lang, options).await,
        Command::Get(options) => get::run(host, lang, options).await,
        Command::Put(options) => put::put(host, lang, options).await,
        Command::Replace(options) => put::replace(host, lang, options).await,
        Command::Bind(options) => bind::run(host, lang, options).await,
        Command::Notation(options) => notation::run(host, lang, options).await,
        Command::Login(options) => login::run(host, lang, options).await,
        Command::Whoami(options) => whoami::run(host, lang, options).await,
        Command::Nodes(options) => nodes::run(host, lang, options).await,
        Command::Automator(command) => automator::run(host, lang, command).await,
        Command::Vault(command) => vault::run(host, lang, command).await,
    }
}

impl Command {
    fn place(&self) -> &Place {
        match self {
            Self::Files(options) => options.place(),
            Self::Get(options) => options.place(),
            Self::Put(options) | Self::Replace(options) => options.place(),
            Self::Bind(options) => options.place(),
            Self::Notation(options) => options.place(),
            Self::Login(options) => options.place(),
            Self::Whoami(options) => options.place(),
            Self::Nodes(options) => options.place(),
            Self::Automator(command) => command.place(),
            Self::Vault(command) => command.place(),
        }
    }
}

fn cancelled() -> Refusal {
    let refusal = Refusal::new("cancelled", "", "finish, because it was cancelled").exit(ExitCode::Cancelled);
    refusal.hint("the last call may have been done: run it again, which looks first")
}

#[cfg(test)]
mod tests {
    use crate::exit_codes::ExitCode;

    #[tokio::test]
    async fn a_cancelled_command_ends() {
        let host = super::testing::quiet();
        host.cancelled.cancel();
        // Nothing is there that it could read.
        let line = ["keeper-automator", "keeper", "whoami", "--login", "/nowhere/login.json"];
        assert_eq!(crate::cli::run(line.map(Into::into), host.clone()).await, ExitCode::Cancelled);
    }
}
