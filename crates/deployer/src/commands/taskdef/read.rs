//! A task definition from a file or standard input.

use std::io::Read;
use std::path::Path;

use taskdef::Document;

use crate::exit_codes::ExitCode;
use crate::refusal::Refusal;

/// ECS takes 64 KiB; a much larger file is most likely another one.
const MAX_BYTES: u64 = 1 << 20;

/// A document and where it came from.
pub(super) struct Source {
    /// As people and code-scanning pages call it.
    pub(super) name: String,
    pub(super) text: String,
    pub(super) document: Document,
}

/// Reads a document; `-` is standard input.
pub(super) fn read(path: &Path) -> Result<Source, Refusal> {
    let is_stdin = path == Path::new("-");
    let name = if is_stdin { "stdin".to_owned() } else { named(path) };
    let unreadable = |why: String| {
        let refusal = Refusal::new("taskdef-unreadable", "A8", format!("read task definition `{name}`")).because(why);
        refusal.exit(ExitCode::Usage).hint("name a file with JSON, or `-` for standard input")
    };
    let mut bytes = Vec::new();
    let read = if is_stdin {
        std::io::stdin().lock().take(MAX_BYTES + 1).read_to_end(&mut bytes)
    } else {
        std::fs::File::open(path).and_then(|file| file.take(MAX_BYTES + 1).read_to_end(&mut bytes))
    };
    read.map_err(|error| unreadable(error.to_string()))?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(unreadable(format!("it has more than {MAX_BYTES} bytes")));
    }
    let text = String::from_utf8(bytes).map_err(|_| unreadable("it is not UTF-8 text".to_owned()))?;
    match Document::read(&text) {
        Ok(document) => Ok(Source { name, text, document }),
        Err(error) => {
            let place = match (error.position, taskdef::source::span(&text, &error.pointer)) {
                (Some((line, column)), _) => format!("{name}:{line}:{column}"),
                (None, Some(span)) => format!("{name}:{}", taskdef::source::line(&text, span.start)),
                (None, None) => name,
            };
            let refusal = Refusal::new("taskdef-invalid", "A8", format!("read task definition `{place}`"));
            let refusal = refusal.because(error.to_string()).exit(ExitCode::Usage);
            Err(refusal.hint("correct the document at this place; `taskdef render` prints one that is right"))
        }
    }
}

/// Relative to the working directory where it can be, with forward slashes.
fn named(path: &Path) -> String {
    let here = std::env::current_dir().ok();
    let below = here.as_ref().and_then(|here| path.strip_prefix(here).ok()).unwrap_or(path);
    let name = below.display().to_string();
    if std::path::MAIN_SEPARATOR == '\\' { name.replace('\\', "/") } else { name }
}
