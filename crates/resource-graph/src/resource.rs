//! What a resource is: it can be looked up, compared, applied and undone.

use std::fmt::Display;
use std::future::Future;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Cx, Error, Known, Needs, NodeId, Survives};

/// What looking gives.
pub type Result<T, E = Error> = std::result::Result<T, E>;
/// The values of today that `R` may use while looking.
pub type Present<R> = <<R as Resource>::Needs as Needs>::Present;
/// What is known to `R` while planning.
pub type Knowns<R> = <<R as Resource>::Needs as Needs>::Known;
/// The values `R` is applied with.
pub type Given<R> = <<R as Resource>::Needs as Needs>::Given;

/// One thing the graph keeps as wished.
///
/// Four moments: look, decide, do, undo. Deciding is pure. Whether something adopted may be changed, or a stranger blocks, is
/// decided by the graph and not by each resource.
pub trait Resource: Send + Sync + 'static {
    /// What people call it: `efs-mount-target`.
    const KIND: &'static str;
    /// References to outputs of other nodes.
    type Needs: Needs;
    /// What was seen to exist. It holds all that destroying it takes.
    type Found: Clone + Send + Sync + 'static;
    /// What others may read.
    type Output: Clone + Send + Sync + 'static;

    /// The node's name, stable across runs.
    fn id(&self) -> NodeId;

    /// What is wanted, in a few words for the plan.
    fn summary(&self) -> String;

    /// What it needs of others.
    fn needs(&self) -> Self::Needs;

    /// Asks what exists. Never changes anything.
    fn look(&self, cx: &Cx, needs: &Present<Self>) -> impl Future<Output = Result<Seen<Self::Found>>> + Send
    where
        Self: Sized;

    /// Compares what exists with what is wanted. Pure.
    fn plan(&self, found: &Self::Found, needs: &Knowns<Self>) -> Verdict
    where
        Self: Sized;

    /// What a person has to do or confirm before it may be made, if anything. Pure.
    ///
    /// As long as it is absent and this says something, it is left out, and so is every change to what needs it: they wait, and
    /// that is no failure.
    fn waits(&self) -> Option<String> {
        None
    }

    /// What is said when it is only referenced and does not exist: a code and a sentence. Pure.
    fn missing(&self) -> (&'static str, String) {
        ("missing", format!("{} is referenced and does not exist", self.id()))
    }

    /// What others may read of it. Pure.
    fn output(&self, found: &Self::Found) -> Self::Output;

    /// Creates it, or changes what was found, and tells what is there now.
    ///
    /// It is called again after a look when the answer to a change was lost, so every step must bear being half done.
    fn apply(
        &self,
        cx: &Cx,
        action: Action<Self::Found>,
        needs: Given<Self>,
    ) -> impl Future<Output = Result<Self::Found>> + Send
    where
        Self: Sized;

    /// Removes what was found. Something that is gone already is a success.
    fn destroy(&self, cx: &Cx, found: Self::Found) -> impl Future<Output = Result<()>> + Send;
}

/// Lists everything of one kind that carries the deployment's mark, wanted or not.
///
/// What it lists and the graph does not name is shown as `remove`; after a destroy it must list nothing.
pub trait Inventory: Send + Sync + 'static {
    /// The kind, the same word as [`Resource::KIND`].
    const KIND: &'static str;
    /// What destroying it takes.
    type Found: Clone + Send + Sync + 'static;

    /// Everything that is ours.
    fn list(&self, cx: &Cx) -> impl Future<Output = Result<Vec<Listed<Self::Found>>>> + Send;

    /// Removes one of them. Something that is gone already is a success.
    fn destroy(&self, cx: &Cx, found: Self::Found) -> impl Future<Output = Result<()>> + Send;
}

/// One line of an inventory.
#[derive(Clone, Debug)]
pub struct Listed<F> {
    /// The node it was made for.
    pub node: NodeId,
    /// Its own id, for people.
    pub label: String,
    /// What destroying it takes.
    pub found: F,
}

/// Whose something is, read from the thing itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    /// We made it.
    Managed,
    /// It was there before us and a person agreed that we look after it.
    Adopted,
    /// It carries no mark of this deployment.
    Stranger,
}

/// Whose something shall be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Ownership {
    /// Ours: created, changed and deleted by us.
    #[default]
    Managed,
    /// It exists already; it is marked and may be corrected, never deleted.
    Adopted,
    /// Only read and checked.
    Referenced,
}

/// What a look found.
#[derive(Clone, Debug)]
pub struct Seen<F> {
    /// The one that plays the node's part now, and whose it is.
    pub current: Option<(F, Mark)>,
    /// Ours, but replaced: leftovers of a run that was interrupted before it retired them.
    pub stale: Vec<F>,
}

impl<F> Seen<F> {
    /// Nothing is there.
    pub fn absent() -> Self {
        Self { current: None, stale: Vec::new() }
    }

    pub(crate) fn is_nothing(&self) -> bool {
        self.current.is_none() && self.stale.is_empty()
    }

    /// Something is there.
    pub fn here(found: F, mark: Mark) -> Self {
        Self { current: Some((found, mark)), stale: Vec::new() }
    }

    /// Ours is there.
    pub fn ours(found: F) -> Self {
        Self::here(found, Mark::Managed)
    }

    /// Of several that are ours, `fits` picks the current one; the others are stale. Without a fitting one the last is
    /// current, so list them oldest first.
    pub fn pick(mut all: Vec<F>, fits: impl Fn(&F) -> bool) -> Self {
        let at = all.iter().rposition(fits).or_else(|| all.len().checked_sub(1));
        match at {
            None => Self::absent(),
            Some(at) => {
                let current = all.remove(at);
                Self { current: Some((current, Mark::Managed)), stale: all }
            }
        }
    }
}

/// What is done to a node.
#[derive(Clone, Debug)]
pub enum Action<F> {
    /// Make it; nothing usable is there. For a replacement this makes the new one beside the old one.
    Create,
    /// Change what is there to what is wanted.
    Update {
        /// What is there.
        found: F,
        /// Also mark it as adopted.
        adopt: bool,
    },
}

/// One difference between what exists and what is wanted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Difference {
    /// The field's name.
    pub field: String,
    /// What is there, if it can be told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// What is wanted, if it is known before applying.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    /// A catalogue code of the reason, for instance a correction.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
}

/// What a resource says of what exists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// As wanted.
    Keep,
    /// Can be changed in place.
    Update {
        /// What differs.
        changes: Vec<Difference>,
        /// Which parts of the output are the same afterwards.
        survives: Survives,
    },
    /// A new one must be made beside it.
    Replace {
        /// What differs and cannot be changed.
        why: Vec<Difference>,
    },
    /// A person must decide.
    Blocked {
        /// A catalogue code.
        code: &'static str,
        /// Why.
        why: String,
    },
}

/// Collects differences and turns them into a verdict.
///
/// ```
/// use resource_graph::{Compare, Known, Verdict};
///
/// let mut compare = Compare::new();
/// compare.update("retention", &30, &90);
/// compare.need("vpc", &"vpc-1", &Known::Same("vpc-1"));
/// assert!(matches!(compare.verdict(), Verdict::Update { changes, .. } if changes.len() == 1));
/// ```
#[derive(Debug, Default)]
pub struct Compare {
    updates: Vec<Difference>,
    replacements: Vec<Difference>,
    survives: Option<Survives>,
}

impl Compare {
    /// No difference yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// A field that can be changed in place.
    pub fn update<T: PartialEq + Display>(&mut self, field: &str, found: &T, wanted: &T) -> &mut Self {
        if found != wanted {
            self.updates.push(difference(field, Some(found.to_string()), Some(wanted.to_string()), None));
        }
        self
    }

    /// A field that can be changed in place and that the service may leave out of its answer: left out is unknown, not
    /// drift.
    pub fn update_if_told<T: PartialEq + Display>(&mut self, field: &str, found: Option<&T>, wanted: &T) -> &mut Self {
        if let Some(found) = found {
            self.update(field, found, wanted);
        }
        self
    }

    /// A difference that was worked out elsewhere and can be changed in place.
    pub fn differs(&mut self, field: &str, from: Option<String>, to: Option<String>) -> &mut Self {
        self.updates.push(difference(field, from, to, None));
        self
    }

    /// A field that only a new one can have. `code` names the reason in a catalogue, if there is one.
    pub fn replace<T: PartialEq + Display>(
        &mut self,
        field: &str,
        found: &T,
        wanted: &T,
        code: Option<&str>,
    ) -> &mut Self {
        if found != wanted {
            self.replacements.push(difference(field, Some(found.to_string()), Some(wanted.to_string()), code));
        }
        self
    }

    /// A reference that only a new one can have: anything but the same, surviving value asks for a replacement.
    pub fn need<T: PartialEq + Display>(&mut self, field: &str, found: &T, wanted: &Known<T>) -> &mut Self {
        if !wanted.is(found) {
            self.replacements.push(difference(field, Some(found.to_string()), future(wanted), None));
        }
        self
    }

    /// A reference that can be changed in place.
    pub fn repoint<T: PartialEq + Display>(&mut self, field: &str, found: Option<&T>, wanted: &Known<T>) -> &mut Self {
        if !found.is_some_and(|found| wanted.is(found)) {
            self.updates.push(difference(field, found.map(T::to_string), future(wanted), None));
        }
        self
    }

    /// Like [`Compare::repoint`] for a list whose order means nothing.
    pub fn repoint_all<T: Ord + Clone + Display>(
        &mut self,
        field: &str,
        found: &[T],
        wanted: &Known<Vec<T>>,
    ) -> &mut Self {
        if !same_set(found, wanted) {
            self.updates.push(difference(field, Some(list(found)), future_list(wanted), None));
        }
        self
    }

    /// Like [`Compare::need`] for a list whose order means nothing.
    pub fn need_all<T: Ord + Clone + Display>(
        &mut self,
        field: &str,
        found: &[T],
        wanted: &Known<Vec<T>>,
    ) -> &mut Self {
        if !same_set(found, wanted) {
            self.replacements.push(difference(field, Some(list(found)), future_list(wanted), None));
        }
        self
    }

    /// What is left of the output if this becomes an update; everything, unless told.
    pub fn survives(&mut self, survives: Survives) -> &mut Self {
        self.survives = Some(survives);
        self
    }

    /// Keep, update, or replace.
    pub fn verdict(&mut self) -> Verdict {
        let mut why = std::mem::take(&mut self.replacements);
        let mut changes = std::mem::take(&mut self.updates);
        if !why.is_empty() {
            why.append(&mut changes);
            Verdict::Replace { why }
        } else if changes.is_empty() {
            Verdict::Keep
        } else {
            Verdict::Update { changes, survives: self.survives.take().unwrap_or(Survives::All) }
        }
    }
}

fn same_set<T: Ord + Clone>(found: &[T], wanted: &Known<Vec<T>>) -> bool {
    let Known::Same(wanted) = wanted else { return false };
    let (mut found, mut wanted) = (found.to_vec(), wanted.clone());
    found.sort();
    wanted.sort();
    found == wanted
}

fn future<T: Display>(wanted: &Known<T>) -> Option<String> {
    match wanted {
        Known::Same(value) => Some(value.to_string()),
        Known::WillChange(_) | Known::Unknown => None,
    }
}

fn future_list<T: Display>(wanted: &Known<Vec<T>>) -> Option<String> {
    match wanted {
        Known::Same(values) => Some(list(values)),
        Known::WillChange(_) | Known::Unknown => None,
    }
}

fn list<T: Display>(values: &[T]) -> String {
    values.iter().map(T::to_string).collect::<Vec<_>>().join(", ")
}

fn difference(field: &str, from: Option<String>, to: Option<String>, code: Option<&str>) -> Difference {
    Difference { field: field.to_owned(), from, to, code: code.map(str::to_owned) }
}
