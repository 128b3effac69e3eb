//! What waits for a person is left as it is, and so is what needs it; that is no failure.

use resource_graph::*;

use crate::step;
use crate::toy::{Toy, World, apply, look, story};

fn wait(why: &str) -> Planned {
    Planned::Wait { why: why.to_owned() }
}

fn planned(plan: &Plan) -> Vec<(&str, Planned)> {
    plan.changes.iter().map(|change| (change.node.as_str(), change.action.clone())).collect()
}

fn outcomes(report: &Report) -> Vec<(&str, Outcome)> {
    report.nodes.iter().map(|ended| (ended.node.as_str(), ended.outcome.clone())).collect()
}

/// `ground`, a `test` that a person makes, and `more` that comes after it.
fn graph(world: &World, confirmed: bool, colour: u32, generation: u32) -> Graph {
    let mut graph = Graph::new();
    let ground = graph.add(step(), Toy::new(world, "ground").generation(generation));
    let test = Toy::new(world, "test").on(&ground);
    let test = graph.add(step(), if confirmed { test } else { test.waiting_for("try it") });
    let more = graph.add(step(), Toy::new(world, "more").colour(colour).on(&ground));
    graph.after(more.node(), test.node());
    graph
}

#[test]
fn it_and_what_comes_after_it_are_left_out() {
    story(async {
        let world = World::default();
        let waiting = graph(&world, false, 0, 0);
        let (_, plan) = look(&waiting, &world.cx()).await;
        assert_eq!(
            planned(&plan),
            [("ground", Planned::Create), ("test", wait("try it")), ("more", wait("after test"))]
        );
        let report = apply(&waiting, &world.cx()).await;
        let left = |why: &str| Outcome::Waiting { why: why.to_owned() };
        assert_eq!(
            outcomes(&report),
            [("ground", Outcome::Created), ("test", left("try it")), ("more", left("after test"))]
        );
        assert!(report.is_done());
        assert_eq!(report.waiting().map(|(ended, _)| ended.node.as_str()).collect::<Vec<_>>(), ["test", "more"]);
        // Nothing is left to do without the person.
        assert!(look(&waiting, &world.cx()).await.1.is_quiet());
    });
}

#[test]
fn once_confirmed_it_goes_on_and_never_waits_again() {
    story(async {
        let world = World::default();
        apply(&graph(&world, false, 0, 0), &world.cx()).await;
        let report = apply(&graph(&world, true, 0, 0), &world.cx()).await;
        assert_eq!(
            outcomes(&report),
            [("ground", Outcome::Kept), ("test", Outcome::Created), ("more", Outcome::Created)]
        );
        // The confirmation is there now, whether it is given again or not.
        let report = apply(&graph(&world, false, 7, 0), &world.cx()).await;
        assert_eq!(outcomes(&report)[2], ("more", Outcome::Updated));
    });
}

#[test]
fn a_change_to_what_exists_waits_too_and_what_fits_is_kept() {
    story(async {
        let world = World::default();
        apply(&graph(&world, true, 0, 0), &world.cx()).await;
        world.take(world.only("test").id);
        let (_, plan) = look(&graph(&world, false, 7, 0), &world.cx()).await;
        assert_eq!(planned(&plan)[2], ("more", wait("after test")));
        let (_, plan) = look(&graph(&world, false, 0, 0), &world.cx()).await;
        assert_eq!(planned(&plan)[2], ("more", Planned::Keep));
    });
}

#[test]
fn what_was_replaced_stays_as_long_as_one_that_waits_may_use_it() {
    story(async {
        let world = World::default();
        apply(&graph(&world, true, 0, 0), &world.cx()).await;
        world.take(world.only("test").id);
        let old = world.only("ground").id;
        let report = apply(&graph(&world, false, 0, 1), &world.cx()).await;
        assert_eq!(outcomes(&report)[0], ("ground", Outcome::Replaced));
        assert!(world.objects().iter().any(|object| object.id == old), "`more` still stands on it");
        let report = apply(&graph(&world, true, 0, 1), &world.cx()).await;
        assert!(report.is_done());
        assert!(world.objects().iter().all(|object| object.id != old), "everyone has moved on");
    });
}
