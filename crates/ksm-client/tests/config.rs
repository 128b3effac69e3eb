//! The device configuration in every form there is.

use std::os::unix::fs::PermissionsExt;

use keeper_wire::ec::PrivateKey;
use keeper_wire::{OneTimeToken, text};
use ksm_client::config::Form;
use ksm_client::{Config, ConfigError, ConfigFile};
use serde_json::{Value, json};

fn document() -> Value {
    let key = PrivateKey::generate();
    json!({
        "hostname": "keepersecurity.eu",
        "clientId": text::standard(&[7; 64]),
        "privateKey": text::standard(&key.to_pkcs8()),
        "serverPublicKeyId": "12",
        "appKey": text::standard(&[9; 32]),
        "appOwnerPublicKey": text::standard(key.public().as_bytes()),
        "somethingNew": "kept",
        "bat": { "nested": [1, 2] },
    })
}

fn same(config: &Config, document: &Value) {
    let again: Value = serde_json::from_str(&config.expose_json()).unwrap();
    let sorted = |value: &Value| {
        let mut members: Vec<_> = value.as_object().unwrap().clone().into_iter().collect();
        members.sort_by(|a, b| a.0.cmp(&b.0));
        members
    };
    assert_eq!(sorted(&again), sorted(document));
}

#[test]
fn json_and_base64_in_every_spelling() {
    let document = document();
    let plain = document.to_string();
    let standard = text::standard(plain.as_bytes());
    let url = text::url(plain.as_bytes());
    let wrapped: String =
        standard.as_bytes().chunks(64).map(|line| format!("{}\n", std::str::from_utf8(line).unwrap())).collect();
    for variant in [
        plain.clone(),
        format!("\u{feff}  {plain}\n"),
        serde_json::to_string_pretty(&document).unwrap(),
        standard.clone(),
        standard.trim_end_matches('=').to_owned(),
        url,
        format!("\"{standard}\"\n"),
        format!("'{standard}'"),
        wrapped,
    ] {
        same(&Config::parse(&variant).unwrap(), &document);
    }
}

#[test]
fn fields_in_every_spelling() {
    let mut odd = document();
    let key = PrivateKey::generate();
    odd["clientId"] = text::url(&[7; 64]).into();
    odd["appKey"] = text::url(&[9; 32]).into();
    odd["privateKey"] = text::url(&key.to_pkcs8()).into();
    odd["serverPublicKeyId"] = json!(12);
    odd["serverPublicKey"] = text::standard(key.public().as_bytes()).into();
    odd["hostname"] = "https://KEEPER.test:8443/api/rest".into();
    let config = Config::parse(&odd.to_string()).unwrap();
    assert_eq!((config.host().to_string().as_str(), config.server_key_id()), ("keeper.test:8443", 12));
    // Written as the vendor's SDKs read it: padded where Python wants padding.
    let written: Value = serde_json::from_str(&config.expose_json()).unwrap();
    assert_eq!(written["appKey"], text::standard(&[9; 32]));
    assert_eq!(written["serverPublicKey"], text::url(key.public().as_bytes()));
    assert_eq!(written["serverPublicKeyId"], "12");
}

#[test]
fn a_missing_key_id_is_the_default_and_null_is_missing() {
    let mut few = document();
    few.as_object_mut().unwrap().shift_remove("serverPublicKeyId");
    few["appOwnerPublicKey"] = Value::Null;
    let config = Config::parse(&few.to_string()).unwrap();
    assert_eq!(config.server_key_id(), keeper_wire::server_keys::DEVICE_DEFAULT);
    assert!(config.is_bound() && !config.has_owner_key());
}

#[test]
fn kubernetes_manifests() {
    let document = document();
    let plain = document.to_string();
    let base64 = text::standard(plain.as_bytes());
    let twice = text::standard(base64.as_bytes());
    let folded: String =
        base64.as_bytes().chunks(70).map(|line| format!("    {}\n", std::str::from_utf8(line).unwrap())).collect();
    for manifest in [
        format!("apiVersion: v1\nkind: Secret\nmetadata:\n  name: ksm\ndata:\n  config: {base64}\n"),
        format!("---\nkind: \"Secret\"\ndata:\n  # a note\n  other: x\n\n  config: \"{base64}\"\ntype: Opaque\n"),
        format!("kind: Secret\ndata:\n  config: {twice}\n"),
        format!("kind: Secret\ndata:\n  config: |\n{folded}type: Opaque\n"),
        format!("kind: Secret\ndata:\n  config: >-\n{folded}"),
        format!("kind: Secret\nstringData:\n  config: '{plain}'\n"),
        format!("kind: Secret\r\ndata:\r\n  config: {base64}\r\n"),
        json!({ "kind": "Secret", "data": { "config": base64 } }).to_string(),
        Config::parse(&plain).unwrap().expose_kubernetes("ksm-config", Some("automator")).unwrap().to_string(),
    ] {
        same(&Config::parse(&manifest).unwrap_or_else(|error| panic!("{manifest}: {error}")), &document);
    }
    let error = Config::parse("kind: Secret\nmetadata:\n  config: x\ndata:\n  other: y\n").unwrap_err();
    assert!(matches!(error, ConfigError::Missing("data.config")), "{error}");
    assert!(Config::parse(&plain).unwrap().expose_kubernetes("No Name", None).is_err());
}

#[test]
fn ini_profiles() {
    let document = document();
    let other = self::document();
    let section = |name: &str, document: &Value| {
        let lines = document.as_object().unwrap().iter().filter(|(_, value)| value.is_string());
        let lines = lines.map(|(name, value)| format!("{} = {}\n", name.to_ascii_lowercase(), value.as_str().unwrap()));
        format!("[{name}]\n{}\n", lines.collect::<String>())
    };
    let file =
        format!("; note\n{}{}[_config]\nactive_profile = two\n", section("one", &other), section("two", &document));
    let key = |config: &Config| config.public_key();
    let (one, two) = (Config::parse(&other.to_string()).unwrap(), Config::parse(&document.to_string()).unwrap());
    assert_eq!(key(&Config::parse(&file).unwrap()), key(&two));
    assert_eq!(key(&Config::parse_profile(&file, Some("one")).unwrap()), key(&one));
    assert!(matches!(Config::parse_profile(&file, Some("three")), Err(ConfigError::Profile(name)) if name == "three"));
    assert!(matches!(Config::parse_profile(&document.to_string(), Some("one")), Err(ConfigError::Profile(_))));
    // Without a word about the active one, the first.
    assert_eq!(key(&Config::parse(&section("x", &other)).unwrap()), key(&one));
    // What we write is read again.
    let again = Config::parse(&two.expose_ini("_default").unwrap()).unwrap();
    assert_eq!((key(&again), again.client_id(), again.is_bound()), (key(&two), two.client_id(), true));
}

#[test]
fn errors_name_the_field_and_never_show_a_value() {
    let with = |name: &str, value: Value| {
        let mut document = document();
        document[name] = value;
        document.to_string()
    };
    let without = |name: &str| {
        let mut document = document();
        document.as_object_mut().unwrap().shift_remove(name);
        document.to_string()
    };
    for (text, expected) in [
        (String::new(), "it is empty"),
        (" \n".to_owned(), "it is empty"),
        ("{".to_owned(), "no JSON object"),
        ("marker!".to_owned(), "no JSON, base64 of JSON"),
        (text::standard(b"marker"), "no JSON, base64 of JSON"),
        (without("clientId"), "no `clientId`"),
        (without("privateKey"), "no `privateKey`"),
        (without("hostname"), "no `hostname`"),
        (with("clientId", "marker".into()), "`clientId` cannot be read"),
        (with("privateKey", "marker".into()), "`privateKey` cannot be read"),
        (with("appKey", text::standard(b"marker").into()), "`appKey` cannot be read"),
        (with("appOwnerPublicKey", text::standard(&[4; 65]).into()), "`appOwnerPublicKey` cannot be read"),
        (with("appKey", json!(["marker"])), "`appKey` is not text"),
        (with("serverPublicKeyId", "-1".into()), "`serverPublicKeyId` is not a positive number"),
        (with("hostname", "https://marker@x".into()), "`hostname` cannot be read"),
        ("[x]\nmarker\n".to_owned(), "a line is neither"),
        (" ".repeat(70_000), "larger than"),
    ] {
        let error = Config::parse(&text).unwrap_err();
        let shown = format!("{error} {error:?}");
        assert!(error.to_string().contains(expected), "{shown}");
        assert!(!shown.contains("marker"), "{shown}");
    }
}

#[test]
fn a_token_gives_a_configuration_on_its_way() {
    let token: OneTimeToken = format!("EU:{}", text::url(&[5; 32])).parse().unwrap();
    let config = Config::from_token(&token, None).unwrap();
    assert!(config.is_half_bound() && !config.is_bound());
    let again = Config::parse(&config.expose_json()).unwrap();
    assert!(again.is_half_bound());
    assert_eq!((again.public_key(), *again.client_id()), (config.public_key(), token.client_id()));
    let bare: OneTimeToken = text::url(&[5; 32]).parse().unwrap();
    assert!(matches!(Config::from_token(&bare, None), Err(ConfigError::Missing("hostname"))));
}

#[test]
fn files_are_private_whole_and_keep_their_form() {
    let folder = tempfile::tempdir().unwrap();
    let config = Config::parse(&document().to_string()).unwrap();
    let path = folder.path().join("client-config.json");
    ConfigFile::create(&path, &config).unwrap();
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    // Never over a file that is there.
    assert!(
        matches!(ConfigFile::create(&path, &config), Err(ConfigError::File { source, .. }) if source.kind() == std::io::ErrorKind::AlreadyExists)
    );

    std::fs::write(&path, config.expose_base64().as_bytes()).unwrap();
    let (file, read) = ConfigFile::open(&path).unwrap();
    assert_eq!(file.form(), Form::Base64);
    file.save(&read).unwrap();
    assert_eq!(std::fs::read_to_string(&path).unwrap(), *read.expose_base64());
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    // Nothing else is left in the folder.
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);

    // What another program has put there meanwhile is newer.
    let token = OneTimeToken::random();
    let other = Config::from_token(&token, Some("EU".parse().unwrap())).unwrap();
    let refused = |saved| matches!(saved, Err(ConfigError::File { source, .. }) if source.kind() == std::io::ErrorKind::AlreadyExists);
    assert!(refused(file.save(&other)), "another device");
    assert_eq!(std::fs::read_to_string(&path).unwrap(), *read.expose_base64());

    std::fs::write(&path, config.expose_kubernetes("x", None).unwrap().as_bytes()).unwrap();
    let (file, read) = ConfigFile::open(&path).unwrap();
    assert!(matches!(file.save(&read), Err(ConfigError::NotWritten { form: "Kubernetes Secret", .. })));
}
