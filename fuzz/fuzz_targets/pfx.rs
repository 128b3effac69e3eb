//! Any bytes as a PKCS#12 file: an answer, never a panic; and what is read can be judged and written again.
#![no_main]

use std::sync::LazyLock;

use certs::Bundle;
use libfuzzer_sys::fuzz_target;
use secrecy::SecretString;

static PASSWORD: LazyLock<SecretString> = LazyLock::new(|| SecretString::from("correct-horse"));

fuzz_target!(|bytes: &[u8]| {
    if let Ok(bundle) = Bundle::from_pfx(bytes, &PASSWORD) {
        let _ = bundle.judge("automator.example.com", jiff::Timestamp::UNIX_EPOCH);
        let _ = bundle.acm();
    }
});
