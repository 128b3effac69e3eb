//! Account, order, challenges, certificate.

use std::fmt;
use std::future::Future;
use std::path::PathBuf;
use std::time::Duration;

use base64ct::{Base64UrlUnpadded, Encoding};
use instant_acme::{
    Account, AccountBuilder, AuthorizationStatus, CertificateIdentifier, ChallengeType, Identifier, Key, NewOrder,
    Order, OrderStatus, RetryPolicy,
};
use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretSlice, SecretString};

use super::register::register;
use super::{Applicant, Dns01, IssueError, record_name};
use crate::bundle::Bundle;
use crate::certificate::Certificate;
use crate::key::{KeyAlgorithm, PrivateKey};
use crate::make::signing_request;
use crate::pem;

/// The longest that proving and issuing may take, waits for the zone included.
const ISSUE_LIMIT: Duration = Duration::from_secs(15 * 60);
/// The longest that cleaning up may take.
const CLEAN_LIMIT: Duration = Duration::from_secs(3 * 60);
/// The longest that one question about the account may take.
const ASK_LIMIT: Duration = Duration::from_secs(60);
/// How long to wait for the authority to look, and then to sign.
const PATIENCE: RetryPolicy = RetryPolicy::new().timeout(Duration::from_secs(180));

/// Where an authority is.
#[derive(Clone, Debug)]
pub struct Directory {
    /// The address of its directory (RFC 8555, section 7.1.1).
    pub url: String,
    /// A PEM file with the root to trust instead of the platform's, for private authorities.
    pub root: Option<PathBuf>,
}

impl Directory {
    /// An authority that the platform trusts.
    pub fn new(url: impl Into<String>) -> Self {
        Self { url: url.into(), root: None }
    }
}

/// What a commercial authority gives out to bind ACME accounts to its own customers (RFC 8555, section 7.3.4).
///
/// `Debug` prints no key.
#[derive(Clone, Debug)]
pub struct ExternalAccount {
    /// The key identifier.
    pub id: String,
    /// The HMAC key; authorities show it in base64url, this is decoded.
    pub key: SecretSlice<u8>,
}

impl ExternalAccount {
    /// From what an authority shows: the key in base64url, with or without padding, and blanks around it.
    ///
    /// # Errors
    ///
    /// [`IssueError::CustomerKey`].
    pub fn from_base64url(id: impl Into<String>, key: &SecretString) -> Result<Self, IssueError> {
        let text = key.expose_secret().trim().trim_end_matches('=');
        let key = Base64UrlUnpadded::decode_vec(text).map_err(|_| IssueError::CustomerKey)?;
        if key.is_empty() { Err(IssueError::CustomerKey) } else { Ok(Self { id: id.into(), key: key.into() }) }
    }
}

/// When the authority would like a certificate to be renewed (RFC 9773).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RenewalWindow {
    /// The first moment.
    pub start: Timestamp,
    /// The last moment.
    pub end: Timestamp,
    /// When to ask again.
    pub ask_again_after: Duration,
}

/// A new certificate.
#[derive(Debug)]
pub struct Issued {
    /// The certificate, its issuers and its key.
    pub bundle: Bundle,
    /// Why TXT records are left behind; the next run removes them.
    pub left_behind: Option<IssueError>,
}

/// An account with an authority.
#[derive(Clone)]
pub struct Acme {
    account: Account,
}

impl fmt::Debug for Acme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Acme").field("account", &self.account.id()).finish_non_exhaustive()
    }
}

impl Acme {
    /// Finds the account of this key, or makes one and so agrees to the authority's terms of service.
    ///
    /// The caller keeps the key before the call: after a kill or a lost answer the same key opens the same account, also
    /// where an authority lets a customer bind one account only.
    ///
    /// # Errors
    ///
    /// [`IssueError::AccountKey`] for a key that is not P-256, [`IssueError::NotACustomer`] where there is no account yet
    /// and the applicant names no customer that the authority asks for, [`IssueError::Authority`] for everything else.
    pub async fn open(
        directory: &Directory,
        account_key: &PrivateKey,
        applicant: &Applicant<'_>,
    ) -> Result<Self, IssueError> {
        if account_key.algorithm() != &KeyAlgorithm::P256 {
            return Err(IssueError::AccountKey);
        }
        const ACTION: &str = "open the ACME account";
        let failed = |source| IssueError::Authority { action: ACTION, source };
        let find = async || {
            let der = account_key.pkcs8().to_vec();
            let key = Key::from_pkcs8_der(der.as_slice().into()).map_err(failed)?;
            Ok::<_, IssueError>(builder(directory)?.from_key((key, instant_acme_key(der)), directory.url.clone()).await)
        };
        in_time(ASK_LIMIT, ACTION, async {
            let found = match find().await? {
                // Any refusal may mean that there is none; what else is wrong shows in the next answers.
                Err(instant_acme::Error::Api(_)) => {
                    register(directory, account_key, applicant).await?;
                    find().await?
                }
                found => found,
            };
            found.map(|(account, _)| Self { account }).map_err(failed)
        })
        .await
    }

    /// Proves the hosts by DNS and has a certificate for the key issued.
    ///
    /// To renew, give the old certificate as `replaces`: an authority with renewal information then lifts its limits.
    /// Records are removed again whatever happens; after a kill, when this future is dropped, or where the zone refuses,
    /// by the next run. A certificate that is issued is handed over also when its records are left behind.
    ///
    /// # Errors
    ///
    /// See [`IssueError`]. When both the issue and the cleaning fail, the first failure is told.
    pub async fn issue(
        &self,
        dns: &impl Dns01,
        hosts: &[&str],
        key: &PrivateKey,
        replaces: Option<&Certificate>,
    ) -> Result<Issued, IssueError> {
        let request = signing_request(key, hosts).map_err(IssueError::Request)?;
        let mut records = hosts.iter().map(|host| record_name(host)).collect::<Result<Vec<_>, _>>()?;
        records.sort();
        records.dedup();
        in_time(CLEAN_LIMIT, "remove old TXT records", clean(dns, &records)).await?;
        let issued = in_time(ISSUE_LIMIT, "issue the certificate", async {
            let mut order = self.order(hosts, replaces).await?;
            prove(dns, &mut order).await?;
            let pem = fetch(&mut order, hosts, request.der()).await?;
            let (_, certificates) = pem::read(pem.as_bytes(), None).map_err(IssueError::Answer)?;
            Bundle::new(key.clone(), certificates).map_err(IssueError::Answer)
        })
        .await;
        let cleaned = in_time(CLEAN_LIMIT, "remove the TXT records", clean(dns, &records)).await;
        Ok(Issued { bundle: issued?, left_behind: cleaned.err() })
    }

    /// When the authority would like this certificate to be renewed; `None` when it does not tell.
    ///
    /// # Errors
    ///
    /// [`IssueError::Authority`].
    pub async fn renewal_window(&self, leaf: &Certificate) -> Result<Option<RenewalWindow>, IssueError> {
        const ACTION: &str = "ask when to renew";
        let Some(id) = identifier(leaf) else { return Ok(None) };
        match in_time(ASK_LIMIT, ACTION, async { Ok(self.account.renewal_info(&id).await) }).await? {
            Ok((info, ask_again_after)) => {
                let time = |at: time::OffsetDateTime| Timestamp::from_second(at.unix_timestamp()).unwrap_or_default();
                let window = info.suggested_window;
                Ok(Some(RenewalWindow { start: time(window.start), end: time(window.end), ask_again_after }))
            }
            Err(instant_acme::Error::Unsupported(_)) => Ok(None),
            Err(source) => Err(IssueError::Authority { action: ACTION, source }),
        }
    }

    async fn order(&self, hosts: &[&str], replaces: Option<&Certificate>) -> Result<Order, IssueError> {
        let failed = |source| IssueError::Authority { action: "order the certificate", source };
        let names = hosts.iter().map(|host| {
            let star = if host.starts_with("*.") { "*." } else { "" };
            record_name(host).map(|record| {
                let name = record.strip_prefix("_acme-challenge.").unwrap_or(&record);
                Identifier::Dns(format!("{star}{name}"))
            })
        });
        let names = names.collect::<Result<Vec<_>, _>>()?;
        if let Some(id) = replaces.and_then(identifier) {
            match self.account.new_order(&NewOrder::new(&names).replaces(id)).await {
                Err(error) if is_about_replacing(&error) => {}
                other => return other.map_err(failed),
            }
        }
        self.account.new_order(&NewOrder::new(&names)).await.map_err(failed)
    }
}

/// Whether an order as if the certificate were new may go through: no renewal information, an old certificate that was
/// already replaced, or an answer that does not repeat which one is replaced.
fn is_about_replacing(error: &instant_acme::Error) -> bool {
    use instant_acme::Error::{Api, Other, Unsupported};
    match error {
        Unsupported(_) | Api(_) => true,
        Other(error) => error.to_string().starts_with("replaces field mismatch"),
        _ => false,
    }
}

async fn in_time<T>(
    limit: Duration,
    action: &'static str,
    work: impl Future<Output = Result<T, IssueError>>,
) -> Result<T, IssueError> {
    tokio::time::timeout(limit, work).await.unwrap_or(Err(IssueError::TooLate { action }))
}

fn builder(directory: &Directory) -> Result<AccountBuilder, IssueError> {
    let builder = match &directory.root {
        Some(root) => Account::builder_with_root(root),
        None => Account::builder(),
    };
    builder.map_err(|source| IssueError::Authority { action: "prepare TLS for the authority", source })
}

/// Removes what this run, or one before it, has published.
async fn clean(dns: &impl Dns01, records: &[String]) -> Result<(), IssueError> {
    let mut first = Ok(());
    for record in records {
        let failed = |action| move |source| IssueError::Dns { action, record: record.clone(), source };
        let values = match dns.leftovers(record).await.map_err(failed("look at")) {
            Ok(values) => values,
            Err(error) => {
                first = first.and(Err(error));
                continue;
            }
        };
        for value in values {
            first = first.and(dns.remove(record, &value).await.map_err(failed("remove")));
        }
    }
    first
}

/// Answers the challenges that are still open.
async fn prove(dns: &impl Dns01, order: &mut Order) -> Result<(), IssueError> {
    let mut authorizations = order.authorizations();
    while let Some(authorization) = authorizations.next().await {
        let failed = |source| IssueError::Authority { action: "read what the authority wants to see", source };
        let mut authorization = authorization.map_err(failed)?;
        if authorization.status == AuthorizationStatus::Valid {
            continue;
        }
        let host = authorization.identifier().to_string();
        let record = record_name(&host)?;
        let mut challenge = authorization.challenge(ChallengeType::Dns01).ok_or(IssueError::NoDnsChallenge { host })?;
        let value = challenge.key_authorization().dns_value();
        let failed = |source| IssueError::Dns { action: "publish", record: record.clone(), source };
        dns.publish(&record, &value).await.map_err(failed)?;
        let failed = |source| IssueError::Authority { action: "tell the authority to look", source };
        challenge.set_ready().await.map_err(failed)?;
    }
    Ok(())
}

/// Waits until the authority is convinced, hands in the request and waits for the certificate.
async fn fetch(order: &mut Order, hosts: &[&str], request: &[u8]) -> Result<String, IssueError> {
    let failed = |action| move |source| IssueError::Authority { action, source };
    let refused = |source| IssueError::Refused { hosts: hosts.join("`, `"), source };
    match order.poll_ready(&PATIENCE).await {
        Ok(OrderStatus::Ready) => order.finalize_csr(request).await.map_err(failed("hand in the request"))?,
        Ok(OrderStatus::Processing | OrderStatus::Valid) => {}
        Ok(_) => return Err(refused(reasons(order).await.map(Into::into))),
        Err(source @ instant_acme::Error::Api(_)) => {
            return Err(match reasons(order).await {
                Some(reasons) => refused(Some(reasons.into())),
                None => failed("wait until the authority has looked")(source),
            });
        }
        Err(source) => return Err(failed("wait until the authority has looked")(source)),
    }
    order.poll_certificate(&PATIENCE).await.map_err(failed("fetch the certificate"))
}

/// What the authority found wrong with each challenge; `None` when it does not tell.
async fn reasons(order: &mut Order) -> Option<String> {
    let mut reasons = Vec::new();
    let mut authorizations = order.authorizations();
    while let Some(authorization) = authorizations.next().await {
        let Ok(mut authorization) = authorization else { continue };
        // What is remembered may be from before the authority looked.
        let Ok(state) = authorization.refresh().await else { continue };
        let errors = state.challenges.iter().filter_map(|challenge| challenge.error.as_ref());
        let errors: Vec<String> = errors.map(ToString::to_string).collect();
        let host = authorization.identifier().to_string();
        reasons.extend(errors.iter().map(|error| format!("`{host}`: {error}")));
    }
    if reasons.is_empty() { None } else { Some(reasons.join("; ")) }
}

fn identifier(leaf: &Certificate) -> Option<CertificateIdentifier<'static>> {
    let authority = leaf.facts.authority_key_id.as_deref()?;
    Some(CertificateIdentifier::new(authority.into(), leaf.serial().into()).into_owned())
}

/// The key in the form instant-acme takes beside its own.
fn instant_acme_key(der: Vec<u8>) -> rustls_pki_types::PrivateKeyDer<'static> {
    rustls_pki_types::PrivatePkcs8KeyDer::from(der).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_authority_that_does_not_repeat_what_is_replaced_gets_an_ordinary_order() {
        let mismatch = "replaces field mismatch: expected Some(1), found None";
        assert!(is_about_replacing(&instant_acme::Error::Other(mismatch.into())));
        assert!(is_about_replacing(&instant_acme::Error::Unsupported("ACME renewal information (ARI)")));
        assert!(!is_about_replacing(&instant_acme::Error::Other("connection reset".into())));
        assert!(!is_about_replacing(&instant_acme::Error::Crypto));
    }
}
