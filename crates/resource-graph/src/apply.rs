//! Applying: every node is looked at and decided on again when what it needs is there, then changed; what was replaced is
//! retired after everything that used it has moved on.

use std::collections::HashMap;
use std::sync::OnceLock;
use std::time::Duration;

use tokio::time::Instant;

use crate::cx::millis_since;
use crate::event::{Outcome, What};
use crate::graph::{Graph, Node};
use crate::plan::{Discovery, Planned};
use crate::reference::{Outlook, Prospect, Value};
use crate::teardown::{Task, reach, teardown};
use crate::walk::{Attempts, Step, walk};
use crate::{Action, Cx, Error, Failure, Mark, NodeId, NodeIndex, Plan, Result, Survives};

/// How a walk through the graph is done.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// How many nodes are worked on at once; at least one.
    pub concurrency: usize,
    /// How often a node is tried, when an answer was lost or the other side is busy.
    pub attempts: u32,
    /// Before the second attempt; doubled each time, at most half a minute.
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

    /// The nodes that wait for a person, and for what, in order.
    pub fn waiting(&self) -> impl Iterator<Item = (&Ended, &str)> {
        self.nodes.iter().filter_map(|ended| match &ended.outcome {
            Outcome::Waiting { why } => Some((ended, why.as_str())),
            _ => None,
        })
    }

    /// The failures, in order.
    pub fn failures(&self) -> impl Iterator<Item = &Failure> {
        self.nodes.iter().filter_map(|ended| match &ended.outcome {
            Outcome::Failed { failure } => Some(failure),
            _ => None,
        })
    }
}

/// What there is of a node that ended well.
struct Applied {
    /// Nothing yet, if it waits for a person.
    found: Option<Value>,
    waits: bool,
    /// What it replaced, now or in an earlier run.
    stale: Vec<Value>,
}

/// What a person agreed to for one node.
#[derive(Clone, Copy)]
struct Agreed<'p> {
    action: &'p Planned,
    /// That what an earlier replacement left behind is retired.
    retires: bool,
}

/// What one attempt came to.
enum Attempt {
    There(Applied),
    /// It waits for a person; what there is of it stays.
    Waits {
        why: String,
        found: Option<Value>,
    },
    /// The run was stopped between looking and changing.
    Stopped,
}

impl Graph {
    /// Does what `plan` says and a person confirmed.
    ///
    /// A node that turns out worse than `plan` says (kept became replaced, say) is not touched: the run stops there and says
    /// so. When one node fails, work in flight ends, what needs it is skipped because of it, and the rest carries on.
    pub async fn apply(&self, cx: &Cx, limits: Limits, discovery: &Discovery, plan: &Plan) -> Report {
        let start = Instant::now();
        let confirmed: HashMap<&NodeId, (&Planned, bool)> =
            plan.changes.iter().map(|change| (&change.node, (&change.action, change.stale > 0))).collect();
        let agreed = |index: usize| {
            let (action, retires) =
                confirmed.get(&self.nodes[index].subject.node).copied().unwrap_or((&Planned::Keep, false));
            Agreed { action, retires }
        };
        let chosen: Vec<usize> = (0..self.nodes.len()).filter(|&index| discovery.selection.0[index]).collect();
        let step = |&index: &usize| {
            let Node { subject, edges, .. } = &self.nodes[index];
            let before = edges.iter().filter_map(|edge| chosen.binary_search(edge).ok()).collect();
            Step { subject: subject.clone(), word: agreed(index).action.word(), before, leftovers: false }
        };
        let steps: Vec<Step> = chosen.iter().map(step).collect();
        let applied: Vec<OnceLock<Applied>> = self.nodes.iter().map(|_| OnceLock::new()).collect();
        let outlook = || {
            let output = |(node, applied): (&Node, &OnceLock<Applied>)| {
                let applied = applied.get();
                let found = applied.and_then(|applied| applied.found.as_ref());
                let output = found.map(|found| node.resource.output(found));
                Prospect { output, survives: Survives::All, waits: applied.is_some_and(|applied| applied.waits) }
            };
            Outlook(self.nodes.iter().zip(&applied).map(output).collect())
        };
        let work = |step: usize, cx: Cx| {
            let (index, outlook, applied) = (chosen[step], outlook(), &applied);
            let agreed = agreed(index);
            async move {
                match self.apply_one(&cx, limits, NodeIndex(index), agreed, &outlook).await {
                    Ok((outcome, done)) => {
                        // A node is applied once.
                        let _ = applied[index].set(done);
                        outcome
                    }
                    Err(outcome) => outcome,
                }
            }
        };
        let nodes = walk(cx, limits, &steps, work).await;
        let mut report = Report { nodes, millis: 0 };
        self.retire(cx, limits, &applied, discovery, &mut report).await;
        report.millis = millis_since(start);
        report
    }

    /// Brings one node to what was confirmed, however many attempts it takes.
    async fn apply_one(
        &self,
        cx: &Cx,
        limits: Limits,
        index: NodeIndex,
        agreed: Agreed<'_>,
        outlook: &Outlook,
    ) -> Result<(Outcome, Applied), Outcome> {
        let subject = &self.nodes[index.0].subject;
        if let Planned::Blocked { code, why } = agreed.action {
            let error = Error::new("blocked", format!("apply {}, on which a person must decide", subject.node));
            let mut failure = error.because(why.clone()).failure(&subject.node, &subject.step);
            failure.code.clone_from(code);
            return Err(Outcome::Failed { failure });
        }
        let mut begun = None;
        let mut attempts = Attempts::new(cx, limits, subject);
        loop {
            let error = match self.attempt(cx, index, agreed, outlook, &mut begun).await {
                Ok(Attempt::There(applied)) => return Ok((begun.unwrap_or(Outcome::Kept), applied)),
                Ok(Attempt::Waits { why, found }) => {
                    return Ok((Outcome::Waiting { why }, Applied { found, waits: true, stale: Vec::new() }));
                }
                Ok(Attempt::Stopped) if begun.is_none() => return Err(Outcome::NotStarted),
                Ok(Attempt::Stopped) => Error::new("cancelled", format!("{} {}", agreed.action.word(), subject.node)),
                Err(error) => error,
            };
            attempts.again(error).await.map_err(|error| error.ends(subject))?;
        }
    }

    /// One look, one decision, at most one change. `begun` is how the node ends if this or a later attempt succeeds.
    async fn attempt(
        &self,
        cx: &Cx,
        index: NodeIndex,
        agreed: Agreed<'_>,
        outlook: &Outlook,
        begun: &mut Option<Outcome>,
    ) -> Result<Attempt> {
        let Node { resource, subject, .. } = &self.nodes[index.0];
        let seen = resource.look(cx, outlook).await?;
        let (now, _) = self.decide(index, &seen, outlook);
        if now.severity() > agreed.action.severity() {
            let (was, now_is) = (agreed.action.word(), now.word());
            let message = format!("{was} {} as confirmed: it would now be {now_is}", subject.node);
            let error = Error::new("plan-got-worse", message).expected(format!("{was} or less"));
            return Err(match now {
                Planned::Blocked { why, .. } => error.because(why),
                _ => error,
            });
        }
        if let Planned::Wait { why } = now {
            return Ok(Attempt::Waits { why, found: seen.current.map(|(found, _)| found) });
        }
        // What only this look calls left over may be what somebody else has just made: nobody agreed that it goes.
        let goes = agreed.retires || matches!(agreed.action, Planned::Replace { .. }) || begun.is_some();
        let mut stale = if goes { seen.stale } else { Vec::new() };
        let (action, outcome) = match (&now, seen.current) {
            (_, None) => (Action::Create, Outcome::Created),
            (Planned::Update { .. }, Some((found, mark))) => {
                (Action::Update { found, adopt: mark == Mark::Stranger }, Outcome::Updated)
            }
            (Planned::Replace { .. }, Some((found, _))) => {
                stale.push(found);
                (Action::Create, Outcome::Replaced)
            }
            // As wanted: it was so before, or an attempt whose answer was lost made it so.
            (_, Some((found, _))) => return Ok(Attempt::There(Applied { found: Some(found), stale, waits: false })),
        };
        if cx.cancellation().is_cancelled() {
            return Ok(Attempt::Stopped);
        }
        if begun.is_none() {
            cx.emit(What::Started { action: now.word().to_owned() });
            *begun = Some(outcome);
        }
        let found = resource.apply(cx, action, outlook).await?;
        Ok(Attempt::There(Applied { found: Some(found), stale, waits: false }))
    }

    /// Destroys what was replaced and what is no longer wanted, users first.
    ///
    /// What is replaced goes only when all its users have moved on, so nothing goes unless everything went well.
    async fn retire(
        &self,
        cx: &Cx,
        limits: Limits,
        applied: &[OnceLock<Applied>],
        discovery: &Discovery,
        report: &mut Report,
    ) {
        let orphans = Task::of_orphans(&discovery.orphans);
        if !report.is_done() {
            let culprit = report.failures().next().map(|failure| failure.node.clone());
            let outcome = culprit.map_or(Outcome::NotStarted, |because| Outcome::Skipped { because });
            report.nodes.extend(orphans.iter().map(|task| task.step(Vec::new()).end(cx, outcome.clone(), 0)));
            return;
        }
        // Who waits may still use what was replaced.
        let waits = |user: usize| applied[user].get().is_some_and(|applied| applied.waits);
        let reach = reach(self);
        let in_use = |index: usize| (index..applied.len()).any(|user| waits(user) && reach[user][index]);
        let left_by = |(index, applied): (usize, &OnceLock<Applied>)| {
            let stale = &applied.get()?.stale;
            (!stale.is_empty() && !in_use(index)).then(|| Task::of_leftovers(self, index, stale.clone()))
        };
        let mut tasks: Vec<Task> = applied.iter().enumerate().filter_map(left_by).collect();
        let leftovers = tasks.len();
        tasks.extend(orphans);
        let mut ended = teardown(self, cx, limits, &tasks).await;
        let removed = ended.split_off(leftovers);
        for Ended { node, step, outcome, .. } in ended.into_iter().filter(|ended| !ended.outcome.is_done()) {
            let outcome = match outcome {
                // The node itself was done, so it cannot be called not started.
                Outcome::NotStarted => {
                    let code = cx.over().unwrap_or("cancelled");
                    let error = Error::new(code, format!("retire what {node} left behind"));
                    Outcome::Failed { failure: error.failure(&node, &step) }
                }
                other => other,
            };
            report.nodes.iter_mut().filter(|ended| ended.node == node).for_each(|line| line.outcome = outcome.clone());
        }
        report.nodes.extend(removed);
    }
}
