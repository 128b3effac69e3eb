//! What each `keeper …` command prints with `--format json`.

use schemars::JsonSchema;
use serde::Serialize;

/// The version of these shapes.
pub(super) const SCHEMA: u32 = 1;

/// The output of a `keeper …` command with `--format json`. `schema` is the version of the shape.
#[derive(Serialize, JsonSchema)]
#[serde(untagged, deny_unknown_fields)]
pub(crate) enum KeeperDocument {
    /// `keeper whoami`
    WhoAmI { schema: u32, account: Account, findings: Vec<Finding> },
    /// `keeper nodes`
    Nodes { schema: u32, enterprise: Enterprise, nodes: Vec<Node> },
    /// `keeper login`
    Login {
        schema: u32,
        user: String,
        host: String,
        /// The file that was written.
        out: String,
        /// Whether later runs need nobody.
        stays_signed_in: bool,
        /// Why not.
        why_not: Option<String>,
    },
    /// `keeper automator list`
    Automators { schema: u32, automators: Vec<Automator> },
    /// `keeper automator view`, `create`, `edit`, `setup`, `init`, `enable`, `disable`, `reset`
    Automator {
        schema: u32,
        /// The verbs that led there; none when all was as wanted.
        did: Vec<String>,
        automator: Automator,
        /// Of `setup`: SHA-256 of the key that got the enterprise's keys.
        #[serde(skip_serializing_if = "Option::is_none")]
        fingerprint: Option<String>,
    },
    /// `keeper automator delete`
    AutomatorDeleted { schema: u32, did: Vec<String>, deleted: AutomatorName },
    /// `keeper automator log`
    AutomatorLog { schema: u32, automator: AutomatorName, log: Vec<LogLine> },
    /// `keeper automator log-clear`
    AutomatorLogCleared { schema: u32, did: Vec<String>, automator: AutomatorName },
    /// `keeper vault list`
    Vault {
        schema: u32,
        deployment: String,
        folders: Vec<Folder>,
        records: Vec<Record>,
        applications: Vec<Application>,
        /// Things in the vault, anybody's, that cannot be opened.
        unreadable: usize,
    },
    /// `keeper vault remove-device`
    DeviceRemoved { schema: u32, removed: DeviceName },
    /// `keeper files`
    Files { schema: u32, record: ReadRecord, files: Vec<File>, failed: Vec<FailedFile> },
    /// `keeper get`
    Got {
        schema: u32,
        /// The record's UID.
        record: String,
        /// The attachment's UID.
        file: String,
        name: String,
        /// Bytes of the content.
        bytes: usize,
        /// The file that was written.
        out: String,
    },
    /// `keeper notation`
    Notation {
        schema: u32,
        notation: String,
        /// Bytes of the content.
        bytes: usize,
        /// The file that was written.
        out: String,
    },
    /// `keeper put`, `keeper replace`
    Attached {
        schema: u32,
        /// The record's UID.
        record: String,
        /// The attachment's UID.
        file: String,
        name: String,
        /// False when an attachment with these bytes was there.
        uploaded: bool,
        /// UIDs of the attachments that were taken away.
        removed: Vec<String>,
    },
    /// `keeper bind`
    Bound {
        schema: u32,
        /// The device's client id.
        device: String,
        host: String,
        /// The file that was written.
        out: String,
    },
}

/// Who is signed in.
#[derive(Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Account {
    /// E-mail address.
    pub(super) user: String,
    /// The server.
    pub(super) host: String,
    /// UID of the account.
    pub(super) account_uid: String,
    /// Whether the account administers an enterprise.
    pub(super) administrator: bool,
    /// Id of the enterprise, 0 for none.
    pub(super) enterprise_id: i32,
    /// Whether the next run can resume, as far as the account's settings say.
    pub(super) persistent_login: bool,
    /// Whether the enterprise forbids RSA.
    pub(super) forbids_rsa: bool,
    /// Whether Secrets Manager is licensed, as far as the account's summary says.
    pub(super) secrets_manager: bool,
}

/// Something that stands in the way of a deployment, or may.
#[derive(Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Finding {
    pub(super) severity: Severity,
    /// A stable name in kebab-case.
    pub(super) code: String,
    /// What was found and what to do.
    pub(super) text: String,
}

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Severity {
    /// The deployment cannot succeed.
    Blocks,
    /// It may fail, or something will be less than it could be.
    Warns,
}

/// The enterprise.
#[derive(Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Enterprise {
    pub(super) id: i32,
    pub(super) name: String,
}

/// A node of the enterprise.
#[derive(Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Node {
    pub(super) id: i64,
    /// The node above; 0 for the root.
    pub(super) parent: i64,
    /// Its name; empty where it cannot be read.
    pub(super) name: String,
    /// The names from the root to it.
    pub(super) path: String,
    /// Whether an active SSO Connect Cloud service is on it, which an Automator needs.
    pub(super) cloud_sso: bool,
}

/// An Automator.
#[derive(Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Automator {
    pub(super) id: i64,
    pub(super) name: String,
    /// The node it serves.
    pub(super) node: i64,
    /// Where Keeper calls it; empty at first.
    pub(super) url: String,
    /// Whether it is asked for approvals.
    pub(super) enabled: bool,
    /// What it waits for: `RUNNING`, `NEEDS_INITIALIZATION`, `NEEDS_CRYPTO_STEP_1` and so on.
    pub(super) state: String,
    /// Whether it was set up and initialised.
    pub(super) ready: bool,
    /// Whether `init` went through.
    pub(super) initialized: bool,
    /// What it decides: `device`, `team`, `team_for_user`.
    pub(super) skills: Vec<String>,
    /// Version of the service; empty where it is not known.
    pub(super) version: String,
    /// When its certificate ends, as Keeper says; empty where it is not known.
    pub(super) certificate_ends: String,
    pub(super) counts: Counts,
    pub(super) settings: Vec<Setting>,
}

/// What an Automator did so far.
#[derive(Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Counts {
    pub(super) approved: i64,
    pub(super) denied: i64,
    pub(super) errors: i64,
}

/// A setting of an Automator.
#[derive(Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Setting {
    pub(super) id: i64,
    /// Its name for programs.
    pub(super) tag: String,
    /// Its name for people.
    pub(super) name: String,
    pub(super) editable: bool,
    /// Its value; null where it could be a secret.
    pub(super) value: Option<String>,
}

/// Which Automator.
#[derive(Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AutomatorName {
    pub(super) id: i64,
    pub(super) name: String,
}

/// A line of an Automator's log.
#[derive(Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct LogLine {
    /// When, as the server writes it.
    pub(super) time: String,
    /// `INFO`, `ERROR` and so on.
    pub(super) level: String,
    /// Which part of the service.
    pub(super) component: String,
    /// What happened.
    pub(super) message: String,
}

/// A shared folder.
#[derive(Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Folder {
    pub(super) uid: String,
    pub(super) title: String,
    /// Members other than ourselves.
    pub(super) others: usize,
}

/// A record with its attachments.
#[derive(Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Record {
    pub(super) uid: String,
    pub(super) title: String,
    pub(super) attachments: Vec<Attachment>,
}

/// An attachment.
#[derive(Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Attachment {
    pub(super) uid: String,
    pub(super) name: String,
    /// Bytes of its content.
    pub(super) size: u64,
}

/// A Secrets Manager application.
#[derive(Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Application {
    pub(super) uid: String,
    pub(super) title: String,
    pub(super) shares: Vec<Share>,
    pub(super) devices: Vec<Device>,
}

/// What an application may read.
#[derive(Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Share {
    /// UID of the shared folder.
    pub(super) folder: String,
    /// Whether its devices may write.
    pub(super) editable: bool,
}

/// A device of an application. Times are milliseconds since 1970, 0 for never.
#[derive(Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Device {
    pub(super) client_id: String,
    pub(super) name: String,
    pub(super) created: i64,
    /// Whether its one-time token was used.
    pub(super) bound: bool,
    pub(super) last_access: i64,
    /// Whether it is locked to the address of its first call.
    pub(super) ip_lock: bool,
}

/// Which device.
#[derive(Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct DeviceName {
    pub(super) client_id: String,
    pub(super) name: String,
}

/// A record as a device sees it.
#[derive(Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ReadRecord {
    pub(super) uid: String,
    pub(super) title: String,
    /// Whether the device may write.
    pub(super) editable: bool,
}

/// An attachment as a device sees it.
#[derive(Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct File {
    pub(super) uid: String,
    pub(super) name: String,
    pub(super) title: String,
    /// Bytes of its content; null where it is not known.
    pub(super) size: Option<u64>,
    /// Null where nobody said it.
    pub(super) media_type: Option<String>,
    /// Milliseconds since 1970; null where it is not known.
    pub(super) last_modified: Option<i64>,
    /// Whether its content is there.
    pub(super) stored: bool,
}

/// An attachment that cannot be opened.
#[derive(Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct FailedFile {
    pub(super) uid: String,
    pub(super) error: String,
}
