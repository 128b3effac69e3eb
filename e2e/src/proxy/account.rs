//! A real account behind the proxy: where each service is, and a signature that it takes.
//!
//! A program signs for the host that it calls, which is the proxy. So what is passed on is signed anew, with the person's own
//! credentials, which the program under test never has.

use std::io::{self, Error, ErrorKind};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result};
use aws_config::{BehaviorVersion, Region};
use aws_credential_types::Credentials;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider};
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4::SigningParams;
use tokio::sync::Mutex;

use super::message::{Message, broken};
use super::{loopback, name};

/// The variable that sends all calls to one other place, as it does for the AWS CLI.
const ELSEWHERE: &str = "AWS_ENDPOINT_URL";
/// Services of no region sign for this one.
const GLOBAL: &str = "us-east-1";
/// Credentials that end within this time are asked for again.
const SOON: Duration = Duration::from_secs(300);

/// An account of AWS, in one region.
#[derive(Clone, Debug)]
pub struct RealAccount {
    region: String,
    credentials: SharedCredentialsProvider,
    /// Those that were given last: asking may be a call to AWS.
    given: Arc<Mutex<Option<Credentials>>>,
    /// Something on this machine, which is called instead.
    elsewhere: Option<SocketAddr>,
}

/// Where a service is.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Place {
    /// For the `Host` header, and for the name in its certificate.
    pub(super) host: String,
    /// The region that a signature names.
    region: String,
    /// Only what is on this machine is called without TLS.
    pub(super) plain: Option<SocketAddr>,
}

impl RealAccount {
    /// The account of the AWS SDK's default credential chain: environment, profile, SSO, role. `AWS_ENDPOINT_URL` may name
    /// something on this machine to call instead of AWS.
    ///
    /// # Errors
    ///
    /// When there are no credentials, and when `AWS_ENDPOINT_URL` leads to another machine.
    pub async fn of_this_person(region: &str) -> Result<Self> {
        let elsewhere = std::env::var(ELSEWHERE).ok().filter(|url| !url.is_empty());
        let elsewhere = elsewhere.map(|url| loopback(&url)).transpose().context(ELSEWHERE)?;
        let config = aws_config::defaults(BehaviorVersion::latest())
            .region(Region::new(region.to_owned()))
            .http_client(aws_infra::default_http_client());
        let chain = config.load().await.credentials_provider().context("the AWS SDK has a credential chain")?;
        let account = Self::of(region, chain, elsewhere);
        let hint = "`aws sts get-caller-identity` shows whether there are any";
        account.credentials(SystemTime::now()).await.with_context(|| format!("find credentials of AWS; {hint}"))?;
        Ok(account)
    }

    pub(super) fn of(region: &str, credentials: SharedCredentialsProvider, elsewhere: Option<SocketAddr>) -> Self {
        Self { region: region.to_owned(), credentials, given: Arc::default(), elsewhere }
    }

    async fn credentials(&self, now: SystemTime) -> io::Result<Credentials> {
        let mut given = self.given.lock().await;
        match given.as_ref() {
            Some(credentials) if credentials.expiry().is_none_or(|end| end > now + SOON) => Ok(credentials.clone()),
            _ => {
                let credentials = self.credentials.provide_credentials().await.map_err(Error::other)?;
                Ok(given.insert(credentials).clone())
            }
        }
    }

    /// The endpoint of a service, by the name in a signature; <https://docs.aws.amazon.com/general/latest/gr/rande.html>.
    pub(super) fn place(&self, service: &str) -> Place {
        let (region, host) = match service {
            "iam" | "route53" => (GLOBAL, format!("{service}.amazonaws.com")),
            _ => (self.region.as_str(), format!("{service}.{}.amazonaws.com", self.region)),
        };
        let host = self.elsewhere.map_or(host, |address| address.to_string());
        Place { host, region: region.to_owned(), plain: self.elsewhere }
    }

    /// The request as it is made there, at this time.
    pub(super) async fn signed(&self, request: &Message, now: SystemTime) -> io::Result<(Place, Message)> {
        let (service, _) = name(request);
        let scope = request.header("authorization").unwrap_or_default();
        let Some((_, names)) = scope.split_once("SignedHeaders=") else {
            return Err(Error::new(ErrorKind::InvalidInput, "a call to AWS that is not signed"));
        };
        let names: Vec<&str> = names.split(',').next().unwrap_or_default().split(';').collect();
        let place = self.place(&service);
        let identity = self.credentials(now).await?.into();

        let written_anew = |name: &str| {
            ["host", "authorization", "x-amz-date", "x-amz-security-token"]
                .iter()
                .any(|one| name.eq_ignore_ascii_case(one))
        };
        let mut headers = vec![("host".to_owned(), place.host.clone())];
        headers.extend(request.headers.iter().filter(|(name, _)| !written_anew(name)).cloned());
        let was_signed = |name: &str| name != "content-length" && names.contains(&name.to_ascii_lowercase().as_str());
        let to_sign =
            headers.iter().filter(|(name, _)| was_signed(name)).map(|(name, value)| (name.as_str(), value.as_str()));

        let mut words = request.start.split(' ');
        let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        let to_sign = SignableRequest::new(
            method,
            format!("https://{}{target}", place.host),
            to_sign,
            SignableBody::Bytes(&request.body),
        )
        .map_err(Error::other)?;
        let parameters = SigningParams::builder()
            .identity(&identity)
            .region(&place.region)
            .name(&service)
            .time(now)
            .settings(SigningSettings::default())
            .build()
            .map_err(Error::other)?
            .into();
        let (instructions, _) = sign(to_sign, &parameters).map_err(Error::other)?.into_parts();
        let (added, in_the_query) = instructions.into_parts();
        if !in_the_query.is_empty() {
            return Err(broken("a signature that is not in the head"));
        }
        headers.extend(added.iter().map(|header| (header.name().to_owned(), header.value().to_owned())));
        Ok((place, Message { start: request.start.clone(), headers, body: request.body.clone() }))
    }
}
