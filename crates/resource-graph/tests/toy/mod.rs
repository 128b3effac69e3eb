//! A toy world and the resources that live in it.
//!
//! The world is strict where a cloud is: nothing is made on a parent that is not there, nothing goes while something stands on
//! it, and what is not ours must not go at all. Whoever tries is refused, and the world remembers it as a violation.

#![allow(dead_code, reason = "each test file uses its part of the world")]

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use jiff::Timestamp;
use resource_graph::*;

/// What a call to the world does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Op {
    /// Ask what exists.
    Look,
    /// Make an object, not yet ready for use.
    Create,
    /// Make it ready for use.
    Finish,
    /// Change an object in place.
    Update,
    /// Remove an object.
    Destroy,
    /// Ask for everything that is ours.
    List,
}

/// How a call goes wrong.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Fault {
    /// It fails and nothing was done.
    Before(Certainty),
    /// It fails, nothing was done, and only time helps, at most so much of it.
    InUse(Duration),
    /// It fails and all was done.
    After(Certainty),
    /// It is never answered, and nothing was done.
    Hang,
}

/// Something in the world.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Object {
    /// Never used twice.
    pub(crate) id: u64,
    /// The node it was made for.
    pub(crate) node: String,
    /// Whose it is.
    pub(crate) mark: Mark,
    /// What it stands on; only a new one can stand on something else.
    pub(crate) fixed: Vec<u64>,
    /// Colours of others that it copied; they can be copied again.
    pub(crate) watched: Vec<u32>,
    /// Only a new one can have another.
    pub(crate) generation: u32,
    /// Can be changed in place.
    pub(crate) colour: u32,
    /// False between the two calls that make it.
    pub(crate) ready: bool,
}

/// One entry of the world's diary.
#[derive(Clone, Debug)]
pub(crate) enum Moment {
    /// The graph told something.
    Told(Box<Event>),
    /// A call came in.
    Began(String, Op),
}

#[derive(Default)]
struct State {
    last: u64,
    objects: BTreeMap<u64, Object>,
    latencies: HashMap<(String, Op), u64>,
    faults: HashMap<(String, Op), VecDeque<Fault>>,
    diary: Vec<Moment>,
    violations: Vec<String>,
    running: usize,
    peak: usize,
}

/// The world, shared by everything in it.
#[derive(Clone, Default)]
pub(crate) struct World(Arc<Mutex<State>>);

impl World {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }

    /// A context whose events go into the diary.
    pub(crate) fn cx(&self) -> Cx {
        self.cx_for(Duration::from_secs(36_000))
    }

    /// The same with an end.
    pub(crate) fn cx_for(&self, budget: Duration) -> Cx {
        let world = self.clone();
        let sink: Sink = Arc::new(move |event| world.state().diary.push(Moment::Told(Box::new(event))));
        Cx::new("toy", budget, sink, Arc::new(Stopped))
    }

    /// Puts an object there, as if somebody had made it by hand.
    pub(crate) fn put(&self, node: &str, mark: Mark, fixed: &[u64], generation: u32, colour: u32) -> u64 {
        let mut state = self.state();
        state.make(Object {
            id: 0,
            node: node.to_owned(),
            mark,
            fixed: fixed.to_vec(),
            watched: Vec::new(),
            generation,
            colour,
            ready: true,
        })
    }

    /// Takes an object away, as if somebody had done it by hand.
    pub(crate) fn take(&self, id: u64) {
        self.state().objects.remove(&id);
    }

    /// Changes an object, as if somebody had done it by hand.
    pub(crate) fn change(&self, id: u64, change: impl FnOnce(&mut Object)) {
        change(self.state().objects.get_mut(&id).unwrap());
    }

    /// How long a call takes, in milliseconds.
    pub(crate) fn slow(&self, node: &str, op: Op, millis: u64) {
        self.state().latencies.insert((node.to_owned(), op), millis);
    }

    /// The next such call that has no fault yet goes wrong.
    pub(crate) fn fail(&self, node: &str, op: Op, fault: Fault) {
        self.state().faults.entry((node.to_owned(), op)).or_default().push_back(fault);
    }

    /// From now on nothing goes wrong.
    pub(crate) fn heal(&self) {
        self.state().faults.clear();
    }

    /// All objects, oldest first.
    pub(crate) fn objects(&self) -> Vec<Object> {
        self.state().objects.values().cloned().collect()
    }

    /// The objects of one node, oldest first.
    pub(crate) fn of(&self, node: &str) -> Vec<Object> {
        self.objects().into_iter().filter(|object| object.node == node).collect()
    }

    /// The only object of a node.
    pub(crate) fn only(&self, node: &str) -> Object {
        let mut all = self.of(node);
        assert_eq!(all.len(), 1, "objects of {node}: {all:?}");
        all.remove(0)
    }

    /// What nobody may do and somebody did.
    pub(crate) fn violations(&self) -> Vec<String> {
        self.state().violations.clone()
    }

    /// The diary since the last time, and how many calls were under way at once at most.
    pub(crate) fn turn_page(&self) -> (Vec<Moment>, usize) {
        let mut state = self.state();
        state.running = 0;
        (std::mem::take(&mut state.diary), std::mem::take(&mut state.peak))
    }

    async fn call<T>(&self, node: &str, op: Op, effect: impl FnOnce(&mut State) -> Result<T>) -> Result<T> {
        let (latency, fault, _running) = {
            let mut state = self.state();
            state.diary.push(Moment::Began(node.to_owned(), op));
            state.running += 1;
            state.peak = state.peak.max(state.running);
            let key = (node.to_owned(), op);
            let latency = state.latencies.get(&key).copied().unwrap_or_default();
            (latency, state.faults.get_mut(&key).and_then(VecDeque::pop_front), Running(self.clone()))
        };
        sleep(latency / 2).await;
        tracing::info!(called = %node, ?op);
        match fault {
            Some(Fault::Before(certainty)) => return Err(Error::new("toy-before", "be heard").certainty(certainty)),
            Some(Fault::InUse(patience)) => return Err(Error::new("toy-in-use", "be let go").for_up_to(patience)),
            Some(Fault::Hang) => return std::future::pending().await,
            Some(Fault::After(_)) | None => {}
        }
        let done = effect(&mut self.state());
        sleep(latency - latency / 2).await;
        match fault {
            Some(Fault::After(certainty)) => Err(Error::new("toy-after", "hear the answer").certainty(certainty)),
            _ => done,
        }
    }
}

struct Running(World);

impl Drop for Running {
    fn drop(&mut self) {
        let mut state = self.0.state();
        state.running = state.running.saturating_sub(1);
    }
}

impl State {
    fn make(&mut self, mut object: Object) -> u64 {
        self.last += 1;
        object.id = self.last;
        self.objects.insert(object.id, object);
        self.last
    }

    fn refuse<T>(&mut self, why: String) -> Result<T> {
        self.violations.push(why.clone());
        Err(Error::new("toy-violation", why))
    }

    fn destroy(&mut self, id: u64) -> Result<()> {
        let Some(object) = self.objects.get(&id) else { return Ok(()) };
        if object.mark != Mark::Managed {
            return self.refuse(format!("destroy {} {id}, which is not ours", object.node));
        }
        if let Some(user) = self.objects.values().find(|user| user.fixed.contains(&id)) {
            return self.refuse(format!("destroy {} {id} while {} {} stands on it", object.node, user.node, user.id));
        }
        self.objects.remove(&id);
        Ok(())
    }
}

/// What an object shows to others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Thing {
    /// Its id.
    pub(crate) id: u64,
    /// Its colour.
    pub(crate) colour: u32,
}

impl Thing {
    /// Survives a change of colour.
    pub(crate) const ID: Field<Self, u64> = Field::new("id", |thing| thing.id);
    /// Does not.
    pub(crate) const COLOUR: Field<Self, u32> = Field::new("colour", |thing| thing.colour);
}

/// A node of the toy world.
#[derive(Clone)]
pub(crate) struct Toy {
    /// Where it lives.
    pub(crate) world: World,
    /// The node's name.
    pub(crate) name: String,
    /// What it stands on.
    pub(crate) fixed: Vec<Ref<u64>>,
    /// Whose colours it copies.
    pub(crate) watched: Vec<Ref<u32>>,
    /// Nodes that must have an object before it is made, though it needs no value of them.
    pub(crate) requires: Vec<String>,
    /// What is wanted.
    pub(crate) generation: u32,
    /// What is wanted.
    pub(crate) colour: u32,
    /// Whether it holds what must not be lost, so that it blocks rather than being replaced.
    pub(crate) precious: bool,
    /// What a person has to do before it is made.
    pub(crate) waits: Option<String>,
}

impl Toy {
    /// A node that needs nothing.
    pub(crate) fn new(world: &World, name: impl Into<String>) -> Self {
        Self {
            world: world.clone(),
            name: name.into(),
            fixed: Vec::new(),
            watched: Vec::new(),
            requires: Vec::new(),
            generation: 0,
            colour: 0,
            precious: false,
            waits: None,
        }
    }

    /// Is not made before a person did this.
    pub(crate) fn waiting_for(mut self, what: &str) -> Self {
        self.waits = Some(what.to_owned());
        self
    }

    /// Stands on another.
    pub(crate) fn on(mut self, parent: &Ref<Thing>) -> Self {
        self.fixed.push(parent.field(Thing::ID));
        self
    }

    /// Copies the colour of another.
    pub(crate) fn watching(mut self, other: &Ref<Thing>) -> Self {
        self.watched.push(other.field(Thing::COLOUR));
        self
    }

    /// Wants another generation.
    pub(crate) fn generation(mut self, generation: u32) -> Self {
        self.generation = generation;
        self
    }

    /// Wants another colour.
    pub(crate) fn colour(mut self, colour: u32) -> Self {
        self.colour = colour;
        self
    }
}

impl Resource for Toy {
    const KIND: &'static str = "toy";
    type Needs = (Vec<Ref<u64>>, Vec<Ref<u32>>);
    type Found = Object;
    type Output = Thing;

    fn id(&self) -> NodeId {
        NodeId::new(&self.name)
    }

    fn summary(&self) -> String {
        format!("generation {} colour {}", self.generation, self.colour)
    }

    fn needs(&self) -> Self::Needs {
        (self.fixed.clone(), self.watched.clone())
    }

    fn waits(&self) -> Option<String> {
        self.waits.clone()
    }

    async fn look(&self, _: &Cx, (fixed, _): &Present<Self>) -> Result<Seen<Object>> {
        let fits = |object: &Object| {
            object.generation == self.generation && fixed.as_ref().is_none_or(|fixed| same(&object.fixed, fixed))
        };
        let look = |state: &mut State| {
            let all = state.objects.values().filter(|object| object.node == self.name).cloned();
            let (ours, others): (Vec<Object>, Vec<Object>) = all.partition(|object| object.mark == Mark::Managed);
            let mut seen = Seen::pick(ours, fits);
            if let (None, Some(other)) = (&seen.current, others.into_iter().next()) {
                let mark = other.mark;
                seen.current = Some((other, mark));
            }
            Ok(seen)
        };
        self.world.call(&self.name, Op::Look, look).await
    }

    fn plan(&self, found: &Object, (fixed, watched): &Knowns<Self>) -> Verdict {
        let mut compare = Compare::new();
        compare.replace("generation", &found.generation, &self.generation, None);
        compare.need_all("fixed", &found.fixed, fixed);
        compare.repoint_all("watched", &found.watched, watched);
        compare.update("ready", &found.ready, &true);
        compare.update("colour", &found.colour, &self.colour);
        if found.colour != self.colour {
            compare.survives(Survives::Only(&["id"]));
        }
        match compare.verdict() {
            Verdict::Replace { why } if self.precious => Verdict::Blocked { code: "toy-precious", why: describe(&why) },
            verdict => verdict,
        }
    }

    fn output(&self, found: &Object) -> Thing {
        Thing { id: found.id, colour: found.colour }
    }

    async fn apply(&self, _: &Cx, action: Action<Object>, (fixed, watched): Given<Self>) -> Result<Object> {
        let id = match action {
            Action::Create => {
                let create = |state: &mut State| {
                    if let Some(gone) = fixed.iter().find(|id| !state.objects.contains_key(id)) {
                        return state.refuse(format!("make {} on {gone}, which is not there", self.name));
                    }
                    let there = |name: &String| state.objects.values().any(|object| object.node == *name);
                    if let Some(lacking) = self.requires.iter().find(|name| !there(name)) {
                        return Err(Error::new("toy-too-early", format!("make {} before {lacking}", self.name)));
                    }
                    Ok(state.make(Object {
                        id: 0,
                        node: self.name.clone(),
                        mark: Mark::Managed,
                        fixed: fixed.clone(),
                        watched: Vec::new(),
                        generation: self.generation,
                        colour: self.colour,
                        ready: false,
                    }))
                };
                let id = self.world.call(&self.name, Op::Create, create).await?;
                let finish = |state: &mut State| Ok(state.objects.get_mut(&id).map(|object| object.ready = true));
                self.world.call(&self.name, Op::Finish, finish).await?;
                id
            }
            Action::Update { found, adopt } => {
                let update = |state: &mut State| {
                    let Some(object) = state.objects.get_mut(&found.id) else {
                        return Err(Error::new("toy-gone", format!("update {}", found.id)));
                    };
                    object.colour = self.colour;
                    object.ready = true;
                    if adopt {
                        object.mark = Mark::Adopted;
                    }
                    Ok(())
                };
                self.world.call(&self.name, Op::Update, update).await?;
                found.id
            }
        };
        let mut state = self.world.state();
        let Some(object) = state.objects.get_mut(&id) else {
            return Err(Error::new("toy-gone", format!("find {id} again")));
        };
        object.watched = watched;
        Ok(object.clone())
    }

    async fn destroy(&self, _: &Cx, found: Object) -> Result<()> {
        self.world.call(&self.name, Op::Destroy, |state| state.destroy(found.id)).await
    }
}

/// Lists what is ours of some nodes.
pub(crate) struct Shelf {
    /// Where.
    pub(crate) world: World,
    /// Of which nodes; empty for all.
    pub(crate) of: Vec<String>,
}

impl Inventory for Shelf {
    const KIND: &'static str = "toy";
    type Found = Object;

    async fn list(&self, _: &Cx) -> Result<Vec<Listed<Object>>> {
        let mine =
            |object: &&Object| object.mark == Mark::Managed && (self.of.is_empty() || self.of.contains(&object.node));
        let list = |state: &mut State| {
            let all = state.objects.values().filter(mine).cloned();
            Ok(all
                .map(|found| Listed { node: NodeId::new(&found.node), label: format!("toy-{}", found.id), found })
                .collect())
        };
        self.world.call("shelf", Op::List, list).await
    }

    async fn destroy(&self, _: &Cx, found: Object) -> Result<()> {
        self.world.call(&found.node, Op::Destroy, |state| state.destroy(found.id)).await
    }
}

struct Stopped;

impl Clock for Stopped {
    fn now(&self) -> Timestamp {
        Timestamp::UNIX_EPOCH
    }
}

/// Looks at everything and plans.
pub(crate) async fn look(graph: &Graph, cx: &Cx) -> (Discovery, Plan) {
    let discovery = graph.discover(cx, &graph.everything()).await.unwrap();
    let plan = graph.plan(&discovery);
    (discovery, plan)
}

/// Looks, plans and applies.
pub(crate) async fn apply(graph: &Graph, cx: &Cx) -> Report {
    let (discovery, plan) = look(graph, cx).await;
    graph.apply(cx, Limits::default(), &discovery, &plan).await
}

/// Looks and destroys.
pub(crate) async fn destroy(graph: &Graph, cx: &Cx) -> Report {
    let (discovery, _) = look(graph, cx).await;
    graph.destroy(cx, Limits::default(), &discovery).await
}

/// Runs a story in a world where waiting takes no time.
pub(crate) fn story<T>(story: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("a runtime can be made")
        .block_on(story)
}

fn same(one: &[u64], other: &[u64]) -> bool {
    let (mut one, mut other) = (one.to_vec(), other.to_vec());
    one.sort_unstable();
    other.sort_unstable();
    one == other
}

/// Waits; with the clock paused, it takes no time.
#[expect(clippy::disallowed_methods, reason = "the toy world's latency")]
pub(crate) async fn sleep(millis: u64) {
    tokio::time::sleep(Duration::from_millis(millis)).await;
}
