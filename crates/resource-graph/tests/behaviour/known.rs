//! What is known while planning.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use resource_graph::*;

use crate::toy::{Toy, World, apply, look, story};
use crate::{outcome, step};

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
