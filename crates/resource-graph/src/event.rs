//! The one stream of what happens. Bars, lines, JSON and reports are readers of it.

use std::sync::Arc;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::plan::Planned;
use crate::{Failure, NodeId};

/// The version of the stream's shape. It grows only when a reader of an older one would misread.
pub const SCHEMA_VERSION: u32 = 1;

/// One thing that happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Event {
    /// The version of the stream's shape.
    pub schema: u32,
    /// The run it belongs to.
    pub run: String,
    /// When, UTC.
    #[schemars(with = "String")]
    pub at: Timestamp,
    /// The node it is about, if it is about one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<Subject>,
    /// What happened.
    #[serde(flatten)]
    pub what: What,
}

/// The node an event is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Subject {
    /// The node.
    pub node: NodeId,
    /// Its kind.
    pub kind: String,
    /// The step it belongs to.
    pub step: String,
    /// Catalogue codes of what this node does differently, and why.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub corrections: Vec<String>,
}

impl Subject {
    /// Where everything lies that is logged about the node.
    pub(crate) fn span(&self) -> tracing::Span {
        tracing::info_span!("node", node = %self.node)
    }
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum What {
    /// A command began.
    RunStarted {
        /// The command's name.
        command: String,
        /// How many nodes the graph has.
        nodes: usize,
    },
    /// A node was looked at.
    Discovered {
        /// What was there: `absent`, `managed`, `adopted` or `stranger`.
        seen: String,
        /// Leftovers of an interrupted replacement.
        stale: usize,
        /// How long the look took, in milliseconds.
        millis: u64,
    },
    /// What will be done to a node.
    Planned {
        /// The decision.
        action: Planned,
    },
    /// A node began to change.
    Started {
        /// `create`, `update`, `replace`, `retire`, `remove` or `destroy`.
        action: String,
    },
    /// Something worth telling while a node is worked on.
    Progress {
        /// In a few words.
        text: String,
    },
    /// An answer was lost or the other side was busy; the node is looked at again.
    Again {
        /// Why.
        because: Failure,
        /// The attempt that failed, from 1.
        attempt: u32,
    },
    /// A call to the outside was answered, or not.
    Call {
        /// The service.
        service: String,
        /// The operation.
        operation: String,
        /// Whether it got an answer that says yes, and if not, in a word why.
        outcome: String,
        /// How long it took, in milliseconds.
        millis: u64,
    },
    /// A node ended.
    Finished {
        /// How.
        outcome: Outcome,
        /// How long it took, in milliseconds.
        millis: u64,
    },
    /// What a node left behind when it was replaced went, or did not. It comes after the node's own end.
    Retired {
        /// How.
        outcome: Outcome,
        /// How long it took, in milliseconds.
        millis: u64,
    },
    /// A step of the whole ended, or is not done by this command.
    Step {
        /// The step.
        step: String,
        /// `done`, `failed`, `skipped`, or in words why it was not tried.
        state: String,
    },
    /// A command ended before it changed anything.
    Refused {
        /// Why.
        failure: Failure,
    },
    /// A command ended.
    RunFinished {
        /// Nodes that ended well.
        done: usize,
        /// Nodes that failed.
        failed: usize,
        /// Nodes that were skipped or not started.
        skipped: usize,
        /// Nodes that wait for a person.
        #[serde(default)]
        waiting: usize,
        /// How long it took, in milliseconds.
        millis: u64,
    },
}

/// How a node ended. Every node ends in exactly one of these.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "outcome", rename_all = "kebab-case")]
pub enum Outcome {
    /// Nothing had to be done.
    Kept,
    /// It was made.
    Created,
    /// It was changed in place.
    Updated,
    /// A new one was made; the old one is retired at the end.
    Replaced,
    /// It is gone.
    Destroyed,
    /// There was nothing to destroy.
    WasAbsent,
    /// It is not ours to delete.
    Spared,
    /// It was left as it is until a person has done or confirmed something.
    Waiting {
        /// What that is.
        why: String,
    },
    /// It failed.
    Failed {
        /// Why.
        failure: Failure,
    },
    /// It was not tried, because what had to come first failed: what it needs or, when things go, what uses it.
    Skipped {
        /// The node that failed.
        because: NodeId,
    },
    /// It was not tried, because the run was stopped or ran out of time.
    NotStarted,
}

impl Outcome {
    /// True when the node is as the run wanted it, or as far as a run can bring it without a person.
    pub fn is_done(&self) -> bool {
        !matches!(self, Self::Failed { .. } | Self::Skipped { .. } | Self::NotStarted)
    }
}

/// Where events go.
pub type Sink = Arc<dyn Fn(Event) + Send + Sync>;
