//! Makes keys, requests, certificates for tests, and passwords.

mod authority;
mod key_type;
mod password;
mod request;

pub use authority::{Authority, self_signed};
pub use key_type::KeyType;
pub use password::{PASSWORD_LENGTH, generate_password};
pub use request::{SigningRequest, signing_request};

/// Why something was not made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MakeError {
    /// A host is neither a name nor an IP address.
    #[error("make a certificate for `{host}`, which is neither a host name nor an IP address")]
    Host {
        /// The host as it was given.
        host: String,
    },
    /// A certificate needs at least one host.
    #[error("make a certificate without a host name")]
    NoHost,
    /// The key cannot sign a request or a certificate here.
    #[error("sign with a key of the kind {0}")]
    KeyType(crate::KeyAlgorithm),
    /// A time is beyond what X.509 can say.
    #[error("write the validity into a certificate")]
    Time,
    /// The cryptographic library refused.
    #[error("make {what}")]
    Crypto {
        /// What was to be made.
        what: &'static str,
    },
}

impl MakeError {
    /// A stable word for machines.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Host { .. } => "make-host",
            Self::NoHost => "make-no-host",
            Self::KeyType(_) => "make-key-type",
            Self::Time => "make-time",
            Self::Crypto { .. } => "make-crypto",
        }
    }

    /// What a person can do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Host { .. } => "give a name such as `automator.example.com`, without scheme and port",
            Self::NoHost => "give the name that clients will call",
            Self::KeyType(_) => "take RSA 2048, 3072 or 4096, or ECDSA P-256 or P-384",
            Self::Time => "take a time between the years 1970 and 9999",
            Self::Crypto { .. } => "try again; the operating system may have given no random bytes",
        }
    }
}
