//! Vectors computed with the vendor's own functions and fixed randomness.

use crate::ClientId;
use crate::crypto::Key;
use crate::ec::{PrivateKey, PublicKey};

pub(crate) fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> =
        text.chars().filter_map(|c| c.to_digit(16)).map(|digit| u8::try_from(digit).unwrap()).collect();
    digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect()
}

/// 32 bytes that count up from `first`.
pub(crate) fn counting(first: u8) -> Key {
    Key::from_slice(&(first..first + 32).collect::<Vec<_>>()).unwrap()
}

pub(crate) fn key() -> Key {
    counting(0)
}

pub(crate) fn private(byte: u8) -> PrivateKey {
    PrivateKey::from_scalar(&[byte; 32]).unwrap()
}

pub(crate) fn point(byte: u8) -> PublicKey {
    private(byte).public()
}

fn nonce() -> [u8; 12] {
    std::array::from_fn(|i| 0x64 + u8::try_from(i).unwrap())
}

fn iv() -> [u8; 16] {
    std::array::from_fn(|i| u8::try_from(i).unwrap())
}

/// Sealed with a fixed ephemeral key and nonce.
fn ecies(recipient: u8, plain: &[u8]) -> Vec<u8> {
    let ephemeral = private(0x22);
    let key = ephemeral.agree(&point(recipient)).unwrap();
    [ephemeral.public().as_bytes().as_slice(), &key.seal_with_nonce(nonce(), plain)].concat()
}

#[test]
fn gcm() {
    let sealed = hex("6465666768696a6b6c6d6e6f237ebb161c9b76ff4b163085bb11058f621623e2d02449a38eff4b425bf6b955");
    assert_eq!(key().seal_with_nonce(nonce(), b"keeper automator"), sealed);
    assert_eq!(key().open(&sealed).unwrap()[..], b"keeper automator"[..]);

    // The key ladder: data, folder, record, file and application keys.
    let ladder = [
        (
            0x00,
            0x20,
            "683afc455dcc70b9164b75c3f64844d272f33439bf59c5459fe89673c79e9b7714f27ef5cc0425f6d6f6093d87f121ad",
        ),
        (
            0x20,
            0x40,
            "f52ccc909bf4b28a941d9593c65ad02299d3b72d6a9f381a9b1934242b14797cf41050a0c0485717bc830a7d7fffef84",
        ),
        (
            0x40,
            0x60,
            "911f640731f7a0d5a50bf9eb3595f3893c2ffeb9e5f9cbb164f8b5973e3cc24587515f3a53d020247d3de9e5bacde96e",
        ),
    ];
    for (outer, inner, tail) in ladder {
        let expected = hex(&format!("6465666768696a6b6c6d6e6f{tail}"));
        assert_eq!(counting(outer).seal_with_nonce(nonce(), counting(inner).expose()), expected);
    }
    let file = hex("6465666768696a6b6c6d6e6fba428d6b722a19738670afd3fbdb2125519bad4c7c");
    assert_eq!(counting(0x60).open(&file).unwrap()[..], b"hello"[..]);
    let team = hex(
        "6465666768696a6b6c6d6e6fce464340e51fb760f9fe1671f8b014acc6c8c0a678b3b1bc4908429d68a365e764459c22aba079adbf3adf1634ad24b1",
    );
    assert_eq!(counting(0xa0).open(&team).unwrap()[..], [0x33; 32]);
}

#[test]
fn cbc() {
    let sealed =
        hex("000102030405060708090a0b0c0d0e0f145cb7f8c5b272bfb7d299e82366e82ab76da382b7cad07f63256e151cbe2b17");
    assert_eq!(key().seal_cbc_with_iv(iv(), br#"{"displayname":"Azure Cloud"}"#), sealed);
    assert_eq!(key().open_cbc(&sealed).unwrap()[..], br#"{"displayname":"Azure Cloud"}"#[..]);

    let ladder = [
        (
            0x00,
            0x20,
            "72d75c294159fac28a43f67c6e07ee4b6a31d07604edd0e1b41599e307bde8bca2c7e8abab3764a8a75e7fead502ff0b",
        ),
        (
            0x00,
            0xa0,
            "224c27f4ba378b27d3d6888adced6442193e63463f3b2b3da3c2e8e78f394940e50add6dae16ad4455c3a9dbd80d1777",
        ),
        (
            0xa0,
            0x20,
            "5d7ec734182ecb11d32da7bdc7f3650595de07cf6f9580cb150458295e970de95f3a26266b8e6a8b989fc87a7f209757",
        ),
        (
            0x20,
            0x40,
            "302250587d1212b8d34d0d9b4cd995cb811bb76b88c417c8c6ab35574fc5b9964d4df6dead32a897788db107a113bfbc",
        ),
        (
            0x20,
            0xc0,
            "f1e45afc93b3c5d3ce3b7978f78c6fe55def0d375d75d1bd2116b1a237ff3d7ca92c7c0fc97b4d444a7f7a6874a4a3d9",
        ),
    ];
    for (outer, inner, tail) in ladder {
        let expected = hex(&format!("000102030405060708090a0b0c0d0e0f{tail}"));
        assert_eq!(counting(outer).seal_cbc_with_iv(iv(), counting(inner).expose()), expected);
    }
    let name = hex("000102030405060708090a0b0c0d0e0fe28ccc1378606ee60977124f2522d284");
    assert_eq!(counting(0x20).open_cbc(&name).unwrap()[..], b"Automator"[..]);
}

#[test]
fn ecies_and_ecdh() {
    let public = hex(
        "040217e617f0b6443928278f96999e69a23a4f2c152bdf6d6cdf66e5b80282d4ed194a7debcb97712d2dda3ca85aa8765a56f45fc758599652f2897c65306e5794",
    );
    assert_eq!(point(0x11).as_bytes()[..], public);
    assert_eq!(
        private(0x22).shared_x(&point(0x11)).unwrap()[..],
        hex("ccfc261f58193c98ca4ad4a53bbac6f0ee29bc4d48438090446908622ca79af6")
    );

    let head = "04d65a93977caa3d1b081852ff57a79e465f1660577304baead505dd3a48589cf350185e895372df6221ea3a137557e473fddb6755f05bd507c3c533fce9c912856465666768696a6b6c6d6e6f";
    let rows = [
        (
            0x11,
            0x00,
            "3347e0da99c2ad56ef635970d2dc512dc0ef4937252b348db501fc9f35b12cfce97122ff96b21aa68c6ffd0ffad92457",
        ),
        (
            0x11,
            0x20,
            "1367c0fab9e28d76cf437950f2fc710de0cf6917050b14ad9521dcbf15910cdc5072115558cf1ee147754b745771b6d9",
        ),
        (
            0x33,
            0x20,
            "6bdc69563450a2c814ade455b7bbde678dda0b4b1f683ee654c4b5d6a07f8a57daa2bb3ad43c548a2ba22d50854224a8",
        ),
    ];
    for (recipient, plain, tail) in rows {
        let expected = hex(&format!("{head}{tail}"));
        assert_eq!(ecies(recipient, counting(plain).expose()), expected);
        assert_eq!(expected.len(), 125);
        assert_eq!(private(recipient).open(&expected).unwrap()[..], counting(plain).expose()[..]);
    }
}

#[test]
fn client_id() {
    let expected = hex(
        "1c35ad63bfbf716a49f3a0b528187a0e0598e28bc3241ae396251e63b7efcce1152126131cd964aa4a32cf420742ba8ed062c5bc13e715be89bcf3b37a6b1912",
    );
    assert_eq!(ClientId::of_token(key().expose()).as_bytes()[..], expected);
}
