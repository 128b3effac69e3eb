//! Any bytes as the answer of the service, to every operation and as a refusal: never a panic.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| ksm_client::read_anything(bytes));
