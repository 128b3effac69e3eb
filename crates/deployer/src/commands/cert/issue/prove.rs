//! Proving the hosts, and telling of it.

use std::sync::Arc;
use std::time::Duration;

use aws_infra::Home;
use aws_infra::route53::Challenges;
use certs::acme::{Dns01, DnsError};
use resource_graph::{Cx, What};

use crate::host::Host;

/// Longer than a change of Route 53 takes; how long issuing may take in all is bounded in `certs`.
const BUDGET: Duration = Duration::from_secs(20 * 60);

/// The records in Route 53, with a line for each that comes and goes.
pub(super) struct Prover<'a> {
    host: &'a Host,
    challenges: Challenges,
}

impl<'a> Prover<'a> {
    pub(super) fn new(host: &'a Host, home: Home, zone: Option<String>) -> Self {
        let talk = host.clone();
        let sink = move |event: resource_graph::Event| {
            if let What::Progress { text } = event.what {
                talk.talk(&format!("{text}\n"));
            }
        };
        let cx = Cx::new("cert-issue", BUDGET, Arc::new(sink), Arc::clone(&host.clock));
        Self { host, challenges: Challenges::new(home, cx, zone) }
    }

    /// Removes what of ours is left. What cannot be removed now the next run removes.
    pub(super) async fn tidy(&self, records: &[String]) {
        for record in records {
            for value in self.leftovers(record).await.unwrap_or_default() {
                let _ = self.remove(record, &value).await;
            }
        }
    }
}

impl Dns01 for Prover<'_> {
    async fn publish(&self, record: &str, value: &str) -> Result<(), DnsError> {
        self.challenges.publish(record, value).await?;
        self.host.talk(&format!("published a value of the TXT record `{record}`\n"));
        Ok(())
    }

    async fn remove(&self, record: &str, value: &str) -> Result<(), DnsError> {
        self.challenges.remove(record, value).await?;
        self.host.talk(&format!("removed a value of the TXT record `{record}`\n"));
        Ok(())
    }

    async fn leftovers(&self, record: &str) -> Result<Vec<String>, DnsError> {
        self.challenges.leftovers(record).await
    }
}
