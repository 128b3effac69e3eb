//! Throw-away authorities and self-signed certificates, for tests and pretend worlds.

use std::fmt;

use jiff::{Span, Timestamp};
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair, KeyUsagePurpose,
};
use time::OffsetDateTime;

use super::MakeError;
use super::key_type::{KeyType, generate, private_key};
use super::request::parameters;
use crate::bundle::Bundle;
use crate::certificate::Certificate;

/// Days that a throw-away authority is valid before and after its making.
const DAYS: i64 = 3650;

/// A root and an intermediate whose keys live in memory only. Nobody trusts it unless told to.
///
/// `Debug` prints no key.
pub struct Authority {
    root: Certificate,
    intermediate: Certificate,
    issuer: CertifiedIssuer<'static, KeyPair>,
}

impl fmt::Debug for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Authority")
            .field("root", &self.root)
            .field("intermediate", &self.intermediate)
            .finish_non_exhaustive()
    }
}

impl Authority {
    /// Makes `{name} Root` and `{name} Intermediate` with P-256 keys, valid for ten years around `now`.
    ///
    /// # Errors
    ///
    /// [`MakeError::Crypto`] without random numbers, [`MakeError::Time`] for a `now` at the end of time.
    pub fn throw_away(name: &str, now: Timestamp) -> Result<Self, MakeError> {
        let span = Span::new().hours(DAYS * 24);
        let from = now.checked_sub(span).map_err(|_| MakeError::Time)?;
        let until = now.checked_add(span).map_err(|_| MakeError::Time)?;
        let crypto = |_| MakeError::Crypto { what: "a throw-away authority" };
        let root = authority(&format!("{name} Root"), None, from, until)?;
        let root = CertifiedIssuer::self_signed(root, generate(KeyType::P256)?).map_err(crypto)?;
        let below = authority(&format!("{name} Intermediate"), Some(0), from, until)?;
        let issuer = CertifiedIssuer::signed_by(below, generate(KeyType::P256)?, &root).map_err(crypto)?;
        Ok(Self { root: certificate(root.der())?, intermediate: certificate(issuer.der())?, issuer })
    }

    /// The self-signed root: what a client must trust.
    pub fn root(&self) -> &Certificate {
        &self.root
    }

    /// The certificate that stands between root and leaf.
    pub fn intermediate(&self) -> &Certificate {
        &self.intermediate
    }

    /// Makes a key and a server certificate for the hosts; the bundle's chain is the intermediate.
    ///
    /// Hosts are names, wildcards or IP addresses; the first is also the common name.
    ///
    /// # Errors
    ///
    /// [`MakeError`].
    pub fn issue(
        &self,
        hosts: &[&str],
        kind: KeyType,
        not_before: Timestamp,
        not_after: Timestamp,
    ) -> Result<Bundle, MakeError> {
        let key = generate(kind)?;
        let leaf = server(hosts, not_before, not_after)?
            .signed_by(&key, &self.issuer)
            .map_err(|_| MakeError::Crypto { what: "a certificate" })?;
        bundle(&key, &[leaf.der(), self.intermediate.der()])
    }
}

/// Makes a key and a certificate that it signs itself; for tests only, since clients must be told to trust it.
///
/// # Errors
///
/// [`MakeError`].
pub fn self_signed(
    hosts: &[&str],
    kind: KeyType,
    not_before: Timestamp,
    not_after: Timestamp,
) -> Result<Bundle, MakeError> {
    let key = generate(kind)?;
    let leaf = server(hosts, not_before, not_after)?
        .self_signed(&key)
        .map_err(|_| MakeError::Crypto { what: "a self-signed certificate" })?;
    bundle(&key, &[leaf.der()])
}

fn server(hosts: &[&str], from: Timestamp, until: Timestamp) -> Result<CertificateParams, MakeError> {
    let mut server = parameters(hosts)?;
    server.not_before = date(from)?;
    server.not_after = date(until)?;
    server.is_ca = IsCa::ExplicitNoCa;
    server.key_usages = vec![KeyUsagePurpose::DigitalSignature, KeyUsagePurpose::KeyEncipherment];
    server.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    server.use_authority_key_identifier_extension = true;
    Ok(server)
}

fn authority(name: &str, path: Option<u8>, from: Timestamp, until: Timestamp) -> Result<CertificateParams, MakeError> {
    let mut authority = CertificateParams::default();
    authority.distinguished_name = DistinguishedName::new();
    authority.distinguished_name.push(DnType::CommonName, name);
    authority.not_before = date(from)?;
    authority.not_after = date(until)?;
    authority.is_ca = IsCa::Ca(path.map_or(BasicConstraints::Unconstrained, BasicConstraints::Constrained));
    authority.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    authority.use_authority_key_identifier_extension = path.is_some();
    Ok(authority)
}

fn date(time: Timestamp) -> Result<OffsetDateTime, MakeError> {
    OffsetDateTime::from_unix_timestamp(time.as_second()).map_err(|_| MakeError::Time)
}

fn certificate(der: &[u8]) -> Result<Certificate, MakeError> {
    Certificate::from_der(der).map_err(|_| MakeError::Crypto { what: "a certificate" })
}

fn bundle(key: &KeyPair, certificates: &[&[u8]]) -> Result<Bundle, MakeError> {
    let certificates: Result<Vec<_>, _> = certificates.iter().map(|der| certificate(der)).collect();
    Bundle::new(private_key(key)?, certificates?).map_err(|_| MakeError::Crypto { what: "a bundle" })
}
