//! What can go wrong while reading, each with a stable code and a next step.

use crate::key::BadKey;

/// Why a PKCS#12 file gives no [`Bundle`](crate::Bundle).
///
/// Messages are fragments that read on after "failed to"; none holds a password or bytes of a key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PfxError {
    /// The MAC, or without one the padding, does not fit the password.
    #[error("open the PKCS#12 file, because the password is wrong")]
    WrongPassword,
    /// The file's password is right, but the key inside has another one.
    #[error("open the private key, because its password is not that of the file")]
    KeyPasswordDiffers,
    /// An algorithm this crate knows by name only, or not at all.
    #[error("read the PKCS#12 file, because it uses {name}")]
    Unsupported {
        /// The usual name, or the dotted object identifier.
        name: String,
    },
    /// The bytes are not PKCS#12, or were changed on the way.
    #[error("read the PKCS#12 file, because {what}")]
    Corrupt {
        /// What was found; a fixed text.
        what: &'static str,
    },
    /// Key derivations ask for more rounds than [`MAX_ROUNDS`](crate::MAX_ROUNDS) together.
    #[error("open the PKCS#12 file, because it asks for more than {} rounds of key derivation", crate::MAX_ROUNDS)]
    TooMuchWork,
    /// The file or its number of certificates is beyond the limit.
    #[error("read the PKCS#12 file, because it is larger than {limit}")]
    TooLarge {
        /// The limit that was passed, for people.
        limit: &'static str,
    },
    /// There is no private key.
    #[error("find the private key in the PKCS#12 file, because there is none")]
    NoKey,
    /// There is more than one private key.
    #[error("choose a private key in the PKCS#12 file, because there are {count}")]
    SeveralKeys {
        /// How many different keys there are.
        count: usize,
    },
    /// No certificate carries the public half of the key.
    #[error("find the certificate of the private key among {certificates} in the PKCS#12 file")]
    KeyDoesNotMatch {
        /// How many certificates there are.
        certificates: usize,
    },
    /// The private half of the key does not give its public half: bits were changed.
    #[error("use the private key of the PKCS#12 file, because its parts do not belong together")]
    KeyDamaged,
}

impl PfxError {
    /// A stable word for machines.
    pub fn code(&self) -> &'static str {
        match self {
            Self::WrongPassword => "pfx-wrong-password",
            Self::KeyPasswordDiffers => "pfx-key-password-differs",
            Self::Unsupported { .. } => "pfx-unsupported",
            Self::Corrupt { .. } => "pfx-corrupt",
            Self::TooMuchWork => "pfx-too-much-work",
            Self::TooLarge { .. } => "pfx-too-large",
            Self::NoKey => "pfx-no-key",
            Self::SeveralKeys { .. } => "pfx-several-keys",
            Self::KeyDoesNotMatch { .. } => "pfx-key-does-not-match",
            Self::KeyDamaged => "pfx-key-damaged",
        }
    }

    /// What a person can do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::WrongPassword => {
                "check the password; if it comes from a file, look for blanks or a second line at its end"
            }
            Self::KeyPasswordDiffers => {
                "the Automator service has one password for both: set the key's password to that of the store and export again"
            }
            Self::Unsupported { .. } => "export the file again with AES-256 and SHA-256",
            Self::Corrupt { .. } => {
                "copy the file again in binary form; text that starts with `-----BEGIN` is PEM, not PKCS#12"
            }
            Self::TooMuchWork => "export the file again with fewer rounds, such as 10,000",
            Self::TooLarge { .. } => "export only the key, its certificate and the certificates of its issuers",
            Self::NoKey => "export again together with the private key; a trust store has none",
            Self::SeveralKeys { .. } => "export only the entry for the Automator host",
            Self::KeyDoesNotMatch { .. } => "export again together with the certificate that was issued for this key",
            Self::KeyDamaged => "take the file from a backup, or make a new key and have it certified",
        }
    }
}

/// Why PEM text gives no [`Bundle`](crate::Bundle).
///
/// Messages are fragments that read on after "failed to"; none holds a password or bytes of a key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PemError {
    /// The padding of the encrypted key does not fit the password.
    #[error("open the encrypted private key, because the password is wrong")]
    WrongPassword,
    /// The key is encrypted and no password was given.
    #[error("open the encrypted private key without a password")]
    PasswordMissing,
    /// An algorithm this crate knows by name only, or not at all.
    #[error("read the PEM text, because it uses {name}")]
    Unsupported {
        /// The usual name, or the dotted object identifier.
        name: String,
    },
    /// A block cannot be read.
    #[error("read the PEM block on line {line}, because {what}")]
    Corrupt {
        /// The line of its `BEGIN`, counted from one.
        line: usize,
        /// What was found; a fixed text.
        what: &'static str,
    },
    /// The key's encryption asks for more rounds than [`MAX_ROUNDS`](crate::MAX_ROUNDS).
    #[error("open the private key, because it asks for more than {} rounds of key derivation", crate::MAX_ROUNDS)]
    TooMuchWork,
    /// The text or its number of certificates is beyond the limit.
    #[error("read the PEM text, because it is larger than {limit}")]
    TooLarge {
        /// The limit that was passed, for people.
        limit: &'static str,
    },
    /// There is no private key.
    #[error("find the private key in the PEM text, because there is none")]
    NoKey,
    /// There is more than one private key.
    #[error("choose a private key in the PEM text, because there are {count}")]
    SeveralKeys {
        /// How many different keys there are.
        count: usize,
    },
    /// No certificate carries the public half of the key.
    #[error("find the certificate of the private key among {certificates} in the PEM text")]
    KeyDoesNotMatch {
        /// How many certificates there are.
        certificates: usize,
    },
    /// The private half of the key does not give its public half.
    #[error("use the private key of the PEM text, because its parts do not belong together")]
    KeyDamaged,
}

impl PemError {
    /// A stable word for machines.
    pub fn code(&self) -> &'static str {
        match self {
            Self::WrongPassword => "pem-wrong-password",
            Self::PasswordMissing => "pem-password-missing",
            Self::Unsupported { .. } => "pem-unsupported",
            Self::Corrupt { .. } => "pem-corrupt",
            Self::TooMuchWork => "pem-too-much-work",
            Self::TooLarge { .. } => "pem-too-large",
            Self::NoKey => "pem-no-key",
            Self::SeveralKeys { .. } => "pem-several-keys",
            Self::KeyDoesNotMatch { .. } => "pem-key-does-not-match",
            Self::KeyDamaged => "pem-key-damaged",
        }
    }

    /// What a person can do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::WrongPassword => "check the password of the private key",
            Self::PasswordMissing => "give the password of the private key",
            Self::Unsupported { .. } => "convert the key with `openssl pkcs8 -topk8 -v2 aes-256-cbc`",
            Self::Corrupt { .. } => "copy the block again, from its BEGIN line to its END line",
            Self::TooMuchWork => "encrypt the key again with fewer rounds, such as 10,000",
            Self::TooLarge { .. } => "keep only the key, its certificate and the certificates of its issuers",
            Self::NoKey => "add the private key; certificates alone are not enough",
            Self::SeveralKeys { .. } => "keep only the key of the Automator host",
            Self::KeyDoesNotMatch { .. } => "add the certificate that was issued for this key",
            Self::KeyDamaged => "take the key from a backup, or make a new one and have it certified",
        }
    }
}

/// Why a pile of keys and certificates is not one bundle, before it is known where it came from.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Unfit {
    NoKey,
    SeveralKeys(usize),
    NoMatch(usize),
    TooMany,
}

impl From<Unfit> for PfxError {
    fn from(unfit: Unfit) -> Self {
        match unfit {
            Unfit::NoKey => Self::NoKey,
            Unfit::SeveralKeys(count) => Self::SeveralKeys { count },
            Unfit::NoMatch(certificates) => Self::KeyDoesNotMatch { certificates },
            Unfit::TooMany => Self::TooLarge { limit: crate::bundle::TOO_MANY },
        }
    }
}

impl From<Unfit> for PemError {
    fn from(unfit: Unfit) -> Self {
        match unfit {
            Unfit::NoKey => Self::NoKey,
            Unfit::SeveralKeys(count) => Self::SeveralKeys { count },
            Unfit::NoMatch(certificates) => Self::KeyDoesNotMatch { certificates },
            Unfit::TooMany => Self::TooLarge { limit: crate::bundle::TOO_MANY },
        }
    }
}

impl From<BadKey> for PfxError {
    fn from(bad: BadKey) -> Self {
        match bad {
            BadKey::Malformed(what) => Self::Corrupt { what },
            BadKey::Unsupported(name) => Self::Unsupported { name },
            BadKey::Damaged => Self::KeyDamaged,
        }
    }
}
