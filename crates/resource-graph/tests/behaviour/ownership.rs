//! Whose a thing is decides what may be done to it.

use resource_graph::*;

use crate::toy::{Thing, Toy, World, apply, destroy, look, story};
use crate::{code, failure, outcome, owned, planned, skipped, step};

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
