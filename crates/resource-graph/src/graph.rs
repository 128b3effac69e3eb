//! The graph: nodes in the order they were added, their edges, and the inventories of their kinds.

use std::any::Any;
use std::collections::HashMap;
use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::Arc;

use crate::event::Subject;
use crate::reference::Value;
use crate::{
    Action, Cx, Error, Inventory, Listed, Mark, Needs, NodeId, NodeIndex, Outlook, Ownership, Ref, Resource, Result,
    Seen, Verdict,
};

pub(crate) type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// What a graph says of one of its nodes.
#[derive(Clone, Debug, Default)]
pub struct Label {
    /// The step the node belongs to.
    pub step: String,
    /// Catalogue codes of what this node does differently, and why.
    pub corrections: Vec<String>,
    /// Whose it shall be.
    pub ownership: Ownership,
}

impl Label {
    /// A managed node of a step.
    pub fn step(step: impl Into<String>) -> Self {
        Self { step: step.into(), ..Self::default() }
    }

    /// Adds catalogue codes.
    #[must_use]
    pub fn corrections<const N: usize>(mut self, codes: [&str; N]) -> Self {
        self.corrections.extend(codes.map(str::to_owned));
        self
    }

    /// Says whose it shall be.
    #[must_use]
    pub fn ownership(mut self, ownership: Ownership) -> Self {
        self.ownership = ownership;
        self
    }
}

/// A graph of resources.
#[derive(Default)]
pub struct Graph {
    pub(crate) nodes: Vec<Node>,
    by_id: HashMap<NodeId, usize>,
    pub(crate) inventories: Vec<Shelf>,
}

pub(crate) struct Node {
    pub(crate) subject: Arc<Subject>,
    pub(crate) ownership: Ownership,
    pub(crate) resource: Box<dyn Erased>,
    pub(crate) edges: Vec<usize>,
}

pub(crate) struct Shelf {
    /// How many nodes stood before it: what it lists goes after later nodes and before earlier ones.
    pub(crate) position: usize,
    pub(crate) inventory: Box<dyn ErasedInventory>,
}

impl Graph {
    /// An empty graph.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a node and gives a reference to its output.
    ///
    /// # Panics
    ///
    /// When the graph has a node of that id already, or `resource` refers to a node of another graph that is not here.
    pub fn add<R: Resource>(&mut self, label: Label, resource: R) -> Ref<R::Output> {
        let id = resource.id();
        let index = self.nodes.len();
        assert!(self.by_id.insert(id.clone(), index).is_none(), "two nodes are named {id}");
        let mut edges = Vec::new();
        resource.needs().edges(&mut edges);
        let mut edges: Vec<usize> = edges.into_iter().map(|edge| edge.0).collect();
        edges.sort_unstable();
        edges.dedup();
        assert!(edges.iter().all(|&edge| edge < index), "{id} refers to a node of another graph");
        let subject =
            Arc::new(Subject { node: id, kind: R::KIND.to_owned(), step: label.step, corrections: label.corrections });
        self.nodes.push(Node { subject, ownership: label.ownership, resource: Box::new(resource), edges });
        Ref::whole(index)
    }

    /// An order-only edge: `node` is applied after `earlier` and destroyed before it, though no value passes between them.
    ///
    /// # Panics
    ///
    /// When `earlier` was not added before `node`.
    pub fn after(&mut self, node: NodeIndex, earlier: NodeIndex) {
        assert!(earlier.0 < node.0, "an order-only edge points backwards");
        let edges = &mut self.nodes[node.0].edges;
        if let Err(at) = edges.binary_search(&earlier.0) {
            edges.insert(at, earlier.0);
        }
    }

    /// Removes the direct edge from `node` to `earlier`, whatever it was made of. Only for tests that show what an edge is for.
    ///
    /// Returns whether there was one.
    pub fn cut(&mut self, node: NodeIndex, earlier: NodeIndex) -> bool {
        let edges = &mut self.nodes[node.0].edges;
        let before = edges.len();
        edges.retain(|&edge| edge != earlier.0);
        edges.len() < before
    }

    /// Adds the inventory of a kind. Call it right after the nodes of that kind were added: what it lists beyond them is
    /// destroyed after what was added later and before what was added earlier.
    pub fn inventory<I: Inventory>(&mut self, inventory: I) {
        self.inventories.push(Shelf { position: self.nodes.len(), inventory: Box::new(inventory) });
    }

    /// Every node's position, in the order they were added: needs stand before what needs them.
    pub fn nodes(&self) -> impl Iterator<Item = NodeIndex> + use<> {
        (0..self.nodes.len()).map(NodeIndex)
    }

    /// What events say of a node.
    pub fn subject(&self, node: NodeIndex) -> &Subject {
        &self.nodes[node.0].subject
    }

    /// The nodes that `node` waits for.
    pub fn edges(&self, node: NodeIndex) -> impl Iterator<Item = NodeIndex> + '_ {
        self.nodes[node.0].edges.iter().copied().map(NodeIndex)
    }

    /// The node of that name.
    pub fn find(&self, id: &NodeId) -> Option<NodeIndex> {
        self.by_id.get(id).copied().map(NodeIndex)
    }

    /// The nodes that `wanted` accepts, and what they need.
    pub fn select(&self, wanted: impl Fn(&Subject) -> bool) -> Selection {
        let mut chosen: Vec<bool> = self.nodes.iter().map(|node| wanted(&node.subject)).collect();
        for index in (0..self.nodes.len()).rev() {
            if chosen[index] {
                for &edge in &self.nodes[index].edges {
                    chosen[edge] = true;
                }
            }
        }
        Selection(chosen)
    }

    /// Every node.
    pub fn everything(&self) -> Selection {
        Selection(vec![true; self.nodes.len()])
    }

    /// Lists everything that carries the deployment's mark, by kind.
    ///
    /// # Errors
    ///
    /// The first listing that fails.
    pub async fn list(&self, cx: &Cx) -> Result<Vec<Marked>> {
        let listings = self.inventories.iter().map(|shelf| shelf.inventory.list(cx));
        let mut all = Vec::new();
        for (shelf, listed) in futures_util::future::join_all(listings).await.into_iter().enumerate() {
            for listed in listed? {
                let kind = self.inventories[shelf].inventory.kind();
                all.push(Marked { kind, node: listed.node, label: listed.label, shelf, found: listed.found });
            }
        }
        Ok(all)
    }
}

/// A set of nodes that contains the needs of each of its members.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Selection(pub(crate) Vec<bool>);

impl Selection {
    /// True when the node is in it.
    pub fn has(&self, node: NodeIndex) -> bool {
        self.0[node.0]
    }

    /// True when no node is in it.
    pub fn is_empty(&self) -> bool {
        !self.0.contains(&true)
    }

    pub(crate) fn is_everything(&self) -> bool {
        self.0.iter().all(|&chosen| chosen)
    }
}

/// Something that carries the deployment's mark.
#[derive(Clone)]
pub struct Marked {
    /// Its kind.
    pub kind: &'static str,
    /// The node it was made for.
    pub node: NodeId,
    /// Its own id.
    pub label: String,
    pub(crate) shelf: usize,
    pub(crate) found: Value,
}

impl std::fmt::Debug for Marked {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {} ({})", self.kind, self.label, self.node)
    }
}

/// A resource without its types.
pub(crate) trait Erased: Send + Sync {
    fn summary(&self) -> String;
    fn look<'a>(&'a self, cx: &'a Cx, outlook: &'a Outlook) -> BoxFuture<'a, Result<Seen<Value>>>;
    fn plan(&self, found: &Value, outlook: &Outlook) -> Verdict;
    fn waits(&self) -> Option<String>;
    fn missing(&self) -> (&'static str, String);
    fn output(&self, found: &Value) -> Value;
    fn apply<'a>(&'a self, cx: &'a Cx, action: Action<Value>, outlook: &'a Outlook) -> BoxFuture<'a, Result<Value>>;
    fn destroy<'a>(&'a self, cx: &'a Cx, found: &Value) -> BoxFuture<'a, Result<()>>;
}

fn typed<F: Clone + Any>(value: &Value) -> F {
    value.downcast_ref::<F>().expect("a node only sees what it found itself").clone()
}

fn erase<F: Send + Sync + 'static>(seen: Seen<F>) -> Seen<Value> {
    let erase = |found: F| -> Value { Arc::new(found) };
    let current = seen.current.map(|(found, mark): (F, Mark)| (erase(found), mark));
    Seen { current, stale: seen.stale.into_iter().map(erase).collect() }
}

impl<R: Resource> Erased for R {
    fn summary(&self) -> String {
        Resource::summary(self)
    }

    fn look<'a>(&'a self, cx: &'a Cx, outlook: &'a Outlook) -> BoxFuture<'a, Result<Seen<Value>>> {
        Box::pin(async move {
            let present = self.needs().present(outlook);
            Ok(erase(Resource::look(self, cx, &present).await?))
        })
    }

    fn plan(&self, found: &Value, outlook: &Outlook) -> Verdict {
        Resource::plan(self, &typed(found), &self.needs().known(outlook))
    }

    fn waits(&self) -> Option<String> {
        Resource::waits(self)
    }

    fn missing(&self) -> (&'static str, String) {
        Resource::missing(self)
    }

    fn output(&self, found: &Value) -> Value {
        Arc::new(Resource::output(self, &typed(found)))
    }

    fn apply<'a>(&'a self, cx: &'a Cx, action: Action<Value>, outlook: &'a Outlook) -> BoxFuture<'a, Result<Value>> {
        Box::pin(async move {
            let Some(given) = self.needs().given(outlook) else {
                return Err(Error::new("needs-missing", format!("apply {} before what it needs is there", self.id())));
            };
            let action = match action {
                Action::Create => Action::Create,
                Action::Update { found, adopt } => Action::Update { found: typed(&found), adopt },
            };
            let found: Value = Arc::new(Resource::apply(self, cx, action, given).await?);
            Ok(found)
        })
    }

    fn destroy<'a>(&'a self, cx: &'a Cx, found: &Value) -> BoxFuture<'a, Result<()>> {
        Box::pin(Resource::destroy(self, cx, typed(found)))
    }
}

/// An inventory without its types.
pub(crate) trait ErasedInventory: Send + Sync {
    fn kind(&self) -> &'static str;
    fn list<'a>(&'a self, cx: &'a Cx) -> BoxFuture<'a, Result<Vec<Listed<Value>>>>;
    fn destroy<'a>(&'a self, cx: &'a Cx, found: &Value) -> BoxFuture<'a, Result<()>>;
}

impl<I: Inventory> ErasedInventory for I {
    fn kind(&self) -> &'static str {
        I::KIND
    }

    fn list<'a>(&'a self, cx: &'a Cx) -> BoxFuture<'a, Result<Vec<Listed<Value>>>> {
        Box::pin(async move {
            let erase = |listed: Listed<I::Found>| Listed {
                node: listed.node,
                label: listed.label,
                found: Arc::new(listed.found) as Value,
            };
            Ok(Inventory::list(self, cx).await?.into_iter().map(erase).collect())
        })
    }

    fn destroy<'a>(&'a self, cx: &'a Cx, found: &Value) -> BoxFuture<'a, Result<()>> {
        Box::pin(Inventory::destroy(self, cx, typed(found)))
    }
}

/// Something that exists without us and is only passed on: its output is the value it was made with.
///
/// For values a person confirmed by hand, and for tests. It counts as adopted: never a stranger, never destroyed.
pub struct Fixed<T> {
    id: NodeId,
    value: T,
    kind: PhantomData<T>,
}

impl<T> Fixed<T> {
    /// A node that puts out `value`.
    pub fn new(id: impl Into<NodeId>, value: T) -> Self {
        Self { id: id.into(), value, kind: PhantomData }
    }
}

impl<T: Clone + Send + Sync + 'static> Resource for Fixed<T> {
    const KIND: &'static str = "given";
    type Needs = ();
    type Found = ();
    type Output = T;

    fn id(&self) -> NodeId {
        self.id.clone()
    }

    fn summary(&self) -> String {
        "given".to_owned()
    }

    fn needs(&self) {}

    async fn look(&self, _cx: &Cx, (): &()) -> Result<Seen<()>> {
        Ok(Seen::here((), Mark::Adopted))
    }

    fn plan(&self, (): &(), (): &()) -> Verdict {
        Verdict::Keep
    }

    fn output(&self, (): &()) -> T {
        self.value.clone()
    }

    async fn apply(&self, _cx: &Cx, _action: Action<()>, (): ()) -> Result<()> {
        Ok(())
    }

    async fn destroy(&self, _cx: &Cx, (): ()) -> Result<()> {
        Ok(())
    }
}
