//! The small types of the config: text that has passed its syntax check.
//!
//! The error of each `FromStr` is the sentence a person reads, without the value: that stands in the file.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr};
use std::str::FromStr;

/// The tightest limit AWS sets to a name: load balancers and target groups have at most 32 characters (C16).
const TIGHTEST_NAME_LIMIT: usize = 32;

/// The longest that is added to a deployment's name under that limit: a role and the mark of a replacement that lives
/// beside its predecessor for a while.
const LONGEST_SUFFIX: &str = "-tg-0123abcd";

/// The longest name of a deployment: what the tightest limit leaves, so that no name is ever shortened.
pub const DEPLOYMENT_NAME_MAX: usize = TIGHTEST_NAME_LIMIT - LONGEST_SUFFIX.len();

/// For how many days CloudWatch can keep logs.
pub const RETENTION_DAYS: [u32; 22] =
    [1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653];

macro_rules! text_type {
    ($(#[$doc:meta])* $name:ident, $check:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(String);

        impl $name {
            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = String;

            fn from_str(text: &str) -> Result<Self, String> {
                let check: fn(&str) -> Result<String, String> = $check;
                check(text).map(Self)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

text_type! {
    /// The name of a deployment: `[a-z][a-z0-9-]*`, at most [`DEPLOYMENT_NAME_MAX`] characters, no hyphen at the end.
    DeploymentName, |text| {
        let starts = text.starts_with(|c: char| c.is_ascii_lowercase());
        let plain = text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
        if !starts || !plain || text.ends_with('-') || text.contains("--") {
            return Err("a deployment name has lower-case letters, digits and single hyphens, and starts with a letter".into());
        }
        if text.starts_with("internal-") || text == "internal" {
            return Err("a deployment name must not start with `internal-`: AWS keeps that for itself (C16)".into());
        }
        if text.len() > DEPLOYMENT_NAME_MAX {
            return Err(format!("a deployment name has at most {DEPLOYMENT_NAME_MAX} characters, this has {}", text.len()));
        }
        Ok(text.to_owned())
    }
}

text_type! {
    /// An AWS region, such as `eu-west-1`.
    AwsRegion, |text| {
        let parts: Vec<&str> = text.split('-').collect();
        let words = parts[..parts.len() - 1].iter().all(|p| p.len() >= 2 && p.chars().all(|c| c.is_ascii_lowercase()));
        let number = parts[parts.len() - 1];
        if parts.len() < 3 || !words || number.is_empty() || !number.chars().all(|c| c.is_ascii_digit()) {
            return Err("an AWS region looks like `eu-west-1`".into());
        }
        Ok(text.to_owned())
    }
}

text_type! {
    /// A DNS host name after RFC 1123, in lower case and without the dot at its end.
    HostName, |text| {
        let host = text.strip_suffix('.').unwrap_or(text).to_ascii_lowercase();
        if host.contains("://") || host.contains('/') || host.contains(':') {
            return Err("a host name stands alone, without scheme, port or path".into());
        }
        if host.starts_with("*.") {
            return Err("a wildcard is no host name: each Automator has a name of its own (C20)".into());
        }
        let label = |label: &str| {
            (1..=63).contains(&label.len())
                && label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
                && !label.starts_with('-')
                && !label.ends_with('-')
        };
        if host.len() > 253 || !host.split('.').all(label) {
            return Err("a host name has labels of letters, digits and inner hyphens, with dots between (RFC 1123)".into());
        }
        let Some((_, top)) = host.rsplit_once('.') else {
            return Err("a host name needs a domain, such as `automator.example.com`".into());
        };
        if top.chars().all(|c| c.is_ascii_digit()) {
            return Err("an address is no host name: the certificate and Keeper need a DNS name".into());
        }
        Ok(host)
    }
}

text_type! {
    /// The UID of a record in the Keeper vault: 16 bytes as 22 characters of base64url.
    RecordUid, |text| {
        let plain = text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'));
        if text.len() != 22 || !plain {
            return Err("a record UID has 22 characters: letters, digits, `-` and `_`".into());
        }
        Ok(text.to_owned())
    }
}

text_type! {
    /// The id of a VPC.
    VpcId, |text| aws_id(text, "vpc-", "a VPC id")
}

text_type! {
    /// The id of a subnet.
    SubnetId, |text| aws_id(text, "subnet-", "a subnet id")
}

text_type! {
    /// The id of a hosted zone in Route 53.
    ZoneId, |text| {
        let id = text.strip_prefix("/hostedzone/").unwrap_or(text);
        let plain = id.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit());
        if !plain || !(2..=32).contains(&id.len()) {
            return Err("a hosted zone id looks like `Z0123456789ABCDEFGHIJ`".into());
        }
        Ok(id.to_owned())
    }
}

fn aws_id(text: &str, prefix: &str, what: &str) -> Result<String, String> {
    let rest = text.strip_prefix(prefix).unwrap_or("");
    if rest.is_empty() || !rest.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit()) {
        return Err(format!("{what} looks like `{prefix}0a1b2c3d4e5f67890`"));
    }
    Ok(text.to_owned())
}

/// A network of IPv4 addresses. The balancer of the guide speaks IPv4 only (A11), so there is no other kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cidr {
    address: Ipv4Addr,
    prefix: u8,
}

impl Cidr {
    /// The first address.
    pub fn address(self) -> Ipv4Addr {
        self.address
    }

    /// How many bits are fixed.
    pub fn prefix(self) -> u8 {
        self.prefix
    }

    /// Whether this is the whole internet.
    pub fn is_everything(self) -> bool {
        self.prefix == 0
    }
}

impl FromStr for Cidr {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        const SHAPE: &str = "a network looks like `203.0.113.7/32`";
        let (address, prefix) = text.split_once('/').ok_or(SHAPE)?;
        let digits = !prefix.is_empty() && prefix.chars().all(|c| c.is_ascii_digit());
        let prefix = Some(prefix).filter(|_| digits).and_then(|p| p.parse::<u8>().ok()).ok_or(SHAPE)?;
        let address = match address.parse::<IpAddr>().map_err(|_| SHAPE)? {
            IpAddr::V4(address) if prefix <= 32 => address,
            IpAddr::V4(_) => return Err("the prefix of an IPv4 network is at most 32".into()),
            IpAddr::V6(_) if prefix == 0 => return Err(WHOLE_INTERNET.into()),
            IpAddr::V6(_) => return Err("IPv6 networks have no use here: the balancer speaks IPv4 only (A11)".into()),
        };
        let fixed = u32::MAX.checked_shl(32 - u32::from(prefix)).unwrap_or(0);
        let first = Ipv4Addr::from_bits(address.to_bits() & fixed);
        if first != address {
            return Err(format!("this address lies inside a network; the network itself is `{first}/{prefix}`"));
        }
        Ok(Self { address, prefix })
    }
}

/// Said of `0.0.0.0/0` and `::/0`.
pub(super) const WHOLE_INTERNET: &str = "the whole internet must not reach the Automator (C37)";

impl fmt::Display for Cidr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.prefix)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check<T: FromStr<Err = String> + fmt::Display>(good: &[(&str, &str)], bad: &[&str]) {
        for (given, expected) in good {
            assert_eq!(given.parse::<T>().map(|value| value.to_string()), Ok((*expected).to_owned()), "{given}");
        }
        for given in bad {
            assert!(given.parse::<T>().is_err(), "{given:?} must be refused");
        }
    }

    #[test]
    fn deployment_names() {
        let longest = "a".repeat(DEPLOYMENT_NAME_MAX);
        let too_long = "a".repeat(DEPLOYMENT_NAME_MAX + 1);
        check::<DeploymentName>(
            &[("automator", "automator"), ("a-1", "a-1"), (&longest, &longest)],
            &["", "1a", "-a", "a-", "a--b", "A", "a_b", "ä", "internal-a", "internal", &too_long],
        );
    }

    #[test]
    fn host_names() {
        check::<HostName>(
            &[("Automator.Example.COM.", "automator.example.com"), ("xn--bcher-kva.example", "xn--bcher-kva.example")],
            &[
                "",
                ".",
                "automator",
                "-a.example",
                "a-.example",
                "a..b",
                "https://a.example",
                "a.example:443",
                "*.a.example",
                "10.0.0.1",
                "a_b.example",
                "bücher.example",
                "a.example/",
                "a.example..",
            ],
        );
        let long = format!("{}.example", "a".repeat(64));
        assert!(long.parse::<HostName>().is_err());
    }

    #[test]
    fn networks() {
        check::<Cidr>(
            &[("10.20.0.0/16", "10.20.0.0/16"), ("203.0.113.7/32", "203.0.113.7/32"), ("0.0.0.0/0", "0.0.0.0/0")],
            &[
                "",
                "10.0.0.0",
                "10.0.0.0/33",
                "10.0.0.1/8",
                "10.0.0/8",
                "::/0",
                "2001:db8::/32",
                "10.0.0.0/+8",
                "1.2.3.4/",
            ],
        );
        let inside = "10.20.3.4/16".parse::<Cidr>().unwrap_err();
        assert!(inside.contains("10.20.0.0/16"), "{inside}");
    }

    #[test]
    fn ids() {
        check::<RecordUid>(
            &[
                ("ZLDzPMdxkCLUOzKjSBBfqw", "ZLDzPMdxkCLUOzKjSBBfqw"),
                ("AAAAAAAAAAAAAAAAAAAAAA", "AAAAAAAAAAAAAAAAAAAAAA"),
            ],
            &["", "short", "ZLDzPMdxkCLUOzKjSBBf=w", "XXXXX"],
        );
        check::<VpcId>(&[("vpc-0abc", "vpc-0abc")], &["vpc-", "0abc", "subnet-0abc", "vpc-0ABC"]);
        check::<SubnetId>(&[("subnet-0abc", "subnet-0abc")], &["vpc-0abc"]);
        check::<ZoneId>(&[("/hostedzone/Z0ABC", "Z0ABC"), ("Z0ABC", "Z0ABC")], &["", "example.com", "z0abc"]);
        check::<AwsRegion>(
            &[("eu-west-1", "eu-west-1"), ("us-gov-west-1", "us-gov-west-1")],
            &["", "eu-west", "EU-west-1", "eu-west-1a", "eu_west_1", "1", "--1"],
        );
    }
}
