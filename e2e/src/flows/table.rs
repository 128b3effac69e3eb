//! What a plan must say after something was deleted or changed by hand.

/// One thing that somebody does by hand.
pub(super) struct Row {
    /// The node it is done to.
    pub(super) node: &'static str,
    /// What is deleted, in order, the node last: AWS forces whoever deletes a thing to delete first what uses it. Empty
    /// where an attribute is changed instead.
    pub(super) by_hand: &'static [&'static str],
    /// What the plan then says of the nodes that do not stay, sorted.
    pub(super) plan: &'static [&'static str],
}

const fn deleted(node: &'static str, by_hand: &'static [&'static str], plan: &'static [&'static str]) -> Row {
    Row { node, by_hand, plan }
}

const fn changed(node: &'static str, plan: &'static [&'static str]) -> Row {
    Row { node, by_hand: &[], plan }
}

/// Each thing that is ours, deleted.
pub(super) const DELETED: [Row; 36] = [
    deleted("dns-record", &["dns-record"], &[]),
    deleted("ecs-service", &["ecs-service"], &[]),
    deleted("listener", &["listener"], &[]),
    deleted("load-balancer", &["listener", "load-balancer"], &[]),
    deleted("target-group", &["ecs-service", "listener", "target-group"], &[]),
    deleted("certificate", &["listener", "certificate"], &[]),
    deleted("task-definition", &["task-definition"], &[]),
    deleted("secret", &["secret"], &[]),
    deleted("ecs-cluster", &["ecs-service", "ecs-cluster"], &[]),
    deleted("log-group", &["log-group"], &[]),
    deleted("role-policy/execution", &["role-policy/execution"], &[]),
    deleted("role-policy/task", &["role-policy/task"], &[]),
    deleted("role/execution", &["role-policy/execution", "role/execution"], &[]),
    deleted("role/task", &["role-policy/task", "role/task"], &[]),
    deleted("efs-access-point/config", &["efs-access-point/config"], &[]),
    deleted("efs-access-point/settings", &["efs-access-point/settings"], &[]),
    deleted("efs-mount-target/config/1", &["efs-mount-target/config/1"], &[]),
    deleted("efs-mount-target/config/2", &["efs-mount-target/config/2"], &[]),
    deleted("efs-mount-target/settings/1", &["efs-mount-target/settings/1"], &[]),
    deleted("efs-mount-target/settings/2", &["efs-mount-target/settings/2"], &[]),
    deleted(
        "efs-file-system/config",
        &["efs-mount-target/config/1", "efs-mount-target/config/2", "efs-access-point/config", "efs-file-system/config"],
        &[],
    ),
    deleted(
        "efs-file-system/settings",
        &[
            "efs-mount-target/settings/1",
            "efs-mount-target/settings/2",
            "efs-access-point/settings",
            "efs-file-system/settings",
        ],
        &[],
    ),
    deleted("security-group-rules/alb", &["security-group-rules/alb"], &[]),
    deleted("security-group-rules/task", &["security-group-rules/task"], &[]),
    deleted("security-group-rules/efs", &["security-group-rules/efs"], &[]),
    deleted("security-group/alb", &["listener", "load-balancer", "rules-naming/alb", "security-group/alb"], &[]),
    deleted("security-group/task", &["ecs-service", "rules-naming/task", "security-group/task"], &[]),
    deleted(
        "security-group/efs",
        &[
            "efs-mount-target/config/1",
            "efs-mount-target/config/2",
            "efs-mount-target/settings/1",
            "efs-mount-target/settings/2",
            "rules-naming/efs",
            "security-group/efs",
        ],
        &[],
    ),
    deleted("route-table", &["route-table"], &[]),
    deleted(
        "internet-gateway",
        &["ecs-service", "listener", "load-balancer", "internet-gateway"],
        &[],
    ),
    deleted(
        "subnet/1",
        &["ecs-service", "listener", "load-balancer", "efs-mount-target/config/1", "efs-mount-target/settings/1", "subnet/1"],
        &[],
    ),
    deleted(
        "subnet/2",
        &["ecs-service", "listener", "load-balancer", "efs-mount-target/config/2", "efs-mount-target/settings/2", "subnet/2"],
        &[],
    ),
    deleted(
        "vpc",
        &[
            "ecs-service",
            "listener",
            "load-balancer",
            "target-group",
            "efs-mount-target/config/1",
            "efs-mount-target/config/2",
            "efs-mount-target/settings/1",
            "efs-mount-target/settings/2",
            "security-group-rules/alb",
            "security-group-rules/task",
            "security-group-rules/efs",
            "security-group/alb",
            "security-group/task",
            "security-group/efs",
            "route-table",
            "internet-gateway",
            "subnet/1",
            "subnet/2",
            "vpc",
        ],
        &[],
    ),
    // What a person said goes with the service it is written on.
    deleted("automator", &["ecs-service"], &[]),
    deleted("user-test", &["ecs-service"], &[]),
    deleted("desired-count", &["ecs-service"], &[]),
];

/// An attribute of each thing, changed. A cluster, a gateway, a file system and an access point have none that the deployment
/// chose and that can be changed.
pub(super) const CHANGED: [Row; 24] = [
    changed("vpc", &["vpc update"]),
    changed("subnet/1", &["subnet/1 update"]),
    changed("subnet/2", &["subnet/2 update"]),
    changed("route-table", &["egress update", "route-table update"]),
    changed("log-group", &["log-group update"]),
    changed("role/execution", &["role/execution update"]),
    changed("role/task", &["role/task update"]),
    changed("role-policy/execution", &["role-policy/execution update"]),
    changed("role-policy/task", &["role-policy/task update"]),
    changed("security-group-rules/alb", &["security-group-rules/alb update"]),
    changed("security-group-rules/task", &["security-group-rules/task update"]),
    changed("security-group-rules/efs", &["security-group-rules/efs update"]),
    changed("efs-mount-target/config/1", &["efs-mount-target/config/1 update"]),
    changed("efs-mount-target/settings/2", &["efs-mount-target/settings/2 update"]),
    changed("secret", &["secret update"]),
    changed("task-definition", &["ecs-service update", "task-definition update"]),
    changed("certificate", &["certificate update"]),
    changed("target-group", &["target-group update"]),
    changed("load-balancer", &["load-balancer update"]),
    changed("listener", &["listener update"]),
    changed("ecs-service", &["ecs-service update"]),
    changed("desired-count", &["desired-count update"]),
    changed("dns-record", &["dns-record update"]),
    changed("automator", &["automator wait"]),
];
