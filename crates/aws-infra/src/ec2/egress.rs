//! How the tasks reach the outside (C19): a public address where the subnets lead to an internet gateway, none where they lead
//! to a NAT. Only read.

use aws_sdk_ec2::types::{self, RouteState};
use resource_graph::{
    Action, Compare, Cx, Given, Known, Knowns, Mark, NodeId, Present, Ref, Resource, Result, Seen, Survives, Verdict,
};

use super::filter;
use super::route_table::{EVERYWHERE, target};
use super::subnet::MISSING;
use crate::fail::{failed, incomplete, required, unless_missing};
use crate::{Home, RouteTableId, SubnetId};

/// Where the tasks' subnets lead to, and whether a task gets a public address there.
pub struct Egress {
    /// Where they are.
    pub home: Home,
    /// The node.
    pub node: NodeId,
    /// The subnets of the tasks.
    pub subnets: Vec<Ref<SubnetId>>,
    /// The route table of those subnets, where it is ours: what they lead to is only asked once it is there.
    pub routes: Option<Ref<RouteTableId>>,
    /// What the person asks for.
    pub wanted: PublicIp,
}

/// Whether a task gets a public address.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PublicIp {
    /// As the routes say. Never an output.
    #[default]
    Auto,
    /// It does: `assignPublicIp` is `ENABLED`.
    On,
    /// It does not: `DISABLED`.
    Off,
}

/// Where each subnet leads to.
#[derive(Clone, Debug)]
pub struct Found {
    exits: Vec<(SubnetId, Exit)>,
}

/// Where what is not for the VPC goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Exit {
    /// To an internet gateway, which serves only what has a public address.
    Public,
    /// To something that speaks for private addresses: a NAT, a transit gateway, an appliance.
    Private,
    /// Nowhere.
    None,
}

impl Egress {
    /// The decision, or the subnets from which a task would reach nothing. With subnets of both kinds a public address is
    /// given: behind a NAT it does no harm.
    fn decide(&self, found: &Found) -> Result<PublicIp, Vec<SubnetId>> {
        let public = found.exits.iter().any(|(_, exit)| *exit == Exit::Public);
        let decided = match self.wanted {
            PublicIp::Auto if public => PublicIp::On,
            PublicIp::Auto => PublicIp::Off,
            wanted => wanted,
        };
        let reaches = |exit: Exit| match exit {
            Exit::Public => decided == PublicIp::On,
            Exit::Private => true,
            Exit::None => false,
        };
        let stuck = found.exits.iter().filter(|(_, exit)| !reaches(*exit)).map(|(subnet, _)| subnet.clone());
        let stuck: Vec<SubnetId> = stuck.collect();
        if stuck.is_empty() { Ok(decided) } else { Err(stuck) }
    }
}

/// Where each of some subnets leads to; `None` when one of them is not there.
pub(super) async fn exits(home: &Home, subnets: &[SubnetId]) -> Result<Option<Vec<(SubnetId, Exit)>>> {
    // Without ids the call below would answer with all subnets there are.
    if subnets.is_empty() {
        return Ok(Some(Vec::new()));
    }
    let ec2 = &home.aws.ec2;
    let action = "describe subnets";
    let ids = subnets.iter().map(SubnetId::to_string).collect();
    let answer = ec2.describe_subnets().set_subnet_ids(Some(ids)).send().await;
    let Some(answer) = unless_missing(answer, MISSING, action)? else { return Ok(None) };
    let mut exits = Vec::new();
    for subnet in answer.subnets() {
        let id = SubnetId::new(required(subnet.subnet_id(), action, "subnet id")?);
        exits.push((id, required(subnet.vpc_id(), action, "vpc id")?));
    }
    if exits.len() < subnets.len() {
        return Ok(None);
    }
    let mut vpcs: Vec<String> = exits.iter().map(|(_, vpc)| vpc.clone()).collect();
    vpcs.sort();
    vpcs.dedup();
    let mut tables = Vec::new();
    for vpc in &vpcs {
        let filters = Some(vec![filter("vpc-id", vpc)]);
        let mut pages = ec2.describe_route_tables().set_filters(filters).into_paginator().send();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| failed(format!("describe the route-tables of vpc `{vpc}`"), error))?;
            tables.extend(page.route_tables().iter().cloned());
        }
    }
    let exit = |(subnet, vpc): (SubnetId, String)| {
        let table = effective(&tables, &subnet, &vpc);
        let table = table.ok_or_else(|| incomplete(&format!("find the routes of subnet `{subnet}`"), "main table"));
        table.map(|table| (subnet, exit(table)))
    };
    exits.into_iter().map(exit).collect::<Result<_>>().map(Some)
}

/// The table a subnet uses: the one it is associated with, else its VPC's main one.
fn effective<'t>(tables: &'t [types::RouteTable], subnet: &SubnetId, vpc: &str) -> Option<&'t types::RouteTable> {
    let own = |table: &&types::RouteTable| {
        table.associations().iter().any(|association| association.subnet_id() == Some(subnet.as_str()))
    };
    let main = |table: &&types::RouteTable| {
        table.vpc_id() == Some(vpc) && table.associations().iter().any(|association| association.main() == Some(true))
    };
    tables.iter().find(own).or_else(|| tables.iter().find(main))
}

fn exit(table: &types::RouteTable) -> Exit {
    let default = table.routes().iter().find(|route| route.destination_cidr_block() == Some(EVERYWHERE));
    // A route whose target is gone stays, as a black hole.
    let default = default.filter(|route| route.state() != Some(&RouteState::Blackhole));
    match default.and_then(target) {
        None | Some("local") => Exit::None,
        Some(target) if target.starts_with("igw-") => Exit::Public,
        Some(_) => Exit::Private,
    }
}

impl Resource for Egress {
    const KIND: &'static str = "egress";
    type Needs = (Vec<Ref<SubnetId>>, Option<Ref<RouteTableId>>);
    type Found = Found;
    type Output = PublicIp;

    fn id(&self) -> NodeId {
        self.node.clone()
    }

    fn summary(&self) -> String {
        let wanted = match self.wanted {
            PublicIp::Auto => "as the routes say",
            PublicIp::On => "on",
            PublicIp::Off => "off",
        };
        format!("public address {wanted}")
    }

    fn needs(&self) -> Self::Needs {
        (self.subnets.clone(), self.routes.clone())
    }

    async fn look(&self, _cx: &Cx, (subnets, routes): &Present<Self>) -> Result<Seen<Found>> {
        let Some(subnets) = subnets else { return Ok(Seen::absent()) };
        if matches!(routes, Some(None)) {
            return Ok(Seen::absent());
        }
        let found = exits(&self.home, subnets).await?.map(|exits| Found { exits });
        // It is only read; so a destroy spares it, as it does what was there before.
        Ok(found.map_or_else(Seen::absent, |found| Seen::here(found, Mark::Adopted)))
    }

    fn plan(&self, found: &Found, (subnets, routes): &Knowns<Self>) -> Verdict {
        let Err(stuck) = self.decide(found) else { return Verdict::Keep };
        // It is asked again once they have changed.
        let settled = matches!(subnets, Known::Same(_)) && matches!(routes, None | Some(Known::Same(_)));
        if !settled {
            return Compare::new()
                .differs("egress", Some("none".to_owned()), None)
                .survives(Survives::Nothing)
                .verdict();
        }
        let stuck = stuck.iter().map(|subnet| format!("`{subnet}`")).collect::<Vec<_>>().join(", ");
        let why = if self.wanted == PublicIp::Off {
            format!("a task without a public address would reach nothing from subnet {stuck}")
        } else {
            format!("subnet {stuck} has no route to the outside")
        };
        Verdict::Blocked { code: "no-egress", why }
    }

    fn output(&self, found: &Found) -> PublicIp {
        // Where a task is stuck the node is blocked, and this is what it would be without the stuck subnets.
        self.decide(found).unwrap_or(if self.wanted == PublicIp::Off { PublicIp::Off } else { PublicIp::On })
    }

    async fn apply(&self, _cx: &Cx, _action: Action<Found>, (subnets, _): Given<Self>) -> Result<Found> {
        let found = exits(&self.home, &subnets).await?.map(|exits| Found { exits });
        found.ok_or_else(|| incomplete("describe the subnets of the tasks", "subnet that is needed"))
    }

    async fn destroy(&self, _cx: &Cx, _found: Found) -> Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use aws_sdk_ec2::types::{Route, RouteTableAssociation};
    use resource_graph::{Fixed, Graph, Label};

    use super::*;

    fn egress(wanted: PublicIp) -> Egress {
        let mut graph = Graph::new();
        let subnets = vec![graph.add(Label::default(), Fixed::new("subnet", SubnetId::new("subnet-1")))];
        let routes = Some(graph.add(Label::default(), Fixed::new("routes", RouteTableId::new("rtb-1"))));
        Egress { home: crate::testing::home(), node: NodeId::from("egress"), subnets, routes, wanted }
    }

    fn found(exits: &[Exit]) -> Found {
        Found { exits: exits.iter().map(|exit| (SubnetId::new("subnet-1"), *exit)).collect() }
    }

    #[tokio::test]
    async fn public_subnets_get_an_address_and_private_ones_do_not() {
        let subnets = || Known::Same(vec![SubnetId::new("subnet-1")]);
        let settled = (subnets(), Some(Known::Same(RouteTableId::new("rtb-1"))));
        let good = [
            (PublicIp::Auto, vec![Exit::Public], PublicIp::On),
            (PublicIp::Auto, vec![Exit::Private], PublicIp::Off),
            (PublicIp::Auto, vec![Exit::Private, Exit::Public], PublicIp::On),
            (PublicIp::On, vec![Exit::Private], PublicIp::On),
            (PublicIp::Off, vec![Exit::Private], PublicIp::Off),
        ];
        for (wanted, exits, decided) in good {
            let egress = egress(wanted);
            assert_eq!(egress.plan(&found(&exits), &settled), Verdict::Keep, "{wanted:?} {exits:?}");
            assert_eq!(egress.output(&found(&exits)), decided, "{wanted:?} {exits:?}");
        }
        let bad = [
            (PublicIp::Auto, vec![Exit::None]),
            (PublicIp::On, vec![Exit::None]),
            (PublicIp::Off, vec![Exit::Public]),
            (PublicIp::Auto, vec![Exit::Public, Exit::None]),
        ];
        for (wanted, exits) in bad {
            let verdict = egress(wanted).plan(&found(&exits), &settled);
            assert!(matches!(verdict, Verdict::Blocked { code: "no-egress", .. }), "{wanted:?} {exits:?}");
        }
        // Its own routes are about to be repaired: nobody has to decide anything.
        let moving = (subnets(), Some(Known::WillChange(RouteTableId::new("rtb-1"))));
        assert!(matches!(egress(PublicIp::Auto).plan(&found(&[Exit::None]), &moving), Verdict::Update { .. }));
    }

    #[test]
    fn a_subnet_without_a_table_of_its_own_uses_the_main_one() {
        let table = |id: &str, association: RouteTableAssociation, route: Route| {
            types::RouteTable::builder()
                .route_table_id(id)
                .vpc_id("vpc-1")
                .associations(association)
                .routes(Route::builder().destination_cidr_block("10.0.0.0/16").gateway_id("local").build())
                .routes(route)
                .build()
        };
        let to = || Route::builder().destination_cidr_block(EVERYWHERE);
        let own = RouteTableAssociation::builder().subnet_id("subnet-1").build();
        let main = RouteTableAssociation::builder().main(true).build();
        let tables = [
            table("rtb-main", main, to().nat_gateway_id("nat-1").build()),
            table("rtb-own", own.clone(), to().gateway_id("igw-1").build()),
        ];
        let of = |subnet: &str| exit(effective(&tables, &SubnetId::new(subnet), "vpc-1").unwrap());
        assert_eq!((of("subnet-1"), of("subnet-2")), (Exit::Public, Exit::Private));
        let hole = table("rtb", own, to().gateway_id("igw-1").state(RouteState::Blackhole).build());
        assert_eq!(exit(&hole), Exit::None);
    }
}
