//! What a role may do (A3, C05, C06): read one secret, or mount the file systems through their access points. Nothing else.

use resource_graph::{
    Action, Certainty, Compare, Cx, Given, Known, Knowns, NodeId, Present, Ref, Resource, Result, Seen, Verdict,
};
use serde_json::{Value, json};

use super::document::{normal, parse};
use super::{BUSY, MISSING, RoleOutput, refused};
use crate::fail::{gone, has_code, unless_missing};
use crate::{AccessPointId, FileSystemId, Home, SecretArn};

/// A policy written into a role.
pub struct RolePolicy {
    /// Where it lives.
    pub home: Home,
    /// Its node.
    pub node: NodeId,
    /// The role.
    pub role: Ref<RoleOutput>,
    /// Its name within the role.
    pub name: String,
    /// What it allows.
    pub statement: Statement,
}

/// What a policy allows.
pub enum Statement {
    /// To read the value of exactly one secret: for the execution role (C05).
    ReadSecret(Ref<SecretArn>),
    /// To mount and write these file systems, only through these access points: for the task role.
    MountFileSystems {
        /// The file systems.
        file_systems: Vec<Ref<FileSystemId>>,
        /// The access points; without any the file systems may be mounted as they are.
        access_points: Vec<Ref<AccessPointId>>,
    },
}

/// A policy that exists.
#[derive(Clone, Debug)]
pub struct Found {
    role: String,
    document: Value,
}

type Parts<S, F, A> = (Option<S>, F, A);

impl RolePolicy {
    fn parts(&self) -> Parts<Ref<SecretArn>, Vec<Ref<FileSystemId>>, Vec<Ref<AccessPointId>>> {
        match &self.statement {
            Statement::ReadSecret(secret) => (Some(secret.clone()), Vec::new(), Vec::new()),
            Statement::MountFileSystems { file_systems, access_points } => {
                (None, file_systems.clone(), access_points.clone())
            }
        }
    }

    fn document(
        &self,
        (secret, file_systems, points): &Parts<SecretArn, Vec<FileSystemId>, Vec<AccessPointId>>,
    ) -> Value {
        let statement = if let Some(secret) = secret {
            json!({ "Effect": "Allow", "Action": "secretsmanager:GetSecretValue", "Resource": secret.as_str() })
        } else {
            let arn = |kind: &str, id: &str| {
                let aws = &self.home.aws;
                format!("arn:{}:elasticfilesystem:{}:{}:{kind}/{id}", aws.partition, aws.region, aws.account)
            };
            let resources: Vec<String> = file_systems.iter().map(|id| arn("file-system", id.as_str())).collect();
            let mut statement = json!({
                "Effect": "Allow",
                "Action": ["elasticfilesystem:ClientMount", "elasticfilesystem:ClientWrite"],
                "Resource": resources,
            });
            if !points.is_empty() {
                let points: Vec<String> = points.iter().map(|id| arn("access-point", id.as_str())).collect();
                statement["Condition"] = json!({ "StringEquals": { "elasticfilesystem:AccessPointArn": points } });
            }
            statement
        };
        json!({ "Version": "2012-10-17", "Statement": [statement] })
    }

    /// The document, if everything it names exists and stays.
    fn wanted(&self, (_, secret, file_systems, points): &Knowns<Self>) -> Option<Value> {
        let secret = match secret {
            None => None,
            Some(Known::Same(secret)) => Some(secret.clone()),
            Some(_) => return None,
        };
        let (Known::Same(file_systems), Known::Same(points)) = (file_systems, points) else { return None };
        Some(normal(self.document(&(secret, file_systems.clone(), points.clone()))))
    }
}

impl Resource for RolePolicy {
    const KIND: &'static str = "role-policy";
    type Needs = (Ref<RoleOutput>, Option<Ref<SecretArn>>, Vec<Ref<FileSystemId>>, Vec<Ref<AccessPointId>>);
    type Found = Found;
    type Output = ();

    fn id(&self) -> NodeId {
        self.node.clone()
    }

    fn summary(&self) -> String {
        match &self.statement {
            Statement::ReadSecret(_) => format!("{}: read one secret", self.name),
            Statement::MountFileSystems { file_systems, .. } => {
                format!("{}: mount {} file systems", self.name, file_systems.len())
            }
        }
    }

    fn needs(&self) -> Self::Needs {
        let (secret, file_systems, points) = self.parts();
        (self.role.clone(), secret, file_systems, points)
    }

    async fn look(&self, _cx: &Cx, (role, ..): &Present<Self>) -> Result<Seen<Found>> {
        let Some(RoleOutput { name: role, .. }) = role else { return Ok(Seen::absent()) };
        let answer = self.home.aws.iam.get_role_policy().role_name(role).policy_name(&self.name).send().await;
        let action = format!("read policy `{}` of role `{role}`", self.name);
        let answer = unless_missing(answer, &[MISSING], &action)?;
        // It has no tags; what is in our role under our name is ours.
        Ok(answer.map_or_else(Seen::absent, |answer| {
            Seen::ours(Found { role: role.clone(), document: parse(answer.policy_document()) })
        }))
    }

    fn plan(&self, found: &Found, needs: &Knowns<Self>) -> Verdict {
        let mut compare = Compare::new();
        compare.need("role", &found.role, &needs.0.clone().map(|role| role.name));
        match self.wanted(needs) {
            Some(wanted) => compare.update("document", &found.document, &wanted),
            None => compare.differs("document", Some(found.document.to_string()), None),
        };
        compare.verdict()
    }

    fn output(&self, _found: &Found) {}

    async fn apply(
        &self,
        _cx: &Cx,
        _action: Action<Found>,
        (role, secret, file_systems, points): Given<Self>,
    ) -> Result<Found> {
        let role = role.name;
        let document = self.document(&(secret, file_systems, points));
        let call = self.home.aws.iam.put_role_policy().role_name(&role).policy_name(&self.name);
        if let Err(error) = call.policy_document(document.to_string()).send().await {
            // A role just made is not known everywhere.
            let unknown = has_code(&error, &[MISSING]);
            let error = refused(format!("put policy `{}` into role `{role}`", self.name), error);
            return Err(if unknown { error.certainty(Certainty::NotDone) } else { error });
        }
        Ok(Found { role, document: normal(document) })
    }

    async fn destroy(&self, _cx: &Cx, found: Found) -> Result<()> {
        let call = self.home.aws.iam.delete_role_policy().role_name(&found.role).policy_name(&self.name);
        let action = format!("delete policy `{}` of role `{}`", self.name, found.role);
        gone(call.send().await, &[MISSING], &BUSY, &action)
    }
}

#[cfg(test)]
mod tests {
    use resource_graph::{Fixed, Graph, Label};

    use super::*;
    use crate::RoleArn;

    fn role() -> RoleOutput {
        RoleOutput { name: "tasks".to_owned(), arn: RoleArn::new("arn:aws:iam::123456789012:role/tasks") }
    }

    #[tokio::test]
    async fn only_the_secret_named_may_be_read() {
        let mut graph = Graph::new();
        let role_ref = graph.add(Label::default(), Fixed::new("role", role()));
        let arn =
            |suffix: &str| SecretArn::new(format!("arn:aws:secretsmanager:eu-west-1:123456789012:secret:a-{suffix}"));
        let secret = graph.add(Label::default(), Fixed::new("secret", arn("1")));
        let policy = RolePolicy {
            home: crate::testing::home(),
            node: NodeId::from("role-policy/read-secret"),
            role: role_ref,
            name: "read-secret".to_owned(),
            statement: Statement::ReadSecret(secret),
        };
        let known = |secret| (Known::Same(role()), Some(secret), Known::Same(Vec::new()), Known::Same(Vec::new()));
        let text = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":["secretsmanager:GetSecretValue"],
            "Resource":"arn:aws:secretsmanager:eu-west-1:123456789012:secret:a-1"}}"#;
        let found = Found { role: "tasks".to_owned(), document: parse(text) };
        assert_eq!(policy.plan(&found, &known(Known::Same(arn("1")))), Verdict::Keep);
        for secret in [Known::Same(arn("2")), Known::WillChange(arn("1")), Known::Unknown] {
            assert!(matches!(policy.plan(&found, &known(secret)), Verdict::Update { .. }));
        }
    }

    #[tokio::test]
    async fn file_systems_are_mounted_only_through_their_access_points() {
        let mut graph = Graph::new();
        let role_ref = graph.add(Label::default(), Fixed::new("role", role()));
        let statement = Statement::MountFileSystems { file_systems: Vec::new(), access_points: Vec::new() };
        let home = crate::testing::home();
        let node = NodeId::from("role-policy/mount");
        let policy = RolePolicy { home, node, role: role_ref, name: "mount".to_owned(), statement };
        let document = policy.document(&(None, vec![FileSystemId::new("fs-1")], vec![AccessPointId::new("fsap-1")]));
        let statement = &document["Statement"][0];
        assert_eq!(statement["Action"], json!(["elasticfilesystem:ClientMount", "elasticfilesystem:ClientWrite"]));
        assert_eq!(statement["Resource"], json!(["arn:aws:elasticfilesystem:eu-west-1:123456789012:file-system/fs-1"]));
        assert_eq!(
            statement["Condition"]["StringEquals"]["elasticfilesystem:AccessPointArn"],
            json!(["arn:aws:elasticfilesystem:eu-west-1:123456789012:access-point/fsap-1"])
        );
    }
}
