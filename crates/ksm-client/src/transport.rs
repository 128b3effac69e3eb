//! One request: the envelope, and what is done about an answer that is none (spec 3).
//!
//! Every attempt has a new transmission key and a new nonce. Reads are repeated when no answer came or the server failed;
//! writes never, because they may have been done: those who write read again instead. A request that the service did not look
//! at, because it wants another key or limits the rate, is sent again whatever it was.

use std::time::Duration;

use keeper_wire::ec::PublicKey;
use keeper_wire::envelope::signed_text;
use keeper_wire::{Transmission, text};
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, RETRY_AFTER};
use reqwest::{Response, StatusCode};
use serde_json::{Map, Value};
use zeroize::Zeroizing;

use crate::error::{Break, Cause, Refusal, RotationStop, Rung};
use crate::wait::{Until, doubled, jittered};
use crate::{Client, DecryptError, Error, Event, MAX_ROTATIONS, MAX_WAIT, json};

/// The operations of the protocol that are used here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operation {
    GetSecret,
    /// `get_secret` with the device's public key. What a second one with the same token does was never seen, so it is a write.
    Bind,
    GetFolders,
    CreateSecret,
    UpdateSecret,
    DeleteSecret,
    AddFile,
    CreateFolder,
    UpdateFolder,
    DeleteFolder,
}

impl Operation {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::GetSecret | Self::Bind => "get_secret",
            Self::GetFolders => "get_folders",
            Self::CreateSecret => "create_secret",
            Self::UpdateSecret => "update_secret",
            Self::DeleteSecret => "delete_secret",
            Self::AddFile => "add_file",
            Self::CreateFolder => "create_folder",
            Self::UpdateFolder => "update_folder",
            Self::DeleteFolder => "delete_folder",
        }
    }

    fn is_read(self) -> bool {
        matches!(self, Self::GetSecret | Self::GetFolders)
    }
}

/// How often a read is tried when answers do not arrive.
pub(crate) const READ_ATTEMPTS: u32 = 4;
/// How often a request is tried when the rate is limited: the first time, and after each of five waits.
const THROTTLE_ATTEMPTS: u32 = 6;
/// Bytes of an answer that is no success. Error objects have a few hundred.
const MAX_REFUSAL: u64 = 64 * 1024;

impl Client {
    /// Sends `payload` with the common fields, and opens the answer. An empty answer is empty.
    pub(crate) async fn call(
        &self,
        operation: Operation,
        mut payload: Map<String, Value>,
        until: Until,
    ) -> Result<Zeroizing<Vec<u8>>, Error> {
        payload.insert("clientVersion".to_owned(), self.options().client_version.clone().into());
        payload.insert("clientId".to_owned(), self.read().client_id.to_string().into());
        let plain = json::bytes_of(&payload);
        let (mut rotations, mut throttles, mut failures) = (0, 0, 0);
        loop {
            match self.attempt(operation, &plain, until).await {
                Ok(body) => return Ok(body),
                Err(Failure::WrongKey { used, asked }) => {
                    rotations += 1;
                    self.follow(operation, used, &asked, rotations)?;
                }
                Err(Failure::Throttled { status, asked }) => {
                    throttles += 1;
                    let wait = match asked {
                        Some(wait) if wait > Duration::ZERO => wait.min(MAX_WAIT),
                        _ => jittered(doubled(self.options().throttle, throttles)),
                    };
                    let event = Event::Throttled { operation: operation.name(), wait, attempt: throttles };
                    if throttles >= THROTTLE_ATTEMPTS || !until.wait(self.options(), wait, &event).await {
                        return Err(Error::Throttled {
                            operation: operation.name(),
                            status,
                            wait,
                            attempts: throttles,
                        });
                    }
                }
                Err(Failure::Ended(error)) => {
                    failures += 1;
                    let again = operation.is_read() && failures < READ_ATTEMPTS && worth_repeating(&error);
                    let wait = doubled(self.options().pause, failures);
                    let event = Event::Repeated { operation: operation.name(), wait, attempt: failures };
                    if !again || !until.wait(self.options(), wait, &event).await {
                        return Err(error);
                    }
                }
            }
        }
    }

    fn follow(&self, operation: Operation, used: i32, asked: &str, rotations: u32) -> Result<(), Error> {
        let stop = |why| Error::KeyRotation { operation: operation.name(), asked: asked.to_owned(), why };
        if self.read().server_key.is_some() {
            return Err(stop(RotationStop::Custom));
        }
        if rotations > MAX_ROTATIONS {
            return Err(stop(RotationStop::TooMany));
        }
        let id: i32 = asked.trim().parse().ok().filter(|id| *id > 0).ok_or_else(|| stop(RotationStop::Unknown))?;
        self.options().server_keys.get(id).map_err(|_| stop(RotationStop::Unknown))?;
        self.rotate(used, id);
        Ok(())
    }

    /// The key of an id. An unknown id falls back to the default one, as in the vendor's SDKs; the server then says which it wants.
    fn server_key(&self, id: i32) -> Result<(i32, PublicKey), Error> {
        let keys = &self.options().server_keys;
        let known = |id| keys.get(id).map(|key| (id, key));
        let any = |error| keys.iter().next().ok_or(error);
        let found = known(id).or_else(|_| known(keeper_wire::server_keys::DEVICE_DEFAULT)).or_else(any);
        found.map_err(|source| crate::ConfigError::Value { field: "serverPublicKeyId", source }.into())
    }

    async fn attempt(&self, operation: Operation, plain: &[u8], until: Until) -> Result<Zeroizing<Vec<u8>>, Failure> {
        let transmission = Transmission::new();
        let (request, used) = {
            let config = self.read();
            let used = config.server_key_id;
            let (sent, server) = match config.server_key {
                Some(key) => (used, key),
                None => self.server_key(used)?,
            };
            let wrapped = transmission.wrap(&server);
            let body = transmission.seal(plain);
            let signature = config.private_key.sign(&signed_text(&wrapped, &body));
            let request = self
                .http()
                .post(format!("https://{}/api/rest/sm/v1/{}", self.host(), operation.name()))
                .header(CONTENT_TYPE, "application/octet-stream")
                .header("PublicKeyId", sent.to_string())
                .header("TransmissionKey", text::standard(&wrapped))
                .header(AUTHORIZATION, format!("Signature {}", text::standard(&signature)))
                .body(body);
            (request, used)
        };
        let limit = |status: StatusCode| if status == StatusCode::OK { self.options().max_reply } else { MAX_REFUSAL };
        let (status, headers, body) = self.exchange(operation.name(), request, limit, until).await?;
        if status == StatusCode::OK {
            if body.is_empty() {
                return Ok(Zeroizing::default());
            }
            return transmission.open(&body).map_err(|error| {
                Failure::Ended(DecryptError { uid: None, rung: Rung::Answer, source: error.into() }.into())
            });
        }
        Err(refused(operation.name(), status, &headers, &body, used))
    }

    /// Sends a request and reads its whole answer, which is not larger than `limit` says.
    pub(crate) async fn exchange(
        &self,
        operation: &'static str,
        request: reqwest::RequestBuilder,
        limit: impl Fn(StatusCode) -> u64,
        until: Until,
    ) -> Result<(StatusCode, HeaderMap, Vec<u8>), Error> {
        let left = until.left();
        if left.is_zero() {
            return Err(until.passed(operation, false));
        }
        let whole = async {
            let response = request.send().await.map_err(|error| lost(operation, error))?;
            let (status, headers) = (response.status(), response.headers().clone());
            let body = capped(operation, response, limit(status)).await?;
            Ok((status, headers, body))
        };
        match tokio::time::timeout(left.min(self.options().attempt), whole).await {
            Ok(answer) => answer,
            Err(_) if until.left().is_zero() => Err(until.passed(operation, true)),
            Err(_) => Err(Error::Lost { operation, what: Break::Slow, source: None }),
        }
    }
}

enum Failure {
    WrongKey { used: i32, asked: String },
    Throttled { status: u16, asked: Option<Duration> },
    Ended(Error),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Ended(error)
    }
}

pub(crate) fn worth_repeating(error: &Error) -> bool {
    match error {
        Error::Lost { .. } => true,
        Error::Http { status, .. } => *status >= 500,
        Error::Refused(refusal) => refusal.status >= 500,
        _ => false,
    }
}

fn lost(operation: &'static str, error: reqwest::Error) -> Error {
    let what = if error.is_connect() {
        Break::Connect
    } else if error.is_timeout() {
        Break::Slow
    } else {
        Break::Cut
    };
    Error::Lost { operation, what, source: Some(Box::new(error.without_url())) }
}

/// The body. Of one that is only about what went wrong, a proxy's page say, the beginning is enough: the status decides.
async fn capped(operation: &'static str, mut response: Response, limit: u64) -> Result<Vec<u8>, Error> {
    let too_large = || Error::TooLarge { what: "the answer", limit };
    let is_whole = response.status().is_success();
    let announced = response.content_length().unwrap_or_default();
    if announced > limit && is_whole {
        return Err(too_large());
    }
    let limit_here = usize::try_from(limit).unwrap_or(usize::MAX);
    let mut body = Vec::with_capacity(usize::try_from(announced).unwrap_or_default().min(limit_here));
    while let Some(chunk) = response.chunk().await.map_err(|error| lost(operation, error))? {
        let room = limit_here - body.len();
        if chunk.len() > room {
            if is_whole {
                return Err(too_large());
            }
            body.extend_from_slice(&chunk[..room]);
            break;
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// What an answer means that is not 200.
fn refused(operation: &'static str, status: StatusCode, headers: &HeaderMap, body: &[u8], used: i32) -> Failure {
    let seconds = |text: &str| text.trim().parse::<f64>().ok().filter(|seconds| *seconds >= 0.0 && *seconds < 1e9);
    let header = headers.get(RETRY_AFTER).and_then(|value| value.to_str().ok()).and_then(seconds);
    let object = serde_json::from_slice::<Map<String, Value>>(body).ok();
    let text = |names: [&str; 2]| {
        let found = names.into_iter().find_map(|name| match object.as_ref()?.get(name)? {
            Value::Null => None,
            value => Some(json::text_of(value).to_string()).filter(|text| !text.is_empty()),
        });
        found.unwrap_or_default().chars().map(|c| if c.is_control() { ' ' } else { c }).take(500).collect::<String>()
    };
    let code = text(["result_code", "error"]);
    let told = text(["retry_after", "retry_after"]);
    let asked = seconds(&told).or(header).map(Duration::from_secs_f64);
    if status == StatusCode::TOO_MANY_REQUESTS || (status == StatusCode::FORBIDDEN && code == "throttled") {
        return Failure::Throttled { status: status.as_u16(), asked };
    }
    if code == "key" {
        return Failure::WrongKey { used, asked: text(["key_id", "key_id"]).chars().take(20).collect() };
    }
    let message = text(["message", "additional_info"]);
    if object.is_none() || (code.is_empty() && message.is_empty()) {
        let what = match body {
            [] => "empty",
            _ if object.is_some() => "JSON without a code",
            _ if body.trim_ascii_start().starts_with(b"<") => "a web page",
            _ => "no JSON",
        };
        return Failure::Ended(Error::Http { operation, status: status.as_u16(), what });
    }
    let more = text(["additional_info", "message"]);
    let cause = Cause::of(&code, &format!("{message} {more}"));
    Failure::Ended(Refusal { operation, status: status.as_u16(), code, message, cause }.into())
}

/// Reads any bytes as an answer of any operation: for the fuzz target and the laws, which ask only that nothing panics.
#[doc(hidden)]
pub fn read_anything(bytes: &[u8]) {
    use crate::{ladder, reply};
    use keeper_wire::crypto::Key;

    let key = Key::from_slice(&[0; 32]).expect("32 bytes");
    if let Ok(answer) = reply::read::<reply::GetSecret<'_>>("get_secret", bytes) {
        let secrets = ladder::secrets(&answer, &key);
        for record in &secrets.records {
            let _ = record.file("x");
        }
        let _ = ladder::app_key(answer.encrypted_app_key.get(), &key);
    }
    if let Ok(answer) = reply::read::<reply::GetFolders<'_>>("get_folders", bytes) {
        let _ = ladder::folders(&answer, &key);
    }
    if let Ok(answer) = reply::read::<reply::AddFile<'_>>("add_file", bytes) {
        let _ = answer.parameters.get().map(reply::parameters);
    }
    let _ = reply::read::<reply::Deleted<'_>>("delete_secret", bytes);
    for status in [StatusCode::FORBIDDEN, StatusCode::TOO_MANY_REQUESTS, StatusCode::BAD_GATEWAY] {
        let _ = refused("get_secret", status, &HeaderMap::new(), bytes, 10);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, body: &str) -> Failure {
        refused("get_secret", StatusCode::from_u16(status).unwrap(), &HeaderMap::new(), body.as_bytes(), 10)
    }

    #[test]
    fn rate_limits_are_told_from_refusals() {
        let waits = [
            (403, r#"{"error":"throttled"}"#, None),
            (403, r#"{"result_code":"throttled","retry_after":3}"#, Some(3.0)),
            (403, r#"{"error":"throttled","retry_after":"1.5"}"#, Some(1.5)),
            (403, r#"{"error":"throttled","retry_after":-1}"#, None),
            (429, "<html>", None),
            (429, "", None),
        ];
        for (status, body, expected) in waits {
            let Failure::Throttled { asked, .. } = answer(status, body) else { panic!("{body}") };
            assert_eq!(asked, expected.map(Duration::from_secs_f64), "{body}");
        }
        assert!(matches!(answer(500, r#"{"error":"throttled"}"#), Failure::Ended(Error::Refused(_))));
    }

    #[test]
    fn the_header_counts_where_the_object_says_nothing() {
        let headers = HeaderMap::from_iter([(RETRY_AFTER, "7".parse().unwrap())]);
        let failure = refused("get_secret", StatusCode::TOO_MANY_REQUESTS, &headers, b"", 10);
        assert!(matches!(failure, Failure::Throttled { asked: Some(wait), .. } if wait == Duration::from_secs(7)));
    }

    #[test]
    fn key_ids_are_numbers_or_text() {
        for body in [r#"{"error":"key","key_id":9}"#, r#"{"result_code":"key","key_id":"9"}"#] {
            assert!(matches!(answer(401, body), Failure::WrongKey { used: 10, asked } if asked == "9"));
        }
    }

    #[test]
    fn what_is_no_error_object_is_said_so() {
        for (body, expected) in [
            ("", "empty"),
            ("<html>", "a web page"),
            ("oops", "no JSON"),
            ("{}", "JSON without a code"),
            ("[]", "no JSON"),
        ] {
            assert!(
                matches!(answer(502, body), Failure::Ended(Error::Http { status: 502, what, .. }) if what == expected)
            );
        }
    }

    #[test]
    fn refusals_keep_status_code_and_message() {
        let body = r#"{"path":"x","error":"access_denied","message":"Record is out of\nsync","additional_info":""}"#;
        let Failure::Ended(Error::Refused(refusal)) = answer(403, body) else { panic!() };
        assert_eq!(
            (refusal.status, &*refusal.code, &*refusal.message),
            (403, "access_denied", "Record is out of sync")
        );
        assert_eq!(refusal.cause, Cause::OutOfSync);
    }
}
