//! No `Debug`, message, event or log line shows a secret, those of the HTTP library included, at trace level.
//!
//! One test in a process of its own, because loggers are global.

mod common;

use std::fmt::Debug;
use std::io::Write;
use std::sync::{Arc, Mutex};

use common::overheard;
use common::scripted::{Do, Scripted, Seen};
use keeper_wire::crypto::Key;
use keeper_wire::{OneTimeToken, Uid, text};
use ksm_client::writer::{self, Job, Report};
use ksm_client::{
    Cache, Client, Config, ConfigFile, Content, Error, Filter, NewFile, Notation, Options, Place, Replaced, Secret,
};
use serde_json::{Value, json};

const MARKER: &str = "marker-of-a-secret";

#[derive(Clone, Default)]
struct Heard(Arc<Mutex<Vec<u8>>>);

impl Heard {
    fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap()).into_owned()
    }
}

impl Write for Heard {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Libraries below speak to `log`.
impl log::Log for Heard {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }
    fn log(&self, record: &log::Record<'_>) {
        let _ = writeln!(self.clone(), "{} {}", record.target(), record.args());
    }
    fn flush(&self) {}
}

/// Texts that must be nowhere.
struct Forbidden(Vec<String>);

impl Forbidden {
    fn check(&self, what: &str, text: &str) {
        for secret in &self.0 {
            assert!(!text.contains(secret.as_str()), "{what} shows {secret}: {text}");
        }
    }

    fn debug(&self, value: &dyn Debug) {
        self.check("Debug", &format!("{value:?} {value:#?}"));
    }

    fn error(&self, error: &Error) {
        let mut text = format!("{error} {error:?} {}", error.hint());
        let mut cause = std::error::Error::source(error);
        while let Some(source) = cause {
            text.push_str(&format!(" {source} {source:?}"));
            cause = source.source();
        }
        self.check("an error", &text);
    }
}

/// One record with one file, whose address is a credential.
fn everything(port: u16, app_key: &Key, uid: Uid, broken: bool) -> Value {
    let (record_key, file_key) = (Key::random(), Key::from_slice(&[8; 32]).unwrap());
    let content = json!({
        "type": "login", "title": "a title", "notes": MARKER,
        "fields": [{ "type": "password", "value": [MARKER] }, { "type": "name", "value": [{ "first": MARKER }] }],
        "custom": [{ "type": "secret", "label": "pin", "value": [MARKER] }],
    });
    let data =
        if broken { "AAAA".to_owned() } else { text::standard(&record_key.seal(content.to_string().as_bytes())) };
    let described = json!({ "name": "a.pfx", "title": "a.pfx", "size": MARKER.len() });
    json!({ "records": [{
        "recordUid": uid, "recordKey": text::standard(&app_key.seal(record_key.expose())), "revision": 1, "data": data,
        "files": [{
            "fileUid": Uid::from_slice(&[2; 16]).unwrap(), "fileKey": text::standard(&record_key.seal(file_key.expose())),
            "data": text::standard(&file_key.seal(described.to_string().as_bytes())),
            "url": format!("https://127.0.0.1:{port}/{MARKER}?signature={MARKER}"),
        }],
    }] })
}

/// A folder that opens, and one that does not.
fn folders(app_key: &Key) -> Value {
    let key = folder_key();
    let folder = |uid: Uid, data: String| json!({ "folderUid": uid, "folderKey": text::standard(&app_key.seal(key.expose())), "data": data });
    let [good, bad] = [3, 4].map(|byte| Uid::from_slice(&[byte; 16]).unwrap());
    let named = key.seal_cbc(json!({ "name": "Automator" }).to_string().as_bytes());
    json!({ "folders": [folder(good, text::standard(&named)), folder(bad, "AAAA".to_owned())] })
}

fn folder_key() -> Key {
    Key::from_slice(&[0x5a; 32]).unwrap()
}

#[tokio::test]
async fn nothing_shows_a_secret() {
    let heard = Heard::default();
    let writer = heard.clone();
    let subscriber =
        tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_writer(move || writer.clone()).finish();
    tracing::subscriber::set_global_default(subscriber).unwrap();
    log::set_boxed_logger(Box::new(heard.clone())).unwrap();
    log::set_max_level(log::LevelFilter::Trace);

    let uid = Uid::from_slice(&[1; 16]).unwrap();
    let app_key = Arc::new(Mutex::new(None::<(u16, Key)>));
    let known = app_key.clone();
    let script = move |index: usize, seen: &Seen| {
        let (port, app_key) = known.lock().unwrap().clone().unwrap();
        match (seen.path.rsplit('/').next().unwrap(), index) {
            ("get_secret", 0) => Do::Plain(403, r#"{"error":"throttled","retry_after":0.001}"#, vec![]),
            ("get_secret", 1) => Do::Plain(401, r#"{"error":"key","key_id":9}"#, vec![]),
            ("get_secret", 2) => Do::Cut,
            ("get_secret", 3) => Do::Seal(everything(port, &app_key, uid, true)),
            ("get_secret", _) => Do::Seal(everything(port, &app_key, uid, false)),
            ("get_folders", _) => Do::Seal(folders(&app_key)),
            ("add_file", _) => Do::Seal(json!({
                "url": format!("https://127.0.0.1:{port}/{MARKER}/form"),
                "parameters": json!({ "policy": MARKER }).to_string(), "successStatusCode": 201,
            })),
            ("update_secret", _) => Do::Plain(403, r#"{"error":"access_denied","message":"read-only"}"#, vec![]),
            ("form", _) => Do::Plain(403, MARKER, vec![]),
            // A redirect to a place that tells a secret as well.
            _ if index.is_multiple_of(2) => Do::Plain(302, "", vec![("Location", format!("/{MARKER}/elsewhere"))]),
            _ => Do::Plain(404, MARKER, vec![]),
        }
    };
    let service = Scripted::start(script).await;
    *app_key.lock().unwrap() = Some((service.port, service.app_key.clone()));
    let document = service.document();
    let field = |name: &str| document[name].as_str().unwrap().to_owned();
    let forbidden = Forbidden(vec![
        MARKER.to_owned(),
        text::standard(MARKER.as_bytes()),
        field("appKey"),
        field("privateKey")[48..80].to_owned(),
        text::url(service.app_key.expose()),
        text::standard(folder_key().expose()),
        text::url(folder_key().expose()),
        "90, 90, 90, 90".to_owned(),
        format!("{:?}", &service.app_key.expose()[..8]).trim_matches(['[', ']']).to_owned(),
    ]);

    let (options, events) = overheard(service.options());
    let client = Client::new(service.config(), options.clone()).unwrap();
    let broken = client.secrets(&Filter::all()).await.unwrap();
    assert_eq!((broken.records.len(), broken.failed.len()), (0, 1));
    forbidden.error(&broken.record(uid).unwrap_err());
    forbidden.debug(&broken);
    let record = client.record(uid).await.unwrap();
    assert_eq!(record.content.notes(), MARKER);
    let file = record.file("a.pfx").unwrap();
    let folders = client.folders().await.unwrap();
    assert_eq!((folders.folders.len(), folders.failed.len()), (1, 1));
    forbidden.error(&folders.folder(Uid::from_slice(&[4; 16]).unwrap()).unwrap_err());
    let new = NewFile::new("b.pfx", MARKER.as_bytes());
    let notation: Notation = format!("{uid}/field/password").parse().unwrap();
    assert_eq!(client.value(&notation).await.unwrap().as_slice(), MARKER.as_bytes());
    let errors = [
        client.download(&record, file).await.unwrap_err(),
        client.upload(uid, &new).await.unwrap_err(),
        client.replace_file(uid, &new).await.unwrap_err(),
        client.update_record(uid, |content| content.set_notes("x")).await.unwrap_err(),
        client.create_record(uid, &Content::new("login", "x")).await.unwrap_err(),
        client.value(&format!("{uid}/field/name[0][last]").parse().unwrap()).await.unwrap_err(),
    ];
    for error in &errors {
        forbidden.error(error);
    }
    for event in events.lock().unwrap().iter() {
        forbidden.check("an event", &format!("{event} {event:?}"));
    }
    assert!(events.lock().unwrap().len() >= 3);

    let config = service.config();
    let token: OneTimeToken = format!("EU:{}", text::url(service.app_key.expose())).parse().unwrap();
    let half = Config::from_token(&token, None).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config.json");
    let kept = ConfigFile::create(&path, &config).unwrap();
    let cache = Cache::new(folder.path().join("cache"));
    let cached = client.secrets_or_cached(&Filter::all(), &cache, std::time::Duration::ZERO).await.unwrap();
    let stored = std::fs::read(cache.path()).unwrap();
    assert!(!stored.windows(MARKER.len()).any(|part| part == MARKER.as_bytes()));
    let entries = writer::parse(&format!("{uid}/field/password > file:/x")).unwrap();
    let variables = |name: &str| match name {
        "KSM_CONFIG" => Some(config.expose_base64().to_string()),
        "SECRETS" => Some(format!("{uid}/notes > file:/x")),
        _ => None,
    };
    let values: Vec<Box<dyn Debug>> = vec![
        Box::new(config.clone()),
        Box::new(half),
        Box::new(kept),
        Box::new(token),
        Box::new(client.clone()),
        Box::new(options.proxy(format!("http://u:{MARKER}@127.0.0.1:1").into()).authority(MARKER)),
        Box::new(Options::new()),
        Box::new(record.clone()),
        Box::new(record.content.clone()),
        Box::new(file.clone()),
        Box::new(new),
        Box::new(Secret::new(json!({ "x": MARKER }))),
        Box::new(cached),
        Box::new(cache),
        Box::new(folders.folders[0].clone()),
        Box::new(folders),
        Box::new(Filter::all()),
        Box::new(entries.clone()),
        Box::new(Report { files: vec!["/x".into()] }),
        Box::new(Replaced { uid, uploaded: true, removed: vec![uid] }),
        Box::new(Job::new(entries).unwrap()),
        Box::new(Job::from_variables(variables).unwrap()),
    ];
    for value in &values {
        forbidden.debug(value.as_ref());
    }
    forbidden.debug(&record.content.field(Place::Standard, "password").unwrap());
    forbidden.debug(&notation.resolve(&record).unwrap());

    let lines = heard.text();
    for part in ["reqwest", "hyper_util", "ksm_client"] {
        assert!(lines.contains(part), "nothing was heard of {part}");
    }
    forbidden.check("the log", &lines);
    // The same look would find it, were it there.
    assert!(std::panic::catch_unwind(|| forbidden.debug(&record.content.notes())).is_err());
}
