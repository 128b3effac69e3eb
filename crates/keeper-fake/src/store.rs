//! The store of files: a form is posted to it, and bytes are fetched from it. Whoever has the ticket may do both.

use crate::machine::{Reply, Request};
use crate::vault::{StoredFile, Vault};
use bytes::Bytes;
use keeper_wire::{Uid, crypto};

pub(crate) fn answer(vault: &mut Vault, name: &str, request: &Request) -> Reply {
    let file =
        name.parse::<Uid>().ok().and_then(|uid| vault.records.get_mut(&uid)).and_then(|record| record.file.as_mut());
    let Some(file) = file else { return Reply::text(404, "there is no such file") };
    match request.method.as_str() {
        "POST" => post(file, request),
        "GET" => get(file, &request.query),
        _ => Reply::text(405, "POST or GET"),
    }
}

fn get(file: &StoredFile, query: &str) -> Reply {
    let shown = query.split('&').find_map(|pair| pair.strip_prefix("ticket=")).unwrap_or_default();
    if !crypto::same(shown.as_bytes(), file.ticket.as_bytes()) {
        return Reply::text(403, "the ticket is missing or wrong");
    }
    match &file.content {
        Some(content) => Reply::new(StoredFile::FETCHED, "application/octet-stream", content.clone()),
        None => Reply::text(404, "nothing was posted yet"),
    }
}

fn post(file: &mut StoredFile, request: &Request) -> Reply {
    let Some(parts) = parts(request.header("content-type").unwrap_or_default(), &request.body) else {
        return Reply::text(400, "a form of multipart/form-data is expected");
    };
    let part = |name: &str| parts.iter().find(|(known, _)| known == name).map(|(_, content)| content);
    if !part("ticket").is_some_and(|shown| crypto::same(shown, file.ticket.as_bytes())) {
        return Reply::text(403, "the part `ticket` is missing or wrong");
    }
    // The last part, as object stores demand: they ignore whatever follows.
    let Some((_, content)) = parts.last().filter(|(name, _)| name == "file") else {
        return Reply::text(400, "the last part has to be `file`");
    };
    if file.content.is_some() {
        return Reply::text(409, "the file was posted before");
    }
    if i64::try_from(content.len()).map_or(true, |size| size > file.announced) {
        return Reply::text(400, "the file is larger than announced");
    }
    file.content = Some(content.clone());
    Reply::text(StoredFile::POSTED, "")
}

/// Parts of a form: name and content.
const MOST_PARTS: usize = 64;

/// RFC 7578: parts between lines of `--boundary`. `None` when it is something else.
fn parts(content_type: &str, body: &Bytes) -> Option<Vec<(String, Bytes)>> {
    let (kind, parameters) = content_type.split_once(';')?;
    if !kind.trim().eq_ignore_ascii_case("multipart/form-data") {
        return None;
    }
    let boundary =
        parameters.split(';').find_map(|parameter| parameter.trim().strip_prefix("boundary="))?.trim_matches('"');
    let delimiter = format!("--{boundary}").into_bytes();
    let mut at = find(body, 0, &delimiter)? + delimiter.len();
    let between = [b"\r\n".as_slice(), &delimiter].concat();
    let mut parts = Vec::new();
    while !body.get(at..)?.starts_with(b"--") {
        if parts.len() >= MOST_PARTS {
            return None;
        }
        let head_end = find(body, at, b"\r\n\r\n")?;
        let end = find(body, head_end + 4, &between)?;
        let head = std::str::from_utf8(&body[at..head_end]).ok()?;
        parts.push((name_of(head)?, body.slice(head_end + 4..end)));
        at = end + between.len();
    }
    Some(parts)
}

fn find(body: &[u8], from: usize, what: &[u8]) -> Option<usize> {
    body.get(from..)?.windows(what.len()).position(|window| window == what).map(|at| from + at)
}

/// `Content-Disposition: form-data; name="…"`.
fn name_of(head: &str) -> Option<String> {
    let line = head.lines().find(|line| line.to_ascii_lowercase().starts_with("content-disposition:"))?;
    let name = line.split(';').find_map(|parameter| parameter.trim().strip_prefix("name="))?;
    Some(name.trim_matches('"').to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vault::Record;
    use keeper_wire::messages::records::RecordKeyType;
    use proptest::prelude::*;

    fn vault() -> (Vault, Uid, String) {
        let (mut vault, uid, file) = (Vault::default(), Uid::random(), StoredFile::announced(5));
        let ticket = file.ticket.clone();
        let record = Record {
            version: 4,
            revision: 1,
            modified: 0,
            data: Vec::new(),
            key: Vec::new(),
            key_type: RecordKeyType::NoKey,
            file: Some(file),
        };
        vault.records.insert(uid, record);
        (vault, uid, ticket)
    }

    fn ask(vault: &mut Vault, uid: Uid, method: &str, query: &str, body: &[u8]) -> Reply {
        let request = Request {
            method: method.to_owned(),
            path: String::new(),
            query: query.to_owned(),
            headers: vec![("content-type".to_owned(), "multipart/form-data; boundary=XX".to_owned())],
            body: Bytes::copy_from_slice(body),
            peer: [127, 0, 0, 1].into(),
            base: String::new(),
        };
        answer(vault, &uid.to_string(), &request)
    }

    fn form(ticket: &str, content: &[u8]) -> Vec<u8> {
        let head = format!(
            "--XX\r\nContent-Disposition: form-data; name=\"ticket\"\r\n\r\n{ticket}\r\n--XX\r\nContent-Disposition: \
             form-data; name=\"file\"; filename=\"x\"\r\nContent-Type: application/octet-stream\r\n\r\n"
        );
        [head.as_bytes(), content, b"\r\n--XX--\r\n"].concat()
    }

    #[test]
    fn what_is_posted_with_a_ticket_is_fetched_with_it() {
        let (mut vault, uid, ticket) = vault();
        let query = format!("ticket={ticket}");
        assert_eq!(ask(&mut vault, uid, "GET", &query, b"").status, 404);
        assert_eq!(ask(&mut vault, uid, "POST", "", &form("other", b"a\r\nb")).status, 403);
        assert_eq!(ask(&mut vault, uid, "POST", "", &form(&ticket, b"too long")).status, 400);
        assert_eq!(ask(&mut vault, uid, "POST", "", &form(&ticket, b"a\r\nb")).status, 201);
        assert_eq!(ask(&mut vault, uid, "POST", "", &form(&ticket, b"c")).status, 409);
        assert_eq!(ask(&mut vault, uid, "GET", "ticket=other", b"").status, 403);
        assert_eq!(ask(&mut vault, uid, "GET", &query, b"").body, b"a\r\nb"[..]);
        assert_eq!(ask(&mut vault, Uid::random(), "GET", &query, b"").status, 404);
    }

    proptest! {
        #[test]
        fn no_form_makes_it_panic(body in prop::collection::vec(any::<u8>(), 0..200), cut in 0usize..300) {
            let (mut vault, uid, ticket) = vault();
            let _ = ask(&mut vault, uid, "POST", "", &body);
            let whole = form(&ticket, &body);
            let _ = ask(&mut vault, uid, "POST", "", &whole[..cut.min(whole.len())]);
        }
    }
}
