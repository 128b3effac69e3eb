//! The ECS task definition as a typed, linted, diffable thing.
//!
//! Every rule about the Automator's task definition lives in this crate, and nothing else does: bytes in,
//! bytes out, no files, no network, no clock.
//!
//! - [`Document`] and [`TaskDefinition`] read and write what ECS reads and writes, and lose nothing.
//! - [`Description`] is what a person decided; [`Description::render`] makes the document.
//! - [`lint`](lint()) says what AWS would refuse and what a security review would flag.
//! - [`diff`](diff()) compares two documents, [`corrections`](corrections()) compares the guide's with ours.
//! - [`secrets`] is the writer image's mini-language, [`properties`] is `keeper.properties`.
//!
//! ```
//! use taskdef::{Attachments, Description, Images, Ksm, KsmConfig, Shape, Volume, Volumes, diff, lint};
//!
//! let volume = |fs: &str, ap: &str| Volume { file_system_id: fs.into(), access_point_id: Some(ap.into()) };
//! let description = Description {
//!     family: "automator".into(),
//!     region: "eu-west-1".into(),
//!     log_group: "automator-logs".into(),
//!     cpu: 2048,
//!     memory: 5120,
//!     architecture: None,
//!     execution_role_arn: "arn:aws:iam::111122223333:role/automator-execution".into(),
//!     task_role_arn: Some("arn:aws:iam::111122223333:role/automator-task".into()),
//!     shape: Shape::Ksm(Ksm {
//!         images: Images { init: "keeper/keeper-secrets-manager-writer:1.0".into(), main: "keeper/automator:17.1.5".into() },
//!         record_uid: "q1ZBkT0xJ7mW8c2Yd4NfRg".parse()?,
//!         attachments: Attachments::generation("03ab7f", "9f2c11d0"),
//!         ksm_config: KsmConfig::Secret("arn:aws:secretsmanager:eu-west-1:111122223333:secret:automator-AbCdEf".into()),
//!         volumes: Volumes {
//!             config: volume("fs-0123456789abcdef0", "fsap-0123456789abcdef0"),
//!             settings: volume("fs-0123456789abcdef1", "fsap-0123456789abcdef1"),
//!         },
//!     }),
//! };
//! let definition = description.render();
//! assert!(lint(&definition).is_empty());
//! assert!(diff(&definition, &definition).is_empty());
//! # Ok::<(), taskdef::RecordUidError>(())
//! ```

mod arn;
mod corrections;
mod describe;
mod diff;
mod lint;
pub mod model;
mod pointer;
pub mod properties;
mod record_uid;
pub mod sarif;
pub mod secrets;
mod sensitive;
mod size;
pub mod source;

pub use corrections::{Corrections, Explained, Reason, corrections};
pub use describe::{
    AttachmentName, AttachmentNameError, Attachments, CONFIG_PATH, CONFIG_VOLUME, Description, GuideValues,
    INIT_CONTAINER, Images, Ksm, KsmConfig, MAIN_CONTAINER, PORT, PlainConfig, SETTINGS_PATH, SETTINGS_VOLUME, Shape,
    Simple, Volume, Volumes,
};
pub use diff::{Diff, Difference, HIDDEN, Shown, diff, normalise};
pub use lint::{Finding, RULES, Rule, Severity, TargetProtocol, check_settings, hints, lint};
pub use model::{Document, ReadError, TaskDefinition};
pub use record_uid::{RecordUid, RecordUidError};
