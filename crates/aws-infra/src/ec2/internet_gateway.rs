//! The internet gateway (A1), attached to the VPC.

use std::collections::BTreeMap;

use aws_sdk_ec2::types::{self, AttachmentStatus, Filter, ResourceType};
use resource_graph::{
    Action, Compare, Cx, Given, Inventory, Knowns, Listed, NodeId, Present, Ref, Resource, Result, Seen, Verdict,
};

use super::{filter, of_deployment, of_node, once, tagged, tags, until_visible};
use crate::fail::{failed, failed_early, gone, has_code, required};
use crate::{Home, InternetGatewayId, VpcId};

const MISSING: &str = "InvalidInternetGatewayID.NotFound";

/// An internet gateway.
pub struct InternetGateway {
    /// Where it lives.
    pub home: Home,
    /// Its node.
    pub node: NodeId,
    /// What the console shows; a gateway has no other name.
    pub name: String,
    /// The VPC it is attached to. A VPC has at most one.
    pub vpc: Ref<VpcId>,
}

/// An internet gateway that exists.
#[derive(Clone, Debug)]
pub struct Found {
    id: InternetGatewayId,
    /// `None`: made, but not attached.
    vpc: Option<VpcId>,
}

impl Resource for InternetGateway {
    const KIND: &'static str = "internet-gateway";
    type Needs = (Ref<VpcId>,);
    type Found = Found;
    type Output = InternetGatewayId;

    fn id(&self) -> NodeId {
        self.node.clone()
    }

    fn summary(&self) -> String {
        self.name.clone()
    }

    fn needs(&self) -> Self::Needs {
        (self.vpc.clone(),)
    }

    async fn look(&self, _cx: &Cx, (vpc,): &Present<Self>) -> Result<Seen<Found>> {
        let ours = describe(&self.home, of_node(&self.home, &self.node)).await?;
        let mut ours: Vec<Found> = ours.into_iter().map(|gateway| gateway.found).collect();
        // One made a moment ago is not attached yet: it is newer than one attached to a VPC that goes.
        ours.sort_by_key(|gateway| gateway.vpc.is_none());
        Ok(Seen::pick(ours, |found| vpc.is_some() && found.vpc == *vpc))
    }

    fn plan(&self, found: &Found, (vpc,): &Knowns<Self>) -> Verdict {
        let mut compare = Compare::new();
        match &found.vpc {
            Some(attached) => compare.need("vpc", attached, vpc),
            None => compare.repoint("vpc", None, vpc),
        };
        compare.verdict()
    }

    fn output(&self, found: &Found) -> InternetGatewayId {
        found.id.clone()
    }

    async fn apply(&self, cx: &Cx, action: Action<Found>, (vpc,): Given<Self>) -> Result<Found> {
        let ec2 = &self.home.aws.ec2;
        let found = match action {
            Action::Create => {
                let action = format!("create internet-gateway `{}`", self.name);
                let made = ec2
                    .create_internet_gateway()
                    .tag_specifications(tagged(ResourceType::InternetGateway, &self.home, &self.node, &self.name))
                    .customize()
                    .config_override(once())
                    .send()
                    .await
                    .map_err(|error| failed(&action, error))?;
                let id = made.internet_gateway().and_then(types::InternetGateway::internet_gateway_id);
                let id = InternetGatewayId::new(required(id, &action, "gateway id")?);
                let filters = || vec![filter("internet-gateway-id", id.as_str())];
                let look = || async { Ok(!describe(&self.home, filters()).await?.is_empty()) };
                until_visible(cx, &format!("internet-gateway `{id}`"), look).await?;
                Found { id, vpc: None }
            }
            Action::Update { found, adopt } => {
                if adopt {
                    let action = format!("tag internet-gateway `{}`", found.id);
                    super::adopt(&self.home, &self.node, found.id.as_str(), &action).await?;
                }
                found
            }
        };
        if found.vpc.is_none() {
            let action = format!("attach internet-gateway `{}` to vpc `{vpc}`", found.id);
            let call = ec2.attach_internet_gateway().internet_gateway_id(found.id.as_str()).vpc_id(vpc.as_str());
            if let Err(error) = call.send().await {
                // Said of this gateway, and of a VPC that has another one: a look tells which.
                let attached = has_code(&error, &["Resource.AlreadyAssociated"]) && {
                    let again = describe(&self.home, of_node(&self.home, &self.node)).await?;
                    again.iter().any(|again| again.found.id == found.id && again.found.vpc.as_ref() == Some(&vpc))
                };
                if !attached {
                    return Err(failed_early(
                        action,
                        error,
                        &["InvalidInternetGatewayID.NotFound", "InvalidVpcID.NotFound"],
                    ));
                }
            }
        }
        Ok(Found { id: found.id, vpc: Some(vpc) })
    }

    async fn destroy(&self, _cx: &Cx, found: Found) -> Result<()> {
        destroy(&self.home, &found).await
    }
}

/// All internet gateways of a deployment.
pub struct InternetGateways(pub Home);

impl Inventory for InternetGateways {
    const KIND: &'static str = InternetGateway::KIND;
    type Found = Found;

    async fn list(&self, _cx: &Cx) -> Result<Vec<Listed<Found>>> {
        let gateways = describe(&self.0, vec![of_deployment(&self.0)]).await?;
        Ok(gateways
            .into_iter()
            .filter_map(|gateway| {
                let node = self.0.managed_node_of(&gateway.tags)?;
                Some(Listed { node, label: gateway.found.id.to_string(), found: gateway.found })
            })
            .collect())
    }

    async fn destroy(&self, _cx: &Cx, found: Found) -> Result<()> {
        destroy(&self.0, &found).await
    }
}

struct Described {
    found: Found,
    tags: BTreeMap<String, String>,
}

async fn describe(home: &Home, filters: Vec<Filter>) -> Result<Vec<Described>> {
    let action = "describe internet-gateways";
    let mut pages = home.aws.ec2.describe_internet_gateways().set_filters(Some(filters)).into_paginator().send();
    let mut gateways = Vec::new();
    while let Some(page) = pages.next().await {
        for gateway in page.map_err(|error| failed(action, error))?.internet_gateways() {
            let id = InternetGatewayId::new(required(gateway.internet_gateway_id(), action, "gateway id")?);
            // `available` is what AWS says here for `attached`.
            let leaves =
                |state: &AttachmentStatus| matches!(state, AttachmentStatus::Detaching | AttachmentStatus::Detached);
            let attached = gateway.attachments().iter().find(|attachment| !attachment.state().is_some_and(leaves));
            let vpc = attached.and_then(|attachment| attachment.vpc_id()).map(VpcId::new);
            gateways.push(Described { found: Found { id, vpc }, tags: tags(gateway.tags()) });
        }
    }
    Ok(gateways)
}

/// It cannot be detached while something in the VPC still has a public address.
async fn destroy(home: &Home, found: &Found) -> Result<()> {
    let id = found.id.as_str();
    if let Some(vpc) = &found.vpc {
        let answer = home.aws.ec2.detach_internet_gateway().internet_gateway_id(id).vpc_id(vpc.as_str()).send().await;
        let missing = [MISSING, "Gateway.NotAttached", "InvalidVpcID.NotFound"];
        gone(answer, &missing, &["DependencyViolation"], &format!("detach internet-gateway `{id}` from vpc `{vpc}`"))?;
    }
    let answer = home.aws.ec2.delete_internet_gateway().internet_gateway_id(id).send().await;
    gone(answer, &[MISSING], &["DependencyViolation"], &format!("delete internet-gateway `{id}`"))
}

#[cfg(test)]
mod tests {
    use resource_graph::{Fixed, Graph, Known, Label};

    use super::*;

    #[tokio::test]
    async fn a_gateway_without_a_vpc_is_attached_and_one_of_another_vpc_replaced() {
        let vpc = Graph::new().add(Label::default(), Fixed::new("vpc", VpcId::new("vpc-1")));
        let home = crate::testing::home();
        let node = NodeId::from("internet-gateway");
        let gateway = InternetGateway { home, node, name: "automator".to_owned(), vpc };
        let found = |vpc: Option<&str>| Found { id: InternetGatewayId::new("igw-1"), vpc: vpc.map(VpcId::new) };
        let known = (Known::Same(VpcId::new("vpc-1")),);
        assert_eq!(gateway.plan(&found(Some("vpc-1")), &known), Verdict::Keep);
        let Verdict::Update { changes, .. } = gateway.plan(&found(None), &known) else { panic!() };
        assert_eq!(resource_graph::describe(&changes), "vpc -> vpc-1");
        assert!(matches!(gateway.plan(&found(Some("vpc-2")), &known), Verdict::Replace { .. }));
    }
}
