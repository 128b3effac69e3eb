//! What a plan must say after something was deleted or changed by hand.

use std::collections::BTreeSet;

/// How many deletions a round takes at most: more at once would leave little to be unharmed.
pub(super) const DELETED_TOGETHER: usize = 2;
/// How many changes.
pub(super) const CHANGED_TOGETHER: usize = 4;

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

/// Each thing that is ours, deleted. What a person said and the count of tasks go with the service.
pub(super) const DELETED: [Row; 33] = [
    deleted("dns-record", &["dns-record"], &["dns-record create"]),
    deleted(
        "ecs-service",
        &["ecs-service"],
        &["automator wait", "desired-count wait", "ecs-service create", "user-test wait"],
    ),
    deleted("listener", &["listener"], &["listener create"]),
    deleted(
        "load-balancer",
        &["listener", "load-balancer"],
        &["dns-record update", "listener create", "load-balancer create"],
    ),
    deleted(
        "target-group",
        &["ecs-service", "listener", "target-group"],
        &[
            "automator wait",
            "desired-count wait",
            "ecs-service create",
            "listener create",
            "target-group create",
            "user-test wait",
        ],
    ),
    deleted("certificate", &["listener", "certificate"], &["certificate create", "listener create"]),
    deleted("task-definition", &["task-definition"], &["ecs-service update", "task-definition create"]),
    deleted(
        "secret",
        &["secret"],
        &["ecs-service update", "role-policy/execution update", "secret create", "task-definition update"],
    ),
    deleted(
        "ecs-cluster",
        &["ecs-service", "ecs-cluster"],
        &["automator wait", "desired-count wait", "ecs-cluster create", "ecs-service create", "user-test wait"],
    ),
    deleted("log-group", &["log-group"], &["ecs-service update", "log-group create", "task-definition update"]),
    deleted("role-policy/execution", &["role-policy/execution"], &["role-policy/execution create"]),
    deleted("role-policy/task", &["role-policy/task"], &["role-policy/task create"]),
    deleted(
        "role/execution",
        &["role-policy/execution", "role/execution"],
        &["ecs-service update", "role-policy/execution create", "role/execution create", "task-definition update"],
    ),
    deleted(
        "role/task",
        &["role-policy/task", "role/task"],
        &["ecs-service update", "role-policy/task create", "role/task create", "task-definition update"],
    ),
    deleted(
        "efs-access-point/config",
        &["efs-access-point/config"],
        &["ecs-service update", "efs-access-point/config create", "role-policy/task update", "task-definition update"],
    ),
    deleted(
        "efs-access-point/settings",
        &["efs-access-point/settings"],
        &[
            "ecs-service update",
            "efs-access-point/settings create",
            "role-policy/task update",
            "task-definition update",
        ],
    ),
    deleted("efs-mount-target/config/1", &["efs-mount-target/config/1"], &["efs-mount-target/config/1 create"]),
    deleted("efs-mount-target/config/2", &["efs-mount-target/config/2"], &["efs-mount-target/config/2 create"]),
    deleted("efs-mount-target/settings/1", &["efs-mount-target/settings/1"], &["efs-mount-target/settings/1 create"]),
    deleted("efs-mount-target/settings/2", &["efs-mount-target/settings/2"], &["efs-mount-target/settings/2 create"]),
    deleted(
        "efs-file-system/config",
        &[
            "efs-mount-target/config/1",
            "efs-mount-target/config/2",
            "efs-access-point/config",
            "efs-file-system/config",
        ],
        &[
            "ecs-service update",
            "efs-access-point/config create",
            "efs-file-system/config create",
            "efs-mount-target/config/1 create",
            "efs-mount-target/config/2 create",
            "role-policy/task update",
            "task-definition update",
        ],
    ),
    deleted(
        "efs-file-system/settings",
        &[
            "efs-mount-target/settings/1",
            "efs-mount-target/settings/2",
            "efs-access-point/settings",
            "efs-file-system/settings",
        ],
        &[
            "ecs-service update",
            "efs-access-point/settings create",
            "efs-file-system/settings create",
            "efs-mount-target/settings/1 create",
            "efs-mount-target/settings/2 create",
            "role-policy/task update",
            "task-definition update",
        ],
    ),
    deleted("security-group-rules/alb", &["security-group-rules/alb"], &["security-group-rules/alb create"]),
    deleted("security-group-rules/task", &["security-group-rules/task"], &["security-group-rules/task create"]),
    deleted("security-group-rules/efs", &["security-group-rules/efs"], &["security-group-rules/efs create"]),
    deleted(
        "security-group/alb",
        &["listener", "load-balancer", "rules-naming/alb", "security-group/alb"],
        &[
            "dns-record update",
            "listener create",
            "load-balancer create",
            "security-group-rules/alb create",
            "security-group-rules/task update",
            "security-group/alb create",
        ],
    ),
    deleted(
        "security-group/task",
        &["ecs-service", "rules-naming/task", "security-group/task"],
        &[
            "automator wait",
            "desired-count wait",
            "ecs-service create",
            "security-group-rules/alb update",
            "security-group-rules/efs create",
            "security-group-rules/task create",
            "security-group/task create",
            "user-test wait",
        ],
    ),
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
        &[
            "efs-mount-target/config/1 create",
            "efs-mount-target/config/2 create",
            "efs-mount-target/settings/1 create",
            "efs-mount-target/settings/2 create",
            "security-group-rules/efs create",
            "security-group-rules/task update",
            "security-group/efs create",
        ],
    ),
    deleted("route-table", &["route-table"], &["egress create", "route-table create"]),
    deleted(
        "internet-gateway",
        &["ecs-service", "listener", "load-balancer", "internet-gateway"],
        &[
            "automator wait",
            "desired-count wait",
            "dns-record update",
            "ecs-service create",
            "internet-gateway create",
            "listener create",
            "load-balancer create",
            "route-table update",
            "user-test wait",
        ],
    ),
    deleted(
        "subnet/1",
        &[
            "ecs-service",
            "listener",
            "load-balancer",
            "efs-mount-target/config/1",
            "efs-mount-target/settings/1",
            "subnet/1",
        ],
        &[
            "automator wait",
            "desired-count wait",
            "dns-record update",
            "ecs-service create",
            "efs-mount-target/config/1 create",
            "efs-mount-target/settings/1 create",
            "egress create",
            "listener create",
            "load-balancer create",
            "route-table update",
            "subnet/1 create",
            "user-test wait",
        ],
    ),
    deleted(
        "subnet/2",
        &[
            "ecs-service",
            "listener",
            "load-balancer",
            "efs-mount-target/config/2",
            "efs-mount-target/settings/2",
            "subnet/2",
        ],
        &[
            "automator wait",
            "desired-count wait",
            "dns-record update",
            "ecs-service create",
            "efs-mount-target/config/2 create",
            "efs-mount-target/settings/2 create",
            "egress create",
            "listener create",
            "load-balancer create",
            "route-table update",
            "subnet/2 create",
            "user-test wait",
        ],
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
        &[
            "automator wait",
            "desired-count wait",
            "dns-record update",
            "ecs-service create",
            "efs-mount-target/config/1 create",
            "efs-mount-target/config/2 create",
            "efs-mount-target/settings/1 create",
            "efs-mount-target/settings/2 create",
            "egress create",
            "internet-gateway create",
            "listener create",
            "load-balancer create",
            "route-table create",
            "security-group-rules/alb create",
            "security-group-rules/efs create",
            "security-group-rules/task create",
            "security-group/alb create",
            "security-group/efs create",
            "security-group/task create",
            "subnet/1 create",
            "subnet/2 create",
            "target-group create",
            "user-test wait",
            "vpc create",
        ],
    ),
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
    changed("automator", &["automator wait", "desired-count wait"]),
];

/// What an administrator deletes or changes in the vault and in Commander. Whatever a task reads there has another UID when it
/// is made anew, so a new revision names it.
pub(super) const IN_KEEPER: [Row; 11] = [
    deleted("automator", &["automator"], &["automator create", "desired-count update"]),
    deleted("ksm-device", &["ksm-device"], &["ksm-device create"]),
    deleted("ksm-share", &["ksm-share"], &["ksm-share create"]),
    deleted("vault-attachments", &["vault-attachments"], &["vault-certificate update"]),
    deleted(
        "ksm-application",
        &["ksm-application"],
        &["ksm-application create", "ksm-device create", "ksm-share create"],
    ),
    deleted(
        "vault-record",
        &["vault-record"],
        &[
            "ecs-service update",
            "task-definition update",
            "vault-certificate create",
            "vault-properties create",
            "vault-record create",
        ],
    ),
    // Keeper would leave the share behind, of a folder that is no more.
    deleted(
        "vault-folder",
        &["ksm-share", "vault-record", "vault-folder"],
        &[
            "ecs-service update",
            "ksm-share create",
            "task-definition update",
            "vault-certificate create",
            "vault-folder create",
            "vault-properties create",
            "vault-record create",
        ],
    ),
    changed("automator", &["automator update"]),
    changed("vault-record", &["vault-record update"]),
    changed("vault-attachments", &["vault-certificate update"]),
    changed("ksm-share", &["ksm-share update"]),
];

/// Rows that are played at once.
pub(super) struct Round {
    /// The rows.
    pub(super) rows: Vec<&'static Row>,
}

impl Round {
    /// Whether a row speaks of other nodes than the rows that are here.
    fn is_apart_from(&self, row: &Row) -> bool {
        let nodes: BTreeSet<&str> = row.plan.iter().map(|line| node(line)).collect();
        self.plan().iter().all(|line| !nodes.contains(node(line)))
    }

    /// What the plan is to say, sorted as a plan is.
    pub(super) fn plan(&self) -> BTreeSet<&'static str> {
        self.rows.iter().flat_map(|row| row.plan).copied().collect()
    }

    /// Whether the plan of this round shows what the round before left undone. What was not made anew is missed in the
    /// account, and any other line is one too many here, unless it is to be there anyway.
    pub(super) fn shows(&self, before: &Self) -> bool {
        let plan = self.plan();
        before.plan().iter().all(|line| line.ends_with(" create") || !plan.contains(line))
    }

    /// The nodes that it is about.
    pub(super) fn nodes(&self) -> String {
        self.rows.iter().map(|row| row.node).collect::<Vec<_>>().join(", ")
    }
}

/// The node of a line of a plan.
pub(super) fn node(line: &str) -> &str {
    line.split_once(' ').map_or(line, |(node, _)| node)
}

/// Each row goes into the first round that has room and speaks of other nodes.
pub(super) fn rounds(rows: impl Iterator<Item = &'static Row>, together: usize) -> Vec<Round> {
    let mut rounds: Vec<Round> = Vec::new();
    for row in rows {
        match rounds.iter_mut().find(|round| round.rows.len() < together && round.is_apart_from(row)) {
            Some(round) => round.rows.push(row),
            None => rounds.push(Round { rows: vec![row] }),
        }
    }
    rounds
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounds_take_every_row_once_and_nothing_twice() {
        let rounds = rounds(CHANGED.iter(), CHANGED_TOGETHER);
        let mut nodes: Vec<_> = rounds.iter().flat_map(|round| &round.rows).map(|row| row.node).collect();
        nodes.sort_unstable();
        let mut all: Vec<_> = CHANGED.iter().map(|row| row.node).collect();
        all.sort_unstable();
        assert_eq!(nodes, all);
        for round in &rounds {
            assert!(round.rows.len() <= CHANGED_TOGETHER);
            let nodes: BTreeSet<&str> = round.plan().into_iter().map(node).collect();
            assert_eq!(nodes.len(), round.rows.iter().map(|row| row.plan.len()).sum::<usize>());
        }
    }

    #[test]
    fn what_is_expected_anyway_shows_nothing() {
        let round = |node: &str| Round { rows: DELETED.iter().filter(|row| row.node == node).collect() };
        assert!(round("certificate").shows(&round("dns-record")));
        assert!(!round("role/task").shows(&round("role/execution")));
        assert!(
            round("listener").shows(&round("certificate")),
            "a listener that is not there is missed in the account"
        );
    }
}
