//! An access point (C07, C07b): the door through which the tasks enter a file system, as a user of our choosing and no higher
//! than one directory.

use std::collections::BTreeMap;

use aws_sdk_efs::operation::create_access_point::CreateAccessPointError;
use aws_sdk_efs::types::{AccessPointDescription, CreationInfo, LifeCycleState, PosixUser, RootDirectory};
use resource_graph::{
    Action, Certainty, Compare, Cx, Error, Given, Inventory, Knowns, Listed, Mark, NodeId, Present, Progress, Ref,
    Resource, Result, Seen, Verdict,
};

use super::{PACE, PAGE, adopt, is_going, tagged, tags, usable};
use crate::fail::{failed_early, gone, has_code, incomplete, required, unless_missing};
use crate::{AccessPointId, FileSystemId, Home};

/// An access point. Nothing of it but its tags can be changed.
pub struct AccessPoint {
    /// Where it lives.
    pub home: Home,
    /// Its node.
    pub node: NodeId,
    /// What the console shows; it identifies nothing.
    pub name: String,
    /// The file system it leads to.
    pub file_system: Ref<FileSystemId>,
    /// The user all file operations are done as. Not 0: a root without `ClientRootAccess` may write nothing.
    pub uid: u32,
    /// Its group.
    pub gid: u32,
    /// The directory it shows as `/`. It is made at the first mount, owned by `uid` and `gid`; the file system's own `/` exists
    /// already and belongs to root, so it is no good here.
    pub path: String,
    /// The directory's permissions when it is made, in octal: `0750`.
    pub permissions: String,
}

impl AccessPoint {
    /// The user and group of [`AccessPoint::uid`] and [`AccessPoint::gid`] where nobody says otherwise (C07b).
    pub const USER: u32 = 1000;
    /// The permissions where nobody says otherwise.
    pub const PERMISSIONS: &'static str = "0750";
}

/// An access point that exists.
#[derive(Clone, Debug)]
pub struct Found {
    id: AccessPointId,
    file_system: FileSystemId,
    user: String,
    path: String,
    /// Owner and permissions the directory is made with; an emulator may keep them to itself.
    made_as: Option<String>,
    state: LifeCycleState,
}

impl AccessPoint {
    fn user(&self) -> String {
        format!("{}:{}", self.uid, self.gid)
    }

    fn made_as(&self) -> String {
        format!("{} {}", self.user(), self.permissions)
    }

    fn compare(&self, found: &Found) -> Compare {
        let mut compare = Compare::new();
        compare.replace("user", &found.user, &self.user(), Some("C07b")).replace("path", &found.path, &self.path, None);
        if let Some(made_as) = &found.made_as {
            compare.replace("directory made as", made_as, &self.made_as(), Some("C07b"));
        }
        compare
    }

    /// One token for one run and one wish: a repetition makes no twin. A token that lasts would name a deleted access point after
    /// a destroy, and the old one during a replacement.
    async fn create(&self, cx: &Cx, file_system: &FileSystemId) -> Result<AccessPointId> {
        let action = format!("create efs-access-point `{}` of `{file_system}`", self.name);
        let build = |error| Error::new("request-invalid", action.clone()).because(error);
        let (uid, gid) = (i64::from(self.uid), i64::from(self.gid));
        let user = PosixUser::builder().uid(uid).gid(gid).build().map_err(build)?;
        let made_as = CreationInfo::builder().owner_uid(uid).owner_gid(gid).permissions(&self.permissions);
        let root = RootDirectory::builder().path(&self.path).creation_info(made_as.build().map_err(build)?).build();
        let mut purpose = format!("create {} {file_system} {} {}", cx.run(), self.path, self.made_as());
        // Each turn but the last meets one that this very run made and somebody deleted.
        for _ in 0..3 {
            let call = self.home.aws.efs.create_access_point().file_system_id(file_system.as_str());
            let call = call.client_token(self.home.token(&self.node, &purpose));
            let call = call.posix_user(user.clone()).root_directory(root.clone());
            let answer = call.set_tags(Some(tagged(&self.home, &self.node, &self.name)?)).send().await;
            let id = match answer {
                Ok(made) => AccessPointId::new(required(made.access_point_id(), &action, "access point id")?),
                Err(error) if has_code(&error, &["AccessPointAlreadyExists"]) => {
                    let id = match error.as_service_error() {
                        Some(CreateAccessPointError::AccessPointAlreadyExists(exists)) => exists.access_point_id(),
                        _ => "",
                    };
                    AccessPointId::new(required(Some(id), &action, "access point id")?)
                }
                Err(error) => {
                    return Err(failed_early(action, error, &["IncorrectFileSystemLifeCycleState"]));
                }
            };
            let there = describe(&self.home, Wanted::Id(&id)).await?;
            if there.is_some_and(|all| all.iter().any(|one| is_going(&one.found.state))) {
                purpose = format!("{purpose} after {id}");
                continue;
            }
            return Ok(id);
        }
        Err(Error::new("wrong-state", action).certainty(Certainty::NotDone).because("it is being deleted".to_owned()))
    }
}

impl Resource for AccessPoint {
    const KIND: &'static str = "efs-access-point";
    type Needs = (Ref<FileSystemId>,);
    type Found = Found;
    type Output = AccessPointId;

    fn id(&self) -> NodeId {
        self.node.clone()
    }

    fn summary(&self) -> String {
        format!("{} at {} as {}", self.name, self.path, self.user())
    }

    fn needs(&self) -> Self::Needs {
        (self.file_system.clone(),)
    }

    async fn look(&self, _cx: &Cx, (file_system,): &Present<Self>) -> Result<Seen<Found>> {
        let all = describe(&self.home, Wanted::All).await?.unwrap_or_default().into_iter();
        let all = all.filter(|one| !is_going(&one.found.state));
        let marked = all.map(|one| {
            let mark = self.home.mark(&self.node, &one.tags);
            (one.found, mark)
        });
        let (ours, others): (Vec<_>, Vec<_>) = marked.partition(|(_, mark)| *mark == Mark::Managed);
        if ours.is_empty() {
            let adopted = others.into_iter().find(|(_, mark)| *mark == Mark::Adopted);
            return Ok(adopted.map_or_else(Seen::absent, |(found, mark)| Seen::here(found, mark)));
        }
        let ours = ours.into_iter().map(|(found, _)| found).collect();
        Ok(Seen::pick(ours, |found: &Found| {
            Some(&found.file_system) == file_system.as_ref() && self.compare(found).verdict() == Verdict::Keep
        }))
    }

    fn plan(&self, found: &Found, (file_system,): &Knowns<Self>) -> Verdict {
        let mut compare = self.compare(found);
        compare.need("file system", &found.file_system, file_system);
        compare.update("state", &found.state, &LifeCycleState::Available).verdict()
    }

    fn output(&self, found: &Found) -> AccessPointId {
        found.id.clone()
    }

    async fn apply(&self, cx: &Cx, action: Action<Found>, (file_system,): Given<Self>) -> Result<Found> {
        let id = match action {
            Action::Create => self.create(cx, &file_system).await?,
            Action::Update { found, adopt: marked } => {
                if marked {
                    let action = format!("tag efs-access-point `{}`", found.id);
                    adopt(&self.home, &self.node, found.id.as_str(), &action).await?;
                }
                found.id
            }
        };
        let what = format!("efs-access-point `{id}` to become available");
        cx.wait_until(&what, PACE, || async {
            Ok(match describe(&self.home, Wanted::Id(&id)).await?.and_then(|all| all.into_iter().next()) {
                None => Progress::Pending("not listed yet".to_owned()),
                Some(one) => usable(&one.found.state.clone(), &what, one.found),
            })
        })
        .await
    }

    /// The directory and what is in it stay.
    async fn destroy(&self, cx: &Cx, found: Found) -> Result<()> {
        destroy(cx, &self.home, &found.id).await
    }
}

/// All access points of a deployment.
pub struct AccessPoints(pub Home);

impl Inventory for AccessPoints {
    const KIND: &'static str = AccessPoint::KIND;
    type Found = AccessPointId;

    async fn list(&self, _cx: &Cx) -> Result<Vec<Listed<AccessPointId>>> {
        let all = describe(&self.0, Wanted::All).await?.unwrap_or_default().into_iter();
        let all = all.filter(|one| !is_going(&one.found.state));
        Ok(all
            .filter_map(|one| {
                let node = self.0.managed_node_of(&one.tags)?;
                Some(Listed { node, label: one.found.id.to_string(), found: one.found.id })
            })
            .collect())
    }

    async fn destroy(&self, cx: &Cx, found: AccessPointId) -> Result<()> {
        destroy(cx, &self.0, &found).await
    }
}

/// Removes what is left inside a file system.
pub(super) async fn destroy_inside(cx: &Cx, home: &Home, file_system: &FileSystemId) -> Result<()> {
    for one in describe(home, Wanted::Inside(file_system)).await?.unwrap_or_default() {
        destroy(cx, home, &one.found.id).await?;
    }
    Ok(())
}

enum Wanted<'a> {
    All,
    Id(&'a AccessPointId),
    Inside(&'a FileSystemId),
}

struct Described {
    found: Found,
    tags: BTreeMap<String, String>,
}

async fn describe(home: &Home, wanted: Wanted<'_>) -> Result<Option<Vec<Described>>> {
    let action = "describe efs-access-points";
    let call = home.aws.efs.describe_access_points();
    let call = match wanted {
        Wanted::All => call.max_results(PAGE),
        Wanted::Id(id) => call.access_point_id(id.as_str()),
        Wanted::Inside(file_system) => call.file_system_id(file_system.as_str()).max_results(PAGE),
    };
    let mut pages = call.into_paginator().send();
    let mut all = Vec::new();
    while let Some(page) = pages.next().await {
        let missing = ["AccessPointNotFound", "FileSystemNotFound"];
        let Some(page) = unless_missing(page, &missing, action)? else { return Ok(None) };
        for one in page.access_points() {
            all.push(read(one, action)?);
        }
    }
    Ok(Some(all))
}

fn read(one: &AccessPointDescription, action: &str) -> Result<Described> {
    let root = one.root_directory();
    let made_as = root.and_then(RootDirectory::creation_info);
    let made_as = made_as.map(|made| format!("{}:{} {}", made.owner_uid(), made.owner_gid(), made.permissions()));
    let found = Found {
        id: AccessPointId::new(required(one.access_point_id(), action, "access point id")?),
        file_system: FileSystemId::new(required(one.file_system_id(), action, "file system id")?),
        // Without one the client's own user counts.
        user: one.posix_user().map_or_else(|| "any".to_owned(), |user| format!("{}:{}", user.uid(), user.gid())),
        path: root.and_then(RootDirectory::path).unwrap_or("/").to_owned(),
        made_as,
        state: one.life_cycle_state().cloned().ok_or_else(|| incomplete(action, "state"))?,
    };
    Ok(Described { found, tags: tags(one.tags()) })
}

async fn destroy(cx: &Cx, home: &Home, id: &AccessPointId) -> Result<()> {
    let answer = home.aws.efs.delete_access_point().access_point_id(id.as_str()).send().await;
    gone(answer, &["AccessPointNotFound"], &[], &format!("delete efs-access-point `{id}`"))?;
    cx.wait_until(&format!("efs-access-point `{id}` to be gone"), PACE, || async {
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
    use resource_graph::{Fixed, Graph, Known, Label};

    use super::*;

    fn found() -> Found {
        Found {
            id: AccessPointId::new("fsap-1"),
            file_system: FileSystemId::new("fs-1"),
            user: "1000:1000".to_owned(),
            path: "/automator".to_owned(),
            made_as: Some("1000:1000 0750".to_owned()),
            state: LifeCycleState::Available,
        }
    }

    #[tokio::test]
    async fn another_user_or_file_system_needs_a_new_one() {
        let point = AccessPoint {
            home: crate::testing::home(),
            node: NodeId::from("efs-access-point/config"),
            name: "automator-config".to_owned(),
            file_system: Graph::new().add(Label::default(), Fixed::new("fs", FileSystemId::new("fs-1"))),
            uid: AccessPoint::USER,
            gid: AccessPoint::USER,
            path: "/automator".to_owned(),
            permissions: AccessPoint::PERMISSIONS.to_owned(),
        };
        let known = |id: &str| (Known::Same(FileSystemId::new(id)),);
        assert_eq!(point.plan(&found(), &known("fs-1")), Verdict::Keep);
        assert_eq!(point.plan(&Found { made_as: None, ..found() }, &known("fs-1")), Verdict::Keep);
        assert!(matches!(point.plan(&found(), &known("fs-2")), Verdict::Replace { .. }));
        let root = Found { user: "0:0".to_owned(), ..found() };
        let Verdict::Replace { why } = point.plan(&root, &known("fs-1")) else { panic!() };
        assert_eq!(resource_graph::describe(&why), "user 0:0 -> 1000:1000 (C07b)");
    }
}
