//! What a person does by hand in the console: deletes a thing, or changes one of its attributes.

use anyhow::{Context, Result, bail};
use aws_infra::{Aws, DIGEST_TAG};
use aws_sdk_ec2::types::{AttributeBooleanValue, Filter, IpPermission, IpRange, SecurityGroupRule};
use aws_sdk_elasticloadbalancingv2::types::LoadBalancerAttribute;
use aws_sdk_route53::types::{Change, ChangeAction, ChangeBatch, ResourceRecordSet};

use super::account::Account;
use super::desk::Desk;

/// Deletes the thing that is a node. `rules-naming/X` are the rules of other groups that name the group of X.
///
/// # Errors
///
/// What the service says.
pub async fn delete(aws: &Aws, account: &Account, node: &str) -> Result<()> {
    let (kind, role) = node.split_once('/').unwrap_or((node, ""));
    match kind {
        "security-group-rules" => {
            let group = &account.of(&format!("security-group/{role}"))?.id;
            return revoke(aws, &rules(aws).await?, |rule| rule.group_id() == Some(group)).await;
        }
        "rules-naming" => {
            let group = &account.of(&format!("security-group/{role}"))?.id;
            let names =
                |rule: &SecurityGroupRule| rule.referenced_group_info().and_then(|peer| peer.group_id()) == Some(group);
            return revoke(aws, &rules(aws).await?, |rule| names(rule) && rule.group_id() != Some(group)).await;
        }
        _ => {}
    }
    let thing = account.of(node)?;
    let id = thing.id.as_str();
    match kind {
        "vpc" => drop(aws.ec2.delete_vpc().vpc_id(id).send().await?),
        "subnet" => drop(aws.ec2.delete_subnet().subnet_id(id).send().await?),
        "internet-gateway" => {
            for vpc in &thing.uses {
                aws.ec2.detach_internet_gateway().internet_gateway_id(id).vpc_id(vpc).send().await?;
            }
            aws.ec2.delete_internet_gateway().internet_gateway_id(id).send().await?;
        }
        "route-table" => {
            let tables = aws.ec2.describe_route_tables().route_table_ids(id).send().await?;
            for one in tables.route_tables().iter().flat_map(|table| table.associations()) {
                let association = one.route_table_association_id().unwrap_or_default();
                aws.ec2.disassociate_route_table().association_id(association).send().await?;
            }
            aws.ec2.delete_route_table().route_table_id(id).send().await?;
        }
        "security-group" => drop(aws.ec2.delete_security_group().group_id(id).send().await?),
        "log-group" => drop(aws.logs.delete_log_group().log_group_name(id).send().await?),
        "role" => {
            let attached = aws.iam.list_attached_role_policies().role_name(id).send().await?;
            for policy in attached.attached_policies() {
                aws.iam.detach_role_policy().role_name(id).set_policy_arn(policy.policy_arn.clone()).send().await?;
            }
            aws.iam.delete_role().role_name(id).send().await?;
        }
        "role-policy" => {
            let role = thing.uses.first().context("a policy of a role has a role")?;
            aws.iam.delete_role_policy().role_name(role).policy_name(id).send().await?;
        }
        "efs-file-system" => drop(aws.efs.delete_file_system().file_system_id(id).send().await?),
        "efs-mount-target" => drop(aws.efs.delete_mount_target().mount_target_id(id).send().await?),
        "efs-access-point" => drop(aws.efs.delete_access_point().access_point_id(id).send().await?),
        "ecs-cluster" => drop(aws.ecs.delete_cluster().cluster(id).send().await?),
        "ecs-service" => {
            let cluster = &account.of("ecs-cluster")?.id;
            aws.ecs.delete_service().cluster(cluster).service(id).force(true).send().await?;
        }
        "task-definition" => drop(aws.ecs.deregister_task_definition().task_definition(id).send().await?),
        "secret" => drop(aws.secrets.delete_secret().secret_id(id).force_delete_without_recovery(true).send().await?),
        "certificate" => drop(aws.acm.delete_certificate().certificate_arn(id).send().await?),
        "target-group" => drop(aws.elb.delete_target_group().target_group_arn(id).send().await?),
        "load-balancer" => drop(aws.elb.delete_load_balancer().load_balancer_arn(id).send().await?),
        "listener" => drop(aws.elb.delete_listener().listener_arn(id).send().await?),
        "dns-record" => {
            let (zone, record) = record(aws).await?;
            submit(aws, &zone, ChangeAction::Delete, record).await?;
        }
        _ => bail!("nobody knows how to delete `{node}` by hand"),
    }
    Ok(())
}

/// Changes one attribute of the thing that is a node.
///
/// # Errors
///
/// What the service says.
pub async fn change(aws: &Aws, account: &Account, desk: &Desk, node: &str) -> Result<()> {
    let (kind, role) = node.split_once('/').unwrap_or((node, ""));
    let off = || AttributeBooleanValue::builder().value(false).build();
    match kind {
        "security-group-rules" => {
            let group = &account.of(&format!("security-group/{role}"))?.id;
            let anyone = IpRange::builder().cidr_ip("198.51.100.0/24").description("by hand").build();
            let rule = IpPermission::builder().ip_protocol("tcp").from_port(22).to_port(22).ip_ranges(anyone).build();
            aws.ec2.authorize_security_group_ingress().group_id(group).ip_permissions(rule).send().await?;
            return Ok(());
        }
        "desired-count" => {
            let (cluster, service) = (&account.of("ecs-cluster")?.id, &account.of("ecs-service")?.id);
            aws.ecs.update_service().cluster(cluster).service(service).desired_count(5).send().await?;
            return Ok(());
        }
        // What a person said is a tag of the service.
        "automator" | "user-test" => {
            let service = &account.of("ecs-service")?.id;
            let tags = aws.ecs.list_tags_for_resource().resource_arn(service).send().await?;
            let step = if kind == "automator" { "a15" } else { "a16" };
            let said = tags.tags().iter().filter_map(|tag| tag.key()).find(|key| key.to_lowercase().contains(step));
            let said = said.with_context(|| format!("no tag of the service is about {step}"))?;
            aws.ecs.untag_resource().resource_arn(service).tag_keys(said).send().await?;
            return Ok(());
        }
        _ => {}
    }
    let thing = account.of(node)?;
    let id = thing.id.as_str();
    match kind {
        "vpc" => drop(aws.ec2.modify_vpc_attribute().vpc_id(id).enable_dns_hostnames(off()).send().await?),
        "subnet" => drop(aws.ec2.modify_subnet_attribute().subnet_id(id).map_public_ip_on_launch(off()).send().await?),
        "route-table" => {
            aws.ec2.delete_route().route_table_id(id).destination_cidr_block("0.0.0.0/0").send().await?;
        }
        "log-group" => {
            aws.logs.put_retention_policy().log_group_name(id).retention_in_days(7).send().await?;
        }
        "role" => {
            let anyone = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}]}"#;
            aws.iam.update_assume_role_policy().role_name(id).policy_document(anyone).send().await?;
        }
        "role-policy" => {
            let wide = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#;
            let role = thing.uses.first().context("a policy of a role has a role")?;
            aws.iam.put_role_policy().role_name(role).policy_name(id).policy_document(wide).send().await?;
        }
        "efs-mount-target" => {
            let other = &account.of("security-group/task")?.id;
            let call = aws.efs.modify_mount_target_security_groups().mount_target_id(id);
            call.security_groups(other).send().await?;
        }
        "ecs-service" => {
            let cluster = &account.of("ecs-cluster")?.id;
            let call = aws.ecs.update_service().cluster(cluster).service(id);
            call.health_check_grace_period_seconds(7).send().await?;
        }
        "task-definition" => another_revision(aws, id).await?,
        "secret" => {
            let tag = aws_sdk_secretsmanager::types::Tag::builder().key(DIGEST_TAG).value("by-hand").build();
            aws.secrets.tag_resource().secret_id(id).tags(tag).send().await?;
        }
        "certificate" => {
            let other = desk.other.acm().map_err(|error| anyhow::anyhow!("{error}"))?;
            let blob = |text: &str| aws_smithy_types::Blob::new(text.as_bytes());
            let key = secrecy::ExposeSecret::expose_secret(&other.private_key).to_owned();
            let tags = aws.acm.list_tags_for_certificate().certificate_arn(id).send().await?.tags;
            let call = aws.acm.import_certificate().certificate_arn(id).certificate(blob(&other.body));
            let call = call.private_key(blob(&key)).set_certificate_chain(other.chain.as_deref().map(blob));
            call.send().await?;
            // AWS keeps the tags of what is imported anew; Moto loses them.
            aws.acm.add_tags_to_certificate().certificate_arn(id).set_tags(tags).send().await?;
        }
        "target-group" => drop(aws.elb.modify_target_group().target_group_arn(id).health_check_path("/").send().await?),
        "load-balancer" => {
            let keep =
                LoadBalancerAttribute::builder().key("routing.http.drop_invalid_header_fields.enabled").value("false");
            aws.elb.modify_load_balancer_attributes().load_balancer_arn(id).attributes(keep.build()).send().await?;
        }
        "listener" => {
            aws.elb.modify_listener().listener_arn(id).ssl_policy("ELBSecurityPolicy-2016-08").send().await?;
        }
        "dns-record" => {
            let (zone, mut record) = record(aws).await?;
            if let Some(alias) = &mut record.alias_target {
                alias.evaluate_target_health = true;
            }
            submit(aws, &zone, ChangeAction::Upsert, record).await?;
        }
        _ => bail!("nobody knows what to change of `{node}` by hand"),
    }
    Ok(())
}

async fn rules(aws: &Aws) -> Result<Vec<SecurityGroupRule>> {
    let groups = aws.ec2.describe_security_groups().send().await?;
    let mut rules = Vec::new();
    for group in groups.security_groups() {
        let one = Filter::builder().name("group-id").values(group.group_id().unwrap_or_default()).build();
        let page = aws.ec2.describe_security_group_rules().filters(one).send().await?;
        rules.extend(page.security_group_rules().iter().cloned());
    }
    Ok(rules)
}

async fn revoke(aws: &Aws, rules: &[SecurityGroupRule], which: impl Fn(&SecurityGroupRule) -> bool) -> Result<()> {
    for rule in rules.iter().filter(|rule| which(rule)) {
        let (group, id) = (rule.group_id().unwrap_or_default(), rule.security_group_rule_id().unwrap_or_default());
        if rule.is_egress() == Some(true) {
            aws.ec2.revoke_security_group_egress().group_id(group).security_group_rule_ids(id).send().await?;
        } else {
            aws.ec2.revoke_security_group_ingress().group_id(group).security_group_rule_ids(id).send().await?;
        }
    }
    Ok(())
}

/// Somebody registers a revision with less memory, and keeps the tags.
async fn another_revision(aws: &Aws, arn: &str) -> Result<()> {
    let there = aws.ecs.describe_task_definition().task_definition(arn).send().await?;
    let there = there.task_definition.context("the revision is described")?;
    let tags = aws.ecs.list_tags_for_resource().resource_arn(arn).send().await?;
    let call = aws
        .ecs
        .register_task_definition()
        .set_family(there.family)
        .set_container_definitions(there.container_definitions);
    let call = call.set_volumes(there.volumes).set_network_mode(there.network_mode).memory("4096").set_cpu(there.cpu);
    let call = call.set_requires_compatibilities(there.requires_compatibilities).set_tags(tags.tags);
    let call = call.set_task_role_arn(there.task_role_arn).set_execution_role_arn(there.execution_role_arn);
    call.set_runtime_platform(there.runtime_platform).send().await?;
    Ok(())
}

/// The record of the host, and its zone.
async fn record(aws: &Aws) -> Result<(String, ResourceRecordSet)> {
    for zone in aws.route53.list_hosted_zones().send().await?.hosted_zones() {
        let records = aws.route53.list_resource_record_sets().hosted_zone_id(zone.id()).send().await?;
        let ours = records.resource_record_sets().iter().find(|one| one.name().trim_end_matches('.') == Desk::HOST);
        if let Some(record) = ours {
            return Ok((zone.id().to_owned(), record.clone()));
        }
    }
    bail!("there is no record of {}", Desk::HOST)
}

async fn submit(aws: &Aws, zone: &str, action: ChangeAction, record: ResourceRecordSet) -> Result<()> {
    let change = Change::builder().action(action).resource_record_set(record).build()?;
    let batch = ChangeBatch::builder().changes(change).build()?;
    aws.route53.change_resource_record_sets().hosted_zone_id(zone).change_batch(batch).send().await?;
    Ok(())
}
