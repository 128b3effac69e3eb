//! A graph of resources that can be looked up, compared, applied and undone.
//!
//! It has never heard of any cloud. A [`Resource`] answers four questions: what exists ([`Resource::look`]), does it fit
//! ([`Resource::plan`], pure), make it so ([`Resource::apply`]), undo it ([`Resource::destroy`]). Nothing is ordered by hand: a
//! resource holds [`Ref`]s to the outputs it needs, and those are the edges.
//!
//! Whatever happens, a node starts only after all it needs ended well, ends in exactly one [`Outcome`], and is never made
//! twice: a run that was killed or stopped is resumed by running it again. What is not marked as ours is never destroyed.
//! `tests/behaviour/` and `tests/properties.rs` say the rest, one promise a test.
//!
//! ```
//! use resource_graph::*;
//! use std::sync::{Arc, Mutex};
//!
//! /// A note on a shared board.
//! struct Note { board: Arc<Mutex<Vec<String>>>, text: &'static str, below: Option<Ref<String>> }
//!
//! impl Resource for Note {
//!     const KIND: &'static str = "note";
//!     type Needs = Option<Ref<String>>;
//!     type Found = String;
//!     type Output = String;
//!     fn id(&self) -> NodeId { NodeId::new(self.text) }
//!     fn summary(&self) -> String { format!("says {:?}", self.text) }
//!     fn needs(&self) -> Self::Needs { self.below.clone() }
//!     async fn look(&self, _: &Cx, _: &Present<Self>) -> Result<Seen<String>> {
//!         let there = self.board.lock().unwrap().iter().any(|note| note == self.text);
//!         Ok(if there { Seen::ours(self.text.to_owned()) } else { Seen::absent() })
//!     }
//!     fn plan(&self, _: &String, _: &Knowns<Self>) -> Verdict { Verdict::Keep }
//!     fn output(&self, found: &String) -> String { found.clone() }
//!     async fn apply(&self, _: &Cx, _: Action<String>, _: Given<Self>) -> Result<String> {
//!         self.board.lock().unwrap().push(self.text.to_owned());
//!         Ok(self.text.to_owned())
//!     }
//!     async fn destroy(&self, _: &Cx, found: String) -> Result<()> {
//!         self.board.lock().unwrap().retain(|note| *note != found);
//!         Ok(())
//!     }
//! }
//!
//! # tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(async {
//! let board = Arc::new(Mutex::new(Vec::new()));
//! let mut graph = Graph::new();
//! let first = graph.add(Label::step("1"), Note { board: board.clone(), text: "first", below: None });
//! graph.add(Label::step("2"), Note { board: board.clone(), text: "second", below: Some(first) });
//!
//! let cx = Cx::quiet();
//! let found = graph.discover(&cx, &graph.everything()).await.unwrap();
//! let plan = graph.plan(&found);
//! assert_eq!(plan.count("create"), 2);
//! assert!(graph.apply(&cx, Limits::default(), &found, &plan).await.is_done());
//! assert_eq!(*board.lock().unwrap(), ["first", "second"]);
//!
//! let again = graph.discover(&cx, &graph.everything()).await.unwrap();
//! assert!(graph.plan(&again).is_quiet());
//! # });
//! ```

mod apply;
mod cx;
mod error;
mod event;
mod graph;
mod lease;
mod plan;
mod reference;
mod resource;
mod teardown;
mod wait;
mod walk;

pub use apply::{Ended, Limits, Report};
pub use cx::{Clock, Cx, SystemClock};
pub use error::{Certainty, Error, Failure};
pub use event::{Event, Outcome, SCHEMA_VERSION, Sink, Subject, What};
pub use graph::{Fixed, Graph, Label, Marked, Selection};
pub use lease::{Lease, with_lease};
pub use plan::{Change, Discovery, Plan, Planned, describe};
pub use reference::{Field, Known, Needs, NodeId, NodeIndex, Outlook, Ref, Survives};
pub use resource::{
    Action, Compare, Difference, Given, Inventory, Knowns, Listed, Mark, Ownership, Present, Resource, Result, Seen,
    Verdict,
};
pub use wait::{Pace, Progress};
