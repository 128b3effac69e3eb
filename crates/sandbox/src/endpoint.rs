//! Which addresses may be taken for an emulator: those of this machine, so that a sandbox can never be a real account.

use std::net::{IpAddr, SocketAddr};

use url::{Host, Url};

/// Why an address is not taken for an emulator.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NotOurs {
    /// It cannot be read as a URL.
    #[error("it is no URL, expected for example http://127.0.0.1:5000")]
    NoUrl,
    /// It is not plain HTTP; no emulator here has a certificate.
    #[error("it must begin with http://, not `{0}`")]
    Scheme(String),
    /// It has more than a host and a port.
    #[error("it must be host and port only, without user, path or query")]
    More,
    /// It is, or its name leads to, another machine.
    #[error("`{0}` is not this machine; a sandbox talks to 127.0.0.0/8, ::1 or localhost only")]
    NotLoopback(String),
}

/// Reads an endpoint and returns the form that is used for calls, `http://host:port`.
///
/// Names are not looked up here; `localhost` is the only one accepted.
///
/// ```
/// assert_eq!(sandbox::loopback("http://127.0.0.1:5000/").unwrap(), "http://127.0.0.1:5000");
/// assert!(sandbox::loopback("http://10.0.0.1:5000").is_err());
/// ```
pub fn loopback(text: &str) -> Result<String, NotOurs> {
    let url = Url::parse(text.trim()).map_err(|_| NotOurs::NoUrl)?;
    if url.scheme() != "http" {
        return Err(NotOurs::Scheme(url.scheme().to_owned()));
    }
    let here = match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => return Err(NotOurs::NoUrl),
    };
    let host = url.host_str().unwrap_or_default();
    if !here {
        return Err(NotOurs::NotLoopback(host.to_owned()));
    }
    let bare = url.username().is_empty() && url.password().is_none() && url.path() == "/";
    if !bare || url.query().is_some() || url.fragment().is_some() {
        return Err(NotOurs::More);
    }
    Ok(format!("http://{host}:{}", url.port().unwrap_or(80)))
}

/// The addresses of an endpoint that [`loopback`] accepted. A `localhost` that leads elsewhere is refused here.
pub(crate) async fn addresses(endpoint: &str) -> std::io::Result<Vec<SocketAddr>> {
    let authority = endpoint.trim_start_matches("http://");
    let found: Vec<_> = tokio::net::lookup_host(authority).await?.collect();
    match found.iter().map(SocketAddr::ip).find(|ip| !IpAddr::is_loopback(ip)) {
        Some(ip) => Err(std::io::Error::other(NotOurs::NotLoopback(ip.to_string()))),
        None => Ok(found),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_on_this_machine_is_taken() {
        for (given, used) in [
            ("http://127.0.0.1:5000", "http://127.0.0.1:5000"),
            (" http://127.0.0.1:5000/ ", "http://127.0.0.1:5000"),
            ("http://127.8.9.1:1", "http://127.8.9.1:1"),
            ("http://localhost", "http://localhost:80"),
            ("HTTP://LocalHost:4566", "http://localhost:4566"),
            ("http://[::1]:4566/", "http://[::1]:4566"),
        ] {
            assert_eq!(loopback(given).as_deref(), Ok(used), "{given}");
        }
    }

    #[test]
    fn an_endpoint_outside_loopback_is_refused() {
        for given in [
            "http://10.0.0.1:5000",
            "http://0.0.0.0:5000",
            "http://[::]:5000",
            "http://[::ffff:127.0.0.1]:5000",
            "http://emulator.internal:4566",
            "http://localhost.example.com",
            "http://127.0.0.1.example.com",
            "http://127.0.0.1@example.com/",
        ] {
            assert!(matches!(loopback(given), Err(NotOurs::NotLoopback(_))), "{given}: {:?}", loopback(given));
        }
    }

    #[test]
    fn an_endpoint_is_host_and_port_and_nothing_else() {
        for (given, why) in [
            ("127.0.0.1", NotOurs::NoUrl),
            ("https://127.0.0.1:5000", NotOurs::Scheme("https".into())),
            ("localhost:5000", NotOurs::Scheme("localhost".into())),
            ("http://me:word@127.0.0.1:5000", NotOurs::More),
            ("http://127.0.0.1:5000/aws", NotOurs::More),
            ("http://127.0.0.1:5000/?a=b", NotOurs::More),
        ] {
            assert_eq!(loopback(given), Err(why), "{given}");
        }
    }
}
