//! The route table of the public subnets (A1): everything that is not for the VPC goes to the internet gateway.

use std::collections::BTreeMap;

use aws_sdk_ec2::types::{self, Filter, ResourceType, RouteTableAssociationStateCode};
use resource_graph::{
    Action, Compare, Cx, Given, Inventory, Knowns, Listed, NodeId, Present, Ref, Resource, Result, Seen, Verdict,
};

use super::{filter, of_deployment, of_node, once, tagged, tags, until_visible};
use crate::fail::{failed, gone, has_code, required};
use crate::{Home, InternetGatewayId, RouteTableId, SubnetId, VpcId};

/// Every IPv4 address: what a route without a better match is for.
pub(super) const EVERYWHERE: &str = "0.0.0.0/0";
const MISSING: &str = "InvalidRouteTableID.NotFound";

/// A route table.
pub struct RouteTable {
    /// Where it lives.
    pub home: Home,
    /// Its node.
    pub node: NodeId,
    /// What the console shows; a route table has no other name.
    pub name: String,
    /// The VPC it belongs to.
    pub vpc: Ref<VpcId>,
    /// Where everything else goes.
    pub gateway: Ref<InternetGatewayId>,
    /// The subnets it is for, and no others.
    pub subnets: Vec<Ref<SubnetId>>,
}

/// A route table that exists.
#[derive(Clone, Debug)]
pub struct Found {
    id: RouteTableId,
    vpc: VpcId,
    /// Where its route for everything else goes, whatever that is.
    default: Option<String>,
    associations: Vec<Association>,
}

#[derive(Clone, Debug)]
struct Association {
    id: String,
    subnet: SubnetId,
}

impl RouteTable {
    async fn create(&self, vpc: &VpcId) -> Result<Found> {
        let action = format!("create route-table `{}`", self.name);
        let made = self
            .home
            .aws
            .ec2
            .create_route_table()
            .vpc_id(vpc.as_str())
            .tag_specifications(tagged(ResourceType::RouteTable, &self.home, &self.node, &self.name))
            .customize()
            .config_override(once())
            .send()
            .await
            .map_err(|error| failed(&action, error))?;
        let id = made.route_table().and_then(types::RouteTable::route_table_id);
        let id = RouteTableId::new(required(id, &action, "route table id")?);
        Ok(Found { id, vpc: vpc.clone(), default: None, associations: Vec::new() })
    }

    async fn route(&self, found: &Found, gateway: &InternetGatewayId) -> Result<()> {
        let ec2 = &self.home.aws.ec2;
        let action = format!("route {EVERYWHERE} of route-table `{}` to `{gateway}`", found.id);
        let table = found.id.as_str();
        if found.default.is_none() {
            let call = ec2.create_route().route_table_id(table).destination_cidr_block(EVERYWHERE);
            match call.gateway_id(gateway.as_str()).send().await {
                Ok(_) => return Ok(()),
                Err(error) if has_code(&error, &["RouteAlreadyExists"]) => {}
                Err(error) => return Err(failed(action, error)),
            }
        }
        let call = ec2.replace_route().route_table_id(table).destination_cidr_block(EVERYWHERE);
        call.gateway_id(gateway.as_str()).send().await.map_err(|error| failed(action, error))?;
        Ok(())
    }

    /// A subnet has at most one table of its own; the one it has is exchanged, so that it is never without a route.
    async fn associate(&self, table: &RouteTableId, subnet: &SubnetId) -> Result<()> {
        let ec2 = &self.home.aws.ec2;
        let action = format!("associate route-table `{table}` with subnet `{subnet}`");
        let others = describe(&self.home, vec![filter("association.subnet-id", subnet.as_str())]).await?;
        let other = others.iter().flat_map(|other| &other.found.associations).find(|other| other.subnet == *subnet);
        if let Some(other) = other {
            let call = ec2.replace_route_table_association().association_id(&other.id).route_table_id(table.as_str());
            call.send().await.map_err(|error| failed(action, error))?;
        } else {
            // An association that is there already is answered with its id, so this may be said again.
            let call = ec2.associate_route_table().route_table_id(table.as_str()).subnet_id(subnet.as_str());
            call.send().await.map_err(|error| failed(action, error))?;
        }
        Ok(())
    }
}

impl Resource for RouteTable {
    const KIND: &'static str = "route-table";
    type Needs = (Ref<VpcId>, Ref<InternetGatewayId>, Vec<Ref<SubnetId>>);
    type Found = Found;
    type Output = RouteTableId;

    fn id(&self) -> NodeId {
        self.node.clone()
    }

    fn summary(&self) -> String {
        format!("{}, {} subnets", self.name, self.subnets.len())
    }

    fn needs(&self) -> Self::Needs {
        (self.vpc.clone(), self.gateway.clone(), self.subnets.clone())
    }

    async fn look(&self, _cx: &Cx, (vpc, ..): &Present<Self>) -> Result<Seen<Found>> {
        let ours = describe(&self.home, of_node(&self.home, &self.node)).await?;
        let ours = ours.into_iter().map(|table| table.found).collect();
        Ok(Seen::pick(ours, |found: &Found| Some(&found.vpc) == vpc.as_ref()))
    }

    fn plan(&self, found: &Found, (vpc, gateway, subnets): &Knowns<Self>) -> Verdict {
        let there: Vec<SubnetId> = found.associations.iter().map(|association| association.subnet.clone()).collect();
        let gateway = gateway.clone().map(|gateway| gateway.to_string());
        Compare::new()
            .need("vpc", &found.vpc, vpc)
            .repoint(&format!("route {EVERYWHERE}"), found.default.as_ref(), &gateway)
            .repoint_all("subnets", &there, subnets)
            // Who asked where its subnets lead to must ask again.
            .survives(resource_graph::Survives::Nothing)
            .verdict()
    }

    fn output(&self, found: &Found) -> RouteTableId {
        found.id.clone()
    }

    async fn apply(&self, cx: &Cx, action: Action<Found>, (vpc, gateway, subnets): Given<Self>) -> Result<Found> {
        let found = match action {
            Action::Create => {
                let made = self.create(&vpc).await?;
                let filters = || vec![filter("route-table-id", made.id.as_str())];
                let look = || async { Ok(!describe(&self.home, filters()).await?.is_empty()) };
                until_visible(cx, &format!("route-table `{}`", made.id), look).await?;
                made
            }
            Action::Update { found, adopt } => {
                if adopt {
                    let action = format!("tag route-table `{}`", found.id);
                    super::adopt(&self.home, &self.node, found.id.as_str(), &action).await?;
                }
                found
            }
        };
        if found.default.as_deref() != Some(gateway.as_str()) {
            self.route(&found, &gateway).await?;
        }
        for subnet in &subnets {
            if !found.associations.iter().any(|association| association.subnet == *subnet) {
                self.associate(&found.id, subnet).await?;
            }
        }
        for association in &found.associations {
            if !subnets.contains(&association.subnet) {
                disassociate(&self.home, &found.id, association).await?;
            }
        }
        let again = describe(&self.home, vec![filter("route-table-id", found.id.as_str())]).await?;
        let action = format!("describe route-table `{}`", found.id);
        let again = again.into_iter().next().ok_or_else(|| crate::fail::incomplete(&action, "route table"))?;
        Ok(again.found)
    }

    async fn destroy(&self, _cx: &Cx, found: Found) -> Result<()> {
        destroy(&self.home, &found.id).await
    }
}

/// All route tables of a deployment.
pub struct RouteTables(pub Home);

impl Inventory for RouteTables {
    const KIND: &'static str = RouteTable::KIND;
    type Found = RouteTableId;

    async fn list(&self, _cx: &Cx) -> Result<Vec<Listed<RouteTableId>>> {
        let tables = describe(&self.0, vec![of_deployment(&self.0)]).await?;
        Ok(tables
            .into_iter()
            .filter_map(|table| {
                let node = self.0.managed_node_of(&table.tags)?;
                Some(Listed { node, label: table.found.id.to_string(), found: table.found.id })
            })
            .collect())
    }

    async fn destroy(&self, _cx: &Cx, found: RouteTableId) -> Result<()> {
        destroy(&self.0, &found).await
    }
}

struct Described {
    found: Found,
    tags: BTreeMap<String, String>,
}

async fn describe(home: &Home, filters: Vec<Filter>) -> Result<Vec<Described>> {
    let action = "describe route-tables";
    let mut pages = home.aws.ec2.describe_route_tables().set_filters(Some(filters)).into_paginator().send();
    let mut tables = Vec::new();
    while let Some(page) = pages.next().await {
        for table in page.map_err(|error| failed(action, error))?.route_tables() {
            let default = table.routes().iter().find(|route| route.destination_cidr_block() == Some(EVERYWHERE));
            let found = Found {
                id: RouteTableId::new(required(table.route_table_id(), action, "route table id")?),
                vpc: VpcId::new(required(table.vpc_id(), action, "vpc id")?),
                default: default.map(|route| target(route).unwrap_or("something else").to_owned()),
                associations: table.associations().iter().filter_map(association).collect(),
            };
            tables.push(Described { found, tags: tags(table.tags()) });
        }
    }
    Ok(tables)
}

/// What a route leads to, by its id.
pub(super) fn target(route: &types::Route) -> Option<&str> {
    let targets = [
        route.gateway_id(),
        route.nat_gateway_id(),
        route.transit_gateway_id(),
        route.vpc_peering_connection_id(),
        route.local_gateway_id(),
        route.carrier_gateway_id(),
        route.core_network_arn(),
        route.instance_id(),
        route.network_interface_id(),
    ];
    targets.into_iter().flatten().find(|target| !target.is_empty())
}

/// The association of a table with a subnet; `None` for the one that makes a table its VPC's main one, and for one that goes.
fn association(association: &types::RouteTableAssociation) -> Option<Association> {
    let state = association.association_state().and_then(types::RouteTableAssociationState::state);
    let gone = state.is_some_and(|state| {
        matches!(state, RouteTableAssociationStateCode::Disassociating | RouteTableAssociationStateCode::Disassociated)
    });
    let text = |member: Option<&str>| member.filter(|text| !text.is_empty()).map(str::to_owned);
    let id = text(association.route_table_association_id())?;
    let subnet = SubnetId::new(text(association.subnet_id())?);
    (!gone).then_some(Association { id, subnet })
}

async fn disassociate(home: &Home, table: &RouteTableId, association: &Association) -> Result<()> {
    let action = format!("disassociate route-table `{table}` from subnet `{}`", association.subnet);
    let answer = home.aws.ec2.disassociate_route_table().association_id(&association.id).send().await;
    gone(answer, &["InvalidAssociationID.NotFound"], &[], &action)
}

/// A table that a subnet uses cannot be deleted.
async fn destroy(home: &Home, id: &RouteTableId) -> Result<()> {
    for table in describe(home, vec![filter("route-table-id", id.as_str())]).await? {
        for association in &table.found.associations {
            disassociate(home, id, association).await?;
        }
    }
    let answer = home.aws.ec2.delete_route_table().route_table_id(id.as_str()).send().await;
    gone(answer, &[MISSING], &["DependencyViolation"], &format!("delete route-table `{id}`"))
}

#[cfg(test)]
mod tests {
    use resource_graph::{Fixed, Graph, Known, Label};

    use super::*;

    #[tokio::test]
    async fn a_missing_route_and_a_wrong_subnet_are_corrected_in_place() {
        let mut graph = Graph::new();
        let vpc = graph.add(Label::default(), Fixed::new("vpc", VpcId::new("vpc-1")));
        let gateway = graph.add(Label::default(), Fixed::new("gateway", InternetGatewayId::new("igw-1")));
        let subnet = graph.add(Label::default(), Fixed::new("subnet", SubnetId::new("subnet-1")));
        let home = crate::testing::home();
        let node = NodeId::from("route-table");
        let table = RouteTable { home, node, name: "automator".to_owned(), vpc, gateway, subnets: vec![subnet] };
        let found = |default: Option<&str>, subnet: &str| Found {
            id: RouteTableId::new("rtb-1"),
            vpc: VpcId::new("vpc-1"),
            default: default.map(str::to_owned),
            associations: vec![Association { id: "rtbassoc-1".to_owned(), subnet: SubnetId::new(subnet) }],
        };
        let known = |vpc: &str| {
            let gateway = Known::Same(InternetGatewayId::new("igw-1"));
            (Known::Same(VpcId::new(vpc)), gateway, Known::Same(vec![SubnetId::new("subnet-1")]))
        };
        assert_eq!(table.plan(&found(Some("igw-1"), "subnet-1"), &known("vpc-1")), Verdict::Keep);
        let Verdict::Update { changes, .. } = table.plan(&found(Some("nat-1"), "subnet-2"), &known("vpc-1")) else {
            panic!()
        };
        let text = resource_graph::describe(&changes);
        assert_eq!(text, "route 0.0.0.0/0 nat-1 -> igw-1, subnets subnet-2 -> subnet-1");
        assert!(matches!(table.plan(&found(None, "subnet-1"), &known("vpc-1")), Verdict::Update { .. }));
        assert!(matches!(table.plan(&found(Some("igw-1"), "subnet-1"), &known("vpc-2")), Verdict::Replace { .. }));
    }
}
