//! The emulator, really started. It is installed once, in the target directory this test was built into.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use sandbox::{Origin, Settings, Stopped, find_or_start, read_state, stop_kept};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Says what to do in a child of this test: start an emulator below this root and wait to be killed.
const CHILD: &str = "SANDBOX_TEST_CHILD_ROOT";
/// Set for a child that keeps its emulator.
const KEEP: &str = "SANDBOX_TEST_CHILD_KEEP";

fn settings(root: &Path, keep: bool) -> Settings {
    let mut settings = Settings::from_env(root);
    settings.tools = Path::new(env!("CARGO_TARGET_TMPDIR")).join("../sandbox");
    settings.keep = keep;
    settings.environment.remove(std::ffi::OsStr::new(sandbox::ENDPOINT_VARIABLE));
    settings
}

/// A root of its own for a test, which ends what is kept there however the test ends.
struct Root(TempDir);

fn root() -> Root {
    Root(tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap())
}

impl Root {
    fn path(&self) -> &Path {
        self.0.path()
    }
}

impl Drop for Root {
    fn drop(&mut self) {
        let root = self.path().to_owned();
        // A test's runtime cannot wait inside itself.
        let end = std::thread::spawn(move || tokio::runtime::Runtime::new().unwrap().block_on(stop_kept(&root)));
        let _ = end.join();
    }
}

fn say(what: &str) {
    #[expect(clippy::print_stderr, reason = "an installation takes a while, and a test that hangs should tell where")]
    {
        eprintln!("{what}");
    }
}

/// A call as the query protocols make it, its answer's body.
async fn call(endpoint: &str, service: &str, body: &str) -> String {
    let address = endpoint.trim_start_matches("http://");
    let scope = format!("sandbox/20300101/eu-west-1/{service}/aws4_request");
    let request = format!(
        "POST / HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nContent-Length: {}\r\n\
         Content-Type: application/x-www-form-urlencoded\r\n\
         Authorization: AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0\r\n\r\n{body}",
        body.len()
    );
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    answer
}

/// Looks again and again; a test that waits for too long is a red one.
async fn until(what: &str, mut look: impl AsyncFnMut() -> bool) {
    let mut steps = tokio::time::interval(Duration::from_millis(50));
    let looked = async {
        while !look().await {
            steps.tick().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(300), looked).await.unwrap_or_else(|_| panic!("{what}: not within 300 s"));
}

async fn gone(endpoint: &str) {
    let address = endpoint.trim_start_matches("http://");
    until("the emulator ends", async || TcpStream::connect(address).await.is_err()).await;
}

#[tokio::test]
async fn an_emulator_starts_is_emptied_and_ends() {
    let root = root();
    let emulator = find_or_start(&settings(root.path(), false), &say).await.unwrap();
    assert_eq!(emulator.origin, Origin::Started);
    assert_eq!(read_state(root.path()).unwrap(), None, "nothing is kept");

    let caller = call(&emulator.endpoint, "sts", "Action=GetCallerIdentity&Version=2011-06-15").await;
    assert!(caller.contains("123456789012"), "{caller}");
    let managed = "Action=GetPolicy&Version=2010-05-08&PolicyArn=\
                   arn:aws:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy";
    assert!(call(&emulator.endpoint, "iam", managed).await.contains("AmazonECSTaskExecutionRolePolicy"));

    const LOOK: &str = "Action=DescribeVpcs&Version=2016-11-15";
    let make = "Action=CreateVpc&Version=2016-11-15&CidrBlock=10.77.0.0/16";
    call(&emulator.endpoint, "ec2", make).await;
    assert!(call(&emulator.endpoint, "ec2", LOOK).await.contains("10.77.0.0/16"));
    emulator.reset().await.unwrap();
    assert!(!call(&emulator.endpoint, "ec2", LOOK).await.contains("10.77.0.0/16"));

    let endpoint = emulator.endpoint.clone();
    emulator.stop().await.unwrap();
    gone(&endpoint).await;
}

#[tokio::test]
async fn a_dropped_emulator_ends() {
    let root = root();
    let emulator = find_or_start(&settings(root.path(), false), &say).await.unwrap();
    let endpoint = emulator.endpoint.clone();
    drop(emulator);
    gone(&endpoint).await;
}

#[tokio::test]
async fn a_kept_emulator_is_found_again_with_what_is_in_it() {
    let root = root();
    let first = find_or_start(&settings(root.path(), true), &say).await.unwrap();
    assert_eq!(first.origin, Origin::Started);
    let state = read_state(root.path()).unwrap().expect("it is written down");
    assert_eq!((Some(state.pid), &state.endpoint), (first.pid, &first.endpoint));
    call(&first.endpoint, "ec2", "Action=CreateVpc&Version=2016-11-15&CidrBlock=10.78.0.0/16").await;
    drop(first);

    for keep in [false, true] {
        let again = find_or_start(&settings(root.path(), keep), &say).await.unwrap();
        assert_eq!((again.origin, &again.endpoint), (Origin::Kept, &state.endpoint));
        let found = call(&again.endpoint, "ec2", "Action=DescribeVpcs&Version=2016-11-15").await;
        assert!(found.contains("10.78.0.0/16"), "{found}");
        again.stop().await.unwrap();
    }

    assert_eq!(stop_kept(root.path()).await.unwrap(), Stopped::Ended(state.clone()));
    gone(&state.endpoint).await;
    assert_eq!(stop_kept(root.path()).await.unwrap(), Stopped::Nothing);
}

#[tokio::test]
async fn two_runs_that_keep_share_one_emulator() {
    let root = root();
    let settings = settings(root.path(), true);
    let (one, other) = tokio::join!(find_or_start(&settings, &say), find_or_start(&settings, &say));
    let (one, other) = (one.unwrap(), other.unwrap());
    assert_eq!(one.endpoint, other.endpoint);
    assert!(matches!(stop_kept(root.path()).await.unwrap(), Stopped::Ended(_)));
    gone(&one.endpoint).await;
}

/// Not a test of its own: what `started_by_a_killed_program` runs as another process.
#[tokio::test]
async fn child() {
    let Some(root) = std::env::var_os(CHILD) else { return };
    let root = Path::new(&root);
    let emulator = find_or_start(&settings(root, std::env::var_os(KEEP).is_some()), &say).await.unwrap();
    std::fs::write(root.join("endpoint.new"), &emulator.endpoint).unwrap();
    std::fs::rename(root.join("endpoint.new"), root.join("endpoint")).unwrap();
    std::future::pending::<()>().await;
}

/// The endpoint of an emulator whose program has been killed by now.
async fn started_by_a_killed_program(root: &Root, keep: bool) -> String {
    let mut program = Command::new(std::env::current_exe().unwrap());
    program.args(["--exact", "child", "--nocapture"]).stdin(Stdio::null()).stdout(Stdio::null());
    program.env(CHILD, root.path()).envs(keep.then_some((KEEP, "yes")));
    let mut program = program.spawn().unwrap();
    let written = root.path().join("endpoint");
    until("the program has an emulator", async || {
        assert!(program.try_wait().unwrap().is_none(), "the program ended before it had an emulator");
        written.exists()
    })
    .await;
    let endpoint = std::fs::read_to_string(written).unwrap();
    call(&endpoint, "sts", "Action=GetCallerIdentity&Version=2011-06-15").await;
    program.kill().unwrap();
    program.wait().unwrap();
    endpoint
}

#[tokio::test]
async fn a_killed_program_takes_its_emulator_along() {
    let endpoint = started_by_a_killed_program(&root(), false).await;
    gone(&endpoint).await;
}

#[tokio::test]
async fn a_kept_emulator_outlives_a_killed_program() {
    let root = root();
    let endpoint = started_by_a_killed_program(&root, true).await;
    let again = find_or_start(&settings(root.path(), true), &say).await.unwrap();
    assert_eq!((again.origin, &again.endpoint), (Origin::Kept, &endpoint));
    call(&endpoint, "sts", "Action=GetCallerIdentity&Version=2011-06-15").await;
    assert!(matches!(stop_kept(root.path()).await.unwrap(), Stopped::Ended(_)));
    gone(&endpoint).await;
}

/// Run it by `cargo test -p sandbox -- --ignored` where the image is.
#[tokio::test]
#[ignore = "needs Docker and the image motoserver/moto:5.2.5"]
async fn without_python_the_image_is_used() {
    let root = root();
    let bin = root.path().join("bin");
    std::fs::create_dir(&bin).unwrap();
    let path = std::env::var_os("PATH").unwrap();
    let docker = std::env::split_paths(&path).map(|directory| directory.join("docker")).find(|path| path.is_file());
    std::os::unix::fs::symlink(docker.expect("there is a docker"), bin.join("docker")).unwrap();

    for keep in [false, true] {
        let mut settings = settings(root.path(), keep);
        settings.tools = root.path().join("nothing-installed");
        settings.environment.insert("PATH".into(), bin.clone().into());
        let emulator = find_or_start(&settings, &say).await.unwrap();
        let endpoint = emulator.endpoint.clone();
        call(&endpoint, "sts", "Action=GetCallerIdentity&Version=2011-06-15").await;
        drop(emulator);
        if keep {
            call(&endpoint, "sts", "Action=GetCallerIdentity&Version=2011-06-15").await;
            assert!(matches!(stop_kept(root.path()).await.unwrap(), Stopped::Ended(_)));
        }
        gone(&endpoint).await;
    }
}
