//! PKCS#12 (RFC 7292): read in every form that is in use, written in one.

mod facts;
mod mac;
mod read;
mod write;

pub use facts::{Mac, PfxFacts};
pub(crate) use read::{Read, read};
pub use write::{DEFAULT_ROUNDS, PasswordRule, PfxOptions, WriteError};
