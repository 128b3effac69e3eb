//! What a failed call means for the graph: was it done, may it be said again, what shall a person do.

use resource_graph::{Certainty, Error};

/// An administrator's call that failed.
pub fn failed(error: automator_admin::Error) -> Error {
    let certainty = if error.maybe_done() {
        Certainty::MaybeDone
    } else if matches!(error.code(), "keeper-answer-lost" | "keeper-out-of-sync") {
        Certainty::NotDone
    } else {
        Certainty::Refused
    };
    let told = Error::new(error.code(), error.to_string()).certainty(certainty);
    let told = match error.hint() {
        Some(hint) => told.hint(hint),
        None => told,
    };
    match error.server_text().map(str::to_owned) {
        Some(text) => told.because(text),
        None => told,
    }
}

/// A device's call that failed.
pub(crate) fn refused(error: ksm_client::Error) -> Error {
    let certainty = if error.maybe_done() { Certainty::MaybeDone } else { Certainty::Refused };
    let code = match &error {
        ksm_client::Error::Config(_) => "ksm-config-invalid",
        ksm_client::Error::NotFound { .. } => "ksm-not-found",
        _ if error.is_unavailable() => "ksm-unreachable",
        _ => "ksm-refused",
    };
    let hint = error.hint();
    let mut told = Error::new(code, error.to_string()).certainty(certainty);
    if !hint.is_empty() {
        told = told.hint(hint);
    }
    let mut source = std::error::Error::source(&error);
    let mut causes = Vec::new();
    while let Some(cause) = source {
        causes.push(cause.to_string());
        source = cause.source();
    }
    if causes.is_empty() { told } else { told.because(causes.join(": ")) }
}
