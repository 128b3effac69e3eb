//! What was replaced, and what is no longer wanted.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use resource_graph::*;

use crate::toy::{Fault, Moment, Op, Shelf, Toy, World, apply, destroy, look, sleep, story};
use crate::{calls, failure, outcome, pair, pair_wanted, skipped, step};

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

/// So many parts of a node, which only an inventory sees.
struct Parts(&'static str, Arc<AtomicUsize>);

impl Inventory for Parts {
    const KIND: &'static str = "part";
    type Found = usize;
    async fn list(&self, _: &Cx) -> Result<Vec<Listed<usize>>> {
        let left = self.1.load(Ordering::Relaxed);
        Ok((0..left).map(|part| Listed { node: self.0.into(), label: format!("part-{part}"), found: part }).collect())
    }
    async fn destroy(&self, _: &Cx, _: usize) -> Result<()> {
        self.1.fetch_sub(1, Ordering::Relaxed);
        Ok(())
    }
}

#[test]
fn what_two_inventories_list_of_one_forgotten_node_is_removed_by_each() {
    story(async {
        let world = World::default();
        world.put("gone", Mark::Managed, &[], 0, 0);
        let parts = Arc::new(AtomicUsize::new(2));
        let mut graph = Graph::new();
        graph.inventory(Shelf { world: world.clone(), of: Vec::new() });
        graph.inventory(Parts("gone", parts.clone()));
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
fn what_only_the_second_look_calls_left_over_stays() {
    story(async {
        let world = World::default();
        let build = |generation: u32| {
            let mut graph = Graph::new();
            graph.add(step(), Toy::new(&world, "a").generation(generation));
            graph
        };
        assert!(apply(&build(0), &world.cx()).await.is_done());
        let graph = build(0);
        let cx = world.cx();
        let (discovery, plan) = look(&graph, &cx).await;
        assert!(plan.is_quiet());
        // Somebody else, who wants another generation, has just made it beside the old one.
        let new = world.put("a", Mark::Managed, &[], 1, 0);
        assert!(graph.apply(&cx, Limits::default(), &discovery, &plan).await.is_done());
        assert!(world.of("a").iter().any(|object| object.id == new), "nobody agreed that it goes");
        let (_, now) = look(&graph, &cx).await;
        let worse: Vec<_> = now.worse_than(&plan).map(|change| change.stale).collect();
        assert_eq!(worse, [1], "who confirmed the quiet plan is asked again");
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
fn destroy_takes_what_is_listed_of_a_node_that_sees_nothing_itself() {
    story(async {
        let world = World::default();
        let parts = Arc::new(AtomicUsize::new(2));
        let mut graph = Graph::new();
        let half = graph.add(step(), Toy::new(&world, "half"));
        graph.add(step(), Toy::new(&world, "user").on(&half));
        graph.inventory(Parts("half", parts.clone()));
        // A destroy was cut off half-way: what is left is no longer what the node looks for.
        let report = destroy(&graph, &world.cx()).await;
        assert_eq!(parts.load(Ordering::Relaxed), 0);
        assert_eq!((report.nodes.len(), outcome(&report, "half")), (2, &Outcome::Destroyed));
        // It is nothing that a deploy has to do with.
        parts.store(2, Ordering::Relaxed);
        assert!(apply(&graph, &world.cx()).await.is_done());
        assert_eq!(parts.load(Ordering::Relaxed), 2);
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
