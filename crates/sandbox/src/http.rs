//! As much HTTP/1.1 as it takes to ask an emulator whether it is there: one request, the answer's status.

use std::io::{Error, ErrorKind, Result};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::endpoint::addresses;

/// An answer's status line is within this many bytes, or it is no answer.
const LONGEST_STATUS_LINE: usize = 1024;

/// Sends a request without a body and returns the status of the answer, whose rest is read and dropped.
pub(crate) async fn status(method: &str, endpoint: &str, path: &str, limit: Duration) -> Result<u16> {
    tokio::time::timeout(limit, exchange(method, endpoint, path))
        .await
        .unwrap_or_else(|_| Err(Error::new(ErrorKind::TimedOut, format!("no answer within {} s", limit.as_secs()))))
}

async fn exchange(method: &str, endpoint: &str, path: &str) -> Result<u16> {
    let host = endpoint.trim_start_matches("http://");
    let mut stream = TcpStream::connect(addresses(endpoint).await?.as_slice()).await?;
    let request = format!(
        "{method} {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nContent-Length: 0\r\nAccept: */*\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await?;

    let mut head = Vec::new();
    let mut piece = [0; 8192];
    let status = loop {
        let read = stream.read(&mut piece).await?;
        head.extend_from_slice(&piece[..read]);
        if let Some(end) = head.iter().position(|&byte| byte == b'\n') {
            break status_of(&head[..end]);
        }
        if read == 0 || head.len() > LONGEST_STATUS_LINE {
            break None;
        }
    };
    let status = status.ok_or_else(|| Error::new(ErrorKind::InvalidData, "the answer is not HTTP"))?;
    // An emulator that is cut off while it answers writes a traceback into its log.
    while stream.read(&mut piece).await.is_ok_and(|read| read > 0) {}
    Ok(status)
}

/// The status in `HTTP/1.1 200 OK`.
fn status_of(line: &[u8]) -> Option<u16> {
    let line = std::str::from_utf8(line).ok()?;
    let (version, rest) = line.trim_end().split_once(' ')?;
    version.starts_with("HTTP/1.").then(|| rest.get(..3)?.parse().ok())?
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    const LIMIT: Duration = Duration::from_secs(5);

    /// A server that gives one answer, in two pieces, then closes.
    async fn answering(answer: &'static str) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = [0; 1024];
            let _ = stream.read(&mut request).await.unwrap();
            let (first, second) = answer.split_at(answer.len() / 2);
            stream.write_all(first.as_bytes()).await.unwrap();
            tokio::task::yield_now().await;
            stream.write_all(second.as_bytes()).await.unwrap();
        });
        endpoint
    }

    #[tokio::test]
    async fn the_status_of_an_answer_is_returned() {
        let endpoint = answering("HTTP/1.1 204 No Content\r\nX: y\r\n\r\n").await;
        assert_eq!(status("GET", &endpoint, "/", LIMIT).await.unwrap(), 204);
        let endpoint = answering("HTTP/1.0 404\r\n\r\nnot here").await;
        assert_eq!(status("POST", &endpoint, "/", LIMIT).await.unwrap(), 404);
    }

    #[tokio::test]
    async fn something_else_than_http_is_no_answer() {
        for answer in ["SSH-2.0-OpenSSH_9.2\r\n", "", "HTTP/1.1 OK\r\n\r\n"] {
            let endpoint = answering(answer).await;
            let error = status("GET", &endpoint, "/", LIMIT).await.unwrap_err();
            assert!(error.to_string().contains("not HTTP"), "{answer}: {error}");
        }
    }

    #[tokio::test]
    async fn silence_ends_with_the_deadline() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let error = status("GET", &endpoint, "/", Duration::from_millis(50)).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TimedOut);
    }
}
