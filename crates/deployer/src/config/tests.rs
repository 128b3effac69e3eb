//! The whole way, from text to a config or to what a person reads about a mistake.

use std::path::{Path, PathBuf};

use miette::{GraphicalReportHandler, GraphicalTheme, NarratableReportHandler};

use super::*;

const SMALLEST: &str = include_str!("../../../../fixtures/config/smallest.toml");
const EVERYTHING: &str = include_str!("../../../../fixtures/config/everything.toml");
const SIGNED_IN: &str = include_str!("../../../../fixtures/config/signed-in.toml");
const MANY_MISTAKES: &str = include_str!("../../../../fixtures/config/many-mistakes.toml");
const BAD_VALUES: &str = include_str!("../../../../fixtures/config/bad-values.toml");

fn read(text: &str) -> Result<Config, ConfigError> {
    parse(text, "automator.toml", Path::new("/etc/automator"))
}

/// Everything about a mistake, one line each, without the frame that the terminal draws.
fn lines(error: &ConfigError) -> String {
    let line = |problem: &Problem| {
        let (line, column) = problem.position().unwrap_or_default();
        let field = problem.field().unwrap_or_default();
        format!("{line}:{column} {} {field}: {problem}", problem.code())
    };
    error.problems().map(line).collect::<Vec<_>>().join("\n")
}

/// Every form in which an error may reach somebody.
fn every_form(error: &ConfigError) -> String {
    let mut drawn = String::new();
    GraphicalReportHandler::new_themed(GraphicalTheme::unicode_nocolor())
        .with_context_lines(3)
        .render_report(&mut drawn, error)
        .unwrap();
    let mut told = String::new();
    NarratableReportHandler::new().with_context_lines(3).render_report(&mut told, error).unwrap();
    format!("{error}\n{error:?}\n{error:#?}\n{drawn}\n{told}")
}

/// The smallest config with one line replaced, or with lines added to it.
fn changed(from: &str, to: &str) -> Result<Config, ConfigError> {
    assert!(SMALLEST.contains(from), "{from}");
    read(&SMALLEST.replacen(from, to, 1))
}

fn with(addition: &str) -> Result<Config, ConfigError> {
    read(&format!("{SMALLEST}\n{addition}\n"))
}

/// Code, field and position of the only problem.
fn only(result: Result<Config, ConfigError>) -> (&'static str, String) {
    let error = result.unwrap_err();
    assert_eq!(error.problems().count(), 1, "{}", lines(&error));
    (error.code(), error.field().unwrap_or_default())
}

/// The config that signs in, with one line replaced.
fn signed_in(from: &str, to: &str) -> Result<Config, ConfigError> {
    assert!(SIGNED_IN.contains(from), "{from}");
    read(&SIGNED_IN.replacen(from, to, 1))
}

#[test]
fn a_sign_in_needs_a_node_and_no_record() {
    let config = read(SIGNED_IN).unwrap();
    let KeeperHalf::Login { config: file, password, totp, node } = &config.keeper.half else { panic!() };
    assert_eq!((file, node.as_str()), (&PathBuf::from("/etc/automator/keeper-config.json"), "Berlin"));
    assert!(password.is_some() && totp.is_some());
    assert_eq!((config.automator.name.as_str(), config.automator.skills.len()), ("automator", 3));

    let node = "node = \"Berlin\"";
    assert_eq!(only(signed_in(node, "")), ("config-missing-key", "automator.node".to_owned()));
    let none = format!("{node}\nskills = []");
    assert_eq!(only(signed_in(node, &none)), ("config-bad-value", "automator.skills".to_owned()));
    let record = "region = \"EU\"\nrecord_uid = \"ZLDzPMdxkCLUOzKjSBBfqw\"";
    assert_eq!(only(signed_in("region = \"EU\"", record)), ("config-conflict", "keeper.login".to_owned()));
}

#[test]
fn the_name_of_an_automator_is_counted_in_characters() {
    let name = "é".repeat(100);
    let config = with(&format!("[automator]\nname = {name:?}\nnode = \"Berlin\"")).unwrap();
    assert_eq!((config.automator.name, config.automator.node.as_deref()), (name, Some("Berlin")));
}

#[test]
fn a_server_key_is_a_point() {
    let keys = "[keeper.endpoint.server_keys]\n7 = \"AAAA\"";
    assert_eq!(only(with(keys)), ("config-bad-value", "keeper.endpoint.server_keys.7".to_owned()));
}

#[test]
fn the_smallest_config_has_safe_defaults() {
    let config = read(SMALLEST).unwrap();
    assert_eq!(config.certificate.pfx, PathBuf::from("/etc/automator/ssl-certificate.pfx"));
    let password = SecretSource::File("/etc/automator/ssl-certificate-password.txt".into());
    assert_eq!(config.certificate.password.source, password);
    assert_eq!(config.network.source, NetworkSource::Create { cidr: "10.20.0.0/16".parse().unwrap(), zones: 2 });
    assert_eq!(config.network.assign_public_ip, AssignPublicIp::Auto);
    assert_eq!(config.logs.retention_days, 90);
    assert_eq!((config.task.cpu, config.task.memory), (2048, 5120));
    assert_eq!(config.task.image, "keeper/automator:17.1.5");
    assert_eq!(config.service.health_check_grace.as_secs(), 180);
    assert_eq!(config.balancer.scheme, Scheme::InternetFacing);
    assert_eq!(config.balancer.ssl_policy, "ELBSecurityPolicy-TLS13-1-2-2021-06");
    assert_eq!(config.dns.mode, DnsMode::Route53 { zone: None });
    assert_eq!(config.dns.wait.as_secs(), 30 * 60);
    assert_eq!(config.properties.ssl_mode, SslMode::Certificate);
    assert!(config.properties.disable_sni_check && config.properties.persist_state);
    assert_eq!(config.endpoint, Endpoint::default());
    assert!(!config.guide_exact_names);
    let allowed: Vec<_> = config.allowed_cidrs().iter().map(|a| format!("{} {}", a.cidr, a.why)).collect();
    assert_eq!(allowed, ["52.210.163.45/32 Keeper cloud EU", "54.246.185.95/32 Keeper cloud EU"]);
}

#[test]
fn every_key_is_understood() {
    let config = read(EVERYTHING).unwrap();
    assert_eq!(config.host.as_str(), "automator.staging.example.com");
    assert_eq!(config.certificate.pfx, PathBuf::from("/secrets/staging.pfx"));
    assert_eq!(config.keeper.region, KeeperRegion::UsGov);
    let NetworkSource::Existing { subnets, balancer_subnets, .. } = &config.network.source else { panic!() };
    assert_eq!((subnets.len(), balancer_subnets.as_ref().map(Vec::len)), (2, Some(2)));
    assert_eq!(config.network.assign_public_ip, AssignPublicIp::No);
    assert_eq!(config.ownership["log-group"], Ownership::Adopted);
    assert_eq!(config.properties.extra.len(), 2);
    assert_eq!(config.endpoint.services["ecs"], "http://127.0.0.1:5001");
    assert_eq!(config.endpoint.url.as_deref(), Some("http://127.0.0.1:5000"));
    let allowed: Vec<_> = config.allowed_cidrs().iter().map(|a| format!("{} {}", a.cidr, a.why)).collect();
    insta::assert_snapshot!(allowed.join("\n"), @r#"
    192.0.2.1/32 in place of the Keeper cloud
    198.51.100.0/24 extra
    203.0.113.7/32 operator
    "#);
    let warnings: Vec<_> =
        config.warnings().into_iter().map(|w| format!("{} {:?} {}", w.field, w.correction, w.message)).collect();
    insta::assert_snapshot!(warnings.join("\n"), @r#"
    task.image None Automator 17.1.5 is a security release; `registry.example.com:5000/keeper/automator:17.1.0` is older
    access.replace_cidrs Some("C37") the addresses of the Keeper cloud are replaced; Keeper reaches the Automator only from these
    properties.disable_sni_check Some("C34") a managed balancer does not present the certificate's name, so the name check must be off
    balancer.scheme None Keeper's cloud calls over the internet; an internal balancer needs another way in
    "#);
}

#[test]
fn the_fixture_with_everything_names_every_key_of_the_schema() {
    fn keys(root: &serde_json::Value, node: &serde_json::Value, path: &str, found: &mut Vec<String>) {
        let target = node["$ref"].as_str().and_then(|target| root.pointer(target.trim_start_matches('#')));
        let node = target.unwrap_or(node);
        for (key, inner) in node["properties"].as_object().into_iter().flatten() {
            let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
            keys(root, inner, &path, found);
            found.push(path);
        }
    }
    let schema = schema();
    let mut all = Vec::new();
    keys(&schema, &schema, "", &mut all);
    // A sign-in and what a person made instead exclude each other, so there are two files.
    let files = [EVERYTHING, SIGNED_IN].map(|text| text.parse::<toml::Table>().unwrap());
    let lacks = |file: &toml::Table, path: &str| {
        let mut node = Some(file);
        path.split('.').any(|key| match node.map(|table| table.get(key)) {
            Some(Some(value)) => {
                node = value.as_table();
                false
            }
            _ => true,
        })
    };
    let missing = all.iter().filter(|path| files.iter().all(|file| lacks(file, path)));
    // Three ways to name a secret and two kinds of network exclude each other; one endpoint speaks for all.
    let missing: Vec<_> = missing.filter(|path| !path.starts_with("endpoint.services.")).cloned().collect();
    insta::assert_snapshot!(missing.join("\n"), @r#"
    certificate.password.env
    keeper.ksm_config.env
    keeper.ksm_config.prompt
    keeper.login.password.file
    keeper.login.password.prompt
    keeper.login.totp.env
    keeper.login.totp.prompt
    network.cidr
    network.zones
    dns.zone_id
    "#);
}

#[test]
fn mistakes_of_every_kind_are_told_together() {
    let error = read(MANY_MISTAKES).unwrap_err();
    insta::assert_snapshot!(lines(&error), @r#"
    2:8 config-bad-value name: a deployment name has lower-case letters, digits and single hyphens, and starts with a letter
    3:1 config-unknown-key regoin: unknown key `regoin` at the top level
    4:8 config-bad-value host: a host name stands alone, without scheme, port or path
    9:12 config-literal-secret certificate.password: secrets in the config are references
    12:10 config-bad-value keeper.region: `keeper.region` has a value that is not known
    13:14 config-bad-value keeper.record_uid: a record UID has 22 characters: letters, digits, `-` and `_`
    14:1 config-unknown-key keeper.ksm_confg: unknown key `ksm_confg` in [keeper]
    17:9 config-wrong-type network.zones: `network.zones` must be a whole number
    18:1 config-unknown-key network.asign_public_ip: unknown key `asign_public_ip` in [network]
    21:19 config-bad-value access.operator_cidrs[0]: a network looks like `203.0.113.7/32`
    21:34 config-bad-value access.operator_cidrs[1]: the whole internet must not reach the Automator (C37)
    24:18 config-bad-value logs.retention_days: CloudWatch cannot keep logs for 100 days
    "#);
}

#[test]
fn bad_values_are_told_together() {
    let error = read(BAD_VALUES).unwrap_err();
    insta::assert_snapshot!(lines(&error), @r#"
    2:8 config-bad-value name: a deployment name has at most 20 characters, this has 29
    3:10 config-bad-value region: an AWS region looks like `eu-west-1`
    4:8 config-bad-value host: a wildcard is no host name: each Automator has a name of its own (C20)
    8:7 config-bad-value certificate.pfx: a path must not be empty
    9:12 config-conflict certificate.password: `certificate.password` needs exactly one of `file`, `env` and `prompt`
    13:14 config-bad-value keeper.record_uid: a record UID has 22 characters: letters, digits, `-` and `_`
    14:22 config-bad-value keeper.ksm_config.env: this is not the name of an environment variable
    18:40 config-bad-value network.subnets[1]: subnet `subnet-0a1b2c3d4e5f67891` is named twice
    19:9 config-conflict network.zones: `network.zones` is for a network that is created, and this one exists
    22:19 config-bad-value access.operator_cidrs[0]: the whole internet must not reach the Automator (C37)
    22:32 config-bad-value access.operator_cidrs[1]: the whole internet must not reach the Automator (C37)
    22:40 config-bad-value access.operator_cidrs[2]: this address lies inside a network; the network itself is `203.0.113.0/24`
    25:18 config-bad-value logs.retention_days: CloudWatch cannot keep logs for 100 days
    29:11 config-conflict dns.zone_id: `dns.zone_id` has no use with `mode = "manual"`
    32:32 config-literal-secret properties.extra.ssl_certificate_key_password: secrets in the config are references
    33:17 config-bad-value properties.extra.persist_state: this key has its own place in [properties]
    36:15 config-bad-value tags."aws:owner": tags that start with `aws:` or `keeper-automator:` are not yours to set
    39:7 config-bad-value endpoint.url: an endpoint looks like `http://127.0.0.1:5000`
    "#);
}

#[test]
fn an_unknown_key_is_drawn_at_its_place_with_the_nearest_known_one() {
    let error = changed("region = \"eu-west-1\"", "region = \"eu-west-1\"\nguide_exact_name = true").unwrap_err();
    let mut drawn = String::new();
    GraphicalReportHandler::new_themed(GraphicalTheme::unicode_nocolor()).render_report(&mut drawn, &error).unwrap();
    insta::assert_snapshot!(drawn, @r#"
    config-unknown-key

      × read config automator.toml:4:1: unknown key `guide_exact_name` at the top level
       ╭─[automator.toml:4:1]
     3 │ region = "eu-west-1"
     4 │ guide_exact_name = true
       · ────────┬───────
       ·         ╰── not known
     5 │ host = "automator.example.com"
       ╰────
      help: did you mean `guide_exact_names`? Known at the top level: name, region, host, certificate, keeper, automator, network, access, logs, task, service, balancer, dns, properties, ownership,
            tags, endpoint, guide_exact_names
    "#);
}

#[test]
fn a_literal_secret_is_refused_and_never_repeated() {
    let literal = "MARKER-secret-MARKER";
    let texts = [
        SMALLEST.replace("{ env = \"KSM_CONFIG\" }", &format!("{literal:?}")),
        SMALLEST.replace("{ env = \"KSM_CONFIG\" }", &format!("'''\n{literal}\n'''")),
        SMALLEST.replace("{ env = \"KSM_CONFIG\" }", &format!("{{ env = {literal:?} }}")),
        SMALLEST.replace("{ env = \"KSM_CONFIG\" }", &format!("{{ value = {literal:?} }}")),
        SMALLEST.replace("{ env = \"KSM_CONFIG\" }", &format!("[{literal:?}]")),
        SMALLEST.replace("ksm_config = { env = \"KSM_CONFIG\" }", &format!("ksm_cfg = {literal:?}")),
        SMALLEST.replace("ksm_config = { env = \"KSM_CONFIG\" }", &format!("ksm_config = {literal:?} oops")),
        SMALLEST.replace("ksm_config = { env = \"KSM_CONFIG\" }", &format!("ksm_config = \"{literal}")),
        SMALLEST.replace("{ env = \"KSM_CONFIG\" }", &format!("{literal:?}\nksm_config = {literal:?}")),
        format!("{SMALLEST}\n[properties.extra]\nautomator_config_key = {literal:?}\n"),
        format!("{SMALLEST}\n[endpoint]\nurl = \"https://user:{literal}@localhost\"\n"),
    ];
    for text in texts {
        assert!(text.contains(literal));
        let error = read(&text).unwrap_err();
        let forms = every_form(&error);
        assert!(!forms.contains("MARKER"), "{text}\n{forms}");
    }
    let error = changed("{ env = \"KSM_CONFIG\" }", "\"eyJhIjoxfQ==\"").unwrap_err();
    assert_eq!((error.code(), error.field().as_deref()), ("config-literal-secret", Some("keeper.ksm_config")));
    assert_eq!(error.to_string(), "read config automator.toml:14:14: secrets in the config are references");
}

#[test]
fn the_debug_form_of_a_config_holds_no_text_of_the_file() {
    let config = format!("{:?}", with("[tags]\nteam = \"a\" # MARKER").unwrap());
    assert!(!config.contains("MARKER"), "{config}");
    assert!(config.contains("automator.toml"), "{config}");
}

#[test]
fn one_mistake_is_one_problem() {
    let cases = [
        (changed("name = \"automator\"", "name = 5"), "config-wrong-type name"),
        (changed("name = \"automator\"", ""), "config-missing-key name"),
        (changed("source = \"file\"", "source = \"acme\""), "config-not-in-this-version certificate.source"),
        (changed("source = \"file\"", "source = \"vault\""), "config-not-in-this-version certificate.source"),
        (changed("source = \"file\"", "source = \"disk\""), "config-bad-value certificate.source"),
        (changed("pfx = \"ssl-certificate.pfx\"", ""), "config-missing-key certificate.pfx"),
        (changed("{ env = \"KSM_CONFIG\" }", "{}"), "config-conflict keeper.ksm_config"),
        (changed("{ env = \"KSM_CONFIG\" }", "{ prompt = false }"), "config-bad-value keeper.ksm_config.prompt"),
        (changed("{ env = \"KSM_CONFIG\" }", "true"), "config-literal-secret keeper.ksm_config"),
        (with("[network]\nvpc = \"vpc-0abc\""), "config-conflict network.vpc"),
        (with("[network]\nsubnets = [\"subnet-0a\", \"subnet-0b\"]"), "config-conflict network.subnets"),
        (with("[network]\nvpc = \"vpc-0abc\"\nsubnets = [\"subnet-0a\"]"), "config-bad-value network.subnets"),
        (with("[network]\nvpc = \"vpc-0abc\"\nsubnets = [1, \"subnet-0a\"]"), "config-wrong-type network.subnets[0]"),
        (with("[network]\nvpc = \"vpc-0abc\"\nsubnet = [\"subnet-0a\"]"), "config-unknown-key network.subnet"),
        (changed("region = \"EU\"", ""), "config-missing-key keeper.region"),
        (changed("region = \"EU\"", "reg = \"EU\""), "config-unknown-key keeper.reg"),
        (with("[network]\nvpc = \"vpc-0abc\"\nsubnets = []"), "config-bad-value network.subnets"),
        (
            with("[network]\nbalancer_subnets = [\"subnet-0a\", \"subnet-0b\"]"),
            "config-conflict network.balancer_subnets",
        ),
        (
            with(
                "[network]\nvpc = \"vpc-0abc\"\nsubnets = [\"subnet-0a\", \"subnet-0b\"]\nbalancer_subnets = [\"subnet-0c\"]",
            ),
            "config-bad-value network.balancer_subnets",
        ),
        (with("[network]\nassign_public_ip = \"maybe\""), "config-bad-value network.assign_public_ip"),
        (with("[network]\nassign_public_ip = 1"), "config-wrong-type network.assign_public_ip"),
        (with("[network]\nzones = 1"), "config-bad-value network.zones"),
        (with("[network]\ncidr = \"10.0.0.0/8\""), "config-bad-value network.cidr"),
        (with("[access]\nextra_cidrs = [\"::/0\"]"), "config-bad-value access.extra_cidrs[0]"),
        (with("[access]\nreplace_cidrs = []"), "config-bad-value access.replace_cidrs"),
        (with("[task]\ncpu = -1"), "config-bad-value task.cpu"),
        (with("[task]\ncpu = 2.0"), "config-wrong-type task.cpu"),
        (with("[task]\ncpu = 99999999999"), "config-bad-value task.cpu"),
        (with("[task]\nimage = \"\""), "config-bad-value task.image"),
        (with("[logs]\nretention_days = 2"), "config-bad-value logs.retention_days"),
        (with("[balancer]\nssl_policy = \"ELBSecurityPolicy-2016-08\""), "config-bad-value balancer.ssl_policy"),
        (with("[automator]\nname = \"\""), "config-bad-value automator.name"),
        (with("[automator]\nname = \"123\""), "config-bad-value automator.name"),
        (with("[automator]\nname = \" a\""), "config-bad-value automator.name"),
        (with(&format!("[automator]\nname = \"{}\"", "é".repeat(101))), "config-bad-value automator.name"),
        (with("[automator]\nnode = \" \""), "config-bad-value automator.node"),
        (with("[dns]\nzone_id = \"example.com\""), "config-bad-value dns.zone_id"),
        (with("[ownership]\n\"log-group\" = \"mine\""), "config-bad-value ownership.log-group"),
        (with("[tags]\n\"keeper-automator:node\" = \"x\""), "config-bad-value tags.\"keeper-automator:node\""),
        (with("[tags]\nteam = 5"), "config-wrong-type tags.team"),
        (with("[service]\ndesired = 3"), "config-unknown-key service.desired"),
        (with("tags = 1979-05-27"), "config-unknown-key keeper.tags"),
        (with("[logs"), "config-syntax "),
        (with("[logs]\n[logs]"), "config-syntax "),
    ];
    for (result, expected) in cases {
        let (code, field) = only(result);
        assert_eq!(format!("{code} {field}"), expected);
    }
}

#[test]
fn a_file_that_is_not_there_says_so() {
    let error = load(Path::new("/nowhere/automator.toml")).unwrap_err();
    assert_eq!(error.code(), "config-unreadable");
    assert!(error.hint().unwrap().contains("--sandbox"));
    assert!(every_form(&error).contains("read config /nowhere/automator.toml"));
}

#[test]
fn a_file_is_loaded_with_paths_relative_to_it() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("automator.toml");
    std::fs::write(&path, SMALLEST).unwrap();
    let config = load(&path).unwrap();
    assert_eq!(config.certificate.pfx, dir.path().join("ssl-certificate.pfx"));
}

#[test]
fn later_checks_point_into_the_file() {
    let config = read(EVERYTHING).unwrap();
    let error = config.problem("one-zone", "network.subnets", "both subnets lie in eu-west-1a", None);
    assert_eq!(lines(&error), "30:11 one-zone network.subnets: both subnets lie in eu-west-1a");
    // A field that the file leaves to its default is shown at the table around it.
    let error = config.problem("dns-zone-not-found", "dns.zone_id", "no zone owns the host", None);
    assert_eq!(lines(&error), "56:1 dns-zone-not-found dns.zone_id: no zone owns the host");
    let sandbox = Config::sandbox("a".into(), "b".into());
    let error = sandbox.problem("pfx-corrupt", "certificate.pfx", "not a PFX", None);
    assert_eq!(lines(&error), "0:0 pfx-corrupt certificate.pfx: not a PFX");
}

#[test]
fn an_owner_for_a_node_that_does_not_exist_is_refused() {
    let config = with("[ownership]\n\"log-grup\" = \"adopted\"\nvpc = \"referenced\"").unwrap();
    let error = config.check_ownership(["log-group", "vpc"].into_iter()).unwrap_err();
    assert_eq!(lines(&error), "17:14 config-unknown-node ownership.log-grup: no node is called `log-grup`");
    assert_eq!(error.hint(), Some("did you mean \"log-group\"?"));
    assert!(config.check_ownership(["log-grup", "vpc"].into_iter()).is_ok());
}

#[test]
fn the_sandbox_has_the_defaults_of_the_smallest_file() {
    let sandbox = Config::sandbox("/s/a.pfx".into(), "/s/pw".into());
    assert_eq!(sandbox.certificate.pfx, PathBuf::from("/s/a.pfx"));
    let smallest = read(SMALLEST).unwrap();
    assert_eq!(sandbox.task, smallest.task);
    assert_eq!(sandbox.network.source, smallest.network.source);
    assert_eq!(sandbox.properties, smallest.properties);
}

#[test]
fn the_schema_describes_every_key() {
    let schema = schema();
    let definitions = schema["$defs"].as_object().unwrap().iter();
    for (name, node) in definitions.map(|(name, node)| (name.as_str(), node)).chain([("root", &schema)]) {
        let Some(properties) = node["properties"].as_object() else { continue };
        assert_eq!(node["additionalProperties"], false, "{name} takes any key");
        for (key, inner) in properties {
            assert!(name == "Services" || inner["description"].is_string(), "{name}.{key} has no description");
        }
    }
    let text = schema.to_string();
    assert!(!text.contains("null"), "TOML has no null");
    let required: Vec<_> = schema["required"].as_array().unwrap().iter().filter_map(|key| key.as_str()).collect();
    assert_eq!(required, ["name", "region", "host", "certificate", "keeper"]);
}

#[test]
fn no_damage_to_a_file_makes_the_reader_panic_or_tell_a_place_outside() {
    let check = |text: &str| {
        if let Err(error) = read(text) {
            let lines = text.split('\n').count();
            assert!(
                error.problems().all(|problem| problem.position().is_none_or(|(line, _)| (1..=lines).contains(&line)))
            );
            every_form(&error);
        }
    };
    let cuts = EVERYTHING.char_indices().map(|(at, _)| at).step_by(7);
    for at in cuts {
        check(&EVERYTHING[..at]);
        check(&format!("{}é{}", &EVERYTHING[..at], &EVERYTHING[at..]));
    }
    for value in
        ["0", "true", "\"\"", "[]", "{}", "1979-05-27", "nan", "[[1]]", "{ a = { b = 1 } }", "9223372036854775807"]
    {
        for (at, line) in EVERYTHING.lines().enumerate().filter(|(_, line)| line.contains(" = ")) {
            let (key, _) = line.split_once(" = ").unwrap();
            let damaged = format!("{key} = {value}");
            let lines = EVERYTHING.lines().enumerate().map(|(n, line)| if n == at { damaged.as_str() } else { line });
            check(&lines.collect::<Vec<_>>().join("\n"));
        }
    }
    let dos = SMALLEST.replace('\n', "\r\n");
    assert_eq!(lines(&read(&dos.replace("eu-west-1", "x")).unwrap_err()).split(' ').next(), Some("3:10"));
    let marked = format!("\u{feff}{SMALLEST}");
    assert!(read(&marked).is_ok());
    assert!(lines(&read(&marked.replace("eu-west-1", "x")).unwrap_err()).starts_with("3:10 "));
}

#[test]
fn a_tls_policy_begins_at_tls_1_2() {
    let policy = |name: &str| with(&format!("[balancer]\nssl_policy = \"ELBSecurityPolicy-{name}\""));
    for name in [
        "TLS13-1-2-2021-06",
        "TLS13-1-3-2021-06",
        "TLS13-1-2-Res-2021-06",
        "TLS13-1-2-Ext2-2021-06",
        "TLS13-1-2-FIPS-2023-04",
        "TLS13-1-2-Res-PQ-2025-09",
        "TLS-1-2-2017-01",
        "TLS-1-2-Ext-2018-06",
        "FS-1-2-2019-08",
        "FS-1-2-Res-2020-10",
    ] {
        assert!(policy(name).is_ok(), "{name}");
    }
    for name in [
        "2016-08",
        "2015-05",
        "TLS-1-0-2015-04",
        "TLS-1-1-2017-01",
        "TLS13-1-0-2021-06",
        "TLS13-1-1-2021-06",
        "FS-2018-06",
        "FS-1-1-2019-08",
        "",
        "TLS13-1-2-2021-06 ",
    ] {
        assert_eq!(only(policy(name)), ("config-bad-value", "balancer.ssl_policy".to_owned()), "{name}");
    }
}
