//! The emulators, what each can carry, and how each is started.

use std::collections::BTreeMap;
use std::fmt;

use anyhow::{Context, Result, ensure};
use clap::ValueEnum;

use super::containers::{Containers, Ready, Wanted, status};
use crate::proxy::RealAccount;

/// An AWS that is not AWS, or one that is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub enum Emulator {
    /// Moto, for all services
    #[value(name = "moto")]
    Moto,
    /// MiniStack, for all services
    #[value(name = "ministack")]
    Ministack,
    /// Moto, and MiniStack for ECS alone, which there has tasks
    #[value(name = "moto+ministack-ecs")]
    MotoMinistackEcs,
    /// LocalStack: the whole guide with an auth token, A1 to A5 without
    #[value(name = "localstack")]
    LocalStack,
    /// Something that runs already, or a real account: `--endpoint` says where
    #[value(name = "endpoint")]
    Endpoint,
}

/// Something that runs already.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Endpoint {
    /// For every service: an URL of this machine, or [`Endpoint::AWS`].
    pub url: String,
    /// For single services, by the name that the product's config uses.
    pub services: BTreeMap<String, String>,
    /// Whether the person knows that a real account costs money.
    pub i_will_pay: bool,
}

impl Endpoint {
    /// The account of the person's own credentials.
    pub const AWS: &str = "aws";
}

/// What came of starting an emulator.
pub enum Start {
    /// It answers.
    Running(Running),
    /// It cannot be had here, for this reason.
    NotHere(String),
}

/// An emulator that answers.
#[derive(Debug, Clone)]
pub struct Running {
    /// Which one.
    pub emulator: Emulator,
    /// For every service.
    pub endpoint: String,
    /// For single services.
    pub services: BTreeMap<String, String>,
    /// The path of each endpoint that empties it.
    pub resets: Vec<(String, &'static str)>,
    /// The steps of the guide that it carries, as the product's `--only` takes them; none when it carries all.
    pub only: Option<&'static str>,
    /// The account, when it is a real one.
    pub account: Option<RealAccount>,
}

/// Both emulators must agree about whose account it is.
const ACCOUNT: &str = "123456789012";
/// LocalStack, for those who have a token.
const LOCALSTACK: &str = "localstack/localstack:latest";
/// What LocalStack carries without a token: all that needs no ECS, EFS or ELB.
const LOCALSTACK_FREE: &str = "K3,K4,K7,A1,A2,A3,A4,A5,A9,X2";
/// What a real account carries: all but the service, whose tasks would look for Keeper on this machine, and the record in a
/// zone that nobody here owns.
const REAL: &str = "K3,K4,K7,A1,A2,A3,A4,A5,A6,A7,A8,A9,A10,A11,X2";
/// The variable with LocalStack's token.
const TOKEN: &str = "LOCALSTACK_AUTH_TOKEN";

const MOTO: [(&str, &str); 7] = [
    // Without it the execution role's managed policy does not exist.
    ("MOTO_IAM_LOAD_MANAGED_POLICIES", "true"),
    // Without it no service ever becomes steady. The number is the first count of tasks.
    ("MOTO_ECS_SERVICE_RUNNING", "1"),
    ("AWS_ACCESS_KEY_ID", "testing"),
    ("AWS_SECRET_ACCESS_KEY", "testing"),
    ("AWS_DEFAULT_REGION", "us-east-1"),
    ("AWS_EC2_METADATA_DISABLED", "true"),
    ("PYTHONUNBUFFERED", "1"),
];

const MINISTACK: [(&str, &str); 6] = [
    ("BIND_HOST", "0.0.0.0"),
    ("GATEWAY_PORT", "4566"),
    ("MINISTACK_REGION", super::Desk::REGION),
    ("MINISTACK_ACCOUNT_ID", ACCOUNT),
    // Without it there is a second listener.
    ("IOT_MTLS_ENABLED", "false"),
    // Tasks are records, not containers: Keeper's images cannot be had here.
    ("DOCKER_HOST", "unix:///nonexistent"),
];

const LOCALSTACK_ENVIRONMENT: [(&str, &str); 5] = [
    ("GATEWAY_LISTEN", "0.0.0.0:4566"),
    // It tells its makers nothing, and fetches nothing at its start.
    ("DISABLE_EVENTS", "1"),
    ("SKIP_SSL_CERT_DOWNLOAD", "1"),
    ("DNS_ADDRESS", "0"),
    ("LOCALSTACK_VOLUME_DIR", "/tmp/localstack"),
];

impl fmt::Display for Emulator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.to_possible_value().as_ref().map_or("?", clap::builder::PossibleValue::get_name))
    }
}

impl Emulator {
    /// Those that `cargo xtask e2e` runs when none is named.
    pub const ALL: [Self; 4] = [Self::Moto, Self::Ministack, Self::MotoMinistackEcs, Self::LocalStack];

    /// What it can carry, in words.
    pub fn carries(self) -> &'static str {
        match self {
            Self::Moto => "A1 to A13, A15 to A17 by a person's word; no task ever runs",
            Self::Ministack => "A1 to A13, A15 to A17 by a person's word; tasks are records, refusals are rare",
            Self::MotoMinistackEcs => "A1 to A13, A15 to A17 by a person's word; tasks are records",
            Self::LocalStack => {
                "everything with LOCALSTACK_AUTH_TOKEN; A1 to A5 and A9 without, as ECS, EFS and ELB are not free"
            }
            Self::Endpoint => {
                "what is behind it; of a real account A1 to A11, as its tasks cannot reach a Keeper of this machine"
            }
        }
    }

    /// Starts it.
    ///
    /// # Errors
    ///
    /// When it could be started and does not answer.
    pub async fn start(self, containers: &mut Containers, endpoint: &Endpoint) -> Result<Start> {
        match self {
            Self::Moto => {
                let moto = moto(containers).await?;
                Ok(Start::Running(self.running(moto.clone(), BTreeMap::new(), vec![(moto, "/moto-api/reset")])))
            }
            Self::Ministack => {
                let url = ministack(containers).await?;
                Ok(Start::Running(self.running(url.clone(), BTreeMap::new(), vec![(url, "/_ministack/reset")])))
            }
            Self::MotoMinistackEcs => {
                let (moto, ecs) = (moto(containers).await?, ministack(containers).await?);
                let services = BTreeMap::from([("ecs".to_owned(), ecs.clone())]);
                let resets = vec![(moto.clone(), "/moto-api/reset"), (ecs, "/_ministack/reset")];
                Ok(Start::Running(self.running(moto, services, resets)))
            }
            Self::LocalStack => self.localstack(containers).await,
            Self::Endpoint => self.given(endpoint).await,
        }
    }

    fn running(
        self,
        endpoint: String,
        services: BTreeMap<String, String>,
        resets: Vec<(String, &'static str)>,
    ) -> Running {
        Running { emulator: self, endpoint, services, resets, only: None, account: None }
    }

    async fn localstack(self, containers: &mut Containers) -> Result<Start> {
        let token = std::env::var(TOKEN).ok().filter(|token| !token.is_empty());
        let image = match &token {
            Some(_) if available(LOCALSTACK) => LOCALSTACK.to_owned(),
            Some(_) => return Ok(Start::NotHere(format!("no registry gives {LOCALSTACK}"))),
            None => match std::env::var("E2E_IMAGE_LOCALSTACK_MISSING") {
                Ok(why) => return Ok(Start::NotHere(format!("there is no {TOKEN}, and {why}"))),
                Err(_) => image("LOCALSTACK")?,
            },
        };
        let mut environment = LOCALSTACK_ENVIRONMENT.to_vec();
        if let Some(token) = &token {
            environment.push((TOKEN, token));
        }
        let (ready, environment) = (Ready::Answers("/_localstack/health"), &environment);
        let wanted =
            Wanted { image: &image, port: 4566, ready, environment, name: "localstack", command: &[], desk: None };
        let url = containers.start(&wanted).await?.url();
        let mut running = self.running(url, BTreeMap::new(), Vec::new());
        running.only = token.is_none().then_some(LOCALSTACK_FREE);
        Ok(Start::Running(running))
    }

    async fn given(self, endpoint: &Endpoint) -> Result<Start> {
        ensure!(!endpoint.url.is_empty(), "`--emulator endpoint` needs `--endpoint URL`, or `--endpoint aws`");
        let mut running = self.running(endpoint.url.clone(), endpoint.services.clone(), Vec::new());
        if endpoint.url == Endpoint::AWS {
            ensure!(endpoint.i_will_pay, "`aws` is a real account, which costs money: say so with --i-will-pay");
            ensure!(endpoint.services.is_empty(), "`--endpoint-service` does not go with a real account");
            running.account = Some(RealAccount::of_this_person(super::Desk::REGION).await?);
            running.only = Some(REAL);
            return Ok(Start::Running(running));
        }
        for url in std::iter::once(&endpoint.url).chain(endpoint.services.values()) {
            let hint =
                "a real account is `--endpoint aws --i-will-pay`, and a port of another machine can be forwarded here";
            ensure!(sandbox::loopback(url).is_ok(), "`{url}` is not on this machine; {hint}");
        }
        Ok(Start::Running(running))
    }
}

impl Running {
    /// Whether every service answers, whatever of the guide is played.
    pub fn has_all_services(&self) -> bool {
        self.only.is_none() || self.account.is_some()
    }

    /// Empties it; what runs already is emptied by destroying.
    ///
    /// # Errors
    ///
    /// When it does not say yes.
    pub async fn reset(&self) -> Result<()> {
        for (endpoint, path) in &self.resets {
            let said = status("POST", endpoint, path).await;
            ensure!(said == Some(200), "POST {endpoint}{path} should empty the emulator, and says {said:?}");
        }
        Ok(())
    }
}

async fn moto(containers: &mut Containers) -> Result<String> {
    let image = image("MOTO")?;
    let ready = Ready::Answers("/moto-api/");
    let wanted =
        Wanted { image: &image, port: 5000, ready, environment: &MOTO, name: "moto", command: &[], desk: None };
    Ok(containers.start(&wanted).await?.url())
}

async fn ministack(containers: &mut Containers) -> Result<String> {
    let image = image("MINISTACK")?;
    let ready = Ready::Answers("/_ministack/ready");
    let wanted = Wanted {
        image: &image,
        port: 4566,
        ready,
        environment: &MINISTACK,
        name: "ministack",
        command: &[],
        desk: None,
    };
    Ok(containers.start(&wanted).await?.url())
}

/// The image that `cargo xtask images` found or built.
pub(super) fn image(name: &str) -> Result<String> {
    let variable = format!("E2E_IMAGE_{name}");
    std::env::var(&variable).with_context(|| format!("{variable} is not set: `cargo xtask e2e` sets it"))
}

/// Whether an image is here or can be had.
fn available(image: &str) -> bool {
    let docker = |args: &[&str]| {
        let mut command = std::process::Command::new("docker");
        command.args(args).stdin(std::process::Stdio::null());
        command.output().is_ok_and(|output| output.status.success())
    };
    docker(&["image", "inspect", image]) || docker(&["pull", "--quiet", image])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_real_account_has_to_be_meant() {
        let at = async |url: &str, service: Option<&str>| {
            let services = service.map(|url| ("ecs".to_owned(), url.to_owned())).into_iter().collect();
            let endpoint = Endpoint { url: url.to_owned(), services, i_will_pay: false };
            Emulator::Endpoint.given(&endpoint).await
        };
        let Ok(Start::Running(here)) = at("http://127.0.0.1:4566", None).await else { panic!("refused") };
        assert!(here.account.is_none() && here.only.is_none());
        for (url, service, says) in [
            ("", None, "--endpoint"),
            ("aws", None, "--i-will-pay"),
            ("https://ec2.eu-west-1.amazonaws.com", None, "--endpoint aws --i-will-pay"),
            ("http://127.0.0.1:4566", Some("http://192.0.2.1:4566"), "192.0.2.1"),
        ] {
            let Err(error) = at(url, service).await else { panic!("{url} was taken") };
            assert!(error.to_string().contains(says), "{error}");
        }
    }

    #[test]
    fn emulators_are_called_as_on_the_command_line() {
        let names: Vec<String> = Emulator::value_variants().iter().map(ToString::to_string).collect();
        assert_eq!(names, ["moto", "ministack", "moto+ministack-ecs", "localstack", "endpoint"]);
    }
}
