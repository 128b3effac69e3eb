//! Where a deployment lives: its clients, its name, its marks.

use std::collections::BTreeMap;
use std::sync::Arc;

use resource_graph::{Mark, NodeId};

use crate::Aws;

/// The tag that says which deployment a thing belongs to.
pub const DEPLOYMENT_TAG: &str = "keeper-automator:deployment";
/// The tag that says which node of the deployment a thing is.
pub const NODE_TAG: &str = "keeper-automator:node";
/// The tag that says whether a thing was made by us (`managed`) or was there before (`adopted`).
pub const OWNERSHIP_TAG: &str = "keeper-automator:ownership";
/// The tag that holds a digest of something that cannot be read back: a secret's value, a certificate's body.
pub const DIGEST_TAG: &str = "keeper-automator:digest";

/// The tag of a role that says which region's deployment it serves: IAM itself has no regions.
pub const REGION_TAG: &str = "keeper-automator:region";

/// A deployment's clients, name and extra tags; every resource of it holds one.
#[derive(Clone)]
pub struct Home {
    /// The clients.
    pub aws: Arc<Aws>,
    deployment: Arc<str>,
    extra: Arc<BTreeMap<String, String>>,
}

impl Home {
    /// The home of the deployment `deployment`. `extra` tags are added to all that is made; they mark nothing.
    pub fn new(aws: Arc<Aws>, deployment: &str, extra: BTreeMap<String, String>) -> Self {
        Self { aws, deployment: Arc::from(deployment), extra: Arc::new(extra) }
    }

    /// The deployment's name.
    pub fn deployment(&self) -> &str {
        &self.deployment
    }

    /// The tags of something of `node`, sorted by key.
    pub fn tags(&self, node: &NodeId, mark: Mark) -> BTreeMap<String, String> {
        let mut tags = (*self.extra).clone();
        tags.insert(DEPLOYMENT_TAG.to_owned(), self.deployment().to_owned());
        tags.insert(NODE_TAG.to_owned(), node.to_string());
        let ownership = if mark == Mark::Managed { "managed" } else { "adopted" };
        tags.insert(OWNERSHIP_TAG.to_owned(), ownership.to_owned());
        tags
    }

    /// The same with `Name`, which is what the console shows; a person's own extra tag of that key wins.
    pub fn named_tags(&self, node: &NodeId, mark: Mark, name: &str) -> BTreeMap<String, String> {
        let mut tags = self.tags(node, mark);
        tags.entry("Name".to_owned()).or_insert_with(|| name.to_owned());
        tags
    }

    /// Whose something with these tags is, seen from `node`.
    pub fn mark(&self, node: &NodeId, tags: &BTreeMap<String, String>) -> Mark {
        match self.node_of(tags) {
            Some(owner) if owner == *node => match tags.get(OWNERSHIP_TAG).map(String::as_str) {
                Some("adopted") => Mark::Adopted,
                _ => Mark::Managed,
            },
            _ => Mark::Stranger,
        }
    }

    /// The node that something with these tags belongs to, if it is this deployment's.
    pub fn node_of(&self, tags: &BTreeMap<String, String>) -> Option<NodeId> {
        let ours = tags.get(DEPLOYMENT_TAG).is_some_and(|name| *name == *self.deployment);
        ours.then(|| tags.get(NODE_TAG).map(NodeId::new)).flatten()
    }

    /// The same for an inventory: only what we made ourselves, never what was adopted.
    pub fn managed_node_of(&self, tags: &BTreeMap<String, String>) -> Option<NodeId> {
        let adopted = tags.get(OWNERSHIP_TAG).is_some_and(|word| word == "adopted");
        if adopted { None } else { self.node_of(tags) }
    }

    /// An idempotency token of ours: the same deployment, node and purpose give the same token, at most 64 characters.
    pub fn token(&self, node: &NodeId, purpose: &str) -> String {
        digest(&[self.deployment(), node.as_str(), purpose])[..48].to_owned()
    }
}

/// SHA-256 of the parts, each preceded by its length, in lowercase hexadecimal.
pub fn digest<T: AsRef<[u8]>>(parts: &[T]) -> String {
    let mut context = aws_lc_rs::digest::Context::new(&aws_lc_rs::digest::SHA256);
    for part in parts {
        let part = part.as_ref();
        context.update(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        context.update(part);
    }
    context.finish().as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}
