//! The record that holds the files (K3).
//!
//! A person may move it, and may copy it, and a copy carries our marker too. The only one with the marker is ours wherever it is.
//! Of several it is the one in our folder; the others are told and never removed.

use std::fmt;

use automator_admin::vault::Vault;
use automator_admin::vault::folder::{self, Folder};
use automator_admin::vault::record::{self, Place, Record as Kept};
use keeper_wire::Uid;
use resource_graph::{
    Action, Compare, Cx, Error, Given, Inventory, Knowns, Listed, NodeId, Present, Ref, Resource, Result, Seen, Verdict,
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

/// A record that exists.
#[derive(Clone, Debug)]
pub struct Found {
    kept: Kept,
    /// It is in the shared folder, where devices may read it.
    shared: bool,
}

impl Resource for Record {
    const KIND: &'static str = "vault-record";
    type Needs = (Ref<Folder>,);
    type Found = Found;
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

    async fn look(&self, _: &Cx, (folder,): &Present<Self>) -> Result<Seen<Found>> {
        let vault = self.home.vault().await?;
        let found = match folder {
            Some(folder) => {
                record::find(&vault, folder, &self.title, &self.home.marker).map_err(|error| failed(error.into()))?
            }
            // Somebody removed the folder, and may have moved the record elsewhere before.
            None => Some(record::owned(&vault, &self.home.marker))
                .filter(|ours| ours.len() == 1)
                .and_then(|mut ours| ours.pop()),
        };
        let shared = |kept: &Kept| folder.as_ref().is_some_and(|folder| kept.is_within(folder.uid));
        Ok(found.map_or_else(Seen::absent, |kept| Seen::ours(Found { shared: shared(&kept), kept })))
    }

    fn plan(&self, Found { kept, shared }: &Found, _: &Knowns<Self>) -> Verdict {
        if !shared {
            let why = format!(
                "the record {:?} ({}) is not in the shared folder, so no task could read it: move it back in the web vault, or \
                 delete it there and a new one is made",
                kept.title, kept.uid
            );
            return Verdict::Blocked { code: "vault-record-moved", why };
        }
        let mut compare = Compare::new();
        compare.update("title", &kept.title, &self.title);
        compare.verdict()
    }

    fn output(&self, found: &Found) -> RecordUid {
        RecordUid(found.kept.uid)
    }

    async fn apply(&self, _: &Cx, action: Action<Found>, (folder,): Given<Self>) -> Result<Found> {
        if let Action::Update { found, .. } = action {
            record::change(&self.home.session, &found.kept, &self.title).await.map_err(failed)?;
        }
        let kept = record::create(&self.home.session, &folder, &self.title, &self.home.marker).await.map_err(failed)?;
        Ok(Found { shared: kept.is_within(folder.uid), kept })
    }

    async fn destroy(&self, _: &Cx, found: Found) -> Result<()> {
        record::remove(&self.home.session, &found.kept).await.map_err(failed)
    }
}

/// All records of a deployment, wherever in the vault they are, as the node's own: none is ever taken for one that is to be removed,
/// and after a destroy the proof names those that are left.
pub struct Records {
    /// Where they live.
    pub home: Home,
    /// The node that the wanted one is made for.
    pub node: NodeId,
}

impl Inventory for Records {
    const KIND: &'static str = Record::KIND;
    type Found = Uid;

    async fn list(&self, _: &Cx) -> Result<Vec<Listed<Uid>>> {
        let vault = self.home.vault().await?;
        let line = |kept: Kept| {
            let places: Vec<String> = kept.places.iter().map(|place| place_name(&vault, place)).collect();
            let places = if places.is_empty() { "at the root of the vault".to_owned() } else { places.join(" and ") };
            let label = format!(
                "{:?} {} {places}, which may be a person's copy and is never removed: delete it in the web vault, or its field \
                 keeper-automator to keep it",
                kept.title, kept.uid
            );
            Listed { node: self.node.clone(), label, found: kept.uid }
        };
        Ok(record::owned(&vault, &self.home.marker).into_iter().map(line).collect())
    }

    /// Never reached: the node is in the graph as long as the inventory is.
    async fn destroy(&self, _: &Cx, found: Uid) -> Result<()> {
        Err(Error::new("vault-record-moved", format!("remove the record {found}, which may be a person's copy"))
            .hint("delete it in the web vault"))
    }
}

fn place_name(vault: &Vault, place: &Place) -> String {
    match place {
        Place::Shared { root, .. } => match folder::title(vault, *root) {
            Some(title) => format!("in the shared folder {title:?}"),
            None => format!("in the shared folder {root}"),
        },
        Place::Own(None) => "at the root of the vault".to_owned(),
        Place::Own(Some(folder)) => format!("in the folder {folder}"),
    }
}
