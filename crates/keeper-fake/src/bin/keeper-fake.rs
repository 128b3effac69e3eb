//! A pretend Keeper cloud as a program: see `--help`.

use clap::Parser;
use keeper_fake::facts::{self, Kept};
use keeper_fake::{Contacts, Fake, Options, World};
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use std::fs;
use std::io::{self, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Run a pretend Keeper cloud, for tests
///
/// It speaks both protocols, that of Keeper Secrets Manager devices and that of administrators. It holds nothing real, checks
/// what it can as the real service is believed to do, and lets anybody in who has the facts file. When it is ready it writes
/// that file, and a line with its addresses to standard output. It runs until it is ended.
#[derive(Debug, Parser)]
#[command(name = "keeper-fake", version)]
struct Arguments {
    /// Listen here without TLS; port 0 is one that the system chooses
    #[arg(long, value_name = "ADDR", required_unless_present = "tls_listen")]
    listen: Option<SocketAddr>,
    /// Listen here with TLS, by an authority made anew at each start; clients of Keeper Secrets Manager know nothing else
    #[arg(long, value_name = "ADDR")]
    tls_listen: Option<SocketAddr>,
    /// Write the authority that clients have to trust, in PEM
    #[arg(long, value_name = "FILE", requires = "tls_listen")]
    ca: Option<PathBuf>,
    /// Keep everything here, written before each answer; an existing file is continued
    #[arg(long, value_name = "FILE")]
    state: Option<PathBuf>,
    /// Write what a client needs: server keys, a device, tokens, the administrator's login. It holds secrets, mode 0600
    #[arg(long, value_name = "FILE")]
    facts: PathBuf,
    /// Begin with an empty vault: no record, no application, no device
    #[arg(long)]
    empty: bool,
    /// Name or address by which clients reach it, for the certificate and the facts; may be given again for the certificate
    #[arg(long, value_name = "NAME")]
    public_host: Vec<String>,
    /// Find an Automator's host name at this address instead of in DNS
    #[arg(long, value_name = "HOST=ADDR", value_parser = pair)]
    automator: Vec<(String, SocketAddr)>,
    /// Trust the authorities in this PEM file when an Automator is called
    #[arg(long, value_name = "FILE")]
    automator_ca: Vec<PathBuf>,
}

fn pair(text: &str) -> Result<(String, SocketAddr), String> {
    let (host, address) =
        text.split_once('=').ok_or("HOST=ADDR is expected, such as automator.example.com=127.0.0.1:8443")?;
    let address =
        address.parse().map_err(|_| format!("{address:?} is no address with a port, such as 127.0.0.1:8443"))?;
    Ok((host.to_ascii_lowercase(), address))
}

fn main() -> ExitCode {
    match run(Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            // Nothing is left to do when standard error is gone as well.
            let _ = writeln!(io::stderr(), "keeper-fake: failed to {failure}");
            ExitCode::FAILURE
        }
    }
}

type Failure = String;

fn run(arguments: Arguments) -> Result<(), Failure> {
    let runtime = tokio::runtime::Runtime::new().map_err(|error| format!("start: {error}"))?;
    runtime.block_on(serve(arguments))
}

async fn serve(arguments: Arguments) -> Result<(), Failure> {
    let mut world = begin(&arguments)?;
    world.contacts = contacts(&arguments)?;
    let options = Options {
        http: arguments.listen,
        https: arguments.tls_listen,
        names: arguments.public_host.clone(),
        state: arguments.state.clone(),
    };
    let fake = Fake::listen(world, options).await.map_err(|error| format!("listen: {error}"))?;
    if let Some(path) = &arguments.ca {
        fs::write(path, fake.ca_pem().unwrap_or_default())
            .map_err(|error| about("write the authority", path, &error))?;
    }
    let host = fake.origin().split("://").last().unwrap_or_default();
    let told = {
        let mut world = fake.world();
        let Kept(told) = world.facts.get_or_insert_with(|| Kept(serde_json::Value::Null));
        facts::move_to(told, host, fake.ca_pem());
        told.clone()
    };
    fake.save().map_err(|error| format!("write the state: {error}"))?;
    facts::write(&told, &arguments.facts).map_err(|error| about("write the facts", &arguments.facts, &error))?;
    let mut ready = io::stdout().lock();
    let addresses = [("http", fake.http()), ("https", fake.https())];
    let addresses: Vec<_> =
        addresses.iter().filter_map(|(scheme, at)| at.map(|at| format!("{scheme}://{at}"))).collect();
    // Whoever started it may not care for the line.
    let _ = writeln!(ready, "ready {}", addresses.join(" ")).and_then(|()| ready.flush());
    drop(ready);
    std::future::pending().await
}

/// A world with the facts that its users are told, but for the address: a new one, or that of an earlier run.
fn begin(arguments: &Arguments) -> Result<World, Failure> {
    let (mut world, told) = match arguments.state.as_deref().filter(|path| path.exists()) {
        Some(path) => {
            let mut world = World::load(path).map_err(|error| about("read the state", path, &error))?;
            let told = world.facts.take().map_or_else(|| read_facts(&arguments.facts), |Kept(told)| Ok(told))?;
            let told = facts::renewed(told, &mut world).map_err(|error| format!("continue: {error}"))?;
            (world, told)
        }
        None if arguments.empty => {
            let mut world = World::new();
            let told = facts::empty(&mut world, "");
            (world, told)
        }
        None => {
            let (world, guide) = World::guide();
            let told = facts::facts(&world, &guide, "");
            (world, told)
        }
    };
    world.facts = Some(Kept(told));
    Ok(world)
}

fn about(action: &str, path: &Path, error: &io::Error) -> Failure {
    format!("{action} {}: {error}", path.display())
}

/// For a state that was not written by this program, and so has none.
fn read_facts(path: &Path) -> Result<serde_json::Value, Failure> {
    let bytes = fs::read(path).map_err(|error| {
        format!("continue: the state has no facts, and {} cannot be read ({error}); remove the state", path.display())
    })?;
    serde_json::from_slice(&bytes).map_err(|_| format!("read the facts {}: it is no JSON", path.display()))
}

fn contacts(arguments: &Arguments) -> Result<Contacts, Failure> {
    let mut roots = RootCertStore::empty();
    for path in &arguments.automator_ca {
        let pem = fs::read(path).map_err(|error| about("read", path, &error))?;
        for certificate in CertificateDer::pem_slice_iter(&pem) {
            let certificate = certificate.map_err(|_| format!("read {}: it is no PEM", path.display()))?;
            roots.add(certificate).map_err(|error| format!("trust {}: {error}", path.display()))?;
        }
    }
    let names = arguments.automator.iter().cloned().collect();
    Ok(Contacts { roots, names, ..Contacts::default() })
}
