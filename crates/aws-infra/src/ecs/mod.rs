//! ECS: where the tasks run.

mod cluster;
mod confirmation;
mod desired_count;
mod raw;
mod service;
mod task_definition;

use std::collections::BTreeMap;

use aws_config::retry::RetryConfig;
use aws_sdk_ecs::config::Builder;
use aws_sdk_ecs::error::SdkError;
use aws_sdk_ecs::types::Tag;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use resource_graph::{Mark, NodeId, Result};

pub use cluster::{Cluster, Clusters};
pub use confirmation::{Confirmation, Word};
pub use desired_count::DesiredCount;
pub use service::{Service, Services, scale};
#[cfg(any(test, feature = "test-util"))]
pub use task_definition::register;
pub use task_definition::{TaskDefinition, TaskDefinitions, Template, deployed};

use crate::Home;
use crate::fail::{failed, failed_early_if, has_code, words};

/// For creates without an idempotency token: the SDK would repeat one by itself when its answer is lost, and make a twin.
fn once() -> Builder {
    Builder::new().retry_config(RetryConfig::disabled())
}

fn tagged(home: &Home, node: &NodeId, mark: Mark) -> Vec<Tag> {
    home.tags(node, mark).into_iter().map(|(key, value)| Tag::builder().key(key).value(value).build()).collect()
}

fn tags(tags: &[Tag]) -> BTreeMap<String, String> {
    tags.iter().filter_map(|tag| Some((tag.key()?.to_owned(), tag.value()?.to_owned()))).collect()
}

/// The tags of one object. Asked for by themselves, because not every describe gives them.
async fn tags_of(home: &Home, arn: &str) -> Result<BTreeMap<String, String>> {
    match home.aws.ecs.list_tags_for_resource().resource_arn(arn).send().await {
        Ok(answer) => Ok(tags(answer.tags())),
        // It went between two calls.
        Err(error)
            if has_code(
                &error,
                &["ClusterNotFoundException", "ServiceNotFoundException", "InvalidParameterException"],
            ) =>
        {
            Ok(BTreeMap::new())
        }
        Err(error) => Err(failed(format!("read the tags of `{arn}`"), error)),
    }
}

/// A new role, a new balancer, a just attached target group are believed here only after a while, and so is ECS's own role in
/// an account that had no cluster before: it is said again.
fn believed<T, E>(action: String, answer: std::result::Result<T, SdkError<E, HttpResponse>>) -> Result<T>
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    answer.map_err(|error| {
        let said = words(&error);
        let soon = has_code(&error, &["InvalidParameterException", "ClientException"])
            && ["assume", "role", "does not have an associated load balancer", "service linked role", "draining"]
                .iter()
                .any(|word| said.contains(word));
        failed_early_if(soon, action, error)
    })
}

async fn adopt(home: &Home, node: &NodeId, arn: &str) -> Result<()> {
    let call = home.aws.ecs.tag_resource().resource_arn(arn).set_tags(Some(tagged(home, node, Mark::Adopted)));
    call.send().await.map_err(|error| failed(format!("tag `{arn}`"), error))?;
    Ok(())
}
