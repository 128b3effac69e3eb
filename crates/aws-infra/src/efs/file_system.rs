//! A file system (A6, C06): encrypted at rest from its first byte, because that cannot be changed later.

use std::collections::BTreeMap;

use aws_sdk_efs::error::SdkError;
use aws_sdk_efs::operation::create_file_system::{CreateFileSystemError, CreateFileSystemOutput};
use aws_sdk_efs::types::{FileSystemDescription, LifeCycleState, PerformanceMode, ThroughputMode};
use resource_graph::{
    Action, Certainty, Compare, Cx, Given, Inventory, Knowns, Listed, Mark, NodeId, Present, Progress, Resource,
    Result, Seen, Verdict,
};

use super::{PACE, PAGE, access_point, adopt, is_going, mount_target, tagged, tags, usable};
use crate::fail::{failed, gone, has_code, required, unless_missing};
use crate::{FileSystemId, Home};

/// A file system.
pub struct FileSystem {
    /// Where it lives.
    pub home: Home,
    /// Its node.
    pub node: NodeId,
    /// What the console shows; it identifies nothing.
    pub name: String,
}

/// A file system that exists.
#[derive(Clone, Debug)]
pub struct Found {
    id: FileSystemId,
    /// Left out means not told.
    encrypted: Option<bool>,
    state: LifeCycleState,
}

impl FileSystem {
    /// The same for ever: no second one can be made by accident while the first exists.
    fn token(&self) -> String {
        self.home.token(&self.node, "create")
    }

    async fn create(&self) -> Result<FileSystemId> {
        let action = format!("create efs-file-system `{}`", self.name);
        let mut answer = self.ask(ThroughputMode::Elastic).await?;
        if answer.as_ref().is_err_and(knows_no_elastic) {
            answer = self.ask(ThroughputMode::Bursting).await?;
        }
        match answer {
            Ok(made) => Ok(FileSystemId::new(required(Some(made.file_system_id()), &action, "file system id")?)),
            // The token is ours, so it was made by a call whose answer was lost; or the last one is still being deleted.
            Err(error) if has_code(&error, &["FileSystemAlreadyExists"]) => {
                let all = describe(&self.home, Wanted::Token(&self.token())).await?.unwrap_or_default();
                let usable = all.into_iter().find(|one| !is_going(&one.found.state));
                usable.map(|one| one.found.id).ok_or_else(|| failed(action, error).certainty(Certainty::NotDone))
            }
            Err(error) => Err(failed(action, error)),
        }
    }

    async fn ask(&self, throughput: ThroughputMode) -> Result<Answer> {
        let call = self.home.aws.efs.create_file_system().creation_token(self.token());
        let call = call.encrypted(true).performance_mode(PerformanceMode::GeneralPurpose).throughput_mode(throughput);
        Ok(call.set_tags(Some(tagged(&self.home, &self.node, &self.name)?)).send().await)
    }
}

type Answer = std::result::Result<CreateFileSystemOutput, SdkError<CreateFileSystemError>>;

/// Elastic throughput came late; not every region and not every emulator has it.
fn knows_no_elastic(error: &SdkError<CreateFileSystemError>) -> bool {
    let says = |word: &str| {
        let said = error.as_service_error().and_then(|error| error.meta().message());
        said.is_some_and(|said| said.to_lowercase().contains(word))
    };
    has_code(error, &["BadRequest", "ValidationException"]) && (says("throughput") || says("elastic"))
}

impl Resource for FileSystem {
    const KIND: &'static str = "efs-file-system";
    type Needs = ();
    type Found = Found;
    type Output = FileSystemId;

    fn id(&self) -> NodeId {
        self.node.clone()
    }

    fn summary(&self) -> String {
        format!("{}, encrypted", self.name)
    }

    fn needs(&self) {}

    /// Never calls one stale: what is stale is destroyed, and a second one with our tags is a restored backup or somebody's copy.
    async fn look(&self, _cx: &Cx, (): &Present<Self>) -> Result<Seen<Found>> {
        let token = self.token();
        let mut candidates: Vec<(Described, Mark)> = describe(&self.home, Wanted::All)
            .await?
            .unwrap_or_default()
            .into_iter()
            .filter(|one| !is_going(&one.found.state))
            .map(|one| {
                let mark = self.home.mark(&self.node, &one.tags);
                (one, mark)
            })
            // With our token but without our tags: somebody took them off. It is not ours any more, yet blocks the token.
            .filter(|(one, mark)| *mark != Mark::Stranger || one.token == token)
            .collect();
        candidates.sort_by_key(|(one, mark)| (*mark == Mark::Stranger, one.token != token, one.found.id.clone()));
        Ok(candidates.into_iter().next().map_or_else(Seen::absent, |(one, mark)| Seen::here(one.found, mark)))
    }

    fn plan(&self, found: &Found, (): &Knowns<Self>) -> Verdict {
        if found.encrypted == Some(false) {
            let why = format!(
                "efs-file-system `{}` is not encrypted at rest; encryption cannot be turned on later (C06), and a new file \
                 system would not have the Automator's state",
                found.id
            );
            return Verdict::Blocked { code: "would-lose-data", why };
        }
        // The throughput mode is left as it is: AWS allows one change a day, and bursting does no harm.
        Compare::new().update("state", &found.state, &LifeCycleState::Available).verdict()
    }

    fn output(&self, found: &Found) -> FileSystemId {
        found.id.clone()
    }

    async fn apply(&self, cx: &Cx, action: Action<Found>, (): Given<Self>) -> Result<Found> {
        let id = match action {
            Action::Create => self.create().await?,
            Action::Update { found, adopt: marked } => {
                if marked {
                    let action = format!("tag efs-file-system `{}`", found.id);
                    adopt(&self.home, &self.node, found.id.as_str(), &action).await?;
                }
                found.id
            }
        };
        let what = format!("efs-file-system `{id}` to become available");
        cx.wait_until(&what, PACE, || async {
            Ok(match describe(&self.home, Wanted::Id(&id)).await?.and_then(|all| all.into_iter().next()) {
                None => Progress::Pending("not listed yet".to_owned()),
                Some(one) => usable(&one.found.state.clone(), &what, one.found),
            })
        })
        .await
    }

    async fn destroy(&self, cx: &Cx, found: Found) -> Result<()> {
        destroy(cx, &self.home, &found.id).await
    }
}

/// All file systems of a deployment.
pub struct FileSystems(pub Home);

impl Inventory for FileSystems {
    const KIND: &'static str = FileSystem::KIND;
    type Found = FileSystemId;

    async fn list(&self, _cx: &Cx) -> Result<Vec<Listed<FileSystemId>>> {
        let ours = ours(&self.0).await?.into_iter();
        Ok(ours.map(|(node, id)| Listed { node, label: id.to_string(), found: id }).collect())
    }

    async fn destroy(&self, cx: &Cx, found: FileSystemId) -> Result<()> {
        destroy(cx, &self.0, &found).await
    }
}

/// The file systems we made, with their nodes.
pub(super) async fn ours(home: &Home) -> Result<Vec<(NodeId, FileSystemId)>> {
    let all = describe(home, Wanted::All).await?.unwrap_or_default().into_iter();
    let all = all.filter(|one| !is_going(&one.found.state));
    Ok(all.filter_map(|one| Some((home.managed_node_of(&one.tags)?, one.found.id))).collect())
}

/// The tags of one file system; none when it is gone.
pub(super) async fn tags_of(home: &Home, id: &FileSystemId) -> Result<BTreeMap<String, String>> {
    let one = describe(home, Wanted::Id(id)).await?.and_then(|all| all.into_iter().next());
    Ok(one.map(|one| one.tags).unwrap_or_default())
}

enum Wanted<'a> {
    All,
    Id(&'a FileSystemId),
    Token(&'a str),
}

struct Described {
    found: Found,
    token: String,
    tags: BTreeMap<String, String>,
}

async fn describe(home: &Home, wanted: Wanted<'_>) -> Result<Option<Vec<Described>>> {
    let action = "describe efs-file-systems";
    let call = home.aws.efs.describe_file_systems();
    let call = match wanted {
        Wanted::All => call.max_items(PAGE),
        Wanted::Id(id) => call.file_system_id(id.as_str()),
        Wanted::Token(token) => call.creation_token(token),
    };
    let mut pages = call.into_paginator().send();
    let mut all = Vec::new();
    while let Some(page) = pages.next().await {
        let Some(page) = unless_missing(page, &["FileSystemNotFound"], action)? else { return Ok(None) };
        for one in page.file_systems() {
            all.push(read(one, action)?);
        }
    }
    Ok(Some(all))
}

fn read(one: &FileSystemDescription, action: &str) -> Result<Described> {
    let found = Found {
        id: FileSystemId::new(required(Some(one.file_system_id()), action, "file system id")?),
        encrypted: one.encrypted(),
        state: one.life_cycle_state().clone(),
    };
    Ok(Described { found, token: one.creation_token().to_owned(), tags: tags(one.tags()) })
}

/// Access points and mount targets live only inside and hold it; those left over go first. Its data go with it.
async fn destroy(cx: &Cx, home: &Home, id: &FileSystemId) -> Result<()> {
    access_point::destroy_inside(cx, home, id).await?;
    mount_target::destroy_inside(cx, home, id).await?;
    let action = format!("delete efs-file-system `{id}`");
    let answer = home.aws.efs.delete_file_system().file_system_id(id.as_str()).send().await;
    // A mount target that has just gone from the list may still count for a moment.
    gone(answer, &["FileSystemNotFound"], &["FileSystemInUse"], &action)?;
    cx.wait_until(&format!("efs-file-system `{id}` to be gone"), PACE, || async {
        let one = describe(home, Wanted::Id(id)).await?.and_then(|all| all.into_iter().next());
        Ok(match one {
            Some(one) if one.found.state != LifeCycleState::Deleted => Progress::Pending(one.found.state.to_string()),
            _ => Progress::Ready(()),
        })
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file_system() -> FileSystem {
        FileSystem {
            home: crate::testing::home(),
            node: NodeId::from("efs-file-system/config"),
            name: "automator-config".to_owned(),
        }
    }

    fn found(encrypted: Option<bool>, state: LifeCycleState) -> Found {
        Found { id: FileSystemId::new("fs-1"), encrypted, state }
    }

    #[tokio::test]
    async fn an_unencrypted_file_system_is_for_a_person_to_decide() {
        let verdict = file_system().plan(&found(Some(false), LifeCycleState::Available), &());
        assert!(matches!(verdict, Verdict::Blocked { code: "would-lose-data", why } if why.contains("C06")));
    }

    #[tokio::test]
    async fn a_half_made_file_system_is_waited_for_and_a_silent_service_is_believed() {
        assert_eq!(file_system().plan(&found(None, LifeCycleState::Available), &()), Verdict::Keep);
        let Verdict::Update { changes, .. } = file_system().plan(&found(Some(true), LifeCycleState::Creating), &())
        else {
            panic!()
        };
        assert_eq!(resource_graph::describe(&changes), "state creating -> available");
    }
}
