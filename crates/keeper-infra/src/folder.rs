//! The shared folder (K2).

use automator_admin::vault::folder::{self, Folder};
use resource_graph::{Action, Cx, Given, Inventory, Knowns, Listed, NodeId, Present, Resource, Result, Seen, Verdict};

use crate::Home;
use crate::fail::failed;

/// A shared folder at the root of the vault.
pub struct SharedFolder {
    /// Where it lives.
    pub home: Home,
    /// Its node.
    pub node: NodeId,
    /// Its title.
    pub title: String,
}

impl Resource for SharedFolder {
    const KIND: &'static str = "shared-folder";
    type Needs = ();
    type Found = Folder;
    type Output = Folder;

    fn id(&self) -> NodeId {
        self.node.clone()
    }

    fn summary(&self) -> String {
        self.title.clone()
    }

    fn needs(&self) {}

    async fn look(&self, _: &Cx, (): &Present<Self>) -> Result<Seen<Folder>> {
        let found = folder::find(&*self.home.vault().await?, &self.title, &self.home.marker);
        Ok(found.map_err(|error| failed(error.into()))?.map_or_else(Seen::absent, Seen::ours))
    }

    /// Somebody may call it otherwise: it is theirs to look at, and nothing finds it by its title.
    fn plan(&self, _: &Folder, (): &Knowns<Self>) -> Verdict {
        Verdict::Keep
    }

    fn output(&self, found: &Folder) -> Folder {
        found.clone()
    }

    async fn apply(&self, _: &Cx, _: Action<Folder>, (): Given<Self>) -> Result<Folder> {
        folder::create(&self.home.session, &self.title, &self.home.marker).await.map_err(failed)
    }

    async fn destroy(&self, _: &Cx, found: Folder) -> Result<()> {
        folder::remove(&self.home.session, &found).await.map_err(failed)
    }
}

/// All shared folders of a deployment.
pub struct SharedFolders {
    /// Where they live.
    pub home: Home,
    /// The node that the wanted one is made for.
    pub node: NodeId,
    /// Its title, which decides between several.
    pub title: String,
}

impl Inventory for SharedFolders {
    const KIND: &'static str = SharedFolder::KIND;
    type Found = Folder;

    async fn list(&self, _: &Cx) -> Result<Vec<Listed<Folder>>> {
        let owned = folder::owned(&*self.home.vault().await?, &self.home.marker);
        Ok(self.home.listed(&self.node, &self.title, owned, |one| (&one.title, one.uid)))
    }

    async fn destroy(&self, _: &Cx, found: Folder) -> Result<()> {
        folder::remove(&self.home.session, &found).await.map_err(failed)
    }
}
