//! A text as it may stand in a request.

/// A text as it may stand in a request: plain, and inside base64 at each of the three offsets it may have there.
pub(super) fn needles(marker: &[u8]) -> Vec<Vec<u8>> {
    let mut needles = vec![marker.to_vec()];
    for offset in 0..3 {
        // Bytes before the marker change the first characters, bytes behind it the last ones: both are left out.
        let shifted = [vec![0; offset], marker.to_vec()].concat();
        let encoded = base64(&shifted[..shifted.len() / 3 * 3]);
        let from = [0, 2, 3][offset].min(encoded.len());
        // Too short a piece would be found everywhere.
        if encoded.len() - from >= 6 {
            needles.push(encoded[from..].to_vec());
        }
    }
    needles
}

/// Base64 of whole groups of three bytes.
fn base64(bytes: &[u8]) -> Vec<u8> {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let group = |three: &[u8]| {
        let bits = three.iter().fold(0_usize, |bits, byte| bits << 8 | usize::from(*byte));
        [18, 12, 6, 0].map(|shift| LETTERS[bits >> shift & 63])
    };
    bytes.chunks_exact(3).flat_map(group).collect()
}

pub(super) fn percent_decoded(bytes: &[u8]) -> Vec<u8> {
    let digit = |byte: Option<&u8>| char::from(*byte?).to_digit(16);
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let pair = digit(bytes.get(at + 1)).zip(digit(bytes.get(at + 2)));
        match (byte, pair.and_then(|(high, low)| u8::try_from(high << 4 | low).ok())) {
            (b'%', Some(meant)) => {
                decoded.push(meant);
                at += 3;
                continue;
            }
            (b'+', _) => decoded.push(b' '),
            _ => decoded.push(byte),
        }
        at += 1;
    }
    decoded
}

pub(super) fn contains(bytes: &[u8], needle: &[u8]) -> bool {
    !needle.is_empty() && bytes.windows(needle.len()).any(|window| window == needle)
}
