//! A sandbox never reaches a real account: whatever the person's environment says, nothing leaves loopback.

use std::net::TcpListener;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use deployer::exit_codes::ExitCode;
use e2e::{Ran, Stage};

#[tokio::test]
async fn the_persons_aws_settings_are_not_even_read() {
    let stage = Stage::open().await;
    // Whoever follows any of these settings comes by here.
    let trap = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", trap.local_addr().unwrap());
    let visits = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&visits);
    std::thread::spawn(move || {
        for _ in trap.incoming() {
            counter.fetch_add(1, Ordering::SeqCst);
        }
    });
    let witness = stage.directory().join("credential-process-ran");
    let profile = stage.directory().join("aws-config");
    let text = format!(
        "[profile real]\nregion = us-east-1\nendpoint_url = {url}\ncredential_process = touch {}\n",
        witness.display()
    );
    std::fs::write(&profile, text).unwrap();

    let mut command = stage.command(stage.endpoint(), "deploy --sandbox");
    command.env_remove("AWS_EC2_METADATA_DISABLED").env("AWS_PROFILE", "real").env("AWS_CONFIG_FILE", &profile);
    command.env("AWS_REGION", "us-east-1").env("AWS_ACCESS_KEY_ID", "AKIAREAL").env("AWS_SECRET_ACCESS_KEY", "real");
    for name in
        ["AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_EC2", "AWS_ENDPOINT_URL_STS", "AWS_EC2_METADATA_SERVICE_ENDPOINT"]
    {
        command.env(name, &url);
    }
    let ran: Ran = command.output().unwrap().into();
    ran.ended(ExitCode::Done);
    assert_eq!(visits.load(Ordering::SeqCst), 0, "somebody followed the person's settings");
    assert!(!witness.exists(), "the person's profile was used");
}

#[tokio::test]
async fn the_whole_sandbox_works_where_there_is_only_loopback_witness() {
    // Also installs the emulator, which is the one thing that comes from outside.
    let stage = Stage::open().await;
    let probe = Command::new("unshare").args(["-rn", "true"]).status();
    if !probe.is_ok_and(|status| status.success()) {
        println!("skipped, because this machine gives no network namespace");
        assert!(std::env::var("REQUIRE_WITNESSES").as_deref() != Ok("all"), "a witness is missing");
        return;
    }
    // In a namespace of its own there is nothing but loopback: a packet to anywhere else has nowhere to go.
    let script = r#"import fcntl, os, socket, struct, sys
s = socket.socket()
flags = struct.unpack("16sh", fcntl.ioctl(s, 0x8913, struct.pack("16sh", b"lo", 0)))[1]
fcntl.ioctl(s, 0x8914, struct.pack("16sh", b"lo", flags | 1))
os.execv(sys.argv[1], sys.argv[1:])"#;
    let inner = stage.command("", "deploy --sandbox");
    let mut command = Command::new("unshare");
    command.env_clear().envs(inner.get_envs().filter_map(|(name, value)| Some((name, value?))));
    command.env_remove("KEEPER_AUTOMATOR_SANDBOX_ENDPOINT");
    command.args(["-rn", "python3", "-c", script]).arg(inner.get_program()).args(inner.get_args());
    let ran: Ran = command.current_dir(stage.directory()).output().unwrap().into();
    ran.ended(ExitCode::Done);
}
