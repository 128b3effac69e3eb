//! The commands. Each does its part and decides the exit code; those that work on a deployment open a [`Session`].

mod account;
pub(crate) mod cert;
pub(crate) mod deploy;
pub(crate) mod destroy;
pub(crate) mod keeper;
pub(crate) mod plan;
pub(crate) mod schema;
mod session;
mod store;
pub(crate) mod taskdef;
pub(crate) mod unlock;

pub(crate) use session::{Needed, Session};

use crate::catalogue::Lang;
use crate::cli::Format;
use crate::exit_codes::ExitCode;
use crate::host::Host;
use crate::refusal::Refusal;
use crate::show::Show;

/// Ends a command that has no session.
pub(crate) fn refuse(host: &Host, lang: Lang, format: Format, refusal: &Refusal) -> ExitCode {
    Show::new(host.clone(), lang, format, false).refuse(refusal)
}
