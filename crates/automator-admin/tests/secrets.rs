//! No value, error, event or trace-level log line shows a secret.

mod common;

use std::collections::BTreeSet;
use std::fmt::Debug;
use std::io::Write;
use std::sync::{Arc, Mutex};

use automator_admin::automator::{self, Wanted};
use automator_admin::config::{Config, ConfigFile, ConfigMemory, ConfigStore};
use automator_admin::login::{Prompter, Question, SecondFactor};
use automator_admin::vault::{application, attachment, device, folder, record, share};
use automator_admin::{Error, Login};
use common::{HOST, Stage, TITLE, apply, files, options, undo};
use keeper_fake::admin::{Calls, Scripted};
use keeper_fake::faults::{Fault, On};
use keeper_wire::ec::PrivateKey;
use keeper_wire::text;
use secrecy::SecretString;
use tracing_subscriber::fmt::MakeWriter;
use zeroize::Zeroizing;

const MARKER: &str = "marker-of-a-secret-that-nobody-may-see";

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Lines {
    type Writer = Self;
    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

impl Lines {
    fn value(&mut self, value: &dyn Debug) {
        writeln!(self, "{value:?} {value:#?}").unwrap();
    }

    fn error(&mut self, error: Error) {
        writeln!(self, "{error} {:?} {:?} {} {error:?}", error.hint(), error.server_text(), error.code()).unwrap();
        let mut source = std::error::Error::source(&error);
        while let Some(cause) = source {
            writeln!(self, "{cause} {cause:?}").unwrap();
            source = cause.source();
        }
    }
}

/// Knows the password.
struct Person;

impl Prompter for Person {
    fn answer(&self, question: &Question) -> Option<SecretString> {
        matches!(question, Question::Password { .. }).then(|| MARKER.into())
    }
}

/// Every text that the fake keeps and that is long enough to be a key, a token or a sealed thing. Public keys and the client ids
/// of devices are left out, because both are meant to be seen.
fn kept(value: &serde_json::Value, name: &str, found: &mut BTreeSet<String>) {
    use serde_json::Value;
    let public = ["public_key", "client_id", "url", "name", "message", "call", "username"];
    match value {
        Value::String(text) if text.len() >= 40 && !text.contains([' ', '/']) && !public.contains(&name) => {
            // P-256 points begin with 4.
            let point = text::decode(text).is_ok_and(|bytes| bytes.len() == 65 && bytes[0] == 4);
            if !point {
                found.insert(text.clone());
            }
        }
        Value::Array(several) => several.iter().for_each(|value| kept(value, name, found)),
        Value::Object(members) => members.iter().for_each(|(name, value)| kept(value, name, found)),
        _ => {}
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_that_is_shown_or_logged_holds_a_secret() {
    let mut lines = Lines::default();
    let subscriber =
        tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_writer(lines.clone()).finish();
    tracing::subscriber::set_global_default(subscriber).unwrap();
    let stage = Stage::with_service().await;
    let mut secrets = BTreeSet::from([MARKER.to_owned()]);
    stage.fake.world().admin.account.password = MARKER.into();

    // Signing in: configuration, options, a wrong password, the right one, resuming.
    let mut json: serde_json::Value = serde_json::from_slice(&stage.config.config().to_json()).unwrap();
    json["clone_code"] = text::url(MARKER.as_bytes()).into();
    json["password"] = format!("wrong {MARKER}").into();
    json["private"] = MARKER.into();
    let config = ConfigMemory::new(Config::parse(json.to_string().as_bytes()).unwrap());
    lines.value(&config.config());
    lines.value(&config);
    lines.value(&config.lock().unwrap());
    let proxied = options(&stage.fake).proxy(format!("http://user:{MARKER}@127.0.0.1:9").into());
    lines.value(&proxied);
    let login = Login::new(config.clone()).options(proxied).second_factor(SecondFactor::Secret(MARKER.into()));
    lines.value(&login);
    lines.error(login.sign_in().await.unwrap_err());
    lines.error(Login::new(config.clone()).options(stage.options()).sign_in().await.unwrap_err());
    let session = Login::new(config).options(stage.options()).prompter(Person).sign_in().await.unwrap();
    lines.value(&session);
    lines.value(&session.whoami().await.unwrap());
    session.stay_signed_in(60).await.unwrap();
    lines.error(Config::parse(format!("{{\"private_key\":\"{MARKER}!\"}}").as_bytes()).unwrap_err().into());
    lines.error(Config::parse(MARKER.as_bytes()).unwrap_err().into());
    lines.error(Login::new(ConfigFile::at("/nowhere/at/all.json")).sign_in().await.unwrap_err());

    // Everything there is.
    let node = stage.nodes.sso.0;
    apply(&session, &stage.marker, &stage.token, node).await.unwrap();
    kept(&serde_json::to_value(&*stage.fake.world()).unwrap(), "", &mut secrets);
    secrets.insert(stage.token.expose_text().to_string());
    assert!(secrets.len() > 20, "{}", secrets.len());
    let account = session.account().await.unwrap();
    let enterprise = session.enterprise().await.unwrap();
    lines.value(&account);
    lines.value(&account.preflight(Some(&enterprise)));
    lines.value(&enterprise);
    lines.value(&enterprise.keys(false).unwrap());
    let vault = session.vault().await.unwrap();
    let folder = folder::owned(&vault, &stage.marker).remove(0);
    let record = record::owned(&vault, &stage.marker).remove(0);
    let application = application::owned(&vault, &stage.marker).remove(0);
    let attached = attachment::list(&vault, record.uid);
    lines.value(&(&vault, &folder, &record, &application, &attached, &stage.marker));
    lines.value(&serde_json::to_string(&(&folder, &record, &application, &attached)).unwrap());
    let file = attachment::NewFile { name: "new".to_owned(), bytes: Zeroizing::new(MARKER.as_bytes().to_vec()) };
    lines.value(&file);
    lines.value(&attachment::put(&session, record.uid, &[file], &[]).await.unwrap());
    lines.value(&share::list(&session, &application).await.unwrap());
    lines.value(&device::list(&session, &application).await.unwrap());
    let mut wanted = Wanted::new(node, "automator", HOST);
    wanted.settings.push(("ssl_mode".to_owned(), MARKER.into()));
    lines.value(&wanted);
    let found = automator::find(&session, node, "automator").await.unwrap();
    lines.value(&automator::plan(found.as_ref(), &wanted).unwrap());
    automator::apply(&session, &wanted, &|_| true).await.unwrap();
    lines.value(&automator::list(&session).await.unwrap());
    lines.value(&automator::log(&session, found.unwrap().id).await.unwrap());

    // What goes wrong: on the way, at the store, by refusal, by an expired session.
    let faults = [
        (On::Any, Fault::CutBefore),
        (On::Any, Fault::CutAfter),
        (On::Upload, Fault::CutAfter),
        (On::Any, Fault::Html502),
        (On::Any, Fault::Http500),
        (On::Admin, Fault::Throttle { retry_after: 1 }),
    ];
    for (on, fault) in faults {
        for before in 0..6 {
            stage.fake.world().faults.nth(before, on, fault.clone());
            if let Err(error) = attachment::put(&session, record.uid, &files("two"), &[]).await {
                lines.error(error);
            }
            stage.fake.world().faults.clear();
        }
    }
    let denied = Scripted::Error { status: 403, error: "access_denied".to_owned(), message: "no".to_owned() };
    stage.fake.world().admin.script(Calls::Named("vault/app_client_add".to_owned()), 1, denied);
    let token = keeper_wire::OneTimeToken::random();
    secrets.insert(token.expose_text().to_string());
    lines.error(device::create(&session, &application, "two", &token).await.unwrap_err());
    lines.error(folder::create(&session, TITLE, &automator_admin::vault::Marker::new("green")).await.unwrap_err());
    stage.fake.world().admin.account.end_sessions();
    session.look_again();
    session.vault().await.unwrap();
    kept(&serde_json::to_value(&*stage.fake.world()).unwrap(), "", &mut secrets);
    undo(&session, &stage.marker, node).await.unwrap();
    lines.value(&PrivateKey::generate());

    let shown = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
    assert!(shown.contains("DEBUG") && shown.contains("sync_down"), "the log was not seen");
    for secret in secrets {
        for form in forms(&secret) {
            let at = shown.find(&form);
            assert!(at.is_none(), "{form} in: {}", &shown[at.unwrap().saturating_sub(200)..at.unwrap() + form.len()]);
        }
    }
}

/// How a secret could be told: its beginning as text, and its bytes in base64, hexadecimal and as a list of numbers.
fn forms(secret: &str) -> Vec<String> {
    let bytes = text::decode(secret).map_or_else(|_| secret.as_bytes().to_vec(), |bytes| bytes.to_vec());
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let list = |bytes: &[u8]| format!("{bytes:?}").trim_matches(['[', ']']).to_owned();
    let mut forms = vec![secret[..32].to_owned()];
    for bytes in [&bytes[..16], &secret.as_bytes()[..16]] {
        forms.extend([
            text::standard(&bytes[..15]),
            text::url(&bytes[..15]),
            hex(bytes),
            hex(bytes).to_uppercase(),
            list(bytes),
        ]);
    }
    forms
}
