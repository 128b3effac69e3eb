//! The report and its parts.

use std::fmt;

use serde::Serialize;

/// How much a finding matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Good to know.
    Note,
    /// It may fail for somebody, or soon.
    Warning,
    /// It fails.
    Error,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Error => "error",
        })
    }
}

/// One thing that was found.
///
/// | id | severity | what |
/// | --- | --- | --- |
/// | `host-invalid` | error | the host to judge for is no host |
/// | `host-not-covered` | error | no subject alternative name covers the host |
/// | `host-only-in-common-name` | error | only the common name does, which clients ignore |
/// | `host-by-wildcard` | warning | a wildcard covers the host; the vendor asks for a name of its own |
/// | `common-name-differs` | warning | the common name is not the host, as the guide asks |
/// | `expired`, `not-yet-valid` | error | outside of the leaf's validity |
/// | `expires-soon` | warning | the leaf ends within [`EXPIRES_SOON_DAYS`](crate::EXPIRES_SOON_DAYS) |
/// | `lifetime-too-long` | note | longer than public authorities may issue |
/// | `key-not-for-acm` | error | ACM, or our policy, does not take this kind or size of key |
/// | `signature-weak` | error | the leaf or an intermediate is signed with SHA-1 or MD5 |
/// | `not-version-3` | error | no X.509 version 3 |
/// | `issuer-empty` | error | the issuer has no name |
/// | `ocsp-url-too-long` | error | an OCSP address has more than 1,000 characters |
/// | `not-for-servers` | error | the extended key usage leaves out server authentication |
/// | `for-any-use` | warning | only `anyExtendedKeyUsage` allows servers, which OpenSSL does not count |
/// | `key-usage` | warning | the key usage leaves out digital signatures |
/// | `leaf-is-ca` | error | the certificate of the key is an authority's |
/// | `self-signed` | warning | nobody trusts it without being told |
/// | `several-leaves` | note | several certificates carry the key |
/// | `chain-missing` | warning | no intermediate, and the issuer is not a known root |
/// | `chain-expired`, `chain-not-yet-valid` | error | an intermediate is outside of its validity |
/// | `chain-expires-first` | note | an intermediate ends before the leaf |
/// | `chain-not-an-authority` | error | an intermediate may not certify |
/// | `chain-too-long` | error | an authority allows fewer certificates below it |
/// | `chain-key-weak` | error | an intermediate has an RSA key below 2048 bits |
/// | `chain-reordered` | note | the file was not in issuing order |
/// | `leaf-not-first` | note | programs that take the first certificate take a wrong one |
/// | `root-included` | note | the root was in the file and is left out |
/// | `chain-alternatives` | note | there is another way up, by cross-signing |
/// | `unrelated-certificates` | warning | certificates that belong to something else |
/// | `acm-too-large` | error | a field is longer than ACM allows |
/// | `pfx-legacy-cipher` | warning | RC2 or 3DES |
/// | `pfx-not-for-java` | warning | AES-192, or 3DES under PBES2 |
/// | `pfx-no-mac`, `pfx-mac-digest`, `pfx-mac-salt`, `pfx-pbmac1` | warning | an integrity check Java may not read |
/// | `pfx-password-empty`, `pfx-password-not-ascii` | warning | a password Java may not take |
/// | `pfx-no-key-id` | warning | without a local key id Java gives a key that has no chain |
/// | `pfx-plain-key`, `pfx-nested` | warning | Java finds no key, and says nothing |
/// | `pfx-padded-lengths` | warning | lengths with needless digits, which Java refuses |
///
/// All ids that start with `pfx-` are mended by writing the file again with [`Bundle::to_pfx`](crate::Bundle::to_pfx).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Finding {
    /// A stable word for machines.
    pub id: &'static str,
    /// How much it matters.
    pub severity: Severity,
    /// What was found, as a sentence without a full stop.
    pub message: String,
    /// What a person can do about it.
    pub hint: &'static str,
}

/// What [`Bundle::judge`](crate::Bundle::judge) found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Report {
    /// Everything that was found, in a fixed order.
    pub findings: Vec<Finding>,
}

impl Report {
    /// The findings that make it fail.
    pub fn errors(&self) -> impl Iterator<Item = &Finding> {
        self.at_least(Severity::Error)
    }

    /// The findings of this severity and above.
    pub fn at_least(&self, severity: Severity) -> impl Iterator<Item = &Finding> {
        self.findings.iter().filter(move |finding| finding.severity >= severity)
    }

    /// Whether nothing makes it fail; warnings and notes may be there.
    pub fn is_usable(&self) -> bool {
        self.errors().next().is_none()
    }

    /// Whether a finding with this id is there.
    pub fn has(&self, id: &str) -> bool {
        self.findings.iter().any(|finding| finding.id == id)
    }

    /// Whether the Automator service may be unable to read the PKCS#12 file, and writing it again would help.
    pub fn wants_reencoding(&self) -> bool {
        self.findings.iter().any(|finding| finding.id.starts_with("pfx-"))
    }

    pub(super) fn error(&mut self, id: &'static str, message: String, hint: &'static str) {
        self.findings.push(Finding { id, severity: Severity::Error, message, hint });
    }

    pub(super) fn warning(&mut self, id: &'static str, message: String, hint: &'static str) {
        self.findings.push(Finding { id, severity: Severity::Warning, message, hint });
    }

    pub(super) fn note(&mut self, id: &'static str, message: String, hint: &'static str) {
        self.findings.push(Finding { id, severity: Severity::Note, message, hint });
    }
}
