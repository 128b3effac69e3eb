//! Connecting: one shared configuration, one client a service, deadlines on everything.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_smithy_async::rt::sleep::{SharedAsyncSleep, TokioSleep};
use aws_smithy_async::time::{SharedTimeSource, SystemTimeSource};
pub use aws_smithy_runtime_api::client::http::SharedHttpClient;
use resource_graph::Error;

use crate::fail::{failed, required};
use crate::wire::{OnCall, Tap};

/// How to reach AWS.
#[derive(Clone)]
pub struct Connection {
    /// The region, `eu-west-1`.
    pub region: String,
    /// Where the keys come from.
    pub sign_in: SignIn,
    /// Another endpoint for every service: an emulator's URL.
    pub endpoint: Option<String>,
    /// Another endpoint for single services, by the SDK's crate name: `ecs`, `elasticloadbalancingv2`.
    pub endpoints: BTreeMap<String, String>,
    /// Another HTTP client, for tests.
    pub http: Option<SharedHttpClient>,
    /// Told of every call.
    pub on_call: OnCall,
    /// The longest wait for one answer; the SDK's own default is for ever.
    pub patience: Duration,
}

/// Where the keys come from.
#[derive(Clone, Debug)]
pub enum SignIn {
    /// As the AWS tools do it: environment, profiles, SSO, assumed roles, `credential_process`, container and instance roles.
    /// The name of a profile may be given.
    Default {
        /// The profile.
        profile: Option<String>,
    },
    /// Fixed dummy keys for an emulator. Environment, profiles and the instance metadata service are never asked.
    Dummy,
}

impl Connection {
    /// A connection to a region with the person's own sign-in.
    pub fn to(region: impl Into<String>) -> Self {
        Self {
            region: region.into(),
            sign_in: SignIn::Default { profile: None },
            endpoint: None,
            endpoints: BTreeMap::new(),
            http: None,
            on_call: Arc::new(|_| ()),
            patience: Duration::from_secs(30),
        }
    }

    /// A connection to an emulator with dummy keys.
    pub fn to_emulator(region: impl Into<String>, endpoint: impl Into<String>) -> Self {
        Self { sign_in: SignIn::Dummy, endpoint: Some(endpoint.into()), ..Self::to(region) }
    }
}

/// One client a service.
#[derive(Clone)]
pub struct Aws {
    /// ACM.
    pub acm: aws_sdk_acm::Client,
    /// EC2.
    pub ec2: aws_sdk_ec2::Client,
    /// ECS.
    pub ecs: aws_sdk_ecs::Client,
    /// EFS.
    pub efs: aws_sdk_efs::Client,
    /// Elastic Load Balancing v2.
    pub elb: aws_sdk_elasticloadbalancingv2::Client,
    /// IAM.
    pub iam: aws_sdk_iam::Client,
    /// CloudWatch Logs.
    pub logs: aws_sdk_cloudwatchlogs::Client,
    /// Route 53.
    pub route53: aws_sdk_route53::Client,
    /// Secrets Manager.
    pub secrets: aws_sdk_secretsmanager::Client,
    /// STS.
    pub sts: aws_sdk_sts::Client,
    /// The region all of them speak to.
    pub region: String,
    /// The account, 12 digits.
    pub account: String,
    /// `aws`, `aws-us-gov` or `aws-cn`.
    pub partition: String,
}

impl fmt::Debug for Aws {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Aws({} in {})", self.account, self.region)
    }
}

macro_rules! client {
    ($sdk:ident, $name:literal, $shared:expr, $connection:expr) => {{
        let mut config = $sdk::config::Builder::from($shared).interceptor(Tap(Arc::clone(&$connection.on_call)));
        if let Some(endpoint) = $connection.endpoints.get($name) {
            config = config.endpoint_url(endpoint);
        }
        $sdk::Client::from_conf(config.build())
    }};
}

impl Aws {
    /// Signs in and asks whose account it is; nothing is changed.
    ///
    /// # Errors
    ///
    /// `no-credentials`, `endpoint-unreachable`, `endpoint-timeout` and `access-denied` tell apart what is wrong.
    pub async fn connect(connection: &Connection) -> Result<Self, Error> {
        let shared = shared_config(connection).await;
        let sts = client!(aws_sdk_sts, "sts", &shared, connection);
        // The first call shows whether there is anybody: a person waits for it, and more attempts would only hide that nobody is.
        let quick = aws_sdk_sts::config::Builder::new().retry_config(RetryConfig::standard().with_max_attempts(3));
        let action = format!("sign in to AWS in {}", connection.region);
        let identity = sts
            .get_caller_identity()
            .customize()
            .config_override(quick)
            .send()
            .await
            .map_err(|error| failed(&action, error))?;
        let account = required(identity.account(), &action, "account")?;
        // arn:PARTITION:sts::…
        let partition = identity.arn().and_then(|arn| arn.split(':').nth(1)).unwrap_or("aws").to_owned();
        Ok(Self {
            acm: client!(aws_sdk_acm, "acm", &shared, connection),
            ec2: client!(aws_sdk_ec2, "ec2", &shared, connection),
            ecs: client!(aws_sdk_ecs, "ecs", &shared, connection),
            efs: client!(aws_sdk_efs, "efs", &shared, connection),
            elb: client!(aws_sdk_elasticloadbalancingv2, "elasticloadbalancingv2", &shared, connection),
            iam: client!(aws_sdk_iam, "iam", &shared, connection),
            logs: client!(aws_sdk_cloudwatchlogs, "cloudwatchlogs", &shared, connection),
            route53: client!(aws_sdk_route53, "route53", &shared, connection),
            secrets: client!(aws_sdk_secretsmanager, "secretsmanager", &shared, connection),
            sts,
            region: connection.region.clone(),
            account,
            partition,
        })
    }
}

async fn shared_config(connection: &Connection) -> SdkConfig {
    let region = Region::new(connection.region.clone());
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(Duration::from_secs(5).min(connection.patience))
        .operation_attempt_timeout(connection.patience)
        .operation_timeout(connection.patience * 4)
        .build();
    // Eight attempts with the standard back-off: a person who waits minutes anyway does not want a throttled call to end it.
    let retries = RetryConfig::standard().with_max_attempts(8);
    let http = connection.http.clone().unwrap_or_else(default_http_client);
    match &connection.sign_in {
        // A builder of its own, so that nothing of the person's environment can get in.
        SignIn::Dummy => {
            let keys = Credentials::new("testing", "testing", None, None, "keeper-automator-dummy");
            let mut shared = SdkConfig::builder()
                .behavior_version(BehaviorVersion::latest())
                .region(region)
                .credentials_provider(aws_credential_types::provider::SharedCredentialsProvider::new(keys))
                .retry_config(retries)
                .timeout_config(timeouts)
                .sleep_impl(SharedAsyncSleep::new(TokioSleep::new()))
                .time_source(SharedTimeSource::new(SystemTimeSource::new()))
                .http_client(http);
            shared.set_endpoint_url(connection.endpoint.clone());
            shared.build()
        }
        SignIn::Default { profile } => {
            let mut loader = aws_config::defaults(BehaviorVersion::latest())
                .region(region)
                .retry_config(retries)
                .timeout_config(timeouts)
                .http_client(http);
            if let Some(profile) = profile {
                loader = loader.profile_name(profile);
            }
            if let Some(endpoint) = &connection.endpoint {
                loader = loader.endpoint_url(endpoint);
            }
            loader.load().await
        }
    }
}

/// The HTTP client of every connection that brings none of its own: rustls with aws-lc-rs, the system's roots.
pub fn default_http_client() -> SharedHttpClient {
    use aws_smithy_http_client::tls::{self, rustls_provider::CryptoMode};
    aws_smithy_http_client::Builder::new().tls_provider(tls::Provider::Rustls(CryptoMode::AwsLc)).build_https()
}
