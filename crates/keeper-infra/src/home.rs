//! Where everything of a deployment lives in Keeper.

use std::fmt;
use std::sync::Arc;

use automator_admin::Session;
use automator_admin::vault::{Marker, Vault};
use keeper_wire::Uid;
use resource_graph::{Listed, NodeId, Result};

use crate::fail::failed;

/// A signed-in administrator, and the mark of the deployment.
#[derive(Clone)]
pub struct Home {
    /// Who is signed in.
    pub session: Session,
    /// How our own things are known again.
    pub marker: Marker,
}

impl Home {
    /// The home of the deployment with this name.
    #[must_use]
    pub fn new(session: Session, deployment: &str) -> Self {
        Self { session, marker: Marker::new(deployment) }
    }

    /// A line of an inventory. Something of another title than the one wanted was made for another wish, and is a node of its own.
    pub(crate) fn listed<F>(&self, node: &NodeId, wanted: &str, title: &str, uid: Uid, found: F) -> Listed<F> {
        let node = if title == wanted { node.clone() } else { NodeId::new(format!("{node}/{title}")) };
        Listed { node, label: uid.to_string(), found }
    }

    pub(crate) async fn vault(&self) -> Result<Arc<Vault>> {
        self.session.vault().await.map_err(failed)
    }
}

impl fmt::Debug for Home {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Home").field("deployment", &self.marker.deployment()).finish_non_exhaustive()
    }
}
