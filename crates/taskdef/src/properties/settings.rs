//! The settings behind the keys.

use secrecy::{ExposeSecret, SecretString};

use super::text::Properties;

/// The settings of the service as `keeper.properties` knows them. Absent means: not in the file, so the
/// service's own default or its environment decides. Keys without a member here travel in `extra`.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// Who ends TLS.
    pub ssl_mode: Option<SslMode>,
    /// Where the certificate is, below the service's own directory (C35).
    pub ssl_certificate_file: Option<String>,
    /// The password of the certificate file; empty means the password file beside it (C21).
    pub ssl_certificate_file_password: Option<SecretString>,
    /// The password of the key; the same or empty (C21).
    pub ssl_certificate_key_password: Option<SecretString>,
    /// The certificate itself, base64, instead of a file.
    pub ssl_certificate: Option<SecretString>,
    /// The host the service compares with its certificate (C36).
    pub automator_host: Option<String>,
    /// The port it listens on.
    pub automator_port: Option<u16>,
    /// Whether it accepts a TLS server name that is not in its certificate (C34).
    pub disable_sni_check: Option<bool>,
    /// Whether its state survives a restart.
    pub persist_state: Option<bool>,
    /// The key to its configuration in the Keeper cloud.
    pub automator_config_key: Option<SecretString>,
    /// Whether it logs for debugging.
    pub automator_debug: Option<bool>,
    /// Domains of users it approves, separated by commas.
    pub email_domains: Option<String>,
    /// Whether that list counts.
    pub filter_by_email_domains: Option<bool>,
    /// Whether requests are limited in number.
    pub enable_rate_limits: Option<bool>,
    /// Addresses of users it approves.
    pub ip_allow: Option<String>,
    /// Addresses of users it refuses.
    pub ip_deny: Option<String>,
    /// Keys we do not know, passed through.
    pub extra: Properties,
}

/// Who ends TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SslMode {
    /// The service, with the certificate it is given.
    Certificate,
    /// The service, with a certificate it makes itself.
    SelfSigned,
    /// Somebody in front of it; the service speaks plain HTTP.
    None,
}

impl SslMode {
    /// The mode as the file spells it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Certificate => "certificate",
            Self::SelfSigned => "self_signed",
            Self::None => "none",
        }
    }

    fn parse(text: &str) -> Option<Self> {
        [Self::Certificate, Self::SelfSigned, Self::None].into_iter().find(|mode| mode.as_str() == text)
    }
}

/// A key whose value cannot be what it should be. The value is not shown.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{key}` in keeper.properties is {expected}")]
pub struct SettingsError {
    /// The key.
    pub key: &'static str,
    /// What its value should have been.
    pub expected: &'static str,
}

impl Settings {
    /// The port the service listens on when nothing is said.
    pub const DEFAULT_PORT: u16 = 8089;

    /// What the guide prints at step K4.
    ///
    /// ```
    /// let text = taskdef::properties::Settings::guide().to_properties().render();
    /// assert!(text.starts_with("ssl_mode=certificate\nssl_certificate_file=/config/ssl-certificate.pfx\n"));
    /// ```
    pub fn guide() -> Self {
        Self {
            ssl_mode: Some(SslMode::Certificate),
            ssl_certificate_file: Some("/config/ssl-certificate.pfx".to_owned()),
            ssl_certificate_file_password: Some("".into()),
            ssl_certificate_key_password: Some("".into()),
            automator_host: Some("localhost".to_owned()),
            automator_port: Some(443),
            disable_sni_check: Some(true),
            persist_state: Some(true),
            ..Self::default()
        }
    }

    /// Who ends TLS, the service's default included.
    pub fn effective_ssl_mode(&self) -> SslMode {
        self.ssl_mode.unwrap_or(SslMode::Certificate)
    }

    /// The port the service listens on, its default included.
    pub fn effective_port(&self) -> u16 {
        self.automator_port.unwrap_or(Self::DEFAULT_PORT)
    }

    /// Reads settings from a file's keys and values.
    pub fn from_properties(properties: &Properties) -> Result<Self, SettingsError> {
        let mut settings = Self::default();
        for (key, value) in properties.iter() {
            match key {
                "ssl_mode" => settings.ssl_mode = Some(SslMode::parse(value).ok_or(MODE)?),
                "ssl_certificate_file" => settings.ssl_certificate_file = Some(value.to_owned()),
                "ssl_certificate_file_password" => settings.ssl_certificate_file_password = Some(value.into()),
                "ssl_certificate_key_password" => settings.ssl_certificate_key_password = Some(value.into()),
                "ssl_certificate" => settings.ssl_certificate = Some(value.into()),
                "automator_host" => settings.automator_host = Some(value.to_owned()),
                "automator_port" => settings.automator_port = Some(port(value).ok_or(PORT)?),
                "disable_sni_check" => settings.disable_sni_check = Some(flag("disable_sni_check", value)?),
                "persist_state" => settings.persist_state = Some(flag("persist_state", value)?),
                "automator_config_key" => settings.automator_config_key = Some(value.into()),
                "automator_debug" => settings.automator_debug = Some(flag("automator_debug", value)?),
                "email_domains" => settings.email_domains = Some(value.to_owned()),
                "filter_by_email_domains" => {
                    settings.filter_by_email_domains = Some(flag("filter_by_email_domains", value)?);
                }
                "enable_rate_limits" => settings.enable_rate_limits = Some(flag("enable_rate_limits", value)?),
                "ip_allow" => settings.ip_allow = Some(value.to_owned()),
                "ip_deny" => settings.ip_deny = Some(value.to_owned()),
                _ => settings.extra.set(key, value),
            }
        }
        Ok(settings)
    }

    /// Writes settings as keys and values, in the guide's order.
    pub fn to_properties(&self) -> Properties {
        let text = |value: &Option<String>| value.clone();
        let secret = |value: &Option<SecretString>| value.as_ref().map(|value| value.expose_secret().to_owned());
        let flag = |value: Option<bool>| value.map(|value| value.to_string());
        let known = [
            ("ssl_mode", self.ssl_mode.map(|mode| mode.as_str().to_owned())),
            ("ssl_certificate_file", text(&self.ssl_certificate_file)),
            ("ssl_certificate_file_password", secret(&self.ssl_certificate_file_password)),
            ("ssl_certificate_key_password", secret(&self.ssl_certificate_key_password)),
            ("automator_host", text(&self.automator_host)),
            ("automator_port", self.automator_port.map(|port| port.to_string())),
            ("disable_sni_check", flag(self.disable_sni_check)),
            ("persist_state", flag(self.persist_state)),
            ("ssl_certificate", secret(&self.ssl_certificate)),
            ("automator_config_key", secret(&self.automator_config_key)),
            ("automator_debug", flag(self.automator_debug)),
            ("email_domains", text(&self.email_domains)),
            ("filter_by_email_domains", flag(self.filter_by_email_domains)),
            ("enable_rate_limits", flag(self.enable_rate_limits)),
            ("ip_allow", text(&self.ip_allow)),
            ("ip_deny", text(&self.ip_deny)),
        ];
        let extra = self.extra.iter().map(|(key, value)| (key.to_owned(), value.to_owned()));
        known.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?))).chain(extra).collect()
    }
}

const MODE: SettingsError = SettingsError { key: "ssl_mode", expected: "not `certificate`, `self_signed` or `none`" };
const PORT: SettingsError = SettingsError { key: "automator_port", expected: "not a port from 1 to 65535" };

fn port(text: &str) -> Option<u16> {
    text.trim().parse().ok().filter(|port| *port != 0)
}

fn flag(key: &'static str, text: &str) -> Result<bool, SettingsError> {
    match text.trim().to_ascii_lowercase().as_str() {
        "true" => Ok(true),
        "false" => Ok(false),
        _ => Err(SettingsError { key, expected: "neither `true` nor `false`" }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_guides_file_is_rendered_as_printed() {
        let text = "ssl_mode=certificate\nssl_certificate_file=/config/ssl-certificate.pfx\n\
                    ssl_certificate_file_password=\nssl_certificate_key_password=\nautomator_host=localhost\n\
                    automator_port=443\ndisable_sni_check=true\npersist_state=true\n";
        assert_eq!(Settings::guide().to_properties().render(), text);
        let read = Settings::from_properties(&Properties::parse(text.as_bytes()).unwrap()).unwrap();
        assert_eq!(read.to_properties().render(), text);
    }

    #[test]
    fn unknown_keys_pass_through() {
        let properties = Properties::from_iter([("tenant_mode", "many"), ("ssl_mode", "none")]);
        let settings = Settings::from_properties(&properties).unwrap();
        assert_eq!(settings.effective_ssl_mode(), SslMode::None);
        assert_eq!(settings.effective_port(), Settings::DEFAULT_PORT);
        assert_eq!(settings.to_properties().render(), "ssl_mode=none\ntenant_mode=many\n");
    }

    #[test]
    fn values_that_cannot_be_are_refused_unshown() {
        for (key, value) in
            [("ssl_mode", "on"), ("automator_port", "0"), ("automator_port", "70000"), ("persist_state", "yes")]
        {
            let error = Settings::from_properties(&Properties::from_iter([(key, value)])).unwrap_err();
            assert_eq!(error.key, key);
            assert!(!error.to_string().contains(&format!("`{value}`")) || value == "none", "{error}");
        }
    }
}
