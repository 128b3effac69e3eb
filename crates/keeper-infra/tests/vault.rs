//! Folder, record and attachments: quiet when all is as wanted, and what a person moves or copies is neither made twice nor removed.

mod common;

use automator_admin::Session;
use automator_admin::vault::{Marker, attachment, record};
use common::signed_in;
use keeper_fake::{Fake, World};
use keeper_infra::{Attachments, Home, Record, Records, SharedFolder, SharedFolders, WantedAttachment};
use keeper_wire::Uid;
use resource_graph::{Cx, Graph, Label, Limits, Planned};

struct Stage {
    fake: Fake,
    session: Session,
    graph: Graph,
}

impl Stage {
    async fn new() -> Self {
        let (fake, session) = signed_in(World::new()).await;
        let (home, title) = (Home::new(session.clone(), "blue"), "Keeper Automator".to_owned());
        let mut graph = Graph::new();
        let folder = SharedFolder { home: home.clone(), node: "vault-folder".into(), title: title.clone() };
        let folder = graph.add(Label::step("K2"), folder);
        graph.inventory(SharedFolders { home: home.clone(), node: "vault-folder".into(), title: title.clone() });
        let record = Record { home: home.clone(), node: "vault-record".into(), title, folder };
        let record = graph.add(Label::step("K3"), record);
        graph.inventory(Records { home: home.clone(), node: "vault-record".into() });
        let password = WantedAttachment {
            name: "ssl-certificate-password.txt".to_owned(),
            stem: "ssl-certificate-password",
            end: ".txt",
            bytes: Some(Vec::new().into()),
        };
        let files = Attachments { home, node: "vault-certificate".into(), record, files: vec![password] };
        graph.add(Label::step("K3"), files);
        Self { fake, session, graph }
    }

    /// Looks and decides: what does not stay, and the reason where it is blocked.
    async fn plan(&self) -> Vec<String> {
        self.session.look_again();
        let everything = self.graph.everything();
        let found = self.graph.discover(&Cx::quiet(), &everything).await.unwrap_or_else(|errors| panic!("{errors:?}"));
        let told = |change: &resource_graph::Change| match &change.action {
            Planned::Keep => None,
            Planned::Blocked { code, .. } => Some(format!("{} {code}", change.node)),
            other => Some(format!("{} {}", change.node, other.word())),
        };
        self.graph.plan(&found).changes.iter().filter_map(told).collect()
    }

    async fn apply(&self) {
        self.session.look_again();
        let cx = Cx::quiet();
        let found =
            self.graph.discover(&cx, &self.graph.everything()).await.unwrap_or_else(|errors| panic!("{errors:?}"));
        let report = self.graph.apply(&cx, Limits::default(), &found, &self.graph.plan(&found)).await;
        assert!(report.is_done(), "{report:?}");
    }

    /// What is left after all was undone, as the proof tells it.
    async fn destroy(&self) -> Vec<String> {
        self.session.look_again();
        let cx = Cx::quiet();
        let found =
            self.graph.discover(&cx, &self.graph.everything()).await.unwrap_or_else(|errors| panic!("{errors:?}"));
        let report = self.graph.destroy(&cx, Limits::default(), &found).await;
        assert!(report.is_done(), "{report:?}");
        self.graph.list(&cx).await.unwrap().iter().map(|marked| format!("{marked:?}")).collect()
    }

    async fn records(&self) -> Vec<record::Record> {
        record::owned(&self.session.vault().await.unwrap(), &Marker::new("blue"))
    }

    /// The one record, moved by somebody out of the shared folder to the root of the vault.
    async fn moved(&self) -> Uid {
        let uid = self.records().await[0].uid;
        let mut world = self.fake.world();
        let vault = &mut world.vault;
        vault.revision += 1;
        vault.places.retain(|(_, record), _| *record != uid);
        vault.folder_keys.retain(|(_, record), _| *record != uid);
        vault.places.insert((None, uid), vault.revision);
        uid
    }

    /// The one record, copied by somebody to the root of the vault.
    async fn copied(&self) -> Uid {
        let (uid, copy) = (self.records().await[0].uid, Uid::random());
        let mut world = self.fake.world();
        let vault = &mut world.vault;
        vault.revision += 1;
        let original = &vault.records[&uid];
        let twin = keeper_fake::vault::Record {
            version: original.version,
            revision: vault.revision,
            modified: original.modified,
            data: original.data.clone(),
            key: original.key.clone(),
            key_type: original.key_type,
            file: None,
        };
        vault.records.insert(copy, twin);
        vault.places.insert((None, copy), vault.revision);
        copy
    }
}

#[tokio::test]
async fn an_empty_file_is_attached_once() {
    let stage = Stage::new().await;
    stage.apply().await;
    assert_eq!(stage.plan().await, [""; 0]);
    stage.apply().await;
    let record = stage.records().await[0].uid;
    let files = attachment::list(&stage.session.vault().await.unwrap(), record);
    assert_eq!((files.len(), files[0].size), (1, 0));
    assert_eq!(stage.destroy().await, [""; 0]);
}

#[tokio::test]
async fn a_record_that_was_moved_is_told_and_goes_with_the_rest() {
    let stage = Stage::new().await;
    stage.apply().await;
    let uid = stage.moved().await;
    assert_eq!(stage.plan().await, ["vault-record vault-record-moved"]);
    assert_eq!(stage.records().await.iter().map(|one| one.uid).collect::<Vec<_>>(), [uid]);
    assert_eq!(stage.destroy().await, [""; 0]);
    assert!(stage.fake.world().vault.records.is_empty(), "neither the record nor its file stays");
}

#[tokio::test]
async fn a_copy_is_never_removed_and_the_proof_names_it_with_what_to_do() {
    let stage = Stage::new().await;
    stage.apply().await;
    let copy = stage.copied().await;
    assert_eq!(stage.plan().await, [""; 0], "the one in our folder is ours");
    let left = stage.destroy().await;
    let [line] = &left[..] else { panic!("{left:?}") };
    for part in
        [copy.to_string().as_str(), "at the root of the vault", "delete it in the web vault", "keeper-automator"]
    {
        assert!(line.contains(part), "{part:?} is not in: {line}");
    }
    assert!(stage.fake.world().vault.records.contains_key(&copy));
}
