//! Undoing: users before what they use.

use std::sync::Arc;
use std::time::Duration;

use futures_util::stream::{FuturesUnordered, StreamExt};
use tokio::time::Instant;

use crate::apply::{Ended, Limits, Report};
use crate::cx::millis_since;
use crate::event::{Outcome, Subject, What};
use crate::graph::{Graph, Marked};
use crate::plan::Discovery;
use crate::reference::Value;
use crate::wait::sleep;
use crate::{Certainty, Cx, Error, Mark, Ownership};

/// One thing to destroy.
pub(crate) struct Task {
    subject: Arc<Subject>,
    word: &'static str,
    owner: Owner,
    /// `None`: nothing is there, or it is not ours.
    found: Option<Value>,
    /// The outcome when there is nothing to destroy.
    otherwise: Outcome,
}

#[derive(Clone, Copy)]
enum Owner {
    Node(usize),
    Shelf { shelf: usize, position: usize },
}

impl Task {
    pub(crate) fn of_node(graph: &Graph, index: usize, word: &'static str, found: Option<Value>) -> Self {
        let subject = graph.nodes[index].subject.clone();
        Self { subject, word, owner: Owner::Node(index), found, otherwise: Outcome::WasAbsent }
    }

    pub(crate) fn of_orphan(graph: &Graph, orphan: &Marked) -> Self {
        let subject = Arc::new(Subject {
            node: orphan.node.clone(),
            kind: orphan.kind.to_owned(),
            step: String::new(),
            corrections: Vec::new(),
        });
        let owner = Owner::Shelf { shelf: orphan.shelf, position: graph.inventories[orphan.shelf].position };
        Self { subject, word: "remove", owner, found: Some(orphan.found.clone()), otherwise: Outcome::WasAbsent }
    }
}

pub(crate) struct Teardown<'g> {
    pub(crate) graph: &'g Graph,
    pub(crate) tasks: Vec<Task>,
}

impl Teardown<'_> {
    /// The tasks that must have gone before `task` may go: those of its users, near and far. An orphan stands where its
    /// inventory was added: what was added later goes first, what was added earlier goes after it.
    fn before(&self, reach: &[Vec<bool>], task: usize) -> Vec<usize> {
        let goes_first = |other: usize| match (self.tasks[task].owner, self.tasks[other].owner) {
            (Owner::Node(node), Owner::Node(user)) => reach[user][node],
            (Owner::Node(node), Owner::Shelf { position, .. }) => node < position,
            (Owner::Shelf { position, .. }, Owner::Node(user)) => user >= position,
            (Owner::Shelf { position, .. }, Owner::Shelf { position: other, .. }) => other > position,
        };
        (0..self.tasks.len()).filter(|&other| other != task && goes_first(other)).collect()
    }

    pub(crate) async fn run(&self, cx: &Cx, limits: Limits) -> Vec<Ended> {
        let reach = reach(self.graph);
        let before: Vec<Vec<usize>> = (0..self.tasks.len()).map(|task| self.before(&reach, task)).collect();
        let mut ended: Vec<Option<(Outcome, u64)>> = vec![None; self.tasks.len()];
        let mut started = vec![false; self.tasks.len()];
        let mut running = FuturesUnordered::new();
        loop {
            for (index, task) in self.tasks.iter().enumerate() {
                if started[index] {
                    continue;
                }
                let culprit = before[index].iter().find_map(|&user| match &ended[user] {
                    Some((Outcome::Failed { .. }, _)) => Some(self.tasks[user].subject.node.clone()),
                    Some((Outcome::Skipped { because }, _)) => Some(because.clone()),
                    _ => None,
                });
                if let Some(because) = culprit {
                    started[index] = true;
                    ended[index] = Some((finish(cx, task, Outcome::Skipped { because }, 0), 0));
                    continue;
                }
                let ready = before[index].iter().all(|&user| ended[user].is_some());
                if !ready || running.len() >= limits.concurrency || cx.cancellation().is_cancelled() {
                    continue;
                }
                started[index] = true;
                let cx = cx.about(task.subject.clone());
                running.push(async move {
                    let start = Instant::now();
                    let outcome = match &task.found {
                        None => task.otherwise.clone(),
                        Some(found) => self.destroy(&cx, limits, task, found).await,
                    };
                    (index, outcome, millis_since(start))
                });
            }
            let Some((index, outcome, millis)) = running.next().await else { break };
            ended[index] = Some((finish(cx, &self.tasks[index], outcome, millis), millis));
        }
        drop(running);
        let close = |(task, ended): (&Task, Option<(Outcome, u64)>)| {
            let (outcome, millis) = ended.unwrap_or_else(|| (finish(cx, task, Outcome::NotStarted, 0), 0));
            let Subject { node, kind, step, .. } = (*task.subject).clone();
            Ended { node, kind, step, outcome, millis }
        };
        self.tasks.iter().zip(ended).map(close).collect()
    }

    async fn destroy(&self, cx: &Cx, limits: Limits, task: &Task, found: &Value) -> Outcome {
        cx.emit(What::Started { action: task.word.to_owned() });
        let mut attempt = 0;
        loop {
            attempt += 1;
            let work = match task.owner {
                Owner::Node(index) => self.graph.nodes[index].resource.destroy(cx, found),
                Owner::Shelf { shelf, .. } => self.graph.inventories[shelf].inventory.destroy(cx, found),
            };
            let error = match tokio::time::timeout_at(cx.deadline(), work).await {
                Ok(Ok(())) => return Outcome::Destroyed,
                Ok(Err(error)) => error,
                Err(_) => Error::new("deadline", format!("{} {} in time", task.word, task.subject.node)),
            };
            let again = error.is(Certainty::NotDone) || error.is(Certainty::MaybeDone);
            let because = error.failure(&task.subject.node, &task.subject.step);
            if !again || attempt >= limits.attempts || cx.cancellation().is_cancelled() {
                return Outcome::Failed { failure: because };
            }
            cx.emit(What::Again { because, attempt });
            sleep((limits.backoff * 2u32.saturating_pow(attempt - 1)).min(Duration::from_secs(30))).await;
        }
    }
}

fn finish(cx: &Cx, task: &Task, outcome: Outcome, millis: u64) -> Outcome {
    cx.about(task.subject.clone()).emit(What::Finished { outcome: outcome.clone(), millis });
    outcome
}

/// `reach[user][node]`: user needs node, directly or not.
fn reach(graph: &Graph) -> Vec<Vec<bool>> {
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
        let mut tasks = Vec::new();
        for (index, node) in self.nodes.iter().enumerate() {
            if !discovery.selection.0[index] {
                continue;
            }
            let seen = &discovery.seen[index];
            let mut task = Task::of_node(self, index, "destroy", None);
            match &seen.current {
                Some((found, Mark::Managed)) if node.ownership != Ownership::Referenced => {
                    task.found = Some(found.clone());
                }
                Some(_) => task.otherwise = Outcome::Spared,
                None => {}
            }
            tasks.push(task);
            let stale = seen.stale.iter().cloned().map(|found| Task::of_node(self, index, "retire", Some(found)));
            tasks.extend(stale);
        }
        tasks.extend(discovery.orphans.iter().map(|orphan| Task::of_orphan(self, orphan)));
        let mut report = Report { nodes: Teardown { graph: self, tasks }.run(cx, limits).await, millis: 0 };
        fold(&mut report.nodes);
        report.millis = millis_since(start);
        report
    }
}

/// One line a node: the leftovers of a node share its line, and the worse outcome wins.
fn fold(nodes: &mut Vec<Ended>) {
    let mut folded: Vec<Ended> = Vec::with_capacity(nodes.len());
    for ended in nodes.drain(..) {
        match folded.iter_mut().find(|earlier: &&mut Ended| earlier.node == ended.node && earlier.kind == ended.kind) {
            Some(earlier) => {
                earlier.millis += ended.millis;
                let nothing = matches!(earlier.outcome, Outcome::WasAbsent | Outcome::Spared);
                if (earlier.outcome.is_done() && !ended.outcome.is_done()) || nothing {
                    earlier.outcome = ended.outcome;
                }
            }
            None => folded.push(ended),
        }
    }
    *nodes = folded;
}
