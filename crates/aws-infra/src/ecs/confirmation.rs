//! A step that only a person can do or judge (A16, and A15 without a Keeper sign-in): told, waited for, and remembered as a tag of
//! the service, so that it is asked once in the life of a service.

use std::sync::{Arc, OnceLock};

use resource_graph::{Action, Cx, Given, Knowns, NodeId, Present, Ref, Resource, Result, Seen, Verdict};

use super::tags_of;
use crate::fail::failed;
use crate::{Home, ServiceArn};

/// A confirmation by a person.
pub struct Confirmation {
    /// Where it lives.
    pub home: Home,
    /// Its node.
    pub node: NodeId,
    /// The step that is confirmed, `A16` say.
    pub step: String,
    /// The service it is about.
    pub service: Ref<ServiceArn>,
    /// What the person has to do.
    pub task: String,
    /// Who confirms it in this run; as long as it is empty the node waits.
    pub word: Word,
}

/// A person's word, which may come while the program runs.
pub type Word = Arc<OnceLock<String>>;

/// A confirmation that was given.
#[derive(Clone, Debug)]
pub struct Found {
    /// By whom and when, as it was written down.
    pub by: String,
}

impl Confirmation {
    fn tag(&self) -> String {
        format!("keeper-automator:confirmed-{}", self.step)
    }
}

impl Resource for Confirmation {
    const KIND: &'static str = "confirmation";
    type Needs = (Ref<ServiceArn>,);
    type Found = Found;
    type Output = ();

    fn id(&self) -> NodeId {
        self.node.clone()
    }

    fn summary(&self) -> String {
        format!("{}, confirmed by a person", self.step)
    }

    fn needs(&self) -> Self::Needs {
        (self.service.clone(),)
    }

    async fn look(&self, _cx: &Cx, (service,): &Present<Self>) -> Result<Seen<Found>> {
        let Some(service) = service else { return Ok(Seen::absent()) };
        let tags = tags_of(&self.home, service.as_str()).await?;
        Ok(tags.get(&self.tag()).map_or_else(Seen::absent, |by| Seen::ours(Found { by: by.clone() })))
    }

    fn plan(&self, _found: &Found, _: &Knowns<Self>) -> Verdict {
        Verdict::Keep
    }

    fn waits(&self) -> Option<String> {
        self.word.get().is_none().then(|| self.task.clone())
    }

    fn output(&self, _found: &Found) {}

    async fn apply(&self, cx: &Cx, _action: Action<Found>, (service,): Given<Self>) -> Result<Found> {
        let by = self.word.get().cloned().unwrap_or_default();
        cx.say(format!("{} is taken as done by the word of {by}: {}", self.step, self.task));
        let tag = aws_sdk_ecs::types::Tag::builder().key(self.tag()).value(&by).build();
        let call = self.home.aws.ecs.tag_resource().resource_arn(service.as_str()).tags(tag);
        call.send().await.map_err(|error| failed(format!("tag `{service}`"), error))?;
        Ok(Found { by })
    }

    /// It goes with the service whose tag it is.
    async fn destroy(&self, _cx: &Cx, _found: Found) -> Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use resource_graph::{Fixed, Graph, Label};

    use super::*;

    #[tokio::test]
    async fn it_waits_until_somebody_gives_their_word() {
        let word = Word::default();
        let confirmation = Confirmation {
            home: crate::testing::home(),
            node: NodeId::from("user-test"),
            step: "A16".to_owned(),
            service: Graph::new().add(Label::default(), Fixed::new("service", ServiceArn::new("s"))),
            task: "sign in".to_owned(),
            word: word.clone(),
        };
        assert_eq!(confirmation.waits().as_deref(), Some("sign in"));
        word.set("ann".to_owned()).unwrap();
        assert_eq!(confirmation.waits(), None);
        assert_eq!(confirmation.tag(), "keeper-automator:confirmed-A16");
    }
}
