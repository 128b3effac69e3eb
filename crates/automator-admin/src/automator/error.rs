use super::{AutomatorId, AutomatorState};

/// What can be wrong with an Automator.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AutomatorError {
    /// The back end said no, with status 200 and a text.
    #[error("{verb} {what}, because Keeper refused it: {}", if .message.is_empty() { "it gave no reason" } else { .message })]
    Refused {
        /// The verb, such as `setup`.
        verb: &'static str,
        /// Which Automator, or the name and node of a new one.
        what: String,
        /// Keeper's text.
        message: String,
        /// Whether the enterprise's data show no SSO Connect Cloud on the node of a new one.
        node_without_sso: bool,
    },
    /// There is none.
    #[error("find the Automator {wanted}")]
    NotFound {
        /// Id or name.
        wanted: String,
    },
    /// Several of one name on one node.
    #[error("choose the Automator {name:?} on node {node}, because several have this name: {}", listed(.ids))]
    Ambiguous {
        /// The name.
        name: String,
        /// The node.
        node: i64,
        /// All of them.
        ids: Vec<AutomatorId>,
    },
    /// The name belongs to one on another node; the back end would give the new one another name.
    #[error("create the Automator {name:?}, because one of that name is on node {node}")]
    NameTaken {
        /// The name.
        name: String,
        /// The other node.
        node: i64,
    },
    /// Keeper said yes, and a second look shows something else.
    #[error("{verb} the Automator {id}, because Keeper accepted it and a second look shows {found}")]
    NotTaken {
        /// The verb.
        verb: &'static str,
        /// Which one.
        id: AutomatorId,
        /// What was seen.
        found: String,
    },
    /// Keeper calls the Automator at its address, and it has none.
    #[error("set up the Automator {id}, because it has no URL")]
    NoUrl {
        /// Which one.
        id: AutomatorId,
    },
    /// The address is none.
    #[error("use {url:?} as the Automator's URL: expected https:// and a host")]
    Url {
        /// What was given.
        url: String,
    },
    /// There is no such setting.
    #[error("set {name:?} of the Automator: it has {known}")]
    UnknownSetting {
        /// What was asked for.
        name: String,
        /// The settings it has.
        known: String,
    },
    /// A value does not fit its setting.
    #[error("set {name:?} of the Automator: expected {expected}")]
    SettingValue {
        /// The setting.
        name: String,
        /// What belongs there.
        expected: &'static str,
    },
    /// The person did not confirm the key.
    #[error("set up the Automator {id}, because the fingerprint of its key was not confirmed: {fingerprint}")]
    NotConfirmed {
        /// Which one.
        id: AutomatorId,
        /// SHA-256 of the key.
        fingerprint: String,
    },
    /// The key that came back is none.
    #[error("set up the Automator {id}: its public key was expected, 65 bytes of P-256")]
    BadKey {
        /// Which one.
        id: AutomatorId,
    },
    /// It needs to be set up, which was not among the steps that were agreed to.
    #[error("set up the Automator {id}, because that was not planned: its state is now {}", .state.name())]
    NotPlanned {
        /// Which one.
        id: AutomatorId,
        /// Its state.
        state: AutomatorState,
    },
    /// It is neither ready nor on the way.
    #[error("bring the Automator {id} to the wanted state: it stays {}", .state.name())]
    Stuck {
        /// Which one.
        id: AutomatorId,
        /// Its state.
        state: AutomatorState,
    },
}

fn listed(ids: &[AutomatorId]) -> String {
    ids.iter().map(AutomatorId::to_string).collect::<Vec<_>>().join(", ")
}

const REACH: &str = "Keeper's cloud calls the Automator: let its addresses through the balancer's security group (C11), point the DNS name at the \
     balancer, and see that the service has loaded its certificate";
const CHAIN: &str = "the certificate must be for the host of the URL and come with its intermediate certificates: `openssl s_client -showcerts` \
     shows more than one";
const SNI: &str =
    "when GET /health answers 400, host name and SNI do not fit: set disable_sni_check=true in keeper.properties";
const SSO: &str =
    "an Automator needs a node with an active SSO Connect Cloud service: choose that node, or set SSO up on this one";

impl AutomatorError {
    /// A stable name for programs, in kebab-case.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Refused { .. } => "keeper-automator-refused",
            Self::NotFound { .. } => "keeper-automator-not-found",
            Self::Ambiguous { .. } => "keeper-automator-ambiguous",
            Self::NameTaken { .. } => "keeper-automator-name-taken",
            Self::NotTaken { .. } => "keeper-automator-not-taken",
            Self::NoUrl { .. } | Self::Url { .. } => "keeper-automator-url",
            Self::UnknownSetting { .. } | Self::SettingValue { .. } => "keeper-automator-setting",
            Self::NotConfirmed { .. } => "keeper-automator-not-confirmed",
            Self::BadKey { .. } => "keeper-automator-key",
            Self::Stuck { .. } => "keeper-automator-stuck",
            Self::NotPlanned { .. } => "plan-got-worse",
        }
    }

    /// The one thing to do about it. For refusals it is what Keeper's troubleshooting pages say (spec 4.5), chosen by words of
    /// the back end's text.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        let text = match self {
            Self::Refused { verb, message, node_without_sso, .. } => refused(verb, message, *node_without_sso)?,
            Self::NotFound { .. } => "`keeper-automator keeper automator list` shows those there are",
            Self::Ambiguous { .. } => "name it by its id, and delete those that are not in use",
            Self::NameTaken { .. } => "use another name for the deployment, or delete that one",
            Self::NotTaken { .. } | Self::Stuck { .. } => {
                "look at its log with `keeper-automator keeper automator log`, and run again"
            }
            Self::NotPlanned { .. } => "it changed since the plan was made: run again and look at the new plan",
            Self::NoUrl { .. } => "set its URL first",
            Self::NotConfirmed { .. } => {
                "compare it with the key in the log of the Automator service; whoever holds this key gets the enterprise's keys"
            }
            Self::Url { .. } | Self::UnknownSetting { .. } | Self::SettingValue { .. } | Self::BadKey { .. } => {
                return None;
            }
        };
        Some(text.to_owned())
    }

    /// Keeper's own text.
    #[must_use]
    pub fn server_text(&self) -> Option<&str> {
        match self {
            Self::Refused { message, .. } => Some(message),
            _ => None,
        }
    }
}

fn refused(verb: &str, message: &str, node_without_sso: bool) -> Option<&'static str> {
    let text = message.to_lowercase();
    let has = |words: &[&str]| words.iter().any(|word| text.contains(word));
    if node_without_sso || has(&["sso"]) {
        return Some(SSO);
    }
    if has(&["sni", "health", "status 400", "http 400"]) {
        return Some(SNI);
    }
    if has(&["certificate", "ssl", "tls", "pkix", "subject", "hostname"]) {
        return Some(CHAIN);
    }
    if has(&["reach", "connect", "timed out", "timeout", "unreachable", "dns", "resolve", "no route"]) {
        return Some(REACH);
    }
    if has(&["not unique", "ambiguous"]) {
        return Some("name the Automator by its id");
    }
    if has(&["admin", "privilege", "permission", "denied"]) {
        return Some("sign in as a Keeper Administrator of the root node");
    }
    matches!(verb, "setup" | "init").then_some(REACH)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hints_follow_the_words_of_the_back_end() {
        let cases = [
            ("setup", "Unable to reach the automator", REACH),
            ("setup", "connection refused", REACH),
            ("init", "PKIX path building failed", CHAIN),
            ("setup", "No subject alternative DNS name matching a.example.com found", CHAIN),
            ("init", "health check returned status 400", SNI),
            ("create", "SSO Connect Cloud is not configured on this node", SSO),
            ("setup", "something new", REACH),
        ];
        for (verb, message, expected) in cases {
            assert_eq!(refused(verb, message, false), Some(expected), "{message}");
        }
        assert_eq!(refused("enable", "something new", false), None);
        assert_eq!(refused("create", "no", true), Some(SSO));
    }
}
