//! The Automator as Keeper knows it (A15, C26 to C30): created, pointed at the service, given the keys, switched on.

use std::collections::BTreeSet;
use std::sync::Arc;

use automator_admin::automator::{self, Info, Skill, Step, Wanted};
use futures_util::future::BoxFuture;
use resource_graph::{
    Action, Cx, Difference, Given, Knowns, Mark, NodeId, Present, Ref, Resource, Result, Seen, Survives, Verdict,
};

use crate::Home;
use crate::fail::failed;

/// Brings a service to exactly one task: the two steps of `setup` must reach the same one (C30).
pub trait OneTask<S>: Send + Sync + 'static {
    /// Returns when one task runs and no other.
    fn one<'a>(&'a self, cx: &'a Cx, service: &'a S) -> BoxFuture<'a, Result<()>>;
}

/// An Automator that is set up and switched on.
///
/// Keeper keeps no mark with it, so it is ours when it bears the name on the node and calls our URL, or none yet.
pub struct Automator<S> {
    /// Where it lives.
    pub home: Home,
    /// Its node in the graph.
    pub node: NodeId,
    /// Its name.
    pub name: String,
    /// Name or id of the enterprise's node it serves.
    pub enterprise_node: String,
    /// Where Keeper's cloud calls it: `https://automator.example.com`.
    pub url: String,
    /// What it approves.
    pub skills: BTreeSet<Skill>,
    /// The service that answers there.
    pub service: Ref<S>,
    /// Who scales that service.
    pub tasks: Arc<dyn OneTask<S>>,
}

/// An Automator that exists.
#[derive(Clone, Debug)]
pub struct Found {
    automator: Info,
    wanted: Wanted,
}

impl<S: Clone + Send + Sync + 'static> Automator<S> {
    async fn wanted(&self) -> Result<Wanted> {
        let enterprise = self.home.session.enterprise().await.map_err(failed)?;
        let node = enterprise.node(&self.enterprise_node).map_err(|error| failed(error.into()))?;
        let skills = Some(self.skills.clone());
        Ok(Wanted { skills, ..Wanted::new(node.id, self.name.clone(), self.url.clone()) })
    }

    fn same_url(&self, url: &str) -> bool {
        let plain = |url: &str| url.trim_end_matches('/').to_ascii_lowercase();
        url.is_empty() || plain(url) == plain(&self.url)
    }
}

impl<S: Clone + Send + Sync + 'static> Resource for Automator<S> {
    const KIND: &'static str = "automator";
    type Needs = (Ref<S>,);
    type Found = Found;
    type Output = i64;

    fn id(&self) -> NodeId {
        self.node.clone()
    }

    fn summary(&self) -> String {
        format!("{} on {}, {}", self.name, self.enterprise_node, self.url)
    }

    fn needs(&self) -> Self::Needs {
        (self.service.clone(),)
    }

    async fn look(&self, _: &Cx, _: &Present<Self>) -> Result<Seen<Found>> {
        let wanted = self.wanted().await?;
        let found = automator::find(&self.home.session, wanted.node, &self.name).await.map_err(failed)?;
        Ok(found.map_or_else(Seen::absent, |automator| {
            let mark = if self.same_url(&automator.url) { Mark::Managed } else { Mark::Stranger };
            Seen::here(Found { automator, wanted }, mark)
        }))
    }

    fn plan(&self, found: &Found, _: &Knowns<Self>) -> Verdict {
        let steps = match automator::plan(Some(&found.automator), &found.wanted) {
            Ok(steps) => steps,
            Err(error) => return Verdict::Blocked { code: "automator-wanted", why: error.to_string() },
        };
        if steps.is_empty() {
            return Verdict::Keep;
        }
        // New keys come from one task, so the others go meanwhile.
        let survives = if has_setup(&steps) { Survives::Nothing } else { Survives::All };
        let change =
            |step: &Step| Difference { field: step.describe(), from: None, to: Some("done".to_owned()), code: None };
        Verdict::Update { changes: steps.iter().map(change).collect(), survives }
    }

    fn output(&self, found: &Found) -> i64 {
        found.automator.id.0
    }

    async fn apply(&self, cx: &Cx, action: Action<Found>, (service,): Given<Self>) -> Result<Found> {
        let wanted = self.wanted().await?;
        let found = match &action {
            Action::Create => None,
            Action::Update { found, .. } => Some(&found.automator),
        };
        let steps = automator::plan(found, &wanted).map_err(|error| failed(error.into()))?;
        if has_setup(&steps) {
            self.tasks.one(cx, &service).await?;
        }
        // The Automator was named in the config and the plan was confirmed; the fingerprint is told for the record.
        let confirm = |offer: &automator::KeyOffer| {
            cx.say(format!("the Automator's key has the fingerprint {}", offer.fingerprint));
            true
        };
        // Only a planned `setup` has its one task.
        let within = Wanted { may_set_up: has_setup(&steps), ..wanted.clone() };
        let (automator, done) = automator::apply(&self.home.session, &within, &confirm).await.map_err(failed)?;
        for step in done {
            cx.say(step.describe());
        }
        Ok(Found { automator, wanted })
    }

    async fn destroy(&self, _: &Cx, found: Found) -> Result<()> {
        automator::remove(&self.home.session, &found.automator).await.map_err(failed)
    }
}

fn has_setup(steps: &[Step]) -> bool {
    steps.iter().any(|step| matches!(step, Step::Setup))
}
