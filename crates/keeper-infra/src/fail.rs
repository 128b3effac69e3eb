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
    // Most messages have Keeper's own text already.
    let text = error.server_text().map(str::to_owned);
    because(told, text.into_iter().chain(sources(&error)).filter(|cause| !error.to_string().contains(cause.as_str())))
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
    because(told, sources(&error).filter(|cause| !error.to_string().contains(cause.as_str())))
}

/// The causes of an error, the nearest first.
fn sources(error: &dyn std::error::Error) -> impl Iterator<Item = String> {
    std::iter::successors(error.source(), |cause| cause.source()).map(ToString::to_string)
}

fn because(told: Error, causes: impl Iterator<Item = String>) -> Error {
    let causes: Vec<String> = causes.collect();
    if causes.is_empty() { told } else { told.because(causes.join(": ")) }
}

#[cfg(test)]
mod tests {
    use automator_admin::config::ConfigError;
    use automator_admin::login::LoginError;

    use super::*;

    fn shown(error: impl Into<automator_admin::Error>) -> resource_graph::Failure {
        failed(error.into()).failure(&"node".into(), "A14")
    }

    #[test]
    fn the_words_of_keeper_are_said_once() {
        let failure = shown(LoginError::WrongPassword { message: "Invalid credentials".to_owned() });
        assert!(failure.message.ends_with("Keeper said: Invalid credentials") && failure.causes.is_empty());
    }

    #[test]
    fn a_cause_below_is_told() {
        let source = std::io::Error::other("the disk is full");
        let failure = shown(ConfigError::Write { path: "login.json".into(), source });
        assert_eq!(failure.causes, ["the disk is full"]);
    }
}
