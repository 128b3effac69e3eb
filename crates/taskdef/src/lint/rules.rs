//! The rules as a table.

use super::finding::{Rule, Severity};

macro_rules! rules {
    ($($name:ident $severity:ident $id:literal: $title:literal, fix $fix:literal, says $source:literal;)+) => {
        $(
            pub(crate) const $name: Rule = Rule { id: $id, severity: Severity::$severity, title: $title, fix: $fix, source: $source };
        )+

        /// Every rule.
        pub const RULES: &[Rule] = &[$($name),+];
    };
}

rules! {
    NETWORK_MODE Error "network-mode": "Fargate tasks use the network mode awsvpc.",
        fix "set networkMode to awsvpc",
        says "ECS: Fargate gives every task a network interface of its own and knows no other mode.";
    TASK_SIZE Error "task-size": "CPU and memory of the task are a pair that Fargate offers.",
        fix "choose a pair of the Fargate table",
        says "ECS: Fargate offers fixed CPU sizes from 256 to 16384 units, each with its own range and step of memory.";
}
