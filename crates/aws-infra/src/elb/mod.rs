//! Elastic Load Balancing: the balancer in front of the tasks, what it listens on and where it forwards to.

mod listener;
mod load_balancer;
mod target_group;

use std::collections::BTreeMap;

use aws_config::retry::RetryConfig;
use aws_sdk_elasticloadbalancingv2::config::Builder;
use aws_sdk_elasticloadbalancingv2::types::Tag;
use resource_graph::{Mark, NodeId, Result};

pub use listener::Listener;
pub use load_balancer::{BalancerOutput, LoadBalancer, LoadBalancers, Scheme};
pub use target_group::{Protocol, TargetGroup, TargetGroups};

use crate::Home;
use crate::fail::{failed, has_code};
use crate::home::digest;

/// Codes for what is not there; `DescribeTags` takes ARNs of all three kinds.
const MISSING: [&str; 3] = ["LoadBalancerNotFound", "ListenerNotFound", "TargetGroupNotFound"];

/// The longest name of a balancer or a target group (C16).
const LONGEST_NAME: usize = 32;

/// `DescribeTags` takes at most this many ARNs.
const TAGS_AT_ONCE: usize = 20;

/// Nothing here takes an idempotency token. AWS answers an identical create with what is there, but not when a member differs,
/// so a create is never repeated without a look.
fn once() -> Builder {
    Builder::new().retry_config(RetryConfig::disabled())
}

/// The tags that something of `node` carries.
fn tagged(home: &Home, node: &NodeId, mark: Mark) -> Vec<Tag> {
    home.tags(node, mark).into_iter().map(|(key, value)| Tag::builder().key(key).value(value).build()).collect()
}

/// The tags of each ARN, in batches; what went in the meantime is left out.
async fn tags(home: &Home, arns: &[String]) -> Result<BTreeMap<String, BTreeMap<String, String>>> {
    let mut all = BTreeMap::new();
    for batch in arns.chunks(TAGS_AT_ONCE) {
        if !read_tags(home, batch, &mut all).await? {
            // One that went spoils the whole batch.
            for arn in batch {
                read_tags(home, std::slice::from_ref(arn), &mut all).await?;
            }
        }
    }
    Ok(all)
}

/// Returns whether all of the batch was there.
async fn read_tags(
    home: &Home,
    batch: &[String],
    into: &mut BTreeMap<String, BTreeMap<String, String>>,
) -> Result<bool> {
    let answer = home.aws.elb.describe_tags().set_resource_arns(Some(batch.to_vec())).send().await;
    let answer = match answer {
        Ok(answer) => answer,
        Err(error) if has_code(&error, &MISSING) => return Ok(false),
        Err(error) => return Err(failed("describe the tags of balancers, listeners and target groups", error)),
    };
    for described in answer.tag_descriptions() {
        let tags = described.tags().iter();
        let tags = tags.filter_map(|tag| Some((tag.key()?.to_owned(), tag.value().unwrap_or_default().to_owned())));
        if let Some(arn) = described.resource_arn() {
            into.insert(arn.to_owned(), tags.collect());
        }
    }
    Ok(true)
}

/// Marks something that was there before us as looked after.
async fn adopt(home: &Home, node: &NodeId, arn: &str) -> Result<()> {
    let call = home.aws.elb.add_tags().resource_arns(arn).set_tags(Some(tagged(home, node, Mark::Adopted)));
    call.send().await.map_err(|error| failed(format!("tag `{arn}`"), error))?;
    Ok(())
}

/// The name of a replacement, which stands beside the old one for a while: the wish decides it, so an interrupted replacement
/// is made again under the same name.
fn second_name(name: &str, wish: &[&str]) -> String {
    format!("{}-{}", base_of_second_name(name), &digest(wish)[..SUFFIX])
}

/// How much of a digest is in the name of a replacement.
const SUFFIX: usize = 8;

fn base_of_second_name(name: &str) -> &str {
    let room = LONGEST_NAME - SUFFIX - 1;
    name.get(..room).unwrap_or(name).trim_end_matches('-')
}

/// Whether `candidate` is the name of something called `name`, or of a replacement of it, in whatever case.
pub(crate) fn is_name_or_second_name(candidate: &str, name: &str) -> bool {
    let (candidate, name) = (candidate.to_lowercase(), name.to_lowercase());
    let suffix = candidate.strip_prefix(base_of_second_name(&name)).and_then(|rest| rest.strip_prefix('-'));
    candidate == name
        || suffix.is_some_and(|hash| hash.len() == SUFFIX && hash.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_name_is_valid_and_follows_from_the_wish() {
        let long = "automator-of-a-very-long-deploym";
        let name = second_name(long, &["HTTPS", "443", "vpc-1"]);
        assert!(name.len() <= LONGEST_NAME && name.starts_with("automator-of-a-very-lon"), "{name}");
        assert_eq!(name, second_name(long, &["HTTPS", "443", "vpc-1"]));
        assert_ne!(name, second_name(long, &["HTTP", "443", "vpc-1"]));
        assert!(!second_name("twenty-two-characters--x", &["a"]).contains("--"));
    }

    #[test]
    fn a_second_name_is_recognised() {
        for name in ["automator-alb", "Automator", "automator-of-a-very-long-deploym", "twenty-two-characters--x"] {
            assert!(is_name_or_second_name(&name.to_lowercase(), name));
            assert!(is_name_or_second_name(&second_name(name, &["internal"]).to_lowercase(), name), "{name}");
            assert!(!is_name_or_second_name(&format!("{name}-prod"), name));
            assert!(!is_name_or_second_name(&format!("{name}-production"), name));
        }
    }
}
