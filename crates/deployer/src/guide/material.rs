//! What a deployment is made of that is not in the config file: the certificate and the device configuration. Read and judged
//! before the first call to AWS.

use certs::{AcmImport, Bundle, Finding, KeyAlgorithm, Severity};
use jiff::Timestamp;
use secrecy::zeroize::Zeroizing;
use secrecy::{ExposeSecret, SecretString};
use taskdef::Attachments;

use crate::config::{Config, KeeperHalf, SecretRef};
use crate::refusal::Refusal;

/// The certificate, ready for import, and the secret.
pub struct Material {
    /// The certificate's three parts.
    pub import: AcmImport,
    /// SHA-256 of the leaf.
    pub fingerprint: String,
    /// The kind and size of its key as ACM writes it: `RSA_2048`, `EC_prime256v1`.
    pub key_type: String,
    /// When the certificate ends, for people.
    pub not_after: String,
    /// Names of the record's files (C39).
    pub attachments: Attachments,
    /// The three files of the vault record (K3, K4).
    pub files: Files,
    /// The device configuration (C05), where a person made the device.
    pub ksm_config: Option<SecretString>,
    /// What a person should know and what does not stop the run.
    pub warnings: Vec<Finding>,
}

/// The contents of the three files of the vault record, under the names of [`Material::attachments`].
pub struct Files {
    /// The certificate, as PKCS#12.
    pub pfx: Zeroizing<Vec<u8>>,
    /// Its password, without a line end.
    pub password: SecretString,
    /// `keeper.properties`.
    pub properties: String,
}

/// How secrets are asked for.
pub trait Ask {
    /// The value of an environment variable.
    fn env(&self, name: &str) -> Option<String>;
    /// An answer typed without echo.
    fn prompt(&self, what: &str) -> std::io::Result<SecretString>;
}

impl Material {
    /// Reads and judges everything the config refers to.
    pub fn read(config: &Config, ask: &dyn Ask, now: Timestamp) -> Result<Self, Refusal> {
        let path = &config.certificate.pfx;
        let pfx = std::fs::read(path).map(Zeroizing::new).map_err(|error| {
            Refusal::new("pfx-unreadable", "K1", format!("read certificate.pfx `{}`", path.display()))
                .because(error.to_string())
        })?;
        let password = resolve(&config.certificate.password, ask, "K1")?;
        let bundle = Bundle::from_pfx(&pfx, &password).map_err(|error| {
            Refusal::new(error.code(), "K1", format!("read certificate.pfx `{}`", path.display()))
                .because(error.to_string())
                .hint(error.hint())
        })?;
        let report = bundle.judge(config.host.as_str(), now);
        if let Some(finding) = report.at_least(Severity::Error).next() {
            let refusal = Refusal::new(finding.id, "K1", format!("use certificate.pfx `{}`", path.display()));
            return Err(refusal.because(finding.message.clone()).hint(finding.hint.to_string()));
        }
        let import = bundle.acm().map_err(|error| {
            Refusal::new(error.code(), "A9", "convert certificate.pfx for ACM")
                .because(error.to_string())
                .hint(error.hint())
        })?;
        let ksm_config = match &config.keeper.half {
            KeeperHalf::Manual { ksm_config: Some(reference), .. } => Some(resolve(reference, ask, "K7")?),
            KeeperHalf::Manual { ksm_config: None, .. } | KeeperHalf::Login { .. } => None,
        };
        if ksm_config.as_ref().is_some_and(|text| text.expose_secret().trim().is_empty()) {
            return Err(Refusal::new("ksm-config-empty", "K7", "read keeper.ksm_config: it is empty"));
        }
        if let Some(text) = &ksm_config {
            judge_device(config, text)?;
        }
        let properties = super::properties::render(config);
        let leaf = bundle.leaf();
        let attachments = if config.guide_exact_names {
            Attachments::guide()
        } else {
            Attachments::generation(&leaf.serial_hex(), &aws_infra::digest(&[&properties])[..8])
        };
        Ok(Self {
            import,
            fingerprint: leaf.sha256_hex(),
            key_type: acm_spelling(leaf.key_algorithm()),
            not_after: leaf.not_after().strftime("%Y-%m-%d").to_string(),
            attachments,
            files: Files { pfx, password, properties },
            ksm_config,
            warnings: report.findings.iter().filter(|finding| finding.severity == Severity::Warning).cloned().collect(),
        })
    }

    /// Nothing: enough to find a deployment and to undo it, for which neither certificate nor secret is needed.
    pub fn unknown() -> Self {
        Self {
            import: AcmImport { body: String::new(), private_key: SecretString::from(""), chain: None },
            fingerprint: String::new(),
            key_type: String::new(),
            not_after: String::new(),
            attachments: Attachments::guide(),
            files: Files { pfx: Zeroizing::default(), password: SecretString::from(""), properties: String::new() },
            ksm_config: None,
            warnings: Vec::new(),
        }
    }
}

/// A device configuration that no task could use is refused before anything is made of it.
fn judge_device(config: &Config, text: &SecretString) -> Result<(), Refusal> {
    let device = ksm_client::Config::parse(text.expose_secret()).map_err(|error| {
        Refusal::new("ksm-config-invalid", "K7", "read keeper.ksm_config").because(error.to_string()).hint(error.hint())
    })?;
    judge_region(config, device.host(), "K7", "keeper.ksm_config")
}

/// Another region than the config's is refused: its cloud would not be let through to the balancer (C31). `field` names what
/// leads there.
pub(crate) fn judge_region(config: &Config, host: &keeper_wire::Host, step: &str, field: &str) -> Result<(), Refusal> {
    let here = config.keeper.region;
    match keeper_wire::Region::of(host) {
        Some(there) if keeper_wire::Region::named(&here.to_string()) != Some(there) => {
            let why = format!("it leads to {} ({}), and keeper.region is {here}", there.name, there.host);
            Err(Refusal::new("keeper-region-mismatch", step, format!("use {field}")).because(why))
        }
        _ => Ok(()),
    }
}

fn acm_spelling(key: &KeyAlgorithm) -> String {
    match key {
        KeyAlgorithm::Rsa(bits) => format!("RSA_{bits}"),
        KeyAlgorithm::P256 => "EC_prime256v1".to_owned(),
        KeyAlgorithm::P384 => "EC_secp384r1".to_owned(),
        KeyAlgorithm::P521 => "EC_secp521r1".to_owned(),
        // ACM takes none of these, and the judgement of the certificate has said so.
        other => other.to_string(),
    }
}

pub(crate) fn resolve(secret: &SecretRef, ask: &dyn Ask, step: &'static str) -> Result<SecretString, Refusal> {
    secret
        .resolve(&|what| ask.prompt(what), &|name| ask.env(name))
        .map_err(|error| Refusal::new(error.code(), step, format!("read {}", secret.field)).because(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_region_than_the_configs_is_refused_whoever_leads_there() {
        let config = Config::sandbox("unread.pfx".into(), "unread.txt".into());
        assert_eq!(config.keeper.region.to_string(), "EU");
        let judge = |host: &str| judge_region(&config, &host.parse().unwrap(), "A14", "keeper.login.config");
        assert!(judge("keepersecurity.eu").is_ok());
        assert!(judge("127.0.0.1:34607").is_ok(), "nobody knows that region");
        let refusal = judge("keepersecurity.com").unwrap_err();
        let failure = &refusal.failures[0];
        assert_eq!((failure.code.as_str(), failure.step.as_str()), ("keeper-region-mismatch", "A14"));
        assert_eq!(failure.causes, ["it leads to US (keepersecurity.com), and keeper.region is EU"]);
    }
}
