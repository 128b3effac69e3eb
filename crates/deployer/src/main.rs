//! `keeper-automator`: see the library `deployer`.

use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    deployer::run(std::env::args_os(), deployer::Host::real()).await.into()
}
