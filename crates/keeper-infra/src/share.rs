//! What the application may read (K6): the shared folder.

use automator_admin::vault::application::Application;
use automator_admin::vault::folder::Folder;
use automator_admin::vault::share::{self, Share};
use keeper_wire::Uid;
use resource_graph::{Action, Compare, Cx, Given, Knowns, NodeId, Present, Ref, Resource, Result, Seen, Verdict};

use crate::Home;
use crate::fail::failed;

/// The share of a folder with an application.
pub struct FolderShare {
    /// Where it lives.
    pub home: Home,
    /// Its node.
    pub node: NodeId,
    /// What is shared.
    pub folder: Ref<Folder>,
    /// With whom.
    pub application: Ref<Application>,
    /// Whether devices may write; an init container only reads.
    pub editable: bool,
}

/// A share that exists.
#[derive(Clone, Debug)]
pub struct Found {
    application: Application,
    folder: Uid,
    editable: bool,
}

impl Found {
    fn of(application: &Application, share: &Share) -> Self {
        Self { application: application.clone(), folder: share.folder, editable: share.editable }
    }
}

impl Resource for FolderShare {
    const KIND: &'static str = "ksm-share";
    type Needs = (Ref<Folder>, Ref<Application>);
    type Found = Found;
    type Output = ();

    fn id(&self) -> NodeId {
        self.node.clone()
    }

    fn summary(&self) -> String {
        if self.editable { "may write" } else { "may read" }.to_owned()
    }

    fn needs(&self) -> Self::Needs {
        (self.folder.clone(), self.application.clone())
    }

    async fn look(&self, _: &Cx, (folder, application): &Present<Self>) -> Result<Seen<Found>> {
        let (Some(folder), Some(application)) = (folder, application) else { return Ok(Seen::absent()) };
        let found = share::find(&self.home.session, application, folder.uid).await.map_err(failed)?;
        Ok(found.map_or_else(Seen::absent, |share| Seen::ours(Found::of(application, &share))))
    }

    fn plan(&self, found: &Found, _: &Knowns<Self>) -> Verdict {
        Compare::new().update("editable", &found.editable, &self.editable).verdict()
    }

    fn output(&self, _: &Found) {}

    async fn apply(&self, _: &Cx, _: Action<Found>, (folder, application): Given<Self>) -> Result<Found> {
        let made = share::create(&self.home.session, &application, &folder, self.editable).await.map_err(failed)?;
        Ok(Found::of(&application, &made))
    }

    async fn destroy(&self, _: &Cx, found: Found) -> Result<()> {
        share::remove(&self.home.session, &found.application, found.folder).await.map_err(failed)
    }
}
