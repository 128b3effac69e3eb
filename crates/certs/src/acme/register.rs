//! The two questions that instant-acme does not put: what the terms of service are, and an account whose key the caller
//! already keeps, with contact and external binding (RFC 8555, sections 7.1.1, 7.3 and 7.3.4).

use std::time::Duration;

use aws_lc_rs::hmac;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use base64ct::{Base64UrlUnpadded, Encoding};
use reqwest::header::{CONTENT_TYPE, HeaderValue};
use reqwest::{Certificate, Client, Response};
use secrecy::ExposeSecret;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Directory, ExternalAccount, IssueError};
use crate::key::{KeyAlgorithm, PrivateKey};

/// Connecting, then one answer.
const PATIENCE: Duration = Duration::from_secs(30);
/// No directory and no account is longer.
const MAX_BYTES: usize = 64 << 10;
/// Authorities may refuse a nonce at any time and give another with the refusal (RFC 8555, section 6.5).
const NONCES: usize = 4;

/// What [`Acme::open`](super::Acme::open) tells about whoever opens the account.
#[derive(Clone, Copy, Debug, Default)]
pub struct Applicant<'a> {
    /// Where the authority may write to: addresses such as `mailto:ops@example.com`. Told only when the account is made.
    pub contact: &'a [&'a str],
    /// The authority's customer to bind a new account to.
    pub customer: Option<&'a ExternalAccount>,
}

/// The part of a directory that is needed here.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Places {
    new_nonce: String,
    new_account: String,
    #[serde(default)]
    meta: Meta,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Meta {
    terms_of_service: Option<String>,
    external_account_required: bool,
}

/// What an authority says when it refuses (RFC 7807).
#[derive(Deserialize)]
struct Problem {
    #[serde(rename = "type", default)]
    kind: String,
    #[serde(default)]
    detail: String,
}

impl Directory {
    /// Where the authority's terms of service are; `None` when it has none.
    ///
    /// # Errors
    ///
    /// [`IssueError::Authority`].
    pub async fn terms(&self) -> Result<Option<String>, IssueError> {
        const ACTION: &str = "read the directory of the authority";
        Ok(places(&client(self, ACTION)?, self, ACTION).await?.meta.terms_of_service)
    }
}

/// Makes an account for this key, or finds it: the same key is the same account.
pub(super) async fn register(
    directory: &Directory,
    account_key: &PrivateKey,
    applicant: &Applicant<'_>,
) -> Result<(), IssueError> {
    const ACTION: &str = "register the ACME account";
    let client = client(directory, ACTION)?;
    let places = places(&client, directory, ACTION).await?;
    if places.meta.external_account_required && applicant.customer.is_none() {
        return Err(IssueError::NotACustomer);
    }
    let signer = Signer::new(account_key)?;
    let mut payload = json!({ "termsOfServiceAgreed": true });
    if !applicant.contact.is_empty() {
        payload["contact"] = json!(applicant.contact);
    }
    if let Some(customer) = applicant.customer {
        payload["externalAccountBinding"] = binding(customer, &signer.jwk, &places.new_account);
    }
    let mut nonce = None;
    let mut left = NONCES;
    loop {
        let fresh = match nonce.take() {
            Some(nonce) => nonce,
            None => {
                let answer = client.head(&places.new_nonce).send().await.map_err(lost(ACTION))?;
                replay_nonce(&answer).ok_or_else(|| said(ACTION, "the authority gave no nonce"))?
            }
        };
        let body = signer.sign(&fresh, &places.new_account, &payload)?;
        let content = HeaderValue::from_static("application/jose+json");
        let call = client.post(&places.new_account).header(CONTENT_TYPE, content).body(body.to_string());
        let answer = call.send().await.map_err(lost(ACTION))?;
        if answer.status().is_success() {
            return Ok(());
        }
        nonce = replay_nonce(&answer);
        let status = answer.status();
        let problem: Option<Problem> = serde_json::from_slice(&body_of(answer, ACTION).await?).ok();
        left -= 1;
        match problem {
            Some(problem) if problem.kind.ends_with(":badNonce") && left > 0 => {}
            Some(problem) if problem.kind.ends_with(":externalAccountRequired") => {
                return Err(IssueError::NotACustomer);
            }
            Some(problem) => return Err(said(ACTION, &format!("{}: {}", problem.kind, problem.detail))),
            None => return Err(said(ACTION, &format!("the authority answered with status {status}"))),
        }
    }
}

fn client(directory: &Directory, action: &'static str) -> Result<Client, IssueError> {
    let mut builder = Client::builder().https_only(true).no_proxy().connect_timeout(PATIENCE).timeout(PATIENCE);
    builder = builder.user_agent(concat!("keeper-automator-certs/", env!("CARGO_PKG_VERSION")));
    if let Some(path) = &directory.root {
        let file = |error: std::io::Error| said(action, &format!("`{}`: {error}", path.display()));
        let pem = std::fs::read(path).map_err(file)?;
        builder = builder.tls_certs_only([Certificate::from_pem(&pem).map_err(lost(action))?]);
    }
    builder.build().map_err(lost(action))
}

async fn places(client: &Client, directory: &Directory, action: &'static str) -> Result<Places, IssueError> {
    let answer = client.get(&directory.url).send().await.map_err(lost(action))?;
    let answer = answer.error_for_status().map_err(lost(action))?;
    let body = body_of(answer, action).await?;
    serde_json::from_slice(&body).map_err(|error| said(action, &format!("it is no ACME directory: {error}")))
}

async fn body_of(mut answer: Response, action: &'static str) -> Result<Vec<u8>, IssueError> {
    let mut body = Vec::new();
    while let Some(chunk) = answer.chunk().await.map_err(lost(action))? {
        body.extend_from_slice(&chunk);
        if body.len() > MAX_BYTES {
            return Err(said(action, &format!("the answer has more than {MAX_BYTES} bytes")));
        }
    }
    Ok(body)
}

fn replay_nonce(answer: &Response) -> Option<String> {
    Some(answer.headers().get("replay-nonce")?.to_str().ok()?.to_owned())
}

fn lost(action: &'static str) -> impl Fn(reqwest::Error) -> IssueError {
    move |error| IssueError::Authority { action, source: instant_acme::Error::Other(Box::new(error)) }
}

fn said(action: &'static str, what: &str) -> IssueError {
    IssueError::Authority { action, source: instant_acme::Error::Other(what.into()) }
}

/// Who signs with the account's key, and that key's public half (RFC 7517).
struct Signer {
    pair: EcdsaKeyPair,
    jwk: Value,
}

impl Signer {
    fn new(key: &PrivateKey) -> Result<Self, IssueError> {
        if key.algorithm() != &KeyAlgorithm::P256 {
            return Err(IssueError::AccountKey);
        }
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, key.pkcs8());
        let pair = pair.map_err(|_| IssueError::AccountKey)?;
        // 4, then both coordinates of 32 bytes.
        let point = pair.public_key().as_ref();
        let (x, y) = point.get(1..).unwrap_or_default().split_at_checked(32).ok_or(IssueError::AccountKey)?;
        let jwk = json!({ "crv": "P-256", "kty": "EC", "x": base64(x), "y": base64(y) });
        Ok(Self { pair, jwk })
    }

    /// A JWS in the flattened form (RFC 7515, section 7.2.2).
    fn sign(&self, nonce: &str, url: &str, payload: &Value) -> Result<Value, IssueError> {
        let protected = json!({ "alg": "ES256", "jwk": self.jwk, "nonce": nonce, "url": url });
        let (protected, payload) = (base64(protected.to_string()), base64(payload.to_string()));
        let input = format!("{protected}.{payload}");
        let signature = self.pair.sign(&SystemRandom::new(), input.as_bytes()).map_err(|_| IssueError::AccountKey)?;
        Ok(json!({ "protected": protected, "payload": payload, "signature": base64(signature.as_ref()) }))
    }
}

/// The customer's word for the account's key.
fn binding(customer: &ExternalAccount, jwk: &Value, url: &str) -> Value {
    let protected = json!({ "alg": "HS256", "kid": customer.id, "url": url });
    let (protected, payload) = (base64(protected.to_string()), base64(jwk.to_string()));
    let key = hmac::Key::new(hmac::HMAC_SHA256, customer.key.expose_secret());
    let signature = hmac::sign(&key, format!("{protected}.{payload}").as_bytes());
    json!({ "protected": protected, "payload": payload, "signature": base64(signature.as_ref()) })
}

fn base64(bytes: impl AsRef<[u8]>) -> String {
    Base64UrlUnpadded::encode_string(bytes.as_ref())
}
