//! ARNs against each other: one partition, one account, one region.

use super::finding::Report;
use super::rules;
use crate::arn::{Arn, partition};
use crate::model::{LogDriver, TaskDefinition};

pub(super) fn check(task: &TaskDefinition, report: &mut Report) {
    let mut partitions: Vec<(String, String)> = Vec::new();
    let mut regions: Vec<(String, String)> = Vec::new();
    let mut accounts: Vec<(String, String)> = Vec::new();
    for (name, role) in [("executionRoleArn", &task.execution_role_arn), ("taskRoleArn", &task.task_role_arn)] {
        let Some(role) = role else { continue };
        match Arn::parse(role).filter(Arn::is_role) {
            Some(arn) => {
                partitions.push((format!("/{name}"), arn.partition.to_owned()));
                accounts.push((format!("/{name}"), arn.account.to_owned()));
            }
            // The interface takes a bare name for this one role.
            None if name == "taskRoleArn" && is_role_name(role) => {}
            None => report.add(&rules::ROLE_ARN, format!("/{name}"), "this is not the ARN of a role"),
        }
    }
    for (index, container) in task.container_definitions.iter().enumerate() {
        let at = format!("/containerDefinitions/{index}");
        let logs = container.log_configuration.as_ref();
        let log_secrets = logs.map(|logs| logs.secret_options()).unwrap_or_default();
        let places = [("secrets", container.secrets()), ("logConfiguration/secretOptions", log_secrets)];
        for (place, position, secret) in places
            .into_iter()
            .flat_map(|(place, list)| list.iter().enumerate().map(move |(i, secret)| (place, i, secret)))
        {
            if let Some(arn) = Arn::parse(&secret.value_from).filter(Arn::is_secret) {
                let pointer = format!("{at}/{place}/{position}/valueFrom");
                partitions.push((pointer.clone(), arn.partition.to_owned()));
                regions.push((pointer, arn.region.to_owned()));
            }
        }
        let awslogs = logs.filter(|logs| logs.log_driver == Some(LogDriver::Awslogs));
        if let Some(region) = awslogs.and_then(|logs| logs.option("awslogs-region")) {
            let pointer = format!("{at}/logConfiguration/options/awslogs-region");
            partitions.push((pointer.clone(), partition(region).to_owned()));
            regions.push((pointer, region.to_owned()));
        }
    }
    for (pointer, other) in odd(&partitions) {
        report.add(&rules::PARTITION, pointer, format!("this is in another partition than `{other}`"));
    }
    for (pointer, other) in odd(&accounts) {
        report.add(&rules::ACCOUNT, pointer, format!("this is in another account than `{other}`"));
    }
    for (pointer, other) in odd(&regions) {
        report.add(&rules::REGION, pointer, format!("this is in another region than `{other}`"));
    }
}

/// IAM's form of the name of a role.
fn is_role_name(text: &str) -> bool {
    let legal = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'+' | b'=' | b',' | b'.' | b'@' | b'-');
    (1..=64).contains(&text.len()) && text.bytes().all(legal)
}

/// Places that differ from the first one, with what the first one says.
fn odd(places: &[(String, String)]) -> impl Iterator<Item = (&str, &str)> {
    let first = places.first().map_or("", |(_, value)| value.as_str());
    places.iter().filter(move |(_, value)| value != first).map(move |(pointer, _)| (pointer.as_str(), first))
}
