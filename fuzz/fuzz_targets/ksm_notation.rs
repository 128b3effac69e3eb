//! Any text as notation and as `SECRETS`: an answer, never a panic; what was read is written so that it reads the same again.
#![no_main]

use ksm_client::{Notation, writer};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    if let Ok(notation) = text.parse::<Notation>() {
        assert_eq!(notation.to_string().parse(), Ok(notation));
    }
    if let Ok(entries) = writer::parse(text) {
        assert!(!entries.is_empty());
    }
});
