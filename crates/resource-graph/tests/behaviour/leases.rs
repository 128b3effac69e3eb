//! One run per deployment.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use resource_graph::*;

use crate::pair_wanted;
use crate::toy::{Op, World, apply, sleep, story};

#[derive(Default)]
struct ToyLease {
    renewals: AtomicUsize,
    released: AtomicUsize,
    taken: bool,
    lost_after: Option<usize>,
}

impl Lease for ToyLease {
    async fn acquire(&self, _: &Cx) -> Result<()> {
        if self.taken { Err(Error::new("locked", "take the lock held by somebody")) } else { Ok(()) }
    }

    async fn renew(&self, _: &Cx) -> Result<()> {
        let renewals = self.renewals.fetch_add(1, Ordering::Relaxed);
        match self.lost_after {
            Some(after) if renewals >= after => Err(Error::new("lock-lost", "renew the lock")),
            _ => Err(Error::new("busy", "renew the lock").certainty(Certainty::NotDone)),
        }
    }

    async fn release(&self, _: &Cx) -> Result<()> {
        self.released.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }
}

#[test]
fn a_lease_is_renewed_while_the_work_lasts_and_given_back() {
    story(async {
        let lease = ToyLease::default();
        let cx = Cx::quiet();
        let work = async {
            sleep(3500).await;
            7
        };
        let (done, lease_ended) = with_lease(&lease, &cx, Duration::from_secs(1), work).await.unwrap();
        assert_eq!(done, 7);
        lease_ended.unwrap();
        assert_eq!(lease.renewals.load(Ordering::Relaxed), 3);
        assert_eq!(lease.released.load(Ordering::Relaxed), 1);
        assert!(!cx.cancellation().is_cancelled());
    });
}

#[test]
fn without_the_lease_no_work_begins() {
    story(async {
        let lease = ToyLease { taken: true, ..ToyLease::default() };
        let work = async { panic!("it worked without the lease") };
        let error = with_lease(&lease, &Cx::quiet(), Duration::from_secs(1), work).await.map(drop).unwrap_err();
        assert_eq!(error.code(), "locked");
        assert_eq!(lease.released.load(Ordering::Relaxed), 0);
    });
}

#[test]
fn when_the_lease_is_lost_the_run_is_stopped_and_the_lease_of_others_left_alone() {
    story(async {
        let world = World::default();
        world.slow("earlier", Op::Create, 5000);
        let graph = pair_wanted(&world, 0);
        let lease = ToyLease { lost_after: Some(1), ..ToyLease::default() };
        let cx = world.cx();
        let (report, lost) = with_lease(&lease, &cx, Duration::from_secs(1), apply(&graph, &cx)).await.unwrap();
        assert_eq!(lost.unwrap_err().code(), "lock-lost");
        assert!(!report.is_done(), "what was done until then is told");
        assert!(cx.cancellation().is_cancelled());
        assert_eq!(lease.released.load(Ordering::Relaxed), 0);
        assert!(world.only("earlier").ready, "the call in flight was finished");
        assert_eq!(world.of("later"), []);
    });
}
