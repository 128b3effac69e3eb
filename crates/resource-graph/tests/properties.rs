//! What holds of every graph: random ones, with random latencies, failures, replacements and moments of death.

mod toy;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::FileFailurePersistence;
use resource_graph::*;
use toy::{Fault, Moment, Op, Shelf, Toy, World, apply, look, story};

/// A node as wished.
#[derive(Clone, Debug)]
struct Wish {
    fixed: Vec<usize>,
    watched: Vec<usize>,
    after: Vec<usize>,
    ownership: Ownership,
    /// What exists already that is not ours.
    present: Option<Mark>,
    generation: u32,
    colour: u32,
    /// False: it was wanted once.
    wanted: bool,
}

/// Latencies of one node's calls, in hundredths of a second.
#[derive(Clone, Debug)]
struct Pace {
    look: u64,
    create: u64,
    finish: u64,
    update: u64,
    destroy: u64,
}

/// Something to happen to one node's wish.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Edit {
    Same,
    Recolour,
    Replace,
    Forget,
}

const MOST: usize = 12;

fn name(index: usize) -> String {
    format!("n{index}")
}

fn index_of(node: &str) -> usize {
    node[1..].parse().unwrap()
}

fn picked(mask: u16, below: usize) -> Vec<usize> {
    (0..below).filter(|bit| mask >> bit & 1 == 1).collect()
}

/// About one edge in four of those possible.
fn mask() -> impl Strategy<Value = u16> {
    (any::<u16>(), any::<u16>()).prop_map(|(one, other)| one & other)
}

/// Graphs whose nodes are all ours.
fn ours() -> impl Strategy<Value = Vec<Wish>> {
    vec((mask(), mask(), mask()), 1..=MOST).prop_map(|masks| {
        let wish = |(index, (fixed, watched, after)): (usize, (u16, u16, u16))| Wish {
            fixed: picked(fixed, index),
            watched: picked(watched, index),
            after: picked(after, index),
            ownership: Ownership::Managed,
            present: None,
            generation: 0,
            colour: 0,
            wanted: true,
        };
        masks.into_iter().enumerate().map(wish).collect()
    })
}

/// Graphs where some nodes are others': they need nothing, and are there before us.
fn mixed() -> impl Strategy<Value = Vec<Wish>> {
    let others = prop_oneof![
        6 => Just(None),
        1 => Just(Some((Ownership::Adopted, Mark::Stranger))),
        1 => Just(Some((Ownership::Adopted, Mark::Adopted))),
        1 => Just(Some((Ownership::Managed, Mark::Adopted))),
        1 => Just(Some((Ownership::Referenced, Mark::Stranger))),
    ];
    (ours(), vec(others, MOST)).prop_map(|(mut wishes, others)| {
        for (wish, other) in wishes.iter_mut().zip(others) {
            if let Some((ownership, mark)) = other {
                wish.ownership = ownership;
                wish.present = Some(mark);
                wish.fixed.clear();
                wish.watched.clear();
            }
        }
        wishes
    })
}

fn paces() -> impl Strategy<Value = Vec<Pace>> {
    let pace = (0..5u64, 0..20u64, 0..20u64, 0..20u64, 0..20u64);
    vec(pace.prop_map(|(look, create, finish, update, destroy)| Pace { look, create, finish, update, destroy }), MOST)
}

fn edits() -> impl Strategy<Value = Vec<Edit>> {
    let edit = prop_oneof![3 => Just(Edit::Same), 1 => Just(Edit::Recolour), 2 => Just(Edit::Replace), 1 => Just(Edit::Forget)];
    vec(edit, MOST)
}

fn certainty() -> impl Strategy<Value = Certainty> {
    prop_oneof![Just(Certainty::NotDone), Just(Certainty::MaybeDone)]
}

/// Faults that trying again overcomes.
fn passing_faults() -> impl Strategy<Value = Vec<(usize, Op, Fault)>> {
    let op = prop_oneof![Just(Op::Create), Just(Op::Finish), Just(Op::Update), Just(Op::Destroy)];
    let fault = prop_oneof![certainty().prop_map(Fault::Before), Just(Fault::After(Certainty::MaybeDone))];
    vec((0..MOST, op, fault), 0..5)
}

/// Faults of every sort, also those that end a node.
fn any_faults() -> impl Strategy<Value = Vec<(usize, Op, Fault)>> {
    let op = prop_oneof![Just(Op::Create), Just(Op::Finish), Just(Op::Update), Just(Op::Destroy)];
    let certainty = prop_oneof![Just(Certainty::Refused), certainty()];
    let fault =
        prop_oneof![certainty.clone().prop_map(Fault::Before), certainty.prop_map(Fault::After), Just(Fault::Hang)];
    vec((0..MOST, op, fault), 0..6)
}

fn edited(wishes: &[Wish], edits: &[Edit]) -> Vec<Wish> {
    let mut wishes = wishes.to_vec();
    for (wish, edit) in wishes.iter_mut().zip(edits) {
        match edit {
            Edit::Same => {}
            Edit::Recolour if wish.ownership == Ownership::Referenced => {}
            Edit::Recolour => wish.colour += 1,
            Edit::Replace if wish.present.is_some() => {}
            Edit::Replace => wish.generation += 1,
            Edit::Forget => wish.wanted = false,
        }
    }
    wishes
}

/// Puts what is not ours into the world, and sets how slow everything is.
fn settle(world: &World, wishes: &[Wish], paces: &[Pace]) {
    for (index, (wish, pace)) in wishes.iter().zip(paces).enumerate() {
        if let Some(mark) = wish.present {
            world.put(&name(index), mark, &[], wish.generation, wish.colour);
        }
        let Pace { look, create, finish, update, destroy } = *pace;
        for (op, latency) in
            [(Op::Look, look), (Op::Create, create), (Op::Finish, finish), (Op::Update, update), (Op::Destroy, destroy)]
        {
            world.slow(&name(index), op, latency * 10);
        }
    }
}

/// The graph of what is wanted, with one inventory a node, so that what is forgotten keeps its place.
fn build(world: &World, wishes: &[Wish]) -> Graph {
    let mut graph = Graph::new();
    let mut things = BTreeMap::new();
    for (index, wish) in wishes.iter().enumerate() {
        if wish.wanted {
            let mut toy = Toy::new(world, name(index)).generation(wish.generation).colour(wish.colour);
            toy.fixed.extend(
                wish.fixed
                    .iter()
                    .filter_map(|parent| things.get(parent))
                    .map(|t: &Ref<toy::Thing>| t.field(toy::Thing::ID)),
            );
            toy.watched
                .extend(wish.watched.iter().filter_map(|other| things.get(other)).map(|t| t.field(toy::Thing::COLOUR)));
            let after: Vec<usize> = wish.after.iter().copied().filter(|earlier| things.contains_key(earlier)).collect();
            toy.requires.extend(after.iter().copied().map(name));
            let thing = graph.add(Label::step("T").ownership(wish.ownership), toy);
            for earlier in after {
                graph.after(thing.node(), things[&earlier].node());
            }
            things.insert(index, thing);
        }
        graph.inventory(Shelf { world: world.clone(), of: vec![name(index)] });
    }
    graph
}

fn id(graph: &Graph, node: NodeIndex) -> String {
    graph.subject(node).node.to_string()
}

/// The nodes that wait for `node`, near and far.
fn descendants(graph: &Graph, node: NodeIndex) -> BTreeSet<NodeIndex> {
    let mut all = BTreeSet::from([node]);
    for candidate in graph.nodes() {
        if graph.edges(candidate).any(|edge| all.contains(&edge)) {
            all.insert(candidate);
        }
    }
    all.remove(&node);
    all
}

/// Every object stands on objects that are there, no node has two, and nobody did what is forbidden.
fn assert_sound(world: &World) {
    assert_eq!(world.violations(), Vec::<String>::new());
    let objects = world.objects();
    let ids: BTreeSet<u64> = objects.iter().map(|object| object.id).collect();
    for object in &objects {
        assert!(object.fixed.iter().all(|parent| ids.contains(parent)), "{object:?} stands on what is gone");
    }
}

/// Sound, and exactly one object for each node that is wanted or not ours.
fn assert_as_wished(world: &World, wishes: &[Wish]) {
    assert_sound(world);
    for (index, wish) in wishes.iter().enumerate() {
        let objects = world.of(&name(index));
        let expected = usize::from(wish.wanted || wish.present.is_some());
        assert_eq!(objects.len(), expected, "{} of {wish:?}: {objects:?}", name(index));
        if wish.wanted {
            assert_eq!((objects[0].generation, objects[0].colour), (wish.generation, wish.colour));
            let parents: BTreeSet<u64> = objects[0].fixed.iter().copied().collect();
            let wanted = wish.fixed.iter().filter(|parent| wishes[**parent].wanted);
            assert_eq!(parents, wanted.map(|&parent| world.only(&name(parent)).id).collect());
        }
    }
}

/// What was told of a walk: one end a node in events and report alike, and no start before what it needs ended well.
fn assert_told_well(graph: &Graph, plan: &Plan, report: &Report, diary: &[Moment]) {
    let mut ended: BTreeMap<String, Outcome> = BTreeMap::new();
    for moment in diary {
        let (node, op) = match moment {
            Moment::Began(node, op) => (node.clone(), Some(*op)),
            Moment::Told(event) => {
                let Some(subject) = &event.subject else { continue };
                match &event.what {
                    What::Finished { outcome, .. } => {
                        let twice = ended.insert(subject.node.to_string(), outcome.clone());
                        assert!(twice.is_none(), "{} ended twice: {twice:?}, {outcome:?}", subject.node);
                        continue;
                    }
                    What::Started { action } if ["create", "update", "replace"].contains(&action.as_str()) => {
                        (subject.node.to_string(), None)
                    }
                    _ => continue,
                }
            }
        };
        if matches!(op, None | Some(Op::Look | Op::Create | Op::Finish | Op::Update))
            && let Some(index) = graph.find(&node.as_str().into())
        {
            assert!(!ended.contains_key(&node), "{node} went on after its end");
            for need in graph.edges(index) {
                let need = id(graph, need);
                assert!(ended.get(&need).is_some_and(Outcome::is_done), "{node} started before {need} had ended well");
            }
        }
    }
    let lines: Vec<&str> = report.nodes.iter().map(|line| line.node.as_str()).collect();
    assert_eq!(lines.len(), lines.iter().collect::<BTreeSet<_>>().len(), "a node has two lines");
    assert_eq!(lines.iter().copied().collect::<BTreeSet<_>>(), ended.keys().map(String::as_str).collect());
    let planned: BTreeSet<&str> = plan.changes.iter().map(|change| change.node.as_str()).collect();
    assert_eq!(lines.into_iter().collect::<BTreeSet<_>>(), planned);
}

/// Applies and checks what was told.
async fn apply_and_listen(graph: &Graph, cx: &Cx, world: &World) -> (Report, Plan) {
    let (discovery, plan) = look(graph, cx).await;
    world.turn_page();
    let report = graph.apply(cx, Limits::default(), &discovery, &plan).await;
    let (diary, peak) = world.turn_page();
    assert!(peak <= Limits::default().concurrency);
    assert_told_well(graph, &plan, &report, &diary);
    (report, plan)
}

/// Destroys, and checks that each node goes after those that wait for it.
async fn destroy_and_listen(graph: &Graph, cx: &Cx, world: &World) -> Report {
    let (discovery, _) = look(graph, cx).await;
    world.turn_page();
    let report = graph.destroy(cx, Limits::default(), &discovery).await;
    let (diary, _) = world.turn_page();
    let mut over = BTreeSet::new();
    for moment in &diary {
        match moment {
            Moment::Told(event) => {
                if let (What::Finished { .. }, Some(subject)) = (&event.what, &event.subject) {
                    assert!(over.insert(subject.node.to_string()), "{} ended twice", subject.node);
                }
            }
            Moment::Began(node, Op::Destroy) => {
                let Some(index) = graph.find(&node.as_str().into()) else { continue };
                for user in descendants(graph, index) {
                    assert!(over.contains(&id(graph, user)), "{node} went before {}", id(graph, user));
                }
            }
            Moment::Began(..) => {}
        }
    }
    assert_eq!(over.len(), report.nodes.len());
    report
}

fn config() -> ProptestConfig {
    ProptestConfig {
        failure_persistence: Some(Box::new(FileFailurePersistence::WithSource("regressions"))),
        ..ProptestConfig::default()
    }
}

proptest! {
    #![proptest_config(config())]

    /// The whole life: made, quiet, changed with replacements and forgotten nodes, quiet again, destroyed, empty.
    #[test]
    fn apply_then_plan_is_quiet_and_destroy_reverses_apply(
        wishes in mixed(), edits in edits(), paces in paces(), faults in passing_faults(),
    ) {
        story(async {
            let world = World::default();
            settle(&world, &wishes, &paces);
            let cx = world.cx();
            for wishes in [wishes.clone(), edited(&wishes, &edits)] {
                for &(node, op, fault) in &faults {
                    world.fail(&name(node), op, fault);
                }
                let graph = build(&world, &wishes);
                let (report, _) = apply_and_listen(&graph, &cx, &world).await;
                assert!(report.is_done(), "{report:?}");
                assert_as_wished(&world, &wishes);
                let (_, plan) = look(&graph, &cx).await;
                assert!(plan.is_quiet(), "{plan:?}");
                world.turn_page();
                let (report, _) = apply_and_listen(&graph, &cx, &world).await;
                assert!(report.nodes.iter().all(|line| line.outcome == Outcome::Kept), "{report:?}");
            }
            let wishes = edited(&wishes, &edits);
            let graph = build(&world, &wishes);
            let report = destroy_and_listen(&graph, &cx, &world).await;
            assert!(report.is_done(), "{report:?}");
            assert_eq!(world.violations(), Vec::<String>::new());
            let left: Vec<usize> = world.objects().iter().map(|object| index_of(&object.node)).collect();
            let others: Vec<usize> = (0..wishes.len()).filter(|&index| wishes[index].present.is_some()).collect();
            assert_eq!(left, others, "only what is not ours is left");
        });
    }

    /// Deciding asks nobody and gives the same answer twice; whoever stands on what goes never says keep.
    #[test]
    fn planning_is_pure_and_no_child_of_a_replaced_node_is_kept(wishes in mixed(), edits in edits(), paces in paces()) {
        story(async {
            let world = World::default();
            settle(&world, &wishes, &paces);
            let cx = world.cx();
            assert!(apply(&build(&world, &wishes), &cx).await.is_done());
            let wishes = edited(&wishes, &edits);
            let graph = build(&world, &wishes);
            let (discovery, plan) = look(&graph, &cx).await;
            world.turn_page();
            let before = world.objects();
            assert_eq!(graph.plan(&discovery), plan);
            assert_eq!(graph.plan(&discovery), plan);
            assert!(world.turn_page().0.is_empty(), "planning asked or told something");
            assert_eq!(world.objects(), before);
            let word = |index: usize| {
                let line = plan.changes.iter().find(|change| change.node.as_str() == name(index));
                line.map_or("", |change| change.action.word())
            };
            for (index, wish) in wishes.iter().enumerate().filter(|(_, wish)| wish.wanted) {
                if wish.fixed.iter().any(|&parent| ["replace", "create", "remove"].contains(&word(parent))) {
                    assert_eq!(word(index), "replace");
                }
                if wish.watched.iter().any(|&other| word(other) == "update" && wishes[other].colour > 0) {
                    assert!(word(index) != "keep", "{} copies a colour that changes", name(index));
                }
            }
        });
    }

    /// Whatever fails and however: each node ends once, what needs a failed one is skipped because of it, all else is done,
    /// and the next run, with nothing failing, makes up for it without twins.
    #[test]
    fn failures_stop_only_what_needs_them_and_the_next_run_makes_up(
        wishes in mixed(), edits in edits(), paces in paces(), faults in any_faults(),
    ) {
        story(async {
            let world = World::default();
            settle(&world, &wishes, &paces);
            for wishes in [wishes.clone(), edited(&wishes, &edits)] {
                let graph = build(&world, &wishes);
                for &(node, op, fault) in &faults {
                    world.fail(&name(node), op, fault);
                }
                let (report, plan) = apply_and_listen(&graph, &world.cx_for(Duration::from_secs(60)), &world).await;
                assert_sound(&world);
                let outcomes: BTreeMap<&str, &Outcome> =
                    report.nodes.iter().map(|line| (line.node.as_str(), &line.outcome)).collect();
                for node in graph.nodes() {
                    let mine = id(&graph, node);
                    match outcomes[mine.as_str()] {
                        Outcome::Failed { failure } => assert_eq!(failure.node.as_str(), mine),
                        Outcome::Skipped { because } => {
                            assert!(matches!(outcomes[because.as_str()], Outcome::Failed { .. }));
                            // While applying, what it needs is to blame; while retiring, what needed it. Whom a
                            // forgotten thing needs is not known, so it stands between all before and all after it.
                            let related = plan.count("remove") > 0
                                || graph.find(because).is_some_and(|culprit| {
                                    descendants(&graph, culprit).contains(&node)
                                        || descendants(&graph, node).contains(&culprit)
                                });
                            assert!(related, "{mine} was skipped because of {because}");
                        }
                        // A call that hangs to the end of the run leaves no time for what would have come after it.
                        Outcome::NotStarted => {
                            assert!(faults.iter().any(|(_, _, fault)| matches!(fault, Fault::Hang)));
                        }
                        _ => {}
                    }
                }
                world.heal();
                let report = apply(&graph, &world.cx()).await;
                assert!(report.is_done(), "{report:?}");
                assert_as_wished(&world, &wishes);
                assert!(look(&graph, &world.cx()).await.1.is_quiet());
            }
        });
    }

    /// Create fails for good at one node of a fresh graph: exactly its descendants are skipped, because of it.
    #[test]
    fn a_failing_node_skips_its_descendants_and_nothing_else(
        wishes in ours(), paces in paces(), failing in any::<prop::sample::Index>(),
    ) {
        story(async {
            let world = World::default();
            settle(&world, &wishes, &paces);
            let failing = failing.index(wishes.len());
            world.fail(&name(failing), Op::Create, Fault::Before(Certainty::Refused));
            let graph = build(&world, &wishes);
            let (report, _) = apply_and_listen(&graph, &world.cx(), &world).await;
            let culprit = graph.find(&name(failing).as_str().into()).unwrap();
            let descendants = descendants(&graph, culprit);
            for (node, line) in graph.nodes().zip(&report.nodes) {
                if node == culprit {
                    assert!(matches!(line.outcome, Outcome::Failed { .. }));
                } else if descendants.contains(&node) {
                    assert_eq!(line.outcome, Outcome::Skipped { because: name(failing).as_str().into() });
                } else {
                    assert_eq!(line.outcome, Outcome::Created);
                }
            }
        });
    }

    /// Killed at any moments, while making, changing or destroying: running again converges without twins or leftovers.
    #[test]
    fn a_killed_run_is_resumed_by_running_it_again(
        wishes in mixed(), edits in edits(), paces in paces(), kills in vec(0..2000u64, 1..5), faults in passing_faults(),
    ) {
        story(async {
            let world = World::default();
            settle(&world, &wishes, &paces);
            for wishes in [wishes.clone(), edited(&wishes, &edits)] {
                for &(node, op, fault) in &faults {
                    world.fail(&name(node), op, fault);
                }
                let graph = build(&world, &wishes);
                for &kill in &kills {
                    let _ = tokio::time::timeout(Duration::from_millis(kill), apply(&graph, &world.cx())).await;
                    assert_sound(&world);
                }
                let report = apply(&graph, &world.cx()).await;
                assert!(report.is_done(), "{report:?}");
                assert_as_wished(&world, &wishes);
                assert!(look(&graph, &world.cx()).await.1.is_quiet());
            }
            let graph = build(&world, &edited(&wishes, &edits));
            for &kill in &kills {
                let _ = tokio::time::timeout(Duration::from_millis(kill), toy::destroy(&graph, &world.cx())).await;
                assert_sound(&world);
            }
            assert!(toy::destroy(&graph, &world.cx()).await.is_done());
            assert!(world.objects().iter().all(|object| object.mark != Mark::Managed), "{:?}", world.objects());
        });
    }

    /// The config changes again after the kill: still no twins, no leftovers.
    #[test]
    fn a_killed_run_followed_by_another_wish_converges_too(
        wishes in ours(), first in edits(), second in edits(), paces in paces(), kill in 0..2000u64,
    ) {
        story(async {
            let world = World::default();
            settle(&world, &wishes, &paces);
            assert!(apply(&build(&world, &wishes), &world.cx()).await.is_done());
            let wishes = edited(&wishes, &first);
            let graph = build(&world, &wishes);
            let _ = tokio::time::timeout(Duration::from_millis(kill), apply(&graph, &world.cx())).await;
            let wishes = edited(&wishes, &second);
            let graph = build(&world, &wishes);
            let report = apply(&graph, &world.cx()).await;
            assert!(report.is_done(), "{report:?}");
            assert_as_wished(&world, &wishes);
            assert!(look(&graph, &world.cx()).await.1.is_quiet());
        });
    }

    /// Stopped by a person at any moment: no call is cut off, no node starts afterwards, and running again converges.
    #[test]
    fn a_stopped_run_finishes_its_calls_and_starts_nothing_new(
        wishes in ours(), edits in edits(), paces in paces(), stop in 0..1000u64,
    ) {
        story(async {
            let world = World::default();
            settle(&world, &wishes, &paces);
            assert!(apply(&build(&world, &wishes), &world.cx()).await.is_done());
            let wishes = edited(&wishes, &edits);
            let graph = build(&world, &wishes);
            let cx = world.cx();
            let (discovery, plan) = look(&graph, &cx).await;
            world.turn_page();
            let stopped = async {
                toy::sleep(stop).await;
                cx.cancellation().cancel();
                world.turn_page().0
            };
            let (report, mut diary) = tokio::join!(graph.apply(&cx, Limits::default(), &discovery, &plan), stopped);
            let (after, _) = world.turn_page();
            for moment in &after {
                match moment {
                    Moment::Began(node, op) => assert_eq!(*op, Op::Finish, "{node} after the stop"),
                    Moment::Told(event) => assert!(!matches!(event.what, What::Started { .. }), "{event:?}"),
                }
            }
            assert!(world.objects().iter().all(|object| object.ready), "what was being made was finished");
            diary.extend(after);
            assert_told_well(&graph, &plan, &report, &diary);
            let report = apply(&graph, &world.cx()).await;
            assert!(report.is_done(), "{report:?}");
            assert_as_wished(&world, &wishes);
        });
    }

    /// With room for all, a run takes as long as its longest path; with less, the limit is kept and no worker idles for long.
    #[test]
    fn a_run_takes_as_long_as_its_longest_path(wishes in ours(), paces in paces(), limit in 1..=MOST) {
        story(async {
            let world = World::default();
            settle(&world, &wishes, &paces);
            let graph = build(&world, &wishes);
            let time = |node: usize| (paces[node].look + paces[node].create + paces[node].finish) * 10;
            let mut ends = vec![0; wishes.len()];
            for node in 0..wishes.len() {
                let Wish { fixed, watched, after, .. } = &wishes[node];
                let start = fixed.iter().chain(watched).chain(after).map(|&need| ends[need]).max().unwrap_or_default();
                ends[node] = start + time(node);
            }
            let longest: u64 = ends.into_iter().max().unwrap_or_default();
            let total: u64 = (0..wishes.len()).map(time).sum();
            for concurrency in [MOST, limit] {
                let cx = world.cx();
                let (discovery, plan) = look(&graph, &cx).await;
                world.turn_page();
                let limits = Limits { concurrency, ..Limits::default() };
                let millis = graph.apply(&cx, limits, &discovery, &plan).await.millis;
                let (_, peak) = world.turn_page();
                assert!(peak <= concurrency, "{peak} at once");
                // The clock counts whole milliseconds, so each of a path's pauses may add one.
                let slack = 6 * wishes.len() as u64;
                let bound = match concurrency {
                    MOST => longest,
                    workers => total / workers as u64 + longest,
                };
                assert!(millis >= longest.max(total / concurrency as u64), "{millis} is faster than possible");
                assert!(millis <= bound + slack, "{millis} instead of {bound}");
                assert!(toy::destroy(&graph, &world.cx()).await.is_done());
            }
        });
    }

    /// What is not ours survives any wish, any failure, and a destroy.
    #[test]
    fn what_is_not_ours_is_never_destroyed_nor_replaced(
        wishes in mixed(), edits in edits(), paces in paces(), faults in any_faults(),
    ) {
        story(async {
            let world = World::default();
            settle(&world, &wishes, &paces);
            let others: Vec<u64> = world.objects().iter().map(|object| object.id).collect();
            let mut wishes = edited(&wishes, &edits);
            for (wish, edit) in wishes.iter_mut().zip(&edits) {
                // Here, what is not ours may be wished otherwise too.
                if *edit == Edit::Replace && wish.present.is_some() {
                    wish.generation += 1;
                }
            }
            for &(node, op, fault) in &faults {
                world.fail(&name(node), op, fault);
            }
            let graph = build(&world, &wishes);
            let cx = world.cx_for(Duration::from_secs(60));
            let (report, plan) = apply_and_listen(&graph, &cx, &world).await;
            for blocked in plan.blocked() {
                let line = report.nodes.iter().find(|line| line.node == blocked.node).unwrap();
                assert!(!line.outcome.is_done(), "{line:?}");
            }
            destroy_and_listen(&graph, &world.cx_for(Duration::from_secs(60)), &world).await;
            assert_sound(&world);
            let left: BTreeSet<u64> = world.objects().iter().map(|object| object.id).collect();
            assert!(others.iter().all(|other| left.contains(other)));
        });
    }
}
