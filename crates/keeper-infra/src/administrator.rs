//! Whether whoever is signed in may do what the guide asks for (A14): looked at before anything is changed.

use automator_admin::account::{Finding, Severity};
use resource_graph::{Action, Cx, Error, Given, Knowns, Mark, NodeId, Present, Resource, Result, Seen, Verdict};

use crate::Home;
use crate::fail::failed;

/// The signed-in administrator. Only read.
pub struct Administrator {
    /// Who is signed in, and for which deployment.
    pub home: Home,
    /// Its node.
    pub node: NodeId,
}

/// What a preflight noticed.
#[derive(Clone, Debug)]
pub struct Found {
    findings: Vec<Finding>,
}

impl Resource for Administrator {
    const KIND: &'static str = "keeper-administrator";
    type Needs = ();
    type Found = Found;
    type Output = ();

    fn id(&self) -> NodeId {
        self.node.clone()
    }

    fn summary(&self) -> String {
        format!("{} at {}", self.home.session.user(), self.home.session.host())
    }

    fn needs(&self) {}

    async fn look(&self, cx: &Cx, (): &Present<Self>) -> Result<Seen<Found>> {
        let findings = self.home.session.preflight().await.map_err(failed)?;
        for finding in findings.iter().filter(|finding| finding.severity != Severity::Blocks) {
            cx.say(finding.text.clone());
        }
        Ok(Seen::here(Found { findings }, Mark::Adopted))
    }

    fn plan(&self, found: &Found, (): &Knowns<Self>) -> Verdict {
        let wrong: Vec<&str> = found
            .findings
            .iter()
            .filter(|finding| finding.severity == Severity::Blocks)
            .map(|finding| finding.text.as_str())
            .collect();
        match &wrong[..] {
            [] => Verdict::Keep,
            wrong => Verdict::Blocked { code: "keeper-administrator", why: wrong.join("; ") },
        }
    }

    fn output(&self, _: &Found) {}

    /// Never reached: it is only read.
    async fn apply(&self, _: &Cx, _: Action<Found>, (): Given<Self>) -> Result<Found> {
        Err(Error::new("referenced-differs", "change who is signed in"))
    }

    async fn destroy(&self, _: &Cx, _: Found) -> Result<()> {
        Ok(())
    }
}
