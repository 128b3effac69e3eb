//! For tests that call nobody: a home whose clients reach nothing.

use std::collections::BTreeMap;
use std::sync::Arc;

use aws_config::{BehaviorVersion, Region, SdkConfig};

use crate::{Aws, Home};

/// A home in `eu-west-1`, account 123456789012, without credentials and without an endpoint: a call would fail at once.
pub fn home() -> Home {
    let shared =
        SdkConfig::builder().behavior_version(BehaviorVersion::latest()).region(Region::new("eu-west-1")).build();
    let aws = Aws {
        acm: aws_sdk_acm::Client::new(&shared),
        ec2: aws_sdk_ec2::Client::new(&shared),
        ecs: aws_sdk_ecs::Client::new(&shared),
        efs: aws_sdk_efs::Client::new(&shared),
        elb: aws_sdk_elasticloadbalancingv2::Client::new(&shared),
        iam: aws_sdk_iam::Client::new(&shared),
        logs: aws_sdk_cloudwatchlogs::Client::new(&shared),
        route53: aws_sdk_route53::Client::new(&shared),
        secrets: aws_sdk_secretsmanager::Client::new(&shared),
        sts: aws_sdk_sts::Client::new(&shared),
        region: "eu-west-1".to_owned(),
        account: "123456789012".to_owned(),
        partition: "aws".to_owned(),
    };
    Home::new(Arc::new(aws), "automator", BTreeMap::new())
}
