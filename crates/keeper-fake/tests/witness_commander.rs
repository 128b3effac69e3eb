//! The vendor's own client, Keeper Commander 18.1.8, unchanged, against a running fake. What counts is what the fake then
//! holds and what `--format=json` prints; exit codes of Commander say nothing.
//!
//! A witness that is not there is skipped and says so; with `REQUIRE_WITNESSES=all` it fails instead.

mod commander;

use commander::{Bench, Checks};
use keeper_fake::admin::{Calls, Handed, Scripted};
use keeper_fake::vault::FolderKind;
use keeper_fake::{Responder, Scheme};
use keeper_wire::crypto::Key;
use keeper_wire::messages::automator::{AutomatorState, SkillType};
use keeper_wire::{Uid, text};
use serde_json::{Value, json};

const HOST: &str = "automator.example.com";

#[tokio::test(flavor = "multi_thread")]
async fn an_automator_from_create_to_delete() {
    let Some(bench) = Bench::start(Scheme::Https).await else { return };
    let mut checks = Checks::new("automator, https, clone code");
    let mut contacts = bench.fake.world().contacts.clone();
    let responder = Responder::at(HOST, &mut contacts).await.unwrap();
    bench.fake.world().contacts = contacts;
    let code = bench.clone_code();

    let printed = bench
        .run(&[
            "automator list --format=json",
            "automator create --name=Fake --node=\"Azure Cloud\"",
            "automator create --name=Plain --node=\"Branch Office\"",
            "automator create --name=Twin --node=Twins",
            "automator edit --url=automator.example.com/ --skill=team --skill=device --set=\"Disable SNI Check=on\" Fake",
            "automator list --format=json",
        ])
        .await;
    checks.same("no automator at first", &printed.json(0), &json!([]));
    checks.that("the clone code was replaced in the file", bench.clone_code() != code);
    let listed = printed.json(5);
    checks.same(
        "one automator, not one on a node without SSO or with a name of two",
        &listed.as_array().map(Vec::len),
        &Some(1),
    );
    checks.same("its URL got a scheme and lost its slash", &listed[0]["url"], &json!("https://automator.example.com"));
    checks.same("its skills", &listed[0]["skills"], &json!(["Team Approval", "Device Approval"]));
    checks.same("it is on the node that was named", &listed[0]["node_id"], &json!(bench.nodes.sso.0));
    checks.same("and is off", &listed[0]["enabled"], &json!(false));
    let one = |bench: &Bench| {
        let world = bench.fake.world();
        let automator = world.admin.automators().next().unwrap();
        (automator.state, automator.keys, automator.enabled, automator.skills.clone())
    };
    let (state, keys, ..) = one(&bench);
    checks.same("it waits for the key exchange", &state, &AutomatorState::NeedsCryptoStep1);
    checks.same("it holds no key", &keys, &Handed::default());

    bench.run(&["automator setup Fake"]).await;
    let (state, keys, ..) = one(&bench);
    checks.same("the service was called once", &responder.calls(), &1);
    checks.same("all three keys arrived and were opened", &keys, &Handed { ec: true, rsa: true, tree: true });
    checks.same("it waits for the initialisation", &state, &AutomatorState::NeedsInitialization);

    bench.run(&["automator init Fake", "automator enable Fake"]).await;
    let (state, _, enabled, skills) = one(&bench);
    checks.same("the service was called again", &responder.calls(), &2);
    checks.same("it runs", &state, &AutomatorState::Running);
    checks.that("it is on", enabled);
    checks.same("the skills of the fake", &skills, &vec![SkillType::TeamApproval, SkillType::DeviceApproval]);

    let printed = bench.run(&["automator view Fake", "automator log Fake", "automator list --format=json"]).await;
    checks.that("view tells that it was initialized", printed.told.contains("Initialized: Yes"));
    checks.that("view tells the changed setting", printed.told.contains("disable_sni_check=true"));
    checks.that("log tells of the keys", printed.told.contains("keys received"));
    checks.same("listed as on", &printed.json(2)[0]["enabled"], &json!(true));

    bench.run(&["automator disable Fake"]).await;
    checks.that("disable switches off", !one(&bench).2);
    bench.run(&["automator reset Fake", "automator log-clear Fake"]).await;
    checks.same("reset forgets the keys", &one(&bench).1, &Handed::default());
    let printed = bench.run(&["automator delete Fake", "automator list --format=json"]).await;
    checks.same("none is left", &printed.json(1), &json!([]));
    checks.same("none is left in the fake", &bench.fake.world().admin.automators().count(), &0);
    bench.nothing_unknown(&mut checks);
    checks.done();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_automator_that_cannot_be_reached_or_is_refused() {
    let Some(bench) = Bench::start(Scheme::Http).await else { return };
    let mut checks = Checks::new("automator, http, refusals");
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let edit = format!("automator edit --url=https://{closed} Fake");
    let printed =
        bench.run(&["automator create --name=Fake --node=\"Azure Cloud\"", &edit, "automator setup Fake"]).await;
    checks.that("step 1 fails with the text of the back end", printed.told.contains("setup step #1 error"));
    checks.that("which says why", printed.told.contains("connection refused"));
    let state = bench.fake.world().admin.automators().next().unwrap().state;
    checks.same("and leaves the state alone", &state, &AutomatorState::NeedsCryptoStep1);

    bench.fake.world().admin.script(Calls::AutomatorWrites, 1, Scripted::Failed { message: "not today".to_owned() });
    let printed = bench.run(&["automator enable Fake", "automator list --format=json"]).await;
    checks.that("a scripted refusal is told", printed.told.contains("not today"));
    checks.same("and has no effect", &printed.json(1)[0]["enabled"], &json!(false));

    bench.fake.world().admin.account.rules.administrator = false;
    let printed = bench.run(&["automator list --format=json"]).await;
    checks.that(
        "who is no administrator is told so",
        printed.told.contains("restricted to Keeper Enterprise administrators"),
    );
    checks.done();
}

#[tokio::test(flavor = "multi_thread")]
async fn by_password() {
    let Some(mut bench) = Bench::start(Scheme::Http).await else { return };
    let mut checks = Checks::new("login by password, http");
    bench.password = Some(bench.fake.world().admin.account.expose_password().to_owned());
    bench.change_config(|config| {
        config.remove("clone_code");
    });
    let printed = bench.run(&["automator list --format=json"]).await;
    checks.same("logged in", &printed.json(0), &json!([]));
    checks.that("by password", printed.told.contains("Master Password"));
    checks.that("a clone code came back", !bench.clone_code().is_empty());

    bench.password = None;
    let printed = bench.run(&["automator list --format=json"]).await;
    checks.that("with which the next run resumes", printed.told.contains("Persistent Login"));

    bench.password = Some(bench.fake.world().admin.account.expose_password().to_owned());
    bench.change_config(|config| {
        config.insert("clone_code".to_owned(), json!(text::url(&[7; 32])));
    });
    let printed = bench.run(&["automator list --format=json"]).await;
    checks.that("a stale clone code leads to the password", printed.told.contains("Master Password"));

    bench.password = Some("wrong".to_owned());
    bench.change_config(|config| {
        config.remove("clone_code");
    });
    let calls = |bench: &Bench| bench.calls("authentication/validate_auth_hash");
    let before = calls(&bench).len();
    bench.run(&["automator list --format=json"]).await;
    checks.that(
        "a wrong password is refused",
        calls(&bench)[before..].iter().all(|status| *status == 401) && calls(&bench).len() > before,
    );
    checks.done();
}

/// A new device: registered, approved by e-mail, second factor, password; and then it resumes by itself.
#[tokio::test(flavor = "multi_thread")]
async fn a_first_login() {
    let Some(bench) = Bench::start(Scheme::Https).await else { return };
    let mut checks = Checks::new("first login, https");
    let secret = b"12345678901234567890".to_vec();
    bench.fake.world().admin.account.totp = secret.clone().into();
    bench.change_config(|config| config.retain(|key, _| ["server", "user", "config_storage"].contains(&key.as_str())));

    let mut asked = Vec::new();
    let answer = bench
        .first_login(|question| {
            asked.push(question.to_owned());
            let world = bench.fake.world();
            match question {
                "device" => world.admin.account.mail.last().unwrap().clone(),
                "factor" => {
                    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
                    let totp = totp_rs::Builder::new().with_secret(secret.clone()).build().unwrap();
                    totp.generate(now).to_string()
                }
                _ => world.admin.account.expose_password().to_owned(),
            }
        })
        .await;
    checks.same("what was asked, in this order", &asked, &["device", "factor", "password"].map(str::to_owned).to_vec());
    let (user, digest) = {
        let world = bench.fake.world();
        let digest = keeper_wire::crypto::sha256(world.admin.account.data_key().expose());
        (world.admin.account.username.clone(), digest.iter().map(|byte| format!("{byte:02x}")).collect::<String>())
    };
    checks.same("who logged in", &answer["user"], &json!(user));
    checks.same("the data key was opened", &answer["data_key"], &json!(digest));
    for endpoint in [
        "authentication/register_device",
        "authentication/request_device_verification",
        "authentication/validate_device_verification_code",
        "authentication/2fa_validate",
        "authentication/validate_auth_hash",
    ] {
        checks.same(endpoint, &bench.calls(endpoint), &vec![200]);
    }
    let registered = bench.calls("authentication/register_encrypted_data_key_for_device");
    checks.same("the data key is registered once, and again by `this-device register`", &registered, &vec![200, 400]);
    let printed = bench.run(&["automator list --format=json"]).await;
    checks.that("the device resumes by itself", printed.told.contains("Persistent Login"));
    bench.nothing_unknown(&mut checks);
    checks.done();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_server_key_moves_on() {
    let Some(bench) = Bench::start(Scheme::Https).await else { return };
    let mut checks = Checks::new("key rotation, https");
    bench.fake.world().admin.rotate(11);
    let printed = bench.run(&["automator list --format=json"]).await;
    checks.same("the client follows", &printed.json(0), &json!([]));
    checks.same("after one refusal", &bench.calls("authentication/start_login"), &vec![401, 200]);
    checks.done();
}

/// ECDH and ML-KEM-1024 together, made by the vendor's code and opened by ours.
#[tokio::test(flavor = "multi_thread")]
async fn the_hybrid_envelope() {
    let Some(mut bench) = Bench::start(Scheme::Https).await else { return };
    if !bench.knows_ml_kem() {
        return;
    }
    let mut checks = Checks::new("hybrid envelope, https");
    bench.hybrid = true;
    bench.fake.world().admin.rotate(11);
    let printed = bench.run(&["automator list --format=json"]).await;
    checks.same("logged in", &printed.json(0), &json!([]));
    // After a status 400, here that of a data key registered before, Commander goes on without ML-KEM.
    let dropped = bench.fake.world().journal.iter().position(|entry| entry.status == 400).unwrap();
    let hybrid = bench.fake.world().admin.hybrid_requests;
    checks.same(
        "until then all but the one with an old P-256 half came in it",
        &hybrid,
        &u64::try_from(dropped).unwrap(),
    );
    checks.that("which are many", hybrid > 5);
    checks.same("the old half was refused once", &bench.calls("authentication/start_login"), &vec![401, 200]);
    checks.done();
}

/// Steps K2 to K7 of the guide, and their undoing.
#[tokio::test(flavor = "multi_thread")]
async fn the_vault_from_folder_to_device_and_back() {
    let Some(bench) = Bench::start(Scheme::Https).await else { return };
    let mut checks = Checks::new("vault, https");
    let files = [
        ("ssl-certificate.pfx", b"\x30\x82\x01not a real one".as_slice()),
        ("keeper.properties", b"ssl_mode=certificate\n"),
    ];
    for (name, content) in files {
        std::fs::write(bench.home.path().join(name), content).unwrap();
    }
    let upload =
        format!("upload-attachment {} Files/Automator", files.map(|(name, _)| format!("--file={name}")).join(" "));
    let printed = bench
        .run(&[
            "mkdir -sf Files",
            "record-add -t Automator -rt login --folder=Files --format json",
            &upload,
            "secrets-manager app create App --format json",
            "secrets-manager app create App --format json",
            "secrets-manager share add --app=App --secret=Files",
            "secrets-manager share add --app=App --secret=Files",
            "secrets-manager client add --app=App --name=ecs --unlock-ip --config-init b64 --return-tokens",
            "secrets-manager app get App --format=json",
            "secrets-manager app list --format=json",
            "download-attachment Files/Automator --out-dir=back",
        ])
        .await;
    let record: Uid = printed.json(1)["record_uid"].as_str().unwrap().parse().unwrap();
    let application: Uid = printed.json(3)["app_uid"].as_str().unwrap().parse().unwrap();
    checks.that("a second application of that name is refused by the client", printed.json(4)["error"].is_string());

    let folder = {
        let world = bench.fake.world();
        let data = world.admin.account.data_key();
        let [(folder, stored)] = &world.vault.folders.iter().collect::<Vec<_>>()[..] else { panic!("one folder") };
        checks.same("a shared folder", &stored.kind, &FolderKind::Shared);
        let folder_key = Key::from_slice(&data.open_cbc(&stored.key).unwrap()).unwrap();
        checks.same("its name", &folder_key.open_cbc(&stored.name).unwrap()[..], b"Files");
        let in_folder = &world.vault.folder_keys[&(**folder, record)];
        let record_key = Key::from_slice(&folder_key.open(&in_folder.key).unwrap()).unwrap();
        let content: Value =
            serde_json::from_slice(&record_key.open(&world.vault.records[&record].data).unwrap()).unwrap();
        checks.same("the record's title", &content["title"], &json!("Automator"));
        let own = data.open(&world.vault.records[&record].key).unwrap();
        checks.same("the record's key for its owner", &own[..], &record_key.expose()[..]);
        let linked: Vec<_> = world.vault.files_of(record).collect();
        checks.same("two files are attached", &linked.len(), &2);
        let named: Vec<_> =
            content["fields"].as_array().unwrap().iter().filter(|field| field["type"] == "fileRef").collect();
        checks.same("and named in fileRef", &named[0]["value"].as_array().map(Vec::len), &Some(2));
        let mut stored: Vec<(String, Vec<u8>)> = linked
            .iter()
            .map(|(file, link)| {
                let key = Key::from_slice(&record_key.open(&link.key).unwrap()).unwrap();
                let file = &world.vault.records[file];
                let meta: Value = serde_json::from_slice(&key.open(&file.data).unwrap()).unwrap();
                let content = file.file.as_ref().unwrap().content.as_ref().unwrap();
                (meta["name"].as_str().unwrap().to_owned(), key.open(content).unwrap().to_vec())
            })
            .collect();
        stored.sort();
        checks.same(
            "their bytes",
            &stored,
            &[(files[1].0.to_owned(), files[1].1.to_vec()), (files[0].0.to_owned(), files[0].1.to_vec())].to_vec(),
        );
        let app_key = Key::from_slice(&data.open(&world.vault.records[&application].key).unwrap()).unwrap();
        let app: Value =
            serde_json::from_slice(&app_key.open(&world.vault.records[&application].data).unwrap()).unwrap();
        checks.same("the application", &(app["title"].as_str(), app["type"].as_str()), &(Some("App"), Some("app")));
        let held = &world.vault.applications[&application];
        checks.same("one share, not twice", &held.shares.keys().copied().collect::<Vec<_>>(), &vec![**folder]);
        let share = &held.shares[*folder];
        checks.that("of a folder, to be read only", share.folder && !share.editable);
        checks.same("with the folder's key", &app_key.open(&share.key).unwrap()[..], &folder_key.expose()[..]);
        let [device] = &held.devices[..] else { panic!("one device") };
        checks.that("a device without address lock", device.name == "ecs" && !device.lock_ip);
        checks.that("which bound itself", device.bound && device.public_key.is_some() && device.first_access > 0);
        let config: Value = serde_json::from_slice(&text::decode(printed.device_config(7)).unwrap()).unwrap();
        checks.same("under its id", &config["clientId"], &json!(device.client_id.to_string()));
        let held_key = text::decode(config["appKey"].as_str().unwrap()).unwrap();
        checks.same("with the application's key", &held_key[..], &app_key.expose()[..]);
        let owner = text::decode(config["appOwnerPublicKey"].as_str().unwrap()).unwrap();
        checks.same("and its owner's", &owner[..], &world.admin.account.public_key().as_bytes()[..]);
        **folder
    };
    let got = printed.json(8);
    checks.same("the client lists the device", &got["client_devices"][0]["device_name"], &json!("ecs"));
    checks.same("and the share", &got["shares"][0]["uid"], &json!(folder));
    checks.same("and counts them", &printed.json(9)[0]["devices"], &json!(1));
    let hex =
        |bytes: &[u8]| keeper_wire::crypto::sha256(bytes).iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let read = bench.device_reads(printed.device_config(7)).await;
    let expected = json!({ "Automator": { files[0].0: hex(files[0].1), files[1].0: hex(files[1].1) } });
    checks.same("what the administrator stored, the device reads", &read, &expected);

    // A second one gets a token only, and nobody has used it yet.
    let printed_token = bench.run(&["secrets-manager client add --app=App --name=later --unlock-ip"]).await;
    {
        let world = bench.fake.world();
        let device = world.vault.applications[&application].devices.last().unwrap().clone();
        checks.that("a second device waits", device.name == "later" && !device.bound);
        let token = printed_token.one_time_token().expect("a one-time token was printed");
        checks.same("whose id comes from the token", &device.client_id, &token.client_id());
        let data = world.admin.account.data_key();
        let app_key = data.open(&world.vault.records[&application].key).unwrap();
        let opened = Key::from_slice(token.expose()).unwrap().open(&device.app_key).unwrap();
        checks.same("and whose token opens the application's key", &opened[..], &app_key[..]);
    }
    for (name, content) in files {
        let back = std::fs::read(bench.home.path().join("back").join(name)).unwrap_or_default();
        checks.same("a file comes back as it went", &back[..], content);
    }

    let printed = bench
        .run(&[
            &format!("get {record} --format=json"),
            "ls --format=json",
            "delete-attachment --name=keeper.properties Files/Automator",
            "secrets-manager share update --app=App --secret=Files --editable",
            "secrets-manager app get App --format=json",
        ])
        .await;
    checks.same("the record is read", &printed.json(0)["title"], &json!("Automator"));
    checks.same("the folder is listed", &printed.json(1)[0]["name"], &json!("Files"));
    checks.same("the share may be written", &printed.json(4)["shares"][0]["editable"], &json!(true));
    {
        let world = bench.fake.world();
        checks.same("one file is attached", &world.vault.files_of(record).count(), &1);
        checks.that("editable in the fake", world.vault.applications[&application].shares[&folder].editable);
    }

    let printed = bench
        .run(&[
            "secrets-manager client remove --app=App --client=ecs --force",
            "secrets-manager client remove --app=App --client=later --force",
            "secrets-manager share remove --app=App --secret=Files",
            "secrets-manager app get App --format=json",
            &format!("rm -f -- {record}"),
            "trash list --format=json",
            "secrets-manager app remove App --force",
            "rmdir -f -q Files",
            "trash list --format=json",
            "ls --format=json",
        ])
        .await;
    checks.same("no device", &printed.json(3)["client_devices"], &json!([]));
    checks.same("no share", &printed.json(3)["shares"], &json!([]));
    let titles = |listed: Value| listed.as_array().unwrap().iter().map(|one| one["Name"].clone()).collect::<Vec<_>>();
    checks.same("the record is in the trash", &titles(printed.json(5)), &vec![json!("Automator")]);
    checks.that("the application is not", !titles(printed.json(8)).contains(&json!("App")));
    {
        let world = bench.fake.world();
        checks.that("no folder", world.vault.folders.is_empty());
        checks.that("no application", world.vault.applications.is_empty());
        checks.that("no record of version 3 or 5", world.vault.records.values().all(|record| record.version == 4));
    }
    let printed = bench.run(&[&format!("trash restore -f {record}"), &format!("get {record} --format=json")]).await;
    checks.same("the record comes back", &printed.json(1)["title"], &json!("Automator"));
    bench.nothing_unknown(&mut checks);
    checks.done();
}
