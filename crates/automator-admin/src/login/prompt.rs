//! What a login may ask a person.

use std::fmt;
use std::time::SystemTime;

use keeper_wire::messages::authentication::TwoFactorChannelType;
use secrecy::{ExposeSecret, SecretString};
use zeroize::Zeroizing;

use super::LoginError;

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
    /// The code at this moment.
    pub(crate) fn code(&self) -> Result<SecretString, LoginError> {
        let secret = match self {
            Self::Code(code) => return Ok(code.clone()),
            Self::Secret(secret) => secret.expose_secret(),
        };
        let bad = |why| LoginError::BadSecondFactor { why };
        let mut plain = Zeroizing::new(String::with_capacity(secret.len()));
        plain.extend(secret.chars().filter(|c| !c.is_whitespace() && !matches!(c, '-' | '=')));
        plain.make_ascii_uppercase();
        let secret = totp_rs::Secret::try_from_base32(plain.as_str());
        let secret = secret.map_err(|_| bad("it is no base32, which has the letters A to Z and the digits 2 to 7"))?;
        if secret.as_bytes().is_empty() {
            return Err(bad("it is empty"));
        }
        // Some services give out secrets of 80 bits, fewer than the standard asks for.
        let totp = totp_rs::Builder::new().with_secret(secret).build_noncompliant();
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        Ok(SecretString::from(totp.generate(now.as_secs()).to_string()))
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
        let code = |text: &str| SecondFactor::Secret(text.into()).code().unwrap().expose_secret().len();
        assert_eq!(code("JBSW Y3DP EHPK 3PXP JBSW Y3DP EHPK 3PXP"), 6);
        assert_eq!(code("jbswy3dpehpk3pxpjbswy3dpehpk3pxp\n"), 6);
        assert_eq!(code("JBSWY3DPEHPK3PXP"), 6, "80 bits, as some services give out");
    }

    #[test]
    fn a_secret_that_is_none_is_told_with_the_cause() {
        for (text, cause) in
            [("JBSW-1", "no base32"), ("otpauth://totp/x", "no base32"), ("", "empty"), (" = ", "empty")]
        {
            let error = SecondFactor::Secret(text.into()).code().map(|_| ()).unwrap_err();
            assert!(error.to_string().contains(cause), "{text}: {error}");
            assert!(error.hint().is_some_and(|hint| hint.contains("authenticator app")), "{text}");
        }
    }
}
