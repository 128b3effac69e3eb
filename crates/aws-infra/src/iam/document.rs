//! Policy documents, compared by what they mean.

use serde_json::Value;

/// A document as IAM gives it back: percent-encoded JSON. What cannot be read is `Null`, which equals nothing wanted.
pub(super) fn parse(encoded: &str) -> Value {
    serde_json::from_str(&decode(encoded)).map(normal).unwrap_or_default()
}

/// The same meaning in one form: a list of one is its member, and the order of a list means nothing.
pub(super) fn normal(value: Value) -> Value {
    match value {
        Value::Array(members) => {
            let mut members: Vec<Value> = members.into_iter().map(normal).collect();
            members.sort_by_cached_key(Value::to_string);
            match members.len() {
                1 => members.remove(0),
                _ => Value::Array(members),
            }
        }
        Value::Object(members) => members.into_iter().map(|(key, member)| (key, normal(member))).collect(),
        value => value,
    }
}

/// RFC 3986 only: IAM writes a space as `%20`, so `+` stands for itself.
fn decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        let hex = after.get(..2).and_then(|digits| std::str::from_utf8(digits).ok());
        match hex.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(decoded) if byte == b'%' => {
                bytes.push(decoded);
                rest = &after[2..];
            }
            _ => {
                bytes.push(byte);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn documents_are_equal_when_they_mean_the_same() {
        let encoded = "%7B%22Statement%22%3A%5B%7B%22Action%22%3A%5B%22b%22%2C%20%22a%22%5D%7D%5D%7D";
        assert_eq!(parse(encoded), normal(json!({ "Statement": { "Action": ["a", "b"] } })));
        assert_eq!(parse(r#"{"Action":["a+b"]}"#), normal(json!({ "Action": "a+b" })));
        assert_ne!(parse(r#"{"Action":["a"]}"#), normal(json!({ "Action": "b" })));
        assert_eq!(parse("%7"), Value::Null);
    }
}
