//! A node is planned again when its needs are there.

use resource_graph::*;

use crate::toy::{Fault, Op, Toy, World, look, sleep, story};
use crate::{failure, outcome, pair, planned, skipped, step};

#[test]
fn a_kept_node_that_vanished_after_the_plan_stops_there() {
    story(async {
        let world = World::default();
        let mut graph = pair(&world, 0).await;
        graph.add(step(), Toy::new(&world, "apart"));
        world.take(world.only("later").id);
        let cx = world.cx();
        world.put("later", Mark::Managed, &[world.only("earlier").id], 0, 0);
        let (discovery, plan) = look(&graph, &cx).await;
        world.take(world.only("later").id);
        let report = graph.apply(&cx, Limits::default(), &discovery, &plan).await;
        assert_eq!(failure(&report, "later").code, "plan-got-worse");
        assert_eq!(*outcome(&report, "earlier"), Outcome::Kept);
        assert_eq!(*outcome(&report, "apart"), Outcome::Created);
        assert_eq!(world.of("later"), []);
    });
}

#[test]
fn keep_that_became_replace_stops_there() {
    story(async {
        let world = World::default();
        let mut graph = pair(&world, 0).await;
        graph.add(step(), Toy::new(&world, "apart"));
        let cx = world.cx();
        let (discovery, plan) = look(&graph, &cx).await;
        let earlier = world.only("earlier").id;
        world.change(earlier, |object| object.generation = 7);
        let report = graph.apply(&cx, Limits::default(), &discovery, &plan).await;
        let failure = failure(&report, "earlier");
        assert_eq!(failure.code, "plan-got-worse");
        assert_eq!(failure.message, "keep earlier as confirmed: it would now be replace");
        assert_eq!(failure.expected.as_deref(), Some("keep or less"));
        assert_eq!(*outcome(&report, "later"), skipped("earlier"));
        assert_eq!(*outcome(&report, "apart"), Outcome::Created);
        assert_eq!(world.only("earlier").id, earlier);
    });
}

#[test]
fn update_that_became_replace_stops_there() {
    story(async {
        let world = World::default();
        let id = world.put("a", Mark::Managed, &[], 0, 0);
        let mut graph = Graph::new();
        graph.add(step(), Toy::new(&world, "a").colour(1));
        let cx = world.cx();
        let (discovery, plan) = look(&graph, &cx).await;
        world.change(id, |object| object.generation = 7);
        let report = graph.apply(&cx, Limits::default(), &discovery, &plan).await;
        assert_eq!(failure(&report, "a").code, "plan-got-worse");
        assert_eq!(world.only("a").colour, 0);
    });
}

#[test]
fn create_that_met_a_stranger_stops_there_and_says_why() {
    story(async {
        let world = World::default();
        let mut graph = Graph::new();
        graph.add(step(), Toy::new(&world, "a"));
        let cx = world.cx();
        let (discovery, plan) = look(&graph, &cx).await;
        world.put("a", Mark::Stranger, &[], 0, 0);
        let report = graph.apply(&cx, Limits::default(), &discovery, &plan).await;
        let failure = failure(&report, "a");
        assert_eq!(failure.code, "plan-got-worse");
        assert_eq!(failure.causes, ["a exists and is not marked as ours (generation 0 colour 0)"]);
        assert_eq!(world.only("a").mark, Mark::Stranger);
    });
}

#[test]
fn what_turns_out_better_than_confirmed_is_left_alone() {
    story(async {
        let world = World::default();
        let id = world.put("a", Mark::Managed, &[], 0, 0);
        let mut graph = Graph::new();
        graph.add(step(), Toy::new(&world, "a").generation(1));
        let cx = world.cx();
        let (discovery, plan) = look(&graph, &cx).await;
        assert_eq!(planned(&plan, "a").word(), "replace");
        world.change(id, |object| object.generation = 1);
        let report = graph.apply(&cx, Limits::default(), &discovery, &plan).await;
        assert_eq!(*outcome(&report, "a"), Outcome::Kept);
        assert_eq!(world.only("a").id, id);
    });
}

#[test]
fn what_somebody_took_out_of_our_hands_is_not_retired() {
    story(async {
        let world = World::default();
        let id = world.put("a", Mark::Managed, &[], 0, 0);
        let mut graph = Graph::new();
        graph.add(step(), Toy::new(&world, "a").generation(1));
        let cx = world.cx();
        let (discovery, plan) = look(&graph, &cx).await;
        world.change(id, |object| object.node = "theirs".to_owned());
        let report = graph.apply(&cx, Limits::default(), &discovery, &plan).await;
        assert_eq!(*outcome(&report, "a"), Outcome::Created);
        assert_eq!(world.only("theirs").id, id);
    });
}

#[test]
fn what_was_to_be_replaced_and_fits_after_a_failed_attempt_is_not_retired() {
    story(async {
        let world = World::default();
        let id = world.put("a", Mark::Managed, &[], 0, 0);
        world.fail("a", Op::Create, Fault::Before(Certainty::NotDone));
        let mut graph = Graph::new();
        graph.add(step(), Toy::new(&world, "a").generation(1));
        let cx = world.cx();
        let (discovery, plan) = look(&graph, &cx).await;
        let mend = async {
            sleep(100).await;
            world.change(id, |object| object.generation = 1);
        };
        let limits = Limits::default();
        let (report, ()) = tokio::join!(graph.apply(&cx, limits, &discovery, &plan), mend);
        assert!(report.is_done());
        assert_eq!(world.only("a").id, id);
    });
}

#[test]
fn a_plan_of_other_nodes_confirms_nothing() {
    story(async {
        let world = World::default();
        let mut graph = Graph::new();
        graph.add(step(), Toy::new(&world, "a"));
        let cx = world.cx();
        let (discovery, _) = look(&graph, &cx).await;
        let report = graph.apply(&cx, Limits::default(), &discovery, &Plan::default()).await;
        assert_eq!(failure(&report, "a").code, "plan-got-worse");
        assert_eq!(world.objects(), []);
    });
}

#[test]
fn a_plan_is_worse_than_another_line_by_line() {
    story(async {
        let world = World::default();
        let id = world.put("a", Mark::Managed, &[], 0, 0);
        let mut graph = Graph::new();
        graph.add(step(), Toy::new(&world, "a"));
        graph.add(step(), Toy::new(&world, "b"));
        let cx = world.cx();
        let (_, confirmed) = look(&graph, &cx).await;
        assert_eq!(confirmed.worse_than(&confirmed).count(), 0);
        world.change(id, |object| object.colour = 1);
        let (_, now) = look(&graph, &cx).await;
        let worse: Vec<&str> = now.worse_than(&confirmed).map(|change| change.node.as_str()).collect();
        assert_eq!(worse, ["a"]);
    });
}
