//! Writing into a secret that [`super::Value::KeptByAnother`] made: by a node whose value is made while the guide runs.

use std::collections::BTreeMap;

use resource_graph::Result;
use secrecy::{ExposeSecret, SecretString};

use crate::fail::{failed, unless_missing};
use crate::{Home, SecretArn, digest};

const MISSING: &str = "ResourceNotFoundException";
const CURRENT: &str = "AWSCURRENT";
/// The staging label of what was set aside.
const ASIDE: &str = "keeper-automator-aside";

/// The value of one secret, and notes beside it that are no secret.
///
/// Notes are tags: reading one takes no right to read the value.
#[derive(Clone)]
pub struct Versions {
    /// Where it lives.
    pub home: Home,
    /// Which secret.
    pub secret: SecretArn,
}

impl Versions {
    /// The current value; `None` when there is none yet, or no such secret.
    ///
    /// # Errors
    ///
    /// Whatever AWS refuses.
    pub async fn read(&self) -> Result<Option<SecretString>> {
        self.get(CURRENT).await
    }

    /// What was set aside last, or became the current value after that; `None` when nothing was.
    ///
    /// # Errors
    ///
    /// Whatever AWS refuses.
    pub async fn aside(&self) -> Result<Option<SecretString>> {
        self.get(ASIDE).await
    }

    async fn get(&self, stage: &str) -> Result<Option<SecretString>> {
        let secret = &self.secret;
        let call = self.home.aws.secrets.get_secret_value().secret_id(secret.as_str()).version_stage(stage);
        let answer = unless_missing(call.send().await, &[MISSING], &format!("read secret `{secret}`"))?;
        Ok(answer.and_then(|answer| answer.secret_string).map(SecretString::from))
    }

    /// Makes `value` the current one, and lets go of what was set aside. Saying it again makes no further version.
    ///
    /// # Errors
    ///
    /// Whatever AWS refuses.
    pub async fn write(&self, value: &SecretString) -> Result<()> {
        self.put(value, &[CURRENT, ASIDE]).await
    }

    /// Keeps `value` beside the current one, which stays what everybody reads. The first value of a secret is current at once:
    /// AWS has it so, and nobody reads it yet. Saying it again makes no further version.
    ///
    /// # Errors
    ///
    /// Whatever AWS refuses.
    pub async fn set_aside(&self, value: &SecretString) -> Result<()> {
        self.put(value, &[ASIDE]).await
    }

    async fn put(&self, value: &SecretString, stages: &[&str]) -> Result<()> {
        let secret = &self.secret;
        // A version id is 32 to 64 characters; an id that is known with the same value is a repetition, and moves no label.
        let labels = stages.join(" ");
        let version = digest(&["keeper-automator version", secret.as_str(), &labels, value.expose_secret()]);
        let call = self.home.aws.secrets.put_secret_value().secret_id(secret.as_str()).client_request_token(version);
        let stages = stages.iter().map(|stage| (*stage).to_owned()).collect();
        let answer = call.set_version_stages(Some(stages)).secret_string(value.expose_secret()).send().await;
        answer.map_err(|error| failed(format!("write secret `{secret}`"), error))?;
        Ok(())
    }

    /// The note of that name.
    ///
    /// # Errors
    ///
    /// Whatever AWS refuses.
    pub async fn note(&self, name: &str) -> Result<Option<String>> {
        let secret = &self.secret;
        let answer = self.home.aws.secrets.describe_secret().secret_id(secret.as_str()).send().await;
        let answer = unless_missing(answer, &[MISSING], &format!("describe secret `{secret}`"))?;
        let tags = answer.map(|answer| super::secret::untagged(answer.tags())).unwrap_or_default();
        Ok(tags.get(name).cloned())
    }

    /// Sets a note: at most 128 characters of name and 256 of text, of letters, digits, blanks and `+-=._:/@`.
    ///
    /// # Errors
    ///
    /// Whatever AWS refuses.
    pub async fn set_note(&self, name: &str, text: &str) -> Result<()> {
        let secret = &self.secret;
        let tags = super::secret::tagged(BTreeMap::from([(name.to_owned(), text.to_owned())]));
        let answer = self.home.aws.secrets.tag_resource().secret_id(secret.as_str()).set_tags(Some(tags)).send().await;
        answer.map_err(|error| failed(format!("tag secret `{secret}`"), error))?;
        Ok(())
    }
}
