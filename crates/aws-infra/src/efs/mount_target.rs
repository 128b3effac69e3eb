//! A mount target (A6, C08): how the tasks of one zone reach a file system. A file system has at most one in each zone, and all
//! of them in one VPC.
//!
//! Mount targets have no tags. Whose one is, its file system says; which node it is, file system and subnet say together.

use std::collections::BTreeMap;

use aws_sdk_ec2::types::Filter;
use aws_sdk_efs::types::LifeCycleState;
use resource_graph::{
    Action, Certainty, Compare, Cx, Error, Given, Inventory, Knowns, Listed, Mark, NodeId, Present, Progress, Ref,
    Resource, Result, Seen, Survives, Verdict,
};

use super::{PACE, PAGE, file_system, is_going, role, usable};
use crate::fail::{failed, failed_early, gone, has_code, incomplete, required, unless_missing};
use crate::{FileSystemId, Home, MountTargetId, SecurityGroupId, SubnetId, VpcId};

/// A mount target in one subnet.
pub struct MountTarget {
    /// Where it lives.
    pub home: Home,
    /// Its node, named as [`MountTarget::node`] does it.
    pub node: NodeId,
    /// The file system it leads to.
    pub file_system: Ref<FileSystemId>,
    /// The subnet it has its address in; no two of a file system may lie in one zone.
    pub subnet: Ref<SubnetId>,
    /// Who may reach it.
    pub groups: Vec<Ref<SecurityGroupId>>,
}

/// A mount target that exists.
#[derive(Clone, Debug)]
pub struct Found {
    id: MountTargetId,
    file_system: FileSystemId,
    subnet: SubnetId,
    /// Cannot be asked for while it is being made.
    groups: Option<Vec<SecurityGroupId>>,
    state: LifeCycleState,
}

impl MountTarget {
    /// The name of the node for a file system's node and a subnet. `subnet` is what follows the first `/` in the name of the
    /// subnet's own node if the subnet is ours, and the subnet's id if it is not: that much can be read back from AWS.
    pub fn node(file_system: &NodeId, subnet: &str) -> NodeId {
        NodeId::new(format!("{}/{}/{subnet}", Self::KIND, role(file_system)))
    }

    async fn create(
        &self,
        cx: &Cx,
        file_system: &FileSystemId,
        subnet: &SubnetId,
        groups: &[SecurityGroupId],
    ) -> Result<MountTargetId> {
        let action = format!("create efs-mount-target of `{file_system}` in `{subnet}`");
        let groups: Vec<String> = groups.iter().map(String::from).collect();
        let call = self.home.aws.efs.create_mount_target().file_system_id(file_system.as_str());
        // The zone is the idempotency token: a second one is refused there, so the SDK may repeat this one.
        let answer = call.subnet_id(subnet.as_str()).set_security_groups(Some(groups)).send().await;
        match answer {
            Ok(made) => Ok(MountTargetId::new(required(Some(made.mount_target_id()), &action, "mount target id")?)),
            Err(error) if has_code(&error, &["MountTargetConflict"]) => {
                let error = failed(&action, error);
                Err(self.conflict(cx, file_system, subnet, error).await?)
            }
            Err(error) => {
                let not_yet = ["IncorrectFileSystemLifeCycleState", "SubnetNotFound", "SecurityGroupNotFound"];
                Err(failed_early(action, error, &not_yet))
            }
        }
    }

    /// What a conflict means: it is there already, an old one is about to leave, or two nodes want one zone.
    async fn conflict(&self, cx: &Cx, file_system: &FileSystemId, subnet: &SubnetId, error: Error) -> Result<Error> {
        let what = format!("the other mount targets of `{file_system}` to leave");
        cx.wait_until(&what, PACE, || async {
            let there = describe(&self.home, file_system).await?;
            let places = places(&self.home, there.iter().map(|one| &one.subnet).chain([subnet])).await?;
            // All targets of a file system lie in one VPC: when the VPC is replaced, each node takes its own old one away.
            let elsewhere = |one: &&Found| match (places.get(&one.subnet), places.get(subnet)) {
                (Some(theirs), Some(ours)) => theirs.vpc != ours.vpc,
                _ => false,
            };
            let leaving = there.iter().find(|one| is_going(&one.state) || elsewhere(one));
            Ok(match leaving {
                Some(one) => Progress::Pending(format!("`{}` in `{}` is {}", one.id, one.subnet, one.state)),
                None => Progress::Ready(()),
            })
        })
        .await?;
        let there = describe(&self.home, file_system).await?;
        let places = places(&self.home, there.iter().map(|one| &one.subnet).chain([subnet])).await?;
        let zone = |subnet: &SubnetId| places.get(subnet).map(|place| place.zone.as_str());
        let taken = there.iter().find(|one| one.subnet != *subnet && zone(&one.subnet) == zone(subnet));
        Ok(match taken {
            // Made by a call whose answer was lost, or possible now: look again.
            None => error.certainty(Certainty::NotDone),
            Some(one) => {
                let zone = zone(subnet).unwrap_or("this zone");
                error
                    .expected(format!("no other mount target of `{file_system}` in {zone}; `{}` is", one.id))
                    .hint("a file system has one mount target in each zone: name one subnet a zone (C08)")
            }
        })
    }
}

impl Resource for MountTarget {
    const KIND: &'static str = "efs-mount-target";
    type Needs = (Ref<FileSystemId>, Ref<SubnetId>, Vec<Ref<SecurityGroupId>>);
    type Found = Found;
    type Output = MountTargetId;

    fn id(&self) -> NodeId {
        self.node.clone()
    }

    fn summary(&self) -> String {
        role(&self.node).replacen('/', " @ ", 1)
    }

    fn needs(&self) -> Self::Needs {
        (self.file_system.clone(), self.subnet.clone(), self.groups.clone())
    }

    /// A mount target has the mark of its file system: in one of ours, all are ours.
    async fn look(&self, _cx: &Cx, (file_system, subnet, _): &Present<Self>) -> Result<Seen<Found>> {
        let Some(file_system) = file_system else { return Ok(Seen::absent()) };
        let mut there = describe(&self.home, file_system).await?;
        there.retain(|one| !is_going(&one.state));
        if there.is_empty() {
            return Ok(Seen::absent());
        }
        let tags = file_system::tags_of(&self.home, file_system).await?;
        let owner = self.home.node_of(&tags);
        let mark = owner.as_ref().map_or(Mark::Stranger, |owner| self.home.mark(owner, &tags));
        let places = places(&self.home, there.iter().map(|one| &one.subnet).chain(subnet)).await?;
        let zone = |subnet: &SubnetId| places.get(subnet).map(|place| place.zone.as_str());
        let current = subnet.as_ref().and_then(|subnet| {
            let here = there.iter().position(|one| one.subnet == *subnet);
            // One in another subnet of the zone stands in the way: it plays the part until it is moved.
            here.or_else(|| there.iter().position(|one| zone(&one.subnet).is_some_and(|z| zone(subnet) == Some(z))))
        });
        let current = match current.map(|at| there.remove(at)) {
            None => None,
            Some(mut found) => {
                found.groups = groups(&self.home, &found.id).await?;
                Some((found, mark))
            }
        };
        // In a subnet that was this node's before it was replaced.
        let was_here = |one: &Found| {
            let owner = owner.as_ref()?;
            Some(node(owner, &one.subnet, &places) == self.node)
        };
        there.retain(|one| mark == Mark::Managed && was_here(one) == Some(true));
        Ok(Seen { current, stale: there })
    }

    fn plan(&self, found: &Found, (file_system, subnet, groups): &Knowns<Self>) -> Verdict {
        let mut compare = Compare::new();
        compare.need("file system", &found.file_system, file_system);
        if !subnet.is(&found.subnet) {
            // There is no room for a second one in a zone, so it is moved: away here, made anew there.
            compare.repoint("subnet", Some(&found.subnet), subnet).survives(Survives::Nothing);
        }
        if let Some(there) = &found.groups {
            compare.repoint_all("security groups", there, groups);
        }
        compare.update("state", &found.state, &LifeCycleState::Available).verdict()
    }

    fn output(&self, found: &Found) -> MountTargetId {
        found.id.clone()
    }

    async fn apply(&self, cx: &Cx, action: Action<Found>, (file_system, subnet, wanted): Given<Self>) -> Result<Found> {
        let id = match action {
            Action::Create => self.create(cx, &file_system, &subnet, &wanted).await?,
            Action::Update { found, .. } if found.subnet != subnet => {
                delete(&self.home, &found.id).await?;
                wait_until_gone(cx, &self.home, &found.id).await?;
                self.create(cx, &file_system, &subnet, &wanted).await?
            }
            Action::Update { found, .. } => found.id,
        };
        let what = format!("efs-mount-target `{id}` to become available");
        let mut found = cx
            .wait_until(&what, PACE, || async {
                Ok(match describe_one(&self.home, &id).await? {
                    None => Progress::Pending("not listed yet".to_owned()),
                    Some(found) => usable(&found.state.clone(), &what, found),
                })
            })
            .await?;
        let mut there = groups(&self.home, &id).await?.unwrap_or_default();
        let mut sorted = wanted.clone();
        there.sort();
        sorted.sort();
        if there != sorted {
            let groups = wanted.iter().map(String::from).collect();
            let call = self.home.aws.efs.modify_mount_target_security_groups().mount_target_id(id.as_str());
            let answer = call.set_security_groups(Some(groups)).send().await;
            answer.map_err(|error| failed(format!("set the security groups of efs-mount-target `{id}`"), error))?;
        }
        found.groups = Some(wanted);
        Ok(found)
    }

    async fn destroy(&self, cx: &Cx, found: Found) -> Result<()> {
        destroy(cx, &self.home, &found.id).await
    }
}

/// All mount targets of a deployment's file systems.
pub struct MountTargets(pub Home);

impl Inventory for MountTargets {
    const KIND: &'static str = MountTarget::KIND;
    type Found = MountTargetId;

    async fn list(&self, _cx: &Cx) -> Result<Vec<Listed<MountTargetId>>> {
        let mut listed = Vec::new();
        for (owner, file_system) in file_system::ours(&self.0).await? {
            let mut there = describe(&self.0, &file_system).await?;
            there.retain(|one| !is_going(&one.state));
            let places = places(&self.0, there.iter().map(|one| &one.subnet)).await?;
            listed.extend(there.into_iter().map(|one| Listed {
                node: node(&owner, &one.subnet, &places),
                label: format!("{} of {file_system} in {}", one.id, one.subnet),
                found: one.id,
            }));
        }
        Ok(listed)
    }

    async fn destroy(&self, cx: &Cx, found: MountTargetId) -> Result<()> {
        destroy(cx, &self.0, &found).await
    }
}

/// Removes what is left inside a file system, all at once.
pub(super) async fn destroy_inside(cx: &Cx, home: &Home, file_system: &FileSystemId) -> Result<()> {
    let there = describe(home, file_system).await?;
    for one in there.iter().filter(|one| !is_going(&one.state)) {
        delete(home, &one.id).await?;
    }
    for one in &there {
        wait_until_gone(cx, home, &one.id).await?;
    }
    Ok(())
}

/// Where a subnet lies, and whose it is.
struct Place {
    zone: String,
    vpc: VpcId,
    node: Option<NodeId>,
}

/// The node that a mount target in `subnet` was made for.
fn node(file_system: &NodeId, subnet: &SubnetId, places: &BTreeMap<SubnetId, Place>) -> NodeId {
    let tail = places.get(subnet).and_then(|place| place.node.as_ref()).map_or(subnet.as_str(), role);
    MountTarget::node(file_system, tail)
}

/// By filter, not by id: a subnet that is gone is left out instead of failing the call.
async fn places<'a>(home: &Home, subnets: impl Iterator<Item = &'a SubnetId>) -> Result<BTreeMap<SubnetId, Place>> {
    let action = "describe the subnets of efs-mount-targets";
    let ids: Vec<String> = subnets.map(String::from).collect();
    let mut places = BTreeMap::new();
    if ids.is_empty() {
        return Ok(places);
    }
    let filter = Filter::builder().name("subnet-id").set_values(Some(ids)).build();
    let mut pages = home.aws.ec2.describe_subnets().filters(filter).into_paginator().send();
    while let Some(page) = pages.next().await {
        for subnet in page.map_err(|error| failed(action, error))?.subnets() {
            let tags = subnet.tags().iter();
            let tags = tags.filter_map(|tag| Some((tag.key()?.to_owned(), tag.value()?.to_owned()))).collect();
            let place = Place {
                zone: required(subnet.availability_zone(), action, "availability zone")?,
                vpc: VpcId::new(required(subnet.vpc_id(), action, "vpc id")?),
                node: home.node_of(&tags),
            };
            places.insert(SubnetId::new(required(subnet.subnet_id(), action, "subnet id")?), place);
        }
    }
    Ok(places)
}

/// All of a file system, oldest state and all; none when the file system is gone.
async fn describe(home: &Home, file_system: &FileSystemId) -> Result<Vec<Found>> {
    let action = format!("describe efs-mount-targets of `{file_system}`");
    let call = home.aws.efs.describe_mount_targets().file_system_id(file_system.as_str()).max_items(PAGE);
    let mut pages = call.into_paginator().send();
    let mut all = Vec::new();
    while let Some(page) = pages.next().await {
        let Some(page) = unless_missing(page, &["FileSystemNotFound"], &action)? else { return Ok(Vec::new()) };
        for one in page.mount_targets() {
            all.push(read(one, &action)?);
        }
    }
    Ok(all)
}

async fn describe_one(home: &Home, id: &MountTargetId) -> Result<Option<Found>> {
    let action = format!("describe efs-mount-target `{id}`");
    let answer = home.aws.efs.describe_mount_targets().mount_target_id(id.as_str()).send().await;
    let Some(answer) = unless_missing(answer, &["MountTargetNotFound"], &action)? else { return Ok(None) };
    answer.mount_targets().first().map(|one| read(one, &action)).transpose()
}

fn read(one: &aws_sdk_efs::types::MountTargetDescription, action: &str) -> Result<Found> {
    Ok(Found {
        id: MountTargetId::new(required(Some(one.mount_target_id()), action, "mount target id")?),
        file_system: FileSystemId::new(required(Some(one.file_system_id()), action, "file system id")?),
        subnet: SubnetId::new(required(Some(one.subnet_id()), action, "subnet id")?),
        groups: None,
        state: one.life_cycle_state().clone(),
    })
}

/// `None` while they cannot be told.
async fn groups(home: &Home, id: &MountTargetId) -> Result<Option<Vec<SecurityGroupId>>> {
    let action = format!("describe the security groups of efs-mount-target `{id}`");
    let answer = home.aws.efs.describe_mount_target_security_groups().mount_target_id(id.as_str()).send().await;
    let untold = ["IncorrectMountTargetState", "MountTargetNotFound"];
    let Some(answer) = unless_missing(answer, &untold, &action)? else { return Ok(None) };
    let groups = answer.security_groups();
    if groups.iter().any(String::is_empty) {
        return Err(incomplete(&action, "group id"));
    }
    Ok(Some(groups.iter().map(SecurityGroupId::new).collect()))
}

async fn delete(home: &Home, id: &MountTargetId) -> Result<()> {
    let answer = home.aws.efs.delete_mount_target().mount_target_id(id.as_str()).send().await;
    gone(answer, &["MountTargetNotFound"], &["DependencyTimeout"], &format!("delete efs-mount-target `{id}`"))
}

/// File system, security group and subnet cannot be deleted before it is really gone, which takes a minute or so.
async fn wait_until_gone(cx: &Cx, home: &Home, id: &MountTargetId) -> Result<()> {
    cx.wait_until(&format!("efs-mount-target `{id}` to be gone"), PACE, || async {
        Ok(match describe_one(home, id).await? {
            Some(one) if one.state != LifeCycleState::Deleted => Progress::Pending(one.state.to_string()),
            _ => Progress::Ready(()),
        })
    })
    .await
}

async fn destroy(cx: &Cx, home: &Home, id: &MountTargetId) -> Result<()> {
    delete(home, id).await?;
    wait_until_gone(cx, home, id).await
}

#[cfg(test)]
mod tests {
    use resource_graph::{Fixed, Graph, Known, Label};

    use super::*;

    #[tokio::test]
    async fn groups_are_changed_in_place_and_another_subnet_moves_it() {
        let mut graph = Graph::new();
        let target = MountTarget {
            home: crate::testing::home(),
            node: MountTarget::node(&NodeId::from("efs-file-system/config"), "public-a"),
            file_system: graph.add(Label::default(), Fixed::new("fs", FileSystemId::new("fs-1"))),
            subnet: graph.add(Label::default(), Fixed::new("subnet", SubnetId::new("subnet-1"))),
            groups: vec![graph.add(Label::default(), Fixed::new("efs", SecurityGroupId::new("sg-1")))],
        };
        assert_eq!(target.node.as_str(), "efs-mount-target/config/public-a");
        assert_eq!(target.summary(), "config @ public-a");
        let found = |groups: Option<&str>| Found {
            id: MountTargetId::new("fsmt-1"),
            file_system: FileSystemId::new("fs-1"),
            subnet: SubnetId::new("subnet-1"),
            groups: groups.map(|group| vec![SecurityGroupId::new(group)]),
            state: LifeCycleState::Available,
        };
        let known = |subnet: Known<SubnetId>| {
            (Known::Same(FileSystemId::new("fs-1")), subnet, Known::Same(vec![SecurityGroupId::new("sg-1")]))
        };
        let here = || known(Known::Same(SubnetId::new("subnet-1")));
        assert_eq!(target.plan(&found(Some("sg-1")), &here()), Verdict::Keep);
        assert_eq!(target.plan(&found(None), &here()), Verdict::Keep);
        let verdict = target.plan(&found(Some("sg-2")), &here());
        assert!(matches!(verdict, Verdict::Update { survives: Survives::All, .. }));
        for subnet in [Known::Same(SubnetId::new("subnet-2")), Known::WillChange(SubnetId::new("subnet-1"))] {
            let verdict = target.plan(&found(Some("sg-1")), &known(subnet));
            assert!(matches!(verdict, Verdict::Update { survives: Survives::Nothing, .. }));
        }
    }

    #[test]
    fn the_node_is_read_back_from_the_subnet() {
        let subnet = SubnetId::new("subnet-0a");
        let file_system = NodeId::from("efs-file-system/settings");
        let place = |node| Place { zone: "eu-west-1a".to_owned(), vpc: VpcId::new("vpc-1"), node };
        let ours = BTreeMap::from([(subnet.clone(), place(Some(NodeId::from("subnet/public-a"))))]);
        let theirs = BTreeMap::from([(subnet.clone(), place(None))]);
        let name = |places| node(&file_system, &subnet, places).to_string();
        assert_eq!(name(&ours), "efs-mount-target/settings/public-a");
        assert_eq!(name(&theirs), "efs-mount-target/settings/subnet-0a");
    }
}
