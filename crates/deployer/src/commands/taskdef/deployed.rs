//! The task definition that is registered with ECS.

use std::path::PathBuf;

use aws_infra::Connection;
use clap::Args;
use resource_graph::NodeId;
use taskdef::Document;

use super::read::Source;
use crate::commands::account::{Account, sign_in};
use crate::config::{self, ConfigError};
use crate::exit_codes::ExitCode;
use crate::guide::Names;
use crate::host::Host;
use crate::refusal::Refusal;

/// Which family, if a deployed one is meant.
#[derive(Args)]
pub(super) struct Deployed {
    /// Take the newest active revision of this family from AWS.
    #[arg(long, value_name = "FAMILY", group = "deployed_family")]
    deployed: Option<String>,
    /// Take the newest active revision of the family that this config file describes, from where it says.
    #[arg(long, value_name = "FILE", group = "deployed_family")]
    config: Option<PathBuf>,
    /// The region of a family that is named by --deployed. Without it AWS_REGION decides.
    #[arg(long, conflicts_with = "config")]
    region: Option<String>,
    #[command(flatten)]
    account: Account,
}

/// Why there is no document: the config says so itself.
pub(super) enum Failed {
    Config(Box<ConfigError>),
    Refused(Refusal),
}

impl From<Refusal> for Failed {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl Deployed {
    /// Asks for it.
    pub(super) async fn read(&self, host: &Host) -> Result<Source, Failed> {
        let (family, connection) = self.place(host)?;
        let home = sign_in(&connection, "A8").await?;
        let failed = |error: resource_graph::Error| {
            Refusal::of(ExitCode::Refused, vec![error.failure(&NodeId::from("task-definition"), "A8")])
        };
        let document = aws_infra::ecs::deployed(&home, &family).await.map_err(failed)?;
        let Some(document) = document else {
            let message = format!("find an active task definition of family `{family}` in {}", connection.region);
            let refusal = Refusal::new("taskdef-not-deployed", "A8", message);
            let refusal = refusal.expected("a family with at least one active revision");
            return Err(refusal
                .hint("check the family, the region and whose account it is; `deploy` registers one")
                .into());
        };
        let name = document["taskDefinitionArn"].as_str().unwrap_or(&family).to_owned();
        let text = format!("{document:#}\n");
        let document = Document::read(&text).map_err(|error| {
            let refusal = Refusal::new("taskdef-invalid", "A8", format!("read task definition `{name}`"));
            refusal.because(error.to_string()).hint("ECS answered with something that is no task definition")
        })?;
        Ok(Source { name, text, document })
    }

    fn place(&self, host: &Host) -> Result<(String, Connection), Failed> {
        if let Some(path) = &self.config {
            let config = config::load(path).map_err(|error| Failed::Config(Box::new(error)))?;
            let mut connection = self.account.connection(host, config.region.as_str());
            connection.endpoint.clone_from(&config.endpoint.url);
            connection.endpoints.clone_from(&config.endpoint.services);
            return Ok((Names::of(&config).family(), connection));
        }
        let family = self.deployed.clone().unwrap_or_default();
        let told = |name: &str| host.env.get(name).filter(|value| !value.is_empty()).cloned();
        let region = self.region.clone().or_else(|| told("AWS_REGION")).or_else(|| told("AWS_DEFAULT_REGION"));
        let Some(region) = region else {
            let refusal = Refusal::new("region-missing", "A8", format!("look for family `{family}` in no region"));
            let refusal = refusal.expected("--region, --config or AWS_REGION").exit(ExitCode::Usage);
            return Err(refusal.hint("name the region that the task definition was registered in").into());
        };
        Ok((family, self.account.connection(host, &region)))
    }
}
