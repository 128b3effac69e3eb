//! The zones a new network is spread over (A1). Only read.

use aws_sdk_ec2::types::{AvailabilityZone, AvailabilityZoneState};
use resource_graph::{Action, Cx, Error, Given, Knowns, Mark, NodeId, Present, Resource, Result, Seen, Verdict};

use crate::Home;
use crate::fail::failed;

/// Old zones, by the id that is the same in all accounts, in which Fargate does not run:
/// <https://docs.aws.amazon.com/AmazonECS/latest/developerguide/AWS_Fargate-Regions.html>.
const WITHOUT_FARGATE: [&str; 5] = ["use1-az3", "usw1-az2", "cac1-az3", "apne1-az3", "cnn1-az3"];

/// A balancer asks for at least two.
const LEAST: usize = 2;

/// The first zones of the region, by name.
pub struct AvailabilityZones {
    /// Where they are asked for.
    pub home: Home,
    /// The node.
    pub node: NodeId,
    /// How many.
    pub count: usize,
}

type Found = Vec<String>;

impl AvailabilityZones {
    async fn read(&self) -> Result<Found> {
        let region = &self.home.aws.region;
        let action = format!("describe the availability-zones of {region}");
        let answer = self.home.aws.ec2.describe_availability_zones().send().await;
        let answer = answer.map_err(|error| failed(&action, error))?;
        choose(answer.availability_zones(), self.count).map_err(|there| {
            Error::new("one-zone", format!("choose {} availability-zones in {region}", self.count.max(LEAST)))
                .expected(format!("at least {} zones that are available and run Fargate", self.count.max(LEAST)))
                .because(format!("there are {there}"))
        })
    }
}

impl Resource for AvailabilityZones {
    const KIND: &'static str = "availability-zones";
    type Needs = ();
    type Found = Found;
    type Output = Vec<String>;

    fn id(&self) -> NodeId {
        self.node.clone()
    }

    fn summary(&self) -> String {
        format!("{} of {}", self.count, self.home.aws.region)
    }

    fn needs(&self) {}

    async fn look(&self, _cx: &Cx, (): &Present<Self>) -> Result<Seen<Found>> {
        Ok(Seen::here(self.read().await?, Mark::Managed))
    }

    fn plan(&self, _found: &Found, (): &Knowns<Self>) -> Verdict {
        Verdict::Keep
    }

    fn output(&self, found: &Found) -> Vec<String> {
        found.clone()
    }

    async fn apply(&self, _cx: &Cx, _action: Action<Found>, (): Given<Self>) -> Result<Found> {
        self.read().await
    }

    async fn destroy(&self, _cx: &Cx, _found: Found) -> Result<()> {
        Ok(())
    }
}

/// The first `count` usable zones by name, or how many there are if that is too few. Local and Wavelength zones, which an
/// account may have opted in to, have neither Fargate nor EFS.
fn choose(zones: &[AvailabilityZone], count: usize) -> Result<Vec<String>, usize> {
    let usable = |zone: &&AvailabilityZone| {
        zone.zone_type().is_none_or(|kind| kind == "availability-zone")
            && zone.state().is_none_or(|state| *state == AvailabilityZoneState::Available)
            && !zone.zone_id().is_some_and(|id| WITHOUT_FARGATE.contains(&id))
    };
    let names = zones.iter().filter(usable).filter_map(AvailabilityZone::zone_name);
    let mut names: Vec<String> = names.filter(|name| !name.is_empty()).map(str::to_owned).collect();
    names.sort();
    names.dedup();
    if names.len() < count.max(LEAST) {
        return Err(names.len());
    }
    names.truncate(count);
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn zone(name: &str, id: &str, kind: &str, state: AvailabilityZoneState) -> AvailabilityZone {
        AvailabilityZone::builder().zone_name(name).zone_id(id).zone_type(kind).state(state).build()
    }

    #[test]
    fn only_whole_zones_that_are_up_and_run_fargate_are_chosen() {
        let up = AvailabilityZoneState::Available;
        let zones = [
            zone("us-west-1c", "usw1-az1", "availability-zone", up.clone()),
            zone("us-west-1a", "usw1-az3", "availability-zone", up.clone()),
            zone("us-west-1b", "usw1-az2", "availability-zone", up.clone()),
            zone("us-west-1-lax-1a", "usw1-lax1-az1", "local-zone", up),
            zone("us-west-1d", "usw1-az4", "availability-zone", AvailabilityZoneState::Impaired),
        ];
        assert_eq!(choose(&zones, 2).unwrap(), ["us-west-1a", "us-west-1c"]);
        assert_eq!(choose(&zones, 3), Err(2));
        assert_eq!(choose(&zones[..1], 1), Err(1));
    }
}
