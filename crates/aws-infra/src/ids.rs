//! Ids are types: a subnet's id cannot be passed where a group's is asked for.

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(String);

        impl $name {
            /// Wraps what the service answered.
            pub fn new(id: impl Into<String>) -> Self {
                Self(id.into())
            }

            /// The id as the service writes it.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl From<&$name> for String {
            fn from(id: &$name) -> Self {
                id.0.clone()
            }
        }
    )*};
}

ids! {
    /// `vpc-…`
    VpcId,
    /// `subnet-…`
    SubnetId,
    /// `igw-…`
    InternetGatewayId,
    /// `rtb-…`
    RouteTableId,
    /// `sg-…`; a `sgr-…` is a rule, not a group (C02).
    SecurityGroupId,
    /// The name of a log group.
    LogGroupName,
    /// `arn:…:role/…`
    RoleArn,
    /// `arn:…:secret:NAME-SUFFIX`
    SecretArn,
    /// `fs-…`
    FileSystemId,
    /// `fsmt-…`
    MountTargetId,
    /// `fsap-…`
    AccessPointId,
    /// `arn:…:cluster/…`
    ClusterArn,
    /// `arn:…:task-definition/FAMILY:REVISION`
    TaskDefinitionArn,
    /// `arn:…:service/…`
    ServiceArn,
    /// `arn:…:certificate/…`
    CertificateArn,
    /// `arn:…:targetgroup/…`
    TargetGroupArn,
    /// `arn:…:loadbalancer/…`
    LoadBalancerArn,
    /// `arn:…:listener/…`
    ListenerArn,
    /// The id of a hosted zone, without `/hostedzone/`.
    HostedZoneId,
}
