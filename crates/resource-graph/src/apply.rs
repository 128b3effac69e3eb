//! Applying: every node is looked at and decided on again when what it needs is there, then changed; what was replaced is
//! retired after everything that used it has moved on.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use futures_util::stream::{FuturesUnordered, StreamExt};
use tokio::time::Instant;

use crate::cx::millis_since;
use crate::event::{Outcome, What};
use crate::graph::Graph;
use crate::plan::{Discovery, Planned};
use crate::reference::{Outlook, Prospect, Value};
use crate::teardown::{Task, Teardown};
use crate::wait::sleep;
use crate::{Action, Certainty, Cx, Error, Failure, NodeId, NodeIndex, Plan, Survives};

/// How a walk through the graph is done.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// How many nodes are worked on at once.
    pub concurrency: usize,
    /// How often a node is tried again when an answer was lost or the other side is busy.
    pub attempts: u32,
    /// Before the first of these; doubled each time, at most half a minute.
    pub backoff: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self { concurrency: 16, attempts: 6, backoff: Duration::from_millis(500) }
    }
}

/// How every node of a run ended.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// In the order of the graph, then what was only removed.
    pub nodes: Vec<Ended>,
    /// How long the run took, in milliseconds.
    pub millis: u64,
}

/// How one node ended.
#[derive(Clone, Debug)]
pub struct Ended {
    /// The node.
    pub node: NodeId,
    /// Its kind.
    pub kind: String,
    /// Its step.
    pub step: String,
    /// What became of it.
    pub outcome: Outcome,
    /// How long it took, in milliseconds.
    pub millis: u64,
}

impl Report {
    /// True when every node is as the run wanted it.
    pub fn is_done(&self) -> bool {
        self.nodes.iter().all(|ended| ended.outcome.is_done())
    }

    /// The failures, in order.
    pub fn failures(&self) -> impl Iterator<Item = &Failure> {
        self.nodes.iter().filter_map(|ended| match &ended.outcome {
            Outcome::Failed { failure } => Some(failure),
            _ => None,
        })
    }
}

/// What the executor remembers of a node that ended well.
struct Applied {
    outcome: Outcome,
    output: Option<Value>,
    stale: Vec<Value>,
}

impl Graph {
    /// Does what `plan` says and a person confirmed.
    ///
    /// A node that turns out worse than `plan` says (kept became replaced, say) is not touched: the run stops there and says
    /// so. When one node fails, work in flight ends, what needs it is skipped because of it, and the rest carries on.
    pub async fn apply(&self, cx: &Cx, limits: Limits, discovery: &Discovery, plan: &Plan) -> Report {
        let start = Instant::now();
        let count = self.nodes.len();
        let outlook = Mutex::new(vec![Prospect::NOTHING; count]);
        let mut ended: Vec<Option<(Outcome, u64)>> = vec![None; count];
        let mut stale: Vec<Vec<Value>> = vec![Vec::new(); count];
        let mut started = vec![false; count];
        let mut running = FuturesUnordered::new();
        loop {
            for index in 0..count {
                if started[index] || !discovery.selection.0[index] {
                    continue;
                }
                let node = &self.nodes[index];
                if let Some(because) = self.culprit(index, &ended) {
                    started[index] = true;
                    let outcome = Outcome::Skipped { because };
                    cx.about(node.subject.clone()).emit(What::Finished { outcome: outcome.clone(), millis: 0 });
                    ended[index] = Some((outcome, 0));
                    continue;
                }
                let ready =
                    node.edges.iter().all(|&edge| ended[edge].as_ref().is_some_and(|(outcome, _)| outcome.is_done()));
                if !ready || running.len() >= limits.concurrency || cx.cancellation().is_cancelled() {
                    continue;
                }
                started[index] = true;
                let moved = node
                    .edges
                    .iter()
                    .any(|&edge| ended[edge].as_ref().is_some_and(|(outcome, _)| *outcome != Outcome::Kept));
                let change = plan.changes.iter().find(|change| change.node == node.subject.node);
                let confirmed = change.map_or(Planned::Keep, |change| change.action.clone());
                let outlook = &outlook;
                let cx = cx.about(node.subject.clone());
                running.push(async move {
                    let start = Instant::now();
                    let now = Outlook(outlook.lock().unwrap_or_else(PoisonError::into_inner).clone());
                    let work = self.apply_one(&cx, limits, NodeIndex(index), discovery, &confirmed, moved, &now);
                    let result = match tokio::time::timeout_at(cx.deadline(), work).await {
                        Ok(result) => result,
                        Err(_) => Err(Error::new("deadline", format!("{} in time", confirmed.word()))),
                    };
                    (index, result, millis_since(start), cx)
                });
            }
            let Some((index, result, millis, cx)) = running.next().await else { break };
            let node = &self.nodes[index];
            let outcome = match result {
                Ok(applied) => {
                    stale[index] = applied.stale;
                    outlook.lock().unwrap_or_else(PoisonError::into_inner)[index] =
                        Prospect { output: applied.output, survives: Survives::All };
                    applied.outcome
                }
                Err(error) => Outcome::Failed { failure: error.failure(&node.subject.node, &node.subject.step) },
            };
            cx.emit(What::Finished { outcome: outcome.clone(), millis });
            ended[index] = Some((outcome, millis));
        }
        drop(running);

        let mut report = Report::default();
        for (index, node) in self.nodes.iter().enumerate() {
            if !discovery.selection.0[index] {
                continue;
            }
            let (outcome, millis) = ended[index].take().unwrap_or_else(|| {
                cx.about(node.subject.clone()).emit(What::Finished { outcome: Outcome::NotStarted, millis: 0 });
                (Outcome::NotStarted, 0)
            });
            report.nodes.push(Ended {
                node: node.subject.node.clone(),
                kind: node.subject.kind.clone(),
                step: node.subject.step.clone(),
                outcome,
                millis,
            });
        }
        // What is replaced goes only when all its users have moved on, so nothing goes unless everything went well.
        if report.is_done() && !cx.cancellation().is_cancelled() {
            self.retire(cx, limits, stale, discovery, &mut report).await;
        }
        report.millis = millis_since(start);
        report
    }

    /// The node because of which `index` cannot be tried, if there is one.
    fn culprit(&self, index: usize, ended: &[Option<(Outcome, u64)>]) -> Option<NodeId> {
        self.nodes[index].edges.iter().find_map(|&edge| match &ended[edge] {
            Some((Outcome::Failed { .. }, _)) => Some(self.nodes[edge].subject.node.clone()),
            Some((Outcome::Skipped { because }, _)) => Some(because.clone()),
            _ => None,
        })
    }

    #[expect(clippy::too_many_arguments, reason = "one node's whole situation")]
    async fn apply_one(
        &self,
        cx: &Cx,
        limits: Limits,
        index: NodeIndex,
        discovery: &Discovery,
        confirmed: &Planned,
        moved: bool,
        outlook: &Outlook,
    ) -> Result<Applied, Error> {
        let node = &self.nodes[index.0];
        let seen_before = &discovery.seen[index.0];
        if *confirmed == Planned::Keep
            && !moved
            && let Some((found, _)) = &seen_before.current
        {
            let output = Some(node.resource.output(found));
            return Ok(Applied { outcome: Outcome::Kept, output, stale: seen_before.stale.clone() });
        }
        if *confirmed != Planned::Keep {
            cx.emit(What::Started { action: confirmed.word().to_owned() });
        }
        let mut done = Outcome::Kept;
        let mut replaced: Vec<Value> = Vec::new();
        if let (Planned::Replace { .. }, Some((old, _))) = (confirmed, &seen_before.current) {
            replaced.push(old.clone());
        }
        let mut attempt = 0;
        loop {
            attempt += 1;
            let result = self.apply_once(cx, index, confirmed, outlook, &mut done, &mut replaced).await;
            let error = match result {
                Ok((found, mut stale)) => {
                    stale.append(&mut replaced);
                    return Ok(Applied { outcome: done, output: Some(node.resource.output(&found)), stale });
                }
                Err(error) => error,
            };
            let again = error.is(Certainty::NotDone) || error.is(Certainty::MaybeDone);
            if !again || attempt >= limits.attempts || cx.cancellation().is_cancelled() {
                return Err(error);
            }
            let because = error.failure(&node.subject.node, &node.subject.step);
            cx.emit(What::Again { because, attempt });
            sleep((limits.backoff * 2u32.saturating_pow(attempt - 1)).min(Duration::from_secs(30))).await;
        }
    }

    /// One look, one decision, one action.
    async fn apply_once(
        &self,
        cx: &Cx,
        index: NodeIndex,
        confirmed: &Planned,
        outlook: &Outlook,
        done: &mut Outcome,
        replaced: &mut Vec<Value>,
    ) -> Result<(Value, Vec<Value>), Error> {
        let node = &self.nodes[index.0];
        let seen = node.resource.look(cx, outlook).await?;
        let (now, _) = self.decide(index, &seen, outlook);
        if now.severity() > confirmed.severity() {
            let error = Error::new(
                "plan-got-worse",
                format!("{} {} as confirmed: it would now be {}", confirmed.word(), node.subject.node, now.word()),
            );
            return Err(error.expected(format!("{} or less", confirmed.word())));
        }
        if *confirmed == Planned::Keep && now != Planned::Keep {
            cx.emit(What::Started { action: now.word().to_owned() });
        }
        let mark = seen.current.as_ref().map(|(_, mark)| *mark);
        let found = seen.current.map(|(found, _)| found);
        let action = match (&now, found) {
            (Planned::Update { .. }, Some(found)) => {
                if *done == Outcome::Kept {
                    *done = Outcome::Updated;
                }
                let adopt = mark == Some(crate::Mark::Stranger);
                Action::Update { found, adopt }
            }
            (Planned::Replace { .. }, found) => {
                // What was replaced is known by what is found now, not by what was found while planning.
                *replaced = found.into_iter().collect();
                *done = Outcome::Replaced;
                Action::Create
            }
            (_, None) => {
                *done = if matches!(confirmed, Planned::Replace { .. }) { Outcome::Replaced } else { Outcome::Created };
                Action::Create
            }
            (_, Some(found)) => {
                // Kept, or made by an attempt whose answer was lost; then what it replaced is in the stale list.
                if *done != Outcome::Replaced || !seen.stale.is_empty() {
                    replaced.clear();
                }
                return Ok((found, seen.stale));
            }
        };
        let found = node.resource.apply(cx, action, outlook).await?;
        Ok((found, seen.stale))
    }

    /// Destroys what was replaced and what is no longer wanted, users first.
    async fn retire(
        &self,
        cx: &Cx,
        limits: Limits,
        stale: Vec<Vec<Value>>,
        discovery: &Discovery,
        report: &mut Report,
    ) {
        let mut tasks = Vec::new();
        for (index, stale) in stale.into_iter().enumerate() {
            for found in stale {
                tasks.push(Task::of_node(self, index, "retire", Some(found)));
            }
        }
        tasks.extend(discovery.orphans.iter().map(|orphan| Task::of_orphan(self, orphan)));
        if tasks.is_empty() {
            return;
        }
        for ended in (Teardown { graph: self, tasks }).run(cx, limits).await {
            match report.nodes.iter_mut().find(|node| node.node == ended.node) {
                Some(node) if !ended.outcome.is_done() => node.outcome = ended.outcome,
                Some(_) => {}
                None => report.nodes.push(ended),
            }
        }
    }
}
