//! `keeper.properties`, the definition and the target group have to agree.

use taskdef::properties::{Properties, Settings};
use taskdef::{Document, TargetProtocol, TaskDefinition, check_settings};

fn ksm() -> TaskDefinition {
    Document::read(include_str!("../../../fixtures/taskdef/good/ksm.json")).unwrap().definition
}

fn simple() -> TaskDefinition {
    Document::read(include_str!("../../../fixtures/taskdef/good/simple.json")).unwrap().definition
}

/// The guide's file with some lines replaced or added.
fn guide(changes: &[(&str, &str)]) -> Settings {
    let mut properties = Settings::guide().to_properties();
    changes.iter().for_each(|(key, value)| properties.set(*key, *value));
    Settings::from_properties(&properties).unwrap()
}

fn ids(settings: &Settings, task: &TaskDefinition, target: TargetProtocol) -> Vec<&'static str> {
    check_settings(settings, task, Some(target)).into_iter().map(|finding| finding.id).collect()
}

#[test]
fn the_guides_settings_go_with_our_definition_and_https() {
    assert_eq!(check_settings(&guide(&[]), &ksm(), Some(TargetProtocol::Https)), []);
    assert_eq!(check_settings(&guide(&[]), &ksm(), None), []);
}

#[test]
fn the_simple_shape_needs_no_file_and_http() {
    assert_eq!(check_settings(&Settings::default(), &simple(), Some(TargetProtocol::Http)), []);
    assert_eq!(ids(&Settings::default(), &simple(), TargetProtocol::Https), ["settings-target-protocol"]);
}

#[test]
fn each_disagreement_has_its_finding() {
    for (changes, expected) in [
        (&[("automator_port", "8443")][..], &["settings-port"][..]),
        (&[("ssl_certificate_file_password", "a"), ("ssl_certificate_key_password", "b")], &["settings-passwords"]),
        (&[("ssl_certificate_file_password", "a"), ("ssl_certificate_key_password", "a")], &[]),
        (&[("ssl_certificate_file_password", "a")], &[]),
        (&[("disable_sni_check", "false")], &["settings-sni"]),
        (&[("ssl_certificate_file", "/usr/mybin/config/ssl-certificate.pfx")], &["settings-certificate"]),
        (&[("ssl_certificate_file", "/config/other.pfx")], &["settings-certificate"]),
        (&[("ssl_certificate_file", "")], &["settings-certificate"]),
        (&[("automator_host", "automator.example.com")], &["settings-host"]),
        (&[("ssl_mode", "none")], &["settings-target-protocol"]),
        (&[("ssl_mode", "self_signed")], &[]),
        (&[("some_new_key", "x")], &[]),
    ] {
        assert_eq!(ids(&guide(changes), &ksm(), TargetProtocol::Https), expected, "{changes:?}");
    }
}

#[test]
fn http_to_a_service_that_speaks_tls_is_c01() {
    let findings = check_settings(&guide(&[]), &ksm(), Some(TargetProtocol::Http));
    assert_eq!(findings[0].id, "settings-target-protocol");
    assert!(findings[0].fix.contains("C01"));
}

#[test]
fn the_environment_wins_and_is_reported() {
    let mut task = ksm();
    let main = &mut task.container_definitions[1];
    main.environment = Some(vec![taskdef::model::EnvVar::new("SSL_MODE", "none")]);
    assert_eq!(ids(&guide(&[]), &task, TargetProtocol::Http), ["settings-overridden"]);
    let same =
        Settings::from_properties(&Properties::from_iter([("ssl_mode", "none"), ("automator_port", "443")])).unwrap();
    assert_eq!(ids(&same, &task, TargetProtocol::Http), Vec::<&str>::new());
}

#[test]
fn a_file_that_nobody_writes_is_missed() {
    let mut task = ksm();
    let variable = &mut task.container_definitions[0].environment.as_mut().unwrap()[0];
    let lines = variable.value.as_ref().unwrap();
    variable.value = Some(lines.lines().take(2).collect::<Vec<_>>().join("\n"));
    let findings = check_settings(&guide(&[]), &task, None);
    assert_eq!(findings.len(), 1);
    assert!(findings[0].message.contains("/usr/mybin/settings/keeper.properties"), "{}", findings[0]);
}

#[test]
fn findings_do_not_show_the_passwords() {
    let settings =
        guide(&[("ssl_certificate_file_password", "marker-one"), ("ssl_certificate_key_password", "marker-two")]);
    let shown = format!("{:?} {:?}", settings, check_settings(&settings, &ksm(), None));
    assert!(!shown.contains("marker"), "{shown}");
}
