//! EC2: the network and who may speak to whom.

mod availability_zones;
mod egress;
mod existing_network;
mod internet_gateway;
mod public_subnets;
mod route_table;
mod security_group;
mod security_group_rules;
mod subnet;
mod two_zones;
mod vpc;

use std::collections::BTreeMap;
use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_sdk_ec2::config::Builder;
use aws_sdk_ec2::types::{Filter, ResourceType, Tag, TagSpecification};
use resource_graph::{Cx, Mark, NodeId, Pace, Progress, Result};

pub use availability_zones::AvailabilityZones;
pub use egress::{Egress, PublicIp};
pub use existing_network::{ExistingSubnet, ExistingVpc};
pub use internet_gateway::{InternetGateway, InternetGateways};
pub use public_subnets::PublicSubnets;
pub use route_table::{RouteTable, RouteTables};
pub use security_group::{SecurityGroup, SecurityGroups};
pub use security_group_rules::{Direction, Peer, Rule, SecurityGroupRules};
pub use subnet::{Subnet, SubnetOutput, Subnets};
pub use two_zones::TwoZones;
pub use vpc::{Vpc, Vpcs};

use crate::Home;
use crate::home::{DEPLOYMENT_TAG, NODE_TAG};

/// For creates without an idempotency token: the SDK would repeat one by itself when its answer is lost, and make a twin.
fn once() -> Builder {
    Builder::new().retry_config(RetryConfig::disabled())
}

/// The tags that something of `node` is created with; `Name` is what the console shows.
fn tagged(kind: ResourceType, home: &Home, node: &NodeId, name: &str) -> TagSpecification {
    let tags = home.named_tags(node, Mark::Managed, name).into_iter();
    let tags = tags.map(|(key, value)| Tag::builder().key(key).value(value).build()).collect();
    TagSpecification::builder().resource_type(kind).set_tags(Some(tags)).build()
}

fn tags(tags: &[Tag]) -> BTreeMap<String, String> {
    tags.iter().filter_map(|tag| Some((tag.key()?.to_owned(), tag.value()?.to_owned()))).collect()
}

fn filter(name: &str, value: &str) -> Filter {
    Filter::builder().name(name).values(value).build()
}

/// Waits until what was made a moment ago can be described: until then a call on it may be answered "not found", and the next
/// look would make a twin.
async fn until_visible<F>(cx: &Cx, what: &str, mut look: impl FnMut() -> F) -> Result<()>
where
    F: Future<Output = Result<bool>>,
{
    let pace = Pace::new(Duration::from_secs(2), Duration::from_secs(120));
    cx.wait_until(&format!("{what} to be known"), pace, || {
        let look = look();
        async { Ok(if look.await? { Progress::Ready(()) } else { Progress::Pending("not visible yet".to_owned()) }) }
    })
    .await
}

/// What is ours, of any node.
fn of_deployment(home: &Home) -> Filter {
    filter(&format!("tag:{DEPLOYMENT_TAG}"), home.deployment())
}

/// What is ours, of one node.
fn of_node(home: &Home, node: &NodeId) -> Vec<Filter> {
    vec![of_deployment(home), filter(&format!("tag:{NODE_TAG}"), node.as_str())]
}

/// Marks something that was there before us as looked after.
async fn adopt(home: &Home, node: &NodeId, id: &str, action: &str) -> Result<()> {
    let tags = home.tags(node, Mark::Adopted);
    let tags = tags.into_iter().map(|(key, value)| Tag::builder().key(key).value(value).build()).collect();
    let call = home.aws.ec2.create_tags().resources(id).set_tags(Some(tags));
    call.send().await.map_err(|error| crate::fail::failed(action, error))?;
    Ok(())
}
