//! What a failed call means for the graph: was it done, may it be said again, what shall a person do.

use resource_graph::{Certainty, Error};

/// An administrator's call that failed.
pub fn failed(error: automator_admin::Error) -> Error {
    let certainty = certainty(error.maybe_done(), error.is_passing());
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
    let certainty = certainty(error.maybe_done(), is_unavailable(&error));
    let code = match &error {
        ksm_client::Error::Config(_) => "ksm-config-invalid",
        ksm_client::Error::NotFound { .. } => "ksm-not-found",
        _ if is_unavailable(&error) => "ksm-unreachable",
        _ => "ksm-refused",
    };
    let hint = error.hint();
    let mut told = Error::new(code, error.to_string()).certainty(certainty);
    if !hint.is_empty() {
        told = told.hint(hint);
    }
    because(told, sources(&error).filter(|cause| !error.to_string().contains(cause.as_str())))
}

fn certainty(maybe_done: bool, passing: bool) -> Certainty {
    match (maybe_done, passing) {
        (true, _) => Certainty::MaybeDone,
        (false, true) => Certainty::NotDone,
        (false, false) => Certainty::Refused,
    }
}

/// Whether nobody answered, also behind a binding or an upload that was begun.
fn is_unavailable(error: &ksm_client::Error) -> bool {
    match error {
        ksm_client::Error::HalfBound { source, .. } | ksm_client::Error::Upload { source, .. } => {
            is_unavailable(source)
        }
        _ => error.is_unavailable(),
    }
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
    use std::time::Duration;

    use automator_admin::Break;
    use automator_admin::config::ConfigError;
    use automator_admin::login::LoginError;
    use automator_admin::vault::VaultError;

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
    fn what_was_not_done_may_be_said_again_and_what_may_have_been_done_is_looked_at() {
        use automator_admin::Error as E;
        let is = |error: E, certainty| assert!(failed(error).is(certainty), "{certainty:?}");
        let lost = |what, write| E::Lost { call: "x", what, write, source: None };
        is(lost(Break::Cut, true), Certainty::MaybeDone);
        is(E::Reply { call: "x", what: "a message", write: true }, Certainty::MaybeDone);
        is(lost(Break::Connect, true), Certainty::NotDone);
        is(lost(Break::Slow, false), Certainty::NotDone);
        let (wait, message) = (Duration::ZERO, String::new());
        is(E::Throttled { call: "x", status: 403, wait, attempts: 4, message }, Certainty::NotDone);
        let uid = keeper_wire::Uid::random();
        is(VaultError::Contended { uid, attempts: 5 }.into(), Certainty::NotDone);
        is(LoginError::NoDevice.into(), Certainty::Refused);
    }

    #[test]
    fn a_binding_that_nobody_answers_is_not_refused() {
        let half = |source| ksm_client::Error::HalfBound { device: "x".to_owned(), source: Box::new(source) };
        let (operation, wait) = ("get_secret", Duration::ZERO);
        let error = refused(half(ksm_client::Error::Throttled { operation, status: 403, wait, attempts: 4 }));
        assert!(error.is(Certainty::NotDone) && error.code() == "ksm-unreachable");
        let error = refused(half(ksm_client::Error::NotBound));
        assert!(error.is(Certainty::Refused) && error.code() == "ksm-refused");
    }

    #[test]
    fn a_cause_below_is_told() {
        let source = std::io::Error::other("the disk is full");
        let failure = shown(ConfigError::Write { path: "login.json".into(), source });
        assert_eq!(failure.causes, ["the disk is full"]);
    }
}
