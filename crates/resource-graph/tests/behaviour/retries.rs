//! Trying again.

use std::time::Duration;

use resource_graph::*;

use crate::toy::{Fault, Moment, Op, Toy, World, apply, look, story};
use crate::{calls, failure, outcome, pair, step};

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
fn what_only_time_helps_is_tried_by_time() {
    story(async {
        let build = |world: &World| {
            let mut graph = Graph::new();
            graph.add(step(), Toy::new(world, "a"));
            graph
        };
        let used = async |patience: u64| {
            let world = World::default();
            for _ in 0..20 {
                world.fail("a", Op::Create, Fault::InUse(Duration::from_secs(patience)));
            }
            // Other troubles are counted by themselves.
            world.fail("a", Op::Finish, Fault::Before(Certainty::MaybeDone));
            (apply(&build(&world), &world.cx()).await, calls(&world, Op::Create).len())
        };
        let (report, creates) = used(900).await;
        assert!(report.is_done(), "{report:?}");
        assert_eq!(creates, 21);
        assert!((150_000..200_000).contains(&report.millis), "{}", report.millis);
        let (report, creates) = used(30).await;
        assert_eq!(failure(&report, "a").code, "toy-in-use");
        assert_eq!(creates, 7);
        assert!(report.millis <= 30_010, "{}", report.millis);
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
