//! `keeper`: each command against a pretend Keeper, as text and as JSON, its refusals, and that no secret is ever said.

#[allow(dead_code, reason = "each test file uses its part")]
mod common;

use std::fs;
use std::path::PathBuf;

use common::{Ran, run};
use keeper_fake::seed::Terms;
use keeper_fake::{Fake, Responder, Scheme, World};
use keeper_wire::Uid;
use serde_json::{Value, json};

const HOST: &str = "automator.example.com";
const DEPLOYMENT: &str = "blue";
const SECRET_CONTENT: &str = "marker-of-a-content";

/// A Keeper, and somebody who has a device and an account there.
struct Desk {
    folder: tempfile::TempDir,
    fake: Fake,
    record: Uid,
    /// What must never be said.
    secrets: Vec<String>,
    token: String,
    password: String,
    sso: String,
    plain: String,
    /// The keys of its servers, as options.
    flags: Vec<String>,
    /// What every document has to fit.
    schema: jsonschema::Validator,
    _responder: Responder,
    // Last, so that it ends last.
    runtime: tokio::runtime::Runtime,
}

impl Desk {
    fn new() -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let (mut world, guide) = World::guide();
        let responder = runtime.block_on(Responder::at(HOST, &mut world.contacts)).unwrap();
        let fake = runtime.block_on(Fake::start(world, Scheme::Https)).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);

        let device = guide.device.config(&fake.address().to_string());
        let login = fake.world().admin.commander_config(fake.origin(), &guide.resumable);
        let password = fake.world().admin.account.expose_password().to_owned();
        let token = guide.tokens[0].expose_text().to_string();
        let member = |json: &Value, name: &str| json[name].as_str().unwrap().to_owned();
        let mut secrets = vec![token.clone(), password.clone(), SECRET_CONTENT.to_owned()];
        secrets.extend(["privateKey", "appKey"].map(|name| member(&device, name)));
        secrets.extend(["device_token", "private_key", "clone_code"].map(|name| member(&login, name)));
        let text = |name: &str| guide.files.iter().find(|file| file.name == name).unwrap().content.clone();
        secrets.push(String::from_utf8(text("ssl-certificate-password.txt")).unwrap());
        secrets.push("ssl_certificate_file_password".to_owned());

        let server_keys: Vec<String> =
            fake.world().server_keys().texts().map(|(id, key)| format!("{id} = {key:?}")).collect();
        let ends = format!(
            "\n[keeper.endpoint]\nhost = {:?}\nca_file = \"ca.pem\"\n\n[keeper.endpoint.server_keys]\n{}\n",
            fake.address().to_string(),
            server_keys.join("\n")
        );
        let begins = format!(
            "name = {DEPLOYMENT:?}\nregion = \"eu-west-1\"\nhost = {HOST:?}\n\n[certificate]\nsource = \"file\"\n\
             pfx = \"ssl.pfx\"\npassword = {{ env = \"PFX\" }}\n\n[keeper]\nregion = \"EU\"\n"
        );
        let by_hand = format!("record_uid = \"{}\"\nksm_config = {{ file = \"device.json\" }}\n", guide.record);
        let signed_in = "\n[keeper.login]\nconfig = \"login.json\"\n\n[automator]\nnode = \"Azure Cloud\"\n";
        fs::write(at("device.toml"), format!("{begins}{by_hand}{ends}")).unwrap();
        fs::write(at("admin.toml"), format!("{begins}{signed_in}{ends}")).unwrap();
        fs::write(at("bare.toml"), format!("{begins}{ends}")).unwrap();
        fs::write(at("device.json"), device.to_string()).unwrap();
        fs::write(at("login.json"), login.to_string()).unwrap();
        fs::write(at("ca.pem"), fake.ca_pem().unwrap()).unwrap();
        fs::write(at("token.txt"), format!("{token}\n")).unwrap();
        fs::write(at("new.txt"), SECRET_CONTENT).unwrap();
        let flags = fake.world().server_keys().texts().map(|(id, key)| format!("--server-key={id}={key}")).collect();
        Self {
            record: guide.record,
            secrets,
            token,
            password,
            sso: guide.nodes.sso.1,
            plain: guide.nodes.plain.1,
            flags,
            schema: schema("keeper"),
            folder,
            fake,
            _responder: responder,
            runtime,
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn at(&self, name: &str) -> String {
        self.path(name).display().to_string()
    }

    /// Runs `keeper …` and holds every secret against what was said, those that came meanwhile too.
    fn run(&self, args: &[&str]) -> Ran {
        let before = fs::read_to_string(self.path("login.json")).unwrap_or_default();
        let ran = self.run_shown(args);
        let after = fs::read_to_string(self.path("login.json")).unwrap_or_default();
        let codes = [before, after].map(|text| serde_json::from_str::<Value>(&text).unwrap_or_default());
        let codes = codes.iter().filter_map(|config| config["clone_code"].as_str());
        for secret in self.secrets.iter().map(String::as_str).chain(codes) {
            assert!(!ran.said().contains(secret), "{args:?}: {}", ran.said());
        }
        ran
    }

    /// The same for a command that is asked to show a content.
    fn run_shown(&self, args: &[&str]) -> Ran {
        let env = [("TOKEN", self.token.as_str()), ("PASSWORD", self.password.as_str())];
        let device = fs::read_to_string(self.path("device.json")).unwrap();
        let env = [env.as_slice(), &[("DEVICE", device.as_str())]].concat();
        run(&env, &[&["keeper"], args].concat())
    }

    /// Runs it as text, which has to go well.
    fn text(&self, config: &str, args: &[&str]) -> String {
        let ran = self.run(&[args, &["--config", &self.at(config)]].concat());
        assert_eq!(ran.code, 0, "{args:?}: {}", ran.stderr);
        ran.stdout
    }

    /// Runs it as JSON: one document, and nothing else.
    fn json(&self, config: &str, args: &[&str]) -> Value {
        let ran = self.run(&[args, &["--config", &self.at(config), "--format", "json"]].concat());
        assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{args:?}");
        let document: Value = serde_json::from_str(&ran.stdout).unwrap();
        assert_eq!(document["schema"], 1, "{args:?}");
        if let Err(error) = self.schema.validate(&document) {
            panic!("{args:?}: {error}\n{document:#}");
        }
        document
    }

    /// Exit code and failure of a command that is refused.
    fn refused(&self, args: &[&str]) -> (u8, Value) {
        let ran = self.run(&[args, &["--format", "json"]].concat());
        assert_eq!(ran.stdout, "", "{args:?}");
        let event: Value = serde_json::from_str(&ran.stderr).unwrap_or_else(|_| panic!("{args:?}: {}", ran.stderr));
        schema("events").validate(&event).unwrap_or_else(|error| panic!("{args:?}: {error}"));
        (ran.code, event["failure"].clone())
    }

    #[track_caller]
    fn refuses(&self, args: &[&str], code: u8, failure: &str, step: &str) {
        let (exit, found) = self.refused(args);
        assert_eq!((exit, &found["code"], &found["step"]), (code, &json!(failure), &json!(step)), "{args:?}: {found}");
        assert!(found["hint"].is_string(), "{args:?}: {found}");
    }
}

/// A committed schema.
fn schema(name: &str) -> jsonschema::Validator {
    let text = fs::read_to_string(common::file(&format!("schemas/{name}.json"))).unwrap();
    jsonschema::validator_for(&serde_json::from_str(&text).unwrap()).unwrap()
}

#[cfg(unix)]
fn mode(path: PathBuf) -> u32 {
    use std::os::unix::fs::PermissionsExt;
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn a_device_lists_and_gets() {
    let desk = Desk::new();
    let record = desk.record.to_string();
    let table = desk.text("device.toml", &["files", &record]);
    assert_eq!(table.lines().count(), 4, "{table}");
    assert!(table.contains("4200") && table.contains("keeper.properties"), "{table}");
    let files = desk.json("device.toml", &["files", "Keeper Automator"]);
    assert_eq!(files["record"]["uid"], json!(record));
    assert_eq!(files["files"].as_array().unwrap().len(), 3);

    let out = desk.at("out.txt");
    let get = |file: &str| -> Vec<String> { ["get", &record, file, "--out", &out].map(str::to_owned).to_vec() };
    let line = get("ssl-certificate-password.txt");
    let line: Vec<&str> = line.iter().map(String::as_str).collect();
    assert_eq!(desk.text("device.toml", &line), "", "the content was not asked for on standard output");
    let password = fs::read_to_string(&out).unwrap();
    assert!(desk.secrets.contains(&password));
    #[cfg(unix)]
    assert_eq!(mode(desk.path("out.txt")), 0o600);
    fs::remove_file(&out).unwrap();
    let got = desk.json("device.toml", &line);
    assert_eq!((got["bytes"].as_u64(), got["out"].as_str()), (Some(password.len() as u64), Some(out.as_str())));
    assert_eq!(fs::read_to_string(&out).unwrap(), password);

    // By UID, and to standard output, where nothing is added.
    let named = |file: &&Value| file["name"] == "ssl-certificate-password.txt";
    let uid = files["files"].as_array().unwrap().iter().find(named).unwrap()["uid"].as_str().unwrap();
    let ran = desk.run_shown(&["get", &record, uid, "--out", "-", "--config", &desk.at("device.toml")]);
    assert_eq!((ran.code, ran.stdout.as_str(), ran.stderr.as_str()), (0, password.as_str(), ""));
}

#[test]
fn a_device_is_named_on_the_command_line_or_by_the_config() {
    let desk = Desk::new();
    let (record, device, ca) = (desk.record.to_string(), desk.at("device.json"), desk.at("ca.pem"));
    for credential in [["--device", &device], ["--device-env", "DEVICE"]] {
        let ran = desk.run(&["files", &record, credential[0], credential[1], "--ca-file", &ca]);
        assert_eq!(ran.code, 0, "{credential:?}: {}", ran.stderr);
    }
    desk.refuses(&["files", &record], 2, "keeper-no-config", "config");
    desk.refuses(&["files", &record, "--config", &desk.at("bare.toml")], 2, "keeper-no-device", "K7");
    desk.refuses(&["files", &record, "--config", &desk.at("admin.toml")], 2, "keeper-no-device", "K7");
    // A secret where its name belongs is not repeated.
    let pasted = fs::read_to_string(&device).unwrap();
    desk.refuses(&["files", &record, "--device-env", &pasted], 2, "secret-env-not-set", "K7");
    desk.refuses(&["files", &record, "--device", &desk.at("new.txt"), "--ca-file", &ca], 4, "ksm-config-invalid", "K7");
}

#[test]
fn a_device_puts_and_replaces() {
    let desk = Desk::new();
    let (record, new) = (desk.record.to_string(), desk.at("new.txt"));
    let put = desk.text("device.toml", &["put", &record, &new]);
    assert!(put.starts_with("attached new.txt as "), "{put}");
    let put = desk.json("device.toml", &["put", &record, &new, "--name", "other.txt"]);
    assert_eq!((&put["name"], &put["uploaded"]), (&json!("other.txt"), &json!(true)));
    let line = ["put", &record, &new, "--config", &desk.at("device.toml")];
    desk.refuses(&line, 4, "keeper-file-there", "K3");

    let replaced = desk.json("device.toml", &["replace", &record, &new, "--name", "keeper.properties"]);
    assert_eq!((&replaced["uploaded"], replaced["removed"].as_array().unwrap().len()), (&json!(true), 1));
    let again = desk.text("device.toml", &["replace", &record, &new, "--name", "keeper.properties"]);
    assert!(again.starts_with("keeper.properties is as wanted: "), "{again}");
    let files = desk.json("device.toml", &["files", &record]);
    let names = files["files"].as_array().unwrap().iter().filter(|file| file["name"] == "keeper.properties");
    assert_eq!(names.count(), 1);

    let gone = ["replace", &record, &desk.at("gone.txt"), "--config", &desk.at("device.toml")];
    desk.refuses(&gone, 4, "file-not-read", "K3");
}

#[test]
fn a_notation_gives_a_field_or_a_file() {
    let desk = Desk::new();
    let (notation, out) = (format!("keeper://{}/field/login", desk.record), desk.at("out.txt"));
    assert_eq!(desk.text("device.toml", &["notation", &notation, "--out", "-"]), "automator");
    let told = desk.json("device.toml", &["notation", &notation, "--out", &out]);
    assert_eq!((&told["bytes"], &told["notation"]), (&json!(9), &json!(notation)));
    assert_eq!(fs::read_to_string(&out).unwrap(), "automator");
    let config = desk.at("device.toml");
    desk.refuses(&["notation", &notation, "--out", "-", "--config", &config], 2, "output-named-twice", "");
    desk.refuses(&["notation", "keeper://x", "--out", &out, "--config", &config], 2, "ksm-notation", "K3");
    desk.refuses(
        &["notation", "keeper://nobody/field/login", "--out", &out, "--config", &config],
        4,
        "ksm-not-found",
        "K3",
    );
}

#[test]
fn a_token_becomes_a_device_configuration() {
    let desk = Desk::new();
    let bind = |args: &[&str]| [&["bind"], args].concat().iter().map(|arg| (*arg).to_owned()).collect::<Vec<_>>();
    let (out, other) = (desk.at("bound.json"), desk.at("bound.txt"));
    let line = bind(&["--token-file", &desk.at("token.txt"), "--out", &out]);
    let line: Vec<&str> = line.iter().map(String::as_str).collect();
    assert_eq!(desk.text("bare.toml", &line), "");
    #[cfg(unix)]
    assert_eq!(mode(desk.path("bound.json")), 0o600);
    let bound: Value = serde_json::from_str(&fs::read_to_string(&out).unwrap()).unwrap();
    assert!(bound["appKey"].is_string() && bound["clientKey"].is_null());
    // The same again opens what is there.
    let told = desk.json("bare.toml", &line);
    assert_eq!((told["device"].as_str(), told["out"].as_str()), (bound["clientId"].as_str(), Some(out.as_str())));
    let ran = desk.run(&["files", &desk.record.to_string(), "--device", &out, "--config", &desk.at("bare.toml")]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);

    // Used up: another file would be another device.
    let used = ["bind", "--token-env", "TOKEN", "--out", &other, "--config", &desk.at("bare.toml")];
    desk.refuses(&used, 4, "ksm-half-bound", "K7");
    let file = ["bind", "--token-file", &desk.at("new.txt"), "--out", &other];
    desk.refuses(&file, 2, "ksm-token-malformed", "K7");
    desk.refuses(&["bind", "--token-env", &desk.token, "--out", &other], 2, "secret-env-not-set", "K7");
    desk.refuses(&["bind", "--out", &other], 2, "secret-not-answered", "K7");
}

#[test]
fn a_device_configuration_may_be_base64() {
    let desk = Desk::new();
    let out = desk.at("bound.txt");
    let line = ["bind", "--token-env", "TOKEN", "--out", &out, "--form", "base64"];
    desk.json("bare.toml", &line);
    let text = fs::read_to_string(&out).unwrap();
    assert!(text.starts_with("ey"), "base64 of a JSON object");
    let config = ksm_client::Config::parse(&text).unwrap();
    assert!(config.is_bound());
}

#[test]
fn refusals_of_a_device_say_what_to_do() {
    let desk = Desk::new();
    let (record, new) = (desk.record.to_string(), desk.at("new.txt"));
    let config = desk.at("device.toml");
    let absent = Uid::random().to_string();
    desk.refuses(&["files", &absent, "--config", &config], 4, "ksm-not-found", "K3");
    // Keeper's clients make no such UIDs, but others may.
    let hyphen = format!("-{}", "A".repeat(21));
    desk.refuses(&["files", &hyphen, "--config", &config], 4, "ksm-not-found", "K3");
    desk.refuses(&["get", &record, "gone.txt", "--out", &new, "--config", &config], 4, "ksm-not-found", "K3");
    assert_eq!(fs::read_to_string(&new).unwrap(), SECRET_CONTENT, "what is there stays");
    let nowhere = desk.at("no/such/folder");
    desk.refuses(
        &["get", &record, "keeper.properties", "--out", &nowhere, "--config", &config],
        4,
        "file-not-written",
        "",
    );

    // Devices that the service refuses.
    let configs: Vec<(&str, String)> = {
        let mut world = desk.fake.world();
        let app = keeper_fake::seed::App::new(&mut world, "another");
        let reader = app.another(&mut world, "reader", false);
        app.record(&mut world, &json!({ "title": "Other", "type": "login", "fields": [], "custom": [] }));
        let address = desk.fake.address().to_string();
        let none = Terms::default();
        let expired = Terms { access_until: 1_700_000_000_000, ..none.clone() };
        let locked = Terms { locked_to: Some("203.0.113.9".to_owned()), ..none };
        let gone = app.device(&mut world, "gone", &none);
        app.revoke(&mut world, &gone);
        vec![
            ("ksm-expired", app.device(&mut world, "expired", &expired).config(&address).to_string()),
            ("ksm-ip-locked", app.device(&mut world, "locked", &locked).config(&address).to_string()),
            ("ksm-revoked", gone.config(&address).to_string()),
            ("ksm-read-only", reader.device(&mut world, "reader", &none).config(&address).to_string()),
        ]
    };
    let bare = desk.at("bare.toml");
    for (code, text) in configs {
        let device = desk.at(code);
        fs::write(&device, text).unwrap();
        let line = ["put", "Other", &new, "--device", &device, "--config", &bare];
        desk.refuses(&line, 4, code, "K3");
    }
}

#[test]
fn an_administrator_sees_who_and_where() {
    let desk = Desk::new();
    let who = desk.text("admin.toml", &["whoami"]);
    assert!(who.contains("administrator@example.com") && who.contains("administrator    yes"), "{who}");
    let who = desk.json("admin.toml", &["whoami"]);
    assert_eq!((&who["account"]["administrator"], who["findings"].is_array()), (&json!(true), true));

    let tree = desk.text("admin.toml", &["nodes"]);
    let line = tree.lines().find(|line| line.ends_with(&desk.sso)).unwrap();
    assert!(line.contains("  SSO    "), "below the root: {tree}");
    let nodes = desk.json("admin.toml", &["nodes"]);
    let named =
        |name: &str| nodes["nodes"].as_array().unwrap().iter().find(|node| node["name"] == name).unwrap().clone();
    assert_eq!((&named(&desk.sso)["cloud_sso"], &named(&desk.plain)["cloud_sso"]), (&json!(true), &json!(false)));
}

#[test]
fn an_automator_is_made_set_up_and_removed() {
    let desk = Desk::new();
    let sso = desk.sso.clone();
    let verb = |args: &[&str]| desk.json("admin.toml", &[&["automator"], args].concat());
    let text = |args: &[&str]| desk.text("admin.toml", &[&["automator"], args].concat());
    assert_eq!(verb(&["list"])["automators"], json!([]));

    let made = verb(&["create", "automator", "--node", &sso]);
    assert_eq!((&made["did"], &made["automator"]["enabled"]), (&json!(["create"]), &json!(false)));
    assert_eq!(verb(&["create", "automator", "--node", &sso])["did"], json!([]), "it is there");
    assert!(text(&["create", "automator", "--node", &sso]).contains("NEEDS_CRYPTO_STEP_1"));

    let url = format!("https://{HOST}");
    let edited = verb(&["edit", "automator", "--url", &url, "--skill", "device", "--skill", "team"]);
    assert_eq!(edited["automator"]["skills"], json!(["device", "team"]));
    assert_eq!(edited["automator"]["url"], json!(url));
    assert_eq!(verb(&["edit", "automator", "--url", &url])["did"], json!([]), "nothing differs");
    let id = edited["automator"]["id"].to_string();
    assert!(text(&["edit", &id, "--skill", "device"]).contains("did: edit skills"));

    // Nobody is there to confirm the key.
    let config = desk.at("admin.toml");
    let ran = desk.run(&["automator", "setup", "automator", "--config", &config]);
    assert_eq!(ran.code, 4);
    assert!(
        ran.stderr.contains("SHA-256 ") && ran.stderr.contains("error[keeper-automator-not-confirmed]"),
        "{}",
        ran.stderr
    );
    let ran = desk.run(&["automator", "setup", "automator", "--yes", "--config", &config]);
    assert!(ran.code == 0 && ran.stderr.contains("SHA-256 "), "{}", ran.stderr);
    let again = verb(&["setup", "automator", "--yes"]);
    assert_eq!(again["fingerprint"].as_str().map(str::len), Some(95));

    assert!(text(&["init", "automator"]).contains("RUNNING"));
    assert_eq!(verb(&["init", "automator"])["automator"]["ready"], json!(true));
    assert_eq!(verb(&["enable", "automator"])["automator"]["enabled"], json!(true));
    assert!(text(&["disable", &id]).contains("enabled      no"));
    assert_eq!(verb(&["enable", "automator"])["did"], json!(["enable"]));
    assert!(text(&["list", "--node", &sso]).contains("automator"));
    assert_eq!(verb(&["list", "--node", &desk.plain])["automators"], json!([]));
    assert_eq!(verb(&["view", "automator", "--node", &sso])["automator"]["id"].to_string(), id);
    assert!(text(&["view", &id]).contains(&url));
    assert!(text(&["log", "automator"]).contains("enabled"));
    assert!(!verb(&["log", "automator"])["log"].as_array().unwrap().is_empty());
    assert_eq!(verb(&["log-clear", "automator"])["did"], json!(["log-clear"]));
    assert!(text(&["log-clear", "automator"]).contains("emptied"));

    desk.refuses(&["automator", "reset", "automator", "--config", &config], 2, "not-confirmed", "A15");
    assert_eq!(verb(&["reset", "automator", "--yes"])["did"], json!(["reset"]));
    assert!(text(&["reset", "automator", "--yes"]).contains("NEEDS_CRYPTO_STEP_1"));
    desk.refuses(&["automator", "delete", "automator", "--config", &config], 2, "not-confirmed", "A15");
    assert_eq!(verb(&["delete", "automator", "--yes"])["deleted"]["name"], json!("automator"));
    verb(&["create", "automator", "--node", &sso]);
    assert!(text(&["delete", "automator", "--yes"]).contains("destroy it too"));
    assert_eq!(verb(&["list"])["automators"], json!([]));
}

#[test]
fn settings_are_set_and_only_harmless_values_are_shown() {
    let desk = Desk::new();
    let verb = |args: &[&str]| desk.json("admin.toml", &[&["automator"], args].concat());
    let sso = desk.sso.clone();
    let made = verb(&["create", "automator", "--node", &sso]);
    let settings = made["automator"]["settings"].as_array().unwrap();
    let switch = settings.iter().find(|one| one["value"] == "false" || one["value"] == "true").unwrap();
    let (tag, other) = (switch["tag"].as_str().unwrap(), if switch["value"] == "true" { "false" } else { "true" });
    let config = desk.at("admin.toml");
    let change = format!("{tag}={other}");
    desk.refuses(
        &["automator", "edit", "automator", "--set", &change, "--config", &config],
        2,
        "keeper-automator-url",
        "A15",
    );
    let edited = verb(&["edit", "automator", "--url", HOST, "--set", &change]);
    let now = edited["automator"]["settings"].as_array().unwrap().iter().find(|one| one["tag"] == tag).unwrap();
    assert_eq!(now["value"], json!(other));
    // What comes from a variable may be a secret: set, and not shown.
    let hidden = verb(&["edit", "automator", "--set-env", "ssl_mode=PASSWORD"]);
    let now = hidden["automator"]["settings"].as_array().unwrap().iter().find(|one| one["tag"] == "ssl_mode").unwrap();
    assert_eq!((&now["value"], &hidden["did"]), (&Value::Null, &json!(["edit SSL Mode"])));
    let wrong = format!("{tag}=PASSWORD");
    let line = ["automator", "edit", "automator", "--set-env", &wrong, "--config", &config];
    desk.refuses(&line, 2, "keeper-automator-setting", "A15");
    let line = ["automator", "edit", "automator", "--set", "nonsense=1", "--config", &config];
    desk.refuses(&line, 2, "keeper-automator-setting", "A15");
}

#[test]
fn refusals_of_an_administrator_say_what_to_do() {
    let desk = Desk::new();
    let config = desk.at("admin.toml");
    desk.refuses(&["whoami"], 2, "keeper-no-config", "config");
    desk.refuses(&["whoami", "--config", &desk.at("bare.toml")], 2, "keeper-no-login", "A14");
    desk.refuses(&["whoami", "--login", &desk.at("gone.json")], 2, "keeper-no-login", "A14");
    desk.refuses(&["automator", "view", "nobody", "--config", &config], 4, "keeper-automator-not-found", "A15");
    let create = |node: &str, code: &str| {
        desk.refuses(&["automator", "create", "x", "--node", node, "--config", &config], 4, code, "A15");
    };
    create("Nowhere", "keeper-no-such-node");
    create("Twins", "keeper-ambiguous-node");
    create(&desk.plain, "keeper-automator-refused");
    desk.refuses(&["automator", "create", "7", "--node", "x", "--config", &config], 2, "keeper-automator-name", "A15");

    desk.fake.world().admin.account.rules.administrator = false;
    let who = desk.json("admin.toml", &["whoami"]);
    assert_eq!(who["account"]["administrator"], json!(false));
    assert_eq!(who["findings"][0]["severity"], json!("blocks"));
    desk.refuses(&["nodes", "--config", &config], 4, "keeper-not-administrator", "A14");
    desk.refuses(&["automator", "list", "--config", &config], 4, "keeper-not-administrator", "A15");

    // A clone code that is used up, and a wrong password after it.
    let spent = fs::read_to_string(desk.path("login.json")).unwrap();
    desk.json("admin.toml", &["whoami"]);
    fs::write(desk.path("login.json"), spent).unwrap();
    desk.refuses(&["whoami", "--config", &config], 4, "keeper-login-not-resumed", "A14");
    let wrong = ["whoami", "--password-file", &desk.at("new.txt"), "--config", &config];
    desk.refuses(&wrong, 4, "keeper-login-wrong-password", "A14");
    let right = desk.run(&["whoami", "--password-env", "PASSWORD", "--config", &config]);
    assert_eq!(right.code, 0, "{}", right.stderr);
}

#[test]
fn a_login_without_a_terminal_takes_the_password_from_where_it_is_named() {
    let desk = Desk::new();
    let (file, ca) = (desk.at("login.json"), desk.at("ca.pem"));
    let mut login: Value = serde_json::from_str(&fs::read_to_string(&file).unwrap()).unwrap();
    login.as_object_mut().unwrap().remove("clone_code");
    fs::write(&file, login.to_string()).unwrap();
    let keys: Vec<&str> = desk.flags.iter().map(String::as_str).collect();
    let line = [&["login", "--login", &file, "--ca-file", &ca][..], &keys].concat();
    desk.refuses(&line, 4, "keeper-login-no-password", "A14");
    let ran = desk.run(&[&line[..], &["--password-env", "PASSWORD"]].concat());
    assert!(ran.code == 0 && ran.stdout.contains("signed in as administrator@example.com"), "{}", ran.said());
    #[cfg(unix)]
    assert_eq!(mode(desk.path("login.json")), 0o600);
    let again = desk.json("admin.toml", &["login"]);
    assert_eq!((&again["stays_signed_in"], &again["out"]), (&json!(true), &json!(file)));
    desk.refuses(&["login", "--login", &desk.at("new.json")], 2, "keeper-login-options", "A14");
}

#[test]
fn the_vault_is_listed_by_marker_and_a_device_is_taken_away() {
    let desk = Desk::new();
    let empty = desk.text("admin.toml", &["vault", "list"]);
    assert_eq!(empty, "nothing in the vault carries the marker of blue\n", "the guide's own record is somebody else's");
    desk.make_vault();

    let list = desk.json("admin.toml", &["vault", "list"]);
    assert_eq!((&list["folders"][0]["title"], &list["records"][0]["title"]), (&json!("Folder"), &json!("Record")));
    assert_eq!(list["records"][0]["attachments"][0]["name"], json!("new.txt"));
    let application = &list["applications"][0];
    assert_eq!(application["shares"].as_array().unwrap().len(), 1);
    assert_eq!(application["devices"].as_array().unwrap().len(), 2);
    let table = desk.text("admin.toml", &["vault", "list"]);
    for kind in ["K2", "K3", "attachment", "K5", "K6", "K7"] {
        assert!(table.contains(kind), "{kind}: {table}");
    }
    assert!(desk.text("admin.toml", &["vault", "list", "--deployment", "green"]).starts_with("nothing"));

    let config = desk.at("admin.toml");
    let remove = |device: &str| ["vault", "remove-device", device, "--config"].map(str::to_owned);
    let refuses = |device: &str, code: u8, failure: &str| {
        let line: Vec<String> = remove(device).into_iter().chain([config.clone()]).collect();
        desk.refuses(&line.iter().map(String::as_str).collect::<Vec<_>>(), code, failure, "K7");
    };
    refuses("nobody", 4, "keeper-device-not-found");
    refuses("ecs", 4, "keeper-device-ambiguous");
    let id = application["devices"][0]["client_id"].as_str().unwrap();
    refuses(id, 2, "not-confirmed");
    let gone = desk.json("admin.toml", &["vault", "remove-device", id, "--yes"]);
    assert_eq!(gone["removed"]["client_id"], json!(id));
    assert!(desk.text("admin.toml", &["vault", "remove-device", "ecs", "--yes"]).starts_with("took the device ecs"));
    let list = desk.json("admin.toml", &["vault", "list"]);
    assert_eq!(list["applications"][0]["devices"], json!([]));

    let login = desk.at("login.json");
    desk.refuses(&["vault", "list", "--login", &login], 2, "keeper-no-deployment", "K2");
}

impl Desk {
    /// What a deployment has in the vault, with two devices of one name.
    fn make_vault(&self) {
        use automator_admin::vault::{Marker, application, attachment, device, folder, record, share};
        use automator_admin::{Login, Options, config};
        let resumable = self.fake.world().admin.add_resumable();
        let json = self.fake.world().admin.commander_config(self.fake.origin(), &resumable).to_string();
        let store = config::ConfigMemory::new(config::Config::parse(json.as_bytes()).unwrap());
        let keys = self.fake.world().server_keys();
        let options = Options::new().server_keys(keys).authority(self.fake.ca_pem().unwrap());
        self.runtime.block_on(async {
            let session = Login::new(store).options(options).sign_in().await.unwrap();
            let marker = Marker::new(DEPLOYMENT);
            let folder = folder::create(&session, "Folder", &marker).await.unwrap();
            let record = record::create(&session, &folder, "Record", &marker).await.unwrap();
            let bytes = SECRET_CONTENT.as_bytes().to_vec().into();
            let file = attachment::NewFile { name: "new.txt".to_owned(), bytes };
            attachment::put(&session, record.uid, &[file], &[]).await.unwrap();
            let application = application::create(&session, "Application", &marker).await.unwrap();
            share::create(&session, &application, &folder, true).await.unwrap();
            for _ in 0..2 {
                let token = keeper_wire::OneTimeToken::random();
                device::create(&session, &application, "ecs", &token).await.unwrap();
            }
        });
    }
}

#[test]
fn logs_at_trace_level_hold_no_secret() {
    let desk = Desk::new();
    desk.make_vault();
    let (record, new, out, bound) =
        (desk.record.to_string(), desk.at("new.txt"), desk.at("out"), desk.at("bound.json"));
    let lines: &[(&str, &[&str])] = &[
        ("device.toml", &["get", &record, "ssl-certificate-password.txt", "--out", &out]),
        ("device.toml", &["replace", &record, &new, "--name", "keeper.properties"]),
        ("bare.toml", &["bind", "--token-env", "TOKEN", "--out", &bound]),
        ("admin.toml", &["login", "--password-env", "PASSWORD"]),
        ("admin.toml", &["vault", "list"]),
        ("admin.toml", &["automator", "create", "automator", "--node", &desk.sso]),
    ];
    let mut logged = false;
    for (config, args) in lines {
        let mut program = std::process::Command::new(env!("CARGO_BIN_EXE_keeper-automator"));
        program.arg("keeper").args(*args).args(["--config", &desk.at(config)]);
        program.env("KEEPER_AUTOMATOR_LOG", "trace").env("TOKEN", &desk.token).env("PASSWORD", &desk.password);
        let ran = program.output().unwrap();
        let said = [ran.stdout, ran.stderr].concat();
        let said = String::from_utf8(said).unwrap();
        assert!(ran.status.success(), "{args:?}: {said}");
        logged |= ["ksm_client", "automator_admin"].iter().any(|name| said.contains(name));
        let login = fs::read_to_string(desk.path("login.json")).unwrap();
        let login: Value = serde_json::from_str(&login).unwrap();
        let code = login["clone_code"].as_str().unwrap();
        for secret in desk.secrets.iter().map(String::as_str).chain([code]) {
            assert!(!said.contains(secret), "{args:?}: {said}");
        }
    }
    assert!(logged, "nothing was logged, so nothing was looked at");
}

#[test]
fn help_says_what_keeper_is_told_and_why() {
    let ran = run(&[], &["keeper", "--help"]);
    assert_eq!(ran.code, 0);
    let said: String = ran.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    for expected in [ksm_client::CLIENT_VERSION, automator_admin::CLIENT_VERSION, "registered", "It is neither of them"]
    {
        assert!(said.contains(expected), "{expected}: {said}");
    }
}

#[test]
fn the_schema_takes_no_other_documents() {
    let desk = Desk::new();
    let who = desk.json("admin.toml", &["whoami"]);
    let mut more = who.clone();
    more["account"]["password"] = json!("x");
    let mut less = who;
    less["account"].as_object_mut().unwrap().remove("user");
    for document in [more, less, json!({}), json!({ "schema": 1, "did": [] })] {
        assert!(!desk.schema.is_valid(&document), "{document}");
    }
    let ran = run(&[], &["schema", "keeper"]);
    let committed = fs::read_to_string(common::file("schemas/keeper.json")).unwrap();
    assert_eq!((ran.code, ran.stdout), (0, committed), "`keeper-automator schema keeper > schemas/keeper.json`");
}

#[test]
fn refusals_are_explained_in_japanese() {
    let desk = Desk::new();
    let config = desk.at("admin.toml");
    let explained = |args: &[&str], code: &str| {
        let ran = desk.run(&[args, &["--lang", "ja"]].concat());
        assert!(ran.stderr.contains(&format!("error[{code}]")), "{args:?}: {}", ran.stderr);
        let hint = ran.stderr.lines().find_map(|line| line.trim().strip_prefix("ヒント: ")).unwrap_or_default();
        assert!(hint.chars().any(|c| ('\u{3040}'..'\u{a000}').contains(&c)), "{args:?}: {}", ran.stderr);
    };
    explained(&["whoami"], "keeper-no-config");
    explained(&["whoami", "--login", &desk.at("gone.json")], "keeper-no-login");
    explained(&["automator", "view", "nobody", "--config", &config], "keeper-automator-not-found");
    explained(&["automator", "create", "x", "--node", "Nowhere", "--config", &config], "keeper-no-such-node");
    explained(&["vault", "remove-device", "nobody", "--config", &config], "keeper-device-not-found");
    explained(&["files", &Uid::random().to_string(), "--config", &desk.at("device.toml")], "ksm-not-found");
    let spent = fs::read_to_string(desk.path("login.json")).unwrap();
    desk.json("admin.toml", &["whoami"]);
    fs::write(desk.path("login.json"), spent).unwrap();
    explained(&["whoami", "--config", &config], "keeper-login-not-resumed");
}
