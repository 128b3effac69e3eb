//! Issues and renews by ACME (RFC 8555) with DNS-01 challenges; feature `acme`.
//!
//! Who can write TXT records is somebody else's business: [`Dns01`] is the seam. Everything is made so that a run that
//! was killed is resumed by running it again: an account is found by its key, the key of the certificate is made and
//! kept by the caller before the first request, and records that a killed run left behind are removed by the next one.
//!
//! ```no_run
//! use certs::acme::{Acme, Applicant, Directory, Dns01, DnsError};
//! use certs::make::KeyType;
//! use certs::PrivateKey;
//!
//! # struct Zone;
//! # impl Dns01 for Zone {
//! #     async fn publish(&self, _: &str, _: &str) -> Result<(), DnsError> { Ok(()) }
//! #     async fn remove(&self, _: &str, _: &str) -> Result<(), DnsError> { Ok(()) }
//! #     async fn leftovers(&self, _: &str) -> Result<Vec<String>, DnsError> { Ok(Vec::new()) }
//! # }
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let directory = Directory::new("https://acme-v02.api.letsencrypt.org/directory");
//! // Keep both keys somewhere safe before they are used.
//! let (account, key) = (PrivateKey::generate(KeyType::P256)?, PrivateKey::generate(KeyType::Rsa2048)?);
//! let acme = Acme::open(&directory, &account, &Applicant::default()).await?;
//! let issued = acme.issue(&Zone, &["automator.example.com"], &key, None).await?;
//! if let Some(error) = issued.left_behind {
//!     eprintln!("failed to {error}; the next run does it");
//! }
//! # Ok(())
//! # }
//! ```

mod dns;
mod error;
mod issue;
mod register;

pub use dns::{Dns01, DnsError, record_name};
pub use error::IssueError;
pub use issue::{Acme, Directory, ExternalAccount, Issued, RenewalWindow};
pub use register::Applicant;
