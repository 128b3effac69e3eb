//! The record that a person creates, where the zone is not in Route 53 or not ours to write (A13, C22): told, then waited for.

use std::collections::BTreeSet;
use std::future::Future;
use std::io;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use resource_graph::{
    Action, Compare, Cx, Error, Given, Knowns, NodeId, Pace, Present, Progress, Ref, Resource, Result, Seen, Verdict,
};

use super::{AliasTarget, plain};

/// Asks DNS for addresses.
pub trait Resolve: Send + Sync + 'static {
    /// All addresses of a name, IPv4 and IPv6. A name that does not exist is an error, as the system's resolver has it.
    fn addresses(&self, name: String) -> Pin<Box<dyn Future<Output = io::Result<BTreeSet<IpAddr>>> + Send>>;
}

/// The computer's own resolver, with all its caches.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemResolver;

impl Resolve for SystemResolver {
    fn addresses(&self, name: String) -> Pin<Box<dyn Future<Output = io::Result<BTreeSet<IpAddr>>> + Send>> {
        Box::pin(async move {
            // The last dot keeps search domains out.
            let name = format!("{}.", plain(&name));
            Ok(tokio::net::lookup_host((name.as_str(), 443)).await?.map(|address| address.ip()).collect())
        })
    }
}

/// A record that a person creates and deletes.
pub struct ManualRecord {
    /// Its node.
    pub node: NodeId,
    /// The host name.
    pub host: String,
    /// The balancer.
    pub target: Ref<AliasTarget>,
    /// How long to wait for the person, and for DNS.
    pub wait: Duration,
    /// Whom to ask.
    pub resolver: Arc<dyn Resolve>,
}

/// The host name answers with addresses of this balancer.
#[derive(Clone, Debug)]
pub struct Found {
    target: AliasTarget,
}

impl ManualRecord {
    fn line(&self, target: &AliasTarget) -> String {
        format!("{} CNAME {target}", plain(&self.host))
    }

    /// `None` when it leads to the balancer, otherwise where it leads. A balancer has several addresses and changes them, so one in
    /// common is enough; and a resolver has one error for "no such name" and "no answer", so both are "not yet".
    async fn astray(&self, target: &AliasTarget) -> Option<String> {
        let host = self.resolver.addresses(self.host.clone()).await.unwrap_or_default();
        if host.is_empty() {
            return Some(format!("{} has no address", self.host));
        }
        let balancer = self.resolver.addresses(target.to_string()).await.unwrap_or_default();
        if balancer.is_empty() {
            return Some(format!("{target} has no address"));
        }
        let addresses = host.iter().map(IpAddr::to_string).collect::<Vec<_>>().join(", ");
        host.is_disjoint(&balancer).then(|| format!("{} leads to {addresses}", self.host))
    }
}

impl Resource for ManualRecord {
    const KIND: &'static str = "dns-record-manual";
    type Needs = (Ref<AliasTarget>,);
    type Found = Found;
    type Output = ();

    fn id(&self) -> NodeId {
        self.node.clone()
    }

    fn summary(&self) -> String {
        format!("{} -> the balancer, by hand", self.host)
    }

    fn needs(&self) -> Self::Needs {
        (self.target.clone(),)
    }

    async fn look(&self, _cx: &Cx, (target,): &Present<Self>) -> Result<Seen<Found>> {
        let Some(target) = target else { return Ok(Seen::absent()) };
        Ok(match self.astray(target).await {
            None => Seen::ours(Found { target: target.clone() }),
            Some(_) => Seen::absent(),
        })
    }

    fn plan(&self, found: &Found, (target,): &Knowns<Self>) -> Verdict {
        Compare::new().repoint("target", Some(&found.target), target).verdict()
    }

    fn output(&self, _found: &Found) {}

    async fn apply(&self, cx: &Cx, action: Action<Found>, (target,): Given<Self>) -> Result<Found> {
        let line = self.line(&target);
        let verb = if matches!(action, Action::Create) { "create" } else { "change" };
        cx.say(format!("{verb} this record: {line}"));
        let pace = Pace::new(Duration::from_secs(10), self.wait);
        let what = format!("{} to lead to the balancer", self.host);
        let waited = cx.wait_until(&what, pace, || async {
            Ok(match self.astray(&target).await {
                None => Progress::Ready(()),
                Some(where_to) => Progress::Pending(where_to),
            })
        });
        match waited.await {
            Ok(()) => Ok(Found { target }),
            Err(error) if error.code() == "wait-timeout" => Err(Error::new("dns-not-resolving", error.to_string())
                .expected(line)
                .hint("create the record where the zone is looked after, then run again; at the top of a zone, where no CNAME is allowed, use what the provider calls ALIAS or ANAME (C22)")),
            Err(error) => Err(error),
        }
    }

    /// Nothing of ours to remove; the person is told.
    async fn destroy(&self, cx: &Cx, found: Found) -> Result<()> {
        cx.say(format!("you may delete this record now: {}", self.line(&found.target)));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::Mutex;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use resource_graph::{Fixed, Graph, Label, Limits, SystemClock, What};

    use super::*;

    /// The host appears at the `from`th question for it.
    struct Fake {
        zone: BTreeMap<&'static str, IpAddr>,
        asked: AtomicUsize,
        from: usize,
    }

    impl Resolve for Fake {
        fn addresses(&self, name: String) -> Pin<Box<dyn Future<Output = io::Result<BTreeSet<IpAddr>>> + Send>> {
            let early = name == "automator.example.com" && self.asked.fetch_add(1, Ordering::Relaxed) < self.from;
            let address = self.zone.get(name.as_str()).filter(|_| !early).copied();
            Box::pin(async move { address.map(|address| [address].into()).ok_or(io::ErrorKind::NotFound.into()) })
        }
    }

    fn graph(from: usize, host: [u8; 4], wait: Duration) -> Graph {
        let zone = BTreeMap::from([
            ("automator.example.com", IpAddr::from(host)),
            ("automator-1.eu-west-1.elb.amazonaws.com", IpAddr::from([192, 0, 2, 1])),
        ]);
        let mut graph = Graph::new();
        let target = AliasTarget {
            dns_name: "dualstack.automator-1.eu-west-1.elb.amazonaws.com".to_owned(),
            zone: "Z32O12XQLNTSW2".to_owned(),
        };
        let target = graph.add(Label::default(), Fixed::new("alb", target));
        let record = ManualRecord {
            node: NodeId::from("dns-record-manual"),
            host: "automator.example.com".to_owned(),
            target,
            wait,
            resolver: Arc::new(Fake { zone, asked: AtomicUsize::new(0), from }),
        };
        graph.add(Label::step("A13"), record);
        graph
    }

    fn listening() -> (Cx, Arc<Mutex<Vec<String>>>) {
        let said = Arc::new(Mutex::new(Vec::new()));
        let heard = Arc::clone(&said);
        let sink = move |event: resource_graph::Event| {
            if let What::Progress { text } = event.what {
                heard.lock().unwrap().push(text);
            }
        };
        (Cx::new("test", Duration::from_secs(60), Arc::new(sink), Arc::new(SystemClock)), said)
    }

    const LINE: &str = "automator.example.com CNAME automator-1.eu-west-1.elb.amazonaws.com";

    #[tokio::test]
    async fn the_record_is_asked_for_waited_for_and_in_the_end_given_back() {
        let graph = graph(3, [192, 0, 2, 1], Duration::from_secs(30));
        let (cx, said) = listening();
        let found = graph.discover(&cx, &graph.everything()).await.unwrap();
        let report = graph.apply(&cx, Limits::default(), &found, &graph.plan(&found)).await;
        assert!(report.is_done(), "{:?}", report.failures().collect::<Vec<_>>());
        assert_eq!(said.lock().unwrap()[0], format!("create this record: {LINE}"));

        let found = graph.discover(&cx, &graph.everything()).await.unwrap();
        assert!(graph.plan(&found).is_quiet());
        assert!(graph.destroy(&cx, Limits::default(), &found).await.is_done());
        assert_eq!(*said.lock().unwrap().last().unwrap(), format!("you may delete this record now: {LINE}"));
    }

    #[tokio::test]
    async fn a_name_that_leads_elsewhere_ends_with_the_line_to_create() {
        let graph = graph(0, [203, 0, 113, 9], Duration::from_millis(20));
        let (cx, _) = listening();
        let found = graph.discover(&cx, &graph.everything()).await.unwrap();
        let report = graph.apply(&cx, Limits::default(), &found, &graph.plan(&found)).await;
        let failure = report.failures().next().unwrap();
        assert_eq!((failure.code.as_str(), failure.expected.as_deref()), ("dns-not-resolving", Some(LINE)));
        assert!(failure.message.contains("leads to 203.0.113.9"), "{}", failure.message);
    }
}
