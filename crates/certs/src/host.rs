//! Does a certificate cover a host? (RFC 6125, RFC 9525; RFC 5280, section 4.2.1.6)

use std::net::IpAddr;

use crate::certificate::Certificate;

/// A host as certificates name it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Host {
    /// In ASCII and lower case, without a dot at the end.
    Name(String),
    Address(IpAddr),
}

/// How a certificate covers a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Coverage {
    Exact,
    Wildcard,
    /// Only the common name fits, which no client looks at any more.
    OnlyCommonName,
    None,
}

impl Host {
    /// A host name, in any script, or an IP address, with or without brackets; `None` when it is neither.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
        if let Ok(address) = bare.parse() {
            return Some(Self::Address(address));
        }
        let name = idna::domain_to_ascii_strict(text.strip_suffix('.').unwrap_or(text)).ok()?;
        let labels_fit = name.split('.').all(|label| !label.is_empty() && label.len() <= 63);
        // A number at the end makes it an address that was written wrongly.
        let last_is_number = name.rsplit('.').next()?.bytes().all(|byte| byte.is_ascii_digit());
        (labels_fit && name.len() <= 253 && !last_is_number).then_some(Self::Name(name))
    }

    pub(crate) fn coverage(&self, certificate: &Certificate) -> Coverage {
        match self {
            Self::Address(address) => {
                if certificate.ip_addresses().contains(address) {
                    Coverage::Exact
                } else if certificate.common_names().iter().any(|name| name.parse() == Ok(*address)) {
                    Coverage::OnlyCommonName
                } else {
                    Coverage::None
                }
            }
            Self::Name(name) => {
                let fits = |pattern: &String| matches_name(pattern, name);
                let found: Vec<_> = certificate.dns_names().iter().filter(|pattern| fits(pattern)).collect();
                if found.iter().any(|pattern| !pattern.starts_with('*')) {
                    Coverage::Exact
                } else if !found.is_empty() {
                    Coverage::Wildcard
                } else if certificate.common_names().iter().any(fits) {
                    Coverage::OnlyCommonName
                } else {
                    Coverage::None
                }
            }
        }
    }

    /// Whether a common name is exactly this host.
    pub(crate) fn is_common_name(&self, certificate: &Certificate) -> bool {
        certificate.common_names().iter().any(|name| Self::parse(name).as_ref() == Some(self))
    }
}

/// A `*` stands for one whole left-most label, and at least two labels follow it (RFC 9525, section 6.3).
fn matches_name(pattern: &str, name: &str) -> bool {
    let pattern = pattern.strip_suffix('.').unwrap_or(pattern).to_ascii_lowercase();
    match pattern.strip_prefix("*.") {
        Some(rest) => {
            rest.contains('.')
                && !rest.contains('*')
                && name.split_once('.').is_some_and(|(label, parent)| !label.is_empty() && parent == rest)
        }
        None => pattern == name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wildcard_stands_for_one_whole_label() {
        for (pattern, name, expected) in [
            ("a.example.com", "a.example.com", true),
            ("A.Example.COM.", "a.example.com", true),
            ("*.example.com", "a.example.com", true),
            ("*.example.com", "example.com", false),
            ("*.example.com", "a.b.example.com", false),
            ("a*.example.com", "ab.example.com", false),
            ("*a.example.com", "ba.example.com", false),
            ("*.com", "example.com", false),
            ("*", "example", false),
            ("a.*.com", "a.example.com", false),
            ("*.*.com", "a.example.com", false),
            ("*.example.com", ".example.com", false),
        ] {
            assert_eq!(matches_name(pattern, name), expected, "{pattern} and {name}");
        }
    }

    #[test]
    fn hosts_are_names_in_ascii_or_addresses() {
        let name = |text: &str| Some(Host::Name(text.to_owned()));
        assert_eq!(Host::parse("Automator.Example.COM."), name("automator.example.com"));
        assert_eq!(Host::parse("müller.example"), name("xn--mller-kva.example"));
        assert_eq!(Host::parse("例え.テスト"), name("xn--r8jz45g.xn--zckzah"));
        assert_eq!(Host::parse("[::1]"), Some(Host::Address("::1".parse().unwrap())));
        assert_eq!(Host::parse("192.0.2.7"), Some(Host::Address("192.0.2.7".parse().unwrap())));
        for wrong in ["", ".", "a..b", "192.0.2.777", "a b", "-a.example", "*.example.com", &"a".repeat(64)] {
            assert_eq!(Host::parse(wrong), None, "{wrong}");
        }
    }
}
