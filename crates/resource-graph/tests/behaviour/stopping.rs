//! Stopping, and running out of time.

use std::time::Duration;

use resource_graph::*;

use crate::toy::{Fault, Moment, Op, Shelf, Toy, World, apply, destroy, look, sleep, story};
use crate::{calls, failure, outcome, pair, pair_wanted, skipped, step};

#[test]
fn cancelling_finishes_calls_in_flight_and_starts_nothing_new() {
    story(async {
        let world = World::default();
        world.slow("earlier", Op::Create, 1000);
        world.slow("earlier", Op::Finish, 1000);
        let mut graph = pair_wanted(&world, 0);
        let shelf = Shelf { world: world.clone(), of: Vec::new() };
        graph.inventory(shelf);
        world.put("orphan", Mark::Managed, &[], 0, 0);
        let cx = world.cx();
        let (discovery, plan) = look(&graph, &cx).await;
        world.turn_page();
        let stop = async {
            sleep(500).await;
            cx.cancellation().cancel();
        };
        let (report, ()) = tokio::join!(graph.apply(&cx, Limits::default(), &discovery, &plan), stop);
        assert_eq!(*outcome(&report, "earlier"), Outcome::Created);
        assert!(world.only("earlier").ready);
        assert_eq!(*outcome(&report, "later"), Outcome::NotStarted);
        assert_eq!(*outcome(&report, "orphan"), Outcome::NotStarted);
        assert_eq!(world.of("later"), []);
        assert!(!report.is_done());
    });
}

#[test]
fn cancelling_while_a_node_is_looked_at_again_changes_nothing() {
    story(async {
        let world = World::default();
        world.slow("a", Op::Look, 1000);
        let mut graph = Graph::new();
        graph.add(step(), Toy::new(&world, "a"));
        let cx = world.cx();
        let (discovery, plan) = look(&graph, &cx).await;
        let stop = async {
            sleep(500).await;
            cx.cancellation().cancel();
        };
        let (report, ()) = tokio::join!(graph.apply(&cx, Limits::default(), &discovery, &plan), stop);
        assert_eq!(*outcome(&report, "a"), Outcome::NotStarted);
        assert_eq!(world.objects(), []);
    });
}

#[test]
fn cancelling_while_everything_is_looked_at_asks_nothing_more() {
    story(async {
        let world = World::default();
        world.slow("earlier", Op::Look, 1000);
        let graph = pair_wanted(&world, 0);
        let cx = world.cx();
        let stop = async {
            sleep(500).await;
            cx.cancellation().cancel();
        };
        let everything = graph.everything();
        let (discovered, ()) = tokio::join!(graph.discover(&cx, &everything), stop);
        let failures = discovered.map(drop).unwrap_err();
        assert_eq!(failures.len(), 1);
        assert_eq!((failures[0].code.as_str(), failures[0].node.as_str()), ("cancelled", "later"));
        assert_eq!(calls(&world, Op::Look), ["earlier"]);
    });
}

#[test]
fn cancelling_ends_the_pause_before_another_attempt() {
    story(async {
        let world = World::default();
        for _ in 0..3 {
            world.fail("a", Op::Create, Fault::Before(Certainty::NotDone));
        }
        let mut graph = Graph::new();
        graph.add(step(), Toy::new(&world, "a"));
        let cx = world.cx();
        let (discovery, plan) = look(&graph, &cx).await;
        world.turn_page();
        let stop = async {
            sleep(700).await;
            cx.cancellation().cancel();
        };
        let (report, ()) = tokio::join!(graph.apply(&cx, Limits::default(), &discovery, &plan), stop);
        assert_eq!(failure(&report, "a").code, "toy-before");
        assert!((700..=710).contains(&report.millis), "{}", report.millis);
        assert_eq!(calls(&world, Op::Create).len(), 2);
    });
}

#[test]
fn a_busy_answer_after_the_stop_promises_no_other_attempt() {
    story(async {
        let world = World::default();
        world.slow("a", Op::Create, 1000);
        world.fail("a", Op::Create, Fault::Before(Certainty::NotDone));
        let mut graph = Graph::new();
        graph.add(step(), Toy::new(&world, "a"));
        let cx = world.cx();
        let (discovery, plan) = look(&graph, &cx).await;
        let stop = async {
            sleep(100).await;
            cx.cancellation().cancel();
        };
        let (report, ()) = tokio::join!(graph.apply(&cx, Limits::default(), &discovery, &plan), stop);
        assert_eq!(failure(&report, "a").code, "toy-before");
        let (diary, _) = world.turn_page();
        let again = |moment: &Moment| matches!(moment, Moment::Told(event) if matches!(event.what, What::Again { .. }));
        assert!(!diary.iter().any(again));
    });
}

#[test]
fn cancelling_a_destroy_leaves_the_rest_for_the_next_one() {
    story(async {
        let world = World::default();
        let graph = pair(&world, 0).await;
        world.slow("later", Op::Destroy, 1000);
        let cx = world.cx();
        let (discovery, _) = look(&graph, &cx).await;
        let stop = async {
            sleep(500).await;
            cx.cancellation().cancel();
        };
        let (report, ()) = tokio::join!(graph.destroy(&cx, Limits::default(), &discovery), stop);
        assert_eq!(*outcome(&report, "later"), Outcome::Destroyed);
        assert_eq!(*outcome(&report, "earlier"), Outcome::NotStarted);
        assert!(destroy(&graph, &world.cx()).await.is_done());
        assert_eq!(world.objects(), []);
    });
}

#[test]
fn cancelling_before_the_old_one_is_retired_is_not_called_done() {
    story(async {
        let world = World::default();
        pair(&world, 0).await;
        let graph = pair_wanted(&world, 1);
        world.slow("later", Op::Finish, 1000);
        let cx = world.cx();
        let (discovery, plan) = look(&graph, &cx).await;
        let stop = async {
            sleep(500).await;
            cx.cancellation().cancel();
        };
        let (report, ()) = tokio::join!(graph.apply(&cx, Limits::default(), &discovery, &plan), stop);
        assert!(!report.is_done());
        assert_eq!(failure(&report, "earlier").code, "cancelled");
        assert_eq!(world.of("earlier").len(), 2);
        let (_, plan) = look(&graph, &world.cx()).await;
        assert_eq!((plan.count("keep"), plan.is_quiet()), (2, false));
        assert!(apply(&graph, &world.cx()).await.is_done());
        assert_eq!(world.objects().len(), 2);
    });
}

#[test]
fn when_time_is_up_the_node_at_work_fails_and_nothing_new_starts() {
    story(async {
        let world = World::default();
        world.fail("earlier", Op::Create, Fault::Hang);
        let mut graph = pair_wanted(&world, 0);
        graph.add(step(), Toy::new(&world, "apart"));
        let cx = world.cx_for(Duration::from_secs(5));
        let (discovery, plan) = look(&graph, &cx).await;
        let one_by_one = Limits { concurrency: 1, ..Limits::default() };
        let report = graph.apply(&cx, one_by_one, &discovery, &plan).await;
        assert_eq!(failure(&report, "earlier").code, "deadline");
        assert_eq!(*outcome(&report, "later"), skipped("earlier"));
        assert_eq!(*outcome(&report, "apart"), Outcome::NotStarted);
        assert_eq!(world.objects(), []);
        assert!((5000..=5010).contains(&report.millis), "{}", report.millis);
    });
}

#[test]
fn when_time_is_up_a_destroy_starts_nothing_new() {
    story(async {
        let world = World::default();
        let mut graph = pair(&world, 0).await;
        graph.add(step(), Toy::new(&world, "apart"));
        assert!(apply(&graph, &world.cx()).await.is_done());
        world.fail("later", Op::Destroy, Fault::Hang);
        let cx = world.cx_for(Duration::from_secs(5));
        let (discovery, _) = look(&graph, &cx).await;
        let one_by_one = Limits { concurrency: 1, ..Limits::default() };
        world.slow("apart", Op::Destroy, 6000);
        let report = graph.destroy(&cx, one_by_one, &discovery).await;
        assert_eq!(failure(&report, "later").code, "deadline");
        assert_eq!(*outcome(&report, "earlier"), skipped("later"));
        assert_eq!(*outcome(&report, "apart"), Outcome::NotStarted);
        assert_eq!(world.objects().len(), 3);
    });
}

#[test]
fn a_pause_before_another_attempt_ends_with_the_time_and_names_the_last_failure() {
    story(async {
        let world = World::default();
        let graph = pair(&world, 0).await;
        for _ in 0..9 {
            world.fail("later", Op::Destroy, Fault::Before(Certainty::NotDone));
        }
        let cx = world.cx_for(Duration::from_secs(2));
        let (discovery, _) = look(&graph, &cx).await;
        world.turn_page();
        let report = graph.destroy(&cx, Limits::default(), &discovery).await;
        assert_eq!(failure(&report, "later").code, "toy-before");
        assert!(report.millis <= 2010, "{}", report.millis);
        assert_eq!(calls(&world, Op::Destroy), ["later", "later", "later"]);
    });
}

#[test]
fn a_look_or_a_listing_that_hangs_ends_with_the_time() {
    story(async {
        let world = World::default();
        let mut graph = pair_wanted(&world, 0);
        graph.inventory(Shelf { world: world.clone(), of: Vec::new() });
        for (node, op) in [("earlier", Op::Look), ("shelf", Op::List)] {
            world.fail(node, op, Fault::Hang);
            let cx = world.cx_for(Duration::from_secs(5));
            let failures = graph.discover(&cx, &graph.everything()).await.map(drop).unwrap_err();
            assert_eq!(failures.len(), 1);
            assert_eq!(failures[0].code, "deadline");
        }
    });
}

#[test]
fn all_looks_that_failed_are_told_in_the_order_of_the_graph_and_their_users_are_not_looked_at() {
    story(async {
        let world = World::default();
        let mut graph = pair_wanted(&world, 0);
        graph.add(step(), Toy::new(&world, "apart"));
        graph.inventory(Shelf { world: world.clone(), of: Vec::new() });
        world.slow("earlier", Op::Look, 100);
        for (node, op) in [("earlier", Op::Look), ("apart", Op::Look), ("shelf", Op::List)] {
            world.fail(node, op, Fault::Before(Certainty::Refused));
        }
        let failures = graph.discover(&world.cx(), &graph.everything()).await.map(drop).unwrap_err();
        let nodes: Vec<&str> = failures.iter().map(|failure| failure.node.as_str()).collect();
        assert_eq!(nodes, ["earlier", "apart"]);
        assert_eq!(calls(&world, Op::Look), ["earlier", "apart"]);
        world.fail("shelf", Op::List, Fault::Before(Certainty::Refused));
        let failures = graph.discover(&world.cx(), &graph.everything()).await.map(drop).unwrap_err();
        assert_eq!((failures.len(), failures[0].node.as_str()), (1, "inventory"));
    });
}
