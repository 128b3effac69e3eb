//! Variables: what is written down that should be fetched, and what cannot be fetched.

use std::collections::HashSet;

use serde_json::Value;

use super::finding::Report;
use super::rules;
use crate::arn::Arn;
use crate::model::{Container, SecretRef, TaskDefinition};
use crate::pointer;
use crate::sensitive::{Look, is_reference, is_secret_name, is_secret_option, look, look_of, may_show_name};

pub(super) fn check(task: &TaskDefinition, report: &mut Report) {
    for (index, container) in task.container_definitions.iter().enumerate() {
        let at = format!("/containerDefinitions/{index}");
        plain(container, &at, report);
        fetched(container, &at, report);
        elsewhere(container, &at, report);
        files(container, &at, report);
    }
    for (index, tag) in task.tags().iter().enumerate() {
        if is_written(&tag.key, tag.value.as_deref().unwrap_or_default()) {
            report.add(&rules::PLAIN_SECRET_VALUE, format!("/tags/{index}/value"), "the tag looks like a secret");
        }
    }
    if task.execution_role_arn.is_none()
        && let Some((pointer, need)) = first_need(task)
    {
        report.add(&rules::EXECUTION_ROLE, pointer, format!("{need} without executionRoleArn"));
    }
}

fn plain(container: &Container, at: &str, report: &mut Report) {
    let mut names = HashSet::new();
    for (index, variable) in container.environment().iter().enumerate() {
        let at = format!("{at}/environment/{index}");
        if variable.name.is_empty() || variable.name.contains(|c: char| c == '=' || c.is_whitespace() || c.is_control())
        {
            report.add(&rules::VARIABLE_NAME, format!("{at}/name"), "the name is missing or cannot be one");
        } else if !names.insert(&variable.name) {
            let message = format!("{} is set twice", called(&variable.name, index));
            report.add(&rules::VARIABLE_TWICE, format!("{at}/name"), message);
        }
        let value = variable.value.as_deref().unwrap_or_default();
        // What `SECRETS` holds is what must be public of a secret: where it is. The writer's own rules read it.
        if value.is_empty() || (variable.name == "SECRETS" && value.lines().all(|line| line.contains(" > "))) {
            continue;
        }
        let (at, name, called) = (format!("{at}/value"), &variable.name, called(&variable.name, index));
        match look(value) {
            Some(Look::KsmConfig) => {
                report.add(&rules::PLAIN_KSM_CONFIG, at, format!("{called} is the key to the vault"));
            }
            _ if name == "KSM_CONFIG" => {
                report.add(&rules::PLAIN_KSM_CONFIG, at, "the configuration is there for everyone to read");
            }
            _ if is_secret_name(name) && !matches!(value, "true" | "false") => {
                report.add(&rules::PLAIN_SECRET_NAME, at, format!("{called} is named like a secret"));
            }
            Some(look) => {
                report.add(&rules::PLAIN_SECRET_VALUE, at, format!("{called} looks like {}", describe(look)));
            }
            None => {}
        }
    }
}

/// A variable by its name, or by its index if the name cannot be one: it may hold the secret.
fn called(name: &str, index: usize) -> String {
    if may_show_name(name) { format!("`{name}`") } else { format!("variable {index}") }
}

fn describe(look: Look) -> &'static str {
    match look {
        Look::KsmConfig => "a configuration of Keeper Secrets Manager",
        Look::PrivateKey => "a private key",
        Look::AccessKey => "an access key of AWS",
        Look::WebToken => "a web token",
        Look::PasswordInUrl => "a URL with a password",
        Look::Assignment => "an option that sets a secret",
        Look::Random => "generated text",
    }
}

fn is_written(name: &str, value: &str) -> bool {
    !value.is_empty() && (is_secret_name(name) || look_of(name, value).is_some())
}

fn fetched(container: &Container, at: &str, report: &mut Report) {
    let plain: HashSet<&str> = container.environment().iter().map(|variable| variable.name.as_str()).collect();
    references(container.secrets(), &plain, &format!("{at}/secrets"), report);
    if let Some(logs) = &container.log_configuration {
        let at = format!("{at}/logConfiguration/secretOptions");
        let options = logs.options.iter().flat_map(|options| options.0.keys()).map(String::as_str).collect();
        references(logs.secret_options(), &options, &at, report);
    }
    if let Some(credentials) = container.extra.get("repositoryCredentials") {
        let reference = credentials.get("credentialsParameter").and_then(Value::as_str).unwrap_or_default();
        if !is_reference(reference) {
            let at = format!("{at}/repositoryCredentials/credentialsParameter");
            report.add(&rules::SECRET_REF, at, "this is not where a secret can be");
        }
    }
}

fn references(list: &[SecretRef], taken: &HashSet<&str>, at: &str, report: &mut Report) {
    let mut names = HashSet::new();
    for (index, secret) in list.iter().enumerate() {
        let at = format!("{at}/{index}");
        if secret.name.is_empty() || secret.name.contains(|c: char| c == '=' || c.is_whitespace()) {
            report.add(&rules::VARIABLE_NAME, format!("{at}/name"), "the name is missing or cannot be one");
        } else if !names.insert(secret.name.as_str()) || taken.contains(secret.name.as_str()) {
            let message = format!("{} is taken", called(&secret.name, index));
            report.add(&rules::SECRET_TWICE, format!("{at}/name"), message);
        }
        if !is_reference(&secret.value_from) {
            report.add(&rules::SECRET_REF, format!("{at}/valueFrom"), "this is not where a secret can be");
        }
    }
}

fn elsewhere(container: &Container, at: &str, report: &mut Report) {
    let mut flag = |pointer: String, what: &str| {
        report.add(&rules::PLAIN_SECRET_VALUE, pointer, format!("{what} looks like a secret"));
    };
    let check = container.health_check.as_ref().and_then(|check| check.command.as_deref());
    let words = [
        ("command", container.command.as_deref()),
        ("entryPoint", container.entry_point.as_deref()),
        ("healthCheck/command", check),
    ];
    for (name, list) in words {
        let list = list.unwrap_or_default();
        for (index, word) in list.iter().enumerate() {
            let named = index > 0 && is_secret_option(&list[index - 1]) && !word.starts_with(['-', '$']);
            if named || look(word).is_some() {
                flag(format!("{at}/{name}/{index}"), "the command line");
            }
        }
    }
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    for (name, value) in container.extra.get("dockerLabels").and_then(Value::as_object).into_iter().flatten() {
        if is_written(name, &text(value)) {
            flag(format!("{at}/dockerLabels/{}", pointer::escape(name)), "the label");
        }
    }
    let options = container.log_configuration.as_ref().and_then(|logs| logs.options.as_ref());
    for (name, value) in options.into_iter().flat_map(|options| options.iter()) {
        if is_written(name, value) {
            flag(format!("{at}/logConfiguration/options/{}", pointer::escape(name)), "the log option");
        }
    }
}

fn files(container: &Container, at: &str, report: &mut Report) {
    let Some(list) = container.extra.get("environmentFiles").and_then(Value::as_array) else { return };
    if list.len() > 10 {
        report.add(&rules::ENVIRONMENT_FILE, format!("{at}/environmentFiles"), "there are more than 10 files");
    }
    for (index, file) in list.iter().enumerate() {
        let member = |name: &str| file.get(name).and_then(Value::as_str).unwrap_or_default();
        let object = Arn::parse(member("value")).is_some_and(|arn| arn.service == "s3" && arn.resource.contains('/'));
        if member("type") != "s3" || !object || !member("value").ends_with(".env") {
            let at = format!("{at}/environmentFiles/{index}");
            report.add(
                &rules::ENVIRONMENT_FILE,
                at,
                "this is not an S3 object that ends in .env, or the type is not s3",
            );
        }
    }
}

/// The first thing for which ECS needs a role.
fn first_need(task: &TaskDefinition) -> Option<(String, &'static str)> {
    task.container_definitions.iter().enumerate().find_map(|(index, container)| {
        let at = |name: &str| format!("/containerDefinitions/{index}/{name}");
        let logs = container.log_configuration.as_ref();
        let awslogs = logs.is_some_and(|logs| logs.log_driver == Some(crate::model::LogDriver::Awslogs));
        let log_secrets = logs.is_some_and(|logs| !logs.secret_options().is_empty());
        let extra = |name: &str| container.extra.get(name).is_some();
        if awslogs || log_secrets {
            Some((at("logConfiguration"), "logs"))
        } else if !container.secrets().is_empty() {
            Some((at("secrets"), "secrets"))
        } else if extra("repositoryCredentials") || container.image.contains(".dkr.ecr.") {
            Some((at("image"), "a private image"))
        } else if extra("environmentFiles") {
            Some((at("environmentFiles"), "environment files"))
        } else {
            None
        }
    })
}
