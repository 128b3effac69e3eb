//! The record that holds the files (K3).

use std::fmt;

use automator_admin::vault::folder::Folder;
use automator_admin::vault::record::{self, Record as Kept};
use keeper_wire::Uid;
use resource_graph::{
    Action, Compare, Cx, Given, Inventory, Knowns, Listed, NodeId, Present, Ref, Resource, Result, Seen, Verdict,
};

use crate::Home;
use crate::fail::failed;

/// The UID of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RecordUid(pub Uid);

impl fmt::Display for RecordUid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A record in the shared folder.
pub struct Record {
    /// Where it lives.
    pub home: Home,
    /// Its node.
    pub node: NodeId,
    /// Its title.
    pub title: String,
    /// The folder it is in.
    pub folder: Ref<Folder>,
}

impl Resource for Record {
    const KIND: &'static str = "vault-record";
    type Needs = (Ref<Folder>,);
    type Found = Kept;
    type Output = RecordUid;

    fn id(&self) -> NodeId {
        self.node.clone()
    }

    fn summary(&self) -> String {
        self.title.clone()
    }

    fn needs(&self) -> Self::Needs {
        (self.folder.clone(),)
    }

    async fn look(&self, _: &Cx, (folder,): &Present<Self>) -> Result<Seen<Kept>> {
        let Some(folder) = folder else { return Ok(Seen::absent()) };
        let found = record::find(&*self.home.vault().await?, folder, &self.title, &self.home.marker);
        Ok(found.map_err(|error| failed(error.into()))?.map_or_else(Seen::absent, Seen::ours))
    }

    fn plan(&self, found: &Kept, _: &Knowns<Self>) -> Verdict {
        let mut compare = Compare::new();
        compare.update("title", &found.title, &self.title);
        compare.verdict()
    }

    fn output(&self, found: &Kept) -> RecordUid {
        RecordUid(found.uid)
    }

    async fn apply(&self, _: &Cx, action: Action<Kept>, (folder,): Given<Self>) -> Result<Kept> {
        if let Action::Update { found, .. } = action {
            record::change(&self.home.session, &found, &self.title).await.map_err(failed)?;
        }
        record::create(&self.home.session, &folder, &self.title, &self.home.marker).await.map_err(failed)
    }

    async fn destroy(&self, _: &Cx, found: Kept) -> Result<()> {
        record::remove(&self.home.session, &found).await.map_err(failed)
    }
}

/// All records of a deployment, wherever in the vault they are.
pub struct Records {
    /// Where they live.
    pub home: Home,
    /// The node that the wanted one is made for.
    pub node: NodeId,
    /// Its title, which decides between several.
    pub title: String,
}

impl Inventory for Records {
    const KIND: &'static str = Record::KIND;
    type Found = Kept;

    async fn list(&self, _: &Cx) -> Result<Vec<Listed<Kept>>> {
        let owned = record::owned(&*self.home.vault().await?, &self.home.marker);
        Ok(self.home.listed(&self.node, &self.title, owned, |one| (&one.title, one.uid)))
    }

    async fn destroy(&self, _: &Cx, found: Kept) -> Result<()> {
        record::remove(&self.home.session, &found).await.map_err(failed)
    }
}
