//! Answers that do not arrive.

mod common;

use std::io::{Error, ErrorKind, Write};
use std::sync::{Arc, Mutex};

/// A reader that takes nothing.
struct Broken(ErrorKind);

impl Write for Broken {
    fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
        Err(Error::from(self.0))
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn run_into(broken: ErrorKind, args: &[&str]) -> common::Ran {
    common::run_into(Arc::new(Mutex::new(Box::new(Broken(broken)))), &[], args)
}

#[test]
fn an_answer_that_finds_no_place_is_a_failure() {
    let definition = common::file("fixtures/taskdef/good/logging-awslogs.json");
    for args in [&["schema", "config"][..], &["--help"], &["taskdef", "lint", &definition, "--format", "json"]] {
        let full = run_into(ErrorKind::StorageFull, args);
        assert_eq!(full.code, 1, "{args:?}: {}", full.stderr);
        assert!(full.stderr.contains("error[output-not-written]"), "{}", full.said());
        assert!(full.stderr.contains(&Error::from(ErrorKind::StorageFull).to_string()), "{}", full.stderr);
        assert!(full.stderr.contains("hint: "), "{}", full.stderr);
        let enough = run_into(ErrorKind::BrokenPipe, args);
        assert_eq!(enough.code, 0, "{args:?}: {}", enough.stderr);
    }
}

#[test]
fn a_failure_keeps_its_code_when_its_words_are_lost() {
    let full = run_into(ErrorKind::StorageFull, &["taskdef", "lint", "/nowhere/at/all.json"]);
    let heard = common::run(&[], &["taskdef", "lint", "/nowhere/at/all.json"]);
    assert_eq!((full.code, full.stderr), (heard.code, heard.stderr), "{}", heard.stdout);
}
