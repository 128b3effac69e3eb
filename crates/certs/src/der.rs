//! A writer of DER (ITU-T X.690), as much of it as PKCS#8 and PKCS#12 need.

use zeroize::Zeroizing;

/// Encoded values in memory that is wiped, because most of what is written here is or holds a key.
pub(crate) type Encoded = Zeroizing<Vec<u8>>;

/// A value with the given identifier byte around the parts.
pub(crate) fn value(tag: u8, parts: &[&[u8]]) -> Encoded {
    let length: usize = parts.iter().map(|part| part.len()).sum();
    let mut out = Zeroizing::new(Vec::with_capacity(length + 6));
    out.push(tag);
    if length < 0x80 {
        out.push(length as u8);
    } else {
        let digits = length.to_be_bytes();
        let zeros = digits.iter().take_while(|&&byte| byte == 0).count();
        out.push(0x80 | (digits.len() - zeros) as u8);
        out.extend_from_slice(&digits[zeros..]);
    }
    for part in parts {
        out.extend_from_slice(part);
    }
    out
}

pub(crate) fn sequence(parts: &[&[u8]]) -> Encoded {
    value(0x30, parts)
}

pub(crate) fn octets(content: &[u8]) -> Encoded {
    value(0x04, &[content])
}

/// A BIT STRING of whole bytes.
pub(crate) fn bits(content: &[u8]) -> Encoded {
    value(0x03, &[&[0], content])
}

/// An INTEGER from the digits of a number that is not negative.
pub(crate) fn unsigned(digits: &[u8]) -> Encoded {
    let zeros = digits.iter().take_while(|&&byte| byte == 0).count();
    match &digits[zeros..] {
        [] => value(0x02, &[&[0]]),
        rest if rest[0] & 0x80 != 0 => value(0x02, &[&[0], rest]),
        rest => value(0x02, &[rest]),
    }
}

pub(crate) fn small(number: u32) -> Encoded {
    unsigned(&number.to_be_bytes())
}

pub(crate) fn null() -> Encoded {
    value(0x05, &[])
}

/// An explicitly tagged `[number]` around one value.
pub(crate) fn explicit(number: u8, inner: &[u8]) -> Encoded {
    value(0xa0 | number, &[inner])
}

/// An OBJECT IDENTIFIER from its dotted form; the callers' texts are constants of [`crate::oid`].
pub(crate) fn oid(dotted: &str) -> Encoded {
    let mut arcs = dotted.split('.').map(|arc| arc.parse::<u64>().unwrap_or_default());
    let head = arcs.next().unwrap_or_default() * 40 + arcs.next().unwrap_or_default();
    let mut content = Vec::new();
    for arc in std::iter::once(head).chain(arcs) {
        let groups = (64 - arc.max(1).leading_zeros()).div_ceil(7);
        for group in (0..groups).rev() {
            let more = if group > 0 { 0x80 } else { 0 };
            content.push((arc >> (7 * group)) as u8 & 0x7f | more);
        }
    }
    value(0x06, &[&content])
}

/// A SET OF, sorted as DER asks.
pub(crate) fn set(mut values: Vec<Encoded>) -> Encoded {
    values.sort_by(|a, b| a.as_slice().cmp(b.as_slice()));
    let parts: Vec<&[u8]> = values.iter().map(|value| value.as_slice()).collect();
    value(0x31, &parts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn object_identifiers_come_back_from_the_reader() {
        for text in [crate::oid::PBES2, crate::oid::ED25519, "2.999.3", "1.0.0", crate::oid::P256] {
            assert_eq!(crate::ber::dotted(&oid(text)[2..]).unwrap(), text);
        }
    }

    #[test]
    fn numbers_and_lengths_are_minimal() {
        assert_eq!(*small(0), [2, 1, 0]);
        assert_eq!(*small(128), [2, 2, 0, 128]);
        assert_eq!(octets(&[0; 200])[..3], [4, 0x81, 200]);
        assert_eq!(octets(&[0; 300])[..4], [4, 0x82, 1, 44]);
    }
}
