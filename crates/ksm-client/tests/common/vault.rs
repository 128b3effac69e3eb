//! The least of a vault: one record with attachments, and a store. It keeps what a client writes, refuses a stale revision, and
//! can be told at which request to fail and how. `keeper-fake` is the whole thing; here every request can be counted and cut.

use std::sync::{Arc, Mutex};

use keeper_wire::crypto::Key;
use keeper_wire::ec::PrivateKey;
use keeper_wire::{Uid, text};
use ksm_client::{Client, Options};
use serde_json::{Value, json};
use tokio::sync::Notify;

use super::scripted::{Do, Scripted, Seen};

/// How one request fails, or all from one on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The connection is cut and nothing was done.
    CutBefore,
    /// It is cut when all was done.
    CutAfter,
    /// The client ends before anything is done.
    KillBefore,
    /// The client ends when all was done.
    KillAfter,
    /// From here on everything is cut.
    DownBefore,
    /// The same, when this one was done.
    DownAfter,
}

pub(crate) const FAULTS: [Fault; 6] =
    [Fault::CutBefore, Fault::CutAfter, Fault::KillBefore, Fault::KillAfter, Fault::DownBefore, Fault::DownAfter];

pub(crate) struct Attached {
    pub(crate) uid: Uid,
    link: String,
    data: String,
    pub(crate) content: Option<Vec<u8>>,
}

pub(crate) struct Vault {
    pub(crate) record: Uid,
    record_key: Key,
    app_key: Key,
    owner: PrivateKey,
    port: u16,
    data: String,
    revision: i64,
    pub(crate) files: Vec<Attached>,
    fault: Option<(usize, Fault)>,
    requests: usize,
    /// Which addresses of files are good.
    age: usize,
    /// The name that has to be found at any time, and how many have it, by request.
    watched: String,
    pub(crate) counts: Vec<usize>,
    /// Of these, how many have content.
    pub(crate) whole: Vec<usize>,
}

/// A vault behind a scripted service.
pub(crate) struct Served {
    pub(crate) service: Scripted,
    pub(crate) vault: Arc<Mutex<Vault>>,
    killed: Arc<Notify>,
}

impl Served {
    pub(crate) async fn start(watched: &str) -> Self {
        let slot = Arc::new(Mutex::new(None::<Arc<Mutex<Vault>>>));
        let killed = Arc::new(Notify::new());
        let (seen_slot, seen_killed) = (slot.clone(), killed.clone());
        let service = Scripted::start(move |_, seen| {
            let vault = seen_slot.lock().unwrap().clone().unwrap();
            vault.lock().unwrap().serve(seen, &seen_killed)
        })
        .await;
        let record_key = Key::random();
        let content = json!({ "type": "login", "title": "Automator", "fields": [{ "type": "text", "value": ["kept"] }], "custom": [] });
        let vault = Vault {
            record: Uid::random(),
            data: text::standard(&record_key.seal(content.to_string().as_bytes())),
            record_key,
            app_key: service.app_key.clone(),
            owner: service.owner.clone(),
            port: service.port,
            revision: 1,
            files: Vec::new(),
            fault: None,
            requests: 0,
            age: 0,
            watched: watched.to_owned(),
            counts: Vec::new(),
            whole: Vec::new(),
        };
        let vault = Arc::new(Mutex::new(vault));
        *slot.lock().unwrap() = Some(vault.clone());
        Self { service, vault, killed }
    }

    pub(crate) fn client(&self) -> Client {
        self.client_with(self.service.options())
    }

    pub(crate) fn client_with(&self, options: Options) -> Client {
        Client::new(self.service.config(), options).unwrap()
    }

    /// Plans a fault and counts requests anew.
    pub(crate) fn plan(&self, fault: Option<(usize, Fault)>) {
        let mut vault = self.vault.lock().unwrap();
        (vault.fault, vault.requests) = (fault, 0);
    }

    pub(crate) fn requests(&self) -> usize {
        self.vault.lock().unwrap().requests
    }

    /// Runs a call until it ends or is killed.
    pub(crate) async fn until_killed<T>(&self, call: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            biased;
            () = self.killed.notified() => None,
            done = call => Some(done),
        }
    }
}

impl Vault {
    /// Attaches a file as any client would have; without content it is what a broken upload leaves behind.
    pub(crate) fn attach(&mut self, name: &str, content: Option<&[u8]>) -> Uid {
        let (uid, key) = (Uid::random(), Key::random());
        let data = json!({ "name": name, "title": name, "size": content.map_or(3, <[u8]>::len), "type": "x/y" });
        let mut record = self.content();
        let fields = record["fields"].as_array_mut().unwrap();
        match fields.iter_mut().find(|field| field["type"] == "fileRef") {
            Some(field) => field["value"].as_array_mut().unwrap().push(json!(uid)),
            None => fields.push(json!({ "type": "fileRef", "value": [uid] })),
        }
        self.data = text::standard(&self.record_key.seal(record.to_string().as_bytes()));
        self.files.push(Attached {
            uid,
            link: text::standard(&self.record_key.seal(key.expose())),
            data: text::standard(&key.seal(data.to_string().as_bytes())),
            content: content.map(|content| key.seal(content)),
        });
        uid
    }

    /// From now on files have other addresses.
    pub(crate) fn expire(&mut self) {
        self.age += 1;
    }

    /// Another writer was here.
    pub(crate) fn touch(&mut self) {
        self.revision += 1;
    }

    /// The record's content.
    pub(crate) fn content(&self) -> Value {
        serde_json::from_slice(&self.record_key.open(&text::decode(&self.data).unwrap()).unwrap()).unwrap()
    }

    /// Names and, where the store has them, plain bytes of all attachments.
    pub(crate) fn attachments(&self) -> Vec<(String, Option<Vec<u8>>)> {
        let opened = |file: &Attached| {
            let key = Key::from_slice(&self.record_key.open(&text::decode(&file.link).unwrap()).unwrap()).unwrap();
            let data: Value = serde_json::from_slice(&key.open(&text::decode(&file.data).unwrap()).unwrap()).unwrap();
            let content = file.content.as_ref().map(|content| key.open(content).unwrap().to_vec());
            (data["name"].as_str().unwrap().to_owned(), content)
        };
        self.files.iter().map(opened).collect()
    }

    fn serve(&mut self, seen: &Seen, killed: &Notify) -> Do {
        let index = self.requests;
        self.requests += 1;
        let fault = self.fault.filter(|(at, fault)| match fault {
            Fault::DownBefore | Fault::DownAfter => index >= *at,
            _ => index == *at,
        });
        let first = fault.is_some_and(|(at, _)| at == index);
        let answer = match fault.map(|(_, fault)| fault) {
            Some(Fault::CutBefore | Fault::DownBefore) => return Do::Cut,
            Some(Fault::DownAfter) if !first => return Do::Cut,
            Some(Fault::KillBefore) => {
                killed.notify_one();
                return Do::Silence;
            }
            _ => self.done(seen),
        };
        let named: Vec<_> = self.attachments().into_iter().filter(|(name, _)| *name == self.watched).collect();
        self.counts.push(named.len());
        self.whole.push(named.iter().filter(|(_, content)| content.is_some()).count());
        match fault.map(|(_, fault)| fault) {
            Some(Fault::CutAfter | Fault::DownAfter) => Do::Cut,
            Some(Fault::KillAfter) => {
                killed.notify_one();
                Do::Silence
            }
            _ => answer,
        }
    }

    fn done(&mut self, seen: &Seen) -> Do {
        let path: Vec<&str> = seen.path.trim_start_matches('/').split('/').collect();
        let text_of = |name: &str| seen.payload[name].as_str().unwrap_or_default().to_owned();
        let stale = || Do::Plain(403, r#"{"error":"access_denied","message":"Record is out of sync"}"#, vec![]);
        match path[..] {
            [.., "get_secret"] => Do::Seal(self.answer()),
            [.., "add_file"] => {
                if seen.payload["ownerRecordRevision"] != self.revision {
                    return stale();
                }
                let uid: Uid = text_of("fileRecordUid").parse().unwrap();
                // The owner can open what the device made.
                let key = Key::from_slice(&self.owner.open(&text::decode(&text_of("fileRecordKey")).unwrap()).unwrap())
                    .unwrap();
                let link = text::decode(&text_of("linkKey")).unwrap();
                assert_eq!(self.record_key.open(&link).unwrap().as_slice(), key.expose());
                self.files.push(Attached {
                    uid,
                    link: text_of("linkKey"),
                    data: text_of("fileRecordData"),
                    content: None,
                });
                self.data = text_of("ownerRecordData");
                self.revision += 1;
                let url = format!("https://127.0.0.1:{}/post/{uid}", self.port);
                Do::Seal(json!({ "url": url, "parameters": "{\"policy\":\"p\",\"n\":7}", "successStatusCode": 204 }))
            }
            [.., "update_secret"] => {
                if seen.payload["revision"] != self.revision {
                    return stale();
                }
                assert!(seen.payload.get("transactionType").is_none());
                let gone: Vec<Uid> =
                    serde_json::from_value(seen.payload.get("links2Remove").cloned().unwrap_or(json!([]))).unwrap();
                self.files.retain(|file| !gone.contains(&file.uid));
                self.data = text_of("data");
                self.revision += 1;
                Do::Done
            }
            ["post", uid] => {
                let uid: Uid = uid.parse().unwrap();
                let Some(file) = self.files.iter_mut().find(|file| file.uid == uid) else {
                    return Do::Plain(404, "", vec![]);
                };
                file.content = Some(form(seen));
                Do::Plain(204, "", vec![])
            }
            ["get", age, _] if age != self.age.to_string() => {
                Do::Plain(403, "<Error>Request has expired</Error>", vec![])
            }
            ["get", _, uid] => {
                let uid: Uid = uid.parse().unwrap();
                let content = self.files.iter().find(|file| file.uid == uid).and_then(|file| file.content.clone());
                content.map_or_else(|| Do::Plain(404, "<Error/>", vec![]), Do::Raw)
            }
            _ => Do::Plain(404, r#"{"error":"bad_request"}"#, vec![]),
        }
    }

    fn answer(&self) -> Value {
        let listed = |file: &Attached| {
            let url =
                file.content.as_ref().map(|_| format!("https://127.0.0.1:{}/get/{}/{}", self.port, self.age, file.uid));
            json!({ "fileUid": file.uid, "fileKey": file.link, "data": file.data, "url": url })
        };
        json!({ "records": [{
            "recordUid": self.record, "recordKey": text::standard(&self.app_key.seal(self.record_key.expose())),
            "revision": self.revision, "data": self.data, "isEditable": true,
            "files": self.files.iter().map(listed).collect::<Vec<_>>(),
        }] })
    }
}

/// The part `file` of a form, which has to be its last.
fn form(seen: &Seen) -> Vec<u8> {
    let boundary = seen.content_type.split("boundary=").nth(1).unwrap();
    let end = format!("\r\n--{boundary}--\r\n");
    let body = seen.body.strip_suffix(end.as_bytes()).unwrap();
    let mark = format!("--{boundary}\r\n");
    let last = body.windows(mark.len()).rposition(|part| part == mark.as_bytes()).unwrap();
    let part = &body[last + mark.len()..];
    let gap = part.windows(4).position(|four| four == b"\r\n\r\n").unwrap();
    assert!(String::from_utf8_lossy(&part[..gap]).contains("name=\"file\""));
    let before = String::from_utf8_lossy(&body[..last]);
    assert!(before.contains("name=\"policy\"") && before.contains("name=\"n\"\r\n\r\n7\r\n"), "{before}");
    part[gap + 4..].to_vec()
}
