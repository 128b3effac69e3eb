//! `keeper.properties` against the definition and the balancer.

use secrecy::ExposeSecret;

use super::finding::{Finding, Report};
use super::rules;
use super::writer::is_writer;
use crate::describe::{MAIN_CONTAINER, SETTINGS_PATH};
use crate::model::{Container, TaskDefinition};
use crate::properties::{Settings, SslMode};
use crate::secrets::{Destination, Secrets};

/// How the balancer speaks to the service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TargetProtocol {
    /// Without TLS.
    Http,
    /// With TLS.
    Https,
}

/// Where the service resolves the paths in its settings.
const HOME: &str = "/usr/mybin";

/// What settings, definition and target group say that does not go together (C01, C21, C34, C35, C36). The
/// environment of the service wins over the file, as it does in the service.
///
/// ```
/// use taskdef::properties::Settings;
/// use taskdef::{Document, TargetProtocol, check_settings};
/// let web = r#"{"family": "a", "containerDefinitions": [{"name": "main", "image": "i:1", "portMappings": [{"containerPort": 443}]}]}"#;
/// let task = Document::read(web)?.definition;
/// let findings = check_settings(&Settings::guide(), &task, Some(TargetProtocol::Http));
/// assert_eq!(findings[0].id, "settings-target-protocol");
/// # Ok::<(), taskdef::ReadError>(())
/// ```
pub fn check_settings(settings: &Settings, task: &TaskDefinition, target: Option<TargetProtocol>) -> Vec<Finding> {
    let mut report = Report::default();
    let service =
        task.container_definitions.iter().position(|container| container.name == MAIN_CONTAINER).or_else(|| {
            task.container_definitions.iter().position(|container| container.is_essential() && !is_writer(container))
        });
    let Some(index) = service else { return report.0 };
    let service = &task.container_definitions[index];
    let at = format!("/containerDefinitions/{index}");

    let properties = settings.to_properties();
    let effective = |key: &str| {
        service.environment_value(&key.to_ascii_uppercase()).or_else(|| properties.get(key)).map(str::to_owned)
    };
    let mode = match effective("ssl_mode").as_deref() {
        Some("none") => SslMode::None,
        Some("self_signed") => SslMode::SelfSigned,
        _ => SslMode::Certificate,
    };
    let wanted = if mode == SslMode::None { TargetProtocol::Http } else { TargetProtocol::Https };
    if target.is_some_and(|target| target != wanted) {
        let message = format!("with ssl_mode `{}` the target group has to speak {wanted:?}", mode.as_str());
        report.add(&rules::SETTINGS_PROTOCOL, format!("{at}/portMappings"), message);
    }
    let port = effective("automator_port").and_then(|text| text.parse().ok()).unwrap_or(Settings::DEFAULT_PORT);
    if !service.port_mappings().iter().any(|mapping| mapping.container_port == Some(i64::from(port))) {
        report.add(
            &rules::SETTINGS_PORT,
            format!("{at}/portMappings"),
            format!("the service listens on {port}, which is not open"),
        );
    }
    if mode != SslMode::None {
        tls(settings, effective("disable_sni_check").as_deref(), &at, &mut report);
    }
    if mode == SslMode::Certificate && settings.ssl_certificate.is_none() {
        certificate(effective("ssl_certificate_file").as_deref(), task, &at, &mut report);
    }
    if effective("automator_host").is_some_and(|host| host != "localhost") {
        report.add(&rules::SETTINGS_HOST, &at, "automator_host is not localhost");
    }
    overridden(&properties, service, &at, &mut report);
    report.0
}

fn tls(settings: &Settings, sni: Option<&str>, at: &str, report: &mut Report) {
    let text = |secret: &Option<secrecy::SecretString>| {
        secret.as_ref().map(|s| s.expose_secret().to_owned()).unwrap_or_default()
    };
    let (file, key) = (text(&settings.ssl_certificate_file_password), text(&settings.ssl_certificate_key_password));
    if !file.is_empty() && !key.is_empty() && file != key {
        report.add(&rules::SETTINGS_PASSWORDS, at, "the passwords of store and key differ");
    }
    if sni != Some("true") {
        report.add(&rules::SETTINGS_SNI, at, "the server-name check is on");
    }
}

fn certificate(path: Option<&str>, task: &TaskDefinition, at: &str, report: &mut Report) {
    let Some(path) = path.filter(|path| !path.is_empty()) else {
        return report.add(&rules::SETTINGS_CERTIFICATE, at, "ssl_certificate_file is missing");
    };
    if path.starts_with(HOME) {
        let message = format!("the path is resolved below {HOME}, so this would name it twice");
        return report.add(&rules::SETTINGS_CERTIFICATE, at, message);
    }
    let written: Vec<String> = task
        .container_definitions
        .iter()
        .filter(|container| is_writer(container))
        .filter_map(|writer| writer.environment_value("SECRETS")?.parse::<Secrets>().ok())
        .flat_map(|secrets| secrets.0)
        .filter_map(|entry| match entry.destination {
            Destination::File(path) => Some(path),
            Destination::Variable(_) => None,
        })
        .collect();
    if written.is_empty() {
        return;
    }
    let wanted = [format!("{HOME}/{}", path.trim_start_matches('/')), format!("{SETTINGS_PATH}/keeper.properties")];
    for file in wanted.iter().filter(|file| !written.contains(file)) {
        report.add(&rules::SETTINGS_CERTIFICATE, at, format!("nobody writes `{file}`"));
    }
}

fn overridden(properties: &crate::properties::Properties, service: &Container, at: &str, report: &mut Report) {
    for (index, variable) in service.environment().iter().enumerate() {
        let Some(value) = properties.get(&variable.name.to_ascii_lowercase()) else { continue };
        let known = variable.name == variable.name.to_ascii_uppercase();
        if known && variable.value.as_deref() != Some(value) {
            let message = format!("`{}` says something else than the file, and wins", variable.name);
            report.add(&rules::SETTINGS_OVERRIDDEN, format!("{at}/environment/{index}"), message);
        }
    }
}
