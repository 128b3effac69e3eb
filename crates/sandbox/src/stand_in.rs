//! An Automator that does nothing but be there: Keeper's cloud reaches it by TLS and is told that it is healthy.

use std::convert::Infallible;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use bytes::Bytes;
use http_body_util::Full;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

/// Stands in for the Automator service until tasks really run: `GET /health` gives `OK`, as the vendor documents, and all
/// else 404. It listens on this machine alone and ends when it is dropped.
pub struct StandIn {
    /// Where it listens.
    pub address: SocketAddr,
    listening: JoinHandle<()>,
}

/// Why there is none.
#[derive(Debug, thiserror::Error)]
pub enum StandInError {
    /// The certificate or key cannot be used by TLS.
    #[error("the certificate cannot be shown by the stand-in for the Automator: {0}")]
    Certificate(#[from] rustls::Error),
    /// No port is free.
    #[error("the stand-in for the Automator cannot listen: {0}")]
    Listen(#[from] std::io::Error),
}

impl StandIn {
    /// Starts one with a certificate chain, leaf first, and its key in PKCS#8; all DER. It takes any free port.
    ///
    /// # Errors
    ///
    /// When the key does not fit the certificate, or no port is free.
    pub async fn start(chain: Vec<Vec<u8>>, key_pkcs8: Vec<u8>) -> Result<Self, StandInError> {
        let chain = chain.into_iter().map(CertificateDer::from).collect();
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key_pkcs8));
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = rustls::ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
        let config = config.with_no_client_auth().with_single_cert(chain, key)?;
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let listening = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(answer(acceptor.clone(), stream));
            }
        });
        Ok(Self { address, listening })
    }
}

impl Drop for StandIn {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

/// One connection; what goes wrong on it is the caller's to notice.
async fn answer(acceptor: TlsAcceptor, stream: TcpStream) {
    let Ok(stream) = acceptor.accept(stream).await else { return };
    let service = service_fn(|request: Request<hyper::body::Incoming>| async move {
        let healthy = request.method() == Method::GET && request.uri().path() == "/health";
        let mut response = Response::new(Full::new(Bytes::from_static(if healthy { b"OK" } else { b"" })));
        *response.status_mut() = if healthy { StatusCode::OK } else { StatusCode::NOT_FOUND };
        Ok::<_, Infallible>(response)
    });
    let _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
}

#[cfg(test)]
mod tests {
    use rustls::pki_types::ServerName;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    /// What a client that trusts only `root` and asks for `name` is told.
    async fn ask(stand_in: &StandIn, root: &[u8], name: &str, path: &str) -> std::io::Result<String> {
        let mut roots = rustls::RootCertStore::empty();
        roots.add(CertificateDer::from(root.to_vec())).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config =
            rustls::ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
        let config = config.with_root_certificates(roots).with_no_client_auth();
        let stream = TcpStream::connect(stand_in.address).await?;
        let name = ServerName::try_from(name.to_owned()).unwrap();
        let mut stream = tokio_rustls::TlsConnector::from(Arc::new(config)).connect(name, stream).await?;
        stream.write_all(format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").as_bytes()).await?;
        let mut answer = String::new();
        // A server may close without a goodbye.
        let _ = stream.read_to_string(&mut answer).await;
        Ok(answer)
    }

    #[tokio::test]
    async fn it_shows_its_certificate_and_says_that_it_is_healthy() {
        let made = rcgen::generate_simple_self_signed(["automator.example.com".to_owned()]).unwrap();
        let der = made.cert.der().to_vec();
        let stand_in = StandIn::start(vec![der.clone()], made.signing_key.serialize_der()).await.unwrap();
        assert!(stand_in.address.ip().is_loopback());
        let healthy = ask(&stand_in, &der, "automator.example.com", "/health").await.unwrap();
        assert!(healthy.starts_with("HTTP/1.1 200") && healthy.ends_with("OK"), "{healthy}");
        let other = ask(&stand_in, &der, "automator.example.com", "/").await.unwrap();
        assert!(other.starts_with("HTTP/1.1 404"), "{other}");
        assert!(
            ask(&stand_in, &der, "other.example.com", "/health").await.is_err(),
            "the name is not in the certificate"
        );
    }

    #[tokio::test]
    async fn a_key_of_another_certificate_is_refused() {
        let [one, two] = [(); 2].map(|()| rcgen::generate_simple_self_signed(["a.example.com".to_owned()]).unwrap());
        let refused = StandIn::start(vec![one.cert.der().to_vec()], two.signing_key.serialize_der()).await;
        assert!(matches!(refused, Err(StandInError::Certificate(_))));
    }
}
