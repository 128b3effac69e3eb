//! Finding an emulator, starting one, ending it.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, ChildStdin, Command};
use tokio::time::Instant;

use crate::container;
use crate::endpoint::loopback;
use crate::error::Error;
use crate::http;
use crate::lock::lock;
use crate::process;
use crate::python;
use crate::settings::{ENDPOINT_VARIABLE, Settings};
use crate::state::{State, forget, read_state, write_state};
use crate::wait::until;

/// The program that runs Moto, and ends with us.
const SERVE: &str = include_str!("serve.py");

/// What Moto needs to know. The credentials are dummies: it signs calls to itself, if any.
const MOTO: [(&str, &str); 9] = [
    // Without it the execution role's managed policy does not exist.
    ("MOTO_IAM_LOAD_MANAGED_POLICIES", "true"),
    // Without it no service ever becomes steady. The number should equal the first desired count.
    ("MOTO_ECS_SERVICE_RUNNING", "1"),
    ("AWS_ACCESS_KEY_ID", "sandbox"),
    ("AWS_SECRET_ACCESS_KEY", "sandbox"),
    ("AWS_DEFAULT_REGION", "us-east-1"),
    ("AWS_CONFIG_FILE", "/dev/null"),
    ("AWS_SHARED_CREDENTIALS_FILE", "/dev/null"),
    ("AWS_EC2_METADATA_DISABLED", "true"),
    ("PYTHONUNBUFFERED", "1"),
];

/// How long starting may take.
const READY_WITHIN: Duration = Duration::from_secs(30);
/// How often a starting emulator is asked.
const READY_STEP: Duration = Duration::from_millis(100);
/// How long one that runs may take for an answer.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);
/// How long one may take to end by itself.
const END_WITHIN: Duration = Duration::from_secs(5);
/// A log that is longer begins anew.
const LONGEST_LOG: u64 = 8 << 20;

/// Where an emulator comes from, and so whose it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// The environment names it. It is left alone.
    Given,
    /// An earlier run kept it. [`stop_kept`] ends it.
    Kept,
    /// This run started it.
    Started,
}

/// An emulator that answers.
#[derive(Debug)]
pub struct Emulator {
    /// Where all its services answer, as `http://host:port`.
    pub endpoint: String,
    /// The process that runs it, if it is one of ours.
    pub pid: Option<u32>,
    /// Where it comes from.
    pub origin: Origin,
    life: Life,
}

#[derive(Debug)]
enum Life {
    /// Somebody else's.
    Foreign,
    /// Ends when its standard input does; is killed when dropped.
    Ours { child: Box<Child>, stdin: ChildStdin },
    /// Outlives us.
    Written { root: PathBuf },
}

/// What [`stop_kept`] found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stopped {
    /// No emulator was kept.
    Nothing,
    /// It ran and has ended.
    Ended(State),
    /// It was written down but had ended before.
    WasDead {
        /// The process that was written down.
        pid: u32,
    },
}

/// Finds an emulator or starts one; what takes long or is worth knowing is said.
///
/// In this order: the one that [`ENDPOINT_VARIABLE`] names, the one an earlier run kept, Moto in a virtual
/// environment below [`Settings::root`], Moto's container image if it is on this machine.
///
/// # Errors
/// [`Error::hint`] says what to do about each.
pub async fn find_or_start(settings: &Settings, say: &(dyn Fn(&str) + Sync)) -> Result<Emulator, Error> {
    if let Some(value) = settings.variable(ENDPOINT_VARIABLE) {
        return given(value, say).await;
    }
    // Two runs that keep must not both start one: the second would be written over the first.
    let _kept = match settings.keep {
        true => Some(lock_kept(&settings.root, say).await?),
        false => None,
    };
    if let Some(found) = kept(&settings.root, say).await? {
        return Ok(found);
    }
    match python::installed(settings, python::REQUIREMENTS, say).await {
        Ok(python) => {
            let mut command = python::command(&python, settings);
            command.envs(MOTO).env("HOME", settings.directory());
            command.args(["-I", "-c", SERVE, "127.0.0.1", "0"]);
            start(settings, command, None).await
        }
        Err(error) => {
            let Some(docker) = container::client(settings).await else {
                return Err(Error::NoEmulator { source: Box::new(error) });
            };
            say(&format!("using the image {}, since we failed to {error}", container::IMAGE));
            let name = format!("keeper-automator-moto-{}-{:08x}", std::process::id(), nonce());
            let mut command = container::command(&docker, settings);
            command.args(["run", "--rm", "--init", "--interactive", "--pull=never", "--name", &name]);
            command.arg(format!("--publish=127.0.0.1::{}", container::PORT));
            command.args(MOTO.map(|(name, value)| format!("--env={name}={value}")));
            command.args(["--entrypoint=python", container::IMAGE, "-c", SERVE, "0.0.0.0", container::PORT]);
            start(settings, command, Some((&docker, &name))).await
        }
    }
}

impl Emulator {
    /// Ends an emulator that this run started, kept or not. One that is given or was kept before is left alone.
    pub async fn stop(self) -> Result<(), Error> {
        match self.life {
            Life::Foreign => Ok(()),
            Life::Written { root } => stop_kept(&root).await.map(drop),
            Life::Ours { mut child, stdin } => {
                drop(stdin);
                let pid = child.id().unwrap_or_default();
                if tokio::time::timeout(END_WITHIN, child.wait()).await.is_ok() {
                    return Ok(());
                }
                child.kill().await.map_err(Error::io(format!("kill process {pid}, which runs the emulator")))
            }
        }
    }

    /// Forgets all that is in it.
    pub async fn reset(&self) -> Result<(), Error> {
        let endpoint = self.endpoint.clone();
        let status = http::status("POST", &endpoint, "/moto-api/reset", ANSWER_WITHIN)
            .await
            .map_err(Error::io(format!("empty the emulator at {endpoint}")))?;
        if status == 200 { Ok(()) } else { Err(Error::Reset { endpoint, status }) }
    }
}

/// Ends the emulator that an earlier run kept below this `target` directory, and forgets it.
pub async fn stop_kept(root: &Path) -> Result<Stopped, Error> {
    let _kept = lock_kept(root, &|_| {}).await?;
    let stopped = match read_state(root) {
        Ok(None) => return Ok(Stopped::Nothing),
        Ok(Some(state)) => {
            process::end(state.pid, &state.started).await?;
            Stopped::Ended(state)
        }
        Err(Error::Stale { pid }) => Stopped::WasDead { pid },
        Err(error) => return Err(error),
    };
    forget(root)?;
    Ok(stopped)
}

async fn lock_kept(root: &Path, say: &(dyn Fn(&str) + Sync)) -> Result<File, Error> {
    lock(&root.join("sandbox").join("kept.lock"), say).await
}

/// The emulator that the environment names. Any answer will do: it need not be Moto.
async fn given(value: &OsStr, say: &(dyn Fn(&str) + Sync)) -> Result<Emulator, Error> {
    let value = value.to_string_lossy();
    let endpoint = loopback(&value).map_err(|why| Error::Endpoint { value: value.into_owned(), why })?;
    if let Err(source) = http::status("GET", &endpoint, "/", ANSWER_WITHIN).await {
        return Err(Error::Unreachable { endpoint, source });
    }
    say(&format!("using the emulator at {endpoint}, which {ENDPOINT_VARIABLE} names"));
    Ok(Emulator { endpoint, pid: None, origin: Origin::Given, life: Life::Foreign })
}

/// The emulator that an earlier run kept, if it answers. One that is dead is forgotten, one that hangs is ended.
async fn kept(root: &Path, say: &(dyn Fn(&str) + Sync)) -> Result<Option<Emulator>, Error> {
    match read_state(root) {
        Ok(None) => Ok(None),
        Ok(Some(state)) if answers(&state.endpoint).await => {
            say(&format!("using the kept emulator at {} (process {})", state.endpoint, state.pid));
            let State { endpoint, pid, .. } = state;
            Ok(Some(Emulator { endpoint, pid: Some(pid), origin: Origin::Kept, life: Life::Foreign }))
        }
        Ok(Some(state)) => {
            say(&format!(
                "the kept emulator (process {}) does not answer; it is ended and another one takes its place",
                state.pid
            ));
            process::end(state.pid, &state.started).await?;
            forget(root)?;
            Ok(None)
        }
        Err(Error::Stale { pid }) => {
            say(&format!("the kept emulator (process {pid}) no longer runs; what was in it is gone"));
            forget(root)?;
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

/// Whether Moto answers. Its front page tells as well as `/moto-api/data.json`, which holds every object: with one
/// network in it, that is 13 MB and takes seconds.
async fn answers(endpoint: &str) -> bool {
    matches!(http::status("GET", endpoint, "/moto-api/", ANSWER_WITHIN).await, Ok(200))
}

/// Starts a command that runs [`SERVE`], and waits until it answers.
async fn start(settings: &Settings, mut command: Command, container: Option<(&Path, &str)>) -> Result<Emulator, Error> {
    let deadline = Instant::now() + READY_WITHIN;
    let log = Log::open(&settings.directory())?;
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(log.writer()?);
    // A group of its own: Ctrl-C is for us, who still need it while we end. Until it is told to stay, the end of
    // its standard input ends it.
    command.process_group(0).kill_on_drop(!settings.keep);
    let mut child = command.spawn().map_err(Error::io("run the emulator"))?;
    let (Some(stdin), Some(stdout), Some(pid)) = (child.stdin.take(), child.stdout.take(), child.id()) else {
        return Err(log.not_ready("ended at once"));
    };

    let mut line = String::new();
    let mut stdout = BufReader::new(stdout);
    let port = match tokio::time::timeout_at(deadline, stdout.read_line(&mut line)).await {
        Err(_) => return Err(log.not_ready("said nothing for 30 s")),
        Ok(read) => match (read.ok().and_then(|_| line.trim().parse().ok()), container) {
            (None, _) => return Err(log.not_ready("ended before it listened")),
            (Some(port), None) => port,
            (Some(_inside), Some((docker, name))) => container::published(docker, settings, name)
                .await
                .map_err(Error::io("find the port of the container"))?,
        },
    };
    let endpoint = format!("http://127.0.0.1:{port}");
    let ready = until(deadline.saturating_duration_since(Instant::now()), READY_STEP, || {
        let ended = child.try_wait().is_ok_and(|status| status.is_some());
        let endpoint = &endpoint;
        async move { if ended { Some(false) } else { answers(endpoint).await.then_some(true) } }
    });
    match ready.await {
        Some(true) => {}
        Some(false) => return Err(log.not_ready("ended before it answered")),
        None => return Err(log.not_ready("did not answer within 30 s")),
    }

    let life = if settings.keep {
        let started = process::started(pid).ok_or_else(|| log.not_ready("ended"))?;
        write_state(&settings.root, &State { endpoint: endpoint.clone(), pid, port, started })?;
        let_stay(stdin).await.map_err(Error::io("keep the emulator"))?;
        Life::Written { root: settings.root.clone() }
    } else {
        Life::Ours { child: Box::new(child), stdin }
    };
    Ok(Emulator { endpoint, pid: Some(pid), origin: Origin::Started, life })
}

async fn let_stay(mut stdin: ChildStdin) -> std::io::Result<()> {
    stdin.write_all(b"keep\n").await?;
    stdin.shutdown().await
}

/// Keeps the names of containers apart; nobody has to be unable to guess it.
fn nonce() -> u32 {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(0, |since| since.subsec_nanos())
}

/// The emulator's log, from where this start of it began.
struct Log {
    path: PathBuf,
    file: File,
    begin: u64,
}

impl Log {
    fn open(directory: &Path) -> Result<Self, Error> {
        let path = directory.join("moto.log");
        let open = || {
            std::fs::create_dir_all(directory)?;
            let file = File::options().create(true).append(true).read(true).mode(0o600).open(&path)?;
            if file.metadata()?.len() > LONGEST_LOG {
                file.set_len(0)?;
            }
            let begin = file.metadata()?.len();
            Ok((file, begin))
        };
        let (file, begin) = open().map_err(Error::io(format!("open `{}`", path.display())))?;
        Ok(Self { path, file, begin })
    }

    fn writer(&self) -> Result<Stdio, Error> {
        self.file.try_clone().map(Stdio::from).map_err(Error::io("share the log"))
    }

    fn not_ready(&self, what: &str) -> Error {
        let mut text = Vec::new();
        let mut file = &self.file;
        let read = file.seek(SeekFrom::Start(self.begin)).and_then(|_| file.read_to_end(&mut text));
        let tail = read.map_or_else(|error| error.to_string(), |_| python::tail(&String::from_utf8_lossy(&text)));
        Error::NotReady { what: what.to_owned(), log: self.path.clone(), tail }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    /// Settings that know no program at all, and one variable.
    fn bare(root: &Path, endpoint: &str) -> Settings {
        Settings { environment: [(ENDPOINT_VARIABLE.into(), endpoint.into())].into(), ..Settings::from_env(root) }
    }

    #[tokio::test]
    async fn an_endpoint_outside_loopback_is_refused() {
        let root = tempfile::tempdir().unwrap();
        let settings = bare(root.path(), "http://192.0.2.1:5000");
        let error = find_or_start(&settings, &|_| {}).await.unwrap_err();
        assert!(matches!(error, Error::Endpoint { .. }), "{error:?}");
        assert!(error.to_string().contains("http://192.0.2.1:5000"));
        assert_eq!(std::fs::read_dir(root.path()).unwrap().count(), 0, "nothing was begun");
    }

    #[tokio::test]
    async fn an_endpoint_where_nobody_listens_is_not_replaced_in_silence() {
        let root = tempfile::tempdir().unwrap();
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let error = find_or_start(&bare(root.path(), &format!("http://{free}")), &|_| {}).await.unwrap_err();
        assert!(matches!(error, Error::Unreachable { .. }), "{error:?}");
    }

    #[tokio::test]
    async fn without_python_and_docker_one_command_is_named() {
        let root = tempfile::tempdir().unwrap();
        let error = find_or_start(&bare(root.path(), ""), &|_| {}).await.unwrap_err();
        assert!(matches!(error, Error::NoEmulator { .. }), "{error:?}");
        assert!(error.hint().unwrap().contains("run: "));
    }

    #[tokio::test]
    async fn a_dead_kept_emulator_is_said_and_forgotten() {
        let root = tempfile::tempdir().unwrap();
        let pid = std::process::id();
        let endpoint = "http://127.0.0.1:1".to_owned();
        write_state(root.path(), &State { endpoint, pid, port: 1, started: "long ago".into() }).unwrap();
        let said = Mutex::new(Vec::new());
        let say = |what: &str| said.lock().unwrap().push(what.to_owned());
        find_or_start(&bare(root.path(), ""), &say).await.unwrap_err();
        assert!(said.lock().unwrap()[0].contains(&format!("(process {pid}) no longer runs")), "{said:?}");
        assert_eq!(read_state(root.path()).unwrap(), None);
    }

    #[test]
    fn finding_and_ending_may_move_between_threads() {
        fn moves(_: impl Send) {}
        let settings = Settings::from_env("unused");
        moves(find_or_start(&settings, &|_| {}));
        moves(stop_kept(&settings.root));
    }

    #[tokio::test]
    async fn stopping_says_what_was_there() {
        let root = tempfile::tempdir().unwrap();
        assert_eq!(stop_kept(root.path()).await.unwrap(), Stopped::Nothing);
        let pid = std::process::id();
        let endpoint = "http://127.0.0.1:1".to_owned();
        write_state(root.path(), &State { endpoint, pid, port: 1, started: "long ago".into() }).unwrap();
        assert_eq!(stop_kept(root.path()).await.unwrap(), Stopped::WasDead { pid });
        assert_eq!(stop_kept(root.path()).await.unwrap(), Stopped::Nothing);
    }

    #[tokio::test]
    async fn a_start_that_fails_shows_the_end_of_the_log() {
        let root = tempfile::tempdir().unwrap();
        let settings = Settings::from_env(root.path());
        std::fs::create_dir_all(settings.directory()).unwrap();
        std::fs::write(settings.directory().join("moto.log"), "of an earlier run\n").unwrap();
        let mut command = Command::new("sh");
        command.args(["-c", "echo no module named moto >&2; exit 1"]);
        let error = start(&settings, command, None).await.unwrap_err().to_string();
        assert!(error.contains("ended before it listened") && error.contains("no module named moto"), "{error}");
        assert!(!error.contains("earlier"), "{error}");
    }
}
