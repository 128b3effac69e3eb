//! EFS: where the Automator keeps its certificate, its settings and its state.

mod access_point;
mod file_system;
mod mount_target;

use std::collections::BTreeMap;
use std::time::Duration;

use aws_sdk_efs::types::{LifeCycleState, Tag};
use resource_graph::{Error, Mark, NodeId, Pace, Progress, Result};

pub use access_point::{AccessPoint, AccessPoints};
pub use file_system::{FileSystem, FileSystems};
pub use mount_target::{MountTarget, MountTargets};

use crate::fail::failed;
use crate::{AccessPointId, Aws, FileSystemId, Home};

/// EFS has no waiters of its own. A mount target takes a minute or two, the rest seconds.
const PACE: Pace = Pace::new(Duration::from_secs(5), Duration::from_secs(600));

/// The largest page; the default is ten.
const PAGE: i32 = 100;

/// The ARN of a file system, as policies name it.
pub fn file_system_arn(aws: &Aws, id: &FileSystemId) -> String {
    format!("arn:{}:elasticfilesystem:{}:{}:file-system/{id}", aws.partition, aws.region, aws.account)
}

/// The ARN of an access point, as the condition `elasticfilesystem:AccessPointArn` names it.
pub fn access_point_arn(aws: &Aws, id: &AccessPointId) -> String {
    format!("arn:{}:elasticfilesystem:{}:{}:access-point/{id}", aws.partition, aws.region, aws.account)
}

/// The tags that something of `node` is created with; `Name` is what the console shows.
fn tagged(home: &Home, node: &NodeId, name: &str) -> Result<Vec<Tag>> {
    build(home.named_tags(node, Mark::Managed, name))
}

fn build(tags: impl IntoIterator<Item = (String, String)>) -> Result<Vec<Tag>> {
    let tag = |(key, value)| Tag::builder().key(key).value(value).build();
    let tags: std::result::Result<_, _> = tags.into_iter().map(tag).collect();
    tags.map_err(|error| Error::new("request-invalid", "write the tags of an efs resource").because(error))
}

fn tags(tags: &[Tag]) -> BTreeMap<String, String> {
    tags.iter().map(|tag| (tag.key().to_owned(), tag.value().to_owned())).collect()
}

/// Marks something that was there before us as looked after.
async fn adopt(home: &Home, node: &NodeId, id: &str, action: &str) -> Result<()> {
    let tags = build(home.tags(node, Mark::Adopted))?;
    let call = home.aws.efs.tag_resource().resource_id(id).set_tags(Some(tags));
    call.send().await.map_err(|error| failed(action, error))?;
    Ok(())
}

/// Whether it counts as absent already: what is deleted stays listed for a while.
fn is_going(state: &LifeCycleState) -> bool {
    matches!(state, LifeCycleState::Deleting | LifeCycleState::Deleted)
}

/// What a state means to someone who waits until it is usable.
fn usable<T>(state: &LifeCycleState, what: &str, value: T) -> Progress<T> {
    match state {
        LifeCycleState::Available => Progress::Ready(value),
        LifeCycleState::Creating | LifeCycleState::Updating => Progress::Pending(state.to_string()),
        other => Progress::Failed(
            Error::new("wrong-state", format!("wait for {what}; it is `{other}`")).expected("state available"),
        ),
    }
}

/// The part of a node's name that tells it from others of its kind.
fn role(node: &NodeId) -> &str {
    node.as_str().split_once('/').map_or(node.as_str(), |(_, role)| role)
}
