//! What can go wrong while a certificate is issued.

use crate::error::PemError;
use crate::make::MakeError;

use super::DnsError;

/// Why no certificate was issued. Messages are fragments that read on after "failed to"; none holds a secret.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum IssueError {
    /// A host cannot be proved by DNS.
    #[error("prove `{host}` by DNS, because it is not a host name")]
    Host {
        /// The host as it was given.
        host: String,
    },
    /// The account key is not P-256.
    #[error("use the key of the ACME account, because it is not ECDSA P-256")]
    AccountKey,
    /// The authority takes its own customers only.
    #[error("register the ACME account, because the authority takes its own customers only")]
    NotACustomer,
    /// The customer's HMAC key is not base64url.
    #[error("read the customer's HMAC key, because it is not base64url")]
    CustomerKey,
    /// The authority, or the way to it.
    #[error("{action}")]
    Authority {
        /// What was being done.
        action: &'static str,
        /// What the authority or the network said.
        #[source]
        source: instant_acme::Error,
    },
    /// The authority did not offer DNS-01 for a host.
    #[error("prove `{host}` by DNS, because the authority offers no DNS-01 challenge for it")]
    NoDnsChallenge {
        /// The host.
        host: String,
    },
    /// The authority looked and was not convinced.
    #[error("convince the authority of `{hosts}`")]
    Refused {
        /// The hosts of the order.
        hosts: String,
        /// What it found wrong, if it told.
        #[source]
        source: Option<Box<dyn std::error::Error + Send + Sync>>,
    },
    /// The zone could not be read or changed.
    #[error("{action} the TXT record `{record}`")]
    Dns {
        /// What was being done.
        action: &'static str,
        /// The name of the record.
        record: String,
        /// What the zone's keeper said.
        #[source]
        source: DnsError,
    },
    /// The request could not be made.
    #[error("make the certificate signing request")]
    Request(#[source] MakeError),
    /// The authority's answer does not fit the key.
    #[error("use what the authority issued")]
    Answer(#[source] PemError),
    /// It took too long.
    #[error("{action} in time")]
    TooLate {
        /// What was being done.
        action: &'static str,
    },
}

impl IssueError {
    /// A stable word for machines.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Host { .. } => "acme-host",
            Self::AccountKey => "acme-account-key",
            Self::NotACustomer => "acme-not-a-customer",
            Self::CustomerKey => "acme-customer-key",
            Self::Authority { .. } => "acme-authority",
            Self::NoDnsChallenge { .. } => "acme-no-dns-challenge",
            Self::Refused { .. } => "acme-refused",
            Self::Dns { .. } => "acme-dns",
            Self::Request(_) => "acme-request",
            Self::Answer(_) => "acme-answer",
            Self::TooLate { .. } => "acme-too-late",
        }
    }

    /// What a person can do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Host { .. } => "give a host name such as `automator.example.com`",
            Self::AccountKey => "make the account's key with KeyType::P256",
            Self::NotACustomer => "give the key id and the HMAC key that the authority shows to its customers",
            Self::CustomerKey => "copy the HMAC key again as the authority shows it",
            Self::Authority { .. } => {
                "run it again; if it stays, look at the authority's limits and at its status page"
            }
            Self::NoDnsChallenge { .. } => "take an authority that offers DNS-01",
            Self::Refused { .. } => {
                "check that the zone is the public one, and that its CAA records allow the authority"
            }
            Self::Dns { .. } => "check the rights to change the zone, and run it again",
            Self::Request(_) => "take an RSA, P-256 or P-384 key",
            Self::Answer(_) => "run it again with the same key",
            Self::TooLate { .. } => "run it again: nothing is lost, and records left behind are removed",
        }
    }
}
