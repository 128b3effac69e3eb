//! A host where nobody sits and nothing is heard.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use crate::host::Host;

pub(super) fn quiet() -> Host {
    Host {
        env: BTreeMap::new(),
        stdout: Arc::new(Mutex::new(Box::new(std::io::sink()))),
        stderr: Arc::new(Mutex::new(Box::new(std::io::sink()))),
        interactive: false,
        terminal: false,
        clock: Arc::new(resource_graph::SystemClock),
        http: None,
        cancelled: tokio_util::sync::CancellationToken::new(),
        sandbox_root: PathBuf::new(),
    }
}
