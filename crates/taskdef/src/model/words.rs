//! Values from closed lists. A word we do not know is kept, so that a newer document still reads and
//! writes back unchanged; lint says what it thinks of it.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

macro_rules! word {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $text:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum $name {
            $($(#[$vdoc])* $variant,)+
            /// A word that is in no list known to this version.
            Other(String),
        }

        impl $name {
            /// Every word of the list, as AWS spells it.
            pub const KNOWN: &'static [&'static str] = &[$($text),+];

            /// The word as AWS spells it.
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$variant => $text,)+
                    Self::Other(text) => text,
                }
            }

            /// Whether the word is in the list.
            pub fn is_known(&self) -> bool {
                !matches!(self, Self::Other(_))
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                match text {
                    $($text => Self::$variant,)+
                    other => Self::Other(other.to_owned()),
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                Ok(Self::from(String::deserialize(deserializer)?.as_str()))
            }
        }
    };
}

word! {
    /// How the containers of a task reach the network. Fargate knows only `awsvpc`.
    NetworkMode {
        /// One network interface for the task.
        Awsvpc = "awsvpc",
        /// Docker's bridge.
        Bridge = "bridge",
        /// The host's own network.
        Host = "host",
        /// No network.
        Isolated = "none",
    }
}

word! {
    /// Where a definition may run.
    Compatibility {
        /// Without servers of one's own.
        Fargate = "FARGATE",
        /// On instances.
        Ec2 = "EC2",
        /// On machines outside AWS.
        External = "EXTERNAL",
        /// On instances that ECS looks after.
        ManagedInstances = "MANAGED_INSTANCES",
    }
}

word! {
    /// What a container waits for in another one.
    Condition {
        /// It was started.
        Start = "START",
        /// It ended, however.
        Complete = "COMPLETE",
        /// It ended with exit status 0.
        Success = "SUCCESS",
        /// Its health check passes.
        Healthy = "HEALTHY",
    }
}

word! {
    /// On or off, in the words of EFS.
    Switch {
        /// On.
        Enabled = "ENABLED",
        /// Off.
        Disabled = "DISABLED",
    }
}

word! {
    /// The transport protocol of a port.
    Protocol {
        /// TCP, the default.
        Tcp = "tcp",
        /// UDP.
        Udp = "udp",
    }
}

word! {
    /// The processor family a task runs on.
    CpuArchitecture {
        /// Intel and AMD, the default.
        X86_64 = "X86_64",
        /// Graviton.
        Arm64 = "ARM64",
    }
}

word! {
    /// Where the output of a container goes.
    LogDriver {
        /// CloudWatch Logs.
        Awslogs = "awslogs",
        /// A log router that runs as another container of the task.
        Awsfirelens = "awsfirelens",
        /// Splunk.
        Splunk = "splunk",
        /// Files on an instance.
        JsonFile = "json-file",
        /// The syslog daemon of an instance.
        Syslog = "syslog",
        /// The journal of an instance.
        Journald = "journald",
        /// Graylog.
        Gelf = "gelf",
        /// A fluentd daemon.
        Fluentd = "fluentd",
    }
}
