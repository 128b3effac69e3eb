//! The AWS half of the guide: one file per resource, one folder per service.
//!
//! Each resource can be looked up, compared, applied and undone (see [`resource_graph`]); it is tagged with its deployment and
//! node, found again by those tags, and names another resource only through the type of its output. This is the only crate
//! that links the AWS SDK. It knows nothing of Keeper.

pub mod acm;
mod aws;
pub mod ec2;
pub mod ecs;
pub mod efs;
pub mod elb;
mod fail;
mod home;
pub mod iam;
mod ids;
pub mod logs;
pub mod route53;
pub mod secretsmanager;
#[cfg(any(test, feature = "test-util"))]
pub mod testing;
pub mod wire;

pub use aws::{Aws, Connection, SharedHttpClient, SignIn, default_http_client};
pub use home::{DEPLOYMENT_TAG, DIGEST_TAG, Home, NODE_TAG, OWNERSHIP_TAG, REGION_TAG, digest};
pub use ids::*;
