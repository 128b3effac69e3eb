//! The log group (A2, C10, C18): it must be there before a task starts, because the tasks may not create it.

use std::collections::BTreeMap;

use resource_graph::{
    Action, Compare, Cx, Given, Inventory, Knowns, Listed, Mark, NodeId, Present, Resource, Result, Seen, Verdict,
};

use super::{BUSY, EXISTS, MISSING};
use crate::fail::{failed, failed_early, gone, has_code, incomplete};
use crate::{Home, LogGroupName};

/// A log group.
pub struct LogGroup {
    /// Where it lives.
    pub home: Home,
    /// Its node.
    pub node: NodeId,
    /// Its name, unique in account and region.
    pub name: String,
    /// How long lines are kept. CloudWatch accepts only certain numbers of days.
    pub retention_days: i32,
}

/// A log group that exists.
#[derive(Clone, Debug)]
pub struct Found {
    name: LogGroupName,
    /// Without it lines are kept for ever.
    retention_days: Option<i32>,
}

impl Resource for LogGroup {
    const KIND: &'static str = "log-group";
    type Needs = ();
    type Found = Found;
    type Output = LogGroupName;

    fn id(&self) -> NodeId {
        self.node.clone()
    }

    fn summary(&self) -> String {
        format!("{}, kept {} days", self.name, self.retention_days)
    }

    fn needs(&self) {}

    async fn look(&self, _cx: &Cx, (): &Present<Self>) -> Result<Seen<Found>> {
        let group =
            describe(&self.home, &self.name).await?.into_iter().find(|group| group.found.name.as_str() == self.name);
        let Some(group) = group else { return Ok(Seen::absent()) };
        let mark = self.home.mark(&self.node, &tags(&self.home, &group.arn).await?);
        Ok(Seen::here(group.found, mark))
    }

    fn plan(&self, found: &Found, (): &Knowns<Self>) -> Verdict {
        let there = found.retention_days.map_or_else(|| "for ever".to_owned(), |days| format!("{days} days"));
        Compare::new().update("retention", &there, &format!("{} days", self.retention_days)).verdict()
    }

    fn output(&self, found: &Found) -> LogGroupName {
        found.name.clone()
    }

    async fn apply(&self, _cx: &Cx, action: Action<Found>, (): Given<Self>) -> Result<Found> {
        let logs = &self.home.aws.logs;
        let name = &self.name;
        match action {
            // The name is the idempotency token: a second create is refused, so the SDK may repeat this one.
            Action::Create => {
                let tags = self.home.tags(&self.node, Mark::Managed).into_iter().collect();
                let answer = logs.create_log_group().log_group_name(name).set_tags(Some(tags)).send().await;
                match answer {
                    Err(error) if !has_code(&error, &EXISTS) => {
                        return Err(failed_early(format!("create log-group `{name}`"), error, &BUSY));
                    }
                    _ => {}
                }
            }
            Action::Update { adopt: true, .. } => {
                let action = format!("tag log-group `{name}`");
                let group =
                    describe(&self.home, name).await?.into_iter().find(|group| group.found.name.as_str() == *name);
                let arn = group.ok_or_else(|| incomplete(&action, "log group"))?.arn;
                let tags = self.home.tags(&self.node, Mark::Adopted).into_iter().collect();
                let call = logs.tag_resource().resource_arn(arn).set_tags(Some(tags));
                call.send().await.map_err(|error| failed(action, error))?;
            }
            Action::Update { adopt: false, .. } => {}
        }
        let call = logs.put_retention_policy().log_group_name(name).retention_in_days(self.retention_days);
        let action = format!("set the retention of log-group `{name}`");
        call.send().await.map_err(|error| failed_early(action, error, &BUSY))?;
        Ok(Found { name: LogGroupName::new(name), retention_days: Some(self.retention_days) })
    }

    async fn destroy(&self, _cx: &Cx, found: Found) -> Result<()> {
        destroy(&self.home, &found.name).await
    }
}

/// All log groups of a deployment whose names begin with one of these.
pub struct LogGroups {
    /// Where they live.
    pub home: Home,
    /// Beginnings of the names a deployment gives; tags cannot be searched for here.
    pub prefixes: Vec<String>,
}

impl Inventory for LogGroups {
    const KIND: &'static str = LogGroup::KIND;
    type Found = LogGroupName;

    async fn list(&self, _cx: &Cx) -> Result<Vec<Listed<LogGroupName>>> {
        let mut listed: Vec<Listed<LogGroupName>> = Vec::new();
        for prefix in &self.prefixes {
            for group in describe(&self.home, prefix).await? {
                let node = self.home.managed_node_of(&tags(&self.home, &group.arn).await?);
                if let Some(node) = node
                    && !listed.iter().any(|known| known.found == group.found.name)
                {
                    listed.push(Listed { node, label: group.found.name.to_string(), found: group.found.name });
                }
            }
        }
        Ok(listed)
    }

    async fn destroy(&self, _cx: &Cx, found: LogGroupName) -> Result<()> {
        destroy(&self.home, &found).await
    }
}

struct Described {
    found: Found,
    arn: String,
}

async fn describe(home: &Home, prefix: &str) -> Result<Vec<Described>> {
    let action = "describe log-groups";
    let mut pages = home.aws.logs.describe_log_groups().log_group_name_prefix(prefix).into_paginator().send();
    let mut groups = Vec::new();
    while let Some(page) = pages.next().await {
        for group in page.map_err(|error| failed(action, error))?.log_groups() {
            let name = group.log_group_name().ok_or_else(|| incomplete(action, "name"))?;
            // `arn` ends in `:*`, which the tag calls refuse; `logGroupArn` does not, where it is told.
            let arn = group.log_group_arn().or(group.arn()).ok_or_else(|| incomplete(action, "arn"))?;
            groups.push(Described {
                found: Found { name: LogGroupName::new(name), retention_days: group.retention_in_days() },
                arn: arn.trim_end_matches(":*").to_owned(),
            });
        }
    }
    Ok(groups)
}

async fn tags(home: &Home, arn: &str) -> Result<BTreeMap<String, String>> {
    let answer = home.aws.logs.list_tags_for_resource().resource_arn(arn).send().await;
    match answer {
        Ok(answer) => Ok(answer.tags().cloned().unwrap_or_default().into_iter().collect()),
        // It went between the two calls.
        Err(error) if has_code(&error, &["ResourceNotFoundException"]) => Ok(BTreeMap::new()),
        Err(error) => Err(failed(format!("read the tags of `{arn}`"), error)),
    }
}

async fn destroy(home: &Home, name: &LogGroupName) -> Result<()> {
    let answer = home.aws.logs.delete_log_group().log_group_name(name.as_str()).send().await;
    gone(answer, &MISSING, &BUSY, &format!("delete log-group `{name}`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_group_that_keeps_lines_for_ever_is_corrected() {
        let group = LogGroup {
            home: crate::testing::home(),
            node: NodeId::from("log-group"),
            name: "automator-logs".to_owned(),
            retention_days: 90,
        };
        let found = |retention_days| Found { name: LogGroupName::new("automator-logs"), retention_days };
        assert_eq!(group.plan(&found(Some(90)), &()), Verdict::Keep);
        let Verdict::Update { changes, .. } = group.plan(&found(None), &()) else { panic!() };
        assert_eq!(resource_graph::describe(&changes), "retention for ever -> 90 days");
    }
}
