//! Both ends of a connection, with TLS or without.

use std::io::{self, Error};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::SystemTime;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, ToSocketAddrs};
use tokio_rustls::{TlsAcceptor, TlsConnector};

use super::account::RealAccount;
use super::message::Message;

/// What can be read from and written to.
pub(super) trait Duplex: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Duplex for T {}

/// A connection.
pub(super) type Stream = Box<dyn Duplex>;

/// Where requests are passed on to.
#[derive(Clone)]
pub(super) enum Upstream {
    /// Something on this machine.
    Here { address: SocketAddr, tls: Option<TlsConnector> },
    /// Each service of a real account.
    Account { account: RealAccount, tls: TlsConnector },
}

impl Upstream {
    /// A connection, and the request as it is made there.
    pub(super) async fn reach(&self, request: &Message) -> io::Result<(Stream, Vec<u8>)> {
        match self {
            Self::Here { address, tls } => {
                let stream = connect(address).await?;
                let stream: Stream = match tls {
                    Some(tls) => Box::new(tls.connect(address.ip().into(), stream).await?),
                    None => Box::new(stream),
                };
                Ok((stream, request.bytes(true, false)))
            }
            Self::Account { account, tls } => {
                let (place, signed) = account.signed(request, SystemTime::now()).await?;
                let stream: Stream = match place.plain {
                    Some(address) => Box::new(connect(address).await?),
                    None => {
                        let stream = connect((place.host.as_str(), 443)).await?;
                        let name = ServerName::try_from(place.host).map_err(Error::other)?;
                        Box::new(tls.connect(name, stream).await?)
                    }
                };
                Ok((stream, signed.bytes(true, false)))
            }
        }
    }
}

async fn connect(address: impl ToSocketAddrs) -> io::Result<TcpStream> {
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// Trusts the authorities that this machine trusts.
pub(super) fn public_connector() -> io::Result<TlsConnector> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    trusting(roots)
}

/// Trusts the authorities of a PEM text.
pub(super) fn connector(trusted: &str) -> io::Result<TlsConnector> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(trusted.as_bytes()) {
        roots.add(certificate.map_err(Error::other)?).map_err(Error::other)?;
    }
    trusting(roots)
}

fn trusting(roots: RootCertStore) -> io::Result<TlsConnector> {
    let config = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(Error::other)?;
    Ok(Arc::new(config.with_root_certificates(roots).with_no_client_auth()).into())
}

/// Shows the certificates of a PEM text, which has their key as well.
pub(super) fn acceptor(own: &str) -> io::Result<TlsAcceptor> {
    let chain = CertificateDer::pem_slice_iter(own.as_bytes()).collect::<Result<Vec<_>, _>>().map_err(Error::other)?;
    let key = PrivateKeyDer::from_pem_slice(own.as_bytes()).map_err(Error::other)?;
    let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(Error::other)?;
    Ok(Arc::new(config.with_no_client_auth().with_single_cert(chain, key).map_err(Error::other)?).into())
}
