//! A stand-in for the Automator service as a program: see `--help`.

use clap::Parser;
use keeper_fake::Responder;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use std::fs;
use std::io::{self, Write};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

/// Answer for an Automator that does not run, for tests
///
/// It shows a certificate and says `OK` to `GET /health`, which is all that the Keeper cloud and a load balancer ask before
/// anybody logs in. When it listens it writes a line with its address to standard output. It runs until it is ended.
#[derive(Debug, Parser)]
#[command(name = "automator-responder", version)]
struct Arguments {
    /// Listen here; port 0 is one that the system chooses
    #[arg(long, value_name = "ADDR")]
    listen: SocketAddr,
    /// The certificate, those of its authorities, and its key, all in one PEM file
    #[arg(long, value_name = "FILE")]
    certificate: PathBuf,
}

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Nothing is left to do when standard error is gone as well.
            let _ = writeln!(io::stderr(), "automator-responder: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Result<(), String> {
    let path = arguments.certificate.display();
    let pem = fs::read(&arguments.certificate).map_err(|error| format!("read {path}: {error}"))?;
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&pem).collect();
    let chain = chain.map_err(|error| format!("read the certificates of {path}: {error}"))?;
    let key = PrivateKeyDer::from_pem_slice(&pem).map_err(|error| format!("read the key of {path}: {error}"))?;
    let runtime = tokio::runtime::Runtime::new().map_err(|error| format!("start: {error}"))?;
    runtime.block_on(async {
        let listening = Responder::listen(arguments.listen, chain, key).await;
        let responder = listening.map_err(|error| format!("listen at {}: {error}", arguments.listen))?;
        // Whoever started it may not care for the line.
        let _ = writeln!(io::stdout(), "ready https://{}", responder.address()).and_then(|()| io::stdout().flush());
        std::future::pending().await
    })
}
