//! The ladder of keys: from an answer that is open to the records in it (spec 4.2).

use std::collections::{HashMap, HashSet};

use keeper_wire::crypto::Key;
use keeper_wire::{Uid, text};
use secrecy::SecretString;

use crate::error::OpenError;
use crate::record::{Content, Failed, File, Record};
use crate::secrets::{App, Folder, Secrets};
use crate::{DecryptError, Error, Rung, reply};

/// Opens everything in an answer to `get_secret`. Each item is opened by itself; what does not open is reported.
pub(crate) fn secrets(answer: &reply::GetSecret<'_>, app_key: &Key) -> Secrets {
    let mut out = Secrets {
        app: answer.app_data.get().and_then(|data| app(data, app_key)),
        expires_on: answer.expires_on.0.filter(|at| *at > 0),
        warnings: answer.warnings.0.iter().filter_map(|text| text.get().map(str::to_owned)).collect(),
        ..Secrets::default()
    };
    let mut folder_keys = HashMap::new();
    let mut seen = HashSet::new();
    for folder in &answer.folders.0 {
        let uid = folder.folder_uid.get().and_then(|uid| uid.parse::<Uid>().ok());
        match key(folder.folder_key.get(), app_key, uid, Rung::FolderKey) {
            Ok(key) => {
                if let Some(uid) = uid {
                    out.folders.push(uid);
                    folder_keys.insert(uid, key);
                }
            }
            Err(error) => {
                out.failed.push(Failed { uid: shown(folder.folder_uid.get()), error: error.clone() });
                for record in &folder.records.0 {
                    let uid = record.record_uid.get().and_then(|uid| uid.parse().ok());
                    out.failed.push(Failed {
                        uid: shown(record.record_uid.get()),
                        error: DecryptError { uid, ..error.clone() },
                    });
                }
            }
        }
    }
    for folder in &answer.folders.0 {
        let Some(uid) = folder.folder_uid.get().and_then(|uid| uid.parse::<Uid>().ok()) else { continue };
        let Some(key) = folder_keys.get(&uid) else { continue };
        for raw in &folder.records.0 {
            add(&mut out, &mut seen, raw, key, Some(uid));
        }
    }
    for raw in &answer.records.0 {
        // Records that others created in a shared folder arrive in the flat list, under the folder's key.
        let inner = raw.inner_folder_uid.get().and_then(|uid| uid.parse::<Uid>().ok());
        let key = inner.and_then(|uid| folder_keys.get(&uid));
        let folder = key.and(inner);
        add(&mut out, &mut seen, raw, key.unwrap_or(app_key), folder);
    }
    // The same record may come twice; one that opened is there.
    out.failed.retain(|failed| !failed.uid.parse::<Uid>().is_ok_and(|uid| seen.contains(&uid)));
    out
}

fn add(out: &mut Secrets, seen: &mut HashSet<Uid>, raw: &reply::Record<'_>, outer: &Key, folder: Option<Uid>) {
    match record(raw, outer, folder) {
        Ok(record) => {
            if seen.insert(record.uid) {
                out.records.push(record);
            }
        }
        Err(error) => out.failed.push(Failed { uid: shown(raw.record_uid.get()), error }),
    }
}

fn record(raw: &reply::Record<'_>, outer: &Key, folder: Option<Uid>) -> Result<Record, DecryptError> {
    let failed = |uid, rung, source: OpenError| DecryptError { uid, rung, source };
    let uid = raw.record_uid.get().ok_or_else(|| failed(None, Rung::RecordKey, OpenError::Missing))?;
    let uid: Uid = uid.parse().map_err(|error: keeper_wire::Error| failed(None, Rung::RecordKey, error.into()))?;
    // A record that is shared by itself has no key of its own: the application key is its key.
    let key = match raw.record_key.get() {
        None => outer.clone(),
        sealed => key(sealed, outer, Some(uid), Rung::RecordKey)?,
    };
    let data = raw.data.get().ok_or_else(|| failed(Some(uid), Rung::RecordData, OpenError::Missing))?;
    let plain = text::decode(data)
        .and_then(|sealed| key.open(&sealed))
        .map_err(|error| failed(Some(uid), Rung::RecordData, error.into()))?;
    let content = Content::from_plain(&plain).ok_or_else(|| failed(Some(uid), Rung::RecordData, OpenError::NotJson))?;
    let mut record = Record {
        uid,
        revision: raw.revision.0.unwrap_or_default(),
        folder: folder.or_else(|| raw.folder_uid.get().and_then(|uid| uid.parse().ok())),
        inner_folder: raw.inner_folder_uid.get().and_then(|uid| uid.parse().ok()),
        editable: raw.is_editable.0.unwrap_or(true),
        content,
        files: Vec::with_capacity(raw.files.0.len()),
        failed_files: Vec::new(),
        key,
    };
    for raw in &raw.files.0 {
        match file(raw, &record.key) {
            Ok(file) if record.files.iter().any(|known| known.uid == file.uid) => {}
            Ok(file) => record.files.push(file),
            Err(error) => record.failed_files.push(Failed { uid: shown(raw.file_uid.get()), error }),
        }
    }
    Ok(record)
}

fn file(raw: &reply::File<'_>, record_key: &Key) -> Result<File, DecryptError> {
    let failed = |uid, rung, source: OpenError| DecryptError { uid, rung, source };
    let uid = raw.file_uid.get().ok_or_else(|| failed(None, Rung::FileKey, OpenError::Missing))?;
    let uid: Uid = uid.parse().map_err(|error: keeper_wire::Error| failed(None, Rung::FileKey, error.into()))?;
    let key = key(raw.file_key.get(), record_key, Some(uid), Rung::FileKey)?;
    let data = raw.data.get().ok_or_else(|| failed(Some(uid), Rung::FileData, OpenError::Missing))?;
    let plain = text::decode(data)
        .and_then(|sealed| key.open(&sealed))
        .map_err(|error| failed(Some(uid), Rung::FileData, error.into()))?;
    let data: reply::FileData =
        reply::inner(&plain).ok_or_else(|| failed(Some(uid), Rung::FileData, OpenError::NotJson))?;
    let name = data.name.0.unwrap_or_default();
    Ok(File {
        uid,
        title: data.title.0.unwrap_or_else(|| name.clone()),
        name,
        size: data.size.0.and_then(|size| u64::try_from(size).ok()),
        media_type: data.r#type.0,
        last_modified: data.last_modified.0,
        key,
        url: raw.url.get().map(SecretString::from),
    })
}

fn app(data: &str, key: &Key) -> Option<App> {
    let plain = text::decode(data).and_then(|sealed| key.open(&sealed)).ok()?;
    let named: reply::Named = reply::inner(&plain)?;
    Some(App { title: named.title.0.unwrap_or_default(), kind: named.r#type.0.unwrap_or_default() })
}

/// Folders with their names. A top folder's key is under the application key; that of any other is under the key of the
/// topmost folder above it, in CBC.
pub(crate) fn folders(answer: &reply::GetFolders<'_>, app_key: &Key) -> (Vec<Folder>, Vec<Failed>) {
    let uid_of = |text: Option<&str>| text.and_then(|uid| uid.parse::<Uid>().ok());
    let raw: HashMap<Uid, &reply::Folder<'_>> =
        answer.folders.0.iter().filter_map(|folder| Some((uid_of(folder.folder_uid.get())?, folder))).collect();
    let mut tops = HashMap::new();
    let mut top_keys: HashMap<Uid, Result<Key, DecryptError>> = HashMap::new();
    let (mut good, mut bad) = (Vec::new(), Vec::new());
    for folder in &answer.folders.0 {
        let Some(uid) = uid_of(folder.folder_uid.get()) else {
            let error = DecryptError { uid: None, rung: Rung::FolderKey, source: OpenError::Missing };
            bad.push(Failed { uid: shown(folder.folder_uid.get()), error });
            continue;
        };
        let top =
            top_of(uid, &mut tops, |uid| uid_of(raw[&uid].parent.get()).filter(|parent| raw.contains_key(parent)));
        let top_key = top_keys
            .entry(top)
            .or_insert_with(|| key(raw[&top].folder_key.get(), app_key, Some(top), Rung::FolderKey))
            .clone();
        let opened = top_key
            .and_then(|top_key| if top == uid { Ok(top_key) } else { key_cbc(folder.folder_key.get(), &top_key, uid) });
        let named = opened.and_then(|key| name_of_folder(folder, &key, uid).map(|name| (key, name)));
        match named {
            Ok((key, name)) => good.push(Folder {
                uid,
                parent: uid_of(folder.parent.get()),
                name,
                editable: folder.is_editable.0.unwrap_or(true),
                shared: top,
                key,
            }),
            Err(error) => bad.push(Failed { uid: uid.to_string(), error }),
        }
    }
    (good, bad)
}

/// The topmost folder above one. No folder is passed twice, however deep they are: what is known of one is kept in `tops`. Parents
/// may form a circle; then it is the folder at which the circle was entered.
fn top_of(uid: Uid, tops: &mut HashMap<Uid, Uid>, parent: impl Fn(Uid) -> Option<Uid>) -> Uid {
    let mut way = Vec::new();
    let mut at = uid;
    let top = loop {
        if let Some(top) = tops.get(&at) {
            break *top;
        }
        way.push(at);
        tops.insert(at, at);
        match parent(at) {
            Some(parent) => at = parent,
            None => break at,
        }
    };
    tops.extend(way.into_iter().map(|uid| (uid, top)));
    top
}

fn name_of_folder(folder: &reply::Folder<'_>, key: &Key, uid: Uid) -> Result<String, DecryptError> {
    let failed = |source| DecryptError { uid: Some(uid), rung: Rung::FolderData, source };
    let data = folder.data.get().ok_or_else(|| failed(OpenError::Missing))?;
    let plain = text::decode(data).and_then(|sealed| key.open_cbc(&sealed)).map_err(|error| failed(error.into()))?;
    let named: reply::Named = reply::inner(&plain).ok_or_else(|| failed(OpenError::NotJson))?;
    Ok(named.name.0.unwrap_or_default())
}

fn key(sealed: Option<&str>, outer: &Key, uid: Option<Uid>, rung: Rung) -> Result<Key, DecryptError> {
    let sealed = sealed.ok_or(DecryptError { uid, rung, source: OpenError::Missing })?;
    text::decode(sealed).and_then(|sealed| Key::from_slice(&outer.open(&sealed)?)).map_err(|error| DecryptError {
        uid,
        rung,
        source: error.into(),
    })
}

fn key_cbc(sealed: Option<&str>, outer: &Key, uid: Uid) -> Result<Key, DecryptError> {
    let failed = |source| DecryptError { uid: Some(uid), rung: Rung::FolderKey, source };
    let sealed = sealed.ok_or_else(|| failed(OpenError::Missing))?;
    text::decode(sealed)
        .and_then(|sealed| Key::from_slice(&outer.open_cbc(&sealed)?))
        .map_err(|error| failed(error.into()))
}

/// The 32 bytes that a binding hands over.
pub(crate) fn app_key(sealed: Option<&str>, token: &Key) -> Result<Key, Error> {
    Ok(key(sealed, token, None, Rung::AppKey)?)
}

fn shown(uid: Option<&str>) -> String {
    uid.unwrap_or_default().chars().filter(|c| !c.is_control()).take(64).collect()
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    fn uid(number: u8) -> Uid {
        Uid::from_slice(&[number; 16]).unwrap()
    }

    #[test]
    fn no_folder_is_passed_twice() {
        let asked = Cell::new(0);
        // 200 below 199 below … below 1, the deepest asked first.
        let parent = |below: Uid| {
            asked.set(asked.get() + 1);
            let number = below.as_bytes()[0];
            (number > 1).then(|| uid(number - 1))
        };
        let mut tops = HashMap::new();
        for number in (1..=200).rev() {
            assert_eq!(top_of(uid(number), &mut tops, parent), uid(1));
        }
        assert_eq!(asked.get(), 200);
    }

    #[test]
    fn a_circle_has_one_top() {
        // 3 below 2 below 1 below 2.
        let parent = |below: Uid| Some(if below == uid(2) { uid(1) } else { uid(2) });
        let mut tops = HashMap::new();
        assert_eq!([uid(3), uid(2), uid(1)].map(|one| top_of(one, &mut tops, parent)), [uid(2); 3]);
    }
}
