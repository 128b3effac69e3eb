//! What an answer means: the table of spec 1.2, without any input or output.

use std::time::Duration;

use serde_json::{Map, Value};

use crate::error::{Detail, Refusal};

/// What came back.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// A success; the body is sealed or empty.
    Body,
    /// The server wants another of its keys; `half` is the P-256 half of the hybrid envelope.
    WrongKey { asked: String, half: bool },
    /// Too many requests.
    Throttled { message: String },
    /// Keeper's refusal.
    Refused(Refusal),
    /// Something that is no answer of Keeper.
    None(&'static str),
}

/// `kind` is the content type in lower case.
pub(crate) fn judge(call: &'static str, status: u16, kind: &str, body: &[u8]) -> Answer {
    match status {
        200 if kind != "application/json" => return Answer::Body,
        200 | 400.. => {}
        _ => return Answer::None(if body.is_empty() { "empty" } else { "no answer of Keeper" }),
    }
    let what = match body {
        [] => "empty",
        _ if body.trim_ascii_start().starts_with(b"<") => "a web page",
        _ => "no JSON object",
    };
    if !kind.starts_with("application/json") {
        return Answer::None(what);
    }
    let Some(object) = object(body) else { return Answer::None(what) };
    let code = text(&object, "error");
    let message = text(&object, "message");
    if status == 401 && code == "key" {
        let half = text(&object, "qrc_ec_key_id");
        return match half.is_empty() {
            true => Answer::WrongKey { asked: text(&object, "key_id"), half: false },
            false => Answer::WrongKey { asked: half, half: true },
        };
    }
    if matches!(status, 403 | 429) && code == "throttled" {
        return Answer::Throttled { message };
    }
    if code.is_empty() && message.is_empty() {
        return Answer::None("JSON without a code");
    }
    let detail = Box::new(Detail {
        additional_info: text(&object, "additional_info"),
        region_host: text(&object, "region_host"),
        ..Detail::default()
    });
    Answer::Refused(Refusal { call, status, code, message, detail })
}

/// An object, or the only element of an array.
fn object(body: &[u8]) -> Option<Map<String, Value>> {
    match serde_json::from_slice(body).ok()? {
        Value::Object(object) => Some(object),
        Value::Array(mut several) if several.len() == 1 => match several.pop()? {
            Value::Object(object) => Some(object),
            _ => None,
        },
        _ => None,
    }
}

/// A member as text for a person: one line, not long.
pub(crate) fn text(object: &Map<String, Value>, member: &str) -> String {
    let text = match object.get(member) {
        None | Some(Value::Null) => return String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    };
    clean(&text)
}

/// One line of at most 500 characters.
pub(crate) fn clean(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(500).collect::<String>().trim().to_owned()
}

/// The number of seconds or minutes that a text of Keeper names, such as "try again in 1 minute".
pub(crate) fn told_wait(message: &str) -> Option<Duration> {
    let words: Vec<&str> = message.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
    words.windows(2).find_map(|pair| {
        let number: u32 = pair[0].parse().ok()?;
        let unit = pair[1].to_ascii_lowercase();
        let seconds = if unit.starts_with("sec") {
            number
        } else if unit.starts_with("min") {
            number.saturating_mul(60)
        } else {
            return None;
        };
        Some(Duration::from_secs(seconds.into()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const JSON: &str = "application/json";

    fn refused(status: u16, body: &str) -> Refusal {
        match judge("x", status, JSON, body.as_bytes()) {
            Answer::Refused(refusal) => refusal,
            other => panic!("{body}: {other:?}"),
        }
    }

    #[test]
    fn a_sealed_body_is_a_success_whatever_its_type() {
        for kind in ["application/octet-stream", "", "text/html"] {
            assert_eq!(judge("x", 200, kind, b"\x01"), Answer::Body);
        }
        assert_eq!(judge("x", 200, "application/octet-stream", b""), Answer::Body);
    }

    #[test]
    fn clear_json_with_status_200_is_a_refusal() {
        let refusal = refused(200, r#"{"error":"bad_request","message":"no"}"#);
        assert_eq!((refusal.status, &*refusal.code, &*refusal.message), (200, "bad_request", "no"));
    }

    #[test]
    fn the_only_element_of_an_array_counts() {
        assert_eq!(refused(403, r#"[{"error":"access_denied"}]"#).code, "access_denied");
        assert_eq!(judge("x", 403, JSON, b"[]"), Answer::None("no JSON object"));
    }

    #[test]
    fn keys_are_asked_for_whole_or_by_half() {
        let asked = |body: &str| judge("x", 401, JSON, body.as_bytes());
        assert_eq!(asked(r#"{"error":"key","key_id":9}"#), Answer::WrongKey { asked: "9".to_owned(), half: false });
        assert_eq!(
            asked(r#"{"error":"key","key_id":136,"qrc_ec_key_id":"10"}"#),
            Answer::WrongKey { asked: "10".to_owned(), half: true }
        );
        assert_eq!(refused(400, r#"{"error":"key","key_id":9}"#).code, "key");
    }

    #[test]
    fn rate_limits_are_told_from_refusals() {
        for status in [403, 429] {
            let answer = judge("x", status, JSON, br#"{"error":"throttled","message":"try again in 1 minute"}"#);
            assert_eq!(answer, Answer::Throttled { message: "try again in 1 minute".to_owned() });
        }
        assert_eq!(refused(500, r#"{"error":"throttled"}"#).code, "throttled");
    }

    #[test]
    fn waits_are_read_from_the_text() {
        let cases = [
            ("Please try again in 30 seconds.", Some(30)),
            ("try again in 1 minute", Some(60)),
            ("after 2 min", Some(120)),
            ("99999999999999 seconds", None),
            ("later", None),
            ("", None),
        ];
        for (text, seconds) in cases {
            assert_eq!(told_wait(text), seconds.map(Duration::from_secs), "{text}");
        }
    }

    #[test]
    fn what_is_no_error_object_is_said_so() {
        let cases = [
            (502, "text/html", "<html>", "a web page"),
            (502, "", "", "empty"),
            (500, JSON, "oops", "no JSON object"),
            (500, JSON, "{}", "JSON without a code"),
            (302, "", "", "empty"),
        ];
        for (status, kind, body, expected) in cases {
            assert_eq!(judge("x", status, kind, body.as_bytes()), Answer::None(expected), "{body}");
        }
    }

    #[test]
    fn refusals_are_one_line() {
        let refusal = refused(400, r#"{"error":"bad","message":"a\nb","region_host":"keepersecurity.eu"}"#);
        assert_eq!((&*refusal.message, &*refusal.detail.region_host), ("a b", "keepersecurity.eu"));
    }

    proptest::proptest! {
        /// Any answer is one of the five, and what is told of it is one short line.
        #[test]
        fn no_answer_is_a_panic(status in 100u16..600, json: bool, body: Vec<u8>, code: String, message: String) {
            let kind = if json { JSON } else { "text/html" };
            drop(judge("x", status, kind, &body));
            proptest::prop_assert!(told_wait(&message).is_none_or(|wait| wait <= Duration::from_secs(u64::from(u32::MAX))));
            let object = serde_json::json!({ "error": code, "message": message }).to_string();
            if let Answer::Refused(refusal) = judge("x", status, JSON, object.as_bytes()) {
                proptest::prop_assert!(refusal.message.chars().count() <= 500);
                proptest::prop_assert!(!refusal.message.chars().any(char::is_control));
            }
        }
    }
}
