//! A small reader of ASN.1 in BER, the way files in the wild use it (ITU-T X.690).
//!
//! The `der` crate refuses what Firefox, Bouncy Castle and Windows write: indefinite lengths, strings cut into
//! segments, sets that are not sorted. This reader takes them, remembers which it met (the judge reports what Java
//! refuses), and never recurses deeper than [`MAX_DEPTH`].

use std::cell::Cell;
use std::ops::Deref;

use zeroize::Zeroizing;

/// How deep values may be nested; real files stay below 12.
pub(crate) const MAX_DEPTH: usize = 24;

pub(crate) const INTEGER: u8 = 0x02;
pub(crate) const BIT_STRING: u8 = 0x03;
pub(crate) const OCTET_STRING: u8 = 0x04;
pub(crate) const OID: u8 = 0x06;
pub(crate) const BMP_STRING: u8 = 0x1e;
pub(crate) const SEQUENCE: u8 = 0x30;
pub(crate) const SET: u8 = 0x31;

/// Why a value could not be read; the text never holds bytes of the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Malformed(pub(crate) &'static str);

type Result<T> = std::result::Result<T, Malformed>;

/// What DER would not have allowed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Quirks {
    pub(crate) indefinite: bool,
    pub(crate) padded_length: bool,
}

/// Where readers of one file note the quirks they meet.
pub(crate) type Notes = Cell<Quirks>;

/// One value: its identifier byte and its content.
#[derive(Clone, Copy)]
pub(crate) struct Node<'a> {
    pub(crate) tag: u8,
    pub(crate) content: &'a [u8],
    /// The value with its header, and with its end mark when the length was indefinite.
    pub(crate) raw: &'a [u8],
    depth: usize,
    notes: &'a Notes,
}

/// The values of one constructed value, one after the other.
pub(crate) struct Reader<'a> {
    rest: &'a [u8],
    depth: usize,
    notes: &'a Notes,
}

/// The bytes of an octet string; a string that came in segments is joined in memory that is wiped.
pub(crate) enum Octets<'a> {
    Whole(&'a [u8]),
    Joined(Zeroizing<Vec<u8>>),
}

impl Deref for Octets<'_> {
    type Target = [u8];
    fn deref(&self) -> &[u8] {
        match self {
            Octets::Whole(bytes) => bytes,
            Octets::Joined(bytes) => bytes,
        }
    }
}

impl<'a> Reader<'a> {
    pub(crate) fn new(bytes: &'a [u8], notes: &'a Notes) -> Self {
        Self { rest: bytes, depth: 0, notes }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// The identifier byte of the next value.
    pub(crate) fn peek(&self) -> Option<u8> {
        self.rest.first().copied()
    }

    pub(crate) fn next(&mut self) -> Result<Node<'a>> {
        let (node, used) = read(self.rest, self.depth, self.notes)?;
        self.rest = &self.rest[used..];
        Ok(node)
    }

    pub(crate) fn expect(&mut self, tag: u8, what: &'static str) -> Result<Node<'a>> {
        match self.peek() {
            Some(found) if found == tag => self.next(),
            _ => Err(Malformed(what)),
        }
    }

    pub(crate) fn optional(&mut self, tag: u8) -> Result<Option<Node<'a>>> {
        if self.peek() == Some(tag) { self.next().map(Some) } else { Ok(None) }
    }

    /// The next value, an OBJECT IDENTIFIER, in dotted form.
    pub(crate) fn oid(&mut self) -> Result<String> {
        self.expect(OID, "an object identifier is missing")?.oid()
    }

    /// The next value, an INTEGER that fits into 32 bits.
    pub(crate) fn small(&mut self, what: &'static str) -> Result<u32> {
        self.expect(INTEGER, what)?.small()
    }

    /// The next value, a SEQUENCE, as a reader of its parts.
    pub(crate) fn sequence(&mut self, what: &'static str) -> Result<Self> {
        self.expect(SEQUENCE, what)?.inner()
    }
}

impl<'a> Node<'a> {
    /// The values inside a constructed value.
    pub(crate) fn inner(&self) -> Result<Reader<'a>> {
        if self.tag & 0x20 == 0 {
            return Err(Malformed("a value with parts is expected"));
        }
        Ok(Reader { rest: self.content, depth: self.depth + 1, notes: self.notes })
    }

    /// The bytes of an OCTET STRING or of an implicitly tagged one, in one piece or in segments.
    pub(crate) fn octets(&self) -> Result<Octets<'a>> {
        if self.tag & 0x20 == 0 {
            return Ok(Octets::Whole(self.content));
        }
        let mut joined = Zeroizing::new(Vec::with_capacity(self.content.len()));
        self.join(&mut joined)?;
        Ok(Octets::Joined(joined))
    }

    fn join(&self, into: &mut Zeroizing<Vec<u8>>) -> Result<()> {
        let mut parts = self.inner()?;
        while !parts.is_empty() {
            let part = parts.next()?;
            match part.tag {
                OCTET_STRING => into.extend_from_slice(part.content),
                0x24 => part.join(into)?,
                _ => return Err(Malformed("a segment of a string is not an octet string")),
            }
        }
        Ok(())
    }

    pub(crate) fn is_octets(&self) -> bool {
        matches!(self.tag, OCTET_STRING | 0x24)
    }

    fn oid(&self) -> Result<String> {
        dotted(self.content).ok_or(Malformed("an object identifier is broken"))
    }

    /// An unsigned INTEGER of at most 32 bits.
    pub(crate) fn small(&self) -> Result<u32> {
        let digits = self.unsigned()?;
        if digits.len() > 4 {
            return Err(Malformed("a number is too large"));
        }
        Ok(digits.iter().fold(0, |sum, &byte| sum << 8 | u32::from(byte)))
    }

    /// The digits of an INTEGER that may not be negative, without leading zeros.
    pub(crate) fn unsigned(&self) -> Result<&'a [u8]> {
        match self.content {
            [] => Err(Malformed("a number has no digits")),
            [first, ..] if first & 0x80 != 0 => Err(Malformed("a number is negative")),
            digits => {
                let zeros = digits.iter().take_while(|&&byte| byte == 0).count();
                Ok(&digits[zeros..])
            }
        }
    }

    /// The bits of a BIT STRING that is a whole number of bytes.
    pub(crate) fn bits(&self) -> Result<&'a [u8]> {
        match self.content {
            [0, bits @ ..] if self.tag & 0x20 == 0 => Ok(bits),
            _ => Err(Malformed("a bit string does not end with a byte")),
        }
    }
}

fn note(notes: &Notes, change: impl FnOnce(&mut Quirks)) {
    let mut quirks = notes.get();
    change(&mut quirks);
    notes.set(quirks);
}

/// Reads the value at the start of `bytes`; also how many bytes it took, its end mark included.
fn read<'a>(bytes: &'a [u8], depth: usize, notes: &'a Notes) -> Result<(Node<'a>, usize)> {
    const CUT: Malformed = Malformed("the file ends in the middle of a value");
    if depth > MAX_DEPTH {
        return Err(Malformed("values are nested too deeply"));
    }
    let (&tag, after) = bytes.split_first().ok_or(CUT)?;
    if tag & 0x1f == 0x1f {
        return Err(Malformed("a tag has more than one byte"));
    }
    let (&first, after) = after.split_first().ok_or(CUT)?;
    let (header, length) = match first {
        0..=0x7f => (2, usize::from(first)),
        0x80 => {
            if tag & 0x20 == 0 {
                return Err(Malformed("a plain value has no length"));
            }
            note(notes, |quirks| quirks.indefinite = true);
            let length = indefinite(after, depth, notes)?;
            let end = 2 + length + 2;
            return Ok((Node { tag, content: &after[..length], raw: &bytes[..end], depth, notes }, end));
        }
        0x81..=0xfe => {
            let count = usize::from(first & 0x7f);
            let digits = after.get(..count).ok_or(CUT)?;
            let zeros = digits.iter().take_while(|&&byte| byte == 0).count();
            if count - zeros > 4 {
                return Err(Malformed("a length is too large"));
            }
            let length = digits[zeros..].iter().fold(0usize, |sum, &byte| sum << 8 | usize::from(byte));
            if zeros > 0 || length < 0x80 {
                note(notes, |quirks| quirks.padded_length = true);
            }
            (2 + count, length)
        }
        0xff => return Err(Malformed("a length has a reserved form")),
    };
    let end = header.checked_add(length).ok_or(CUT)?;
    let raw = bytes.get(..end).ok_or(CUT)?;
    Ok((Node { tag, content: &raw[header..], raw, depth, notes }, end))
}

/// How many bytes there are before the end mark.
fn indefinite(bytes: &[u8], depth: usize, notes: &Notes) -> Result<usize> {
    let mut at = 0;
    loop {
        let rest = &bytes[at..];
        match rest {
            [0, 0, ..] => return Ok(at),
            [] => return Err(Malformed("the file ends in the middle of a value")),
            _ => at += read(rest, depth + 1, notes)?.1,
        }
    }
}

/// The dotted form of the content of an OBJECT IDENTIFIER.
pub(crate) fn dotted(content: &[u8]) -> Option<String> {
    use std::fmt::Write;
    if content.is_empty() || content.len() > 64 || content.last()? & 0x80 != 0 {
        return None;
    }
    let mut text = String::new();
    let mut arc = 0u128;
    for &byte in content {
        arc = arc.checked_mul(128)? + u128::from(byte & 0x7f);
        if byte & 0x80 != 0 {
            continue;
        }
        if text.is_empty() {
            let root = (arc / 40).min(2);
            write!(text, "{root}.{}", arc - root * 40).ok()?;
        } else {
            write!(text, ".{arc}").ok()?;
        }
        arc = 0;
    }
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn segments_of_an_indefinite_string_are_joined() {
        let notes = Notes::default();
        let bytes = [0x24, 0x80, 0x04, 0x01, 1, 0x24, 0x80, 0x04, 0x02, 2, 3, 0, 0, 0, 0, 0x05, 0];
        let mut reader = Reader::new(&bytes, &notes);
        let node = reader.next().unwrap();
        assert_eq!(&*node.octets().unwrap(), [1, 2, 3]);
        // What is cut out can be read again.
        assert_eq!(&*Reader::new(node.raw, &notes).next().unwrap().octets().unwrap(), [1, 2, 3]);
        assert_eq!(reader.next().unwrap().tag, 5);
        assert!(reader.is_empty());
        assert!(notes.get().indefinite);
    }

    #[test]
    fn padded_lengths_are_read_and_noted() {
        let notes = Notes::default();
        let mut reader = Reader::new(&[0x04, 0x83, 0, 0, 1, 7], &notes);
        assert_eq!(reader.next().unwrap().content, [7]);
        assert!(notes.get().padded_length);
    }

    #[test]
    fn a_tower_of_values_is_refused() {
        let notes = Notes::default();
        let tower = [0x30, 0x80].repeat(4000);
        assert!(Reader::new(&tower, &notes).next().is_err());
    }

    #[test]
    fn object_identifiers_have_their_dotted_form() {
        assert_eq!(dotted(&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d]).unwrap(), "1.2.840.113549");
        assert_eq!(dotted(&[0x88, 0x37]).unwrap(), "2.999");
        assert_eq!(dotted(&[0x80]), None);
    }
}
