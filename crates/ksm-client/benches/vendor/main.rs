//! This crate against the vendor's Python SDK and, where `KSM_BENCH_RUST` names the program of `vendor-rust`, against the vendor's
//! Rust SDK, all against the same pretend service, in one run: `cargo bench -p ksm-client --bench vendor`.
//!
//! Each measurement is a process of its own that does the same thing several times, each time with a new client and a new
//! connection (cold), and measures itself: wall time from making the client to having everything decrypted, processor time of
//! its threads, and the peak of its memory. The service runs in this process and has its answer rendered beforehand; what it
//! does for one request is opening the key and sealing the answer, and that time is printed beside, so that it can be seen
//! not to be what is measured.

#![expect(clippy::print_stdout, reason = "its reader is a person, or its own parent")]

mod ours;
mod server;
mod vault;

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// Records and repetitions.
const GETS: [(usize, usize); 4] = [(1, 21), (100, 21), (1_000, 11), (10_000, 5)];
/// The three files of an Automator: certificate, its password, properties.
const FILES: [(&str, usize); 3] =
    [("ssl-certificate.pfx", 4_200), ("ssl-certificate-password.txt", 32), ("keeper.properties", 700)];

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    if let Some(at) = arguments.iter().position(|word| word == "--client") {
        return ours::run(&arguments[at + 1..]);
    }
    let Some(python) = python() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let script = folder.path().join("sdk.py");
    std::fs::write(&script, include_str!("sdk.py")).expect("write the script");
    let device = vault::Device::new();
    let (authority, identity) = server::certificates();
    let ca = folder.path().join("ca.pem");
    std::fs::write(&ca, authority).expect("write the authority");

    let rust = std::env::var_os("KSM_BENCH_RUST").map(PathBuf::from);
    if rust.is_none() {
        println!("without the vendor's Rust SDK, because KSM_BENCH_RUST names no program of benches/vendor-rust");
    }
    let stage = Stage { python, script, rust, ca, device, folder: folder.path().to_owned() };
    println!(
        "| what | ours, wall | SDK | its wall | times faster | times less CPU | times less memory | service, share of our wall |"
    );
    println!("| --- | --- | --- | --- | --- | --- | --- | --- |");
    for (records, times) in GETS {
        let reply = stage.device.reply(records, &[]);
        let service = server::Service::start(reply, Vec::new(), stage.device.server.clone(), identity.clone());
        stage.row(&format!("get {records}"), "get", times, &service);
    }
    let service = server::Service::start_with_files(&stage.device, &FILES, identity);
    stage.row("get 1 and 3 files", "files", 21, &service);
}

/// Who is measured, and what they need.
struct Stage {
    python: PathBuf,
    script: PathBuf,
    rust: Option<PathBuf>,
    ca: PathBuf,
    device: vault::Device,
    folder: PathBuf,
}

impl Stage {
    /// One measurement of ours, and a line for each of the others.
    fn row(&self, title: &str, mode: &str, times: usize, service: &server::Service) {
        let config = self.folder.join(format!("{}.json", service.port));
        std::fs::write(&config, self.device.config(service.port)).expect("write the configuration");
        let ca = self.ca.to_str().expect("UTF-8");
        let arguments = [mode, &times.to_string(), config.to_str().expect("UTF-8"), ca];
        let own = std::env::current_exe().expect("this program");
        let before = service.busy();
        let ours = measured(Command::new(own).arg("--client").args(arguments));
        let busy = service.busy() - before;
        let mut python = Command::new(&self.python);
        python.arg(&self.script).args(arguments).env("REQUESTS_CA_BUNDLE", ca);
        let rust = self.rust.as_ref().map(|rust| {
            let mut rust = Command::new(rust);
            // Its downloads trust what the system trusts.
            rust.args(arguments).env("SSL_CERT_FILE", ca);
            ("Rust", rust)
        });
        let number = |value: &Value, name: &str| value[name].as_f64().expect("a number");
        for (name, mut command) in std::iter::once(("Python", python)).chain(rust) {
            let theirs = measured(&mut command);
            // As many bytes came out on both sides.
            assert_eq!(ours["bytes"], theirs["bytes"], "{title}, {name}");
            let ratio = |name: &str| number(&theirs, name) / number(&ours, name);
            let share = busy.as_secs_f64() * 1e3 / (number(&ours, "wall_sum_ms")) * 100.0;
            println!(
                "| {title} | {:.1} ms | {name} | {:.1} ms | {:.1} | {:.1} | {:.1} | {share:.0} % |",
                number(&ours, "wall_ms"),
                number(&theirs, "wall_ms"),
                ratio("wall_ms"),
                ratio("cpu_ms"),
                ratio("peak_kib"),
            );
        }
    }
}

fn measured(command: &mut Command) -> Value {
    let output = command.output().expect("start the client");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("its report")
}

fn python() -> Option<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let named = std::env::var_os("WITNESS_KEEPER_PYTHON").map(PathBuf::from);
    let found = named
        .into_iter()
        .chain([root.join("target/witness-keeper/bin/python"), PathBuf::from("python3")])
        .find(|python| {
            let probe = Command::new(python).args(["-c", "import keeper_secrets_manager_core"]).output();
            probe.is_ok_and(|output| output.status.success())
        });
    if found.is_none() {
        println!("skipped, because no Python here has keeper_secrets_manager_core; name one in WITNESS_KEEPER_PYTHON");
    }
    found
}
