//! The graph itself.

use std::future::Future;
use std::time::Duration;

use resource_graph::*;

use crate::toy::{Op, Toy, World, apply, destroy, look, story};
use crate::{calls, failure, pair_wanted, step};

#[test]
fn a_selection_has_what_its_members_need_near_and_far() {
    let world = World::default();
    let mut graph = Graph::new();
    let a = graph.add(step(), Toy::new(&world, "a"));
    let b = graph.add(Label::step("T2"), Toy::new(&world, "b").on(&a));
    let c = graph.add(step(), Toy::new(&world, "c"));
    let d = graph.add(step(), Toy::new(&world, "d"));
    graph.add(step(), Toy::new(&world, "e").on(&b));
    graph.after(b.node(), c.node().min(a.node()));
    graph.after(d.node(), c.node());
    let by_step = graph.select(|subject| subject.step == "T2");
    let names = |selection: &Selection| -> Vec<String> {
        graph.nodes().filter(|&node| selection.has(node)).map(|node| graph.subject(node).node.to_string()).collect()
    };
    assert_eq!(names(&by_step), ["a", "b"]);
    assert_eq!(names(&graph.select(|subject| subject.node.as_str() == "d")), ["c", "d"]);
    assert_eq!(names(&graph.select(|subject| subject.node.as_str() == "e")), ["a", "b", "e"]);
    assert_eq!(graph.select(|_| true), graph.everything());
    assert_eq!(graph.edges(d.node()).collect::<Vec<_>>(), [c.node()]);
}

#[test]
fn two_references_to_one_node_are_one_edge() {
    let world = World::default();
    let mut graph = Graph::new();
    let a = graph.add(step(), Toy::new(&world, "a"));
    let b = graph.add(step(), Toy::new(&world, "b").on(&a).watching(&a));
    graph.after(b.node(), a.node());
    assert_eq!(graph.edges(b.node()).collect::<Vec<_>>(), [a.node()]);
}

#[test]
fn only_what_is_selected_is_looked_at_planned_applied_and_destroyed() {
    story(async {
        let world = World::default();
        let graph = pair_wanted(&world, 0);
        let cx = world.cx();
        let some = graph.select(|subject| subject.node.as_str() == "earlier");
        let discovery = graph.discover(&cx, &some).await.unwrap();
        let plan = graph.plan(&discovery);
        assert_eq!(plan.changes.len(), 1);
        let report = graph.apply(&cx, Limits::default(), &discovery, &plan).await;
        assert_eq!(report.nodes.len(), 1);
        assert_eq!(calls(&world, Op::Look), ["earlier", "earlier"]);
        assert!(apply(&graph, &cx).await.is_done());
        let later = graph.select(|subject| subject.node.as_str() == "later");
        let discovery = graph.discover(&cx, &later).await.unwrap();
        assert_eq!(graph.destroy(&cx, Limits::default(), &discovery).await.nodes.len(), 2);
        assert_eq!(world.objects(), []);
    });
}

#[test]
fn an_order_only_edge_matters() {
    story(async {
        let world = World::default();
        world.slow("policy", Op::Create, 100);
        let build = || {
            let mut graph = Graph::new();
            let policy = graph.add(step(), Toy::new(&world, "policy"));
            let mut service = Toy::new(&world, "service");
            service.requires.push("policy".into());
            let service = graph.add(step(), service);
            graph.after(service.node(), policy.node());
            graph.after(service.node(), policy.node());
            (graph, service.node(), policy.node())
        };
        let (mut cut, service, policy) = build();
        assert!(cut.cut(service, policy));
        assert!(!cut.cut(service, policy));
        let report = apply(&cut, &world.cx()).await;
        assert_eq!(failure(&report, "service").code, "toy-too-early");
        destroy(&cut, &world.cx()).await;
        world.turn_page();
        let (whole, ..) = build();
        assert!(apply(&whole, &world.cx()).await.is_done());
        assert_eq!(calls(&world, Op::Create), ["policy", "service"]);
        assert!(destroy(&whole, &world.cx()).await.is_done());
        assert_eq!(calls(&world, Op::Destroy), ["service", "policy"]);
    });
}

#[test]
fn an_edge_that_carries_a_value_matters_too() {
    story(async {
        let world = World::default();
        world.slow("earlier", Op::Create, 100);
        let mut graph = pair_wanted(&world, 0);
        let [earlier, later] = ["earlier", "later"].map(|name| graph.find(&name.into()).unwrap());
        assert!(graph.cut(later, earlier));
        let report = apply(&graph, &world.cx()).await;
        assert_eq!(failure(&report, "later").code, "needs-missing");
    });
}

#[test]
#[should_panic(expected = "two nodes are named a")]
fn two_nodes_of_one_name_are_refused() {
    let world = World::default();
    let mut graph = Graph::new();
    graph.add(step(), Toy::new(&world, "a"));
    graph.add(step(), Toy::new(&world, "a"));
}

#[test]
#[should_panic(expected = "an order-only edge points backwards")]
fn an_edge_cannot_point_forwards() {
    let world = World::default();
    let mut graph = Graph::new();
    let a = graph.add(step(), Toy::new(&world, "a"));
    graph.after(a.node(), a.node());
}

#[test]
#[should_panic(expected = "refers to a node of another graph")]
fn a_reference_to_a_node_that_is_not_here_is_refused() {
    let world = World::default();
    let a = Graph::new().add(step(), Toy::new(&world, "a"));
    Graph::new().add(step(), Toy::new(&world, "b").on(&a));
}

#[test]
fn at_least_one_node_is_worked_on_whatever_the_limits_say() {
    story(async {
        let world = World::default();
        let graph = pair_wanted(&world, 0);
        let none = Limits { concurrency: 0, attempts: 0, backoff: Duration::ZERO };
        let (discovery, plan) = look(&graph, &world.cx()).await;
        assert!(graph.apply(&world.cx(), none, &discovery, &plan).await.is_done());
        let (discovery, _) = look(&graph, &world.cx()).await;
        assert!(graph.destroy(&world.cx(), none, &discovery).await.is_done());
        assert_eq!(world.objects(), []);
    });
}

#[test]
fn the_walks_can_be_spawned() {
    fn sendable(future: impl Future + Send) {
        drop(future);
    }
    story(async {
        let graph = Graph::new();
        let cx = Cx::quiet();
        let everything = graph.everything();
        let (discovery, plan) = look(&graph, &cx).await;
        sendable(graph.discover(&cx, &everything));
        sendable(graph.apply(&cx, Limits::default(), &discovery, &plan));
        sendable(graph.destroy(&cx, Limits::default(), &discovery));
        assert!(graph.apply(&cx, Limits::default(), &discovery, &plan).await.is_done());
    });
}
