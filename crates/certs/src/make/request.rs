//! Certificate signing requests (RFC 2986).

use rcgen::{CertificateParams, DistinguishedName, DnType, SanType};

use super::MakeError;
use crate::certificate::pem_block;
use crate::host::Host;
use crate::key::PrivateKey;

/// A certificate signing request; it holds no secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SigningRequest {
    der: Vec<u8>,
}

impl SigningRequest {
    /// The request in DER.
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// The request as one PEM block (`BEGIN CERTIFICATE REQUEST`), as authorities ask for it.
    pub fn pem(&self) -> String {
        pem_block("CERTIFICATE REQUEST", &self.der)
    }
}

/// Makes a request for the hosts, signed by the key (SHA-256, or SHA-384 with a P-384 key).
///
/// The first host is also the common name, as far as its 64 characters go; all are subject alternative names.
///
/// # Errors
///
/// [`MakeError`] for hosts that are none, and for kinds of keys that cannot sign here.
pub fn signing_request(key: &PrivateKey, hosts: &[&str]) -> Result<SigningRequest, MakeError> {
    let request = parameters(hosts)?
        .serialize_request(&key.signer()?)
        .map_err(|_| MakeError::Crypto { what: "a certificate signing request" })?;
    Ok(SigningRequest { der: request.der().to_vec() })
}

/// Names only; everything else is as rcgen has it.
pub(crate) fn parameters(hosts: &[&str]) -> Result<CertificateParams, MakeError> {
    let mut parameters = CertificateParams::default();
    let mut name = DistinguishedName::new();
    for host in hosts {
        let wrong = || MakeError::Host { host: (*host).to_owned() };
        // A wildcard is a name for certificates, but not for hosts.
        let (star, bare) = host.strip_prefix("*.").map_or(("", *host), |rest| ("*.", rest));
        let text = match Host::parse(bare).ok_or_else(wrong)? {
            Host::Name(ascii) => {
                let text = format!("{star}{ascii}");
                parameters.subject_alt_names.push(SanType::DnsName(text.clone().try_into().map_err(|_| wrong())?));
                text
            }
            Host::Address(_) if !star.is_empty() => return Err(wrong()),
            Host::Address(address) => {
                parameters.subject_alt_names.push(SanType::IpAddress(address));
                address.to_string()
            }
        };
        if parameters.subject_alt_names.len() == 1 && text.len() <= 64 {
            name.push(DnType::CommonName, text);
        }
    }
    if hosts.is_empty() {
        return Err(MakeError::NoHost);
    }
    parameters.distinguished_name = name;
    Ok(parameters)
}
