//! What a failed call means: was it done, may it be said again, what shall a person do.

use std::error::Error as StdError;
use std::time::Duration;

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use resource_graph::{Certainty, Error};

/// What is deleted lets go of what it used within minutes: a balancer of its network interfaces, a service of its tasks.
const UNTIL_LET_GO: Duration = Duration::from_secs(15 * 60);
/// What was made is known to the rest of its service within seconds, and to other services within a minute or two.
const UNTIL_KNOWN: Duration = Duration::from_secs(2 * 60);

/// Codes that say "too fast", of all services.
const THROTTLED: [&str; 8] = [
    "Throttling",
    "ThrottlingException",
    "ThrottledException",
    "RequestLimitExceeded",
    "TooManyRequestsException",
    "RequestThrottled",
    "SlowDown",
    "PriorRequestNotComplete",
];

const DENIED: [&str; 6] = [
    "AccessDenied",
    "AccessDeniedException",
    "UnauthorizedOperation",
    "UnauthorizedAccess",
    "AuthFailure",
    "NotAuthorized",
];

const SIGN_IN: [&str; 8] = [
    "ExpiredToken",
    "ExpiredTokenException",
    "InvalidClientTokenId",
    "UnrecognizedClientException",
    "SignatureDoesNotMatch",
    "InvalidSignatureException",
    "MissingAuthenticationToken",
    "RequestExpired",
];

/// True when the service refused with one of these codes. EC2 has no typed errors, so codes are compared everywhere.
pub(crate) fn has_code<E: ProvideErrorMetadata>(error: &SdkError<E, HttpResponse>, codes: &[&str]) -> bool {
    error.as_service_error().and_then(ProvideErrorMetadata::code).is_some_and(|code| codes.contains(&code))
}

/// Turns an answer that says "not there" into `None`.
pub(crate) fn unless_missing<T, E>(
    answer: Result<T, SdkError<E, HttpResponse>>,
    codes: &[&str],
    action: &str,
) -> Result<Option<T>, Error>
where
    E: ProvideErrorMetadata + StdError + Send + Sync + 'static,
{
    match answer {
        Ok(value) => Ok(Some(value)),
        Err(error) if has_code(&error, codes) => Ok(None),
        Err(error) => Err(failed(action, error)),
    }
}

/// Deleting what is not there is a success; what is still in use is said again later.
pub(crate) fn gone<T, E>(
    answer: Result<T, SdkError<E, HttpResponse>>,
    missing: &[&str],
    in_use: &[&str],
    action: &str,
) -> Result<(), Error>
where
    E: ProvideErrorMetadata + StdError + Send + Sync + 'static,
{
    match answer {
        Ok(_) => Ok(()),
        Err(error) if has_code(&error, missing) => Ok(()),
        Err(error) if has_code(&error, in_use) => Err(failed(action, error).for_up_to(UNTIL_LET_GO)),
        Err(error) => Err(failed(action, error)),
    }
}

/// The error for a failed call on something that was made, or changed, a moment ago: a code that says "not there" or "not
/// ready" only means "not yet" then.
pub(crate) fn failed_early<E>(action: impl Into<String>, error: SdkError<E, HttpResponse>, not_yet: &[&str]) -> Error
where
    E: ProvideErrorMetadata + StdError + Send + Sync + 'static,
{
    let early = has_code(&error, not_yet);
    failed_early_if(early, action, error)
}

/// The same where no code tells it.
pub(crate) fn failed_early_if<E>(early: bool, action: impl Into<String>, error: SdkError<E, HttpResponse>) -> Error
where
    E: ProvideErrorMetadata + StdError + Send + Sync + 'static,
{
    let error = failed(action, error);
    if early { error.for_up_to(UNTIL_KNOWN) } else { error }
}

/// What the service says, in lower case; for what it tells by no code.
pub(crate) fn words<E: ProvideErrorMetadata>(error: &SdkError<E, HttpResponse>) -> String {
    error.as_service_error().and_then(ProvideErrorMetadata::message).unwrap_or_default().to_lowercase()
}

/// The error for a failed call. `action` reads on after "failed to": "create vpc `automator`".
pub(crate) fn failed<E>(action: impl Into<String>, error: SdkError<E, HttpResponse>) -> Error
where
    E: ProvideErrorMetadata + StdError + Send + Sync + 'static,
{
    let action = action.into();
    match error {
        SdkError::ServiceError(context) => {
            let status = context.raw().status().as_u16();
            let error = context.into_err();
            let code = error.code().unwrap_or_default().to_owned();
            let said = format!("{code}: {}", error.message().unwrap_or("no message"));
            let (kind, certainty) = if THROTTLED.contains(&code.as_str()) || status == 429 {
                ("throttled", Certainty::NotDone)
            } else if DENIED.contains(&code.as_str()) {
                ("access-denied", Certainty::Refused)
            } else if SIGN_IN.contains(&code.as_str()) {
                ("no-credentials", Certainty::Refused)
            } else if status >= 500 {
                ("service-failed", Certainty::MaybeDone)
            } else {
                ("refused", Certainty::Refused)
            };
            Error::new(kind, action).certainty(certainty).because(said)
        }
        SdkError::TimeoutError(_) => Error::new("endpoint-timeout", action)
            .certainty(Certainty::MaybeDone)
            .because("no answer in time".to_owned()),
        error => {
            let chain = chain(&error);
            let credentials = chain.iter().any(|text| text.contains("credential"));
            let refused = chain.iter().any(|text| text.contains("refused") || text.contains("dns error"));
            let (code, certainty) = if credentials {
                ("no-credentials", Certainty::Refused)
            } else if refused {
                ("endpoint-unreachable", Certainty::NotDone)
            } else if matches!(error, SdkError::ConstructionFailure(_)) {
                ("request-invalid", Certainty::Refused)
            } else {
                ("answer-lost", Certainty::MaybeDone)
            };
            Error::new(code, action).certainty(certainty).because(chain.join(": "))
        }
    }
}

/// An answer that lacks something it must have.
pub(crate) fn incomplete(action: &str, what: &str) -> Error {
    Error::new("answer-incomplete", action.to_owned())
        .certainty(Certainty::MaybeDone)
        .because(format!("the answer has no {what}"))
}

/// The value of a required member: the SDK gives an empty text where the service left it out.
pub(crate) fn required<T: AsRef<str>>(value: Option<T>, action: &str, what: &str) -> Result<String, Error> {
    match value {
        Some(text) if !text.as_ref().is_empty() => Ok(text.as_ref().to_owned()),
        _ => Err(incomplete(action, what)),
    }
}

fn chain(error: &dyn StdError) -> Vec<String> {
    let mut texts = vec![error.to_string()];
    let mut cause = error.source();
    while let Some(error) = cause {
        texts.push(error.to_string());
        cause = error.source();
    }
    texts.dedup();
    texts
}
