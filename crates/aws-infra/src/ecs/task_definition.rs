//! The task definition (A8): every rule about its content lives in the crate `taskdef`; here what passes them is
//! registered and read back.

use aws_sdk_ecs::types::Tag;
use resource_graph::{
    Action, Compare, Cx, Given, Inventory, Known, Knowns, Listed, Mark, NodeId, Present, Ref, Resource, Result, Seen,
    Survives, Verdict,
};
use serde_json::{Value, json};
use taskdef::{
    Attachments, Description, Document, Images, Ksm, KsmConfig, RecordUid, Severity, Shape, Volume, Volumes,
};

use super::raw::{Keep, Send};
use super::{adopt, once, tagged, tags};
use crate::fail::{failed, has_code, incomplete, required};
use crate::{AccessPointId, FileSystemId, Home, LogGroupName, RoleArn, SecretArn, TaskDefinitionArn};

/// The family of task definitions whose newest revision is as wished.
pub struct TaskDefinition {
    /// Where it lives.
    pub home: Home,
    /// Its node.
    pub node: NodeId,
    /// What does not depend on other nodes.
    pub template: Template,
    /// Where the containers log to.
    pub log_group: Ref<LogGroupName>,
    /// The role that pulls images, writes logs and reads the secret.
    pub execution_role: Ref<RoleArn>,
    /// The role that mounts the file systems (C07).
    pub task_role: Ref<RoleArn>,
    /// The device configuration (C05).
    pub secret: Ref<SecretArn>,
    /// The record that holds the files.
    pub record: Ref<RecordUid>,
    /// The file systems for the configuration and the settings, in this order.
    pub file_systems: Vec<Ref<FileSystemId>>,
    /// Their access points, in the same order.
    pub access_points: Vec<Ref<AccessPointId>>,
}

/// What does not depend on other nodes.
#[derive(Clone)]
pub struct Template {
    /// The family, unique in account and region.
    pub family: String,
    /// CPU units of the task.
    pub cpu: u32,
    /// MiB of the task.
    pub memory: u32,
    /// The images of both containers.
    pub images: Images,
    /// The names of the files in the record (C39).
    pub attachments: Attachments,
}

/// The code of a definition that AWS would refuse.
const INVALID: &str = "task-definition-invalid";

/// The newest revision that is ours, or a stranger's.
#[derive(Clone, Debug)]
pub struct Found {
    arn: TaskDefinitionArn,
    family: String,
    definition: taskdef::TaskDefinition,
}

impl TaskDefinition {
    fn render(&self, given: &Given<Self>) -> Result<taskdef::TaskDefinition> {
        self.template.render(&self.home.aws.region, given)
    }
}

impl Template {
    /// Checks what is known before anything exists, with the names of other things as they might be.
    ///
    /// # Errors
    ///
    /// `task-definition-invalid`, with each field that AWS would refuse, why, and what to write instead.
    pub fn check(&self) -> Result<()> {
        let role = || RoleArn::new("arn:aws:iam::000000000000:role/automator");
        let given = (
            LogGroupName::new("automator"),
            role(),
            role(),
            SecretArn::new("arn:aws:secretsmanager:us-east-1:000000000000:secret:automator"),
            "AAAAAAAAAAAAAAAAAAAAAA".parse().map_err(|error| invalid(format!("{error}")))?,
            vec![FileSystemId::new("fs-00000000"); 2],
            vec![AccessPointId::new("fsap-00000000"); 2],
        );
        self.render("us-east-1", &given).map(drop)
    }

    /// The document, unless AWS would refuse it.
    fn render(&self, region: &str, given: &Given<TaskDefinition>) -> Result<taskdef::TaskDefinition> {
        let (log_group, execution_role, task_role, secret, record, file_systems, access_points) = given;
        let volume = |index: usize| Volume {
            file_system_id: file_systems.get(index).map(FileSystemId::to_string).unwrap_or_default(),
            access_point_id: access_points.get(index).map(AccessPointId::to_string),
        };
        let description = Description {
            family: self.family.clone(),
            region: region.to_owned(),
            log_group: log_group.to_string(),
            cpu: self.cpu,
            memory: self.memory,
            architecture: None,
            execution_role_arn: execution_role.to_string(),
            task_role_arn: Some(task_role.to_string()),
            shape: Shape::Ksm(Ksm {
                images: self.images.clone(),
                record_uid: record.clone(),
                attachments: self.attachments.clone(),
                ksm_config: KsmConfig::Secret(secret.to_string()),
                volumes: Volumes { config: volume(0), settings: volume(1) },
            }),
        };
        valid(description.render())
    }
}

/// A definition without errors of lint, or an error that names every field that has one and what to do.
fn valid(definition: taskdef::TaskDefinition) -> Result<taskdef::TaskDefinition> {
    let findings = taskdef::lint(&definition);
    let errors = findings.iter().filter(|finding| finding.severity == Severity::Error);
    let errors: Vec<String> =
        errors.map(|finding| format!("`{}`: {} ({})", finding.pointer, finding.message, finding.fix)).collect();
    if errors.is_empty() { Ok(definition) } else { Err(invalid(errors.join("; "))) }
}

fn invalid(why: String) -> resource_graph::Error {
    resource_graph::Error::new(INVALID, "render a task definition that AWS takes").because(why)
}

impl Resource for TaskDefinition {
    const KIND: &'static str = "task-definition";
    type Needs = (
        Ref<LogGroupName>,
        Ref<RoleArn>,
        Ref<RoleArn>,
        Ref<SecretArn>,
        Ref<RecordUid>,
        Vec<Ref<FileSystemId>>,
        Vec<Ref<AccessPointId>>,
    );
    type Found = Found;
    type Output = TaskDefinitionArn;

    fn id(&self) -> NodeId {
        self.node.clone()
    }

    fn summary(&self) -> String {
        let Template { family, cpu, memory, images, .. } = &self.template;
        format!("{family}, {cpu} CPU units, {memory} MiB, {}", images.main)
    }

    fn needs(&self) -> Self::Needs {
        (
            self.log_group.clone(),
            self.execution_role.clone(),
            self.task_role.clone(),
            self.secret.clone(),
            self.record.clone(),
            self.file_systems.clone(),
            self.access_points.clone(),
        )
    }

    async fn look(&self, _cx: &Cx, _needs: &Present<Self>) -> Result<Seen<Found>> {
        let revisions = list(&self.home, Some(&self.template.family), &["ACTIVE"]).await?;
        let Some(newest) = revisions.last() else { return Ok(Seen::absent()) };
        let Some((definition, tags)) = describe(&self.home, &newest.arn).await? else { return Ok(Seen::absent()) };
        let mark = self.home.mark(&self.node, &tags);
        Ok(Seen::here(Found { arn: newest.arn.clone(), family: newest.family.clone(), definition }, mark))
    }

    fn plan(&self, found: &Found, knowns: &Knowns<Self>) -> Verdict {
        let mut compare = Compare::new();
        // A new revision has a new ARN; older ones stay for a rollback.
        compare.survives(Survives::Nothing);
        let blocked = |error: resource_graph::Error| {
            let why = std::error::Error::source(&error).map_or_else(|| error.to_string(), ToString::to_string);
            Verdict::Blocked { code: INVALID, why }
        };
        let (
            Known::Same(log_group),
            Known::Same(execution),
            Known::Same(task),
            Known::Same(secret),
            Known::Same(record),
            Known::Same(files),
            Known::Same(points),
        ) = knowns.clone()
        else {
            if let Err(error) = self.template.check() {
                return blocked(error);
            }
            return compare.differs("references", None, None).verdict();
        };
        let wanted = match self.render(&(log_group, execution, task, secret, record, files, points)) {
            Ok(wanted) => wanted,
            Err(error) => return blocked(error),
        };
        for difference in taskdef::diff(&found.definition, &wanted).differences {
            compare.differs(&difference.pointer, Some(difference.from.to_string()), Some(difference.to.to_string()));
        }
        compare.verdict()
    }

    fn output(&self, found: &Found) -> TaskDefinitionArn {
        found.arn.clone()
    }

    async fn apply(&self, _cx: &Cx, action: Action<Found>, given: Given<Self>) -> Result<Found> {
        let wanted = self.render(&given)?;
        let family = &self.template.family;
        if let Action::Update { found, adopt: true } = &action {
            adopt(&self.home, &self.node, found.arn.as_str()).await?;
        }
        let mut document = wanted.to_value();
        let tags = self.home.tags(&self.node, Mark::Managed);
        document["tags"] = tags.into_iter().map(|(key, value)| json!({ "key": key, "value": value })).collect();
        let arn = send(&self.home, family, document, tagged(&self.home, &self.node, Mark::Managed)).await?;
        Ok(Found { arn, family: family.clone(), definition: wanted })
    }

    async fn destroy(&self, _cx: &Cx, found: Found) -> Result<()> {
        for revision in list(&self.home, Some(&found.family), &["ACTIVE", "INACTIVE"]).await? {
            if is_ours(&self.home, &revision.arn).await? {
                destroy(&self.home, &revision.arn).await?;
            }
        }
        Ok(())
    }
}

/// All revisions of a deployment, deregistered ones too: they stay readable until they are deleted.
pub struct TaskDefinitions {
    /// Where they live.
    pub home: Home,
    /// The family.
    pub family: String,
}

impl Inventory for TaskDefinitions {
    const KIND: &'static str = TaskDefinition::KIND;
    type Found = TaskDefinitionArn;

    async fn list(&self, _cx: &Cx) -> Result<Vec<Listed<TaskDefinitionArn>>> {
        let mut listed = Vec::new();
        for revision in list(&self.home, Some(&self.family), &["ACTIVE", "INACTIVE"]).await? {
            let tags = describe(&self.home, &revision.arn).await?.map(|(_, tags)| tags).unwrap_or_default();
            if let Some(node) = self.home.managed_node_of(&tags) {
                listed.push(Listed { node, label: revision.arn.to_string(), found: revision.arn });
            }
        }
        Ok(listed)
    }

    async fn destroy(&self, _cx: &Cx, found: TaskDefinitionArn) -> Result<()> {
        destroy(&self.home, &found).await
    }
}

#[derive(Clone, Debug)]
struct Revision {
    family: String,
    number: u64,
    arn: TaskDefinitionArn,
}

/// The revisions of a family, oldest first. A prefix of the name is all that can be asked for.
async fn list(home: &Home, family: Option<&str>, states: &[&str]) -> Result<Vec<Revision>> {
    let mut revisions = Vec::new();
    for state in states {
        let call = home.aws.ecs.list_task_definitions().set_family_prefix(family.map(str::to_owned));
        let mut pages = call.status((*state).into()).into_paginator().send();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| failed("list task-definitions", error))?;
            revisions.extend(page.task_definition_arns().iter().filter_map(|arn| read_arn(arn)));
        }
    }
    revisions.retain(|revision| family.is_none_or(|family| revision.family == family));
    // The service's own order is not to be relied upon.
    revisions.sort_by_key(|revision| revision.number);
    Ok(revisions)
}

/// `arn:…:task-definition/FAMILY:NUMBER`
fn read_arn(arn: &str) -> Option<Revision> {
    let (family, number) = arn.rsplit_once('/')?.1.rsplit_once(':')?;
    Some(Revision { family: family.to_owned(), number: number.parse().ok()?, arn: TaskDefinitionArn::new(arn) })
}

type Tags = std::collections::BTreeMap<String, String>;

/// The newest active revision of a family, whoever made it, as ECS tells it; `None` if there is none.
///
/// The document is whole: it has the members that the SDK's types do not model, and those that ECS adds.
///
/// # Errors
///
/// Those of the call, and `answer-incomplete` for an answer that has no document.
pub async fn deployed(home: &Home, family: &str) -> Result<Option<Value>> {
    Ok(document(home, family).await?.map(|(document, _)| document))
}

/// A revision by its ARN, or the newest active one by its family, and its tags.
async fn document(home: &Home, name: &str) -> Result<Option<(Value, Tags)>> {
    let action = format!("describe task-definition `{name}`");
    let keep = Keep::default();
    let call = home.aws.ecs.describe_task_definition().task_definition(name);
    let call = call.include(aws_sdk_ecs::types::TaskDefinitionField::Tags).customize().interceptor(keep.clone());
    let answer = match call.send().await {
        Ok(answer) => answer,
        // A revision that is being deleted cannot be described any more.
        Err(error) if has_code(&error, &["ClientException"]) => return Ok(None),
        Err(error) => return Err(failed(action, error)),
    };
    let document = keep.answer().map(|mut answer| answer["taskDefinition"].take()).filter(Value::is_object);
    Ok(Some((document.ok_or_else(|| incomplete(&action, "document"))?, tags(answer.tags()))))
}

async fn describe(home: &Home, arn: &TaskDefinitionArn) -> Result<Option<(taskdef::TaskDefinition, Tags)>> {
    let Some((document, tags)) = document(home, arn.as_str()).await? else { return Ok(None) };
    let document = Document::from_value(document).map_err(|error| {
        incomplete(&format!("describe task-definition `{arn}`"), "readable document").because(error.to_string())
    })?;
    Ok(Some((document.definition, tags)))
}

/// Sends a document to be registered, member by member.
async fn send(home: &Home, family: &str, document: Value, tags: Vec<Tag>) -> Result<TaskDefinitionArn> {
    let action = format!("register task-definition `{family}`");
    // Registering has no idempotency token: a repeat would make a second, equal revision.
    let call = home.aws.ecs.register_task_definition().family(family).set_tags(Some(tags));
    let call = call.customize().interceptor(Send(document)).config_override(once());
    let answer = call.send().await.map_err(|error| failed(&action, error))?;
    let arn = answer.task_definition().and_then(|definition| definition.task_definition_arn());
    Ok(TaskDefinitionArn::new(required(arn, &action, "arn")?))
}

/// Registers a definition as it is, without a mark of ours: something that was there before.
#[cfg(any(test, feature = "test-util"))]
pub async fn register(home: &Home, definition: &taskdef::TaskDefinition) -> Result<TaskDefinitionArn> {
    let document = definition.to_value();
    let family = document["family"].as_str().unwrap_or_default().to_owned();
    send(home, &family, document, Vec::new()).await
}

async fn is_ours(home: &Home, arn: &TaskDefinitionArn) -> Result<bool> {
    Ok(describe(home, arn).await?.is_some_and(|(_, tags)| home.managed_node_of(&tags).is_some()))
}

/// Whether a revision is deleted. One that runs somewhere is kept as `DELETE_IN_PROGRESS` until it does no more.
async fn is_gone(home: &Home, arn: &TaskDefinitionArn) -> Result<bool> {
    let found = document(home, arn.as_str()).await?;
    Ok(found.is_none_or(|(document, _)| document["status"] == "DELETE_IN_PROGRESS"))
}

/// A revision can be deleted only after it was deregistered; until then the old one stays readable (C05).
async fn destroy(home: &Home, arn: &TaskDefinitionArn) -> Result<()> {
    let action = format!("delete task-definition `{arn}`");
    let answer = home.aws.ecs.deregister_task_definition().task_definition(arn.as_str()).send().await;
    if let Err(error) = answer
        && !has_code(&error, &["ClientException", "InvalidParameterException"])
    {
        return Err(failed(format!("deregister task-definition `{arn}`"), error));
    }
    let answer = home.aws.ecs.delete_task_definitions().task_definitions(arn.as_str()).send().await;
    let refused = match answer {
        Ok(answer) => answer.failures().first().map(|failure| {
            resource_graph::Error::new("refused", &action).because(failure.reason().unwrap_or("no reason").to_owned())
        }),
        Err(error) if has_code(&error, &["ClientException"]) => Some(failed(&action, error)),
        Err(error) => return Err(failed(&action, error)),
    };
    // Why it is refused is said in words only. It may be deleted already, by a call whose answer was lost: so look.
    match refused {
        Some(refused) if !is_gone(home, arn).await? => Err(refused),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use resource_graph::{Fixed, Graph, Label};

    use super::*;

    const SECRET: &str = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:automator-AbCdEf";

    fn resource(graph: &mut Graph) -> TaskDefinition {
        let file_systems =
            ["fs-00000001", "fs-00000002"].map(|id| graph.add(Label::default(), Fixed::new(id, FileSystemId::new(id))));
        let access_points = ["fsap-00000001", "fsap-00000002"]
            .map(|id| graph.add(Label::default(), Fixed::new(id, AccessPointId::new(id))));
        let role = |name: &str| RoleArn::new(format!("arn:aws:iam::123456789012:role/{name}"));
        TaskDefinition {
            home: crate::testing::home(),
            node: NodeId::from("task-definition"),
            template: Template {
                family: "automator".to_owned(),
                cpu: 2048,
                memory: 5120,
                images: Images { init: "writer:1".to_owned(), main: "automator:17.1.5".to_owned() },
                attachments: Attachments::guide(),
            },
            log_group: graph.add(Label::default(), Fixed::new("logs", LogGroupName::new("automator-logs"))),
            execution_role: graph.add(Label::default(), Fixed::new("execution", role("execution"))),
            task_role: graph.add(Label::default(), Fixed::new("task", role("task"))),
            secret: graph.add(Label::default(), Fixed::new("secret", SecretArn::new(SECRET))),
            record: graph.add(Label::default(), Fixed::new("record", record())),
            file_systems: file_systems.to_vec(),
            access_points: access_points.to_vec(),
        }
    }

    fn record() -> RecordUid {
        "AAAAAAAAAAAAAAAAAAAAAA".parse().unwrap()
    }

    fn known() -> Knowns<TaskDefinition> {
        let role = |name: &str| Known::Same(RoleArn::new(format!("arn:aws:iam::123456789012:role/{name}")));
        (
            Known::Same(LogGroupName::new("automator-logs")),
            role("execution"),
            role("task"),
            Known::Same(SecretArn::new(SECRET)),
            Known::Same(record()),
            Known::Same(vec![FileSystemId::new("fs-00000001"), FileSystemId::new("fs-00000002")]),
            Known::Same(vec![AccessPointId::new("fsap-00000001"), AccessPointId::new("fsap-00000002")]),
        )
    }

    fn given() -> Given<TaskDefinition> {
        (
            LogGroupName::new("automator-logs"),
            RoleArn::new("arn:aws:iam::123456789012:role/execution"),
            RoleArn::new("arn:aws:iam::123456789012:role/task"),
            SecretArn::new(SECRET),
            record(),
            vec![FileSystemId::new("fs-00000001"), FileSystemId::new("fs-00000002")],
            vec![AccessPointId::new("fsap-00000001"), AccessPointId::new("fsap-00000002")],
        )
    }

    #[tokio::test]
    async fn another_image_or_a_file_system_that_goes_asks_for_a_new_revision() {
        let mut resource = resource(&mut Graph::new());
        let definition = resource.render(&given()).unwrap();
        let arn = TaskDefinitionArn::new("arn:aws:ecs:eu-west-1:123456789012:task-definition/automator:1");
        let found = Found { arn, family: "automator".to_owned(), definition };
        assert_eq!(resource.plan(&found, &known()), Verdict::Keep);

        let mut going = known();
        going.5 = Known::WillChange(vec![FileSystemId::new("fs-00000001"), FileSystemId::new("fs-00000002")]);
        assert!(matches!(resource.plan(&found, &going), Verdict::Update { survives: Survives::Nothing, .. }));

        resource.template.images.main = "automator:17.2.0".to_owned();
        let Verdict::Update { changes, .. } = resource.plan(&found, &known()) else {
            panic!("a new image is a change")
        };
        assert_eq!(changes.len(), 1);
    }

    #[tokio::test]
    async fn what_aws_would_refuse_is_blocked_with_its_field_and_its_mend() {
        let right = resource(&mut Graph::new());
        assert!(right.template.check().is_ok());
        let definition = right.render(&given()).unwrap();
        let arn = TaskDefinitionArn::new("arn:aws:ecs:eu-west-1:123456789012:task-definition/automator:1");
        let found = Found { arn, family: "automator".to_owned(), definition };
        let mut changing = known();
        changing.5 = Known::Unknown;
        type Change = fn(&mut Template);
        let changes: [(Change, &str); 3] = [
            (|template| template.cpu = 300, "`/cpu`: Fargate has no task of 300 CPU units"),
            (|template| template.memory = 3, "`/memory`: 2048 CPU units go with"),
            (|template| template.images.main = "KEEPER/Automator:1".to_owned(), "`/containerDefinitions/1/image`: "),
        ];
        for (change, expected) in changes {
            let mut wrong = resource(&mut Graph::new());
            change(&mut wrong.template);
            assert_eq!(wrong.template.check().unwrap_err().code(), "task-definition-invalid");
            for known in [known(), changing.clone()] {
                let Verdict::Blocked { code: "task-definition-invalid", why } = wrong.plan(&found, &known) else {
                    panic!("{expected}")
                };
                assert!(why.contains(expected) && why.contains('('), "{why}");
            }
        }
    }

    #[test]
    fn a_revision_is_read_from_its_arn() {
        let revision = read_arn("arn:aws:ecs:eu-west-1:123456789012:task-definition/automator:17").unwrap();
        assert_eq!((revision.family.as_str(), revision.number), ("automator", 17));
        assert!(read_arn("automator").is_none());
    }
}
