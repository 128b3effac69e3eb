//! Refusals, and what they mean.

use std::fmt;

/// A refusal in the service's own words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The operation's name in the protocol, such as `get_secret`.
    pub operation: &'static str,
    /// The HTTP status.
    pub status: u16,
    /// The code, from `result_code` or `error`; may be empty.
    pub code: String,
    /// The text for people, from `message` or `additional_info`; may be empty. At most 500 characters.
    pub message: String,
    /// What it means.
    pub cause: Cause,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}, because the service refused: {} (status {}, {}",
            self.operation, self.cause, self.status, self.code
        )?;
        if self.message.is_empty() { f.write_str(")") } else { write!(f, ": {})", self.message) }
    }
}

impl std::error::Error for Refusal {}

/// What a refusal means.
///
/// The service gives most of them one code, `access_denied`, and only its English text tells them apart; that text was
/// never seen for all of them (spec mark I). What is not recognised is [`Cause::Other`], with the text kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Cause {
    /// The device is locked to another address than ours.
    IpLocked,
    /// The application may read this share but not change it.
    ReadOnly,
    /// The device's access has an end, and it has passed.
    Expired,
    /// The device or application was taken away.
    Revoked,
    /// The account lives in another data centre.
    WrongRegion,
    /// The revision that was sent is not the newest.
    OutOfSync,
    /// The signature does not belong to this device.
    Signature,
    /// The one-time token was used, has expired, or never was one.
    Token,
    /// The announced client version is not, or no longer, known.
    ClientVersion,
    /// Anything else.
    Other,
}

impl Cause {
    /// Reads code and text, the latter in any letter case.
    pub(crate) fn of(code: &str, text: &str) -> Self {
        let text = text.to_ascii_lowercase();
        let says = |words: &[&str]| words.iter().any(|word| text.contains(word));
        match code {
            "invalid_client_version" => return Self::ClientVersion,
            "region_redirect" | "wrong_region" => return Self::WrongRegion,
            "out_of_sync" => return Self::OutOfSync,
            "read_only" => return Self::ReadOnly,
            _ => {}
        }
        if says(&["out of sync", "out-of-sync"]) {
            Self::OutOfSync
        } else if says(&["signature"]) {
            Self::Signature
        } else if says(&["ip address", "ip lock", "locked to", "ip-lock", "ip is locked", "address lock"]) {
            Self::IpLocked
        } else if says(&["token"]) {
            Self::Token
        } else if says(&["expire"]) {
            Self::Expired
        } else if says(&[
            "read only",
            "read-only",
            "readonly",
            "not editable",
            "edit permission",
            "is not allowed to edit",
        ]) {
            Self::ReadOnly
        } else if says(&["region", "data center", "data centre"]) {
            Self::WrongRegion
        } else if says(&["revoked", "removed", "was deleted", "unknown device", "unknown client", "application access"])
        {
            Self::Revoked
        } else if says(&["client version"]) {
            Self::ClientVersion
        } else {
            Self::Other
        }
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::IpLocked => "the device is locked to another address",
            Self::ReadOnly => "the share is read-only",
            Self::Expired => "the device has expired",
            Self::Revoked => "the device or its application was revoked",
            Self::WrongRegion => "the account is in another region",
            Self::OutOfSync => "the record was changed meanwhile",
            Self::Signature => "the signature is not that of the device",
            Self::Token => "the one-time token is used up or has expired",
            Self::ClientVersion => "the announced client version is not accepted",
            Self::Other => "no known reason",
        })
    }
}

impl Refusal {
    pub(super) fn hint(&self) -> &'static str {
        match self.cause {
            Cause::IpLocked => "make a device that is not locked to an address; tasks on Fargate change theirs",
            Cause::ReadOnly => "share the folder with the application as editable",
            Cause::Expired => "make a new device without an end of access",
            Cause::Revoked => "check that device and application are still there; if not, make a new device",
            Cause::WrongRegion => "use the host of the region in which the account lives",
            Cause::OutOfSync => "run it again: the record is read anew",
            Cause::Signature => "the private key is not that of the client id: take the configuration anew",
            Cause::Token => {
                "make a new one-time token; each is good for one device, and for an hour unless said otherwise"
            }
            Cause::ClientVersion => "set another registered version, see `CLIENT_VERSION`",
            Cause::Other => "",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn causes_are_told_apart_by_the_text() {
        for (code, text, cause) in [
            ("access_denied", "Record is out of sync", Cause::OutOfSync),
            ("access_denied", "Signature is invalid", Cause::Signature),
            ("access_denied", "Device is locked to another IP address", Cause::IpLocked),
            ("access_denied", "Access has expired", Cause::Expired),
            ("access_denied", "One time token expired", Cause::Token),
            ("access_denied", "Application has read-only access", Cause::ReadOnly),
            ("access_denied", "Client has been revoked", Cause::Revoked),
            ("access_denied", "Unable to validate Keeper application access", Cause::Revoked),
            ("region_redirect", "", Cause::WrongRegion),
            ("invalid_client_version", "", Cause::ClientVersion),
            ("access_denied", "Folder is inaccessible", Cause::Other),
            ("bad_request", "", Cause::Other),
        ] {
            assert_eq!(Cause::of(code, text), cause, "{code} {text}");
        }
    }
}
