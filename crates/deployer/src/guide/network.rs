//! A1: the network, a new one or one that exists.

use std::collections::BTreeMap;

use aws_infra::ec2::{
    AvailabilityZones, Egress, ExistingSubnet, ExistingVpc, InternetGateway, InternetGateways, PublicIp, PublicSubnets,
    RouteTable, RouteTables, Subnet, SubnetOutput, Subnets, TwoZones, Vpc, Vpcs,
};
use aws_infra::{RouteTableId, SubnetId, VpcId};
use resource_graph::{NodeId, Ref};

use super::Guide;
use crate::catalogue::StepId;
use crate::config::{self, AssignPublicIp, Cidr, NetworkSource};

/// What A1 gives to the other steps.
pub(super) struct Network {
    pub(super) vpc: Ref<VpcId>,
    pub(super) subnets: Vec<Ref<SubnetId>>,
    /// The ends of the subnets' node names.
    pub(super) tails: Vec<String>,
    /// Where the balancer stands, which may be elsewhere than the tasks.
    pub(super) balancer: Vec<Ref<SubnetId>>,
    pub(super) public_ip: Ref<PublicIp>,
    /// What must be there before a balancer can face the internet.
    pub(super) routes: Option<Ref<RouteTableId>>,
}

impl Guide<'_> {
    /// A1: a VPC with a subnet in each of at least two zones, and a way to the internet.
    pub(super) fn network(&mut self) -> Network {
        let home = self.home.clone();
        let mut balancer = None;
        let (vpc, subnets, tails, routes) = match &self.config.network.source {
            NetworkSource::Create { cidr, zones } => self.new_network(cidr, *zones),
            NetworkSource::Existing { vpc, subnets, balancer_subnets } => {
                let id = VpcId::new(vpc.as_str());
                let vpc = ExistingVpc { home: home.clone(), node: NodeId::from("vpc"), id };
                let vpc = self.read(StepId::A1, &["C08"], vpc);
                let tails: Vec<String> = subnets.iter().map(|subnet| subnet.as_str().to_owned()).collect();
                let mut known = BTreeMap::new();
                let outputs = self.existing_subnets("two-zones", &vpc, subnets, &mut known);
                if let Some(subnets) = balancer_subnets {
                    balancer = Some(self.existing_subnets("two-zones/balancer", &vpc, subnets, &mut known));
                }
                if self.config.balancer.scheme == config::Scheme::InternetFacing {
                    let subnets = ids(balancer.as_ref().unwrap_or(&outputs));
                    let node = NodeId::from("public-subnets");
                    self.read(StepId::A11, &["C09"], PublicSubnets { home, node, subnets });
                }
                (vpc, outputs, tails, None)
            }
        };
        let balancer = ids(balancer.as_ref().unwrap_or(&subnets));
        let subnets = ids(&subnets);
        let wanted = match self.config.network.assign_public_ip {
            AssignPublicIp::Auto => PublicIp::Auto,
            AssignPublicIp::Yes => PublicIp::On,
            AssignPublicIp::No => PublicIp::Off,
        };
        let public_ip = self.add(StepId::A1, &["C19"], |home, _, _| Egress {
            home,
            node: NodeId::from("egress"),
            subnets: subnets.clone(),
            routes: routes.clone(),
            wanted,
        });
        Network { vpc, subnets, tails, balancer, public_ip, routes }
    }

    /// Subnets that exist, each one node however often it is named, in two zones at least.
    fn existing_subnets(
        &mut self,
        check: &str,
        vpc: &Ref<VpcId>,
        subnets: &[config::SubnetId],
        known: &mut BTreeMap<String, Ref<SubnetOutput>>,
    ) -> Vec<Ref<SubnetOutput>> {
        let mut outputs = Vec::new();
        for subnet in subnets {
            let id = subnet.as_str();
            if !known.contains_key(id) {
                let (home, node) = (self.home.clone(), NodeId::new(format!("subnet/{id}")));
                let subnet = ExistingSubnet { home, node, id: SubnetId::new(id), vpc: vpc.clone() };
                known.insert(id.to_owned(), self.read(StepId::A1, &["C09"], subnet));
            }
            outputs.push(known[id].clone());
        }
        self.read(StepId::A1, &["C09"], TwoZones { node: NodeId::new(check), subnets: outputs.clone() });
        outputs
    }

    #[expect(clippy::type_complexity, reason = "the four things a new network is made of")]
    fn new_network(
        &mut self,
        cidr: &Cidr,
        zones: u32,
    ) -> (Ref<VpcId>, Vec<Ref<SubnetOutput>>, Vec<String>, Option<Ref<RouteTableId>>) {
        let home = self.home.clone();
        let count = usize::try_from(zones).expect("a handful of zones");
        let zone_names = AvailabilityZones { home: home.clone(), node: NodeId::from("availability-zones"), count };
        let zone_names = self.read(StepId::A1, &["C09"], zone_names);
        let vpc = self.add(StepId::A1, &["C08"], |home, _, names| Vpc {
            home,
            node: NodeId::from("vpc"),
            name: names.network(),
            cidr: cidr.to_string(),
        });
        self.graph.inventory(Vpcs(home.clone()));
        let tails: Vec<String> = (1..=zones).map(|index| index.to_string()).collect();
        let mut subnets = Vec::new();
        for (index, tail) in tails.iter().enumerate() {
            subnets.push(self.add(StepId::A1, &["C09"], |home, _, names| Subnet {
                home,
                node: NodeId::new(format!("subnet/{tail}")),
                name: format!("{}-{tail}", names.network()),
                vpc: vpc.clone(),
                cidr: slice(cidr, index),
                zone: (zone_names.clone(), index),
            }));
        }
        self.graph.inventory(Subnets(home.clone()));
        let gateway = self.add(StepId::A1, &[], |home, _, names| InternetGateway {
            home,
            node: NodeId::from("internet-gateway"),
            name: names.network(),
            vpc: vpc.clone(),
        });
        self.graph.inventory(InternetGateways(home.clone()));
        let routes = self.add(StepId::A1, &["C09"], |home, _, names| RouteTable {
            home,
            node: NodeId::from("route-table"),
            name: names.network(),
            vpc: vpc.clone(),
            gateway: gateway.clone(),
            subnets: subnets.iter().map(|subnet| subnet.field(SubnetOutput::ID)).collect(),
        });
        self.graph.inventory(RouteTables(home));
        (vpc, subnets, tails, Some(routes))
    }
}

/// A balancer asks for a /27 in each zone, with 8 addresses that nobody has:
/// <https://docs.aws.amazon.com/elasticloadbalancing/latest/application/application-load-balancers.html>
const SMALLEST_SUBNET: u32 = 27;

fn ids(subnets: &[Ref<SubnetOutput>]) -> Vec<Ref<SubnetId>> {
    subnets.iter().map(|subnet| subnet.field(SubnetOutput::ID)).collect()
}

/// One of the equal slices of a network: sixteen, or as many as are large enough for a balancer.
fn slice(cidr: &Cidr, index: usize) -> String {
    let prefix = (u32::from(cidr.prefix()) + 4).min(SMALLEST_SUBNET);
    let size = 1u32 << (32 - prefix);
    let index = u32::try_from(index).expect("a handful of zones");
    let address = u32::from(cidr.address()) + index * size;
    format!("{}/{prefix}", std::net::Ipv4Addr::from(address))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slices_of_a_network_are_next_to_each_other() {
        let cidr: Cidr = "10.20.0.0/16".parse().unwrap();
        assert_eq!(slice(&cidr, 0), "10.20.0.0/20");
        assert_eq!(slice(&cidr, 2), "10.20.32.0/20");
    }

    #[test]
    fn every_network_that_the_config_allows_has_room_for_a_balancer_in_six_zones() {
        let smallest = include_str!("../../../../fixtures/config/smallest.toml");
        let mut allowed = Vec::new();
        for prefix in 0..=32u8 {
            let text = format!("{smallest}\n[network]\ncidr = \"10.0.0.0/{prefix}\"\nzones = 6\n");
            let Ok(config) = config::parse(&text, "automator.toml", "".as_ref()) else { continue };
            let NetworkSource::Create { cidr, zones: 6 } = config.network.source else { panic!("a new network") };
            allowed.push(prefix);
            let bounds = |cidr: &Cidr| {
                let first = u64::from(u32::from(cidr.address()));
                first..first + (1u64 << (32 - cidr.prefix()))
            };
            let whole = bounds(&cidr);
            let mut next = whole.start;
            for index in 0..6 {
                let part: Cidr = slice(&cidr, index).parse().unwrap();
                let inside = bounds(&part);
                assert!(part.prefix() <= 27, "{part} of {cidr}");
                assert!(inside.start == next && inside.end <= whole.end, "{part} of {cidr}");
                next = inside.end;
            }
        }
        assert_eq!(allowed, (16..=24).collect::<Vec<u8>>());
    }
}
