use std::fmt;

/// What can be wrong with bytes. None of them holds a byte of what it complains about.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A fixed-size thing has another size.
    #[error("a {what} has {expected} bytes, not {found}")]
    Length {
        /// Name of the thing.
        what: &'static str,
        /// Bytes it should have.
        expected: usize,
        /// Bytes it has.
        found: usize,
    },
    /// No base64 of either alphabet.
    #[error("not base64")]
    Base64,
    /// 65 bytes that are no point of P-256.
    #[error("not a point of the curve P-256")]
    Point,
    /// No private key of P-256.
    #[error("not a private key of the curve P-256")]
    PrivateKey,
    /// No RSA key.
    #[error("not an RSA key in PKCS#1 DER")]
    RsaKey,
    /// A sealed text that this key does not open.
    #[error("cannot be opened with this key: it was sealed with another one, cut short, or changed")]
    Sealed,
    /// Encryption parameters that are damaged.
    #[error("not the encryption parameters of a Keeper account: {0}")]
    EncryptionParams(&'static str),
    /// The password does not open what it should.
    #[error("the password is wrong")]
    Password,
    /// A server key id that is in no table.
    #[error("server key {0} is not known: known are {1}")]
    ServerKey(i32, Known),
    /// A host name that cannot be one.
    #[error("{0:?} is not a Keeper region, host or host:port: {1}")]
    Host(String, &'static str),
    /// A one-time token that cannot be one.
    #[error("not a one-time token: {0}")]
    Token(&'static str),
}

/// The key ids of a table, as they are told to a person: `7 to 18` or `9, 10`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known(pub(crate) Vec<i32>);

impl fmt::Display for Known {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut first = true;
        for run in self.0.chunk_by(|a, b| b - a == 1) {
            if !std::mem::take(&mut first) {
                f.write_str(", ")?;
            }
            match run {
                [one] => write!(f, "{one}")?,
                [from, .., to] => write!(f, "{from} to {to}")?,
                [] => {}
            }
        }
        if first { f.write_str("none") } else { Ok(()) }
    }
}
