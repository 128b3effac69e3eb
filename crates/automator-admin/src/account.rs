//! The account: what it may do, its keys, and a preflight (spec 2.4 and 7.8).

use std::fmt;

use keeper_wire::crypto::Key;
use keeper_wire::ec::PrivateKey;
use keeper_wire::messages::account_summary as m;
use keeper_wire::{rsa, text};
use serde::Serialize;
use zeroize::Zeroizing;

use crate::enterprise::Enterprise;
use crate::{Error, Session};

/// The account of the session.
pub struct Account {
    /// E-mail address, in lower case.
    pub user: String,
    /// Whether Keeper takes it for an administrator of an enterprise.
    pub administrator: bool,
    /// The enterprise; 0 where there is none.
    pub enterprise_id: i32,
    /// Whether the enterprise forbids RSA (`forbidKeyType2`).
    pub forbids_rsa: bool,
    /// Whether the licence has Secrets Manager. In the descriptor only: no SDK of the vendor reads it.
    pub secrets_manager: bool,
    /// Whether persistent login is on.
    pub persistent_login: bool,
    /// Policies of the user's roles, key and value as text, in Keeper's order.
    pub policies: Vec<(String, String)>,
    pub(crate) keys: UserKeys,
}

impl fmt::Debug for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Account")
            .field("user", &self.user)
            .field("administrator", &self.administrator)
            .field("enterprise_id", &self.enterprise_id)
            .finish_non_exhaustive()
    }
}

/// The private keys of a user. Either may be missing.
#[derive(Clone)]
pub(crate) struct UserKeys {
    pub(crate) data: Key,
    /// PKCS#1 DER.
    pub(crate) rsa: Option<Zeroizing<Vec<u8>>>,
    pub(crate) ec: Option<PrivateKey>,
}

impl UserKeys {
    /// Opens a key of 32 bytes by the four ways of spec 7.5; `None` when it is not wrapped so or does not open.
    pub(crate) fn open(&self, kind: i32, sealed: &[u8]) -> Option<Key> {
        let plain = match kind {
            1 => self.data.open_cbc(sealed).ok()?,
            2 => rsa::open(self.rsa.as_ref()?, sealed).ok()?,
            3 => self.data.open(sealed).ok()?,
            4 => self.ec.as_ref()?.open(sealed).ok()?,
            _ => return None,
        };
        Key::from_slice(&plain).ok()
    }
}

/// What `whoami` tells. Holds no secret.
#[derive(Clone, Debug, Serialize)]
pub struct WhoAmI {
    /// E-mail address.
    pub user: String,
    /// The server.
    pub host: String,
    /// UID of the account, URL-safe base64.
    pub account_uid: String,
    /// Whether the account administers an enterprise.
    pub administrator: bool,
    /// Id of the enterprise, 0 for none.
    pub enterprise_id: i32,
    /// Whether the next run can resume without a question, as far as the account's settings say.
    pub persistent_login: bool,
    /// Whether the enterprise forbids RSA.
    pub forbids_rsa: bool,
    /// Whether Secrets Manager is licensed, as far as the account's summary says.
    pub secrets_manager: bool,
}

/// Something a preflight noticed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// Whether a deployment will fail because of it.
    pub severity: Severity,
    /// A stable name in kebab-case.
    pub code: &'static str,
    /// What was found and what to do.
    pub text: String,
}

/// How bad a [`Finding`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// The deployment cannot succeed.
    Blocks,
    /// It may fail, or something will be less than it could be.
    Warns,
}

impl Account {
    pub(crate) async fn ask(session: &Session) -> Result<Self, Error> {
        let request = m::AccountSummaryRequest { summary_version: 3, include_recent_activity: false };
        let answer: m::AccountSummaryElements = session.ask("login/account_summary", &request).await?;
        let sealed = answer.keys_info.unwrap_or_default();
        let data = session.data_key().clone();
        let open = |what: &'static str| move |_| Error::Reply { call: "account_summary", what, write: false };
        let rsa = match sealed.encrypted_private_key.as_slice() {
            [] => None,
            bytes => Some(data.open_cbc(bytes).map_err(open("the user's RSA key was expected under the data key"))?),
        };
        let ec = match sealed.encrypted_ecc_private_key.as_slice() {
            [] => None,
            bytes => {
                let what = "the user's P-256 key was expected under the data key";
                Some(PrivateKey::from_scalar(&data.open(bytes).map_err(open(what))?).map_err(open(what))?)
            }
        };
        let license = answer.license.unwrap_or_default();
        let rules = answer.enforcements.unwrap_or_default();
        let mut policies = Vec::new();
        policies.extend(rules.strings.into_iter().chain(rules.jsons).map(|rule| (rule.key, rule.value)));
        policies.extend(rules.booleans.into_iter().map(|rule| (rule.key, rule.value.to_string())));
        policies.extend(rules.longs.into_iter().map(|rule| (rule.key, rule.value.to_string())));
        Ok(Self {
            user: session.user().to_owned(),
            administrator: answer.is_enterprise_admin,
            enterprise_id: license.enterprise_id,
            forbids_rsa: answer.forbid_key_type2,
            secrets_manager: license.is_ksm_enabled,
            persistent_login: answer.settings.is_some_and(|settings| settings.persistent_login),
            policies,
            keys: UserKeys { data, rsa, ec },
        })
    }

    /// The value of a policy, key in lower case.
    #[must_use]
    pub fn policy(&self, key: &str) -> Option<&str> {
        self.policies.iter().find(|(name, _)| name.eq_ignore_ascii_case(key)).map(|(_, value)| value.as_str())
    }

    fn is_on(&self, key: &str) -> bool {
        self.policy(key).is_some_and(|value| value.eq_ignore_ascii_case("true"))
    }

    /// What stands in the way of a deployment, as far as the account's summary and the enterprise's data tell. Which privileges
    /// Keeper really demands is known only to production (spec 7.12), so most of it is a warning.
    #[must_use]
    pub fn preflight(&self, enterprise: Option<&Enterprise>) -> Vec<Finding> {
        let mut found = Vec::new();
        let mut tell = |severity, code, text: &str| found.push(Finding { severity, code, text: text.to_owned() });
        if !self.administrator {
            tell(
                Severity::Blocks,
                "not-administrator",
                "the user is no administrator of an enterprise: sign in as a Keeper Administrator of the root node",
            );
        }
        if enterprise.is_some_and(|enterprise| enterprise.is_root_administrator(&self.user) == Some(false)) {
            tell(
                Severity::Warns,
                "not-root-administrator",
                "no role of the user manages the root node with everything below it, which Keeper's guide asks for: if an Automator \
                 is refused, sign in as a root administrator",
            );
        }
        match self.policy("allow_secrets_manager") {
            Some(value) if value.eq_ignore_ascii_case("true") => {}
            Some(_) => tell(
                Severity::Blocks,
                "secrets-manager-policy",
                "the role policy \"allow secrets manager\" is off: switch it on in the Admin Console, Roles, Enforcement Policies",
            ),
            None => tell(
                Severity::Warns,
                "secrets-manager-policy",
                "no role policy allows Secrets Manager: if an application is refused, switch \"allow secrets manager\" on in the \
                 Admin Console, Roles, Enforcement Policies",
            ),
        }
        let licensed = self.secrets_manager || enterprise.is_some_and(|enterprise| enterprise.secrets_manager);
        if !licensed {
            tell(
                Severity::Warns,
                "secrets-manager-licence",
                "the licence does not show Secrets Manager: if an application is refused, order the add-on in the Admin Console",
            );
        }
        if self.is_on("restrict_persistent_login") {
            tell(
                Severity::Warns,
                "persistent-login-policy",
                "a role forbids to stay signed in: every run needs the master password and second factor",
            );
        }
        let steps = [
            ("restrict_create_shared_folder", "shared folders"),
            ("restrict_create_folder", "folders"),
            ("restrict_create_record", "records"),
            ("restrict_create_record_to_shared_folders", "records in shared folders"),
            ("restrict_file_upload", "attachments"),
            ("restrict_sharing_record_with_attachments", "shared records with attachments"),
            ("restrict_sharing_all_outgoing", "shares"),
        ];
        for (key, what) in steps {
            if self.is_on(key) {
                found.push(Finding {
                    severity: Severity::Warns,
                    code: "restricted-by-policy",
                    text: format!("the role policy {key} is on: Keeper may refuse {what}"),
                });
            }
        }
        if self.policy("master_password_reentry").is_some() {
            found.push(Finding {
                severity: Severity::Warns,
                code: "master-password-reentry",
                text: "a role asks for the master password before records change; whether Keeper enforces that on programs is unknown"
                    .to_owned(),
            });
        }
        found
    }
}

impl Session {
    /// Who this session is, for a person.
    ///
    /// # Errors
    /// As any call.
    pub async fn whoami(&self) -> Result<WhoAmI, Error> {
        let account = self.account().await?;
        Ok(WhoAmI {
            user: account.user.clone(),
            host: self.host().to_string(),
            account_uid: text::url(self.account_uid()),
            administrator: account.administrator,
            enterprise_id: account.enterprise_id,
            persistent_login: account.persistent_login,
            forbids_rsa: account.forbids_rsa,
            secrets_manager: account.secrets_manager,
        })
    }

    /// What stands in the way of a deployment; see [`Account::preflight`].
    ///
    /// # Errors
    /// As any call.
    pub async fn preflight(&self) -> Result<Vec<Finding>, Error> {
        let account = self.account().await?;
        let enterprise = if account.administrator { Some(self.enterprise().await?) } else { None };
        let mut found = account.preflight(enterprise.as_deref());
        if let Some(enterprise) = &enterprise
            && let Err(error) = enterprise.keys(account.forbids_rsa)
        {
            let error = Error::from(error);
            found.push(Finding {
                severity: Severity::Blocks,
                code: "enterprise-keys",
                text: format!("{error}: {}", error.hint().unwrap_or_default()),
            });
        }
        Ok(found)
    }
}
