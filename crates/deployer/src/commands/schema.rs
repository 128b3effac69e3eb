//! `schema`: the shapes of what goes in and out, as committed in `schemas/`.

use clap::ValueEnum;

use crate::commands::cert::{Inspection, Issued};
use crate::commands::keeper::KeeperDocument;
use crate::config;
use crate::exit_codes::ExitCode;
use crate::host::Host;
use crate::show::PlanDocument;

/// A document with a schema.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Document {
    /// The config file.
    Config,
    /// One line of `--format json` of deploy and destroy.
    Events,
    /// The output of `plan --format json`.
    Plan,
    /// The output of `cert inspect --format json`.
    Certificate,
    /// The output of `cert issue --format json`.
    Issued,
    /// The output of each `keeper …` command with `--format json`.
    Keeper,
}

pub(crate) fn run(host: &Host, document: Document) -> ExitCode {
    let schema = match document {
        Document::Config => config::schema(),
        Document::Events => schemars::schema_for!(resource_graph::Event).to_value(),
        Document::Certificate => schemars::schema_for!(Inspection).to_value(),
        Document::Keeper => schemars::schema_for!(KeeperDocument).to_value(),
        Document::Issued => schemars::schema_for!(Issued).to_value(),
        Document::Plan => schemars::schema_for!(PlanDocument).to_value(),
    };
    host.out(&format!("{schema:#}\n"));
    ExitCode::Done
}
