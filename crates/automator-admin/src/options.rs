//! What a client may be told beyond its configuration.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use keeper_wire::{Host, ServerKeys, server_keys};
use secrecy::SecretString;

/// The client version this crate announces with a login.
///
/// **What this says, and why.** Keeper knows its clients by a letter and a version, and refuses what it does not know; this is
/// what the vendor's Commander 18.1.8 sends. This crate is not Commander; it announces its version because there is none for
/// clients of others. Roles that forbid "Commander SDK" therefore forbid this crate too. Set another one with
/// [`Options::client_version`].
pub const CLIENT_VERSION: &str = "c18.1.0";

/// Changes of the server key that one call follows.
pub const MAX_ROTATIONS: u32 = 3;

/// How a [`Session`](crate::Session) behaves. Everything has a default; TLS verification has no switch.
///
/// ```
/// use std::time::Duration;
/// let options = automator_admin::Options::new()
///     .deadline(Duration::from_secs(60))
///     .host("localhost:8443".parse().unwrap());
/// ```
#[derive(Clone)]
pub struct Options {
    pub(crate) deadline: Duration,
    pub(crate) attempt: Duration,
    pub(crate) connect: Duration,
    pub(crate) pause: Duration,
    pub(crate) throttle: Duration,
    pub(crate) proxy: Option<SecretString>,
    pub(crate) authorities: Vec<Vec<u8>>,
    pub(crate) host: Option<Host>,
    pub(crate) server_keys: ServerKeys,
    pub(crate) server_key: i32,
    pub(crate) hybrid: Option<(i32, Vec<u8>)>,
    pub(crate) client_version: String,
    pub(crate) device_name: String,
    pub(crate) max_reply: u64,
    pub(crate) max_file: u64,
    pub(crate) listener: Option<Listener>,
}

type Listener = Arc<dyn Fn(&Event) + Send + Sync>;

impl Options {
    /// The defaults.
    #[must_use]
    pub fn new() -> Self {
        Self {
            deadline: Duration::from_secs(5 * 60),
            attempt: Duration::from_secs(2 * 60),
            connect: Duration::from_secs(15),
            pause: Duration::from_millis(500),
            throttle: Duration::from_secs(30),
            proxy: None,
            authorities: Vec::new(),
            host: None,
            server_keys: ServerKeys::production(),
            server_key: server_keys::ADMIN_DEFAULT,
            hybrid: None,
            client_version: CLIENT_VERSION.to_owned(),
            device_name: "keeper-automator".to_owned(),
            max_reply: 64 << 20,
            max_file: 64 << 20,
            listener: None,
        }
    }

    /// How long one call may take with all its attempts and waits; 5 minutes.
    #[must_use]
    pub fn deadline(self, deadline: Duration) -> Self {
        Self { deadline, ..self }
    }

    /// How long a single request may take; 2 minutes, because `setup` and `init` call the Automator meanwhile.
    #[must_use]
    pub fn attempt_timeout(self, attempt: Duration) -> Self {
        Self { attempt, ..self }
    }

    /// How long a connection may take to be made; 15 s.
    #[must_use]
    pub fn connect_timeout(self, connect: Duration) -> Self {
        Self { connect, ..self }
    }

    /// The first pause before a read is repeated; it doubles each time; 0.5 s.
    #[must_use]
    pub fn retry_pause(self, pause: Duration) -> Self {
        Self { pause, ..self }
    }

    /// The shortest wait after the rate limit was met for the first time; 30 s. The second and third wait are at least twice and
    /// four times as long. What Keeper's text asks for counts up to ten times this (spec 1.2 says 300 s); where it names no time
    /// it is twice this.
    #[must_use]
    pub fn throttle_pause(self, throttle: Duration) -> Self {
        Self { throttle, ..self }
    }

    /// A proxy for everything, such as `http://user:password@proxy.example.com:3128`. Without it the environment decides
    /// (`HTTPS_PROXY`, `NO_PROXY`).
    #[must_use]
    pub fn proxy(self, url: SecretString) -> Self {
        Self { proxy: Some(url), ..self }
    }

    /// Certificates of private authorities, PEM, trusted beside those of the system.
    #[must_use]
    pub fn authority(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.authorities.push(pem.into());
        self
    }

    /// Another server than the configuration names, with a port where it is not 443. Without TLS only on this machine.
    #[must_use]
    pub fn host(self, host: Host) -> Self {
        Self { host: Some(host), ..self }
    }

    /// Other public keys of the server than the built-in table, for isolated deployments and tests.
    #[must_use]
    pub fn server_keys(self, server_keys: ServerKeys) -> Self {
        Self { server_keys, ..self }
    }

    /// The id of the server key to begin with; 7.
    #[must_use]
    pub fn server_key(self, id: i32) -> Self {
        Self { server_key: id, ..self }
    }

    /// Turns the hybrid envelope on (ML-KEM-1024 beside P-256): id and public key (1568 bytes) of the server.
    ///
    /// It is off without this, because the production keys are not part of this crate; every host takes the plain envelope. A
    /// server that does not understand it is asked again with the plain one.
    #[must_use]
    pub fn hybrid_key(self, id: i32, ml_kem: Vec<u8>) -> Self {
        Self { hybrid: Some((id, ml_kem)), ..self }
    }

    /// Another version to announce; see [`CLIENT_VERSION`].
    #[must_use]
    pub fn client_version(self, version: impl Into<String>) -> Self {
        Self { client_version: version.into(), ..self }
    }

    /// The name under which a new device is registered; `keeper-automator`.
    #[must_use]
    pub fn device_name(self, name: impl Into<String>) -> Self {
        Self { device_name: name.into(), ..self }
    }

    /// Bytes of the largest answer that is read; 64 MiB.
    #[must_use]
    pub fn max_reply(self, max_reply: u64) -> Self {
        Self { max_reply, ..self }
    }

    /// Bytes of the largest file that is downloaded or uploaded, without the 28 of its encryption; 64 MiB.
    #[must_use]
    pub fn max_file(self, max_file: u64) -> Self {
        Self { max_file, ..self }
    }

    /// Is told of everything that takes unexpected time. The same goes to `tracing`, at level `info`.
    #[must_use]
    pub fn on_event(self, listener: impl Fn(&Event) + Send + Sync + 'static) -> Self {
        Self { listener: Some(Arc::new(listener)), ..self }
    }

    pub(crate) fn tell(&self, event: &Event) {
        tracing::info!("{event}");
        if let Some(listener) = &self.listener {
            listener(event);
        }
    }
}

impl Default for Options {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("deadline", &self.deadline)
            .field("proxy", &self.proxy.is_some())
            .field("authorities", &self.authorities.len())
            .field("host", &self.host.as_ref().map(ToString::to_string))
            .field("hybrid", &self.hybrid.as_ref().map(|(id, _)| *id))
            .field("client_version", &self.client_version)
            .finish_non_exhaustive()
    }
}

/// Something that takes time or changes how the client speaks. Holds no secret.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// The rate limit was met.
    Throttled {
        /// The endpoint's or command's name.
        call: &'static str,
        /// The wait that begins now.
        wait: Duration,
        /// Which attempt met it, from 1.
        attempt: u32,
    },
    /// A call is repeated, because no usable answer came.
    Repeated {
        /// The endpoint's or command's name, `upload` or `download`.
        call: &'static str,
        /// The wait that begins now.
        wait: Duration,
        /// Which attempt failed, from 1.
        attempt: u32,
    },
    /// The answer to a change was lost; it is looked whether it was done.
    LookingAgain {
        /// The endpoint's or command's name.
        call: &'static str,
    },
    /// A record was changed by others between reading and writing; it is read again.
    Contended {
        /// Which attempt met it, from 1.
        attempt: u32,
    },
    /// The server asked for another of its keys and gets it.
    KeyRotated {
        /// The id so far.
        from: i32,
        /// The id from now on.
        to: i32,
    },
    /// The server does not take the hybrid envelope; the plain one is used from now on.
    HybridDropped,
    /// The configuration asks for certificates not to be checked, which this program does not do.
    StillChecking,
    /// The session had expired; this is a new one.
    SignedInAgain,
    /// The account is in another region; the client goes there.
    Redirected {
        /// The new host.
        to: String,
    },
    /// Another Automator on the same node is enabled too. Keeper asks that one first (spec 7.7).
    OtherAutomator {
        /// Its name.
        name: String,
        /// Its id.
        id: i64,
    },
    /// A file that is attached to nothing any more could not be deleted. It is harmless and counts against the storage.
    OrphanKept {
        /// The file.
        file: keeper_wire::Uid,
    },
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Throttled { call, wait, attempt } => {
                write!(f, "{call}: Keeper limits the rate; waiting {:.0} s after attempt {attempt}", wait.as_secs_f32())
            }
            Self::Repeated { call, wait, attempt } => {
                write!(f, "{call}: no usable answer; again in {:.1} s after attempt {attempt}", wait.as_secs_f32())
            }
            Self::LookingAgain { call } => write!(f, "{call}: the answer was lost; looking whether it was done"),
            Self::Contended { attempt } => {
                write!(f, "the record was changed meanwhile; reading it again after attempt {attempt}")
            }
            Self::KeyRotated { from, to } => write!(f, "the server asks for its key {to} instead of {from}"),
            Self::HybridDropped => f.write_str("the server does not take the hybrid envelope; using the plain one"),
            Self::StillChecking => f.write_str(
                "the Keeper configuration says \"certificate_check\": false; certificates are checked nevertheless: where a \
                 private authority or a proxy issues them, name the authority's certificate",
            ),
            Self::SignedInAgain => f.write_str("the session had expired; signed in again"),
            Self::Redirected { to } => write!(f, "the account is in another region: {to}"),
            Self::OtherAutomator { name, id } => {
                write!(f, "the Automator {name:?} ({id}) is enabled on the same node, and Keeper asks it first")
            }
            Self::OrphanKept { file } => {
                write!(f, "file {file} is attached to nothing any more and could not be deleted")
            }
        }
    }
}
