//! Where Keeper runs: hosts, and the addresses its cloud calls from.

use crate::Error;
use std::fmt;
use std::str::FromStr;

/// The table as it was read; its first comment says when and where. It is data: a new row or address needs no new code.
const TABLE: &str = include_str!("../data/regions.tsv");

/// One data centre of Keeper.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Region {
    /// Prefix of one-time tokens and name in settings: `US`, `EU`, `AU`, `GOV`, `JP`, `CA`, `IL5`.
    pub name: &'static str,
    /// Host of both protocols.
    pub host: &'static str,
    /// The addresses from which the cloud calls an Automator service, as CIDR blocks; empty where the vendor publishes none.
    pub calls_from: [Option<&'static str>; 2],
}

impl Region {
    /// All regions, in the order of the table.
    pub fn all() -> impl Iterator<Item = Self> {
        TABLE.lines().filter(|line| !line.starts_with('#')).filter_map(|line| {
            let mut columns = line.split('\t');
            let (name, host) = (columns.next()?, columns.next()?);
            let mut address = || columns.next().filter(|text| *text != "-");
            Some(Self { name, host, calls_from: [address(), address()] })
        })
    }

    /// Finds a region by its name, in any letter case; `US_GOV` is another name of `GOV`.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        let name = if name.eq_ignore_ascii_case("US_GOV") { "GOV" } else { name };
        Self::all().find(|region| region.name.eq_ignore_ascii_case(name))
    }

    /// The region whose host this is, a port left aside.
    #[must_use]
    pub fn of(host: &Host) -> Option<Self> {
        Self::all().find(|region| region.host.eq_ignore_ascii_case(host.name()))
    }

    /// The day the table was read, `YYYY-MM-DD`.
    #[must_use]
    pub fn as_of() -> &'static str {
        TABLE.lines().next().and_then(|line| line.rsplit(' ').next()).unwrap_or_default()
    }
}

/// The server of a Keeper account: a host name or address, and a port where it is not 443.
///
/// Reads what people and vendor tools write: a region's name, `host`, `host:port`, or a URL, of which only scheme and
/// authority count. The scheme `http` is kept, because the administrator protocol is also spoken without TLS to a test
/// server on the same machine; [`Host::https`] says whether there is TLS.
///
/// ```
/// use keeper_wire::Host;
/// assert_eq!("EU".parse::<Host>().unwrap().to_string(), "keepersecurity.eu");
/// assert_eq!("https://keeper.test:8443/api".parse::<Host>().unwrap().to_string(), "keeper.test:8443");
/// ```
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Host {
    name: String,
    port: Option<u16>,
    https: bool,
}

impl Host {
    /// The name or address, without port; an IPv6 address in its brackets.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The port where one is given.
    #[must_use]
    pub fn port(&self) -> Option<u16> {
        self.port
    }

    /// Whether the connection has TLS.
    #[must_use]
    pub fn https(&self) -> bool {
        self.https
    }

    /// `https://host[:port]`, without a trailing slash.
    #[must_use]
    pub fn origin(&self) -> String {
        format!("{}://{self}", if self.https { "https" } else { "http" })
    }

    /// Whether it names this machine.
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        let bare = self.name.trim_start_matches('[').trim_end_matches(']');
        bare == "localhost" || bare.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        self.port.map_or(Ok(()), |port| write!(f, ":{port}"))
    }
}

impl FromStr for Host {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let text = text.trim();
        let wrong = |why| Error::Host(text.to_owned(), why);
        if let Some(region) = Region::named(text) {
            return Ok(Self { name: region.host.to_owned(), port: None, https: true });
        }
        let (https, rest) = match text.split_once("://") {
            None => (true, text),
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case("https") => (true, rest),
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case("http") => (false, rest),
            Some(_) => return Err(wrong("only https and http are spoken")),
        };
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        if authority.contains('@') {
            return Err(Error::Host("…@…".to_owned(), "a user name or password does not belong there"));
        }
        let split = match authority.strip_prefix('[') {
            Some(six) => {
                let end = six.find(']').ok_or_else(|| wrong("the bracket of an IPv6 address is not closed"))?;
                six[..end].parse::<std::net::Ipv6Addr>().map_err(|_| wrong("not an IPv6 address"))?;
                end + 2
            }
            None => authority.find(':').unwrap_or(authority.len()),
        };
        let (name, port) = authority.split_at(split);
        let port = match port.strip_prefix(':') {
            Some(digits) => Some(
                digits
                    .parse()
                    .ok()
                    .filter(|port| *port != 0)
                    .ok_or_else(|| wrong("the port is no number from 1 to 65535"))?,
            ),
            None if port.is_empty() => None,
            None => return Err(wrong("something stands between host and port")),
        };
        let named = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
        if name.is_empty() || name.len() > 253 || !(name.starts_with('[') || name.chars().all(named)) {
            return Err(wrong("a host name has letters, digits, dots and hyphens"));
        }
        Ok(Self { name: name.to_ascii_lowercase(), port, https })
    }
}
