//! A device, as small as it gets, over plain HTTP.

use keeper_wire::ec::PrivateKey;
use keeper_wire::envelope::signed_text;
use keeper_wire::{ServerKeys, Transmission, text};
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};

/// Status and body; `None` when the connection was cut.
pub(crate) type Answer = Option<(u16, Vec<u8>)>;

/// One request over a connection of its own. `headers` end with a line break each.
pub(crate) async fn ask(address: SocketAddr, line: &str, headers: &str, body: &[u8]) -> Answer {
    let length = body.len();
    let head =
        format!("{line} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nContent-Length: {length}\r\n{headers}\r\n");
    let request = [head.as_bytes(), body].concat();
    tokio::task::spawn_blocking(move || talk(address, &request)).await.unwrap()
}

fn talk(address: SocketAddr, request: &[u8]) -> Answer {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.write_all(request).unwrap();
    let mut answer = Vec::new();
    // A cut may come as an end or as an error.
    let _ = stream.read_to_end(&mut answer);
    let end = answer.windows(4).position(|window| window == b"\r\n\r\n")?;
    let status = std::str::from_utf8(answer.get(9..12)?).ok()?.parse().ok()?;
    Some((status, answer.split_off(end + 4)))
}

/// One operation of a device, sealed and signed; its answer, opened. The error is a status, or `None` for a cut.
pub(crate) async fn call(
    address: SocketAddr,
    (config, keys, id): (&Value, &ServerKeys, i32),
    operation: &str,
    payload: &Value,
) -> Result<Value, Option<u16>> {
    let mut payload = payload.clone();
    (payload["clientVersion"], payload["clientId"]) = (json!("mr17.3.0"), config["clientId"].clone());
    let key = Transmission::new();
    let (wrapped, sealed) = (key.wrap(&keys.get(id).unwrap()), key.seal(payload.to_string().as_bytes()));
    let own = text::decode(config["privateKey"].as_str().unwrap()).unwrap();
    let signature = PrivateKey::from_pkcs8(&own).unwrap().sign(&signed_text(&wrapped, &sealed));
    let headers = format!(
        "PublicKeyId: {id}\r\nTransmissionKey: {}\r\nAuthorization: Signature {}\r\n",
        text::standard(&wrapped),
        text::standard(&signature)
    );
    match ask(address, &format!("POST /api/rest/sm/v1/{operation}"), &headers, &sealed).await {
        Some((200, body)) if body.is_empty() => Ok(Value::Null),
        Some((200, body)) => Ok(serde_json::from_slice(&key.open(&body).unwrap()).unwrap()),
        other => Err(other.map(|(status, _)| status)),
    }
}

/// The files of the only record that a device reads.
pub(crate) fn files(answer: &Value) -> Vec<Value> {
    answer["folders"][0]["records"][0]["files"].as_array().cloned().unwrap_or_default()
}
