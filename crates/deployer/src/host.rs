//! What the program finds around it: environment, terminal, clock. One value, so that tests can bring their own.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::{self, ErrorKind, IsTerminal, Write};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use aws_infra::SharedHttpClient;
use resource_graph::{Clock, SystemClock};
use secrecy::SecretString;
use tokio_util::sync::CancellationToken;

use crate::guide::Ask;

type Out = Arc<Mutex<Box<dyn Write + Send>>>;

/// Environment, terminal, clock, and in tests another HTTP client.
#[derive(Clone)]
pub struct Host {
    /// Environment variables.
    pub env: BTreeMap<String, String>,
    /// Where data goes.
    pub stdout: Out,
    /// Where talk goes.
    pub stderr: Out,
    /// Whether a person sits there who can answer.
    pub interactive: bool,
    /// Whether talk goes to a terminal.
    pub terminal: bool,
    /// The time of day.
    pub clock: Arc<dyn Clock>,
    /// In front of AWS; the default client if none is given.
    pub http: Option<SharedHttpClient>,
    /// Stops the run: calls in flight finish, nothing new starts.
    pub cancelled: CancellationToken,
    /// Under which everything lies that the sandbox installs.
    pub sandbox_root: PathBuf,
}

impl Host {
    /// The process's own. Ctrl-C stops the run.
    pub fn real() -> Self {
        let cancelled = CancellationToken::new();
        let stop = cancelled.clone();
        tokio::spawn(async move {
            // A second Ctrl-C finds nobody listening here any more and ends the process.
            if tokio::signal::ctrl_c().await.is_ok() {
                stop.cancel();
                if tokio::signal::ctrl_c().await.is_ok() {
                    std::process::exit(130);
                }
            }
        });
        Self {
            env: texts(std::env::vars_os()),
            stdout: Arc::new(Mutex::new(Box::new(io::stdout()))),
            stderr: Arc::new(Mutex::new(Box::new(io::stderr()))),
            interactive: io::stdin().is_terminal() && io::stderr().is_terminal(),
            terminal: io::stderr().is_terminal(),
            clock: Arc::new(SystemClock),
            http: None,
            cancelled,
            sandbox_root: std::env::var_os("KEEPER_AUTOMATOR_SANDBOX_ROOT")
                .map_or_else(target_directory, PathBuf::from),
        }
    }

    /// The same, with an eye on what could not be written to standard output.
    pub(crate) fn watched(mut self) -> (Self, Lost) {
        let lost = Lost::default();
        self.stdout = Arc::new(Mutex::new(Box::new(Watched { out: self.stdout, lost: lost.clone() })));
        (self, lost)
    }

    /// Writes data.
    pub(crate) fn out(&self, text: &str) {
        write(&self.stdout, text);
    }

    /// Writes data that need not be text. Somebody keeps it, so a failure counts.
    pub(crate) fn out_bytes(&self, bytes: &[u8]) -> io::Result<()> {
        let mut out = self.stdout.lock().unwrap_or_else(PoisonError::into_inner);
        out.write_all(bytes)?;
        out.flush()
    }

    /// Talks.
    pub(crate) fn talk(&self, text: &str) {
        write(&self.stderr, text);
    }

    /// Asks yes or no; no without a person.
    pub(crate) fn confirm(&self, question: &str) -> bool {
        if !self.interactive {
            return false;
        }
        write(&self.stderr, &format!("{question} [y/N] "));
        let mut answer = String::new();
        let read = io::stdin().read_line(&mut answer);
        read.is_ok() && ["y", "yes"].contains(&answer.trim().to_lowercase().as_str())
    }
}

/// Why some of the data did not reach standard output. A reader that went away, such as `head`, had enough and is no such reason.
#[derive(Clone, Default)]
pub(crate) struct Lost(Arc<Mutex<Option<String>>>);

impl Lost {
    /// The first cause, if data was lost.
    pub(crate) fn cause(&self) -> Option<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn note<T>(&self, done: io::Result<T>) -> io::Result<T> {
        if let Err(error) = &done
            && !matches!(error.kind(), ErrorKind::BrokenPipe | ErrorKind::Interrupted)
        {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert_with(|| error.to_string());
        }
        done
    }
}

struct Watched {
    out: Out,
    lost: Lost,
}

impl Write for Watched {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut out = self.out.lock().unwrap_or_else(PoisonError::into_inner);
        self.lost.note(out.write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        let mut out = self.out.lock().unwrap_or_else(PoisonError::into_inner);
        self.lost.note(out.flush())
    }
}

/// What of an environment is text: whoever looks for one of the others is told that it is not set or no text.
fn texts(environment: impl Iterator<Item = (OsString, OsString)>) -> BTreeMap<String, String> {
    environment.filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?))).collect()
}

/// A writer that fails is no reason to panic in the middle of a deployment; [`Lost`] tells of it at the end.
fn write(out: &Out, text: &str) {
    let mut out = out.lock().unwrap_or_else(PoisonError::into_inner);
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}

/// Cargo's target directory when the program lies in it, else `target` in the working directory.
fn target_directory() -> PathBuf {
    let exe = std::env::current_exe().ok();
    let built =
        exe.as_deref().and_then(|exe| exe.parent()).filter(|at| at.ends_with("debug") || at.ends_with("release"));
    built.and_then(|at| at.parent()).map_or_else(|| PathBuf::from("target"), PathBuf::from)
}

impl Ask for Host {
    fn env(&self, name: &str) -> Option<String> {
        self.env.get(name).cloned()
    }

    fn prompt(&self, what: &str) -> io::Result<SecretString> {
        if !self.interactive {
            return Err(io::Error::other("nobody can be asked: standard input is not a terminal"));
        }
        rpassword::prompt_password(format!("{what}: ")).map(SecretString::from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn what_is_no_text_is_left_out_of_the_environment() {
        use std::os::unix::ffi::OsStringExt;

        let broken = || OsString::from_vec(b"caf\xe9".to_vec());
        let found = [("HOME".into(), "/root".into()), ("MENU".into(), broken()), (broken(), "closed".into())];
        assert_eq!(texts(found.into_iter()), BTreeMap::from([("HOME".to_owned(), "/root".to_owned())]));
    }
}
