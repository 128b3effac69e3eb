//! HTTP/1.1, as much as a proxy needs.

use std::io::{self, Error, ErrorKind};

use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};

use super::door::Stream;

/// A head, or a line between chunks, that is longer is refused.
const LONGEST_HEAD: u64 = 64 << 10;
/// A body that is longer is refused.
const LONGEST_BODY: u64 = 256 << 20;

/// A request or an answer. Its body is held without any framing.
pub(super) struct Message {
    /// The first line.
    pub(super) start: String,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
}

/// What a message without any framing of its body means.
#[derive(Clone, Copy)]
pub(super) enum Length {
    None,
    UntilEnd,
}

impl Message {
    /// Reads a head; nothing if the connection ended before one.
    pub(super) async fn head_of(stream: &mut BufReader<Stream>) -> io::Result<Option<Self>> {
        let mut lines = Vec::new();
        let mut left = LONGEST_HEAD;
        loop {
            let line = line_of(stream, &mut left).await?;
            match line {
                None if lines.is_empty() => return Ok(None),
                None => return Err(ErrorKind::UnexpectedEof.into()),
                // Empty lines before a request are to be passed over.
                Some(line) if line.is_empty() && lines.is_empty() => {}
                Some(line) if line.is_empty() => break,
                Some(line) => lines.push(line),
            }
        }
        let mut lines = lines.into_iter();
        let start = lines.next().unwrap_or_default();
        let header = |line: String| {
            let (name, value) = line.split_once(':').ok_or_else(|| broken("a header without colon"))?;
            Ok((name.to_owned(), value.trim().to_owned()))
        };
        let headers = lines.map(header).collect::<io::Result<_>>()?;
        Ok(Some(Self { start, headers, body: Vec::new() }))
    }

    pub(super) async fn read_body(&mut self, stream: &mut BufReader<Stream>, unframed: Length) -> io::Result<()> {
        if self.has("transfer-encoding", "chunked") {
            loop {
                let mut left = LONGEST_HEAD;
                let size = line_of(stream, &mut left).await?.ok_or(ErrorKind::UnexpectedEof)?;
                let size = size.split(';').next().unwrap_or_default().trim();
                let size = u64::from_str_radix(size, 16).map_err(|_| broken("a chunk without size"))?;
                if size == 0 {
                    break;
                }
                self.read_exactly(stream, size).await?;
                line_of(stream, &mut left).await?;
            }
            // Trailers, which nothing here uses.
            let mut left = LONGEST_HEAD;
            while line_of(stream, &mut left).await?.is_some_and(|line| !line.is_empty()) {}
            return Ok(());
        }
        match (self.header("content-length"), unframed) {
            (Some(length), _) => {
                let length = length.parse().map_err(|_| broken("a content-length that is no number"))?;
                self.read_exactly(stream, length).await
            }
            (None, Length::None) => Ok(()),
            (None, Length::UntilEnd) => {
                stream.take(LONGEST_BODY).read_to_end(&mut self.body).await?;
                Ok(())
            }
        }
    }

    async fn read_exactly(&mut self, stream: &mut BufReader<Stream>, length: u64) -> io::Result<()> {
        if length > LONGEST_BODY - self.body.len() as u64 {
            return Err(broken("a body without end"));
        }
        let read = stream.take(length).read_to_end(&mut self.body).await?;
        if read as u64 == length { Ok(()) } else { Err(ErrorKind::UnexpectedEof.into()) }
    }

    pub(super) fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(header, _)| header.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    /// Whether a header with a list of words has this one.
    pub(super) fn has(&self, header: &str, word: &str) -> bool {
        let mut words = self.header(header).into_iter().flat_map(|value| value.split(','));
        words.any(|given| given.trim().eq_ignore_ascii_case(word))
    }

    /// The status of an answer.
    pub(super) fn status(&self) -> Option<u16> {
        self.start.split(' ').nth(1)?.parse().ok()
    }

    pub(super) fn head(&self) -> String {
        let mut head = format!("{}\r\n", self.start);
        for (name, value) in &self.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        head
    }

    /// The message with plain framing. The answer to a HEAD keeps the length of the body that it does not have.
    pub(super) fn bytes(&self, close: bool, to_head: bool) -> Vec<u8> {
        const FRAMING: [&str; 5] = ["content-length", "transfer-encoding", "connection", "keep-alive", "expect"];
        let mut bytes = format!("{}\r\n", self.start);
        for (name, value) in &self.headers {
            let framing = FRAMING.iter().any(|framing| name.eq_ignore_ascii_case(framing));
            if !framing || (to_head && name.eq_ignore_ascii_case("content-length")) {
                bytes.push_str(&format!("{name}: {value}\r\n"));
            }
        }
        let bodiless = to_head || matches!(self.status(), Some(204 | 304)) && self.start.starts_with("HTTP/");
        if !bodiless {
            bytes.push_str(&format!("Content-Length: {}\r\n", self.body.len()));
        }
        bytes.push_str(if close { "Connection: close\r\n\r\n" } else { "Connection: keep-alive\r\n\r\n" });
        [bytes.as_bytes(), &self.body].concat()
    }
}

/// A line without its end; nothing at the end of the connection.
async fn line_of(stream: &mut BufReader<Stream>, left: &mut u64) -> io::Result<Option<String>> {
    let mut line = Vec::new();
    let read = stream.take(*left).read_until(b'\n', &mut line).await?;
    if read == 0 && *left > 0 {
        return Ok(None);
    }
    *left -= read as u64;
    if line.pop() != Some(b'\n') {
        return Err(broken("a line without end"));
    }
    if line.last() == Some(&b'\r') {
        line.pop();
    }
    String::from_utf8(line).map(Some).map_err(|_| broken("a head that is no text"))
}

pub(super) fn broken(what: &str) -> Error {
    Error::new(ErrorKind::InvalidData, what)
}
