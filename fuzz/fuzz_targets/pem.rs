//! Any bytes as PEM text: an answer, never a panic; and what is read comes back from what is written.
#![no_main]

use std::sync::LazyLock;

use certs::Bundle;
use libfuzzer_sys::fuzz_target;
use secrecy::{ExposeSecret, SecretString};

static PASSWORD: LazyLock<SecretString> = LazyLock::new(|| SecretString::from("correct-horse"));

fuzz_target!(|bytes: &[u8]| {
    let Ok(bundle) = Bundle::from_pem(bytes, Some(&PASSWORD)) else { return };
    let text = [bundle.key().to_pem().expose_secret(), &bundle.leaf().pem()].concat();
    let again = Bundle::from_pem(text.as_bytes(), None).expect("what was read can be read again");
    assert_eq!(again.leaf(), bundle.leaf());
});
