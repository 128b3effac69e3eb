//! A certificate authority of the fake's own, made anew at each start.

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, KeyUsagePurpose};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use std::sync::Arc;
use tokio_rustls::TlsAcceptor;

type Failed = Box<dyn std::error::Error + Send + Sync>;

/// What accepts connections for `localhost`, `127.0.0.1` and `names`, and the authority in PEM.
pub(crate) fn acceptor(names: &[String]) -> Result<(TlsAcceptor, String), Failed> {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    // Python from 3.13 on refuses an authority that does not say that it signs certificates.
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.distinguished_name.push(DnType::CommonName, "keeper-fake");
    let ca = CertifiedIssuer::self_signed(params, KeyPair::generate()?)?;
    let key = KeyPair::generate()?;
    let own = ["localhost".to_owned(), "127.0.0.1".to_owned()];
    let mut params = CertificateParams::new(own.into_iter().chain(names.iter().cloned()).collect::<Vec<_>>())?;
    params.use_authority_key_identifier_extension = true;
    let certificate = params.signed_by(&key, &ca)?;
    let chain: Vec<CertificateDer<'static>> = vec![certificate.der().clone(), ca.der().clone()];
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(chain, PrivateKeyDer::try_from(key.serialize_der())?)?;
    Ok((TlsAcceptor::from(Arc::new(config)), ca.pem()))
}
