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

    /// The lines of an inventory. The only one, or of several that of the wanted title, is the node; the others are leftovers, and
    /// nodes of their own.
    pub(crate) fn listed<F>(
        &self,
        node: &NodeId,
        wanted: &str,
        owned: Vec<F>,
        named: impl Fn(&F) -> (&str, Uid),
    ) -> Vec<Listed<F>> {
        let alone = owned.len() == 1;
        let line = |found: F| {
            let (title, uid) = named(&found);
            let node = if alone || title == wanted { node.clone() } else { NodeId::new(format!("{node}/{title}")) };
            Listed { node, label: uid.to_string(), found }
        };
        owned.into_iter().map(line).collect()
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
