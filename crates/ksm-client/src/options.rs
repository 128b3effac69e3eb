//! What a client may be told beyond its device configuration.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use keeper_wire::{Host, ServerKeys};
use secrecy::SecretString;

/// The client version this crate announces in every request.
///
/// **What this says, and why.** The service refuses versions it does not know (`invalid_client_version`), and knows those
/// that the vendor registered. This is the vendor's own Rust SDK, version 17.3.0 (`mr` is its mark). This crate is not that
/// SDK; it announces its version because there is none for clients of others, and of the registered ones it is the nearest.
/// The vendor may retire it: then set another one with [`Options::client_version`], or `KSM_CLIENT_VERSION` for `ksm-writer`.
pub const CLIENT_VERSION: &str = "mr17.3.0";

/// Key rotations that one call follows.
pub const MAX_ROTATIONS: u32 = 3;

/// The longest single wait, whatever the service asks for.
pub const MAX_WAIT: Duration = Duration::from_secs(176);

/// How a [`Client`](crate::Client) behaves. Everything has a default; TLS verification has no switch.
///
/// ```
/// use std::time::Duration;
/// let options = ksm_client::Options::new()
///     .deadline(Duration::from_secs(30))
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
    pub(crate) system_authorities: bool,
    pub(crate) host: Option<Host>,
    pub(crate) server_keys: ServerKeys,
    pub(crate) client_version: String,
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
            deadline: Duration::from_secs(120),
            attempt: Duration::from_secs(30),
            connect: Duration::from_secs(5),
            pause: Duration::from_millis(500),
            throttle: Duration::from_secs(11),
            proxy: None,
            authorities: Vec::new(),
            system_authorities: true,
            host: None,
            server_keys: ServerKeys::production(),
            client_version: CLIENT_VERSION.to_owned(),
            max_reply: 64 << 20,
            max_file: 64 << 20,
            listener: None,
        }
    }

    /// How long a call may take with all its attempts and waits; 2 minutes. The service's rate limit can ask for almost six.
    #[must_use]
    pub fn deadline(self, deadline: Duration) -> Self {
        Self { deadline, ..self }
    }

    /// How long a single request may take; 30 s.
    #[must_use]
    pub fn attempt_timeout(self, attempt: Duration) -> Self {
        Self { attempt, ..self }
    }

    /// How long a connection may take to be made; 5 s.
    #[must_use]
    pub fn connect_timeout(self, connect: Duration) -> Self {
        Self { connect, ..self }
    }

    /// The first pause before a read is repeated, or a file is looked for again; it doubles each time; 0.5 s.
    #[must_use]
    pub fn retry_pause(self, pause: Duration) -> Self {
        Self { pause, ..self }
    }

    /// The first wait after the rate limit was met and the service says no time; it doubles each time, five times in all.
    /// 11 s, because the service's counter is cleared by 10 quiet seconds.
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

    /// Trusts the private authorities alone and not those of the system, which are then not read either. Reading them takes
    /// tens of milliseconds on some systems.
    #[must_use]
    pub fn only_private_authorities(self) -> Self {
        Self { system_authorities: false, ..self }
    }

    /// Another server than the configuration names, with a port where it is not 443.
    #[must_use]
    pub fn host(self, host: Host) -> Self {
        Self { host: Some(host), ..self }
    }

    /// Other public keys of the server than the built-in table, for isolated deployments and tests.
    #[must_use]
    pub fn server_keys(self, server_keys: ServerKeys) -> Self {
        Self { server_keys, ..self }
    }

    /// Another version to announce; see [`CLIENT_VERSION`].
    #[must_use]
    pub fn client_version(self, version: impl Into<String>) -> Self {
        Self { client_version: version.into(), ..self }
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
            .field("client_version", &self.client_version)
            .finish_non_exhaustive()
    }
}

/// Something that takes time, or changes the device, while a call is under way. Holds no secret.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// The rate limit was met.
    Throttled {
        /// The operation's name in the protocol.
        operation: &'static str,
        /// The wait that begins now.
        wait: Duration,
        /// Which attempt met it, from 1.
        attempt: u32,
    },
    /// A read is repeated, because its answer did not arrive or the server failed.
    Repeated {
        /// The operation's name in the protocol, or `download`.
        operation: &'static str,
        /// The wait that begins now.
        wait: Duration,
        /// Which attempt failed, from 1.
        attempt: u32,
    },
    /// An uploaded file has no address yet.
    NotStoredYet {
        /// The wait that begins now.
        wait: Duration,
        /// Which look found none, from 1.
        attempt: u32,
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
    /// The new key id could not be written into the configuration's file. The client goes on; the next one will ask again.
    NotSaved,
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Throttled { operation, wait, attempt } => {
                write!(
                    f,
                    "{operation}: the service limits the rate; waiting {:.1} s after attempt {attempt}",
                    wait.as_secs_f32()
                )
            }
            Self::Repeated { operation, wait, attempt } => {
                write!(f, "{operation}: no usable answer; again in {:.1} s after attempt {attempt}", wait.as_secs_f32())
            }
            Self::NotStoredYet { wait, attempt } => {
                write!(f, "the new file is not there yet; waiting {:.1} s after look {attempt}", wait.as_secs_f32())
            }
            Self::Contended { attempt } => {
                write!(f, "the record was changed meanwhile; reading it again after attempt {attempt}")
            }
            Self::KeyRotated { from, to } => write!(f, "the server asks for its key {to} instead of {from}"),
            Self::NotSaved => f.write_str("the new key id could not be written into the configuration file"),
        }
    }
}
