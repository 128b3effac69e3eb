//! Signing in to AWS for a command that works on no deployment: it looks something up, or proves a name.

use std::collections::BTreeMap;
use std::sync::Arc;

use aws_infra::{Aws, Connection, Home, SignIn};
use clap::Args;
use resource_graph::NodeId;

use crate::exit_codes::ExitCode;
use crate::host::Host;
use crate::refusal::Refusal;

/// Whose account.
#[derive(Args, Clone, Debug)]
pub(super) struct Account {
    /// Sign in with this AWS profile.
    #[arg(long)]
    profile: Option<String>,
    /// Wait this many seconds for one answer of AWS.
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..=600))]
    patience: u64,
}

impl Account {
    /// A connection to a region that signs in as the person asked.
    pub(super) fn connection(&self, host: &Host, region: &str) -> Connection {
        let mut connection = Connection::to(region);
        connection.http.clone_from(&host.http);
        connection.patience = std::time::Duration::from_secs(self.patience);
        connection.sign_in = SignIn::Default { profile: self.profile.clone() };
        connection
    }
}

/// Signs in. What is made through this home carries no mark of a deployment.
pub(super) async fn sign_in(connection: &Connection, step: &str) -> Result<Home, Refusal> {
    let aws = Aws::connect(connection)
        .await
        .map_err(|error| Refusal::of(ExitCode::Refused, vec![error.failure(&NodeId::from("sign-in"), step)]))?;
    Ok(Home::new(Arc::new(aws), "", BTreeMap::new()))
}
