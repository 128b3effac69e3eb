//! Any text as a device configuration: an answer, never a panic; what was read is written so that it reads the same again.
#![no_main]

use ksm_client::Config;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let Ok(config) = Config::parse(text) else { return };
    let forms = [
        Some(config.expose_json()),
        Some(config.expose_base64()),
        config.expose_kubernetes("ksm", Some("x")).ok(),
    ];
    for form in forms.into_iter().flatten() {
        // Unknown members are kept, so the text may grow beyond the limit; nothing else may go wrong.
        match Config::parse(&form) {
            Ok(again) => assert_eq!(*again.expose_json(), *config.expose_json()),
            Err(error) => assert!(matches!(error, ksm_client::ConfigError::TooLarge), "{error}"),
        }
    }
    let _ = config.expose_ini("_default").map(|ini| Config::parse(&ini));
});
