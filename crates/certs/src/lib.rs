//! Everything a certificate goes through: from the PKCS#12 file that an authority or a colleague sends to what a load
//! balancer imports, and back.
//!
//! Bytes and a time go in; bytes and reports come out. There is no input, output or clock in here, no OpenSSL, and no
//! async runtime.
//!
//! ```
//! use certs::make::{Authority, KeyType, generate_password};
//! use certs::{Bundle, Severity};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let now: jiff::Timestamp = "2026-11-25T00:00:00Z".parse()?;
//! let until = "2027-02-01T00:00:00Z".parse()?;
//!
//! // A throw-away authority stands in for the real one.
//! let authority = Authority::throw_away("Example", now)?;
//! let issued = authority.issue(&["automator.example.com"], KeyType::P256, now, until)?;
//!
//! // The file and the password the Automator service asks for.
//! let password = generate_password()?;
//! let pfx = issued.to_pfx(&password)?;
//!
//! // Read it as if it came from somewhere, and judge it.
//! let bundle = Bundle::from_pfx(&pfx, &password)?;
//! let report = bundle.judge("automator.example.com", now);
//! assert_eq!(report.at_least(Severity::Warning).count(), 0);
//! assert_eq!(bundle.leaf().days_left(now), 68);
//!
//! // The three fields of ACM's ImportCertificate: the chain has neither leaf nor root.
//! let import = bundle.acm()?;
//! assert_eq!(import.body.matches("BEGIN CERTIFICATE").count(), 1);
//! assert_eq!(import.chain.unwrap().matches("BEGIN CERTIFICATE").count(), 1);
//! # Ok(())
//! # }
//! ```
//!
//! # Chapters
//!
//! - **Read**: [`Bundle::from_pfx`] for PKCS#12 of any producer, [`Bundle::from_pem`] for PEM text in any order. Errors
//!   ([`PfxError`], [`PemError`]) tell a wrong password from a missing algorithm and from a broken file.
//! - **Judge**: [`Bundle::judge`] gives a [`Report`] of [`Finding`]s with stable ids.
//! - **Convert**: [`Bundle::acm`] for AWS Certificate Manager.
//! - **Write**: [`Bundle::to_pfx`], the one format that OpenSSL 3 and Java both read.
//! - **Make**: [`make`] for keys, requests, throw-away authorities and passwords.
//! - **Issue and renew** by ACME: module `acme`, behind the feature of that name, which brings tokio and an HTTP client.
//!
//! # Secrets
//!
//! Keys and passwords live in memory that is wiped, and no `Debug` or error prints one.

mod acm;
#[cfg(feature = "acme")]
pub mod acme;
mod ber;
mod bundle;
mod certificate;
mod chain;
mod der;
mod encryption;
mod error;
mod host;
mod judge;
mod key;
pub mod make;
mod oid;
mod password;
mod pem;
mod pfx;

pub use acm::{AcmError, AcmImport, MAX_BODY, MAX_CHAIN, MAX_PRIVATE_KEY};
pub use bundle::{Bundle, MAX_CERTIFICATES, Source};
pub use certificate::{Certificate, NotACertificate};
pub use encryption::{Encryption, MAX_ROUNDS};
pub use error::{PemError, PfxError};
pub use judge::{EXPIRES_SOON_DAYS, Finding, Report, Severity};
pub use key::{KeyAlgorithm, PrivateKey};
pub use pfx::{DEFAULT_ROUNDS, Mac, PasswordRule, PfxFacts, PfxOptions, WriteError};
