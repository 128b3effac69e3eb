//! Against `keeper-fake`, which the vendor's own clients accept as the service.

mod common;

use std::sync::Arc;

use common::overheard;
use keeper_fake::faults::{Fault, On};
use keeper_fake::seed::Guide;
use keeper_fake::{Fake, Scheme, World};
use keeper_wire::{Host, Uid, crypto};
use ksm_client::writer::{Job, WriterError, exit_codes};
use ksm_client::{Cause, Client, Config, Content, Error, Event, Filter, NewFile, Notation, Options, Place};
use serde_json::{Value, json};

struct Cloud {
    fake: Fake,
    guide: Guide,
}

impl Cloud {
    async fn start() -> Self {
        let (world, guide) = World::guide();
        Self { fake: Fake::start(world, Scheme::Https).await.unwrap(), guide }
    }

    fn host(&self) -> Host {
        self.fake.address().to_string().parse().unwrap()
    }

    fn options(&self) -> Options {
        let keys = self.fake.world().server_keys();
        let ca = self.fake.ca_pem().unwrap().to_owned();
        common::quick().authority(ca).only_private_authorities().server_keys(keys)
    }

    /// Without a key of its own, so that it can follow the service to another one.
    fn config_of(&self, device: &keeper_fake::seed::Device) -> Config {
        let mut document = device.config(&self.host().to_string());
        document.as_object_mut().unwrap().shift_remove("serverPublicKey");
        Config::parse(&document.to_string()).unwrap()
    }

    fn client(&self) -> Client {
        Client::new(self.config_of(&self.guide.device), self.options()).unwrap()
    }

    fn calls(&self) -> Vec<String> {
        self.fake.world().journal.iter().map(|entry| entry.call.clone()).collect()
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[tokio::test]
async fn the_guides_record_its_files_and_its_notations() {
    let cloud = Cloud::start().await;
    let client = cloud.client();
    let secrets = client.secrets(&Filter::all()).await.unwrap();
    assert!(secrets.failed.is_empty());
    let record = secrets.record(cloud.guide.record).unwrap();
    assert_eq!((record.content.title(), record.files.len()), (cloud.guide.title.as_str(), 3));
    assert_eq!(record.folder, Some(cloud.guide.app.folder));
    for file in &cloud.guide.files {
        let found = record.file(&file.name).unwrap();
        assert_eq!(found.uid, file.uid);
        assert_eq!(client.download(record, found).await.unwrap().as_slice(), file.content);
    }
    for row in cloud.guide.notations() {
        let notation: Notation = row["notation"].as_str().unwrap().parse().unwrap();
        let value = client.value(&notation).await.unwrap();
        match row["value"].as_str() {
            Some(text) => assert_eq!(std::str::from_utf8(&value).unwrap(), text, "{notation}"),
            None => assert_eq!(hex(&crypto::sha256(&value)), row["sha256"], "{notation}"),
        }
    }
}

#[tokio::test]
async fn refused_devices_are_told_apart() {
    let cloud = Cloud::start().await;
    for refused in &cloud.guide.refused {
        let client = Client::new(cloud.config_of(&refused.device), cloud.options()).unwrap();
        let read = client.record(cloud.guide.record).await;
        let (error, cause) = match refused.why {
            "read_only" => {
                read.unwrap();
                let error =
                    client.update_record(cloud.guide.record, |content| content.set_notes("x")).await.unwrap_err();
                assert!(client.upload(cloud.guide.record, &NewFile::new("x", b"y".as_slice())).await.is_err());
                (error, Cause::ReadOnly)
            }
            "expired" => (read.unwrap_err(), Cause::Expired),
            "ip_locked" => (read.unwrap_err(), Cause::IpLocked),
            "revoked" => (read.unwrap_err(), Cause::Revoked),
            other => panic!("{other}"),
        };
        let Error::Refused(refusal) = &error else { panic!("{}: {error}", refused.why) };
        assert_eq!((refusal.cause, refusal.status, refusal.code.as_str()), (cause, 403, "access_denied"), "{error}");
        assert!(!refusal.message.is_empty() && !error.hint().is_empty());
    }
    assert_eq!(cloud.guide.refused.len(), 4);
    // A signature of another key.
    let mut document = cloud.guide.device.config(&cloud.host().to_string());
    let other = keeper_wire::ec::PrivateKey::generate();
    document["privateKey"] = keeper_wire::text::standard(&other.to_pkcs8()).into();
    let client = Client::new(Config::parse(&document.to_string()).unwrap(), cloud.options()).unwrap();
    assert_eq!(client.secrets(&Filter::all()).await.unwrap_err().cause(), Some(Cause::Signature));
    // A version nobody registered.
    let client = Client::new(cloud.config_of(&cloud.guide.device), cloud.options().client_version("xx1.0.0")).unwrap();
    assert_eq!(client.secrets(&Filter::all()).await.unwrap_err().cause(), Some(Cause::ClientVersion));
}

#[tokio::test]
async fn rotation_and_rate_limit() {
    let cloud = Cloud::start().await;
    cloud.fake.world().fault("rotate");
    cloud.fake.world().faults.next(On::DeviceRead, Fault::Throttle { retry_after: 1 });
    let (options, events) = overheard(cloud.options());
    let client = Client::new(cloud.config_of(&cloud.guide.device), options).unwrap();
    client.record(cloud.guide.record).await.unwrap();
    assert_eq!(client.config().server_key_id(), 9);
    let events = events.lock().unwrap();
    assert!(events.iter().any(|event| matches!(event, Event::KeyRotated { from: 10, to: 9 })), "{events:?}");
    assert!(
        events.iter().any(|event| matches!(event, Event::Throttled { wait, .. } if wait.as_secs() == 1)),
        "{events:?}"
    );
}

#[tokio::test]
async fn records_are_made_changed_and_deleted() {
    let cloud = Cloud::start().await;
    let client = cloud.client();
    let folder = cloud.guide.app.folder;
    let mut content = Content::new("login", "New");
    content.set_field(Place::Standard, "login", None, vec![json!("somebody")]);
    let uid = client.create_record(folder, &content).await.unwrap();
    assert_eq!(client.record(uid).await.unwrap().content, content);
    // Somebody is faster once.
    cloud.fake.world().faults.next(On::DeviceWrite, Fault::StaleRevision);
    client.update_record(uid, |content| content.set_title("Newer")).await.unwrap();
    assert_eq!(client.record(uid).await.unwrap().content.title(), "Newer");
    // A lost answer is made good by reading.
    cloud.fake.world().faults.next(On::DeviceWrite, Fault::CutAfter);
    client.update_record(uid, |content| content.set_title("Newest")).await.unwrap();
    let writes = cloud.calls().iter().filter(|call| call.ends_with("update_secret")).count();
    assert_eq!(writes, 3);
    let error = client.delete_records(&[uid, Uid::random()]).await.unwrap_err();
    assert!(matches!(&error, Error::Items { failed, asked: 2 } if failed.len() == 1), "{error}");
    assert!(matches!(client.record(uid).await, Err(Error::NotFound { .. })));
    for fault in [Fault::CutBefore, Fault::CutAfter] {
        cloud.fake.world().faults.next(On::DeviceWrite, fault);
        let uid = client.create_record(folder, &content).await.unwrap();
        let all = client.secrets(&Filter::all()).await.unwrap();
        assert_eq!(all.records.iter().filter(|record| record.content.title() == "New").count(), 1);
        client.delete_records(&[uid]).await.unwrap();
    }
}

#[tokio::test]
async fn folders_are_made_renamed_and_deleted_and_records_in_them() {
    let cloud = Cloud::start().await;
    let client = cloud.client();
    let top = cloud.guide.app.folder;
    let child = client.create_folder(top, "Child").await.unwrap();
    let grandchild = client.create_folder(child, "Grandchild").await.unwrap();
    client.rename_folder(child, "Renamed").await.unwrap();
    let folders = client.folders().await.unwrap();
    assert!(folders.failed.is_empty(), "{folders:?}");
    let found = |uid: Uid| folders.folder(uid).unwrap().clone();
    assert_eq!((found(child).name.as_str(), found(child).parent), ("Renamed", Some(top)));
    assert_eq!((found(grandchild).name.as_str(), found(grandchild).shared), ("Grandchild", top));
    let record = client.create_record(grandchild, &Content::new("login", "Deep")).await.unwrap();
    assert_eq!(client.record(record).await.unwrap().content.title(), "Deep");
    let error = client.delete_folders(&[child], false).await;
    assert!(matches!(error, Err(Error::Items { .. } | Error::Refused(_))), "{error:?}");
    client.delete_folders(&[child], true).await.unwrap();
    assert!(matches!(client.folders().await.unwrap().folder(child), Err(Error::NotFound { .. })));
}

#[tokio::test]
async fn tokens_are_bound_once() {
    let cloud = Cloud::start().await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("client-config.json");
    let token = &cloud.guide.tokens[0];
    let client = Client::bind(token, Some(cloud.host()), &path, cloud.options()).await.unwrap();
    client.record(cloud.guide.record).await.unwrap();
    assert!(client.config().has_owner_key());
    Client::open(&path, cloud.options()).unwrap().record(cloud.guide.record).await.unwrap();
    // The same token for another device.
    let second =
        Client::bind(token, Some(cloud.host()), folder.path().join("other.json"), cloud.options()).await.unwrap_err();
    assert!(matches!(second, Error::HalfBound { .. }) && second.cause() == Some(Cause::Token), "{second:?}");
    // Cut at each request: completed by the same call, or named.
    for (number, (fault, at)) in
        [(Fault::CutBefore, 0), (Fault::CutAfter, 0), (Fault::CutBefore, 1), (Fault::CutAfter, 1)]
            .into_iter()
            .enumerate()
    {
        let path = folder.path().join(format!("{number}.json"));
        let token = &cloud.guide.tokens[number + 1];
        cloud.fake.world().faults.nth(at, On::Device, fault);
        let first = Client::bind(token, Some(cloud.host()), &path, cloud.options()).await;
        assert!(first.is_ok() || matches!(first, Err(Error::HalfBound { .. })), "{first:?}");
        let key = ksm_client::ConfigFile::open(&path).unwrap().1.public_key();
        match Client::bind(token, Some(cloud.host()), &path, cloud.options()).await {
            Ok(client) => drop(client.record(cloud.guide.record).await.unwrap()),
            Err(error) => assert!(matches!(error, Error::HalfBound { .. }) && !error.hint().is_empty(), "{error}"),
        }
        assert_eq!(ksm_client::ConfigFile::open(&path).unwrap().1.public_key(), key);
        cloud.fake.world().faults.clear();
    }
}

#[tokio::test]
async fn a_replacement_survives_a_cut_at_every_request() {
    const NAME: &str = "ssl-certificate.pfx";
    let new = NewFile::new(NAME, vec![7; 5_000]);
    let length = {
        let cloud = Cloud::start().await;
        cloud.client().replace_file(cloud.guide.record, &new).await.unwrap();
        u64::try_from(cloud.fake.world().journal.len()).unwrap()
    };
    for fault in [Fault::CutBefore, Fault::CutAfter, Fault::MissingUrl, Fault::StaleRevision, Fault::Html502] {
        for at in 0..length {
            let what = format!("{fault:?} at {at} of {length}");
            let cloud = Cloud::start().await;
            cloud.fake.world().faults.nth(at, On::Any, fault.clone());
            // Whether it succeeded or not, the same call again ends with one.
            let _ = cloud.client().replace_file(cloud.guide.record, &new).await;
            cloud.fake.world().faults.clear();
            let client = cloud.client();
            let done =
                client.replace_file(cloud.guide.record, &new).await.unwrap_or_else(|error| panic!("{what}: {error}"));
            let record = client.record(cloud.guide.record).await.unwrap();
            assert_eq!(record.files.len(), 3, "{what}");
            assert_eq!(record.file(NAME).unwrap().uid, done.uid, "{what}");
            assert_eq!(client.download(&record, record.file(NAME).unwrap()).await.unwrap(), new.content, "{what}");
        }
    }
}

#[tokio::test]
async fn one_client_reads_and_writes_from_many_tasks() {
    let cloud = Arc::new(Cloud::start().await);
    let client = cloud.client();
    let tasks: Vec<_> = (0..12)
        .map(|number| {
            let (client, cloud) = (client.clone(), cloud.clone());
            tokio::spawn(async move {
                let name = format!("file-{number}.txt");
                if number % 4 == 0 {
                    client.upload(cloud.guide.record, &NewFile::new(name, vec![number; 100])).await.map(|_| ())
                } else {
                    client.value(&Notation::file(cloud.guide.record.to_string(), "keeper.properties")).await.map(|_| ())
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap().unwrap();
    }
    assert_eq!(client.record(cloud.guide.record).await.unwrap().files.len(), 6);
}

fn variables(cloud: &Cloud, ca: &std::path::Path, more: &[(&str, String)]) -> Vec<(String, String)> {
    let config = cloud.guide.device.config(&cloud.host().to_string()).to_string();
    let mut all = vec![
        ("KSM_CONFIG".to_owned(), keeper_wire::text::standard(config.as_bytes())),
        ("KSM_CA_FILE".to_owned(), ca.to_str().unwrap().to_owned()),
    ];
    all.extend(more.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
    all
}

async fn write(all: &[(String, String)]) -> Result<Vec<std::path::PathBuf>, WriterError> {
    let (client, job) =
        Job::from_variables(|name| all.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone()))?;
    job.run(&client).await.map(|report| report.files)
}

#[tokio::test]
async fn the_writer_writes_everything_or_nothing() {
    use std::os::unix::fs::PermissionsExt;

    let cloud = Cloud::start().await;
    let folder = tempfile::tempdir().unwrap();
    let ca = folder.path().join("ca.pem");
    std::fs::write(&ca, cloud.fake.ca_pem().unwrap()).unwrap();
    let at = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (uid, title) = (cloud.guide.record, &cloud.guide.title);
    let secrets = format!(
        "{uid}/file/ssl-certificate.pfx > file:{}\n{uid}/file/keeper.properties > file:{}\n{title}/field/login > LOGIN\n{uid}/custom_field/Host\\/Port \\[public\\] > HOST\n",
        at("config/it's.pfx"),
        at("settings/keeper.properties"),
    );
    let all = variables(
        &cloud,
        &ca,
        &[
            ("SECRETS", secrets.clone()),
            ("SECRETS_FILE", at("values")),
            ("SECRETS_FILE_TYPE", "export".to_owned()),
            ("CLEANUP_FILE", at("cleanup.sh")),
            ("FILE_MODE", "0640".to_owned()),
        ],
    );
    let files = write(&all).await.unwrap();
    assert_eq!(files.len(), 4);
    assert_eq!(std::fs::read(at("config/it's.pfx")).unwrap(), cloud.guide.files[0].content);
    assert_eq!(std::fs::read(at("settings/keeper.properties")).unwrap(), cloud.guide.files[2].content);
    assert_eq!(
        std::fs::read_to_string(at("values")).unwrap(),
        "export LOGIN='automator'\nexport HOST='automator.example.com:443'\n"
    );
    let mode = |name: &str| std::fs::metadata(at(name)).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode("config/it's.pfx"), mode("config"), mode("cleanup.sh")), (0o640, 0o700, 0o740));
    // Again, over what is there; then the script takes it all away.
    write(&all).await.unwrap();
    assert!(std::process::Command::new("sh").arg(at("cleanup.sh")).status().unwrap().success());
    let left: Vec<_> = ["config/it's.pfx", "settings/keeper.properties", "values", "cleanup.sh"]
        .into_iter()
        .filter(|name| std::path::Path::new(&at(name)).exists())
        .collect();
    assert!(left.is_empty(), "{left:?}");

    for (line, code) in [
        (format!("{uid}/file/absent > file:{}", at("x")), exit_codes::NOT_RESOLVED),
        (format!("{uid}/field/absent > file:{}", at("x")), exit_codes::NOT_RESOLVED),
        (format!("Absent/field/login > file:{}", at("x")), exit_codes::NOT_RESOLVED),
        (format!("{uid}/file/ssl-certificate.pfx > BINARY"), exit_codes::NOT_RESOLVED),
        (format!("{uid}/field/login > file:{}", at("new/y")), exit_codes::USAGE), // twice
        ("no entry".to_owned(), exit_codes::USAGE),
        (format!("{uid}/field/login > file:{}", at("config")), exit_codes::NOT_WRITTEN),
    ] {
        let text = format!("{uid}/field/login > file:{}\n{line}", at("new/y"));
        let all = variables(&cloud, &ca, &[("SECRETS", text), ("SECRETS_FILE", at("values"))]);
        let error = write(&all).await.unwrap_err();
        assert_eq!(error.exit_code(), code, "{line}: {error:?}");
        assert!(!std::path::Path::new(&at("new/y")).exists(), "{line}");
    }

    // Refused, and not to be reached.
    let refused = cloud.guide.refused.iter().find(|refused| refused.why == "expired").unwrap();
    let mut all = variables(&cloud, &ca, &[("SECRETS", format!("{uid}/title > file:{}", at("x")))]);
    all[0].1 = refused.device.config(&cloud.host().to_string()).to_string();
    assert_eq!(write(&all).await.unwrap_err().exit_code(), exit_codes::REFUSED);
    all.push(("KSM_HOSTNAME".to_owned(), "127.0.0.1:1".to_owned()));
    assert_eq!(write(&all).await.unwrap_err().exit_code(), exit_codes::UNAVAILABLE);
    all.push(("KSM_SKIP_VERIFY".to_owned(), "TRUE".to_owned()));
    let error = write(&all).await.unwrap_err();
    assert!(error.exit_code() == exit_codes::USAGE && error.hint().contains("KSM_CA_FILE"), "{error}");
}

/// The program itself, in an environment with nothing but its variables.
#[tokio::test(flavor = "multi_thread")]
async fn the_program_says_what_it_did_and_why_not() {
    let cloud = Cloud::start().await;
    let folder = tempfile::tempdir().unwrap();
    let ca = folder.path().join("ca.pem");
    std::fs::write(&ca, cloud.fake.ca_pem().unwrap()).unwrap();
    let target = folder.path().join("keeper.properties");
    let run = |variables: Vec<(String, String)>, arguments: &[&str]| {
        std::process::Command::new(env!("CARGO_BIN_EXE_ksm-writer"))
            .env_clear()
            .envs(variables)
            .args(arguments)
            .output()
            .unwrap()
    };
    let uid = cloud.guide.record;
    let entry = |name: &str| format!("{uid}/file/{name} > file:{}", target.display());
    let good = variables(&cloud, &ca, &[("SECRETS", entry("keeper.properties"))]);
    let output = run(good.clone(), &[]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!((output.status.code(), output.stdout.len()), (Some(0), 0), "{said}");
    assert_eq!(said, format!("wrote {}\n", target.display()));
    assert_eq!(std::fs::read(&target).unwrap(), cloud.guide.files[2].content);

    let output = run(variables(&cloud, &ca, &[("SECRETS", entry("absent"))]), &[]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(5), "{said}");
    assert!(said.contains("failed to resolve") && said.contains("hint: "), "{said}");
    assert_eq!(run(Vec::new(), &[]).status.code(), Some(2));
    assert_eq!(run(good, &["--surplus"]).status.code(), Some(2));
    let help = String::from_utf8(run(Vec::new(), &["--help"]).stdout).unwrap();
    for word in ["KSM_CONFIG", "SECRETS_FILE_TYPE", ksm_client::CLIENT_VERSION, "Exit codes", "vendor's Rust SDK"] {
        assert!(help.contains(word), "{word}");
    }
    let seen: Value = serde_json::to_value(cloud.calls()).unwrap();
    assert!(seen.as_array().unwrap().iter().any(|call| call.as_str().unwrap().ends_with("get_secret")));
}
