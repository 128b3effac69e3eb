//! The Secrets Manager application (K5).

use automator_admin::vault::application::{self, Application as Kept};
use resource_graph::{Action, Cx, Given, Inventory, Knowns, Listed, NodeId, Present, Resource, Result, Seen, Verdict};

use crate::Home;
use crate::fail::failed;

/// A Secrets Manager application.
pub struct Application {
    /// Where it lives.
    pub home: Home,
    /// Its node.
    pub node: NodeId,
    /// Its title.
    pub title: String,
}

impl Resource for Application {
    const KIND: &'static str = "ksm-application";
    type Needs = ();
    type Found = Kept;
    type Output = Kept;

    fn id(&self) -> NodeId {
        self.node.clone()
    }

    fn summary(&self) -> String {
        self.title.clone()
    }

    fn needs(&self) {}

    async fn look(&self, _: &Cx, (): &Present<Self>) -> Result<Seen<Kept>> {
        let found = application::find(&*self.home.vault().await?, &self.title, &self.home.marker);
        Ok(found.map_err(|error| failed(error.into()))?.map_or_else(Seen::absent, Seen::ours))
    }

    /// Somebody may call it otherwise: it is theirs to look at, and nothing finds it by its title.
    fn plan(&self, _: &Kept, (): &Knowns<Self>) -> Verdict {
        Verdict::Keep
    }

    fn output(&self, found: &Kept) -> Kept {
        found.clone()
    }

    async fn apply(&self, _: &Cx, _: Action<Kept>, (): Given<Self>) -> Result<Kept> {
        application::create(&self.home.session, &self.title, &self.home.marker).await.map_err(failed)
    }

    async fn destroy(&self, _: &Cx, found: Kept) -> Result<()> {
        application::remove(&self.home.session, &found).await.map_err(failed)
    }
}

/// All applications of a deployment.
pub struct Applications {
    /// Where they live.
    pub home: Home,
    /// The node that the wanted one is made for.
    pub node: NodeId,
    /// Its title, which decides between several.
    pub title: String,
}

impl Inventory for Applications {
    const KIND: &'static str = Application::KIND;
    type Found = Kept;

    async fn list(&self, _: &Cx) -> Result<Vec<Listed<Kept>>> {
        let owned = application::owned(&*self.home.vault().await?, &self.home.marker);
        Ok(self.home.listed(&self.node, &self.title, owned, |one| (&one.title, one.uid)))
    }

    async fn destroy(&self, _: &Cx, found: Kept) -> Result<()> {
        application::remove(&self.home.session, &found).await.map_err(failed)
    }
}
