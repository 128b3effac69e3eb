//! Any bytes are a task definition, `SECRETS` lines or properties, or are refused; never a panic, and what
//! was read is written so that it reads the same again.

#![no_main]

use libfuzzer_sys::fuzz_target;
use taskdef::properties::{Properties, Settings};
use taskdef::secrets::{Notation, Secrets};
use taskdef::{Document, TaskDefinition, check_settings, corrections, diff, hints, lint, normalise, sarif};

fuzz_target!(|bytes: &[u8]| {
    if let Ok(properties) = Properties::parse(bytes) {
        let again = Properties::parse(properties.render().as_bytes()).expect("what we write reads");
        assert!(again == properties, "properties changed on their way");
        let _ = Settings::from_properties(&properties);
    }
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Ok(notation) = text.parse::<Notation>() {
        assert_eq!(notation.to_string().parse(), Ok(notation));
    }
    if let Ok(secrets) = text.parse::<Secrets>() {
        assert_eq!(secrets.to_string().parse(), Ok(secrets));
    }
    if let Ok(document) = Document::read(text) {
        let task = &document.definition;
        let findings: Vec<_> = lint(task).into_iter().chain(hints(task)).collect();
        sarif::log(&findings, "x.json", document.pointer_prefix(), Some(text));
        check_settings(&Settings::guide(), task, None);
        let normal = normalise(task);
        let again = TaskDefinition::from_value(normal.clone()).expect("a normal form is a definition");
        assert_eq!(normalise(&again), normal);
        assert!(diff(task, &again).is_empty());
        let _ = (corrections(&again, task), document.for_registration());
    }
});
