//! The product in this process, with its output caught.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex};

use deployer::Host;
use resource_graph::SystemClock;

/// How a run ended.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: u8,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ran {
    /// Everything that was said.
    pub(crate) fn said(&self) -> String {
        format!("{}{}", self.stdout, self.stderr)
    }
}

#[derive(Clone, Default)]
struct Text(Arc<Mutex<Vec<u8>>>);

impl Text {
    fn writer(&self) -> Arc<Mutex<Box<dyn std::io::Write + Send>>> {
        Arc::new(Mutex::new(Box::new(self.clone())))
    }

    fn take(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl std::io::Write for Text {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Runs one command line; nobody is there to answer.
pub(crate) fn run(env: &[(&str, &str)], args: &[&str]) -> Ran {
    let stdout = Text::default();
    let ran = run_into(stdout.writer(), env, args);
    Ran { stdout: stdout.take(), ..ran }
}

/// The same, with standard output somewhere else.
pub(crate) fn run_into(stdout: Arc<Mutex<Box<dyn std::io::Write + Send>>>, env: &[(&str, &str)], args: &[&str]) -> Ran {
    let stderr = Text::default();
    let host = Host {
        env: env.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect::<BTreeMap<_, _>>(),
        stdout,
        stderr: stderr.writer(),
        interactive: false,
        terminal: false,
        clock: Arc::new(SystemClock),
        http: None,
        cancelled: tokio_util::sync::CancellationToken::new(),
        sandbox_root: Path::new(env!("CARGO_TARGET_TMPDIR")).to_owned(),
    };
    let args = ["keeper-automator"].iter().chain(args).map(Into::into);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let code = runtime.block_on(deployer::run(args, host));
    Ran { code: code.code(), stdout: String::new(), stderr: stderr.take() }
}

/// A file of the repository.
pub(crate) fn file(path: &str) -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(path).canonicalize().unwrap().display().to_string()
}
