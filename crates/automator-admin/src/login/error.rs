//! Why there is no session.

use keeper_wire::messages::authentication::{EncryptedDataKeyType, LoginState, SessionTokenType};

/// The command with which a person signs in.
pub const SIGN_IN: &str = "run keeper-automator keeper login once, in a terminal";

/// What helps against `restricted_client_type`.
pub const RESTRICTED_CLIENT: &str = "a role forbids programs such as this one: in the Admin Console, Roles, Enforcement Policies, \
     Platform Restrictions, allow \"Commander SDK\" for the role of this user";

/// Why there is no session. Every one of them has a hint with the one thing to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LoginError {
    /// The clone code was not taken, and there is nothing else to sign in with.
    #[error("resume the session, because Keeper did not take the stored clone code{}{}", cause(*.lost), said(.message))]
    NotResumed {
        /// Whether an earlier run is known to have sent this code without ever getting the answer.
        lost: bool,
        /// Keeper's text.
        message: String,
    },
    /// The configuration has no device, and there is nobody to approve a new one.
    #[error("sign in, because the configuration holds no registered device")]
    NoDevice,
    /// The configuration names no account.
    #[error("sign in, because neither the configuration nor the caller name a user")]
    NoUser,
    /// Keeper does not know the device any more.
    #[error("sign in, because Keeper does not know this device any more{}", said(.message))]
    UnknownDevice {
        /// Keeper's text.
        message: String,
    },
    /// The device has to be approved, and nobody gives the code.
    #[error("sign in, because Keeper asks for approval of this device (DEVICE_APPROVAL_REQUIRED){}", said(.message))]
    NotApproved {
        /// Keeper's text.
        message: String,
    },
    /// The password is needed and there is none.
    #[error("sign in, because Keeper asks for the master password (REQUIRES_AUTH_HASH) and there is none")]
    NoPassword,
    /// The password is wrong.
    #[error("sign in, because the master password is wrong{}", said(.message))]
    WrongPassword {
        /// Keeper's text.
        message: String,
    },
    /// A second factor is needed that nobody gives.
    #[error("sign in, because Keeper asks for a second factor (REQUIRES_2FA): {channels}")]
    NoSecondFactor {
        /// Which ones the account has.
        channels: String,
    },
    /// The secret of the second factor is none.
    #[error("sign in, because the secret of the second factor cannot be used: {why}")]
    BadSecondFactor {
        /// What is wrong with it.
        why: &'static str,
    },
    /// The second factor was not taken.
    #[error("sign in, because the code of the second factor was not taken{}", said(.message))]
    WrongSecondFactor {
        /// Keeper's text.
        message: String,
    },
    /// The account signs in through a browser.
    #[error("sign in, because this account signs in through its identity provider ({})", .state.name())]
    Sso {
        /// Which of the two kinds.
        state: LoginState,
    },
    /// Another state that a program cannot leave.
    #[error("sign in, because the login ended in the state {}{}", LoginState::told(*.state), said(.message))]
    Stopped {
        /// Its number.
        state: i32,
        /// Keeper's text.
        message: String,
    },
    /// The session may not do everything.
    #[error("use the session, because it is restricted: {}", SessionTokenType::told(*.kind))]
    Restricted {
        /// The number of its kind.
        kind: i32,
    },
    /// The data key of the account cannot be opened.
    #[error("open the account's data key ({}): {why}", EncryptedDataKeyType::told(*.kind))]
    DataKey {
        /// The number of its kind.
        kind: i32,
        /// Why.
        why: &'static str,
    },
}

fn cause(lost: bool) -> &'static str {
    if lost { ": an earlier run sent this code, which is good once, and never got the answer" } else { "" }
}

fn said(message: &str) -> String {
    if message.is_empty() { String::new() } else { format!("; Keeper said: {message}") }
}

impl LoginError {
    /// A stable name for programs, in kebab-case.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotResumed { .. } => "keeper-login-not-resumed",
            Self::NoDevice => "keeper-login-no-device",
            Self::NoUser => "keeper-login-no-user",
            Self::UnknownDevice { .. } => "keeper-login-unknown-device",
            Self::NotApproved { .. } => "keeper-login-device-approval",
            Self::NoPassword => "keeper-login-no-password",
            Self::WrongPassword { .. } => "keeper-login-wrong-password",
            Self::NoSecondFactor { .. } => "keeper-login-second-factor",
            Self::BadSecondFactor { .. } => "keeper-login-bad-second-factor",
            Self::WrongSecondFactor { .. } => "keeper-login-wrong-second-factor",
            Self::Sso { .. } => "keeper-login-sso",
            Self::Stopped { .. } => "keeper-login-stopped",
            Self::Restricted { .. } => "keeper-login-restricted",
            Self::DataKey { .. } => "keeper-login-data-key",
        }
    }

    /// Keeper's own text, where it said something.
    #[must_use]
    pub fn server_text(&self) -> Option<&str> {
        match self {
            Self::NotResumed { message, .. }
            | Self::UnknownDevice { message }
            | Self::NotApproved { message }
            | Self::WrongPassword { message }
            | Self::WrongSecondFactor { message }
            | Self::Stopped { message, .. } => Some(message),
            _ => None,
        }
    }

    /// The one thing to do about it, where there is one.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::NotResumed { .. } => format!(
                "{SIGN_IN}, or give the master password. The code is good for one login: another run or a copy of the file used \
                 it, the answer to the last login was lost, the session timer ran out, or a role now forbids to stay signed in"
            ),
            Self::NoDevice | Self::UnknownDevice { .. } | Self::NotApproved { .. } => SIGN_IN.to_owned(),
            Self::NoUser => "give the e-mail address of the account".to_owned(),
            Self::NoPassword => format!("{SIGN_IN}, or give the master password"),
            Self::WrongPassword { .. } => "correct the master password; Keeper locks an account after many wrong ones".to_owned(),
            Self::NoSecondFactor { .. } => format!(
                "{SIGN_IN}, or give a code or the secret of the authenticator app. Security keys and push approvals cannot be \
                 answered by a program"
            ),
            Self::BadSecondFactor { .. } => {
                "write the secret as the set-up of the authenticator app shows it: the text, not the picture and not a code".to_owned()
            }
            Self::WrongSecondFactor { .. } => {
                "give a code that is valid now; where it comes from a secret, look at this machine's clock".to_owned()
            }
            Self::Sso { .. } => {
                "use manual mode, which shows the steps for the browser and waits; or sign in as an administrator with a master \
                 password"
                    .to_owned()
            }
            Self::Stopped { state, .. } => stopped(LoginState::try_from(*state).unwrap_or(LoginState::Invalid)).to_owned(),
            Self::Restricted { kind } => {
                restricted(SessionTokenType::try_from(*kind).unwrap_or(SessionTokenType::Restrict)).to_owned()
            }
            Self::DataKey { .. } => format!("{SIGN_IN} with the master password"),
        })
    }
}

fn stopped(state: LoginState) -> &'static str {
    match state {
        LoginState::DeviceLocked | LoginState::DeviceAccountLocked => {
            "unlock this device in the Admin Console or in the web vault (Account Settings, Devices), then sign in again"
        }
        LoginState::AccountLocked => "have an administrator unlock the account in the Admin Console (Users)",
        LoginState::Upgrade => "Keeper asks for a newer client version: update this program",
        LoginState::LicenseExpired => "renew the Keeper licence",
        LoginState::RequiresDeviceEncryptedDataKey => {
            "approve this device in the Admin Console or from another device of the user, then run again"
        }
        LoginState::RequiresAccountCreation => "create the account first, by its invitation e-mail",
        LoginState::LoginTokenExpired => "the login took too long: run again",
        LoginState::PasskeyInitiateChallenge
        | LoginState::PasskeyAuthRequired
        | LoginState::PasskeyVerifyAuthentication
        | LoginState::AfterPasskeyLogin => "sign in with the master password: a program cannot answer for a passkey",
        _ => "sign in to the web vault as this user and see what it asks for",
    }
}

fn restricted(kind: SessionTokenType) -> &'static str {
    match kind {
        SessionTokenType::AccountRecovery => "the master password has expired: sign in to the web vault and change it",
        SessionTokenType::ShareAccount => "sign in to the web vault and accept or decline the account transfer",
        SessionTokenType::Purchase
        | SessionTokenType::Restrict
        | SessionTokenType::ExpiredButAllowedToSync
        | SessionTokenType::EnterpriseCreationPurchased => "renew the Keeper licence",
        SessionTokenType::AcceptInvite | SessionTokenType::AcceptFamilyInvite => {
            "sign in to the web vault and accept the invitation"
        }
        _ => "sign in to the web vault as this user and see what it asks for",
    }
}
