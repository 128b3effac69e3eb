//! What a login may ask a person.

use std::fmt;
use std::time::SystemTime;

use keeper_wire::messages::authentication::TwoFactorChannelType;
use secrecy::{ExposeSecret, SecretString};

/// Somebody who answers questions while a login runs.
pub trait Prompter: Send + Sync + 'static {
    /// The answer, or `None` when nobody answers. May block; it has a thread of its own.
    fn answer(&self, question: &Question) -> Option<SecretString>;
}

/// A question of a login.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Question {
    /// The master password of this account.
    Password {
        /// Its e-mail address.
        user: String,
        /// Whether the answer before was wrong.
        again: bool,
    },
    /// A code of the second factor.
    SecondFactor {
        /// Which one, such as `TOTP` or `SMS`, and its name.
        channel: String,
        /// Whether the answer before was wrong.
        again: bool,
    },
    /// The code that Keeper sent by e-mail, because this device is new.
    DeviceCode {
        /// The e-mail address.
        user: String,
        /// Whether the answer before was wrong.
        again: bool,
    },
}

impl fmt::Display for Question {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let again = match self {
            Self::Password { again, .. } | Self::SecondFactor { again, .. } | Self::DeviceCode { again, .. } => *again,
        };
        if again {
            f.write_str("that was wrong; ")?;
        }
        match self {
            Self::Password { user, .. } => write!(f, "master password of {user}"),
            Self::SecondFactor { channel, .. } => write!(f, "code of the second factor ({channel})"),
            Self::DeviceCode { user, .. } => write!(f, "code that Keeper sent to {user}, because this device is new"),
        }
    }
}

/// A second factor that needs nobody.
#[derive(Clone)]
pub enum SecondFactor {
    /// The secret of an authenticator app, base32 as it is shown when it is set up (six digits, 30 s, SHA-1).
    Secret(SecretString),
    /// A code that is valid now.
    Code(SecretString),
}

impl SecondFactor {
    /// The code at this moment; `None` for a secret that is none.
    pub(crate) fn code(&self) -> Option<SecretString> {
        match self {
            Self::Code(code) => Some(code.clone()),
            Self::Secret(secret) => {
                let plain: String = secret.expose_secret().chars().filter(|c| !matches!(c, ' ' | '-' | '=')).collect();
                let plain = zeroize::Zeroizing::new(plain.to_ascii_uppercase());
                let secret = totp_rs::Secret::try_from_base32(plain.as_str()).ok()?;
                let totp = totp_rs::Builder::new().with_secret(secret).build().ok()?;
                let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).ok()?.as_secs();
                Some(SecretString::from(totp.generate(now).to_string()))
            }
        }
    }

    /// Whether this can answer for a channel.
    pub(crate) fn suits(&self, channel: TwoFactorChannelType) -> bool {
        matches!(self, Self::Code(_)) || channel == TwoFactorChannelType::Totp
    }
}

impl fmt::Debug for SecondFactor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Secret(_) => "Secret(…)",
            Self::Code(_) => "Code(…)",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_gives_six_digits_however_it_is_spaced() {
        let code = |text: &str| SecondFactor::Secret(text.into()).code().map(|code| code.expose_secret().len());
        assert_eq!(code("JBSW Y3DP EHPK 3PXP JBSW Y3DP EHPK 3PXP"), Some(6));
        assert_eq!(code("jbswy3dpehpk3pxpjbswy3dpehpk3pxp"), Some(6));
        assert_eq!(code("1"), None);
    }
}
