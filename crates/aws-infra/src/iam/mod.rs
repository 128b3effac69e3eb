//! IAM: what the tasks may do.
//!
//! IAM is the same for all regions of an account, so a name given here carries its region. It is eventually consistent: a new
//! role is believed elsewhere after seconds to minutes, which is borne where the role is first used.

mod document;
mod role;
mod role_policy;

use std::collections::BTreeMap;
use std::error::Error as StdError;

use aws_sdk_iam::error::SdkError;
use aws_sdk_iam::types::Tag;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use resource_graph::{Certainty, Error, Mark, NodeId};

pub use role::{Role, RoleOutput, Roles};
pub use role_policy::{RolePolicy, Statement};

use crate::Home;
use crate::fail::has_code;
use crate::home::REGION_TAG;

/// What "not there" is called by every call.
const MISSING: &str = "NoSuchEntity";
/// What "try again" is called.
const BUSY: [&str; 3] = ["ConcurrentModification", "EntityTemporarilyUnmodifiable", "DeleteConflict"];

/// Like [`crate::fail::failed`], for a change: two changes of one role collide.
fn refused<E>(action: impl Into<String>, error: SdkError<E, HttpResponse>) -> Error
where
    E: ProvideErrorMetadata + StdError + Send + Sync + 'static,
{
    let busy = has_code(&error, &BUSY);
    let error = crate::fail::failed(action, error);
    if busy { error.certainty(Certainty::NotDone) } else { error }
}

fn tagged(home: &Home, node: &NodeId, mark: Mark) -> resource_graph::Result<Vec<Tag>> {
    let tag = |(key, value): (String, String)| Tag::builder().key(key).value(value).build();
    let region = (REGION_TAG.to_owned(), home.aws.region.clone());
    let tags: Result<Vec<Tag>, _> = home.tags(node, mark).into_iter().chain([region]).map(tag).collect();
    tags.map_err(|error| Error::new("request-invalid", format!("write the tags of {node}")).because(error))
}

fn tags(tags: &[Tag]) -> BTreeMap<String, String> {
    tags.iter().map(|tag| (tag.key().to_owned(), tag.value().to_owned())).collect()
}
