//! Undoing: users before what they use.

use std::sync::Arc;

use tokio::time::Instant;

use crate::apply::{Ended, Limits, Report};
use crate::cx::millis_since;
use crate::event::{Outcome, Subject, What};
use crate::graph::{Graph, Marked};
use crate::plan::Discovery;
use crate::reference::Value;
use crate::walk::{Attempts, Step, walk};
use crate::{Cx, Error, Mark, Ownership, Result};

/// All that goes of one node.
pub(crate) struct Task {
    subject: Arc<Subject>,
    word: &'static str,
    owner: Owner,
    /// The inventory that listed the things and takes them away; the node does where there is none.
    listed_by: Option<usize>,
    things: Vec<Value>,
    /// Whether only what the node left behind goes, and not the node.
    leftovers: bool,
    /// Whether something of the node stays because it is not ours.
    spared: bool,
}

#[derive(Clone, Copy)]
enum Owner {
    Node(usize),
    /// Of the inventory with that number.
    Shelf(usize),
}

impl Task {
    /// What an applied node left behind.
    pub(crate) fn of_leftovers(graph: &Graph, index: usize, things: Vec<Value>) -> Self {
        let subject = graph.nodes[index].subject.clone();
        let owner = Owner::Node(index);
        Self { subject, word: "retire", owner, listed_by: None, things, leftovers: true, spared: false }
    }

    /// What no node wants, gathered by the node that once did.
    pub(crate) fn of_orphans(orphans: &[Marked]) -> Vec<Self> {
        let mut tasks: Vec<Self> = Vec::new();
        for Marked { kind, node, shelf, found, .. } in orphans {
            let same = |task: &&mut Self| {
                task.subject.node == *node && matches!(task.owner, Owner::Shelf(other) if other == *shelf)
            };
            if let Some(task) = tasks.iter_mut().find(same) {
                task.things.push(found.clone());
                continue;
            }
            tasks.push(Self {
                subject: Arc::new(Subject {
                    node: node.clone(),
                    kind: (*kind).to_owned(),
                    step: String::new(),
                    corrections: Vec::new(),
                }),
                word: "remove",
                owner: Owner::Shelf(*shelf),
                listed_by: Some(*shelf),
                things: vec![found.clone()],
                leftovers: false,
                spared: false,
            });
        }
        tasks
    }

    fn of_node(graph: &Graph, index: usize, discovery: &Discovery) -> Self {
        let (node, seen) = (&graph.nodes[index], &discovery.seen[index]);
        let mut things = seen.stale.clone();
        let mut spared = false;
        match &seen.current {
            Some((found, Mark::Managed)) if node.ownership != Ownership::Referenced => things.push(found.clone()),
            Some(_) => spared = true,
            None => {}
        }
        let unseen = || discovery.unseen.iter().filter(|marked| marked.node == node.subject.node);
        let listed_by = unseen().map(|marked| marked.shelf).next().filter(|_| node.ownership != Ownership::Referenced);
        things.extend(unseen().filter(|marked| Some(marked.shelf) == listed_by).map(|marked| marked.found.clone()));
        let (subject, owner) = (node.subject.clone(), Owner::Node(index));
        Self { subject, word: "destroy", owner, listed_by, things, leftovers: false, spared }
    }

    pub(crate) fn step(&self, before: Vec<usize>) -> Step {
        Step { subject: self.subject.clone(), word: self.word, before, leftovers: self.leftovers }
    }

    /// Destroys every thing, though one of them may fail.
    async fn run(&self, graph: &Graph, cx: &Cx, limits: Limits) -> Outcome {
        let mut result = Ok(());
        for (index, thing) in self.things.iter().enumerate() {
            if index == 0 {
                cx.emit(What::Started { action: self.word.to_owned() });
            } else if cx.cancellation().is_cancelled() {
                result =
                    result.and(Err(Error::new("cancelled", format!("{} all of {}", self.word, self.subject.node))));
                break;
            }
            result = result.and(self.destroy(graph, cx, limits, thing).await);
        }
        match result {
            Err(error) => error.ends(&self.subject),
            Ok(()) if self.spared => Outcome::Spared,
            Ok(()) if self.things.is_empty() => Outcome::WasAbsent,
            Ok(()) => Outcome::Destroyed,
        }
    }

    async fn destroy(&self, graph: &Graph, cx: &Cx, limits: Limits, thing: &Value) -> Result<()> {
        let mut attempts = Attempts::new(cx, limits, &self.subject);
        loop {
            let work = match (self.listed_by, self.owner) {
                (Some(shelf), _) | (None, Owner::Shelf(shelf)) => graph.inventories[shelf].inventory.destroy(cx, thing),
                (None, Owner::Node(index)) => graph.nodes[index].resource.destroy(cx, thing),
            };
            match work.await {
                Ok(()) => return Ok(()),
                Err(error) => attempts.again(error).await?,
            }
        }
    }
}

/// Does the tasks, each after those of its users, near and far. What no node wants stands where its inventory was added: what
/// was added later goes first, what was added earlier goes after it.
pub(crate) async fn teardown(graph: &Graph, cx: &Cx, limits: Limits, tasks: &[Task]) -> Vec<Ended> {
    let reach = reach(graph);
    let position = |shelf: usize| graph.inventories[shelf].position;
    let goes_first = |task: &Task, other: &Task| match (task.owner, other.owner) {
        (Owner::Node(node), Owner::Node(user)) => reach[user][node],
        (Owner::Node(node), Owner::Shelf(shelf)) => node < position(shelf),
        (Owner::Shelf(shelf), Owner::Node(user)) => user >= position(shelf),
        (Owner::Shelf(shelf), Owner::Shelf(later)) => later > shelf,
    };
    let before = |task: &Task| (0..tasks.len()).filter(|&other| goes_first(task, &tasks[other])).collect();
    let steps: Vec<Step> = tasks.iter().map(|task| task.step(before(task))).collect();
    let work = |index: usize, cx: Cx| async move { tasks[index].run(graph, &cx, limits).await };
    walk(cx, limits, &steps, work).await
}

/// `reach[user][node]`: user needs node, directly or not.
pub(crate) fn reach(graph: &Graph) -> Vec<Vec<bool>> {
    let mut reach = vec![vec![false; graph.nodes.len()]; graph.nodes.len()];
    for index in 0..graph.nodes.len() {
        for &edge in &graph.nodes[index].edges {
            let (earlier, later) = reach.split_at_mut(index);
            later[0][edge] = true;
            for (mine, theirs) in later[0].iter_mut().zip(&earlier[edge]) {
                *mine |= theirs;
            }
        }
    }
    reach
}

impl Graph {
    /// Undoes everything that is ours: users before what they use. What was adopted or is only referenced is spared.
    pub async fn destroy(&self, cx: &Cx, limits: Limits, discovery: &Discovery) -> Report {
        let start = Instant::now();
        let chosen = (0..self.nodes.len()).filter(|&index| discovery.selection.0[index]);
        let mut tasks: Vec<Task> = chosen.map(|index| Task::of_node(self, index, discovery)).collect();
        tasks.extend(Task::of_orphans(&discovery.orphans));
        let nodes = teardown(self, cx, limits, &tasks).await;
        Report { nodes, millis: millis_since(start) }
    }
}
