//! From an error of the Keeper crates to a refusal: code, step, cause and hint.

use ksm_client::Cause;
use resource_graph::NodeId;

use crate::exit_codes::ExitCode;
use crate::refusal::Refusal;

/// What may have been done although it failed is no refusal before any change.
fn exit(maybe_done: bool) -> ExitCode {
    if maybe_done { ExitCode::StepFailed } else { ExitCode::Refused }
}

/// An administrator's call that failed.
pub(super) fn administrator(error: impl Into<automator_admin::Error>, step: &str) -> Refusal {
    let error = error.into();
    let exit = exit(error.maybe_done());
    Refusal::of(exit, vec![keeper_infra::failed(error).failure(&NodeId::from("keeper"), step)])
}

/// A device's call that failed.
pub(super) fn device(error: impl Into<ksm_client::Error>, step: &str) -> Refusal {
    let error = error.into();
    let refusal = Refusal::new(code(&error), step, error.to_string()).exit(exit(error.maybe_done())).caused_as(&error);
    match error.hint() {
        "" => refusal,
        hint => refusal.hint(hint),
    }
}

fn code(error: &ksm_client::Error) -> &'static str {
    use ksm_client::Error as E;
    match error {
        E::HalfBound { .. } => "ksm-half-bound",
        E::Config(_) => "ksm-config-invalid",
        E::NotBound => "ksm-not-bound",
        E::NotFound { .. } => "ksm-not-found",
        E::Ambiguous { .. } => "ksm-ambiguous",
        E::NoOwnerKey { .. } => "ksm-no-owner-key",
        E::Notation(_) => "ksm-notation",
        E::Decrypt(_) => "ksm-not-opened",
        E::Contended { .. } => "ksm-contended",
        _ if error.is_unavailable() => "ksm-unreachable",
        _ => match error.cause() {
            Some(Cause::IpLocked) => "ksm-ip-locked",
            Some(Cause::ReadOnly) => "ksm-read-only",
            Some(Cause::Expired) => "ksm-expired",
            Some(Cause::Revoked) => "ksm-revoked",
            Some(Cause::WrongRegion) => "ksm-wrong-region",
            Some(Cause::Token) => "ksm-token",
            Some(Cause::ClientVersion) => "ksm-client-version",
            _ => "ksm-refused",
        },
    }
}

/// Nobody said yes.
pub(super) fn not_confirmed(step: &str) -> Refusal {
    let refusal = Refusal::new("not-confirmed", step, "get a yes: nothing was changed").exit(ExitCode::Usage);
    refusal.hint("answer on a terminal, or give --yes")
}
