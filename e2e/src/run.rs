//! One run of the product, from outside.

use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use deployer::exit_codes::ExitCode;

/// How a run ended and what it said.
#[derive(Debug)]
pub struct Ran {
    /// The exit code; `None` after a signal.
    pub code: Option<i32>,
    /// Data.
    pub stdout: String,
    /// Talk.
    pub stderr: String,
}

impl Ran {
    /// Fails with everything that was said unless the run ended with this code.
    pub fn ended(self, code: ExitCode) -> Self {
        assert_eq!(
            self.code,
            Some(i32::from(code.code())),
            "expected {code:?}\n--- stdout\n{}\n--- stderr\n{}",
            self.stdout,
            self.stderr
        );
        self
    }

    /// Everything that was said.
    pub fn said(&self) -> String {
        format!("{}\n{}", self.stdout, self.stderr)
    }
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}

/// The product's binary, beside this program or beside the tests' own.
///
/// # Panics
///
/// When it is not there.
pub fn binary() -> PathBuf {
    let here = std::env::current_exe().expect("a program knows where it is");
    // This program lies in target/PROFILE, a test in target/PROFILE/deps.
    let built = here.ancestors().skip(1).take(2).map(|place| place.join("keeper-automator")).find(|path| path.exists());
    built.unwrap_or_else(|| {
        panic!("no keeper-automator beside {}: run `cargo build --workspace --all-features` first", here.display())
    })
}

/// A command with nothing of this process's environment but the path: no AWS variables, no profiles, no metadata service.
pub(crate) fn bare(home: &std::path::Path) -> Command {
    let mut command = Command::new(binary());
    command.env_clear().stdin(Stdio::null());
    for name in ["PATH", "PIP_CERT", "PIP_FIND_LINKS", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"] {
        if let Some(value) = std::env::var_os(name) {
            command.env(name, value);
        }
    }
    command.env("HOME", home).env("AWS_EC2_METADATA_DISABLED", "true");
    command
}
