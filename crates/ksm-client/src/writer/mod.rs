//! What the vendor's image `keeper/keeper-secrets-manager-writer` does at the start of a task: pieces of records become files.
//!
//! | variable | meaning |
//! | --- | --- |
//! | `KSM_CONFIG` | the device configuration, in any form; or `KSM_CONFIG_FILE`, a file with it |
//! | `SECRETS` | what goes where, one entry per line: `NOTATION > file:PATH` or `NOTATION > NAME` |
//! | `SECRETS_FILE` | the file for entries that name no file |
//! | `SECRETS_FILE_TYPE` | its format: `json` (default), `export`, `setenv`, `set` |
//! | `CLEANUP_FILE` | a shell script that removes every file that was written |
//! | `KSM_HOSTNAME` | ours and the SDKs': another host, with port where needed |
//! | `KSM_CA_FILE` | ours: PEM of a private authority |
//! | `KSM_DEADLINE` | ours: seconds for everything, 120 |
//! | `KSM_CLIENT_VERSION` | ours: see [`CLIENT_VERSION`](crate::CLIENT_VERSION) |
//! | `FILE_MODE`, `DIRECTORY_MODE` | ours: octal modes, 0600 and 0700 |
//!
//! # What is unknown about the vendor's image, and what ours does
//!
//! The image has no public source and was not run here; what is known is its documentation.
//!
//! | question | ours |
//! | --- | --- |
//! | a missing or ambiguous piece | an exit code of its own, and nothing is written |
//! | parent directories | made, with `DIRECTORY_MODE` |
//! | mode and owner of files | `FILE_MODE`, whoever runs it |
//! | a file that is there | replaced, in one step |
//! | blank lines, `\r` at the end of a line | left out |
//! | more than one `>`, blanks around names, control characters, `\n` written out | refused |
//! | `keeper://` in front | accepted |
//! | two entries of one destination | refused |
//! | `KSM_SKIP_VERIFY` | refused: TLS is always verified; use `KSM_CA_FILE` |
//! | `set` | C shell: `set NAME='VALUE'`; the documentation shows no example |
//!
//! Everything is resolved and downloaded before anything is written, and everything is on disk beside its place before the first
//! rename; so a reader sees each file whole, old or new.

mod entry;
mod job;
mod values;

pub use entry::{Destination, Entry, EntryError, parse};
pub use job::{Job, Report, WriterError, exit_codes};
pub use values::ValuesFormat;
