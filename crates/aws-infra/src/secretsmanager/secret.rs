//! A secret (X1, C05). Its value is written and never read: a digest of it, kept as a tag, tells whether it is the one wanted.

use std::collections::BTreeMap;

use aws_sdk_secretsmanager::types::{Filter, FilterNameStringType, Tag};
use resource_graph::{
    Action, Certainty, Compare, Cx, Given, Inventory, Knowns, Listed, Mark, NodeId, Present, Resource, Result, Seen,
    Verdict,
};
use secrecy::{ExposeSecret, SecretString};

use crate::fail::{failed, gone, has_code, required, unless_missing};
use crate::{DEPLOYMENT_TAG, DIGEST_TAG, Home, NODE_TAG, SecretArn, digest};

const MISSING: &str = "ResourceNotFoundException";

/// A secret.
pub struct Secret {
    /// Where it lives.
    pub home: Home,
    /// Its node.
    pub node: NodeId,
    /// Its name, unique in account and region, even among what is scheduled for deletion.
    pub name: String,
    /// Its value.
    pub value: Value,
}

/// What is in a secret.
pub enum Value {
    /// This.
    Given(SecretString),
    /// What another node writes into it, see [`super::Versions`]: it is made empty, and its content is not looked at.
    KeptByAnother,
}

/// A secret that exists.
#[derive(Clone, Debug)]
pub struct Found {
    arn: SecretArn,
    name: String,
    digest: Option<String>,
    /// Scheduled for deletion: it still takes the name, and nobody may read it.
    deleted: bool,
    /// The versions labelled current and previous.
    current: Option<String>,
    previous: Option<String>,
}

impl Secret {
    /// The value and its digest, which is salted with where it belongs, so that the same value gives another digest elsewhere.
    fn given(&self) -> Option<(&SecretString, String)> {
        let Value::Given(value) = &self.value else { return None };
        let (deployment, node) = (self.home.deployment(), self.node.as_str());
        Some((value, digest(&["keeper-automator secret", deployment, node, value.expose_secret()])))
    }

    /// The id of the version that holds the value wanted and follows `before`.
    ///
    /// It follows from both, so that a repeated write makes no second version, and going back to an earlier value makes a new
    /// one: a write with the id of an old version would be taken for a repetition and ignored.
    fn version(&self, digest: &str, before: Option<&str>) -> String {
        self.home.token(&self.node, &format!("version {digest} after {}", before.unwrap_or("none")))
    }

    async fn create(&self) -> Result<Found> {
        let action = format!("create secret `{}`", self.name);
        let mut tags = self.home.tags(&self.node, Mark::Managed);
        let call = self.home.aws.secrets.create_secret().name(&self.name);
        let given = self.given().map(|(value, digest)| (value, self.version(&digest, None), digest));
        let call = match &given {
            None => call.client_request_token(self.home.token(&self.node, "empty")),
            Some((value, version, digest)) => {
                tags.insert(DIGEST_TAG.to_owned(), digest.clone());
                call.client_request_token(version).secret_string(value.expose_secret())
            }
        };
        let call = call.set_tags(Some(tagged(tags)));
        let made = call.send().await.map_err(|error| {
            // Made by an earlier try, or by somebody else since the look: another look tells.
            let exists = has_code(&error, &["ResourceExistsException"]);
            // The name of a secret that was deleted is free only after a while.
            let taken = has_code(&error, &["InvalidRequestException"]);
            let error = failed(&action, error);
            if exists {
                error.certainty(Certainty::MaybeDone)
            } else if taken {
                error.certainty(Certainty::NotDone)
            } else {
                error
            }
        })?;
        Ok(Found {
            arn: SecretArn::new(required(made.arn(), &action, "arn")?),
            name: self.name.clone(),
            digest: given.as_ref().map(|(_, _, digest)| digest.clone()),
            deleted: false,
            current: given.map(|(_, version, _)| version),
            previous: None,
        })
    }

    /// First the value, then the tag: a kill in between leaves a digest that does not fit, and the next run goes on here.
    async fn update(&self, found: Found, adopt: bool) -> Result<Found> {
        let secrets = &self.home.aws.secrets;
        let Found { arn, name, .. } = &found;
        if found.deleted {
            let answer = secrets.restore_secret().secret_id(arn.as_str()).send().await;
            answer.map_err(|error| failed(format!("restore secret `{name}`"), error))?;
        }
        let mut tags = if adopt { self.home.tags(&self.node, Mark::Adopted) } else { BTreeMap::new() };
        let (mut current, mut previous) = (found.current.clone(), found.previous.clone());
        let mut now = found.digest.clone();
        if let Some((value, digest)) = self.given() {
            let written = found.current.as_ref() == Some(&self.version(&digest, found.previous.as_deref()));
            if !written {
                let version = self.version(&digest, current.as_deref());
                let call = secrets.put_secret_value().secret_id(arn.as_str()).client_request_token(&version);
                let answer = call.secret_string(value.expose_secret()).send().await;
                answer.map_err(|error| failed(format!("write secret `{name}`"), error))?;
                previous = current.replace(version);
            }
            tags.insert(DIGEST_TAG.to_owned(), digest.clone());
            now = Some(digest);
        }
        if !tags.is_empty() {
            let answer = secrets.tag_resource().secret_id(arn.as_str()).set_tags(Some(tagged(tags))).send().await;
            answer.map_err(|error| failed(format!("tag secret `{name}`"), error))?;
        }
        Ok(Found { digest: now, deleted: false, current, previous, ..found })
    }
}

impl Resource for Secret {
    const KIND: &'static str = "secret";
    type Needs = ();
    type Found = Found;
    type Output = SecretArn;

    fn id(&self) -> NodeId {
        self.node.clone()
    }

    fn summary(&self) -> String {
        self.name.clone()
    }

    fn needs(&self) {}

    async fn look(&self, _cx: &Cx, (): &Present<Self>) -> Result<Seen<Found>> {
        let mut ours = Vec::new();
        for (arn, tags) in list(&self.home, Some(&self.node)).await? {
            if self.home.node_of(&tags).as_ref() == Some(&self.node)
                && let Some((found, tags)) = describe(&self.home, arn.as_str()).await?
                && found.name != self.name
                && self.home.mark(&self.node, &tags) == Mark::Managed
                && !found.deleted
            {
                ours.push(found);
            }
        }
        // By name, because a list does not tell of what was made a moment ago, nor of what is scheduled for deletion.
        if let Some((found, tags)) = describe(&self.home, &self.name).await? {
            return Ok(Seen { current: Some((found, self.home.mark(&self.node, &tags))), stale: ours });
        }
        Ok(Seen::pick(ours, |_| false))
    }

    fn plan(&self, found: &Found, (): &Knowns<Self>) -> Verdict {
        let mut compare = Compare::new();
        compare.replace("name", &found.name, &self.name, None);
        if found.deleted {
            compare.differs("state", Some("scheduled for deletion".to_owned()), Some("in use".to_owned()));
        }
        if let Some((_, digest)) = self.given()
            && found.digest.as_ref() != Some(&digest)
        {
            compare.differs("value", Some("another one".to_owned()), Some("the one wanted".to_owned()));
        }
        compare.verdict()
    }

    fn output(&self, found: &Found) -> SecretArn {
        found.arn.clone()
    }

    async fn apply(&self, _cx: &Cx, action: Action<Found>, (): Given<Self>) -> Result<Found> {
        match action {
            Action::Create => self.create().await,
            Action::Update { found, adopt } => self.update(found, adopt).await,
        }
    }

    async fn destroy(&self, cx: &Cx, found: Found) -> Result<()> {
        destroy(&self.home, cx, &found.arn).await
    }
}

/// All secrets of a deployment.
pub struct Secrets(pub Home);

impl Inventory for Secrets {
    const KIND: &'static str = Secret::KIND;
    type Found = SecretArn;

    async fn list(&self, _cx: &Cx) -> Result<Vec<Listed<SecretArn>>> {
        let mut listed = Vec::new();
        for (arn, tags) in list(&self.0, None).await? {
            let Some(node) = self.0.managed_node_of(&tags) else { continue };
            // A listing may be minutes old.
            if describe(&self.0, arn.as_str()).await?.is_some_and(|(found, _)| !found.deleted) {
                listed.push(Listed { node, label: arn.to_string(), found: arn });
            }
        }
        Ok(listed)
    }

    async fn destroy(&self, cx: &Cx, found: SecretArn) -> Result<()> {
        destroy(&self.0, cx, &found).await
    }
}

/// Secrets that may be ours: a filter takes keys and values apart from each other and by their beginnings, so the tags
/// themselves decide.
async fn list(home: &Home, node: Option<&NodeId>) -> Result<Vec<(SecretArn, BTreeMap<String, String>)>> {
    let filter = |key: FilterNameStringType, value: &str| Filter::builder().key(key).values(value).build();
    let value = node.map_or(home.deployment(), NodeId::as_str);
    let key = if node.is_some() { NODE_TAG } else { DEPLOYMENT_TAG };
    let filters = vec![filter(FilterNameStringType::TagKey, key), filter(FilterNameStringType::TagValue, value)];
    let call = home.aws.secrets.list_secrets().include_planned_deletion(false).set_filters(Some(filters));
    let mut pages = call.into_paginator().send();
    let mut secrets = Vec::new();
    while let Some(page) = pages.next().await {
        for secret in page.map_err(|error| failed("list secrets", error))?.secret_list() {
            let arn = SecretArn::new(required(secret.arn(), "list secrets", "arn")?);
            secrets.push((arn, untagged(secret.tags())));
        }
    }
    Ok(secrets)
}

async fn describe(home: &Home, id: &str) -> Result<Option<(Found, BTreeMap<String, String>)>> {
    let action = format!("describe secret `{id}`");
    let answer = home.aws.secrets.describe_secret().secret_id(id).send().await;
    let Some(answer) = unless_missing(answer, &[MISSING], &action)? else { return Ok(None) };
    let tags = untagged(answer.tags());
    let labelled = |label: &str| {
        let versions = answer.version_ids_to_stages()?;
        versions.iter().find(|(_, labels)| labels.iter().any(|known| known == label)).map(|(id, _)| id.clone())
    };
    let found = Found {
        arn: SecretArn::new(required(answer.arn(), &action, "arn")?),
        name: required(answer.name(), &action, "name")?,
        digest: tags.get(DIGEST_TAG).cloned(),
        deleted: answer.deleted_date().is_some(),
        current: labelled("AWSCURRENT"),
        previous: labelled("AWSPREVIOUS"),
    };
    Ok(Some((found, tags)))
}

pub(super) fn tagged(tags: BTreeMap<String, String>) -> Vec<Tag> {
    tags.into_iter().map(|(key, value)| Tag::builder().key(key).value(value).build()).collect()
}

pub(super) fn untagged(tags: &[Tag]) -> BTreeMap<String, String> {
    tags.iter().filter_map(|tag| Some((tag.key()?.to_owned(), tag.value()?.to_owned()))).collect()
}

/// At once: with a recovery window the value would stay for weeks, and so would the name.
async fn destroy(home: &Home, cx: &Cx, arn: &SecretArn) -> Result<()> {
    cx.say(format!("deleting secret `{arn}` at once, without a recovery window"));
    let call = home.aws.secrets.delete_secret().secret_id(arn.as_str()).force_delete_without_recovery(true);
    gone(call.send().await, &[MISSING], &[], &format!("delete secret `{arn}`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(value: &str) -> Secret {
        Secret {
            home: crate::testing::home(),
            node: NodeId::from("secret/ksm-config"),
            name: "automator-ksm-config".to_owned(),
            value: Value::Given(SecretString::from(value.to_owned())),
        }
    }

    fn found(digest: Option<String>, deleted: bool) -> Found {
        Found {
            arn: SecretArn::new("arn:aws:secretsmanager:eu-west-1:123456789012:secret:automator-ksm-config-AbCdEf"),
            name: "automator-ksm-config".to_owned(),
            digest,
            deleted,
            current: None,
            previous: None,
        }
    }

    #[tokio::test]
    async fn another_value_and_a_planned_deletion_are_updates_that_show_no_value() {
        let wanted = secret("marker-one");
        assert_eq!(wanted.plan(&found(Some(wanted.given().unwrap().1), false), &()), Verdict::Keep);
        assert!(matches!(wanted.plan(&found(None, false), &()), Verdict::Update { .. }));
        let verdict = wanted.plan(&found(Some(secret("marker-two").given().unwrap().1), true), &());
        let Verdict::Update { changes, .. } = &verdict else { panic!() };
        let text = resource_graph::describe(changes);
        assert_eq!(text, "state scheduled for deletion -> in use, value another one -> the one wanted");
        let shown = format!("{verdict:?} {} {:?}", wanted.summary(), found(Some(wanted.given().unwrap().1), false));
        assert!(!shown.contains("marker"));
    }

    #[tokio::test]
    async fn what_another_node_keeps_in_it_is_no_difference() {
        let secret = Secret { value: Value::KeptByAnother, ..secret("") };
        assert_eq!(secret.plan(&found(None, false), &()), Verdict::Keep);
        assert_eq!(secret.plan(&found(Some("of an earlier value".to_owned()), false), &()), Verdict::Keep);
    }

    #[tokio::test]
    async fn going_back_to_an_earlier_value_is_a_new_version() {
        let (one, two) = (secret("one"), secret("two"));
        let version = |secret: &Secret, before| secret.version(&secret.given().unwrap().1, before);
        let first = version(&one, None);
        let second = version(&two, Some(&first));
        let third = version(&one, Some(&second));
        assert_eq!(second, version(&two, Some(&first)));
        assert!(first != second && second != third && first != third);
        assert!((32..=64).contains(&first.len()));
    }
}
