//! What the graph promises, one promise a test, one topic a file.

#[path = "../toy/mod.rs"]
mod toy;

mod again_while_applying;
mod graph;
mod known;
mod leases;
mod leftovers;
mod outside;
mod ownership;
mod retries;
mod stopping;
mod waiting_for_people;
mod waiting_for_states;

use resource_graph::*;
use toy::{Moment, Op, Toy, World, apply};

pub(crate) fn step() -> Label {
    Label::step("T1")
}

pub(crate) fn owned(ownership: Ownership) -> Label {
    step().ownership(ownership)
}

pub(crate) fn planned<'p>(plan: &'p Plan, node: &str) -> &'p Planned {
    &plan.changes.iter().find(|change| change.node.as_str() == node).expect("the plan has the node").action
}

pub(crate) fn outcome<'r>(report: &'r Report, node: &str) -> &'r Outcome {
    let mut lines = report.nodes.iter().filter(|ended| ended.node.as_str() == node);
    let line = lines.next().expect("the report has the node");
    assert!(lines.next().is_none(), "{node} has two lines in the report");
    &line.outcome
}

pub(crate) fn failure<'r>(report: &'r Report, node: &str) -> &'r Failure {
    match outcome(report, node) {
        Outcome::Failed { failure } => failure,
        other => panic!("{node} ended as {other:?}"),
    }
}

pub(crate) fn skipped(because: &str) -> Outcome {
    Outcome::Skipped { because: because.into() }
}

pub(crate) fn code(planned: &Planned) -> &str {
    match planned {
        Planned::Blocked { code, .. } => code,
        other => panic!("{} is not blocked", other.word()),
    }
}

/// The calls of one kind since the last page, in order.
pub(crate) fn calls(world: &World, wanted: Op) -> Vec<String> {
    let (diary, _) = world.turn_page();
    diary
        .into_iter()
        .filter_map(|moment| match moment {
            Moment::Began(node, op) if op == wanted => Some(node),
            _ => None,
        })
        .collect()
}

/// `earlier`, then `later` standing on it, both already there.
pub(crate) async fn pair(world: &World, generation: u32) -> Graph {
    let graph = pair_wanted(world, generation);
    assert!(apply(&graph, &world.cx()).await.is_done());
    world.turn_page();
    graph
}

pub(crate) fn pair_wanted(world: &World, generation: u32) -> Graph {
    let mut graph = Graph::new();
    let earlier = graph.add(step(), Toy::new(world, "earlier").generation(generation));
    graph.add(step(), Toy::new(world, "later").on(&earlier));
    graph
}
