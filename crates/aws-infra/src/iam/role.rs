//! A role of the tasks (A3, C03): whom ECS may be on the tasks' behalf. What it may do beyond Amazon's own policies are
//! resources of their own ([`super::RolePolicy`]), because they name things that are made after it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use resource_graph::{
    Action, Certainty, Compare, Cx, Field, Given, Inventory, Knowns, Listed, Mark, NodeId, Pace, Present, Progress,
    Resource, Result, Seen, Verdict,
};
use serde_json::{Value, json};

use super::document::{normal, parse};
use super::{BUSY, MISSING, refused, tagged, tags};
use crate::fail::{failed, gone, has_code, incomplete, required, unless_missing};
use crate::home::REGION_TAG;
use crate::{Home, RoleArn};

/// A role that ECS tasks take on.
pub struct Role {
    /// Where it lives.
    pub home: Home,
    /// Its node.
    pub node: NodeId,
    /// Its name, at most 64 characters and unique in the account, whatever the region and the path.
    pub name: String,
    /// Its path, [`Role::PATH`] unless it must be `/`; it cannot be changed, and one that exists keeps its own.
    pub path: String,
    /// Amazon's own policies below `service-role/` (C03); these and no others are attached.
    pub managed_policies: Vec<String>,
}

/// A role that exists.
#[derive(Clone, Debug)]
pub struct Found {
    name: String,
    arn: RoleArn,
    trust: Value,
    /// The ARNs of the policies attached.
    policies: BTreeSet<String>,
}

/// What others need of a role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoleOutput {
    /// Its name.
    pub name: String,
    /// Its ARN.
    pub arn: RoleArn,
}

impl RoleOutput {
    /// Its name.
    pub const NAME: Field<Self, String> = Field::new("name", |output| output.name.clone());
    /// Its ARN.
    pub const ARN: Field<Self, RoleArn> = Field::new("arn", |output| output.arn.clone());
}

impl Role {
    /// Where our roles are: IAM cannot be asked for tags, only for a path.
    pub const PATH: &'static str = "/keeper-automator/";

    /// Only tasks of this account: without the condition ECS could be talked into it by somebody else's tasks.
    fn trust(&self) -> Value {
        json!({
            "Version": "2012-10-17",
            "Statement": [{
                "Effect": "Allow",
                "Principal": { "Service": "ecs-tasks.amazonaws.com" },
                "Action": "sts:AssumeRole",
                "Condition": { "StringEquals": { "aws:SourceAccount": self.home.aws.account } },
            }],
        })
    }

    /// The ARN's beginning differs by partition.
    fn policies(&self) -> BTreeSet<String> {
        let partition = &self.home.aws.partition;
        let arn = |name: &String| format!("arn:{partition}:iam::aws:policy/service-role/{name}");
        self.managed_policies.iter().map(arn).collect()
    }

    async fn create(&self, cx: &Cx) -> Result<Found> {
        let action = format!("create role `{}`", self.name);
        let call = self.home.aws.iam.create_role().role_name(&self.name).path(&self.path);
        let call = call.assume_role_policy_document(self.trust().to_string());
        let answer = call.set_tags(Some(tagged(&self.home, &self.node, Mark::Managed)?)).send().await;
        let made = match answer {
            Ok(made) => made,
            // The name is the idempotency token, so the SDK may repeat the call, and this may be the answer to its repetition. A
            // look tells whose the role is.
            Err(error) if has_code(&error, &["EntityAlreadyExists"]) => {
                return Err(failed(action, error).certainty(Certainty::MaybeDone));
            }
            Err(error) => return Err(refused(action, error)),
        };
        let arn = required(made.role().map(aws_sdk_iam::types::Role::arn), &action, "arn")?;
        let what = format!("role `{}` to be known", self.name);
        cx.wait_until(&what, Pace::new(Duration::from_secs(1), Duration::from_secs(60)), || async {
            let there = get(&self.home, &self.name).await?;
            Ok(there.map_or_else(|| Progress::Pending("not known yet".to_owned()), |_| Progress::Ready(())))
        })
        .await?;
        let trust = normal(self.trust());
        Ok(Found { name: self.name.clone(), arn: RoleArn::new(arn), trust, policies: BTreeSet::new() })
    }
}

impl Resource for Role {
    const KIND: &'static str = "role";
    type Needs = ();
    type Found = Found;
    type Output = RoleOutput;

    fn id(&self) -> NodeId {
        self.node.clone()
    }

    fn summary(&self) -> String {
        self.name.clone()
    }

    fn needs(&self) {}

    async fn look(&self, _cx: &Cx, (): &Present<Self>) -> Result<Seen<Found>> {
        let mut seen = Seen::absent();
        if let Some((found, tags)) = get(&self.home, &self.name).await? {
            seen = Seen::here(found, self.home.mark(&self.node, &tags));
        }
        Ok(seen)
    }

    fn plan(&self, found: &Found, (): &Knowns<Self>) -> Verdict {
        let mut compare = Compare::new();
        compare.update("trust", &found.trust, &normal(self.trust()));
        let wanted = self.policies();
        for policy in wanted.difference(&found.policies) {
            compare.differs("policy", Some("none".to_owned()), Some(policy.clone()));
        }
        for policy in found.policies.difference(&wanted) {
            compare.differs("policy", Some(policy.clone()), Some("none".to_owned()));
        }
        compare.verdict()
    }

    fn output(&self, found: &Found) -> RoleOutput {
        RoleOutput { name: found.name.clone(), arn: found.arn.clone() }
    }

    async fn apply(&self, cx: &Cx, action: Action<Found>, (): Given<Self>) -> Result<Found> {
        let iam = &self.home.aws.iam;
        let name = &self.name;
        let found = match action {
            Action::Create => self.create(cx).await?,
            Action::Update { found, adopt } => {
                if adopt {
                    let tags = tagged(&self.home, &self.node, Mark::Adopted)?;
                    let answer = iam.tag_role().role_name(name).set_tags(Some(tags)).send().await;
                    answer.map_err(|error| refused(format!("tag role `{name}`"), error))?;
                }
                found
            }
        };
        let trust = normal(self.trust());
        if found.trust != trust {
            let call = iam.update_assume_role_policy().role_name(name).policy_document(self.trust().to_string());
            call.send().await.map_err(|error| refused(format!("set the trust of role `{name}`"), error))?;
        }
        let wanted = self.policies();
        for policy in wanted.difference(&found.policies) {
            let answer = iam.attach_role_policy().role_name(name).policy_arn(policy).send().await;
            answer.map_err(|error| refused(format!("attach policy `{policy}` to role `{name}`"), error))?;
        }
        for policy in found.policies.difference(&wanted) {
            detach(&self.home, name, policy).await?;
        }
        Ok(Found { trust, policies: wanted, ..found })
    }

    async fn destroy(&self, _cx: &Cx, found: Found) -> Result<()> {
        destroy(&self.home, &found.name).await
    }
}

/// All roles of a deployment below a path.
pub struct Roles {
    /// Where they live.
    pub home: Home,
    /// The path the deployment gives its roles. With `/` every role of the account is asked for its tags.
    pub path: String,
}

impl Inventory for Roles {
    const KIND: &'static str = Role::KIND;
    type Found = String;

    async fn list(&self, _cx: &Cx) -> Result<Vec<Listed<String>>> {
        let iam = &self.home.aws.iam;
        let mut pages = iam.list_roles().path_prefix(&self.path).into_paginator().send();
        let mut listed = Vec::new();
        while let Some(page) = pages.next().await {
            for role in page.map_err(|error| failed("list roles", error))?.roles() {
                let name = required(Some(role.role_name()), "list roles", "role name")?;
                // The listing itself leaves tags out.
                let answer = iam.list_role_tags().role_name(&name).send().await;
                let Some(answer) = unless_missing(answer, &[MISSING], &format!("read the tags of role `{name}`"))?
                else {
                    continue;
                };
                let tags = tags(answer.tags());
                // A deployment of the same name may be in another region.
                let is_here = tags.get(REGION_TAG).is_none_or(|region| *region == self.home.aws.region);
                if let Some(node) = self.home.managed_node_of(&tags).filter(|_| is_here) {
                    listed.push(Listed { node, label: name.clone(), found: name });
                }
            }
        }
        Ok(listed)
    }

    async fn destroy(&self, _cx: &Cx, found: String) -> Result<()> {
        destroy(&self.home, &found).await
    }
}

/// The role of that name with its tags, whoever's it is.
async fn get(home: &Home, name: &str) -> Result<Option<(Found, BTreeMap<String, String>)>> {
    let action = format!("read role `{name}`");
    let answer = home.aws.iam.get_role().role_name(name).send().await;
    let Some(answer) = unless_missing(answer, &[MISSING], &action)? else { return Ok(None) };
    let role = answer.role().ok_or_else(|| incomplete(&action, "role"))?;
    let found = Found {
        name: required(Some(role.role_name()), &action, "role name")?,
        arn: RoleArn::new(required(Some(role.arn()), &action, "arn")?),
        trust: parse(role.assume_role_policy_document().unwrap_or_default()),
        policies: attached(home, name).await?,
    };
    Ok(Some((found, tags(role.tags()))))
}

async fn attached(home: &Home, name: &str) -> Result<BTreeSet<String>> {
    let mut pages = home.aws.iam.list_attached_role_policies().role_name(name).into_paginator().send();
    let mut policies = BTreeSet::new();
    while let Some(page) = pages.next().await {
        // It may go between two calls.
        let Some(page) = unless_missing(page, &[MISSING], &format!("list the policies of role `{name}`"))? else {
            break;
        };
        policies.extend(page.attached_policies().iter().filter_map(|policy| policy.policy_arn()).map(str::to_owned));
    }
    Ok(policies)
}

async fn detach(home: &Home, name: &str, policy: &str) -> Result<()> {
    let answer = home.aws.iam.detach_role_policy().role_name(name).policy_arn(policy).send().await;
    gone(answer, &[MISSING], &BUSY, &format!("detach policy `{policy}` from role `{name}`"))
}

/// A role goes only without policies of either kind.
async fn destroy(home: &Home, name: &str) -> Result<()> {
    let iam = &home.aws.iam;
    for policy in attached(home, name).await? {
        detach(home, name, &policy).await?;
    }
    let mut pages = iam.list_role_policies().role_name(name).into_paginator().send();
    while let Some(page) = pages.next().await {
        let Some(page) = unless_missing(page, &[MISSING], &format!("list the policies of role `{name}`"))? else {
            break;
        };
        for policy in page.policy_names() {
            let answer = iam.delete_role_policy().role_name(name).policy_name(policy).send().await;
            gone(answer, &[MISSING], &BUSY, &format!("delete policy `{policy}` of role `{name}`"))?;
        }
    }
    let answer = iam.delete_role().role_name(name).send().await;
    gone(answer, &[MISSING], &BUSY, &format!("delete role `{name}`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn role() -> Role {
        Role {
            home: crate::testing::home(),
            node: NodeId::from("role/execution"),
            name: "automator-eu-west-1-execution".to_owned(),
            path: Role::PATH.to_owned(),
            managed_policies: vec!["AmazonECSTaskExecutionRolePolicy".to_owned()],
        }
    }

    #[tokio::test]
    async fn trust_and_policies_are_corrected_in_place() {
        let role = role();
        let arn = RoleArn::new("arn:aws:iam::123456789012:role/keeper-automator/automator-eu-west-1-execution");
        let found = |trust: Value, policy: &str| Found {
            name: role.name.clone(),
            arn: arn.clone(),
            trust: parse(&trust.to_string()),
            policies: BTreeSet::from([format!("arn:aws:iam::aws:policy/{policy}")]),
        };
        let right = "service-role/AmazonECSTaskExecutionRolePolicy";
        assert_eq!(role.plan(&found(role.trust(), right), &()), Verdict::Keep);
        let Verdict::Update { changes, .. } = role.plan(&found(role.trust(), "AdministratorAccess"), &()) else {
            panic!()
        };
        assert_eq!(
            resource_graph::describe(&changes),
            "policy none -> arn:aws:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy, \
             policy arn:aws:iam::aws:policy/AdministratorAccess -> none"
        );
        let mut trust = role.trust();
        trust["Statement"][0]["Condition"] = Value::Null;
        let Verdict::Update { changes, .. } = role.plan(&found(trust, right), &()) else { panic!() };
        assert_eq!(changes[0].field, "trust");
    }
}
