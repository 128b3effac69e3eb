//! Looking at everything, and deciding what to do. Looking is concurrent and asks only; deciding is a pure function.

use std::collections::HashMap;

use futures_util::stream::{FuturesUnordered, StreamExt};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio::time::Instant;
use tracing::Instrument;

use crate::cx::millis_since;
use crate::event::{Subject, What};
use crate::graph::{Graph, Marked, Node, Selection};
use crate::reference::{Outlook, Prospect, Value};
use crate::{Cx, Difference, Error, Failure, Mark, NodeId, NodeIndex, Ownership, Result, Seen, Survives, Verdict};

/// What will be done to one node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "action", rename_all = "kebab-case")]
pub enum Planned {
    /// Nothing.
    Keep,
    /// It is made.
    Create,
    /// It is changed in place.
    Update {
        /// What differs.
        changes: Vec<Difference>,
    },
    /// A new one is made beside it, its users move over, then it is retired.
    Replace {
        /// What differs and cannot be changed.
        why: Vec<Difference>,
    },
    /// It is left as it is until a person has done or confirmed something.
    Wait {
        /// What that is.
        why: String,
    },
    /// It is ours and no longer wanted.
    Remove,
    /// A person must decide first.
    Blocked {
        /// A catalogue code.
        code: String,
        /// Why.
        why: String,
    },
}

impl Planned {
    /// How much a person has to agree to: a node that turns out worse than confirmed is not touched.
    pub(crate) fn severity(&self) -> u8 {
        match self {
            Self::Keep | Self::Wait { .. } => 0,
            Self::Create | Self::Update { .. } => 1,
            Self::Replace { .. } | Self::Remove => 2,
            Self::Blocked { .. } => 3,
        }
    }

    /// The word for it.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Keep => "keep",
            Self::Create => "create",
            Self::Update { .. } => "update",
            Self::Replace { .. } => "replace",
            Self::Wait { .. } => "wait",
            Self::Remove => "remove",
            Self::Blocked { .. } => "blocked",
        }
    }
}

/// One line of a plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Change {
    /// The node.
    pub node: NodeId,
    /// Its kind.
    pub kind: String,
    /// The step it belongs to; empty for something that is only removed.
    pub step: String,
    /// Catalogue codes of what this node does differently.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub corrections: Vec<String>,
    /// What is wanted, or for something that is only removed, its id.
    pub summary: String,
    /// Whose it shall be.
    pub ownership: Ownership,
    /// Leftovers of an interrupted replacement that will be retired.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub stale: usize,
    /// What will be done.
    #[serde(flatten)]
    pub action: Planned,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
fn is_zero(count: &usize) -> bool {
    *count == 0
}

/// What will be done, node by node.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Plan {
    /// In the order of the graph, then what is only removed.
    pub changes: Vec<Change>,
}

impl Plan {
    /// True when nothing will be done.
    pub fn is_quiet(&self) -> bool {
        let still = |change: &Change| matches!(change.action, Planned::Keep | Planned::Wait { .. });
        self.changes.iter().all(|change| still(change) && change.stale == 0)
    }

    /// The lines that a person must decide on first.
    pub fn blocked(&self) -> impl Iterator<Item = &Change> {
        self.changes.iter().filter(|change| matches!(change.action, Planned::Blocked { .. }))
    }

    /// How many lines do what the word says.
    pub fn count(&self, word: &str) -> usize {
        self.changes.iter().filter(|change| change.action.word() == word).count()
    }

    /// The lines that ask for more than the same line of `confirmed` did, or would retire more.
    pub fn worse_than<'a>(&'a self, confirmed: &'a Self) -> impl Iterator<Item = &'a Change> {
        let measure = |change: &Change| (change.action.severity(), change.stale);
        let agreed: HashMap<&NodeId, (u8, usize)> =
            confirmed.changes.iter().map(|change| (&change.node, measure(change))).collect();
        self.changes.iter().filter(move |change| {
            let ((action, stale), (agreed, retired)) =
                (measure(change), agreed.get(&change.node).copied().unwrap_or_default());
            action > agreed || stale > retired
        })
    }
}

/// What was found, node by node. Only [`Graph::discover`] makes one.
pub struct Discovery {
    pub(crate) seen: Vec<Seen<Value>>,
    pub(crate) selection: Selection,
    pub(crate) orphans: Vec<Marked>,
    /// What is listed of nodes whose own look finds nothing: a destroy that was cut off half-way leaves such.
    pub(crate) unseen: Vec<Marked>,
}

impl Discovery {
    /// What carries the deployment's mark and no node wants.
    pub fn orphans(&self) -> &[Marked] {
        &self.orphans
    }
}

impl Graph {
    /// Looks at every selected node, as soon as what its look needs is there, and lists what is ours.
    ///
    /// # Errors
    ///
    /// The failures of all looks that failed, in the order of the graph; no change was made.
    pub async fn discover(&self, cx: &Cx, selection: &Selection) -> Result<Discovery, Vec<Failure>> {
        let (nodes, listed) = futures_util::future::join(self.look_at(cx, selection), self.list_in_time(cx)).await;
        let mut failures = Vec::new();
        let seen = nodes.unwrap_or_else(|failed| {
            failures = failed;
            Vec::new()
        });
        let listed = match listed {
            Ok(listed) if selection.is_everything() => listed,
            Ok(_) => Vec::new(),
            Err(error) => {
                if failures.is_empty() {
                    failures.push(error.failure(&NodeId::from("inventory"), ""));
                }
                Vec::new()
            }
        };
        if !failures.is_empty() {
            return Err(failures);
        }
        let (mut orphans, mut unseen) = (Vec::new(), Vec::new());
        for marked in listed {
            match self.find(&marked.node) {
                None => orphans.push(marked),
                Some(NodeIndex(index)) if seen[index].is_nothing() => unseen.push(marked),
                Some(_) => {}
            }
        }
        Ok(Discovery { seen, selection: selection.clone(), orphans, unseen })
    }

    async fn list_in_time(&self, cx: &Cx) -> Result<Vec<Marked>> {
        let late = |_| Err(Error::new("deadline", "list what is ours in time"));
        tokio::time::timeout_at(cx.deadline(), self.list(cx)).await.unwrap_or_else(late)
    }

    async fn look_at(&self, cx: &Cx, selection: &Selection) -> Result<Vec<Seen<Value>>, Vec<Failure>> {
        let count = self.nodes.len();
        let mut seen: Vec<Option<Seen<Value>>> = (0..count).map(|_| None).collect();
        let mut outlook = vec![Prospect::NOTHING; count];
        let mut started = vec![false; count];
        let mut failures = Vec::new();
        let mut running = FuturesUnordered::new();
        for (index, _) in selection.0.iter().enumerate().filter(|(_, chosen)| !**chosen) {
            seen[index] = Some(Seen::absent());
            started[index] = true;
        }
        loop {
            for (index, node) in self.nodes.iter().enumerate() {
                if !started[index] && cx.over().is_none() && node.edges.iter().all(|&edge| seen[edge].is_some()) {
                    started[index] = true;
                    let outlook = Outlook(outlook.clone());
                    let cx = cx.about(node.subject.clone());
                    let look = async move {
                        let start = Instant::now();
                        let look = node.resource.look(&cx, &outlook);
                        let looked = match tokio::time::timeout_at(cx.deadline(), look).await {
                            Ok(looked) => looked,
                            Err(_) => Err(Error::new("deadline", format!("look at {}", node.subject.node))),
                        };
                        (index, looked, millis_since(start), cx)
                    };
                    running.push(look.instrument(node.subject.span()));
                }
            }
            let Some((index, looked, millis, cx)) = running.next().await else { break };
            match looked {
                Ok(found) => {
                    let word = match &found.current {
                        None => "absent",
                        Some((_, Mark::Managed)) => "managed",
                        Some((_, Mark::Adopted)) => "adopted",
                        Some((_, Mark::Stranger)) => "stranger",
                    };
                    cx.emit(What::Discovered { seen: word.to_owned(), stale: found.stale.len(), millis });
                    outlook[index].output =
                        found.current.as_ref().map(|(found, _)| self.nodes[index].resource.output(found));
                    seen[index] = Some(found);
                }
                Err(error) => {
                    let subject = &self.nodes[index].subject;
                    failures.push((index, error.failure(&subject.node, &subject.step)));
                }
            }
        }
        if let (Some(code), Some(index)) = (cx.over(), started.iter().position(|started| !started))
            && failures.is_empty()
        {
            let Subject { node, step, .. } = &*self.nodes[index].subject;
            failures.push((index, Error::new(code, format!("look at {node}")).failure(node, step)));
        }
        if failures.is_empty() {
            Ok(seen.into_iter().flatten().collect())
        } else {
            failures.sort_by_key(|&(index, _)| index);
            Err(failures.into_iter().map(|(_, failure)| failure).collect())
        }
    }

    /// Decides what to do. Pure: the same graph and the same discovery give the same plan.
    pub fn plan(&self, discovery: &Discovery) -> Plan {
        let mut outlook = Outlook(vec![Prospect::NOTHING; self.nodes.len()]);
        let mut changes = Vec::new();
        for (index, node) in self.nodes.iter().enumerate() {
            if !discovery.selection.0[index] {
                continue;
            }
            let seen = &discovery.seen[index];
            let (action, survives) = self.decide(NodeIndex(index), seen, &outlook);
            let output = seen.current.as_ref().map(|(found, _)| node.resource.output(found));
            outlook.0[index] = Prospect { output, survives, waits: matches!(action, Planned::Wait { .. }) };
            changes.push(Change {
                node: node.subject.node.clone(),
                kind: node.subject.kind.clone(),
                step: node.subject.step.clone(),
                corrections: node.subject.corrections.clone(),
                summary: node.resource.summary(),
                ownership: node.ownership,
                stale: seen.stale.len(),
                action,
            });
        }
        changes.extend(discovery.orphans.iter().map(|orphan| Change {
            node: orphan.node.clone(),
            kind: orphan.kind.to_owned(),
            step: String::new(),
            corrections: Vec::new(),
            summary: orphan.label.clone(),
            ownership: Ownership::Managed,
            stale: 0,
            action: Planned::Remove,
        }));
        Plan { changes }
    }

    /// Tells a plan as events, one a node.
    pub fn tell(&self, cx: &Cx, plan: &Plan) {
        for change in &plan.changes {
            let Change { node, kind, step, corrections, action, .. } = change.clone();
            cx.about(Subject { node, kind, step, corrections }.into()).emit(What::Planned { action });
        }
    }

    /// What waits for a person makes every change to its users wait.
    pub(crate) fn decide(&self, node: NodeIndex, seen: &Seen<Value>, outlook: &Outlook) -> (Planned, Survives) {
        let decided = self.decide_alone(node, seen, outlook);
        if !matches!(decided.0, Planned::Create | Planned::Update { .. } | Planned::Replace { .. }) {
            return decided;
        }
        let Node { resource, edges, .. } = &self.nodes[node.0];
        let own = if seen.current.is_none() { resource.waits() } else { None };
        let earlier = || {
            let waiting = edges.iter().find(|&&edge| outlook.0[edge].waits)?;
            Some(format!("after {}", self.nodes[*waiting].subject.node))
        };
        match earlier().or(own) {
            None => decided,
            Some(why) => (Planned::Wait { why }, Survives::All),
        }
    }

    /// The one place where ownership decides.
    fn decide_alone(&self, node: NodeIndex, seen: &Seen<Value>, outlook: &Outlook) -> (Planned, Survives) {
        let Node { resource, ownership, subject, .. } = &self.nodes[node.0];
        let blocked = |code: &str, why: String| (Planned::Blocked { code: code.to_owned(), why }, Survives::All);
        let Some((found, mark)) = &seen.current else {
            return match ownership {
                Ownership::Referenced => {
                    let (code, why) = resource.missing();
                    blocked(code, why)
                }
                Ownership::Managed | Ownership::Adopted => (Planned::Create, Survives::Nothing),
            };
        };
        let verdict = resource.plan(found, outlook);
        let ours = *mark == Mark::Managed;
        match (ownership, verdict) {
            (Ownership::Managed, _) if *mark == Mark::Stranger => blocked(
                "stranger",
                format!("{} exists and is not marked as ours ({})", subject.node, resource.summary()),
            ),
            (_, Verdict::Blocked { code, why }) => blocked(code, why),
            (Ownership::Adopted, Verdict::Keep) if *mark == Mark::Stranger => {
                (Planned::Update { changes: vec![adoption()] }, Survives::All)
            }
            (Ownership::Adopted, Verdict::Update { mut changes, survives }) if *mark == Mark::Stranger => {
                changes.push(adoption());
                (Planned::Update { changes }, survives)
            }
            (_, Verdict::Keep) => (Planned::Keep, Survives::All),
            (Ownership::Referenced, Verdict::Update { changes: why, .. } | Verdict::Replace { why }) => blocked(
                "referenced-differs",
                format!("{} is only referenced and differs: {}", subject.node, describe(&why)),
            ),
            (_, Verdict::Update { changes, survives }) => (Planned::Update { changes }, survives),
            (_, Verdict::Replace { why }) if ours => (Planned::Replace { why }, Survives::Nothing),
            (_, Verdict::Replace { why }) => blocked(
                "adopted-differs",
                format!("{} was adopted and would have to be replaced: {}", subject.node, describe(&why)),
            ),
        }
    }
}

fn adoption() -> Difference {
    Difference { field: "ownership".into(), from: Some("stranger".into()), to: Some("adopted".into()), code: None }
}

/// Differences in one line: `protocol HTTP -> HTTPS (C01)`.
pub fn describe(differences: &[Difference]) -> String {
    let unknown = || "(after apply)".to_owned();
    let one = |difference: &Difference| {
        let from = difference.from.clone().map(|from| format!(" {from}")).unwrap_or_default();
        let to = difference.to.clone().unwrap_or_else(unknown);
        let code = difference.code.as_ref().map(|code| format!(" ({code})")).unwrap_or_default();
        format!("{}{from} -> {to}{code}", difference.field)
    };
    differences.iter().map(one).collect::<Vec<_>>().join(", ")
}
