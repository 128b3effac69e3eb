//! What the graph promises, one promise a test.

mod toy;

use std::error::Error as _;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use resource_graph::*;
use toy::{Fault, Moment, Op, Shelf, Thing, Toy, World, apply, destroy, look, sleep, story};

fn step() -> Label {
    Label::step("T1")
}

fn owned(ownership: Ownership) -> Label {
    step().ownership(ownership)
}

fn planned<'p>(plan: &'p Plan, node: &str) -> &'p Planned {
    &plan.changes.iter().find(|change| change.node.as_str() == node).expect("the plan has the node").action
}

fn outcome<'r>(report: &'r Report, node: &str) -> &'r Outcome {
    let mut lines = report.nodes.iter().filter(|ended| ended.node.as_str() == node);
    let line = lines.next().expect("the report has the node");
    assert!(lines.next().is_none(), "{node} has two lines in the report");
    &line.outcome
}

fn failure<'r>(report: &'r Report, node: &str) -> &'r Failure {
    match outcome(report, node) {
        Outcome::Failed { failure } => failure,
        other => panic!("{node} ended as {other:?}"),
    }
}

fn skipped(because: &str) -> Outcome {
    Outcome::Skipped { because: because.into() }
}

fn code(planned: &Planned) -> &str {
    match planned {
        Planned::Blocked { code, .. } => code,
        other => panic!("{} is not blocked", other.word()),
    }
}

/// The calls of one kind since the last page, in order.
fn calls(world: &World, wanted: Op) -> Vec<String> {
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
async fn pair(world: &World, generation: u32) -> Graph {
    let graph = pair_wanted(world, generation);
    assert!(apply(&graph, &world.cx()).await.is_done());
    world.turn_page();
    graph
}

fn pair_wanted(world: &World, generation: u32) -> Graph {
    let mut graph = Graph::new();
    let earlier = graph.add(step(), Toy::new(world, "earlier").generation(generation));
    graph.add(step(), Toy::new(world, "later").on(&earlier));
    graph
}

// Ownership.

#[test]
fn a_stranger_of_the_same_name_blocks() {
    story(async {
        let world = World::default();
        world.put("a", Mark::Stranger, &[], 0, 0);
        let mut graph = Graph::new();
        graph.add(step(), Toy::new(&world, "a"));
        let (_, plan) = look(&graph, &world.cx()).await;
        assert_eq!(code(planned(&plan, "a")), "stranger");
        assert_eq!(plan.blocked().count(), 1);
    });
}

#[test]
fn a_blocked_node_is_not_touched_even_when_the_plan_is_applied() {
    story(async {
        let world = World::default();
        world.put("stranger", Mark::Stranger, &[], 0, 0);
        let mut graph = Graph::new();
        let missing = graph.add(owned(Ownership::Referenced), Toy::new(&world, "missing"));
        let stranger = graph.add(step(), Toy::new(&world, "stranger"));
        graph.add(step(), Toy::new(&world, "on-missing").on(&missing));
        graph.add(step(), Toy::new(&world, "on-stranger").on(&stranger));
        graph.add(step(), Toy::new(&world, "apart"));
        let report = apply(&graph, &world.cx()).await;
        assert_eq!(failure(&report, "missing").code, "missing");
        assert_eq!(failure(&report, "stranger").code, "stranger");
        assert_eq!(*outcome(&report, "on-missing"), skipped("missing"));
        assert_eq!(*outcome(&report, "on-stranger"), skipped("stranger"));
        assert_eq!(*outcome(&report, "apart"), Outcome::Created);
        let names: Vec<String> = world.objects().into_iter().map(|object| object.node).collect();
        assert_eq!(names, ["stranger", "apart"]);
    });
}

#[test]
fn adopting_a_stranger_is_an_update_that_marks_it() {
    story(async {
        let world = World::default();
        let id = world.put("a", Mark::Stranger, &[], 0, 0);
        let mut graph = Graph::new();
        graph.add(owned(Ownership::Adopted), Toy::new(&world, "a"));
        let (_, plan) = look(&graph, &world.cx()).await;
        let Planned::Update { changes } = planned(&plan, "a") else { panic!("{plan:?}") };
        assert_eq!(describe(changes), "ownership stranger -> adopted");
        assert_eq!(*outcome(&apply(&graph, &world.cx()).await, "a"), Outcome::Updated);
        assert_eq!((world.only("a").id, world.only("a").mark), (id, Mark::Adopted));
        assert!(look(&graph, &world.cx()).await.1.is_quiet());
    });
}

#[test]
fn adopting_a_stranger_corrects_it_in_the_same_update() {
    story(async {
        let world = World::default();
        world.put("a", Mark::Stranger, &[], 0, 0);
        let mut graph = Graph::new();
        graph.add(owned(Ownership::Adopted), Toy::new(&world, "a").colour(3));
        let (_, plan) = look(&graph, &world.cx()).await;
        let Planned::Update { changes } = planned(&plan, "a") else { panic!("{plan:?}") };
        assert_eq!(describe(changes), "colour 0 -> 3, ownership stranger -> adopted");
        apply(&graph, &world.cx()).await;
        assert_eq!((world.only("a").colour, world.only("a").mark), (3, Mark::Adopted));
    });
}

#[test]
fn an_adopted_thing_is_never_replaced() {
    story(async {
        for (ownership, mark) in [
            (Ownership::Adopted, Mark::Stranger),
            (Ownership::Adopted, Mark::Adopted),
            (Ownership::Managed, Mark::Adopted),
        ] {
            let world = World::default();
            world.put("a", mark, &[], 0, 0);
            let mut graph = Graph::new();
            graph.add(owned(ownership), Toy::new(&world, "a").generation(1));
            let (_, plan) = look(&graph, &world.cx()).await;
            assert_eq!(code(planned(&plan, "a")), "adopted-differs");
            apply(&graph, &world.cx()).await;
            assert_eq!(world.only("a").generation, 0);
        }
    });
}

#[test]
fn what_survives_an_adoption_is_what_survives_the_correction() {
    story(async {
        let world = World::default();
        let id = world.put("root", Mark::Stranger, &[], 0, 0);
        world.put("standing", Mark::Managed, &[id], 0, 0);
        let watching = world.put("watching", Mark::Managed, &[], 0, 0);
        world.change(watching, |object| object.watched = vec![0]);
        let mut graph = Graph::new();
        let root = graph.add(owned(Ownership::Adopted), Toy::new(&world, "root").colour(1));
        graph.add(step(), Toy::new(&world, "standing").on(&root));
        graph.add(step(), Toy::new(&world, "watching").watching(&root));
        let (_, plan) = look(&graph, &world.cx()).await;
        let words: Vec<&str> = plan.changes.iter().map(|change| change.action.word()).collect();
        assert_eq!(words, ["update", "keep", "update"]);
        assert!(apply(&graph, &world.cx()).await.is_done());
        assert!(look(&graph, &world.cx()).await.1.is_quiet());
    });
}

#[test]
fn a_resource_may_block_where_a_replacement_would_lose_something() {
    story(async {
        let world = World::default();
        world.put("a", Mark::Managed, &[], 0, 0);
        let mut graph = Graph::new();
        graph.add(step(), Toy { precious: true, ..Toy::new(&world, "a").generation(1) });
        let (_, plan) = look(&graph, &world.cx()).await;
        assert_eq!(code(planned(&plan, "a")), "toy-precious");
        let report = apply(&graph, &world.cx()).await;
        let failure = failure(&report, "a");
        assert_eq!(failure.code, "toy-precious");
        assert_eq!(failure.message, "apply a, on which a person must decide");
        assert_eq!(failure.causes, ["generation 0 -> 1"]);
        assert_eq!(world.only("a").generation, 0);
    });
}

#[test]
fn an_adopted_thing_is_spared_by_destroy_even_when_the_config_has_forgotten_it_was_adopted() {
    story(async {
        for ownership in [Ownership::Adopted, Ownership::Managed] {
            let world = World::default();
            let id = world.put("a", Mark::Adopted, &[], 0, 0);
            let mut graph = Graph::new();
            let a = graph.add(owned(ownership), Toy::new(&world, "a"));
            graph.add(step(), Toy::new(&world, "b").on(&a));
            assert!(apply(&graph, &world.cx()).await.is_done());
            let report = destroy(&graph, &world.cx()).await;
            assert_eq!(*outcome(&report, "a"), Outcome::Spared);
            assert_eq!(*outcome(&report, "b"), Outcome::Destroyed);
            assert_eq!(world.objects().len(), 1);
            assert_eq!(world.only("a").id, id);
            assert_eq!(world.violations(), Vec::<String>::new());
        }
    });
}

#[test]
fn something_referenced_that_is_missing_blocks() {
    story(async {
        let world = World::default();
        let mut graph = Graph::new();
        graph.add(owned(Ownership::Referenced), Toy::new(&world, "a"));
        let (_, plan) = look(&graph, &world.cx()).await;
        assert_eq!(code(planned(&plan, "a")), "missing");
    });
}

#[test]
fn something_referenced_that_differs_blocks_and_says_how() {
    story(async {
        for mark in [Mark::Stranger, Mark::Adopted, Mark::Managed] {
            let world = World::default();
            world.put("a", mark, &[], 0, 0);
            let mut graph = Graph::new();
            graph.add(owned(Ownership::Referenced), Toy::new(&world, "a").colour(2));
            let (_, plan) = look(&graph, &world.cx()).await;
            let Planned::Blocked { code, why } = planned(&plan, "a") else { panic!("{plan:?}") };
            assert_eq!(code, "referenced-differs");
            assert_eq!(why, "a is only referenced and differs: colour 0 -> 2");
        }
    });
}

#[test]
fn something_referenced_that_fits_is_kept_and_spared() {
    story(async {
        for mark in [Mark::Stranger, Mark::Adopted, Mark::Managed] {
            let world = World::default();
            world.put("a", mark, &[], 0, 0);
            let mut graph = Graph::new();
            graph.add(owned(Ownership::Referenced), Toy::new(&world, "a"));
            assert!(look(&graph, &world.cx()).await.1.is_quiet());
            assert_eq!(*outcome(&destroy(&graph, &world.cx()).await, "a"), Outcome::Spared);
            assert_eq!(world.only("a").mark, mark);
        }
    });
}

#[test]
fn what_is_given_by_hand_is_quiet_whatever_its_label_and_spared() {
    story(async {
        for ownership in [Ownership::Managed, Ownership::Adopted, Ownership::Referenced] {
            let world = World::default();
            let mut graph = Graph::new();
            let id = world.put("by-hand", Mark::Stranger, &[], 0, 0);
            let given = graph.add(owned(ownership), Fixed::new("given", Thing { id, colour: 0 }));
            graph.add(step(), Toy::new(&world, "a").on(&given));
            assert!(apply(&graph, &world.cx()).await.is_done());
            assert_eq!(world.only("a").fixed, [id]);
            assert!(look(&graph, &world.cx()).await.1.is_quiet());
            assert_eq!(*outcome(&destroy(&graph, &world.cx()).await, "given"), Outcome::Spared);
        }
    });
}

// Planning again while applying.

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

// Stopping.

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

// Leftovers and things no longer wanted.

#[test]
fn what_is_no_longer_wanted_is_shown_as_remove_and_removed_users_first() {
    story(async {
        let world = World::default();
        let shelf = |of: &str| Shelf { world: world.clone(), of: vec![of.to_owned()] };
        let mut graph = Graph::new();
        let a = graph.add(step(), Toy::new(&world, "a"));
        let b = graph.add(step(), Toy::new(&world, "b").on(&a));
        let c = graph.add(step(), Toy::new(&world, "c").on(&b));
        graph.add(step(), Toy::new(&world, "d").on(&c));
        assert!(apply(&graph, &world.cx()).await.is_done());

        let mut smaller = Graph::new();
        let a = smaller.add(step(), Toy::new(&world, "a"));
        smaller.inventory(shelf("a"));
        smaller.inventory(shelf("b"));
        smaller.inventory(shelf("c"));
        smaller.add(step(), Toy::new(&world, "d").on(&a));
        smaller.inventory(shelf("d"));
        let (_, plan) = look(&smaller, &world.cx()).await;
        let words: Vec<(&str, &str)> =
            plan.changes.iter().map(|change| (change.node.as_str(), change.action.word())).collect();
        assert_eq!(words, [("a", "keep"), ("d", "replace"), ("b", "remove"), ("c", "remove")]);
        assert_eq!(plan.changes[2].summary, "toy-2");
        world.turn_page();
        assert!(apply(&smaller, &world.cx()).await.is_done());
        assert_eq!(calls(&world, Op::Destroy), ["d", "c", "b"]);
        assert_eq!(world.violations(), Vec::<String>::new());
    });
}

#[test]
fn orphans_go_after_what_was_added_later_and_before_what_was_added_earlier() {
    story(async {
        let world = World::default();
        let shelf = |of: &str| Shelf { world: world.clone(), of: vec![of.to_owned()] };
        let build = |with_orphans: bool| {
            let mut graph = Graph::new();
            let a = graph.add(step(), Toy::new(&world, "a"));
            let b = with_orphans.then(|| graph.add(step(), Toy::new(&world, "b").on(&a)));
            graph.inventory(shelf("b"));
            let c = graph.add(step(), Toy::new(&world, "c").on(b.as_ref().unwrap_or(&a)));
            let d = with_orphans.then(|| graph.add(step(), Toy::new(&world, "d").on(&c)));
            graph.inventory(shelf("d"));
            graph.add(step(), Toy::new(&world, "e").on(d.as_ref().unwrap_or(&c)));
            graph
        };
        for destroyed in [false, true] {
            assert!(apply(&build(true), &world.cx()).await.is_done());
            world.turn_page();
            let smaller = build(false);
            let report =
                if destroyed { destroy(&smaller, &world.cx()).await } else { apply(&smaller, &world.cx()).await };
            assert!(report.is_done(), "{report:?}");
            assert_eq!(*outcome(&report, "b"), Outcome::Destroyed);
            assert_eq!(*outcome(&report, "d"), Outcome::Destroyed);
            let expected: &[&str] = if destroyed { &["e", "d", "c", "b", "a"] } else { &["e", "d", "c", "b"] };
            assert_eq!(calls(&world, Op::Destroy), expected);
            assert_eq!(world.violations(), Vec::<String>::new());
        }
    });
}

#[test]
fn several_things_of_one_forgotten_node_share_its_line() {
    story(async {
        let world = World::default();
        world.put("gone", Mark::Managed, &[], 0, 0);
        world.put("gone", Mark::Managed, &[], 1, 0);
        let mut graph = Graph::new();
        graph.inventory(Shelf { world: world.clone(), of: Vec::new() });
        let (discovery, plan) = look(&graph, &world.cx()).await;
        assert_eq!(discovery.orphans().len(), 2);
        assert_eq!(plan.count("remove"), 2);
        assert_eq!(format!("{:?}", discovery.orphans()[1]), "toy toy-2 (gone)");
        let report = apply(&graph, &world.cx()).await;
        assert_eq!(*outcome(&report, "gone"), Outcome::Destroyed);
        assert_eq!(world.objects(), []);
        let (diary, _) = world.turn_page();
        let started = |m: &&Moment| matches!(m, Moment::Told(event) if matches!(event.what, What::Started { .. }));
        assert_eq!(diary.iter().filter(started).count(), 1);
    });
}

#[test]
fn cancelling_between_two_things_of_one_node_keeps_the_second_and_says_so() {
    story(async {
        let world = World::default();
        world.put("gone", Mark::Managed, &[], 0, 0);
        world.put("gone", Mark::Managed, &[], 1, 0);
        world.slow("gone", Op::Destroy, 1000);
        let mut graph = Graph::new();
        graph.inventory(Shelf { world: world.clone(), of: Vec::new() });
        let cx = world.cx();
        let (discovery, _) = look(&graph, &cx).await;
        let stop = async {
            sleep(500).await;
            cx.cancellation().cancel();
        };
        let (report, ()) = tokio::join!(graph.destroy(&cx, Limits::default(), &discovery), stop);
        let failure = failure(&report, "gone");
        assert_eq!((failure.code.as_str(), failure.message.as_str()), ("cancelled", "remove all of gone"));
        assert_eq!(world.only("gone").generation, 1);
    });
}

#[test]
fn what_two_inventories_list_of_one_forgotten_node_is_removed_by_each() {
    struct Parts(Arc<AtomicUsize>);
    impl Inventory for Parts {
        const KIND: &'static str = "part";
        type Found = usize;
        async fn list(&self, _: &Cx) -> Result<Vec<Listed<usize>>> {
            let left = self.0.load(Ordering::Relaxed);
            Ok((0..left)
                .map(|part| Listed { node: "gone".into(), label: format!("part-{part}"), found: part })
                .collect())
        }
        async fn destroy(&self, _: &Cx, _: usize) -> Result<()> {
            self.0.fetch_sub(1, Ordering::Relaxed);
            Ok(())
        }
    }
    story(async {
        let world = World::default();
        world.put("gone", Mark::Managed, &[], 0, 0);
        let parts = Arc::new(AtomicUsize::new(2));
        let mut graph = Graph::new();
        graph.inventory(Shelf { world: world.clone(), of: Vec::new() });
        graph.inventory(Parts(parts.clone()));
        let report = apply(&graph, &world.cx()).await;
        let lines: Vec<(&str, &Outcome)> =
            report.nodes.iter().map(|line| (line.kind.as_str(), &line.outcome)).collect();
        assert_eq!(lines, [("toy", &Outcome::Destroyed), ("part", &Outcome::Destroyed)]);
        assert_eq!((world.objects().len(), parts.load(Ordering::Relaxed)), (0, 0));
    });
}

#[test]
fn a_selection_removes_nothing_that_it_did_not_select() {
    story(async {
        let world = World::default();
        world.put("gone", Mark::Managed, &[], 0, 0);
        let mut graph = pair_wanted(&world, 0);
        graph.inventory(Shelf { world: world.clone(), of: Vec::new() });
        let cx = world.cx();
        let some = graph.select(|subject| subject.node.as_str() == "earlier");
        let discovery = graph.discover(&cx, &some).await.unwrap();
        let plan = graph.plan(&discovery);
        assert_eq!(plan.count("remove"), 0);
        assert!(graph.apply(&cx, Limits::default(), &discovery, &plan).await.is_done());
        assert_eq!(world.of("gone").len(), 1);
    });
}

#[test]
fn after_a_failure_nothing_is_removed_and_the_report_says_so() {
    story(async {
        let world = World::default();
        world.put("gone", Mark::Managed, &[], 0, 0);
        world.fail("a", Op::Create, Fault::Before(Certainty::Refused));
        let mut graph = Graph::new();
        graph.add(step(), Toy::new(&world, "a"));
        graph.inventory(Shelf { world: world.clone(), of: Vec::new() });
        let report = apply(&graph, &world.cx()).await;
        assert_eq!(*outcome(&report, "gone"), skipped("a"));
        assert_eq!(world.of("gone").len(), 1);
    });
}

#[test]
fn the_old_one_goes_only_after_all_its_users_have_moved() {
    story(async {
        let world = World::default();
        let build = |generation: u32| {
            let mut graph = Graph::new();
            let root = graph.add(step(), Toy::new(&world, "root").generation(generation));
            for name in ["slow", "quick"] {
                let user = graph.add(step(), Toy::new(&world, name).on(&root));
                graph.add(step(), Toy::new(&world, format!("{name}-leaf")).on(&user));
            }
            graph
        };
        assert!(apply(&build(0), &world.cx()).await.is_done());
        world.slow("slow", Op::Create, 5000);
        world.turn_page();
        let report = apply(&build(1), &world.cx()).await;
        assert!(report.is_done());
        assert_eq!(*outcome(&report, "root"), Outcome::Replaced);
        let (diary, _) = world.turn_page();
        let position = |wanted: &dyn Fn(&Moment) -> bool| diary.iter().position(wanted).unwrap();
        let last_made = diary.iter().rposition(|moment| matches!(moment, Moment::Began(_, Op::Finish))).unwrap();
        let first_gone = position(&|moment| matches!(moment, Moment::Began(_, Op::Destroy)));
        assert!(last_made < first_gone);
        let gone = |name: &str| position(&|moment| matches!(moment, Moment::Began(node, Op::Destroy) if node == name));
        assert!(gone("slow-leaf") < gone("slow") && gone("slow") < gone("root") && gone("quick") < gone("root"));
        assert_eq!(world.objects().len(), 5);
        assert_eq!(world.violations(), Vec::<String>::new());
    });
}

#[test]
fn what_retiring_left_is_told_apart_from_how_the_node_itself_ended() {
    story(async {
        let world = World::default();
        pair(&world, 0).await;
        world.fail("later", Op::Destroy, Fault::Before(Certainty::Refused));
        let report = apply(&pair_wanted(&world, 1), &world.cx()).await;
        assert_eq!(failure(&report, "later").code, "toy-before");
        assert_eq!(*outcome(&report, "earlier"), skipped("later"));
        let (diary, _) = world.turn_page();
        let told = |node: &str| -> Vec<String> {
            diary
                .iter()
                .filter_map(|moment| match moment {
                    Moment::Told(event) if event.subject.as_ref().is_some_and(|s| s.node.as_str() == node) => {
                        match &event.what {
                            What::Started { action } => Some(format!("started {action}")),
                            What::Finished { outcome, .. } => Some(format!("finished {}", word(outcome))),
                            What::Retired { outcome, .. } => Some(format!("retired {}", word(outcome))),
                            _ => None,
                        }
                    }
                    _ => None,
                })
                .collect()
        };
        assert_eq!(told("later"), ["started replace", "finished replaced", "started retire", "retired failed"]);
        assert_eq!(told("earlier"), ["started replace", "finished replaced", "retired skipped"]);
        assert!(apply(&pair_wanted(&world, 1), &world.cx()).await.is_done());
        assert_eq!(world.objects().len(), 2);
    });
}

fn word(outcome: &Outcome) -> String {
    serde_json::to_value(outcome).unwrap()["outcome"].as_str().unwrap().to_owned()
}

#[test]
fn leftovers_of_an_interrupted_replacement_are_retired_though_all_is_kept() {
    story(async {
        let world = World::default();
        let graph = pair(&world, 0).await;
        let old = world.put("earlier", Mark::Managed, &[], 9, 0);
        world.put("later", Mark::Managed, &[old], 0, 0);
        let (_, plan) = look(&graph, &world.cx()).await;
        assert_eq!(plan.count("keep"), 2);
        assert_eq!(plan.changes.iter().map(|change| change.stale).collect::<Vec<_>>(), [1, 1]);
        assert!(!plan.is_quiet());
        let report = apply(&graph, &world.cx()).await;
        assert!(report.is_done());
        assert_eq!(*outcome(&report, "earlier"), Outcome::Kept);
        assert_eq!(world.objects().len(), 2);
        assert!(look(&graph, &world.cx()).await.1.is_quiet());
        assert_eq!(world.violations(), Vec::<String>::new());
    });
}

#[test]
fn destroy_takes_the_leftovers_too_and_ends_each_node_once() {
    story(async {
        let world = World::default();
        let graph = pair(&world, 0).await;
        let old = world.put("earlier", Mark::Managed, &[], 9, 0);
        world.put("later", Mark::Managed, &[old], 0, 0);
        world.turn_page();
        let report = destroy(&graph, &world.cx()).await;
        assert_eq!(report.nodes.len(), 2);
        assert!(report.nodes.iter().all(|ended| ended.outcome == Outcome::Destroyed));
        let (diary, _) = world.turn_page();
        let finished =
            diary.iter().filter(|m| matches!(m, Moment::Told(event) if matches!(event.what, What::Finished { .. })));
        assert_eq!(finished.count(), 2);
        assert_eq!(world.objects(), []);
    });
}

#[test]
fn destroying_twice_is_fine() {
    story(async {
        let world = World::default();
        let graph = pair(&world, 0).await;
        let (discovery, _) = look(&graph, &world.cx()).await;
        assert!(graph.destroy(&world.cx(), Limits::default(), &discovery).await.is_done());
        assert!(graph.destroy(&world.cx(), Limits::default(), &discovery).await.is_done());
        let report = destroy(&graph, &world.cx()).await;
        assert_eq!(*outcome(&report, "earlier"), Outcome::WasAbsent);
    });
}

#[test]
fn when_a_user_cannot_go_what_it_uses_stays_because_of_it_and_the_rest_goes() {
    story(async {
        let world = World::default();
        let mut graph = pair(&world, 0).await;
        graph.add(step(), Toy::new(&world, "apart"));
        assert!(apply(&graph, &world.cx()).await.is_done());
        world.fail("later", Op::Destroy, Fault::Before(Certainty::Refused));
        let report = destroy(&graph, &world.cx()).await;
        assert_eq!(failure(&report, "later").code, "toy-before");
        assert_eq!(*outcome(&report, "earlier"), skipped("later"));
        assert_eq!(*outcome(&report, "apart"), Outcome::Destroyed);
    });
}

#[test]
fn what_waits_for_something_skipped_is_skipped_because_of_the_same_failure() {
    story(async {
        let world = World::default();
        world.put("forgotten", Mark::Managed, &[], 0, 0);
        let mut graph = Graph::new();
        graph.add(step(), Toy::new(&world, "first"));
        graph.inventory(Shelf { world: world.clone(), of: vec!["forgotten".into()] });
        graph.add(step(), Toy::new(&world, "last"));
        let (discovery, plan) = look(&graph, &world.cx()).await;
        let limits = Limits::default();
        graph.apply(&world.cx(), limits, &discovery, &plan).await;
        world.put("forgotten", Mark::Managed, &[], 0, 0);
        world.fail("last", Op::Destroy, Fault::Before(Certainty::Refused));
        let report = destroy(&graph, &world.cx()).await;
        assert_eq!(failure(&report, "last").code, "toy-before");
        assert_eq!(*outcome(&report, "forgotten"), skipped("last"));
        assert_eq!(*outcome(&report, "first"), skipped("last"));
    });
}

// What is known while planning.

#[test]
fn a_child_that_refers_to_a_surviving_part_is_kept_and_one_that_refers_to_another_is_not() {
    story(async {
        let world = World::default();
        let build = |colour: u32| {
            let mut graph = Graph::new();
            let root = graph.add(step(), Toy::new(&world, "root").colour(colour));
            graph.add(step(), Toy::new(&world, "standing").on(&root));
            graph.add(step(), Toy::new(&world, "watching").watching(&root));
            graph
        };
        assert!(apply(&build(0), &world.cx()).await.is_done());
        let (_, plan) = look(&build(1), &world.cx()).await;
        let words: Vec<&str> = plan.changes.iter().map(|change| change.action.word()).collect();
        assert_eq!(words, ["update", "keep", "update"]);
        let report = apply(&build(1), &world.cx()).await;
        assert_eq!(*outcome(&report, "standing"), Outcome::Kept);
        assert_eq!(world.only("watching").watched, [1]);
        assert!(look(&build(1), &world.cx()).await.1.is_quiet());
    });
}

#[test]
fn a_part_of_a_part_survives_with_the_part() {
    #[derive(Clone)]
    struct Certificate {
        arn: String,
    }
    const LENGTH: Field<String, usize> = Field::new("length", |arn| arn.len());
    const ARN: Field<Certificate, String> = Field::new("arn", |certificate| certificate.arn.clone());
    assert_eq!(ARN.name(), "arn");

    struct Reimported;
    impl Resource for Reimported {
        const KIND: &'static str = "certificate";
        type Needs = ();
        type Found = ();
        type Output = Certificate;
        fn id(&self) -> NodeId {
            "certificate".into()
        }
        fn summary(&self) -> String {
            String::new()
        }
        fn needs(&self) {}
        async fn look(&self, _: &Cx, (): &()) -> Result<Seen<()>> {
            Ok(Seen::ours(()))
        }
        fn plan(&self, (): &(), (): &()) -> Verdict {
            let changes = vec![];
            Verdict::Update { changes, survives: Survives::Only(&["arn"]) }
        }
        fn output(&self, (): &()) -> Certificate {
            Certificate { arn: "arn:1".into() }
        }
        async fn apply(&self, _: &Cx, _: Action<()>, (): ()) -> Result<()> {
            Ok(())
        }
        async fn destroy(&self, _: &Cx, (): ()) -> Result<()> {
            Ok(())
        }
    }

    struct User(Ref<usize>, Ref<Certificate>, Arc<AtomicUsize>);
    impl Resource for User {
        const KIND: &'static str = "user";
        type Needs = (Ref<usize>, Ref<Certificate>);
        type Found = ();
        type Output = ();
        fn id(&self) -> NodeId {
            "user".into()
        }
        fn summary(&self) -> String {
            String::new()
        }
        fn needs(&self) -> Self::Needs {
            (self.0.clone(), self.1.clone())
        }
        async fn look(&self, _: &Cx, _: &Present<Self>) -> Result<Seen<()>> {
            Ok(Seen::ours(()))
        }
        fn plan(&self, (): &(), (length, whole): &Knowns<Self>) -> Verdict {
            assert_eq!(*length, Known::Same(5));
            assert!(matches!(whole, Known::WillChange(_)));
            self.2.fetch_add(1, Ordering::Relaxed);
            Verdict::Keep
        }
        fn output(&self, (): &()) {}
        async fn apply(&self, _: &Cx, _: Action<()>, _: Given<Self>) -> Result<()> {
            Ok(())
        }
        async fn destroy(&self, _: &Cx, (): ()) -> Result<()> {
            Ok(())
        }
    }

    story(async {
        let asked = Arc::new(AtomicUsize::new(0));
        let mut graph = Graph::new();
        let certificate = graph.add(step(), Reimported);
        let length = certificate.field(ARN).field(LENGTH);
        assert_eq!(format!("{length:?}"), "Ref(0.arn)");
        graph.add(step(), User(length, certificate, asked.clone()));
        graph.plan(&graph.discover(&Cx::quiet(), &graph.everything()).await.unwrap());
        assert_eq!(asked.load(Ordering::Relaxed), 1);
    });
}

#[test]
fn knowledge_compares_only_when_it_survives() {
    assert!(Known::Same(1).is(&1));
    assert!(!Known::Same(1).is(&2));
    assert!(!Known::WillChange(1).is(&1));
    assert!(!Known::<i32>::Unknown.is(&1));
    assert_eq!(Known::WillChange(1).present(), Some(&1));
    assert_eq!(Known::<i32>::Unknown.present(), None);
    assert_eq!(Known::WillChange(1).map(|value| value + 1), Known::WillChange(2));
    assert_eq!(Known::Same(1).map(|value| value + 1), Known::Same(2));
    assert_eq!(Known::<i32>::Unknown.map(|value| value + 1), Known::Unknown);
}

#[test]
fn a_comparison_prefers_replace_and_leaves_out_what_is_not_told() {
    let mut compare = Compare::new();
    assert_eq!(compare.update_if_told("size", None, &1).verdict(), Verdict::Keep);
    compare.update("size", &1, &2).replace("protocol", &"HTTP", &"HTTPS", Some("C01"));
    let Verdict::Replace { why } = compare.verdict() else { panic!("it is a replacement") };
    assert_eq!(describe(&why), "protocol HTTP -> HTTPS (C01), size 1 -> 2");
    compare.repoint("group", Some(&"g-1"), &Known::WillChange("g-1"));
    let Verdict::Update { changes, survives } = compare.verdict() else { panic!("it is an update") };
    assert_eq!((describe(&changes).as_str(), survives), ("group g-1 -> (after apply)", Survives::All));
    compare.need_all("subnets", &["b", "a"], &Known::Same(vec!["a", "b"]));
    compare.repoint_all("groups", &["b", "a"], &Known::Same(vec!["a", "b"]));
    assert_eq!(compare.verdict(), Verdict::Keep);
    compare.repoint("group", None, &Known::Same("g-1")).differs("text", None, Some("new".into()));
    let Verdict::Update { changes, .. } = compare.verdict() else { panic!("it is an update") };
    assert_eq!(describe(&changes), "group -> g-1, text -> new");
}

#[test]
fn of_several_the_newest_that_fits_is_current_and_else_the_newest() {
    let pick = |wanted: u32| {
        let seen = Seen::pick(vec![1, 2, 3, 2, 4], |&found| found == wanted);
        (seen.current.map(|(found, _)| found), seen.stale)
    };
    assert_eq!(pick(2), (Some(2), vec![1, 2, 3, 4]));
    assert_eq!(pick(9), (Some(4), vec![1, 2, 3, 2]));
    assert!(Seen::pick(Vec::<u32>::new(), |_| true).current.is_none());
}

// The graph itself.

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

// Trying again.

#[test]
fn a_refusal_is_final_and_a_busy_answer_is_not() {
    story(async {
        let world = World::default();
        world.fail("busy", Op::Look, Fault::Before(Certainty::NotDone));
        world.fail("busy", Op::Create, Fault::Before(Certainty::NotDone));
        world.fail("refused", Op::Create, Fault::Before(Certainty::Refused));
        let mut graph = Graph::new();
        graph.add(step(), Toy::new(&world, "busy"));
        graph.add(step(), Toy::new(&world, "refused"));
        let cx = world.cx();
        let discovery = graph.discover(&cx, &graph.everything()).await.map(drop).unwrap_err();
        assert_eq!(discovery[0].code, "toy-before");
        world.fail("busy", Op::Finish, Fault::Before(Certainty::MaybeDone));
        let report = apply(&graph, &cx).await;
        assert_eq!(*outcome(&report, "busy"), Outcome::Created);
        assert_eq!(failure(&report, "refused").code, "toy-before");
        assert_eq!(report.failures().count(), 1);
        let (diary, _) = world.turn_page();
        let attempts: Vec<u32> = diary
            .iter()
            .filter_map(|moment| match moment {
                Moment::Told(event) => match &event.what {
                    What::Again { attempt, .. } => Some(*attempt),
                    _ => None,
                },
                Moment::Began(..) => None,
            })
            .collect();
        assert_eq!(attempts, [1, 2]);
        assert!(world.only("busy").ready);
    });
}

#[test]
fn after_the_last_attempt_the_node_fails() {
    story(async {
        let world = World::default();
        for _ in 0..9 {
            world.fail("a", Op::Create, Fault::Before(Certainty::NotDone));
        }
        let mut graph = Graph::new();
        graph.add(step(), Toy::new(&world, "a"));
        let cx = world.cx();
        let (discovery, plan) = look(&graph, &cx).await;
        world.turn_page();
        let limits = Limits { attempts: 3, ..Limits::default() };
        let report = graph.apply(&cx, limits, &discovery, &plan).await;
        assert_eq!(failure(&report, "a").code, "toy-before");
        assert_eq!(calls(&world, Op::Create).len(), 3);
        assert!((1500..=1510).contains(&report.millis), "{}", report.millis);
        let limits = Limits { attempts: 5, backoff: Duration::from_secs(20), ..limits };
        let report = graph.apply(&cx, limits, &discovery, &plan).await;
        assert_eq!(failure(&report, "a").code, "toy-before");
        let pauses = 20_000 + 3 * 30_000;
        assert!((pauses..=pauses + 10).contains(&report.millis), "{}", report.millis);
    });
}

#[test]
fn a_lost_answer_of_each_call_makes_no_twin() {
    story(async {
        for op in [Op::Create, Op::Finish, Op::Update, Op::Destroy] {
            let world = World::default();
            pair(&world, 0).await;
            for node in ["earlier", "later"] {
                world.fail(node, op, Fault::After(Certainty::MaybeDone));
            }
            let mut graph = Graph::new();
            let earlier = graph.add(step(), Toy::new(&world, "earlier").generation(1));
            graph.add(step(), Toy::new(&world, "later").on(&earlier).colour(1));
            let report = apply(&graph, &world.cx()).await;
            assert!(report.is_done(), "{op:?}: {report:?}");
            assert_eq!(*outcome(&report, "earlier"), Outcome::Replaced);
            assert_eq!(world.only("later").fixed, [world.only("earlier").id]);
            assert!(look(&graph, &world.cx()).await.1.is_quiet());
        }
    });
}

// Waiting.

#[test]
fn a_wait_that_runs_out_names_the_last_state() {
    story(async {
        let world = World::default();
        let looks = AtomicUsize::new(0);
        let pace = Pace::new(Duration::from_secs(1), Duration::from_secs(10));
        let error = world
            .cx()
            .wait_until("toy `t-1` to become available", pace, || async {
                let state = if looks.fetch_add(1, Ordering::Relaxed) < 3 { "creating" } else { "starting" };
                Ok(Progress::<()>::Pending(state.into()))
            })
            .await
            .unwrap_err();
        assert_eq!(error.code(), "wait-timeout");
        assert_eq!(error.to_string(), "wait for toy `t-1` to become available; last seen: starting");
        let (diary, _) = world.turn_page();
        let told: Vec<String> = diary
            .into_iter()
            .filter_map(|moment| match moment {
                Moment::Told(event) => match event.what {
                    What::Progress { text } => Some(text),
                    _ => None,
                },
                Moment::Began(..) => None,
            })
            .collect();
        assert_eq!(
            told,
            [
                "waiting for toy `t-1` to become available: creating",
                "waiting for toy `t-1` to become available: starting"
            ]
        );
    });
}

#[test]
fn a_wait_looks_often_at_first_and_then_at_its_pace() {
    story(async {
        let start = tokio::time::Instant::now();
        let looks = std::sync::Mutex::new(Vec::new());
        let pace = Pace::new(Duration::from_secs(1), Duration::from_secs(4));
        let cx = Cx::quiet();
        let waited = cx.wait_until("rain", pace, || async {
            looks.lock().unwrap().push(start.elapsed().as_millis());
            Ok(Progress::<()>::Pending("dry".into()))
        });
        assert_eq!(waited.await.unwrap_err().code(), "wait-timeout");
        assert_eq!(looks.into_inner().unwrap(), [0, 200, 600, 1400, 2400, 3400]);
    });
}

#[test]
fn a_wait_ends_when_the_run_is_stopped() {
    story(async {
        let cx = Cx::quiet();
        let pace = Pace::new(Duration::from_secs(5), Duration::from_secs(600));
        let stop = async {
            sleep(10_000).await;
            cx.cancellation().cancel();
        };
        let wait = cx.wait_until("rain", pace, || async { Ok(Progress::<()>::Pending("dry".into())) });
        let (waited, ()) = tokio::join!(wait, stop);
        let error = waited.unwrap_err();
        assert_eq!((error.code(), error.to_string().as_str()), ("cancelled", "wait for rain; last seen: dry"));
    });
}

#[test]
fn a_wait_goes_on_while_the_other_side_is_busy_and_ends_at_once_on_an_unknown_state() {
    story(async {
        let cx = Cx::quiet();
        let pace = Pace::new(Duration::from_secs(1), Duration::from_secs(600));
        let looks = AtomicUsize::new(0);
        let waited = cx.wait_until("rain", pace, || async {
            match looks.fetch_add(1, Ordering::Relaxed) {
                0 => Err(Error::new("busy", "ask").certainty(Certainty::NotDone)),
                1 => Err(Error::new("lost", "ask").certainty(Certainty::MaybeDone)),
                2 => Ok(Progress::Pending("cloudy".into())),
                _ => Ok(Progress::Ready("wet")),
            }
        });
        assert_eq!(waited.await.unwrap(), "wet");
        for end in ["refused", "snow"] {
            let waited = cx.wait_until("rain", pace, || async {
                match end {
                    "snow" => Ok(Progress::<()>::Failed(Error::new("snow", "see rain"))),
                    _ => Err(Error::new("refused", "ask")),
                }
            });
            assert_eq!(waited.await.unwrap_err().code(), end);
        }
    });
}

#[test]
fn a_wait_ends_with_the_run_and_a_pace_of_nothing_still_lets_time_pass() {
    story(async {
        let start = tokio::time::Instant::now();
        let cx = Cx::quiet().within(Duration::from_secs(3)).within(Duration::from_secs(600));
        let pace = Pace::new(Duration::ZERO, Duration::from_secs(600));
        let waited = cx.wait_until("rain", pace, || async { Ok(Progress::<()>::Pending("dry".into())) });
        assert_eq!(waited.await.unwrap_err().code(), "wait-timeout");
        assert!(start.elapsed() <= Duration::from_secs(3));
    });
}

#[test]
fn of_two_who_want_the_same_lock_one_waits() {
    story(async {
        let cx = Cx::quiet();
        let start = tokio::time::Instant::now();
        let work = |key: &'static str| {
            let cx = cx.clone();
            async move {
                let _held = cx.lock(key).await;
                sleep(100).await;
            }
        };
        tokio::join!(work("one"), work("one"), work("two"));
        let millis = start.elapsed().as_millis();
        assert!((200..=205).contains(&millis), "{millis}");
    });
}

// One run per deployment.

#[derive(Default)]
struct ToyLease {
    renewals: AtomicUsize,
    released: AtomicUsize,
    taken: bool,
    lost_after: Option<usize>,
}

impl Lease for ToyLease {
    async fn acquire(&self, _: &Cx) -> Result<()> {
        if self.taken { Err(Error::new("locked", "take the lock held by somebody")) } else { Ok(()) }
    }

    async fn renew(&self, _: &Cx) -> Result<()> {
        let renewals = self.renewals.fetch_add(1, Ordering::Relaxed);
        match self.lost_after {
            Some(after) if renewals >= after => Err(Error::new("lock-lost", "renew the lock")),
            _ => Err(Error::new("busy", "renew the lock").certainty(Certainty::NotDone)),
        }
    }

    async fn release(&self, _: &Cx) -> Result<()> {
        self.released.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }
}

#[test]
fn a_lease_is_renewed_while_the_work_lasts_and_given_back() {
    story(async {
        let lease = ToyLease::default();
        let cx = Cx::quiet();
        let work = async {
            sleep(3500).await;
            7
        };
        assert_eq!(with_lease(&lease, &cx, Duration::from_secs(1), work).await.unwrap(), 7);
        assert_eq!(lease.renewals.load(Ordering::Relaxed), 3);
        assert_eq!(lease.released.load(Ordering::Relaxed), 1);
        assert!(!cx.cancellation().is_cancelled());
    });
}

#[test]
fn without_the_lease_no_work_begins() {
    story(async {
        let lease = ToyLease { taken: true, ..ToyLease::default() };
        let work = async { panic!("it worked without the lease") };
        let error = with_lease(&lease, &Cx::quiet(), Duration::from_secs(1), work).await.map(drop).unwrap_err();
        assert_eq!(error.code(), "locked");
        assert_eq!(lease.released.load(Ordering::Relaxed), 0);
    });
}

#[test]
fn when_the_lease_is_lost_the_run_is_stopped_and_the_lease_of_others_left_alone() {
    story(async {
        let world = World::default();
        world.slow("earlier", Op::Create, 5000);
        let graph = pair_wanted(&world, 0);
        let lease = ToyLease { lost_after: Some(1), ..ToyLease::default() };
        let cx = world.cx();
        let error = with_lease(&lease, &cx, Duration::from_secs(1), apply(&graph, &cx)).await.map(drop).unwrap_err();
        assert_eq!(error.code(), "lock-lost");
        assert!(cx.cancellation().is_cancelled());
        assert_eq!(lease.released.load(Ordering::Relaxed), 0);
        assert!(world.only("earlier").ready, "the call in flight was finished");
        assert_eq!(world.of("later"), []);
    });
}

// What leaves the crate.

#[test]
fn events_are_lines_of_json_that_read_back_the_same() {
    story(async {
        let world = World::default();
        pair(&world, 0).await;
        world.fail("earlier", Op::Create, Fault::Before(Certainty::NotDone));
        world.fail("later", Op::Create, Fault::Before(Certainty::Refused));
        apply(&pair_wanted(&world, 1), &world.cx()).await;
        world.cx().emit(What::RunStarted { command: "deploy".into(), nodes: 2 });
        world.cx().emit(What::Call {
            service: "toy".into(),
            operation: "Make".into(),
            outcome: "ok".into(),
            millis: 3,
        });
        world.cx().emit(What::Planned { action: Planned::Blocked { code: "c".into(), why: "w".into() } });
        world.cx().emit(What::RunFinished { done: 1, failed: 1, skipped: 0, waiting: 2, millis: 9 });
        world.cx().emit(What::Retired { outcome: Outcome::NotStarted, millis: 0 });
        let (diary, _) = world.turn_page();
        let mut lines = 0;
        for moment in diary {
            let Moment::Told(event) = moment else { continue };
            let line = serde_json::to_string(&event).unwrap();
            assert!(!line.contains('\n'));
            assert_eq!(serde_json::from_str::<Event>(&line).unwrap(), *event, "{line}");
            lines += 1;
        }
        assert!(lines > 10);
    });
}

#[test]
fn the_shape_of_an_event_is_stable() {
    story(async {
        let world = World::default();
        world.put("a", Mark::Managed, &[], 1, 0);
        let mut graph = Graph::new();
        let a = graph.add(Label::step("T1").corrections(["C01"]), Toy::new(&world, "a"));
        graph.add(Label::step("T2"), Toy::new(&world, "b").on(&a));
        world.fail("a", Op::Create, Fault::Before(Certainty::NotDone));
        world.slow("b", Op::Finish, 70);
        apply(&graph, &world.cx()).await;
        let (diary, _) = world.turn_page();
        let lines: Vec<String> = diary
            .iter()
            .filter_map(|moment| match moment {
                Moment::Told(event) => Some(serde_json::to_string(event).unwrap()),
                Moment::Began(..) => None,
            })
            .collect();
        let head = r#"{"schema":1,"run":"toy","at":"1970-01-01T00:00:00Z","subject":"#;
        assert!(lines.iter().all(|line| line.starts_with(head)));
        insta::assert_snapshot!(lines.join("\n").replace(head, ""), @r#"
        {"node":"a","kind":"toy","step":"T1","corrections":["C01"]},"event":"discovered","seen":"managed","stale":0,"millis":0}
        {"node":"b","kind":"toy","step":"T2"},"event":"discovered","seen":"absent","stale":0,"millis":0}
        {"node":"a","kind":"toy","step":"T1","corrections":["C01"]},"event":"started","action":"replace"}
        {"node":"a","kind":"toy","step":"T1","corrections":["C01"]},"event":"again","because":{"code":"toy-before","step":"T1","node":"a","message":"be heard"},"attempt":1}
        {"node":"a","kind":"toy","step":"T1","corrections":["C01"]},"event":"finished","outcome":{"outcome":"replaced"},"millis":500}
        {"node":"b","kind":"toy","step":"T2"},"event":"started","action":"create"}
        {"node":"b","kind":"toy","step":"T2"},"event":"finished","outcome":{"outcome":"created"},"millis":70}
        {"node":"a","kind":"toy","step":"T1","corrections":["C01"]},"event":"started","action":"retire"}
        {"node":"a","kind":"toy","step":"T1","corrections":["C01"]},"event":"retired","outcome":{"outcome":"destroyed"},"millis":0}
        "#);
        let schema = serde_json::to_value(schemars::schema_for!(Event)).unwrap().to_string();
        for word in ["run-started", "discovered", "started", "again", "finished", "retired", "run-finished"] {
            assert!(schema.contains(word), "{word} is not in the schema");
        }
    });
}

#[test]
fn a_plan_is_told_as_one_event_a_line_each_about_its_node() {
    story(async {
        let world = World::default();
        world.put("orphan", Mark::Managed, &[], 0, 0);
        let mut graph = pair_wanted(&world, 0);
        graph.inventory(Shelf { world: world.clone(), of: Vec::new() });
        let (_, plan) = look(&graph, &world.cx()).await;
        world.turn_page();
        graph.tell(&world.cx(), &plan);
        let (diary, _) = world.turn_page();
        let told: Vec<(String, String, &str)> = diary
            .iter()
            .filter_map(|moment| match moment {
                Moment::Told(event) => match (&event.subject, &event.what) {
                    (Some(Subject { node, step, .. }), What::Planned { action }) => {
                        Some((node.to_string(), step.clone(), action.word()))
                    }
                    other => panic!("{other:?}"),
                },
                Moment::Began(..) => None,
            })
            .collect();
        let line = |node: &str, step: &str, word: &'static str| (node.to_owned(), step.to_owned(), word);
        let expected = [line("earlier", "T1", "create"), line("later", "T1", "create"), line("orphan", "", "remove")];
        assert_eq!(told, expected);
    });
}

#[test]
fn a_plan_is_json_that_reads_back_the_same() {
    story(async {
        let world = World::default();
        world.put("b", Mark::Managed, &[], 1, 0);
        world.put("orphan", Mark::Managed, &[], 0, 0);
        let mut graph = Graph::new();
        graph.add(Label::step("T1").corrections(["C01"]), Toy::new(&world, "a"));
        graph.add(step(), Toy::new(&world, "b"));
        graph.add(owned(Ownership::Referenced), Toy::new(&world, "c"));
        graph.inventory(Shelf { world: world.clone(), of: Vec::new() });
        let (_, plan) = look(&graph, &world.cx()).await;
        let text = serde_json::to_string(&plan).unwrap();
        assert_eq!(serde_json::from_str::<Plan>(&text).unwrap(), plan);
        let first = serde_json::to_value(&plan).unwrap()["changes"][1].clone();
        let expected = serde_json::json!({
            "node": "b", "kind": "toy", "step": "T1", "summary": "generation 0 colour 0", "ownership": "managed",
            "action": "replace", "why": [{"field": "generation", "from": "1", "to": "0"}],
        });
        assert_eq!(first, expected);
    });
}

#[test]
fn a_failure_has_what_a_person_needs_and_does_not_say_a_cause_twice() {
    let deepest = std::io::Error::other("connection reset");
    let wrapped = Error::new("io", "connection reset").because(deepest);
    let cause = Error::new("io", "talk to toy").because(wrapped);
    let error = Error::new("toy", "make `t-1`").expected("a quiet day").hint("wait").because(cause);
    let failure = error.failure(&"a".into(), "T1");
    assert_eq!(error.to_string(), "make `t-1`");
    assert!(format!("{error:?}").contains("connection reset"));
    assert_eq!(error.source().unwrap().to_string(), "talk to toy");
    assert_eq!(failure.causes, ["talk to toy", "connection reset"]);
    assert_eq!((failure.expected.as_deref(), failure.hint.as_deref()), (Some("a quiet day"), Some("wait")));
    assert!(error.is(Certainty::Refused));
    let text = serde_json::to_string(&failure).unwrap();
    assert_eq!(serde_json::from_str::<Failure>(&text).unwrap(), failure);
    let bare = Error::new("toy", "make").failure(&"a".into(), "T1");
    let expected = serde_json::json!({"code": "toy", "step": "T1", "node": "a", "message": "make"});
    assert_eq!(serde_json::to_value(bare).unwrap(), expected);
}
