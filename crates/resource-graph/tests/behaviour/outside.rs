//! What leaves the crate.

use std::error::Error as _;

use resource_graph::*;

use crate::toy::{Fault, Moment, Op, Shelf, Toy, World, apply, look, story};
use crate::{owned, pair, pair_wanted, step};

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
