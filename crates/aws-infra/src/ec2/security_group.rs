//! A security group (A4, A5). Its rules are a resource of their own, so that two groups may name each other.

use aws_sdk_ec2::types::{self, ResourceType};
use resource_graph::{
    Action, Compare, Cx, Given, Inventory, Knowns, Listed, NodeId, Present, Ref, Resource, Result, Seen, Verdict,
};

use super::{filter, of_deployment, of_node, once, tagged, tags, until_visible};
use crate::fail::{failed, gone, incomplete, required};
use crate::{Home, SecurityGroupId, VpcId};

/// A security group.
pub struct SecurityGroup {
    /// Where it lives.
    pub home: Home,
    /// Its node.
    pub node: NodeId,
    /// Its name, at most 255 characters; it cannot be changed.
    pub name: String,
    /// What it is for; it cannot be changed, and AWS accepts only ASCII.
    pub description: String,
    /// The VPC it belongs to.
    pub vpc: Ref<VpcId>,
}

/// A security group that exists.
#[derive(Clone, Debug)]
pub struct Found {
    id: SecurityGroupId,
    name: String,
    vpc: VpcId,
}

impl Resource for SecurityGroup {
    const KIND: &'static str = "security-group";
    type Needs = (Ref<VpcId>,);
    type Found = Found;
    type Output = SecurityGroupId;

    fn id(&self) -> NodeId {
        self.node.clone()
    }

    fn summary(&self) -> String {
        self.name.clone()
    }

    fn needs(&self) -> Self::Needs {
        (self.vpc.clone(),)
    }

    async fn look(&self, _cx: &Cx, (vpc,): &Present<Self>) -> Result<Seen<Found>> {
        let ours = describe(&self.home, of_node(&self.home, &self.node)).await?;
        if !ours.is_empty() {
            let found = ours.into_iter().map(|group| group.found).collect();
            return Ok(Seen::pick(found, |found: &Found| Some(&found.vpc) == vpc.as_ref() && found.name == self.name));
        }
        // A name is taken within its VPC, whoever took it.
        let Some(vpc) = vpc else { return Ok(Seen::absent()) };
        let same_name = vec![filter("vpc-id", vpc.as_str()), filter("group-name", &self.name)];
        let group = describe(&self.home, same_name).await?.into_iter().next();
        Ok(group.map_or_else(Seen::absent, |group| Seen::here(group.found, self.home.mark(&self.node, &group.tags))))
    }

    fn plan(&self, found: &Found, (vpc,): &Knowns<Self>) -> Verdict {
        Compare::new().need("vpc", &found.vpc, vpc).replace("name", &found.name, &self.name, None).verdict()
    }

    fn output(&self, found: &Found) -> SecurityGroupId {
        found.id.clone()
    }

    async fn apply(&self, cx: &Cx, action: Action<Found>, (vpc,): Given<Self>) -> Result<Found> {
        let ec2 = &self.home.aws.ec2;
        match action {
            Action::Create => {
                let action = format!("create security-group `{}`", self.name);
                let made = ec2
                    .create_security_group()
                    .group_name(&self.name)
                    .description(&self.description)
                    .vpc_id(vpc.as_str())
                    .tag_specifications(tagged(ResourceType::SecurityGroup, &self.home, &self.node, &self.name))
                    .customize()
                    .config_override(once())
                    .send()
                    .await
                    .map_err(|error| failed(&action, error))?;
                let id = SecurityGroupId::new(required(made.group_id(), &action, "group id")?);
                let filters = || vec![filter("group-id", id.as_str())];
                let look = || async { Ok(!describe(&self.home, filters()).await?.is_empty()) };
                until_visible(cx, &format!("security-group `{id}`"), look).await?;
                Ok(Found { id, name: self.name.clone(), vpc })
            }
            Action::Update { found, .. } => {
                let action = format!("tag security-group `{}`", found.id);
                super::adopt(&self.home, &self.node, found.id.as_str(), &action).await?;
                Ok(found)
            }
        }
    }

    async fn destroy(&self, _cx: &Cx, found: Found) -> Result<()> {
        destroy(&self.home, &found.id).await
    }
}

/// All security groups of a deployment.
pub struct SecurityGroups(pub Home);

impl Inventory for SecurityGroups {
    const KIND: &'static str = SecurityGroup::KIND;
    type Found = SecurityGroupId;

    async fn list(&self, _cx: &Cx) -> Result<Vec<Listed<SecurityGroupId>>> {
        let groups = describe(&self.0, vec![of_deployment(&self.0)]).await?;
        Ok(groups
            .into_iter()
            .filter_map(|group| {
                let node = self.0.managed_node_of(&group.tags)?;
                Some(Listed { node, label: group.found.id.to_string(), found: group.found.id })
            })
            .collect())
    }

    async fn destroy(&self, _cx: &Cx, found: SecurityGroupId) -> Result<()> {
        destroy(&self.0, &found).await
    }
}

struct Described {
    found: Found,
    tags: std::collections::BTreeMap<String, String>,
}

async fn describe(home: &Home, filters: Vec<types::Filter>) -> Result<Vec<Described>> {
    let action = "describe security-groups";
    let mut pages = home.aws.ec2.describe_security_groups().set_filters(Some(filters)).into_paginator().send();
    let mut groups = Vec::new();
    while let Some(page) = pages.next().await {
        for group in page.map_err(|error| failed(action, error))?.security_groups() {
            groups.push(Described {
                found: read(group).ok_or_else(|| incomplete(action, "group id"))?,
                tags: tags(group.tags()),
            });
        }
    }
    Ok(groups)
}

fn read(group: &types::SecurityGroup) -> Option<Found> {
    Some(Found {
        id: SecurityGroupId::new(group.group_id()?),
        name: group.group_name()?.to_owned(),
        vpc: VpcId::new(group.vpc_id()?),
    })
}

/// A network interface lingers for minutes after its task, mount target or balancer is gone, and holds its group meanwhile.
async fn destroy(home: &Home, id: &SecurityGroupId) -> Result<()> {
    let answer = home.aws.ec2.delete_security_group().group_id(id.as_str()).send().await;
    gone(answer, &["InvalidGroup.NotFound"], &["DependencyViolation"], &format!("delete security-group `{id}`"))
}

#[cfg(test)]
mod tests {
    use resource_graph::{Fixed, Graph, Known, Label, Verdict};

    use super::*;

    fn group(vpc: Ref<VpcId>) -> SecurityGroup {
        SecurityGroup {
            home: crate::testing::home(),
            node: NodeId::from("security-group/task"),
            name: "automator-task".to_owned(),
            description: "tasks".to_owned(),
            vpc,
        }
    }

    #[tokio::test]
    async fn a_group_in_another_vpc_is_replaced_and_a_fitting_one_kept() {
        let vpc = Graph::new().add(Label::default(), Fixed::new("vpc", VpcId::new("vpc-1")));
        let group = group(vpc);
        let found =
            Found { id: SecurityGroupId::new("sg-1"), name: "automator-task".to_owned(), vpc: VpcId::new("vpc-1") };
        assert_eq!(group.plan(&found, &(Known::Same(VpcId::new("vpc-1")),)), Verdict::Keep);
        let replaced = [Known::Same(VpcId::new("vpc-2")), Known::WillChange(VpcId::new("vpc-1")), Known::Unknown];
        for vpc in replaced {
            assert!(matches!(group.plan(&found, &(vpc,)), Verdict::Replace { .. }));
        }
    }
}
