//! Attachments: download, upload, remove, replace (spec 4.4, 5.2, 5.3).
//!
//! # Replacing, and its window
//!
//! A device cannot replace an attachment in one step: names are not unique, and there is neither a delete nor a rename. So
//! [`Client::replace_file`] announces the new one, stores and reads back its bytes, and only then takes away the old ones.
//! **From the announcement to the removal there are two attachments of one name.** A look-up by name always finds at least one,
//! and in that window is ambiguous (an error in the vendor's notation; its CLI takes the older one). Start no container in it:
//! wait for the call to return. A look-up by UID is not concerned.
//!
//! The call may be cut anywhere, by a lost connection or by a kill. What it leaves behind is one of three things: nothing, a new
//! attachment without content, or a good new attachment beside the old one. The same call again recognises each by comparing
//! content, and ends with exactly one.

use keeper_wire::Uid;
use keeper_wire::crypto::{GCM_OVERHEAD, Key};
use keeper_wire::text;
use reqwest::StatusCode;
use reqwest::header::LOCATION;
use reqwest::multipart::{Form, Part};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Map, json};
use zeroize::Zeroizing;

use crate::error::{OpenError, Rung};
use crate::record::{File, Record};
use crate::transport::{Operation, READ_ATTEMPTS, worth_repeating};
use crate::wait::{Until, doubled};
use crate::{Cause, Client, DecryptError, Error, Event, reply};

/// Redirects a download follows, to `https` only.
const MAX_REDIRECTS: u32 = 5;
/// How often a new file is looked for until it has an address. The pauses double: with the default first pause, half a minute.
const STORED_LOOKS: u32 = 7;
/// How often a write is tried against changes of others and lost answers.
pub(crate) const WRITE_ATTEMPTS: u32 = 5;

/// What is to be attached. Its `Debug` shows no content.
#[derive(Clone)]
pub struct NewFile {
    /// Its name; also its title, unless one is set.
    pub name: String,
    /// Its title.
    pub title: Option<String>,
    /// MIME type, such as `application/x-pkcs12`; `application/octet-stream` unless set.
    pub media_type: Option<String>,
    /// The bytes.
    pub content: Zeroizing<Vec<u8>>,
}

impl NewFile {
    /// A file of this name.
    #[must_use]
    pub fn new(name: impl Into<String>, content: impl Into<Vec<u8>>) -> Self {
        Self { name: name.into(), title: None, media_type: None, content: Zeroizing::new(content.into()) }
    }
}

impl std::fmt::Debug for NewFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NewFile").field("name", &self.name).field("bytes", &self.content.len()).finish_non_exhaustive()
    }
}

/// What [`Client::replace_file`] did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replaced {
    /// The one attachment of that name.
    pub uid: Uid,
    /// Whether it was uploaded now; otherwise an attachment with these bytes was there already.
    pub uploaded: bool,
    /// Attachments of that name that were taken away.
    pub removed: Vec<Uid>,
}

impl Client {
    /// The content of an attachment. Its address expires after a while (spec mark I); then the record is read again.
    ///
    /// # Errors
    /// [`Error`]; [`Error::Decrypt`] when the stored bytes are not what was sealed; [`Error::Http`] when they are gone.
    pub async fn download(&self, record: &Record, file: &File) -> Result<Zeroizing<Vec<u8>>, Error> {
        self.download_until(file, record.uid, self.until()).await
    }

    /// Attaches a file beside whatever is there, and reads it back. The UID of the attachment is the answer.
    ///
    /// # Errors
    /// [`Error`]; [`Error::Upload`] says whether the announcement of a file without content could be taken back.
    pub async fn upload(&self, record: Uid, file: &NewFile) -> Result<Uid, Error> {
        self.upload_until(record, file, self.until()).await
    }

    /// Takes attachments away. Those that are not there are no error.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn remove_files(&self, record: Uid, files: &[Uid]) -> Result<(), Error> {
        self.remove_files_until(record, files, self.until()).await
    }

    /// Makes `file` the one attachment of its name: see the module's page for the window with two, and for interruptions. Does
    /// nothing when that is so already. An attachment whose title is that name counts as well, since look-ups find it.
    ///
    /// # Errors
    /// [`Error`]; the same call again finishes what was begun.
    pub async fn replace_file(&self, record: Uid, file: &NewFile) -> Result<Replaced, Error> {
        let until = self.until();
        self.check_new(file)?;
        let before = self.record_until(record, until).await?;
        let mut kept = None;
        for old in before.files_called(&file.name) {
            if self.holds(old, record, &file.content, until).await? {
                kept = Some(old.uid);
                break;
            }
        }
        let uploaded = kept.is_none();
        let uid = match kept {
            Some(uid) => uid,
            None => self.upload_until(record, file, until).await?,
        };
        // Read again: what came between, from here or from elsewhere, has to go too.
        let mut removed = Vec::new();
        for _ in 0..WRITE_ATTEMPTS {
            let now = self.record_until(record, until).await?;
            still_there(&now, uid)?;
            let others: Vec<Uid> =
                now.files_called(&file.name).map(|file| file.uid).filter(|other| *other != uid).collect();
            if others.is_empty() {
                return Ok(Replaced { uid, uploaded, removed });
            }
            self.unlink_until(record, &others, Some(uid), until).await?;
            removed.extend(others);
        }
        Err(Error::Contended { uid: record, attempts: WRITE_ATTEMPTS })
    }

    /// Whether an attachment has exactly this content. One without content, or with other or broken content, has not.
    async fn holds(&self, file: &File, record: Uid, content: &[u8], until: Until) -> Result<bool, Error> {
        let len = u64::try_from(content.len()).unwrap_or(u64::MAX);
        if file.url.is_none() || file.size.is_some_and(|size| size != len) {
            return Ok(false);
        }
        match self.download_once(file, record, until).await {
            Ok(stored) => Ok(keeper_wire::crypto::same(&stored, content)),
            Err(
                Error::Http { status: 400..500, .. } | Error::Decrypt(_) | Error::TooLarge { .. } | Error::Reply { .. },
            ) => Ok(false),
            Err(error) => Err(error),
        }
    }

    pub(crate) async fn download_until(
        &self,
        file: &File,
        record: Uid,
        until: Until,
    ) -> Result<Zeroizing<Vec<u8>>, Error> {
        let error = match &file.url {
            Some(_) => match self.download_once(file, record, until).await {
                Err(error @ Error::Http { status: 403 | 404, .. }) => Some(error),
                done => return done,
            },
            None => None,
        };
        // Without an address yet, or with one that has expired: the record knows a newer one.
        let now = self.stored(record, file.uid, until).await?;
        let address = |file: &File| file.url.as_ref().map(|url| url.expose_secret().to_owned());
        match error {
            Some(error) if address(&now) == address(file) => Err(error),
            _ => self.download_once(&now, record, until).await,
        }
    }

    async fn download_once(&self, file: &File, record: Uid, until: Until) -> Result<Zeroizing<Vec<u8>>, Error> {
        let url = file
            .url
            .as_ref()
            .ok_or_else(|| Error::NotFound { what: format!("content of file {} in record {record}", file.uid) })?;
        let overhead = u64::try_from(GCM_OVERHEAD).expect("small");
        let limit = file.size.unwrap_or(u64::MAX).min(self.options().max_file).saturating_add(overhead);
        if file.size.is_some_and(|size| size > self.options().max_file) {
            return Err(Error::TooLarge { what: "the file", limit: self.options().max_file });
        }
        let sealed = self.fetch(url, limit, until).await?;
        let failed = |source: OpenError| DecryptError { uid: Some(file.uid), rung: Rung::FileContent, source };
        Ok(file.key.open(&sealed).map_err(|error| failed(error.into()))?)
    }

    async fn fetch(&self, url: &SecretString, limit: u64, until: Until) -> Result<Vec<u8>, Error> {
        const DOWNLOAD: &str = "download";
        let wrong = || Error::Reply { operation: DOWNLOAD, place: "the address".to_owned(), what: "not an https URL" };
        let https = |url: &url::Url| url.scheme() == "https";
        let mut failures = 0;
        let mut redirects = 0;
        let mut at = url::Url::parse(url.expose_secret()).ok().filter(https).ok_or_else(wrong)?;
        loop {
            let cap = |status: StatusCode| if status == StatusCode::OK { limit } else { 64 * 1024 };
            let error = match self.exchange(DOWNLOAD, self.http().get(at.clone()), cap, until).await {
                Ok((StatusCode::OK, _, body)) => return Ok(body),
                Ok((status, headers, _)) if status.is_redirection() && redirects < MAX_REDIRECTS => {
                    redirects += 1;
                    let next = headers.get(LOCATION).and_then(|value| value.to_str().ok());
                    at = next.and_then(|next| at.join(next).ok()).filter(https).ok_or_else(wrong)?;
                    continue;
                }
                Ok((status, _, _)) => {
                    Error::Http { operation: DOWNLOAD, status: status.as_u16(), what: "not the file" }
                }
                Err(error) => error,
            };
            failures += 1;
            let wait = doubled(self.options().pause, failures);
            let event = Event::Repeated { operation: DOWNLOAD, wait, attempt: failures };
            if failures >= READ_ATTEMPTS || !worth_repeating(&error) || !until.wait(self.options(), wait, &event).await
            {
                return Err(error);
            }
        }
    }

    /// The attachment, as soon as the store has given it an address.
    async fn stored(&self, record: Uid, file: Uid, until: Until) -> Result<File, Error> {
        for attempt in 1..=STORED_LOOKS {
            let now = self.record_until(record, until).await?;
            match now.files.into_iter().find(|known| known.uid == file) {
                None => return Err(Error::NotFound { what: format!("file {file} in record {record}") }),
                Some(file) if file.url.is_some() => return Ok(file),
                Some(_) => {}
            }
            let wait = doubled(self.options().pause, attempt);
            if attempt == STORED_LOOKS
                || !until.wait(self.options(), wait, &Event::NotStoredYet { wait, attempt }).await
            {
                break;
            }
        }
        Err(Error::NotFound {
            what: format!("content of file {file} in record {record}, which the store has not given an address yet"),
        })
    }

    fn check_new(&self, file: &NewFile) -> Result<(), Error> {
        if file.name.is_empty() || file.name.chars().any(char::is_control) {
            return Err(Error::Argument("attach a file whose name is empty or has control characters"));
        }
        if u64::try_from(file.content.len()).map_or(true, |len| len > self.options().max_file) {
            return Err(Error::TooLarge { what: "the file", limit: self.options().max_file });
        }
        Ok(())
    }

    async fn upload_until(&self, record: Uid, file: &NewFile, until: Until) -> Result<Uid, Error> {
        self.check_new(file)?;
        self.owner_key("add_file")?;
        for attempt in 1..=WRITE_ATTEMPTS {
            let before = self.record_until(record, until).await?;
            let (uid, key) = (Uid::random(), Key::random());
            let sealed = key.seal(&file.content);
            let error = match self.announce(&before, uid, &key, file, sealed.len(), until).await {
                Ok(target) => match self.store(&target, sealed, until).await {
                    Ok(()) => return self.verified(record, uid, &file.content, until).await,
                    // The bytes may be there although the answer is lost.
                    Err(error) if error.maybe_done() => match self.verified(record, uid, &file.content, until).await {
                        Ok(uid) => return Ok(uid),
                        Err(_) => error,
                    },
                    Err(error) => error,
                },
                Err(error) if error.cause() == Some(Cause::OutOfSync) && attempt < WRITE_ATTEMPTS => {
                    self.options().tell(&Event::Contended { attempt });
                    continue;
                }
                // It may be listed now, without content and without any way to give it some.
                Err(error) if error.maybe_done() => error,
                Err(error) => return Err(error),
            };
            let taken_back = self.remove_files_until(record, &[uid], until).await.is_ok();
            let wait = doubled(self.options().pause, attempt);
            let event = Event::Repeated { operation: "upload", wait, attempt };
            if taken_back
                && attempt < WRITE_ATTEMPTS
                && worth_repeating(&error)
                && until.wait(self.options(), wait, &event).await
            {
                continue;
            }
            return Err(Error::Upload { uid, taken_back, source: Box::new(error) });
        }
        Err(Error::Contended { uid: record, attempts: WRITE_ATTEMPTS })
    }

    async fn announce(
        &self,
        record: &Record,
        uid: Uid,
        key: &Key,
        file: &NewFile,
        sealed_len: usize,
        until: Until,
    ) -> Result<Target, Error> {
        let owner = self.owner_key("add_file")?;
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        let mut data = Map::new();
        data.insert("name".to_owned(), file.name.clone().into());
        data.insert("title".to_owned(), file.title.clone().unwrap_or_else(|| file.name.clone()).into());
        data.insert("size".to_owned(), file.content.len().into());
        data.insert("lastModified".to_owned(), u64::try_from(now.as_millis()).unwrap_or_default().into());
        let media_type = file.media_type.clone().unwrap_or_else(|| "application/octet-stream".to_owned());
        data.insert("type".to_owned(), media_type.into());
        let mut content = record.content.clone();
        content.add_file_ref(uid);
        let payload = json!({
            "fileRecordUid": uid,
            "fileRecordKey": text::standard(&owner.seal(key.expose())),
            "fileRecordData": text::standard(&key.seal(&crate::json::bytes_of(&data))),
            "ownerRecordUid": record.uid,
            "ownerRecordData": text::standard(&record.key.seal(&content.bytes())),
            "ownerRecordRevision": record.revision,
            "linkKey": text::standard(&record.key.seal(key.expose())),
            "fileSize": sealed_len,
        });
        let body = self.call(Operation::AddFile, payload.as_object().cloned().unwrap_or_default(), until).await?;
        let answer: reply::AddFile<'_> = reply::read("add_file", &body)?;
        let wrong = |place: &str, what| Error::Reply { operation: "add_file", place: place.to_owned(), what };
        let url = answer.url.get().and_then(|url| url::Url::parse(url).ok()).filter(|url| url.scheme() == "https");
        Ok(Target {
            url: url.ok_or_else(|| wrong("url", "not an https URL"))?,
            parameters: reply::parameters(answer.parameters.get().unwrap_or("{}"))?,
            success: answer
                .success_status_code
                .0
                .and_then(|code| u16::try_from(code).ok())
                .filter(|code| (200..300).contains(code))
                .ok_or_else(|| wrong("successStatusCode", "not a status from 200 to 299"))?,
        })
    }

    async fn store(&self, target: &Target, sealed: Vec<u8>, until: Until) -> Result<(), Error> {
        const UPLOAD: &str = "upload";
        let form =
            target.parameters.iter().fold(Form::new(), |form, (name, value)| form.text(name.clone(), value.clone()));
        // The bytes come last, because the store ignores what follows them.
        let part = Part::bytes(sealed).file_name("file").mime_str("application/octet-stream").expect("a media type");
        let request = self.http().post(target.url.clone()).multipart(form.part("file", part));
        let (status, _, _) = self.exchange(UPLOAD, request, |_| 64 * 1024, until).await?;
        if status.as_u16() == target.success {
            return Ok(());
        }
        Err(Error::Http { operation: UPLOAD, status: status.as_u16(), what: "not the success that was announced" })
    }

    /// Reads a new attachment back.
    async fn verified(&self, record: Uid, uid: Uid, content: &[u8], until: Until) -> Result<Uid, Error> {
        let file = self.stored(record, uid, until).await?;
        let stored = self.download_once(&file, record, until).await?;
        if keeper_wire::crypto::same(&stored, content) { Ok(uid) } else { Err(Error::Verify { uid }) }
    }

    async fn remove_files_until(&self, record: Uid, files: &[Uid], until: Until) -> Result<(), Error> {
        self.unlink_until(record, files, None, until).await
    }

    /// Takes attachments away, and none when `keep` is not there any more in the very revision that is written: of two writers
    /// each would take the other's.
    async fn unlink_until(&self, record: Uid, files: &[Uid], keep: Option<Uid>, until: Until) -> Result<(), Error> {
        let change = |now: &Record| {
            keep.map_or(Ok(()), |keep| still_there(now, keep))?;
            let gone: Vec<Uid> = now.files.iter().map(|file| file.uid).filter(|uid| files.contains(uid)).collect();
            let mut content = now.content.clone();
            content.remove_file_refs(files);
            Ok((content, gone))
        };
        self.write_until(record, change, until).await.map(|_| ())
    }
}

fn still_there(now: &Record, file: Uid) -> Result<(), Error> {
    if now.files.iter().any(|known| known.uid == file) {
        return Ok(());
    }
    Err(Error::NotFound { what: format!("file {file} in record {}, which another writer took away", now.uid) })
}

/// Where the store takes the bytes. Address and parameters are credentials.
struct Target {
    url: url::Url,
    parameters: Vec<(String, String)>,
    success: u16,
}
